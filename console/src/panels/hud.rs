//! The numbers above the picture. Word, colour and underline change together.

use leptos::prelude::*;
use protocol::robot::Battery;

use crate::{
    glass::Quality,
    grade::{self, Grade, Tone},
    parts::{
        gauges::BatteryGauge,
        icon::{of_tone, small},
    },
    words,
};

/// All that the numbers are made of.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct HudFace {
    /// Lens to screen of the frame that is shown, if the stream tells.
    pub(crate) glass_ms: Option<f64>,
    /// Age of that frame now.
    pub(crate) age_ms: Option<f64>,
    /// Whether that age is only known from when the frame was shown.
    pub(crate) is_age_since_shown: bool,
    /// Browser to robot and back.
    pub(crate) command_ms: Option<f64>,
    /// For how long that way has been broken, if it is.
    pub(crate) lost_ms: Option<f64>,
    /// How well frames come.
    pub(crate) quality: Option<Quality>,
    /// What the camera promises; 0 when nothing.
    pub(crate) promised_rate: u32,
    /// Energy.
    pub(crate) battery: Option<Battery>,
    /// Whether the robot's own values are too old to go by.
    pub(crate) is_state_old: bool,
}

/// One number as it is drawn.
#[derive(Debug, Clone, PartialEq)]
struct Reading {
    value: Option<f64>,
    text: String,
    word: String,
    tone: Tone,
    is_old: bool,
}

impl Reading {
    fn new(value: Option<f64>, text: impl Fn(f64) -> String, grade: impl Fn(f64) -> Grade) -> Self {
        let found = value.map_or(grade::UNKNOWN, grade);
        Self {
            value,
            text: value.map_or_else(|| "\u{2013}".to_owned(), text),
            word: found.word.to_owned(),
            tone: found.tone,
            is_old: false,
        }
    }

    /// A number that was true once: kept, but marked, and the word says since when.
    fn old(mut self, age_ms: f64) -> Self {
        self.is_old = true;
        self.tone = Tone::Alarm;
        self.word = format!("{} ago", words::delay(age_ms));
        self
    }
}

impl HudFace {
    fn stale_ms(&self) -> Option<f64> {
        self.age_ms.filter(|age| *age > grade::STALE_FRAME_MS)
    }

    fn glass(&self) -> Reading {
        let reading = Reading::new(self.glass_ms, words::delay, grade::delay);
        match (self.glass_ms, self.stale_ms()) {
            (Some(_), Some(age_ms)) => reading.old(age_ms),
            _ => reading,
        }
    }

    fn command(&self) -> Reading {
        let reading = Reading::new(self.command_ms, words::delay, grade::delay);
        match (self.command_ms, self.lost_ms) {
            (Some(_), Some(lost_ms)) => reading.old(lost_ms),
            _ => reading,
        }
    }

    fn age(&self) -> Reading {
        let mut reading = Reading::new(self.age_ms, words::delay, grade::frame_age);
        if self.is_age_since_shown && reading.tone == Tone::Calm && reading.value.is_some() {
            "since shown".clone_into(&mut reading.word);
        }
        reading
    }

    fn rate(&self) -> Reading {
        let promised = self.promised_rate;
        let text = |rate| words::number(rate, 1);
        let rate = self.quality.map(|quality| quality.frames_per_second);
        Reading::new(rate, text, |rate| grade::frame_rate(rate, promised))
    }

    fn loss(&self) -> Reading {
        let text = |percent| words::measure(percent, 1, "%");
        Reading::new(
            self.quality.map(|quality| quality.loss_percent),
            text,
            grade::loss,
        )
    }

    fn freezes(&self) -> Reading {
        let count = self.quality.map(|quality| f64::from(quality.freezes));
        let mut reading = Reading::new(
            count,
            |count| words::number(count, 0),
            |_| grade::freezes(self.quality.map_or(0, |quality| quality.freezes)),
        );
        if let Some(quality) = self.quality.filter(|quality| quality.freezes > 0) {
            reading.word = words::measure(quality.frozen_s, 1, "s");
        }
        reading
    }

    fn battery(&self) -> Reading {
        let grade = self.battery.as_ref().map_or(grade::UNKNOWN, grade::battery);
        let percent = self.battery.map(|battery| battery.percent);
        let mut reading = Reading::new(
            percent,
            |percent| words::measure(percent, 0, "%"),
            |_| grade,
        );
        reading.is_old = self.is_state_old;
        reading
    }
}

/// Draws the numbers.
#[component]
pub(crate) fn Hud(#[prop(into)] face: Signal<HudFace>) -> impl IntoView {
    let reading = move |pick: fn(&HudFace) -> Reading| Memo::new(move |_| face.with(pick));
    let percent = Memo::new(move |_| face.with(|face| face.battery.map_or(0.0, |one| one.percent)));
    let battery = reading(HudFace::battery);
    let tone = Memo::new(move |_| battery.with(|reading| reading.tone));
    view! {
        <dl class="hud">
            <Number name="Glass to glass" id="glass-to-glass" reading=reading(HudFace::glass) />
            <Number name="Command RTT" id="command-rtt" reading=reading(HudFace::command) />
            <Number name="Frame age" id="frame-age" reading=reading(HudFace::age) />
            <Number name="Frames" id="frames" reading=reading(HudFace::rate) />
            <Number name="Loss" id="loss" reading=reading(HudFace::loss) />
            <Number name="Freezes, 60 s" id="freezes" reading=reading(HudFace::freezes) />
            <Number name="Battery" id="battery" reading=battery>
                <BatteryGauge percent tone />
            </Number>
        </dl>
    }
}

#[component]
fn Number(
    name: &'static str,
    id: &'static str,
    reading: Memo<Reading>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let tone = Memo::new(move |_| reading.with(|reading| reading.tone));
    let value = move || {
        let decimals = 1;
        reading.with(|reading| reading.value.map(|value| format!("{value:.decimals$}")))
    };
    view! {
        <div
            class=move || format!("hud__cell {}", tone.get().class())
            data-testid=format!("hud-{id}")
            data-value=value
        >
            <dt>{name}</dt>
            <dd>
                <span class:is-stale=move || reading.with(|reading| reading.is_old)>
                    {move || reading.with(|reading| reading.text.clone())}
                </span>
                <small>
                    {move || of_tone(tone.get()).map(small)}
                    {move || reading.with(|reading| reading.word.clone())}
                </small>
                {children.map(|children| children())}
            </dd>
        </div>
    }
}
