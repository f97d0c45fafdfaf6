//! Complaints to look at.

use leptos::prelude::*;

/// The list of complaints.
#[component]
pub(crate) fn CasesPage() -> impl IntoView {
    document().set_title("Cases · Nooterra");
    view! { <h1>"Cases"</h1> }
}
