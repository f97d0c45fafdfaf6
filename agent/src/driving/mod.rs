//! Being driven by hand: armed by a person, moved by fresh words only, stopped by silence, old pictures and long delays. Pure.
//!
//! Whose words they are was checked before (`trust`); how far they are followed is checked after (`safety`).

mod segment;
#[cfg(test)]
mod tests;

use std::time::Duration;

use protocol::{
    CommandId, GrantId,
    command::{AbandonReason, RobotRefusal},
    drive::{Clamp, Disarm, DriveCommand, DriveEvent, DriveReport, Twist},
    ladder::{Ladder, Level, speed_cap_mm_s},
};

use self::segment::Recorder;
use crate::{
    orders::Clocks,
    safety::{Body, Cap, Motion, Safety, metres},
    trust::BelievedDrive,
};

/// A picture from so far ahead of the robot's own clock was not taken by this robot, or the clock was set: milliseconds.
const FROM_AHEAD_MS: i64 = 50;

/// Who armed the robot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Armed {
    by: CommandId,
    grant: GrantId,
    epoch: u64,
}

/// The newest word that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Heard {
    twist: Twist,
    tick_ms: u64,
}

/// A robot's readiness to be driven.
#[derive(Debug)]
pub struct Driving {
    /// Whether it has cameras: then it is driven by their pictures only.
    has_cameras: bool,
    ladder: Ladder,
    armed: Option<Armed>,
    disarmed: Disarm,
    heard: Option<Heard>,
    sequence: u64,
    /// Whether the wheels are in a person's hand, and not the driver's.
    is_hands_on: bool,
    /// Whether the keys have to be let go first: whoever holds one while they arm does not drive off with that.
    needs_rest: bool,
    /// When the nudge began that is under way.
    nudge_since: Option<u64>,
    /// When the last word was taken that moved the robot.
    moved_at: Option<u64>,
    stood_after_ms: Option<u32>,
    given: Twist,
    clamp: Option<Clamp>,
    zone: String,
    /// What who drives was granted at most, millimetres a second.
    granted_mm_s: Option<u32>,
    refused: Option<(u64, RobotRefusal)>,
    dropped: u32,
    recorder: Recorder,
}

/// What the wheels are to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Wheels {
    /// Nothing: they are the driver's.
    Drivers,
    /// This, until the next word.
    Hand(Motion),
    /// Back to the driver, who rests.
    Back,
}

impl Driving {
    /// Nobody drives yet.
    pub fn new(has_cameras: bool) -> Self {
        Self {
            has_cameras,
            ladder: Ladder::default(),
            armed: None,
            disarmed: Disarm::NotArmed,
            heard: None,
            sequence: 0,
            is_hands_on: false,
            needs_rest: false,
            nudge_since: None,
            moved_at: None,
            stood_after_ms: None,
            given: Twist::ZERO,
            clamp: None,
            zone: String::new(),
            granted_mm_s: None,
            refused: None,
            dropped: 0,
            recorder: Recorder::default(),
        }
    }

    /// How late a command is: the age of the picture that it was given on, when it gets here; of the tick where there are no
    /// pictures. Milliseconds; none when that can't be told.
    pub fn delay_ms(
        &self,
        captured_at: Option<protocol::UnixMicros>,
        seen_tick_ms: u64,
        clocks: Clocks,
    ) -> Option<u32> {
        let age = match captured_at {
            Some(captured_at) => {
                let age = clocks.at.since(captured_at) / 1_000;
                (age >= -FROM_AHEAD_MS).then_some(age.max(0))?
            }
            None if self.has_cameras => return None,
            None => i64::try_from(clocks.tick_ms.checked_sub(seen_tick_ms)?).ok()?,
        };
        u32::try_from(age).ok()
    }

