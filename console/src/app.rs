//! The whole page: who is signed in, the live side, and which address shows what.

use leptos::{prelude::*, task::spawn_local};
use leptos_router::{
    components::{ParentRoute, Route, Router, Routes},
    path,
};

use crate::{
    live::engine::Live,
    pages::{fleet::FleetPage, live::LivePage, not_found::NotFound, shell::Shell, sign_in::SignIn},
    session::Session,
};

/// The whole page.
#[component]
pub(crate) fn App() -> impl IntoView {
    let session = Session::new();
    provide_context(session);
    provide_context(Live::new(session));
    spawn_local(session.load());
    view! {
        <Router>
            <Routes fallback=|| view! { <NotFound /> }>
                <Route path=path!("/sign-in") view=SignIn />
                <ParentRoute path=path!("") view=Shell>
                    <Route path=path!("") view=FleetPage />
                    <Route path=path!("/robots/:id") view=LivePage />
                </ParentRoute>
            </Routes>
        </Router>
    }
}
