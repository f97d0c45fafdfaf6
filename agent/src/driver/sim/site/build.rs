//! Tools to put a site together: walls with openings, and a frame to place things in. Knows no particular site.

use std::f64::consts::FRAC_PI_2;

use protocol::robot::{ShapeKind, SiteMap};

use super::{
    CEILING, Daylight, Doorway, Footprint, Form, Lamp, Material, Point, Room, Site, Solid, line,
    outline, slab,
};
use crate::driver::sim::solids::Colour;

/// Thickness of every wall.
pub(super) const WALL: f64 = 0.16;
/// Width of a door's opening: a hospital bed passes.
pub(super) const DOOR: f64 = 1.2;
const DOOR_HEIGHT: f64 = 2.1;
const FRAME: Material = Material::Plain(Colour(126, 132, 138));
const WHITE: Material = Material::Plain(Colour(236, 236, 232));
const RAIL: Material = Material::Plain(Colour(118, 128, 138));

/// A hole in a wall, by the position of its middle along the wall.
#[derive(Debug, Clone, Copy)]
pub(super) enum Opening {
    /// A door that stands open into the room, hinged at the end with the smaller coordinate.
    Door(f64),
    /// A passage of this width without a door.
    Passage(f64, f64),
    /// A window of this width.
    Window(f64, f64),
}

/// A straight wall along an axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    /// One end; the smaller coordinate.
    pub(super) from: Point,
    /// The other end, due east or due north of it.
    pub(super) to: Point,
    /// Unit vector to the side where its rooms are, and where handrails are not.
    pub(super) inward: Point,
    /// Whether the other side is a corridor with a handrail.
    pub(super) has_rail: bool,
}

/// A site under construction.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) solids: Vec<Solid>,
    pub(super) rooms: Vec<Room>,
    pub(super) lamps: Vec<Lamp>,
    pub(super) daylight: Vec<Daylight>,
    pub(super) doorways: Vec<Doorway>,
    pub(super) map: SiteMap,
}

impl Plan {
    /// Raises a wall with its openings, which come in order and do not touch.
    pub(super) fn wall(&mut self, run: Run, openings: &[Opening]) {
        let along = run.along();
        let mut start = 0.0;
        for opening in openings {
            let (middle, width) = match *opening {
                Opening::Door(at) => (at, DOOR),
                Opening::Passage(at, width) | Opening::Window(at, width) => (at, width),
            };
            let middle = run.offset(middle);
            let (low, high) = (middle - width / 2.0, middle + width / 2.0);
            self.piece(run, start, low);
            match *opening {
                Opening::Door(_) => self.door(run, low, high),
                Opening::Passage(..) => {
                    self.solids.push(run.part(
                        low,
                        high,
                        DOOR_HEIGHT + 0.2,
                        CEILING,
                        Material::Wall,
                    ));
                }
                Opening::Window(..) => self.window(run, low, high),
            }
            start = high;
        }
        self.piece(run, start, run.to.minus(run.from).dot(along));
    }

    /// A whole piece of wall, with its handrail.
    fn piece(&mut self, run: Run, from: f64, to: f64) {
        if to - from < 0.01 {
            return;
        }
        let solid = run.part(from, to, 0.0, CEILING, Material::Wall);
        self.solids.push(solid);
        self.map.walls.push(line(run.at(from), run.at(to)));
        if !run.has_rail || to - from < 0.8 {
            return;
        }
        let (rail_from, rail_to) = (from + 0.14, to - 0.14);
        self.solids
            .push(run.fitting(rail_from, rail_to, 0.05, 0.09, 0.85, 0.97, RAIL));
        let mut bracket = rail_from + 0.2;
        while bracket < rail_to - 0.1 {
            self.solids
                .push(run.fitting(bracket, bracket + 0.05, 0.0, 0.05, 0.87, 0.93, FRAME));
            bracket += 1.1;
        }
    }

