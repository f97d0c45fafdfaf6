//! Digits that mean something: telemetry goes out ten times a second, and most of its bytes would be noise. Pure.

use protocol::robot::{Pose, Scan, Telemetry};

/// Millimetres: finer than any robot knows where it is.
const PER_METRE: f64 = 1_000.0;

/// A ten-thousandth of a radian moves a point ten metres away by a millimetre.
const PER_RADIAN: f64 = 10_000.0;

/// Tenths of a percent.
const PER_PERCENT: f64 = 10.0;

/// Hundredths of a volt.
const PER_VOLT: f64 = 100.0;

/// The telemetry with the digits that mean something.
pub fn of_telemetry(telemetry: Telemetry) -> Telemetry {
    let mut telemetry = telemetry;
    telemetry.pose = of_pose(telemetry.pose);
    telemetry.speed_mps = round(telemetry.speed_mps, PER_METRE);
    telemetry.turn_rps = round(telemetry.turn_rps, PER_METRE);
    telemetry.odometer_m = round(telemetry.odometer_m, PER_METRE);
    telemetry.battery.percent = round(telemetry.battery.percent, PER_PERCENT);
    telemetry.battery.volts = round(telemetry.battery.volts, PER_VOLT);
    if let Some(goal) = &mut telemetry.goal {
        goal.target = of_pose(goal.target);
        goal.remaining_m = round(goal.remaining_m, PER_METRE);
    }
    telemetry
}

/// The scan with the digits that mean something.
pub fn of_scan(scan: Scan) -> Scan {
    Scan {
        pose: of_pose(scan.pose),
        first_rad: round(scan.first_rad, PER_RADIAN),
        // Not the step: its error adds up over the whole circle.
        ..scan
    }
}

fn of_pose(pose: Pose) -> Pose {
    Pose {
        x_m: round(pose.x_m, PER_METRE),
        y_m: round(pose.y_m, PER_METRE),
        heading_rad: round(pose.heading_rad, PER_RADIAN),
    }
}

fn round(value: f64, steps_per_unit: f64) -> f64 {
    // Adding zero turns −0 into 0.
    (value * steps_per_unit).round() / steps_per_unit + 0.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::driver::{
        Driver as _,
        sim::{Sim, SimConfig},
    };
    use protocol::UnixMicros;

    proptest! {
        #[test]
        fn no_value_moves_by_more_than_half_a_step(value in -1e6_f64..1e6) {
            prop_assert!((round(value, PER_METRE) - value).abs() <= 0.000_5 + 1e-9);
        }
    }

    #[test]
    fn telemetry_fits_into_an_idle_robots_uplink() {
        let sim = Sim::new(SimConfig::new(1));

        let telemetry =
            of_telemetry(sim.telemetry(4_000_000_000, UnixMicros(1_790_000_000_000_000)));
        let text = serde_json::to_string(&telemetry).unwrap();

        // Ten a second, with as many bytes of headers as a segment needs, in 50 kbit/s.
        assert!(
            text.len() + 66 < 50_000 / 8 / 10,
            "{} bytes: {text}",
            text.len()
        );
    }
}
