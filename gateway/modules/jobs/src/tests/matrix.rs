//! Every cell of state × event × actor, written to `docs/job-machine.md` and compared with it.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use protocol::{
    PersonId,
    job::{IncidentDecision, IncidentKind, JobEvent, PhaseName},
};
use uuid::Uuid;

use super::fixtures::{OPERATOR, QUESTION, REQUESTER, Story, T0, call};
use crate::{
    Actor, ActorKind, Decision, Job, Refusal, apply_all, decide, movers,
    moves::{actor, sample},
};

const DOCUMENT: &str = "../../../docs/job-machine.md";

/// A shape that a job can have, and a job of that shape.
struct Shape {
    name: String,
    story: Story,
}

fn shape(name: &str, story: Story) -> Shape {
    Shape {
        name: name.to_owned(),
        story,
    }
}

fn works() -> Vec<Shape> {
    vec![
        shape("Travelling", Story::begin().travelling()),
        shape("AtSite", Story::begin().at_site().granted(1)),
        shape("AtSite, let in", Story::begin().let_in()),
        shape("Executing", Story::begin().executing()),
        shape("Executing, all done", Story::begin().executing().all_done()),
        shape("AwaitingApproval", Story::begin().executing().asking()),
        shape("Verifying", Story::begin().executing().finished()),
    ]
}

