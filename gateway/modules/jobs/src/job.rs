//! A job as it stands after the events so far. What may happen to it is in `decide`, what that changes in `apply`.

use protocol::{
    ApprovalId, AssistId, PersonId, RobotId, UnixMicros,
    job::{AccessPlan, ApprovalVerdict, JobRequest, Plan, Window},
};
use serde::{Deserialize, Serialize};

mod standing;

/// A job and where it stands. A fold of its events: the same events make the same job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Who asked for it.
    pub requester: PersonId,
    /// What they asked for; its window is the first one.
    pub request: JobRequest,
    /// What follows from that.
    pub plan: Plan,
    /// When it is to be done, after all rescheduling.
    pub window: Window,
    /// Where it stands.
    pub phase: Phase,
    /// The fencing number. Rises when a robot is offered the job and when a reservation ends.
    pub epoch: u64,
    /// Leave to enter that is in force.
    pub access: Option<Access>,
    /// Steps done, by whichever robot.
    pub checkpoint: u32,
    /// When it was asked for.
    pub requested_at: UnixMicros,
    /// When anything last happened to it.
    pub updated_at: UnixMicros,
    /// Count of events applied.
    pub version: u64,
}

/// Leave to enter, and whether the robot found the way in open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Where and when.
    pub plan: AccessPlan,
    /// The reservation under which a robot verified it.
    pub verified_under: Option<u64>,
}

/// Which robot, and under which fencing number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Reservation {
    /// Which robot.
    pub robot: RobotId,
    /// Under which number it acts.
    pub epoch: u64,
}

/// A reservation that the robot has not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Offer {
    /// What is offered to whom.
    pub reservation: Reservation,
    /// From this moment on it is too late.
    pub acknowledge_by: UnixMicros,
}

/// Where a job stands, with what belongs to that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Phase {
    /// Asked for; no robot yet.
    Requested,
    /// A robot is being found.
    Dispatching {
        /// The robot that was asked and has not answered.
        offer: Option<Offer>,
    },
    /// A robot took it on and has not set out.
    Reserved {
        /// Which.
        reservation: Reservation,
    },
    /// A robot is at it.
    Engaged(Engaged),
    /// Done.
    Completed {
        /// Who did it.
        reservation: Reservation,
    },
    /// Ended by a decision after an incident.
    Aborted {
        /// Who had it.
        reservation: Reservation,
    },
    /// Called off.
    Cancelled {
        /// Who had it or was asked, if anybody.
        reservation: Option<Reservation>,
    },
}

/// A robot is at it: what it does, who helps, and what keeps it from going on. The three change independently, so that a
/// robot that stalls, stops or is helped returns to exactly what it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engaged {
    /// Which robot.
    pub reservation: Reservation,
    /// What it does.
    pub work: Work,
    /// What keeps it from going on.
    pub halt: Halt,
    /// Whether it was paused by somebody else than the requester: then no leave of theirs alone lets it go on.
    #[serde(default)]
    pub is_held: bool,
    /// What the requester said to the robot's latest question.
    pub verdict: Option<ApprovalVerdict>,
    /// Whether that was a yes that they took back from a robot that has not stood since: it may not know yet.
    #[serde(default)]
    pub is_taken_back: bool,
    /// The latest call for a person's help.
    pub help: Option<Help>,
}

/// What a robot that set out does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Work {
    /// It is on its way.
    Travelling,
    /// It waits to be let in.
    AtSite,
    /// It works through the plan.
    Executing,
    /// It waits for the requester's word.
    AwaitingApproval(Question),
    /// Every step is done; the requester looks at it.
    Verifying {
        /// No word by then means that they are content.
        accept_by: UnixMicros,
    },
}

/// What the robot asked the requester.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Which question.
    pub approval: ApprovalId,
    /// In words.
    pub words: String,
    /// No answer by then means no.
    pub answer_by: UnixMicros,
}

/// What keeps a robot from going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Halt {
    /// Nothing.
    None,
    /// Nothing is heard of it.
    Stalled,
    /// It was told to stop and has not said yet that it stands.
    Stopping {
        /// Where that leads to.
        then: StopsFor,
        /// Silence from then on is an incident, never a stop.
        report_by: UnixMicros,
    },
    /// It stands, the job is kept.
    Paused,
    /// Something went wrong; a person decides.
    Incident {
        /// Whether the robot said that it stands.
        stop_confirmed: bool,
    },
}

/// What a robot is stopped for, the graver the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopsFor {
    /// To keep the job.
    Paused,
    /// To call it off.
    Cancelled,
    /// For a person's decision.
    Incident,
}

/// A call for a person's help, as far as the job is concerned. Who is called and how soon is in `assist`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Help {
    /// Which call.
    pub assist: AssistId,
    /// Who called.
    pub caller: Caller,
    /// How many options the question has.
    pub options: u32,
    /// The one that was chosen.
    pub option: Option<u32>,
    /// How far it is.
    pub stage: HelpStage,
}

/// Who calls for help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Caller {
    /// The robot itself.
    Robot,
    /// The cloud, for a robot of which nothing is heard.
    Cloud,
}

/// How far a call for help is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HelpStage {
    /// Nobody took it yet.
    Called,
    /// This operator took it.
    Claimed(PersonId),
    /// This operator is helping.
    Started(PersonId),
    /// The robot is on its own again.
    Over,
}
