//! Claims about grants: how they are written, what binds them, and that intersecting two never allows more than either.

use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::sealed::{self, Kind};

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

const JUNIPER: RobotId = RobotId(Uuid::from_u128(14));
const ROWAN: RobotId = RobotId(Uuid::from_u128(21));
const WING_B: SiteId = SiteId(Uuid::from_u128(2));

fn grant() -> Grant {
    Grant {
        grant: GrantId(id(1)),
        organisation: OrganisationId(id(3)),
        person: PersonId(id(4)),
        place: Place::Robot(JUNIPER),
        not_before_s: 1_700_000_000,
        expires_s: 1_700_000_600,
        session_key: [7; 32],
        epoch: 41,
        verbs: GrantedVerb::ALL.into(),
        zone: Some(Zone {
            west_mm: -1_000,
            south_mm: 0,
            east_mm: 4_000,
            north_mm: 9_000,
        }),
        speed_cap_mm_s: Some(600),
        job: Some(JobId(id(9))),
    }
}

#[test]
fn a_grant_reads_back_as_it_was_written_and_is_a_cwt() {
    let bare = Grant {
        place: Place::Site(WING_B),
        zone: None,
        speed_cap_mm_s: None,
        job: None,
        verbs: BTreeSet::new(),
        ..grant()
    };
    for grant in [grant(), bare] {
        let bytes = deterministic::to_vec(&grant).unwrap();
        assert_eq!(deterministic::from_slice::<Grant>(&bytes).unwrap(), grant);

        let claims: ciborium::Value = deterministic::from_slice(&bytes).unwrap();
        let claims = claims.into_map().unwrap();
        let labels: Vec<i64> = claims
            .iter()
            .filter_map(|(label, _)| label.as_integer()?.try_into().ok())
            .collect();
        assert_eq!(labels, [1, 2, 3, 4, 5, 7, 8]);
    }
}

#[test]
fn a_claim_that_nobody_knows_makes_the_grant_unreadable() {
    let bytes = deterministic::to_vec(&grant()).unwrap();
    let claims: ciborium::Value = deterministic::from_slice(&bytes).unwrap();
    let mut claims = claims.into_map().unwrap();
    claims.push((9.into(), "only on Sundays".into()));

    let bytes = deterministic::to_vec(&ciborium::Value::Map(claims)).unwrap();

    assert!(deterministic::from_slice::<Grant>(&bytes).is_err());
}

#[test]
fn an_assertion_fits_one_grant_one_page_one_robot_and_one_nonce() {
    let policy = SigningKey::from_bytes(&[1; 32]);
    let sealed = sealed::seal(Kind::Grant, &grant(), &policy).unwrap();
    let binding = Binding {
        grant: &sealed,
        session_key: [7; 32],
        robot: JUNIPER,
        nonce: [8; 32],
    };
    let challenge = binding.challenge().unwrap();

    let others = [
        Binding {
            grant: &sealed[1..],
            ..binding.clone()
        },
        Binding {
            session_key: [6; 32],
            ..binding.clone()
        },
        Binding {
            robot: ROWAN,
            ..binding.clone()
        },
        Binding {
            nonce: [9; 32],
            ..binding.clone()
        },
    ];

    for other in others {
        assert_ne!(other.challenge().unwrap(), challenge, "{other:?}");
    }
    assert_eq!(binding.challenge().unwrap(), challenge);
}

#[test]
fn no_grant_lasts_longer_than_ten_minutes_or_less_than_nothing() {
    for (lasts, expected) in [(0, Some(0)), (600, Some(600)), (601, None), (-1, None)] {
        let grant = Grant {
            expires_s: 1_700_000_000 + lasts,
            ..grant()
        };
        assert_eq!(grant.lasts_s(), expected, "{lasts}");
    }
    let endless = Grant {
        not_before_s: i64::MIN,
        expires_s: i64::MAX,
        ..grant()
    };
    assert_eq!(endless.lasts_s(), None);
}

