//! What the robot sees: simulated cameras that draw and encode their own pictures, and foreign ones that come in as RTP.
//!
//! Nothing here sends anything anywhere: frames and packets go into bounded channels, only while they are wanted.

pub mod encode;
pub mod frame;
pub mod mask;
pub mod render;
pub mod rtp;
pub mod shoot;
pub mod simulated;
pub mod source;
pub mod stamp;
pub mod still;
