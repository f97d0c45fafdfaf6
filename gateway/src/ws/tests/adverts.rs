//! Claims about what a robot may put on people's screens.

use protocol::{
    limits::{
        MAX_CAMERAS, MAX_COMPONENTS, MAX_LIDAR_RANGES, MAX_MAP_PLACES, MAX_MAP_SEGMENTS,
        MAX_NAME_CHARS, MAX_WORDS_CHARS,
    },
    robot::{
        Advert, CameraAdvert, Component, Health, Place, Pose, Scan, Segment, Shape, ShapeKind,
        SiteMap,
    },
    robot_socket::{FromRobot, Goodbye},
};
use sqlx::PgPool;

use super::client::{Console, Robot, hello};
use crate::{
    http::tests::house::{House, JUNIPER, Who, advert},
    ws::bounds::{check_advert, check_scan},
};

fn camera(name: &str) -> CameraAdvert {
    CameraAdvert {
        name: name.to_owned(),
        ..advert().cameras.remove(0)
    }
}

fn cameras(names: impl IntoIterator<Item = String>) -> Advert {
    Advert {
        cameras: names.into_iter().map(|name| camera(&name)).collect(),
        ..advert()
    }
}

fn components(count: usize, name: &str) -> Advert {
    let one = Component {
        name: name.to_owned(),
        health: Health::Ok,
        words: String::new(),
    };
    Advert {
        components: vec![one; count],
        ..advert()
    }
}

fn said(words: &str) -> Advert {
    let mut advert = components(1, "wheel");
    words.clone_into(&mut advert.components[0].words);
    advert
}

fn map(change: impl FnOnce(&mut SiteMap)) -> Advert {
    let mut map = SiteMap::default();
    change(&mut map);
    Advert {
        map: Some(map),
        ..advert()
    }
}

const WALL: Segment = Segment {
    from: [0.0, 0.0],
    to: [1.0, 1.0],
};

fn place(name: &str) -> Place {
    Place {
        name: name.to_owned(),
        pose: Pose::default(),
    }
}

fn shape(corners: usize, label: &str) -> Shape {
    Shape {
        kind: ShapeKind::Room,
        label: label.to_owned(),
        corners: vec![[0.0, 0.0]; corners],
    }
}

fn numbered(count: usize) -> Vec<String> {
    (0..count)
        .map(|number| format!("camera-{number}"))
        .collect()
}

#[test]
fn an_advert_may_have_as_much_as_the_limits_say_and_not_one_more() {
    let longest = "č".repeat(MAX_NAME_CHARS);
    let too_long = format!("{longest}x");
    for (case, at_limit, beyond) in [
        (
            "cameras",
            cameras(numbered(MAX_CAMERAS)),
            cameras(numbered(MAX_CAMERAS + 1)),
        ),
        (
            "components",
            components(MAX_COMPONENTS, "wheel"),
            components(MAX_COMPONENTS + 1, "wheel"),
        ),
        (
            "a component's name",
            components(1, &longest),
            components(1, &too_long),
        ),
        (
            "words about a component",
            said(&"č".repeat(MAX_WORDS_CHARS)),
            said(&"x".repeat(MAX_WORDS_CHARS + 1)),
        ),
        (
            "walls",
            map(|map| map.walls = vec![WALL; MAX_MAP_SEGMENTS]),
            map(|map| map.walls = vec![WALL; MAX_MAP_SEGMENTS + 1]),
        ),
        (
            "corners",
            map(|map| map.shapes = vec![shape(MAX_MAP_SEGMENTS / 2, ""); 2]),
            map(|map| map.shapes = vec![shape(MAX_MAP_SEGMENTS / 2 + 1, ""); 2]),
        ),
        (
            "shapes",
            map(|map| map.shapes = vec![shape(3, "Room"); MAX_MAP_PLACES]),
            map(|map| map.shapes = vec![shape(3, "Room"); MAX_MAP_PLACES + 1]),
        ),
        (
            "a shape's label",
            map(|map| map.shapes = vec![shape(3, &longest)]),
            map(|map| map.shapes = vec![shape(3, &too_long)]),
        ),
        (
            "places",
            map(|map| map.places = vec![place("Dock"); MAX_MAP_PLACES]),
            map(|map| map.places = vec![place("Dock"); MAX_MAP_PLACES + 1]),
        ),
        (
            "a place's name",
            map(|map| map.places = vec![place(&longest)]),
            map(|map| map.places = vec![place(&too_long)]),
        ),
    ] {
        assert_eq!(check_advert(&at_limit), Ok(()), "{case}");
        assert!(check_advert(&beyond).is_err(), "{case}");
    }
}

