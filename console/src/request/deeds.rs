//! What a requester may do to a job now, and where not, why. The gateway decides again: this only keeps a page from
//! offering what would be refused.

use protocol::{job::PhaseName, views::JobView};

use super::state::robot;

/// A button of the bar that never moves: what it cannot do now it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Press {
    /// It can be pressed.
    Ready,
    /// It can't, and why.
    Not(String),
}

impl Press {
    /// Why it can't be pressed.
    pub fn why_not(&self) -> Option<&str> {
        match self {
            Self::Ready => None,
            Self::Not(why) => Some(why),
        }
    }
}

/// What a requester may do to a job now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deeds {
    /// The bar with stop, pause and revoke; absent while no robot moves for the job.
    pub bar: Option<Bar>,
    /// Leave to enter can be given or changed.
    pub give_access: bool,
    /// The job can be called off.
    pub cancel: bool,
    /// The work can be accepted.
    pub accept: bool,
    /// A complaint can be filed.
    pub complain: bool,
}

/// The bar that stays in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// "Stop now".
    pub stop: Press,
    /// "Pause", or "Let it go on" in the same place.
    pub pause: Pause,
    /// "Revoke access".
    pub revoke: Press,
}

/// The second place of the bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pause {
    /// The robot moves, or may.
    Pause(Press),
    /// It stands and waits to be let go on.
    GoOn,
}

/// What may be done now.
pub fn deeds(job: &JobView) -> Deeds {
    let phase = job.phase;
    Deeds {
        bar: bar(job),
        give_access: may_give_access(phase),
        cancel: may_cancel(phase),
        accept: phase == PhaseName::Verifying,
        complain: may_complain(phase),
    }
}

fn bar(job: &JobView) -> Option<Bar> {
    let name = robot(job);
    let stands = match job.phase {
        PhaseName::Travelling
        | PhaseName::AtSite
        | PhaseName::Executing
        | PhaseName::AwaitingApproval
        | PhaseName::Assisted
        | PhaseName::Stalled => None,
        PhaseName::Stopping => Some("Stop sent".to_owned()),
        PhaseName::Paused => Some(format!("{name} reports stopped")),
        PhaseName::Incident => Some("A person decides".to_owned()),
        PhaseName::Requested
        | PhaseName::Dispatching
        | PhaseName::Reserved
        | PhaseName::Verifying
        | PhaseName::Completed
        | PhaseName::Aborted
        | PhaseName::Cancelled => return None,
    };
    let stop = stands.map_or(Press::Ready, Press::Not);
    let revoke = if job.access.is_none() {
        Press::Not("No access is given".to_owned())
    } else {
        Press::Ready
    };
    let pause = if job.phase == PhaseName::Paused {
        Pause::GoOn
    } else {
        Pause::Pause(stop.clone())
    };
    Some(Bar {
        stop,
        pause,
        revoke,
    })
}

const fn may_give_access(phase: PhaseName) -> bool {
    match phase {
        PhaseName::Requested
        | PhaseName::Dispatching
        | PhaseName::Reserved
        | PhaseName::Travelling
        | PhaseName::AtSite
        | PhaseName::Executing
        | PhaseName::AwaitingApproval
        | PhaseName::Assisted
        | PhaseName::Stalled
        | PhaseName::Paused => true,
        PhaseName::Stopping
        | PhaseName::Incident
        | PhaseName::Verifying
        | PhaseName::Completed
        | PhaseName::Aborted
        | PhaseName::Cancelled => false,
    }
}

const fn may_cancel(phase: PhaseName) -> bool {
    match phase {
        PhaseName::Requested
        | PhaseName::Dispatching
        | PhaseName::Reserved
        | PhaseName::Travelling
        | PhaseName::AtSite => true,
        PhaseName::Executing
        | PhaseName::AwaitingApproval
        | PhaseName::Assisted
        | PhaseName::Stalled
        | PhaseName::Stopping
        | PhaseName::Paused
        | PhaseName::Incident
        | PhaseName::Verifying
        | PhaseName::Completed
        | PhaseName::Aborted
        | PhaseName::Cancelled => false,
    }
}

/// A complaint needs a job that is done, ended or at least waits to be looked at.
const fn may_complain(phase: PhaseName) -> bool {
    matches!(
        phase,
        PhaseName::Verifying | PhaseName::Completed | PhaseName::Aborted | PhaseName::Cancelled
    )
}
