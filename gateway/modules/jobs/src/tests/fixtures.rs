//! Jobs that were led by their events to where a test wants them.

use protocol::{
    AccessId, ApprovalId, AssistId, JobId, PersonId, RobotId, UnixMicros,
    assist::{AssistEnding, AssistQuestion, AssistReason},
    job::{
        AccessPlan, HeartbeatPolicy, IncidentDecision, IncidentKind, JobEvent, JobRequest, Window,
    },
};
use uuid::Uuid;

use crate::{
    Actor, Decision, Inapplicable, Job, Refusal, apply_all, check_invariants, decide, template,
    walk::filled_in,
};

pub(super) const T0: UnixMicros = UnixMicros(1_800_000_000_000_000);
pub(super) const SECOND: i64 = 1_000_000;
pub(super) const HOUR: i64 = 3_600 * SECOND;

pub(super) const ANNA: PersonId = PersonId(Uuid::from_u128(21));
pub(super) const REQUESTER: Actor = Actor::Requester(ANNA);
pub(super) const OPERATOR: Actor = Actor::Operator(PersonId(Uuid::from_u128(22)));
pub(super) const OTHER_OPERATOR: Actor = Actor::Operator(PersonId(Uuid::from_u128(23)));
pub(super) const ADMIN: Actor = Actor::Admin(PersonId(Uuid::from_u128(24)));
pub(super) const JUNIPER: RobotId = RobotId(Uuid::from_u128(31));
pub(super) const ROWAN: RobotId = RobotId(Uuid::from_u128(32));
pub(super) const ROBOT: Actor = Actor::Robot(JUNIPER);

pub(super) const CALL: AssistId = AssistId(Uuid::from_u128(51));
pub(super) const QUESTION: ApprovalId = ApprovalId(Uuid::from_u128(61));

pub(super) const fn leave(number: u128) -> AccessId {
    AccessId(Uuid::from_u128(40 + number))
}

pub(super) fn request() -> JobRequest {
    let reset_room = &template::all()[0];
    filled_in(reset_room, JobId(Uuid::from_u128(1)), T0)
}

pub(super) fn requested(request: &JobRequest) -> JobEvent {
    JobEvent::Requested {
        request: request.clone(),
        plan: template::plan(request).unwrap(),
        requester: ANNA,
    }
}

/// A job and the moment that it is there.
#[derive(Debug, Clone)]
pub(super) struct Story {
    pub(super) job: Job,
    pub(super) now: UnixMicros,
}

impl Story {
    /// A job that was asked for.
    pub(super) fn begin() -> Self {
        let request = request();
        let event = requested(&request);
        let decided = decide(None, &event, REQUESTER, T0);
        assert_eq!(decided, Ok(Decision::Apply(vec![event.clone()])));
        let job = apply_all(None, &[event], REQUESTER, T0).unwrap();
        Self { job, now: T0 }
    }

    pub(super) fn epoch(&self) -> u64 {
        self.job.holder().unwrap().epoch
    }

    pub(super) fn decide(&self, event: &JobEvent, actor: Actor) -> Result<Decision, Refusal> {
        decide(Some(&self.job), event, actor, self.now)
    }

    /// Lets an event happen that may.
    #[track_caller]
    pub(super) fn and(mut self, event: &JobEvent, actor: Actor) -> Self {
        let events = match self.decide(event, actor) {
            Ok(Decision::Apply(events)) => events,
            other => panic!("{event:?} by {actor:?}: {other:?} in {:?}", self.job),
        };
        self.job = apply_all(Some(self.job), &events, actor, self.now).unwrap();
        check_invariants(&self.job).unwrap();
        self
    }

    #[track_caller]
    pub(super) fn refuses(&self, event: &JobEvent, actor: Actor, why: Refusal) {
        assert_eq!(self.decide(event, actor), Err(why), "{:?}", self.job);
    }

    #[track_caller]
    pub(super) fn only_records(&self, event: &JobEvent, actor: Actor, why: Inapplicable) {
        let decided = self.decide(event, actor);
        assert_eq!(decided, Ok(Decision::RecordOnly(why)), "{:?}", self.job);
    }

    pub(super) fn later(mut self, micros: i64) -> Self {
        self.now = self.now.plus(micros);
        self
    }

    pub(super) fn offered(self) -> Self {
        self.and(&JobEvent::Assigned { robot: JUNIPER }, OPERATOR)
    }

    pub(super) fn reserved(self) -> Self {
        let story = self.offered();
        let epoch = story.epoch();
        story.and(&JobEvent::ReservationConfirmed { epoch }, ROBOT)
    }

    pub(super) fn travelling(self) -> Self {
        let story = self.reserved();
        let epoch = story.epoch();
        story.and(&JobEvent::Departed { epoch }, ROBOT)
    }

    pub(super) fn at_site(self) -> Self {
        let story = self.travelling();
        let epoch = story.epoch();
        story.and(&JobEvent::Arrived { epoch }, ROBOT)
    }

