//! What is loaded when it is first used, so that opening the console doesn't wait for it. What stops the selected robot is never in it.

use std::{future::Future, pin::Pin};

use leptos::{prelude::*, wasm_split::SplitLoaderError};
use protocol::views::Problem;

use crate::{
    api,
    parts::icon::{Glyph, large},
};

/// A part of the console did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotLoaded;

impl From<SplitLoaderError> for NotLoaded {
    fn from(_why: SplitLoaderError) -> Self {
        Self
    }
}

impl From<NotLoaded> for Problem {
    fn from(_nothing_to_tell: NotLoaded) -> Self {
        api::unreachable()
    }
}

/// Work that begins once its part of the console is there.
pub(crate) type Later<T> = Result<Pin<Box<dyn Future<Output = T>>>, NotLoaded>;

/// Draws a page once it is there. One that does not come can be asked for again.
pub(crate) fn page<Loading>(load: impl Fn() -> Loading + Copy + Send + Sync + 'static) -> AnyView
where
    Loading: Future<Output = Result<AnyView, NotLoaded>> + Send + 'static,
{
    let is_here = RwSignal::new(false);
    let drawn = drawn(load, is_here);
    view! {
        <Show when=move || !is_here.get()>
            <div class="board__loading" aria-busy="true" aria-label="Loading the page">
                {(0..4).map(|_| view! { <span class="skeleton"></span> }).collect_view()}
            </div>
        </Show>
        {drawn}
    }
    .into_any()
}

/// The same for a part of a page that is there already: nothing stands in its place meanwhile.
pub(crate) fn part<Loading>(load: impl Fn() -> Loading + Copy + Send + Sync + 'static) -> AnyView
where
    Loading: Future<Output = Result<AnyView, NotLoaded>> + Send + 'static,
{
    drawn(load, RwSignal::new(false))
}

fn drawn<Loading>(
    load: impl Fn() -> Loading + Copy + Send + Sync + 'static,
    is_here: RwSignal<bool>,
) -> AnyView
where
    Loading: Future<Output = Result<AnyView, NotLoaded>> + Send + 'static,
{
    let attempt = RwSignal::new(0_u32);
    let drawn = move || {
        attempt.track();
        let coming: Pin<Box<dyn Future<Output = AnyView> + Send>> = Box::pin({
            let loading = load();
            async move {
                let came = loading.await;
                // The page may have been left meanwhile.
                let _told = is_here.try_set(true);
                came.unwrap_or_else(|NotLoaded| not_loaded(attempt))
            }
        });
        Suspend::new(coming)
    };
    drawn.into_any()
}

fn not_loaded(attempt: RwSignal<u32>) -> AnyView {
    view! {
        <div class="empty empty--page" role="alert">
            {large(Glyph::Octagon)} <b>"This page did not load"</b>
            <p class="soft">"The gateway did not give it. Robots go on, and stop works."</p>
            <button class="button" on:click=move |_| attempt.update(|attempt| *attempt += 1)>
                "Try again"
            </button>
        </div>
    }
    .into_any()
}
