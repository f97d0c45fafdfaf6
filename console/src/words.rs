//! Numbers, spans and moments as people read them.

use protocol::{UnixMicros, job::Window, robot::Activity, views::Role};
use time::OffsetDateTime;

/// Holds a number and its unit together on one line.
const NBSP: char = '\u{a0}';

/// The sign for negative numbers; a hyphen is too short for one.
const MINUS: char = '\u{2212}';

/// A delay: "84 ms", "4.2 s", "18 s".
pub fn delay(ms: f64) -> String {
    let ms = ms.max(0.0);
    if ms < 999.5 {
        format!("{ms:.0}{NBSP}ms")
    } else if ms < 9_950.0 {
        format!("{:.1}{NBSP}s", ms / 1_000.0)
    } else {
        span(ms)
    }
}

/// A longer span: "18 s", "5 min", "3 h", "12 d".
pub fn span(ms: f64) -> String {
    let seconds = (ms / 1_000.0).max(0.0);
    if seconds < 99.5 {
        format!("{seconds:.0}{NBSP}s")
    } else if seconds < 5_970.0 {
        format!("{:.0}{NBSP}min", seconds / 60.0)
    } else if seconds < 172_800.0 {
        format!("{:.0}{NBSP}h", seconds / 3_600.0)
    } else {
        format!("{:.0}{NBSP}d", seconds / 86_400.0)
    }
}

/// A number with so many decimals and a real minus.
pub fn number(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let is_zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if value < 0.0 && !is_zero {
        format!("{MINUS}{text}")
    } else {
        text
    }
}

/// A number with its unit.
pub fn measure(value: f64, decimals: usize, unit: &str) -> String {
    format!("{}{NBSP}{unit}", number(value, decimals))
}

/// A time of day in UTC: "14:31:41".
pub fn clock(at: UnixMicros) -> String {
    let seconds = at.0.div_euclid(1_000_000).rem_euclid(86_400);
    format!(
        "{:02}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// The same to the millisecond: "14:31:41.002".
pub fn clock_ms(at: UnixMicros) -> String {
    format!("{}.{:03}", clock(at), at.millis().rem_euclid(1_000))
}

/// The ends of a hash, by which people tell it apart: "c1f0…77a2".
pub fn short_hash(hash: &[u8; 32]) -> String {
    let [first, second, .., last_but_one, last] = *hash;
    format!("{first:02x}{second:02x}…{last_but_one:02x}{last:02x}")
}

/// Hours and minutes of a moment in UTC: "14:31".
pub fn hour_minute(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    format!("{:02}:{:02}", at.hour(), at.minute())
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Day, hours and minutes of a moment in UTC: "21 Nov, 14:05".
pub fn day_minute(at: OffsetDateTime) -> String {
    let at = at.to_offset(time::UtcOffset::UTC);
    let month = MONTHS[usize::from(u8::from(at.month())) - 1];
    format!("{}{NBSP}{month}, {}", at.day(), hour_minute(at))
}

/// From when to when, in UTC; the day is said once where it is the same: "21 Nov, 14:05 to 15:10".
pub fn window(window: Window) -> String {
    let (Some(from), Some(until)) = (moment(window.from), moment(window.until)) else {
        return String::new();
    };
    if from.date() == until.date() {
        format!("{} to {}", day_minute(from), hour_minute(until))
    } else {
        format!("{} to {}", day_minute(from), day_minute(until))
    }
}

/// A moment as a date. None for one that lies outside the calendar.
pub fn moment(at: UnixMicros) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000).ok()
}

/// What a robot does, in one word.
pub const fn activity(activity: Activity) -> &'static str {
    match activity {
        Activity::Idle => "Idle",
        Activity::Patrolling => "Patrolling",
        Activity::Navigating => "Navigating",
        Activity::Waiting => "Waiting",
        Activity::Stopped => "Stopped",
        Activity::Charging => "Charging",
        Activity::Working => "Working",
        Activity::Driven => "Driven",
    }
}

