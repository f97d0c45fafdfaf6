//! Figures out of what a page said and heard and what the robot signed of it. Pure.

use std::collections::HashMap;

use anyhow::Result;
use protocol::{
    drive::{DriveCommand, DriveReport, Twist},
    ladder::Level,
    sealed::{self, Kind},
};
use serde::Deserialize;

/// What was kept of a page.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Taken {
    said: Vec<(f64, String)>,
    heard: Vec<(f64, DriveReport)>,
    /// How long each signature took, milliseconds.
    pub(super) signed: Vec<f64>,
}

/// What a page said: when, and what.
#[derive(Debug, Clone)]
pub(super) struct Said {
    at_ms: f64,
    command: DriveCommand,
}

/// A second of driving, as far as it is judged here.
#[derive(Debug, Deserialize)]
pub(super) struct Segment {
    epoch: u64,
    from_tick_ms: u64,
    lasts_ms: u32,
    steps: Vec<Step>,
    #[serde(default)]
    disarmed: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Step {
    sequence: u64,
    after_ms: u32,
    asked: Twist,
}

/// A command that the robot followed.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Followed {
    epoch: u64,
    sequence: u64,
    tick_ms: u64,
    is_moving: bool,
}

impl Taken {
    /// The commands in it.
    pub(super) fn said(&self) -> Result<Vec<Said>> {
        let read = |(at_ms, bytes): &(f64, String)| -> Result<Said> {
            let signed = sealed::unverified::<DriveCommand>(Kind::Drive, &hex::decode(bytes)?)?;
            Ok(Said {
                at_ms: *at_ms,
                command: signed.payload,
            })
        };
        self.said.iter().map(read).collect()
    }

    /// From a command to the robot's word that it was the newest one taken; of those that arrived and whose word did.
    pub(super) fn round_trips(&self) -> Result<Vec<f64>> {
        let said = self.said()?;
        let mut first = HashMap::new();
        for (at_ms, report) in &self.heard {
            first.entry(report.heard).or_insert(*at_ms);
        }
        let trip = |said: &Said| {
            let back = first.get(&said.command.sequence)?;
            Some(back - said.at_ms).filter(|trip| *trip >= 0.0)
        };
        Ok(said.iter().filter_map(trip).collect())
    }

    /// Share of the robot's time at this level.
    pub(super) fn at(&self, level: Level) -> f64 {
        self.share(|report| report.level == level)
    }

    /// Share of the robot's time in which it was armed.
    pub(super) fn armed(&self) -> f64 {
        self.share(|report| report.disarmed.is_none())
    }

    /// Share of the robot's time that is so, by its own clock, from its first word to its last.
    fn share(&self, is_so: impl Fn(&DriveReport) -> bool) -> f64 {
        let mut reports: Vec<&DriveReport> = self.heard.iter().map(|(_, report)| report).collect();
        reports.sort_by_key(|report| report.tick_ms);
        let (mut so, mut whole) = (0, 0);
        for pair in reports.windows(2) {
            let lasts = pair[1].tick_ms - pair[0].tick_ms;
            whole += lasts;
            if is_so(pair[0]) {
                so += lasts;
            }
        }
        share(so, whole)
    }

    /// The control delay as the robot said it, milliseconds.
    pub(super) fn delays(&self) -> Vec<f64> {
        (self.heard.iter())
            .filter_map(|(_, report)| report.delay_ms.map(f64::from))
            .collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of some minutes")]
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        return f64::NAN;
    }
    part as f64 / whole as f64
}

/// How old the tick that each followed command named was when it was followed, milliseconds, by the robot's clock alone.
pub(super) fn ages(said: &[Said], segments: &[Segment]) -> Vec<f64> {
    let ticks: HashMap<(u64, u64), u64> = (said.iter())
        .map(|said| &said.command)
        .map(|command| ((command.epoch, command.sequence), command.seen_tick_ms))
        .collect();
    let age = |followed: Followed| {
        let seen = ticks.get(&(followed.epoch, followed.sequence))?;
        let age = followed.tick_ms.saturating_sub(*seen);
        Some(f64::from(u32::try_from(age).unwrap_or(u32::MAX)))
    };
    followed(segments).filter_map(age).collect()
}

/// From the last word that moved it to the first that did not, where that one came, milliseconds.
pub(super) fn let_go(segments: &[Segment]) -> Vec<f64> {
    let all: Vec<Followed> = followed(segments).collect();
    let pause = |pair: &[Followed]| {
        let is_end = pair[0].is_moving && !pair[1].is_moving && pair[0].epoch == pair[1].epoch;
        let lasts = pair[1].tick_ms.checked_sub(pair[0].tick_ms)?;
        (is_end).then(|| f64::from(u32::try_from(lasts).unwrap_or(u32::MAX)))
    };
    all.windows(2).filter_map(pause).collect()
}

