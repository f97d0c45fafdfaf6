//! The console in the browser. What it knows and how that changes is plain Rust, tested everywhere; what touches the page
//! exists for the browser only.

pub mod arming;
pub mod board;
pub mod camera;
pub mod chain;
pub mod control;
pub mod driving;
pub mod focus;
pub mod glass;
pub mod grade;
pub mod job_words;
pub mod live;
pub mod machine;
pub mod outage;
pub mod projection;
pub mod queue;
pub mod receipt;
pub mod record;
pub mod request;
pub mod roster;
pub mod route;
pub mod telling;
pub mod verdict;
pub mod words;

#[cfg(target_arch = "wasm32")]
mod acts;
#[cfg(target_arch = "wasm32")]
mod api;
#[cfg(target_arch = "wasm32")]
#[expect(unreachable_pub, reason = "the component macro writes a plain `pub`")]
mod app;
#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(target_arch = "wasm32")]
mod frames;
#[cfg(target_arch = "wasm32")]
mod keys;
#[cfg(target_arch = "wasm32")]
mod later;
#[cfg(target_arch = "wasm32")]
mod navigation;
#[cfg(target_arch = "wasm32")]
mod own_key;
#[cfg(target_arch = "wasm32")]
#[expect(unreachable_pub, reason = "the component macro writes a plain `pub`")]
mod pages;
#[cfg(target_arch = "wasm32")]
#[expect(unreachable_pub, reason = "the component macro writes a plain `pub`")]
mod panels;
#[cfg(target_arch = "wasm32")]
#[expect(unreachable_pub, reason = "the component macro writes a plain `pub`")]
mod parts;
#[cfg(target_arch = "wasm32")]
mod passkeys;
#[cfg(target_arch = "wasm32")]
mod player;
#[cfg(target_arch = "wasm32")]
mod rtc;
#[cfg(target_arch = "wasm32")]
mod session;
#[cfg(target_arch = "wasm32")]
mod signing;
#[cfg(target_arch = "wasm32")]
mod sound;
#[cfg(target_arch = "wasm32")]
mod steer;

/// Puts the console into the page, in place of what was there before the code had come.
#[cfg(target_arch = "wasm32")]
#[wasm_bindgen::prelude::wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
    if let Some(placeholder) = leptos::prelude::document().get_element_by_id("before") {
        placeholder.remove();
    }
    leptos::mount::mount_to_body(app::App);
}
