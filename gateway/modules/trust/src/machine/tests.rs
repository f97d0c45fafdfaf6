//! Every cell of (phase × event × role), and what must hold after any run of proposals.

mod matrix;

use proptest::prelude::*;
use protocol::{
    CaseId, EvidenceId, JobId,
    case::{CaseKind, SaltedHash},
};
use uuid::Uuid;

use super::*;
use crate::replay::{Step, replay};

const T0: UnixMicros = UnixMicros(1_700_000_000_000_000);
const CASE: CaseId = CaseId(Uuid::from_u128(1));
const ADA: PersonId = PersonId(Uuid::from_u128(21));
const GRACE: PersonId = PersonId(Uuid::from_u128(22));

/// Ada complains; Grace has nothing to do with the job.
const ACTORS: [(&str, Actor); 8] = [
    ("its requester", Actor::Requester(ADA)),
    ("another requester", Actor::Requester(GRACE)),
    ("operator", Actor::Operator(GRACE)),
    ("the same person as operator", Actor::Operator(ADA)),
    ("owner", Actor::Owner(GRACE)),
    ("admin", Actor::Admin(GRACE)),
    ("the same person as admin", Actor::Admin(ADA)),
    ("cloud", Actor::Cloud),
];
const REQUESTER: usize = 0;
const OPERATOR: usize = 2;
const ADMIN: usize = 5;
const CLOUD: usize = 7;

fn picture(number: u128) -> EvidenceHash {
    EvidenceHash {
        evidence: EvidenceId(Uuid::from_u128(number)),
        media_type: "image/png".to_owned(),
        salted_sha256: [3; 32],
    }
}

fn opened() -> CaseEvent {
    CaseEvent::Opened {
        case: CASE,
        job: JobId(Uuid::from_u128(2)),
        about: CaseKind::PropertyDamage,
        severity: 3,
        requester: ADA,
        words: SaltedHash([1; 32]),
        pictures: vec![picture(1), picture(2)],
    }
}

fn frozen() -> CaseEvent {
    CaseEvent::EvidenceFrozen {
        entries: 17,
        head: [4; 32],
        files: vec![picture(9)],
    }
}

fn ruled(ruling: Ruling) -> CaseEvent {
    CaseEvent::Ruled {
        ruling,
        reason: SaltedHash([5; 32]),
    }
}

/// A case that came to `phase` on the ordinary way, triaged at `severity` if it came so far.
fn at(phase: Option<CasePhase>, severity: u8) -> Option<Case> {
    let triaged = CaseEvent::Triaged { severity };
    let way = [opened(), frozen(), triaged, CaseEvent::ReviewStarted {}];
    let (steps, last) = match phase? {
        CasePhase::Opened => (1, None),
        CasePhase::EvidenceFrozen => (2, None),
        CasePhase::Triaged => (3, None),
        CasePhase::UnderReview => (4, None),
        CasePhase::Upheld => (4, Some(ruled(Ruling::Upheld))),
        CasePhase::PartlyUpheld => (4, Some(ruled(Ruling::PartlyUpheld))),
        CasePhase::Rejected => (4, Some(ruled(Ruling::Rejected))),
        CasePhase::Withdrawn => (1, Some(CaseEvent::Withdrawn {})),
    };
    let way = way.iter().take(steps).chain(&last);
    way.fold(None, |case, event| apply(case, event, T0))
}

fn phases() -> impl Iterator<Item = Option<CasePhase>> {
    std::iter::once(None).chain(CasePhase::ALL.map(Some))
}

