//! Complaints to look at: the gravest and oldest first, and what is decided about each.

use std::{collections::BTreeMap, time::Duration};

use leptos::{prelude::*, task::spawn_local};
use protocol::{
    CaseId, EvidenceId,
    case::{CaseEvent, CasePhase, Ruling},
    views::{CaseView, Page, Problem, Role},
};

use super::request::{
    desk::on_connection,
    mark,
    sure::{Question, Sure},
};
use crate::{
    acts::{self, Acts},
    api,
    live::{commands::micros_of, engine::Live},
    parts::{
        icon::{Glyph, icon, large, small},
        refusal::Refusal,
        unsigned::UnsignedNotice,
    },
    request::complaint::{self, Next},
    route::Route,
    session::Session,
    words,
};

/// Cases that are asked for at once.
const ROWS: u32 = 50;

/// The socket does not tell of cases; a complaint that is as old as this waits for a person anyway.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(20);

/// What the page knows.
#[derive(Clone, Copy)]
struct Cases {
    known: RwSignal<BTreeMap<CaseId, CaseView>>,
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
        Self {
            known: RwSignal::new(BTreeMap::new()),
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
        let _learnt = self.known.try_update(|known| {
            for case in cases {
                let is_older = known
                    .get(&case.case)
                    .is_some_and(|present| present.version > case.version);
                if !is_older {
                    known.insert(case.case, case);
                }
            }
        });
    }

