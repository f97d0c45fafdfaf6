//! The furniture of a care home, each piece built from solids around its own spot. `v` is away from the wall it faces.

use protocol::robot::ShapeKind;

use super::{
    Material, Point, Solid,
    build::{Plan, Spot},
    outline,
};
use crate::driver::sim::solids::{Colour, Form};

const OAK: Material = Material::Plain(Colour(196, 160, 118));
const OAK_DARK: Material = Material::Plain(Colour(168, 132, 94));
const STEEL: Material = Material::Plain(Colour(150, 158, 166));
const DARK: Material = Material::Plain(Colour(58, 64, 72));
const WHITE: Material = Material::Plain(Colour(238, 238, 234));
const LINEN: Material = Material::Plain(Colour(226, 230, 234));
const LEAF: Material = Material::Plain(Colour(92, 128, 88));
const TERRACOTTA: Material = Material::Plain(Colour(204, 112, 84));
const SLATE: Material = Material::Plain(Colour(104, 118, 140));

impl Plan {
    /// Adds solids and, where the thing has a name, its outline on the map: `half` around the spot.
    fn furnish(&mut self, spot: Spot, label: &str, half: (f64, f64), parts: &[Solid]) {
        self.solids.extend_from_slice(parts);
        let (u, v) = half;
        let corners = [(u, v), (-u, v), (-u, -v), (u, -v)].map(|(u, v)| spot.point(u, v));
        self.map
            .shapes
            .push(outline(ShapeKind::Furniture, label, &corners));
    }

    /// A care bed; the head is at positive `u`.
    pub(super) fn bed(&mut self, spot: Spot, blanket: Colour) {
        let blanket = Material::Plain(blanket);
        let mut parts = vec![
            spot.block((0.0, 0.0), (1.0, 0.46), (0.3, 0.4), STEEL),
            spot.block((0.0, 0.0), (0.98, 0.45), (0.4, 0.56), LINEN),
            spot.block((-0.28, 0.0), (0.7, 0.475), (0.36, 0.6), blanket),
            spot.block((0.72, 0.0), (0.2, 0.32), (0.56, 0.67), WHITE),
            spot.block((1.03, 0.0), (0.03, 0.48), (0.1, 1.05), OAK),
            spot.block((-1.03, 0.0), (0.03, 0.48), (0.1, 0.82), OAK),
        ];
        for side in [-0.49, 0.49] {
            parts.push(spot.block((0.25, side), (0.5, 0.012), (0.68, 0.71), STEEL));
            parts.push(spot.block((0.25, side), (0.5, 0.012), (0.78, 0.81), STEEL));
            parts.push(spot.block((-0.22, side), (0.02, 0.012), (0.4, 0.81), STEEL));
            parts.push(spot.block((0.72, side), (0.02, 0.012), (0.4, 0.81), STEEL));
        }
        for (u, v) in [(0.85, 0.4), (0.85, -0.4), (-0.85, 0.4), (-0.85, -0.4)] {
            parts.push(spot.block((u, v), (0.05, 0.05), (0.0, 0.3), DARK));
        }
        self.furnish(spot, "Bed", (1.06, 0.5), &parts);
    }

    /// A bedside cabinet with a carafe, a mug and a pill box on it.
    pub(super) fn bedside(&mut self, spot: Spot, mug: Colour) {
        let parts = [
            spot.block((0.0, 0.0), (0.24, 0.22), (0.06, 0.68), OAK),
            spot.block((0.0, 0.0), (0.26, 0.24), (0.68, 0.71), WHITE),
            spot.block((-0.245, 0.0), (0.01, 0.19), (0.44, 0.64), OAK_DARK),
            spot.block((-0.245, 0.0), (0.01, 0.19), (0.12, 0.41), OAK_DARK),
            spot.post((0.08, 0.1), 0.05, (0.71, 0.88), LINEN),
            spot.post((0.08, 0.1), 0.032, (0.88, 0.96), DARK),
            spot.post((-0.08, -0.06), 0.042, (0.71, 0.8), Material::Plain(mug)),
            spot.block(
                (0.1, -0.11),
                (0.05, 0.07),
                (0.71, 0.74),
                Material::Plain(Colour(72, 168, 168)),
            ),
        ];
        self.furnish(spot, "", (0.26, 0.24), &parts);
    }

