//! Whom the robot believes: the roster that its organisation's root signed, what was revoked, and the one sitting whose page's
//! signed commands move it. Pure. No gateway can add anything here; each can take away.

mod command;
mod passkey;
#[cfg(test)]
pub(crate) mod tests;

pub use self::command::{Believed, BelievedDrive};

use std::collections::VecDeque;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::VerifyingKey;
use protocol::{
    GrantId, JobId, OrganisationId, RobotId, SiteId, UnixMicros,
    grant::{
        Assertion, Binding, Grant, GrantEvent, GrantRefusal, OpenSession, Presentation,
        RefusedGrant, RobotTrust, SITTING_LASTS_MS,
    },
    limits::MAX_SEALED_EVENT_BYTES,
    roster::{MAX_ROSTER_BYTES, Revocations, Roster, name_of},
    sealed::{self, KeyId, Kind},
};

use crate::{authority::Authority, orders::Clocks};

/// A grant's and a roster's times are compared with the robot's wall clock; one that is set by the network is this far off at worst.
const CLOCK_SLACK_S: i64 = 120;

/// Grants of one sitting whose commands may still be under way: the one before was renewed a moment ago.
const GRANTS_OF_SITTING: usize = 2;

/// What the robot was told when it was enrolled. Only another enrolment changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// Whose robot it is.
    pub organisation: OrganisationId,
    /// Where it works.
    pub site: SiteId,
    /// Which robot it is.
    pub robot: RobotId,
    /// The organisation's root key. Without one the robot moves at nobody's wish.
    pub root: Option<VerifyingKey>,
}

/// What has to outlast a restart: as it was sealed, to be believed again only by its signature.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// The latest roster.
    pub roster: Option<Vec<u8>>,
    /// The latest list of revocations.
    pub revocations: Option<Vec<u8>>,
}

/// Why a roster or a list of revocations was not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotBelieved {
    /// The robot pinned no root key.
    #[error("no root key was pinned when the robot was enrolled")]
    NoRoot,
    /// Not signed by the root, or by a policy key of the roster; or it can't be read.
    #[error("it is not signed by who may sign it")]
    NotSigned,
    /// Of another organisation.
    #[error("it is of another organisation")]
    AnotherOrganisation,
    /// Not newer than what the robot has.
    #[error("it is no newer than what the robot has")]
    NotNewer,
    /// It has a shape that no honest one has.
    #[error("it is out of bounds")]
    Flawed,
}

/// Guards who moves the robot.
#[derive(Debug)]
pub struct Trust {
    pinned: Pinned,
    kept: Kept,
    roster: Option<Roster>,
    revocations: Option<Revocations>,
    /// Which policy key signed that list.
    list_by: Option<KeyId>,
    nonce: [u8; 32],
    sitting: Option<Sitting>,
    /// The job that the robot is at.
    at_job: Option<JobId>,
    refused: Option<RefusedGrant>,
}

/// One page that steers, from the assertion that bound it to its end.
#[derive(Debug)]
struct Sitting {
    /// The one that was bound: no renewal allows more.
    first: Grant,
    latest: Grant,
    grants: VecDeque<GrantId>,
    session_key: VerifyingKey,
    bound_by: KeyId,
    /// The challenge that bound it: every command of this sitting names it, and none of another.
    binding: [u8; 32],
    /// Which policy key issued the latest grant.
    issued_by: KeyId,
    /// By the robot's monotonic clock.
    until_tick_ms: u64,
    /// Then the person's own key has to speak again.
    over_at_tick_ms: u64,
    last_sequence: u64,
    /// Likewise of its drive commands, which go another way.
    last_drive: u64,
}

/// How a grant was bound.
struct Bound {
    session_key: VerifyingKey,
    by: KeyId,
    binding: [u8; 32],
    issued_by: KeyId,
    /// By an assertion that came with it; otherwise it renews.
    is_now: bool,
}

