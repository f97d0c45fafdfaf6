//! What the robot knows of the floor, and what is really there: the map, things it has seen lying about, people near it.

use std::sync::Arc;

use super::{
    RADIUS,
    geometry::{Point, distance_to_segment},
    lidar::{self, RANGE},
    loose::Loose,
    occupancy::{Clearance, distance_to_nearest, touchable},
    people::{PERSON_RADIUS, Walker},
    route::{self, Route},
    site::Site,
    solids::Footprint,
};

/// How far off a thing that lies about is recognised as one.
const RECOGNISED: f64 = 3.5;
/// People this near count as obstacles when another way is looked for.
const NEAR_PERSON: f64 = 5.0;
/// Distance between a person and the robot's edge under which it stops and waits.
const POLITE: f64 = 0.22;

/// The floor around the robot.
#[derive(Debug)]
pub(super) struct Surroundings {
    site: Arc<Site>,
    /// All fixed footprints that can be touched.
    fixed: Vec<Footprint>,
    /// What of the fixed shows in the lidar's plane.
    scanned: Vec<Footprint>,
    /// The map plus what has been recognised.
    known: Clearance,
    loose: Vec<Loose>,
    is_recognised: Vec<bool>,
}

impl Surroundings {
    /// A floor on which only the map is known.
    pub(super) fn new(site: Arc<Site>, map: Clearance, loose: Vec<Loose>) -> Self {
        let scanned = site
            .solids
            .iter()
            .filter(|solid| lidar::is_seen(solid))
            .map(|solid| solid.footprint)
            .collect();
        Self {
            fixed: touchable(&site.solids),
            scanned,
            site,
            known: map,
            is_recognised: vec![false; loose.len()],
            loose,
        }
    }

    /// The site.
    pub(super) fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// What is known.
    pub(super) fn known(&self) -> &Clearance {
        &self.known
    }

    /// Exact distance from a point to the nearest real thing, people included.
    pub(super) fn real_distance(&self, point: Point, people: &[Walker]) -> f64 {
        let still = distance_to_nearest(&self.fixed, point);
        let loose = self
            .loose
            .iter()
            .map(|thing| thing.footprint.distance(point));
        let walking = people
            .iter()
            .map(|walker| (walker.figure.at.distance(point) - PERSON_RADIUS).max(0.0));
        loose.chain(walking).fold(still, f64::min)
    }

    /// Exact distance from a point to the nearest thing on the map.
    pub(super) fn mapped_distance(&self, point: Point) -> f64 {
        distance_to_nearest(&self.fixed, point)
    }

    /// Finds no way from here on where `barred` gives no room, metres from x and y.
    pub(super) fn bar(&mut self, barred: &dyn Fn([f64; 2]) -> f64) {
        self.known.bar(barred);
    }

    /// Recognises what lies in sight; true when something new was.
    pub(super) fn look(&mut self, from: Point) -> bool {
        let mut is_new = false;
        for (thing, is_recognised) in self.loose.iter().zip(&mut self.is_recognised) {
            if *is_recognised || thing.footprint.distance(from) > RECOGNISED {
                continue;
            }
            let (low, high) = thing.footprint.bounds();
            let way = low.plus(high).times(0.5).minus(from);
            let hidden_by = lidar::first_hit(self.fixed.iter(), from, way.heading(), way.length());
            if hidden_by.is_none() {
                *is_recognised = true;
                self.known.add(&thing.footprint);
                is_new = true;
            }
        }
        is_new
    }

    /// A way over the known floor; around `people` who are near, when given.
    pub(super) fn route(&self, from: Point, to: Point, people: &[Walker]) -> Option<Route> {
        let near: Vec<Footprint> = people
            .iter()
            .map(|walker| walker.figure.at)
            .filter(|at| at.distance(from) < NEAR_PERSON)
            .map(|centre| Footprint::Disc {
                centre,
                radius: PERSON_RADIUS + POLITE,
            })
            .collect();
        if near.is_empty() {
            return route::find(&self.known, RADIUS, from, to);
        }
        let mut crowded = self.known.clone();
        for person in &near {
            crowded.add(person);
        }
        route::find(&crowded, RADIUS, from, to)
    }

    /// Whether somebody stands on or right beside the next bit of the way.
    pub(super) fn is_person_ahead(people: &[Walker], at: Point, aim: Point) -> bool {
        people.iter().any(|walker| {
            let keep = RADIUS + PERSON_RADIUS + POLITE;
            let there = walker.figure.at;
            let is_in_front = there.minus(at).dot(aim.minus(at)) > 0.0;
            is_in_front && distance_to_segment(there, at, aim) < keep
        })
    }

    /// What the lidar sees.
    pub(super) fn scan(&self, at: Point, heading: f64, people: &[Walker]) -> Vec<u16> {
        let mut seen: Vec<Footprint> = self
            .scanned
            .iter()
            .filter(|footprint| footprint.distance(at) <= RANGE)
            .copied()
            .collect();
        seen.extend(self.loose.iter().map(|thing| thing.footprint));
        for walker in people {
            let across = Point::along(walker.figure.heading + std::f64::consts::FRAC_PI_2);
            for side in [-0.1, 0.1] {
                seen.push(Footprint::Disc {
                    centre: walker.figure.at.plus(across.times(side)),
                    radius: 0.08,
                });
            }
        }
        lidar::sweep(&seen, at, heading)
    }
}

#[cfg(test)]
impl Surroundings {
    /// Puts something on the known map.
    pub(super) fn block_for_test(&mut self, footprint: &Footprint) {
        self.known.add(footprint);
    }

    /// Puts something on the floor that is seen at once.
    pub(super) fn obstruct_for_test(&mut self, footprint: Footprint) {
        self.known.add(&footprint);
        self.loose.push(Loose {
            footprint,
            solids: Vec::new(),
        });
        self.is_recognised.push(true);
    }
}
