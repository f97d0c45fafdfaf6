//! Which orders reach the driver: each once, and none after its time. Pure.

use std::{collections::VecDeque, time::Duration};

use protocol::{
    CommandId, UnixMicros,
    command::{Order, Outcome, Receipt, RobotRefusal, Verb},
    robot::Pose,
};

use crate::driver::{Driver, Ending, Step};

/// Orders that are remembered so that a repeated one is not obeyed twice. A gateway repeats within seconds.
const REMEMBERED: usize = 256;

/// The robot's two clocks at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    /// Monotonic, milliseconds since the agent started.
    pub tick_ms: u64,
    /// Wall clock.
    pub at: UnixMicros,
}

/// Whether what the robot says can be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journalling {
    /// Every receipt so far is on disk or on its way there.
    Works,
    /// A receipt waits for a disk that did not take it.
    Fails,
}

/// Guards a driver.
#[derive(Debug, Default)]
pub struct Orders {
    seen: VecDeque<CommandId>,
}

impl Orders {
    /// Gives the order to the driver if it is new and in time. `None` means that it was answered before.
    pub fn take(
        &mut self,
        driver: &mut dyn Driver,
        order: &Order,
        clocks: Clocks,
        journalling: Journalling,
    ) -> Option<Receipt> {
        if self.seen.contains(&order.command) {
            return None;
        }
        if self.seen.len() == REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(order.command);

        let outcome = match check(order, clocks.tick_ms, journalling)
            .and_then(|()| driver.obey(order.command, order.verb))
        {
            Ok(()) => Outcome::Accepted,
            Err(reason) => Outcome::Refused { reason },
        };
        Some(receipt(order.command, outcome, driver, clocks))
    }

    /// Lets time pass and says which orders ended, but for those that are the agent's own.
    pub fn step(
        &mut self,
        driver: &mut dyn Driver,
        elapsed: Duration,
        clocks: Clocks,
        mut is_own: impl FnMut(&Ending) -> bool,
    ) -> (Step, Vec<Receipt>) {
        let step = driver.step(elapsed);
        let receipts = step
            .endings
            .iter()
            .filter(|ending| !is_own(ending))
            .map(|Ending { command, result }| {
                let outcome = match *result {
                    Ok(()) => Outcome::Done,
                    Err(reason) => Outcome::Abandoned { reason },
                };
                receipt(*command, outcome, driver, clocks)
            })
            .collect();
        (step, receipts)
    }
}

/// Age is judged by the robot's own clock alone. A tick from the future comes from another run of the agent and proves
/// nothing. A robot whose journal fails can't answer for another drive. A stop is obeyed whatever its age and the disk.
fn check(order: &Order, tick_ms: u64, journalling: Journalling) -> Result<(), RobotRefusal> {
    let is_fresh = tick_ms
        .checked_sub(order.seen_tick_ms)
        .is_some_and(|age_ms| age_ms <= u64::from(order.valid_ms));
    match order.verb {
        Verb::Stop => Ok(()),
        Verb::NavigateTo { .. } if !is_fresh => Err(RobotRefusal::Stale),
        Verb::NavigateTo { .. } => match journalling {
            Journalling::Works => Ok(()),
            Journalling::Fails => Err(RobotRefusal::Fault),
        },
    }
}

fn receipt(command: CommandId, outcome: Outcome, driver: &dyn Driver, clocks: Clocks) -> Receipt {
    let pose: Pose = driver.telemetry(clocks.tick_ms, clocks.at).pose;
    Receipt {
        command,
        outcome,
        tick_ms: clocks.tick_ms,
        at: clocks.at,
        pose,
    }
}

#[cfg(test)]
mod tests {
    use protocol::command::AbandonReason;
    use uuid::Uuid;

    use super::*;
    use crate::driver::willing::Willing;

    const NOW: Clocks = Clocks {
        tick_ms: 10_000,
        at: UnixMicros(1),
    };

    fn order(command: u128, verb: Verb, seen_tick_ms: u64) -> Order {
        Order {
            command: CommandId(Uuid::from_u128(command)),
            verb,
            seen_tick_ms,
            valid_ms: 300,
        }
    }

    const AHEAD: Verb = Verb::NavigateTo {
        x_m: 1.0,
        y_m: 1.0,
        heading_rad: None,
    };

    #[test]
    fn an_order_is_judged_by_the_robots_own_clock() {
        for (case, verb, seen_tick_ms, expected) in [
            ("fresh", AHEAD, 9_900, Outcome::Accepted),
            ("just in time", AHEAD, 9_700, Outcome::Accepted),
            ("too late", AHEAD, 9_699, STALE),
            ("from another run", AHEAD, 10_001, STALE),
            ("an old stop still stops", Verb::Stop, 0, Outcome::Accepted),
        ] {
            let mut driver = Willing::default();

            let order = order(1, verb, seen_tick_ms);
            let receipt = Orders::default().take(&mut driver, &order, NOW, Journalling::Works);

            assert_eq!(receipt.unwrap().outcome, expected, "{case}");
            assert_eq!(driver.told().is_empty(), expected == STALE, "{case}");
        }
    }

    #[test]
    fn while_the_journal_fails_the_robot_takes_no_target_but_stops() {
        let mut driver = Willing::default();
        let mut orders = Orders::default();

        let ahead = orders.take(
            &mut driver,
            &order(1, AHEAD, 9_999),
            NOW,
            Journalling::Fails,
        );
        let stop = orders.take(
            &mut driver,
            &order(2, Verb::Stop, 0),
            NOW,
            Journalling::Fails,
        );

        let refused = Outcome::Refused {
            reason: RobotRefusal::Fault,
        };
        assert_eq!(ahead.unwrap().outcome, refused);
        assert_eq!(stop.unwrap().outcome, Outcome::Accepted);
        assert_eq!(driver.told(), [Verb::Stop]);
    }

    const STALE: Outcome = Outcome::Refused {
        reason: RobotRefusal::Stale,
    };

    #[test]
    fn a_repeated_order_is_obeyed_once() {
        let mut driver = Willing::default();
        let mut orders = Orders::default();

        let first = orders.take(
            &mut driver,
            &order(1, AHEAD, 9_999),
            NOW,
            Journalling::Works,
        );
        let again = orders.take(
            &mut driver,
            &order(1, AHEAD, 9_999),
            NOW,
            Journalling::Works,
        );

        assert!(first.is_some() && again.is_none());
        assert_eq!(driver.told().len(), 1);
    }

    #[test]
    fn every_ending_becomes_a_receipt() {
        let mut driver = Willing::default();
        let mut orders = Orders::default();
        orders.take(
            &mut driver,
            &order(1, AHEAD, 9_999),
            NOW,
            Journalling::Works,
        );

        let (_, receipts) = orders.step(&mut driver, Duration::from_millis(20), NOW, |_| false);

        assert_eq!(
            receipts[0].outcome,
            Outcome::Abandoned {
                reason: AbandonReason::Blocked
            }
        );
    }
}