    /// A tall wardrobe.
    pub(super) fn wardrobe(&mut self, spot: Spot) {
        let parts = [
            spot.block((0.0, 0.0), (0.5, 0.28), (0.06, 1.95), OAK),
            spot.block((0.0, 0.285), (0.006, 0.01), (0.1, 1.9), OAK_DARK),
            spot.block((-0.06, 0.3), (0.01, 0.015), (0.95, 1.1), STEEL),
            spot.block((0.06, 0.3), (0.01, 0.015), (0.95, 1.1), STEEL),
        ];
        self.furnish(spot, "", (0.5, 0.3), &parts);
    }

    /// An upholstered chair that faces positive `v`.
    pub(super) fn chair(&mut self, spot: Spot, seat: Colour) {
        let seat = Material::Plain(seat);
        let mut parts = vec![
            spot.block((0.0, 0.0), (0.24, 0.24), (0.4, 0.48), seat),
            spot.block((0.0, -0.23), (0.24, 0.03), (0.48, 0.92), seat),
        ];
        for (u, v) in [(0.21, 0.21), (-0.21, 0.21), (-0.21, -0.21), (0.21, -0.21)] {
            parts.push(spot.block((u, v), (0.02, 0.02), (0.0, 0.4), OAK_DARK));
        }
        self.furnish(spot, "", (0.25, 0.26), &parts);
    }

    /// A round table for four with cups on it.
    pub(super) fn round_table(&mut self, spot: Spot, cups: &[Colour]) {
        let mut parts = vec![
            spot.post((0.0, 0.0), 0.6, (0.71, 0.75), OAK),
            spot.post((0.0, 0.0), 0.05, (0.04, 0.71), DARK),
            spot.post((0.0, 0.0), 0.3, (0.0, 0.04), DARK),
            spot.post((0.05, -0.05), 0.05, (0.75, 0.9), LINEN),
            spot.post((0.05, -0.05), 0.03, (0.9, 0.99), LEAF),
        ];
        for (index, cup) in (0_u32..).zip(cups) {
            let at = Point::along(f64::from(index) * 1.9).times(0.34);
            parts.push(spot.post((at.x, at.y), 0.04, (0.75, 0.84), Material::Plain(*cup)));
        }
        self.furnish(spot, "Table", (0.6, 0.6), &parts);
    }

    /// A desk with a screen; the chair's side is positive `v`.
    pub(super) fn desk(&mut self, spot: Spot) {
        let mut parts = vec![
            spot.block((0.0, 0.0), (0.75, 0.38), (0.71, 0.74), OAK),
            spot.block((0.0, -0.15), (0.28, 0.015), (0.9, 1.24), DARK),
            spot.block(
                (0.0, -0.133),
                (0.265, 0.004),
                (0.92, 1.22),
                Material::Glowing(Colour(150, 178, 204)),
            ),
            spot.block((0.0, -0.16), (0.03, 0.03), (0.74, 0.92), DARK),
            spot.block((0.0, 0.12), (0.2, 0.07), (0.74, 0.76), DARK),
            spot.block((0.55, 0.05), (0.12, 0.16), (0.74, 0.79), SLATE),
            spot.block((0.54, 0.06), (0.1, 0.14), (0.79, 0.83), TERRACOTTA),
        ];
        for u in [-0.7, 0.7] {
            parts.push(spot.block((u, 0.0), (0.02, 0.34), (0.0, 0.71), STEEL));
        }
        self.furnish(spot, "Desk", (0.75, 0.38), &parts);
    }

