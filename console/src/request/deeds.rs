//! What a requester may do to a job now, and where not, why. The gateway decides again: this only keeps a page from
//! offering what would be refused.

use protocol::{job::PhaseName, views::JobView};

use super::state::{Standing, is_done, robot, standing};

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
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that may be done, whatever the others"
)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deeds {
    /// The bar with stop, pause and revoke; absent while no robot moves for the job.
    pub bar: Option<Bar>,
    /// Leave to enter can be given or changed.
    pub give_access: bool,
    /// Leave can be taken back where there is no bar for it: no robot is on its way yet.
    pub take_access_back: bool,
    /// The job can be called off.
    pub cancel: bool,
    /// The work can be accepted.
    pub accept: bool,
    /// The robot's question, where there is one, can be answered.
    pub answer: Press,
    /// A complaint can be filed: the job is over.
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
    let bar = bar(job);
    Deeds {
        give_access: may_give_access(job),
        take_access_back: bar.is_none() && job.access.is_some() && !phase.is_over(),
        bar,
        cancel: may_cancel(job),
        accept: may_accept(job),
        answer: may_answer(job),
        complain: phase.is_over(),
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
        PhaseName::Paused if job.interrupted == Some(PhaseName::Verifying) => {
            Some(format!("{name} has finished"))
        }
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
    // New leave lets it go on; work that is done needs none, and leave alone moves none that an operator stopped on its way.
    let needs_leave = match standing(job) {
        Standing::YourWord | Standing::BothWords => job.access.is_none(),
        Standing::Done | Standing::OperatorsWord => false,
    };
    let pause = if job.phase == PhaseName::Paused && needs_leave {
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

/// Leave that the robot came in under can only be taken back; anything else can be given or replaced until the work is done.
const fn may_give_access(job: &JobView) -> bool {
    !job.phase.is_over() && !is_done(job) && !job.is_access_verified
}

/// Once it is done, also when its robot was told to stand or is not heard of any more; not while it stops or a person decides.
fn may_accept(job: &JobView) -> bool {
    let can_end = matches!(
        job.phase,
        PhaseName::Verifying | PhaseName::Stalled | PhaseName::Paused
    );
    is_done(job) && can_end
}

/// A robot that was told to stop hears no answer: what it asked is asked anew or left out once it goes on.
fn may_answer(job: &JobView) -> Press {
    let name = robot(job);
    match job.phase {
        PhaseName::Stopping => Press::Not(format!("{name} was told to stop")),
        PhaseName::Paused if job.access.is_none() => {
            Press::Not(format!("{name} stands: let it go on first"))
        }
        PhaseName::Paused => Press::Not(format!("{name} stands")),
        PhaseName::Incident => Press::Not("A person decides first".to_owned()),
        PhaseName::Requested
        | PhaseName::Dispatching
        | PhaseName::Reserved
        | PhaseName::Travelling
        | PhaseName::AtSite
        | PhaseName::Executing
        | PhaseName::AwaitingApproval
        | PhaseName::Assisted
        | PhaseName::Stalled
        | PhaseName::Verifying
        | PhaseName::Completed
        | PhaseName::Aborted
        | PhaseName::Cancelled => Press::Ready,
    }
}

/// Until the work is done, but not while a person has to decide or the robot is being called off already.
fn may_cancel(job: &JobView) -> bool {
    match job.phase {
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
        PhaseName::Stopping => job.stops_for == Some(PhaseName::Paused),
        PhaseName::Incident
        | PhaseName::Verifying
        | PhaseName::Completed
        | PhaseName::Aborted
        | PhaseName::Cancelled => false,
    }
}

#[cfg(test)]
mod tests {
    use protocol::{
        AccessId,
        job::{AccessPlan, Window},
    };
    use uuid::Uuid;

    use super::super::fixture::{NOW, job};
    use super::*;

    fn with_access(phase: PhaseName) -> JobView {
        let mut job = job(phase);
        job.access = Some(AccessPlan {
            access: AccessId(Uuid::from_u128(8)),
            place: "Room 3".to_owned(),
            window: Window {
                from: NOW,
                until: NOW.plus(1),
            },
            secret: None,
        });
        job
    }

    #[test]
    fn whoever_can_be_stopped_has_the_bar_and_a_stop_that_was_sent_is_not_sent_again() {
        for phase in PhaseName::ALL {
            let bar = deeds(&job(phase)).bar;
            let can_stop = bar.as_ref().is_some_and(|bar| bar.stop == Press::Ready);

            let moves = matches!(
                phase,
                PhaseName::Travelling
                    | PhaseName::AtSite
                    | PhaseName::Executing
                    | PhaseName::AwaitingApproval
                    | PhaseName::Assisted
                    | PhaseName::Stalled
            );
            assert_eq!(can_stop, moves, "{phase:?}");
        }
    }

    #[test]
    fn a_robot_that_stands_goes_on_under_new_leave_only() {
        let bar = |job: &JobView| deeds(job).bar.unwrap();

        assert_eq!(bar(&job(PhaseName::Paused)).pause, Pause::GoOn);
        assert_ne!(bar(&with_access(PhaseName::Paused)).pause, Pause::GoOn);
        assert_eq!(bar(&with_access(PhaseName::Paused)).revoke, Press::Ready);
    }

    #[test]
    fn leave_that_the_robot_came_in_under_is_taken_back_but_not_replaced() {
        let mut working = with_access(PhaseName::Executing);
        assert!(deeds(&working).give_access);

        working.is_access_verified = true;
        assert!(!deeds(&working).give_access);
        assert_eq!(deeds(&working).bar.unwrap().revoke, Press::Ready);
    }

    #[test]
    fn nothing_but_a_complaint_is_left_of_a_job_that_is_over() {
        for phase in PhaseName::ALL.into_iter().filter(|phase| phase.is_over()) {
            let deeds = deeds(&job(phase));

            assert!(deeds.complain && deeds.bar.is_none());
            assert!(!deeds.cancel && !deeds.give_access && !deeds.accept);
        }
    }
}
