//! A second of driving, put together as it goes by.

use std::collections::BTreeMap;

use protocol::{
    CommandId, GrantId, UnixMicros,
    command::{CommandHash, FrameSeen, RobotRefusal, SealedCommand},
    drive::{Clamp, Disarm, DriveEvent, DriveSegment, DriveStep, MAX_SEGMENT_STEPS, Twist},
    ladder::Level,
    robot::Pose,
};
use sha2::{Digest as _, Sha256};

use crate::{orders::Clocks, trust::BelievedDrive};

/// How long a segment is.
const LASTS_MS: u64 = 1_000;

/// Who armed the robot: the command, the grant and the epoch.
type ArmedBy = (CommandId, GrantId, u64);

/// Puts segments together.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    open: Option<Open>,
    /// The last word that was taken: what a segment without any of its own holds.
    latest: Vec<u8>,
    /// Whether somebody moved the robot since it was armed.
    has_moved: bool,
    /// What was refused since the last segment that was closed.
    refused: BTreeMap<RobotRefusal, u32>,
    dropped: u32,
    disarmed: Option<Disarm>,
}

/// The segment that is under way.
#[derive(Debug)]
struct Open {
    by: ArmedBy,
    from_tick_ms: u64,
    from: Option<(Pose, UnixMicros)>,
    steps: Vec<DriveStep>,
    hashes: Sha256,
    last: Vec<u8>,
    frame: Option<FrameSeen>,
    clamp: Option<Clamp>,
    zone: String,
    /// Whether anybody wanted to move in it.
    has_motion: bool,
}

impl Recorder {
    /// A command was taken.
    pub(super) fn take(&mut self, by: ArmedBy, believed: BelievedDrive, tick_ms: u64) {
        let command = believed.command;
        let is_moving = !command.twist.is_zero();
        // Silence between two drives is no driving, and is not recorded.
        if self.open.is_none() && !is_moving {
            return;
        }
        let open = self.open.get_or_insert_with(|| Open::at(by, tick_ms));
        open.has_motion |= is_moving;
        self.has_moved |= is_moving;
        self.latest.clone_from(&believed.sealed);
        open.hashes.update(believed.sha256.0);
        open.last = believed.sealed;
        open.frame = command.frame;
        if open.steps.len() < MAX_SEGMENT_STEPS {
            let after = tick_ms.saturating_sub(open.from_tick_ms);
            open.steps.push(DriveStep {
                sequence: command.sequence,
                after_ms: u32::try_from(after).unwrap_or(u32::MAX),
                asked: command.twist,
                given: Twist::ZERO,
            });
        }
    }

    /// What the robot set out to do on the latest. What it does once driving has ended is braking, and nobody's word.
    pub(super) fn give(&mut self, given: Twist, clamp: Option<Clamp>, zone: &str) {
        let is_over = self.disarmed.is_some();
        let Some(open) = self.open.as_mut().filter(|_| !is_over) else {
            return;
        };
        if let Some(step) = open.steps.last_mut() {
            step.given = given;
        }
        // A zone is worth more to know than a speed.
        if clamp > open.clamp {
            open.clamp = clamp;
            zone.clone_into(&mut open.zone);
        }
    }

    pub(super) fn refuse(&mut self, reason: RobotRefusal) {
        if self.open.is_some() {
            let count = self.refused.entry(reason).or_default();
            *count = count.saturating_add(1);
        }
    }

    pub(super) const fn drop_older(&mut self, count: u32) {
        if self.open.is_some() {
            self.dropped = self.dropped.saturating_add(count);
        }
    }

    /// Driving ended. Where somebody moved the robot before, that stands in a segment, whether one was under way or not.
    pub(super) fn end(&mut self, why: Disarm, by: ArmedBy, tick_ms: u64) {
        if self.open.is_none() && self.has_moved {
            self.open = Some(Open {
                last: self.latest.clone(),
                ..Open::at(by, tick_ms)
            });
        }
        self.has_moved = false;
        if self.open.is_some() {
            self.disarmed = Some(why);
        }
    }

    /// Lets time pass; gives the segment that is over.
    pub(super) fn turn(
        &mut self,
        (level, delay_ms): (Level, Option<u32>),
        (pose, is_still): (Pose, bool),
        clocks: Clocks,
    ) -> Option<DriveEvent> {
        let open = self.open.as_mut()?;
        let (from, at) = *open.from.get_or_insert((pose, clocks.at));
        let lasts_ms = clocks.tick_ms.saturating_sub(open.from_tick_ms);
        // A segment in which driving ended goes on until the robot stands.
        let is_over = match self.disarmed {
            None => lasts_ms >= LASTS_MS,
            Some(_) => is_still || lasts_ms >= 2 * LASTS_MS,
        };
        if !is_over {
            return None;
        }
        let open = self.open.take()?;
        let (refused, dropped) = (std::mem::take(&mut self.refused), self.dropped);
        let disarmed = self.disarmed.take();
        self.dropped = 0;
        let (armed_by, grant, epoch) = open.by;
        if !open.has_motion && disarmed.is_none() {
            return None;
        }
        Some(DriveEvent::Segment(Box::new(DriveSegment {
            armed_by,
            grant,
            epoch,
            from_tick_ms: open.from_tick_ms,
            at,
            lasts_ms: u32::try_from(lasts_ms).unwrap_or(u32::MAX),
            from,
            to: pose,
            steps: open.steps,
            commands_sha256: CommandHash(open.hashes.finalize().into()),
            last: SealedCommand(open.last),
            frame: open.frame,
            picture: None,
            refused: refused.into_iter().collect(),
            dropped,
            clamp: open.clamp,
            zone: open.zone,
            level,
            delay_ms,
            disarmed,
        })))
    }
}

impl Open {
    fn at(by: ArmedBy, tick_ms: u64) -> Self {
        Self {
            by,
            from_tick_ms: tick_ms,
            from: None,
            steps: Vec::new(),
            hashes: Sha256::new(),
            last: Vec::new(),
            frame: None,
            clamp: None,
            zone: String::new(),
            has_motion: false,
        }
    }
}
