//! Where a simulated robot stands when it works at a place: before the door first, then around the room.

use protocol::robot::{Place, Pose};

use super::{
    RADIUS,
    geometry::{Point, point_of},
    site::Room,
    surroundings::Surroundings,
};
use crate::driver::Workplace;

/// Spots at one place: a few steps look different, and no step is far from the next.
const SPOTS: usize = 4;
/// Room beside the robot at a spot: enough to turn and to be passed.
const ELBOW_ROOM: f64 = 0.2;
/// How far from the place's own pose a spot may be.
const REACH: f64 = 1.5;
/// Between spots that are tried.
const GRID: f64 = 0.3;

/// The workplace at a place of the map.
pub(super) fn of(surroundings: &Surroundings, place: &Place) -> Workplace {
    let at = point_of(place.pose);
    let site = surroundings.site();
    let Some(room) = site.room_at(at) else {
        return Workplace {
            door: place.pose,
            spots: vec![place.pose],
        };
    };
    let doorway = site
        .doorways
        .iter()
        .find(|doorway| room.holds(doorway.inside));
    Workplace {
        door: doorway.map_or(place.pose, |doorway| {
            facing(doorway.outside, doorway.inside)
        }),
        spots: spots(surroundings, room, at),
    }
}

/// The place itself, then one after the other what is farthest from those before.
fn spots(surroundings: &Surroundings, room: &Room, at: Point) -> Vec<Pose> {
    let free = free(surroundings, room, at);
    let mut spots = vec![at];
    while spots.len() < SPOTS {
        let apart = |point: &Point| {
            let nearest = spots.iter().map(|spot| spot.distance(*point));
            nearest.fold(f64::INFINITY, f64::min)
        };
        let farthest = free
            .iter()
            .max_by(|one, other| apart(one).total_cmp(&apart(other)));
        match farthest {
            Some(point) if apart(point) > GRID => spots.push(*point),
            Some(_) | None => break,
        }
    }
    let middle = room.low.plus(room.high).times(0.5);
    spots.into_iter().map(|spot| facing(spot, middle)).collect()
}

/// Points of the room, near `at`, where the map leaves room for a robot.
fn free(surroundings: &Surroundings, room: &Room, at: Point) -> Vec<Point> {
    let mut free = Vec::new();
    let mut y = room.low.y + GRID;
    while y < room.high.y {
        let mut x = room.low.x + GRID;
        while x < room.high.x {
            let point = Point::new(x, y);
            let is_near = point.distance(at) <= REACH;
            if is_near && surroundings.mapped_distance(point) >= RADIUS + ELBOW_ROOM {
                free.push(point);
            }
            x += GRID;
        }
        y += GRID;
    }
    free
}

fn facing(from: Point, to: Point) -> Pose {
    Pose {
        x_m: from.x,
        y_m: from.y,
        heading_rad: to.minus(from).heading(),
    }
}
