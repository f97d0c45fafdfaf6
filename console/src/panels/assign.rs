//! Choosing the robot that a job goes to.

use leptos::prelude::*;
use protocol::{RobotId, SiteId, UnixMicros};

use crate::{
    live::model::Model,
    roster::{self, Standing},
    words,
};

/// A robot to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RobotChoice {
    robot: RobotId,
    label: String,
}

/// The robots of a site, those that are there before those that are not.
pub(crate) fn choices(model: &Model, site: SiteId, now: UnixMicros) -> Vec<RobotChoice> {
    let robots = model.robots.iter().flat_map(|robots| robots.values());
    let mut found: Vec<_> = robots
        .filter(|robot| robot.view.site == site)
        .map(|robot| {
            let standing = roster::standing(robot, &model.clock, now);
            let doing = match standing {
                Standing::Fresh(activity) => words::activity(activity),
                Standing::Stale { .. } => "stale",
                Standing::Silent => "no data",
                Standing::Offline { .. } => "offline",
            };
            let is_gone = !matches!(standing, Standing::Fresh(_));
            let label = format!("{}, {}", robot.view.name, doing.to_lowercase());
            (is_gone, label, robot.view.robot)
        })
        .collect();
    found.sort_unstable();
    found
        .into_iter()
        .map(|(_, label, robot)| RobotChoice { robot, label })
        .collect()
}

/// Draws the choice and its button.
#[component]
pub(crate) fn Assign(
    #[prop(into)] robots: Signal<Vec<RobotChoice>>,
    #[prop(into)] is_busy: Signal<bool>,
    on_assign: Callback<RobotId>,
) -> impl IntoView {
    let chosen = RwSignal::new(0_usize);
    let is_empty = Memo::new(move |_| robots.with(Vec::is_empty));
    let option = |(place, choice): (usize, RobotChoice)| {
        view! { <option value=place.to_string()>{choice.label}</option> }
    };
    let assign = move |_| {
        let robot = robots.with_untracked(|all| Some(all.get(chosen.get_untracked())?.robot));
        if let Some(robot) = robot.filter(|_| !is_busy.get_untracked()) {
            on_assign.run(robot);
        }
    };
    view! {
        <div class="assign">
            <select
                class="field"
                aria-label="Robot"
                on:change:target=move |event| {
                    chosen.set(event.target().value().parse().unwrap_or_default());
                }
            >
                {move || robots.get().into_iter().enumerate().map(option).collect_view()}
            </select>
            <button
                class="button button--primary"
                aria-disabled=move || (is_empty.get() || is_busy.get()).then_some("true")
                data-testid="assign"
                on:click=assign
            >
                {move || if is_empty.get() { "No robot at this site" } else { "Assign robot" }}
            </button>
        </div>
    }
}