impl Trust {
    /// What was kept is believed again only if it is still signed by whom it has to be.
    pub fn remembering(pinned: Pinned, kept: Kept, nonce: [u8; 32]) -> Self {
        let mut trust = Self {
            pinned,
            kept: Kept::default(),
            roster: None,
            revocations: None,
            list_by: None,
            nonce,
            sitting: None,
            at_job: None,
            refused: None,
        };
        for (what, believed) in [
            (
                "roster",
                kept.roster.map(|roster| trust.take_roster(&roster)),
            ),
            (
                "list of revocations",
                kept.revocations.map(|list| trust.take_revocations(&list)),
            ),
        ] {
            if let Some(Err(error)) = believed {
                tracing::warn!(%error, "the {what} that was kept is not believed");
            }
        }
        trust
    }

    /// What has to be kept on disk.
    pub const fn kept(&self) -> &Kept {
        &self.kept
    }

    /// Whether there is a page whose commands it believes.
    pub const fn believes_somebody(&self) -> bool {
        self.sitting.is_some()
    }

    /// How fast who steers may have the robot go, millimetres a second; as fast as it goes where their grant has no cap.
    pub fn speed_cap_mm_s(&self) -> Option<u32> {
        self.sitting.as_ref()?.latest.speed_cap_mm_s
    }

    /// The robot is at this job now. A grant for a job lets nobody move it at any other time.
    pub const fn works_on(&mut self, job: Option<JobId>) {
        self.at_job = job;
    }

    /// Whether who steers was granted that for a job which the robot is not at.
    pub fn is_off_job(&self) -> bool {
        (self.sitting.as_ref()).is_some_and(|sitting| sitting.is_off_job(self.at_job))
    }

    /// What the robot says of it.
    pub fn state(&self) -> RobotTrust {
        RobotTrust {
            nonce: self.nonce,
            root: self.pinned.root.as_ref().map(KeyId::of),
            roster: self.roster.as_ref().map_or(0, |roster| roster.number),
            revocations: self.revocations.as_ref().map_or(0, |list| list.number),
            session: self.sitting.as_ref().map(Sitting::open_session),
            refused: self.refused,
        }
    }

    /// A roster came. Says whether who steered is put out by it.
    pub fn hear_roster(&mut self, sealed: &[u8]) -> Result<bool, NotBelieved> {
        self.take_roster(sealed)?;
        Ok(self.put_out())
    }

    /// A list of revocations came. Says whether who steered is put out by it.
    pub fn hear_revocations(&mut self, sealed: &[u8]) -> Result<bool, NotBelieved> {
        self.take_revocations(sealed)?;
        Ok(self.put_out())
    }

    fn take_roster(&mut self, sealed: &[u8]) -> Result<(), NotBelieved> {
        let root = self.pinned.root.as_ref().ok_or(NotBelieved::NoRoot)?;
        if sealed.len() > MAX_ROSTER_BYTES {
            return Err(NotBelieved::Flawed);
        }
        let roster: Roster = sealed::open(Kind::Roster, sealed, root)
            .map_err(|_unbelievable| NotBelieved::NotSigned)?;
        if roster.organisation != self.pinned.organisation {
            return Err(NotBelieved::AnotherOrganisation);
        }
        if (self.roster.as_ref()).is_some_and(|known| roster.number <= known.number) {
            return Err(NotBelieved::NotNewer);
        }
        roster.check().map_err(|_flaw| NotBelieved::Flawed)?;
        // What a policy key said that is trusted no more is not to be gone by, or to stand in the way of what comes next.
        if self
            .list_by
            .is_some_and(|by| roster.policy_key(by).is_none())
        {
            self.revocations = None;
            self.list_by = None;
            self.kept.revocations = None;
        }
        self.roster = Some(roster);
        self.kept.roster = Some(sealed.to_vec());
        Ok(())
    }

    fn take_revocations(&mut self, sealed: &[u8]) -> Result<(), NotBelieved> {
        if sealed.len() > MAX_ROSTER_BYTES {
            return Err(NotBelieved::Flawed);
        }
        let roster = self.roster.as_ref().ok_or(NotBelieved::NotSigned)?;
        let key = sealed::claimed_key(sealed)
            .ok()
            .and_then(|key| roster.policy_key(key))
            .ok_or(NotBelieved::NotSigned)?;
        let list: Revocations = sealed::open(Kind::Revocations, sealed, &key)
            .map_err(|_unbelievable| NotBelieved::NotSigned)?;
        if list.organisation != self.pinned.organisation {
            return Err(NotBelieved::AnotherOrganisation);
        }
        if (self.revocations.as_ref()).is_some_and(|known| list.number <= known.number) {
            return Err(NotBelieved::NotNewer);
        }
        if !list.is_sound() {
            return Err(NotBelieved::Flawed);
        }
        self.revocations = Some(list);
        self.list_by = Some(KeyId::of(&key));
        self.kept.revocations = Some(sealed.to_vec());
        Ok(())
    }

