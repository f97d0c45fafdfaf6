//! Who may get which grant: the one place where the gateway's policy is. It can deny or shrink; what it says yes to still moves
//! nothing before a key of the organisation's roster has bound it, and the robot has checked that.
//!
//! In this order, each with a code that the console explains:
//!
//! | asked | denied as |
//! | --- | --- |
//! | has a role that may command robots at the site | `role_missing` |
//! | steers the robot, under this epoch, from this page | `not_in_control`, `control_held`, `stale_epoch`, `another_page` |
//! | the organisation named a root key, which signed a roster that is in its time | `no_root`, `no_roster`, `roster_expired` |
//! | is on that roster, with a role that may steer at the site | `not_rostered` |
//! | the key that is to bind the grant is theirs on that roster, and not removed since | `key_not_rostered` |
//! | this gateway's policy key is on that roster: without it no robot would believe the grant | `policy_not_rostered` |
//! | the robot is there, pinned that root, and holds that roster and the latest list of revocations | `robot_offline`, `robot_without_root`, `robot_behind` |
//! | wants no more than something: a verb is left, and a place | `nothing_left` |
//!
//! What they get: this one robot, every verb, for ten minutes, for the page that asked; within the bounds that they asked for
//! themselves (verbs, a zone, a speed cap, a job), by intersection. A site's robots are granted one by one: each has its own lease of
//! control and its own nonce.
//!
//! Over the API whoever has no such role is refused at the door, before there is anything to decide or to record.

#[cfg(feature = "store")]
pub(crate) mod store;
#[cfg(test)]
mod tests;

use protocol::{
    GrantId, OrganisationId, PersonId, RobotId, SiteId, UnixMicros,
    grant::{GRANT_LASTS_S, Grant, GrantBounds, GrantedVerb, Place, RobotTrust, Zone},
    roster::{Roster, name_of},
    sealed::KeyId,
};

use crate::control::{Control, ControlRefusal, may_steer};

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantWish {
    /// Who.
    pub person: PersonId,
    /// Under which epoch of control.
    pub epoch: u64,
    /// The page's key, proven.
    pub session_key: [u8; 32],
    /// The person's key that is to bind the grant; nothing to renew one that the robot believes.
    pub bound_by: Option<KeyId>,
    /// What they want no more than.
    pub bounds: GrantBounds,
}

/// The robot that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantedRobot {
    /// Which.
    pub robot: RobotId,
    /// Whose.
    pub organisation: OrganisationId,
    /// Where it works.
    pub site: SiteId,
}

/// What the policy goes by.
#[derive(Debug, Clone, Copy)]
pub struct GrantFacts<'facts> {
    /// Whether a role of theirs may command robots at the site.
    pub may_command: bool,
    /// Who steers the robot.
    pub control: &'facts Control,
    /// The name of the organisation's root key.
    pub root: Option<KeyId>,
    /// Its latest roster.
    pub roster: Option<&'facts Roster>,
    /// The policy key that would seal the grant.
    pub policy_key: KeyId,
    /// The number of the latest list of revocations; 0 for none.
    pub list: u64,
    /// The person's keys that they did not remove.
    pub keys: &'facts [KeyId],
    /// Whom the robot believes, in its own words of this moment; nothing for one that is not there.
    pub trust: Option<&'facts RobotTrust>,
}

/// Why there is no grant. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrantDenial {
    /// No role for it.
    #[error("none of your roles allows to command robots at this site")]
    RoleMissing,
    /// They don't steer the robot.
    #[error(transparent)]
    Control(#[from] ControlRefusal),
    /// They steer it from another page.
    #[error("you have control from another page; take it over there or let it go")]
    AnotherPage,
    /// Nobody named a root key.
    #[error(
        "no root key was named for the organisation: nooterra admin org root-make, then root-name"
    )]
    NoRoot,
    /// The root signed no roster.
    #[error("there is no roster yet: nooterra admin org roster-draft, -sign, -publish")]
    NoRoster,
    /// The roster is past its time.
    #[error("the roster is past its time; the root key has to sign a new one")]
    RosterExpired,
    /// They are not on it.
    #[error(
        "the roster does not let you steer robots at this site; the root key has to sign one that does"
    )]
    NotRostered,
    /// Their key is not on it.
    #[error("this key is not on the roster yet; the root key has to sign one that has it")]
    KeyNotRostered,
    /// The gateway's own key is not on the roster.
    #[error(
        "the roster does not name this gateway's policy key; the root key has to sign one that does"
    )]
    PolicyNotRostered,
    /// The robot is not there.
    #[error("the robot is not connected")]
    RobotOffline,
    /// It pinned another root key, or none.
    #[error("the robot was enrolled without the organisation's root key; enrol it again")]
    RobotWithoutRoot,
    /// It has not taken the latest roster yet.
    #[error("the robot has not taken the latest roster or revocations yet; try again in a moment")]
    RobotBehind,
    /// Nothing is left of what they asked for.
    #[error("the verbs that you want no more than leave nothing to grant")]
    NothingLeft,
}

