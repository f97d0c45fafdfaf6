//! The bar at the top: where you are, what time it is, how the systems are, who you are.

use leptos::prelude::*;
use protocol::UnixMicros;

use crate::{
    grade::Tone,
    outage::SystemsFace,
    parts::icon::{Glyph, icon, small},
    route::Route,
    words,
};

/// Who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct PersonFace {
    /// Their name.
    pub(crate) name: String,
    /// Their roles.
    pub(crate) roles: String,
    /// Their organisation.
    pub(crate) organisation: String,
}

/// The mark of the house.
pub(crate) fn brand_mark() -> impl IntoView {
    view! {
        <svg class="brand__mark" viewBox="0 0 18 18" aria-hidden="true">
            <path d="M3 15V3l12 12V3" />
            <circle cx="3" cy="3" r="1.6" />
            <circle cx="15" cy="15" r="1.6" />
        </svg>
    }
}

/// Draws the bar.
#[component]
pub(crate) fn Header(
    #[prop(into)] systems: Signal<SystemsFace>,
    #[prop(into)] second: Signal<UnixMicros>,
    #[prop(into)] person: Signal<PersonFace>,
    #[prop(into)] route: Signal<Route>,
    #[prop(into)] calls: Signal<usize>,
    #[prop(into)] sees_cases: Signal<bool>,
    on_help: Callback<()>,
    on_sign_out: Callback<()>,
) -> impl IntoView {
    let tone = Memo::new(move |_| systems.with(|face| face.tone));
    let glyph = move || match tone.get() {
        Tone::Calm | Tone::Ok => Glyph::CircleCheck,
        Tone::Caution => Glyph::Triangle,
        Tone::Alarm => Glyph::Octagon,
    };
    view! {
        <header class="bar">
            <a href="/" class="brand">
                {brand_mark()}
                <span>"Nooterra"</span>
            </a>
            <nav class="nav" aria-label="Main">
                {link(route, Route::Fleet, Glyph::Fleet, "Fleet", Some(calls))}
                {link(route, Route::Jobs, Glyph::List, "Jobs", None)}
                <Show when=move || sees_cases.get()>
                    {link(route, Route::Cases, Glyph::Flag, "Cases", None)}
                </Show>
                {link(route, Route::Verify, Glyph::Shield, "Verify", None)}
            </nav>
            <span class="grow"></span>
            <button class="button button--ghost button--small bar__help" on:click=move |_| on_help.run(())>
                {icon(Glyph::Keyboard)} <span>"Keys"</span> <kbd>"?"</kbd>
            </button>
            <span class=move || format!("bar__systems {}", tone.get().class()) role="status">
                {move || small(glyph())}
                <span>{move || systems.with(|face| face.words.clone())}</span>
            </span>
            <time class="bar__clock">{move || format!("{} UTC", words::clock(second.get()))}</time>
            <UserMenu person keys=Route::Keys on_sign_out />
        </header>
    }
}

/// A way to a page; marked while the page, or one under it, is open.
fn link(
    route: Signal<Route>,
    to: Route,
    glyph: Glyph,
    words: &'static str,
    count: Option<Signal<usize>>,
) -> AnyView {
    let is_here = Memo::new(move |_| route.get().area() == Some(to));
    let count = move || {
        let count = count.map_or(0, |count| count.get());
        (count > 0).then(|| {
            view! {
                <span class="count">
                    {count} <span class="hidden">" waiting for help"</span>
                </span>
            }
        })
    };
    view! {
        <a href=to.to_string() aria-current=move || is_here.get().then_some("page")>
            {icon(glyph)}
            <span class="nav__words">{words}</span>
            {count}
        </a>
    }
    .into_any()
}

/// Draws who is signed in, with the way to their keys and the way out.
#[component]
pub(crate) fn UserMenu(
    person: Signal<PersonFace>,
    keys: Route,
    on_sign_out: Callback<()>,
) -> impl IntoView {
    let initials = move || person.with(|person| words::initials(&person.name));
    let name = move || person.with(|person| person.name.clone());
    view! {
        <button class="user" popovertarget="user-menu">
            <span class="hidden">"Signed in as "</span>
            <span class="avatar" aria-hidden="true">{initials}</span>
            <span class="user__name">
                <b>{name}</b>
                " "
                <span>{move || person.with(|person| person.roles.clone())}</span>
            </span>
            {small(Glyph::Down)}
        </button>
        <div id="user-menu" class="menu" popover="auto">
            <p class="menu__who">
                <b>{name}</b>
                <span>{move || person.with(|person| person.roles.clone())}</span>
                <span>{move || person.with(|person| person.organisation.clone())}</span>
            </p>
            <a class="menu__item" href=keys.to_string()>
                {icon(Glyph::Key)}
                "Your keys"
            </a>
            <button class="menu__item" on:click=move |_| on_sign_out.run(())>
                {icon(Glyph::Out)}
                "Sign out"
            </button>
        </div>
    }
}
