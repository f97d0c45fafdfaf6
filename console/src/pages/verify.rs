//! Checking a bundle, without anything leaving this computer.

use leptos::prelude::*;

/// The page that checks a bundle.
#[component]
pub(crate) fn VerifyPage() -> impl IntoView {
    document().set_title("Verify · Nooterra");
    view! { <h1>"Verify"</h1> }
}
