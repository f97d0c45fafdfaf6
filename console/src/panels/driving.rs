//! Driving by hand, as it is drawn: the keys, what the robot makes of them, the ladder, and the release of a stop.

use leptos::prelude::*;
use protocol::{ladder::Level, limits::MAX_NOTE_CHARS};
use wasm_bindgen::JsCast as _;

use crate::{
    driving::{self, DriveFace, Held, LadderFace, Reach, Stand, step},
    grade::Tone,
    keys,
    parts::icon::{Glyph, icon, of_tone, small},
};

/// The keys as they lie: their caps, their places on the keyboard, and what they do.
const KEYS: [(&str, &str, &str); 6] = [
    ("Q", "KeyQ", "Forward and left"),
    ("W", "KeyW", "Forward"),
    ("E", "KeyE", "Forward and right"),
    ("A", "KeyA", "Turn left"),
    ("S", "KeyS", "Back"),
    ("D", "KeyD", "Turn right"),
];

fn is_lit(held: Held, code: &str) -> bool {
    match code {
        "KeyQ" => held.forward_left,
        "KeyW" => held.forward,
        "KeyE" => held.forward_right,
        "KeyA" => held.left,
        "KeyS" => held.back,
        "KeyD" => held.right,
        _ => false,
    }
}

/// Wherever the pointer is let go, what it was pressed on hears of it.
fn keep_pointer(event: &leptos::ev::PointerEvent) {
    let pressed = event
        .current_target()
        .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    if let Some(pressed) = pressed {
        // Without it a release elsewhere is heard as lost capture, or as silence.
        let _captured = pressed.set_pointer_capture(event.pointer_id());
    }
}

