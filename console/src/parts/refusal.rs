//! What did not work, why, and its frozen code: next to what was wished, until it is read.

use leptos::prelude::*;
use protocol::views::Problem;

use super::icon::{Glyph, icon};
use crate::words;

/// Draws a problem, if there is one.
#[component]
pub(crate) fn Refusal(problem: RwSignal<Option<Problem>>) -> impl IntoView {
    let notice = move |told: Problem| {
        view! {
            <div class="notice notice--alarm">
                {icon(Glyph::Octagon)}
                <div class="grow">
                    <b>{told.title} ": "</b>
                    {words::capitalised(&told.detail)}
                    " "
                    <code data-testid="refusal-code">{told.code}</code>
                </div>
                <button class="button button--ghost button--small" on:click=move |_| problem.set(None)>
                    "Close"
                </button>
            </div>
        }
    };
    view! { <div role="alert">{move || problem.get().map(notice)}</div> }
}