    pub(super) fn granted(self, number: u128) -> Self {
        let plan = AccessPlan {
            access: leave(number),
            place: "Room 3 and corridor B".to_owned(),
            window: Window {
                from: self.now,
                until: self.now.plus(HOUR),
            },
            secret: Some("vault://doors/3".to_owned()),
        };
        self.and(&JobEvent::AccessGranted { plan }, REQUESTER)
    }

    pub(super) fn verified(self, number: u128) -> Self {
        let access = leave(number);
        let epoch = self.epoch();
        self.and(&JobEvent::AccessVerified { epoch, access }, ROBOT)
    }

    pub(super) fn let_in(self) -> Self {
        self.at_site().granted(1).verified(1)
    }

    pub(super) fn executing(self) -> Self {
        let story = self.let_in();
        let epoch = story.epoch();
        story.and(&JobEvent::ExecutionStarted { epoch }, ROBOT)
    }

    pub(super) fn step_done(self) -> Self {
        let event = checkpoint(self.epoch(), self.job.checkpoint + 1);
        self.and(&event, ROBOT)
    }

    pub(super) fn all_done(mut self) -> Self {
        for _ in 0..self.job.plan.steps.len() {
            self = self.step_done();
        }
        self
    }

    pub(super) fn finished(self) -> Self {
        let story = self.all_done();
        let epoch = story.epoch();
        story.and(&JobEvent::WorkFinished { epoch }, ROBOT)
    }

    pub(super) fn asking(self) -> Self {
        let event = question(self.epoch());
        self.and(&event, ROBOT)
    }

    pub(super) fn calling(self) -> Self {
        let event = call(Some(self.epoch()));
        self.and(&event, ROBOT)
    }

    pub(super) fn claimed(self) -> Self {
        self.and(&JobEvent::AssistClaimed { assist: CALL }, OPERATOR)
    }

    pub(super) fn helped(self) -> Self {
        self.claimed()
            .and(&JobEvent::AssistStarted { assist: CALL }, OPERATOR)
    }

    pub(super) fn stalled(self) -> Self {
        let event = missed(self.now);
        self.and(&event, Actor::Cloud)
    }

    pub(super) fn stopping(self) -> Self {
        self.and(&JobEvent::Paused {}, OPERATOR)
    }

    pub(super) fn cancelling(self) -> Self {
        self.and(&JobEvent::Cancelled {}, OPERATOR)
    }

    pub(super) fn in_trouble(self) -> Self {
        self.and(&trouble(None), OPERATOR)
    }

    pub(super) fn stands(self) -> Self {
        let epoch = self.epoch();
        self.and(&JobEvent::SafeStateReached { epoch }, ROBOT)
    }

    pub(super) fn paused(self) -> Self {
        self.stopping().stands()
    }

    pub(super) fn incident(self) -> Self {
        self.in_trouble().stands()
    }

    /// Told to stop, and silent until somebody must go and look.
    pub(super) fn silent(self) -> Self {
        self.stopping().later(10 * SECOND).and(
            &JobEvent::IncidentRaised {
                incident: IncidentKind::StopUnconfirmed,
                epoch: None,
            },
            Actor::Cloud,
        )
    }

    pub(super) fn accepted(self) -> Self {
        self.and(&JobEvent::WorkAccepted {}, REQUESTER)
    }

    pub(super) fn aborted(self) -> Self {
        let decision = IncidentDecision::Abort;
        self.and(&JobEvent::IncidentDecided { decision }, ADMIN)
    }
}

pub(super) const fn checkpoint(epoch: u64, number: u32) -> JobEvent {
    JobEvent::CheckpointDone {
        epoch,
        number,
        left_out: false,
        evidence: Vec::new(),
    }
}

pub(super) fn question(epoch: u64) -> JobEvent {
    JobEvent::ApprovalRequested {
        epoch,
        approval: QUESTION,
        words: "May the robot open the drawer?".to_owned(),
        answer_within_s: 300,
    }
}

pub(super) fn call(epoch: Option<u64>) -> JobEvent {
    JobEvent::AssistRequested {
        assist: CALL,
        epoch,
        question: AssistQuestion {
            reason: AssistReason::Unsure,
            words: "How should I hold the mug?".to_owned(),
            options: vec!["By the handle".to_owned(), "Leave it".to_owned()],
            camera: "head".to_owned(),
        },
    }
}

pub(super) const fn ended() -> JobEvent {
    JobEvent::AssistEnded {
        assist: CALL,
        ending: AssistEnding::Resolved,
    }
}

pub(super) const fn missed(now: UnixMicros) -> JobEvent {
    JobEvent::HeartbeatMissed {
        policy: HeartbeatPolicy {
            beat_ms: 1_000,
            missed_beats: 3,
        },
        last_heard: now.plus(-3 * SECOND),
    }
}

pub(super) const fn trouble(epoch: Option<u64>) -> JobEvent {
    JobEvent::IncidentRaised {
        incident: IncidentKind::PropertyDamage,
        epoch,
    }
}

pub(super) const fn resume() -> JobEvent {
    JobEvent::IncidentDecided {
        decision: IncidentDecision::Resume,
    }
}
