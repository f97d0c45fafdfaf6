//! What holds of every job that the machine made, whatever happened to it.

use protocol::UnixMicros;

use crate::job::{Access, Engaged, Halt, HelpStage, Job, Phase, StopsFor, Work};

/// Names what does not hold of a job; nothing for one that the machine made.
pub fn check_invariants(job: &Job) -> Result<(), &'static str> {
    let claims = [
        (
            job.version >= 1 && job.updated_at >= job.requested_at,
            "it was asked for before anything else happened to it",
        ),
        (
            job.window.from < job.window.until,
            "its window does not end before it begins",
        ),
        (
            job.checkpoint <= steps(job),
            "no more steps are done than there are",
        ),
        (
            holds_the_latest_number(job),
            "its holder's number is the latest one",
        ),
        (
            access_fits(job),
            "leave to enter is verified by its holder only",
        ),
        (
            !job.phase.is_over() || job.access.is_none(),
            "leave to enter ends with it",
        ),
    ];
    for (holds, claim) in claims {
        if !holds {
            return Err(claim);
        }
    }
    job.phase
        .engaged()
        .map_or(Ok(()), |engaged| check_engaged(job, engaged))
}

fn check_engaged(job: &Job, engaged: &Engaged) -> Result<(), &'static str> {
    let claims = [
        (
            !is_inside(engaged) || job.is_access_verified(),
            "nothing is executed without leave to enter that is verified under its number",
        ),
        (
            !is_stopped_for_leave(engaged.halt) || !job.is_access_verified(),
            "a stop ends the leave to enter that was verified",
        ),
        (
            !matches!(engaged.work, Work::Verifying { .. })
                || (job.checkpoint == steps(job) && job.access.is_none()),
            "work that is looked at is done, and its leave used up",
        ),
        (
            !engaged.is_held || !engaged.is_active(),
            "a robot that somebody holds was told to stop",
        ),
        (
            !engaged.is_taken_back
                || (engaged.may_be_working()
                    && engaged.verdict.is_some_and(|verdict| !verdict.is_granted)),
            "only a yes was taken back, from a robot that may not know it yet",
        ),
        (
            help_fits(engaged),
            "only a question that somebody took up is answered, by an option that it has",
        ),
        (
            !is_due_before(engaged, job.requested_at),
            "nothing was due before it was asked for",
        ),
    ];
    claims
        .into_iter()
        .find(|(holds, _)| !holds)
        .map_or(Ok(()), |(_, claim)| Err(claim))
}

fn steps(job: &Job) -> u32 {
    u32::try_from(job.plan.steps.len()).unwrap_or(u32::MAX)
}

fn holds_the_latest_number(job: &Job) -> bool {
    match &job.phase {
        Phase::Requested => job.epoch == 0 && job.checkpoint == 0,
        Phase::Dispatching { .. } | Phase::Reserved { .. } | Phase::Engaged(_) => job
            .holder()
            .is_none_or(|holder| holder.epoch == job.epoch && holder.epoch > 0),
        Phase::Completed { reservation } => {
            job.checkpoint == steps(job) && reservation.epoch == job.epoch
        }
        Phase::Aborted { reservation } => reservation.epoch == job.epoch,
        Phase::Cancelled { reservation } => {
            reservation.is_none_or(|reservation| reservation.epoch == job.epoch)
        }
    }
}

fn access_fits(job: &Job) -> bool {
    let Some(Access {
        verified_under: Some(epoch),
        ..
    }) = job.access
    else {
        return true;
    };
    job.phase
        .engaged()
        .is_some_and(|engaged| engaged.reservation.epoch == epoch)
}

/// Whether the robot works behind the requester's door.
const fn is_inside(engaged: &Engaged) -> bool {
    engaged.is_active() && engaged.work.needs_access()
}

const fn is_stopped_for_leave(halt: Halt) -> bool {
    matches!(
        halt,
        Halt::Stopping {
            then: StopsFor::Paused | StopsFor::Cancelled,
            ..
        }
    )
}

fn help_fits(engaged: &Engaged) -> bool {
    engaged.help.is_none_or(|help| {
        help.option.is_none_or(|option| {
            option < help.options
                && match help.stage {
                    HelpStage::Started(_) | HelpStage::Over => true,
                    HelpStage::Called | HelpStage::Claimed(_) => false,
                }
        })
    })
}

fn is_due_before(engaged: &Engaged, moment: UnixMicros) -> bool {
    let due = match &engaged.work {
        Work::AwaitingApproval(question) => Some(question.answer_by),
        Work::Verifying { accept_by } => Some(*accept_by),
        Work::Travelling | Work::AtSite | Work::Executing => None,
    };
    due.is_some_and(|due| due < moment)
}
