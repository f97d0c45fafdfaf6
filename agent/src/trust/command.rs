//! Which signed commands are believed.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use protocol::{
    CommandId, GrantId, JobId,
    command::{CommandHash, MAX_SEALED_COMMAND_BYTES, RobotRefusal, SignedCommand},
    drive::{DriveCommand, MAX_SEALED_DRIVE_BYTES},
    grant::GrantedVerb,
    limits::COMMAND_VALID_MS,
    sealed::{self, Kind, Unverified},
};
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::{Sitting, Trust};
use crate::{authority::Authority, orders::Clocks};

/// A command that the page signed whom the robot believes. Whether it may still be obeyed is another question.
#[derive(Debug, Clone, PartialEq)]
pub struct Believed {
    /// What was signed.
    pub command: SignedCommand,
    /// SHA-256 of the bytes: what a receipt names.
    pub sha256: CommandHash,
}

/// A drive command of the page that steers.
#[derive(Debug, Clone, PartialEq)]
pub struct BelievedDrive {
    /// What was signed.
    pub command: DriveCommand,
    /// SHA-256 of the bytes.
    pub sha256: CommandHash,
    /// The bytes.
    pub sealed: Vec<u8>,
}

impl Trust {
    /// The command in `sealed`, if the page that steers signed it for this robot.
    pub fn believe(
        &self,
        claimed: CommandId,
        sealed: &str,
        tick_ms: u64,
    ) -> Result<Believed, RobotRefusal> {
        let sitting = self.open_sitting(tick_ms)?;
        let bytes = (sealed.len() <= MAX_SEALED_COMMAND_BYTES * 4 / 3 + 4)
            .then(|| BASE64_STANDARD.decode(sealed).ok())
            .flatten()
            .ok_or(RobotRefusal::NotSigned)?;
        let command: SignedCommand =
            sitting.read(Kind::Command, &bytes, |command: &SignedCommand| {
                (command.grant, command.binding)
            })?;
        if command.command != claimed {
            return Err(RobotRefusal::NotSigned);
        }
        if command.robot != self.pinned.robot {
            return Err(RobotRefusal::AnotherRobot);
        }
        Ok(Believed {
            command,
            sha256: CommandHash(Sha256::digest(&bytes).into()),
        })
    }

    /// The drive command in `sealed`, likewise.
    pub fn believe_drive(
        &self,
        sealed: &[u8],
        tick_ms: u64,
    ) -> Result<BelievedDrive, RobotRefusal> {
        let sitting = self.open_sitting(tick_ms)?;
        if sealed.len() > MAX_SEALED_DRIVE_BYTES {
            return Err(RobotRefusal::NotSigned);
        }
        let command: DriveCommand =
            sitting.read(Kind::Drive, sealed, |command: &DriveCommand| {
                (command.grant, command.binding)
            })?;
        if command.robot != self.pinned.robot {
            return Err(RobotRefusal::AnotherRobot);
        }
        Ok(BelievedDrive {
            command,
            sha256: CommandHash(Sha256::digest(sealed).into()),
            sealed: sealed.to_vec(),
        })
    }

    fn open_sitting(&self, tick_ms: u64) -> Result<&Sitting, RobotRefusal> {
        (self.sitting.as_ref())
            .filter(|sitting| sitting.is_open(tick_ms))
            .ok_or(RobotRefusal::NoGrant)
    }

    /// Whether it may be obeyed now. Its place among the page's commands is taken either way: no other one gets it.
    pub fn admit(
        &mut self,
        command: &SignedCommand,
        authority: &Authority,
        clocks: Clocks,
    ) -> Result<(), RobotRefusal> {
        let sitting = self.sitting.as_mut().ok_or(RobotRefusal::NoGrant)?;
        if command.sequence <= sitting.last_sequence {
            return Err(RobotRefusal::OutOfSequence);
        }
        sitting.last_sequence = command.sequence;
        sitting.check_epoch(command.epoch, authority, clocks)?;
        let valid_ms = u64::from(command.valid_ms.min(COMMAND_VALID_MS));
        check_age(command.seen_tick_ms, valid_ms, clocks)?;
        let allowance = sitting.latest.allowance();
        let (robot, site) = (self.pinned.robot, self.pinned.site);
        // Its time is counted by the robot's own clock, from when it was believed.
        let in_time_s = allowance.not_before_s;
        let is_at_job = !sitting.is_off_job(self.at_job);
        if !is_at_job || !allowance.allows(robot, site, &command.verb, in_time_s) {
            return Err(RobotRefusal::OutsideGrant);
        }
        Ok(())
    }

    /// Whether a drive command may be followed now; one that is older than the last is behind it for good.
    pub fn admit_drive(
        &mut self,
        command: &DriveCommand,
        authority: &Authority,
        clocks: Clocks,
        valid_ms: u32,
    ) -> Result<(), RobotRefusal> {
        let sitting = self.sitting.as_mut().ok_or(RobotRefusal::NoGrant)?;
        if command.sequence <= sitting.last_drive {
            return Err(RobotRefusal::OutOfSequence);
        }
        sitting.last_drive = command.sequence;
        sitting.check_epoch(command.epoch, authority, clocks)?;
        check_age(command.seen_tick_ms, u64::from(valid_ms), clocks)?;
        // A drive has no target that could be compared with a zone.
        let is_granted = sitting.latest.verbs.contains(&GrantedVerb::Drive);
        if !is_granted || sitting.latest.zone.is_some() || sitting.is_off_job(self.at_job) {
            return Err(RobotRefusal::OutsideGrant);
        }
        Ok(())
    }
}

impl Sitting {
    /// Whether it is for a job that the robot is not at.
    pub(super) fn is_off_job(&self, at_job: Option<JobId>) -> bool {
        self.latest.job.is_some_and(|job| Some(job) != at_job)
    }

    /// What the page signed in this sitting. Another one had another nonce, also in another run of the agent.
    fn read<T: DeserializeOwned>(
        &self,
        kind: Kind,
        bytes: &[u8],
        names: impl FnOnce(&T) -> (GrantId, [u8; 32]),
    ) -> Result<T, RobotRefusal> {
        let signed: Unverified<T> =
            sealed::unverified(kind, bytes).map_err(|_unreadable| RobotRefusal::NotSigned)?;
        let (grant, binding) = names(&signed.payload);
        if !self.grants.contains(&grant) || binding != self.binding {
            return Err(RobotRefusal::NoGrant);
        }
        (signed.verify(&self.session_key)).map_err(|_another| RobotRefusal::NotSigned)?;
        Ok(signed.payload)
    }

    fn check_epoch(
        &self,
        epoch: u64,
        authority: &Authority,
        clocks: Clocks,
    ) -> Result<(), RobotRefusal> {
        if epoch != self.latest.epoch {
            return Err(RobotRefusal::StaleEpoch);
        }
        authority.admit(Some(epoch), clocks.tick_ms)
    }
}

/// Whether the tick that a command names is at most so old. One from the future comes from another run of the agent and
/// proves nothing.
fn check_age(seen_tick_ms: u64, valid_ms: u64, clocks: Clocks) -> Result<(), RobotRefusal> {
    let age_ms = clocks.tick_ms.checked_sub(seen_tick_ms);
    if age_ms.is_some_and(|age_ms| age_ms <= valid_ms) {
        Ok(())
    } else {
        Err(RobotRefusal::Stale)
    }
}