/// A name and the way into it.
type Halt = (&'static str, fn(Story) -> Story);

fn halts() -> [Halt; 7] {
    [
        ("Stalled", Story::stalled),
        ("Stopping for Paused", Story::stopping),
        ("Stopping for Cancelled", Story::cancelling),
        ("Stopping for Incident", Story::in_trouble),
        ("Paused", Story::paused),
        ("Incident, not standing", Story::silent),
        ("Incident, standing", Story::incident),
    ]
}

fn shapes() -> Vec<Shape> {
    let mut all = vec![
        shape("Requested", Story::begin()),
        shape("Requested, leave granted", Story::begin().granted(1)),
        shape("Dispatching, free", {
            let story = Story::begin().reserved();
            let epoch = story.epoch();
            story.and(&JobEvent::RobotLost { epoch }, Actor::Cloud)
        }),
        shape("Dispatching, offered", Story::begin().offered()),
        shape("Reserved", Story::begin().reserved()),
    ];
    let going = works();
    for (halt, into) in halts() {
        // Whoever finished was let go: nobody is told to stop, and nobody is silent about it.
        let is_there = |work: &&Shape| {
            work.name != "Verifying" || matches!(halt, "Stalled" | "Paused" | "Incident, standing")
        };
        all.extend(going.iter().filter(is_there).map(|work| {
            let name = format!("{halt} / {}", work.name);
            shape(&name, into(work.story.clone()))
        }));
    }
    let yes = JobEvent::ApprovalGranted { approval: QUESTION };
    let allowed = Story::begin().executing().asking().and(&yes, REQUESTER);
    let stalled = Story::begin().executing().stalled();
    all.extend(going);
    all.extend([
        shape("Executing, allowed", allowed),
        shape("Executing, calling", Story::begin().executing().calling()),
        shape("Executing, call taken", {
            Story::begin().executing().calling().claimed()
        }),
        shape("Assisted / Executing", {
            Story::begin().executing().calling().helped()
        }),
        shape("Paused / Assisted", {
            Story::begin().executing().calling().helped().paused()
        }),
        shape("Stalled, called for", {
            stalled.and(&call(None), Actor::Cloud)
        }),
        shape("Paused by an operator / Travelling, leave granted", {
            let pause = JobEvent::Paused {};
            let travelling = Story::begin().travelling();
            travelling.and(&pause, OPERATOR).stands().granted(2)
        }),
        shape("Paused / Executing, leave granted", {
            Story::begin().executing().paused().granted(2)
        }),
        shape(
            "Completed",
            Story::begin().executing().finished().accepted(),
        ),
        shape("Aborted", Story::begin().executing().incident().aborted()),
        shape("Cancelled", Story::begin().reserved().cancelling()),
    ]);
    all
}

/// The event's name, and which of its kinds it is where that matters.
fn title(event: &JobEvent) -> String {
    let which = match event {
        JobEvent::ReservationForfeited {
            reason: protocol::job::ForfeitReason::NotAcknowledged,
            ..
        } => " (not acknowledged in time)",
        JobEvent::IncidentRaised {
            incident: IncidentKind::StopUnconfirmed,
            ..
        } => " (no report of a stop)",
        JobEvent::IncidentRaised { epoch: Some(_), .. }
        | JobEvent::AssistRequested { epoch: Some(_), .. } => " (under a reservation)",
        JobEvent::IncidentDecided { decision } => match decision {
            IncidentDecision::Resume => " (resume)",
            IncidentDecision::Abort => " (abort)",
        },
        _ => "",
    };
    format!("{}{which}", event.kind())
}

/// What becomes of it: `→ Phase`, `stays`, `recorded: code` or the refusal's code.
fn outcome(shape: &Shape, event: &JobEvent, by: Actor, at: protocol::UnixMicros) -> String {
    let job = &shape.story.job;
    match decide(Some(job), event, by, at) {
        Ok(Decision::Apply(events)) => {
            let after = apply_all(Some(job.clone()), &events, by, at).unwrap();
            let also = events
                .get(1)
                .map_or(String::new(), |also| format!(", with `{}`", also.kind()));
            format!("{}{also}", change(job, &after))
        }
        Ok(Decision::RecordOnly(why)) => format!("recorded only: `{}`", why.code()),
        Err(refusal) => format!("`{}`", refusal.code()),
    }
}

fn change(before: &Job, after: &Job) -> String {
    let stops_for = after
        .stops_for()
        .map_or(String::new(), |phase| format!(" for {}", phase.label()));
    if (before.phase_name(), before.stops_for()) == (after.phase_name(), after.stops_for()) {
        let below = (before.interrupted(), after.interrupted());
        return match below {
            (Some(earlier), Some(below)) if earlier != below => {
                format!("**stays**, below → {}", below.label())
            }
            _ => "**stays**".to_owned(),
        };
    }
    format!("**→ {}{stops_for}**", after.phase_name().label())
}

/// The document, and how many cells were asked for.
fn document() -> (String, usize) {
    let shapes = shapes();
    let mut text = String::from(HEAD);
    overview(&mut text, &shapes);
    text.push_str(EVENTS);
    let mut cells = 0;
    let count = sample::proposals(&shapes[0].story.job, sample::UNUSED, T0).len();
    let mut seen: Vec<String> = Vec::new();
    for place in 0..count {
        let proposals: Vec<_> = shapes
            .iter()
            .map(|shape| {
                let (job, now) = (&shape.story.job, shape.story.now);
                sample::proposals(job, sample::UNUSED, now).swap_remove(place)
            })
            .collect();
        let name = title(&proposals[0].0);
        // The clock's own proposals come last, each at its time.
        let name = if seen.contains(&name) {
            format!("{name} (in its time)")
        } else {
            name
        };
        seen.push(name.clone());
        let allowed = movers(&proposals[0].0);
        let mut rows: Vec<(Vec<String>, Vec<&str>)> = Vec::new();
        for (shape, (event, at)) in shapes.iter().zip(&proposals) {
            for kind in ActorKind::ALL {
                cells += 1;
                if !allowed.contains(&kind) {
                    forbidden(shape, event, kind);
                }
            }
            let outcomes: Vec<String> = allowed
                .iter()
                .map(|kind| outcome(shape, event, actor(&shape.story.job, *kind), *at))
                .collect();
            match rows.iter_mut().find(|(known, _)| *known == outcomes) {
                Some((_, names)) => names.push(&shape.name),
                None => rows.push((outcomes, vec![&shape.name])),
            }
        }
        section(&mut text, &name, allowed, rows);
    }
    (text, cells)
}

/// A role that may never do this may do it nowhere; a requester may do nothing to another's job.
fn forbidden(shape: &Shape, event: &JobEvent, kind: ActorKind) {
    let (job, now) = (&shape.story.job, shape.story.now);
    let decided = decide(Some(job), event, actor(job, kind), now);
    assert_eq!(decided, Err(Refusal::RoleNotAllowed), "{event:?} {kind:?}");
    let stranger = Actor::Requester(PersonId(Uuid::nil()));
    let decided = decide(Some(job), event, stranger, now);
    assert!(
        matches!(decided, Err(Refusal::RoleNotAllowed | Refusal::NotYourJob)),
        "{event:?}"
    );
}

/// Where it happens first, the most frequent way of not happening last and as "elsewhere".
fn section(
    text: &mut String,
    name: &str,
    allowed: &[ActorKind],
    mut rows: Vec<(Vec<String>, Vec<&str>)>,
) {
    let happens = |outcomes: &[String]| outcomes.iter().any(|outcome| outcome.contains("**"));
    rows.sort_by_key(|(outcomes, names)| (!happens(outcomes), names.len()));
    let actors: Vec<_> = allowed.iter().map(|kind| kind.word()).collect();
    writeln!(text, "\n### `{name}`\n").unwrap();
    writeln!(text, "| in | {} |", actors.join(" | ")).unwrap();
    writeln!(text, "| --- |{}", " --- |".repeat(actors.len())).unwrap();
    let last = rows.len() - 1;
    for (place, (outcomes, names)) in rows.into_iter().enumerate() {
        let names = if place == last && place > 0 {
            "elsewhere".to_owned()
        } else {
            names.join("; ")
        };
        writeln!(text, "| {names} | {} |", outcomes.join(" | ")).unwrap();
    }
}

/// Rows are phases, columns are actors, cells are what they may do there and where it leads.
fn overview(text: &mut String, shapes: &[Shape]) {
    let mut cells: BTreeMap<(PhaseName, ActorKind), Vec<String>> = BTreeMap::new();
    for shape in shapes {
        let job = &shape.story.job;
        for found in crate::moves(job, shape.story.now) {
            let to = found
                .to
                .map_or(String::new(), |to| format!(" → {}", to.label()));
            let words = format!("{}{to}", found.kind);
            for kind in found.actors {
                let cell = cells.entry((job.phase_name(), kind)).or_default();
                if !cell.contains(&words) {
                    cell.push(words.clone());
                }
            }
        }
    }
    let actors: Vec<_> = ActorKind::ALL.iter().map(|kind| kind.word()).collect();
    writeln!(text, "| phase | {} |", actors.join(" | ")).unwrap();
    writeln!(text, "| --- |{}", " --- |".repeat(actors.len())).unwrap();
    for phase in PhaseName::ALL {
        let row: Vec<String> = ActorKind::ALL
            .into_iter()
            .map(|kind| {
                let mut cell = cells.remove(&(phase, kind)).unwrap_or_default();
                cell.sort();
                cell.join("<br>")
            })
            .collect();
        writeln!(text, "| **{}** | {} |", phase.label(), row.join(" | ")).unwrap();
    }
}

#[test]
fn the_document_says_what_the_machine_does_in_every_cell() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    let (text, cells) = document();
    assert!(cells > 15_000, "only {cells} cells");
    #[expect(
        clippy::disallowed_methods,
        reason = "a person asks for the document to be written"
    )]
    let is_asked_for = std::env::var("UPDATE_DOCS").is_ok();
    if is_asked_for {
        std::fs::write(&path, &text).unwrap();
    }

    let written = std::fs::read_to_string(&path).unwrap_or_default();

    let first = text
        .lines()
        .zip(written.lines())
        .position(|(now, then)| now != then);
    assert!(
        text == written,
        "docs/job-machine.md is not what the machine does (first in line {:?}); look at the rules, and write it anew with \
         `UPDATE_DOCS=1 cargo nextest run -p jobs the_document_says`",
        first.map(|line| line + 1)
    );
}

const HEAD: &str = "\
# The job machine

Made from the rules in `gateway/modules/jobs` and compared with them by a test; write it anew with
`UPDATE_DOCS=1 cargo nextest run -p jobs the_document_says`.

People, robots and the cloud propose events. What a robot says is recorded in any case; where it does not fit it moves nothing
(*recorded only*, with the reason). What people and the cloud propose is refused where it does not fit, with the code that
the API gives. `Stalled / Executing` reads: stalled while executing, and back to that. *In its time* and *in time* mean: at the
deadline. Every proposal is as its actor would make it; what else can be wrong with one (an old number, another's id, bounds) is in
the tests of the rules.

## Who may do what where

";

const EVENTS: &str = "
## Every event in every shape of a job

A column for each actor that may ever propose the event; everybody else gets `role_not_allowed` everywhere, and a requester
`not_your_job` on a job of somebody else's. *Elsewhere* are all shapes that are not named in the table.
";
