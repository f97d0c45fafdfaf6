//! One well-formed proposal of every kind for a job, as its actors would make it.

use protocol::{
    AccessId, ApprovalId, AssistId, RobotId, UnixMicros,
    assist::{AssistEnding, AssistQuestion, AssistReason},
    job::{
        AccessFailure, AccessPlan, ForfeitReason, HeartbeatPolicy, IncidentDecision, IncidentKind,
        JobEvent, Window,
    },
};
use uuid::Uuid;

use crate::{
    bounds::{ACKNOWLEDGE_WITHIN_MICROS, MIN_ANSWER_S},
    deadline::{DeadlineKind, deadlines},
    job::Job,
};

const HOUR: i64 = 3_600_000_000;

/// One beat a second, three may fail.
const POLICY: HeartbeatPolicy = HeartbeatPolicy {
    beat_ms: 1_000,
    missed_beats: 3,
};

/// An id that no job has: nobody draws it.
pub(crate) const UNUSED: Uuid = Uuid::max();

/// What the ids of a job are, for whoever speaks of it.
struct Names {
    new: Uuid,
    epoch: u64,
    access: AccessId,
    question: ApprovalId,
    answered: ApprovalId,
    is_allowed: bool,
    assist: AssistId,
}

impl Names {
    fn of(job: &Job, new: Uuid) -> Self {
        let engaged = job.phase.engaged();
        Self {
            new,
            epoch: job.holder().map_or(0, |holder| holder.epoch),
            access: job
                .access
                .as_ref()
                .map_or(AccessId(UNUSED), |access| access.plan.access),
            question: job
                .question()
                .map_or(ApprovalId(UNUSED), |question| question.approval),
            answered: engaged
                .and_then(|engaged| engaged.verdict)
                .map_or(ApprovalId(UNUSED), |verdict| verdict.approval),
            is_allowed: engaged
                .and_then(|engaged| engaged.verdict)
                .is_some_and(|verdict| verdict.is_granted),
            assist: job.open_help().map_or(AssistId(UNUSED), |help| help.assist),
        }
    }
}

/// Every kind of event as it would be proposed, each with the moment: now, or when its time has come. What is new gets the
/// id `new`.
pub(crate) fn proposals(job: &Job, new: Uuid, now: UnixMicros) -> Vec<(JobEvent, UnixMicros)> {
    let names = Names::of(job, new);
    let due = |kind| {
        deadlines(job)
            .into_iter()
            .find(|(known, _)| *known == kind)
            .map_or(now, |(_, at)| at.max(now))
    };
    let robots = robots_say(job, &names);
    let people = people_say(job, &names, now);
    let cloud = cloud_says(job, &names, now);
    let clock = [
        (
            JobEvent::ReservationForfeited {
                epoch: names.epoch,
                reason: ForfeitReason::NotAcknowledged,
            },
            due(DeadlineKind::Acknowledge),
        ),
        (
            JobEvent::AccessExpired {
                access: names.access,
            },
            due(DeadlineKind::AccessExpiry),
        ),
        (
            JobEvent::ApprovalTimedOut {
                approval: names.question,
            },
            due(DeadlineKind::Approval),
        ),
        (
            JobEvent::IncidentRaised {
                incident: IncidentKind::StopUnconfirmed,
                epoch: None,
            },
            due(DeadlineKind::StopReport),
        ),
        (JobEvent::WorkAccepted {}, due(DeadlineKind::Acceptance)),
    ];
    robots
        .into_iter()
        .chain(people)
        .chain(cloud)
        .map(|event| (event, now))
        .chain(clock)
        .collect()
}

