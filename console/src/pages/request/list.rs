//! "My jobs": what somebody asked for and where it stands.

use std::sync::Arc;

use leptos::{prelude::*, task::spawn_local};
use protocol::views::{JobView, Page, Problem};

use super::{
    desk::on_connection,
    mark::{self, ZONE},
};
use crate::{
    api, browser,
    live::{engine::Live, reduce::Input},
    parts::{
        icon::{Glyph, icon, large},
        refusal::Refusal,
    },
    request::{
        Mood,
        state::{due, sort, state},
    },
    route::Route,
    session::Session,
};

/// Jobs that are asked for at once: as many as a phone scrolls through.
const ROWS: u32 = 30;

/// The list.
#[component]
pub(crate) fn ListPage() -> impl IntoView {
    document().set_title("My jobs · Nooterra");
    let live = expect_context::<Live>();
    let session = expect_context::<Session>();
    let failed = RwSignal::new(None::<Problem>);
    let is_known = RwSignal::new(false);
    let older = RwSignal::new(None::<String>);
    let ask = move |cursor: Option<String>| {
        spawn_local(async move {
            let cursor = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
            let path = format!("/api/v1/jobs?mine=true&limit={ROWS}{cursor}");
            match api::get::<Page<JobView>>(&path).await {
                Ok(page) => {
                    live.tell(Input::Jobs(page.items));
                    let _set = failed.try_set(None);
                    let _set = older.try_set(page.next);
                    let _set = is_known.try_set(true);
                }
                Err(problem) => {
                    let _set = failed.try_set(Some(problem));
                }
            }
        });
    };
    on_connection(live, move || ask(None));
    let jobs = Memo::new(move |_| {
        let me = session.person();
        let mut mine: Vec<JobView> = live.read(|model| {
            let all = model.jobs.all().map(Arc::as_ref);
            all.filter(|job| Some(job.requester) == me)
                .cloned()
                .collect()
        });
        sort(&mut mine);
        mine
    });
    view! {
        <div class="rpage">
            <header class="rhead">
                <h1>"My jobs"</h1>
                <span class="grow"></span>
                <a href="/request/new" class="button button--primary">
                    {icon(Glyph::Plus)}
                    "Ask for a robot"
                </a>
            </header>
            <Refusal problem=failed />
            <ul class="rjobs" aria-label="My jobs">
                {move || jobs.get().iter().map(|job| row(live, job)).collect_view()}
            </ul>
            {move || {
                let is_empty = jobs.with(Vec::is_empty);
                match (is_empty, is_known.get()) {
                    (true, true) => Some(nothing().into_any()),
                    (true, false) if failed.with(Option::is_none) => {
                        Some(
                            view! { <span class="skeleton" aria-label="Loading your jobs" role="status"></span> }
                                .into_any(),
                        )
                    }
                    (true | false, true | false) => None,
                }
            }}
            {move || {
                older
                    .get()
                    .map(|cursor| {
                        view! {
                            <button class="button" on:click=move |_| ask(Some(cursor.clone()))>
                                "Show older jobs"
                            </button>
                        }
                    })
            }}
        </div>
    }
}

fn row(live: Live, job: &JobView) -> impl IntoView + use<> {
    let told = state(job);
    let now = mark::gateway_now(live, browser::now());
    let (words, moment) = due(job, ZONE, now);
    let robot = job
        .robot_name
        .as_ref()
        .map_or_else(String::new, |name| format!("{name}, "));
    let is_yours = told.mood == Mood::Human && job.operator_name.is_none();
    view! {
        <li>
            <a href=Route::RequestJob(job.job).to_string() class:is-yours=is_yours>
                <b class="ellipsis">{job.plan.title.clone()}</b>
                <span class="rsmall">
                    {format!("{robot}{}, {}", job.site_name, words.to_lowercase())} " "
                    <time>{moment}</time>
                </span>
                {mark::state(&told)}
            </a>
        </li>
    }
}

fn nothing() -> impl IntoView {
    view! {
        <div class="empty">
            {large(Glyph::Robot)} <b>"You have not asked for anything yet"</b>
            <p class="soft">
                "What you ask for appears here, and you can watch it, pause it and stop it from your phone."
            </p>
        </div>
    }
}
