//! What the robot says of itself, beside the picture: each value with the age of all of them.

use leptos::prelude::*;
use protocol::robot::{Component as Part, Health};

use crate::{
    grade::Tone,
    parts::icon::{Glyph, of_tone, small},
    words,
};

/// The robot's state as it is drawn.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct StateFace {
    /// Names and values.
    pub(crate) values: Vec<(&'static str, String)>,
    /// Its parts, the worst first.
    pub(crate) parts: Vec<Part>,
    /// Age of the values.
    pub(crate) age: String,
    /// Whether they are too old to go by.
    pub(crate) is_old: bool,
    /// The make and the agent's version.
    pub(crate) make: String,
}

impl StateFace {
    /// From what is known of a robot.
    pub(crate) fn new(
        robot: &crate::live::model::Robot,
        age_ms: Option<f64>,
        is_old: bool,
    ) -> Self {
        let values = robot.telemetry().map_or_else(Vec::new, |state| {
            let degrees = state.pose.heading_rad.to_degrees().rem_euclid(360.0);
            vec![
                ("Speed", words::measure(state.speed_mps, 2, "m/s")),
                ("Heading", format!("{}°", words::number(degrees, 0))),
                (
                    "Place",
                    format!(
                        "{}, {}",
                        words::number(state.pose.x_m, 2),
                        words::measure(state.pose.y_m, 2, "m")
                    ),
                ),
                ("Driven", words::measure(state.odometer_m, 0, "m")),
                ("Voltage", words::measure(state.battery.volts, 1, "V")),
            ]
        });
        let mut parts = robot
            .advert
            .as_ref()
            .map_or_else(Vec::new, |advert| advert.components.clone());
        parts.sort_by_key(|part| std::cmp::Reverse(part.health));
        Self {
            values,
            parts,
            age: age_ms.map_or_else(|| "no data".to_owned(), words::delay),
            is_old,
            make: robot.advert.as_ref().map_or_else(String::new, |advert| {
                format!("{}, agent {}", advert.model, advert.software)
            }),
        }
    }
}

/// Draws the state.
#[component]
pub(crate) fn RobotState(#[prop(into)] face: Signal<StateFace>) -> impl IntoView {
    let is_old = Memo::new(move |_| face.with(|face| face.is_old));
    let names = Memo::new(move |_| {
        face.with(|face| {
            face.values
                .iter()
                .map(|(name, _)| *name)
                .collect::<Vec<_>>()
        })
    });
    let value = move |place: usize| {
        move || face.with(|face| face.values.get(place).map(|(_, value)| value.clone()))
    };
    let parts = Memo::new(move |_| face.with(|face| face.parts.clone()));
    let rows = move || {
        let row = |(place, name): (usize, &'static str)| {
            view! {
                <dt>{name}</dt>
                <dd class="number" class:is-stale=is_old>
                    {value(place)}
                </dd>
            }
        };
        names.get().into_iter().enumerate().map(row).collect_view()
    };
    view! {
        <section class="panel state" aria-label="Robot state">
            <header>
                <h2>"Robot"</h2>
                <span class="grow"></span>
                <span class="age" class:alarm=is_old>
                    {move || face.with(|face| face.age.clone())}
                </span>
            </header>
            <div class="panel__body">
                <dl class="pairs">{rows}</dl>
                <ul class="parts">{move || parts.get().into_iter().map(part).collect_view()}</ul>
                <p class="state__make">{move || face.with(|face| face.make.clone())}</p>
            </div>
        </section>
    }
}

fn part(part: Part) -> impl IntoView {
    let (tone, word) = match part.health {
        Health::Ok => (Tone::Calm, "ok"),
        Health::Degraded => (Tone::Caution, "impaired"),
        Health::Failed => (Tone::Alarm, "failed"),
    };
    let glyph = of_tone(tone).unwrap_or(Glyph::Check);
    let words = if part.words.is_empty() {
        word.to_owned()
    } else {
        format!("{word}. {}", words::told(&part.words))
    };
    view! {
        <li class=tone.class()>
            {small(glyph)} <span>{part.name} <span class="hidden">": " {words.clone()}</span></span>
            {(tone != Tone::Calm).then(|| view! { <small aria-hidden="true">{words}</small> })}
        </li>
    }
}
