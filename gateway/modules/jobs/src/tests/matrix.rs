//! Every cell of state × event × actor, written to `docs/job-machine.md` and compared with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use protocol::{
    PersonId,
    job::{IncidentDecision, IncidentKind, JobEvent, PhaseName},
};
use uuid::Uuid;

use super::fixtures::{OPERATOR, QUESTION, REQUESTER, Story, T0, call};
use crate::{
    Actor, ActorKind, Decision, Job, Refusal, apply_all, decide, movers,
    moves::{actor, sample},
    walk::{Outcome, Walk},
};

/// Enough for the rarest nesting.
const TRANSITIONS: u64 = 100_000;

/// How names begin of what a robot does while a person helps it.
const HELPED: &str = "Assisted / ";

const DOCUMENT: &str = "../../../docs/job-machine.md";

/// A shape that a job can have, and a job of that shape.
struct Shape {
    name: String,
    story: Story,
    /// False before there is a job: what is proposed then is made for the one that will be.
    is_there: bool,
}

impl Shape {
    fn job(&self) -> Option<&Job> {
        self.is_there.then_some(&self.story.job)
    }
}

fn shape(name: &str, story: Story) -> Shape {
    Shape {
        name: name.to_owned(),
        story,
        is_there: true,
    }
}

fn works() -> Vec<Shape> {
    vec![
        shape("Travelling", Story::begin().travelling()),
        shape("AtSite", Story::begin().at_site().granted(1)),
        shape("AtSite (let in)", Story::begin().let_in()),
        shape("Executing", Story::begin().executing()),
        shape(
            "Executing (all done)",
            Story::begin().executing().all_done(),
        ),
        shape("AwaitingApproval", Story::begin().executing().asking()),
        shape("Verifying", Story::begin().executing().finished()),
    ]
}

/// What a robot can do, alone or while a person helps it.
fn going() -> Vec<Shape> {
    let alone = works().into_iter();
    let helped = works().into_iter().map(|work| {
        let name = format!("{HELPED}{}", work.name);
        shape(&name, work.story.calling().helped())
    });
    alone.chain(helped).collect()
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
        ("Incident (not standing)", Story::silent),
        ("Incident (standing)", Story::incident),
    ]
}

fn halted(going: &[Shape]) -> Vec<Shape> {
    let mut all = Vec::new();
    for (halt, into) in halts() {
        // Whoever finished was let go: nobody is told to stop, and nobody is silent about it.
        let is_there = |work: &&Shape| {
            work.story.job.accept_by().is_none()
                || matches!(halt, "Stalled" | "Paused" | "Incident (standing)")
        };
        all.extend(going.iter().filter(is_there).map(|work| {
            let name = format!("{halt} / {}", work.name);
            shape(&name, into(work.story.clone()))
        }));
    }
    all
}

fn before_it_begins() -> Vec<Shape> {
    let no_job = Shape {
        is_there: false,
        ..shape("no job yet", Story::begin())
    };
    vec![
        no_job,
        shape("Requested", Story::begin()),
        shape("Requested (leave granted)", Story::begin().granted(1)),
        shape("Dispatching (free)", {
            let story = Story::begin().reserved();
            let epoch = story.epoch();
            story.and(&JobEvent::RobotLost { epoch }, Actor::Cloud)
        }),
        shape("Dispatching (offered)", Story::begin().offered()),
        shape("Reserved", Story::begin().reserved()),
    ]
}

