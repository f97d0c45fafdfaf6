//! The fleet as a list: how each robot stands, which group it is in, who comes first.

use protocol::{
    RobotId, UnixMicros,
    robot::{Activity, Health},
    views::Presence,
};

use crate::{
    grade::{self, Tone},
    live::{
        clock::{GatewayClock, micros_to_ms},
        commands::micros_of,
        model::Robot,
    },
    words,
};

/// How a robot stands right now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Standing {
    /// Its values are fresh.
    Fresh(Activity),
    /// It counts as connected, but its values are old.
    Stale {
        /// How old.
        age_ms: f64,
        /// What it did when it was last heard.
        was: Activity,
    },
    /// Connected, but it has not told its state yet.
    Silent,
    /// Not connected.
    Offline {
        /// For how long; absent when it was never seen.
        for_ms: Option<f64>,
    },
}

/// The groups to filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Group {
    /// Everybody.
    #[default]
    All,
    /// Moving, or held up on the way.
    Working,
    /// Standing.
    Idle,
    /// On the dock.
    Charging,
    /// Values are old.
    Stale,
    /// Not connected.
    Offline,
}

impl Group {
    /// Every group, in the order in which they are offered.
    pub const EVERY: [Self; 6] = [
        Self::All,
        Self::Working,
        Self::Idle,
        Self::Charging,
        Self::Stale,
        Self::Offline,
    ];

    /// The word on its button.
    pub const fn word(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Working => "Working",
            Self::Idle => "Idle",
            Self::Charging => "Charging",
            Self::Stale => "Stale",
            Self::Offline => "Offline",
        }
    }

    /// Whether a robot that stands so belongs to it.
    pub const fn holds(self, standing: &Standing) -> bool {
        match self {
            Self::All => true,
            Self::Working => matches!(
                standing,
                Standing::Fresh(
                    Activity::Patrolling
                        | Activity::Navigating
                        | Activity::Waiting
                        | Activity::Working
                        | Activity::Driven
                )
            ),
            Self::Idle => matches!(
                standing,
                Standing::Fresh(Activity::Idle | Activity::Stopped)
            ),
            Self::Charging => matches!(standing, Standing::Fresh(Activity::Charging)),
            Self::Stale => matches!(standing, Standing::Stale { .. } | Standing::Silent),
            Self::Offline => matches!(standing, Standing::Offline { .. }),
        }
    }
}

/// Age of a robot's state. By the robot's own clock where the gateway has measured that clock, since that includes the way
/// to the gateway; otherwise since the gateway heard it.
pub fn state_age_ms(robot: &Robot, clock: &GatewayClock, now: UnixMicros) -> Option<f64> {
    let telemetry = robot.view.telemetry.as_ref()?;
    let link = robot.view.link?;
    let taken_at = match link.rtt_ms {
        Some(_) => telemetry.at.plus(link.clock_offset_us),
        None => link.heard_at,
    };
    Some(micros_to_ms(now.since(clock.to_browser(taken_at))).max(0.0))
}

/// Age of a robot's still.
pub fn still_age_ms(robot: &Robot, clock: &GatewayClock, now: UnixMicros) -> Option<f64> {
    let still = robot.still.as_ref()?;
    let offset_us = robot.view.link.map_or(0, |link| link.clock_offset_us);
    let taken_at = clock.to_browser(still.captured_at.plus(offset_us));
    Some(micros_to_ms(now.since(taken_at)).max(0.0))
}

/// How a robot stands.
pub fn standing(robot: &Robot, clock: &GatewayClock, now: UnixMicros) -> Standing {
    if let Presence::Offline { since } = robot.view.presence {
        let for_ms = since.map(|since| {
            let since = clock.to_browser(micros_of(since));
            micros_to_ms(now.since(since)).max(0.0)
        });
        return Standing::Offline { for_ms };
    }
    match (robot.telemetry(), state_age_ms(robot, clock, now)) {
        (Some(state), Some(age_ms)) if age_ms > grade::STALE_STATE_MS => Standing::Stale {
            age_ms,
            was: state.activity,
        },
        (Some(state), _) => Standing::Fresh(state.activity),
        (None, _) => Standing::Silent,
    }
}

/// The word on a robot's badge, and how loudly it speaks.
pub fn badge(standing: &Standing, health: Health) -> (Tone, String) {
    match (standing, health) {
        (Standing::Offline { for_ms: None }, _) => (Tone::Calm, "Never seen".to_owned()),
        (Standing::Offline { for_ms: Some(ms) }, _) => {
            (Tone::Calm, format!("Offline {}", words::span(*ms)))
        }
        (Standing::Stale { age_ms, .. }, _) => {
            (Tone::Calm, format!("Stale {}", words::delay(*age_ms)))
        }
        (Standing::Silent, _) => (Tone::Calm, "No data".to_owned()),
        (Standing::Fresh(activity), Health::Failed) => (
            Tone::Alarm,
            format!("{}, fault", words::activity(*activity)),
        ),
        (Standing::Fresh(activity), Health::Degraded) => (
            Tone::Caution,
            format!("{}, impaired", words::activity(*activity)),
        ),
        (Standing::Fresh(Activity::Waiting), Health::Ok) => (Tone::Caution, "Waiting".to_owned()),
        (Standing::Fresh(activity), Health::Ok) => {
            (Tone::Calm, words::activity(*activity).to_owned())
        }
    }
}

