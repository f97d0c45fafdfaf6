//! One job of the requester's: who is in control, what the robot sees, how far it is, and what may be done now.

use leptos::prelude::*;
use protocol::JobId;

use super::{
    access::Access,
    cards::{Approval, Controls, More, Verdict},
    desk::Desk,
    mark::{self, ZONE},
    picture::Picture,
    summary::{Complaints, Summary},
};
use crate::{
    pages::evidence::PhotographsHere,
    parts::{
        icon::{Glyph, icon, small},
        refusal::Refusal,
        unsigned::UnsignedNotice,
    },
    request::{
        control::control,
        progress::{Progress, progress, sight},
        state::{Stage, due, robot_within, stage, state},
    },
};

/// The page of a job.
#[component]
pub(crate) fn JobPage(id: JobId) -> impl IntoView {
    let desk = Desk::new(id);
    let title = desk.part(|job| job.plan.title.clone());
    Effect::new(move |_| document().set_title(&format!("{} · Nooterra", title.get())));
    let is_known = Memo::new(move |_| desk.job.with(Option::is_some));
    move || {
        if is_known.get() {
            view! { <Known desk title /> }.into_any()
        } else {
            view! { <Unknown desk /> }.into_any()
        }
    }
}

#[component]
fn Unknown(desk: Desk) -> impl IntoView {
    view! {
        <div class="rpage rpage--job">
            <header class="rhead rhead--within">
                <Back />
                <h1>"Job"</h1>
            </header>
            {move || match desk.failed.get() {
                Some(problem) if problem.status == 404 => {
                    view! {
                        <div class="empty empty--page">
                            <b>"There is no such job of yours"</b>
                            <a href="/request" class="button">
                                "Back to my jobs"
                            </a>
                        </div>
                    }
                        .into_any()
                }
                Some(_) => view! { <Refusal problem=desk.failed /> }.into_any(),
                None => {
                    view! { <span class="skeleton" role="status" aria-label="Loading the job"></span> }
                        .into_any()
                }
            }}
        </div>
    }
}

/// The way back, where a phone has no other.
#[component]
pub(super) fn Back() -> impl IntoView {
    view! {
        <a href="/request" class="rhead__back" aria-label="Back to my jobs">
            {icon(Glyph::Back)}
        </a>
    }
}

#[component]
fn Known(desk: Desk, title: Memo<String>) -> impl IntoView {
    let shown = desk.part(sight);
    let stage = desk.part(|job| Some(stage(job.phase)));
    let is_over = Memo::new(move |_| stage.get() == Some(Stage::Receipt));
    let has_control = desk.part(|job| control(job).is_some());
    let steps_done = desk.part(|job| job.checkpoint);
    let has_view = Memo::new(move |_| stage.get() == Some(Stage::Live));
    view! {
        <div class="rpage rpage--job" class:rpage--footed=has_view>
            <Stages stage />
            <Head desk title />
            <div class="rtwo">
                <div class="rleft">
                    <Show when=move || has_control.get()>
                        <section class="panel rlive" aria-label="Who is in control">
                            <Who desk />
                            <Picture sight=shown title />
                        </section>
                    </Show>
                    <Work desk />
                    <PhotographsHere id=desk.id steps_done />
                    <Show when=move || is_over.get()>
                        <Summary desk />
                    </Show>
                </div>
                <div class="rright">
                    <Controls desk />
                    <Refusal problem=desk.refused />
                    <Approval desk />
                    <Verdict desk />
                    <Access desk />
                    <Complaints desk />
                    <More desk />
                    <UnsignedNotice />
                </div>
            </div>
        </div>
    }
}

