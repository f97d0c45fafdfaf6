//! The keys that the person trusts, kept in this browser.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use leptos::{prelude::*, task::spawn_local};
use protocol::views::LogKeysView;

use super::{
    checking::Checking,
    pasting::{Pasted, Toggle, Trouble, focus_back},
};
use crate::{
    api,
    parts::icon::{Glyph, icon, small},
    verdict::{self, TrustedKey},
    words,
};

#[component]
pub(super) fn Trusted(checking: Checking) -> impl IntoView {
    let is_adding = RwSignal::new(false);
    let toggle = NodeRef::new();
    let remove = move |at: usize| {
        let mut keys = checking.keys.get_untracked();
        if at < keys.len() {
            keys.remove(at);
        }
        focus_back(toggle);
        checking.trust(keys);
    };
    let rows = move || {
        let keys = checking.keys.get();
        let rows = keys
            .iter()
            .enumerate()
            .map(|(at, key)| row(key, move || remove(at)));
        rows.collect::<Vec<_>>()
    };
    view! {
        <section class="panel" aria-label="Keys you trust">
            <header>
                {icon(Glyph::Key)} <h2 class="grow">"Keys you trust"</h2>
                <Toggle word=Signal::stored("Add") label=Signal::stored("Add keys") is_open=is_adding button=toggle />
            </header>
            <div class="panel__body verify__keys">
                <ul>{rows}</ul>
                <p class="faint" hidden=move || checking.keys.with(|keys| !keys.is_empty())>
                    "None yet. Without any, a bundle is compared with itself only."
                </p>
                <Show when=move || is_adding.get()>
                    <Adding
                        checking
                        on_done=move || {
                            focus_back(toggle);
                            is_adding.set(false);
                        }
                    />
                </Show>
                <p class="faint">
                    "Compare these with the paper you were given. A key that came inside the bundle proves nothing."
                </p>
            </div>
        </section>
    }
}

fn row<Remove: Fn() + 'static>(key: &TrustedKey, remove: Remove) -> impl IntoView + use<Remove> {
    let label = format!("Remove {} {}", key.sort.to_lowercase(), key.short);
    view! {
        <li class="line">
            <span class="grow ellipsis">
                {key.sort} " " <span class="faint">{key.name.clone()}</span>
            </span>
            <code title=key.line.clone()>{key.short.clone()}</code>
            <button class="button button--small button--ghost" aria-label=label on:click=move |_| remove()>
                {small(Glyph::Cross)}
            </button>
        </li>
    }
}

const KEYS: &str = "verify-keys";

/// A place to paste keys into.
#[component]
fn Adding(checking: Checking, on_done: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let trouble = RwSignal::new(None::<Trouble>);
    let wrong = |words: String| Some(Trouble { field: KEYS, words });
    let add = move |_| {
        let mut all = checking
            .keys
            .with_untracked(|keys| verdict::keys_text(keys));
        let pasted = text.get_untracked();
        match verdict::trusted_keys(&pasted) {
            Ok(keys) if keys.is_empty() => {
                trouble.set(wrong("Paste a key, such as `gateway 8a88…`.".to_owned()));
            }
            Ok(_) => {
                all.push_str(&pasted);
                checking.trust(verdict::trusted_keys(&all).unwrap_or_default());
                on_done();
            }
            Err(bad) => trouble.set(wrong(words::capitalised(&bad.to_string()))),
        }
    };
    let ask = move |_| {
        spawn_local(async move {
            let lines = gateways_own().await;
            if lines.is_none() {
                let words = "The gateway does not tell its keys now. Paste them instead.";
                let _told = trouble.try_set(wrong(words.to_owned()));
            }
            let _told = lines.map(|lines| text.try_set(lines));
        });
    };
    view! {
        <div class="verify__adding">
            <Pasted
                id=KEYS
                label="One key a line: gateway, log or witness"
                rows="4"
                placeholder="gateway 8a88e3dd…\nlog log.example+b6e4…"
                text
                trouble
            />
            <div class="line">
                <button class="button button--small button--primary" on:click=add>
                    "Trust these keys"
                </button>
                <button class="button button--small" on:click=ask>
                    "Fill in this gateway's keys"
                </button>
            </div>
            <p class="faint">
                "Keys that this gateway names prove nothing against this gateway: compare them too."
            </p>
        </div>
    }
}

/// The keys that the gateway names as its own, a line each.
async fn gateways_own() -> Option<String> {
    let told = api::get::<LogKeysView>("/api/v1/log/keys").await.ok()?;
    let gateway = STANDARD.decode(&told.gateway).ok()?;
    Some(format!(
        "gateway {}\nlog {}\n",
        hex::encode(gateway),
        told.log
    ))
}
