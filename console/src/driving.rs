//! Driving by hand as somebody before this page does it and sees it: which keys are held, what that asks of the wheels, how far
//! the robot lets them, and why. Pure.

use protocol::{
    drive::{Clamp, Disarm, DriveReport, Twist},
    ladder::Level,
    robot::Pose,
};

use crate::{control, grade::Tone, live::granting::Belief, words};

/// What the wheels are asked for at the usual pace: millimetres a second, milliradians a second.
const PACE: (i32, i32) = (450, 800);

/// What is said of a robot that was not heard for so long is history, milliseconds.
pub const REPORT_OLD_MS: f64 = 500.0;

/// The keys that are held down.
#[expect(
    clippy::struct_excessive_bools,
    reason = "six keys that may be held at the same time"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    /// W, or the arrow up.
    pub forward: bool,
    /// S, or the arrow down.
    pub back: bool,
    /// A, or the arrow left.
    pub left: bool,
    /// D, or the arrow right.
    pub right: bool,
    /// Q: forward and left.
    pub forward_left: bool,
    /// E: forward and right.
    pub forward_right: bool,
}

impl Held {
    /// Takes in that a key went down or up, by its place on the keyboard; says whether it is one of these.
    pub fn take(&mut self, code: &str, is_down: bool) -> bool {
        let key = match code {
            "KeyW" | "ArrowUp" => &mut self.forward,
            "KeyS" | "ArrowDown" => &mut self.back,
            "KeyA" | "ArrowLeft" => &mut self.left,
            "KeyD" | "ArrowRight" => &mut self.right,
            "KeyQ" => &mut self.forward_left,
            "KeyE" => &mut self.forward_right,
            _ => return false,
        };
        *key = is_down;
        true
    }

    /// Whether any is held.
    pub fn any(self) -> bool {
        self != Self::default()
    }

    /// What that asks of the wheels: twice as fast with Shift, half as fast with Alt.
    pub fn twist(self, is_fast: bool, is_slow: bool) -> Twist {
        let pace = |usual: i32| match (is_fast, is_slow) {
            (true, false) => usual * 2,
            (false, true) => usual / 2,
            _ => usual,
        };
        let sign = |one: bool, other: bool| i32::from(one) - i32::from(other);
        let ahead = sign(
            self.forward || self.forward_left || self.forward_right,
            self.back,
        );
        let around = sign(
            self.left || self.forward_left,
            self.right || self.forward_right,
        );
        Twist {
            speed_mm_s: ahead * pace(PACE.0),
            turn_mrad_s: around * pace(PACE.1),
        }
    }
}

/// Whether what is pressed on this page can reach the wheels at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It is steered from here, and believes this page.
    Here,
    /// It is steered from here, and nobody hears of it.
    Offline,
    /// It is steered from here, and does not believe this page, or not yet.
    Unbelieved,
    /// It is not steered from here.
    Elsewhere,
}

impl Reach {
    /// By who steers, and what the robot thinks of them.
    pub const fn of(control: &control::Standing) -> Self {
        match control {
            control::Standing::Here { belief, .. } => match belief {
                Belief::Believed { .. } => Self::Here,
                Belief::Unasked => Self::Offline,
                Belief::Asking | Belief::Denied { .. } => Self::Unbelieved,
            },
            control::Standing::Nobody
            | control::Standing::RanOut
            | control::Standing::Elsewhere
            | control::Standing::Another { .. } => Self::Elsewhere,
        }
    }

    /// Why nothing that is pressed moves the robot, and what changes that.
    const fn withholds(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Here => None,
            Self::Offline => Some((
                "Motion withheld: the robot is offline.",
                "It stops by itself without a fresh word.",
            )),
            Self::Unbelieved => Some((
                "Motion withheld: the robot does not know yet that it is you.",
                "What it lacks is said beside your control.",
            )),
            Self::Elsewhere => Some((
                "Motion withheld: you don't have control.",
                "Take control with K.",
            )),
        }
    }
}

