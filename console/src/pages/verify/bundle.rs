//! The file: dropped or chosen, and what it says of itself.

use leptos::{ev, prelude::*};
use web_sys::HtmlInputElement;

use super::checking::Checking;
use crate::{
    parts::icon::{Glyph, icon},
    verdict, words,
};

#[component]
pub(super) fn BundlePanel(checking: Checking) -> impl IntoView {
    let chose = move |event: ev::Targeted<ev::Event, HtmlInputElement>| {
        let input = event.target();
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            checking.choose(file);
        }
        // The same file again is a choice too.
        input.set_value("");
    };
    let invitation = move || {
        if checking.chosen.with(Option::is_some) {
            "Drop another bundle"
        } else {
            "Drop a bundle"
        }
    };
    view! {
        <label class="verify__drop">
            {icon(Glyph::Up)}
            <span>
                <b>{invitation}</b>
                " or "
                <span class="verify__link">"choose a file"</span>
            </span>
            <small class="faint">".nooterra, up to 256 MB"</small>
            <input type="file" class="hidden" accept=".nooterra" on:change:target=chose />
        </label>
        {move || {
            checking
                .trouble
                .get()
                .map(|trouble| {
                    view! {
                        <div class="notice notice--alarm" role="alert">
                            {icon(Glyph::Octagon)} <p>{trouble}</p>
                        </div>
                    }
                })
        }}
        {move || checking.chosen.with(Option::is_some).then(|| view! { <Facts checking /> })}
    }
}

#[component]
fn Facts(checking: Checking) -> impl IntoView {
    let name = move || {
        checking
            .chosen
            .with(|chosen| chosen.as_ref().map(|chosen| chosen.name.clone()))
    };
    let bytes = move || {
        let bytes = checking
            .chosen
            .with(|chosen| chosen.as_ref().map(|chosen| chosen.bytes));
        verdict::size(bytes.unwrap_or_default())
    };
    let hash = move || {
        checking.chosen.with(|chosen| {
            let hash = chosen.as_ref().and_then(|chosen| chosen.sha256);
            hash.map_or_else(|| "—".to_owned(), |hash| words::short_hash(&hash))
        })
    };
    view! {
        <section class="panel" aria-label="What the bundle says it is">
            <header>
                {icon(Glyph::Box)}
                <h2 class="ellipsis">{name}</h2>
            </header>
            <dl class="pairs panel__body">
                <dt>"Size"</dt>
                <dd class="number">{bytes}</dd>
                {move || checking.report.with(|report| report.as_ref().map(claimed))}
                <dt>"File hash"</dt>
                <dd class="number">{hash}</dd>
            </dl>
        </section>
    }
}

/// Nothing of this is proved by its standing here.
fn claimed(report: &ledger::verify::Report) -> Option<impl IntoView + use<>> {
    let facts = report.facts.as_ref()?;
    let job = facts.job.to_string();
    let exported = words::moment(facts.exported_at).map(words::day_minute);
    let tree = facts.checkpoint.as_ref().map(|tree| tree.size.to_string());
    let cases = facts.cases.iter().map(|case| {
        let case = case.to_string();
        view! {
            <dt>"Case"</dt>
            <dd class="number ellipsis" title=case.clone()>
                {case.clone()}
            </dd>
        }
    });
    Some(view! {
        <dt>"Job"</dt>
        <dd class="number ellipsis" title=job.clone()>
            {job.clone()}
        </dd>
        {cases.collect::<Vec<_>>()}
        <dt>"Exported"</dt>
        <dd class="number">{exported}</dd>
        <dt>"Entries"</dt>
        <dd class="number">{facts.entries}</dd>
        <dt>"Checkpoint"</dt>
        <dd class="number">{tree}</dd>
    })
}
