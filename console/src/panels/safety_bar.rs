//! The bar at the bottom: which robot, what it does, and the stop that is always in the same place.

use leptos::prelude::*;

use crate::{
    grade::Tone,
    panels::control::{Control, ControlParts},
    parts::{
        badge::{Badge, BadgeFace},
        icon::{Glyph, of_shape, of_tone, small},
    },
    telling::Telling,
};

/// The robot that the bar names.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SafetyFace {
    /// Its name.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) site: String,
    /// How it stands.
    pub(crate) badge: BadgeFace,
    /// Whether it is stopped until somebody releases it.
    pub(crate) is_stopped: bool,
    /// What it does, in a sentence.
    pub(crate) doing: String,
    /// Speed and way to go.
    pub(crate) measures: String,
    /// Age of what is said here.
    pub(crate) age: String,
    /// Whether that is too old to go by.
    pub(crate) is_old: bool,
    /// Its latest still.
    pub(crate) still: Option<String>,
    /// Why a stop would not get through, if so.
    pub(crate) stop_trouble: Option<String>,
}

/// What became of the latest stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StopFace {
    /// Its fate.
    pub(crate) telling: Telling,
    /// "after 214 ms", "14:31:41".
    pub(crate) when: String,
}

/// Draws the bar.
#[component]
pub(crate) fn SafetyBar(
    #[prop(into)] face: Signal<Option<SafetyFace>>,
    #[prop(into)] stop: Signal<Option<StopFace>>,
    #[prop(into)] is_on_live_page: Signal<bool>,
    #[prop(into)] is_second: Signal<bool>,
    #[prop(into)] is_steered_here: Signal<bool>,
    control: ControlParts,
    middle: RwSignal<Option<ViewFn>>,
    on_stop: Callback<()>,
    on_open: Callback<()>,
    on_leave: Callback<()>,
) -> impl IntoView {
    let name = Memo::new(move |_| face.with(|face| face.as_ref().map(|face| face.name.clone())));
    let is_stopped =
        Memo::new(move |_| face.with(|face| face.as_ref().is_some_and(|face| face.is_stopped)));
    view! {
        <footer class="safety" aria-label="Safety">
            <Show
                when=move || is_on_live_page.get()
                fallback=move || view! { <Who face is_steered_here /> }
            >
                <Control parts=control />
            </Show>
            {move || match middle.get() {
                Some(own) => view! { <Own own face stop /> }.into_any(),
                None => view! { <What face stop /> }.into_any(),
            }}
            <div class="safety__go">
                {move || match (is_on_live_page.get(), name.get()) {
                    (true, _) => {
                        view! {
                            <button class="button button--full" on:click=move |_| on_leave.run(())>
                                "Back to fleet"
                                <kbd>"Esc"</kbd>
                            </button>
                        }
                            .into_any()
                    }
                    (false, Some(name)) => {
                        view! {
                            <button
                                class="button button--full"
                                // A call for help is the first thing to do, and Enter takes it.
                                class:button--primary=move || !is_second.get()
                                on:click=move |_| on_open.run(())
                            >
                                <span class="ellipsis">"Open " {name}</span>
                                <kbd>{move || if is_second.get() { "O" } else { "Enter" }}</kbd>
                            </button>
                        }
                            .into_any()
                    }
                    (false, None) => {
                        view! {
                            <button class="button button--full" aria-disabled="true">
                                "Open robot"
                                <kbd>"Enter"</kbd>
                            </button>
                        }
                            .into_any()
                    }
                }} <p class="safety__hint">"Space stops on every page"</p>
            </div>
            <StopButton name is_stopped on_stop />
        </footer>
    }
}

#[component]
fn Who(face: Signal<Option<SafetyFace>>, is_steered_here: Signal<bool>) -> impl IntoView {
    let is_there = Memo::new(move |_| face.with(Option::is_some));
    let text = move |pick: fn(&SafetyFace) -> String| {
        move || face.with(|face| face.as_ref().map(pick).unwrap_or_default())
    };
    let still = Memo::new(move |_| face.with(|face| face.as_ref()?.still.clone()));
    let badge = Signal::derive(move || {
        face.with(|face| face.as_ref().map(|face| face.badge.clone()))
            .unwrap_or(BadgeFace {
                glyph: Glyph::Ring,
                word: String::new(),
                class: "badge",
            })
    });
    let role = move || {
        if is_steered_here.get() {
            "you have control"
        } else {
            "selected"
        }
    };
    view! {
        <div class="safety__who">
            <Show
                when=move || is_there.get()
                fallback=|| {
                    view! {
                        <p class="safety__nobody">
                            <b>"No robot selected"</b>
                            <span>"Select one to be able to stop it"</span>
                        </p>
                    }
                }
            >
                <Show when=move || still.with(Option::is_some)>
                    <span class="frame safety__still">
                        <img src=move || still.get() alt="" />
                    </span>
                </Show>
                <div class="safety__name">
                    <p class="ellipsis">
                        <b>{text(|face| face.name.clone())}</b>
                        " "
                        <span class="soft">{role}</span>
                    </p>
                    <Badge face=badge />
                    <p class="safety__site ellipsis">{text(|face| face.site.clone())}</p>
                </div>
            </Show>
        </div>
    }
}

