//! Which orders reach the driver: each once, none after its time, and none of who does not steer the robot. Pure.

use std::{collections::VecDeque, time::Duration};

use protocol::{
    CommandId, UnixMicros,
    command::{Order, Outcome, Receipt, RobotRefusal, Verb},
    control::ControlNotice,
    grant::{GrantEvent, Presentation, RobotTrust},
    robot::Pose,
};

use crate::{
    authority::{Authority, Change, Remembered},
    driver::{Driver, Ending, Step},
    trust::{Believed, Kept, NotBelieved, Trust},
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
    /// Who may steer, base64.
    Roster(String),
    /// What is believed no more, base64.
    Revocations(String),
    /// Somebody asks to be obeyed.
    Grant(Presentation),
}

/// Whether what the robot says can be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journalling {
    /// Every receipt so far is on disk or on its way there.
    Works,
    /// A receipt waits for a disk that did not take it.
    Fails,
}

/// The orders that were taken last.
#[derive(Debug, Default)]
struct Seen(VecDeque<CommandId>);

impl Seen {
    /// Whether it was not there yet; it is from here on.
    fn is_new(&mut self, command: CommandId) -> bool {
        if self.0.contains(&command) {
            return false;
        }
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(command);
        true
    }
}

/// Guards a driver.
#[derive(Debug)]
pub struct Orders {
    seen: Seen,
    /// Those that nobody signed whom the robot believes. Apart: a forged order must not take the place of the true one.
    unbelieved: Seen,
    authority: Authority,
    trust: Trust,
    /// The target that who steers has set, while the robot is at it.
    steered: Option<CommandId>,
    /// What was obeyed last, until somebody asks.
    obeyed: Option<(CommandId, Verb)>,
}

impl Orders {
    /// Guards a driver from here on, with what was known of who steers before the agent started.
    pub fn remembering(known: Remembered, trust: Trust) -> Self {
        Self {
            seen: Seen::default(),
            unbelieved: Seen::default(),
            authority: Authority::remembering(known),
            trust,
            steered: None,
            obeyed: None,
        }
    }

    /// What of who steers has to be kept on disk.
    pub const fn remembered(&self) -> Remembered {
        self.authority.remembered()
    }

    /// What of whom the robot believes has to be kept on disk.
    pub const fn kept(&self) -> &Kept {
        self.trust.kept()
    }

    /// Whom the robot believes.
    pub fn trust(&self) -> RobotTrust {
        self.trust.state()
    }

    /// Whether there is a page whose commands the robot believes.
    pub const fn believes_somebody(&self) -> bool {
        self.trust.believes_somebody()
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
        self.trust.epoch_over(&self.authority);
        change
    }

    /// A roster came: who is not on it any more is obeyed no more, and what they set is given up.
    pub fn hear_roster(
        &mut self,
        driver: &mut dyn Driver,
        sealed: &[u8],
    ) -> Result<(), NotBelieved> {
        if self.trust.hear_roster(sealed)? {
            self.let_go(driver);
        }
        Ok(())
    }

    /// A list of what is believed no more came: likewise.
    pub fn hear_revocations(
        &mut self,
        driver: &mut dyn Driver,
        sealed: &[u8],
    ) -> Result<(), NotBelieved> {
        if self.trust.hear_revocations(sealed)? {
            self.let_go(driver);
        }
        Ok(())
    }

    /// Somebody asks to be obeyed; `fresh` is the next nonce. What another page had set is given up.
    pub fn present(
        &mut self,
        driver: &mut dyn Driver,
        presentation: &Presentation,
        clocks: Clocks,
        fresh: [u8; 32],
    ) -> GrantEvent {
        let page = |trust: &Trust| trust.state().session.map(|session| session.key);
        let before = page(&self.trust);
        let event = (self.trust).present(presentation, &self.authority, clocks, fresh);
        if page(&self.trust) != before {
            self.let_go(driver);
        }
        event
    }

    /// What was obeyed since this was last asked.
    pub const fn take_obeyed(&mut self) -> Option<(CommandId, Verb)> {
        self.obeyed.take()
    }

    fn let_go(&mut self, driver: &mut dyn Driver) {
        if let Some(command) = self.steered.take() {
            driver.let_go(command);
        }
    }

    /// Gives the order to the driver if it is new, in time, and somebody's whom the robot believes. `None` means that it was
    /// answered before, or came before it was known who steers.
    pub fn take(
        &mut self,
        driver: &mut dyn Driver,
        order: &Order,
        clocks: Clocks,
        journalling: Journalling,
    ) -> Option<Receipt> {
        match order {
            // Obeyed whatever its age, whoever gave it, and whatever the disk does.
            Order::Stop { command } => {
                let is_new = self.seen.is_new(*command);
                is_new.then(|| self.obey(driver, *command, Verb::Stop, clocks))
            }
            Order::Signed { command, sealed } => {
                match self.trust.believe(*command, sealed, clocks.tick_ms) {
                    Ok(believed) => self.take_believed(driver, &believed, clocks, journalling),
                    Err(reason) => {
                        let is_news =
                            !self.seen.0.contains(command) && self.unbelieved.is_new(*command);
                        let outcome = Outcome::Refused { reason };
                        is_news.then(|| receipt(*command, outcome, driver, clocks))
                    }
                }
            }
        }
    }

    fn take_believed(
        &mut self,
        driver: &mut dyn Driver,
        believed: &Believed,
        clocks: Clocks,
        journalling: Journalling,
    ) -> Option<Receipt> {
        let command = &believed.command;
        // It overtook the notice that its epoch began: the copy that comes the other way finds it known.
        if self.authority.is_ahead(Some(command.epoch)) || !self.seen.is_new(command.command) {
            return None;
        }
        // A robot whose journal fails can't answer for another drive.
        let may_write = match journalling {
            Journalling::Works => Ok(()),
            Journalling::Fails => Err(RobotRefusal::Fault),
        };
        let admitted = (self.trust.admit(command, &self.authority, clocks)).and(may_write);
        let receipt = match admitted {
            Ok(()) => self.obey(driver, command.command, command.verb, clocks),
            Err(reason) => receipt(command.command, Outcome::Refused { reason }, driver, clocks),
        };
        Some(Receipt {
            sealed_sha256: Some(believed.sha256),
            ..receipt
        })
    }

    fn obey(
        &mut self,
        driver: &mut dyn Driver,
        command: CommandId,
        verb: Verb,
        clocks: Clocks,
    ) -> Receipt {
        let outcome = match driver.obey(command, verb) {
            Ok(()) => {
                self.steered = (verb != Verb::Stop).then_some(command);
                self.obeyed = Some((command, verb));
                Outcome::Accepted
            }
            Err(reason) => Outcome::Refused { reason },
        };
        receipt(command, outcome, driver, clocks)
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
        let is_over = self.trust.lapse(clocks.tick_ms);
        if self.steered.is_some() && (is_over || !self.authority.is_held(clocks.tick_ms)) {
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

fn receipt(command: CommandId, outcome: Outcome, driver: &dyn Driver, clocks: Clocks) -> Receipt {
    let pose: Pose = driver.telemetry(clocks.tick_ms, clocks.at).pose;
    Receipt {
        command,
        outcome,
        tick_ms: clocks.tick_ms,
        at: clocks.at,
        pose,
        sealed_sha256: None,
    }
}

#[cfg(test)]
mod tests;
