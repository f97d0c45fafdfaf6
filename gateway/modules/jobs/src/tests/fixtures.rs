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

pub(crate) const T0: UnixMicros = UnixMicros(1_800_000_000_000_000);
pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const HOUR: i64 = 3_600 * SECOND;

pub(crate) const ANNA: PersonId = PersonId(Uuid::from_u128(21));
pub(crate) const REQUESTER: Actor = Actor::Requester(ANNA);
pub(crate) const OPERATOR: Actor = Actor::Operator(PersonId(Uuid::from_u128(22)));
pub(crate) const OTHER_OPERATOR: Actor = Actor::Operator(PersonId(Uuid::from_u128(23)));
pub(crate) const ADMIN: Actor = Actor::Admin(PersonId(Uuid::from_u128(24)));
pub(crate) const JUNIPER: RobotId = RobotId(Uuid::from_u128(31));
pub(crate) const ROWAN: RobotId = RobotId(Uuid::from_u128(32));
pub(crate) const ROBOT: Actor = Actor::Robot(JUNIPER);

pub(crate) const CALL: AssistId = AssistId(Uuid::from_u128(51));
pub(crate) const QUESTION: ApprovalId = ApprovalId(Uuid::from_u128(61));

pub(crate) const fn leave(number: u128) -> AccessId {
    AccessId(Uuid::from_u128(40 + number))
}

pub(crate) fn request() -> JobRequest {
    let reset_room = &template::all()[0];
    filled_in(reset_room, JobId(Uuid::from_u128(1)), T0)
}

pub(crate) fn requested(request: &JobRequest) -> JobEvent {
    JobEvent::Requested {
        request: request.clone(),
        plan: template::plan(request).unwrap(),
        requester: ANNA,
    }
}

/// A job and the moment that it is there.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) job: Job,
    pub(crate) now: UnixMicros,
}

impl Story {
    /// A job that was asked for.
    pub(crate) fn begin() -> Self {
        let request = request();
        let event = requested(&request);
        let decided = decide(None, &event, REQUESTER, T0);
        assert_eq!(decided, Ok(Decision::Apply(vec![event.clone()])));
        let job = apply_all(None, &[event], REQUESTER, T0).unwrap();
        Self { job, now: T0 }
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.job.holder().unwrap().epoch
    }

    pub(crate) fn decide(&self, event: &JobEvent, actor: Actor) -> Result<Decision, Refusal> {
        decide(Some(&self.job), event, actor, self.now)
    }

    /// Lets an event happen that may.
    #[track_caller]
    pub(crate) fn and(mut self, event: &JobEvent, actor: Actor) -> Self {
        let events = match self.decide(event, actor) {
            Ok(Decision::Apply(events)) => events,
            other => panic!("{event:?} by {actor:?}: {other:?} in {:?}", self.job),
        };
        self.job = apply_all(Some(self.job), &events, actor, self.now).unwrap();
        check_invariants(&self.job).unwrap();
        self
    }

    #[track_caller]
    pub(crate) fn refuses(&self, event: &JobEvent, actor: Actor, why: Refusal) {
        assert_eq!(self.decide(event, actor), Err(why), "{:?}", self.job);
    }

    #[track_caller]
    pub(crate) fn only_records(&self, event: &JobEvent, actor: Actor, why: Inapplicable) {
        let decided = self.decide(event, actor);
        assert_eq!(decided, Ok(Decision::RecordOnly(why)), "{:?}", self.job);
    }

    pub(crate) fn later(mut self, micros: i64) -> Self {
        self.now = self.now.plus(micros);
        self
    }

    pub(crate) fn offered(self) -> Self {
        self.and(&JobEvent::Assigned { robot: JUNIPER }, OPERATOR)
    }

    pub(crate) fn reserved(self) -> Self {
        let story = self.offered();
        let epoch = story.epoch();
        story.and(&JobEvent::ReservationConfirmed { epoch }, ROBOT)
    }

    pub(crate) fn travelling(self) -> Self {
        let story = self.reserved();
        let epoch = story.epoch();
        story.and(&JobEvent::Departed { epoch }, ROBOT)
    }

    pub(crate) fn at_site(self) -> Self {
        let story = self.travelling();
        let epoch = story.epoch();
        story.and(&JobEvent::Arrived { epoch }, ROBOT)
    }

