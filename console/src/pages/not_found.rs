//! What is shown where nothing is.

use leptos::prelude::*;

use crate::panels::header::brand_mark;

/// An address that leads nowhere.
#[component]
pub(crate) fn NotFound() -> impl IntoView {
    document().set_title("Not found · Nooterra");
    view! {
        <main class="alone">
            <div class="alone__card">
                <p class="brand">{brand_mark()} <span>"Nooterra"</span></p>
                <h1>"There is no page at this address"</h1>
                <p class="soft">"It may have been mistyped, or the robot it was about has left the fleet."</p>
                <a href="/" class="button button--primary">
                    "Open fleet"
                </a>
            </div>
        </main>
    }
}

/// A robot that is not in the roster.
#[component]
pub(crate) fn NoSuchRobot() -> impl IntoView {
    document().set_title("No such robot · Nooterra");
    view! {
        <div class="empty empty--page">
            <h1>"There is no such robot"</h1>
            <p class="soft">
                "No robot of this id is in the fleet that you may see. It may have been removed, or the link belongs to another organisation."
            </p>
            <a href="/" class="button">
                "Back to fleet"
            </a>
        </div>
    }
}

/// A job that is none, or none of the person's.
#[component]
pub(crate) fn NoSuchJob() -> impl IntoView {
    document().set_title("No such job · Nooterra");
    view! {
        <div class="empty empty--page">
            <h1>"There is no such job"</h1>
            <p class="soft">
                "No job of this id is among those that you may see. The link may have been mistyped, or belongs to another organisation."
            </p>
            <a href="/jobs" class="button">
                "Back to jobs"
            </a>
        </div>
    }
}
