//! Claims about whom a robot believes: what the gateway, or anybody, makes up by itself moves nothing.

#[path = "../../tests/cast/mod.rs"]
pub(crate) mod cast;
mod passkeys;

use ed25519_dalek::SigningKey;
use protocol::{
    GrantId, PersonId,
    control::{ControlNotice, ControlSpan},
    grant::{GRANT_LASTS_S, Place, Zone},
    limits::CONTROL_LASTS_MS,
    roster::{PolicyKey, RosteredPerson},
    views::{Role, RoleGrant},
};
use uuid::Uuid;

use self::cast::{
    HOUSE, JUNIPER, MIRA, WING_B, base64, foreign, grant, miras_key, page, policy, present_as,
    presentation, public, revocations, root, root_key, roster, rostered, seal,
};
use super::*;

const NOW: Clocks = Clocks {
    tick_ms: 10_000,
    at: UnixMicros(1_700_000_000_000_000),
};
const EPOCH: u64 = 41;
const NONCE: [u8; 32] = [8; 32];
const NEXT: [u8; 32] = [9; 32];

fn pinned() -> Pinned {
    Pinned {
        organisation: HOUSE,
        site: WING_B,
        robot: JUNIPER,
        root: Some(root_key()),
    }
}

fn held(epoch: u64) -> Authority {
    let mut authority = Authority::default();
    let notice = ControlNotice {
        epoch,
        held: Some(ControlSpan {
            seen_tick_ms: NOW.tick_ms,
            lasts_ms: CONTROL_LASTS_MS,
        }),
        is_let_go: false,
    };
    authority.hear(&notice, NOW.tick_ms);
    authority
}

fn sealed_roster(roster: &Roster) -> Vec<u8> {
    seal(Kind::Roster, roster, &root())
}

fn sealed_list(list: &Revocations) -> Vec<u8> {
    seal(Kind::Revocations, list, &policy())
}

fn with(roster: &Roster, list: &Revocations) -> Trust {
    let mut trust = Trust::remembering(pinned(), Kept::default(), NONCE);
    trust.hear_roster(&sealed_roster(roster)).unwrap();
    trust.hear_revocations(&sealed_list(list)).unwrap();
    trust
}

fn enrolled() -> Trust {
    with(&roster(3, NOW.at), &revocations(7, NOW.at))
}

fn shown(trust: &mut Trust, presentation: &Presentation) -> Result<(), GrantRefusal> {
    shown_at(trust, presentation, NOW)
}

fn shown_at(
    trust: &mut Trust,
    presentation: &Presentation,
    clocks: Clocks,
) -> Result<(), GrantRefusal> {
    match trust.present(presentation, &held(EPOCH), clocks, NEXT) {
        GrantEvent::Accepted { .. } => Ok(()),
        GrantEvent::Refused { reason, .. } => Err(reason),
        other => panic!("{other:?}"),
    }
}

fn sealed_by(grant: &Grant, key: &SigningKey) -> Presentation {
    let sealed = seal(Kind::Grant, grant, key);
    present_as(&sealed, grant.session_key, JUNIPER, NONCE, &miras_key())
}

#[test]
fn a_grant_that_everybody_signed_is_believed_and_said() {
    let mut trust = enrolled();
    let grant = grant(1, EPOCH, NOW.at);

    let event = trust.present(&presentation(&grant, NONCE), &held(EPOCH), NOW, NEXT);

    assert_eq!(
        event,
        GrantEvent::Accepted {
            grant: grant.grant,
            person: MIRA,
            session_key: name_of(&public(&page())),
            bound_by: name_of(&public(&miras_key())),
            epoch: EPOCH,
            roster: 3,
        }
    );
    let state = trust.state();
    let expected = OpenSession {
        grant: grant.grant,
        person: MIRA,
        key: name_of(&public(&page())),
        epoch: EPOCH,
    };
    assert_eq!(state.session, Some(expected));
    assert_eq!((state.nonce, state.refused), (NEXT, None));
    assert_eq!((state.roster, state.revocations), (3, 7));
}

/// Shows what is not to be believed, and then, that it used nothing up.
fn is_refused(case: &str, shown_grant: &Presentation, reason: GrantRefusal) {
    let mut trust = enrolled();

    assert_eq!(shown(&mut trust, shown_grant), Err(reason), "{case}");

    let state = trust.state();
    assert_eq!(state.session, None, "{case}");
    let told = state.refused.map(|refused| refused.reason);
    assert_eq!(told, Some(reason), "{case}");
    // The nonce was not used: the true one still fits.
    let good = presentation(&grant(1, EPOCH, NOW.at), NONCE);
    assert_eq!(shown(&mut trust, &good), Ok(()), "{case}");
}

