//! The plan of the demo's wing: six bedrooms, day room, store, kitchen, office and lift lobby along one corridor.

use std::f64::consts::FRAC_PI_2;

use protocol::robot::{Place, Pose};

use super::{
    Doorway, Flooring, Point, Room, Site,
    build::{DOOR, Opening, Plan, Run, Spot, WALL},
};
use crate::driver::sim::solids::Colour;

const SIZE: Point = Point::new(28.0, 15.0);
/// Centre lines of the outer walls.
const WEST: f64 = 0.1;
const EAST: f64 = 27.9;
const SOUTH: f64 = 0.1;
const NORTH: f64 = 14.9;
/// Centre lines of the corridor's walls, and its middle.
const CORRIDOR_SOUTH: f64 = 6.8;
const CORRIDOR_NORTH: f64 = 9.2;
const CORRIDOR: f64 = 8.0;

const BLUE: Colour = Colour(98, 132, 172);
const GREEN: Colour = Colour(110, 148, 120);
const RUST: Colour = Colour(196, 112, 84);
const SAND: Colour = Colour(206, 178, 128);
const PLUM: Colour = Colour(142, 112, 146);
const TEAL: Colour = Colour(84, 152, 152);

/// A room between two cross walls on one side of the corridor.
#[derive(Debug, Clone, Copy)]
struct Lot {
    name: &'static str,
    west: f64,
    east: f64,
    /// East of the site's origin: the middle of its way in.
    entry: f64,
    /// Width of its way in without a door; `None` means a door.
    passage: Option<f64>,
    flooring: Flooring,
    colour: Colour,
}

const fn lot(
    name: &'static str,
    between: (f64, f64),
    entry: f64,
    passage: Option<f64>,
    flooring: Flooring,
    colour: Colour,
) -> Lot {
    Lot {
        name,
        west: between.0,
        east: between.1,
        entry,
        passage,
        flooring,
        colour,
    }
}

const NORTH_LOTS: [Lot; 6] = [
    lot("Room 1", (WEST, 4.8), 1.35, None, Flooring::Wood, BLUE),
    lot("Room 2", (4.8, 9.4), 6.05, None, Flooring::Wood, GREEN),
    lot("Room 3", (9.4, 14.0), 10.65, None, Flooring::Wood, RUST),
    lot("Room 4", (14.0, 18.6), 15.25, None, Flooring::Wood, SAND),
    lot("Store", (18.6, 23.2), 20.9, None, Flooring::Plain, TEAL),
    lot("Kitchen", (23.2, EAST), 25.5, None, Flooring::Plain, SAND),
];

const SOUTH_LOTS: [Lot; 5] = [
    lot("Room 5", (WEST, 4.8), 1.35, None, Flooring::Wood, PLUM),
    lot("Room 6", (4.8, 9.4), 6.05, None, Flooring::Wood, TEAL),
    lot(
        "Day room",
        (9.4, 17.2),
        13.3,
        Some(2.6),
        Flooring::Wood,
        GREEN,
    ),
    lot(
        "Lift lobby",
        (17.2, 22.0),
        19.6,
        Some(2.6),
        Flooring::Plain,
        BLUE,
    ),
    lot("Office", (22.0, EAST), 24.0, None, Flooring::Plain, RUST),
];

/// Builds the wing.
pub(super) fn build() -> Site {
    let mut plan = Plan::default();
    raise_walls(&mut plan);
    plan.rooms.push(Room {
        name: "Corridor",
        low: Point::new(WEST, CORRIDOR_SOUTH),
        high: Point::new(EAST, CORRIDOR_NORTH),
        flooring: Flooring::Corridor,
    });
    let dock = Pose {
        x_m: 18.3,
        y_m: 0.72,
        heading_rad: FRAC_PI_2,
    };
    plan.map.places.push(Place {
        name: "Dock".to_owned(),
        pose: dock,
    });
    for (lots, is_south) in [(&NORTH_LOTS[..], false), (&SOUTH_LOTS[..], true)] {
        for lot in lots {
            lay_out(&mut plan, *lot, is_south);
        }
    }
    furnish_bedrooms(&mut plan);
    furnish_common_rooms(&mut plan);
    furnish_corridor(&mut plan);
    for (name, x_m) in [("Corridor west", 2.6), ("Corridor east", 25.0)] {
        plan.map.places.push(Place {
            name: name.to_owned(),
            pose: Pose {
                x_m,
                y_m: CORRIDOR,
                heading_rad: if x_m < 14.0 {
                    0.0
                } else {
                    std::f64::consts::PI
                },
            },
        });
    }
    plan.finish(SIZE, dock)
}

const fn east(y: f64, inward: f64, has_rail: bool) -> Run {
    Run {
        from: Point::new(WEST, y),
        to: Point::new(EAST, y),
        inward: Point::new(0.0, inward),
        has_rail,
    }
}

