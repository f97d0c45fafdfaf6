//! What became of a job, as on a receipt, and the complaints about it.

use leptos::{prelude::*, task::spawn_local};
use protocol::{
    CaseId,
    case::CaseEvent,
    views::{CaseView, Problem, Role},
};

use super::{
    desk::{Desk, on_connection},
    mark::{self, ZONE},
    sure::{Question, Sure},
};
use crate::{
    acts, api,
    live::{commands::micros_of, reduce::Input},
    parts::{
        icon::{Glyph, icon},
        refusal::Refusal,
    },
    request::{complaint, progress},
};

/// What was done, when, by which robot, and where the proof is.
#[component]
pub(super) fn Summary(desk: Desk) -> impl IntoView {
    let rows = desk.part(move |job| {
        let now = desk.now_once();
        let requested = ZONE.moment(micros_of(job.requested_at), now);
        let updated = ZONE.moment(micros_of(job.updated_at), now);
        vec![
            ("Work", job.plan.title.clone()),
            ("Where", format!("{}, {}", job.plan.place, job.site_name)),
            (
                "Robot",
                job.robot_name.clone().unwrap_or_else(|| "None".to_owned()),
            ),
            ("Asked for", requested),
            ("Last news", updated),
            (
                "Steps done",
                format!("{} of {}", job.checkpoint, job.plan.steps.len()),
            ),
            ("Pictures kept", progress::pictures_taken(job).to_string()),
            (
                "How it ended",
                complaint::ending(job.phase).unwrap_or_default().to_owned(),
            ),
        ]
    });
    let bundle = format!("/api/v1/jobs/{}/bundle", desk.id);
    view! {
        <section class="panel rsummary" aria-labelledby="summary-title">
            <header>
                <h2 id="summary-title">"Receipt"</h2>
            </header>
            <dl class="rpairs">
                {move || {
                    rows.get()
                        .into_iter()
                        .map(|(name, value)| view! { <dt>{name}</dt> <dd>{value}</dd> })
                        .collect_view()
                }}
            </dl>
            <div class="rbody">
                <p class="rhint">
                    "Every step is signed by whoever did it. Keep the evidence, and check it without us."
                </p>
                <div class="rrow">
                    <a class="button" href=bundle download="">
                        {icon(Glyph::Save)}
                        "Evidence"
                    </a>
                    <a class="button" href="/verify">
                        {icon(Glyph::Shield)}
                        "Check the proof"
                    </a>
                </div>
            </div>
        </section>
    }
}

/// The complaints about a job, each with where it stands.
#[component]
pub(super) fn Complaints(desk: Desk) -> impl IntoView {
    let ids = desk.part(|job| job.cases.clone());
    view! { <For each=move || ids.get() key=|case| *case children=move |case| view! { <Complaint desk case /> } /> }
}

#[component]
fn Complaint(desk: Desk, case: CaseId) -> impl IntoView {
    let acts = acts::acts();
    let live = desk.live;
    let changes = Memo::new(move |_| live.read(|model| model.cases.changes));
    let known = Memo::new(move |_| {
        changes.get();
        live.peek(|model| model.cases.get(case).cloned())
    });
    let failed = RwSignal::new(None::<Problem>);
    let is_asked = RwSignal::new(false);
    let keep = move |answer: Result<CaseView, Problem>| match answer {
        Ok(view) => {
            live.tell(Input::Cases(vec![view]));
            let _set = failed.try_set(None);
        }
        Err(problem) => {
            let _set = failed.try_set(Some(problem));
        }
    };
    on_connection(live, move || {
        spawn_local(async move { keep(api::get(&format!("/api/v1/cases/{case}")).await) });
    });
    let withdraw = Callback::new(move |()| {
        is_asked.set(false);
        spawn_local(async move {
            keep(
                acts.on_case(case, CaseEvent::Withdrawn {}, Role::Requester, None)
                    .await,
            );
        });
        true
    });
    let question = Signal::derive(move || {
        is_asked.get().then(|| Question {
            title: "Take this complaint back?".to_owned(),
            rest: "It ends here, and nobody rules on it.".to_owned(),
            yes: "Take it back",
            no: "Keep it",
            is_warning: true,
        })
    });
    view! {
        <section class="panel" aria-label="Complaint">
            {move || known.get().map(|view| told(&view))}
            <Refusal problem=failed />
            <Show when=move || {
                known.with(|view| view.as_ref().is_some_and(|view| complaint::may_withdraw(view.phase)))
            }>
                <div class="rbody">
                    <button class="button button--small" on:click=move |_| is_asked.set(true)>
                        "Take it back"
                    </button>
                </div>
            </Show>
        </section>
        <Sure question on_yes=withdraw on_no=Callback::new(move |()| is_asked.set(false)) />
    }
}

fn told(view: &CaseView) -> impl IntoView + use<> {
    let state = complaint::state(view.phase);
    let reason = view.reason.clone().map(|reason| {
        view! {
            <p>
                <b>"Why: "</b>
                {reason}
            </p>
        }
    });
    let kept = view.frozen_entries.map(|entries| {
        let words = format!("{entries} entries of the job's record are kept as evidence.");
        view! { <p class="rhint">{words}</p> }
    });
    view! {
        <header>
            <h2>"Complaint"</h2>
            <span class="faint number rsmall">{view.number.clone()}</span>
            <span class="grow"></span>
            <span role="status">{mark::state(&state)}</span>
        </header>
        <div class="rbody">
            <p>
                <b>{complaint::about(view.about)}</b>
                {format!(". {}", complaint::severity(view.severity))}
            </p>
            {view.words.clone().map(|words| view! { <p class="case__words">{words}</p> })}
            {reason}
            {kept}
        </div>
    }
}
