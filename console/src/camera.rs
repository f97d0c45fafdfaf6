//! Why a camera shows nothing, in words.

use protocol::robot::{Advert, Health};

use crate::{
    live::model::{Model, Phase, Robot},
    roster::Standing,
    words,
};

/// Why no picture comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPicture {
    /// In a line.
    pub headline: String,
    /// What that means for whoever looks.
    pub rest: &'static str,
    /// Frozen code, for whoever is asked about it.
    pub code: String,
    /// Whether the robot itself gets nothing from this camera.
    pub is_robots_own: bool,
}

fn no_picture(headline: &str, rest: &'static str, code: &str) -> NoPicture {
    NoPicture {
        headline: headline.to_owned(),
        rest,
        code: code.to_owned(),
        is_robots_own: false,
    }
}

/// Why the live page has no picture of this camera, where that is known.
pub fn on_live_page(model: &Model, robot: &Robot, camera: usize) -> Option<NoPicture> {
    if model.connection.phase != Phase::Live {
        return Some(no_picture(
            "No picture: no connection to the gateway",
            "Values are old, and nothing can be sent from here. Trying again.",
            "gateway_lost",
        ));
    }
    if !robot.is_online() {
        return Some(no_picture(
            "No picture: the robot is offline",
            "Pictures return with the robot.",
            "robot_offline",
        ));
    }
    if let Some(advert) = &robot.advert {
        if advert.cameras.is_empty() {
            return Some(no_picture(
                "No picture: this robot has no camera",
                "Map, state and stop work without one.",
                "no_camera",
            ));
        }
        if let Some(own) = of_robot(advert, camera) {
            return Some(own);
        }
    }
    let found = model.view.as_ref()?.trouble.as_ref()?;
    Some(no_picture(
        &format!("No picture: {}", found.words),
        "Map, state and stop still work. Trying again.",
        &found.code,
    ))
}

/// What the robot itself says is wrong with one of its cameras.
pub fn of_robot(advert: &Advert, camera: usize) -> Option<NoPicture> {
    let name = format!("camera {}", advert.cameras.get(camera)?.name);
    let part = advert
        .components
        .iter()
        .find(|part| part.name == name && part.health != Health::Ok)?;
    let (headline, code) = match (part.words.as_str(), part.health) {
        ("", Health::Failed) => ("This camera failed".to_owned(), "camera_failed"),
        ("", Health::Degraded | Health::Ok) => {
            ("This camera is impaired".to_owned(), "camera_impaired")
        }
        (said, _) => (
            words::told(said),
            words::code_of(said).unwrap_or("camera_impaired"),
        ),
    };
    Some(NoPicture {
        is_robots_own: true,
        ..no_picture(
            &headline,
            "The robot gets no picture from this camera. Map, state and stop still work.",
            code,
        )
    })
}

/// What stands on a fleet card in place of a still. Stills are of the main camera.
pub fn in_place_of_still(robot: &Robot, standing: &Standing) -> String {
    let plain = match standing {
        Standing::Offline { for_ms: None } => "No picture before its agent connects",
        Standing::Offline { .. } => "No picture while offline",
        Standing::Silent | Standing::Stale { .. } | Standing::Fresh(_) => {
            match robot.advert.as_deref() {
                None => "Waiting for its cameras",
                Some(advert) => return of_main_camera(advert),
            }
        }
    };
    plain.to_owned()
}

