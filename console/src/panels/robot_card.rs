//! One robot on the fleet page.

use leptos::{html, prelude::*};
use protocol::{
    RobotId, UnixMicros,
    robot::{Activity, Health},
};

use crate::{
    camera,
    grade::{self, Tone},
    live::{clock::GatewayClock, model::Robot},
    parts::{
        badge::{self, Badge, BadgeFace},
        gauges::{BatteryGauge, LinkBars},
        icon::{Glyph, large},
        on_screen::OnScreen,
    },
    roster::{self, Standing},
    telling, words,
};

/// Stills come once a second; one that is older than this is not a still of now.
const STALE_STILL_MS: f64 = 3_000.0;

/// What a card's values are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Freshness {
    /// They are of now.
    Fresh,
    /// They should be of now and are not.
    Lost,
    /// The robot is not there; nobody expects them to be of now.
    Kept,
}

/// A robot as its card shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CardFace {
    name: String,
    badge: BadgeFace,
    doing: String,
    state_age: String,
    state: Freshness,
    battery_percent: f64,
    battery: String,
    battery_tone: Tone,
    link: &'static str,
    link_tone: Tone,
    bars: usize,
    still: Option<String>,
    in_place_of_still: String,
    still_age: String,
    is_still_old: bool,
    trouble: Option<String>,
    needs_care: bool,
}

impl CardFace {
    /// What a robot's card shows now.
    pub(crate) fn new(robot: &Robot, clock: &GatewayClock, now: UnixMicros) -> Self {
        let standing = roster::standing(robot, clock, now);
        let health = robot.telemetry().map_or(Health::Ok, |state| state.health);
        let state = match standing {
            Standing::Fresh(_) => Freshness::Fresh,
            Standing::Stale { .. } => Freshness::Lost,
            Standing::Silent | Standing::Offline { .. } => Freshness::Kept,
        };
        let state_age = roster::state_age_ms(robot, clock, now);
        let still_age = roster::still_age_ms(robot, clock, now);
        let is_still_old = still_age.is_some_and(|age| age > STALE_STILL_MS);
        let own = robot.advert.as_ref().filter(|_| is_still_old);
        let energy = robot.telemetry().map(|state| state.battery);
        let (link, bars) = match (&standing, robot.view.link) {
            (Standing::Offline { .. }, _) => (("No link", Tone::Calm), 0),
            (Standing::Stale { .. }, _) => (("Lost", Tone::Alarm), 1),
            (_, link) => {
                let (grade, bars) = grade::link(link.and_then(|link| link.rtt_ms));
                ((grade.word, grade.tone), bars)
            }
        };
        let badge = badge::of_standing(&standing, health);
        let battery_tone = energy
            .as_ref()
            .map_or(Tone::Calm, |energy| grade::battery(energy).tone);
        Self {
            name: robot.view.name.clone(),
            needs_care: health == Health::Failed
                || matches!(standing, Standing::Stale { .. })
                || battery_tone > Tone::Ok,
            doing: doing(robot, &standing),
            badge,
            state_age: state_age.map_or_else(|| "no data".to_owned(), words::delay),
            state,
            battery_percent: energy.map_or(0.0, |energy| energy.percent),
            battery: energy.map_or_else(
                || "no data".to_owned(),
                |energy| words::measure(energy.percent, 0, "%"),
            ),
            battery_tone,
            link: link.0,
            link_tone: link.1,
            bars,
            still: robot.still.as_ref().map(|still| still.url.clone()),
            in_place_of_still: camera::in_place_of_still(robot, &standing),
            still_age: still_age.map_or_else(String::new, words::delay),
            is_still_old,
            trouble: own
                .and_then(|advert| camera::of_robot(advert, 0))
                .map(|trouble| trouble.headline),
        }
    }
}

/// What a robot does, in a short line.
pub(crate) fn doing(robot: &Robot, standing: &Standing) -> String {
    match standing {
        Standing::Offline { for_ms: None } => return "Waits for its agent".to_owned(),
        Standing::Offline { .. } => return "Not connected".to_owned(),
        Standing::Silent => return "Has not told its state".to_owned(),
        Standing::Stale { was, .. } => return format!("Was: {}", words::activity(*was)),
        Standing::Fresh(_) => {}
    }
    let Some(state) = robot.telemetry() else {
        return String::new();
    };
    let map = robot.advert.as_ref().and_then(|advert| advert.map.as_ref());
    let place = state.goal.as_ref().map(|goal| {
        let target = goal.target;
        telling::place_at(map, target.x_m, target.y_m).map_or_else(
            || {
                format!(
                    "{}, {}",
                    words::number(target.x_m, 1),
                    words::number(target.y_m, 1)
                )
            },
            str::to_owned,
        )
    });
    match (state.activity, place) {
        (Activity::Navigating, Some(place)) => format!("To {place}"),
        (Activity::Patrolling, Some(place)) => format!("On its round to {place}"),
        (Activity::Patrolling, None) => "On its round".to_owned(),
        (Activity::Waiting, Some(place)) => format!("Held up on the way to {place}"),
        (Activity::Working, _) => "At its job".to_owned(),
        (Activity::Driven, _) => "Driven by hand".to_owned(),
        (Activity::Waiting | Activity::Navigating, _) => "Held up".to_owned(),
        (Activity::Stopped, _) => "Stopped by a person".to_owned(),
        (Activity::Charging, _) => "On the dock".to_owned(),
        (Activity::Idle, _) => "No target".to_owned(),
    }
}

