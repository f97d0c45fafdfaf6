//! The still part of a site, ready to be looked at: solids in a grid, light, floor and ceiling. Shared by all cameras.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "cells of a grid over a few dozen metres, clamped before they are cut"
)]

use std::sync::Arc;

use super::{
    light::{self, LightMap, Surface},
    palette::Look,
};
use crate::driver::sim::{CEILING, Crossing, Footprint, Material, Point, Site, Solid};

/// Side of a cell of the grid that rays walk through.
const CELL: f64 = 0.5;

/// A solid with its look.
#[derive(Debug, Clone)]
pub(super) struct Body {
    pub(super) solid: Solid,
    pub(super) look: Look,
    /// Whether nothing is seen beyond it.
    pub(super) is_end: bool,
}

impl Body {
    pub(super) fn new(solid: Solid) -> Self {
        Self {
            look: Look::of(solid.material, solid.low as f32, solid.high as f32),
            is_end: solid.seals(CEILING) || solid.material == Material::Window,
            solid,
        }
    }
}

/// Where a ray crosses a body.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hit {
    pub(super) body: usize,
    pub(super) crossing: Crossing,
}

/// The still part of a site.
#[derive(Debug)]
pub struct Backdrop {
    pub(super) bodies: Vec<Body>,
    pub(super) light: LightMap,
    pub(super) floor: Surface,
    pub(super) ceiling: Surface,
    columns: usize,
    rows: usize,
    /// For each cell, where its part of `members` begins; one more entry at the end.
    starts: Vec<usize>,
    members: Vec<usize>,
}

impl Backdrop {
    /// Prepares a site. Takes some tens of milliseconds; once for each agent.
    pub fn new(site: &Site) -> Arc<Self> {
        let light = LightMap::of(site);
        let bodies: Vec<Body> = site.solids.iter().copied().map(Body::new).collect();
        let columns = (site.size.x / CELL).ceil() as usize;
        let rows = (site.size.y / CELL).ceil() as usize;
        let mut cells = vec![Vec::new(); columns * rows];
        for (index, body) in bodies.iter().enumerate() {
            for cell in touched(&body.solid.footprint, columns, rows) {
                cells[cell].push(index);
            }
        }
        let mut starts = vec![0];
        let mut members = Vec::new();
        for cell in cells {
            members.extend(cell);
            starts.push(members.len());
        }
        Arc::new(Self {
            floor: light::floor(site, &light),
            ceiling: light::ceiling(site, &light),
            light,
            bodies,
            columns,
            rows,
            starts,
            members,
        })
    }

    /// Every body that a ray crosses up to the first one that nothing is seen beyond, and how far that is.
    ///
    /// `seen` remembers for each body the last ray that was tried, so that none is tried twice; `ray` is this one.
    pub(super) fn trace(
        &self,
        from: Point,
        direction: Point,
        ray: u32,
        seen: &mut [u32],
        hits: &mut Vec<Hit>,
    ) -> f64 {
        let mut end = f64::INFINITY;
        let mut walk = Walk::new(from, direction);
        while let Some(cell) = self.cell(walk.column, walk.row) {
            for &body in &self.members[self.starts[cell]..self.starts[cell + 1]] {
                if std::mem::replace(&mut seen[body], ray) == ray {
                    continue;
                }
                let candidate = &self.bodies[body];
                let Some(crossing) = candidate.solid.footprint.crossing(from, direction) else {
                    continue;
                };
                if crossing.enter > end {
                    continue;
                }
                if candidate.is_end && crossing.enter > 0.0 {
                    end = crossing.enter;
                }
                hits.push(Hit { body, crossing });
            }
            if walk.next > end {
                return end;
            }
            walk.step();
        }
        end.min(walk.next)
    }

    fn cell(&self, column: i64, row: i64) -> Option<usize> {
        let column = usize::try_from(column).ok()?;
        let row = usize::try_from(row).ok()?;
        (column < self.columns && row < self.rows).then_some(row * self.columns + column)
    }
}

/// Cells that an outline may lie in.
fn touched(footprint: &Footprint, columns: usize, rows: usize) -> Vec<usize> {
    let (low, high) = footprint.bounds();
    let index = |metres: f64, count: usize| ((metres / CELL).max(0.0) as usize).min(count - 1);
    let mut cells = Vec::new();
    for row in index(low.y, rows)..=index(high.y, rows) {
        for column in index(low.x, columns)..=index(high.x, columns) {
            cells.push(row * columns + column);
        }
    }
    cells
}

/// A ray on its way from cell to cell.
#[derive(Debug)]
struct Walk {
    column: i64,
    row: i64,
    column_step: i64,
    row_step: i64,
    /// Where the next column and the next row begin, along the ray.
    next_column: f64,
    next_row: f64,
    per_column: f64,
    per_row: f64,
    /// Where the present cell ends.
    next: f64,
}

impl Walk {
    fn new(from: Point, direction: Point) -> Self {
        let axis = |start: f64, along: f64| {
            let cell = (start / CELL).floor();
            let per_cell = (CELL / along).abs();
            let to_edge = if along > 0.0 {
                (cell + 1.0) * CELL - start
            } else {
                start - cell * CELL
            };
            let step = if along > 0.0 { 1 } else { -1 };
            (cell as i64, step, to_edge / along.abs(), per_cell)
        };
        let (column, column_step, next_column, per_column) = axis(from.x, direction.x);
        let (row, row_step, next_row, per_row) = axis(from.y, direction.y);
        Self {
            column,
            row,
            column_step,
            row_step,
            next_column,
            next_row,
            per_column,
            per_row,
            next: next_column.min(next_row),
        }
    }

    fn step(&mut self) {
        if self.next_column < self.next_row {
            self.column += self.column_step;
            self.next_column += self.per_column;
        } else {
            self.row += self.row_step;
            self.next_row += self.per_row;
        }
        self.next = self.next_column.min(self.next_row);
    }
}
