//! Why a wish about people, robots or secrets was turned down. Nothing was changed.

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
    /// The key belongs to another robot.
    #[error("the key belongs to another robot")]
    KeyTaken,
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
        }
    }
}