    /// Ends the sitting if its person or their keys are believed no more.
    fn put_out(&mut self) -> bool {
        let Some(sitting) = &self.sitting else {
            return false;
        };
        let (grant, bound_by) = (sitting.latest.clone(), sitting.bound_by);
        // What was renewed stands on what was renewed.
        let is_revoked = (self.revocations.as_ref()).is_some_and(|list| {
            let mut renewed = sitting.grants.iter().chain([&sitting.first.grant]);
            renewed.any(|grant| list.grants.contains(grant))
        });
        let stands = self
            .check_policy(sitting.issued_by)
            .and_then(|()| self.check_person(&grant, bound_by))
            .and(if is_revoked {
                Err(GrantRefusal::Revoked)
            } else {
                Ok(())
            });
        if let Err(reason) = stands {
            self.sitting = None;
            self.refused = Some(RefusedGrant {
                grant: Some(grant.grant),
                reason,
            });
        }
        stands.is_err()
    }

    /// Ends the sitting if `epoch` is over: who steers now has to be bound anew.
    pub fn epoch_over(&mut self, authority: &Authority) {
        let is_over = |sitting: &Sitting| authority.is_past(sitting.latest.epoch);
        if self.sitting.as_ref().is_some_and(is_over) {
            self.sitting = None;
        }
    }

    /// Somebody asks to be obeyed. `fresh` becomes the nonce if the present one was used.
    pub fn present(
        &mut self,
        presentation: &Presentation,
        authority: &Authority,
        clocks: Clocks,
        fresh: [u8; 32],
    ) -> GrantEvent {
        match self.try_present(presentation, authority, clocks) {
            Ok(event) => {
                if presentation.is_bound() {
                    self.nonce = fresh;
                }
                self.refused = None;
                event
            }
            Err(refused) => {
                self.refused = Some(refused);
                GrantEvent::Refused {
                    grant: refused.grant,
                    reason: refused.reason,
                }
            }
        }
    }

    fn try_present(
        &mut self,
        presentation: &Presentation,
        authority: &Authority,
        clocks: Clocks,
    ) -> Result<GrantEvent, RefusedGrant> {
        let unread = |reason| RefusedGrant {
            grant: None,
            reason,
        };
        let sealed = decode(&presentation.grant).ok_or(unread(GrantRefusal::Unreadable))?;
        let claimed = sealed::unverified::<Grant>(Kind::Grant, &sealed)
            .map_err(|_unreadable| unread(GrantRefusal::Unreadable))?;
        let refused = |reason| RefusedGrant {
            grant: Some(claimed.payload.grant),
            reason,
        };
        let roster = self.roster_now(clocks.at).map_err(refused)?;
        (roster.policy_key(claimed.key))
            .filter(|policy| claimed.verify(policy).is_ok())
            .ok_or(refused(GrantRefusal::NotByPolicy))?;
        let grant = &claimed.payload;
        self.check_terms(grant, authority, clocks)
            .map_err(refused)?;
        let session_key = VerifyingKey::from_bytes(&grant.session_key)
            .map_err(|_no_point| refused(GrantRefusal::Unreadable))?;
        let (bound_by, binding) = match (&presentation.assertion, &presentation.passkey) {
            (Some(assertion), None) => self.bound_by(grant, &sealed, assertion),
            (None, Some(passkey)) => self.bound_by_passkey(grant, &sealed, passkey),
            (None, None) => self.renewed(grant, clocks.tick_ms),
            // What binds it would depend on who reads it.
            (Some(_), Some(_)) => Err(GrantRefusal::Unreadable),
        }
        .map_err(refused)?;
        self.check_person(grant, bound_by).map_err(refused)?;
        let roster = roster_number(self.roster.as_ref());
        let bound = Bound {
            session_key,
            by: bound_by,
            binding,
            issued_by: claimed.key,
            is_now: presentation.is_bound(),
        };
        self.sit_down(grant, &bound, clocks);
        Ok(GrantEvent::Accepted {
            grant: grant.grant,
            person: grant.person,
            session_key: name_of(&grant.session_key),
            bound_by,
            epoch: grant.epoch,
            roster,
        })
    }

