//! Which orders reach the driver: each once, none after its time, and none of who does not steer the robot. Pure.

use std::{collections::VecDeque, time::Duration};

use protocol::{
    CommandId, UnixMicros,
    command::{Order, Outcome, Receipt, RobotRefusal, Verb},
    control::ControlNotice,
    robot::Pose,
};

use crate::{
    authority::{Authority, Change, Remembered},
    driver::{Driver, Ending, Step},
};

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

/// What the gateway says that bears on who moves the robot. In one queue, so that an order never overtakes the notice that
/// came before it.
#[derive(Debug, Clone, PartialEq)]
pub enum FromGateway {
    /// Somebody's order.
    Order(Order),
    /// Who steers.
    Control(ControlNotice),
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
    authority: Authority,
    /// The target that who steers has set, while the robot is at it.
    steered: Option<CommandId>,
}

impl Orders {
    /// Guards a driver from here on, with what was known of who steers before the agent started.
    pub fn remembering(known: Remembered) -> Self {
        Self {
            authority: Authority::remembering(known),
            ..Self::default()
        }
    }

    /// What of who steers has to be kept on disk.
    pub const fn remembered(&self) -> Remembered {
        self.authority.remembered()
    }

    /// Whether somebody has control of the robot.
    pub const fn is_steered(&self, tick_ms: u64) -> bool {
        self.authority.is_held(tick_ms)
    }

    /// The gateway says who steers. What somebody set who steers no more is given up at once.
    pub fn hear(
        &mut self,
        driver: &mut dyn Driver,
        notice: &ControlNotice,
        clocks: Clocks,
    ) -> Change {
        let change = self.authority.hear(notice, clocks.tick_ms);
        match change {
            Change::None => {}
            Change::PassedOn | Change::LetGo => self.let_go(driver),
        }
        change
    }

    fn let_go(&mut self, driver: &mut dyn Driver) {
        if let Some(command) = self.steered.take() {
            driver.let_go(command);
        }
    }

