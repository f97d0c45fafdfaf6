//! A grant that a passkey binds: what the authenticator signed is checked here, on the robot, against the roster alone.

use protocol::{
    grant::{Binding, Grant, GrantRefusal},
    passkey::{AssertionFlaw, Expected, PasskeyAssertion},
    sealed::KeyId,
};

use super::Trust;

impl Trust {
    /// The passkey of the person's that bound this grant to its page, to this robot and to the present nonce, and the challenge
    /// of that. An authenticator's counter is not looked at: a nonce is good for one assertion, of whichever copy.
    pub(super) fn bound_by_passkey(
        &self,
        grant: &Grant,
        sealed: &[u8],
        assertion: &PasskeyAssertion,
    ) -> Result<(KeyId, [u8; 32]), GrantRefusal> {
        let roster = self.roster.as_ref().ok_or(GrantRefusal::NoRoster)?;
        let passkey = roster
            .person(grant.person)
            .ok_or(GrantRefusal::NotRostered)?
            .passkey(assertion.key)
            .ok_or(GrantRefusal::KeyNotRostered)?;
        let relying_party = (roster.relying_parties)
            .get(usize::from(passkey.site))
            .ok_or(GrantRefusal::AnotherSite)?;
        let binding = Binding {
            grant: sealed,
            session_key: grant.session_key,
            robot: self.pinned.robot,
            nonce: self.nonce,
        };
        let challenge = (binding.challenge()).map_err(|_unwritable| GrantRefusal::Unreadable)?;
        let expected = Expected {
            public_key: &passkey.public_key,
            relying_party,
            binding: &binding,
        };
        assertion.check(&expected).map_err(refusal)?;
        Ok((assertion.key, challenge))
    }
}

const fn refusal(flaw: AssertionFlaw) -> GrantRefusal {
    match flaw {
        AssertionFlaw::Unreadable => GrantRefusal::Unreadable,
        AssertionFlaw::AnotherType
        | AssertionFlaw::AnotherChallenge
        | AssertionFlaw::BadSignature => GrantRefusal::NotBound,
        AssertionFlaw::AnotherOrigin | AssertionFlaw::AnotherRelyingParty => {
            GrantRefusal::AnotherSite
        }
        AssertionFlaw::NobodyPresent | AssertionFlaw::Unverified => GrantRefusal::Unverified,
    }
}
