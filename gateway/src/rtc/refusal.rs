//! Why a peer is turned down, why the SFU cannot start, and why a connection ended. Codes are API and frozen.

/// Why an offer was not accepted. The caller can act on it; nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RtcRefusal {
    /// The description is larger than [`protocol::limits::MAX_SDP_BYTES`].
    #[error("the session description is too large")]
    SdpTooLarge,
    /// The description could not be read, or does not describe a WebRTC session.
    #[error("the session description cannot be read")]
    SdpMalformed,
    /// The description has no video section.
    #[error("the session description has no video")]
    NoVideo,
    /// More video sections than [`protocol::limits::MAX_CAMERAS`].
    #[error("too many cameras in one session")]
    TooManyCameras,
    /// The number of video sections differs from the number of cameras asked for.
    #[error("the video sections do not match the cameras asked for")]
    CameraMismatch,
    /// The robot is publishing and has no camera of that name, or a camera has no usable name.
    #[error("the robot has no such camera")]
    UnknownCamera,
    /// Neither H.264 (packetization-mode 1) nor VP8 was offered, or not the one the camera sends.
    #[error("no video codec in common")]
    CodecUnsupported,
    /// The robot already has as many viewers as [`super::RtcConfig::viewers_per_robot`] allows.
    #[error("too many viewers on this robot")]
    TooManyViewers,
    /// The gateway already holds as many connections as [`super::RtcConfig::connections`] allows.
    #[error("too many connections on this gateway")]
    TooManyConnections,
    /// The connection could not be set up for a reason of ours.
    #[error("the media relay is not available")]
    Unavailable,
}

impl RtcRefusal {
    /// The frozen code that programs match on.
    pub const fn code(self) -> &'static str {
        match self {
            Self::SdpTooLarge => "sdp_too_large",
            Self::SdpMalformed => "sdp_malformed",
            Self::NoVideo => "no_video",
            Self::TooManyCameras => "too_many_cameras",
            Self::CameraMismatch => "camera_mismatch",
            Self::UnknownCamera => "unknown_camera",
            Self::CodecUnsupported => "codec_unsupported",
            Self::TooManyViewers => "too_many_viewers",
            Self::TooManyConnections => "too_many_connections",
            Self::Unavailable => "rtc_unavailable",
        }
    }
}

/// Why the SFU could not start.
#[derive(Debug, thiserror::Error)]
pub enum RtcFailure {
    /// The UDP port could not be opened.
    #[error("the media port cannot be opened")]
    Bind(#[from] std::io::Error),
    /// No address to tell peers about.
    #[error("no address to advertise for media")]
    NothingToAdvertise,
    /// The DTLS certificate could not be made.
    #[error("the media certificate cannot be made")]
    Certificate(#[source] rtc::shared::error::Error),
    /// No cryptography is compiled in.
    #[error("no cryptography for media")]
    Cryptography(#[source] rtc::crypto::CryptoError),
}

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosedReason {
    /// The owner of the handle closed or dropped it.
    ByOwner,
    /// A newer connection of the same robot took over.
    Replaced,
    /// The peer said goodbye.
    ByPeer,
    /// Nothing was heard from the peer for [`super::PEER_SILENCE`].
    PeerSilent,
    /// The peer never connected within [`super::CONNECT_TIMEOUT`].
    NeverConnected,
    /// The owner did not read reliable messages fast enough, and losing one is not an option.
    OwnerTooSlow,
    /// The connection broke for a reason of ours.
    Failed,
}

impl ClosedReason {
    /// The frozen code that programs match on.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ByOwner => "closed_by_owner",
            Self::Replaced => "replaced",
            Self::ByPeer => "closed_by_peer",
            Self::PeerSilent => "peer_silent",
            Self::NeverConnected => "never_connected",
            Self::OwnerTooSlow => "owner_too_slow",
            Self::Failed => "failed",
        }
    }
}

/// Why a message was not taken for sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendRefusal {
    /// The connection is over.
    #[error("the connection is closed")]
    Closed,
    /// Too much is waiting already; a fast message is dropped, a reliable one must be retried or given up.
    #[error("too much is waiting to be sent")]
    Congested,
    /// The message is larger than [`super::MESSAGE_LIMIT_BYTES`].
    #[error("the message is too large")]
    TooLarge,
}