/// A way in which a grant may differ, and what it is called.
type Change = (&'static str, fn(&mut Grant));

#[test]
fn a_renewal_allows_no_more_than_what_was_bound() {
    let first = grant();
    let longer = Grant {
        grant: GrantId(id(2)),
        not_before_s: first.not_before_s + 300,
        expires_s: first.expires_s + 300,
        ..grant()
    };
    assert!(longer.renews(&first));
    let changes: [Change; 10] = [
        ("another page", |grant| grant.session_key = [8; 32]),
        ("another person", |grant| grant.person = PersonId(id(5))),
        ("another epoch", |grant| grant.epoch = 42),
        ("another robot", |grant| grant.place = Place::Robot(ROWAN)),
        ("the site", |grant| grant.place = Place::Site(WING_B)),
        ("a wider zone", |grant| {
            grant.zone.as_mut().unwrap().east_mm += 1;
        }),
        ("no zone", |grant| grant.zone = None),
        ("faster", |grant| grant.speed_cap_mm_s = Some(601)),
        ("as fast as it can", |grant| grant.speed_cap_mm_s = None),
        ("another job", |grant| grant.job = None),
    ];
    for (case, change) in changes {
        let mut other = grant();
        change(&mut other);
        assert!(!other.renews(&first), "{case}");
    }
}

/// Juniper works in Wing B; Rowan elsewhere.
fn site_of(robot: RobotId) -> Option<SiteId> {
    (robot == JUNIPER).then_some(WING_B)
}

fn places() -> impl Strategy<Value = Option<Place>> {
    prop_oneof![
        Just(None),
        Just(Some(Place::Robot(JUNIPER))),
        Just(Some(Place::Robot(ROWAN))),
        Just(Some(Place::Site(WING_B))),
        Just(Some(Place::Site(SiteId(id(99))))),
    ]
}

fn zones() -> impl Strategy<Value = Option<Zone>> {
    let edge = -3..4_i64;
    proptest::option::of((edge.clone(), edge.clone(), edge.clone(), edge).prop_map(
        |(west, south, east, north)| Zone {
            west_mm: west * 1_000,
            south_mm: south * 1_000,
            east_mm: east * 1_000,
            north_mm: north * 1_000,
        },
    ))
}

fn allowances() -> impl Strategy<Value = Allowance> {
    (
        places(),
        -5..5_i64,
        -5..5_i64,
        any::<bool>(),
        zones(),
        proptest::option::of(0..4_u32),
    )
        .prop_map(
            |(places, not_before_s, expires_s, can_go, zone, cap)| Allowance {
                places,
                not_before_s,
                expires_s,
                verbs: GrantedVerb::ALL.into_iter().filter(|_| can_go).collect(),
                zone,
                speed_cap_mm_s: cap,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_048))]

    #[test]
    fn a_child_allows_nothing_that_either_parent_does_not(
        one in allowances(), two in allowances(), three in allowances(),
    ) {
        let child = one.intersect(&two, site_of);

        prop_assert!(child.is_within(&one, site_of) && child.is_within(&two, site_of));
        // However deep the line is.
        let grandchild = child.intersect(&three, site_of);
        prop_assert!(grandchild.is_within(&one, site_of));
        prop_assert_eq!(&child.intersect(&child, site_of), &child);
        prop_assert_eq!(&two.intersect(&one, site_of), &child);
    }

    #[test]
    fn what_a_child_allows_both_parents_allow(
        one in allowances(),
        two in allowances(),
        x_m in -5..5_i32,
        y_m in -5..5_i32,
        at_s in -6..6_i64,
    ) {
        let verb = Verb::NavigateTo { x_m: x_m.into(), y_m: y_m.into(), heading_rad: None };
        let child = one.intersect(&two, site_of);
        for (robot, site) in [(JUNIPER, WING_B), (ROWAN, SiteId(id(99)))] {
            let allowed = |allowance: &Allowance| allowance.allows(robot, site, &verb, at_s);
            if allowed(&child) {
                prop_assert!(allowed(&one) && allowed(&two), "{child:?}");
            }
            if one.is_within(&two, site_of) && allowed(&one) {
                prop_assert!(allowed(&two), "{one:?} is not within {two:?}");
            }
        }
    }
}
