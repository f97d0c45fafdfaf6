//! The jobs board: every job that the person may see, narrowed, page by page, and live.

use leptos::{html, prelude::*, task::spawn_local};
use protocol::{
    JobId, SiteId,
    job::JobEvent,
    views::{JobView, Page, Problem, Role},
};
use wasm_bindgen::JsCast as _;

use super::helping::Doing;
use crate::{
    api,
    board::{self, Filter, Group, Reach},
    keys,
    live::{engine::Live, reduce::Input},
    panels::{
        assign::{self, Assign},
        job_row::JobRow,
    },
    parts::{
        icon::{Glyph, icon, large},
        refusal::Refusal,
        unsigned::UnsignedNotice,
    },
    session::Session,
};

/// Where reading the gateway's pages stands.
#[derive(Debug, Clone, PartialEq)]
enum Loading {
    /// An answer is awaited.
    Underway,
    /// So many pages came.
    Done,
    /// The gateway did not give the page.
    Failed(Problem),
}

/// What the page has read of the list.
#[derive(Clone, Copy)]
struct List {
    live: Live,
    filter: RwSignal<Filter>,
    reach: RwSignal<Reach>,
    next: RwSignal<Option<String>>,
    loading: RwSignal<Loading>,
    /// Rises with every new list, so that late answers to an older one are told apart.
    turn: StoredValue<u32>,
}

impl List {
    fn new(live: Live) -> Self {
        let list = Self {
            live,
            filter: RwSignal::new(Filter::default()),
            reach: RwSignal::new(Reach::default()),
            next: RwSignal::new(None),
            loading: RwSignal::new(Loading::Underway),
            turn: StoredValue::new(0),
        };
        let asked = Memo::new(move |_| list.filter.with(|filter| (filter.group, filter.site)));
        let snapshots = Memo::new(move |_| live.read(|model| model.snapshots));
        Effect::new(move |_| {
            // Read, here and elsewhere, not only tracked: a memo that nobody reads follows nothing.
            asked.get();
            // What happened while the connection was lost, the socket doesn't tell.
            snapshots.get();
            list.load("");
        });
        list
    }

    /// Reads the page at a cursor; the first at none.
    fn load(self, cursor: &str) {
        let turn = self.turn.get_value() + 1;
        self.turn.set_value(turn);
        self.loading.set(Loading::Underway);
        let address = self.filter.with_untracked(|filter| filter.address(cursor));
        let is_first = cursor.is_empty();
        spawn_local(async move {
            let answer = api::get::<Page<JobView>>(&address).await;
            if self.turn.try_get_value() != Some(turn) {
                return;
            }
            match answer {
                Ok(page) => self.take(page, is_first),
                Err(problem) => self.loading.set(Loading::Failed(problem)),
            }
        });
    }

    fn take(self, page: Page<JobView>, is_first: bool) {
        self.reach.update(|reach| {
            if is_first {
                *reach = Reach::default();
            }
            reach.brought.extend(page.items.iter().map(|job| job.job));
            let last = page.items.last().map(|job| job.requested_at);
            reach.until = last.filter(|_| page.next.is_some());
        });
        self.next.set(page.next);
        self.loading.set(Loading::Done);
        self.live.tell(Input::Jobs(page.items));
    }

    fn more(self) {
        if let Some(cursor) = self.next.get_untracked() {
            self.load(&cursor);
        }
    }
}

/// The jobs board.
#[component]
pub(crate) fn JobsPage() -> impl IntoView {
    document().set_title("Jobs · Nooterra");
    let live = expect_context::<Live>();
    let list = List::new(live);
    let changes = Memo::new(move |_| live.read(|model| model.jobs.changes));
    let ids = Memo::new(move |_| {
        changes.get();
        let filter = list.filter.get();
        list.reach
            .with(|reach| live.peek(|model| board::list(&model.jobs, &filter, reach)))
    });
    let field = NodeRef::<html::Input>::new();
    follow_keys(field);
    view! {
        <div class="board">
            <Filters list field />
            <Table list ids changes />
        </div>
    }
}

