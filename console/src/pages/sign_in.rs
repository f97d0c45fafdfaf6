//! Signing in by a passkey or a link, and what to do without one.

use leptos::{prelude::*, task::spawn_local};
use protocol::views::Problem;

use super::parts;
use crate::{
    navigation::Navigation,
    panels::header::brand_mark,
    parts::icon::{Glyph, icon},
    session::{Departure, Session, SignInState},
};

/// Where a sign-in by link stands.
#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// No link in the address.
    NoLink,
    /// The gateway looks at it, or the browser asks for a passkey.
    Checking,
    /// The gateway turned it down.
    Refused(Problem),
}

/// The sign-in page.
#[component]
pub(crate) fn SignIn() -> impl IntoView {
    document().set_title("Sign in · Nooterra");
    let session = expect_context::<Session>();
    let step = RwSignal::new(Step::NoLink);
    let navigation = expect_context::<Navigation>();
    Effect::new(move |_| {
        if session.is_signed_in() {
            navigation.enter(session.only_books());
        }
    });

    let redeem = move |link: String| {
        step.set(Step::Checking);
        spawn_local(async move {
            if let Err(problem) = session.sign_in(link).await {
                step.set(Step::Refused(problem));
            }
        });
    };
    if let Some(link) = take_link() {
        redeem(link);
    }
    // A second link pasted into the same tab changes only the fragment, which loads nothing by itself.
    let changed = window_event_listener(leptos::ev::hashchange, move |_| {
        if let Some(link) = take_link() {
            redeem(link);
        }
    });
    on_cleanup(move || changed.remove());

    let by_passkey = move |_| {
        step.set(Step::Checking);
        spawn_local(async move {
            let signed_in = match parts::sign_in_by_passkey().await {
                Ok(signing) => signing.await,
                Err(not_loaded) => Err(not_loaded.into()),
            };
            match signed_in {
                Ok(()) => session.load().await,
                Err(problem) => step.set(Step::Refused(problem)),
            }
        });
    };

    view! {
        <main class="alone">
            <div class="alone__card">
                <p class="brand">{brand_mark()} <span>"Nooterra"</span></p>
                {move || match step.get() {
                    Step::Checking => view! { <Checking /> }.into_any(),
                    Step::Refused(problem) => view! { <Refused problem /> }.into_any(),
                    Step::NoLink => view! { <NoLink session /> }.into_any(),
                }}
                <button class="button button--primary" on:click=by_passkey>
                    {icon(Glyph::Key)}
                    "Sign in with a passkey"
                </button>
            </div>
        </main>
    }
}

/// Takes the secret out of the address, so that it stays in no history and on no screen.
fn take_link() -> Option<String> {
    let location = window().location();
    let hash = location.hash().ok()?;
    let link = hash.strip_prefix("#link=")?.to_owned();
    let path = location.pathname().ok()?;
    // A browser that keeps the fragment has still read it only here.
    let _cleared = window().history().and_then(|history| {
        history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(&path))
    });
    (!link.is_empty()).then_some(link)
}

#[component]
fn Checking() -> impl IntoView {
    view! {
        <h1>"Signing in"</h1>
        <p class="soft" role="status">
            "The gateway checks that it is you."
        </p>
        <span class="skeleton"></span>
    }
}

#[component]
fn Refused(problem: Problem) -> impl IntoView {
    view! {
        <h1>"You are not signed in"</h1>
        <div class="notice notice--alarm" role="alert">
            {icon(Glyph::Octagon)}
            <div>
                <b>{problem.title}</b>
                <p>{problem.detail}</p>
                <code>{problem.code}</code>
            </div>
        </div>
        <p class="soft">"A link works once and for a short time. Ask for a new one and open it here."</p>
        <HowToGetALink />
    }
}

#[component]
fn NoLink(session: Session) -> impl IntoView {
    let departure = Memo::new(move |_| match session.state() {
        SignInState::SignedOut(departure) => Some(departure),
        SignInState::Unknown | SignInState::SignedIn(_) | SignInState::Failed(_) => None,
    });
    view! {
        <h1>"Sign in"</h1>
        {move || match departure.get() {
            Some(Departure::Ended) => {
                Some(notice("Your session has ended. Sign in again to go on where you were.").into_any())
            }
            Some(Departure::Left) => Some(notice("You are signed out.").into_any()),
            Some(Departure::LeftUntold) => Some(view! { <Untold session /> }.into_any()),
            Some(Departure::NeverCame) | None => None,
        }}
        <p class="soft">
            "You sign in with a passkey, or by opening a personal link: the first time, and where you have none. There is no password."
        </p>
        <HowToGetALink />
    }
}

fn notice(words: &'static str) -> impl IntoView {
    view! {
        <div class="notice" role="status">
            {icon(Glyph::Clock)}
            <p>{words}</p>
        </div>
    }
}

#[component]
fn Untold(session: Session) -> impl IntoView {
    view! {
        <div class="notice notice--alarm" role="alert">
            {icon(Glyph::Octagon)}
            <div>
                <b>"Signed out on this page only"</b>
                <p>
                    "The gateway could not be told. Until it is, whoever uses this browser can go on as you."
                </p>
            </div>
        </div>
        <button class="button" on:click=move |_| spawn_local(session.sign_out())>
            "Sign out again"
        </button>
    }
}

#[component]
fn HowToGetALink() -> impl IntoView {
    view! {
        <dl class="ways">
            <dt>{icon(Glyph::Link)} "In the demo"</dt>
            <dd>
                "The terminal that runs " <code>"cargo xtask demo"</code> " prints one link for each role."
            </dd>
            <dt>{icon(Glyph::Person)} "Anywhere else"</dt>
            <dd>"An admin of your organisation makes a link for you and sends it to you alone."</dd>
        </dl>
    }
}
