//! The table in `docs/control-machine.md`, made from the rules: whoever changes a rule changes what people read.

use std::fmt::Write as _;

use super::*;

const PATH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../docs/control-machine.md"
);

/// Late enough that who steers is gone, and early enough that who asks is not.
const LATE: UnixMicros = T0.plus(CONTROL_LASTS_US);

const ACTORS: [(&str, ControlActor); 7] = [
    ("who steers", ControlActor::Operator(MIRA)),
    ("their other page", ControlActor::Operator(MIRA_AGAIN)),
    ("who asks", ControlActor::Operator(TOBI)),
    ("another operator", ControlActor::Operator(LENA)),
    ("a supervisor", ControlActor::Supervisor(LENA)),
    ("cloud", ControlActor::Cloud),
    ("anybody else", ControlActor::Other),
];

fn states() -> [(&'static str, Control); 3] {
    [
        ("nobody steers", free()),
        ("somebody steers", held()),
        ("and another asks", wanted()),
    ]
}

fn proposals() -> [(&'static str, ControlEvent); 9] {
    [
        ("control.claimed", ControlEvent::Claimed {}),
        ("control.requested", asked()),
        ("control.withdrawn", ControlEvent::Withdrawn {}),
        (
            "control.declined",
            ControlEvent::Declined {
                to: TOBI.person,
                words: String::new(),
            },
        ),
        ("control.handed_over", handed_to(TOBI)),
        ("control.taken_over", taken_over()),
        ("control.released", ControlEvent::Released {}),
        (
            "control.granted",
            ControlEvent::Granted {
                epoch: 2,
                person: LENA.person,
                key: None,
            },
        ),
        (
            "control.ended",
            ControlEvent::Ended {
                epoch: 1,
                cause: ControlEnding::Absent,
            },
        ),
    ]
}

fn named(control: &Control, actor: ControlActor) -> &'static str {
    let proposer = seat_of(actor);
    match steers(control) {
        None => "nobody",
        Some(holder) if Some(holder) == proposer => "they steer",
        Some(holder) if holder == TOBI => "who asks steers",
        Some(_) => "as before",
    }
}

fn cell(before: &Control, event: &ControlEvent, actor: ControlActor) -> String {
    match act(before, event, actor, LATE) {
        Ok(after) => {
            let epoch = after.epoch - before.epoch;
            let rises = if epoch == 0 { "" } else { ", epoch + 1" };
            let asks = match (&before.request, &after.request) {
                (None, Some(_)) => ", they ask",
                (Some(_), None) if epoch == 0 && after.holder.is_some() => ", nobody asks",
                _ => "",
            };
            format!("**→ {}{rises}{asks}**", named(&after, actor))
        }
        Err(ControlRefusal::RoleNotAllowed) => "·".to_owned(),
        Err(refusal) => refusal.code().to_owned(),
    }
}

fn document() -> String {
    let seconds = |us: i64| us / 1_000_000;
    let mut text = format!(
        "# Who may steer a robot, and how it passes on\n\n\
         Made from the rules in `gateway/modules/assist` by a test; `UPDATE_DOCS=1 cargo nextest run -p assist` makes it anew.\n\n\
         One table per event. A row is how things stand before it, a column is who proposes it. An arrow says that it may happen\n\
         and who steers then; a word is the frozen code of the refusal, and a dot stands for the most common one,\n\
         role_not_allowed. `control.granted` is only ever added by the cloud to what led to it, in the same commit.\n\n\
         Who steers is gone {lasts} s after the last sign of them, and a question is over after {asks} s. In these tables the first\n\
         clock has run out: before that the cloud's `control.ended` for absence is refused as not_due_yet.\n\n\
         Every change of hands has a new epoch. The robot keeps the highest that it heard of, on disk; an order to move under\n\
         another one is refused by the robot itself, and what the one before had set is given up. A stop needs no epoch.\n",
        lasts = seconds(CONTROL_LASTS_US),
        asks = seconds(REQUEST_LASTS_US),
    );
    for (name, event) in proposals() {
        let heads = ACTORS.map(|(who, _)| who).join(" | ");
        write!(text, "\n## {name}\n\n| before | {heads} |\n").unwrap();
        writeln!(text, "|{}", " --- |".repeat(ACTORS.len() + 1)).unwrap();
        for (name, control) in states() {
            let cells = ACTORS.map(|(_, actor)| cell(&control, &event, actor));
            writeln!(text, "| {name} | {} |", cells.join(" | ")).unwrap();
        }
    }
    text
}

#[test]
fn the_matrix_in_the_docs_is_what_the_rules_say() {
    let document = document();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PATH, &document).unwrap();
    }

    let written = std::fs::read_to_string(PATH).unwrap();

    assert_eq!(written, document, "run with UPDATE_DOCS=1");
}
