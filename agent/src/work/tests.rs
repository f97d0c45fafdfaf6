//! Claims about the executor: what it says and does, branch by branch, against a driver and a gateway in a few lines.

use protocol::{
    AccessId, ApprovalId, AssistId,
    assist::{AssistQuestion, AssistReason},
    job::{
        AccessFailure, AccessPlan, ApprovalVerdict, AssistVerdict, Plan, PlanStep, StepAction,
        Window,
    },
};

use super::*;
use crate::driver::Workplace;

mod held_back;
mod restarts;
mod steps;
mod tour;

const JOB: JobId = JobId(Uuid::from_u128(0x10));
const OTHER: JobId = JobId(Uuid::from_u128(0x11));
const ACCESS: AccessId = AccessId(Uuid::from_u128(0x20));
/// When leave to enter ends.
const CLOSES: UnixMicros = UnixMicros(1_000_000_000);
const BEAT: Duration = Duration::from_millis(100);

fn pose(x_m: f64) -> Pose {
    Pose {
        x_m,
        y_m: 0.0,
        heading_rad: 0.0,
    }
}

const fn work(seconds: u32) -> StepAction {
    StepAction::Work { seconds }
}

fn unsure(seconds: u32) -> StepAction {
    StepAction::UnsureWork {
        seconds,
        question: AssistQuestion {
            reason: AssistReason::Unsure,
            words: "How should I hold the mug?".to_owned(),
            options: vec!["By the handle".to_owned()],
            camera: "head".to_owned(),
        },
    }
}

fn approved(seconds: u32) -> StepAction {
    StepAction::ApprovedWork {
        seconds,
        words: "May the robot open the drawer?".to_owned(),
        answer_within_s: 60,
    }
}

fn assignment(directive: Directive, steps: Vec<StepAction>) -> Assignment {
    let step = |action| PlanStep {
        title: "A step".to_owned(),
        action,
    };
    Assignment {
        job: JOB,
        epoch: 1,
        plan: Plan {
            title: "Reset Room 3".to_owned(),
            place: "Room 3".to_owned(),
            steps: steps.into_iter().map(step).collect(),
        },
        checkpoint: 0,
        access: None,
        approval: None,
        assist: None,
        directive,
    }
}

fn access(access: AccessId) -> AccessPlan {
    AccessPlan {
        access,
        place: "Room 3".to_owned(),
        window: Window {
            from: UnixMicros(0),
            until: CLOSES,
        },
        secret: None,
    }
}

fn ground() -> Ground {
    Ground {
        workplace: Some(Workplace {
            door: pose(5.0),
            spots: vec![pose(6.0), pose(7.0)],
        }),
        other_places: vec!["Room 4".to_owned()],
        can_navigate: true,
        camera: Some("head".to_owned()),
    }
}

/// What the robot did, in short.
#[derive(Debug, Clone, PartialEq)]
enum Did {
    Drove(f64),
    Stood,
    Said(JobEvent),
    Photographed,
}

/// The executor, a driver that arrives at once, a disk that takes everything, and what the gateway says.
struct Bench {
    work: Work,
    assignment: Assignment,
    ground: Ground,
    did: Vec<Did>,
    /// What became of drives.
    drives: Result<(), AbandonReason>,
    now: UnixMicros,
    battery_percent: f64,
    fresh: u128,
    number: u64,
    held_up_to: u64,
    is_steered: bool,
}

impl Bench {
    fn new(assignment: Assignment) -> Self {
        Self::after(None, assignment)
    }

    fn after(remembered: Option<Said>, assignment: Assignment) -> Self {
        let mut bench = Self {
            work: Work::new(remembered, 1),
            assignment,
            ground: ground(),
            did: Vec::new(),
            drives: Ok(()),
            now: UnixMicros(1_000_000),
            battery_percent: 80.0,
            fresh: 0x1000,
            number: 100,
            held_up_to: 0,
            is_steered: false,
        };
        bench.tell();
        bench
    }

    /// At the place and let in, with these steps before it.
    fn at_work(steps: Vec<StepAction>) -> Self {
        let mut assignment = assignment(Directive::Proceed, steps);
        assignment.access = Some(access(ACCESS));
        let said = Said {
            is_confirmed: true,
            is_departed: true,
            is_arrived: true,
            verified: Some(ACCESS),
            is_started: true,
            ..Said::nothing(JOB, 1)
        };
        Self::after(Some(said), assignment)
    }

    fn tell(&mut self) {
        let told = Told::Job(Arc::new(self.assignment.clone()));
        let ground = self.ground.clone();
        self.work.hear(&told, self.held_up_to, |_| ground);
    }

    fn change(&mut self, change: impl FnOnce(&mut Assignment)) {
        change(&mut self.assignment);
        self.tell();
    }

    fn direct(&mut self, directive: Directive) {
        self.change(|assignment| assignment.directive = directive);
    }

    /// One turn, and whatever comes of it at once. Gives what was begun, so that a test may end it otherwise.
    fn beat(&mut self) -> Option<Act> {
        self.fresh += 1;
        self.now = self.now.plus(100_000);
        let act = self.work.turn(&Moment {
            now: self.now,
            elapsed: BEAT,
            fresh: Uuid::from_u128(self.fresh),
            battery_percent: self.battery_percent,
            health: Health::Ok,
            is_steered: self.is_steered,
        })?;
        match &act {
            Act::Drive { target, .. } => self.did.push(Did::Drove(target.x_m)),
            Act::Stand { .. } => self.did.push(Did::Stood),
            Act::Say { event, .. } => self.did.push(Did::Said(event.clone())),
            Act::Photograph { .. } => self.did.push(Did::Photographed),
        }
        Some(act)
    }

    fn end(&mut self, act: &Act) {
        match act {
            Act::Drive { command, .. } => {
                self.work.ended(*command, self.drives);
            }
            Act::Stand { command } => {
                self.work.ended(*command, Ok(()));
            }
            Act::Say { .. } => {
                self.number += 1;
                self.work.written(self.number);
            }
            Act::Photograph { evidence, .. } => {
                let hash = EvidenceHash {
                    evidence: *evidence,
                    media_type: "image/jpeg".to_owned(),
                    salted_sha256: [7; 32],
                };
                self.work.photographed(*evidence, Some(hash));
            }
        }
    }

    /// Goes on for a while, everything ending at once. Gives what the robot did in that time.
    fn run(&mut self, seconds: u32) -> Vec<Did> {
        self.did.clear();
        for _ in 0..seconds * 10 {
            if let Some(act) = self.beat() {
                self.end(&act);
            }
        }
        std::mem::take(&mut self.did)
    }

    /// Until the robot does something that is left running.
    fn begin(&mut self) -> Act {
        for _ in 0..600 {
            if let Some(act) = self.beat() {
                return act;
            }
        }
        panic!("nothing was begun");
    }

    /// What the robot said in the next seconds.
    fn says(&mut self, seconds: u32) -> Vec<JobEvent> {
        let said = |did| match did {
            Did::Said(event) => Some(event),
            Did::Drove(_) | Did::Stood | Did::Photographed => None,
        };
        self.run(seconds).into_iter().filter_map(said).collect()
    }

    fn kinds(&mut self, seconds: u32) -> Vec<&'static str> {
        self.says(seconds).iter().map(JobEvent::kind).collect()
    }
}

fn checkpoint(number: u32, left_out: bool) -> JobEvent {
    JobEvent::CheckpointDone {
        epoch: 1,
        number,
        left_out,
        evidence: Vec::new(),
    }
}
