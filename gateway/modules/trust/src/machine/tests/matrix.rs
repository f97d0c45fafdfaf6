//! The table in `docs/case-machine.md`, made from the rules: whoever changes a rule changes what people read.

use std::fmt::Write as _;

use super::*;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/case-machine.md");

fn cell(before: Option<Case>, event: &CaseEvent, actor: Actor) -> String {
    match decide(before.as_ref(), event, actor) {
        Ok(()) => apply(before, event, T0).map_or_else(
            || "**nothing**".to_owned(),
            |after| format!("**→ {}**", after.phase.word()),
        ),
        Err(Refusal::RoleNotAllowed) => "·".to_owned(),
        Err(refusal) => refusal.code().to_owned(),
    }
}

fn document() -> String {
    let mut text = format!(
        "# Who may move a case, from where to where\n\n\
         Made from the rules in `gateway/modules/trust` by a test; `UPDATE_DOCS=1 cargo nextest run -p trust` makes it anew.\n\n\
         One table per event. A row is the phase that the case is in (– before there is one), a column is who proposes the event. An\n\
         arrow says that it may happen and where it leads; a word is the frozen code of the refusal, and a dot stands for the most\n\
         common one, role_not_allowed. \"The same person\" is the requester in another of their roles: nobody judges a complaint of\n\
         their own. An operator rules up to severity {OPERATOR_RULES_UP_TO}, as triaged; beyond that it takes an admin.\n"
    );
    for (name, event, severity) in proposals() {
        let heads = ACTORS.map(|(role, _)| role).join(" | ");
        write!(text, "\n## {name}\n\n| phase | {heads} |\n").unwrap();
        writeln!(text, "|{}", " --- |".repeat(ACTORS.len() + 1)).unwrap();
        for phase in phases() {
            let cells = ACTORS.map(|(_, actor)| cell(at(phase, severity), &event, actor));
            let phase = phase.map_or("–", CasePhase::word);
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