#[test]
fn no_grant_is_believed_that_somebody_did_not_sign_for_this_robot_and_page() {
    use GrantRefusal::{KeyNotRostered, NotARenewal, NotBound, NotByPolicy, Unreadable};
    let good = grant(1, EPOCH, NOW.at);
    let sealed = seal(Kind::Grant, &good, &policy());
    let (key, rowan) = (public(&page()), RobotId(Uuid::from_u128(99)));
    let bound = |key, robot, nonce, by: &SigningKey| present_as(&sealed, key, robot, nonce, by);
    let unbound = |grant: &str| Presentation {
        passkey: None,
        grant: grant.to_owned(),
        assertion: None,
    };
    let mut flipped = bound(key, JUNIPER, NONCE, &miras_key());
    // A byte of the signature.
    let last = flipped.grant.len() - 8;
    let is_a = flipped.grant.as_bytes()[last] == b'A';
    flipped
        .grant
        .replace_range(last..=last, if is_a { "B" } else { "A" });
    let by = |signer: &SigningKey| bound(key, JUNIPER, NONCE, signer);
    for (case, shown_grant, reason) in [
        (
            "its own policy key",
            sealed_by(&good, &foreign()),
            NotByPolicy,
        ),
        ("its own operator key", by(&foreign()), KeyNotRostered),
        (
            "the policy key as an operator",
            by(&policy()),
            KeyNotRostered,
        ),
        (
            "another page",
            bound([7; 32], JUNIPER, NONCE, &miras_key()),
            NotBound,
        ),
        (
            "another robot",
            bound(key, rowan, NONCE, &miras_key()),
            NotBound,
        ),
        (
            "an older nonce",
            bound(key, JUNIPER, [1; 32], &miras_key()),
            NotBound,
        ),
        ("never bound", unbound(&base64(&sealed)), NotARenewal),
        ("altered on the way", flipped, NotByPolicy),
        ("nonsense", unbound("?"), Unreadable),
        (
            "nonsense that is huge",
            unbound(&"A".repeat(200_000)),
            Unreadable,
        ),
    ] {
        is_refused(case, &shown_grant, reason);
    }
}

