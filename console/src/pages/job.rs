//! One job: what it is, the machine that it is in, and its signed record, checked in this browser.

use std::{collections::BTreeMap, sync::Arc};

use leptos::{prelude::*, task::spawn_local};
use protocol::{
    JobId, PersonId,
    views::{JobView, Problem},
};

use super::{
    evidence::PhotographsHere,
    helping::Doing,
    job_side::{CasePanels, CasesHere, DeedsHere, PlanPanel, Ways},
    not_found::NoSuchJob,
    reading::{ReadState, Reading, bundle_path},
};
use crate::{
    api, board,
    grade::Tone,
    job_words,
    live::{engine::Live, reduce::Input},
    machine::{self, LaneStep},
    panels::{
        machine::{LaneFace, Machine, StepFace},
        record::{LineFace, RecordTable, VerdictFace},
    },
    parts::{
        badge::{self, Badge},
        icon::{Glyph, icon, large},
    },
    record::{self, Line, Proofs, Record, Signer, Worth},
    session::Session,
    words,
};

/// The page of a job.
#[component]
pub(crate) fn JobPage(id: JobId) -> impl IntoView {
    document().set_title("Job · Nooterra");
    let live = expect_context::<Live>();
    let job = Memo::new(move |_| live.read(|model| model.jobs.get(id).cloned()));
    let problem = RwSignal::new(None::<Problem>);
    let load = move || {
        spawn_local(async move {
            match api::get::<JobView>(&format!("/api/v1/jobs/{id}")).await {
                Ok(view) => {
                    live.tell(Input::Jobs(vec![view]));
                    // The page may be gone by now.
                    let _told = problem.try_set(None);
                }
                Err(told) => {
                    let _told = problem.try_set(Some(told));
                }
            }
        });
    };
    let snapshots = Memo::new(move |_| live.read(|model| model.snapshots));
    Effect::new(move |_| {
        // What happened while the connection was lost, the socket doesn't tell.
        snapshots.get();
        load();
    });
    // What is known of the job stays on screen whatever becomes of asking again.
    let standing = Memo::new(move |_| {
        let is_there = job.with(Option::is_some);
        (is_there, problem.get().filter(|_| !is_there))
    });
    move || match standing.get() {
        (true, _) => view! { <Known id job live /> }.into_any(),
        (false, Some(problem)) if problem.status == 404 => view! { <NoSuchJob /> }.into_any(),
        (false, Some(problem)) => failed(problem, load).into_any(),
        (false, None) => view! {
            <div class="board__loading" aria-busy="true" aria-label="Loading the job">
                {(0..4).map(|_| view! { <span class="skeleton"></span> }).collect_view()}
            </div>
        }
        .into_any(),
    }
}

fn failed(problem: Problem, again: impl Fn() + 'static) -> impl IntoView {
    view! {
        <div class="empty empty--page" role="alert">
            {large(Glyph::Octagon)} <b>"The job did not load"</b>
            <p class="soft">{problem.detail} " Robots go on, and live work is not affected."</p>
            <div class="line">
                <button class="button" on:click=move |_| again()>
                    "Try again"
                </button>
                <code>{problem.code}</code>
            </div>
        </div>
    }
}