fn follow_keys(field: NodeRef<html::Input>) {
    keys::on_key(move |key| match key.name.as_str() {
        "j" | "J" | "ArrowDown" => step(1),
        "k" | "K" | "ArrowUp" => step(-1),
        "f" | "F" | "/" => field
            .get_untracked()
            .is_some_and(|field| field.focus().is_ok()),
        _ => false,
    });
}

/// Puts the focus on the next job, or on the one before.
fn step(step: isize) -> bool {
    let Ok(links) = document().query_selector_all("[data-job]") else {
        return false;
    };
    let links: Vec<web_sys::HtmlElement> = (0..links.length())
        .filter_map(|place| links.get(place)?.dyn_into().ok())
        .collect();
    let present = document().active_element();
    let place = links
        .iter()
        .position(|link| present.as_ref().is_some_and(|focused| **link == *focused));
    let Some(end) = links.len().checked_sub(1) else {
        return false;
    };
    let next = place.map_or(0, |place| place.saturating_add_signed(step).min(end));
    links[next].focus().is_ok()
}

#[component]
fn Filters(list: List, field: NodeRef<html::Input>) -> impl IntoView {
    let filter = list.filter;
    let session = expect_context::<Session>();
    let may_ask =
        Memo::new(move |_| session.helps() || session.has_role(&[Role::Requester, Role::Admin]));
    let group = move |group: Group| {
        let is_chosen = move || filter.with(|filter| filter.group == group);
        view! {
            <button
                aria-pressed=move || if is_chosen() { "true" } else { "false" }
                on:click=move |_| filter.update(|filter| filter.group = group)
            >
                {group.words()}
            </button>
        }
    };
    view! {
        <div class="filters">
            <h1 class="board__title">"Jobs"</h1>
            <label class="search">
                {icon(Glyph::Funnel)} <span class="hidden">"Filter by title, number, robot or person"</span>
                <input
                    type="search"
                    placeholder="Title, number, robot or person"
                    node_ref=field
                    prop:value=move || filter.with(|filter| filter.text.clone())
                    on:input:target=move |event| {
                        filter.update(|filter| filter.text = event.target().value());
                    }
                    on:keydown=move |event| {
                        if event.key() == "Escape" {
                            filter.update(|filter| filter.text.clear());
                            if let Some(field) = field.get_untracked() {
                                let _left = field.blur();
                            }
                        }
                    }
                /> <kbd>"F"</kbd>
            </label>
            <div class="segments" role="group" aria-label="Phase">
                {Group::EVERY.into_iter().map(group).collect_view()}
            </div>
            <Sites list />
            <span class="grow"></span>
            <Show when=move || may_ask.get()>
                <a href="/request" class="button">
                    {icon(Glyph::Plus)}
                    "Ask for work"
                </a>
            </Show>
        </div>
    }
}

/// A choice of sites, where there is more than one.
#[component]
fn Sites(list: List) -> impl IntoView {
    let sites = Memo::new(move |_| {
        list.live.read(|model| {
            let robots = model.robots.iter().flat_map(|robots| robots.values());
            let mut sites: Vec<(String, SiteId)> = robots
                .map(|robot| (robot.view.site_name.clone(), robot.view.site))
                .collect();
            sites.sort_unstable();
            sites.dedup();
            sites
        })
    });
    let option =
        |(name, id): (String, SiteId)| view! { <option value=id.to_string()>{name}</option> };
    view! {
        <Show when=move || { sites.with(Vec::len) > 1 }>
            <select
                class="field board__sites"
                aria-label="Site"
                on:change:target=move |event| {
                    let site = event.target().value().parse().ok();
                    list.filter.update(|filter| filter.site = site);
                }
            >
                <option value="">"Every site"</option>
                {move || sites.get().into_iter().map(option).collect_view()}
            </select>
        </Show>
    }
}

