//! Who steers a robot: at most one person, from one page, under an epoch that only rises. Who else wants it asks, and
//! who has it says yes or no; a supervisor may take it, and says why.

use protocol::{
    PersonId, RobotId, UnixMicros,
    control::{ControlEvent, ControlTurn},
    sealed::KeyId,
    views::Role,
};

mod machine;
mod refusal;
#[cfg(feature = "store")]
pub(crate) mod store;

pub use machine::{
    CONTROL_LASTS_US, REQUEST_LASTS_US, apply_control, decide_control, lapse_control, may_steer,
    notice, renew_control,
};
pub use refusal::ControlRefusal;

/// Who steers a robot, after the events so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    /// Which robot.
    pub robot: RobotId,
    /// The latest epoch; 0 before the first.
    pub epoch: u64,
    /// Who steers under it, until it is over.
    pub holder: Option<Holder>,
    /// Who asked for it last; worth nothing once its time is over.
    pub request: Option<Request>,
    /// What last happened.
    pub last: Option<Turn>,
    /// Count of events applied.
    pub version: u64,
}

/// Who steers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The person and their page.
    pub seat: Seat,
    /// Since when.
    pub since: UnixMicros,
    /// Not heard of until then, they are gone.
    pub until: UnixMicros,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The person and their page.
    pub seat: Seat,
    /// Why; may be empty.
    pub words: String,
    /// Not answered until then, it is over.
    pub until: UnixMicros,
}

/// What last happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// What.
    pub turn: ControlTurn,
    /// Who did it, or who steered when it ended by itself.
    pub person: PersonId,
    /// What they said; may be empty.
    pub words: String,
    /// When.
    pub at: UnixMicros,
}

/// A person before one page: two pages of one person are two seats, and only one of them steers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seat {
    /// Who.
    pub person: PersonId,
    /// The page's key; absent for scripts.
    pub key: Option<KeyId>,
}

/// Who proposes something about who steers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlActor {
    /// Somebody who watches and helps robots.
    Operator(Seat),
    /// An operator who may take over.
    Supervisor(Seat),
    /// The gateway, for itself.
    Cloud,
    /// Anybody else: they steer nothing.
    Other,
}

impl ControlActor {
    /// A person in one of their roles. Who may hand out rights must not also move robots.
    pub const fn of(role: Role, seat: Seat) -> Self {
        match role {
            Role::Operator => Self::Operator(seat),
            Role::Supervisor => Self::Supervisor(seat),
            Role::Requester | Role::Owner | Role::Admin => Self::Other,
        }
    }
}

impl Control {
    /// A robot that nobody ever steered.
    pub const fn never(robot: RobotId) -> Self {
        Self {
            robot,
            epoch: 0,
            holder: None,
            request: None,
            last: None,
            version: 0,
        }
    }

    /// Who asks for it at this moment.
    pub fn asks(&self, now: UnixMicros) -> Option<&Request> {
        self.request.as_ref().filter(|request| now < request.until)
    }
}

/// What is kept of an event beside who steers: what happened, and the words to it.
fn turn_of(event: &ControlEvent) -> Option<(ControlTurn, &str)> {
    match event {
        ControlEvent::Claimed {} => Some((ControlTurn::Claimed, "")),
        ControlEvent::Declined { words, .. } => Some((ControlTurn::Declined, words)),
        ControlEvent::HandedOver { note, .. } => Some((ControlTurn::HandedOver, note)),
        ControlEvent::TakenOver { reason, .. } => Some((ControlTurn::TakenOver, reason)),
        ControlEvent::Released {} => Some((ControlTurn::Released, "")),
        ControlEvent::Requested { .. }
        | ControlEvent::Withdrawn {}
        | ControlEvent::Granted { .. }
        | ControlEvent::Ended { .. } => None,
    }
}
