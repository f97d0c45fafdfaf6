//! Stops every robot of a site: for its supervisors, on the fleet page, by two presses.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use protocol::{
    SiteId,
    views::{Problem, Role, SiteStopView},
};

use crate::{
    api,
    live::engine::Live,
    parts::icon::{Glyph, small},
    session::Session,
};

/// The second press has to come within this; a first one alone, by mistake, is forgotten.
const SECOND_WITHIN: Duration = Duration::from_secs(4);

/// What came of it is shown so long.
const TOLD_FOR: Duration = Duration::from_secs(20);

/// A site that can be stopped from here.
#[derive(Debug, Clone, PartialEq, Eq)]
struct StoppableSite {
    /// Which.
    site: SiteId,
    /// Its name.
    name: String,
    /// How many robots it has.
    robots: usize,
}

/// The sites that the person may stop as a whole.
#[component]
pub(crate) fn SiteStops() -> impl IntoView {
    let (live, session) = (expect_context::<Live>(), expect_context::<Session>());
    let sites = Memo::new(move |_| {
        live.at_glance(|model, _| {
            let mut sites: Vec<StoppableSite> = Vec::new();
            for robot in model.robots.iter().flat_map(|robots| robots.values()) {
                let view = &robot.view;
                match sites.iter_mut().find(|site| site.site == view.site) {
                    Some(site) => site.robots += 1,
                    None => sites.push(StoppableSite {
                        site: view.site,
                        name: view.site_name.clone(),
                        robots: 1,
                    }),
                }
            }
            sites.retain(|site| session.role_at(site.site, &[Role::Supervisor]).is_some());
            sites.sort_by(|one, other| one.name.cmp(&other.name));
            sites
        })
    });
    view! {
        <Show when=move || sites.with(|sites| !sites.is_empty())>
            <div class="site-stops" role="group" aria-label="Stop a whole site">
                <For
                    each=move || sites.get()
                    key=|site| (site.site, site.robots)
                    children=move |of| view! { <SiteStop of /> }
                />
            </div>
        </Show>
    }
}

/// How far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Idle,
    PressedOnce,
    Sent,
    Told { words: String, is_whole: bool },
}

/// Draws the button and what came of it.
#[component]
fn SiteStop(of: StoppableSite) -> impl IntoView {
    let stage = RwSignal::new(Stage::Idle);
    let StoppableSite { site, name, robots } = of;
    let words = {
        let robots = match robots {
            1 => "1 robot".to_owned(),
            count => format!("{count} robots"),
        };
        let name = name.clone();
        move || match stage.get() {
            Stage::PressedOnce => format!("Press again: stop {robots}"),
            Stage::Sent => "Stopping".to_owned(),
            Stage::Idle | Stage::Told { .. } => format!("Stop {name}"),
        }
    };
    let press = move |_| match stage.get_untracked() {
        Stage::Sent => {}
        Stage::PressedOnce => send(site, stage),
        Stage::Idle | Stage::Told { .. } => {
            stage.set(Stage::PressedOnce);
            forget(stage, Stage::PressedOnce, SECOND_WITHIN);
        }
    };
    let told = move || match stage.get() {
        Stage::Told { words, is_whole } => {
            let tone = if is_whole { "soft" } else { "alarm" };
            Some(view! { <span class=tone>{words}</span> })
        }
        Stage::Idle | Stage::PressedOnce | Stage::Sent => None,
    };
    view! {
        <div class="site-stop">
            <span class="line--small" role="status">
                {told}
            </span>
            <button
                class="button button--warn"
                class:site-stop--again=move || stage.get() == Stage::PressedOnce
                aria-disabled=move || (stage.get() == Stage::Sent).then_some("true")
                data-testid="site-stop"
                on:click=press
            >
                {small(Glyph::Stop)}
                {words}
            </button>
        </div>
    }
}

/// Goes back to the beginning after a while, unless it went on meanwhile.
fn forget(stage: RwSignal<Stage>, from: Stage, after: Duration) {
    set_timeout(
        move || {
            if stage.try_get_untracked() == Some(from) {
                let _set = stage.try_set(Stage::Idle);
            }
        },
        after,
    );
}

fn send(site: SiteId, stage: RwSignal<Stage>) {
    stage.set(Stage::Sent);
    spawn_local(async move {
        let path = format!("/api/v1/sites/{site}/stop");
        let told = told(api::post(&path, &()).await);
        let _set = stage.try_set(told.clone());
        forget(stage, told, TOLD_FOR);
    });
}

fn told(answer: Result<SiteStopView, Problem>) -> Stage {
    let (words, is_whole) = match answer {
        Ok(stop) if stop.not_reached.is_empty() => (
            format!(
                "Stop sent to all {}. Each reports by itself.",
                stop.stopped.len()
            ),
            true,
        ),
        Ok(stop) => {
            let (unrecorded, missed): (Vec<_>, Vec<_>) =
                (stop.not_reached.iter()).partition(|robot| robot.code == "stop_unrecorded");
            let mut words = format!("Stop sent to {}.", stop.stopped.len() + unrecorded.len());
            if !unrecorded.is_empty() {
                words.push_str(" Not all of it is on record yet.");
            }
            if !missed.is_empty() {
                let names: Vec<&str> = missed.iter().map(|robot| robot.name.as_str()).collect();
                words.push_str(" Not reached: ");
                words.push_str(&names.join(", "));
            }
            (words, false)
        }
        // Nobody said that nothing was done.
        Err(problem) if problem.status == 0 || problem.status >= 500 => (
            "No answer: robots may have been stopped, or not. Look at them, and press again."
                .to_owned(),
            false,
        ),
        Err(problem) => (format!("Not sent: {}", problem.detail), false),
    };
    Stage::Told { words, is_whole }
}