/// What becomes of a stopped robot once somebody releases it, or why nobody here can.
pub const fn on_release(reach: Reach) -> &'static str {
    match reach {
        Reach::Here => {
            "After release the robot stays still. Its job goes on once somebody resumes it."
        }
        Reach::Offline => {
            "The robot is offline. It stays stopped, and can be released once it is back."
        }
        Reach::Unbelieved => "It can be released once the robot knows that it is you.",
        Reach::Elsewhere => "You don't have control. Take it with K to release the stop.",
    }
}

/// What the page knows of driving at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Sight<'report> {
    /// What the robot said last of it, and how long ago, milliseconds.
    pub report: Option<(&'report DriveReport, f64)>,
    /// Whether what is pressed here can reach its wheels.
    pub reach: Reach,
    /// Whether the robot is stopped.
    pub is_stopped: bool,
    /// How old the large picture is, milliseconds.
    pub frame_age_ms: Option<f64>,
    /// Whether there is a picture at all: who drives a robot without cameras stands beside it.
    pub has_cameras: bool,
    /// What the person did before they may arm it.
    pub checks: Checks,
    /// What is held.
    pub held: Held,
}

/// What a person does themselves before they may arm a robot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checks {
    /// They pressed a drive key, and the page heard it.
    pub has_moved_input: bool,
    /// They looked, and the area is clear.
    pub is_clear: bool,
}

/// Where driving stands, for the badge over the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stand {
    /// Not steered from here.
    #[default]
    Elsewhere,
    /// Steered from here, and nothing that is pressed reaches it.
    Unreached,
    /// The robot is stopped.
    Locked,
    /// Not armed.
    Disarmed,
    /// Armed, and nothing held.
    Armed,
    /// It may be driven, and is.
    Driving,
    /// It may only be nudged, and is.
    Nudging,
}

impl Stand {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Elsewhere => "No control",
            Self::Unreached => "Out of reach",
            Self::Locked => "Locked",
            Self::Disarmed => "Disarmed",
            Self::Armed => "Armed",
            Self::Driving => "Driving",
            Self::Nudging => "Nudging",
        }
    }
}

