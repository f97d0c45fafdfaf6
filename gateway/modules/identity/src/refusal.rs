//! Why a wish about people, robots, secrets or who may steer was turned down. Nothing was changed.

use protocol::roster::RosterFlaw;

/// The caller can act on it. Codes are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A name of nothing.
    #[error("the name is empty")]
    NameEmpty,
    /// A name that fits on no screen.
    #[error(
        "the name is longer than {} characters",
        protocol::limits::MAX_NAME_CHARS
    )]
    NameTooLong,
    /// A name with control characters.
    #[error("the name has characters that can't be shown")]
    NameUnprintable,
    /// Another one is called so.
    #[error("the name is taken")]
    NameTaken,
    /// There is no such organisation.
    #[error("there is no such organisation")]
    OrganisationUnknown,
    /// The organisation has no such site.
    #[error("the organisation has no such site")]
    SiteUnknown,
    /// The organisation has no such person.
    #[error("the organisation has no such person")]
    PersonUnknown,
    /// The organisation has no such robot.
    #[error("the organisation has no such robot")]
    RobotUnknown,
    /// There is no such token, or it is somebody else's.
    #[error("there is no such token")]
    TokenUnknown,
    /// Nobody was given this sign-in link.
    #[error("there is no such sign-in link")]
    LinkUnknown,
    /// The sign-in link is too old.
    #[error("the sign-in link has expired")]
    LinkExpired,
    /// The sign-in link was used as often as it may be.
    #[error("the sign-in link has been used already")]
    LinkSpent,
    /// The key is somebody else's, or was removed: neither is taken again.
    #[error("the key belongs to somebody else or was removed before")]
    KeyTaken,
    /// There is no such key, or it is somebody else's.
    #[error("there is no such key")]
    KeyUnknown,
    /// More than anybody needs; which one is to go, only they know.
    #[error(
        "you have {} passkeys: remove one first",
        protocol::roster::MAX_KEYS_OF_PERSON
    )]
    TooManyPasskeys,
    /// Nothing that anybody could have signed with.
    #[error("it is no Ed25519 public key")]
    NotAKey,
    /// Another root key was named before: robots have pinned that one.
    #[error("another root key was named before, and robots have pinned it")]
    RootNamedAlready,
    /// Rosters need a root that signs them.
    #[error("the organisation has no root key yet")]
    RootNotNamed,
    /// Not a sealed roster at all.
    #[error("it can't be read as a sealed roster")]
    RosterUnreadable,
    /// Sealed by another key, or altered since.
    #[error("the roster was not signed by the organisation's root key")]
    RosterNotByRoot,
    /// For another organisation's robots.
    #[error("the roster is another organisation's")]
    RosterOfAnother,
    /// No robot could use it.
    #[error(transparent)]
    RosterFlawed(#[from] RosterFlaw),
    /// A number or a moment that no table holds: nothing could follow it.
    #[error("the roster's number or its times are beyond counting")]
    RosterBeyondCounting,
    /// Robots never go back, so there is no use in handing it out.
    #[error("the roster's number is not above the latest one's")]
    RosterNotNewer,
    /// It would admit nobody.
    #[error("the roster is past its end already")]
    RosterExpired,
    /// It fits in no frame.
    #[error("the sealed roster is larger than a robot takes")]
    RosterTooLarge,
    /// Robots never go back.
    #[error("the number of the list of revocations is not above the latest one's")]
    RevocationsNotNewer,
    /// It is too long, ends before it begins, or is not what was sealed.
    #[error("the list of revocations is none that a robot takes")]
    RevocationsUnsound,
}

impl Refusal {
    /// The frozen code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NameEmpty => "name_empty",
            Self::NameTooLong => "name_too_long",
            Self::NameUnprintable => "name_unprintable",
            Self::NameTaken => "name_taken",
            Self::OrganisationUnknown => "organisation_unknown",
            Self::SiteUnknown => "site_unknown",
            Self::PersonUnknown => "person_unknown",
            Self::RobotUnknown => "robot_unknown",
            Self::TokenUnknown => "token_unknown",
            Self::LinkUnknown => "link_unknown",
            Self::LinkExpired => "link_expired",
            Self::LinkSpent => "link_spent",
            Self::KeyTaken => "key_taken",
            Self::KeyUnknown => "key_unknown",
            Self::TooManyPasskeys => "too_many_passkeys",
            Self::NotAKey => "not_a_key",
            Self::RootNamedAlready => "root_named_already",
            Self::RootNotNamed => "root_not_named",
            Self::RosterUnreadable => "roster_unreadable",
            Self::RosterNotByRoot => "roster_not_by_root",
            Self::RosterOfAnother => "roster_of_another_organisation",
            Self::RosterFlawed(_) => "roster_flawed",
            Self::RosterBeyondCounting => "roster_beyond_counting",
            Self::RosterNotNewer => "roster_not_newer",
            Self::RosterExpired => "roster_expired",
            Self::RosterTooLarge => "roster_too_large",
            Self::RevocationsNotNewer => "revocations_not_newer",
            Self::RevocationsUnsound => "revocations_unsound",
        }
    }
}
