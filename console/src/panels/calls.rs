//! Who needs help: the calls that wait, the longest over its time first, and those that somebody has taken.

use leptos::prelude::*;
use protocol::{AssistId, RobotId, views::Problem};

use crate::{
    grade::Tone,
    parts::{
        icon::{Glyph, icon, small},
        refusal::Refusal,
        ring::Ring,
        unsigned::UnsignedNotice,
    },
    queue::{CallFace, QueueFace},
};

/// Wishes of whoever looks at the calls.
#[derive(Clone, Copy)]
pub(crate) struct CallWishes {
    /// Take it.
    pub(crate) claim: Callback<CallFace>,
    /// Look at its robot.
    pub(crate) watch: Callback<RobotId>,
    /// Sound off, or on.
    pub(crate) mute: Callback<()>,
}

/// Draws the calls.
#[component]
pub(crate) fn Calls(
    #[prop(into)] face: Signal<QueueFace>,
    #[prop(into)] may_claim: Signal<bool>,
    #[prop(into)] is_busy: Signal<bool>,
    #[prop(into)] is_muted: Signal<bool>,
    #[prop(into)] still: Signal<Option<String>>,
    trouble: RwSignal<Option<Problem>>,
    wishes: CallWishes,
) -> impl IntoView {
    let ids = move |pick: fn(&QueueFace) -> &Vec<CallFace>| {
        Memo::new(move |_| {
            face.with(|face| {
                pick(face)
                    .iter()
                    .map(|call| call.assist)
                    .collect::<Vec<_>>()
            })
        })
    };
    let waiting = ids(|face| &face.waiting);
    let helped = ids(|face| &face.helped);
    let count = Memo::new(move |_| waiting.with(Vec::len));
    view! {
        <section class="calls" aria-label="Needs help">
            {head(count, is_muted, wishes)}
            <Refusal problem=trouble />
            <ol class="calls__list" aria-live="polite" aria-relevant="additions">
                <For
                    each=move || waiting.get()
                    key=|id| *id
                    children=move |id| {
                        view! { <Waiting id face may_claim is_busy still wishes /> }
                    }
                />
            </ol>
            <Show when=move || count.get() == 0>
                <div class="empty">
                    {icon(Glyph::Check)} <b>"Nobody needs help"</b>
                    <p class="soft">
                        "The next robot that asks rings here."
                    </p>
                </div>
            </Show>
            <Show when=move || may_claim.get()>
                <UnsignedNotice />
            </Show>
            <Show when=move || helped.with(|ids| !ids.is_empty())>
                <h3 class="calls__part">
                    "Being helped " <span class="faint">{move || helped.with(Vec::len)}</span>
                </h3>
                <ul>
                    <For
                        each=move || helped.get()
                        key=|id| *id
                        children=move |id| view! { <Helped id face wishes /> }
                    />
                </ul>
            </Show>
        </section>
    }
}

fn head(count: Memo<usize>, is_muted: Signal<bool>, wishes: CallWishes) -> impl IntoView {
    view! {
        <header class="calls__head">
            <h2>"Needs help"</h2>
            <Show when=move || { count.get() > 0 }>
                <span class="badge badge--caution">{small(Glyph::Bell)} {count}</span>
            </Show>
            <span class="grow"></span>
            <button
                class="button button--ghost button--small"
                aria-pressed=move || if is_muted.get() { "false" } else { "true" }
                on:click=move |_| wishes.mute.run(())
            >
                {move || small(if is_muted.get() { Glyph::NoBell } else { Glyph::Bell })}
                {move || if is_muted.get() { "Sound off" } else { "Sound on" }}
                <kbd>"M"</kbd>
            </button>
        </header>
    }
}

