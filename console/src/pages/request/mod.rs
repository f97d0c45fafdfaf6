//! The requester's own pages: light, one task a page, the phone first. No safety bar: that is the operators'.

mod access;
mod answer;
mod asked;
mod cards;
mod complaint;
pub(super) mod desk;
mod field;
mod job;
mod list;
pub(super) mod mark;
mod order;
mod photos;
mod picture;
mod summary;
pub(in crate::pages) mod sure;
mod window;

use leptos::{prelude::*, task::spawn_local};

use protocol::{JobId, views::Problem};

use super::{parts, shell::SignedIn, shell_faces};
use crate::{
    later,
    live::engine::Live,
    navigation::Navigation,
    panels::header::{PersonFace, UserMenu, brand_mark},
    parts::icon::{Glyph, icon},
    route::Route,
    session::{Session, SignInState},
};

/// A job that was asked for and the access that was not given with it, and why not: its own page offers it again.
#[derive(Debug, Clone, Copy)]
struct Ungranted(RwSignal<Option<(JobId, Problem)>>);

/// The requester's pages, for whoever is signed in.
#[component]
pub(crate) fn RequestPages() -> impl IntoView {
    let root = document().document_element();
    if let Some(root) = &root {
        // In a browser that refuses, the pages are dark.
        let _lit = root.set_attribute("data-theme", "light");
    }
    on_cleanup(|| {
        if let Some(root) = document().document_element() {
            let _dark = root.remove_attribute("data-theme");
        }
    });
    view! {
        <SignedIn>
            <Inside />
        </SignedIn>
    }
}

#[component]
fn Inside() -> impl IntoView {
    let navigation = expect_context::<Navigation>();
    provide_context(Ungranted(RwSignal::new(None)));
    let route = Memo::new(move |_| navigation.route());
    view! {
        <a class="skip" href="#main">
            "Skip to content"
        </a>
        <Bar route />
        <Lost />
        <main id="main" class="main" tabindex="-1">
            {move || page(route.get())}
        </main>
    }
}

fn page(route: Route) -> AnyView {
    match route {
        Route::RequestNew => view! { <order::OrderPage /> }.into_any(),
        Route::RequestJob(id) => view! { <job::JobPage id /> }.into_any(),
        Route::RequestComplaint(id) => view! { <complaint::ComplaintPage id /> }.into_any(),
        Route::RequestKeys => later::page(parts::keys),
        Route::Request
        | Route::Fleet
        | Route::Robot(_)
        | Route::NoRobot
        | Route::Jobs
        | Route::Job(_)
        | Route::NoJob
        | Route::Cases
        | Route::Verify
        | Route::Receipts(_)
        | Route::Receipt(..)
        | Route::Keys
        | Route::SignIn
        | Route::Nowhere => view! { <list::ListPage /> }.into_any(),
    }
}

/// The bar: where you are, who you are.
#[component]
fn Bar(route: Memo<Route>) -> impl IntoView {
    let session = expect_context::<Session>();
    let person = Memo::new(move |_| match session.state() {
        SignInState::SignedIn(view) => shell_faces::person(&view),
        SignInState::Unknown | SignInState::SignedOut(_) | SignInState::Failed(_) => {
            PersonFace::default()
        }
    });
    let link = move |to: Route, words: &'static str| {
        view! {
            <a href=to.to_string() aria-current=move || (route.get() == to).then_some("page")>
                {words}
            </a>
        }
    };
    let has_fleet = Memo::new(move |_| !session.only_books());
    view! {
        <header class="rbar">
            <a href="/request" class="brand">
                {brand_mark()}
                <span>"Nooterra"</span>
            </a>
            <nav class="nav" aria-label="Main">
                {link(Route::RequestNew, "Ask for a robot")} {link(Route::Request, "My jobs")}
                {move || has_fleet.get().then(|| link(Route::Fleet, "Fleet"))}
            </nav>
            <span class="grow"></span>
            <UserMenu
                person=person.into()
                keys=Route::RequestKeys
                on_sign_out=Callback::new(move |()| spawn_local(session.sign_out()))
            />
        </header>
    }
}

/// What is lost while the gateway is away, and what that means here.
#[component]
fn Lost() -> impl IntoView {
    let live = expect_context::<Live>();
    let is_lost = Memo::new(move |_| live.read(|model| model.connection.lost_at.is_some()));
    view! {
        <div class="banners" role="status">
            <Show when=move || is_lost.get()>
                <div class="banner banner--alarm">
                    {icon(Glyph::Octagon)}
                    <p>
                        <b>"No connection."</b>
                        " What you see is old. Trying again. Robots go on with what was agreed."
                    </p>
                </div>
            </Show>
        </div>
    }
}