    /// Lintel, frame and the leaf that stands open.
    fn door(&mut self, run: Run, low: f64, high: f64) {
        self.solids
            .push(run.part(low, high, DOOR_HEIGHT, CEILING, Material::Wall));
        for (from, to, bottom, top) in [
            (low - 0.05, low + 0.03, 0.0, DOOR_HEIGHT + 0.06),
            (high - 0.03, high + 0.05, 0.0, DOOR_HEIGHT + 0.06),
            (low, high, DOOR_HEIGHT - 0.01, DOOR_HEIGHT + 0.06),
        ] {
            let mut jamb = run.part(from, to, bottom, top, FRAME);
            if let Footprint::Slab {
                half_length,
                half_width,
                ..
            } = &mut jamb.footprint
            {
                // A frame stands proud of its wall on both sides.
                *half_length += if run.is_eastward() { 0.0 } else { 0.02 };
                *half_width += if run.is_eastward() { 0.02 } else { 0.0 };
            }
            self.solids.push(jamb);
        }
        let hinge = run.at(low).plus(run.inward.times(WALL / 2.0 + 0.02));
        self.solids.push(Solid {
            footprint: Footprint::Slab {
                centre: hinge.plus(run.inward.times(DOOR / 2.0 - 0.04)),
                half_length: DOOR / 2.0 - 0.04,
                half_width: 0.022,
                axis: run.inward,
            },
            low: 0.01,
            high: DOOR_HEIGHT - 0.02,
            form: Form::Prism,
            material: Material::Door,
        });
    }

    /// Parapet, pane, mullion, sill, and the light that comes in.
    fn window(&mut self, run: Run, low: f64, high: f64) {
        const SILL: f64 = 0.9;
        const HEAD: f64 = 2.25;
        self.map.walls.push(line(run.at(low), run.at(high)));
        self.solids
            .push(run.part(low, high, 0.0, SILL, Material::Wall));
        self.solids
            .push(run.part(low, high, HEAD, CEILING, Material::Wall));
        self.solids.push(Solid {
            low: SILL,
            high: HEAD,
            ..run.fitting(low, high, -0.1, -0.06, SILL, HEAD, Material::Window)
        });
        self.solids
            .push(run.fitting(low, high, -0.02, 0.06, SILL - 0.03, SILL, WHITE));
        let middle = f64::midpoint(low, high);
        for (from, to) in [
            (low, low + 0.05),
            (middle - 0.025, middle + 0.025),
            (high - 0.05, high),
        ] {
            self.solids
                .push(run.fitting(from, to, -0.06, -0.01, SILL, HEAD, WHITE));
        }
        self.daylight.push(Daylight {
            at: run.at(middle),
            inward: run.inward,
            half_width: (high - low) / 2.0,
        });
    }

    /// A lamp of the common size, long side to the east or to the north.
    pub(super) fn lamp(&mut self, centre: Point, is_long_east: bool) {
        let half = if is_long_east {
            Point::new(0.6, 0.15)
        } else {
            Point::new(0.3, 0.6)
        };
        self.lamps.push(Lamp { centre, half });
    }

    /// The finished site.
    pub(super) fn finish(mut self, size: Point, dock: protocol::robot::Pose) -> Site {
        let rooms = self.rooms.iter().map(|room| {
            let corners = [
                room.low,
                Point::new(room.high.x, room.low.y),
                room.high,
                Point::new(room.low.x, room.high.y),
            ];
            outline(ShapeKind::Room, room.name, &corners)
        });
        let mut shapes: Vec<_> = rooms.collect();
        shapes.append(&mut self.map.shapes);
        self.map.shapes = shapes;
        let [width_m, height_m] = super::on_map(size);
        self.map.width_m = width_m;
        self.map.height_m = height_m;
        Site {
            size,
            solids: self.solids,
            rooms: self.rooms,
            lamps: self.lamps,
            daylight: self.daylight,
            doorways: self.doorways,
            dock,
            map: self.map,
        }
    }
}

impl Run {
    fn along(self) -> Point {
        let way = self.to.minus(self.from);
        way.times(way.length().recip())
    }