fn of_main_camera(advert: &Advert) -> String {
    let Some(main) = advert.cameras.first() else {
        return "No camera".to_owned();
    };
    if let Some(trouble) = of_robot(advert, 0) {
        return trouble.headline;
    }
    if main.has_thumbnails {
        "Waiting for the first picture".to_owned()
    } else {
        "No stills from this camera; its live picture is on the robot's page".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use protocol::{
        OrganisationId, RobotId, SiteId,
        robot::{Activity, CameraAdvert, Codec, Component},
        views::{Presence, RobotView},
    };
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;
    use crate::live::model::Connection;

    fn foreign(name: &str) -> CameraAdvert {
        CameraAdvert {
            name: name.to_owned(),
            label: "Head".to_owned(),
            codec: Codec::Vp8,
            width: 0,
            height: 0,
            frames_per_second: 0,
            has_thumbnails: false,
        }
    }

    fn part(name: &str, health: Health, words: &str) -> Component {
        Component {
            name: name.to_owned(),
            health,
            words: words.to_owned(),
        }
    }

    fn robot(cameras: Vec<CameraAdvert>, components: Vec<Component>) -> Robot {
        let mut robot = Robot::new(RobotView {
            robot: RobotId(Uuid::nil()),
            name: "Juniper".to_owned(),
            organisation: OrganisationId(Uuid::nil()),
            site: SiteId(Uuid::nil()),
            site_name: "Wing B".to_owned(),
            presence: Presence::Online {
                since: OffsetDateTime::UNIX_EPOCH,
            },
            advert: None,
            telemetry: None,
            link: None,
            trust: None,
        });
        robot.advert = Some(Arc::new(Advert {
            cameras,
            components,
            ..Advert::default()
        }));
        robot
    }

    fn live() -> Model {
        Model {
            connection: Connection {
                phase: Phase::Live,
                ..Connection::default()
            },
            ..Model::default()
        }
    }

    const FRESH: Standing = Standing::Fresh(Activity::Idle);

    #[test]
    fn a_camera_without_a_signal_says_so_on_the_live_page() {
        let lost = "no_signal: nothing came in for 2 s";
        for health in [Health::Failed, Health::Degraded] {
            let robot = robot(
                vec![foreign("head"), foreign("base")],
                vec![part("camera head", health, lost)],
            );

            let head = on_live_page(&live(), &robot, 0).unwrap();
            let base = on_live_page(&live(), &robot, 1);

            assert_eq!(head.headline, "No signal: nothing came in for 2 s");
            assert_eq!(
                (head.code.as_str(), head.is_robots_own),
                ("no_signal", true)
            );
            assert_eq!(base, None);
        }
    }

    #[test]
    fn a_camera_that_failed_without_a_word_still_says_something() {
        let parts = vec![part("camera head", Health::Failed, "")];
        let robot = robot(vec![foreign("head")], parts);

        let head = on_live_page(&live(), &robot, 0).unwrap();

        assert_eq!(head.headline, "This camera failed");
        assert_eq!(head.code, "camera_failed");
    }

    #[test]
    fn a_lost_gateway_counts_before_what_the_robot_last_said() {
        let parts = vec![part("camera head", Health::Failed, "no_signal: nothing")];
        let robot = robot(vec![foreign("head")], parts);

        let trouble = on_live_page(&Model::default(), &robot, 0).unwrap();

        assert_eq!(trouble.code, "gateway_lost");
        assert!(!trouble.rest.contains("stop"));
    }

    #[test]
    fn a_card_without_a_still_says_why() {
        let told = |robot: &Robot| in_place_of_still(robot, &FRESH);
        let with_stills = CameraAdvert {
            has_thumbnails: true,
            ..foreign("head")
        };
        let lost = part("camera head", Health::Failed, "no_signal: nothing came in");

        let mut unknown = robot(Vec::new(), Vec::new());
        unknown.advert = None;
        assert_eq!(told(&unknown), "Waiting for its cameras");
        assert_eq!(told(&robot(Vec::new(), Vec::new())), "No camera");
        assert!(told(&robot(vec![foreign("head")], Vec::new())).starts_with("No stills"));
        assert_eq!(
            told(&robot(vec![with_stills.clone()], Vec::new())),
            "Waiting for the first picture"
        );
        assert_eq!(
            told(&robot(vec![with_stills], vec![lost])),
            "No signal: nothing came in"
        );
    }

    #[test]
    fn an_offline_robots_card_waits_for_nothing() {
        let robot = robot(vec![foreign("head")], Vec::new());
        let gone = Standing::Offline {
            for_ms: Some(1_000.0),
        };

        assert_eq!(in_place_of_still(&robot, &gone), "No picture while offline");
    }
}
