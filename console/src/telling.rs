//! How a command and its fate are told: facts of the robot apart from wishes of people, and every no with its why.

use protocol::{
    UnixMicros,
    command::{AbandonReason, Fate, Verb},
    limits::RECEIPT_LATE_MS,
    robot::SiteMap,
};

use crate::{
    grade::Tone,
    live::{
        clock::micros_to_ms,
        commands::{Entry, Standing},
    },
    words,
};

/// A command's fate as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// The shape before it.
    pub shape: Shape,
    /// How loudly.
    pub tone: Tone,
    /// In few words: "Accepted".
    pub words: String,
    /// Why, where it needs one.
    pub why: Option<String>,
}

/// The shape of a fate; says the same as the colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Dashed ring: on its way.
    Underway,
    /// Half disc: the robot is at it.
    Running,
    /// Circled check.
    Done,
    /// Square: standing still.
    Still,
    /// Circled cross.
    No,
    /// Triangle.
    Caution,
}

/// The command in words: "Drive to Room 3 door".
pub fn verb(verb: &Verb, map: Option<&SiteMap>) -> String {
    match verb {
        Verb::Stop => "Stop".to_owned(),
        Verb::ArmDrive => "Arm drive".to_owned(),
        Verb::ReleaseStop => "Release stop".to_owned(),
        Verb::NavigateTo { x_m, y_m, .. } => match place_at(map, *x_m, *y_m) {
            Some(name) => format!("Drive to {name}"),
            None => format!(
                "Drive to {}, {}",
                words::number(*x_m, 2),
                words::number(*y_m, 2)
            ),
        },
    }
}

/// The named place at these metres: named targets are sent exactly as the map has them.
pub fn place_at(map: Option<&SiteMap>, x_m: f64, y_m: f64) -> Option<&str> {
    const SAME_M: f64 = 0.005;
    map?.places
        .iter()
        .find(|place| (place.pose.x_m - x_m).hypot(place.pose.y_m - y_m) < SAME_M)
        .map(|place| place.name.as_str())
}

/// The fate in words. `gateway_now` is the present moment of the gateway's clock.
pub fn fate(entry: &Entry, now: UnixMicros, gateway_now: UnixMicros) -> Telling {
    match &entry.standing {
        Standing::NotSent { words } => telling(Shape::No, Tone::Alarm, "Not sent", Some(words)),
        Standing::NotRecorded => telling(
            Shape::Caution,
            Tone::Alarm,
            "Not sent",
            Some("the connection broke before the gateway recorded it"),
        ),
        Standing::Unrecorded => telling(
            Shape::Running,
            Tone::Caution,
            "Sent",
            Some("not on record yet: the database is away. What the robot does shows here"),
        ),
        Standing::TurnedDown { words, .. } => telling(
            Shape::No,
            Tone::Alarm,
            &format!("Refused: {words}"),
            Some("by the gateway; the robot never heard of it"),
        ),
        Standing::Wished => awaiting(entry, now, gateway_now),
        Standing::Recorded(recorded) => of_robot(entry, *recorded, now, gateway_now),
    }
}

fn of_robot(entry: &Entry, fate: Fate, now: UnixMicros, gateway_now: UnixMicros) -> Telling {
    let is_stop = entry.verb == Verb::Stop;
    let is_release = entry.verb == Verb::ReleaseStop;
    match fate {
        Fate::Sent => awaiting(entry, now, gateway_now),
        Fate::Accepted if is_stop => telling(Shape::Running, Tone::Calm, "Robot is stopping", None),
        Fate::Accepted => telling(Shape::Running, Tone::Calm, "Accepted", None),
        Fate::Refused { reason } => telling(
            Shape::No,
            Tone::Alarm,
            &format!("Refused: {}", reason.words()),
            None,
        ),
        Fate::Done if is_stop => telling(Shape::Still, Tone::Calm, "Robot reports stopped", None),
        Fate::Done if is_release => telling(Shape::Done, Tone::Ok, "Released", None),
        Fate::Done => telling(Shape::Done, Tone::Ok, "Arrived", None),
        Fate::Abandoned { reason } => {
            let tone = match reason {
                AbandonReason::Superseded | AbandonReason::Stopped => Tone::Calm,
                AbandonReason::Fault => Tone::Alarm,
                _ => Tone::Caution,
            };
            telling(Shape::No, tone, "Abandoned", Some(abandoned(reason)))
        }
        Fate::Unanswered => telling(
            Shape::Caution,
            Tone::Alarm,
            "Unanswered",
            Some("whether the robot heard it is unknown"),
        ),
    }
}

/// Still without a word of the robot: sent, and late after half a second.
fn awaiting(entry: &Entry, now: UnixMicros, gateway_now: UnixMicros) -> Telling {
    let waited_us = match (entry.wished_at, entry.issued_at) {
        (Some(wished_at), _) => now.since(wished_at),
        (None, Some(issued_at)) => gateway_now.since(issued_at),
        (None, None) => 0,
    };
    if waited_us > i64::from(RECEIPT_LATE_MS) * 1_000 {
        let why = format!(
            "for {}, state unknown",
            words::delay(micros_to_ms(waited_us))
        );
        return telling(Shape::Caution, Tone::Caution, "No receipt", Some(&why));
    }
    telling(Shape::Underway, Tone::Calm, "Sent", None)
}

