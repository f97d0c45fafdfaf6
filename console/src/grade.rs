//! From numbers to words: what counts as good, and from where on somebody has to look.

use protocol::robot::Battery;

/// How loudly a state speaks. Nominal is grey: colour means "look here".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Tone {
    /// Nothing to look at.
    #[default]
    Calm,
    /// Done as wished.
    Ok,
    /// Look at it.
    Caution,
    /// Act on it.
    Alarm,
}

impl Tone {
    /// Name of the style.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Calm => "",
            Self::Ok => "ok",
            Self::Caution => "caution",
            Self::Alarm => "alarm",
        }
    }
}

/// A number in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grade {
    /// How loudly.
    pub tone: Tone,
    /// The word.
    pub word: &'static str,
}

const fn grade(tone: Tone, word: &'static str) -> Grade {
    Grade { tone, word }
}

/// What is shown where a number is missing.
pub const UNKNOWN: Grade = grade(Tone::Calm, "No data");

/// Delays under this feel immediate.
const GOOD_DELAY_MS: f64 = 100.0;

/// Delays under this can be worked with; above, hands overshoot.
const MEDIUM_DELAY_MS: f64 = 200.0;

/// A picture older than this no longer shows what an answer would be about.
pub const FRESH_FRAME_MS: f64 = 300.0;

/// A picture older than this is history: it is hatched, and targets are withheld.
pub const STALE_FRAME_MS: f64 = 1_000.0;

/// Telemetry comes at 10 Hz; ten missing values are no hiccup.
pub const STALE_STATE_MS: f64 = 1_000.0;

/// Glass to glass, command round trip.
pub fn delay(ms: f64) -> Grade {
    if ms < GOOD_DELAY_MS {
        grade(Tone::Calm, "Good")
    } else if ms < MEDIUM_DELAY_MS {
        grade(Tone::Caution, "Medium")
    } else {
        grade(Tone::Alarm, "Poor")
    }
}

/// The link of a robot on the fleet page, with bars from 0 to 4.
pub fn link(rtt_ms: Option<f64>) -> (Grade, usize) {
    match rtt_ms {
        None => (grade(Tone::Calm, "Measuring"), 0),
        Some(ms) if ms < GOOD_DELAY_MS => (grade(Tone::Calm, "Good"), 4),
        Some(ms) if ms < MEDIUM_DELAY_MS => (grade(Tone::Calm, "Medium"), 3),
        Some(_) => (grade(Tone::Caution, "Poor"), 2),
    }
}

/// Age of the picture on screen.
pub fn frame_age(ms: f64) -> Grade {
    if ms <= FRESH_FRAME_MS {
        grade(Tone::Calm, "Fresh")
    } else if ms <= STALE_FRAME_MS {
        grade(Tone::Caution, "Late")
    } else {
        grade(Tone::Alarm, "Stale, limit 1 s")
    }
}

/// Frames per second against what the camera promises; 0 means that it promises nothing.
pub fn frame_rate(per_second: f64, promised: u32) -> Grade {
    let promised = f64::from(promised);
    if per_second < 1.0 {
        grade(Tone::Alarm, "No frames")
    } else if promised > 0.0 && per_second < promised * 0.5 {
        grade(Tone::Alarm, "Poor")
    } else if promised > 0.0 && per_second < promised * 0.8 {
        grade(Tone::Caution, "Low")
    } else {
        grade(Tone::Calm, "fps")
    }
}

/// Lost packets in percent. Under two, repeats heal it unseen.
pub fn loss(percent: f64) -> Grade {
    if percent <= 0.0 {
        grade(Tone::Calm, "None")
    } else if percent < 2.0 {
        grade(Tone::Calm, "Healed")
    } else if percent < 10.0 {
        grade(Tone::Caution, "Medium")
    } else {
        grade(Tone::Alarm, "Poor")
    }
}

/// Freezes in the last minute.
pub const fn freezes(count: u32) -> Grade {
    match count {
        0 => grade(Tone::Calm, "None"),
        1 => grade(Tone::Calm, "One"),
        2..=4 => grade(Tone::Caution, "Some"),
        _ => grade(Tone::Alarm, "Many"),
    }
}

/// Percent under which a robot should go and charge.
pub const BATTERY_LOW: f64 = 20.0;

/// Percent under which it may not get there.
const BATTERY_VERY_LOW: f64 = 10.0;

/// Energy.
pub fn battery(battery: &Battery) -> Grade {
    if battery.charging {
        grade(Tone::Calm, "Charging")
    } else if battery.percent < BATTERY_VERY_LOW {
        grade(Tone::Alarm, "Very low")
    } else if battery.percent < BATTERY_LOW {
        grade(Tone::Caution, "Low")
    } else {
        grade(Tone::Calm, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_colours_change_together() {
        let table: [(Grade, Tone, &str); 12] = [
            (delay(99.9), Tone::Calm, "Good"),
            (delay(100.0), Tone::Caution, "Medium"),
            (delay(200.0), Tone::Alarm, "Poor"),
            (frame_age(300.0), Tone::Calm, "Fresh"),
            (frame_age(300.1), Tone::Caution, "Late"),
            (frame_age(1_000.1), Tone::Alarm, "Stale, limit 1 s"),
            (frame_rate(0.0, 30), Tone::Alarm, "No frames"),
            (frame_rate(20.0, 30), Tone::Caution, "Low"),
            (frame_rate(12.0, 0), Tone::Calm, "fps"),
            (loss(1.9), Tone::Calm, "Healed"),
            (loss(12.0), Tone::Alarm, "Poor"),
            (freezes(3), Tone::Caution, "Some"),
        ];
        for (found, tone, word) in table {
            assert_eq!((found.tone, found.word), (tone, word));
        }
    }

    #[test]
    fn a_robot_on_the_charger_is_never_low() {
        let mut energy = Battery {
            percent: 5.0,
            volts: 21.0,
            charging: true,
        };
        assert_eq!(battery(&energy).tone, Tone::Calm);

        energy.charging = false;
        assert_eq!(battery(&energy).tone, Tone::Alarm);
    }
}