const fn north(x: f64, from: f64, to: f64, inward: f64) -> Run {
    Run {
        from: Point::new(x, from),
        to: Point::new(x, to),
        inward: Point::new(inward, 0.0),
        has_rail: false,
    }
}

fn windows(lots: &[Lot]) -> Vec<Opening> {
    lots.iter()
        .map(|lot| Opening::Window(f64::midpoint(lot.west, lot.east), 2.2))
        .collect()
}

fn entries(lots: &[Lot]) -> Vec<Opening> {
    lots.iter()
        .map(|lot| match lot.passage {
            Some(width) => Opening::Passage(lot.entry, width),
            None => Opening::Door(lot.entry),
        })
        .collect()
}

fn raise_walls(plan: &mut Plan) {
    let mut south_windows = windows(&SOUTH_LOTS);
    // The lift stands where the lobby's window would be.
    south_windows.remove(3);
    let end_window = [Opening::Window(CORRIDOR, 1.5)];
    plan.wall(east(NORTH, -1.0, false), &windows(&NORTH_LOTS));
    plan.wall(east(SOUTH, 1.0, false), &south_windows);
    plan.wall(north(WEST, SOUTH, NORTH, 1.0), &end_window);
    plan.wall(north(EAST, SOUTH, NORTH, -1.0), &end_window);
    plan.wall(east(CORRIDOR_NORTH, 1.0, true), &entries(&NORTH_LOTS));
    plan.wall(east(CORRIDOR_SOUTH, -1.0, true), &entries(&SOUTH_LOTS));
    for lot in &NORTH_LOTS[1..] {
        plan.wall(north(lot.west, CORRIDOR_NORTH, NORTH, 1.0), &[]);
    }
    for lot in &SOUTH_LOTS[1..] {
        plan.wall(north(lot.west, SOUTH, CORRIDOR_SOUTH, 1.0), &[]);
    }
}

/// Floor, lamps, way in and place of a room.
fn lay_out(plan: &mut Plan, lot: Lot, is_south: bool) {
    let (low_y, high_y, door_y, side) = if is_south {
        (SOUTH, CORRIDOR_SOUTH, CORRIDOR_SOUTH, -1.0)
    } else {
        (CORRIDOR_NORTH, NORTH, CORRIDOR_NORTH, 1.0)
    };
    plan.rooms.push(Room {
        name: lot.name,
        low: Point::new(lot.west, low_y),
        high: Point::new(lot.east, high_y),
        flooring: lot.flooring,
    });
    let depth = high_y - low_y;
    for share in [0.3, 0.72] {
        let columns: &[f64] = if lot.east - lot.west > 6.0 {
            &[0.25, 0.75]
        } else {
            &[0.5]
        };
        for column in columns {
            let x = lot.west + (lot.east - lot.west) * column;
            plan.lamp(Point::new(x, door_y + side * depth * share), false);
        }
    }
    let inside = Point::new(lot.entry, door_y + side * 1.9);
    plan.doorways.push(Doorway {
        outside: Point::new(lot.entry, CORRIDOR),
        inside,
    });
    plan.map.places.push(Place {
        name: lot.name.to_owned(),
        pose: Pose {
            x_m: inside.x,
            y_m: inside.y,
            heading_rad: side * FRAC_PI_2 * if lot.passage.is_some() { 1.0 } else { 0.62 },
        },
    });
    let plate = Spot::new(Point::new(lot.entry, door_y - side * WALL / 2.0), !is_south);
    let beside = lot.passage.unwrap_or(DOOR) / 2.0 + 0.28;
    plan.door_plate(plate.at(beside, 0.0, 0.0), lot.colour);
}

/// The frame of a lot: `u` east from its west wall, `v` away from the corridor.
fn frame(lot: &Lot, is_south: bool) -> Spot {
    let face = WALL / 2.0;
    let y = if is_south {
        CORRIDOR_SOUTH - face
    } else {
        CORRIDOR_NORTH + face
    };
    Spot::new(Point::new(lot.west + face, y), is_south)
}

fn furnish_bedrooms(plan: &mut Plan) {
    let north = NORTH_LOTS[..4].iter().map(|lot| (lot, false));
    let south = SOUTH_LOTS[..2].iter().map(|lot| (lot, true));
    for (lot, is_south) in north.chain(south) {
        let room = frame(lot, is_south);
        let width = lot.east - lot.west - WALL;
        plan.bed(room.at(width - 1.1, 3.1, 0.0), lot.colour);
        plan.bedside(room.at(width - 0.34, 4.1, 0.0), RUST);
        plan.wardrobe(room.at(width - 0.62, 0.32, 0.0));
        plan.chair(room.at(0.5, 4.9, -0.5), lot.colour);
        plan.plant(room.at(width - 2.6, 5.15, 0.0));
        plan.picture(room.at(width, 2.2, 1.0), 0.3, [SAND, lot.colour]);
        plan.picture(
            room.at(0.0, 3.2, -1.0),
            0.42,
            [Colour(64, 72, 82), Colour(92, 110, 130)],
        );
    }
}