impl GrantDenial {
    /// The frozen code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::RoleMissing => "role_missing",
            Self::Control(refusal) => refusal.code(),
            Self::AnotherPage => "another_page",
            Self::NoRoot => "no_root",
            Self::NoRoster => "no_roster",
            Self::RosterExpired => "roster_expired",
            Self::NotRostered => "not_rostered",
            Self::KeyNotRostered => "key_not_rostered",
            Self::PolicyNotRostered => "policy_not_rostered",
            Self::RobotOffline => "robot_offline",
            Self::RobotWithoutRoot => "robot_without_root",
            Self::RobotBehind => "robot_behind",
            Self::NothingLeft => "nothing_left",
        }
    }
}

/// The grant that somebody gets, or why they get none.
pub fn decide_grant(
    wish: &GrantWish,
    robot: &GrantedRobot,
    facts: &GrantFacts<'_>,
    id: GrantId,
    now: UnixMicros,
) -> Result<Grant, GrantDenial> {
    if !facts.may_command {
        return Err(GrantDenial::RoleMissing);
    }
    check_control(wish, facts.control, now)?;
    let pinned = facts.root.ok_or(GrantDenial::NoRoot)?;
    let roster = facts.roster.ok_or(GrantDenial::NoRoster)?;
    if roster.expires_at <= now {
        return Err(GrantDenial::RosterExpired);
    }
    let person = roster
        .person(wish.person)
        .filter(|person| person.may_steer_at(robot.site))
        .ok_or(GrantDenial::NotRostered)?;
    if let Some(key) = wish.bound_by {
        let is_theirs = person.mark(key).is_some() && facts.keys.contains(&key);
        is_theirs.then_some(()).ok_or(GrantDenial::KeyNotRostered)?;
    }
    (roster.policy_key(facts.policy_key)).ok_or(GrantDenial::PolicyNotRostered)?;
    let trust = facts.trust.ok_or(GrantDenial::RobotOffline)?;
    if trust.root != Some(pinned) {
        return Err(GrantDenial::RobotWithoutRoot);
    }
    if trust.roster < roster.number || trust.revocations < facts.list {
        return Err(GrantDenial::RobotBehind);
    }
    let at_s = now.0.div_euclid(1_000_000);
    let whole = Grant {
        grant: id,
        organisation: robot.organisation,
        person: wish.person,
        place: Place::Robot(robot.robot),
        not_before_s: at_s,
        expires_s: at_s.saturating_add(GRANT_LASTS_S),
        session_key: wish.session_key,
        epoch: wish.epoch,
        verbs: GrantedVerb::ALL.into(),
        zone: None,
        speed_cap_mm_s: None,
        job: None,
    };
    let grant = whole.within(&wish.bounds);
    if grant.verbs.is_empty() || grant.zone.is_some_and(Zone::is_empty) {
        return Err(GrantDenial::NothingLeft);
    }
    Ok(grant)
}

fn check_control(wish: &GrantWish, control: &Control, now: UnixMicros) -> Result<(), GrantDenial> {
    may_steer(control, wish.person, Some(wish.epoch), now)?;
    let page = control.holder.as_ref().and_then(|holder| holder.seat.key);
    // A script has no page; whatever key it proves is its own.
    if page.is_some_and(|page| page != name_of(&wish.session_key)) {
        return Err(GrantDenial::AnotherPage);
    }
    Ok(())
}
