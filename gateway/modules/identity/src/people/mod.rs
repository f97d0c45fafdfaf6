//! Organisations, their sites and the people in them.

#[cfg(feature = "store")]
pub(crate) mod store;

use protocol::{OrganisationId, PersonId, SiteId, views::RoleGrant};

/// A company or body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Its id.
    pub organisation: OrganisationId,
    /// Its name.
    pub name: String,
}

/// A place where robots work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its id.
    pub site: SiteId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Its name.
    pub name: String,
}

/// A person and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their id.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// Their organisation.
    pub organisation: OrganisationId,
    /// Its name.
    pub organisation_name: String,
    /// Their roles.
    pub roles: Vec<RoleGrant>,
}