#[component]
fn Known(id: JobId, job: Memo<Option<Arc<JobView>>>, live: Live) -> impl IntoView {
    let reading = Reading::new(id);
    let version = Memo::new(move |_| job.with(|job| job.as_ref().map(|job| job.version)));
    Effect::new(move |_| {
        version.get();
        reading.refresh();
    });
    Effect::new(move |_| {
        job.with(|job| {
            if let Some(job) = job {
                document().set_title(&format!("{} {} · Nooterra", job.number, job.plan.title));
            }
        });
    });
    // As on the live page, the safety bar and Space are about the robot on screen.
    let robot = Memo::new(move |_| {
        job.with(|job| {
            let job = job.as_ref().filter(|job| !job.phase.is_over())?;
            job.robot
        })
    });
    Effect::new(move |_| {
        if let Some(robot) = robot.get() {
            live.tell(Input::Select(Some(robot)));
        }
    });
    let doing = Doing::new(live);
    let cases = CasesHere::new(live, job);
    let steps_done =
        Memo::new(move |_| job.with(|job| job.as_ref().map_or(0, |job| job.checkpoint)));
    let lanes = Memo::new(move |_| {
        let own = job.with(|job| {
            let job = job.as_ref()?;
            let steps = reading
                .record
                .with(|record| machine::lane(job, &record.history));
            Some(LaneFace {
                name: "Job".to_owned(),
                steps: steps.iter().map(step_face).collect(),
            })
        });
        own.into_iter().chain(cases.lanes()).collect::<Vec<_>>()
    });
    view! {
        <div class="job">
            <div class="job__main">
                <Head id job />
                <Machine lanes />
                <Events job reading />
            </div>
            <div class="job__side">
                <DeedsHere id job reading doing />
                <CasePanels cases />
                <PhotographsHere id steps_done />
                <Ways job reading />
                <PlanPanel job />
            </div>
        </div>
    }
}

fn step_face(step: &LaneStep) -> StepFace {
    let arms = step.arms.iter().map(|(phase, count)| match count {
        1 => phase.label().to_owned(),
        count => format!("{} ×{count}", phase.label()),
    });
    StepFace {
        word: step.phase.label(),
        glyph: badge::glyph_of_phase(step.phase),
        class: match board::tone(step.phase) {
            Tone::Calm => "flow__is",
            Tone::Ok => "flow__is flow__is--ok",
            Tone::Caution => "flow__is flow__is--caution",
            Tone::Alarm => "flow__is flow__is--alarm",
        },
        standing: step.standing,
        arms: arms.collect::<Vec<_>>().join(", "),
    }
}

#[component]
fn Head(id: JobId, job: Memo<Option<Arc<JobView>>>) -> impl IntoView {
    let session = expect_context::<Session>();
    let text = move |pick: fn(&JobView) -> String| {
        move || job.with(|job| job.as_deref().map(pick).unwrap_or_default())
    };
    let phase = Memo::new(move |_| job.with(|job| job.as_ref().map(|job| job.phase)));
    let calls =
        Memo::new(move |_| job.with(|job| job.as_deref().is_some_and(board::calls_for_help)));
    let is_mine = Memo::new(move |_| {
        let requester = job.with(|job| job.as_ref().map(|job| job.requester));
        requester.is_some() && requester == session.person()
    });
    let robot = move || {
        job.with(|job| {
            let job = job.as_ref()?;
            let name = job.robot_name.clone()?;
            let robot = job.robot?;
            Some(view! {
                <span>
                    "Robot "
                    <a href=format!("/robots/{robot}")>
                        <b>{name}</b>
                    </a>
                </span>
            })
        })
    };
    let operator = move || {
        let name = job.with(|job| job.as_ref()?.operator_name.clone());
        name.map(|name| view! { <span>"Operator " <b>{name}</b></span> })
    };
    view! {
        <div class="job__head">
            <h1>{text(|job| job.plan.title.clone())}</h1>
            <span class="number faint">{text(|job| job.number.clone())}</span>
            {move || phase.get().map(|phase| view! { <Badge face=badge::of_phase(phase) /> })}
            {move || calls.get().then(badge::needs_help)}
            <span class="grow"></span>
            <Show when=move || is_mine.get()>
                <a href=format!("/request/{id}") class="button">
                    {icon(Glyph::Person)}
                    "Your page of it"
                </a>
            </Show>
            <a href=bundle_path(id) download class="button">
                {icon(Glyph::Save)}
                "Download bundle"
            </a>
        </div>
        <p class="job__facts soft line--small">
            <span>"Requester " <b>{text(|job| job.requester_name.clone())}</b></span>
            {robot}
            {operator}
            <span>"Site " <b>{text(|job| job.site_name.clone())}</b></span>
            <span class="number">{text(|job| words::window(job.window))} " UTC"</span>
        </p>
    }
}

