//! The table in `docs/assist-machine.md`, made from the rules: whoever changes a rule changes what people read.

use std::fmt::Write as _;

use super::*;

const PATH: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../docs/assist-machine.md"
);

fn cell(before: Option<Call>, event: &JobEvent, actor: CallActor) -> String {
    match decide_call(before.as_ref(), event, actor, LATE) {
        Ok(()) => apply(before, event, actor, LATE).map_or_else(
            || "**nothing**".to_owned(),
            |after| format!("**→ {}**", after.phase.word()),
        ),
        Err(CallRefusal::RoleNotAllowed) => "·".to_owned(),
        Err(refusal) => refusal.code().to_owned(),
    }
}

fn document() -> String {
    let seconds = |us: i64| us / SECOND_US;
    let mut text = format!(
        "# Who may move a call for help, from where to where\n\n\
         Made from the rules in `gateway/modules/assist` by a test; `UPDATE_DOCS=1 cargo nextest run -p assist` makes it anew.\n\n\
         One table per event. A row is the phase that the call is in (– before there is one), a column is who proposes the event. An\n\
         arrow says that it may happen and where it leads; a word is the frozen code of the refusal, and a dot stands for the most\n\
         common one, role_not_allowed. The call lives in its job's stream, and the job's own rules are asked too.\n\n\
         The clocks, which have run out in these tables: {escalate} s untaken and a call rings wider, {expire} s untaken and it is over,\n\
         {start} s taken and not started and it rings again, with the full time. Before that the cloud's event is refused as not_due_yet;\n\
         only what the cloud asked for itself, and what somebody took, may expire at any time.\n",
        escalate = seconds(ESCALATE_AFTER_US),
        expire = seconds(EXPIRE_AFTER_US),
        start = seconds(START_WITHIN_US),
    );
    for (name, event) in proposals() {
        let heads = ACTORS.map(|(role, _)| role).join(" | ");
        write!(text, "\n## {name}\n\n| phase | {heads} |\n").unwrap();
        writeln!(text, "|{}", " --- |".repeat(ACTORS.len() + 1)).unwrap();
        for phase in phases() {
            let cells = ACTORS.map(|(_, actor)| cell(at(phase), &event, actor));
            let phase = phase.map_or("–", AssistPhase::word);
            writeln!(text, "| {phase} | {} |", cells.join(" | ")).unwrap();
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
