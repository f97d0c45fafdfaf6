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
    request::state::{due, sort, state, waits_for_requester},
    route::Route,
    session::Session,
};

/// Jobs that are asked for at once: as many as a phone scrolls through.
const ROWS: u32 = 30;

/// What the page asked for.
#[derive(Clone, Copy)]
struct List {
    live: Live,
    failed: RwSignal<Option<Problem>>,
    is_known: RwSignal<bool>,
    older: RwSignal<Option<String>>,
    jobs: Memo<Vec<JobView>>,
}

impl List {
    fn new() -> Self {
        let live = expect_context::<Live>();
        let session = expect_context::<Session>();
        let changes = Memo::new(move |_| live.read(|model| model.jobs.changes));
        let list = Self {
            live,
            failed: RwSignal::new(None),
            is_known: RwSignal::new(false),
            older: RwSignal::new(None),
            jobs: Memo::new(move |_| {
                let _changes = changes.get();
                let me = session.person();
                let mut mine: Vec<JobView> = live.peek(|model| {
                    let all = model.jobs.all().map(Arc::as_ref);
                    all.filter(|job| Some(job.requester) == me)
                        .cloned()
                        .collect()
                });
                sort(&mut mine);
                mine
            }),
        };
        on_connection(live, move || list.ask(None));
        list
    }

    fn ask(self, cursor: Option<String>) {
        spawn_local(async move {
            let cursor = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
            let path = format!("/api/v1/jobs?mine=true&limit={ROWS}{cursor}");
            match api::get::<Page<JobView>>(&path).await {
                Ok(page) => {
                    self.live.tell(Input::Jobs(page.items));
                    let _set = self.failed.try_set(None);
                    let _set = self.older.try_set(page.next);
                    let _set = self.is_known.try_set(true);
                }
                Err(problem) => {
                    let _set = self.failed.try_set(Some(problem));
                }
            }
        });
    }

    /// What stands below the jobs.
    fn rest(self) -> Option<AnyView> {
        if let Some(cursor) = self.older.get() {
            let older = move |_| self.ask(Some(cursor.clone()));
            return Some(
                view! { <button class="button" on:click=older>"Show older jobs"</button> }
                    .into_any(),
            );
        }
        match (self.jobs.with(Vec::is_empty), self.is_known.get()) {
            (true, true) => Some(nothing().into_any()),
            (true, false) if self.failed.with(Option::is_none) => Some(
                view! { <span class="skeleton" aria-label="Loading your jobs" role="status"></span> }
                    .into_any(),
            ),
            (true | false, true | false) => None,
        }
    }
}

/// The list.
#[component]
pub(crate) fn ListPage() -> impl IntoView {
    document().set_title("My jobs · Nooterra");
    let list = List::new();
    let jobs = list.jobs;
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
            <Refusal problem=list.failed />
            <ul class="rjobs" aria-label="My jobs">
                {move || jobs.get().iter().map(|job| row(list.live, job)).collect_view()}
            </ul>
            {move || list.rest()}
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
    let is_yours = waits_for_requester(job);
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