/// What else the rules look at: answers, calls that nobody answers yet, leave that came meanwhile, and who paused.
fn particulars() -> Vec<Shape> {
    let yes = JobEvent::ApprovalGranted { approval: QUESTION };
    let allowed = Story::begin().executing().asking().and(&yes, REQUESTER);
    let stalled = Story::begin().executing().stalled();
    vec![
        shape("Executing (allowed)", allowed),
        shape("Executing (calling)", Story::begin().executing().calling()),
        shape("Executing (call taken)", {
            Story::begin().executing().calling().claimed()
        }),
        shape("Stalled (called for)", {
            stalled.and(&call(None), Actor::Cloud)
        }),
        shape("Stopping for Paused / AtSite (leave granted)", {
            Story::begin().at_site().granted(1).stopping().granted(2)
        }),
        shape("Paused by an operator / Travelling (leave granted)", {
            let pause = JobEvent::Paused {};
            let travelling = Story::begin().travelling();
            travelling.and(&pause, OPERATOR).stands().granted(2)
        }),
        shape("Paused / Executing (leave granted)", {
            Story::begin().executing().paused().granted(2)
        }),
    ]
}

fn shapes() -> Vec<Shape> {
    let mut all = before_it_begins();
    let going = going();
    let halted = halted(&going);
    all.extend(going);
    all.extend(halted);
    all.extend(particulars());
    all.extend([
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
    let job = shape.job();
    match decide(job, event, by, at) {
        Ok(Decision::Apply(events)) => {
            let after = apply_all(job.cloned(), &events, by, at).unwrap();
            let also = events
                .get(1)
                .map_or(String::new(), |also| format!(", with `{}`", also.kind()));
            let begun = || format!("**→ {}**", after.phase_name().label());
            let change = job.map_or_else(begun, |before| change(before, &after));
            format!("{change}{also}")
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
        let work = |job: &Job| job.phase.engaged().map(|engaged| engaged.work.name());
        let lowest = (work(before), work(after));
        let below = (before.interrupted(), after.interrupted());
        return match (lowest, below) {
            ((Some(earlier), Some(now)), _) | (_, (Some(earlier), Some(now))) if earlier != now => {
                format!("**stays**, below → {}", now.label())
            }
            _ => "**stays**".to_owned(),
        };
    }
    format!("**→ {}{stops_for}**", after.phase_name().label())
}

/// How phases lie over one another: the one that is shown, where a stop leads to, what is interrupted, what is done below.
type Nesting = (
    PhaseName,
    Option<PhaseName>,
    Option<PhaseName>,
    Option<PhaseName>,
);

fn nesting(job: &Job) -> Nesting {
    let work = job.phase.engaged().map(|engaged| engaged.work.name());
    (job.phase_name(), job.stops_for(), job.interrupted(), work)
}

#[test]
fn however_phases_come_to_lie_over_one_another_in_random_jobs_there_is_a_row_for_it() {
    let shapes = shapes();
    let rows: Vec<_> = shapes.iter().filter_map(Shape::job).map(nesting).collect();
    let mut walk = Walk::new(2);
    let mut found = BTreeSet::new();

    while walk.tally().transitions < TRANSITIONS {
        if let Outcome::Applied { after, .. } = walk.step().unwrap().outcome {
            found.insert(nesting(&after));
        }
    }

    let missing: Vec<_> = found.iter().filter(|one| !rows.contains(one)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(found.len() > 60, "only {}", found.len());
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
        let mut rows: Vec<Row<'_>> = Vec::new();
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
        let all: Vec<&str> = shapes.iter().map(|shape| shape.name.as_str()).collect();
        section(&mut text, &name, allowed, (rows, &all));
    }
    (text, cells)
}

/// A role that may never do this may do it nowhere; a requester may do nothing to another's job.
fn forbidden(shape: &Shape, event: &JobEvent, kind: ActorKind) {
    let (job, now) = (shape.job(), shape.story.now);
    let decided = decide(job, event, actor(&shape.story.job, kind), now);
    assert_eq!(decided, Err(Refusal::RoleNotAllowed), "{event:?} {kind:?}");
    let stranger = Actor::Requester(PersonId(Uuid::nil()));
    let decided = decide(job, event, stranger, now);
    let is_nobodys = job.is_none() && decided == Err(Refusal::JobUnknown);
    assert!(
        is_nobodys || matches!(decided, Err(Refusal::RoleNotAllowed | Refusal::NotYourJob)),
        "{event:?}"
    );
}

/// What becomes of an event, for each actor who may propose it, and in which shapes.
type Row<'a> = (Vec<String>, Vec<&'a str>);

/// Where it happens first, the most frequent way of not happening last and as "elsewhere".
fn section(
    text: &mut String,
    name: &str,
    allowed: &[ActorKind],
    (mut rows, all): (Vec<Row<'_>>, &[&str]),
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
            in_short(&names, all).join("; ")
        };
        writeln!(text, "| {names} | {} |", outcomes.join(" | ")).unwrap();
    }
}

/// The names in fewer words: those that begin alike together, as "any" where they are all that begin so, and what is done with
/// help and without in one.
fn in_short(names: &[&str], all: &[&str]) -> Vec<String> {
    let is_helped_too = |name: &str| names.contains(&format!("{HELPED}{name}").as_str());
    let mut short = Vec::new();
    let mut said: Vec<&str> = Vec::new();
    for name in names {
        match name.split_once(" / ") {
            None if is_helped_too(name) => short.push(format!("({}) {name}", HELPED.trim())),
            None => short.push((*name).to_owned()),
            Some(_) if is_helped_without(name, names) => {}
            Some((head, _)) if said.contains(&head) => {}
            Some((head, _)) => {
                said.push(head);
                let some = below(head, names, |name| !is_helped_without(name, names));
                let every = below(head, all, |_| true);
                let tails = in_short(&some, &every);
                short.push(match &tails[..] {
                    _ if some.len() == every.len() && every.len() > 1 => format!("{head} / any"),
                    [one] => format!("{head} / {one}"),
                    _ => format!("{head} / {{{}}}", tails.join(", ")),
                });
            }
        }
    }
    short
}

/// Whether it is said together with the same without help.
fn is_helped_without(name: &str, names: &[&str]) -> bool {
    name.strip_prefix(HELPED)
        .is_some_and(|alone| names.contains(&alone))
}

/// What follows after this beginning.
fn below<'a>(head: &str, names: &[&'a str], counts: impl Fn(&str) -> bool) -> Vec<&'a str> {
    let names = names.iter().filter(|name| counts(name));
    let split = names.filter_map(|name| name.split_once(" / "));
    split
        .filter(|(other, _)| *other == head)
        .map(|(_, tail)| tail)
        .collect()
}