    /// Gives the order to the driver if it is new and in time. `None` means that it was answered before, or came before it was
    /// known who steers.
    pub fn take(
        &mut self,
        driver: &mut dyn Driver,
        order: &Order,
        clocks: Clocks,
        journalling: Journalling,
    ) -> Option<Receipt> {
        // It overtook the notice that its epoch began: the copy that comes the other way finds it known.
        let is_ahead = order.verb != Verb::Stop && self.authority.is_ahead(order.epoch);
        if is_ahead || self.seen.contains(&order.command) {
            return None;
        }
        if self.seen.len() == REMEMBERED {
            self.seen.pop_front();
        }
        self.seen.push_back(order.command);

        let outcome = match check(order, &self.authority, clocks.tick_ms, journalling)
            .and_then(|()| driver.obey(order.command, order.verb))
        {
            Ok(()) => {
                self.steered = (order.verb != Verb::Stop).then_some(order.command);
                Outcome::Accepted
            }
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
        // Also while no word comes any more: the robot counts the time of who steers by itself.
        if self.steered.is_some() && !self.authority.is_held(clocks.tick_ms) {
            self.let_go(driver);
        }
        let step = driver.step(elapsed);
        if (step.endings.iter()).any(|ending| Some(ending.command) == self.steered) {
            self.steered = None;
        }
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
/// nothing. A robot whose journal fails can't answer for another drive. A stop is obeyed whatever its age, whoever gave it,
/// and whatever the disk does.
fn check(
    order: &Order,
    authority: &Authority,
    tick_ms: u64,
    journalling: Journalling,
) -> Result<(), RobotRefusal> {
    let is_fresh = tick_ms
        .checked_sub(order.seen_tick_ms)
        .is_some_and(|age_ms| age_ms <= u64::from(order.valid_ms));
    match order.verb {
        Verb::Stop => Ok(()),
        Verb::NavigateTo { .. } => {
            authority.admit(order.epoch, tick_ms)?;
            match journalling {
                _ if !is_fresh => Err(RobotRefusal::Stale),
                Journalling::Works => Ok(()),
                Journalling::Fails => Err(RobotRefusal::Fault),
            }
        }
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
    use protocol::{command::AbandonReason, control::ControlSpan, limits::CONTROL_LASTS_MS};
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
            epoch: (verb != Verb::Stop).then_some(EPOCH),
        }
    }

    const EPOCH: u64 = 41;

    fn held(epoch: u64) -> ControlNotice {
        ControlNotice {
            epoch,
            held: Some(ControlSpan {
                seen_tick_ms: NOW.tick_ms,
                lasts_ms: CONTROL_LASTS_MS,
            }),
            is_let_go: false,
        }
    }

    /// Somebody steers under [`EPOCH`].
    fn steered() -> Orders {
        let mut orders = Orders::default();
        orders.hear(&mut Willing::default(), &held(EPOCH), NOW);
        orders
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
            let receipt = steered().take(&mut driver, &order, NOW, Journalling::Works);

            assert_eq!(receipt.unwrap().outcome, expected, "{case}");
            assert_eq!(driver.told().is_empty(), expected == STALE, "{case}");
        }
    }

    #[test]
    fn while_the_journal_fails_the_robot_takes_no_target_but_stops() {
        let mut driver = Willing::default();
        let mut orders = steered();

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
        let mut orders = steered();

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
        let mut orders = steered();
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

    #[test]
    fn a_target_under_no_epoch_or_another_one_is_refused_and_a_stop_is_obeyed() {
        for epoch in [None, Some(EPOCH - 1)] {
            let mut driver = Willing::default();
            let mut orders = steered();
            let ahead = Order {
                epoch,
                ..order(1, AHEAD, 9_999)
            };

            let ahead = orders.take(&mut driver, &ahead, NOW, Journalling::Works);
            let stop = Order {
                epoch,
                ..order(2, Verb::Stop, 0)
            };
            let stop = orders.take(&mut driver, &stop, NOW, Journalling::Works);

            let refused = Outcome::Refused {
                reason: RobotRefusal::StaleEpoch,
            };
            assert_eq!(ahead.unwrap().outcome, refused, "{epoch:?}");
            assert_eq!(stop.unwrap().outcome, Outcome::Accepted);
            assert_eq!(driver.told(), [Verb::Stop]);
        }
    }

    #[test]
    fn an_order_that_overtook_the_notice_of_its_epoch_is_obeyed_when_it_comes_again() {
        let mut driver = Willing::default();
        let mut orders = steered();
        let ahead = Order {
            epoch: Some(EPOCH + 1),
            ..order(1, AHEAD, 9_999)
        };

        let early = orders.take(&mut driver, &ahead, NOW, Journalling::Works);
        orders.hear(&mut driver, &held(EPOCH + 1), NOW);
        let again = orders.take(&mut driver, &ahead, NOW, Journalling::Works);

        assert_eq!(early, None);
        assert_eq!(again.unwrap().outcome, Outcome::Accepted);
        assert_eq!(driver.told().len(), 1);
    }

    const GIVEN_UP: [CommandId; 1] = [CommandId(Uuid::from_u128(1))];

    #[test]
    fn what_somebody_set_who_steers_no_more_is_given_up() {
        let over = ControlNotice {
            epoch: EPOCH,
            held: None,
            is_let_go: false,
        };
        for (case, notice, given_up) in [
            ("another steers", held(EPOCH + 1), &GIVEN_UP[..]),
            ("nobody steers", over, &GIVEN_UP),
            ("they are still there", held(EPOCH), &[]),
            ("an old word", held(EPOCH - 1), &[]),
        ] {
            let mut driver = Willing::default();
            let mut orders = steered();
            orders.take(
                &mut driver,
                &order(1, AHEAD, 9_999),
                NOW,
                Journalling::Works,
            );

            orders.hear(&mut driver, &notice, NOW);

            assert_eq!(driver.let_go_of(), given_up, "{case}");
        }
    }

    #[test]
    fn who_is_not_heard_of_steers_no_more_and_what_they_set_is_given_up() {
        let mut driver = Willing::default();
        let mut orders = steered();
        orders.take(
            &mut driver,
            &order(1, AHEAD, 9_999),
            NOW,
            Journalling::Works,
        );
        let lasts = u64::from(CONTROL_LASTS_MS);
        let later = |tick_ms| Clocks { tick_ms, ..NOW };
        // The driver of this test ends everything in its next step; what is at it yet is what counts.
        driver.keep_at_it();

        let step = Duration::from_millis(20);
        orders.step(&mut driver, step, later(NOW.tick_ms + lasts - 1), |_| false);
        assert!(driver.let_go_of().is_empty());
        orders.step(&mut driver, step, later(NOW.tick_ms + lasts), |_| false);

        assert_eq!(driver.let_go_of(), GIVEN_UP);
    }

    #[test]
    fn a_target_that_is_over_is_not_given_up_again() {
        let mut driver = Willing::default();
        let mut orders = steered();
        orders.take(
            &mut driver,
            &order(1, AHEAD, 9_999),
            NOW,
            Journalling::Works,
        );
        orders.step(&mut driver, Duration::from_millis(20), NOW, |_| false);

        orders.hear(&mut driver, &held(EPOCH + 1), NOW);

        assert!(driver.let_go_of().is_empty());
    }
}
