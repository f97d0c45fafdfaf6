//! What stands beside a job's record: what can be done, where the job can go, its plan, complaints about it.

use std::sync::Arc;

use leptos::{prelude::*, task::spawn_local};
use protocol::{
    CaseId, JobId,
    case::{CaseKind, CasePhase},
    views::{CaseView, JobView, Role},
};

use super::{helping::Doing, jobs::AssignHere, reading::Reading};
use crate::{
    api, browser,
    live::{engine::Live, reduce::Input},
    machine::{self, StepStanding, Way},
    panels::{
        deeds::{Deeds, Done},
        machine::{LaneFace, StepFace},
    },
    parts::icon::{Glyph, small},
    session::Session,
    words,
};

/// Whether nothing more can become of the job. Followed.
fn is_over(job: Memo<Option<Arc<JobView>>>) -> bool {
    job.with(|job| job.as_ref().is_some_and(|job| job.phase.is_over()))
}

/// What the person can do.
#[component]
pub(super) fn DeedsHere(
    id: JobId,
    job: Memo<Option<Arc<JobView>>>,
    reading: Reading,
    doing: Doing,
) -> impl IntoView {
    let session = expect_context::<Session>();
    let roles = Memo::new(move |_| {
        let is_mine = job.with(|job| {
            let requester = job.as_ref().map(|job| job.requester);
            requester.is_some() && requester == session.person()
        });
        [
            Role::Operator,
            Role::Supervisor,
            Role::Admin,
            Role::Requester,
            Role::Owner,
        ]
        .into_iter()
        .filter(|role| session.has_role(&[*role]) && (is_mine || *role != Role::Requester))
        .collect::<Vec<_>>()
    });
    let deeds = Memo::new(move |_| {
        let roles = roles.get();
        if is_over(job) {
            return Vec::new();
        }
        reading.record.with(|record| {
            let job = record.history.job.as_ref();
            job.map(|job| machine::deeds(job, &roles, browser::now()))
                .unwrap_or_default()
        })
    });
    let waits_for = Memo::new(move |_| {
        let roles = roles.get();
        reading.record.with(|record| {
            let job = record.history.job.as_ref()?;
            machine::waits_for(job, &roles, browser::now())
        })
    });
    let act = Callback::new(move |(deed, role, event): Done| {
        let event = event.or_else(|| job.with_untracked(|job| deed.event(job.as_ref()?)));
        if let Some(event) = event {
            doing.on_job(id, vec![event], role, || {});
        }
    });
    view! {
        <Deeds
            deeds
            waits_for
            is_busy=doing.is_busy
            trouble=doing.trouble
            on_deed=act
            assign=ViewFn::from(move || view! { <AssignHere id doing /> })
        />
    }
}

/// Where the job can go and who may move it. The record may be behind what is told of the job: one that is over goes nowhere.
#[component]
pub(super) fn Ways(job: Memo<Option<Arc<JobView>>>, reading: Reading) -> impl IntoView {
    let is_over = Memo::new(move |_| is_over(job));
    let ways = Memo::new(move |_| {
        if is_over.get() {
            return Vec::new();
        }
        reading.record.with(|record| {
            let job = record.history.job.as_ref();
            job.map(|job| machine::ways(job, browser::now()))
                .unwrap_or_default()
        })
    });
    let way = |way: Way| {
        let to = way.to.map_or("Stays", |to| to.label());
        view! {
            <li>
                <span class="ways__to">
                    {small(if way.to.is_some() { Glyph::Right } else { Glyph::Ring })} <b>{to}</b>
                    <span class="grow"></span> <span class="soft">{way.who.join(", ")}</span>
                </span>
                <span class="ways__by faint">{way.kinds.join(", ")}</span>
            </li>
        }
    };
    view! {
        <Show when=move || ways.with(|ways| !ways.is_empty())>
            <section class="panel job__ways" aria-label="Where it can go">
                <header>
                    <h2>"Where it can go"</h2>
                    <span class="grow"></span>
                    <span class="faint line--small">"and who may move it"</span>
                </header>
                <ul class="panel__body">{move || ways.get().into_iter().map(way).collect_view()}</ul>
            </section>
        </Show>
    }
}

/// The plan and how far the robot is with it.
#[component]
pub(super) fn PlanPanel(job: Memo<Option<Arc<JobView>>>) -> impl IntoView {
    let plan = Memo::new(move |_| job.with(|job| job.as_ref().map(|job| job.plan.clone())));
    let done = Memo::new(move |_| {
        job.with(|job| {
            let checkpoint = job.as_ref().map_or(0, |job| job.checkpoint);
            usize::try_from(checkpoint).unwrap_or_default()
        })
    });
    let is_over = Memo::new(move |_| is_over(job));
    let step = move |(place, title): (usize, String)| {
        let standing = Memo::new(move |_| match (place < done.get(), is_over.get()) {
            (true, _) => (Glyph::Check, "done: ", "soft"),
            (false, false) => (Glyph::Ring, "to come: ", ""),
            (false, true) => (Glyph::Cross, "not done: ", "faint"),
        });
        view! {
            <li class=move || standing.get().2>
                {move || small(standing.get().0)}
                <span class="hidden">{move || standing.get().1}</span>
                {title}
            </li>
        }
    };
    let steps = move || {
        let steps = plan.get().map(|plan| plan.steps).unwrap_or_default();
        let titles = steps.into_iter().map(|step| step.title);
        titles.enumerate().map(step).collect_view()
    };
    view! {
        <section class="panel" aria-label="Plan">
            <header>
                <h2>"Plan"</h2>
                <span class="grow"></span>
                <span class="number faint">
                    {done} " of "
                    {move || plan.with(|plan| plan.as_ref().map_or(0, |plan| plan.steps.len()))}
                </span>
            </header>
            <ol class="panel__body plan">{steps}</ol>
        </section>
    }
}