#[component]
fn Waiting(
    id: AssistId,
    face: Signal<QueueFace>,
    may_claim: Signal<bool>,
    is_busy: Signal<bool>,
    still: Signal<Option<String>>,
    wishes: CallWishes,
) -> impl IntoView {
    let call = Memo::new(move |_| {
        face.with(|face| {
            let mut waiting = face.waiting.iter().enumerate();
            waiting
                .find(|(_, call)| call.assist == id)
                .map(|(place, call)| (place, call.clone()))
        })
    });
    let text = move |pick: fn(&CallFace) -> String| {
        Memo::new(move |_| {
            call.with(|call| {
                call.as_ref()
                    .map(|(_, call)| pick(call))
                    .unwrap_or_default()
            })
        })
    };
    let tone = Memo::new(move |_| {
        call.with(|call| call.as_ref().map_or(Tone::Calm, |(_, call)| call.tone))
    });
    let used =
        Memo::new(move |_| call.with(|call| call.as_ref().map_or(0.0, |(_, call)| call.used)));
    let place = Memo::new(move |_| call.with(|call| call.as_ref().map_or(0, |(place, _)| *place)));
    let is_first = Memo::new(move |_| place.get() == 0);
    let key = move || match place.get() {
        0 => Some("Enter".to_owned()),
        place @ 1..=8 => Some((place + 1).to_string()),
        _ => None,
    };
    let claim = move |_| {
        let call = call.with_untracked(|call| call.as_ref().map(|(_, call)| call.clone()));
        if let Some(call) = call.filter(|_| !is_busy.get_untracked()) {
            wishes.claim.run(call);
        }
    };
    let name = text(|call| call.name.clone());
    view! {
        <li class="call" class:call--late=move || tone.get() == Tone::Alarm data-testid="call">
            <Ring used tone words=text(|call| call.waited.clone()) />
            <div class="call__words">
                <p class="line">
                    <b class="ellipsis">{name}</b>
                    <span class="grow"></span>
                    <span class=move || {
                        if tone.get() == Tone::Alarm { "badge badge--alarm" } else { "age" }
                    }>
                        {move || (tone.get() == Tone::Alarm).then(|| small(Glyph::Octagon))}
                        {text(|call| call.limit.clone())}
                    </span>
                </p>
                <p>{text(|call| call.question.clone())}</p>
                <p class="faint line--small ellipsis">{text(|call| call.title.clone())}</p>
                {move || {
                    still
                        .get()
                        .filter(|_| is_first.get())
                        .map(|url| {
                            view! {
                                <span class="frame call__still">
                                    <img src=url alt="" />
                                </span>
                            }
                        })
                }}
                <Show when=move || may_claim.get()>
                    <button
                        class="button"
                        class:button--primary=is_first
                        class:button--small=move || !is_first.get()
                        aria-disabled=move || is_busy.get().then_some("true")
                        data-testid="claim"
                        on:click=claim
                    >
                        <span class="ellipsis">"Help " {name}</span>
                        {move || key().map(|key| view! { <kbd>{key}</kbd> })}
                    </button>
                </Show>
            </div>
        </li>
    }
}

#[component]
fn Helped(id: AssistId, face: Signal<QueueFace>, wishes: CallWishes) -> impl IntoView {
    let call = Memo::new(move |_| {
        face.with(|face| face.helped.iter().find(|call| call.assist == id).cloned())
    });
    move || {
        call.get().map(|call| {
            let robot = call.robot;
            let who = match (call.is_mine, call.by.is_empty()) {
                (true, _) => "You".to_owned(),
                (false, true) => "Somebody".to_owned(),
                (false, false) => call.by,
            };
            view! {
                <li class="call__helped" data-testid="helped">
                    {small(Glyph::HalfDisc)}
                    <b class="ellipsis">{call.name}</b>
                    <span class="soft ellipsis">{who}</span>
                    <span class="grow"></span>
                    <span class="age">{call.waited}</span>
                    <button
                        class="button button--ghost button--small"
                        on:click=move |_| wishes.watch.run(robot)
                    >
                        {if call.is_mine { "Go on" } else { "Watch" }}
                    </button>
                </li>
            }
        })
    }
}
