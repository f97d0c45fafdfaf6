//! One line on what is lost, what still works, and one thing to do. Stays for as long as it is true.

use leptos::prelude::*;

use crate::{
    grade::Tone,
    outage::{Action, BannerFace},
    parts::icon::{Glyph, icon},
};

const fn glyph(tone: Tone) -> Glyph {
    match tone {
        Tone::Alarm => Glyph::Octagon,
        Tone::Caution => Glyph::Triangle,
        Tone::Calm | Tone::Ok => Glyph::Robot,
    }
}

/// Draws a banner.
#[component]
pub(crate) fn Banner(
    #[prop(into)] face: Signal<BannerFace>,
    on_action: Callback<Action>,
) -> impl IntoView {
    let is_alarm = Memo::new(move |_| face.with(|face| face.tone == Tone::Alarm));
    let action = Memo::new(move |_| face.with(|face| face.action));
    view! {
        <div
            class=move || format!("banner banner--{}", face.with(|face| face.tone.class()))
            role=move || if is_alarm.get() { "alert" } else { "status" }
        >
            {move || icon(face.with(|face| glyph(face.tone)))}
            <p class="grow">
                <b>{move || face.with(|face| face.what.clone())}</b>
                " "
                <span>{move || face.with(|face| face.rest.clone())}</span>
            </p>
            <span class="banner__aside">{move || face.with(|face| face.aside.clone())}</span>
            {move || {
                action
                    .get()
                    .map(|action| {
                        view! {
                            <button
                                class="button button--small"
                                on:click=move |_| on_action.run(action)
                            >
                                {action.words()}
                            </button>
                        }
                    })
            }}
        </div>
    }
}