#[component]
fn What(face: Signal<Option<SafetyFace>>, stop: Signal<Option<StopFace>>) -> impl IntoView {
    let doing = move || face.with(|face| face.as_ref().map(|face| face.doing.clone()));
    let measures = move || face.with(|face| face.as_ref().map(|face| face.measures.clone()));
    let age = move || face.with(|face| face.as_ref().map(|face| face.age.clone()));
    let is_old =
        Memo::new(move |_| face.with(|face| face.as_ref().is_some_and(|face| face.is_old)));
    view! {
        <div class="safety__what">
            <p class="safety__doing">
                <b class="ellipsis" class:is-stale=is_old>
                    {doing}
                </b>
                <span class=move || if is_old.get() { "age alarm" } else { "age" }>{age}</span>
            </p>
            <p class="safety__measures ellipsis" class:is-stale=is_old>
                {measures}
            </p>
            <StopFate face stop />
        </div>
    }
}

/// What a page shows in the middle of the bar, over the fate of stops.
#[component]
fn Own(
    own: ViewFn,
    face: Signal<Option<SafetyFace>>,
    stop: Signal<Option<StopFace>>,
) -> impl IntoView {
    view! {
        <div class="safety__own">
            {own.run()} <div class="safety__stops">
                <StopFate face stop />
            </div>
        </div>
    }
}

/// What became of the latest stop, and why another would not get through. There whatever else the bar shows.
#[component]
fn StopFate(face: Signal<Option<SafetyFace>>, stop: Signal<Option<StopFace>>) -> impl IntoView {
    let trouble = Memo::new(move |_| face.with(|face| face.as_ref()?.stop_trouble.clone()));
    let stop_line = move || {
        stop.get().map(|stop| {
            let tone = stop.telling.tone;
            let words = match stop.telling.words.as_str() {
                "Sent" => "Stop sent".to_owned(),
                "Robot is stopping" | "Robot reports stopped" => stop.telling.words.clone(),
                other => format!("Stop: {}", lower_first(other)),
            };
            view! {
                <p class=format!("safety__stop {}", tone.class()) data-testid="stop-fate">
                    {small(of_shape(stop.telling.shape))} <b>{words}</b> " "
                    <span class="soft">{stop.when} {stop.telling.why.map(|why| format!(", {why}"))}</span>
                </p>
            }
        })
    };
    view! {
            <div aria-live="polite">{stop_line}</div>
            {move || {
                trouble
                    .get()
                    .map(|why| {
                        view! {
                            <p class="safety__stop alarm">
                                {of_tone(Tone::Alarm).map(small)} <b>"Stop can't be sent: "</b>
                                <span>{why}</span>
                            </p>
                        }
                    })
            }}
    }
}

#[component]
fn StopButton(
    name: Memo<Option<String>>,
    is_stopped: Memo<bool>,
    on_stop: Callback<()>,
) -> impl IntoView {
    let is_ready = Memo::new(move |_| name.with(Option::is_some));
    let below = move || name.get().unwrap_or_else(|| "Pick a robot".to_owned());
    view! {
        <div class="safety__button">
            <button
                class=move || match (is_ready.get(), is_stopped.get()) {
                    (true, true) => "stop stop--latched",
                    (true, false) => "stop",
                    (false, _) => "stop stop--idle",
                }
                aria-keyshortcuts="Space"
                aria-disabled=move || (!is_ready.get()).then_some("true")
                on:click=move |_| {
                    if is_ready.get_untracked() {
                        on_stop.run(());
                    }
                }
            >
                <svg viewBox="0 0 34 34" aria-hidden="true">
                    <path d="M11 2.5h12l8.5 8.5v12L23 31.5H11L2.5 23V11z" />
                    <path class="stop__core" d="M11.5 11.5h11v11h-11z" />
                </svg>
                <span class="stop__words">
                    <b>{move || if is_stopped.get() { "STOPPED" } else { "STOP" }}</b>
                    " "
                    <span class="ellipsis">{below}</span>
                </span>
                <kbd aria-hidden="true">"Space"</kbd>
            </button>
        </div>
    }
}

fn lower_first(words: &str) -> String {
    let mut rest = words.chars();
    rest.next()
        .map(|first| first.to_lowercase().chain(rest).collect())
        .unwrap_or_default()
}
