//! Leave to enter: what was given, and giving it.

use leptos::prelude::*;
use protocol::{
    UnixMicros,
    job::{JobEvent, PhaseName},
    views::Problem,
};

use super::{
    asked::{Asked, question as sure_question},
    desk::Desk,
    field::Field,
    mark::ZONE,
    sure::{Question, Sure},
};
use crate::{
    parts::icon::{Glyph, icon},
    request::{
        deeds::deeds,
        state::{Stage, robot, stage},
        when::{MINUTE_US, leave_until},
    },
    words,
};

/// Leave to enter: what was given, and giving it.
#[component]
pub(super) fn Access(desk: Desk) -> impl IntoView {
    let is_open = RwSignal::new(false);
    // Once there is a receipt, the robot has no business there any more.
    let is_shown = desk.part(|job| stage(job.phase) != Stage::Receipt);
    let is_at_door = desk.part(|job| job.phase == PhaseName::AtSite && job.access.is_none());
    let ungranted = Memo::new(move |_| desk.ungranted());
    let is_settled = desk.part(|job| job.access.is_some() || !deeds(job).give_access);
    Effect::new(move |_| {
        if is_settled.get() {
            desk.forget_ungranted();
        }
    });
    let is_awaited = Memo::new(move |_| is_at_door.get() || ungranted.with(Option::is_some));
    view! {
        <Show when=move || is_shown.get()>
            <section class="panel" class:rask=is_awaited aria-labelledby="access-title">
                <header>
                    <h2 id="access-title">"Access you gave"</h2>
                </header>
                {move || ungranted.get().map(not_given)}
                <Door desk is_open is_awaited />
                <Allowed desk />
                <Eyes desk />
            </section>
        </Show>
        <Leave desk is_open is_going_on=false />
    }
}

/// Until when the robot may be in the place.
#[component]
fn Door(desk: Desk, is_open: RwSignal<bool>, is_awaited: Memo<bool>) -> impl IntoView {
    let may_give = desk.part(|job| deeds(job).give_access);
    let may_take_back = desk.part(|job| deeds(job).take_access_back);
    let told = desk.part(|job| {
        let until = job.access.as_ref().map(|plan| plan.window.until);
        let place = job.access.as_ref().map(|plan| plan.place.clone());
        Some((place.unwrap_or_else(|| job.plan.place.clone()), until))
    });
    let verb = move || {
        let is_given = told.with(|told| told.as_ref().is_some_and(|(_, until)| until.is_some()));
        if is_given { "Change" } else { "Give access" }
    };
    view! {
        <div class="ract">
            {icon(Glyph::Door)} {move || told.get().map(|told| line(desk, told))}
            <span class="ract__acts">
                <Show when=move || may_take_back.get()>
                    <button class="button button--small" on:click=move |_| desk.revoke_access()>
                        "Take back"
                    </button>
                </Show>
                <Show when=move || may_give.get()>
                    <button
                        class="button button--small"
                        class:button--primary=is_awaited
                        on:click=move |_| is_open.set(true)
                    >
                        {verb}
                    </button>
                </Show>
            </span>
        </div>
    }
}

/// Who sees what the robot sees.
#[component]
fn Eyes(desk: Desk) -> impl IntoView {
    let has_cover = desk.part(|job| job.operator_cover);
    view! {
        <div class="ract">
            {icon(Glyph::Camera)}
            <span>
                "Cameras" <br />
                <span class="rhint">"Shown to you while it works for you"</span>
            </span>
        </div>
        <div class="ract">
            {icon(Glyph::Person)}
            <span>
                "Operators" <br />
                <span class="rhint">
                    {move || {
                        if has_cover.get() {
                            "Called when it needs help, and then see what it sees"
                        } else {
                            "Not called"
                        }
                    }}
                </span>
            </span>
        </div>
    }
}

/// Why access was not given with the job.
fn not_given(problem: Problem) -> impl IntoView {
    view! {
        <div class="notice notice--alarm ract__trouble" role="alert">
            {icon(Glyph::Octagon)}
            <p class="grow">
                <b>"Your job is asked for, but access was not given. "</b>
                {words::capitalised(&problem.detail)}
                " "
                <code>{problem.code}</code>
            </p>
        </div>
    }
}

