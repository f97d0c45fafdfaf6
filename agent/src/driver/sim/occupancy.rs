//! How far every spot of the floor is from the nearest thing, as a grid to plan on and as an exact question.

use super::{
    geometry::Point,
    site::Site,
    solids::{Footprint, Form, Solid},
};

/// Side of a grid cell. A door is twelve cells wide; a plan across the site takes a few milliseconds.
pub(super) const CELL: f64 = 0.1;
/// Distances above this are not told apart: nothing drives differently when it has more room.
pub(super) const FAR: f64 = 1.2;
/// What is lower is driven over (a dock's plate), what is higher passes above the robot.
const TOUCHED_FROM: f64 = 0.05;
const TOUCHED_TO: f64 = 1.35;

/// Footprints that a robot may touch.
pub(super) fn touchable(solids: &[Solid]) -> Vec<Footprint> {
    solids
        .iter()
        .filter(|solid| solid.form == Form::Prism && solid.is_within(TOUCHED_FROM, TOUCHED_TO))
        .map(|solid| solid.footprint)
        .collect()
}

/// Exact distance from a point to the nearest of some footprints, at most [`FAR`].
pub(super) fn distance_to_nearest(footprints: &[Footprint], point: Point) -> f64 {
    footprints.iter().fold(FAR, |nearest, footprint| {
        let (low, high) = footprint.bounds();
        let is_near = point.x > low.x - nearest
            && point.x < high.x + nearest
            && point.y > low.y - nearest
            && point.y < high.y + nearest;
        if is_near {
            nearest.min(footprint.distance(point))
        } else {
            nearest
        }
    })
}

/// A cell's column and row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Cell {
    /// From the west.
    pub(super) column: usize,
    /// From the south.
    pub(super) row: usize,
}

/// Distance to the nearest thing for every cell of the floor, up to [`FAR`].
#[derive(Debug, Clone)]
pub(super) struct Clearance {
    columns: usize,
    rows: usize,
    metres: Vec<f32>,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a site has a few hundred columns and rows; negative coordinates are clamped first"
)]
impl Clearance {
    /// The floor with all that stands on it for good.
    pub(super) fn of(site: &Site) -> Self {
        let columns = (site.size.x / CELL).ceil() as usize;
        let rows = (site.size.y / CELL).ceil() as usize;
        let mut clearance = Self {
            columns,
            rows,
            metres: vec![FAR as f32; columns * rows],
        };
        for footprint in touchable(&site.solids) {
            clearance.add(&footprint);
        }
        clearance
    }

    /// Puts one more thing on the floor.
    pub(super) fn add(&mut self, footprint: &Footprint) {
        let (low, high) = footprint.bounds();
        let reach = Point::new(FAR, FAR);
        let (low, high) = (low.minus(reach), high.plus(reach));
        let first = self.clamped(low);
        let last = self.clamped(high);
        for row in first.row..=last.row {
            for column in first.column..=last.column {
                let cell = Cell { column, row };
                let metres = footprint.distance(Self::centre(cell)) as f32;
                let index = self.index(cell);
                self.metres[index] = self.metres[index].min(metres);
            }
        }
    }

    /// Leaves no more room at each spot than to what is barred.
    pub(super) fn bar(&mut self, barred: &dyn Fn([f64; 2]) -> f64) {
        for index in 0..self.metres.len() {
            let centre = Self::centre(self.at_index(index));
            let metres = barred([centre.x, centre.y]).max(0.0) as f32;
            self.metres[index] = self.metres[index].min(metres);
        }
    }

    /// The cell under a point, unless it lies off the floor.
    pub(super) fn cell(&self, point: Point) -> Option<Cell> {
        let is_on = point.x >= 0.0
            && point.y >= 0.0
            && point.x < self.columns as f64 * CELL
            && point.y < self.rows as f64 * CELL;
        is_on.then(|| self.clamped(point))
    }

    fn clamped(&self, point: Point) -> Cell {
        Cell {
            column: ((point.x / CELL).max(0.0) as usize).min(self.columns - 1),
            row: ((point.y / CELL).max(0.0) as usize).min(self.rows - 1),
        }
    }

    /// The middle of a cell.
    pub(super) fn centre(cell: Cell) -> Point {
        Point::new(
            (cell.column as f64 + 0.5) * CELL,
            (cell.row as f64 + 0.5) * CELL,
        )
    }

    /// Metres from the cell's middle to the nearest thing.
    pub(super) fn at(&self, cell: Cell) -> f64 {
        f64::from(self.metres[self.index(cell)])
    }

    /// The least clearance along a straight line; 0 off the floor.
    pub(super) fn along(&self, from: Point, to: Point) -> f64 {
        let steps = (from.distance(to) / (CELL / 2.0)).ceil().max(1.0) as usize;
        (0..=steps).fold(FAR, |least, step| {
            let share = step as f64 / steps as f64;
            let point = from.plus(to.minus(from).times(share));
            least.min(self.cell(point).map_or(0.0, |cell| self.at(cell)))
        })
    }

    /// How many cells there are.
    pub(super) fn cells(&self) -> usize {
        self.metres.len()
    }

    /// A cell's position in a flat list.
    pub(super) fn index(&self, cell: Cell) -> usize {
        cell.row * self.columns + cell.column
    }

    /// The cell at a position in a flat list.
    pub(super) fn at_index(&self, index: usize) -> Cell {
        Cell {
            column: index % self.columns,
            row: index / self.columns,
        }
    }

    /// The up to eight cells around one, each with the distance to it in cells.
    pub(super) fn around(&self, cell: Cell) -> impl Iterator<Item = (Cell, f64)> {
        const STEPS: [(isize, isize); 8] = [
            (1, 0),
            (-1, 0),
            (0, 1),
            (0, -1),
            (1, 1),
            (1, -1),
            (-1, 1),
            (-1, -1),
        ];
        STEPS.into_iter().filter_map(move |(east, north)| {
            let column = cell.column.checked_add_signed(east)?;
            let row = cell.row.checked_add_signed(north)?;
            let length = if east == 0 || north == 0 {
                1.0
            } else {
                std::f64::consts::SQRT_2
            };
            (column < self.columns && row < self.rows).then_some((Cell { column, row }, length))
        })
    }
}