    pub(crate) fn granted(self, number: u128) -> Self {
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

    pub(crate) fn verified(self, number: u128) -> Self {
        let access = leave(number);
        let epoch = self.epoch();
        self.and(&JobEvent::AccessVerified { epoch, access }, ROBOT)
    }

    pub(crate) fn let_in(self) -> Self {
        self.at_site().granted(1).verified(1)
    }

    pub(crate) fn executing(self) -> Self {
        let story = self.let_in();
        let epoch = story.epoch();
        story.and(&JobEvent::ExecutionStarted { epoch }, ROBOT)
    }

    pub(crate) fn step_done(self) -> Self {
        let event = JobEvent::CheckpointDone {
            epoch: self.epoch(),
            number: self.job.checkpoint + 1,
            // Nobody allowed it.
            left_out: self.job.needs_approval(),
            evidence: Vec::new(),
        };
        self.and(&event, ROBOT)
    }

    pub(crate) fn all_done(mut self) -> Self {
        for _ in 0..self.job.plan.steps.len() {
            self = self.step_done();
        }
        self
    }

    pub(crate) fn finished(self) -> Self {
        let story = self.all_done();
        let epoch = story.epoch();
        story.and(&JobEvent::WorkFinished { epoch }, ROBOT)
    }

    pub(crate) fn asking(self) -> Self {
        let event = question(self.epoch());
        self.and(&event, ROBOT)
    }

    pub(crate) fn calling(self) -> Self {
        let event = call(Some(self.epoch()));
        self.and(&event, ROBOT)
    }

    pub(crate) fn claimed(self) -> Self {
        self.and(&JobEvent::AssistClaimed { assist: CALL }, OPERATOR)
    }

    pub(crate) fn helped(self) -> Self {
        self.claimed()
            .and(&JobEvent::AssistStarted { assist: CALL }, OPERATOR)
    }

    pub(crate) fn stalled(self) -> Self {
        let event = missed(self.now);
        self.and(&event, Actor::Cloud)
    }

    /// By its requester's wish: their new leave lets it go on.
    pub(crate) fn stopping(self) -> Self {
        self.and(&JobEvent::Paused {}, REQUESTER)
    }

    pub(crate) fn cancelling(self) -> Self {
        self.and(&JobEvent::Cancelled {}, OPERATOR)
    }

    pub(crate) fn in_trouble(self) -> Self {
        self.and(&trouble(None), OPERATOR)
    }

    pub(crate) fn stands(self) -> Self {
        if self.job.accept_by().is_some() {
            // It was let go before, and there is nothing to say.
            return self;
        }
        let epoch = self.epoch();
        self.and(&JobEvent::SafeStateReached { epoch }, ROBOT)
    }

    pub(crate) fn paused(self) -> Self {
        self.stopping().stands()
    }

    pub(crate) fn incident(self) -> Self {
        self.in_trouble().stands()
    }

    /// Told to stop, and silent until somebody must go and look.
    pub(crate) fn silent(self) -> Self {
        self.stopping().later(10 * SECOND).and(
            &JobEvent::IncidentRaised {
                incident: IncidentKind::StopUnconfirmed,
                epoch: None,
            },
            Actor::Cloud,
        )
    }

    pub(crate) fn accepted(self) -> Self {
        self.and(&JobEvent::WorkAccepted {}, REQUESTER)
    }

    pub(crate) fn aborted(self) -> Self {
        let decision = IncidentDecision::Abort;
        self.and(&JobEvent::IncidentDecided { decision }, ADMIN)
    }
}

pub(crate) const fn checkpoint(epoch: u64, number: u32) -> JobEvent {
    JobEvent::CheckpointDone {
        epoch,
        number,
        left_out: false,
        evidence: Vec::new(),
    }
}

pub(crate) fn question(epoch: u64) -> JobEvent {
    JobEvent::ApprovalRequested {
        epoch,
        approval: QUESTION,
        words: "May the robot open the drawer?".to_owned(),
        answer_within_s: 300,
    }
}

pub(crate) fn call(epoch: Option<u64>) -> JobEvent {
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

pub(crate) const fn ended() -> JobEvent {
    JobEvent::AssistEnded {
        assist: CALL,
        ending: AssistEnding::Resolved,
    }
}

pub(crate) const fn missed(now: UnixMicros) -> JobEvent {
    JobEvent::HeartbeatMissed {
        policy: HeartbeatPolicy {
            beat_ms: 1_000,
            missed_beats: 3,
        },
        last_heard: now.plus(-3 * SECOND),
    }
}

pub(crate) const fn trouble(epoch: Option<u64>) -> JobEvent {
    JobEvent::IncidentRaised {
        incident: IncidentKind::PropertyDamage,
        epoch,
    }
}

pub(crate) const fn resume() -> JobEvent {
    JobEvent::IncidentDecided {
        decision: IncidentDecision::Resume,
    }
}
