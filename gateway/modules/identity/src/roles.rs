//! What each role may do, and where.

use std::collections::BTreeSet;

use protocol::{
    SiteId,
    views::{Role, RoleGrant},
};

/// Something that not everybody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// See which robots there are, where they are and how they are.
    SeeFleet,
    /// Watch a robot's cameras and scans: they show people's rooms.
    Watch,
    /// Steer a robot and tell it what to do.
    Command,
    /// Take control of a robot from whoever has it.
    TakeOver,
    /// Read the log of events.
    SeeEvents,
    /// Enrol robots, grant roles, issue and revoke tokens.
    Administer,
    /// Ask for work, and see and steer the work that one asked for.
    RequestWork,
    /// See everybody's jobs, calls for help and complaints.
    SeeJobs,
    /// Give jobs to robots, pause and call them off, decide after incidents, answer calls for help.
    RunJobs,
    /// Look into complaints and rule on them.
    Review,
}

impl Permission {
    /// Every permission, for tables and tests.
    pub const ALL: [Self; 10] = [
        Self::SeeFleet,
        Self::Watch,
        Self::Command,
        Self::TakeOver,
        Self::SeeEvents,
        Self::Administer,
        Self::RequestWork,
        Self::SeeJobs,
        Self::RunJobs,
        Self::Review,
    ];
}

const fn role_has(role: Role, permission: Permission) -> bool {
    match (role, permission) {
        (
            Role::Operator | Role::Supervisor | Role::Requester | Role::Owner | Role::Admin,
            Permission::SeeFleet,
        )
        | (
            Role::Operator | Role::Supervisor,
            Permission::Watch
            | Permission::Command
            | Permission::SeeJobs
            | Permission::RunJobs
            | Permission::Review,
        )
        | (Role::Supervisor, Permission::TakeOver)
        | (Role::Requester, Permission::RequestWork)
        | (Role::Owner, Permission::SeeJobs)
        | (
            Role::Admin,
            Permission::Watch
            | Permission::SeeEvents
            | Permission::Administer
            | Permission::SeeJobs
            | Permission::RunJobs
            | Permission::Review,
        ) => true,
        (
            Role::Operator | Role::Supervisor,
            Permission::SeeEvents | Permission::Administer | Permission::RequestWork,
        )
        | (Role::Operator, Permission::TakeOver)
        | (
            Role::Requester | Role::Owner,
            Permission::Watch
            | Permission::Command
            | Permission::TakeOver
            | Permission::SeeEvents
            | Permission::Administer
            | Permission::RunJobs
            | Permission::Review,
        )
        | (Role::Requester, Permission::SeeJobs)
        | (Role::Owner | Role::Admin, Permission::RequestWork)
        // Who may hand out rights must not also move robots: that takes a second grant that shows in the log.
        | (Role::Admin, Permission::Command | Permission::TakeOver) => false,
    }
}

/// Whether `grants` give `permission` at `site`. What concerns no site, or all of them, takes a grant for all sites.
pub fn allows(grants: &[RoleGrant], permission: Permission, site: Option<SiteId>) -> bool {
    grants.iter().any(|grant| {
        role_has(grant.role, permission) && (grant.site.is_none() || grant.site == site)
    })
}

/// How far a permission reaches inside an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// All sites, also those to come.
    Everywhere,
    /// These sites only; possibly none.
    Sites(BTreeSet<SiteId>),
}

impl Reach {
    /// Whether the permission is not given anywhere.
    pub fn is_nowhere(&self) -> bool {
        match self {
            Self::Everywhere => false,
            Self::Sites(sites) => sites.is_empty(),
        }
    }

    /// Whether `site` is within reach.
    pub fn covers(&self, site: SiteId) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Sites(sites) => sites.contains(&site),
        }
    }

    /// The sites as a filter; absent for all of them.
    pub fn sites(&self) -> Option<Vec<SiteId>> {
        match self {
            Self::Everywhere => None,
            Self::Sites(sites) => Some(sites.iter().copied().collect()),
        }
    }
}

/// Where `grants` give `permission`.
pub fn reach(grants: &[RoleGrant], permission: Permission) -> Reach {
    let mut sites = BTreeSet::new();
    for grant in grants
        .iter()
        .filter(|grant| role_has(grant.role, permission))
    {
        match grant.site {
            None => return Reach::Everywhere,
            Some(site) => sites.insert(site),
        };
    }
    Reach::Sites(sites)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const WING_A: SiteId = SiteId(Uuid::from_u128(1));
    const WING_B: SiteId = SiteId(Uuid::from_u128(2));

    const YES: bool = true;
    const NO: bool = false;

    /// Columns as in `Permission::ALL`: see the fleet, watch, command, take over, see events, administer, request work, see jobs, run
    /// jobs, review.
    const TABLE: [(Role, [bool; 10]); 5] = [
        (
            Role::Operator,
            [YES, YES, YES, NO, NO, NO, NO, YES, YES, YES],
        ),
        (
            Role::Supervisor,
            [YES, YES, YES, YES, NO, NO, NO, YES, YES, YES],
        ),
        (Role::Requester, [YES, NO, NO, NO, NO, NO, YES, NO, NO, NO]),
        (Role::Owner, [YES, NO, NO, NO, NO, NO, NO, YES, NO, NO]),
        (Role::Admin, [YES, YES, NO, NO, YES, YES, NO, YES, YES, YES]),
    ];

    fn grant(role: Role, site: Option<SiteId>) -> RoleGrant {
        RoleGrant { role, site }
    }

    #[test]
    fn each_role_may_do_exactly_what_the_table_says() {
        for (role, row) in TABLE {
            for (permission, expected) in Permission::ALL.into_iter().zip(row) {
                let everywhere = [grant(role, None)];
                assert_eq!(
                    allows(&everywhere, permission, None),
                    expected,
                    "{role:?} {permission:?}"
                );
                assert_eq!(allows(&everywhere, permission, Some(WING_A)), expected);
                assert_eq!(
                    reach(&everywhere, permission) == Reach::Everywhere,
                    expected
                );
            }
        }
    }

    #[test]
    fn a_grant_for_one_site_holds_nowhere_else() {
        for (role, row) in TABLE {
            for (permission, expected) in Permission::ALL.into_iter().zip(row) {
                let here = [grant(role, Some(WING_A))];
                assert_eq!(allows(&here, permission, Some(WING_A)), expected);
                assert!(!allows(&here, permission, Some(WING_B)));
                assert!(!allows(&here, permission, None));
                assert_eq!(reach(&here, permission).covers(WING_A), expected);
                assert!(!reach(&here, permission).covers(WING_B));
            }
        }
    }

    #[test]
    fn grants_add_up_and_none_gives_nothing() {
        let both = [
            grant(Role::Operator, Some(WING_A)),
            grant(Role::Admin, Some(WING_B)),
        ];

        assert!(allows(&both, Permission::Command, Some(WING_A)));
        assert!(!allows(&both, Permission::Command, Some(WING_B)));
        assert!(!allows(&both, Permission::Administer, Some(WING_A)));
        assert_eq!(
            reach(&both, Permission::Watch).sites(),
            Some(vec![WING_A, WING_B])
        );
        for permission in Permission::ALL {
            assert!(!allows(&[], permission, None));
            assert!(reach(&[], permission).is_nowhere());
        }
    }
}
