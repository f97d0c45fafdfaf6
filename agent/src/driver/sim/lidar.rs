//! The lidar: one turn of rays at shin height.

use super::{geometry::Point, solids::Footprint, solids::Solid};

/// Rays in a turn: two degrees apart.
pub(super) const RAYS: u16 = 180;
/// How far it sees, metres.
pub(super) const RANGE: f64 = 8.0;
/// Height of the scanning plane: sees table legs and box sides, not table tops.
const PLANE: f64 = 0.25;

/// Whether a solid shows up in the scanning plane.
pub(super) fn is_seen(solid: &Solid) -> bool {
    solid.is_within(PLANE, PLANE + 0.01)
}

/// Metres to the first footprint in a direction, if it is within `range`.
pub(super) fn first_hit<'some>(
    footprints: impl Iterator<Item = &'some Footprint>,
    from: Point,
    heading_rad: f64,
    range: f64,
) -> Option<f64> {
    let direction = Point::along(heading_rad);
    footprints
        .filter_map(|footprint| footprint.crossing(from, direction))
        .map(|crossing| crossing.enter.max(0.0))
        .filter(|metres| *metres <= range)
        .min_by(f64::total_cmp)
}

/// Centimetres to the first footprint for each ray, counter-clockwise from straight ahead; 0 for nothing in range.
pub(super) fn sweep(footprints: &[Footprint], from: Point, heading_rad: f64) -> Vec<u16> {
    let near: Vec<Footprint> = footprints
        .iter()
        .filter(|footprint| footprint.distance(from) <= RANGE)
        .copied()
        .collect();
    (0..RAYS)
        .map(|ray| {
            let angle = heading_rad + f64::from(ray) * step_rad();
            first_hit(near.iter(), from, angle, RANGE).map_or(0, centimetres)
        })
        .collect()
}

/// Angle between two rays.
pub(super) fn step_rad() -> f64 {
    std::f64::consts::TAU / f64::from(RAYS)
}

/// Never 0, which means nothing.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 1 and 800 by the clamp"
)]
fn centimetres(metres: f64) -> u16 {
    (metres * 100.0).round().clamp(1.0, RANGE * 100.0) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_ahead_is_seen_at_its_distance_and_nothing_behind() {
        let ahead = Footprint::Slab {
            centre: Point::new(3.0, 0.0),
            half_length: 0.5,
            half_width: 0.5,
            axis: Point::new(1.0, 0.0),
        };

        let ranges = sweep(&[ahead], Point::default(), 0.0);

        assert_eq!(ranges.len(), usize::from(RAYS));
        assert_eq!(ranges[0], 250);
        assert_eq!(ranges[usize::from(RAYS) / 2], 0);
    }

    #[test]
    fn a_turned_robot_sees_the_same_thing_at_another_ray() {
        let pillar = Footprint::Disc {
            centre: Point::new(0.0, 2.0),
            radius: 0.2,
        };

        let facing_east = sweep(&[pillar], Point::default(), 0.0);
        let facing_north = sweep(&[pillar], Point::default(), std::f64::consts::FRAC_PI_2);

        assert_eq!(facing_east[usize::from(RAYS) / 4], 180);
        assert_eq!(facing_north[0], 180);
    }
}
