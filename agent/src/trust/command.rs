//! Which signed commands are believed.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use protocol::{
    CommandId,
    command::{CommandHash, MAX_SEALED_COMMAND_BYTES, RobotRefusal, SignedCommand},
    limits::COMMAND_VALID_MS,
    sealed::{self, Kind},
};
use sha2::{Digest as _, Sha256};

use super::Trust;
use crate::{authority::Authority, orders::Clocks};

/// A command that the page signed whom the robot believes. Whether it may still be obeyed is another question.
#[derive(Debug, Clone, PartialEq)]
pub struct Believed {
    /// What was signed.
    pub command: SignedCommand,
    /// SHA-256 of the bytes: what a receipt names.
    pub sha256: CommandHash,
}

impl Trust {
    /// The command in `sealed`, if the page that steers signed it for this robot.
    pub fn believe(
        &self,
        claimed: CommandId,
        sealed: &str,
        tick_ms: u64,
    ) -> Result<Believed, RobotRefusal> {
        let sitting = (self.sitting.as_ref())
            .filter(|sitting| sitting.is_open(tick_ms))
            .ok_or(RobotRefusal::NoGrant)?;
        let bytes = (sealed.len() <= MAX_SEALED_COMMAND_BYTES * 4 / 3 + 4)
            .then(|| BASE64_STANDARD.decode(sealed).ok())
            .flatten()
            .ok_or(RobotRefusal::NotSigned)?;
        let signed = sealed::unverified::<SignedCommand>(Kind::Command, &bytes)
            .map_err(|_unreadable| RobotRefusal::NotSigned)?;
        // Of this sitting: another one had another nonce, also in another run of the agent.
        let is_of_sitting = sitting.grants.contains(&signed.payload.grant)
            && signed.payload.binding == sitting.binding;
        if !is_of_sitting {
            return Err(RobotRefusal::NoGrant);
        }
        (signed.verify(&sitting.session_key)).map_err(|_another| RobotRefusal::NotSigned)?;
        if signed.payload.command != claimed {
            return Err(RobotRefusal::NotSigned);
        }
        if signed.payload.robot != self.pinned.robot {
            return Err(RobotRefusal::AnotherRobot);
        }
        Ok(Believed {
            command: signed.payload,
            sha256: CommandHash(Sha256::digest(&bytes).into()),
        })
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
        if command.epoch != sitting.latest.epoch {
            return Err(RobotRefusal::StaleEpoch);
        }
        authority.admit(Some(command.epoch), clocks.tick_ms)?;
        let valid_ms = u64::from(command.valid_ms.min(COMMAND_VALID_MS));
        // A tick from the future comes from another run of the agent and proves nothing.
        let is_fresh = (clocks.tick_ms.checked_sub(command.seen_tick_ms))
            .is_some_and(|age_ms| age_ms <= valid_ms);
        if !is_fresh {
            return Err(RobotRefusal::Stale);
        }
        let allowance = sitting.latest.allowance();
        let (robot, site) = (self.pinned.robot, self.pinned.site);
        // Its time is counted by the robot's own clock, from when it was believed.
        let in_time_s = allowance.not_before_s;
        if !allowance.allows(robot, site, &command.verb, in_time_s) {
            return Err(RobotRefusal::OutsideGrant);
        }
        Ok(())
    }
}
