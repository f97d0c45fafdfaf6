//! Cameras that come in as RTP, from any GStreamer or FFmpeg pipeline, and go out as they came: nothing is re-encoded.
//!
//! A pipeline sends plain RTP over UDP to the camera's address, H.264 (RFC 6184) or VP8 (RFC 7741), for example
//!
//! ```text
//! gst-launch-1.0 filesrc location=FILE ! decodebin ! videoconvert !
//!   x264enc tune=zerolatency key-int-max=30 ! video/x-h264,profile=constrained-baseline !
//!   rtph264pay config-interval=-1 mtu=1200 ! udpsink host=127.0.0.1 port=5004
//! ffmpeg -re -stream_loop -1 -i FILE -an -c:v libx264 -profile:v baseline -tune zerolatency -pix_fmt yuv420p -g 30
//!   -f rtp 'rtp://127.0.0.1:5004?pkt_size=1200'
//! ```
//!
//! Three things are asked of the source, because nobody here can ask it for anything later: a key frame every second or
//! two (a viewer who joins late starts from the last one, which is kept), parameter sets inside the stream at least once
//! (`config-interval=-1`; FFmpeg does so when it encodes; they are remembered and put before key frames without them), and packets of at most 1200 bytes, which still fit the network after
//! encryption. B frames cost delay and are not in the baseline profile that browsers are offered.
//!
//! A requested key frame is answered with what is kept only when the stream starts; later the next one of the source must
//! do. For VP8 no stills are made: nothing on board decodes it, and the advert says so.

mod address;
mod cache;
#[cfg(feature = "fuzzed")]
pub mod fuzzed;
mod intake;
mod listen;
mod packet;
mod parameters;
mod payload;
mod unit;

pub use self::{
    address::{AddressFault, IncomingCamera},
    intake::{IntakeCounters, Signal},
    listen::{PACKET_QUEUE, RtpCamera, RtpCameraFailure, RtpSinks},
    packet::{PacketFault, RtpPacket},
};
pub(crate) use self::{payload::starts_key, unit::frame_of};
