//! Which orders reach the driver: each once, none after its time, and none of who does not steer the robot. Pure.

use std::{collections::VecDeque, time::Duration};

use protocol::{
    CommandId, JobId, UnixMicros,
    command::{FrameSeen, Order, Outcome, Receipt, RobotRefusal, Verb},
    control::ControlNotice,
    drive::{Disarm, DriveEvent, DriveReport, StopCause},
    grant::{GrantEvent, Presentation, RobotTrust},
    limits::MAX_NOTE_CHARS,
    robot::Pose,
};
use uuid::Uuid;

use crate::{
    authority::{Authority, Change, Remembered},
    driver::{Driver, Ending, Step},
    driving::{Driving, Wheels},
    gallery::Gallery,
    safety::{Safety, metres},
    trust::{Believed, BelievedDrive, Kept, NotBelieved, Trust},
};

/// Orders that are remembered so that a repeated one is not obeyed twice. A gateway repeats within seconds.
const REMEMBERED: usize = 256;

/// The name of a stop that nobody ordered.
const NOBODYS: CommandId = CommandId(Uuid::nil());

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

/// The robot's own stop button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Button {
    /// Whether it is pressed.
    pub is_pressed: bool,
    /// How often it was: a press may be over before anybody looks.
    pub presses: u32,
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
    safety: Safety,
    driving: Driving,
    /// Its own pictures: those that commands name are looked up there.
    gallery: Gallery,
    /// Whether the page that is believed has named one of them by its hash: from then on it names each.
    names_frames: bool,
    /// Whether it is stopped until somebody releases it.
    is_stopped: bool,
    /// When it was last told to stop, also while it was stopped already: a release that was signed before that is not for this stop.
    stopped_tick_ms: u64,
    /// Its own stop button.
    button: Button,
    /// That it stopped by itself, until it is written down.
    stopped_by_itself: Option<DriveEvent>,
    /// Ends of orders that no driver was given.
    endings: Vec<Ending>,
}

impl Orders {
    /// Guards a driver from here on, with what was known of who steers before the agent started.
    pub fn remembering(
        known: Remembered,
        trust: Trust,
        safety: Safety,
        (has_cameras, gallery): (bool, Gallery),
    ) -> Self {
        Self {
            seen: Seen::default(),
            unbelieved: Seen::default(),
            authority: Authority::remembering(known),
            trust,
            steered: None,
            obeyed: None,
            safety,
            driving: Driving::new(has_cameras),
            gallery,
            names_frames: false,
            is_stopped: known.is_stopped,
            stopped_tick_ms: 0,
            button: Button::default(),
            stopped_by_itself: None,
            endings: Vec::new(),
        }
    }

    /// What of who steers has to be kept on disk.
    pub const fn remembered(&self) -> Remembered {
        Remembered {
            is_stopped: self.is_stopped,
            ..self.authority.remembered()
        }
    }

    /// Whether the robot is stopped until somebody releases it.
    pub const fn is_stopped(&self) -> bool {
        self.is_stopped
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

    /// The robot is at this job now.
    pub const fn works_on(&mut self, job: Option<JobId>) {
        self.trust.works_on(job);
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
            Change::PassedOn | Change::LetGo => {
                self.let_go(driver, clocks);
                self.begin_anew();
            }
        }
        self.trust.epoch_over(&self.authority);
        change
    }

    /// A roster came: who is not on it any more is obeyed no more, and what they set is given up.
    pub fn hear_roster(
        &mut self,
        driver: &mut dyn Driver,
        sealed: &[u8],
        clocks: Clocks,
    ) -> Result<(), NotBelieved> {
        if self.trust.hear_roster(sealed)? {
            self.let_go(driver, clocks);
        }
        Ok(())
    }

    /// A list of what is believed no more came: likewise.
    pub fn hear_revocations(
        &mut self,
        driver: &mut dyn Driver,
        sealed: &[u8],
        clocks: Clocks,
    ) -> Result<(), NotBelieved> {
        if self.trust.hear_revocations(sealed)? {
            self.let_go(driver, clocks);
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
            self.let_go(driver, clocks);
            self.begin_anew();
        }
        event
    }

    /// Another page sits there now.
    fn begin_anew(&mut self) {
        self.driving.begin_anew();
        self.names_frames = false;
    }

    /// What was obeyed since this was last asked.
    pub const fn take_obeyed(&mut self) -> Option<(CommandId, Verb)> {
        self.obeyed.take()
    }

