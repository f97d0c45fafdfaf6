//! Battery and link as small drawings; the number or word always stands beside them.

use leptos::prelude::*;

use crate::grade::Tone;

/// How full a battery is.
#[component]
pub(crate) fn BatteryGauge(
    #[prop(into)] percent: Signal<f64>,
    #[prop(into)] tone: Signal<Tone>,
) -> impl IntoView {
    view! {
        <span class=move || format!("battery {}", tone.get().class()) aria-hidden="true">
            <i style:width=move || format!("{:.0}%", percent.get().clamp(0.0, 100.0))></i>
        </span>
    }
}

/// How strong a link is, in four bars.
#[component]
pub(crate) fn LinkBars(
    #[prop(into)] bars: Signal<usize>,
    #[prop(into)] tone: Signal<Tone>,
) -> impl IntoView {
    let bar = move |place: usize| {
        view! { <i class:on=move || place < bars.get()></i> }
    };
    view! {
        <span class=move || format!("bars {}", tone.get().class()) aria-hidden="true">
            {(0..4).map(bar).collect_view()}
        </span>
    }
}
