//! The templates that there are. What an answer may be is checked before it gets here.

use protocol::{
    assist::{AssistQuestion, AssistReason},
    job::{Plan, PlanStep, StepAction},
};

use super::{Answers, DefaultValue, Parameter, ParameterKind, Template};

const ROOM: Parameter = Parameter {
    name: "room",
    label: "Room",
    kind: ParameterKind::Place,
    default: None,
};

/// Five minutes: a requester looks at the phone between two other things.
const ANSWER_WITHIN_S: u32 = 300;

/// A robot's tray holds no more.
const MOST_ITEMS: i64 = 4;

pub(super) const ALL: &[Template] = &[
    Template {
        name: "reset_room",
        version: 1,
        label: "Reset a room",
        parameters: &[ROOM],
        plan: reset_room,
    },
    Template {
        name: "deliver",
        version: 1,
        label: "Deliver something",
        parameters: &[
            ROOM,
            Parameter {
                name: "item",
                label: "What",
                kind: ParameterKind::Text { max_chars: 80 },
                default: None,
            },
            Parameter {
                name: "count",
                label: "How many",
                kind: ParameterKind::Number {
                    min: 1,
                    max: MOST_ITEMS,
                },
                default: Some(DefaultValue::Number(1)),
            },
            Parameter {
                name: "spot",
                label: "Where to",
                kind: ParameterKind::Choice {
                    options: &[
                        ("table", "Bedside table"),
                        ("shelf", "Shelf by the door"),
                        ("hand", "Into somebody's hand"),
                    ],
                },
                default: Some(DefaultValue::Text("table")),
            },
        ],
        plan: deliver,
    },
    Template {
        name: "inspect_room",
        version: 1,
        label: "Inspect a room",
        parameters: &[
            ROOM,
            Parameter {
                name: "photograph",
                label: "Take a picture",
                kind: ParameterKind::Flag,
                default: Some(DefaultValue::Flag(true)),
            },
        ],
        plan: inspect_room,
    },
];

fn step(title: &str, action: StepAction) -> PlanStep {
    PlanStep {
        title: title.to_owned(),
        action,
    }
}

fn work(title: &str, seconds: u32) -> PlanStep {
    step(title, StepAction::Work { seconds })
}

fn reset_room(answers: &Answers) -> Plan {
    let room = answers.text(ROOM.name);
    let mug = AssistQuestion {
        reason: AssistReason::Unsure,
        words: "How should I hold the mug?".to_owned(),
        options: [
            "Grasp 1: by the handle",
            "Grasp 2: around the body",
            "Leave it",
        ]
        .map(str::to_owned)
        .to_vec(),
        camera: "head".to_owned(),
    };
    Plan {
        title: format!("Reset {room}"),
        place: room.to_owned(),
        steps: vec![
            work("Strip bed", 6),
            work("Wipe rail", 4),
            work("Empty bin", 4),
            step(
                "Clear bedside table",
                StepAction::UnsureWork {
                    seconds: 5,
                    question: mug,
                },
            ),
            step(
                "Open the drawer",
                StepAction::ApprovedWork {
                    seconds: 4,
                    words: format!("May the robot open the drawer of the bedside table in {room}?"),
                    answer_within_s: ANSWER_WITHIN_S,
                },
            ),
            work("Wipe table", 4),
            step("Photograph the room", StepAction::Photograph),
        ],
    }
}

fn deliver(answers: &Answers) -> Plan {
    let room = answers.text(ROOM.name);
    let (item, count) = (answers.text("item"), answers.number("count"));
    let what = if count == 1 {
        item.to_owned()
    } else {
        format!("{count} × {item}")
    };
    let put = match answers.text("spot") {
        "shelf" => "Put it on the shelf by the door",
        "hand" => "Hand it over",
        _ => "Put it on the bedside table",
    };
    Plan {
        title: format!("Deliver {what} to {room}"),
        place: room.to_owned(),
        steps: vec![
            work(&format!("Take {what} from the tray"), 4),
            work(put, 5),
            step("Photograph it", StepAction::Photograph),
        ],
    }
}

fn inspect_room(answers: &Answers) -> Plan {
    let room = answers.text(ROOM.name);
    let mut steps = vec![
        work("Look at the floor", 4),
        work("Look at the windows", 4),
        work("Look at the lights", 3),
    ];
    if answers.flag("photograph") {
        steps.push(step("Photograph the room", StepAction::Photograph));
    }
    Plan {
        title: format!("Inspect {room}"),
        place: room.to_owned(),
        steps,
    }
}
