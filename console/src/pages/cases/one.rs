//! One complaint: what was said and shown, how it stands, and what is decided next.

use leptos::prelude::*;
use protocol::{
    CaseId, EvidenceId,
    case::{CaseEvent, CasePhase},
    views::CaseView,
};

use super::{Cases, badge, ruling::Rule};
use crate::{
    live::commands::micros_of,
    pages::request::mark,
    parts::{
        icon::{Glyph, icon},
        unsigned::UnsignedNotice,
    },
    request::complaint::{self, Next},
    route::Route,
    words,
};

/// One complaint and what is decided about it next.
#[component]
pub(super) fn Case(cases: Cases, case: CaseId) -> impl IntoView {
    let view = Memo::new(move |_| cases.case(case));
    let pictures = Memo::new(move |_| {
        view.with(|view| view.as_ref().map(|view| view.pictures.clone()))
            .unwrap_or_default()
    });
    let phase = Memo::new(move |_| view.with(|view| view.as_ref().map(|view| view.phase)));
    let weight = Memo::new(move |_| view.with(|view| view.as_deref().map_or(0, complaint::weight)));
    let is_own = Memo::new(move |_| {
        let requester = view.with(|view| view.as_ref().map(|view| view.requester));
        requester.is_some() && requester == cases.session.person()
    });
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
                {move || phase.get().map(|phase| next(cases, case, phase, weight.get(), is_own.get()))}
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
                {icon(Glyph::List)}
                {format!("Open “{}”", view.job_title)}
            </a>
            <a class="button" href=format!("/api/v1/jobs/{}/bundle", view.job) download="">
                {icon(Glyph::Save)}
                "Evidence bundle"
            </a>
        </p>
    }
}

/// What is decided next. Nobody judges a complaint of their own.
fn next(cases: Cases, case: CaseId, phase: CasePhase, weight: u8, is_own: bool) -> AnyView {
    match complaint::next(phase) {
        Next::Triage | Next::Review | Next::Rule if is_own => {
            view! { <p class="soft">"You filed this complaint: somebody else rules on it."</p> }
                .into_any()
        }
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