/// From the last word that moved it until it stood, in the seconds in which driving ended by itself, milliseconds.
pub(super) fn stood(segments: &[Segment]) -> Vec<f64> {
    let stood = |segment: &Segment| {
        let moved = segment.steps.iter().rfind(|step| !step.asked.is_zero())?;
        let is_own = segment.disarmed.as_deref() == Some("dead_man");
        is_own.then(|| f64::from(segment.lasts_ms.saturating_sub(moved.after_ms)))
    };
    segments.iter().filter_map(stood).collect()
}

fn followed(segments: &[Segment]) -> impl Iterator<Item = Followed> {
    segments.iter().flat_map(|segment| {
        segment.steps.iter().map(|step| Followed {
            epoch: segment.epoch,
            sequence: step.sequence,
            tick_ms: segment.from_tick_ms + u64::from(step.after_ms),
            is_moving: !step.asked.is_zero(),
        })
    })
}

#[cfg(test)]
mod tests {
    use protocol::{GrantId, RobotId, UnixMicros, drive::DriveCommand};
    use serde_json::json;

    use super::*;

    fn said(sequence: u64, at_ms: f64, seen_tick_ms: u64) -> Said {
        let nobody = "00000000-0000-0000-0000-000000000000";
        Said {
            at_ms,
            command: DriveCommand {
                robot: nobody.parse::<RobotId>().unwrap(),
                grant: serde_json::from_value::<GrantId>(json!(nobody)).unwrap(),
                binding: [0; 32],
                epoch: 4,
                sequence,
                seen_tick_ms,
                frame: None,
                twist: Twist::ZERO,
            },
        }
    }

    fn segments() -> Vec<Segment> {
        let moving = json!({"speed_mm_s": 0, "turn_mrad_s": 800});
        let rest = json!({"speed_mm_s": 0, "turn_mrad_s": 0});
        let steps = |steps: &[(u64, u32, bool)]| -> Vec<serde_json::Value> {
            let step = |(sequence, after_ms, is_moving): &(u64, u32, bool)| {
                let asked = if *is_moving { &moving } else { &rest };
                json!({"sequence": sequence, "after_ms": after_ms, "asked": asked, "given": rest})
            };
            steps.iter().map(step).collect()
        };
        let two = json!([
            {"epoch": 4, "from_tick_ms": 1_000, "lasts_ms": 1_000, "at": UnixMicros(0),
             "steps": steps(&[(7, 0, true), (8, 55, true), (9, 120, false)])},
            {"epoch": 4, "from_tick_ms": 3_000, "lasts_ms": 600, "disarmed": "dead_man",
             "steps": steps(&[(20, 0, true), (21, 100, true)])},
        ]);
        serde_json::from_value(two).unwrap()
    }

    #[test]
    fn the_pause_is_from_the_last_word_that_moves_to_the_first_that_rests() {
        assert_eq!(let_go(&segments()), [65.0]);
    }

    #[test]
    fn it_stands_where_the_second_in_which_driving_ended_does() {
        assert_eq!(stood(&segments()), [500.0]);
    }

    #[test]
    fn a_command_is_as_old_as_the_tick_that_it_names() {
        let said = [
            said(8, 0.0, 1_040),
            said(21, 0.0, 2_400),
            said(22, 0.0, 3_000),
        ];

        assert_eq!(ages(&said, &segments()), [15.0, 700.0]);
    }

    #[test]
    fn shares_are_of_the_robots_own_time_in_whatever_order_it_was_heard() {
        let report = |tick_ms: u64, level: &str, heard: u64| {
            json!({
                "tick_ms": tick_ms, "level": level, "was_lowered": false, "limits": {"drive_ms": 250, "nudge_ms": 500, "waypoint_ms": 2000},
                "dead_man_ms": 250, "cap_mm_s": 900, "given": {"speed_mm_s": 0, "turn_mrad_s": 0}, "heard": heard,
                "heard_age_ms": 0, "dropped": 0
            })
        };
        let taken: Taken = serde_json::from_value(json!({
            "said": [], "signed": [],
            "heard": [[0.0, report(100, "drive", 1)], [3.0, report(500, "drive", 3)], [2.0, report(400, "nudge", 2)]],
        }))
        .unwrap();

        assert!((taken.at(Level::Drive) - 0.75).abs() < 1e-9);
        assert!((taken.at(Level::Nudge) - 0.25).abs() < 1e-9);
        assert!(Taken::default().at(Level::Drive).is_nan());
    }
}
