//! The shapes that a site is built of: upright prisms with a material. Lidar, collisions and cameras all read these.

use super::geometry::Point;

/// An sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

/// What a solid looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Material {
    /// Painted wall with skirting and a darker lower part.
    Wall,
    /// Window pane with daylight behind.
    Window,
    /// Door leaf: wood with a kick plate.
    Door,
    /// Brushed steel of a lift's doors, with the seam in the middle.
    Lift,
    /// One colour all over.
    Plain(Colour),
    /// Shines by itself: lamps, screens, indicator strips.
    Glowing(Colour),
}

/// The outline of a solid on the floor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Footprint {
    /// A rectangle, turned.
    Slab {
        /// Its middle.
        centre: Point,
        /// Half its length along its own axis.
        half_length: f64,
        /// Half its width across its own axis.
        half_width: f64,
        /// Unit vector of its own axis.
        axis: Point,
    },
    /// A circle.
    Disc {
        /// Its middle.
        centre: Point,
        /// Its radius.
        radius: f64,
    },
}

/// How a solid ends at top and bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Straight sides and flat ends.
    Prism,
    /// An ellipsoid that fills the footprint (a disc) from low to high. Only seen, never touched.
    Ball,
}

/// One upright body.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Solid {
    /// Its outline.
    pub footprint: Footprint,
    /// Height of its underside.
    pub low: f64,
    /// Height of its top.
    pub high: f64,
    /// Its shape.
    pub form: Form,
    /// Its look.
    pub material: Material,
}

/// Where a ray goes into a footprint and comes out again, as multiples of the ray's direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossing {
    /// Where it enters; negative when it starts inside.
    pub enter: f64,
    /// Where it leaves.
    pub leave: f64,
    /// Outward normal where it enters.
    pub normal: Point,
}

impl Footprint {
    /// Distance from the outline to a point; 0 inside.
    pub fn distance(&self, point: Point) -> f64 {
        match *self {
            Self::Slab {
                centre,
                half_length,
                half_width,
                axis,
            } => {
                let local = to_local(point.minus(centre), axis);
                let outside = Point::new(
                    (local.x.abs() - half_length).max(0.0),
                    (local.y.abs() - half_width).max(0.0),
                );
                outside.length()
            }
            Self::Disc { centre, radius } => (point.distance(centre) - radius).max(0.0),
        }
    }

    /// Smallest upright rectangle around the outline: lower left, upper right.
    pub fn bounds(&self) -> (Point, Point) {
        let (centre, reach) = match *self {
            Self::Slab {
                centre,
                half_length,
                half_width,
                axis,
            } => {
                let x = (axis.x * half_length).abs() + (axis.y * half_width).abs();
                let y = (axis.y * half_length).abs() + (axis.x * half_width).abs();
                (centre, Point::new(x, y))
            }
            Self::Disc { centre, radius } => (centre, Point::new(radius, radius)),
        };
        (centre.minus(reach), centre.plus(reach))
    }

    /// The outline's corners in order; a disc gives eight.
    pub fn corners(&self) -> Vec<Point> {
        match *self {
            Self::Slab {
                centre,
                half_length,
                half_width,
                axis,
            } => [(1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0), (1.0, -1.0)]
                .into_iter()
                .map(|(along, across)| {
                    let across = Point::new(-axis.y, axis.x).times(half_width * across);
                    centre.plus(axis.times(half_length * along)).plus(across)
                })
                .collect(),
            Self::Disc { centre, radius } => (0..8)
                .map(|corner| {
                    let heading = f64::from(corner) * std::f64::consts::FRAC_PI_4;
                    centre.plus(Point::along(heading).times(radius))
                })
                .collect(),
        }
    }

    /// Where the ray from `origin` along `direction` (of any length) crosses the outline.
    pub fn crossing(&self, origin: Point, direction: Point) -> Option<Crossing> {
        match *self {
            Self::Slab {
                centre,
                half_length,
                half_width,
                axis,
            } => {
                let start = to_local(origin.minus(centre), axis);
                let heading = to_local(direction, axis);
                let crossing = cross_slab(start, heading, half_length, half_width)?;
                Some(Crossing {
                    normal: to_world(crossing.normal, axis),
                    ..crossing
                })
            }
            Self::Disc { centre, radius } => cross_disc(origin.minus(centre), direction, radius),
        }
    }
}

impl Solid {
    /// Whether any of it stands between two heights.
    pub fn is_within(&self, low: f64, high: f64) -> bool {
        self.low < high && self.high > low
    }

    /// Whether nothing can be seen past it: it reaches from floor to ceiling.
    pub fn seals(&self, ceiling: f64) -> bool {
        self.low <= 0.0 && self.high >= ceiling
    }
}

fn to_local(vector: Point, axis: Point) -> Point {
    Point::new(vector.dot(axis), vector.dot(Point::new(-axis.y, axis.x)))
}

fn to_world(vector: Point, axis: Point) -> Point {
    Point::new(
        vector.x * axis.x - vector.y * axis.y,
        vector.x * axis.y + vector.y * axis.x,
    )
}

fn cross_slab(start: Point, heading: Point, half_length: f64, half_width: f64) -> Option<Crossing> {
    let (enter_x, leave_x) = cross_band(start.x, heading.x, half_length)?;
    let (enter_y, leave_y) = cross_band(start.y, heading.y, half_width)?;
    let leave = leave_x.min(leave_y);
    let (enter, normal) = if enter_x > enter_y {
        (enter_x, Point::new(-heading.x.signum(), 0.0))
    } else {
        (enter_y, Point::new(0.0, -heading.y.signum()))
    };
    (enter < leave && leave > 0.0).then_some(Crossing {
        enter,
        leave,
        normal,
    })
}

/// Where a line is between −half and half along one axis.
fn cross_band(start: f64, heading: f64, half: f64) -> Option<(f64, f64)> {
    if heading.abs() < 1e-12 {
        return (start.abs() < half).then_some((f64::NEG_INFINITY, f64::INFINITY));
    }
    let one = (-half - start) / heading;
    let other = (half - start) / heading;
    Some((one.min(other), one.max(other)))
}

fn cross_disc(start: Point, direction: Point, radius: f64) -> Option<Crossing> {
    let squared = direction.dot(direction);
    let middle = -start.dot(direction) / squared;
    let miss = start.plus(direction.times(middle));
    let half_squared = (radius * radius - miss.dot(miss)) / squared;
    if half_squared <= 0.0 {
        return None;
    }
    let half = half_squared.sqrt();
    let enter = middle - half;
    let hit = start.plus(direction.times(enter));
    (middle + half > 0.0).then_some(Crossing {
        enter,
        leave: middle + half,
        normal: hit.times(radius.recip()),
    })
}
