//! What somebody signs in and steers with: their passkeys, and the keys of their browsers.

use std::{future::Future, pin::Pin};

use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use protocol::{
    limits::MAX_NAME_CHARS,
    roster::KeyTier,
    views::{PasskeyView, PersonKeyView, Problem},
};

use super::{
    request::sure::{Question, Sure},
    served_code::ServedCode,
};
use crate::{
    api, browser, control,
    parts::{
        icon::{Glyph, icon, small},
        refusal::Refusal,
    },
    passkeys,
    session::{Session, SignInState},
    words,
};

const PERSON_KEYS: &str = "/api/v1/session/person-keys";

/// A key that is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Doomed {
    path: String,
    words: String,
    tier: KeyTier,
}

/// What is known, and what is wished.
#[derive(Clone, Copy)]
struct Keys {
    passkeys: RwSignal<Option<Vec<PasskeyView>>>,
    browsers: RwSignal<Option<Vec<PersonKeyView>>>,
    problem: RwSignal<Option<Problem>>,
    is_busy: RwSignal<bool>,
    doomed: RwSignal<Option<Doomed>>,
}

type Wish = Pin<Box<dyn Future<Output = Result<(), Problem>>>>;

impl Keys {
    fn new() -> Self {
        Self {
            passkeys: RwSignal::new(None),
            browsers: RwSignal::new(None),
            problem: RwSignal::new(None),
            is_busy: RwSignal::new(false),
            doomed: RwSignal::new(None),
        }
    }

    async fn load(self) {
        match passkeys::list().await {
            Ok(listed) => {
                let _set = self.passkeys.try_set(Some(listed));
            }
            Err(problem) => self.tell(problem),
        }
        match api::get::<Vec<PersonKeyView>>(PERSON_KEYS).await {
            Ok(mut listed) => {
                listed.retain(|key| key.tier == KeyTier::Browser);
                let _set = self.browsers.try_set(Some(listed));
            }
            Err(problem) => self.tell(problem),
        }
    }

    fn tell(self, problem: Problem) {
        // The page may have been left.
        let _set = self.problem.try_set(Some(problem));
    }

    /// Does what is wished. Where the gateway wants to see first that it is still them, a passkey shows it.
    fn does(self, wish: impl Fn() -> Wish + 'static) {
        if self.is_busy.get_untracked() {
            return;
        }
        self.is_busy.set(true);
        self.problem.set(None);
        spawn_local(async move {
            let mut done = wish().await;
            let has_passkey = self.passkeys.try_with_untracked(|listed| {
                listed.as_ref().is_some_and(|listed| !listed.is_empty())
            });
            if is_stale(&done) && has_passkey == Some(true) {
                done = match passkeys::prove().await {
                    Ok(()) => wish().await,
                    Err(problem) => Err(problem),
                };
            }
            let _set = self.is_busy.try_set(false);
            // Also after a refusal: it may have been half done.
            self.load().await;
            if let Err(problem) = done {
                self.tell(problem);
            }
        });
    }
}

fn is_stale(done: &Result<(), Problem>) -> bool {
    matches!(done, Err(problem) if problem.code == "proof_stale")
}

/// The page.
#[component]
pub(crate) fn KeysPage() -> impl IntoView {
    document().set_title("Your keys · Nooterra");
    let keys = Keys::new();
    spawn_local(keys.load());
    let session = expect_context::<Session>();
    let by = Memo::new(move |_| match session.state() {
        SignInState::SignedIn(view) if view.passkey.is_some() => "You signed in with a passkey.",
        _ => "You signed in with a link.",
    });
    view! {
        <div class="keyring">
            <h1>"Your keys"</h1>
            <p class="soft">
                "They sign you in, and show robots that it is you. Whoever signs your organisation's roster compares the digits with you. "
                {by}
            </p>
            <Refusal problem=keys.problem />
            <section class="panel" aria-labelledby="passkeys-title">
                <header>
                    <h2 id="passkeys-title">"Passkeys"</h2>
                    <span class="soft ellipsis">"In an authenticator that looks who uses it"</span>
                </header>
                <ul>
                    {move || match keys.passkeys.get() {
                        Some(listed) => passkey_rows(keys, &listed).into_any(),
                        None => awaited(keys).into_any(),
                    }}
                </ul>
                <Add keys />
            </section>
            <section class="panel" aria-labelledby="browsers-title">
                <header>
                    <h2 id="browsers-title">"Browser keys"</h2>
                    <span class="soft ellipsis">"Weaker: whoever uses that browser may use it"</span>
                </header>
                <ul>
                    {move || match keys.browsers.get() {
                        Some(listed) => browser_rows(keys, &listed).into_any(),
                        None => awaited(keys).into_any(),
                    }}
                </ul>
            </section>
            <ServedCode />
        </div>
        <Removal keys />
    }
}

/// In the place of keys that are not known yet: that they come, or a way to ask again.
fn awaited(keys: Keys) -> impl IntoView {
    let is_lost = move || keys.problem.with(Option::is_some);
    let again = move |_| {
        keys.problem.set(None);
        spawn_local(keys.load());
    };
    view! {
        <li>
            <Show
                when=is_lost
                fallback=|| {
                    view! {
                        <span class="skeleton" aria-busy="true" aria-label="Loading keys"></span>
                    }
                }
            >
                <span class="soft">"Not known: they could not be asked for."</span>
                <button class="button button--small" on:click=again>
                    "Try again"
                </button>
            </Show>
        </li>
    }
}