fn furnish_common_rooms(plan: &mut Plan) {
    let day = frame(&SOUTH_LOTS[2], true);
    for (u, v, cups) in [
        (1.6, 4.1, [RUST, BLUE]),
        (5.9, 4.3, [TEAL, SAND]),
        (1.5, 1.5, [GREEN, RUST]),
    ] {
        plan.round_table(day.at(u, v, 0.0), &cups);
        for (side, turn) in [
            ((0.85, 0.0), 1.0),
            ((-0.85, 0.0), -1.0),
            ((0.0, -0.85), 0.0),
        ] {
            plan.chair(day.at(u + side.0, v + side.1, turn + 0.05), GREEN);
        }
    }
    plan.sofa(day.at(6.3, 0.55, 0.0));
    plan.plant(day.at(7.3, 6.2, 0.0));
    plan.plant(day.at(0.35, 6.2, 0.0));
    plan.picture(
        day.at(7.64, 2.6, 1.0),
        0.6,
        [Colour(52, 58, 66), Colour(92, 120, 150)],
    );

    let store = frame(&NORTH_LOTS[4], false);
    plan.rack(store.at(0.26, 3.5, -1.0), 1.7, 11);
    plan.rack(store.at(4.18, 3.5, 1.0), 1.7, 12);
    plan.rack(store.at(2.22, 4.1, -1.0), 1.1, 13);
    plan.trolley(store.at(3.9, 0.6, 0.0));

    let kitchen = frame(&NORTH_LOTS[5], false);
    plan.counter(kitchen.at(0.34, 3.4, -1.0), 1.8);
    plan.round_table(kitchen.at(3.1, 3.7, 0.0), &[BLUE, RUST]);
    plan.chair(kitchen.at(3.1, 2.85, 0.0), SAND);
    plan.chair(kitchen.at(3.95, 3.7, 1.0), SAND);
    plan.wardrobe(kitchen.at(4.0, 0.34, 0.0));

    let lobby = frame(&SOUTH_LOTS[3], true);
    plan.lift(lobby.at(2.6, 6.54, 2.0));
    plan.dock(lobby.at(1.02, 6.54, 2.0));
    plan.chair(lobby.at(0.4, 1.2, -1.0), BLUE);
    plan.chair(lobby.at(0.4, 1.85, -1.0), BLUE);
    plan.plant(lobby.at(4.3, 6.1, 0.0));
    plan.picture(lobby.at(0.0, 3.8, -1.0), 0.5, [SAND, TEAL]);
    plan.picture(lobby.at(4.64, 3.4, 1.0), 0.4, [BLUE, SAND]);

    let office = frame(&SOUTH_LOTS[4], true);
    for (u, turn) in [(1.4, 0.0), (3.7, 0.0)] {
        plan.desk(office.at(u, 4.6, turn + 2.0));
        plan.chair(office.at(u, 3.75, turn + 0.1), Colour(72, 80, 92));
    }
    plan.rack(office.at(5.3, 1.6, 1.0), 1.1, 14);
    plan.plant(office.at(0.4, 6.1, 0.0));
}

fn furnish_corridor(plan: &mut Plan) {
    let north_face = Spot::new(Point::new(0.0, CORRIDOR_NORTH - WALL / 2.0), true);
    let south_face = Spot::new(Point::new(0.0, CORRIDOR_SOUTH + WALL / 2.0), false);
    for (x, colours) in [
        (3.6, [SAND, BLUE]),
        (8.3, [Colour(226, 222, 212), RUST]),
        (13.0, [TEAL, SAND]),
    ] {
        plan.picture(north_face.at(x, 0.0, 0.0), 0.34, colours);
    }
    for (x, colours) in [(4.6, [SAND, GREEN]), (9.2, [PLUM, SAND])] {
        plan.picture(south_face.at(x, 0.0, 0.0), 0.4, colours);
    }
    plan.extinguisher(north_face.at(17.6, 0.0, 0.0));
    plan.extinguisher(south_face.at(8.4, 0.0, 0.0));
    plan.trolley(north_face.at(18.6, 0.33, 0.0));
    plan.chair(south_face.at(26.7, 0.42, 0.0), BLUE);
    plan.plant(south_face.at(27.4, 0.4, 0.0));
    for index in 0..9 {
        plan.lamp(Point::new(1.9 + 3.0 * f64::from(index), CORRIDOR), true);
    }
}