    /// Whether the roster still trusts who issued a grant.
    fn check_policy(&self, issued_by: KeyId) -> Result<(), GrantRefusal> {
        (self.roster.as_ref())
            .and_then(|roster| roster.policy_key(issued_by))
            .map(|_trusted| ())
            .ok_or(GrantRefusal::NotByPolicy)
    }

    /// The roster, if it and the list of revocations are in their time.
    fn roster_now(&self, at: UnixMicros) -> Result<&Roster, GrantRefusal> {
        if self.pinned.root.is_none() {
            return Err(GrantRefusal::NoRoot);
        }
        let roster = self.roster.as_ref().ok_or(GrantRefusal::NoRoster)?;
        // A clock that stands in the past finds everything in its time.
        let list_at = self.revocations.as_ref().map(|list| list.issued_at);
        let latest = list_at.map_or(roster.issued_at, |list| list.max(roster.issued_at));
        if at.plus(CLOCK_SLACK_S * 1_000_000) < latest {
            return Err(GrantRefusal::ClockBehind);
        }
        if roster.expires_at <= at {
            return Err(GrantRefusal::RosterExpired);
        }
        let has_heard = (self.revocations.as_ref()).is_some_and(|list| at < list.expires_at);
        if !has_heard {
            return Err(GrantRefusal::RevocationsExpired);
        }
        Ok(roster)
    }

    /// Whether it is a grant for this robot, now.
    fn check_terms(
        &self,
        grant: &Grant,
        authority: &Authority,
        clocks: Clocks,
    ) -> Result<(), GrantRefusal> {
        let is_ours = grant.organisation == self.pinned.organisation
            && grant.place.covers(self.pinned.robot, self.pinned.site);
        if !is_ours {
            return Err(GrantRefusal::AnotherRobot);
        }
        let at_s = clocks.at.0.div_euclid(1_000_000);
        let is_now = grant.not_before_s.saturating_sub(CLOCK_SLACK_S) <= at_s
            && at_s < grant.expires_s.saturating_add(CLOCK_SLACK_S);
        if grant.lasts_s().is_none() || !is_now {
            return Err(GrantRefusal::Expired);
        }
        let is_older = |sitting: &Sitting| grant.epoch < sitting.latest.epoch;
        if authority.is_past(grant.epoch) || self.sitting.as_ref().is_some_and(is_older) {
            return Err(GrantRefusal::StaleEpoch);
        }
        Ok(())
    }

    /// Whether this person may steer here, by this key of theirs, and none of it was revoked.
    fn check_person(&self, grant: &Grant, bound_by: KeyId) -> Result<(), GrantRefusal> {
        let person = (self.roster.as_ref())
            .and_then(|roster| roster.person(grant.person))
            .filter(|person| person.may_steer_at(self.pinned.site))
            .ok_or(GrantRefusal::NotRostered)?;
        (person.mark(bound_by)).ok_or(GrantRefusal::KeyNotRostered)?;
        let is_revoked = self.revocations.as_ref().is_none_or(|list| {
            list.people.contains(&grant.person)
                || list.grants.contains(&grant.grant)
                || list.keys.contains(&bound_by)
                || list.keys.contains(&name_of(&grant.session_key))
        });
        if is_revoked {
            return Err(GrantRefusal::Revoked);
        }
        Ok(())
    }

