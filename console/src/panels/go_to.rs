//! The keyboard's way to a target: choose a named place and send the robot there.

use leptos::{html, prelude::*};
use protocol::{command::Verb, robot::Pose};
use web_sys::EventTarget;

use crate::{
    arming::Withheld,
    parts::icon::{Glyph, small},
};

/// A place to choose.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PlaceChoice {
    /// Its name.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) pose: Pose,
}

/// The order to drive to a named place and look where it says.
pub(crate) const fn to_place(pose: Pose) -> Verb {
    Verb::NavigateTo {
        x_m: pose.x_m,
        y_m: pose.y_m,
        heading_rad: Some(pose.heading_rad),
    }
}

/// Draws the choice and its button.
#[component]
pub(crate) fn GoTo(
    #[prop(into)] places: Signal<Vec<PlaceChoice>>,
    #[prop(into)] robot: Signal<String>,
    #[prop(into)] withheld: Signal<Option<Withheld>>,
    field: NodeRef<html::Select>,
    on_go: Callback<Verb>,
) -> impl IntoView {
    let chosen = RwSignal::new(0_usize);
    let is_withheld = Memo::new(move |_| withheld.with(Option::is_some));
    let option = |(place, choice): (usize, PlaceChoice)| {
        view! { <option value=place.to_string()>{choice.name}</option> }
    };
    let go = move || {
        if is_withheld.get_untracked() {
            return;
        }
        let pose = places
            .with_untracked(|places| places.get(chosen.get_untracked()).map(|choice| choice.pose));
        if let Some(pose) = pose {
            on_go.run(to_place(pose));
        }
    };
    view! {
        <div class="go">
            <label class="hidden" for="go-place">
                "Place to drive to"
            </label>
            <select
                id="go-place"
                class="field"
                node_ref=field
                on:change:target=move |event| {
                    chosen.set(event.target().value().parse().unwrap_or_default());
                }
                on:keydown=move |event| {
                    // In the open list Enter chooses.
                    let is_closed = event.target() == field.get_untracked().map(EventTarget::from);
                    if event.key() == "Enter" && is_closed {
                        event.prevent_default();
                        go();
                    }
                }
            >
                {move || places.get().into_iter().enumerate().map(option).collect_view()}
            </select>
            <button
                class="button button--primary"
                aria-disabled=move || is_withheld.get().then_some("true")
                on:click=move |_| go()
            >
                {move || is_withheld.get().then(|| small(Glyph::Lock))}
                <span class="ellipsis">{move || format!("Send {}", robot.get())}</span>
                <kbd>"Enter"</kbd>
            </button>
            <Why withheld />
        </div>
    }
}

#[component]
fn Why(withheld: Signal<Option<Withheld>>) -> impl IntoView {
    view! {
        <p class="go__why" role="status">
            {move || {
                withheld
                    .get()
                    .map(|withheld| {
                        view! {
                            <b class="alarm">{small(Glyph::Lock)} " Targets withheld: "</b>
                            <span>{withheld.why} ". "</span>
                            <span class="faint">{withheld.way_out}</span>
                        }
                    })
            }}
        </p>
    }
}
