//! The keys that the person trusts, kept in this browser.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use leptos::{prelude::*, task::spawn_local};
use protocol::views::LogKeysView;

use super::checking::Checking;
use crate::{
    api,
    parts::icon::{Glyph, icon, small},
    verdict::{self, TrustedKey},
};

#[component]
pub(super) fn Trusted(checking: Checking) -> impl IntoView {
    let is_adding = RwSignal::new(false);
    let rows = move || {
        let keys = checking.keys.get();
        let rows = keys
            .iter()
            .enumerate()
            .map(|(at, key)| row(checking, at, key));
        rows.collect::<Vec<_>>()
    };
    view! {
        <section class="panel" aria-label="Keys you trust">
            <header>
                {icon(Glyph::Key)} <h2 class="grow">"Keys you trust"</h2>
                <button
                    class="button button--small button--ghost"
                    aria-expanded=move || is_adding.get().to_string()
                    on:click=move |_| is_adding.update(|is_adding| *is_adding = !*is_adding)
                >
                    {small(Glyph::Plus)}
                    "Add"
                </button>
            </header>
            <div class="panel__body verify__keys">
                <ul>{rows}</ul>
                <p class="faint" hidden=move || checking.keys.with(|keys| !keys.is_empty())>
                    "None yet. Without any, a bundle is compared with itself only."
                </p>
                <Show when=move || is_adding.get()>
                    <Adding checking on_done=move || is_adding.set(false) />
                </Show>
                <p class="faint">
                    "Compare these with the paper you were given. A key that came inside the bundle proves nothing."
                </p>
            </div>
        </section>
    }
}

fn row(checking: Checking, at: usize, key: &TrustedKey) -> impl IntoView + use<> {
    let label = format!("Remove {} {}", key.sort.to_lowercase(), key.short);
    let remove = move |_| {
        let mut keys = checking.keys.get_untracked();
        if at < keys.len() {
            keys.remove(at);
        }
        checking.trust(keys);
    };
    view! {
        <li class="line">
            <span class="grow ellipsis">
                {key.sort} " " <span class="faint">{key.name.clone()}</span>
            </span>
            <code title=key.line.clone()>{key.short.clone()}</code>
            <button class="button button--small button--ghost" aria-label=label on:click=remove>
                {small(Glyph::Cross)}
            </button>
        </li>
    }
}

/// A place to paste keys into.
#[component]
fn Adding(checking: Checking, on_done: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    let text = RwSignal::new(String::new());
    let trouble = RwSignal::new(None::<String>);
    let add = move |_| {
        let mut all = checking
            .keys
            .with_untracked(|keys| verdict::keys_text(keys));
        let pasted = text.get_untracked();
        match verdict::trusted_keys(&pasted) {
            Ok(keys) if keys.is_empty() => {
                trouble.set(Some("Paste a key, such as `gateway 8a88…`.".to_owned()));
            }
            Ok(_) => {
                all.push_str(&pasted);
                checking.trust(verdict::trusted_keys(&all).unwrap_or_default());
                on_done();
            }
            Err(bad) => trouble.set(Some(crate::words::capitalised(&bad.to_string()))),
        }
    };
    let ask = move |_| {
        spawn_local(async move {
            let lines = gateways_own().await;
            if lines.is_none() {
                let words = "The gateway does not tell its keys now. Paste them instead.";
                let _told = trouble.try_set(Some(words.to_owned()));
            }
            let _told = lines.map(|lines| text.try_set(lines));
        });
    };
    view! {
        <div class="verify__adding">
            <label for="verify-keys">"One key a line: gateway, log or witness"</label>
            <textarea
                id="verify-keys"
                class="field"
                rows="4"
                spellcheck="false"
                placeholder="gateway 8a88e3dd…\nlog log.example+b6e4…"
                aria-invalid=move || trouble.with(Option::is_some).to_string()
                prop:value=text
                on:input:target=move |event| text.set(event.target().value())
            ></textarea>
            <p class="alarm line" role="alert" hidden=move || trouble.with(Option::is_none)>
                {small(Glyph::Octagon)} <span>{trouble}</span>
            </p>
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
