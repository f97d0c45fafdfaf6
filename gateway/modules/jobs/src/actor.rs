//! Who proposes an event. That they are who they say is somebody else's to prove.

use protocol::{PersonId, RobotId, views::Role};

/// Who proposes an event, in the role that they act in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// Books work.
    Requester(PersonId),
    /// Watches and helps robots.
    Operator(PersonId),
    /// Supplies robots.
    Owner(PersonId),
    /// Runs the site.
    Admin(PersonId),
    /// Does the work.
    Robot(RobotId),
    /// The gateway itself.
    Cloud,
}

impl Actor {
    /// A person in one of their roles.
    pub const fn person(role: Role, person: PersonId) -> Self {
        match role {
            Role::Requester => Self::Requester(person),
            Role::Operator | Role::Supervisor => Self::Operator(person),
            Role::Owner => Self::Owner(person),
            Role::Admin => Self::Admin(person),
        }
    }

    /// Which kind of actor.
    pub const fn kind(self) -> ActorKind {
        match self {
            Self::Requester(_) => ActorKind::Requester,
            Self::Operator(_) => ActorKind::Operator,
            Self::Owner(_) => ActorKind::Owner,
            Self::Admin(_) => ActorKind::Admin,
            Self::Robot(_) => ActorKind::Robot,
            Self::Cloud => ActorKind::Cloud,
        }
    }
}

/// The kinds of actors that rules speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActorKind {
    /// Books work.
    Requester,
    /// Watches and helps robots.
    Operator,
    /// Supplies robots.
    Owner,
    /// Runs the site.
    Admin,
    /// Does the work.
    Robot,
    /// The gateway itself.
    Cloud,
}

impl ActorKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Requester,
        Self::Operator,
        Self::Owner,
        Self::Admin,
        Self::Robot,
        Self::Cloud,
    ];

    /// The word that people read.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Requester => "requester",
            Self::Operator => "operator",
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Robot => "robot",
            Self::Cloud => "cloud",
        }
    }
}