/// Asks before a key goes.
#[component]
fn Removal(keys: Keys) -> impl IntoView {
    let question = Signal::derive(move || {
        keys.doomed.get().map(|doomed| Question {
            title: format!("Remove {}?", doomed.words),
            rest: match doomed.tier {
                KeyTier::Passkey => {
                    "It signs nobody in any more, and robots stop believing it at once. It never comes back; your authenticator may go on showing it."
                }
                KeyTier::Browser => {
                    "Robots stop believing it at once. It never comes back: that browser makes another one when it takes control."
                }
            }
            .to_owned(),
            yes: "Remove",
            no: "Keep",
            is_warning: true,
        })
    });
    let remove = Callback::new(move |()| {
        let doomed = keys.doomed.get_untracked();
        keys.doomed.set(None);
        if let Some(doomed) = doomed {
            keys.does(move || {
                let path = doomed.path.clone();
                Box::pin(async move { api::send("DELETE", &path, None).await.map(|_| ()) })
            });
        }
        true
    });
    view! { <Sure question on_yes=remove on_no=Callback::new(move |()| keys.doomed.set(None)) /> }
}

/// A name for a new one, and the button that has the browser make it.
#[component]
fn Add(keys: Keys) -> impl IntoView {
    let name = RwSignal::new(String::new());
    let add = move |event: SubmitEvent| {
        event.prevent_default();
        let typed = name.get_untracked().trim().to_owned();
        let called = if typed.is_empty() {
            "Passkey".to_owned()
        } else {
            typed
        };
        keys.does(move || {
            let called = called.clone();
            Box::pin(async move {
                passkeys::add(&called).await?;
                let _set = name.try_set(String::new());
                Ok(())
            })
        });
    };
    view! {
        <form class="keyring__add" on:submit=add>
            <label for="passkey-name">"Name of a new one"</label>
            <input
                id="passkey-name"
                class="field"
                autocomplete="off"
                placeholder="Laptop, phone, security key"
                maxlength=MAX_NAME_CHARS.to_string()
                prop:value=name
                on:input:target=move |event| name.set(event.target().value())
            />
            <button
                class="button button--primary"
                type="submit"
                aria-disabled=move || keys.is_busy.get().then_some("true")
            >
                {icon(Glyph::Key)}
                "Add a passkey"
            </button>
        </form>
    }
}

fn passkey_rows(keys: Keys, listed: &[PasskeyView]) -> AnyView {
    if listed.is_empty() {
        return none("None yet. With one you sign in without a link, and robots know you better.");
    }
    let rows = listed.iter().map(|passkey| {
        let used = passkey.used_at.map_or_else(
            || "never used to sign in".to_owned(),
            |at| format!("signed in {}", words::day_minute(at)),
        );
        let doomed = Doomed {
            path: format!("/api/v1/session/passkeys/{}", passkey.key),
            words: format!("“{}”", passkey.name),
            tier: KeyTier::Passkey,
        };
        let line = format!(
            "Added {}, {used}. For {}",
            words::day_minute(passkey.added_at),
            passkey.relying_party
        );
        let stands = (passkey.is_rostered, passkey.is_demo);
        row(keys, &passkey.name, &passkey.key, stands, line, doomed)
    });
    rows.collect_view().into_any()
}

fn browser_rows(keys: Keys, listed: &[PersonKeyView]) -> AnyView {
    if listed.is_empty() {
        return none("None. A browser makes one when it takes control without a passkey.");
    }
    let rows = listed.iter().map(|key| {
        let doomed = Doomed {
            path: format!("{PERSON_KEYS}/{}", key.key),
            words: format!("browser key {}", control::key_digits(&key.key)),
            tier: KeyTier::Browser,
        };
        let line = format!("Added {}", words::day_minute(key.offered_at));
        let stands = (key.is_rostered, key.is_demo);
        row(keys, "Browser key", &key.key, stands, line, doomed)
    });
    rows.collect_view().into_any()
}

fn none(words: &'static str) -> AnyView {
    view! { <li class="soft">{words}</li> }.into_any()
}

fn row(
    keys: Keys,
    name: &str,
    key: &str,
    (is_rostered, is_demo): (bool, bool),
    line: String,
    doomed: Doomed,
) -> AnyView {
    let (glyph, stands) = match (is_rostered, is_demo) {
        (true, true) => (Glyph::CircleCheck, "On the roster, demo"),
        (true, false) => (Glyph::CircleCheck, "On the roster"),
        (false, _) => (Glyph::Ring, "Not on the roster"),
    };
    let digits = control::key_digits(key);
    let label = format!("Remove {}", doomed.words);
    let copied = digits.clone();
    view! {
        <li>
            <b class="ellipsis">{name.to_owned()}</b>
            <span class="badge">{small(glyph)} {stands}</span>
            <button
                class="keyring__digits"
                aria-label=format!("Copy {digits}")
                title="Copy"
                on:click=move |_| browser::copy(&copied)
            >
                <code>{digits.clone()}</code>
            </button>
            <span class="soft keyring__line">{line}</span>
            <button
                class="button button--small"
                aria-label=label
                aria-disabled=move || keys.is_busy.get().then_some("true")
                on:click=move |_| keys.doomed.set(Some(doomed.clone()))
            >
                "Remove"
            </button>
        </li>
    }
    .into_any()
}