    fn sorted(self) -> Vec<CaseView> {
        let mut all: Vec<_> = self.known.with(|known| known.values().cloned().collect());
        complaint::sort(&mut all);
        all
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
            Role::Operator
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
    on_connection(expect_context::<Live>(), move || cases.ask(None));
    // A browser that gives no timer shows what was there when the page was opened.
    if let Ok(handle) = set_interval_with_handle(move || cases.ask(None), ASK_AGAIN_AFTER) {
        on_cleanup(move || handle.clear());
    }
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
fn Rest(cases: Cases, list: Memo<Vec<CaseView>>) -> impl IntoView {
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
                <time>{words::hour_minute(case.opened_at)}</time>
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

#[component]
fn Case(cases: Cases, case: CaseId) -> impl IntoView {
    let view = Memo::new(move |_| cases.known.with(|known| known.get(&case).cloned()));
    let pictures = Memo::new(move |_| {
        view.with(|view| view.as_ref().map(|view| view.pictures.clone()))
            .unwrap_or_default()
    });
    let phase = Memo::new(move |_| view.with(|view| view.as_ref().map(|view| view.phase)));
    let weight = Memo::new(move |_| view.with(|view| view.as_ref().map_or(0, complaint::weight)));
    let picture = move |evidence: EvidenceId| {
        let address = format!("/api/v1/cases/{case}/pictures/{evidence}");
        let shown = address.clone();
        view! {
            <a class="frame" href=address target="_blank" rel="noopener">
                <img src=shown alt="Picture that came with the complaint" loading="lazy" />
            </a>
        }
    };
    view! {
        <section class="panel" aria-label="Case">
            {move || view.get().map(|view| head(&view))}
            <div class="panel__body case">
                {move || view.get().map(|view| told(&view))}
                <div class="case__pictures">
                    <For each=move || pictures.get() key=|evidence| *evidence children=picture />
                </div>
                {move || phase.get().map(|phase| next(cases, case, phase, weight.get()))}
                <UnsignedNotice />
            </div>
        </section>
    }
}

fn head(view: &CaseView) -> impl IntoView + use<> {
    view! {
        <header>
            <h2 class="ellipsis">{complaint::about(view.about)}</h2>
            <span class="number faint">{view.number.clone()}</span>
            <span class="grow"></span>
            {badge(view.phase)}
        </header>
    }
}

fn told(view: &CaseView) -> impl IntoView + use<> {
    let words = view
        .words
        .clone()
        .unwrap_or_else(|| "The words were deleted.".to_owned());
    let opened = mark::ZONE.date(micros_of(view.opened_at));
    let severity = |number: u8| format!("{number}, {}", complaint::severity(number).to_lowercase());
    let frozen = view.frozen_entries.map_or_else(
        || "Not yet".to_owned(),
        |entries| format!("{entries} entries of the job's record"),
    );
    let reason = view.reason.clone().map(|reason| {
        view! {
            <dt>"Reason"</dt>
            <dd>{reason}</dd>
        }
    });
    let triaged = view
        .triaged_severity
        .map_or_else(|| "Not triaged".to_owned(), severity);
    view! {
        <p class="case__words">{words}</p>
        <dl class="pairs case__pairs">
            <dt>"Filed by"</dt>
            <dd>{format!("{}, {opened} {} UTC", view.requester_name, words::hour_minute(view.opened_at))}</dd>
            <dt>"Severity, requester"</dt>
            <dd>{severity(view.severity)}</dd>
            <dt>"Severity, triaged"</dt>
            <dd>{triaged}</dd>
            <dt>"Frozen evidence"</dt>
            <dd>{frozen}</dd>
            {reason}
        </dl>
        <p class="line">
            <a class="button" href=Route::Job(view.job).to_string()>
                {view.job_title.clone()}
            </a>
            <a class="button" href=format!("/api/v1/jobs/{}/bundle", view.job) download="">
                {icon(Glyph::Save)}
                "Evidence bundle"
            </a>
        </p>
    }
}

/// What is decided next.
fn next(cases: Cases, case: CaseId, phase: CasePhase, weight: u8) -> AnyView {
    match complaint::next(phase) {
        Next::Triage => triage(cases, case, weight),
        Next::Review => view! {
            <div class="case__act">
                <button
                    class="button button--primary"
                    on:click=move |_| cases.act(case, CaseEvent::ReviewStarted {}, None)
                >
                    "Start the review"
                </button>
            </div>
            {triage(cases, case, weight)}
        }
        .into_any(),
        Next::Rule => view! { <Rule cases case weight /> }.into_any(),
        Next::Nothing => ().into_any(),
    }
}

fn triage(cases: Cases, case: CaseId, weight: u8) -> AnyView {
    let chosen = RwSignal::new(weight);
    let option = move |(number, words): (u8, &'static str)| {
        view! {
            <option value=number.to_string() selected=number == weight>
                {format!("{number}. {words}")}
            </option>
        }
    };
    view! {
        <div class="case__act">
            <label for="triage">"How grave it is"</label>
            <select
                id="triage"
                class="field"
                on:change:target=move |event| {
                    chosen.set(event.target().value().parse().unwrap_or(weight));
                }
            >
                {complaint::SEVERITIES.map(option).collect_view()}
            </select>
            <button
                class="button"
                on:click=move |_| {
                    cases.act(case, CaseEvent::Triaged { severity: chosen.get_untracked() }, None);
                }
            >
                "Set severity"
            </button>
        </div>
    }
    .into_any()
}

const RULINGS: [(&str, Ruling, &str); 3] = [
    ("upheld", Ruling::Upheld, "Upheld: the complaint is right"),
    (
        "partly_upheld",
        Ruling::PartlyUpheld,
        "Partly upheld: right in part",
    ),
    ("rejected", Ruling::Rejected, "Rejected: not right"),
];

#[component]
fn Rule(cases: Cases, case: CaseId, weight: u8) -> impl IntoView {
    let chosen = RwSignal::new(None::<Ruling>);
    let reason = RwSignal::new(String::new());
    let trouble = RwSignal::new(None::<String>);
    let is_asked = RwSignal::new(false);
    let is_too_grave = Memo::new(move |_| {
        complaint::takes_an_admin(weight) && !cases.session.has_role(&[Role::Admin])
    });
    let ask = move |_| {
        let wrong = match chosen.get_untracked() {
            None => Some("Choose a ruling.".to_owned()),
            Some(_) => complaint::words_trouble(&reason.get_untracked(), "Say why."),
        };
        is_asked.set(wrong.is_none());
        trouble.set(wrong);
    };
    let question = Signal::derive(move || {
        let (_, _, words) = RULINGS
            .into_iter()
            .find(|(_, ruling, _)| Some(*ruling) == chosen.get())?;
        is_asked.get().then(|| Question {
            title: format!("{words}?"),
            rest: "The ruling and its reason are shown to the requester and stay in the log."
                .to_owned(),
            yes: "Rule",
            no: "Not yet",
            is_warning: false,
        })
    });
    let rule = Callback::new(move |()| {
        is_asked.set(false);
        let Some(ruling) = chosen.get_untracked() else {
            return false;
        };
        let nothing = protocol::case::SaltedHash([0; 32]);
        let event = CaseEvent::Ruled {
            ruling,
            reason: nothing,
        };
        cases.act(case, event, Some(reason.get_untracked().trim().to_owned()));
        true
    });
    view! {
        <Show
            when=move || !is_too_grave.get()
            fallback=|| {
                view! {
                    <p class="soft">"A case of this severity is ruled by an admin."</p>
                }
            }
        >
            <div class="case__act">
                <label for="ruling">"Ruling"</label>
                <select
                    id="ruling"
                    class="field"
                    on:change:target=move |event| {
                        let word = event.target().value();
                        let found = RULINGS.into_iter().find(|(each, _, _)| *each == word);
                        chosen.set(found.map(|(_, ruling, _)| ruling));
                    }
                >
                    <option value="">"Choose"</option>
                    {RULINGS
                        .map(|(word, _, words)| view! { <option value=word>{words}</option> })
                        .collect_view()}
                </select>
                <label for="reason">"Why"</label>
                <textarea
                    id="reason"
                    class="field"
                    aria-describedby="reason-trouble"
                    on:input:target=move |event| reason.set(event.target().value())
                ></textarea>
                <p id="reason-trouble" class="alarm" aria-live="polite">
                    {move || trouble.get()}
                </p>
                <button class="button button--primary" on:click=ask>
                    "Rule"
                </button>
            </div>
        </Show>
        <Sure question on_yes=rule on_no=Callback::new(move |()| is_asked.set(false)) />
    }
}