    /// A sofa that faces positive `v`.
    pub(super) fn sofa(&mut self, spot: Spot) {
        let cloth = Material::Plain(Colour(112, 134, 148));
        let cushion = Material::Plain(Colour(206, 176, 104));
        let parts = [
            spot.block((0.0, 0.0), (0.95, 0.4), (0.08, 0.42), cloth),
            spot.block((0.0, -0.33), (0.95, 0.1), (0.42, 0.84), cloth),
            spot.block((-0.88, 0.0), (0.08, 0.4), (0.42, 0.6), cloth),
            spot.block((0.88, 0.0), (0.08, 0.4), (0.42, 0.6), cloth),
            spot.block((0.55, -0.15), (0.2, 0.07), (0.42, 0.74), cushion),
        ];
        self.furnish(spot, "", (0.96, 0.43), &parts);
    }

    /// A pot plant.
    pub(super) fn plant(&mut self, spot: Spot) {
        let mut parts = vec![
            spot.post((0.0, 0.0), 0.17, (0.0, 0.38), TERRACOTTA),
            spot.post((0.0, 0.0), 0.02, (0.38, 0.7), OAK_DARK),
        ];
        for (u, v, radius, low, high) in [
            (0.0, 0.0, 0.26, 0.6, 1.2),
            (0.12, 0.08, 0.18, 0.85, 1.4),
            (-0.1, 0.1, 0.18, 0.75, 1.3),
            (0.0, -0.12, 0.17, 0.95, 1.5),
        ] {
            parts.push(Solid {
                form: Form::Ball,
                ..spot.post((u, v), radius, (low, high), LEAF)
            });
        }
        self.furnish(spot, "", (0.2, 0.2), &parts);
    }

    /// A kitchen counter with cupboards above and things on it.
    pub(super) fn counter(&mut self, spot: Spot, half_length: f64) {
        let mut parts = vec![
            spot.block((0.0, 0.03), (half_length, 0.25), (0.0, 0.1), DARK),
            spot.block((0.0, 0.0), (half_length, 0.3), (0.1, 0.86), WHITE),
            spot.block(
                (0.0, 0.01),
                (half_length + 0.01, 0.32),
                (0.86, 0.9),
                OAK_DARK,
            ),
            spot.block((0.0, -0.12), (half_length, 0.18), (1.45, 2.1), WHITE),
            spot.post((0.5, 0.0), 0.09, (0.9, 1.12), STEEL),
            spot.block((-0.6, -0.05), (0.22, 0.16), (0.9, 1.18), DARK),
        ];
        let mut seam = -half_length + 0.6;
        while seam < half_length - 0.1 {
            parts.push(spot.block((seam, 0.301), (0.006, 0.004), (0.12, 0.84), STEEL));
            parts.push(spot.block((seam, 0.062), (0.006, 0.004), (1.47, 2.08), STEEL));
            seam += 0.6;
        }
        self.furnish(spot, "Counter", (half_length, 0.32), &parts);
    }

    /// A linen trolley with folded stacks.
    pub(super) fn trolley(&mut self, spot: Spot) {
        let mut parts = Vec::new();
        for level in [0.22, 0.58, 0.94] {
            parts.push(spot.block((0.0, 0.0), (0.42, 0.24), (level, level + 0.03), STEEL));
        }
        for (u, v) in [(0.4, 0.22), (-0.4, 0.22), (-0.4, -0.22), (0.4, -0.22)] {
            parts.push(spot.block((u, v), (0.014, 0.014), (0.06, 1.02), STEEL));
            parts.push(spot.post((u, v), 0.04, (0.0, 0.08), DARK));
        }
        let linen = [
            (-0.2, 0.25, 0.2, LINEN),
            (0.18, 0.25, 0.14, SLATE),
            (-0.18, 0.61, 0.16, WHITE),
            (0.2, 0.61, 0.22, LINEN),
            (0.0, 0.97, 0.16, SLATE),
        ];
        for (u, bottom, tall, material) in linen {
            parts.push(spot.block((u, 0.0), (0.15, 0.18), (bottom, bottom + tall), material));
        }
        self.furnish(spot, "Trolley", (0.44, 0.27), &parts);
    }

