//! Moments on the requester's own clock, as they read and type them.

use protocol::{UnixMicros, job::Window};

/// Minutes of a day.
const DAY_MIN: i64 = 24 * 60;
/// Microseconds of a minute.
pub const MINUTE_US: i64 = 60_000_000;

/// The clock on the requester's wall: seconds east of UTC at a moment. Summer time makes it differ between moments.
#[derive(Debug, Clone, Copy)]
pub struct Zone(pub fn(UnixMicros) -> i64);

impl Zone {
    /// Minutes since 1970 on the wall.
    fn minutes(self, at: UnixMicros) -> i64 {
        (at.0.div_euclid(1_000_000) + self.0(at)).div_euclid(60)
    }

    /// Time of day: "14:50".
    pub fn clock(self, at: UnixMicros) -> String {
        clock_words(self.minutes(at).rem_euclid(DAY_MIN))
    }

    /// Time of day, with the day where it isn't today: "14:50", "tomorrow 14:50", "5 Dec 14:50".
    pub fn moment(self, at: UnixMicros, now: UnixMicros) -> String {
        let clock = self.clock(at);
        match self.day(at) - self.day(now) {
            0 => clock,
            1 => format!("tomorrow {clock}"),
            -1 => format!("yesterday {clock}"),
            _ => format!("{} {clock}", self.date(at)),
        }
    }

    /// Two moments as one: "14:00 to 15:30", "tomorrow 14:00 to 15:30".
    pub fn span(self, window: Window, now: UnixMicros) -> String {
        let from = self.moment(window.from, now);
        let until = if self.day(window.from) == self.day(window.until) {
            self.clock(window.until)
        } else {
            self.moment(window.until, now)
        };
        format!("{from} to {until}")
    }

    /// A day: "5 Dec".
    pub fn date(self, at: UnixMicros) -> String {
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let local = at.0.div_euclid(1_000_000) + self.0(at);
        let Ok(date) = time::OffsetDateTime::from_unix_timestamp(local) else {
            return String::new();
        };
        let month = MONTHS
            .get(usize::from(u8::from(date.month())) - 1)
            .copied()
            .unwrap_or_default();
        format!("{} {month}", date.day())
    }

    fn day(self, at: UnixMicros) -> i64 {
        self.minutes(at).div_euclid(DAY_MIN)
    }

    /// The moment at which the wall shows this time of day, so many days after today.
    pub fn at(self, days: i64, minute_of_day: i64, now: UnixMicros) -> UnixMicros {
        let wall = (self.day(now) + days) * DAY_MIN + minute_of_day;
        // The offset of a moment that is an offset away is right but for the hours around a change of the clock; asked
        // once more at what it gave, it is right there too.
        let guess = UnixMicros(wall * MINUTE_US - self.0(now) * 1_000_000);
        UnixMicros(wall * MINUTE_US - self.0(guess) * 1_000_000)
    }

    /// The next full ten minutes that leave at least `lead_min` to get ready.
    pub fn soonest(self, now: UnixMicros, lead_min: i64) -> UnixMicros {
        let minutes = self.minutes(now) + lead_min;
        let round = (minutes + 9).div_euclid(10) * 10;
        now.plus((round - self.minutes(now)) * MINUTE_US - now.0.rem_euclid(MINUTE_US))
    }
}

fn clock_words(minute_of_day: i64) -> String {
    format!("{:02}:{:02}", minute_of_day / 60, minute_of_day % 60)
}

/// The minute of the day that somebody typed: "13:30", "9:05".
pub fn parse_clock(text: &str) -> Option<i64> {
    // Browsers that count seconds in a field of time write them too.
    let mut parts = text.trim().splitn(3, ':');
    let hour: i64 = parts.next()?.parse().ok()?;
    let minute: i64 = parts.next()?.parse().ok()?;
    ((0..24).contains(&hour) && (0..60).contains(&minute)).then_some(hour * 60 + minute)
}

/// What is left until `end`: "04:12", "1 h 04 min".
pub fn countdown(end: UnixMicros, now: UnixMicros) -> String {
    let seconds = (end.since(now).max(0) + 999_999) / 1_000_000;
    if seconds >= 3_600 {
        format!(
            "{}\u{a0}h {:02}\u{a0}min",
            seconds / 3_600,
            seconds / 60 % 60
        )
    } else {
        format!("{:02}:{:02}", seconds / 60, seconds % 60)
    }
}

/// An order's work needs some time: a window that ends sooner than this after now is of no use.
pub const SHORTEST_MIN: i64 = 10;

/// When somebody wants it done, as they fill it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// As soon as a robot can.
    Now,
    /// Between two times of one day.
    Between {
        /// Days after today.
        days: i64,
        /// As typed.
        from: String,
        /// As typed.
        until: String,
    },
}

/// What is wrong with a wish, said at the field that it concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// With the start.
    From(String),
    /// With the end.
    Until(String),
}

/// How long a job that is wanted now may take to be done: a morning.
const NOW_MIN: i64 = 4 * 60;

