//! Store-room racks with boxes and bottles of mixed size and colour, the same in every run.

use protocol::robot::ShapeKind;
use rand::{RngExt as _, SeedableRng as _, rngs::Xoshiro256PlusPlus};

use super::{
    Material,
    build::{Plan, Spot},
    outline,
};
use crate::driver::sim::solids::Colour;

const STEEL: Material = Material::Plain(Colour(140, 148, 156));

/// What stands on the boards: calm colours with a few loud ones.
const GOODS: [Colour; 10] = [
    Colour(120, 142, 158),
    Colour(84, 116, 156),
    Colour(196, 164, 118),
    Colour(214, 210, 202),
    Colour(96, 132, 96),
    Colour(176, 72, 56),
    Colour(232, 232, 228),
    Colour(70, 92, 132),
    Colour(160, 128, 92),
    Colour(214, 142, 82),
];

impl Plan {
    /// A rack of four boards, open to positive `v`, filled by the luck of `seed`.
    pub(super) fn rack(&mut self, spot: Spot, half_length: f64, seed: u64) {
        let mut luck = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut post = -half_length;
        while post <= half_length + 0.01 {
            for side in [-0.2, 0.2] {
                self.solids
                    .push(spot.block((post, side), (0.022, 0.022), (0.0, 2.05), STEEL));
            }
            post += half_length;
        }
        for board in [0.12, 0.6, 1.08, 1.56] {
            self.solids.push(spot.block(
                (0.0, 0.0),
                (half_length, 0.22),
                (board, board + 0.03),
                STEEL,
            ));
            let mut u = -half_length + 0.08;
            while u < half_length - 0.2 {
                let wide = luck.random_range(0.1..0.26);
                if u + wide > half_length - 0.05 {
                    break;
                }
                if luck.random_bool(0.86) {
                    self.goods(spot, (u + wide / 2.0, wide / 2.0), board + 0.03, &mut luck);
                }
                u += wide + luck.random_range(0.015..0.09);
            }
        }
        let corners = [
            (half_length, 0.22),
            (-half_length, 0.22),
            (-half_length, -0.22),
            (half_length, -0.22),
        ];
        self.map.shapes.push(outline(
            ShapeKind::Furniture,
            "Shelf",
            &corners.map(|(u, v)| spot.point(u, v)),
        ));
    }

    /// One box or bottle on a board; `across` is its middle and half its width.
    fn goods(
        &mut self,
        spot: Spot,
        across: (f64, f64),
        bottom: f64,
        luck: &mut Xoshiro256PlusPlus,
    ) {
        let (middle, half) = across;
        let tall = luck.random_range(0.14..0.38);
        let material = Material::Plain(GOODS[luck.random_range(0..GOODS.len())]);
        let back = luck.random_range(-0.06..0.04);
        let heights = (bottom, bottom + tall);
        if half < 0.075 && luck.random_bool(0.6) {
            self.solids
                .push(spot.post((middle, back + 0.05), half, heights, material));
        } else {
            self.solids
                .push(spot.block((middle, back), (half, 0.14), heights, material));
        }
    }
}