    /// Whether it may be sent to a target that was chosen on this picture, or on a map: then the tick says how late it is. Where
    /// the delay is measured, that counts as well.
    pub fn may_send(
        &self,
        safety: &Safety,
        captured_at: Option<protocol::UnixMicros>,
        seen_tick_ms: u64,
        clocks: Clocks,
    ) -> bool {
        let by_tick = clocks.tick_ms.saturating_sub(seen_tick_ms);
        let by_tick = u32::try_from(by_tick).unwrap_or(u32::MAX);
        let late = match captured_at {
            Some(_) => self.delay_ms(captured_at, seen_tick_ms, clocks),
            None => Some(by_tick),
        };
        let is_measured_low = self.ladder.delay_ms().is_some()
            && self.ladder.was_lowered()
            && self.ladder.level() < Level::Waypoint;
        !is_measured_low && late.is_some_and(|late| late <= safety.envelope.ladder.waypoint_ms)
    }

    /// Measures the delay by a word that is the page's own, whether it is followed or not.
    pub fn measure(
        &mut self,
        safety: &Safety,
        command: &DriveCommand,
        clocks: Clocks,
    ) -> Option<u32> {
        let captured_at = command.frame.as_ref().map(|frame| frame.captured_at);
        let by_picture = self.delay_ms(captured_at, command.seen_tick_ms, clocks)?;
        let by_tick = clocks.tick_ms.saturating_sub(command.seen_tick_ms);
        let delay_ms = by_picture.max(u32::try_from(by_tick).unwrap_or(u32::MAX));
        let limits = &safety.envelope.ladder;
        self.ladder.measure(limits, delay_ms, clocks.tick_ms);
        Some(by_picture)
    }

    /// Somebody arms it.
    pub fn arm(
        &mut self,
        safety: &Safety,
        by: CommandId,
        (grant, epoch): (GrantId, u64),
        delay_ms: Option<u32>,
    ) -> Result<(), RobotRefusal> {
        let delay_ms = delay_ms.ok_or(RobotRefusal::StaleFrame)?;
        if delay_ms > safety.envelope.frame_age_ms {
            return Err(RobotRefusal::StaleFrame);
        }
        if self.ladder.level() < Level::Nudge {
            return Err(RobotRefusal::Delay);
        }
        self.armed = Some(Armed { by, grant, epoch });
        self.needs_rest = true;
        self.heard = None;
        self.nudge_since = None;
        self.moved_at = None;
        self.stood_after_ms = None;
        Ok(())
    }

    /// Takes a drive command of who steers, or says why not. Measures the delay either way.
    pub fn take(
        &mut self,
        safety: &Safety,
        believed: BelievedDrive,
        clocks: Clocks,
    ) -> Result<(), RobotRefusal> {
        let command = &believed.command;
        let delay_ms = self.measure(safety, command, clocks);
        let is_stale = delay_ms.is_none_or(|delay_ms| delay_ms > safety.envelope.frame_age_ms);
        let taken = if is_stale {
            Err(RobotRefusal::StaleFrame)
        } else if (self.armed.is_none() || self.needs_rest) && !command.twist.is_zero() {
            Err(RobotRefusal::NotArmed)
        } else {
            Ok(())
        };
        if let Err(reason) = taken {
            self.refuse(command.sequence, reason);
            return Err(reason);
        }
        self.sequence = command.sequence;
        self.heard = Some(Heard {
            twist: command.twist,
            tick_ms: clocks.tick_ms,
        });
        if command.twist.is_zero() {
            self.needs_rest = false;
            self.nudge_since = None;
        } else {
            self.is_hands_on = true;
            self.moved_at = Some(clocks.tick_ms);
            self.stood_after_ms = None;
        }
        if let Some(armed) = self.armed {
            self.recorder
                .take(armed_of(armed), believed, clocks.tick_ms);
        }
        Ok(())
    }

    /// A drive command was refused here or before; it is told and counted.
    pub fn refuse(&mut self, sequence: u64, reason: RobotRefusal) {
        self.refused = Some((sequence, reason));
        self.recorder.refuse(reason);
    }

    /// Bytes came that nobody signed who steers. Told where nothing of the page's own was refused.
    pub fn disbelieve(&mut self, reason: RobotRefusal) {
        self.refused.get_or_insert((0, reason));
    }

    /// Drive commands that came behind a newer one.
    pub const fn drop_older(&mut self, count: u32) {
        self.dropped = self.dropped.saturating_add(count);
        self.recorder.drop_older(count);
    }

