//! One line of the jobs board.

use std::sync::Arc;

use leptos::prelude::*;
use protocol::{JobId, job::PhaseName, views::JobView};

use crate::{
    board,
    parts::badge::{self, Badge},
    words,
};

/// Draws a job; `assign` comes under it while somebody chooses a robot for it.
#[component]
pub(crate) fn JobRow(
    id: JobId,
    #[prop(into)] job: Signal<Option<Arc<JobView>>>,
    #[prop(into)] may_assign: Signal<bool>,
    #[prop(into)] is_assigning: Signal<bool>,
    on_assign: Callback<()>,
    assign: ViewFn,
) -> impl IntoView {
    let text = move |pick: fn(&JobView) -> String| {
        move || job.with(|job| job.as_deref().map(pick).unwrap_or_default())
    };
    let phase = Memo::new(move |_| {
        job.with(|job| job.as_ref().map_or(PhaseName::Requested, |job| job.phase))
    });
    let can_assign = Memo::new(move |_| {
        may_assign.get() && job.with(|job| job.as_deref().is_some_and(board::is_assignable))
    });
    view! {
        <tr class="job-row" data-testid="job-row">
            {name(id, job)}
            {standing(job, phase)}
            <td class="job-row__robot">
                <Show
                    when=move || can_assign.get()
                    fallback=move || {
                        view! {
                            <span>
                                {text(|job| job.robot_name.clone().unwrap_or_else(|| "No robot".to_owned()))}
                            </span>
                        }
                    }
                >
                    <button
                        class="button button--small"
                        aria-expanded=move || if is_assigning.get() { "true" } else { "false" }
                        on:click=move |_| on_assign.run(())
                    >
                        "Assign robot"
                    </button>
                </Show>
            </td>
            <td class="job-row__site">{text(|job| job.site_name.clone())}</td>
            <td class="job-row__who">{text(|job| job.requester_name.clone())}</td>
            <td class="job-row__when number">{text(|job| words::window(job.window))}</td>
            <td class="job-row__last number">
                <span class="job-row__label">"Last event "</span>
                {text(|job| words::day_minute(job.updated_at))}
            </td>
        </tr>
        <Show when=move || is_assigning.get() && can_assign.get()>
            <tr class="job-row__assign">
                <td colspan="7">{assign.run()}</td>
            </tr>
        </Show>
    }
}

fn name(id: JobId, job: Signal<Option<Arc<JobView>>>) -> impl IntoView {
    let title = move || job.with(|job| job.as_ref().map(|job| job.plan.title.clone()));
    let number = move || job.with(|job| job.as_ref().map(|job| job.number.clone()));
    view! {
        <td class="job-row__name">
            <a href=format!("/jobs/{id}") data-job=id.to_string()>
                <b>{title}</b>
            </a>
            <span class="number faint">{number}</span>
        </td>
    }
}

fn standing(job: Signal<Option<Arc<JobView>>>, phase: Memo<PhaseName>) -> impl IntoView {
    let face = Signal::derive(move || badge::of_phase(phase.get()));
    let calls =
        Memo::new(move |_| job.with(|job| job.as_deref().is_some_and(board::calls_for_help)));
    let help = move || calls.get().then(badge::needs_help);
    let progress = move || {
        job.with(|job| {
            let job = job.as_ref()?;
            let shows = job.checkpoint > 0 && !job.phase.is_over();
            shows.then(|| format!("step {} of {}", job.checkpoint, job.plan.steps.len()))
        })
    };
    view! {
        <td>
            <Badge face />
            {help}
            <span class="number faint line--small">{progress}</span>
        </td>
    }
}