/// Draws the keys and what goes with them.
#[component]
pub(crate) fn DrivePanel(
    face: Memo<DriveFace>,
    progress: RwSignal<f64>,
    on_looked: Callback<()>,
    on_hold: Callback<bool>,
    on_key: Callback<(&'static str, bool)>,
) -> impl IntoView {
    let stand = Memo::new(move |_| face.with(|face| face.stand));
    let is_armed = move || matches!(stand.get(), Stand::Armed | Stand::Driving | Stand::Nudging);
    let line = Memo::new(move |_| face.with(|face| face.line.clone()));
    let way_out = Memo::new(move |_| face.with(|face| face.way_out.clone()));
    let key = move |(cap, code, words): (&'static str, &'static str, &'static str)| {
        let held = Memo::new(move |_| face.with(|face| is_lit(face.held, code)));
        view! {
            <button
                class="drive__key"
                class:is-held=held
                class:is-off=move || !is_armed()
                aria-label=words
                aria-pressed=move || held.get().to_string()
                tabindex="-1"
                on:pointerdown=move |event| {
                    if event.button() == 0 {
                        keep_pointer(&event);
                        on_key.run((code, true));
                    }
                }
                on:pointerup=move |_| on_key.run((code, false))
                on:lostpointercapture=move |_| on_key.run((code, false))
                on:pointercancel=move |_| on_key.run((code, false))
            >
                {cap}
            </button>
        }
    };
    view! {
        <section class="panel drive" aria-label="Drive">
            <header>
                <h2>"Drive"</h2>
                <span class="grow"></span>
                <span
                    class=move || match stand.get() {
                        Stand::Driving | Stand::Nudging | Stand::Armed => "badge badge--person",
                        Stand::Elsewhere | Stand::Unreached | Stand::Disarmed | Stand::Locked => "badge badge--off",
                    }
                    data-testid="drive-stand"
                >
                    {move || stand.get().word()}
                </span>
            </header>
            <div class="panel__body">
                <div class="drive__keys" role="group" aria-label="Drive keys, held to drive">
                    {KEYS.map(key).into_iter().collect_view()}
                </div>
                <Show when=is_armed>
                    <Speed face />
                </Show>
                <Line line />
                <Show when=move || stand.get() == Stand::Disarmed>
                    <Arming face progress on_looked on_hold />
                </Show>
                <p class="drive__hint">{way_out}</p>
            </div>
        </section>
    }
}

/// What holds the robot back, or stopped it.
#[component]
fn Line(line: Memo<Option<(Tone, String)>>) -> impl IntoView {
    let drawn = |(tone, words): (Tone, String)| {
        view! {
            <p class=format!("drive__line {}", tone.class())>
                {of_tone(tone).map(small)} <span>{words}</span>
            </p>
        }
    };
    view! {
        <div aria-live="polite" data-testid="drive-line">
            {move || line.get().map(drawn)}
        </div>
    }
}

#[component]
fn Speed(face: Memo<DriveFace>) -> impl IntoView {
    let text = move |pick: fn(&DriveFace) -> String| Memo::new(move |_| face.with(pick));
    let (speed, cap) = (
        text(|face| face.speed.clone()),
        text(|face| face.cap.clone()),
    );
    let dead_man = text(|face| face.dead_man.clone());
    let share = Memo::new(move |_| face.with(|face| (face.share * 100.0).round()));
    view! {
        <p class="drive__row">
            <span>"Speed"</span>
            <span class="number">
                <b data-testid="drive-speed">{speed}</b>
                " / "
                {cap}
            </span>
        </p>
        <div class="drive__bar" aria-hidden="true">
            <i style:width=move || format!("{}%", share.get())></i>
        </div>
        <p class="drive__row">
            <span>"Dead-man"</span>
            <span class="number faint">
                {move || dead_man.with(|text| if text.is_empty() { "at rest".to_owned() } else { text.clone() })}
            </span>
        </p>
    }
}

#[component]
fn Arming(
    face: Memo<DriveFace>,
    progress: RwSignal<f64>,
    on_looked: Callback<()>,
    on_hold: Callback<bool>,
) -> impl IntoView {
    let checks = Memo::new(move |_| face.with(|face| face.checks));
    let may_arm = Signal::derive(move || face.with(|face| face.may_arm));
    let row = move |place: usize| {
        let is_done = Memo::new(move |_| checks.get()[place].1);
        view! {
            <li class:is-done=is_done>
                {move || small(if is_done.get() { Glyph::Check } else { Glyph::Ring })}
                <span>{move || checks.get()[place].0}</span>
                {(place == 3)
                    .then(|| {
                        view! { <Looked is_done on_looked /> }
                    })}
                {(place == 2 && !is_done.get_untracked())
                    .then(|| {
                        view! {
                            <Show when=move || !is_done.get()>
                                <small class="faint">"press a drive key"</small>
                            </Show>
                        }
                    })}
            </li>
        }
    };
    view! {
        <ul class="drive__checks" aria-label="Before driving">
            {(0..4).map(row).collect_view()}
        </ul>
        <HoldButton words="Hold to arm" is_ready=may_arm progress on_hold />
    }
}

/// The person looked around the robot, or takes that back.
#[component]
fn Looked(is_done: Memo<bool>, on_looked: Callback<()>) -> impl IntoView {
    view! {
        <button
            class="button button--small"
            aria-pressed=move || is_done.get().to_string()
            on:click=move |_| on_looked.run(())
        >
            "I looked"
            <kbd>"L"</kbd>
        </button>
    }
}

/// A button that does something only after it was held.
#[component]
fn HoldButton(
    words: &'static str,
    is_ready: Signal<bool>,
    progress: RwSignal<f64>,
    on_hold: Callback<bool>,
) -> impl IntoView {
    view! {
        <button
            class="button button--full hold"
            class:button--primary=is_ready
            aria-disabled=move || (!is_ready.get()).then_some("true")
            aria-keyshortcuts="Y"
            on:pointerdown=move |event| {
                if event.button() == 0 {
                    keep_pointer(&event);
                    on_hold.run(true);
                }
            }
            on:pointerup=move |_| on_hold.run(false)
            on:lostpointercapture=move |_| on_hold.run(false)
            on:pointercancel=move |_| on_hold.run(false)
        >
            <i class="hold__done" style:width=move || format!("{}%", progress.get() * 100.0)></i>
            <span>{words}</span>
            <kbd>"Y"</kbd>
        </button>
    }
}

/// Draws what of the authority ladder is left, in the safety bar.
#[component]
pub(crate) fn Ladder(face: Memo<LadderFace>) -> impl IntoView {
    let level = Memo::new(move |_| face.with(|face| face.level));
    let tone = Memo::new(move |_| face.with(LadderFace::tone));
    let why = Memo::new(move |_| face.with(|face| face.why.clone()));
    let way_out = Memo::new(move |_| face.with(|face| face.way_out.clone()));
    let rung = move |rung: Level| {
        let class = move || match (level.get(), tone.get()) {
            (at, _) if at < rung => "ladder__step is-lost",
            (at, Tone::Alarm) if at == rung => "ladder__step is-at is-lowest",
            (at, Tone::Caution) if at == rung => "ladder__step is-at is-reduced",
            (at, _) if at == rung => "ladder__step is-at",
            _ => "ladder__step",
        };
        let mark = move || match (level.get(), tone.get()) {
            (at, _) if at < rung => Some(small(Glyph::Cross)),
            (at, tone) if at == rung => of_tone(tone).map(small),
            _ => None,
        };
        view! {
            <li class=class aria-current=move || (level.get() == rung).then_some("true")>
                {mark} {step(rung)}
                <span class="hidden">{move || if level.get() < rung { ", withheld" } else { "" }}</span>
            </li>
        }
    };
    view! {
        <div class="safety__what ladder" data-testid="ladder">
            <ol class="ladder__steps" aria-label="Authority">
                {Level::ALL.map(rung).into_iter().collect_view()}
            </ol>
            <p class=move || format!("ladder__why {}", tone.get().class())>{why}</p>
            <p class="ladder__back">{way_out}</p>
        </div>
    }
}

/// Draws the steps that release a stop.
#[component]
pub(crate) fn ReleasePanel(
    steps: Memo<[(&'static str, bool); 4]>,
    reach: Memo<Reach>,
    reason: RwSignal<String>,
    progress: RwSignal<f64>,
    #[prop(into)] robot: Signal<String>,
    on_looked: Callback<()>,
    on_hold: Callback<bool>,
) -> impl IntoView {
    let done = Memo::new(move |_| steps.get().iter().filter(|(_, is_done)| *is_done).count());
    let is_ready = Signal::derive(move || done.get() == 4 && reach.get() == Reach::Here);
    let row = move |place: usize| {
        let is_done = Memo::new(move |_| steps.get()[place].1);
        view! {
            <li class:is-done=is_done>
                {move || icon(if is_done.get() { Glyph::Check } else { Glyph::Ring })}
                <span>{move || steps.get()[place].0}</span>
                {(place == 2)
                    .then(|| {
                        view! { <Looked is_done on_looked /> }
                    })}
            </li>
        }
    };
    view! {
        <section class="panel release" aria-label="Release the stop" data-testid="release">
            <header>
                <h2>"Release stop"</h2>
                <span class="faint line--small">{done} " of 4"</span>
                <span class="grow"></span>
                <span class="faint line--small ellipsis">{robot}</span>
            </header>
            <div class="panel__body">
                <ol class="release__steps">{(0..4).map(row).collect_view()}</ol>
                <label class="hidden" for="release-reason">
                    "Why did you stop?"
                </label>
                <input
                    id="release-reason"
                    class="field"
                    autocomplete="off"
                    placeholder="Goes in the log"
                    maxlength=MAX_NOTE_CHARS.to_string()
                    prop:value=reason
                    on:input:target=move |event| reason.set(event.target().value())
                    on:keydown=|event| {
                        // Back to the page, where Y is a key again.
                        if event.key() == "Enter" || event.key() == "Escape" {
                            event.stop_propagation();
                            event.prevent_default();
                            keys::leave_field(&event);
                        }
                    }
                />
                <HoldButton words="Hold 2 s to release" is_ready progress on_hold />
                <p class="soft">
                    {move || driving::on_release(reach.get())}
                </p>
            </div>
        </section>
    }
}