    fn let_go(&mut self, driver: &mut dyn Driver, clocks: Clocks) {
        self.disarm(Disarm::ControlEnded, clocks);
        if let Some(command) = self.steered.take() {
            driver.let_go(command);
        }
    }

    fn disarm(&mut self, why: Disarm, clocks: Clocks) {
        if let Some((command, reason)) = self.driving.disarm(why, clocks.tick_ms) {
            // From here on it brakes.
            let since_moved_ms = self.driving.since_moved_ms(clocks.tick_ms);
            tracing::info!(command.id = %command, ?why, since_moved_ms, "driving ended");
            self.endings.push(Ending {
                command,
                result: Err(reason),
            });
        }
    }

    /// The robot's own stop button was pressed or let go. It needs nobody and nothing else.
    /// Every press counts, also one that was over when this is heard of.
    pub fn press(&mut self, driver: &mut dyn Driver, button: Button, clocks: Clocks) {
        let before = std::mem::replace(&mut self.button, button);
        if button.presses != before.presses || (button.is_pressed && !before.is_pressed) {
            tracing::warn!("the stop button was pressed");
            self.stop_by_itself(driver, StopCause::Button, clocks);
        }
    }

    /// A robot that comes up stopped tells its driver, which knows nothing of it.
    pub fn stay_stopped(&mut self, driver: &mut dyn Driver) {
        if self.is_stopped
            && let Err(reason) = driver.obey(NOBODYS, Verb::Stop)
        {
            tracing::error!(reason = reason.code(), "the driver refused to stay stopped");
        }
    }