/// The keys and what goes with them, as they are drawn.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DriveFace {
    /// Where it stands.
    pub stand: Stand,
    /// Which keys are lit.
    pub held: Held,
    /// "0.38".
    pub speed: String,
    /// "0.44 m/s".
    pub cap: String,
    /// The share of the cap that is used, 0 to 1.
    pub share: f64,
    /// "190 / 250 ms"; empty while nothing moves.
    pub dead_man: String,
    /// What holds the robot back, or stopped it, and why.
    pub line: Option<(Tone, String)>,
    /// What brings it back.
    pub way_out: String,
    /// What has to be there before it may be armed, in order, and whether it is.
    pub checks: [(&'static str, bool); 4],
    /// Whether it may be armed now.
    pub may_arm: bool,
}

impl Sight<'_> {
    /// The report, while it is fresh.
    pub fn fresh(&self) -> Option<&DriveReport> {
        let (report, age_ms) = self.report?;
        (age_ms <= REPORT_OLD_MS && self.reach == Reach::Here).then_some(report)
    }

    /// Whether the picture is live, by what the robot would make of it.
    fn has_live_picture(&self) -> bool {
        if !self.has_cameras {
            return true;
        }
        let limit = self
            .fresh()
            .map_or(500.0, |report| f64::from(report.limits.nudge_ms));
        self.frame_age_ms.is_some_and(|age_ms| age_ms <= limit)
    }

    /// Where it stands.
    fn stand(&self) -> Stand {
        match self.reach {
            Reach::Here => {}
            Reach::Offline | Reach::Unbelieved => return Stand::Unreached,
            Reach::Elsewhere => return Stand::Elsewhere,
        }
        if self.is_stopped {
            return Stand::Locked;
        }
        let Some(report) = self.fresh() else {
            return Stand::Disarmed;
        };
        match (report.disarmed, report.given.is_zero(), report.level) {
            (Some(_), ..) => Stand::Disarmed,
            (None, true, _) if !self.held.any() => Stand::Armed,
            (None, _, Level::Drive) => Stand::Driving,
            (None, ..) => Stand::Nudging,
        }
    }

    /// What is drawn.
    pub fn face(&self) -> DriveFace {
        let stand = self.stand();
        let is_armed = matches!(stand, Stand::Armed | Stand::Driving | Stand::Nudging);
        let report = self.fresh();
        let (line, way_out) = self.line(stand);
        let checks = [
            ("Right robot", self.reach == Reach::Here),
            (
                if self.has_cameras {
                    "Live video"
                } else {
                    "No camera"
                },
                self.has_live_picture(),
            ),
            ("Input moves", self.checks.has_moved_input),
            ("Clear area", self.checks.is_clear),
        ];
        let level = report.map_or(Level::Question, |report| report.level);
        let is_ready = checks.iter().all(|(_, is_done)| *is_done);
        let given = report.map_or(Twist::ZERO, |report| report.given);
        let cap = report.map_or(0, |report| report.cap_mm_s);
        let speed = f64::from(given.speed_mm_s.unsigned_abs()) / 1_000.0;
        let most = f64::from(cap) / 1_000.0;
        DriveFace {
            stand,
            held: self.held,
            speed: words::number(speed, 2),
            cap: words::measure(most, 2, "m/s"),
            share: if most > 0.0 {
                (speed / most).min(1.0)
            } else {
                0.0
            },
            dead_man: report.filter(|_| is_armed && self.held.any()).map_or_else(
                String::new,
                |report| {
                    let age = report.heard_age_ms.min(report.dead_man_ms);
                    format!("{age} / {}\u{a0}ms", report.dead_man_ms)
                },
            ),
            line,
            way_out,
            checks,
            may_arm: stand == Stand::Disarmed && is_ready && level >= Level::Nudge,
        }
    }

    fn line(&self, stand: Stand) -> (Option<(Tone, String)>, String) {
        let no_more = String::new();
        match stand {
            Stand::Elsewhere => (None, "Take control with K to drive.".to_owned()),
            Stand::Unreached => {
                let words = match self.reach {
                    Reach::Offline => "The robot is offline. It stops by itself.",
                    _ => "Keys count once the robot knows that it is you.",
                };
                (None, words.to_owned())
            }
            Stand::Locked => (None, "Release the stop first.".to_owned()),
            Stand::Disarmed => {
                let Some(report) = self.fresh() else {
                    let words = "The robot says nothing of driving.".to_owned();
                    return (Some((Tone::Caution, words)), no_more);
                };
                let way_out = if report.level < Level::Nudge {
                    "Fresh video for 5\u{a0}s, then hold Y to arm."
                } else {
                    "Then hold Y to arm."
                };
                (disarmed(report), way_out.to_owned())
            }
            Stand::Armed | Stand::Driving | Stand::Nudging => {
                let clamp = self.fresh().and_then(|report| {
                    let words = match (report.refused, report.clamp) {
                        (Some((sequence, reason)), _)
                            if sequence > report.heard && self.held.any() =>
                        {
                            format!("Refused: {}", reason.words())
                        }
                        (_, Some(clamp)) => clamped(clamp, report),
                        (_, None) => return None,
                    };
                    Some((Tone::Caution, words))
                });
                let way_out = match stand {
                    Stand::Armed => "Hold a key to drive. Shift is faster, Alt slower.".to_owned(),
                    _ => no_more,
                };
                (clamp, way_out)
            }
        }
    }
}

/// The keys and what goes with them, as they are drawn.
pub fn face(sight: &Sight<'_>) -> DriveFace {
    sight.face()
}

