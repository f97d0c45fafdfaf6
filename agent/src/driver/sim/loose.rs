//! Things that somebody left lying about: different for every seed, on no map.

use rand::{RngExt as _, rngs::Xoshiro256PlusPlus};

use super::{
    geometry::{Point, distance_to_segment, point_of},
    occupancy::Clearance,
    site::Site,
    solids::{Colour, Footprint, Form, Material, Solid},
};

/// Tries before a thing is left out: the floor has far more room than things.
const TRIES: usize = 200;
/// Distance from ways that people and robots take by habit.
const OFF_THE_WAY: f64 = 1.1;

const CARDBOARD: Material = Material::Plain(Colour(190, 152, 106));
const TAPE: Material = Material::Plain(Colour(222, 206, 172));
const YELLOW: Material = Material::Plain(Colour(232, 190, 44));
const BASKET: Material = Material::Plain(Colour(88, 128, 168));
const LINEN: Material = Material::Plain(Colour(230, 232, 234));

/// One thing and what it is made of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Loose {
    /// All that the robot must not touch.
    pub(super) footprint: Footprint,
    /// What is seen of it.
    pub(super) solids: Vec<Solid>,
}

/// Scatters `count` things over free floor beside the usual ways.
pub(super) fn scatter(
    site: &Site,
    clearance: &Clearance,
    start: Point,
    count: usize,
    luck: &mut Xoshiro256PlusPlus,
) -> Vec<Loose> {
    let mut free = clearance.clone();
    let mut things: Vec<Loose> = Vec::with_capacity(count);
    for _ in 0..TRIES {
        if things.len() == count {
            break;
        }
        let at = Point::new(
            luck.random_range(0.5..site.size.x - 0.5),
            luck.random_range(0.5..site.size.y - 0.5),
        );
        let room = free.cell(at).map_or(0.0, |cell| free.at(cell));
        let is_off_doorways = site
            .doorways
            .iter()
            .all(|doorway| distance_to_segment(at, doorway.inside, doorway.outside) > OFF_THE_WAY);
        let mut stops = site.map.places.iter().map(|place| point_of(place.pose));
        let is_off_the_way = is_off_doorways
            && start.distance(at) > OFF_THE_WAY
            && stops.all(|stop| stop.distance(at) > OFF_THE_WAY);
        // Near a wall or a piece of furniture, as people leave things.
        if !is_off_the_way || !(0.3..0.55).contains(&room) {
            continue;
        }
        let thing = make(things.len(), at, luck.random_range(0.0..1.5));
        free.add(&thing.footprint);
        things.push(thing);
    }
    things
}

fn make(kind: usize, at: Point, turn: f64) -> Loose {
    let block = |half: (f64, f64), heights: (f64, f64), material| Solid {
        footprint: Footprint::Slab {
            centre: at,
            half_length: half.0,
            half_width: half.1,
            axis: Point::along(turn),
        },
        low: heights.0,
        high: heights.1,
        form: Form::Prism,
        material,
    };
    let round = |radius: f64, heights: (f64, f64), material| Solid {
        footprint: Footprint::Disc { centre: at, radius },
        ..block((0.0, 0.0), heights, material)
    };
    let solids = match kind % 3 {
        0 => vec![
            block((0.22, 0.16), (0.0, 0.3), CARDBOARD),
            block((0.222, 0.03), (0.0, 0.302), TAPE),
        ],
        1 => vec![
            block((0.16, 0.15), (0.0, 0.1), YELLOW),
            block((0.15, 0.1), (0.1, 0.3), YELLOW),
            block((0.14, 0.06), (0.3, 0.5), YELLOW),
            block((0.13, 0.025), (0.5, 0.64), YELLOW),
        ],
        _ => vec![
            round(0.2, (0.0, 0.42), BASKET),
            Solid {
                form: Form::Ball,
                ..round(0.17, (0.3, 0.54), LINEN)
            },
        ],
    };
    Loose {
        footprint: solids[0].footprint,
        solids,
    }
}
