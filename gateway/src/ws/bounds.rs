//! What a robot may put on every console's screen: how much, how long, and numbers that are numbers.

use protocol::{
    limits::{
        MAX_CAMERAS, MAX_COMPONENTS, MAX_LIDAR_RANGES, MAX_MAP_PLACES, MAX_MAP_SEGMENTS,
        MAX_NAME_CHARS, MAX_WORDS_CHARS,
    },
    robot::{Advert, Pose, Scan, SiteMap, Telemetry},
};

/// Says what is wrong with an advert.
pub(super) fn check_advert(advert: &Advert) -> Result<(), String> {
    let mut cameras: Vec<_> = advert.cameras.iter().map(|camera| &camera.name).collect();
    cameras.sort();
    cameras.dedup();
    let labels = advert.cameras.iter().map(|camera| &camera.label);
    let parts = advert.components.iter().map(|component| &component.name);
    let mut people_read = labels.chain(parts).chain([&advert.model, &advert.software]);
    let wrong = if advert.cameras.len() > MAX_CAMERAS {
        format!("more than {MAX_CAMERAS} cameras")
    } else if cameras.len() != advert.cameras.len() {
        "two cameras of one name".to_owned()
    } else if !cameras.iter().all(|name| is_camera_name(name)) {
        "a camera's name may only have letters, digits, dash and underscore".to_owned()
    } else if advert.components.len() > MAX_COMPONENTS {
        format!("more than {MAX_COMPONENTS} components")
    } else if !people_read.all(|name| is_short(name)) {
        format!("a name is longer than {MAX_NAME_CHARS} characters")
    } else if !advert
        .components
        .iter()
        .all(|part| is_said_briefly(&part.words))
    {
        format!("the words about a component are longer than {MAX_WORDS_CHARS} characters")
    } else if !advert.radius_m.is_finite() {
        "the radius is no number".to_owned()
    } else {
        return advert.map.as_ref().map_or(Ok(()), check_map);
    };
    Err(format!("the advert is out of bounds: {wrong}"))
}

fn check_map(map: &SiteMap) -> Result<(), String> {
    let walls = map.walls.iter().flat_map(|wall| [wall.from, wall.to]);
    let corners = map.shapes.iter().flat_map(|shape| &shape.corners);
    let mut points = walls.chain(corners.clone().copied());
    let mut names = map
        .shapes
        .iter()
        .map(|shape| &shape.label)
        .chain(map.places.iter().map(|place| &place.name));
    let wrong = if map.walls.len() > MAX_MAP_SEGMENTS || corners.count() > MAX_MAP_SEGMENTS {
        format!("more than {MAX_MAP_SEGMENTS} walls or corners on the map")
    } else if map.places.len() > MAX_MAP_PLACES || map.shapes.len() > MAX_MAP_PLACES {
        format!("more than {MAX_MAP_PLACES} places or shapes on the map")
    } else if !names.all(|name| is_short(name)) {
        format!("a name on the map is longer than {MAX_NAME_CHARS} characters")
    } else if !(points.all(is_point)
        && is_point([map.width_m, map.height_m])
        && map.places.iter().all(|place| is_pose(&place.pose)))
    {
        "the map has a value that is no number".to_owned()
    } else {
        return Ok(());
    };
    Err(format!("the advert is out of bounds: {wrong}"))
}

/// Says what is wrong with a scan.
pub(super) fn check_scan(scan: &Scan) -> Result<(), String> {
    if scan.ranges_cm.len() > MAX_LIDAR_RANGES || scan.path.len() > MAX_MAP_SEGMENTS {
        return Err("a scan is out of bounds".to_owned());
    }
    let is_sound = is_pose(&scan.pose)
        && scan.first_rad.is_finite()
        && scan.step_rad.is_finite()
        && scan.path.iter().copied().all(is_point);
    is_sound
        .then_some(())
        .ok_or_else(|| "a scan has a value that is no number".to_owned())
}

/// Whether every number of the telemetry is one.
pub(super) fn is_sound(telemetry: &Telemetry) -> bool {
    let goal = telemetry.goal.as_ref();
    is_pose(&telemetry.pose)
        && goal.is_none_or(|goal| is_pose(&goal.target) && goal.remaining_m.is_finite())
        && [
            telemetry.speed_mps,
            telemetry.turn_rps,
            telemetry.odometer_m,
            telemetry.battery.percent,
            telemetry.battery.volts,
        ]
        .iter()
        .all(|value| value.is_finite())
}

/// Single precision overflows to infinity where JSON has a large number; written again that is `null`, which no console
/// can read.
fn is_point(point: [f32; 2]) -> bool {
    point.iter().all(|value| value.is_finite())
}

const fn is_pose(pose: &Pose) -> bool {
    pose.x_m.is_finite() && pose.y_m.is_finite() && pose.heading_rad.is_finite()
}

fn is_short(name: &str) -> bool {
    name.chars().count() <= MAX_NAME_CHARS
}

fn is_said_briefly(words: &str) -> bool {
    words.chars().count() <= MAX_WORDS_CHARS
}

fn is_camera_name(name: &str) -> bool {
    !name.is_empty()
        && is_short(name)
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