#[component]
fn Stages(stage: Memo<Option<Stage>>) -> impl IntoView {
    let item = move |each: Stage| {
        let is_done = move || stage.get().is_some_and(|stage| each < stage);
        let is_now = move || stage.get() == Some(each);
        view! {
            <li class:is-done=is_done aria-current=move || is_now().then_some("step")>
                {move || {
                    icon(
                        match (is_done(), is_now()) {
                            (true, _) => Glyph::CircleCheck,
                            (false, true) => Glyph::HalfDisc,
                            (false, false) => Glyph::Ring,
                        },
                    )
                }} {each.word()}
            </li>
        }
    };
    view! {
        <ol class="rstages" aria-label="Steps of a job">
            {Stage::ALL.map(item).collect_view()}
        </ol>
    }
}

#[component]
fn Head(desk: Desk, title: Memo<String>) -> impl IntoView {
    let number = desk.part(|job| job.number.clone());
    let told = desk.part(|job| Some(state(job)));
    let due = Memo::new(move |_| {
        let now = desk.now();
        desk.job
            .with(|job| job.as_deref().map(|job| due(job, ZONE, now)))
            .unwrap_or_default()
    });
    view! {
        <header class="rhead rhead--within">
            <Back />
            <h1>{title}</h1>
            <span class="faint number rhead__number">{number}</span>
            {move || told.get().map(|told| mark::state(&told))}
            <span class="grow"></span>
            <span class="soft rhead__due">
                {move || due.get().0} " " <time>
                    <b>{move || due.get().1}</b>
                </time>
            </span>
        </header>
        <p class="hidden" role="status" data-testid="job-state">
            {move || told.get().map(|told| told.words)}
        </p>
    }
}

#[component]
fn Who(desk: Desk) -> impl IntoView {
    let told = desk.part(control);
    let badge = desk.part(|job| Some(state(job)));
    move || {
        told.get().map(|told| {
            view! {
                <div class=format!("rwho rwho--{}", told.mood.class())>
                    {icon(mark::glyph(told.mark))}
                    <p class="grow">
                        <b>{told.headline}</b>
                        <br />
                        <span class="rsmall">{told.rest}</span>
                    </p>
                    <span class="rhide-wide">
                        {move || badge.get().map(|badge| mark::state(&badge))}
                    </span>
                </div>
            }
        })
    }
}

/// What the robot is doing, step by step.
#[component]
fn Work(desk: Desk) -> impl IntoView {
    let told = desk.part(|job| {
        let did = if job.phase.is_over() { "did" } else { "does" };
        let title = format!("What {} {did}", robot_within(job));
        Some((title, progress(job)))
    });
    move || {
        told.get().map(|(title, progress)| {
            view! {
                <section class="panel rwork">
                    <header>
                        <h2>{title}</h2>
                        <span class="grow"></span>
                        <span class="rsmall soft number">{progress.words()}</span>
                    </header>
                    {steps(&progress)}
                </section>
            }
        })
    }
}

fn steps(progress: &Progress) -> impl IntoView + use<> {
    let segment = |place: usize| {
        let class = if place < progress.done {
            "is-done"
        } else if place == progress.done && progress.is_running {
            "is-now"
        } else {
            ""
        };
        view! { <i class=class></i> }
    };
    let label = format!("{} of {} steps done", progress.done, progress.total);
    let before = (!progress.before.is_empty()).then(|| progress.before.join(", "));
    let after =
        (!progress.after.is_empty()).then(|| format!("Then: {}", progress.after.join(", ")));
    let never =
        (!progress.never.is_empty()).then(|| format!("Not done: {}", progress.never.join(", ")));
    view! {
        <div class="rbody">
            <div class="rsteps" role="img" aria-label=label>
                {(0..progress.total).map(segment).collect_view()}
            </div>
            <p class="rwords">
                {before.map(|words| view! { <span class="soft line">{words} {small(Glyph::Check)}</span> })}
                {progress.present.clone().map(|words| view! { <b>{words}</b> })}
                {after.map(|words| view! { <span class="faint">{words}</span> })}
                {never.map(|words| view! { <span class="soft">{words}</span> })}
            </p>
        </div>
    }
}
