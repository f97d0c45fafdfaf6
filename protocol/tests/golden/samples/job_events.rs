//! What can happen to a job.

use std::collections::BTreeMap;

use protocol::{
    AccessId, ApprovalId, AssistId, SiteId,
    assist::{AssistEnding, AssistQuestion, AssistReason},
    job::{
        AccessFailure, AccessPlan, ForfeitReason, HeartbeatPolicy, IncidentDecision, IncidentKind,
        JobEvent, JobRequest, ParameterValue, Plan, PlanStep, StepAction, TemplateName, Window,
    },
};

use super::{
    NOW, PERSON, ROBOT, id, one_of_each,
    payloads::{JOB, file},
};

const ACCESS: AccessId = AccessId(id(0x51));
const APPROVAL: ApprovalId = ApprovalId(id(0x61));
const ASSIST: AssistId = AssistId(id(0x71));
const EPOCH: u64 = 2;

/// One of each kind.
pub(crate) fn one_of_each_kind() -> impl Iterator<Item = JobEvent> {
    let (robot, epoch, access, approval, assist) = (ROBOT, EPOCH, ACCESS, APPROVAL, ASSIST);
    let words = "May the robot open the drawer?".to_owned();
    let policy = HeartbeatPolicy {
        beat_ms: 1_000,
        missed_beats: 5,
    };
    let each = one_of_each![JobEvent:
        Requested { request: request(), plan: plan(), requester: PERSON },
        Assigned { robot },
        ReservationProposed { robot, epoch, acknowledge_by: NOW.plus(30_000_000) },
        ReservationConfirmed { epoch },
        ReservationForfeited { epoch, reason: ForfeitReason::Busy },
        RobotLost { epoch },
        Rescheduled { window: window() },
        Departed { epoch },
        Arrived { epoch },
        AccessGranted { plan: leave(Some("vault://doors/3".to_owned())) },
        AccessVerified { epoch, access },
        AccessFailed { epoch, access, reason: AccessFailure::DoorClosed },
        AccessRevoked { access },
        AccessExpired { access },
        ExecutionStarted { epoch },
        CheckpointDone { epoch, number: 2, left_out: true, evidence: vec![file()] },
        ApprovalRequested { epoch, approval, words, answer_within_s: 120 },
        ApprovalGranted { approval },
        ApprovalDenied { approval },
        ApprovalTimedOut { approval },
        ApprovalRevoked { approval },
        AssistRequested { assist, epoch: Some(epoch), question: question() },
        AssistOffered { assist, people: vec![PERSON] },
        AssistClaimed { assist },
        AssistStarted { assist },
        AssistAnswered { assist, option: 1 },
        AssistEnded { assist, ending: AssistEnding::Resolved },
        AssistEscalated { assist },
        AssistExpired { assist },
        HeartbeatMissed { policy, last_heard: NOW },
        HeartbeatResumed {},
        Paused {},
        SafeStateReached { epoch },
        Resumed {},
        IncidentRaised { incident: IncidentKind::RobotStuck, epoch: Some(epoch) },
        IncidentDecided { decision: IncidentDecision::Abort },
        WorkFinished { epoch },
        WorkAccepted {},
        Cancelled {},
    ];
    each.into_iter()
}

/// The same kinds without what may be absent.
pub(crate) fn other_forms() -> impl Iterator<Item = (&'static str, JobEvent)> {
    let (epoch, assist) = (EPOCH, ASSIST);
    let question = AssistQuestion {
        options: Vec::new(),
        camera: String::new(),
        ..question()
    };
    let evidence = Vec::new();
    let incident = IncidentKind::Other;
    let bare = JobEvent::Requested {
        request: JobRequest {
            parameters: BTreeMap::new(),
            operator_cover: false,
            ..request()
        },
        plan: Plan {
            steps: Vec::new(),
            ..plan()
        },
        requester: PERSON,
    };
    [
        ("without a step", bare),
        (
            "without a lock",
            JobEvent::AccessGranted { plan: leave(None) },
        ),
        (
            "without evidence",
            JobEvent::CheckpointDone {
                epoch,
                number: 1,
                left_out: false,
                evidence,
            },
        ),
        (
            "by the cloud",
            JobEvent::AssistRequested {
                assist,
                epoch: None,
                question,
            },
        ),
        (
            "to everybody",
            JobEvent::AssistOffered {
                assist,
                people: Vec::new(),
            },
        ),
        (
            "by a person",
            JobEvent::IncidentRaised {
                incident,
                epoch: None,
            },
        ),
    ]
    .into_iter()
}

fn window() -> Window {
    Window {
        from: NOW,
        until: NOW.plus(1_800_000_000),
    }
}

/// With a value of every type.
fn request() -> JobRequest {
    let values = one_of_each![ParameterValue:
        Flag (true),
        Number (-25),
        Text ("Room 3".to_owned()),
    ];
    let names = ["bedside_first", "glasses", "room"].map(str::to_owned);
    JobRequest {
        job: JOB,
        site: SiteId(id(0xb)),
        template: TemplateName {
            name: "reset_room".to_owned(),
            version: 1,
        },
        parameters: names.into_iter().zip(values).collect(),
        window: window(),
        operator_cover: true,
    }
}

/// With a step of every type.
fn plan() -> Plan {
    let actions = one_of_each![StepAction:
        Work { seconds: 8 },
        UnsureWork { seconds: 6, question: question() },
        ApprovedWork { seconds: 5, words: "May the robot open the drawer?".to_owned(), answer_within_s: 120 },
        Photograph {},
    ];
    let steps = actions.map(|action| PlanStep {
        title: "Do the next thing".to_owned(),
        action,
    });
    Plan {
        title: "Reset Room 3".to_owned(),
        place: "Room 3".to_owned(),
        steps: steps.into(),
    }
}

fn leave(secret: Option<String>) -> AccessPlan {
    AccessPlan {
        access: ACCESS,
        place: "Room 3 and corridor B".to_owned(),
        window: window(),
        secret,
    }
}

fn question() -> AssistQuestion {
    AssistQuestion {
        reason: AssistReason::Unsure,
        words: "How should I hold the mug?".to_owned(),
        options: vec!["By the handle".to_owned(), "Around the body".to_owned()],
        camera: "head".to_owned(),
    }
}