/// A role, in one word.
pub const fn role(role: Role) -> &'static str {
    match role {
        Role::Operator => "Operator",
        Role::Supervisor => "Supervisor",
        Role::Requester => "Requester",
        Role::Owner => "Owner",
        Role::Admin => "Admin",
    }
}

/// A part's own words as a sentence: "`no_signal`: nothing came in" is "No signal: nothing came in".
pub fn told(words: &str) -> String {
    match code_of(words) {
        Some(code) => {
            let spelled = capitalised(&code.replace('_', " "));
            format!("{spelled}{}", &words[code.len()..])
        }
        None => capitalised(words),
    }
}

/// The frozen code that a part's words start with, if they do.
pub fn code_of(words: &str) -> Option<&str> {
    let (code, _) = words.split_once(": ")?;
    let is_code = !code.is_empty()
        && code
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    is_code.then_some(code)
}

/// The same with a capital at its start.
pub fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

/// Up to two letters that stand for a person.
pub fn initials(name: &str) -> String {
    let mut words = name
        .split_whitespace()
        .filter_map(|word| word.chars().next());
    let first = words.next();
    let last = words.next_back();
    first
        .into_iter()
        .chain(last)
        .flat_map(char::to_uppercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_as_exact_as_their_length_deserves() {
        let table = [
            (0.0, "0\u{a0}ms"),
            (84.4, "84\u{a0}ms"),
            (999.6, "1.0\u{a0}s"),
            (4_240.0, "4.2\u{a0}s"),
            (9_960.0, "10\u{a0}s"),
            (99_600.0, "2\u{a0}min"),
            (3_540_000.0, "59\u{a0}min"),
            (10_800_000.0, "3\u{a0}h"),
            (864_000_000.0, "10\u{a0}d"),
            (-5.0, "0\u{a0}ms"),
        ];
        for (ms, words) in table {
            assert_eq!(delay(ms), words);
        }
    }

    #[test]
    fn minus_is_a_minus_and_nothing_is_minus_zero() {
        assert_eq!(number(-1.25, 1), "\u{2212}1.2");
        assert_eq!(number(-0.01, 1), "0.0");
        assert_eq!(measure(2.0, 2, "m/s"), "2.00\u{a0}m/s");
    }

    #[test]
    fn the_clock_shows_utc() {
        assert_eq!(clock(UnixMicros(1_700_000_000_000_000)), "22:13:20");
        assert_eq!(clock(UnixMicros(-1)), "23:59:59");
        assert_eq!(clock_ms(UnixMicros(-1)), "23:59:59.999");
    }

    #[test]
    fn a_window_says_its_day_once_where_it_has_only_one() {
        let at = |seconds: i64| UnixMicros(seconds * 1_000_000);
        let within = |from, until| {
            window(Window {
                from: at(from),
                until: at(until),
            })
        };

        assert_eq!(
            within(1_700_000_000, 1_700_003_600),
            "14\u{a0}Nov, 22:13 to 23:13"
        );
        assert_eq!(
            within(1_700_000_000, 1_700_007_200),
            "14\u{a0}Nov, 22:13 to 15\u{a0}Nov, 00:13"
        );
    }

    #[test]
    fn the_code_before_a_parts_words_is_spelled_out() {
        let table = [
            (
                "no_signal: nothing came in for 2 s",
                "No signal: nothing came in for 2 s",
                Some("no_signal"),
            ),
            ("dusty lens: wipe it", "Dusty lens: wipe it", None),
            ("worn", "Worn", None),
            ("", "", None),
        ];
        for (words, sentence, code) in table {
            assert_eq!((told(words).as_str(), code_of(words)), (sentence, code));
        }
    }

    #[test]
    fn initials_are_the_first_and_the_last() {
        assert_eq!(initials("Mira Kovač"), "MK");
        assert_eq!(initials("ada maria lovelace"), "AL");
        assert_eq!(initials("Žofie"), "Ž");
        assert_eq!(initials(" "), "");
    }
}