    /// A stale picture that was refused ends driving; so does whatever else speaks against it. Gives the command that had armed it.
    pub fn disarm(&mut self, why: Disarm, tick_ms: u64) -> Option<(CommandId, AbandonReason)> {
        let armed = self.armed.take()?;
        self.disarmed = why;
        self.heard = None;
        self.nudge_since = None;
        self.recorder.end(why, armed_of(armed), tick_ms);
        Some((armed.by, reason_of(why)))
    }

    /// Somebody else sits there now: their commands are counted, and their delay is measured, from the start.
    pub fn begin_anew(&mut self) {
        self.sequence = 0;
        self.refused = None;
        self.ladder = Ladder::default();
    }

    /// The wheels went to somebody or something else.
    pub const fn hands_off(&mut self) {
        self.is_hands_on = false;
        self.heard = None;
        self.nudge_since = None;
        self.given = Twist::ZERO;
        self.clamp = None;
    }

    /// Who drives was granted no more than this, millimetres a second.
    pub const fn limit_to(&mut self, granted_mm_s: Option<u32>) {
        self.granted_mm_s = granted_mm_s;
    }

    /// How long ago the last word was taken that moved it, milliseconds; none when it has stood since, or none was taken.
    pub fn since_moved_ms(&self, tick_ms: u64) -> Option<u64> {
        self.moved_at.map(|at| tick_ms.saturating_sub(at))
    }

    /// Whether somebody may drive.
    pub const fn is_armed(&self) -> bool {
        self.armed.is_some()
    }

    /// What speaks against driving on, at this moment.
    pub fn objection(
        &mut self,
        safety: &Safety,
        battery_percent: f64,
        tick_ms: u64,
    ) -> Option<Disarm> {
        self.ladder.lapse(tick_ms);
        self.armed?;
        let envelope = &safety.envelope;
        if let Some(heard) = self.heard
            && !heard.twist.is_zero()
            && tick_ms.saturating_sub(heard.tick_ms) >= u64::from(envelope.dead_man_ms)
        {
            return Some(Disarm::DeadMan);
        }
        if self.ladder.level() < Level::Nudge {
            return Some(Disarm::Delay);
        }
        // What is no number is low.
        let floor = f64::from(envelope.battery_floor_percent);
        (battery_percent.is_nan() || battery_percent < floor).then_some(Disarm::BatteryLow)
    }

    /// What the wheels are to do for the next `elapsed`.
    pub fn step(
        &mut self,
        safety: &Safety,
        body: &Body,
        clocks: Clocks,
        elapsed: Duration,
    ) -> Wheels {
        self.note_standing(body, clocks.tick_ms);
        if !self.is_hands_on {
            return Wheels::Drivers;
        }
        let wish = match (self.armed, self.heard) {
            (Some(_), Some(heard)) => heard.twist,
            _ => Twist::ZERO,
        };
        if self.armed.is_none() && body.motion.is_still() {
            self.hands_off();
            return Wheels::Back;
        }
        let (wish, is_over) = self.nudged(safety, wish, clocks.tick_ms);
        let governed = safety.govern(body, motion(wish), self.cap(safety, body.person_m), elapsed);
        self.clamp = governed.clamp.or(is_over.then_some(Clamp::NudgeOver));
        self.zone.clear();
        self.zone.push_str(governed.zone);
        self.given = twist(governed.motion);
        let motion = governed.motion;
        self.recorder.give(self.given, self.clamp, &self.zone);
        Wheels::Hand(motion)
    }

    /// A nudge lasts its time; then the key has to be let go.
    fn nudged(&mut self, safety: &Safety, wish: Twist, tick_ms: u64) -> (Twist, bool) {
        if wish.is_zero() || self.ladder.level() >= Level::Drive {
            return (wish, false);
        }
        let since = *self.nudge_since.get_or_insert(tick_ms);
        let is_over = tick_ms.saturating_sub(since) >= u64::from(safety.envelope.nudge_lasts_ms);
        (if is_over { Twist::ZERO } else { wish }, is_over)
    }

