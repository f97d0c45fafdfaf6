//! Finding a way: A* over the clearance grid, then pulled straight where there is room.

use std::{cmp::Ordering, collections::BinaryHeap};

use super::{
    geometry::Point,
    occupancy::{CELL, Cell, Clearance},
};

/// Room that a plan leaves beside the robot: half a cell of rounding and the follower's error.
const SPARE: f64 = 0.07;
/// The same near its ends.
const TIGHT: f64 = 0.02;
/// Room that a plan likes to have around the robot's centre; less costs extra.
const COMFORT: f64 = 0.62;
/// How much a metre costs extra for each metre that comfort is missed by.
const DISCOMFORT: f64 = 5.0;
/// Near its ends a route may be as narrow as the robot: it has to leave, and to reach, spots close to things.
const ENDS: f64 = 0.6;
/// Straightened lines keep at least this clearance where the original had it.
const STRAIGHT: f64 = 0.5;

/// A way along straight lines, from where the robot is to its target.
pub(super) type Route = Vec<Point>;

#[derive(Debug, PartialEq)]
struct Open {
    cost: f64,
    index: usize,
}

impl Eq for Open {}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Open {
    /// Cheapest first out of a max-heap; the index settles ties, so that equal seeds give equal routes.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.cost.total_cmp(&self.cost)).then_with(|| other.index.cmp(&self.index))
    }
}

/// A way for a disc of `radius`, or `None` when there is none.
pub(super) fn find(clearance: &Clearance, radius: f64, from: Point, to: Point) -> Option<Route> {
    let start = clearance.cell(from)?;
    let goal = clearance.cell(to)?;
    let is_open = |cell: Cell| {
        let room = clearance.at(cell);
        let centre = Clearance::centre(cell);
        let is_end = centre.distance(from) < ENDS || centre.distance(to) < ENDS;
        cell == start || cell == goal || room >= radius + if is_end { TIGHT } else { SPARE }
    };
    let cells = search(clearance, start, goal, is_open)?;
    let mut points: Vec<Point> = cells.into_iter().map(Clearance::centre).collect();
    if let Some(first) = points.first_mut() {
        *first = from;
    }
    if points.len() == 1 {
        points.push(to);
    } else if let Some(last) = points.last_mut() {
        *last = to;
    }
    Some(straighten(clearance, &points))
}

fn search(
    clearance: &Clearance,
    start: Cell,
    goal: Cell,
    is_open: impl Fn(Cell) -> bool,
) -> Option<Vec<Cell>> {
    let mut best = vec![f64::INFINITY; clearance.cells()];
    let mut came_from = vec![usize::MAX; clearance.cells()];
    let mut open = BinaryHeap::new();
    let goal_index = clearance.index(goal);
    let start_index = clearance.index(start);
    best[start_index] = 0.0;
    open.push(Open {
        cost: 0.0,
        index: start_index,
    });
    let ahead = |cell: Cell| Clearance::centre(cell).distance(Clearance::centre(goal));
    while let Some(Open { cost, index }) = open.pop() {
        let cell = clearance.at_index(index);
        if index == goal_index {
            return Some(unwind(clearance, &came_from, index));
        }
        if cost > best[index] + ahead(cell) + 1e-9 {
            continue;
        }
        for (next, cells) in clearance.around(cell) {
            if !is_open(next) {
                continue;
            }
            let missing = (COMFORT - clearance.at(next)).max(0.0);
            let total = best[index] + cells * CELL * (1.0 + DISCOMFORT * missing);
            let next_index = clearance.index(next);
            if total + 1e-12 < best[next_index] {
                best[next_index] = total;
                came_from[next_index] = index;
                open.push(Open {
                    cost: total + ahead(next),
                    index: next_index,
                });
            }
        }
    }
    None
}

fn unwind(clearance: &Clearance, came_from: &[usize], mut index: usize) -> Vec<Cell> {
    let mut cells = vec![clearance.at_index(index)];
    while came_from[index] != usize::MAX {
        index = came_from[index];
        cells.push(clearance.at_index(index));
    }
    cells.reverse();
    cells
}

/// Drops every point that a straight line can do without, as long as the line keeps the room that the points had.
fn straighten(clearance: &Clearance, points: &[Point]) -> Route {
    let mut route = vec![points[0]];
    let mut at = 0;
    while at + 1 < points.len() {
        let mut reach = at + 1;
        let mut room = f64::INFINITY;
        for next in at + 1..points.len() {
            room = room.min(clearance.along(points[next - 1], points[next]));
            if clearance.along(points[at], points[next]) >= room.min(STRAIGHT) - 1e-6 {
                reach = next;
            }
        }
        route.push(points[reach]);
        at = reach;
    }
    route
}

/// Length of a way.
pub(super) fn length(route: &[Point]) -> f64 {
    route.windows(2).map(|pair| pair[0].distance(pair[1])).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::driver::sim::{RADIUS, geometry::point_of, site::Site};

    #[test]
    fn every_place_can_be_reached_from_every_other() {
        let site = Site::wing();
        let clearance = Clearance::of(&site);
        let places = &site.map.places;

        for from in places {
            for to in places {
                let route = find(&clearance, RADIUS, point_of(from.pose), point_of(to.pose));
                assert!(route.is_some(), "{} to {}", from.name, to.name);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_route_starts_and_ends_where_it_should_and_never_leaves_too_little_room(
            place in 0_usize..11, x in 0.0..28.0, y in 0.0..15.0,
        ) {
            let site = Site::wing();
            let clearance = Clearance::of(&site);
            let from = point_of(site.map.places[place].pose);
            let to = Point::new(x, y);
            let room = clearance.cell(to).map_or(0.0, |cell| clearance.at(cell));
            prop_assume!(room > RADIUS + 0.02);

            if let Some(route) = find(&clearance, RADIUS, from, to) {
                prop_assert_eq!(route.first(), Some(&from));
                prop_assert_eq!(route.last(), Some(&to));
                for pair in route.windows(2) {
                    let least = clearance.along(pair[0], pair[1]);
                    prop_assert!(least >= RADIUS - 0.05, "{least} between {pair:?}");
                }
            }
        }
    }
}
