//! A share of time that is used, as a ring with the time in it.

use leptos::prelude::*;

use crate::grade::Tone;

/// Length of the ring's line in its drawing.
const AROUND: f64 = 125.66;

/// Draws the ring. The words in it say the same.
#[component]
pub(crate) fn Ring(
    #[prop(into)] used: Signal<f64>,
    #[prop(into)] tone: Signal<Tone>,
    #[prop(into)] words: Signal<String>,
) -> impl IntoView {
    let dashes = move || format!("{:.1} {AROUND}", used.get().clamp(0.0, 1.0) * AROUND);
    view! {
        <span class=move || format!("ring {}", tone.get().class())>
            <svg viewBox="0 0 46 46" aria-hidden="true">
                <circle cx="23" cy="23" r="20" />
                <circle class="ring__used" cx="23" cy="23" r="20" stroke-dasharray=dashes />
            </svg>
            <span class="number">{words}</span>
        </span>
    }
}
