//! The requester's own pages.

use leptos::prelude::*;

use super::shell::SignedIn;

/// The requester's pages, for whoever is signed in.
#[component]
pub(crate) fn RequestPages() -> impl IntoView {
    document().set_title("My jobs · Nooterra");
    view! {
        <SignedIn>
            <main id="main" class="main" tabindex="-1">
                <h1>"My jobs"</h1>
            </main>
        </SignedIn>
    }
}