/// Draws a card. A click selects, Enter or a double click opens.
#[component]
pub(crate) fn RobotCard(
    robot: RobotId,
    #[prop(into)] face: Signal<Option<CardFace>>,
    #[prop(into)] is_selected: Signal<bool>,
    on_screen: OnScreen,
    on_select: Callback<RobotId>,
    on_open: Callback<RobotId>,
) -> impl IntoView {
    let element = NodeRef::<html::Button>::new();
    Effect::new(move |_| {
        if let Some(button) = element.get() {
            on_screen.watch(robot, &button);
        }
    });
    Effect::new(move |was_selected: Option<bool>| {
        let is_selected = is_selected.get();
        if let Some(button) = element.get_untracked()
            && is_selected
            && was_selected == Some(false)
        {
            // A card that can't take the focus is selected all the same.
            let _focused = button.focus();
        }
        is_selected
    });
    let needs_care = move || face.with(|face| face.as_ref().is_some_and(|face| face.needs_care));
    view! {
        <li>
            <button
                node_ref=element
                class="card"
                class:card--care=needs_care
                data-robot=robot.to_string()
                aria-pressed=move || if is_selected.get() { "true" } else { "false" }
                on:click=move |_| on_select.run(robot)
                on:dblclick=move |_| on_open.run(robot)
                on:keydown=move |event| {
                    if event.key() == "Enter" {
                        event.prevent_default();
                        on_open.run(robot);
                    }
                }
            >
                <CardPicture face />
                <CardWords face />
            </button>
        </li>
    }
}

#[component]
fn CardPicture(face: Signal<Option<CardFace>>) -> impl IntoView {
    let still = Memo::new(move |_| face.with(|face| face.as_ref()?.still.clone()));
    let is_old =
        Memo::new(move |_| face.with(|face| face.as_ref().is_some_and(|face| face.is_still_old)));
    let age = move || face.with(|face| face.as_ref().map(|face| face.still_age.clone()));
    let in_place =
        move || face.with(|face| face.as_ref().map(|face| face.in_place_of_still.clone()));
    let trouble = Memo::new(move |_| face.with(|face| face.as_ref()?.trouble.clone()));
    view! {
        <Show
            when=move || still.with(Option::is_some)
            fallback=move || {
                view! {
                    <span class="frame frame--none">
                        <span class="frame__none">{large(Glyph::NoPicture)} <span>{in_place}</span></span>
                    </span>
                }
            }
        >
            <span class="frame" class:frame--stale=is_old>
                <img src=move || still.get() alt="" />
                <span class="frame__tag" class:alarm=is_old>
                    {age}
                    {move || is_old.get().then_some(" old")}
                </span>
                {move || trouble.get().map(|words| view! { <span class="frame__caption alarm">{words}</span> })}
            </span>
        </Show>
    }
}

#[component]
fn CardWords(face: Signal<Option<CardFace>>) -> impl IntoView {
    let text = move |pick: fn(&CardFace) -> String| {
        move || face.with(|face| face.as_ref().map(pick).unwrap_or_default())
    };
    let tone = move |pick: fn(&CardFace) -> Tone| {
        Memo::new(move |_| face.with(|face| face.as_ref().map(pick).unwrap_or_default()))
    };
    let badge = Signal::derive(move || {
        face.with(|face| face.as_ref().map(|face| face.badge.clone()))
            .unwrap_or(BadgeFace {
                glyph: Glyph::Ring,
                word: String::new(),
                class: "badge",
            })
    });
    let is_old = Memo::new(move |_| {
        face.with(|face| {
            face.as_ref()
                .is_some_and(|face| face.state != Freshness::Fresh)
        })
    });
    let is_lost = Memo::new(move |_| {
        face.with(|face| {
            face.as_ref()
                .is_some_and(|face| face.state == Freshness::Lost)
        })
    });
    let percent = Memo::new(move |_| {
        face.with(|face| face.as_ref().map_or(0.0, |face| face.battery_percent))
    });
    let bars = Memo::new(move |_| face.with(|face| face.as_ref().map_or(0, |face| face.bars)));
    let battery_tone = tone(|face| face.battery_tone);
    let link_tone = tone(|face| face.link_tone);
    view! {
        <span class="card__words">
            <span class="line">
                <b class="ellipsis">{text(|face| face.name.clone())}</b>
                <span class="grow"></span>
                <Badge face=badge />
            </span>
            <span class="line line--small">
                <span class="soft ellipsis">{text(|face| face.doing.clone())}</span>
                <span class="grow"></span>
                <span class="age" class:alarm=is_lost>
                    <span class="faint">"state "</span>
                    {text(|face| face.state_age.clone())}
                </span>
            </span>
            <span class="line line--small">
                <BatteryGauge percent tone=battery_tone />
                <span
                    class=move || format!("number {}", battery_tone.get().class())
                    class:is-stale=is_old
                >
                    {text(|face| face.battery.clone())}
                </span>
                <span class="grow"></span>
                <span class=move || format!("line {}", link_tone.get().class())>
                    <LinkBars bars tone=link_tone />
                    {text(|face| face.link.to_owned())}
                </span>
            </span>
        </span>
    }
}