fn robots_say(job: &Job, names: &Names) -> Vec<JobEvent> {
    let (epoch, access) = (names.epoch, names.access);
    vec![
        JobEvent::ReservationConfirmed { epoch },
        JobEvent::ReservationForfeited {
            epoch,
            reason: ForfeitReason::Busy,
        },
        JobEvent::Departed { epoch },
        JobEvent::Arrived { epoch },
        JobEvent::AccessVerified { epoch, access },
        JobEvent::AccessFailed {
            epoch,
            access,
            reason: AccessFailure::DoorClosed,
        },
        JobEvent::ExecutionStarted { epoch },
        JobEvent::CheckpointDone {
            epoch,
            number: job.checkpoint + 1,
            // As an honest robot does.
            left_out: job.needs_approval() && !names.is_allowed,
            evidence: Vec::new(),
        },
        JobEvent::ApprovalRequested {
            epoch,
            approval: ApprovalId(names.new),
            words: "May I?".to_owned(),
            answer_within_s: MIN_ANSWER_S,
        },
        JobEvent::AssistRequested {
            assist: AssistId(names.new),
            epoch: Some(epoch),
            question: question(AssistReason::Unsure),
        },
        JobEvent::SafeStateReached { epoch },
        JobEvent::IncidentRaised {
            incident: IncidentKind::Other,
            epoch: Some(epoch),
        },
        JobEvent::WorkFinished { epoch },
    ]
}

fn people_say(job: &Job, names: &Names, now: UnixMicros) -> Vec<JobEvent> {
    let Names {
        new: _,
        epoch,
        access,
        question,
        answered,
        is_allowed: _,
        assist,
    } = *names;
    let hour = Window {
        from: now,
        until: now.plus(HOUR),
    };
    vec![
        JobEvent::Requested {
            request: job.request.clone(),
            plan: job.plan.clone(),
            requester: job.requester,
        },
        JobEvent::Assigned {
            robot: RobotId(names.new),
        },
        JobEvent::RobotLost { epoch },
        JobEvent::Rescheduled { window: hour },
        JobEvent::AccessGranted {
            plan: AccessPlan {
                access: AccessId(names.new),
                place: job.plan.place.clone(),
                window: hour,
                secret: None,
            },
        },
        JobEvent::AccessRevoked { access },
        JobEvent::ApprovalGranted { approval: question },
        JobEvent::ApprovalDenied { approval: question },
        JobEvent::ApprovalRevoked { approval: answered },
        JobEvent::AssistClaimed { assist },
        JobEvent::AssistStarted { assist },
        JobEvent::AssistAnswered { assist, option: 0 },
        JobEvent::AssistEnded {
            assist,
            ending: AssistEnding::Resolved,
        },
        JobEvent::Paused {},
        JobEvent::Resumed {},
        JobEvent::IncidentRaised {
            incident: IncidentKind::Other,
            epoch: None,
        },
        JobEvent::IncidentDecided {
            decision: IncidentDecision::Resume,
        },
        JobEvent::IncidentDecided {
            decision: IncidentDecision::Abort,
        },
        JobEvent::WorkAccepted {},
        JobEvent::Cancelled {},
    ]
}

fn cloud_says(job: &Job, names: &Names, now: UnixMicros) -> Vec<JobEvent> {
    let assist = names.assist;
    vec![
        JobEvent::ReservationProposed {
            robot: RobotId(names.new),
            epoch: job.epoch + 1,
            acknowledge_by: now.plus(ACKNOWLEDGE_WITHIN_MICROS),
        },
        JobEvent::AssistRequested {
            assist: AssistId(names.new),
            epoch: None,
            question: question(AssistReason::Stalled),
        },
        JobEvent::AssistOffered {
            assist,
            people: Vec::new(),
        },
        JobEvent::AssistEscalated { assist },
        JobEvent::AssistExpired { assist },
        JobEvent::HeartbeatMissed {
            policy: POLICY,
            last_heard: now.plus(-HOUR),
        },
        JobEvent::HeartbeatResumed {},
    ]
}

pub(crate) fn question(reason: AssistReason) -> AssistQuestion {
    AssistQuestion {
        reason,
        words: "What now?".to_owned(),
        options: vec!["This".to_owned(), "That".to_owned()],
        camera: "head".to_owned(),
    }
}
