//! From metres on a site's map to pixels on screen, and back.

use std::fmt::Write as _;

use protocol::robot::{Pose, Scan, SiteMap};

/// Pixels around the map.
const MARGIN_PX: f64 = 12.0;

/// A view of a map that fits into a box of pixels, at its own scale and centre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projection {
    /// Pixels per metre.
    pub scale: f64,
    left_px: f64,
    bottom_px: f64,
}

/// A picture of the map smaller than this shows nothing, and a box without a size can't be divided by.
const MIN_SIDE_PX: f64 = 32.0;

impl Projection {
    /// The whole map, centred in a box.
    pub fn fit(map: &SiteMap, width_px: f64, height_px: f64) -> Self {
        Self::zoomed(map, width_px, height_px, 1.0, None)
    }

    /// The map at `zoom` times the scale at which it fits, centred on `centre` as far as its edges allow.
    pub fn zoomed(
        map: &SiteMap,
        width_px: f64,
        height_px: f64,
        zoom: f64,
        centre: Option<[f64; 2]>,
    ) -> Self {
        let width_px = width_px.max(MIN_SIDE_PX);
        let height_px = height_px.max(MIN_SIDE_PX);
        let width_m = f64::from(map.width_m).max(1.0);
        let height_m = f64::from(map.height_m).max(1.0);
        let fit =
            ((width_px - 2.0 * MARGIN_PX) / width_m).min((height_px - 2.0 * MARGIN_PX) / height_m);
        let scale = fit * zoom.max(1.0);
        let [x_m, y_m] = centre.unwrap_or([width_m / 2.0, height_m / 2.0]);
        Self {
            scale,
            left_px: origin(x_m, width_m, scale, width_px),
            bottom_px: height_px - origin(y_m, height_m, scale, height_px),
        }
    }

    /// Metres to pixels.
    pub fn to_px(&self, [x_m, y_m]: [f64; 2]) -> [f64; 2] {
        [
            self.left_px + x_m * self.scale,
            self.bottom_px - y_m * self.scale,
        ]
    }

    /// Pixels to metres.
    pub fn to_m(&self, [x_px, y_px]: [f64; 2]) -> [f64; 2] {
        [
            (x_px - self.left_px) / self.scale,
            (self.bottom_px - y_px) / self.scale,
        ]
    }

    /// An SVG path through these metres.
    pub fn path(&self, points: impl Iterator<Item = [f64; 2]>) -> String {
        let mut path = String::new();
        for (place, point) in points.enumerate() {
            let [x, y] = self.to_px(point);
            let step = if place == 0 { 'M' } else { 'L' };
            push(&mut path, step, x, y);
        }
        path
    }

    /// An SVG path of separate dots.
    pub fn dots(&self, points: impl Iterator<Item = [f64; 2]>) -> String {
        let mut path = String::new();
        for point in points {
            let [x, y] = self.to_px(point);
            push(&mut path, 'M', x, y);
            path.push_str("h0");
        }
        path
    }
}

/// Where the map's zero lies along one side: centred while it fits, and never further in than its own edge.
fn origin(centre_m: f64, length_m: f64, scale: f64, side_px: f64) -> f64 {
    let length_px = length_m * scale;
    if length_px + 2.0 * MARGIN_PX <= side_px + 0.5 {
        return (side_px - length_px) / 2.0;
    }
    (side_px / 2.0 - centre_m * scale).clamp(side_px - length_px - MARGIN_PX, MARGIN_PX)
}

fn push(path: &mut String, step: char, x: f64, y: f64) {
    // Writing to a string can't fail.
    let _written = write!(path, "{step}{x:.1} {y:.1}");
}

/// Whether a place lies on the map.
pub fn is_on_map(map: &SiteMap, [x_m, y_m]: [f64; 2]) -> bool {
    (0.0..=f64::from(map.width_m)).contains(&x_m) && (0.0..=f64::from(map.height_m)).contains(&y_m)
}

/// Where the beams of a scan ended, in metres of the map.
pub fn scan_points(scan: &Scan) -> impl Iterator<Item = [f64; 2]> + '_ {
    let Pose {
        x_m,
        y_m,
        heading_rad,
    } = scan.pose;
    let mut direction = heading_rad + scan.first_rad;
    scan.ranges_cm.iter().filter_map(move |range_cm| {
        let angle = direction;
        direction += scan.step_rad;
        let range_m = f64::from(*range_cm) / 100.0;
        (*range_cm > 0).then(|| [x_m + range_m * angle.cos(), y_m + range_m * angle.sin()])
    })
}

/// Lengths that a scale bar may stand for, in metres.
const BAR_LENGTHS_M: [f64; 6] = [0.5, 1.0, 2.0, 5.0, 10.0, 20.0];