/// Rows are phases, columns are actors, cells are what they may do there and where it leads.
fn overview(text: &mut String, shapes: &[Shape]) {
    let mut cells: BTreeMap<(PhaseName, ActorKind), Vec<String>> = BTreeMap::new();
    for job_of_shape in shapes.iter().filter(|shape| shape.is_there) {
        let (job, now) = (&job_of_shape.story.job, job_of_shape.story.now);
        for found in crate::moves(job, now) {
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
    writeln!(
        text,
        "| **no job yet** | job.requested → Requested |{}",
        "  |".repeat(5)
    )
    .unwrap();
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
    assert!(cells > 25_000, "only {cells} cells");
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
the API gives. `Stalled / Executing` reads: stalled while executing, and back to that; `Stalled / Assisted / Executing`: stalled
while somebody helped with that. `Stalled / {A, B}` stands for both, `Stalled / any` for all that there are, and `(Assisted /) A` for A
with help and without. *In its time* and *in time* mean: at the deadline. Every proposal is as its actor would make it; what else can be
wrong with one (an old number, another's id, bounds) is in the tests of the rules.

## Who may do what where

";

const EVENTS: &str = "
## Every event in every shape of a job

A column for each actor that may ever propose the event; everybody else gets `role_not_allowed` everywhere, and a requester
`not_your_job` on a job of somebody else's. *Elsewhere* are all shapes that are not named in the table.
";
