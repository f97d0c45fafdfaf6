//! Who steers the robot on screen, and what can be done about it: the first field of the safety bar on the live page.

use leptos::prelude::*;
use protocol::views::Problem;

use crate::{
    control::{ControlFace, Deed},
    grade::Tone,
    parts::{
        icon::{Glyph, icon, of_tone, small},
        ring::Ring,
    },
};

/// What the field is drawn from, and what it wishes.
#[derive(Clone, Copy)]
pub(crate) struct ControlParts {
    /// How it stands; nothing while there is no robot.
    pub(crate) face: Memo<Option<ControlFace>>,
    /// Whether an answer is awaited.
    pub(crate) is_busy: RwSignal<bool>,
    /// Why the last wish was not granted.
    pub(crate) trouble: RwSignal<Option<Problem>>,
    /// Somebody wants this done.
    pub(crate) on_deed: Callback<Deed>,
}

/// Draws the field.
#[component]
pub(crate) fn Control(parts: ControlParts) -> impl IntoView {
    let deeds = Memo::new(move |_| read(parts, |face| face.deeds.clone()));
    view! {
        <div class="safety__who control" data-testid="control">
            <Idle parts />
            <div class="control__said">
                <Said parts />
                <div class="control__deeds">
                    <For
                        each=move || deeds.get()
                        key=|deed| *deed
                        children=move |deed| view! { <DeedButton parts deed /> }
                    />
                </div>
            </div>
        </div>
    }
}

/// Reads something of the face, and follows it.
fn read<T: Default>(parts: ControlParts, read: impl FnOnce(&ControlFace) -> T) -> T {
    parts
        .face
        .with(|face| face.as_ref().map(read).unwrap_or_default())
}

/// The time without a touch that is left, while the robot is steered from here.
#[component]
fn Idle(parts: ControlParts) -> impl IntoView {
    let idle = Memo::new(move |_| read(parts, |face| face.idle.clone()));
    let has_idle = Memo::new(move |_| idle.with(Option::is_some));
    let tone = Signal::derive(move || read(parts, |face| face.tone));
    let used =
        Signal::derive(move || idle.with(|idle| idle.as_ref().map_or(0.0, |(used, _)| *used)));
    let left = Signal::derive(move || {
        idle.with(|idle| idle.as_ref().map(|(_, left)| left.clone()))
            .unwrap_or_default()
    });
    view! {
        <Show
            when=move || has_idle.get()
            fallback=|| view! { <span class="control__mark">{icon(Glyph::Lock)}</span> }
        >
            <Ring used tone words=left />
        </Show>
    }
}

/// Who steers, and what there is to say of it; in its place for a while why a wish was not granted.
#[component]
fn Said(parts: ControlParts) -> impl IntoView {
    let title = Memo::new(move |_| read(parts, |face| face.title.clone()));
    let tone = Memo::new(move |_| read(parts, |face| face.tone));
    let line = Memo::new(move |_| match parts.trouble.get() {
        Some(problem) => (Tone::Alarm, problem.detail),
        None => (Tone::Calm, read(parts, |face| face.line.clone())),
    });
    view! {
        <p class=move || format!("control__title {}", tone.get().class()) role="status">
            {move || of_tone(tone.get()).map(small)}
            <b class="ellipsis">{title}</b>
        </p>
        <p
            class=move || format!("control__line ellipsis {}", line.get().0.class())
            title=move || line.get().1
            // Why nothing came of it, and what was said with it; the seconds that count down are nobody's to hear.
            role=move || (line.get().0 == Tone::Alarm).then_some("alert")
        >
            {move || line.get().1}
        </p>
    }
}

#[component]
fn DeedButton(parts: ControlParts, deed: Deed) -> impl IntoView {
    let class = match deed {
        Deed::TakeOver => "button button--small button--warn",
        Deed::Take
        | Deed::Ask
        | Deed::Withdraw
        | Deed::HandOver
        | Deed::Keep
        | Deed::Release
        | Deed::Passkey
        | Deed::BrowserKey => "button button--small",
    };
    view! {
        <button
            class=class
            aria-disabled=move || parts.is_busy.get().then_some("true")
            on:click=move |_| {
                if !parts.is_busy.get_untracked() {
                    parts.on_deed.run(deed);
                }
            }
        >
            {deed.words()}
            {deed.key().map(|key| view! { <kbd>{key}</kbd> })}
        </button>
    }
}
