//! The simulated site: one wing of a care home, the same for every seed, so that robots of one site share its map.

mod build;
mod furniture;
mod shelves;
mod wing;

use std::sync::Arc;

use protocol::robot::{Place, Pose, Segment, Shape, ShapeKind, SiteMap};

use super::{
    geometry::Point,
    solids::{Footprint, Form, Material, Solid},
};

/// Height of every ceiling, metres.
pub const CEILING: f64 = 2.7;

/// What a floor is covered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flooring {
    /// Polished vinyl with a coloured guide line.
    Corridor,
    /// Warm wood-look vinyl.
    Wood,
    /// Pale grey vinyl.
    Plain,
}

/// A room's floor.
#[derive(Debug, Clone, PartialEq)]
pub struct Room {
    /// "Room 3".
    pub name: &'static str,
    /// South-west corner.
    pub low: Point,
    /// North-east corner.
    pub high: Point,
    /// What it is covered with.
    pub flooring: Flooring,
}

impl Room {
    /// Whether a point lies on this floor.
    pub fn holds(&self, point: Point) -> bool {
        (self.low.x..=self.high.x).contains(&point.x)
            && (self.low.y..=self.high.y).contains(&point.y)
    }
}

/// A flat lamp in the ceiling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lamp {
    /// Its middle.
    pub centre: Point,
    /// Half its size east and north.
    pub half: Point,
}

/// Daylight that falls in through a window.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Daylight {
    /// Middle of the pane.
    pub at: Point,
    /// Unit vector into the room.
    pub inward: Point,
    /// Half the width of the pane.
    pub half_width: f64,
}

/// The way into a room, for people who walk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Doorway {
    /// In the corridor before the door.
    pub outside: Point,
    /// In the room behind it.
    pub inside: Point,
}

/// Everything that stays where it is.
#[derive(Debug)]
pub struct Site {
    /// Metres east and north.
    pub size: Point,
    /// Everything solid.
    pub solids: Vec<Solid>,
    /// Floors.
    pub rooms: Vec<Room>,
    /// Lamps.
    pub lamps: Vec<Lamp>,
    /// Windows as sources of light.
    pub daylight: Vec<Daylight>,
    /// Ways into rooms.
    pub doorways: Vec<Doorway>,
    /// Where a robot stands to charge.
    pub dock: Pose,
    /// What the console draws.
    pub map: SiteMap,
}

impl Site {
    /// The care home's wing.
    pub fn wing() -> Arc<Self> {
        Arc::new(wing::build())
    }

    /// The room that a point lies in.
    pub fn room_at(&self, point: Point) -> Option<&Room> {
        self.rooms.iter().find(|room| room.holds(point))
    }

    /// Named places that a robot may patrol or start from, without the dock.
    pub fn rounds(&self) -> &[Place] {
        self.map.places.split_first().map_or(&[], |(_, rest)| rest)
    }
}

/// A box along the axes.
fn slab(low: Point, high: Point, from_z: f64, to_z: f64, material: Material) -> Solid {
    Solid {
        footprint: Footprint::Slab {
            centre: low.plus(high).times(0.5),
            half_length: (high.x - low.x) / 2.0,
            half_width: (high.y - low.y) / 2.0,
            axis: Point::new(1.0, 0.0),
        },
        low: from_z,
        high: to_z,
        form: Form::Prism,
        material,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a map in metres needs no more than f32"
)]
fn on_map(point: Point) -> [f32; 2] {
    [point.x as f32, point.y as f32]
}

fn outline(kind: ShapeKind, label: &str, corners: &[Point]) -> Shape {
    Shape {
        kind,
        label: label.to_owned(),
        corners: corners.iter().copied().map(on_map).collect(),
    }
}

fn line(from: Point, to: Point) -> Segment {
    Segment {
        from: on_map(from),
        to: on_map(to),
    }
}

#[cfg(test)]
mod tests {
    use protocol::limits::{MAX_MAP_PLACES, MAX_MAP_SEGMENTS};

    use super::*;

    #[test]
    fn the_map_keeps_its_bounds_and_lies_inside_its_size() {
        let site = Site::wing();
        let map = &site.map;

        assert!(map.walls.len() <= MAX_MAP_SEGMENTS && map.walls.len() > 20);
        assert!(map.places.len() <= MAX_MAP_PLACES);
        let corners = map.shapes.iter().flat_map(|shape| shape.corners.iter());
        for corner in corners.chain(map.walls.iter().flat_map(|wall| [&wall.from, &wall.to])) {
            assert!((0.0..=map.width_m).contains(&corner[0]), "{corner:?}");
            assert!((0.0..=map.height_m).contains(&corner[1]), "{corner:?}");
        }
        let json = serde_json::to_vec(map).unwrap();
        assert!(json.len() < 40 * 1024, "{} bytes", json.len());
    }

    #[test]
    fn every_place_is_in_a_room_of_the_site() {
        let site = Site::wing();

        for place in &site.map.places {
            let at = super::super::geometry::point_of(place.pose);
            assert!(site.room_at(at).is_some(), "{}", place.name);
        }
    }
}