#[test]
fn a_model_and_a_version_are_short() {
    let too_long = "x".repeat(MAX_NAME_CHARS + 1);
    for wrong in [
        Advert {
            model: too_long.clone(),
            ..advert()
        },
        Advert {
            software: too_long.clone(),
            ..advert()
        },
    ] {
        assert!(check_advert(&wrong).is_err());
    }
}

#[test]
fn a_cameras_name_is_short_plain_and_its_own() {
    for names in [
        vec!["head", "head"],
        vec![""],
        vec!["../head"],
        vec!["he ad"],
        vec!["<b>"],
        vec!["kopf-ä"],
    ] {
        let advert = cameras(names.iter().map(|&name| name.to_owned()));
        assert!(check_advert(&advert).is_err(), "{names:?}");
    }
    assert!(check_advert(&cameras(["a".repeat(MAX_NAME_CHARS + 1)])).is_err());
    assert_eq!(check_advert(&cameras(["Head_2-left".to_owned()])), Ok(()));
}

#[test]
fn a_number_that_is_none_stands_nowhere() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let corner = [0.0, bad];
        for (case, wrong) in [
            (
                "radius",
                Advert {
                    radius_m: bad,
                    ..advert()
                },
            ),
            ("width", map(|map| map.width_m = bad)),
            ("height", map(|map| map.height_m = bad)),
            (
                "wall",
                map(|map| map.walls = vec![Segment { to: corner, ..WALL }]),
            ),
            (
                "corner",
                map(|map| {
                    map.shapes = vec![Shape {
                        corners: vec![corner],
                        ..shape(0, "")
                    }];
                }),
            ),
            (
                "place",
                map(|map| {
                    map.places = vec![Place {
                        pose: Pose {
                            heading_rad: f64::from(bad),
                            ..Pose::default()
                        },
                        ..place("Dock")
                    }];
                }),
            ),
        ] {
            assert!(check_advert(&wrong).is_err(), "{case} {bad}");
        }
        for wrong in [
            Scan {
                path: vec![corner],
                ..scan()
            },
            Scan {
                step_rad: f64::from(bad),
                ..scan()
            },
        ] {
            assert!(check_scan(&wrong).is_err());
        }
    }
    assert_eq!(check_scan(&scan()), Ok(()));
}

fn scan() -> Scan {
    Scan {
        at: protocol::UnixMicros(0),
        pose: Pose::default(),
        first_rad: 0.0,
        step_rad: 0.1,
        ranges_cm: vec![100; MAX_LIDAR_RANGES],
        path: vec![[0.0, 0.0]],
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_robot_whose_advert_is_out_of_bounds_is_turned_away_before_anybody_sees_it(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let (mut console, _snapshot) = Console::open(address, Who::Operator).await;
    let sound = serde_json::to_string(&hello(advert())).unwrap();
    // Read as single precision this is infinite; shown again it would be `null`, which breaks every console.
    let infinite = sound.replace("\"radius_m\":0.0", "\"radius_m\":1e39");
    assert_ne!(sound, infinite);
    let crowded = serde_json::to_string(&hello(cameras(numbered(MAX_CAMERAS + 1)))).unwrap();

    for text in [infinite, crowded] {
        let mut robot = Robot::dial(address, JUNIPER).await;
        robot.say_text(&text).await;
        assert_eq!(robot.goodbye().await, Goodbye::BadFrame);
    }

    assert_eq!(console.in_step().await, []);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn an_advert_or_a_scan_that_is_out_of_bounds_ends_the_session(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let many = Scan {
        ranges_cm: vec![1; MAX_LIDAR_RANGES + 1],
        ..scan()
    };

    for frame in [
        FromRobot::Advert(cameras(["head".to_owned(), "head".to_owned()])),
        FromRobot::Scan(many),
    ] {
        let (mut robot, _held) = Robot::welcome(address, JUNIPER).await;
        robot.say(&frame).await;
        assert_eq!(robot.goodbye().await, Goodbye::BadFrame);
    }
    let kept = house.app.live.robot(JUNIPER.id()).unwrap().advert;
    assert_eq!(kept, Some(advert()));
}
