//! What failed, where it stands, and what follows from it. Where nothing failed: what that proves and what not.

use ledger::verify::{Failure, Report, Step, Subject, Verdict};
use leptos::{either::EitherOf3, prelude::*};

use super::checking::Checking;
use crate::{
    parts::icon::{Glyph, small},
    verdict, words,
};

#[component]
pub(super) fn Explained(checking: Checking) -> impl IntoView {
    move || {
        checking.report.with(|report| match report {
            None => EitherOf3::A(view! { <WhatIsChecked /> }),
            Some(report) => match report.first_failure() {
                Some((step, failure)) => EitherOf3::B(failed(report, step, failure)),
                None => EitherOf3::C(held(report.verdict)),
            },
        })
    }
}

/// Before the first file.
#[component]
fn WhatIsChecked() -> impl IntoView {
    view! {
        <h2>"What is checked"</h2>
        <p class="soft">
            "A bundle has every event of one job and of the complaints about it, as its actors signed them, and the proof that the log holds them."
        </p>
        <p class="soft">
            "This page checks each signature, that no event is missing, doubled or moved, that the log signed the tree they are in, and that the rules allow what happened. Words and pictures are compared with what was logged."
        </p>
        <p class="soft">
            "It can't tell whether a robot's own report was true: it tells who said it, and that nobody changed it since."
        </p>
    }
}

fn failed(report: &Report, step: &Step, failure: &Failure) -> impl IntoView + use<> {
    let number = step.name.number();
    let title = words::capitalised(&failure.fault.to_string());
    let hashes = failure.fault.hashes().map(|(expected, found)| {
        let expected_by = match &failure.subject {
            Subject::Attachment(_) if step.name == ledger::verify::StepName::Attachments => {
                "Hash in the log"
            }
            Subject::Bundle
            | Subject::Manifest
            | Subject::Checkpoint
            | Subject::Entry(_)
            | Subject::Attachment(_)
            | Subject::Item => "Hash in the manifest",
        };
        view! {
            <div>
                <h2 class="line">{small(Glyph::CircleCheck)} {expected_by}</h2>
                <pre class="verify__hex">{verdict::hash_lines(&expected)}</pre>
                <h2 class="line alarm">{small(Glyph::CircleCross)} "Hash of the bytes here"</h2>
                <pre class="verify__hex verify__hex--bad">{verdict::hash_lines(&found)}</pre>
            </div>
        }
    });
    view! {
        <div>
            <span class="badge badge--alarm">
                {small(Glyph::CircleCross)} {format!("Step {number} failed")}
            </span>
            <h1 class="verify__fault">{title}</h1>
        </div>
        {place(failure)}
        {hashes}
        <div class="panel">
            <div class="panel__body">
                <h2>"What this means"</h2>
                <p class="soft">{failure.fault.meaning()}</p>
            </div>
        </div>
        {others(report)}
    }
}

/// Where it stands.
fn place(failure: &Failure) -> impl IntoView + use<> {
    let mut rows: Vec<(&'static str, String)> = Vec::new();
    match &failure.subject {
        Subject::Entry(name) => {
            rows.push(("Entry", format!("{} of the bundle, from 0", name.index)));
            if let Some(place) = &name.place {
                rows.push(("Stream", place.stream.clone()));
                rows.push(("Number", place.stream_number.to_string()));
                rows.push(("Leaf", place.leaf_index.to_string()));
                rows.extend(place.kind.map(|kind| ("Event", kind.to_owned())));
            }
        }
        Subject::Attachment(name) => rows.push(("Attachment", name.to_string())),
        Subject::Bundle | Subject::Manifest | Subject::Checkpoint | Subject::Item => {
            rows.push(("Where", failure.subject.to_string()));
        }
    }
    rows.extend(
        failure
            .item
            .map(|item| ("Item", format!("{item} of the file, from 0"))),
    );
    let rows = rows.into_iter().map(|(label, value)| {
        view! {
            <dt>{label}</dt>
            <dd class="number">{value}</dd>
        }
    });
    view! { <dl class="verify__place">{rows.collect::<Vec<_>>()}</dl> }
}

/// Every other failure, step by step.
fn others(report: &Report) -> Option<impl IntoView + use<>> {
    let failures = report.steps.iter().flat_map(|step| &step.failures);
    let words: Vec<String> = failures.skip(1).map(verdict::sentence).collect();
    let all: usize = report.steps.iter().map(|step| step.failed).sum();
    (!words.is_empty()).then(|| {
        let unnamed = all.saturating_sub(words.len() + 1);
        let rest =
            (unnamed > 0).then(|| view! { <li class="faint">{format!("and {unnamed} more")}</li> });
        let rows = words.into_iter().map(|words| view! { <li>{words}</li> });
        view! {
            <details class="verify__others">
                <summary>{more(all - 1)}</summary>
                <ul>{rows.collect::<Vec<_>>()} {rest}</ul>
            </details>
        }
    })
}

fn more(failures: usize) -> String {
    if failures == 1 {
        "One more failure".to_owned()
    } else {
        format!("{failures} more failures")
    }
}

fn held(verdict: Verdict) -> impl IntoView {
    let words = if verdict == Verdict::Intact {
        "Nobody changed, removed, added or moved an event since the log signed it, unless they hold the gateway's and the log's keys. \
         A log without an independent witness could still show others another history: step 6 compares a checkpoint that you kept, or got from somebody else."
    } else {
        "Everything in the bundle fits together. Whoever made the whole bundle could have made it all up, though: only keys that you \
         have from elsewhere tell that it comes from your gateway."
    };
    view! {
        <div class="panel">
            <div class="panel__body">
                <h2>"What this means"</h2>
                <p class="soft">{words}</p>
            </div>
        </div>
    }
}
