//! Where a job can stand, by name.

use serde::{Deserialize, Serialize};

/// Where a job stands, in the domain's words. What it carries is in [`crate::views::JobView`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PhaseName {
    /// Asked for; no robot yet.
    Requested,
    /// A robot is being found.
    Dispatching,
    /// A robot took it on.
    Reserved,
    /// The robot is on its way.
    Travelling,
    /// The robot waits to be let in.
    AtSite,
    /// The robot works through the plan.
    Executing,
    /// The robot waits for the requester's word.
    AwaitingApproval,
    /// A person is helping.
    Assisted,
    /// Nothing is heard of the robot.
    Stalled,
    /// The robot was told to stop and has not said yet that it stands.
    Stopping,
    /// The robot stands, the job is kept.
    Paused,
    /// Something went wrong; a person decides.
    Incident,
    /// The work is done; the requester looks at it.
    Verifying,
    /// Done.
    Completed,
    /// Ended by a decision after an incident.
    Aborted,
    /// Called off.
    Cancelled,
}

impl PhaseName {
    /// Every phase, in the order of a job's life.
    pub const ALL: [Self; 16] = [
        Self::Requested,
        Self::Dispatching,
        Self::Reserved,
        Self::Travelling,
        Self::AtSite,
        Self::Executing,
        Self::AwaitingApproval,
        Self::Assisted,
        Self::Stalled,
        Self::Stopping,
        Self::Paused,
        Self::Incident,
        Self::Verifying,
        Self::Completed,
        Self::Aborted,
        Self::Cancelled,
    ];

    /// The frozen word, as in the API: `at_site`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Dispatching => "dispatching",
            Self::Reserved => "reserved",
            Self::Travelling => "travelling",
            Self::AtSite => "at_site",
            Self::Executing => "executing",
            Self::AwaitingApproval => "awaiting_approval",
            Self::Assisted => "assisted",
            Self::Stalled => "stalled",
            Self::Stopping => "stopping",
            Self::Paused => "paused",
            Self::Incident => "incident",
            Self::Verifying => "verifying",
            Self::Completed => "completed",
            Self::Aborted => "aborted",
            Self::Cancelled => "cancelled",
        }
    }

    /// The phase of a word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.word() == word)
    }

    /// The domain's own name, as operators see it: `AtSite`.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Requested => "Requested",
            Self::Dispatching => "Dispatching",
            Self::Reserved => "Reserved",
            Self::Travelling => "Travelling",
            Self::AtSite => "AtSite",
            Self::Executing => "Executing",
            Self::AwaitingApproval => "AwaitingApproval",
            Self::Assisted => "Assisted",
            Self::Stalled => "Stalled",
            Self::Stopping => "Stopping",
            Self::Paused => "Paused",
            Self::Incident => "Incident",
            Self::Verifying => "Verifying",
            Self::Completed => "Completed",
            Self::Aborted => "Aborted",
            Self::Cancelled => "Cancelled",
        }
    }

    /// Whether a robot is at it, so that it can stall, be stopped and need help.
    pub const fn is_active(self) -> bool {
        matches!(
            self,
            Self::Travelling
                | Self::AtSite
                | Self::Executing
                | Self::AwaitingApproval
                | Self::Assisted
                | Self::Stalled
                | Self::Verifying
        )
    }

    /// Whether nothing more can become of it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Aborted | Self::Cancelled)
    }
}
