//! Frames between a robot's agent and the gateway, on `GET /api/v1/robots/socket` (WebSocket, JSON text; stills are binary).

use serde::{Deserialize, Serialize};

use crate::{
    RobotId, UnixMicros,
    command::Order,
    control::ControlNotice,
    grant::{Presentation, RobotTrust},
    job::Assignment,
    robot::{Advert, Scan, Telemetry},
};

/// What an agent says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromRobot {
    /// Must be the first frame, within [`HELLO_WITHIN_MS`].
    Hello {
        /// [`crate::limits::PROTOCOL_VERSION`] of the agent.
        protocol: u16,
        /// Random for each run of the agent: tells a reconnection from a second agent with the same identity.
        run: u64,
        /// What the robot is and can.
        advert: Advert,
    },
    /// State, ten times a second.
    Telemetry(Telemetry),
    /// A lidar scan, while wanted.
    Scan(Scan),
    /// The advert changed.
    Advert(Advert),
    /// Opens or replaces the peer connection that carries the cameras.
    RtcOffer {
        /// Rises with every offer; the answer repeats it.
        negotiation: u32,
        /// The session description.
        sdp: String,
    },
    /// An event that the robot sealed (base64 of the envelope). Kept by the robot until acknowledged.
    Event {
        /// The robot's own running number of it.
        number: u64,
        /// `COSE_Sign1`, base64.
        sealed: String,
    },
    /// What the robot trusts; after the hello and at every change.
    Trust(RobotTrust),
    /// Answers [`ToRobot::Ping`] at once.
    Pong {
        /// The moment from the ping, unchanged.
        at: UnixMicros,
        /// The robot's wall clock.
        robot_at: UnixMicros,
    },
}

/// How long a fresh socket may stay silent. A hello crosses a satellite link in under two seconds.
pub const HELLO_WITHIN_MS: u64 = 5_000;

/// What the gateway says to an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToRobot {
    /// The hello was accepted.
    Welcome {
        /// Who the token says the robot is.
        robot: RobotId,
        /// The name that people gave it.
        name: String,
        /// The gateway's wall clock.
        gateway_at: UnixMicros,
        /// Highest number of the robot's events that the gateway holds; the agent sends what is newer.
        events_held: u64,
    },
    /// Asks for a [`FromRobot::Pong`]; measures the link and both clocks.
    Ping {
        /// The gateway's wall clock.
        at: UnixMicros,
    },
    /// The gateway's part of the peer connection.
    RtcAnswer {
        /// Of which offer.
        negotiation: u32,
        /// The session description.
        sdp: String,
    },
    /// The offer was turned down; sockets and telemetry go on without pictures.
    RtcRefused {
        /// Of which offer.
        negotiation: u32,
        /// Frozen code.
        code: String,
        /// In words.
        words: String,
    },
    /// What is wanted from now on. Nothing is sent that nobody wants.
    Demand(Demand),
    /// An order.
    Order(Order),
    /// Who steers the robot changed, or is still there; sent after the welcome, too.
    Control(ControlNotice),
    /// The organisation's roster, sealed by its root (base64); after the welcome and whenever there is a newer one.
    Roster {
        /// As the root sealed it.
        sealed: String,
    },
    /// The list of what is believed no more, sealed by a policy key (base64); likewise.
    Revocations {
        /// As the policy key sealed it.
        sealed: String,
    },
    /// Somebody asks to be obeyed.
    Grant(Presentation),
    /// What a page wants of the wheels, to robots without a media connection; to others it goes on the fast channel, as bytes.
    Drive {
        /// A sealed [`crate::drive::DriveCommand`], base64.
        sealed: String,
    },
    /// The job that the robot holds or is offered, as a whole; sent whenever it changes and after the welcome.
    Assignment(Box<Assignment>),
    /// The robot holds no job: what it may remember of one is over.
    NoAssignment,
    /// The robot's events up to this number are recorded.
    EventsHeld {
        /// Highest number held.
        number: u64,
    },
    /// An event was not believed and is not recorded. One that follows events which are not held yet may only have come
    /// before them; the oldest one that is not held never will be believed.
    EventRefused {
        /// The number that it came with.
        number: u64,
        /// Frozen code.
        code: String,
    },
    /// The gateway closes the socket, and says why.
    Goodbye {
        /// Why.
        reason: Goodbye,
        /// In words, for the agent's log.
        words: String,
    },
}

/// What somebody wants of a robot just now.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Demand {
    /// Names of the cameras to stream.
    pub cameras: Vec<String>,
    /// Whether stills are wanted, at most one a second from the main camera.
    pub thumbnails: bool,
    /// Whether lidar scans are wanted.
    pub scans: bool,
}

/// Why a gateway ends a session. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goodbye {
    /// Another agent signed in with this identity; the newer one wins.
    Superseded,
    /// The token was revoked.
    Revoked,
    /// The two speak different versions.
    ProtocolUnsupported,
    /// A frame could not be read, came out of order or was too large.
    BadFrame,
    /// The gateway goes down in good order; come back.
    Restarting,
    /// The robot's answers stopped coming.
    Silent,
    /// The session lagged too far behind.
    Overloaded,
    /// The sign-in ended or lost its rights.
    SessionEnded,
}

impl Goodbye {
    /// The frozen code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Superseded => "superseded",
            Self::Revoked => "revoked",
            Self::ProtocolUnsupported => "protocol_unsupported",
            Self::BadFrame => "bad_frame",
            Self::Restarting => "restarting",
            Self::Silent => "silent",
            Self::Overloaded => "overloaded",
            Self::SessionEnded => "session_ended",
        }
    }

    /// Whether trying again with the same identity can help.
    pub const fn may_return(self) -> bool {
        match self {
            Self::Restarting | Self::Silent | Self::Overloaded | Self::BadFrame => true,
            Self::Superseded | Self::Revoked | Self::ProtocolUnsupported | Self::SessionEnded => {
                false
            }
        }
    }
}