/// Why it is not armed, and what became of the robot.
fn disarmed(report: &DriveReport) -> Option<(Tone, String)> {
    let why = match report.disarmed? {
        Disarm::NotArmed => return None,
        Disarm::DeadMan => format!("No word for {}\u{a0}ms", report.dead_man_ms),
        Disarm::StaleFrame => "The picture was too old".to_owned(),
        Disarm::Delay => "The delay grew too long".to_owned(),
        Disarm::Stopped => "The robot was stopped".to_owned(),
        Disarm::ControlEnded => "Control ended".to_owned(),
        Disarm::BatteryLow => "The battery is at its floor".to_owned(),
        Disarm::Fault => "The robot's disk takes no more records".to_owned(),
    };
    let stood = match report.stood_after_ms {
        Some(ms) => format!(
            "Robot reports stopped after {}. It stays so.",
            words::delay(f64::from(ms))
        ),
        None => "The robot stays where it is.".to_owned(),
    };
    Some((Tone::Caution, format!("{why}. {stood}")))
}

/// How far ahead a way is drawn, seconds: what a person can still change their mind about.
const AHEAD_S: f64 = 2.0;

/// The way that a robot takes at this speed and turn, in metres of the map; nothing for one that stands.
pub fn way_ahead(pose: Pose, twist: Twist) -> Vec<[f64; 2]> {
    const STEPS: i32 = 20;
    if twist.speed_mm_s == 0 {
        return Vec::new();
    }
    let (speed, turn) = (
        f64::from(twist.speed_mm_s) / 1_000.0,
        f64::from(twist.turn_mrad_s) / 1_000.0,
    );
    let step_s = AHEAD_S / f64::from(STEPS);
    let mut at = [pose.x_m, pose.y_m];
    let mut way = vec![at];
    for step in 0..STEPS {
        // By the heading in the middle of the step: exact enough for a line on a map.
        let heading = pose.heading_rad + turn * step_s * (f64::from(step) + 0.5);
        at = [
            at[0] + heading.cos() * speed * step_s,
            at[1] + heading.sin() * speed * step_s,
        ];
        way.push(at);
    }
    way
}

/// What held it back, in words.
pub fn clamped(clamp: Clamp, report: &DriveReport) -> String {
    let cap = words::measure(f64::from(report.cap_mm_s) / 1_000.0, 2, "m/s");
    match clamp {
        Clamp::TopSpeed => format!("Clamped to {cap}: it goes no faster"),
        Clamp::Granted => format!("Clamped to {cap}: the grant allows no more"),
        Clamp::Delay => {
            let delay = report.delay_ms.map_or_else(String::new, |ms| {
                format!(" of {}", words::delay(f64::from(ms)))
            });
            format!("Clamped to {cap}: delay{delay}")
        }
        Clamp::PeopleNear => format!("Clamped to {cap}: a person is near"),
        Clamp::KeepOut => {
            let given = f64::from(report.given.speed_mm_s.unsigned_abs()) / 1_000.0;
            format!(
                "Clamped to {}: keeps out of {}",
                words::measure(given, 2, "m/s"),
                report.zone
            )
        }
        Clamp::Workspace => "Clamped: edge of its workspace".to_owned(),
        Clamp::NudgeOver => "One nudge is over: let the key go".to_owned(),
    }
}

/// The authority ladder, as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LadderFace {
    /// Where it stands.
    pub level: Level,
    /// "Drive withheld: delay 268 ms, limit 250 ms."; nothing when all is left.
    pub why: String,
    /// What brings the next step back; empty when all is left.
    pub way_out: String,
}

impl LadderFace {
    /// How it is meant.
    pub fn tone(&self) -> Tone {
        match self.level {
            Level::Drive => Tone::Calm,
            Level::Nudge | Level::Waypoint => Tone::Caution,
            Level::Question => Tone::Alarm,
        }
    }
}