impl Wish {
    /// The window that is meant.
    pub fn window(&self, zone: Zone, now: UnixMicros) -> Result<Window, Trouble> {
        let Self::Between { days, from, until } = self else {
            return Ok(Window {
                from: now,
                until: now.plus(NOW_MIN * MINUTE_US),
            });
        };
        let from_minute = parse_clock(from).ok_or_else(|| Trouble::From(say_a_time()))?;
        let until_minute = parse_clock(until).ok_or_else(|| Trouble::Until(say_a_time()))?;
        let from_at = zone.at(*days, from_minute, now);
        let until_at = zone.at(*days, until_minute, now);
        if zone.minutes(from_at) < zone.minutes(now) {
            return Err(Trouble::From(passed(from, zone, now, 0)));
        }
        if until_at <= now {
            return Err(Trouble::Until(passed(until, zone, now, SHORTEST_MIN)));
        }
        let shortest = from_at.plus(SHORTEST_MIN * MINUTE_US);
        if until_at < shortest {
            return Err(Trouble::Until(format!(
                "{} is too soon after {}. Choose {} or later.",
                until.trim(),
                zone.clock(from_at),
                zone.clock(shortest)
            )));
        }
        // A start within this minute is now.
        Ok(Window {
            from: from_at.max(now),
            until: until_at,
        })
    }
}

fn say_a_time() -> String {
    "Type a time, like 14:40.".to_owned()
}

fn passed(typed: &str, zone: Zone, now: UnixMicros, lead_min: i64) -> String {
    let soonest = zone.moment(zone.soonest(now, lead_min), now);
    format!("{} has passed. Choose {soonest} or later.", typed.trim())
}

/// Until when leave to enter is to hold, as somebody types it: today, or tomorrow when that time of day has passed by more
/// than half a day.
pub fn leave_until(typed: &str, zone: Zone, now: UnixMicros) -> Result<UnixMicros, String> {
    let minute = parse_clock(typed).ok_or_else(say_a_time)?;
    let today = zone.at(0, minute, now);
    let is_tomorrow = now.since(today) > DAY_MIN / 2 * MINUTE_US;
    let at = if is_tomorrow {
        zone.at(1, minute, now)
    } else {
        today
    };
    if at <= now {
        return Err(passed(typed, zone, now, 1));
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2023-11-21 14:31:40 on a wall one hour east of UTC.
    const NOW: UnixMicros = UnixMicros(1_700_573_500_000_000);
    const CET: Zone = Zone(|_| 3_600);

    fn between(days: i64, from: &str, until: &str) -> Wish {
        Wish::Between {
            days,
            from: from.to_owned(),
            until: until.to_owned(),
        }
    }

    #[test]
    fn moments_are_told_on_the_requesters_own_clock() {
        assert_eq!(CET.clock(NOW), "14:31");
        assert_eq!(
            CET.moment(NOW.plus(10 * 60 * MINUTE_US), NOW),
            "tomorrow 00:31"
        );
        assert_eq!(
            CET.moment(NOW.plus(-15 * 60 * MINUTE_US), NOW),
            "yesterday 23:31"
        );
        assert_eq!(
            CET.moment(NOW.plus(14 * DAY_MIN * MINUTE_US), NOW),
            "5 Dec 14:31"
        );
    }

    #[test]
    fn a_time_that_has_passed_is_said_with_the_next_that_has_not() {
        let table = [
            (
                between(0, "13:30", "15:00"),
                Trouble::From("13:30 has passed. Choose 14:40 or later.".to_owned()),
            ),
            (
                between(0, "14:31", "14:40"),
                Trouble::Until("14:40 is too soon after 14:31. Choose 14:41 or later.".to_owned()),
            ),
            (
                between(0, "15:00", "14:00"),
                Trouble::Until("14:00 has passed. Choose 14:50 or later.".to_owned()),
            ),
            (
                between(1, "15:00", "14:00"),
                Trouble::Until("14:00 is too soon after 15:00. Choose 15:10 or later.".to_owned()),
            ),
            (
                between(0, "soon", "15:00"),
                Trouble::From("Type a time, like 14:40.".to_owned()),
            ),
            (
                between(0, "15:00", "24:00"),
                Trouble::Until("Type a time, like 14:40.".to_owned()),
            ),
        ];
        for (wish, trouble) in table {
            assert_eq!(wish.window(CET, NOW), Err(trouble), "{wish:?}");
        }
    }

    #[test]
    fn a_window_lies_where_the_wall_says_also_across_a_change_of_the_clock() {
        // The wall goes back by an hour at the coming midnight of UTC.
        const MIDNIGHT: i64 = 1_700_611_200_000_000;
        let zone = Zone(|at| if at.0 < MIDNIGHT { 7_200 } else { 3_600 });

        let window = between(1, "09:00", "10:30").window(zone, NOW).unwrap();

        assert_eq!(zone.clock(window.from), "09:00");
        assert_eq!(window.until.since(window.from), 90 * MINUTE_US);
        assert_eq!(zone.span(window, NOW), "tomorrow 09:00 to 10:30");
    }

    #[test]
    fn leave_to_enter_ends_later_today_or_in_the_coming_night() {
        let at = |typed| leave_until(typed, CET, NOW).map(|at| CET.moment(at, NOW));

        assert_eq!(at("15:10").as_deref(), Ok("15:10"));
        assert_eq!(at("01:00").as_deref(), Ok("tomorrow 01:00"));
        assert_eq!(
            at("13:30"),
            Err("13:30 has passed. Choose 14:40 or later.".to_owned())
        );
    }

    #[test]
    fn what_is_left_counts_down_to_nothing_and_not_below() {
        assert_eq!(countdown(NOW.plus(252_000_000), NOW), "04:12");
        assert_eq!(
            countdown(NOW.plus(3_840_000_000), NOW),
            "1\u{a0}h 04\u{a0}min"
        );
        assert_eq!(countdown(NOW, NOW.plus(1)), "00:00");
    }
}
