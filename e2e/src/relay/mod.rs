//! A link between two network namespaces that delays, loses and reorders as its seed says: what it is like (`profile`), what becomes
//! of each packet (`pipe`, pure), and on Linux the namespaces and the devices between them.

#[cfg(target_os = "linux")]
pub mod namespace;
pub mod pipe;
pub mod profile;
#[cfg(target_os = "linux")]
pub mod wire;