/// A gone robot is news for a minute; after that it is the state of things.
const NEWLY_GONE_MS: f64 = 60_000.0;

/// Who comes first: what needs somebody, then everybody by name, then who is not there. Only lasting things count, or
/// cards would jump under the pointer.
fn urgency(robot: &Robot, standing: &Standing) -> u8 {
    let is_failed = robot
        .telemetry()
        .is_some_and(|state| state.health == Health::Failed);
    let is_low = robot
        .telemetry()
        .is_some_and(|state| !state.battery.charging && state.battery.percent < grade::BATTERY_LOW);
    match standing {
        Standing::Stale { .. } => 1,
        Standing::Offline { for_ms: Some(ms) } if *ms < NEWLY_GONE_MS => 1,
        Standing::Offline { .. } => 5,
        Standing::Fresh(_) if is_failed => 0,
        Standing::Fresh(_) if is_low => 2,
        Standing::Silent | Standing::Fresh(Activity::Stopped) => 3,
        Standing::Fresh(_) => 4,
    }
}

/// What the list is narrowed to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    /// The group.
    pub group: Group,
    /// Part of a name or of a site's name.
    pub text: String,
}

impl Filter {
    fn lets(&self, robot: &Robot, standing: &Standing) -> bool {
        let wanted = self.text.trim().to_lowercase();
        let is_named = || {
            let view = &robot.view;
            view.name.to_lowercase().contains(&wanted)
                || view.site_name.to_lowercase().contains(&wanted)
        };
        self.group.holds(standing) && (wanted.is_empty() || is_named())
    }
}

/// The robots that pass, in order.
pub fn list<'robots>(
    robots: impl Iterator<Item = &'robots Robot>,
    filter: &Filter,
    clock: &GatewayClock,
    now: UnixMicros,
) -> Vec<RobotId> {
    let mut passed: Vec<(u8, &str, RobotId)> = robots
        .filter_map(|robot| {
            let standing = standing(robot, clock, now);
            filter.lets(robot, &standing).then(|| {
                (
                    urgency(robot, &standing),
                    robot.view.name.as_str(),
                    robot.view.robot,
                )
            })
        })
        .collect();
    passed.sort_unstable();
    passed.into_iter().map(|(_, _, id)| id).collect()
}

/// How many robots each group holds, in the order of [`Group::EVERY`].
pub fn counts<'robots>(
    robots: impl Iterator<Item = &'robots Robot>,
    clock: &GatewayClock,
    now: UnixMicros,
) -> [usize; 6] {
    let mut counts = [0; 6];
    for robot in robots {
        let standing = standing(robot, clock, now);
        for (count, group) in counts.iter_mut().zip(Group::EVERY) {
            *count += usize::from(group.holds(&standing));
        }
    }
    counts
}

/// The neighbour of the selected robot in a list; the first or the last when none of it is selected.
pub fn neighbour(list: &[RobotId], selected: Option<RobotId>, step: isize) -> Option<RobotId> {
    let end = list.len().checked_sub(1)?;
    let place = selected.and_then(|id| list.iter().position(|other| *other == id));
    let next = match place {
        Some(place) => place.saturating_add_signed(step).min(end),
        None if step < 0 => end,
        None => 0,
    };
    list.get(next).copied()
}

#[cfg(test)]
mod tests {
    use protocol::{
        OrganisationId, SiteId,
        console_socket::Link,
        robot::{Battery, Telemetry},
        views::RobotView,
    };
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;

    const NOW: UnixMicros = UnixMicros(1_000_000_000);

    fn robot(name: &str, activity: Activity, age_ms: i64) -> Robot {
        let at = NOW.plus(-age_ms * 1_000);
        Robot::new(RobotView {
            robot: RobotId(Uuid::from_u128(name.bytes().map(u128::from).sum())),
            name: name.to_owned(),
            organisation: OrganisationId(Uuid::nil()),
            site: SiteId(Uuid::nil()),
            site_name: "Wing B".to_owned(),
            presence: Presence::Online {
                since: OffsetDateTime::UNIX_EPOCH,
            },
            advert: None,
            telemetry: Some(Telemetry {
                tick_ms: 0,
                at,
                pose: protocol::robot::Pose::default(),
                speed_mps: 0.0,
                turn_rps: 0.0,
                odometer_m: 0.0,
                battery: Battery {
                    percent: 80.0,
                    volts: 25.0,
                    charging: false,
                },
                activity,
                health: Health::Ok,
                goal: None,
            }),
            link: Some(Link {
                rtt_ms: Some(5.0),
                clock_offset_us: 0,
                heard_at: at,
            }),
            trust: None,
        })
    }

