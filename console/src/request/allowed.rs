//! What a requester's page offers against the rules of jobs themselves: on random jobs, nothing is offered that they refuse.

use jobs::{
    ActorKind, Job,
    walk::{Outcome, Walk},
};
use protocol::{
    UnixMicros,
    views::{ApprovalView, JobView},
};

use super::{
    deeds::{Deeds, Pause, Press, deeds},
    fixture::{job as example, moment},
};

/// Events of a walk: every phase is entered some hundred times.
const STEPS: usize = 20_000;

/// The job as the gateway shows it.
fn view(job: &Job) -> JobView {
    JobView {
        plan: job.plan.clone(),
        interrupted: job.interrupted(),
        stops_for: job.stops_for(),
        is_held: job.is_held(),
        robot: job.robot(),
        epoch: job.epoch,
        checkpoint: job.checkpoint,
        access: job.access.as_ref().map(|access| access.plan.clone()),
        is_access_verified: job.is_access_verified(),
        approval: job.question().map(|question| ApprovalView {
            approval: question.approval,
            words: question.words.clone(),
            answer_by: moment(question.answer_by),
        }),
        allowed: job
            .phase
            .engaged()
            .and_then(|engaged| engaged.verdict)
            .filter(|verdict| verdict.is_granted)
            .map(|verdict| verdict.approval),
        assist: job.open_help().map(|help| help.assist),
        accept_by: job.accept_by().map(moment),
        ..example(job.phase_name())
    }
}

/// What is offered, each by the event that it sends.
fn offered(job: &Job, view: &JobView, deeds: &Deeds, now: UnixMicros) -> Vec<&'static str> {
    let mut kinds = Vec::new();
    let mut offer = |is_offered: bool, kind| {
        if is_offered {
            kinds.push(kind);
        }
    };
    if let Some(bar) = &deeds.bar {
        offer(bar.stop == Press::Ready, "job.paused");
        offer(bar.pause == Pause::Pause(Press::Ready), "job.paused");
        offer(bar.pause == Pause::GoOn, "access.granted");
        offer(bar.revoke == Press::Ready, "access.revoked");
    }
    offer(deeds.give_access, "access.granted");
    offer(deeds.take_access_back, "access.revoked");
    offer(deeds.cancel, "job.cancelled");
    offer(deeds.accept, "work.accepted");
    // The page says by itself when the time for an answer is over.
    let is_asked = job
        .question()
        .is_some_and(|question| now < question.answer_by);
    let can_answer = is_asked && deeds.answer == Press::Ready;
    offer(can_answer, "approval.granted");
    offer(can_answer, "approval.denied");
    offer(view.allowed.is_some(), "approval.revoked");
    kinds
}

#[test]
fn nothing_is_offered_to_a_requester_that_the_rules_refuse() {
    let mut walk = Walk::new(5);
    for _ in 0..STEPS {
        let taken = walk.step().unwrap();
        let Outcome::Applied { after, .. } = taken.outcome else {
            continue;
        };
        let moves = jobs::moves(&after, taken.at);
        let may = |kind: &str| {
            let mut ways = moves.iter();
            ways.any(|way| way.kind == kind && way.actors.contains(&ActorKind::Requester))
        };
        let view = view(&after);
        let deeds = deeds(&view);

        for kind in offered(&after, &view, &deeds, taken.at) {
            assert!(may(kind), "{kind} is offered in {:?}", after.phase);
        }
        let can_stop = deeds.bar.is_some_and(|bar| bar.stop == Press::Ready);
        assert!(
            can_stop || !may("job.paused") || after.accept_by().is_some(),
            "a robot that can be stopped has no stop in {:?}",
            after.phase
        );
    }
}