    /// How fast it may be driven now, and what says so.
    fn cap(&self, safety: &Safety, person_m: Option<f64>) -> Cap {
        let envelope = &safety.envelope;
        let by_place = safety.cap(person_m);
        let delay_ms = self.ladder.delay_ms().unwrap_or(u32::MAX);
        let most = speed_cap_mm_s(envelope.speed_mm_s, delay_ms);
        let most = if self.ladder.level() < Level::Drive {
            most.min(envelope.nudge_mm_s)
        } else {
            most
        };
        let slower = |cap: Cap, speed_mps: f64, clamp: Clamp| {
            if speed_mps < cap.speed_mps {
                Cap { speed_mps, clamp }
            } else {
                cap
            }
        };
        let cap = slower(by_place, metres(most), Clamp::Delay);
        let granted_mps = self.granted_mm_s.map_or(f64::INFINITY, metres);
        slower(cap, granted_mps, Clamp::Granted)
    }

    fn note_standing(&mut self, body: &Body, tick_ms: u64) {
        let Some(moved_at) = self.moved_at else {
            return;
        };
        let wants_to_move = self.heard.is_some_and(|heard| !heard.twist.is_zero());
        if !wants_to_move && body.motion.is_still() {
            let after = u32::try_from(tick_ms.saturating_sub(moved_at)).unwrap_or(u32::MAX);
            self.stood_after_ms = Some(after);
            self.moved_at = None;
        }
    }

    /// What the robot says of it.
    pub fn report(&self, safety: &Safety, body: &Body, tick_ms: u64) -> DriveReport {
        let envelope = &safety.envelope;
        let heard_age = self
            .heard
            .map(|heard| tick_ms.saturating_sub(heard.tick_ms));
        DriveReport {
            tick_ms,
            level: self.ladder.level(),
            delay_ms: self.ladder.delay_ms(),
            was_lowered: self.ladder.was_lowered(),
            returns_in_ms: (self.ladder.returns_in_ms(tick_ms)).and_then(|ms| ms.try_into().ok()),
            limits: envelope.ladder,
            dead_man_ms: envelope.dead_man_ms,
            cap_mm_s: thousandths(self.cap(safety, body.person_m).speed_mps).unsigned_abs(),
            disarmed: self.armed.is_none().then_some(self.disarmed),
            stood_after_ms: self.stood_after_ms,
            given: self.given,
            clamp: self.clamp,
            zone: self.zone.clone(),
            heard: self.sequence,
            heard_age_ms: heard_age.map_or(u32::MAX, |ms| u32::try_from(ms).unwrap_or(u32::MAX)),
            refused: self.refused,
            dropped: self.dropped,
        }
    }

    /// The second of driving that is over, if one is.
    pub fn record(&mut self, body: &Body, clocks: Clocks) -> Option<DriveEvent> {
        let stand = (self.ladder.level(), self.ladder.delay_ms());
        let is_still = body.motion.is_still();
        self.recorder.turn(stand, (body.pose, is_still), clocks)
    }
}

/// The command, the grant and the epoch that armed it.
const fn armed_of(armed: Armed) -> (CommandId, GrantId, u64) {
    (armed.by, armed.grant, armed.epoch)
}

const fn reason_of(why: Disarm) -> AbandonReason {
    match why {
        Disarm::NotArmed => AbandonReason::Superseded,
        Disarm::DeadMan => AbandonReason::DeadMan,
        Disarm::StaleFrame => AbandonReason::StaleFrame,
        Disarm::Delay => AbandonReason::Delay,
        Disarm::Stopped => AbandonReason::Stopped,
        Disarm::ControlEnded => AbandonReason::ControlEnded,
        Disarm::BatteryLow => AbandonReason::BatteryLow,
        Disarm::Fault => AbandonReason::Fault,
    }
}

fn motion(twist: Twist) -> Motion {
    Motion {
        speed_mps: f64::from(twist.speed_mm_s) / 1_000.0,
        turn_rps: f64::from(twist.turn_mrad_s) / 1_000.0,
    }
}

fn twist(motion: Motion) -> Twist {
    Twist {
        speed_mm_s: thousandths(motion.speed_mps),
        turn_mrad_s: thousandths(motion.turn_rps),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast of a float saturates, and the envelope keeps it small"
)]
fn thousandths(whole: f64) -> i32 {
    (whole * 1_000.0).round() as i32
}