    fn offline(name: &str, for_s: Option<i64>) -> Robot {
        let mut gone = robot(name, Activity::Idle, 0);
        gone.view.presence = Presence::Offline {
            since: for_s.map(|seconds| {
                OffsetDateTime::UNIX_EPOCH + time::Duration::seconds(1_000 - seconds)
            }),
        };
        gone
    }

    fn names(robots: &[Robot], filter: &Filter) -> Vec<String> {
        list(robots.iter(), filter, &GatewayClock::default(), NOW)
            .into_iter()
            .filter_map(|id| robots.iter().find(|robot| robot.view.robot == id))
            .map(|robot| robot.view.name.clone())
            .collect()
    }

    #[test]
    fn who_needs_somebody_comes_first_and_who_is_not_there_comes_last() {
        let mut failed = robot("Zelkova", Activity::Idle, 0);
        failed.view.telemetry.as_mut().unwrap().health = Health::Failed;
        let mut low = robot("Yew", Activity::Patrolling, 0);
        low.view.telemetry.as_mut().unwrap().battery.percent = 12.0;
        let robots = [
            offline("Hawthorn", Some(500)),
            robot("Maple", Activity::Navigating, 50),
            robot("Alder", Activity::Idle, 50),
            robot("Rowan", Activity::Stopped, 50),
            low,
            robot("Willow", Activity::Idle, 1_400),
            offline("Xylo", Some(5)),
            failed,
        ];

        let order = names(&robots, &Filter::default());

        let wanted = [
            "Zelkova", "Willow", "Xylo", "Yew", "Rowan", "Alder", "Maple", "Hawthorn",
        ];
        assert_eq!(order, wanted);
    }

    #[test]
    fn old_values_are_stale_whatever_the_presence_says() {
        let clock = GatewayClock::default();

        let fresh = standing(&robot("A", Activity::Idle, 1_000), &clock, NOW);
        let stale = standing(&robot("A", Activity::Idle, 1_001), &clock, NOW);

        assert_eq!(fresh, Standing::Fresh(Activity::Idle));
        assert!(matches!(
            stale,
            Standing::Stale {
                was: Activity::Idle,
                ..
            }
        ));
    }

    #[test]
    fn a_robot_whose_clock_is_wrong_is_not_called_stale_for_it() {
        let mut behind = robot("A", Activity::Idle, 3_600_000);
        behind.view.link = Some(Link {
            rtt_ms: Some(5.0),
            clock_offset_us: 3_599_950_000,
            heard_at: NOW,
        });

        let age_ms = state_age_ms(&behind, &GatewayClock::default(), NOW).unwrap();

        assert!((age_ms - 50.0).abs() < 1.0);
    }

    #[test]
    fn every_robot_is_in_exactly_one_group_beside_all() {
        let clock = GatewayClock::default();
        let robots = [
            robot("A", Activity::Idle, 0),
            robot("B", Activity::Stopped, 0),
            robot("C", Activity::Patrolling, 0),
            robot("D", Activity::Navigating, 0),
            robot("E", Activity::Waiting, 0),
            robot("F", Activity::Charging, 0),
            robot("G", Activity::Idle, 5_000),
            offline("H", None),
        ];

        assert_eq!(counts(robots.iter(), &clock, NOW), [8, 3, 2, 1, 1, 1]);
    }

    #[test]
    fn the_text_narrows_by_name_and_site_in_any_case() {
        let robots = [
            robot("Juniper", Activity::Idle, 0),
            robot("Rowan", Activity::Idle, 0),
        ];
        let filter = |text: &str| Filter {
            group: Group::All,
            text: text.to_owned(),
        };

        assert_eq!(names(&robots, &filter(" JUN ")), ["Juniper"]);
        assert_eq!(names(&robots, &filter("wing")).len(), 2);
        assert!(names(&robots, &filter("oak")).is_empty());
    }

    #[test]
    fn the_keys_walk_the_list_and_stop_at_its_ends() {
        let ids: Vec<RobotId> = (1..=3).map(|id| RobotId(Uuid::from_u128(id))).collect();

        assert_eq!(neighbour(&ids, None, 1), Some(ids[0]));
        assert_eq!(neighbour(&ids, None, -1), Some(ids[2]));
        assert_eq!(neighbour(&ids, Some(ids[0]), 1), Some(ids[1]));
        assert_eq!(neighbour(&ids, Some(ids[2]), 1), Some(ids[2]));
        assert_eq!(neighbour(&ids, Some(ids[0]), -1), Some(ids[0]));
        assert_eq!(neighbour(&[], None, 1), None);
    }
}