/// A step's word.
pub const fn step(level: Level) -> &'static str {
    match level {
        Level::Drive => "Drive",
        Level::Nudge => "Nudge",
        Level::Waypoint => "Waypoint",
        Level::Question => "Question only",
    }
}

/// What of the ladder is left.
pub fn ladder(sight: &Sight<'_>) -> LadderFace {
    let none = |why: &str, way_out: &str| LadderFace {
        level: Level::Question,
        why: why.to_owned(),
        way_out: way_out.to_owned(),
    };
    if let Some((why, way_out)) = sight.reach.withholds() {
        return none(why, way_out);
    }
    if sight.is_stopped {
        return none(
            "Motion withheld: the stop is latched on the robot.",
            "It stays latched if this page, the gateway or the link goes away.",
        );
    }
    let Some(report) = sight.fresh() else {
        let since = sight.report.map_or_else(String::new, |(_, age_ms)| {
            format!(" for {}", words::delay(age_ms))
        });
        return none(
            &format!("Motion withheld: no word from the robot{since}."),
            "It stops by itself without a fresh word.",
        );
    };
    let Some(delay_ms) = report.delay_ms else {
        return none(
            "Motion withheld: the control delay is not measured.",
            "Returns with live video.",
        );
    };
    let level = report.level;
    let allowed = report.limits.at(delay_ms);
    if level < allowed && report.returns_in_ms.is_none() && !report.was_lowered {
        return none(
            &format!(
                "Measuring the control delay: {} so far.",
                words::delay(f64::from(delay_ms))
            ),
            "Takes a second.",
        );
    }
    match Level::ALL.into_iter().rev().find(|step| *step > level) {
        Some(lost) => withheld(report, lost, delay_ms),
        None => LadderFace {
            level,
            why: format!("Control delay {}.", words::delay(f64::from(delay_ms))),
            way_out: String::new(),
        },
    }
}

/// Why the next step up is withheld, and what brings it back.
fn withheld(report: &DriveReport, lost: Level, delay_ms: u32) -> LadderFace {
    let level = report.level;
    let cap = match level {
        Level::Nudge => format!(
            " Speed cap {}.",
            words::measure(f64::from(report.cap_mm_s) / 1_000.0, 2, "m/s")
        ),
        _ => String::new(),
    };
    let limit = report.limits.of(lost);
    let back = limit.saturating_sub(protocol::ladder::RETURNS_UNDER_MS);
    let back = words::delay(f64::from(back));
    // Under the limit again, but not for long enough: what took the step away is over.
    let is_over = delay_ms <= limit;
    LadderFace {
        level,
        why: format!(
            "{} withheld: delay {}{}, limit {}.{cap}",
            step(lost),
            if is_over { "was too long, now " } else { "" },
            words::delay(f64::from(delay_ms)),
            words::delay(f64::from(limit)),
        ),
        way_out: match report.returns_in_ms {
            Some(ms) => format!(
                "Back to {} in {}, if it stays under {back}",
                step(lost).to_lowercase(),
                words::delay(f64::from(ms))
            ),
            None => format!(
                "Back to {} after 5\u{a0}s under {back}",
                step(lost).to_lowercase()
            ),
        },
    }
}

/// The steps to release a stop, in order, and whether each is done.
pub fn release_steps(
    sight: &Sight<'_>,
    is_still: bool,
    is_clear: bool,
    reason: &str,
) -> [(&'static str, bool); 4] {
    const FRESH_MS: f64 = 500.0;
    let is_fresh = sight.frame_age_ms.is_some_and(|age_ms| age_ms <= FRESH_MS);
    [
        ("Robot reports stopped", is_still),
        if sight.has_cameras {
            ("Video is fresh", is_fresh)
        } else {
            ("It has no camera", true)
        },
        ("Area is clear", is_clear),
        ("Why did you stop?", !reason.trim().is_empty()),
    ]
}

#[cfg(test)]
mod tests;