    /// The key of the person's that bound this grant to its page, to this robot and to the present nonce, and the challenge of that.
    fn bound_by(
        &self,
        grant: &Grant,
        sealed: &[u8],
        assertion: &str,
    ) -> Result<(KeyId, [u8; 32]), GrantRefusal> {
        let assertion = decode(assertion).ok_or(GrantRefusal::Unreadable)?;
        let claimed = sealed::unverified::<Assertion>(Kind::Assertion, &assertion)
            .map_err(|_unreadable| GrantRefusal::Unreadable)?;
        let person = (self.roster.as_ref())
            .and_then(|roster| roster.person(grant.person))
            .ok_or(GrantRefusal::NotRostered)?;
        let key = person
            .key(claimed.key)
            .and_then(|key| VerifyingKey::from_bytes(&key.public_key).ok())
            .ok_or(GrantRefusal::KeyNotRostered)?;
        let binding = Binding {
            grant: sealed,
            session_key: grant.session_key,
            robot: self.pinned.robot,
            nonce: self.nonce,
        };
        let is_bound = claimed.verify(&key).is_ok()
            && (binding.challenge()).is_ok_and(|challenge| challenge == claimed.payload.challenge);
        is_bound
            .then_some((claimed.key, claimed.payload.challenge))
            .ok_or(GrantRefusal::NotBound)
    }

    /// The key that bound the grant which this one renews, and how.
    fn renewed(&self, grant: &Grant, tick_ms: u64) -> Result<(KeyId, [u8; 32]), GrantRefusal> {
        (self.sitting.as_ref())
            .filter(|sitting| sitting.is_open(tick_ms) && grant.renews(&sitting.first))
            .map(|sitting| (sitting.bound_by, sitting.binding))
            .ok_or(GrantRefusal::NotARenewal)
    }

    fn sit_down(&mut self, grant: &Grant, bound: &Bound, Clocks { tick_ms, at }: Clocks) {
        let lasts_ms = lasts_ms(grant, at);
        let renewed = self.sitting.take().filter(|_| !bound.is_now);
        let over_at_tick_ms = (renewed.as_ref())
            .map_or(tick_ms.saturating_add(SITTING_LASTS_MS), |sitting| {
                sitting.over_at_tick_ms
            });
        // What a page signed before it was bound anew names another challenge.
        let (last_sequence, last_drive) = (renewed.as_ref()).map_or((0, 0), |sitting| {
            (sitting.last_sequence, sitting.last_drive)
        });
        let (first, mut grants) = match renewed {
            Some(sitting) => (sitting.first, sitting.grants),
            None => (grant.clone(), VecDeque::new()),
        };
        if grants.len() == GRANTS_OF_SITTING {
            grants.pop_front();
        }
        grants.push_back(grant.grant);
        self.sitting = Some(Sitting {
            first,
            latest: grant.clone(),
            grants,
            session_key: bound.session_key,
            bound_by: bound.by,
            binding: bound.binding,
            issued_by: bound.issued_by,
            until_tick_ms: tick_ms.saturating_add(lasts_ms).min(over_at_tick_ms),
            over_at_tick_ms,
            last_sequence,
            last_drive,
        });
    }

    /// Whether a sitting's time has run out just now; it is over then.
    pub fn lapse(&mut self, tick_ms: u64) -> bool {
        let is_over = (self.sitting.as_ref()).is_some_and(|sitting| !sitting.is_open(tick_ms));
        if is_over {
            self.sitting = None;
        }
        is_over
    }
}

impl Sitting {
    const fn is_open(&self, tick_ms: u64) -> bool {
        tick_ms < self.until_tick_ms
    }

    fn open_session(&self) -> OpenSession {
        OpenSession {
            grant: self.latest.grant,
            person: self.latest.person,
            key: KeyId::of(&self.session_key),
            epoch: self.latest.epoch,
        }
    }
}

/// How much of a grant's time is left, at most all of it: one that was held back on the way is worth less.
fn lasts_ms(grant: &Grant, at: UnixMicros) -> u64 {
    let left_s = (grant.expires_s)
        .saturating_add(CLOCK_SLACK_S)
        .saturating_sub(at.0.div_euclid(1_000_000));
    let left_s = u64::try_from(left_s).unwrap_or_default();
    (grant.lasts_s().unwrap_or_default().min(left_s)).saturating_mul(1_000)
}

fn roster_number(roster: Option<&Roster>) -> u64 {
    roster.map_or(0, |roster| roster.number)
}

/// Bytes of a bounded length from base64.
fn decode(text: &str) -> Option<Vec<u8>> {
    (text.len() <= MAX_SEALED_EVENT_BYTES)
        .then(|| BASE64_STANDARD.decode(text).ok())
        .flatten()
}