    /// A stop that nobody ordered: it latches like any other.
    fn stop_by_itself(&mut self, driver: &mut dyn Driver, cause: StopCause, clocks: Clocks) {
        self.stopped_by_itself = Some(DriveEvent::Stopped {
            cause,
            at: clocks.at,
            pose: driver.body().pose,
        });
        self.stopped_tick_ms = clocks.tick_ms;
        self.disarm(Disarm::Stopped, clocks);
        self.driving.hands_off();
        self.is_stopped = true;
        self.steered = None;
        // For the job it is a stop like any other. Named by nobody: its end is no receipt.
        self.obeyed = Some((NOBODYS, Verb::Stop));
        if let Err(reason) = driver.obey(NOBODYS, Verb::Stop) {
            tracing::error!(reason = reason.code(), "the driver refused to stop");
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
                self.stopped_tick_ms = clocks.tick_ms;
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
        let admitted = admitted.and_then(|()| self.check(driver, believed, clocks));
        let receipt = match admitted {
            Ok(()) => self.obey(driver, command.command, command.verb, clocks),
            Err(reason) => receipt(command.command, Outcome::Refused { reason }, driver, clocks),
        };
        Some(Receipt {
            sealed_sha256: Some(believed.sha256),
            frame: command.frame.clone(),
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
        if verb == Verb::Stop {
            // Whatever the driver makes of it, it latches.
            self.disarm(Disarm::Stopped, clocks);
            self.driving.hands_off();
            self.is_stopped = true;
            self.steered = None;
        }
        let obeyed = match verb {
            // No driver is needed to be ready.
            Verb::ArmDrive => Ok(()),
            Verb::ReleaseStop => {
                driver.release();
                self.is_stopped = false;
                self.endings.push(Ending {
                    command,
                    result: Ok(()),
                });
                return receipt(command, Outcome::Accepted, driver, clocks);
            }
            Verb::NavigateTo { .. } | Verb::Stop => driver.obey(command, verb),
        };
        let outcome = match obeyed {
            Ok(()) => {
                match verb {
                    Verb::NavigateTo { .. } => {
                        self.driving.hands_off();
                        self.steered = Some(command);
                    }
                    Verb::Stop | Verb::ArmDrive | Verb::ReleaseStop => {}
                }
                self.obeyed = Some((command, verb));
                Outcome::Accepted
            }
            Err(reason) => Outcome::Refused { reason },
        };
        receipt(command, outcome, driver, clocks)
    }

    /// What the robot's own policy says to a command that may be obeyed otherwise.
    fn check(
        &mut self,
        driver: &dyn Driver,
        believed: &Believed,
        clocks: Clocks,
    ) -> Result<(), RobotRefusal> {
        let command = &believed.command;
        let captured_at = match self.captured_at(command.frame.as_ref()) {
            Ok(captured_at) => captured_at,
            // Neither moves it.
            Err(_) if matches!(command.verb, Verb::Stop | Verb::ReleaseStop) => None,
            Err(reason) => return Err(reason),
        };
        let delay_ms = (self.driving).delay_ms(captured_at, command.seen_tick_ms, clocks);
        let floor = f64::from(self.safety.envelope.battery_floor_percent);
        match command.verb {
            Verb::Stop => Ok(()),
            Verb::ReleaseStop => {
                let is_still = driver.body().motion.is_still();
                let words = command.words.trim();
                let says_why = !words.is_empty() && words.chars().count() <= MAX_NOTE_CHARS;
                // Who signed it saw the robot after it was last told to stop.
                let is_of_this_stop = command.seen_tick_ms >= self.stopped_tick_ms;
                let may = self.is_stopped && is_of_this_stop && !self.button.is_pressed;
                (may && is_still && says_why)
                    .then_some(())
                    .ok_or(RobotRefusal::NotReleasable)
            }
            _ if self.is_stopped => Err(RobotRefusal::Stopped),
            _ if !self.safety.allows_motion() => Err(RobotRefusal::Fault),
            Verb::NavigateTo {
                x_m,
                y_m,
                heading_rad,
            } => {
                // No driver has to know what to make of a place that is none.
                let is_place = [x_m, y_m, heading_rad.unwrap_or_default()];
                if !is_place.into_iter().all(f64::is_finite) {
                    return Err(RobotRefusal::OutsideMap);
                }
                if !self.safety.allows(x_m, y_m) {
                    return Err(RobotRefusal::KeepOut);
                }
                let seen = command.seen_tick_ms;
                (self
                    .driving
                    .may_send(&self.safety, captured_at, seen, clocks))
                .then_some(())
                .ok_or(RobotRefusal::Delay)
            }
            // What is no number is low.
            Verb::ArmDrive
                if driver.charge_percent().is_nan() || driver.charge_percent() < floor =>
            {
                Err(RobotRefusal::BatteryLow)
            }
            Verb::ArmDrive if !driver.can_be_driven() => Err(RobotRefusal::Unsupported),
            Verb::ArmDrive => {
                // Armed anew: the one before is over.
                self.disarm(Disarm::NotArmed, clocks);
                let under = (command.grant, command.epoch);
                (self.driving).arm(&self.safety, command.command, under, delay_ms)
            }
        }
    }

    /// What pages want of the wheels: of all that came at once, the newest that is somebody's whom the robot believes. The
    /// others are dropped, and never followed later.
    pub fn drive(&mut self, sealed: &[impl AsRef<[u8]>], clocks: Clocks, journalling: Journalling) {
        // A robot whose journal fails can't answer for another metre.
        if journalling == Journalling::Fails {
            self.disarm(Disarm::Fault, clocks);
            return;
        }
        let mut believed: Vec<BelievedDrive> = Vec::with_capacity(sealed.len());
        for bytes in sealed {
            match self.trust.believe_drive(bytes.as_ref(), clocks.tick_ms) {
                Ok(drive) => believed.push(drive),
                // Anybody can send such bytes: they are no part of what the person did.
                Err(reason) => {
                    tracing::debug!(reason = reason.code(), "a drive command is not believed");
                    self.driving.disbelieve(reason);
                }
            }
        }
        let Some(newest) = (believed.iter()).map(|drive| drive.command.sequence).max() else {
            return;
        };
        let older = believed.len().saturating_sub(1);
        self.driving
            .drop_older(u32::try_from(older).unwrap_or(u32::MAX));
        let newest = (believed.into_iter()).find(|drive| drive.command.sequence == newest);
        if let Some(drive) = newest {
            self.drive_by(drive, clocks);
        }
    }

    /// When the picture was taken that a command names: by the robot's own memory where it names the very frame, so that nobody
    /// on the way makes an old picture young. A page whose browser hands its frames out names each: one that it does not name any
    /// more was kept from it.
    fn captured_at(
        &mut self,
        frame: Option<&FrameSeen>,
    ) -> Result<Option<UnixMicros>, RobotRefusal> {
        match frame {
            Some(frame) if frame.sha256.is_some() => {
                let taken_at = self.gallery.taken_at(frame);
                self.names_frames |= taken_at.is_some();
                taken_at.map(Some).ok_or(RobotRefusal::UnknownFrame)
            }
            Some(_) if self.names_frames => Err(RobotRefusal::UnknownFrame),
            Some(frame) => Ok(Some(frame.captured_at)),
            None => Ok(None),
        }
    }

    fn drive_by(&mut self, mut drive: BelievedDrive, clocks: Clocks) {
        let sequence = drive.command.sequence;
        let true_time = self.captured_at(drive.command.frame.as_ref());
        if let (Some(frame), Ok(Some(captured_at))) = (&mut drive.command.frame, true_time) {
            frame.captured_at = captured_at;
        }
        let valid_ms = self.safety.envelope.command_age_ms;
        let admitted = (self.trust).admit_drive(&drive.command, &self.authority, clocks, valid_ms);
        let taken = match admitted {
            Ok(()) if self.is_stopped && !drive.command.twist.is_zero() => {
                self.driving.refuse(sequence, RobotRefusal::Stopped);
                return;
            }
            Ok(()) if true_time.is_err() => {
                self.driving.refuse(sequence, RobotRefusal::UnknownFrame);
                return;
            }
            Ok(()) => self.driving.take(&self.safety, drive, clocks),
            // It came behind a newer one, or late: that is what the channel is for.
            Err(RobotRefusal::OutOfSequence) => {
                self.driving.drop_older(1);
                return;
            }
            Err(reason) => {
                // Late as it is, it says how late words are.
                if reason == RobotRefusal::Stale && true_time.is_ok() {
                    self.driving.measure(&self.safety, &drive.command, clocks);
                }
                self.driving.refuse(sequence, reason);
                return;
            }
        };
        if taken == Err(RobotRefusal::StaleFrame) {
            self.disarm(Disarm::StaleFrame, clocks);
        }
    }

    /// What the robot says of being driven, while somebody steers it.
    pub fn drive_report(&self, driver: &dyn Driver, clocks: Clocks) -> Option<DriveReport> {
        self.trust
            .believes_somebody()
            .then(|| (self.driving).report(&self.safety, &driver.body(), clocks.tick_ms))
    }

    /// A second of driving that is over, or a stop of the robot's own, if there is one.
    pub fn drive_event(&mut self, driver: &dyn Driver, clocks: Clocks) -> Option<DriveEvent> {
        (self.stopped_by_itself.take()).or_else(|| self.driving.record(&driver.body(), clocks))
    }

    /// What the robot keeps to, before the driver moves: who drives it, and how fast it may be.
    fn keep_to_policy(&mut self, driver: &mut dyn Driver, elapsed: Duration, clocks: Clocks) {
        let body = driver.body();
        let percent = driver.charge_percent();
        if let Some(why) = (self.driving).objection(&self.safety, percent, clocks.tick_ms) {
            self.disarm(why, clocks);
        }
        let cap = self.safety.cap(body.person_m);
        // What a person set is theirs to have as fast as they were granted; its own work is nobody's grant.
        let granted = self.trust.speed_cap_mm_s();
        self.driving.limit_to(granted);
        let granted_mps =
            (granted.filter(|_| self.steered.is_some())).map_or(f64::INFINITY, metres);
        driver.limit(if self.safety.allows_motion() {
            cap.speed_mps.min(granted_mps)
        } else {
            0.0
        });
        if !self.is_stopped && self.safety.is_trespassing(&body) {
            tracing::error!(
                ?body,
                "the robot does what its policy forbids; it is stopped"
            );
            self.stop_by_itself(driver, StopCause::Policy, clocks);
        }
        match self.driving.step(&self.safety, &body, clocks, elapsed) {
            Wheels::Drivers => {}
            Wheels::Hand(motion) => driver.drive(Some(motion)),
            Wheels::Back => driver.drive(None),
        }
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
        let is_over = self.trust.lapse(clocks.tick_ms) || self.trust.is_off_job();
        let is_in_hand = self.steered.is_some() || self.driving.is_armed();
        if is_in_hand && (is_over || !self.authority.is_held(clocks.tick_ms)) {
            self.let_go(driver, clocks);
        }
        self.keep_to_policy(driver, elapsed, clocks);
        let mut step = driver.step(elapsed);
        step.endings.append(&mut self.endings);
        if (step.endings.iter()).any(|ending| Some(ending.command) == self.steered) {
            self.steered = None;
        }
        let receipts = step
            .endings
            .iter()
            // Each is told, also the end of a stop that nobody ordered, of which there is no receipt.
            .filter(|ending| !is_own(ending) && ending.command != NOBODYS)
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
        frame: None,
        picture: None,
    }
}

#[cfg(test)]
mod tests;