/// How long the robot took to answer a wish of this page, as this page saw it.
pub fn answer_ms(entry: &Entry) -> Option<f64> {
    Some(micros_to_ms(entry.answered_at?.since(entry.wished_at?)))
}

/// How long it took to the end: as this page saw it, or else as the gateway recorded it.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a drive")]
pub fn took_ms(entry: &Entry) -> Option<f64> {
    match (entry.wished_at, entry.ended_at) {
        (Some(wished_at), Some(ended_at)) => Some(micros_to_ms(ended_at.since(wished_at))),
        _ => entry.recorded_took_ms.map(|ms| ms as f64),
    }
}

/// Why a robot gave up what it had accepted, in words.
pub const fn abandoned(reason: AbandonReason) -> &'static str {
    match reason {
        AbandonReason::Blocked => "something stood in the way for too long",
        AbandonReason::Superseded => "a newer target took its place",
        AbandonReason::Stopped => "the robot was stopped",
        AbandonReason::Fault => "a part failed on the way",
        AbandonReason::Restarted => "the robot's agent restarted",
        AbandonReason::ControlEnded => "control ended or passed on",
        AbandonReason::DeadMan => "no fresh word in time",
        AbandonReason::StaleFrame => "the picture was too old",
        AbandonReason::Delay => "the delay grew too long",
        AbandonReason::BatteryLow => "the battery is at its floor",
    }
}

fn telling(shape: Shape, tone: Tone, words: &str, why: Option<&str>) -> Telling {
    Telling {
        shape,
        tone,
        words: words.to_owned(),
        why: why.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use protocol::{
        CommandId, RobotId,
        command::RobotRefusal,
        robot::{Place, Pose},
    };
    use uuid::Uuid;

    use super::*;

    const T0: UnixMicros = UnixMicros(50_000_000);

    fn entry(verb: Verb, standing: Standing) -> Entry {
        Entry {
            command: CommandId(Uuid::from_u128(1)),
            robot: RobotId(Uuid::from_u128(2)),
            verb,
            by: None,
            wished_at: Some(T0),
            answered_at: None,
            ended_at: None,
            issued_at: None,
            recorded_took_ms: None,
            standing,
        }
    }

    const DRIVE: Verb = Verb::NavigateTo {
        x_m: 2.41,
        y_m: -1.1,
        heading_rad: None,
    };

    #[test]
    fn no_receipt_shows_after_half_a_second_and_not_before() {
        let sent = entry(DRIVE, Standing::Recorded(Fate::Sent));

        let early = fate(&sent, T0.plus(500_000), T0);
        let late = fate(&sent, T0.plus(501_000), T0);

        assert_eq!(
            (early.words.as_str(), early.shape),
            ("Sent", Shape::Underway)
        );
        assert_eq!(
            (late.words.as_str(), late.tone),
            ("No receipt", Tone::Caution)
        );
    }

    #[test]
    fn the_robots_report_is_never_told_before_the_robot_reports() {
        let stops = |standing| fate(&entry(Verb::Stop, standing), T0, T0).words;

        assert_eq!(stops(Standing::Wished), "Sent");
        assert_eq!(stops(Standing::Recorded(Fate::Sent)), "Sent");
        assert_eq!(
            stops(Standing::Recorded(Fate::Accepted)),
            "Robot is stopping"
        );
        assert_eq!(
            stops(Standing::Recorded(Fate::Done)),
            "Robot reports stopped"
        );
    }

    #[test]
    fn every_refusal_says_why() {
        for reason in RobotRefusal::ALL {
            let refused = Standing::Recorded(Fate::Refused { reason });

            let told = fate(&entry(DRIVE, refused), T0, T0);

            assert_eq!(told.words, format!("Refused: {}", reason.words()));
            assert_eq!(told.tone, Tone::Alarm);
        }
    }

    #[test]
    fn a_target_goes_by_its_name_where_it_has_one() {
        let map = SiteMap {
            places: vec![Place {
                name: "Room 3 door".to_owned(),
                pose: Pose {
                    x_m: 2.41,
                    y_m: -1.1,
                    heading_rad: 1.0,
                },
            }],
            ..SiteMap::default()
        };

        assert_eq!(verb(&DRIVE, Some(&map)), "Drive to Room 3 door");
        assert_eq!(verb(&DRIVE, None), "Drive to 2.41, \u{2212}1.10");
    }

    #[test]
    fn a_commands_times_are_this_pages_own_where_it_has_them() {
        let mut done = entry(DRIVE, Standing::Recorded(Fate::Done));
        done.answered_at = Some(T0.plus(21_000));
        done.ended_at = Some(T0.plus(9_000_000));
        done.recorded_took_ms = Some(1);

        assert_eq!(
            (answer_ms(&done), took_ms(&done)),
            (Some(21.0), Some(9_000.0))
        );

        done.wished_at = None;
        assert_eq!((answer_ms(&done), took_ms(&done)), (None, Some(1.0)));
    }
}
