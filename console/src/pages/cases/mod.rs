//! Complaints to look at: the gravest and oldest first, and what is decided about each.

mod one;
mod ruling;

use std::sync::Arc;

use leptos::{prelude::*, task::spawn_local};
use protocol::{
    CaseId,
    case::{CaseEvent, CasePhase},
    views::{CaseView, Page, Problem, Role},
};

use super::request::{desk::on_connection, mark};
use crate::{
    acts::{self, Acts},
    api,
    live::{engine::Live, reduce::Input},
    parts::{
        icon::{Glyph, large, small},
        refusal::Refusal,
    },
    request::complaint,
    session::Session,
    words,
};
use one::Case;

/// Cases that are asked for at once.
const ROWS: u32 = 50;

/// What the page asked for; what came of it, and what the socket tells, the model knows.
#[derive(Clone, Copy)]
struct Cases {
    live: Live,
    changes: Memo<u64>,
    is_known: RwSignal<bool>,
    more: RwSignal<Option<String>>,
    chosen: RwSignal<Option<CaseId>>,
    problem: RwSignal<Option<Problem>>,
    is_sending: RwSignal<bool>,
    acts: Acts,
    session: Session,
}

impl Cases {
    fn new() -> Self {
        let live = expect_context::<Live>();
        Self {
            live,
            changes: Memo::new(move |_| live.read(|model| model.cases.changes)),
            is_known: RwSignal::new(false),
            more: RwSignal::new(None),
            chosen: RwSignal::new(None),
            problem: RwSignal::new(None),
            is_sending: RwSignal::new(false),
            acts: acts::acts(),
            session: expect_context(),
        }
    }

    fn ask(self, cursor: Option<String>) {
        spawn_local(async move {
            let is_first = cursor.is_none();
            let cursor = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
            let path = format!("/api/v1/cases?limit={ROWS}{cursor}");
            match api::get::<Page<CaseView>>(&path).await {
                Ok(page) => {
                    let has_more_open = self.more.try_with_untracked(Option::is_some);
                    self.learn(page.items);
                    // Asking for the first page again must not take back what was shown of the later ones.
                    if !is_first || has_more_open == Some(false) {
                        let _set = self.more.try_set(page.next);
                    }
                    let _set = self.is_known.try_set(true);
                }
                Err(problem) => {
                    let _set = self.problem.try_set(Some(problem));
                }
            }
        });
    }

    fn learn(self, cases: Vec<CaseView>) {
        self.live.tell(Input::Cases(cases));
    }

    /// All of them in the order of triage. Followed.
    fn sorted(self) -> Vec<Arc<CaseView>> {
        // Read, not only tracked: a memo that nobody reads follows nothing.
        self.changes.get();
        let mut all: Vec<_> = self.live.peek(|model| model.cases.all().cloned().collect());
        complaint::sort(&mut all);
        all
    }

    /// One of them. Followed.
    fn case(self, case: CaseId) -> Option<Arc<CaseView>> {
        self.changes.get();
        self.live.peek(|model| model.cases.get(case).cloned())
    }

    /// Decides something, in the highest role that the person has here.
    fn act(self, case: CaseId, event: CaseEvent, reason: Option<String>) {
        if self.is_sending.get_untracked() {
            return;
        }
        let is_admin = untrack(|| self.session.has_role(&[Role::Admin]));
        let role = if is_admin {
            Role::Admin
        } else {
            self.session.helping_role()
        };
        self.is_sending.set(true);
        spawn_local(async move {
            let answer = match with_reason(event, reason) {
                Ok((event, words)) => self.acts.on_case(case, event, role, words).await,
                Err(problem) => Err(problem),
            };
            let _set = self.is_sending.try_set(false);
            match answer {
                Ok(view) => {
                    let _set = self.problem.try_set(None);
                    self.learn(vec![view]);
                }
                Err(problem) => {
                    let _set = self.problem.try_set(Some(problem));
                }
            }
        });
    }
}

/// A ruling with the hash of its reason; anything else as it is.
fn with_reason(
    event: CaseEvent,
    reason: Option<String>,
) -> Result<(CaseEvent, Option<protocol::views::SaltedWords>), Problem> {
    let (CaseEvent::Ruled { ruling, .. }, Some(reason)) = (&event, reason) else {
        return Ok((event, None));
    };
    let ruling = *ruling;
    let (words, reason) = acts::salted(reason)?;
    Ok((CaseEvent::Ruled { ruling, reason }, Some(words)))
}

/// The list of complaints, and the one that was chosen.
#[component]
pub(crate) fn CasesPage() -> impl IntoView {
    document().set_title("Cases · Nooterra");
    let cases = Cases::new();
    on_connection(cases.live, move || cases.ask(None));
    let list = Memo::new(move |_| cases.sorted());
    let chosen = Memo::new(move |_| {
        let wanted = cases.chosen.get();
        list.with(|list| {
            let wanted = list.iter().find(|case| Some(case.case) == wanted);
            wanted.or_else(|| list.first()).map(|case| case.case)
        })
    });
    view! {
        <div class="cases">
            <section class="panel" aria-labelledby="cases-title">
                <header>
                    <h1 id="cases-title" class="cases__title">
                        "Cases"
                    </h1>
                </header>
                <div class="cases__list">
                    {move || list.get().iter().map(|case| row(cases, chosen, case)).collect_view()}
                    <Rest cases list />
                </div>
            </section>
            <div class="cases__one">
                <Refusal problem=cases.problem />
                {move || chosen.get().map(|case| view! { <Case cases case /> })}
            </div>
        </div>
    }
}

#[component]
fn Rest(cases: Cases, list: Memo<Vec<Arc<CaseView>>>) -> impl IntoView {
    move || {
        if let Some(cursor) = cases.more.get() {
            let more = move |_| cases.ask(Some(cursor.clone()));
            return Some(
                view! { <button class="cases__more" on:click=more>"Show more"</button> }.into_any(),
            );
        }
        let nothing = list.with(Vec::is_empty) && cases.is_known.get();
        nothing.then(|| {
            view! {
                <div class="empty">
                    {large(Glyph::Flag)}
                    <b>"No complaints"</b>
                    <p class="soft">"What a requester files about a finished job appears here, the gravest first."</p>
                </div>
            }
            .into_any()
        })
    }
}

fn row(cases: Cases, chosen: Memo<Option<CaseId>>, case: &CaseView) -> impl IntoView + use<> {
    let id = case.case;
    view! {
        <button
            aria-current=move || (chosen.get() == Some(id)).then_some("true")
            on:click=move |_| cases.chosen.set(Some(id))
        >
            <b class="number">{format!("S{}", complaint::weight(case))}</b>
            <span class="ellipsis">{complaint::about(case.about)}</span>
            {badge(case.phase)}
            <span class="line line--small">
                <span class="number">{case.number.clone()}</span>
                <span class="ellipsis">{case.job_title.clone()}</span>
                <span class="grow"></span>
                <time>{words::day_minute(case.opened_at)}</time>
            </span>
        </button>
    }
}

fn badge(phase: CasePhase) -> impl IntoView {
    view! {
        <span class="badge">
            {small(mark::glyph(complaint::state(phase).mark))} {complaint::label(phase)}
        </span>
    }
}
