//! The record of a job: its signed events, newest first, each with what its signatures and proofs are worth.

use leptos::prelude::*;

use crate::{
    grade::Tone,
    parts::icon::{Glyph, of_tone, small},
};

/// One event as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LineFace {
    /// Its place in the stream.
    pub(crate) number: u64,
    /// "14:31:41.002".
    pub(crate) time: String,
    /// "checkpoint.done".
    pub(crate) kind: &'static str,
    /// What it says beyond that.
    pub(crate) words: String,
    /// The shape of who signed.
    pub(crate) glyph: Glyph,
    /// Who signed.
    pub(crate) signer: String,
    /// "c1f0…77a2".
    pub(crate) hash: String,
    /// What it is worth, in a word or two.
    pub(crate) worth: String,
    /// How loudly that speaks.
    pub(crate) tone: Tone,
    /// What shows when it is opened.
    pub(crate) details: Vec<(&'static str, String)>,
}

/// The word above the events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct VerdictFace {
    /// "61 of 61 verified in this browser".
    pub(crate) words: String,
    /// How loudly.
    pub(crate) tone: Tone,
    /// What it rests on.
    pub(crate) aside: String,
}

/// Events that are drawn at first: what a person scrolls through.
const FIRST_LINES: usize = 100;

/// Draws the record.
#[component]
pub(crate) fn RecordTable(
    #[prop(into)] lines: Signal<Vec<LineFace>>,
    #[prop(into)] verdict: Signal<VerdictFace>,
) -> impl IntoView {
    let shown = RwSignal::new(FIRST_LINES);
    let opened = RwSignal::new(None::<u64>);
    let numbers = Memo::new(move |_| {
        let shown = shown.get();
        lines.with(|lines| {
            let newest = lines.iter().rev().take(shown);
            newest.map(|line| line.number).collect::<Vec<_>>()
        })
    });
    let has_more = Memo::new(move |_| lines.with(Vec::len) > shown.get());
    let row = move |number: u64| {
        let line = Memo::new(move |_| {
            lines.with(|lines| lines.iter().find(|line| line.number == number).cloned())
        });
        view! { <Row line opened /> }
    };
    view! {
        <section class="panel record" aria-label="Events">
            <header>
                <h2>"Events"</h2>
                {move || verdict_badge(verdict.get())}
                <span class="grow"></span>
                <span class="faint line--small ellipsis">{move || verdict.get().aside}</span>
            </header>
            <div class="record__body" tabindex="-1">
                <table class="table">
                    <thead>
                        <tr>
                            <th>"No."</th>
                            <th>"Time"</th>
                            <th>"Event"</th>
                            <th>"Signed by"</th>
                            <th>"Hash"</th>
                            <th>"Proof"</th>
                        </tr>
                    </thead>
                    <tbody>
                        <For each=move || numbers.get() key=|number| *number children=row />
                    </tbody>
                </table>
                <Show when=move || has_more.get()>
                    <p class="board__rest">
                        <button
                            class="button"
                            on:click=move |_| shown.update(|shown| *shown += FIRST_LINES)
                        >
                            "Show earlier events"
                        </button>
                    </p>
                </Show>
            </div>
        </section>
    }
}

fn verdict_badge(face: VerdictFace) -> impl IntoView {
    let class = match face.tone {
        Tone::Calm => "badge",
        Tone::Ok => "badge badge--ok",
        Tone::Caution => "badge badge--caution",
        Tone::Alarm => "badge badge--alarm",
    };
    let glyph = match face.tone {
        Tone::Calm => Glyph::DashedRing,
        Tone::Ok => Glyph::Shield,
        Tone::Caution => Glyph::Triangle,
        Tone::Alarm => Glyph::Octagon,
    };
    view! {
        <span class=class role="status" data-testid="verdict">
            {small(glyph)}
            {face.words}
        </span>
    }
}

#[component]
fn Row(line: Memo<Option<LineFace>>, opened: RwSignal<Option<u64>>) -> impl IntoView {
    move || {
        line.get().map(|line| {
            let number = line.number;
            let is_open = Memo::new(move |_| opened.get() == Some(number));
            let toggle = move |_| {
                opened.update(|open| *open = (*open != Some(number)).then_some(number));
            };
            let details = StoredValue::new(line.details);
            view! {
                <tr
                    class="record__line"
                    class:record__line--open=is_open
                    on:click=toggle
                    data-testid="event"
                >
                    <td>
                        <button
                            class="record__number number"
                            aria-expanded=move || if is_open.get() { "true" } else { "false" }
                            aria-label=format!("Event {number}, details")
                        >
                            {number}
                        </button>
                    </td>
                    <td class="number">{line.time}</td>
                    <td class="record__what">
                        <b>{line.kind}</b>
                        " "
                        <span class="soft">{line.words}</span>
                    </td>
                    <td class="record__who">{small(line.glyph)} " " {line.signer}</td>
                    <td class="record__hash">
                        <code>{line.hash}</code>
                    </td>
                    <td class=format!("record__worth {}", line.tone.class())>
                        {of_tone(line.tone).map(small)}
                        " "
                        {line.worth}
                    </td>
                </tr>
                <Show when=move || is_open.get()>
                    <tr class="record__details">
                        <td></td>
                        <td colspan="5">
                            <dl>{details.get_value().into_iter().map(detail).collect_view()}</dl>
                        </td>
                    </tr>
                </Show>
            }
        })
    }
}

fn detail((name, value): (&'static str, String)) -> impl IntoView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd>
                <code>{value}</code>
            </dd>
        </div>
    }
}
