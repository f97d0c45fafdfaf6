//! The battery: drained by living and by driving, filled at the dock.

use protocol::robot::Battery;

/// Share lost each second by computers and sensors alone: some ten hours.
const IDLE_DRAIN: f64 = 100.0 / (10.0 * 3_600.0);
/// Share lost for each metre driven: some eight kilometres on one charge.
const DRAIN_PER_METRE: f64 = 100.0 / 8_000.0;
/// Share gained each second at the dock: full in an hour and a half.
const CHARGE: f64 = 100.0 / (1.5 * 3_600.0);
/// Eight lithium iron phosphate cells: empty and full.
const EMPTY_VOLTS: f64 = 24.0;
const FULL_VOLTS: f64 = 27.2;
/// What driving takes off the terminals.
const SAG_VOLTS: f64 = 0.35;
/// Below this a new target is refused unless the dock is the target.
pub(super) const RESERVE: f64 = 8.0;
/// Below this the battery counts as a degraded part, and a patrol goes home.
pub(super) const LOW: f64 = 20.0;

/// The charge that is left.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Power {
    percent: f64,
    is_charging: bool,
    is_loaded: bool,
}

impl Power {
    /// A battery at `percent`.
    pub(super) fn at(percent: f64) -> Self {
        Self {
            percent: percent.clamp(0.0, 100.0),
            is_charging: false,
            is_loaded: false,
        }
    }

    /// Lets time and way pass.
    pub(super) fn spend(&mut self, seconds: f64, metres: f64, is_docked: bool) {
        let change = if is_docked {
            CHARGE * seconds
        } else {
            -(IDLE_DRAIN * seconds + DRAIN_PER_METRE * metres)
        };
        self.percent = (self.percent + change).clamp(0.0, 100.0);
        self.is_charging = is_docked;
        self.is_loaded = metres > 0.0;
    }

    /// What is left, 0 to 100.
    pub(super) const fn percent(&self) -> f64 {
        self.percent
    }

    /// Whether `metres` can be driven without going into the reserve.
    pub(super) fn covers(&self, metres: f64) -> bool {
        self.percent - metres * DRAIN_PER_METRE >= RESERVE
    }

    /// As reported.
    pub(super) fn report(&self) -> Battery {
        let open = EMPTY_VOLTS + (FULL_VOLTS - EMPTY_VOLTS) * self.percent / 100.0;
        let change = match (self.is_charging, self.is_loaded) {
            (true, _) => SAG_VOLTS,
            (false, true) => -SAG_VOLTS,
            (false, false) => 0.0,
        };
        Battery {
            percent: self.percent,
            volts: open + change,
            charging: self.is_charging,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn driving_drains_more_than_standing_and_the_dock_fills() {
        let mut standing = Power::at(50.0);
        let mut driving = Power::at(50.0);
        let mut docked = Power::at(50.0);

        standing.spend(100.0, 0.0, false);
        driving.spend(100.0, 80.0, false);
        docked.spend(100.0, 0.0, true);

        assert!(driving.percent() < standing.percent());
        assert!(standing.percent() < 50.0);
        assert!(docked.percent() > 50.0 && docked.report().charging);
        assert!(driving.report().volts < standing.report().volts);
    }

    #[test]
    fn a_battery_stays_between_empty_and_full() {
        let mut power = Power::at(99.9);
        power.spend(1e6, 0.0, true);
        assert!((power.percent() - 100.0).abs() < 1e-9);

        power.spend(1e7, 1e6, false);
        assert!(power.percent().abs() < 1e-9);
    }
}
