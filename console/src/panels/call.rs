//! The call for help of the robot on screen: what it asks, the answers to choose from, and the way back.

use leptos::prelude::*;
use protocol::views::Problem;

use crate::{
    grade::Tone,
    parts::{
        icon::{Glyph, icon, small},
        refusal::Refusal,
        unsigned::UnsignedNotice,
    },
};

/// Who has the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holder {
    /// Nobody; it waits.
    Nobody,
    /// The reader, who is helping.
    Me,
    /// The reader, who took it and has not begun yet.
    MeNotBegun,
    /// Somebody else.
    Other(String),
}

/// The call as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AnswerFace {
    /// "Which grasp for the mug?"
    pub(crate) question: String,
    /// Why it asks.
    pub(crate) reason: &'static str,
    /// What it proposes.
    pub(crate) options: Vec<String>,
    /// What was chosen.
    pub(crate) chosen: Option<usize>,
    /// Who has it.
    pub(crate) holder: Holder,
    /// Since when it is open: "01:42".
    pub(crate) waited: String,
    /// How loudly that speaks.
    pub(crate) tone: Tone,
}

/// Wishes of who answers.
#[derive(Clone, Copy)]
pub(crate) struct AnswerWishes {
    /// Take the call, or begin to help.
    pub(crate) claim: Callback<()>,
    /// This option.
    pub(crate) answer: Callback<usize>,
    /// The robot goes on alone; whether it was helped.
    pub(crate) end: Callback<bool>,
}

/// Draws the call.
#[component]
pub(crate) fn Call(
    #[prop(into)] face: Signal<Option<AnswerFace>>,
    #[prop(into)] may_claim: Signal<bool>,
    #[prop(into)] is_busy: Signal<bool>,
    #[prop(into)] is_stale: Signal<bool>,
    trouble: RwSignal<Option<Problem>>,
    wishes: AnswerWishes,
) -> impl IntoView {
    // Time goes on; the rest of the panel is drawn anew only when it changes.
    let still = Memo::new(move |_| {
        let face = face.get()?;
        Some(AnswerFace {
            waited: String::new(),
            tone: Tone::Calm,
            ..face
        })
    });
    let waited = move || face.with(|face| face.as_ref().map(|face| face.waited.clone()));
    let tone =
        Memo::new(move |_| face.with(|face| face.as_ref().map_or("", |face| face.tone.class())));
    let panel = move |call: AnswerFace| {
        view! {
            <section class="panel answer" aria-label="Call for help" data-testid="answer">
                <header>
                    <h2>"Robot asks"</h2>
                    <span class="faint line--small ellipsis">{call.reason}</span>
                    <span class="grow"></span>
                    <span class=move || format!("age {}", tone.get())>{waited}</span>
                </header>
                <p class="answer__question">{call.question.clone()}</p>
                {options(&call, is_busy, wishes)}
                <Show when=move || is_stale.get()>
                    <p class="answer__note caution">
                        {small(Glyph::Triangle)} " The picture is old: it may not show what is asked about."
                    </p>
                </Show>
                <Refusal problem=trouble />
                <div class="answer__foot">{foot(&call, may_claim, is_busy, wishes)}</div>
                <UnsignedNotice />
            </section>
        }
    };
    move || still.get().map(panel)
}

fn options(call: &AnswerFace, is_busy: Signal<bool>, wishes: AnswerWishes) -> impl IntoView {
    let chosen = call.chosen;
    // The robot acts on the first answer at once: a second one is refused.
    let can_answer = call.holder == Holder::Me && chosen.is_none();
    let option = move |(place, words): (usize, String)| {
        let is_chosen = chosen == Some(place);
        let answer = move |_| {
            if can_answer && !is_busy.get_untracked() {
                wishes.answer.run(place);
            }
        };
        view! {
            <li>
                <button
                    class="answer__option"
                    aria-pressed=if is_chosen { "true" } else { "false" }
                    aria-disabled=move || (!can_answer || is_busy.get()).then_some("true")
                    on:click=answer
                >
                    <kbd>{place + 1}</kbd>
                    <span class="grow">{words}</span>
                    {is_chosen.then(|| small(Glyph::Check))}
                </button>
            </li>
        }
    };
    let options = call.options.clone().into_iter().enumerate();
    view! { <ol class="answer__options">{options.map(option).collect_view()}</ol> }.into_any()
}

fn foot(
    call: &AnswerFace,
    may_claim: Signal<bool>,
    is_busy: Signal<bool>,
    wishes: AnswerWishes,
) -> impl IntoView {
    let claim = move |words: &'static str| {
        view! {
            <button
                class="button button--primary"
                aria-disabled=move || is_busy.get().then_some("true")
                on:click=move |_| {
                    if !is_busy.get_untracked() {
                        wishes.claim.run(());
                    }
                }
            >
                {words}
            </button>
        }
        .into_any()
    };
    match &call.holder {
        Holder::Nobody if may_claim.get_untracked() => claim("Help this robot"),
        Holder::Nobody => view! { <p class="soft">"Nobody has taken the call yet."</p> }.into_any(),
        Holder::MeNotBegun => claim("Begin to help"),
        Holder::Other(name) => view! {
            <p class="line soft">{icon(Glyph::Person)} {name.clone()} " has this call."</p>
        }
        .into_any(),
        Holder::Me => {
            let end = move |is_helped| {
                move |_| {
                    if !is_busy.get_untracked() {
                        wishes.end.run(is_helped);
                    }
                }
            };
            let is_answered = call.chosen.is_some() || call.options.is_empty();
            view! {
                <button
                    class="button"
                    class:button--primary=is_answered
                    aria-disabled=move || is_busy.get().then_some("true")
                    data-testid="hand-back"
                    on:click=end(true)
                >
                    "Hand back"
                    <kbd>"H"</kbd>
                </button>
                <button
                    class="button button--ghost"
                    aria-disabled=move || is_busy.get().then_some("true")
                    on:click=end(false)
                >
                    "I can't help"
                </button>
            }
            .into_any()
        }
    }
}