/// What can be proposed, and how gravely the case was triaged before.
fn proposals() -> [(&'static str, CaseEvent, u8); 7] {
    [
        ("case.opened", opened(), 2),
        ("case.evidence_frozen", frozen(), 2),
        ("case.triaged", CaseEvent::Triaged { severity: 4 }, 2),
        ("case.review_started", CaseEvent::ReviewStarted {}, 2),
        ("case.ruled, triaged at 1 or 2", ruled(Ruling::Upheld), 2),
        ("case.ruled, triaged at 3 to 5", ruled(Ruling::Upheld), 3),
        ("case.withdrawn", CaseEvent::Withdrawn {}, 2),
    ]
}

/// A proposal's name, from where, by whom (places in `ACTORS`) and to where it moves a case.
type Arrow = (
    &'static str,
    &'static [Option<CasePhase>],
    &'static [usize],
    CasePhase,
);

/// Proposals that may happen. All else is refused.
const ALLOWED: [Arrow; 7] = {
    const OPENED: Option<CasePhase> = Some(CasePhase::Opened);
    const FROZEN: Option<CasePhase> = Some(CasePhase::EvidenceFrozen);
    const TRIAGED: Option<CasePhase> = Some(CasePhase::Triaged);
    const REVIEW: Option<CasePhase> = Some(CasePhase::UnderReview);
    const JUDGES: &[usize] = &[OPERATOR, ADMIN];
    [
        ("case.opened", &[None], &[REQUESTER], CasePhase::Opened),
        (
            "case.evidence_frozen",
            &[OPENED],
            &[CLOUD],
            CasePhase::EvidenceFrozen,
        ),
        (
            "case.triaged",
            &[FROZEN, TRIAGED],
            JUDGES,
            CasePhase::Triaged,
        ),
        (
            "case.review_started",
            &[TRIAGED],
            JUDGES,
            CasePhase::UnderReview,
        ),
        (
            "case.ruled, triaged at 1 or 2",
            &[REVIEW],
            JUDGES,
            CasePhase::Upheld,
        ),
        (
            "case.ruled, triaged at 3 to 5",
            &[REVIEW],
            &[ADMIN],
            CasePhase::Upheld,
        ),
        (
            "case.withdrawn",
            &[OPENED, FROZEN, TRIAGED, REVIEW],
            &[REQUESTER],
            CasePhase::Withdrawn,
        ),
    ]
};

#[test]
fn every_role_moves_every_phase_as_the_table_says_or_not_at_all() {
    for ((name, event, severity), (same, from, by, to)) in proposals().into_iter().zip(ALLOWED) {
        assert_eq!(name, same);
        for phase in phases() {
            for (index, (role, actor)) in ACTORS.into_iter().enumerate() {
                let before = at(phase, severity);

                let answer = decide(before.as_ref(), &event, actor);

                let is_allowed = from.contains(&phase) && by.contains(&index);
                assert_eq!(answer.is_ok(), is_allowed, "{name} in {phase:?} by {role}");
                if is_allowed {
                    let after = apply(before.clone(), &event, T0.plus(1)).unwrap();
                    assert_eq!(after.phase, to, "{name} in {phase:?}");
                    assert_eq!(after.version, before.map_or(0, |case| case.version) + 1);
                    assert_eq!(after.updated_at, T0.plus(1));
                }
            }
        }
    }
}

#[test]
fn each_ruling_ends_the_case_with_its_reason() {
    let before = at(Some(CasePhase::UnderReview), 5);
    for (ruling, phase) in [
        (Ruling::Upheld, CasePhase::Upheld),
        (Ruling::PartlyUpheld, CasePhase::PartlyUpheld),
        (Ruling::Rejected, CasePhase::Rejected),
    ] {
        let after = apply(before.clone(), &ruled(ruling), T0).unwrap();

        assert_eq!((after.phase, after.ruling()), (phase, Some(ruling)));
        assert_eq!(after.reason, Some(SaltedHash([5; 32])));
    }
}

#[test]
fn an_operator_rules_by_the_reviewers_severity_not_by_the_requesters() {
    for (triaged, expected) in [
        (1, Ok(())),
        (2, Ok(())),
        (3, Err(Refusal::TooGraveForOperator)),
        (5, Err(Refusal::TooGraveForOperator)),
    ] {
        let case = at(Some(CasePhase::UnderReview), triaged);

        let answer = decide(
            case.as_ref(),
            &ruled(Ruling::Rejected),
            Actor::Operator(GRACE),
        );

        assert_eq!(answer, expected, "triaged at {triaged}");
    }
}

#[test]
fn a_severity_is_from_one_to_five_for_whoever_states_it() {
    let filed = at(Some(CasePhase::EvidenceFrozen), 1);
    for severity in [0, 1, 5, 6, u8::MAX] {
        let expected = if (1..=5).contains(&severity) {
            Ok(())
        } else {
            Err(Refusal::SeverityOutOfRange)
        };
        let mut filing = opened();
        if let CaseEvent::Opened { severity: said, .. } = &mut filing {
            *said = severity;
        }

        assert_eq!(decide(None, &filing, Actor::Requester(ADA)), expected);
        let triage = CaseEvent::Triaged { severity };
        assert_eq!(
            decide(filed.as_ref(), &triage, Actor::Admin(GRACE)),
            expected
        );
    }
}

#[test]
fn pictures_are_few_named_once_and_of_a_type_that_browsers_show() {
    let of_type = |media_type: &str| EvidenceHash {
        media_type: media_type.to_owned(),
        ..picture(1)
    };
    for (named, expected) in [
        (vec![], Ok(())),
        ((1..=3).map(picture).collect(), Ok(())),
        (
            (1..=4).map(picture).collect(),
            Err(Refusal::TooManyPictures),
        ),
        (vec![picture(1), picture(1)], Err(Refusal::PictureRepeated)),
        (vec![of_type("image/webp"), picture(2)], Ok(())),
        (
            vec![of_type("image/svg+xml")],
            Err(Refusal::MediaTypeUnknown),
        ),
        (vec![of_type("IMAGE/PNG")], Err(Refusal::MediaTypeUnknown)),
    ] {
        let mut filing = opened();
        if let CaseEvent::Opened { pictures, .. } = &mut filing {
            pictures.clone_from(&named);
        }

        let answer = decide(None, &filing, Actor::Requester(ADA));

        assert_eq!(answer, expected, "{named:?}");
    }
}

#[test]
fn an_empty_record_is_not_frozen_and_one_beyond_every_plan_neither() {
    let filed = at(Some(CasePhase::Opened), 1);
    let freeze = |entries, files: usize| CaseEvent::EvidenceFrozen {
        entries,
        head: [4; 32],
        files: vec![picture(1); files],
    };
    for (event, expected) in [
        (freeze(0, 0), Err(Refusal::NothingFrozen)),
        (freeze(1, 0), Ok(())),
        (freeze(1, MAX_FROZEN_FILES), Ok(())),
        (freeze(1, MAX_FROZEN_FILES + 1), Err(Refusal::TooManyFiles)),
    ] {
        assert_eq!(decide(filed.as_ref(), &event, Actor::Cloud), expected);
    }
}

#[test]
fn an_entry_of_another_case_is_named_as_illegal() {
    let event = opened();
    let step = Step {
        event: &event,
        actor: Actor::Requester(ADA),
        at: T0,
    };

    let refused = replay(CaseId(Uuid::from_u128(9)), [step]).unwrap_err();

    assert_eq!((refused.number, refused.refusal), (1, Refusal::WrongCase));
    assert_eq!(
        refused.to_string(),
        "entry 1 (case.opened) may not follow: the event names another case than its stream does"
    );
}

fn any_event() -> impl Strategy<Value = CaseEvent> {
    prop_oneof![
        Just(opened()),
        (0_u64..3).prop_map(|entries| CaseEvent::EvidenceFrozen {
            entries,
            head: [4; 32],
            files: Vec::new(),
        }),
        (0_u8..7).prop_map(|severity| CaseEvent::Triaged { severity }),
        Just(CaseEvent::ReviewStarted {}),
        prop::sample::select(vec![Ruling::Upheld, Ruling::PartlyUpheld, Ruling::Rejected])
            .prop_map(ruled),
        Just(CaseEvent::Withdrawn {}),
    ]
}

fn any_actor() -> impl Strategy<Value = Actor> {
    prop::sample::select(ACTORS.map(|(_, actor)| actor).to_vec())
}

fn makes_sense(case: &Case) -> Result<(), TestCaseError> {
    let is_withdrawn = case.phase == CasePhase::Withdrawn;
    let is_filed_only = case.phase == CasePhase::Opened;
    prop_assert!(is_withdrawn || case.frozen.is_none() == is_filed_only);
    let is_untriaged = is_filed_only || case.phase == CasePhase::EvidenceFrozen;
    prop_assert!(is_withdrawn || case.triaged_severity.is_none() == is_untriaged);
    prop_assert!(case.triaged_severity.is_none() || case.frozen.is_some());
    prop_assert_eq!(case.reason.is_some(), case.ruling().is_some());
    prop_assert!((1..=5).contains(&case.gravity()));
    Ok(())
}

type Entry = (CaseEvent, Actor, UnixMicros);

fn replayed(entries: &[Entry]) -> Result<Option<Case>, crate::replay::IllegalEntry> {
    let steps = entries.iter().map(|(event, actor, at)| Step {
        event,
        actor: *actor,
        at: *at,
    });
    replay(CASE, steps)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_run_of_proposals_makes_sense_and_replays_to_the_same_case(
        proposals in prop::collection::vec((any_event(), any_actor()), 1..40)
    ) {
        let mut case: Option<Case> = None;
        let mut recorded: Vec<Entry> = Vec::new();
        for (second, (event, actor)) in (0..).zip(proposals) {
            let at = T0.plus(second * 1_000_000);
            let answer = decide(case.as_ref(), &event, actor);
            recorded.push((event, actor, at));
            let Err(refusal) = answer else {
                prop_assert!(case.as_ref().is_none_or(|case| !case.phase.is_over()), "what was over moved");
                case = recorded.last().and_then(|(event, _, at)| apply(case, event, *at));
                makes_sense(case.as_ref().unwrap())?;
                continue;
            };
            let illegal = replayed(&recorded).unwrap_err();
            prop_assert_eq!(illegal.number, recorded.len() as u64);
            prop_assert_eq!(illegal.refusal, refusal);
            recorded.pop();
        }
        prop_assert_eq!(replayed(&recorded), Ok(case));
    }
}
