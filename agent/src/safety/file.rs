//! Whether a policy that is in the robot's folder is the organisation's word.

use ed25519_dalek::VerifyingKey;
use protocol::{
    OrganisationId, RobotId,
    safety::{MAX_POLICY_BYTES, PolicyFlaw, SafetyPolicy},
    sealed::{self, Kind},
};

/// Why a policy is not gone by. The robot stays where it is then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFailure {
    /// The robot pinned no root key, so that nobody can sign one.
    #[error("no root key was pinned when the robot was enrolled")]
    NoRoot,
    /// Not signed by the root, or it can't be read.
    #[error("it is not signed by the organisation's root key")]
    NotSigned,
    /// For robots of another organisation, or for another robot.
    #[error("it is for another robot")]
    AnotherRobot,
    /// No robot can keep to it.
    #[error(transparent)]
    Flawed(#[from] PolicyFlaw),
}

/// The policy in `bytes`, if it is this robot's.
pub fn believed(
    bytes: &[u8],
    root: Option<&VerifyingKey>,
    organisation: OrganisationId,
    me: RobotId,
) -> Result<SafetyPolicy, PolicyFailure> {
    let root = root.ok_or(PolicyFailure::NoRoot)?;
    if bytes.len() > MAX_POLICY_BYTES {
        return Err(PolicyFailure::Flawed(PolicyFlaw::TooLarge));
    }
    let policy: SafetyPolicy = sealed::open(Kind::SafetyPolicy, bytes, root)
        .map_err(|_unbelievable| PolicyFailure::NotSigned)?;
    let is_ours =
        policy.organisation == organisation && policy.robot.is_none_or(|named| named == me);
    if !is_ours {
        return Err(PolicyFailure::AnotherRobot);
    }
    policy.check()?;
    Ok(policy)
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use protocol::{UnixMicros, safety::Envelope};
    use uuid::Uuid;

    use super::*;

    const OURS: OrganisationId = OrganisationId(Uuid::from_u128(1));
    const ME: RobotId = RobotId(Uuid::from_u128(2));

    fn policy() -> SafetyPolicy {
        SafetyPolicy {
            organisation: OURS,
            robot: Some(ME),
            number: 1,
            issued_at: UnixMicros(0),
            envelope: Envelope::default(),
            workspace: Vec::new(),
            keep_out: Vec::new(),
            masks: Vec::new(),
            private: Vec::new(),
        }
    }

    #[test]
    fn only_what_the_root_signed_for_this_robot_is_gone_by() {
        let root = SigningKey::from_bytes(&[1; 32]);
        let stranger = SigningKey::from_bytes(&[2; 32]);
        let key = root.verifying_key();
        let by = |signer: &SigningKey, policy: &SafetyPolicy| {
            let sealed = sealed::seal(Kind::SafetyPolicy, policy, signer).unwrap();
            believed(&sealed, Some(&key), OURS, ME)
        };
        let another = SafetyPolicy {
            robot: Some(RobotId(Uuid::from_u128(9))),
            ..policy()
        };
        let foreign = SafetyPolicy {
            organisation: OrganisationId(Uuid::from_u128(9)),
            ..policy()
        };
        let mut flawed = policy();
        flawed.envelope.dead_man_ms = 10_000;

        assert_eq!(by(&root, &policy()), Ok(policy()));
        assert_eq!(by(&stranger, &policy()), Err(PolicyFailure::NotSigned));
        assert_eq!(by(&root, &another), Err(PolicyFailure::AnotherRobot));
        assert_eq!(by(&root, &foreign), Err(PolicyFailure::AnotherRobot));
        assert!(matches!(by(&root, &flawed), Err(PolicyFailure::Flawed(_))));
        let as_roster = sealed::seal(Kind::Roster, &policy(), &root).unwrap();
        assert_eq!(
            believed(&as_roster, Some(&key), OURS, ME),
            Err(PolicyFailure::NotSigned)
        );
        assert_eq!(
            believed(&as_roster, None, OURS, ME),
            Err(PolicyFailure::NoRoot)
        );
    }

    #[test]
    fn a_policy_with_one_flipped_bit_is_nobodys() {
        let root = SigningKey::from_bytes(&[1; 32]);
        let sealed = sealed::seal(Kind::SafetyPolicy, &policy(), &root).unwrap();
        for index in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[index] ^= 1;
            assert!(believed(&forged, Some(&root.verifying_key()), OURS, ME).is_err());
        }
    }
}
