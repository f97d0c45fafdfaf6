//! People who walk about: from room to room, on the right side of the corridor, and around no corner twice alike.

use rand::{RngExt as _, rngs::Xoshiro256PlusPlus};

use super::{
    RADIUS,
    geometry::{Point, wrapped},
    occupancy::{self, Clearance},
    site::{Doorway, Site},
    solids::Colour,
};

/// Half a person's width with swinging arms.
pub(super) const PERSON_RADIUS: f64 = 0.27;
/// A person keeps at least this far from a robot's edge.
const SHY: f64 = 0.12;
/// Room beside a person who squeezes past.
const SQUEEZE: f64 = 0.24;
/// How long a person tries to get past the robot before turning round.
const PATIENCE_S: f64 = 3.0;
/// Getting this much nearer counts as progress.
const NEARER: f64 = 0.2;
/// People keep to the right of the corridor's middle by this much.
const LANE: f64 = 0.3;
/// Arrived at a waypoint.
const CLOSE: f64 = 0.08;
/// Half the corridor's width: nearer to its middle than this is in it.
const IN_CORRIDOR: f64 = 1.0;
/// Fastest a person turns, rad/s.
const TURNING: f64 = 4.0;

const COATS: [Colour; 6] = [
    Colour(88, 132, 150),
    Colour(222, 224, 222),
    Colour(132, 92, 108),
    Colour(92, 110, 84),
    Colour(70, 84, 112),
    Colour(176, 132, 92),
];
const SKINS: [Colour; 4] = [
    Colour(226, 184, 158),
    Colour(198, 150, 118),
    Colour(142, 98, 72),
    Colour(238, 204, 182),
];
const HAIRS: [Colour; 4] = [
    Colour(62, 48, 40),
    Colour(150, 148, 144),
    Colour(38, 34, 34),
    Colour(140, 100, 62),
];

/// How a person looks right now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// Where they stand.
    pub at: Point,
    /// Where they look.
    pub heading: f64,
    /// Phase of the gait in radians; the legs swing with its sine.
    pub gait: f64,
    /// How far the legs swing, 0 standing to 1 walking.
    pub swing: f64,
    /// Height.
    pub tall: f64,
    /// Upper body.
    pub coat: Colour,
    /// Face and hands.
    pub skin: Colour,
    /// Hair.
    pub hair: Colour,
}

/// Somebody on the way somewhere.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Walker {
    /// As seen.
    pub(super) figure: Figure,
    pace: f64,
    /// Number of the room they come from, or are in.
    from: usize,
    /// Number of the room they go to.
    room: usize,
    waypoints: Vec<Point>,
    resting_s: f64,
    /// Since they last got nearer to the next waypoint.
    waiting_s: f64,
    /// The nearest they got to it.
    nearest: f64,
}

impl Walker {
    /// Somebody who stands in the corridor before room number `room`.
    pub(super) fn new(site: &Site, room: usize, luck: &mut Xoshiro256PlusPlus) -> Self {
        let room = room % site.doorways.len();
        Self {
            figure: Figure {
                at: site.doorways[room].inside,
                heading: luck.random_range(-3.0..3.0),
                gait: luck.random_range(0.0..6.0),
                swing: 0.0,
                tall: luck.random_range(1.58..1.86),
                coat: COATS[luck.random_range(0..COATS.len())],
                skin: SKINS[luck.random_range(0..SKINS.len())],
                hair: HAIRS[luck.random_range(0..HAIRS.len())],
            },
            pace: luck.random_range(0.7..1.15),
            from: room,
            room,
            waypoints: Vec::new(),
            resting_s: luck.random_range(0.0..6.0),
            waiting_s: 0.0,
            nearest: f64::INFINITY,
        }
    }