/// A scale bar: metres, and pixels long. The longest that stays short.
pub fn scale_bar(scale: f64) -> (f64, f64) {
    const LONGEST_PX: f64 = 80.0;
    let metres = BAR_LENGTHS_M
        .into_iter()
        .rev()
        .find(|metres| metres * scale <= LONGEST_PX)
        .unwrap_or(BAR_LENGTHS_M[0]);
    (metres, metres * scale)
}

/// Room for a label of a robot's name in 12 px letters.
const LABEL_PX: [f64; 2] = [110.0, 15.0];

/// How far below its usual place each label is written, so that robots who meet keep legible names. In order: an earlier
/// label never makes room for a later one.
pub fn label_drops(points: &[[f64; 2]]) -> Vec<f64> {
    let mut placed: Vec<[f64; 2]> = Vec::with_capacity(points.len());
    for [x, y] in points {
        let mut at = *y;
        let mut beside: Vec<f64> = placed
            .iter()
            .filter(|other| (other[0] - x).abs() < LABEL_PX[0])
            .map(|other| other[1])
            .collect();
        beside.sort_by(f64::total_cmp);
        for other in beside {
            if (other - at).abs() < LABEL_PX[1] {
                at = other + LABEL_PX[1];
            }
        }
        placed.push([*x, at]);
    }
    let written = placed.iter().zip(points);
    written
        .map(|(placed, point)| placed[1] - point[1])
        .collect()
}

#[cfg(test)]
mod tests {
    use protocol::UnixMicros;

    use super::*;

    fn map() -> SiteMap {
        SiteMap {
            width_m: 20.0,
            height_m: 10.0,
            ..SiteMap::default()
        }
    }

    fn near(left: [f64; 2], right: [f64; 2]) -> bool {
        (left[0] - right[0]).hypot(left[1] - right[1]) < 1e-6
    }

    #[test]
    fn names_of_robots_that_meet_are_written_below_each_other() {
        let meeting = [[100.0, 50.0], [120.0, 52.0], [90.0, 60.0], [400.0, 50.0]];

        let drops = label_drops(&meeting);

        let lines: Vec<f64> = meeting
            .iter()
            .zip(&drops)
            .map(|(point, drop)| point[1] + drop)
            .collect();
        assert_eq!(lines, [50.0, 65.0, 80.0, 50.0]);
        assert!(label_drops(&[]).is_empty());
    }

    #[test]
    fn a_click_lands_where_the_drawing_says() {
        let projections = [
            Projection::fit(&map(), 372.0, 300.0),
            Projection::zoomed(&map(), 372.0, 300.0, 3.0, Some([18.0, 1.0])),
        ];
        for projection in projections {
            for point in [[0.0, 0.0], [20.0, 10.0], [3.3, 7.7]] {
                assert!(near(projection.to_m(projection.to_px(point)), point));
            }
        }
    }

    #[test]
    fn north_is_up_and_the_whole_map_is_inside() {
        let projection = Projection::fit(&map(), 400.0, 300.0);

        let south_west = projection.to_px([0.0, 0.0]);
        let north_east = projection.to_px([20.0, 10.0]);

        assert!(south_west[1] > north_east[1]);
        assert!(south_west[0] >= 0.0 && north_east[0] <= 400.0);
        assert!(north_east[1] >= 0.0 && south_west[1] <= 300.0);
    }

    #[test]
    fn zooming_follows_the_robot_but_never_past_the_edge_of_the_map() {
        let middle = Projection::zoomed(&map(), 400.0, 300.0, 4.0, Some([10.0, 5.0]));
        let corner = Projection::zoomed(&map(), 400.0, 300.0, 4.0, Some([0.0, 0.0]));

        assert!(near(middle.to_px([10.0, 5.0]), [200.0, 150.0]));
        assert!(near(
            corner.to_px([0.0, 0.0]),
            [MARGIN_PX, 300.0 - MARGIN_PX]
        ));
    }

    #[test]
    fn a_box_without_a_size_does_not_break_the_drawing() {
        let projection = Projection::fit(&SiteMap::default(), 0.0, 0.0);

        assert!(projection.scale.is_finite() && projection.scale > 0.0);
    }

    #[test]
    fn beams_that_met_nothing_draw_nothing() {
        let scan = Scan {
            at: UnixMicros(0),
            pose: Pose {
                x_m: 1.0,
                y_m: 2.0,
                heading_rad: std::f64::consts::FRAC_PI_2,
            },
            first_rad: 0.0,
            step_rad: std::f64::consts::FRAC_PI_2,
            ranges_cm: vec![100, 0, 50],
            path: Vec::new(),
        };

        let points: Vec<_> = scan_points(&scan).collect();

        assert_eq!(points.len(), 2);
        assert!(near(points[0], [1.0, 3.0]));
        assert!(near(points[1], [1.0, 1.5]));
    }

    #[test]
    fn a_scale_bar_is_a_round_number_that_fits() {
        assert_eq!(scale_bar(16.0), (5.0, 80.0));
        assert_eq!(scale_bar(300.0), (0.5, 150.0));
    }
}