/// Complaints about the job: asked for when the job has another one and when the connection comes back; in between the socket
/// tells of them.
#[derive(Clone, Copy)]
pub(super) struct CasesHere(Memo<Vec<Arc<CaseView>>>);

impl CasesHere {
    pub(super) fn new(live: Live, job: Memo<Option<Arc<JobView>>>) -> Self {
        let ids = Memo::new(move |_| {
            job.with(|job| {
                job.as_ref()
                    .map(|job| job.cases.clone())
                    .unwrap_or_default()
            })
        });
        let asked = Memo::new(move |_| (ids.get(), live.read(|model| model.snapshots)));
        Effect::new(move |_| {
            for id in asked.get().0 {
                spawn_local(Self::load(live, id));
            }
        });
        let changes = Memo::new(move |_| live.read(|model| model.cases.changes));
        Self(Memo::new(move |_| {
            changes.get();
            let ids = ids.get();
            live.peek(|model| {
                let known = ids.iter().filter_map(|id| model.cases.get(*id));
                known.cloned().collect()
            })
        }))
    }

    async fn load(live: Live, id: CaseId) {
        // A complaint that can't be read is still named in the job's record.
        if let Ok(case) = api::get::<CaseView>(&format!("/api/v1/cases/{id}")).await {
            live.tell(Input::Cases(vec![case]));
        }
    }

    /// Their lanes.
    pub(super) fn lanes(self) -> Vec<LaneFace> {
        self.0
            .with(|cases| cases.iter().map(|case| case_lane(case)).collect())
    }
}

fn case_lane(case: &CaseView) -> LaneFace {
    const WAY: [CasePhase; 4] = [
        CasePhase::Opened,
        CasePhase::EvidenceFrozen,
        CasePhase::Triaged,
        CasePhase::UnderReview,
    ];
    let step = |phase: CasePhase, standing| StepFace {
        word: case_phase(phase),
        glyph: if phase.is_over() {
            Glyph::Square
        } else {
            Glyph::HalfDisc
        },
        class: "flow__is",
        standing,
        arms: String::new(),
    };
    let mut steps: Vec<_> = WAY
        .into_iter()
        .map(|phase| {
            let standing = match phase.cmp(&case.phase) {
                std::cmp::Ordering::Less => StepStanding::Was,
                std::cmp::Ordering::Equal => StepStanding::Is,
                std::cmp::Ordering::Greater => StepStanding::Ahead,
            };
            step(phase, standing)
        })
        .collect();
    if case.phase.is_over() {
        steps.push(step(case.phase, StepStanding::Is));
    }
    LaneFace {
        name: format!("Case {}", case.number),
        steps,
    }
}

/// A case's phase in the domain's own word.
const fn case_phase(phase: CasePhase) -> &'static str {
    match phase {
        CasePhase::Opened => "Opened",
        CasePhase::EvidenceFrozen => "EvidenceFrozen",
        CasePhase::Triaged => "Triaged",
        CasePhase::UnderReview => "UnderReview",
        CasePhase::Upheld => "Upheld",
        CasePhase::PartlyUpheld => "PartlyUpheld",
        CasePhase::Rejected => "Rejected",
        CasePhase::Withdrawn => "Withdrawn",
    }
}

/// What was complained about, in short; ruling is done on the page of cases.
#[component]
pub(super) fn CasePanels(cases: CasesHere) -> impl IntoView {
    let panel = |case: Arc<CaseView>| {
        let severity = case.triaged_severity.unwrap_or(case.severity);
        view! {
            <section class="panel" aria-label="Case">
                <header>
                    <h2>"Case " {case.number.clone()}</h2>
                    <span class="grow"></span>
                    <span class="badge">{case_phase(case.phase)}</span>
                </header>
                <div class="panel__body">
                    {case.words.clone().map(|words| view! { <p>"“" {words} "”"</p> })}
                    <dl class="pairs">
                        <dt>"Kind"</dt>
                        <dd>{case_kind(case.about)} ", severity " {severity} " of 5"</dd>
                        <dt>"Opened"</dt>
                        <dd>{words::day_minute(case.opened_at)}</dd>
                    </dl>
                    {case.reason.clone().map(|reason| view! { <p class="soft">"Ruling: " {reason}</p> })}
                    <a href="/cases" class="button">
                        "Open cases"
                    </a>
                </div>
            </section>
        }
    };
    move || cases.0.get().into_iter().map(panel).collect_view()
}

const fn case_kind(kind: CaseKind) -> &'static str {
    match kind {
        CaseKind::PropertyDamage => "Property damage",
        CaseKind::PrivacyViolation => "Privacy violation",
        CaseKind::SafetyNearMiss => "Safety near miss",
        CaseKind::FailureToComplete => "Failure to complete",
        CaseKind::AccessFailure => "Access failure",
        CaseKind::TheftAllegation => "Theft allegation",
        CaseKind::RobotStuck => "Robot stuck",
        CaseKind::HumanContact => "Human contact",
        CaseKind::Billing => "Billing",
    }
}