    /// The charging dock against a wall; robots back onto it.
    pub(super) fn dock(&mut self, spot: Spot) {
        let parts = [
            spot.block((0.0, 0.06), (0.24, 0.07), (0.0, 0.62), DARK),
            spot.block(
                (0.0, 0.132),
                (0.13, 0.004),
                (0.46, 0.5),
                Material::Glowing(Colour(120, 226, 232)),
            ),
            spot.block((0.0, 0.2), (0.22, 0.1), (0.0, 0.03), DARK),
        ];
        self.solids.extend_from_slice(&parts);
        let corners = [(0.24, 0.3), (-0.24, 0.3), (-0.24, 0.0), (0.24, 0.0)];
        self.map.shapes.push(outline(
            ShapeKind::Dock,
            "Dock",
            &corners.map(|(u, v)| spot.point(u, v)),
        ));
    }

    /// Steel lift doors in a frame, with a call panel.
    pub(super) fn lift(&mut self, spot: Spot) {
        let parts = [
            spot.block((0.0, 0.02), (0.68, 0.03), (0.0, 2.12), DARK),
            spot.block((-0.3, 0.04), (0.295, 0.03), (0.02, 2.06), Material::Lift),
            spot.block((0.3, 0.04), (0.295, 0.03), (0.02, 2.06), Material::Lift),
            spot.block((0.0, 0.05), (0.16, 0.02), (2.2, 2.34), DARK),
            spot.block(
                (0.0, 0.072),
                (0.05, 0.003),
                (2.24, 2.3),
                Material::Glowing(Colour(240, 196, 110)),
            ),
            spot.block((0.95, 0.02), (0.07, 0.02), (1.0, 1.3), DARK),
            spot.block(
                (0.95, 0.042),
                (0.02, 0.003),
                (1.12, 1.16),
                Material::Glowing(Colour(240, 196, 110)),
            ),
        ];
        self.solids.extend_from_slice(&parts);
    }

    /// A framed picture or notice board on a wall.
    pub(super) fn picture(&mut self, spot: Spot, half_width: f64, colours: [Colour; 2]) {
        let [ground, motif] = colours.map(Material::Plain);
        let low = 1.62 - half_width * 0.7;
        let high = 1.62 + half_width * 0.7;
        self.solids.extend_from_slice(&[
            spot.block(
                (0.0, 0.012),
                (half_width + 0.03, 0.012),
                (low - 0.03, high + 0.03),
                DARK,
            ),
            spot.block((0.0, 0.026), (half_width, 0.003), (low, high), ground),
            spot.block(
                (half_width * 0.2, 0.031),
                (half_width * 0.45, 0.003),
                (low + 0.05, low + half_width * 0.6),
                motif,
            ),
        ]);
    }

    /// A small coloured plate beside a door, so that rooms differ.
    pub(super) fn door_plate(&mut self, spot: Spot, colour: Colour) {
        self.solids.extend_from_slice(&[
            spot.block(
                (0.0, 0.006),
                (0.11, 0.006),
                (1.42, 1.64),
                Material::Plain(colour),
            ),
            spot.block((0.0, 0.015), (0.07, 0.003), (1.54, 1.58), WHITE),
        ]);
    }

    /// A fire extinguisher on the wall.
    pub(super) fn extinguisher(&mut self, spot: Spot) {
        self.solids.extend_from_slice(&[
            spot.post(
                (0.0, 0.09),
                0.065,
                (0.55, 1.0),
                Material::Plain(Colour(196, 52, 44)),
            ),
            spot.post((0.0, 0.09), 0.025, (1.0, 1.09), DARK),
            spot.block(
                (0.0, 0.005),
                (0.12, 0.005),
                (1.3, 1.54),
                Material::Plain(Colour(196, 52, 44)),
            ),
        ]);
    }
}