    fn is_eastward(self) -> bool {
        self.along().x > 0.5
    }

    /// From a site coordinate to metres along the run.
    fn offset(self, coordinate: f64) -> f64 {
        if self.is_eastward() {
            coordinate - self.from.x
        } else {
            coordinate - self.from.y
        }
    }

    fn at(self, offset: f64) -> Point {
        self.from.plus(self.along().times(offset))
    }

    /// A part of the wall in its full thickness.
    fn part(self, from: f64, to: f64, low: f64, high: f64, material: Material) -> Solid {
        let sides = self.inward.times(WALL / 2.0);
        bounding(
            self.at(from).minus(sides),
            self.at(to).plus(sides),
            low,
            high,
            material,
        )
    }

    /// Something on the wall, from `near` to `far` metres off its face: the corridor's face when the run has a rail,
    /// else the inner one.
    #[expect(
        clippy::too_many_arguments,
        reason = "six edges of a box and its look; naming them in a struct hides more than it shows"
    )]
    fn fitting(
        self,
        from: f64,
        to: f64,
        near: f64,
        far: f64,
        low: f64,
        high: f64,
        material: Material,
    ) -> Solid {
        let side = if self.has_rail {
            self.inward.times(-1.0)
        } else {
            self.inward
        };
        bounding(
            self.at(from).plus(side.times(WALL / 2.0 + near)),
            self.at(to).plus(side.times(WALL / 2.0 + far)),
            low,
            high,
            material,
        )
    }
}

fn bounding(one: Point, other: Point, low: f64, high: f64, material: Material) -> Solid {
    slab(
        Point::new(one.x.min(other.x), one.y.min(other.y)),
        Point::new(one.x.max(other.x), one.y.max(other.y)),
        low,
        high,
        material,
    )
}

/// A local frame to place things in: `u` to the right, `v` away from the viewer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    origin: Point,
    axis: Point,
    /// 1 when `v` is counter-clockwise from `u`, −1 when the frame is mirrored.
    hand: f64,
}

impl Spot {
    /// A frame whose `u` points east and whose `v` points north, or south when mirrored.
    pub(super) fn new(origin: Point, is_mirrored: bool) -> Self {
        Self {
            origin,
            axis: Point::new(1.0, 0.0),
            hand: if is_mirrored { -1.0 } else { 1.0 },
        }
    }

    /// The site's point at local `u`, `v`.
    pub(super) fn point(self, u: f64, v: f64) -> Point {
        let across = Point::new(-self.axis.y, self.axis.x).times(self.hand);
        self.origin.plus(self.axis.times(u)).plus(across.times(v))
    }

    /// A frame at local `u`, `v`, turned by quarter turns and a bit.
    pub(super) fn at(self, u: f64, v: f64, quarter_turns: f64) -> Self {
        let turn = Point::along(quarter_turns * FRAC_PI_2 * self.hand);
        Self {
            origin: self.point(u, v),
            axis: Point::new(
                self.axis.x * turn.x - self.axis.y * turn.y,
                self.axis.x * turn.y + self.axis.y * turn.x,
            ),
            hand: self.hand,
        }
    }

    /// A box around local `middle` with these half sizes, between two heights.
    pub(super) fn block(
        self,
        middle: (f64, f64),
        half: (f64, f64),
        heights: (f64, f64),
        material: Material,
    ) -> Solid {
        Solid {
            footprint: Footprint::Slab {
                centre: self.point(middle.0, middle.1),
                half_length: half.0,
                half_width: half.1,
                axis: self.axis,
            },
            low: heights.0,
            high: heights.1,
            form: Form::Prism,
            material,
        }
    }

    /// A cylinder.
    pub(super) fn post(
        self,
        middle: (f64, f64),
        radius: f64,
        heights: (f64, f64),
        material: Material,
    ) -> Solid {
        Solid {
            footprint: Footprint::Disc {
                centre: self.point(middle.0, middle.1),
                radius,
            },
            low: heights.0,
            high: heights.1,
            form: Form::Prism,
            material,
        }
    }
}