#[component]
fn Events(job: Memo<Option<Arc<JobView>>>, reading: Reading) -> impl IntoView {
    let session = expect_context::<Session>();
    let lines = Memo::new(move |_| {
        let mut people = reading.people.get();
        people.extend(session.name());
        job.with(|job| {
            let Some(job) = job else { return Vec::new() };
            reading.proofs.with(|proofs| {
                reading.record.with(|record| {
                    let face = |line| line_face(line, job, record, proofs, &people);
                    record.lines.iter().map(face).collect()
                })
            })
        })
    });
    let verdict = Memo::new(move |_| {
        reading.state.with(|state| {
            reading.proofs.with(|proofs| {
                reading
                    .record
                    .with(|record| verdict_face(state, record, proofs))
            })
        })
    });
    view! { <RecordTable lines verdict /> }
}

fn line_face(
    line: &Line,
    job: &JobView,
    record: &Record,
    proofs: &Proofs,
    people: &BTreeMap<PersonId, String>,
) -> LineFace {
    let (worth, tone) = match record::worth(line, proofs) {
        Worth::Signed => ("Signed".to_owned(), Tone::Calm),
        Worth::Included => ("Signed, included".to_owned(), Tone::Ok),
        Worth::Bad(fault) => (fault, Tone::Alarm),
    };
    let leaf = proofs.leaves.get(&line.number);
    let leaf = leaf.map_or_else(|| "Not in the bundle yet".to_owned(), ToString::to_string);
    LineFace {
        number: line.number,
        time: words::clock_ms(line.recorded_at),
        kind: line.event.kind(),
        words: job_words::event(&line.event, job, &record.options),
        glyph: match line.signer {
            Signer::Cloud | Signer::CloudFor(..) => Glyph::Cloud,
            Signer::Person(_) => Glyph::Person,
            Signer::Robot => Glyph::Robot,
        },
        signer: record::signer_words(line, proofs, job, people),
        hash: words::short_hash(&line.hash),
        worth,
        tone,
        details: vec![
            ("Signer", format!("ed25519 {}", line.key)),
            ("Leaf", leaf),
            ("Previous", hex::encode(line.previous)),
            ("Hash", hex::encode(line.hash)),
        ],
    }
}

fn verdict_face(state: &ReadState, record: &Record, proofs: &Proofs) -> VerdictFace {
    let tally = record::tally(record, proofs);
    let face = |tone, words: String, aside: String| VerdictFace { words, tone, aside };
    let tree = proofs
        .tree_size
        .map(|size| format!("Checkpoint {size}, keys as this gateway names them"))
        .unwrap_or_default();
    if let Some(fault) = proofs.whole.clone() {
        return face(Tone::Alarm, "The bundle does not hold".to_owned(), fault);
    }
    if tally.bad > 0 {
        let words = format!("{} of {} do not hold", tally.bad, tally.all);
        return face(Tone::Alarm, words, tree);
    }
    match state {
        ReadState::Failed(problem) => face(
            Tone::Caution,
            "Events did not load".to_owned(),
            format!("{} ({})", problem.detail, problem.code),
        ),
        ReadState::Unproved(problem) => face(
            Tone::Caution,
            format!("{} of {} signed by the gateway", tally.signed, tally.all),
            format!("No proofs: {} ({})", problem.detail, problem.code),
        ),
        ReadState::Reading if tally.all == 0 => {
            face(Tone::Calm, "Reading".to_owned(), String::new())
        }
        _ if tally.included == tally.all && tally.all > 0 => face(
            Tone::Ok,
            format!("{0} of {0} verified in this browser", tally.all),
            tree,
        ),
        ReadState::Reading | ReadState::Checking => face(
            Tone::Calm,
            format!("{} of {} verified, checking", tally.included, tally.all),
            tree,
        ),
        ReadState::Checked => face(
            Tone::Calm,
            format!("{} of {} in the log", tally.included, tally.all),
            tree,
        ),
    }
}