    /// Walks on for `seconds`: around the robot where there is room, never into its disc.
    pub(super) fn walk(
        &mut self,
        site: &Site,
        floor: &Clearance,
        robot: Point,
        seconds: f64,
        luck: &mut Xoshiro256PlusPlus,
    ) {
        self.figure.swing = (self.figure.swing - 4.0 * seconds).max(0.0);
        if self.resting_s > 0.0 {
            self.resting_s -= seconds;
            return;
        }
        let Some(&next) = self.waypoints.last() else {
            self.set_out(site, luck);
            return;
        };
        let way = next.minus(self.figure.at);
        let keep = RADIUS + PERSON_RADIUS + SHY;
        let is_taken = next.distance(robot) < keep && way.length() < keep * 2.0;
        if way.length() < CLOSE || is_taken {
            self.waypoints.pop();
            self.nearest = f64::INFINITY;
            if self.waypoints.is_empty() {
                self.from = self.room;
                self.resting_s = luck.random_range(3.0..15.0);
            }
            return;
        }
        let onward = way.times(way.length().recip());
        let metres = (self.pace * seconds).min(way.length());
        self.waiting_s += seconds;
        if way.length() < self.nearest - NEARER {
            self.nearest = way.length();
            self.waiting_s = 0.0;
        }
        if self.waiting_s > PATIENCE_S {
            self.turn_round(site, luck);
            return;
        }
        let Some(direction) = self.free_direction(floor, robot, onward, metres) else {
            return;
        };
        let error = wrapped(direction.heading() - self.figure.heading);
        let most = TURNING * seconds;
        self.figure.heading = wrapped(self.figure.heading + error.clamp(-most, most));
        if error.abs() > 1.0 {
            return;
        }
        self.figure.at = self.figure.at.plus(direction.times(metres));
        self.figure.gait += metres * 4.2;
        self.figure.swing = (self.figure.swing + 8.0 * seconds).min(1.0);
    }

    /// Straight on, or along the edge of the robot to the nearer side that has room.
    fn free_direction(
        &self,
        floor: &Clearance,
        robot: Point,
        onward: Point,
        metres: f64,
    ) -> Option<Point> {
        let here = self.figure.at;
        let keep = RADIUS + PERSON_RADIUS + SHY;
        let straight = here.plus(onward.times(metres));
        let is_free =
            straight.distance(robot) >= keep || straight.distance(robot) >= here.distance(robot);
        if is_free {
            return Some(onward);
        }
        let away = here.minus(robot);
        let away = away.times(away.length().max(1e-6).recip());
        let left = Point::new(-away.y, away.x);
        let sides = if left.dot(onward) >= 0.0 {
            [left, left.times(-1.0)]
        } else {
            [left.times(-1.0), left]
        };
        sides.into_iter().find(|side| {
            // A tangent leads away from the circle, so the distance to the robot only grows.
            let beyond = here.plus(side.times(metres.max(occupancy::CELL)));
            floor
                .cell(beyond)
                .is_some_and(|cell| floor.at(cell) >= SQUEEZE)
        })
    }

    fn turn_round(&mut self, site: &Site, luck: &mut Xoshiro256PlusPlus) {
        self.waiting_s = 0.0;
        self.nearest = f64::INFINITY;
        self.resting_s = luck.random_range(0.3..1.0);
        let here = self.figure.at;
        let home = site.doorways[self.from];
        let is_leaving = (here.y - home.outside.y).abs() > IN_CORRIDOR
            && (here.x - home.outside.x).abs() < IN_CORRIDOR
            && (here.y - home.outside.y).signum() == (home.inside.y - home.outside.y).signum();
        if is_leaving {
            self.room = self.from;
            self.waypoints = vec![home.inside];
            return;
        }
        // Somewhere else, starting with the corridor where they are.
        let refused = self.room;
        self.room = another(site, refused, luck);
        let corridor = Doorway {
            outside: Point::new(here.x, home.outside.y),
            inside: here,
        };
        self.waypoints = way_between(corridor, site.doorways[self.room]);
        self.waypoints.pop();
    }

    fn set_out(&mut self, site: &Site, luck: &mut Xoshiro256PlusPlus) {
        let here = site.doorways[self.room];
        self.room = another(site, self.room, luck);
        self.waypoints = way_between(here, site.doorways[self.room]);
    }
}

/// The number of another room.
fn another(site: &Site, room: usize, luck: &mut Xoshiro256PlusPlus) -> usize {
    let rooms = site.doorways.len();
    (room + luck.random_range(1..rooms)) % rooms
}

/// Waypoints from room to room, the last one first.
fn way_between(here: Doorway, there: Doorway) -> Vec<Point> {
    let side = if there.outside.x > here.outside.x {
        -LANE
    } else {
        LANE
    };
    let lane = |x: f64| Point::new(x, here.outside.y + side);
    vec![
        there.inside,
        lane(there.outside.x),
        lane(here.outside.x),
        here.inside,
    ]
}