#[component]
fn Table(list: List, ids: Memo<Vec<JobId>>, changes: Memo<u64>) -> impl IntoView {
    let live = list.live;
    let session = expect_context::<Session>();
    let may_assign = Memo::new(move |_| session.helps() || session.has_role(&[Role::Admin]));
    let doing = Doing::new(live);
    let assigning = RwSignal::new(None::<JobId>);
    let row = move |id: JobId| {
        let job = Memo::new(move |_| {
            changes.get();
            live.peek(|model| model.jobs.get(id).cloned())
        });
        let is_assigning = Memo::new(move |_| assigning.get() == Some(id));
        let toggle = Callback::new(move |()| {
            assigning.update(|open| *open = (*open != Some(id)).then_some(id));
        });
        view! {
            <JobRow
                id
                job
                may_assign
                is_assigning
                on_assign=toggle
                assign=ViewFn::from(move || view! { <AssignHere id doing /> })
            />
        }
    };
    let is_empty = Memo::new(move |_| ids.with(Vec::is_empty));
    view! {
        <Refusal problem=doing.trouble />
        <Show when=move || may_assign.get()>
            <UnsignedNotice />
        </Show>
        <Show when=move || !is_empty.get()>
            <table class="table jobs-table">
                <thead>
                    <tr>
                        <th>"Job"</th>
                        <th>"Phase"</th>
                        <th>"Robot"</th>
                        <th>"Site"</th>
                        <th>"Requester"</th>
                        <th>"When, UTC"</th>
                        <th>"Last event"</th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || ids.get() key=|id| *id children=row />
                </tbody>
            </table>
        </Show>
        <Rest list is_empty />
    }
}

/// The choice of a robot for a job, which is assigned in the role that allows it.
#[component]
pub(crate) fn AssignHere(id: JobId, doing: Doing) -> impl IntoView {
    let live = doing.live;
    let session = expect_context::<Session>();
    let robots = Memo::new(move |_| {
        live.at_glance(|model, now| {
            let site = model.jobs.get(id)?.site;
            Some(assign::choices(model, site, now))
        })
        .unwrap_or_default()
    });
    let assign = Callback::new(move |robot| {
        let is_operator = untrack(|| session.helps());
        let role = if is_operator {
            session.helping_role()
        } else {
            Role::Admin
        };
        doing.on_job(id, vec![JobEvent::Assigned { robot }], role, || {});
    });
    view! { <Assign robots is_busy=doing.is_busy on_assign=assign /> }
}

/// What stands under the rows: more of them, none at all, or why they did not come.
#[component]
fn Rest(list: List, is_empty: Memo<bool>) -> impl IntoView {
    let has_more = Memo::new(move |_| list.next.with(Option::is_some));
    move || match (list.loading.get(), is_empty.get()) {
        (Loading::Underway, true) => loading().into_any(),
        (Loading::Underway, false) => {
            view! { <p class="board__rest faint" role="status">"Loading"</p> }.into_any()
        }
        (Loading::Failed(problem), _) => failed(list, problem).into_any(),
        (Loading::Done, _) if has_more.get() => view! {
            <p class="board__rest">
                <button class="button" on:click=move |_| list.more()>
                    "Load more"
                </button>
            </p>
        }
        .into_any(),
        (Loading::Done, true) => nothing(list).into_any(),
        (Loading::Done, false) => ().into_any(),
    }
}

fn loading() -> impl IntoView {
    view! {
        <div class="board__loading" aria-busy="true" aria-label="Loading the jobs">
            {(0..4).map(|_| view! { <span class="skeleton"></span> }).collect_view()}
        </div>
    }
}

fn failed(list: List, problem: Problem) -> impl IntoView {
    view! {
        <div class="empty" role="alert">
            {large(Glyph::Octagon)} <b>"Jobs did not load"</b>
            <p class="soft">{problem.detail} " Robots go on, and live work is not affected."</p>
            <div class="line">
                <button class="button" on:click=move |_| list.load("")>
                    "Try again"
                </button>
                <code>{problem.code}</code>
            </div>
        </div>
    }
}

fn nothing(list: List) -> impl IntoView {
    let has_text = Memo::new(move |_| list.filter.with(|filter| !filter.text.trim().is_empty()));
    let words = move || match list.filter.with(|filter| filter.group) {
        _ if has_text.get() => "No job passes this filter",
        Group::Open => "No open jobs",
        Group::Attention => "No job needs attention",
        Group::Finished => "No finished jobs",
        Group::All => "No jobs yet",
    };
    view! {
        <div class="empty">
            {large(Glyph::List)} <b>{words}</b>
            <p class="soft">"A job appears here as soon as somebody asks for it."</p>
        </div>
    }
}