/// The yes to the robot's question, which can be taken back while the robot may act on it.
#[component]
fn Allowed(desk: Desk) -> impl IntoView {
    let allowed = desk.part(|job| job.allowed);
    let asked = RwSignal::new(None::<Asked>);
    let take_back = Callback::new(move |()| {
        asked.set(None);
        if let Some(approval) = allowed.get_untracked() {
            desk.act(JobEvent::ApprovalRevoked { approval });
        }
        true
    });
    view! {
        <Show when=move || allowed.with(Option::is_some)>
            <div class="ract">
                {icon(Glyph::Check)}
                <span>
                    "What it asked" <br /> <span class="rhint">"You allowed it, this once"</span>
                </span>
                <button
                    class="button button--small"
                    on:click=move |_| asked.set(Some(Asked::TakeYesBack))
                >
                    "Take back"
                </button>
            </div>
        </Show>
        <Sure
            question=sure_question(desk, asked)
            on_yes=take_back
            on_no=Callback::new(move |()| asked.set(None))
        />
    }
}

/// Asks until when the robot may be in the place, and gives leave until then.
#[component]
pub(super) fn Leave(desk: Desk, is_open: RwSignal<bool>, is_going_on: bool) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let trouble = RwSignal::new(None::<String>);
    // What is proposed: until the job was to be done, or half an hour when that has passed.
    Effect::new(move |_| {
        if is_open.get() {
            let now = desk.now_once();
            let until = desk
                .job
                .with_untracked(|job| job.as_deref().map(|job| job.window.until));
            let soonest = now.plus(30 * MINUTE_US);
            typed.set(ZONE.clock(until.unwrap_or(soonest).max(soonest)));
            trouble.set(None);
        }
    });
    let question = question(desk, is_open, is_going_on);
    let give = Callback::new(move |()| {
        let Some(from) = desk
            .job
            .with_untracked(|job| job.as_deref().map(|job| desk.access_from(job)))
        else {
            return false;
        };
        match leave_until(&typed.get_untracked(), ZONE, from) {
            Ok(until) => {
                is_open.set(false);
                desk.give_access(until);
                true
            }
            Err(words) => {
                trouble.set(Some(words));
                false
            }
        }
    });
    let id = if is_going_on {
        "go-on-until"
    } else {
        "access-until"
    };
    view! {
        <Sure question on_yes=give on_no=Callback::new(move |()| is_open.set(false))>
            <Field id label="Until" trouble=trouble.into()>
                <input
                    id=id
                    class="rinput number"
                    type="time"
                    required
                    aria-describedby=format!("{id}-trouble")
                    prop:value=move || typed.get()
                    on:input:target=move |event| typed.set(event.target().value())
                />
            </Field>
        </Sure>
    }
}

fn line(desk: Desk, (place, until): (String, Option<UnixMicros>)) -> impl IntoView {
    let words = match until {
        Some(until) => format!("Until {}", ZONE.moment(until, desk.now_once())),
        None => "No access given".to_owned(),
    };
    view! {
        <span>{place} <br /> <span class="rhint">{words}</span></span>
    }
}

/// What is asked before leave is given.
fn question(desk: Desk, is_open: RwSignal<bool>, is_going_on: bool) -> Signal<Option<Question>> {
    Signal::derive(move || {
        is_open.get().then(|| {
            desk.job.with_untracked(|job| {
                let (name, place) = job
                    .as_deref()
                    .map_or(("", ""), |job| (robot(job), job.plan.place.as_str()));
                Question {
                    title: if is_going_on {
                        format!("Let {name} go on?")
                    } else {
                        format!("Give access to {place}?")
                    },
                    rest: format!(
                        "{name} may be in {place} until then, and stops when it is over."
                    ),
                    yes: if is_going_on {
                        "Let it go on"
                    } else {
                        "Give access"
                    },
                    no: "Keep it as it is",
                    is_warning: false,
                }
            })
        })
    })
}
