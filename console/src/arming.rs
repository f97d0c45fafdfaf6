//! Whether a target may be set from this page right now, and if not, why and what brings it back. Stopping is never withheld.

use protocol::robot::{Activity, Capability};

use crate::{
    control, grade,
    live::{
        granting::{Belief, is_about_passkey},
        model::Robot,
    },
    roster::Standing,
    words,
};

/// What this page can see of the robot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sight {
    /// The robot has no camera: nothing is missing.
    NoCamera,
    /// No picture came yet.
    Awaited,
    /// The large picture is so old.
    Aged(f64),
}

/// Why targets are withheld.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// The measured value and the limit.
    pub why: String,
    /// The way out.
    pub way_out: &'static str,
}

/// Why targets are withheld, if they are.
pub fn withheld(
    is_connected: bool,
    robot: &Robot,
    standing: &Standing,
    sight: Sight,
    control: &control::Standing,
) -> Option<Withheld> {
    let no = |why: &str, way_out| {
        Some(Withheld {
            why: why.to_owned(),
            way_out,
        })
    };
    if !is_connected {
        return no(
            "no connection to the gateway",
            "Returns with the connection",
        );
    }
    match standing {
        Standing::Offline { .. } => return no("the robot is offline", "Returns with the robot"),
        Standing::Silent => {
            return no("the robot has not told its state", "Returns with its state");
        }
        Standing::Stale { age_ms, .. } => {
            let why = format!(
                "the robot's state is {} old, limit 1 s",
                words::delay(*age_ms)
            );
            return no(&why, "Returns with fresh state");
        }
        Standing::Fresh(Activity::Stopped) => {
            return no("the robot is stopped", "Release the stop first");
        }
        Standing::Fresh(_) => {}
    }
    let can_navigate = robot
        .advert
        .as_ref()
        .is_some_and(|advert| advert.capabilities.contains(&Capability::Navigate));
    if !can_navigate {
        return no("this robot can't drive to targets", "");
    }
    if let Some(withheld) = by_control(control) {
        return Some(withheld);
    }
    match sight {
        Sight::Awaited => no("no picture yet", "Returns with the first picture"),
        Sight::Aged(ms) if ms > grade::STALE_FRAME_MS => {
            let why = format!("video stale for {}, limit 1 s", words::delay(ms));
            no(&why, "Returns with fresh video")
        }
        Sight::NoCamera | Sight::Aged(_) => None,
    }
}

/// Whether this page may set targets at all, whatever it can see.
fn by_control(control: &control::Standing) -> Option<Withheld> {
    let no = |why: &str, way_out| {
        Some(Withheld {
            why: why.to_owned(),
            way_out,
        })
    };
    match control {
        control::Standing::Here { belief, .. } => match belief {
            Belief::Believed { .. } => None,
            Belief::Asking | Belief::Unasked => no(
                "the robot checks that it is you",
                "Comes by itself in a moment",
            ),
            Belief::Denied { code, words } => {
                let way_out = if is_about_passkey(code) {
                    "Choose below what to show it"
                } else {
                    "Asked for again every 30 s"
                };
                no(words.trim_end_matches('.'), way_out)
            }
        },
        control::Standing::Nobody => no("you don't have control", "Take control with K"),
        control::Standing::RanOut => no("control ran out", "Take it again with K"),
        control::Standing::Elsewhere => no(
            "you have control in another window",
            "Take control here with K",
        ),
        control::Standing::Another { name, .. } => {
            no(&format!("{name} has control"), "Ask for it with K")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use protocol::{
        GrantId, OrganisationId, RobotId, SiteId,
        robot::Advert,
        views::{Presence, RobotView},
    };
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;

    fn robot(capabilities: Vec<Capability>) -> Robot {
        let mut robot = Robot::new(RobotView {
            robot: RobotId(Uuid::nil()),
            name: "Juniper".to_owned(),
            organisation: OrganisationId(Uuid::nil()),
            site: SiteId(Uuid::nil()),
            site_name: String::new(),
            presence: Presence::Online {
                since: OffsetDateTime::UNIX_EPOCH,
            },
            advert: None,
            telemetry: None,
            link: None,
            trust: None,
        });
        robot.advert = Some(Arc::new(Advert {
            capabilities,
            ..Advert::default()
        }));
        robot
    }

    const IDLE: Standing = Standing::Fresh(Activity::Idle);

    const HERE: control::Standing = control::Standing::Here {
        asked_by: None,
        belief: BELIEVED,
    };

    const BELIEVED: Belief = Belief::Believed {
        grant: GrantId(Uuid::nil()),
        binding: [0; 32],
    };

    #[test]
    fn targets_need_control_from_this_page() {
        let able = robot(vec![Capability::Navigate]);
        let asked = control::Standing::Here {
            asked_by: Some("Tobi".to_owned()),
            belief: BELIEVED,
        };
        let here = |belief| control::Standing::Here {
            asked_by: None,
            belief,
        };
        let denied = Belief::Denied {
            code: "revoked".to_owned(),
            words: "your key was revoked".to_owned(),
        };
        let another = control::Standing::Another {
            name: "Tobi".to_owned(),
            is_asked: true,
        };
        for (control, why) in [
            (HERE, None),
            (asked, None),
            (
                here(Belief::Asking),
                Some("the robot checks that it is you"),
            ),
            (here(denied), Some("your key was revoked")),
            (control::Standing::Nobody, Some("you don't have control")),
            (control::Standing::RanOut, Some("control ran out")),
            (
                control::Standing::Elsewhere,
                Some("you have control in another window"),
            ),
            (another, Some("Tobi has control")),
        ] {
            let found = withheld(true, &able, &IDLE, Sight::NoCamera, &control);
            assert_eq!(found.map(|withheld| withheld.why).as_deref(), why);
        }
    }

    #[test]
    fn targets_need_a_fresh_picture_state_and_connection() {
        let able = robot(vec![Capability::Navigate]);
        let stale = Standing::Stale {
            age_ms: 2_000.0,
            was: Activity::Idle,
        };
        let gone = Standing::Offline { for_ms: None };
        let stopped = Standing::Fresh(Activity::Stopped);
        let table = [
            (
                true,
                stopped,
                Sight::Aged(0.0),
                Some("the robot is stopped"),
            ),
            (true, IDLE, Sight::Aged(1_000.0), None),
            (true, IDLE, Sight::NoCamera, None),
            (
                true,
                IDLE,
                Sight::Aged(4_200.0),
                Some("video stale for 4.2\u{a0}s, limit 1 s"),
            ),
            (true, IDLE, Sight::Awaited, Some("no picture yet")),
            (
                true,
                stale,
                Sight::Aged(0.0),
                Some("the robot's state is 2.0\u{a0}s old, limit 1 s"),
            ),
            (true, gone, Sight::Aged(0.0), Some("the robot is offline")),
            (
                true,
                Standing::Silent,
                Sight::Aged(0.0),
                Some("the robot has not told its state"),
            ),
            (
                false,
                IDLE,
                Sight::Aged(0.0),
                Some("no connection to the gateway"),
            ),
        ];
        for (is_connected, standing, sight, why) in table {
            let found = withheld(is_connected, &able, &standing, sight, &HERE);
            assert_eq!(found.map(|withheld| withheld.why).as_deref(), why);
        }
    }

    #[test]
    fn a_robot_that_cannot_drive_is_not_sent_anywhere() {
        let found = withheld(true, &robot(Vec::new()), &IDLE, Sight::Aged(0.0), &HERE);

        assert!(found.is_some());
    }
}
