//! The live side of the console: one model, one reducer, and the parts of the browser that feed and obey them.

pub mod clock;
pub mod commands;
pub mod control;
#[cfg(target_arch = "wasm32")]
pub(crate) mod engine;
pub mod granting;
mod hear;
pub mod model;
pub mod reduce;
#[cfg(target_arch = "wasm32")]
pub(crate) mod socket;
mod stills;
pub mod view;
pub mod work;

#[cfg(test)]
mod tests;