/// How a grant differs, what that is called, and why it is refused.
type Change = (&'static str, fn(&mut Grant), GrantRefusal);

#[test]
fn no_grant_is_believed_that_is_not_for_this_robot_now() {
    use GrantRefusal::{AnotherRobot, Expired, NotRostered, StaleEpoch};
    let elsewhere = SiteId(Uuid::from_u128(3));
    let changes: [Change; 8] = [
        (
            "of nobody",
            |grant| grant.person = PersonId(Uuid::nil()),
            NotRostered,
        ),
        (
            "of a robot",
            |grant| grant.place = Place::Robot(RobotId(Uuid::nil())),
            AnotherRobot,
        ),
        (
            "of a site",
            |grant| grant.place = Place::Site(SiteId(Uuid::nil())),
            AnotherRobot,
        ),
        (
            "of a house",
            |grant| grant.organisation = OrganisationId(Uuid::nil()),
            AnotherRobot,
        ),
        ("for a year", |grant| grant.expires_s += 31_536_000, Expired),
        (
            "backwards",
            |grant| grant.expires_s = grant.not_before_s - 1,
            Expired,
        ),
        ("without end", |grant| grant.expires_s = i64::MAX, Expired),
        ("older", |grant| grant.epoch = EPOCH - 1, StaleEpoch),
    ];
    for (case, change, reason) in changes {
        let mut other = grant(1, EPOCH, NOW.at);
        change(&mut other);
        is_refused(case, &sealed_by(&other, &policy()), reason);
    }
    // The robot works in Wing B, and so does a grant for all of it.
    for (site, expected) in [(WING_B, Ok(())), (elsewhere, Err(AnotherRobot))] {
        let whole = Grant {
            place: Place::Site(site),
            ..grant(1, EPOCH, NOW.at)
        };
        let shown_grant = presentation(&whole, NONCE);
        assert_eq!(shown(&mut enrolled(), &shown_grant), expected);
    }
}

#[test]
fn an_assertion_is_good_for_once() {
    let mut trust = enrolled();
    let bound = presentation(&grant(1, EPOCH, NOW.at), NONCE);
    assert_eq!(shown(&mut trust, &bound), Ok(()));

    assert_eq!(shown(&mut trust, &bound), Err(GrantRefusal::NotBound));
}

#[test]
fn a_grant_out_of_its_time_by_the_robots_clock_is_refused() {
    let bound = presentation(&grant(1, EPOCH, NOW.at), NONCE);
    for (after_s, expected) in [
        (-CLOCK_SLACK_S - 1, Err(GrantRefusal::Expired)),
        (-CLOCK_SLACK_S, Ok(())),
        (GRANT_LASTS_S + CLOCK_SLACK_S - 1, Ok(())),
        (GRANT_LASTS_S + CLOCK_SLACK_S, Err(GrantRefusal::Expired)),
    ] {
        let clocks = Clocks {
            at: NOW.at.plus(after_s * 1_000_000),
            ..NOW
        };
        // Its list of revocations is in its time throughout.
        let mut trust = with(&roster(3, clocks.at), &revocations(7, clocks.at));
        assert_eq!(
            shown_at(&mut trust, &bound, clocks),
            expected,
            "{after_s} s"
        );
    }
}

#[test]
fn without_a_root_a_roster_or_a_list_in_its_time_nobody_begins() {
    let bound = presentation(&grant(1, EPOCH, NOW.at), NONCE);
    let unpinned = Pinned {
        root: None,
        ..pinned()
    };
    let mut rootless = Trust::remembering(unpinned, Kept::default(), NONCE);
    let believed = rootless.hear_roster(&sealed_roster(&roster(3, NOW.at)));
    assert_eq!(believed, Err(NotBelieved::NoRoot));
    assert_eq!(shown(&mut rootless, &bound), Err(GrantRefusal::NoRoot));

    let mut bare = Trust::remembering(pinned(), Kept::default(), NONCE);
    assert_eq!(shown(&mut bare, &bound), Err(GrantRefusal::NoRoster));

    let old = |lasts_us: i64| NOW.at.plus(-lasts_us);
    let mut late = with(
        &roster(3, old(90 * 86_400_000_000)),
        &revocations(7, NOW.at),
    );
    assert_eq!(shown(&mut late, &bound), Err(GrantRefusal::RosterExpired));
    let mut unheard = with(&roster(3, NOW.at), &revocations(7, old(3_600_000_000)));
    let refused = shown(&mut unheard, &bound);
    assert_eq!(refused, Err(GrantRefusal::RevocationsExpired));
}

#[test]
fn a_roster_is_believed_of_the_pinned_root_alone_and_never_an_older_one() {
    let next = roster(4, NOW.at);
    let elsewhere = Roster {
        organisation: OrganisationId(Uuid::from_u128(9)),
        ..next.clone()
    };
    let twice = Roster {
        people: vec![next.people[0].clone(); 2],
        ..next.clone()
    };
    for (case, sealed, reason) in [
        (
            "the gateway's own",
            seal(Kind::Roster, &next, &foreign()),
            NotBelieved::NotSigned,
        ),
        (
            "the policy key's",
            seal(Kind::Roster, &next, &policy()),
            NotBelieved::NotSigned,
        ),
        (
            "sealed as something else",
            seal(Kind::Event, &next, &root()),
            NotBelieved::NotSigned,
        ),
        (
            "another house's",
            sealed_roster(&elsewhere),
            NotBelieved::AnotherOrganisation,
        ),
        (
            "the same once more",
            sealed_roster(&roster(3, NOW.at)),
            NotBelieved::NotNewer,
        ),
        (
            "an older one",
            sealed_roster(&roster(2, NOW.at)),
            NotBelieved::NotNewer,
        ),
        ("somebody twice", sealed_roster(&twice), NotBelieved::Flawed),
        (
            "one that is huge",
            vec![0; MAX_ROSTER_BYTES + 1],
            NotBelieved::Flawed,
        ),
    ] {
        let mut trust = enrolled();
        assert_eq!(trust.hear_roster(&sealed), Err(reason), "{case}");
        assert_eq!(trust.state().roster, 3, "{case}");
    }
    let mut trust = enrolled();
    assert_eq!(trust.hear_roster(&sealed_roster(&next)), Ok(false));
    assert_eq!(trust.state().roster, 4);
}

#[test]
fn a_list_of_revocations_is_believed_of_a_policy_key_of_the_roster_and_never_an_older_one() {
    let next = revocations(8, NOW.at);
    for (case, sealed, reason) in [
        (
            "somebody else's",
            seal(Kind::Revocations, &next, &foreign()),
            NotBelieved::NotSigned,
        ),
        (
            "an operator's",
            seal(Kind::Revocations, &next, &miras_key()),
            NotBelieved::NotSigned,
        ),
        (
            "an older one",
            sealed_list(&revocations(6, NOW.at)),
            NotBelieved::NotNewer,
        ),
        ("nonsense", vec![1, 2, 3], NotBelieved::NotSigned),
    ] {
        let mut trust = enrolled();
        assert_eq!(trust.hear_revocations(&sealed), Err(reason), "{case}");
        assert_eq!(trust.state().revocations, 7, "{case}");
    }
}

#[test]
fn whoever_is_taken_off_the_roster_or_revoked_is_put_out_at_once() {
    let off = Roster {
        people: Vec::new(),
        ..roster(4, NOW.at)
    };
    let another_key = Roster {
        people: vec![RosteredPerson {
            keys: vec![rostered(&foreign())],
            ..off_to(&[Role::Operator])
        }],
        ..roster(4, NOW.at)
    };
    let no_operator = Roster {
        people: vec![off_to(&[Role::Requester])],
        ..roster(4, NOW.at)
    };
    for roster in [off, another_key, no_operator] {
        let mut trust = enrolled();
        shown(&mut trust, &presentation(&grant(1, EPOCH, NOW.at), NONCE)).unwrap();

        assert_eq!(trust.hear_roster(&sealed_roster(&roster)), Ok(true));
        assert_eq!(trust.state().session, None);
    }
    let next = revocations(8, NOW.at);
    for list in [
        Revocations {
            people: vec![MIRA],
            ..next.clone()
        },
        Revocations {
            keys: vec![name_of(&public(&miras_key()))],
            ..next.clone()
        },
        Revocations {
            keys: vec![name_of(&public(&page()))],
            ..next.clone()
        },
        Revocations {
            grants: vec![GrantId(Uuid::from_u128(1))],
            ..next
        },
    ] {
        let mut trust = enrolled();
        let bound = presentation(&grant(1, EPOCH, NOW.at), NONCE);
        shown(&mut trust, &bound).unwrap();

        assert_eq!(trust.hear_revocations(&sealed_list(&list)), Ok(true));
        assert_eq!(trust.state().session, None);
        let again = presentation(&grant(1, EPOCH, NOW.at), NEXT);
        assert_eq!(shown(&mut trust, &again), Err(GrantRefusal::Revoked));
    }
}

#[test]
fn a_grant_that_was_revoked_takes_along_what_was_renewed_on_it() {
    for renewals in [1_u128, 40] {
        let mut trust = enrolled();
        shown(&mut trust, &presentation(&grant(1, EPOCH, NOW.at), NONCE)).unwrap();
        for number in 2..2 + renewals {
            let renewal = Presentation {
                passkey: None,
                grant: base64(&seal(Kind::Grant, &grant(number, EPOCH, NOW.at), &policy())),
                assertion: None,
            };
            shown(&mut trust, &renewal).unwrap();
        }
        let list = Revocations {
            grants: vec![GrantId(Uuid::from_u128(1))],
            ..revocations(8, NOW.at)
        };

        assert_eq!(trust.hear_revocations(&sealed_list(&list)), Ok(true));
        assert_eq!(trust.state().session, None, "{renewals} renewals");
    }
}

/// Mira with these roles, everywhere.
fn off_to(roles: &[Role]) -> RosteredPerson {
    RosteredPerson {
        passkeys: Vec::new(),
        person: MIRA,
        roles: (roles.iter())
            .map(|&role| RoleGrant { role, site: None })
            .collect(),
        keys: vec![rostered(&miras_key())],
    }
}

#[test]
fn a_renewal_goes_on_and_allows_no_more() {
    let mut trust = enrolled();
    let zone = Zone {
        west_mm: 0,
        south_mm: 0,
        east_mm: 2_000,
        north_mm: 2_000,
    };
    let first = Grant {
        zone: Some(zone),
        ..grant(1, EPOCH, NOW.at)
    };
    shown(&mut trust, &presentation(&first, NONCE)).unwrap();
    let later = Clocks {
        tick_ms: NOW.tick_ms + 300_000,
        at: NOW.at.plus(300_000_000),
    };
    let renewing = |grant: &Grant| Presentation {
        passkey: None,
        grant: base64(&seal(Kind::Grant, grant, &policy())),
        assertion: None,
    };
    let next = Grant {
        zone: Some(zone),
        ..grant(2, EPOCH, later.at)
    };
    let wider = Grant {
        zone: None,
        ..next.clone()
    };
    let refused = shown_at(&mut trust, &renewing(&wider), later);
    assert_eq!(refused, Err(GrantRefusal::NotARenewal));

    assert_eq!(shown_at(&mut trust, &renewing(&next), later), Ok(()));

    assert_eq!(trust.state().session.unwrap().grant, next.grant);
    assert!(!trust.lapse(NOW.tick_ms + 600_000), "it goes on");
    assert!(trust.lapse(later.tick_ms + 600_000), "and ends");
    assert_eq!(trust.state().session, None);
}

#[test]
fn however_often_it_is_renewed_the_persons_own_key_has_to_speak_after_a_shift() {
    let mut trust = enrolled();
    shown(&mut trust, &presentation(&grant(1, EPOCH, NOW.at), NONCE)).unwrap();
    let minutes = |minutes: i64| Clocks {
        tick_ms: NOW.tick_ms + u64::try_from(minutes * 60_000).unwrap(),
        at: NOW.at.plus(minutes * 60_000_000),
    };
    let mut lasted = 0;
    for minute in (5..=24 * 60).step_by(5) {
        let now = minutes(minute);
        let list = revocations(7 + u64::try_from(minute).unwrap(), now.at);
        trust.hear_revocations(&sealed_list(&list)).unwrap();
        trust.lapse(now.tick_ms);
        let grant = grant(u128::try_from(minute).unwrap(), EPOCH, now.at);
        let renewal = Presentation {
            passkey: None,
            grant: base64(&seal(Kind::Grant, &grant, &policy())),
            assertion: None,
        };
        if shown_at(&mut trust, &renewal, now).is_ok() {
            lasted = minute;
        }
    }
    assert_eq!(lasted, 12 * 60 - 5);
}

#[test]
fn what_was_kept_is_believed_after_a_restart_by_its_signature_alone() {
    let kept = enrolled().kept().clone();
    let again = Trust::remembering(pinned(), kept.clone(), NEXT).state();
    assert_eq!((again.roster, again.revocations), (3, 7));
    assert_eq!(again.session, None);

    let forged = Kept {
        roster: Some(seal(Kind::Roster, &roster(9, NOW.at), &foreign())),
        ..kept
    };
    let state = Trust::remembering(pinned(), forged, NEXT).state();
    assert_eq!((state.roster, state.revocations), (0, 0));
}

#[test]
fn who_a_policy_key_let_in_is_out_when_that_key_leaves_the_roster_and_its_list_with_it() {
    let mut trust = enrolled();
    shown(&mut trust, &presentation(&grant(1, EPOCH, NOW.at), NONCE)).unwrap();
    let another = Roster {
        policy_keys: vec![PolicyKey(public(&foreign()))],
        ..roster(4, NOW.at)
    };

    assert_eq!(trust.hear_roster(&sealed_roster(&another)), Ok(true));

    let state = trust.state();
    assert_eq!((state.session, state.revocations), (None, 0));
    // The new key's list counts from wherever it begins.
    let list = seal(Kind::Revocations, &revocations(1, NOW.at), &foreign());
    assert_eq!(trust.hear_revocations(&list), Ok(false));
    assert_eq!(trust.state().revocations, 1);
}

#[test]
fn a_robot_whose_clock_stands_in_the_past_lets_nobody_begin() {
    let mut trust = enrolled();
    let past = Clocks {
        at: NOW.at.plus(-(CLOCK_SLACK_S + 1) * 1_000_000),
        ..NOW
    };
    let bound = presentation(&grant(1, EPOCH, past.at), NONCE);

    let refused = shown_at(&mut trust, &bound, past);

    assert_eq!(refused, Err(GrantRefusal::ClockBehind));
}

#[test]
fn a_policy_key_that_left_the_roster_issues_nothing_more() {
    let mut trust = enrolled();
    let another = Roster {
        policy_keys: vec![PolicyKey(public(&foreign()))],
        ..roster(4, NOW.at)
    };
    trust.hear_roster(&sealed_roster(&another)).unwrap();

    let bound = presentation(&grant(1, EPOCH, NOW.at), NONCE);

    let list = seal(Kind::Revocations, &revocations(1, NOW.at), &foreign());
    trust.hear_revocations(&list).unwrap();
    assert_eq!(shown(&mut trust, &bound), Err(GrantRefusal::NotByPolicy));
}
