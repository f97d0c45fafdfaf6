//! Who is signed in, and the three calls about it.

use leptos::prelude::*;
use protocol::{
    PersonId,
    views::{Problem, SessionView, SignIn},
};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestCache, RequestCredentials, RequestInit, Response};

use crate::browser;

const SESSION: &str = "/api/v1/session";

/// What is known of the sign-in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SignInState {
    /// Not asked yet.
    Unknown,
    /// Nobody is signed in.
    SignedOut(Departure),
    /// Somebody is.
    SignedIn(Box<SessionView>),
    /// The gateway could not be asked.
    Failed(Problem),
}

/// How it came that nobody is signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Departure {
    /// Nobody had been.
    NeverCame,
    /// The gateway ended the session.
    Ended,
    /// The person signed out.
    Left,
    /// The person signed out, but the gateway could not be told: the browser still holds a session.
    LeftUntold,
}

/// The sign-in, for whoever asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Session {
    state: RwSignal<SignInState>,
}

impl Session {
    /// Nothing known yet.
    pub(crate) fn new() -> Self {
        Self {
            state: RwSignal::new(SignInState::Unknown),
        }
    }

    /// What is known, followed.
    pub(crate) fn state(self) -> SignInState {
        self.state.get()
    }

    /// Who is signed in, followed.
    pub(crate) fn person(self) -> Option<PersonId> {
        self.state.with(|state| match state {
            SignInState::SignedIn(view) => Some(view.person),
            SignInState::Unknown | SignInState::SignedOut { .. } | SignInState::Failed(_) => None,
        })
    }

    /// Whether somebody is signed in, followed.
    pub(crate) fn is_signed_in(self) -> bool {
        self.state
            .with(|state| matches!(state, SignInState::SignedIn(_)))
    }

    /// Asks the gateway who is signed in. A gateway that can't be asked changes nothing for somebody who was.
    pub(crate) async fn load(self) {
        let was_signed_in = self.is_signed_in_now();
        let answer = call("GET", None).await;
        if was_signed_in && !self.is_signed_in_now() {
            // The person left meanwhile: an answer from before that must not bring them back.
            return;
        }
        match answer {
            Ok(body) => match serde_json::from_slice(body.as_bytes()) {
                Ok(view) => self.state.set(SignInState::SignedIn(Box::new(view))),
                Err(_unreadable) => self.state.set(SignInState::Failed(unreadable())),
            },
            Err(problem) if problem.status == 401 => {
                self.state.set(SignInState::SignedOut(if was_signed_in {
                    Departure::Ended
                } else {
                    Departure::NeverCame
                }));
            }
            Err(_) if was_signed_in => {}
            Err(problem) => self.state.set(SignInState::Failed(problem)),
        }
    }

    /// Signs in with the secret of a link.
    pub(crate) async fn sign_in(self, link: String) -> Result<(), Problem> {
        let body = serde_json::to_string(&SignIn { link }).map_err(|_unwritable| unreadable())?;
        call("POST", Some(body)).await?;
        self.load().await;
        Ok(())
    }

    /// Signs out: on this page at once, and says so where the gateway could not be told.
    pub(crate) async fn sign_out(self) {
        self.state.set(SignInState::SignedOut(Departure::Left));
        match call("DELETE", None).await {
            Ok(_) => {}
            Err(problem) if problem.status == 401 => {}
            Err(_) => self
                .state
                .set(SignInState::SignedOut(Departure::LeftUntold)),
        }
    }

    fn is_signed_in_now(self) -> bool {
        self.state
            .with_untracked(|state| matches!(state, SignInState::SignedIn(_)))
    }
}

async fn call(method: &str, body: Option<String>) -> Result<String, Problem> {
    let (status, text) = fetch(method, body).await.map_err(|_error| unreachable())?;
    if (200..300).contains(&status) {
        return Ok(text);
    }
    Err(
        serde_json::from_slice(text.as_bytes()).unwrap_or_else(|_foreign| Problem {
            status,
            ..unreadable()
        }),
    )
}

async fn fetch(method: &str, body: Option<String>) -> Result<(u16, String), JsValue> {
    let headers = Headers::new()?;
    headers.set("Accept", "application/json, application/problem+json")?;
    let options = RequestInit::new();
    options.set_method(method);
    options.set_credentials(RequestCredentials::SameOrigin);
    options.set_cache(RequestCache::NoStore);
    if let Some(body) = body {
        headers.set("Content-Type", "application/json")?;
        headers.set("Idempotency-Key", &browser::fresh_id().to_string())?;
        options.set_body(&JsValue::from_str(&body));
    }
    options.set_headers(&headers);
    let response = JsFuture::from(window().fetch_with_str_and_init(SESSION, &options)).await?;
    let response: Response = response.dyn_into()?;
    let text = JsFuture::from(response.text()?).await?;
    Ok((response.status(), text.as_string().unwrap_or_default()))
}

/// Our own words for a gateway that did not answer at all.
fn unreachable() -> Problem {
    problem(
        0,
        "unreachable",
        "The gateway does not answer",
        "Check the network between this computer and the gateway, then try again.",
    )
}

/// Our own words for an answer that is none of the gateway's.
fn unreadable() -> Problem {
    problem(
        502,
        "unreadable",
        "The answer can't be read",
        "Something between this page and the gateway answered in its place.",
    )
}

fn problem(status: u16, code: &str, title: &str, detail: &str) -> Problem {
    Problem {
        kind: format!("https://nooterra.dev/problems/{code}"),
        title: title.to_owned(),
        status,
        code: code.to_owned(),
        detail: detail.to_owned(),
    }
}
