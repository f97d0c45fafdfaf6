//! One job and all that happened to it.

use leptos::prelude::*;
use protocol::JobId;

/// The page of a job.
#[component]
pub(crate) fn JobPage(id: JobId) -> impl IntoView {
    document().set_title("Job · Nooterra");
    view! { <h1>{id.to_string()}</h1> }
}
