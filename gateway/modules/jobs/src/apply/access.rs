//! What changes behind the requester's door: leave to enter, questions, the end of the work.

use protocol::{
    AccessId, ApprovalId, UnixMicros,
    job::{AccessPlan, ApprovalVerdict},
};

use super::stop;
use crate::{
    bounds::ACCEPT_WITHIN_MICROS,
    job::{Access, Engaged, Job, Question, StopsFor, Work},
};

const SECOND: i64 = 1_000_000;

pub(super) fn grant(job: &mut Job, plan: &AccessPlan) {
    job.access = Some(Access {
        plan: plan.clone(),
        verified_under: None,
    });
}

pub(super) fn verify(job: &mut Job, id: AccessId) -> Option<()> {
    let epoch = job.phase.engaged()?.reservation.epoch;
    let access = job.access.as_mut()?;
    if access.plan.access != id {
        return None;
    }
    access.verified_under = Some(epoch);
    Some(())
}

pub(super) fn end(job: &mut Job, id: AccessId) -> Option<()> {
    job.access.take_if(|access| access.plan.access == id)?;
    Some(())
}

/// The requester wants the robot out: it stops wherever it is.
pub(super) fn revoke(job: &mut Job, id: AccessId, at: UnixMicros) -> Option<()> {
    end(job, id)?;
    stop_if_active(job, at)
}

/// Time ran out: a robot that is inside stops, one that is not needs other leave when it gets there.
pub(super) fn expire(job: &mut Job, id: AccessId, at: UnixMicros) -> Option<()> {
    let is_inside = job.is_access_verified();
    end(job, id)?;
    if is_inside {
        return stop_if_active(job, at);
    }
    Some(())
}

pub(super) fn ask(
    job: &mut Job,
    approval: ApprovalId,
    words: &str,
    answer_within_s: u32,
    at: UnixMicros,
) -> Option<()> {
    let engaged = job.phase.engaged_mut()?;
    engaged.forget_verdict();
    engaged.work = Work::AwaitingApproval(Question {
        approval,
        words: words.to_owned(),
        answer_by: at.plus(i64::from(answer_within_s) * SECOND),
    });
    Some(())
}

pub(super) fn answer(job: &mut Job, approval: ApprovalId, is_granted: bool) -> Option<()> {
    let engaged = job.phase.engaged_mut()?;
    let Work::AwaitingApproval(question) = &engaged.work else {
        return None;
    };
    if question.approval != approval {
        return None;
    }
    engaged.verdict = Some(ApprovalVerdict {
        approval,
        is_granted,
    });
    engaged.work = Work::Executing;
    Some(())
}

pub(super) fn take_back(job: &mut Job, approval: ApprovalId, at: UnixMicros) -> Option<()> {
    let engaged = job.phase.engaged_mut()?;
    let verdict = engaged.verdict.as_mut()?;
    if verdict.approval != approval {
        return None;
    }
    verdict.is_granted = false;
    engaged.is_taken_back = engaged.may_be_working();
    stop_if_active(job, at)
}

/// The leave to enter is used up, and with it the yes to any question. The robot is let go: from here on nobody tells it to stop,
/// and a stop that it has not answered is answered with this.
pub(super) fn finish(job: &mut Job, at: UnixMicros) -> Option<()> {
    let engaged = job.phase.engaged_mut()?;
    engaged.forget_verdict();
    engaged.work = Work::Verifying {
        accept_by: at.plus(ACCEPT_WITHIN_MICROS),
    };
    let is_stopping = !engaged.is_active();
    job.access = None;
    if is_stopping {
        stop::reached(job)?;
    }
    Some(())
}

fn stop_if_active(job: &mut Job, at: UnixMicros) -> Option<()> {
    let is_active = job.phase.engaged().is_some_and(Engaged::is_active);
    if is_active {
        return stop::begin(job, StopsFor::Paused, at);
    }
    Some(())
}
