//! What was asked of this robot and what became of it, newest first.

use leptos::prelude::*;
use protocol::CommandId;

use crate::{
    grade::Tone,
    parts::icon::{icon, of_shape},
    route::Route,
    telling::{Shape, Telling},
};

/// One command as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandFace {
    /// Its id.
    pub(crate) command: CommandId,
    /// "14:32:07".
    pub(crate) time: String,
    /// "Drive to Room 3 door".
    pub(crate) what: String,
    /// What became of it.
    pub(crate) telling: Telling,
    /// "in 9.2 s".
    pub(crate) took: String,
    /// Who asked, when it was somebody else.
    pub(crate) by: String,
}

/// Draws the list.
#[component]
pub(crate) fn Commands(
    #[prop(into)] faces: Signal<Vec<CommandFace>>,
    #[prop(into)] last_answer: Signal<String>,
    receipts: Route,
) -> impl IntoView {
    let ids = Memo::new(move |_| {
        faces.with(|faces| faces.iter().map(|face| face.command).collect::<Vec<_>>())
    });
    view! {
        <section class="panel commands" aria-label="Commands">
            <header>
                <h2>"Commands"</h2>
                <a class="faint line--small" href=receipts.to_string()>
                    "Receipts from the robot"
                </a>
                <span class="grow"></span>
                <span class="age">{last_answer}</span>
            </header>
            <Show
                when=move || ids.with(|ids| !ids.is_empty())
                fallback=|| {
                    view! {
                        <p class="commands__none">
                            "Nothing was asked of this robot yet. Click on the map to send it somewhere."
                        </p>
                    }
                }
            >
                // It scrolls where there is little room: then it is to be reached by keyboard.
                <ol
                    class="fates"
                    tabindex="0"
                    aria-label="Commands, newest first"
                    aria-live="polite"
                    aria-relevant="additions text"
                >
                    <For each=move || ids.get() key=|id| *id let:id>
                        <Line face=Memo::new(move |_| {
                            faces.with(|faces| faces.iter().find(|face| face.command == id).cloned())
                        }) />
                    </For>
                </ol>
            </Show>
        </section>
    }
}

#[component]
fn Line(face: Memo<Option<CommandFace>>) -> impl IntoView {
    let text = move |pick: fn(&CommandFace) -> String| {
        move || face.with(|face| face.as_ref().map(pick).unwrap_or_default())
    };
    let shape = Memo::new(move |_| {
        face.with(|face| {
            face.as_ref()
                .map_or(Shape::Underway, |face| face.telling.shape)
        })
    });
    let tone = Memo::new(move |_| {
        face.with(|face| {
            face.as_ref()
                .map_or(Tone::Calm, |face| face.telling.tone)
                .class()
        })
    });
    let why = Memo::new(move |_| {
        let face = face.get()?;
        let parts = [face.telling.why.clone().unwrap_or_default(), face.by];
        let why = parts
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" · ");
        (!why.is_empty()).then_some(why)
    });
    view! {
        <li data-testid="command">
            <time>{text(|face| face.time.clone())}</time>
            <span class=tone>{move || icon(of_shape(shape.get()))}</span>
            <span class="fates__what">{text(|face| face.what.clone())}</span>
            <span class=move || format!("fates__word {}", tone.get()) data-testid="fate">
                {text(|face| face.telling.words.clone())}
                " "
                <span class="number faint">{text(|face| face.took.clone())}</span>
            </span>
            {move || why.get().map(|why| view! { <span class="fates__why">{why}</span> })}
        </li>
    }
}
