//! The jobs board.

use leptos::prelude::*;

/// The jobs board.
#[component]
pub(crate) fn JobsPage() -> impl IntoView {
    document().set_title("Jobs · Nooterra");
    view! { <h1>"Jobs"</h1> }
}
