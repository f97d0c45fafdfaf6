//! Identities as distinct types, so that a site can't be passed where a robot is meant.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )*};
}

ids! {
    /// A company or body that owns sites, people and robots. The outermost wall between tenants.
    OrganisationId,
    /// A place where robots work: one map, one roster, one uplink.
    SiteId,
    /// A human being with a sign-in.
    PersonId,
    /// A machine with an agent on it.
    RobotId,
    /// One wish of a person towards a robot. Chosen by the sender, so that a repeated send is recognised.
    CommandId,
    /// The public name of a bearer token; never the token itself.
    TokenId,
    /// One piece of work that somebody asked for.
    JobId,
    /// One access plan: where a robot may go for a job, and when.
    AccessId,
    /// One question of a robot that only the requester may answer.
    ApprovalId,
    /// One call of a robot for a person's help.
    AssistId,
    /// One complaint and what became of it.
    CaseId,
    /// One picture or file that belongs to a job or a case.
    EvidenceId,
    /// One leave to steer a robot, for minutes.
    GrantId,
}
