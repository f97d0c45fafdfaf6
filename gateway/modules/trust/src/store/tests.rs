//! The store against a real Postgres, as the application's role.

use ed25519_dalek::SigningKey;
use protocol::{
    EvidenceId,
    case::{CaseEvent, Ruling},
};
use spine::Signer;
use sqlx::{Executor as _, PgPool, postgres::PgPoolOptions};

use super::*;
use crate::{Actor, Picture, SaltedText, apply, decide, matches_text};

const T0: UnixMicros = UnixMicros(1_700_000_000_000_000);
const LINDEN: OrganisationId = OrganisationId(Uuid::from_u128(1));
const ASPEN: OrganisationId = OrganisationId(Uuid::from_u128(2));
const WING_A: SiteId = SiteId(Uuid::from_u128(11));
const WING_B: SiteId = SiteId(Uuid::from_u128(12));
const ADA: PersonId = PersonId(Uuid::from_u128(21));
const GRACE: PersonId = PersonId(Uuid::from_u128(22));
const JOB: JobId = JobId(Uuid::from_u128(31));
const SECOND: i64 = 1_000_000;

async fn as_app(owner: &PgPool) -> PgPool {
    PgPoolOptions::new()
        .max_connections(8)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute("SET ROLE nooterra_app").await?;
                Ok(())
            })
        })
        .connect_with(owner.connect_options().as_ref().clone())
        .await
        .unwrap()
}

async fn commit(tx: Tx) {
    let signer = Signer::new(SigningKey::from_bytes(&[1; 32]));
    tx.commit(&signer, T0).await.unwrap();
}

fn id(number: u128) -> CaseId {
    CaseId(Uuid::from_u128(number))
}

fn words() -> SaltedText {
    SaltedText {
        words: "The mug is broken — „entzwei“.".to_owned(),
        salt: [7; 32],
    }
}

fn named(number: u128) -> EvidenceHash {
    EvidenceHash {
        evidence: EvidenceId(Uuid::from_u128(number)),
        media_type: "image/png".to_owned(),
        salted_sha256: [3; 32],
    }
}

fn filed(number: u128, severity: u8, at: UnixMicros) -> Case {
    let event = CaseEvent::Opened {
        case: id(number),
        job: JOB,
        about: CaseKind::PropertyDamage,
        severity,
        requester: ADA,
        words: SaltedHash::of(&words().salt, words().words.as_bytes()),
        pictures: vec![named(1), named(2)],
    };
    decide(None, &event, Actor::Requester(ADA)).unwrap();
    apply(None, &event, at).unwrap()
}

async fn file(app: &PgPool, case: &Case) -> StoredCase {
    let mut tx = Tx::begin(app);
    let stored = insert(&mut tx, LINDEN, WING_A, case).await.unwrap();
    commit(tx).await;
    stored
}

async fn happen(app: &PgPool, case: CaseId, event: &CaseEvent, actor: Actor) -> Case {
    let mut tx = Tx::begin(app);
    let before = load(&mut tx, case).await.unwrap().unwrap().case;
    decide(Some(&before), event, actor).unwrap();
    let after = apply(Some(before.clone()), event, before.updated_at.plus(SECOND)).unwrap();
    save(&mut tx, &before, &after).await.unwrap();
    commit(tx).await;
    after
}

fn way() -> Vec<(CaseEvent, Actor)> {
    let reason = SaltedHash([5; 32]);
    let ruling = Ruling::PartlyUpheld;
    vec![
        (
            CaseEvent::EvidenceFrozen {
                entries: 17,
                head: [4; 32],
                files: vec![named(9)],
            },
            Actor::Cloud,
        ),
        (CaseEvent::Triaged { severity: 5 }, Actor::Operator(GRACE)),
        (CaseEvent::ReviewStarted {}, Actor::Admin(GRACE)),
        (CaseEvent::Ruled { ruling, reason }, Actor::Admin(GRACE)),
    ]
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn every_phase_reads_back_as_it_was_saved(owner: PgPool) {
    let app = as_app(&owner).await;
    let stored = file(&app, &filed(1, 3, T0)).await;
    assert_eq!(peek(&app, id(1)).await.unwrap(), Some(stored.clone()));

    for (event, actor) in way() {
        let case = happen(&app, id(1), &event, actor).await;

        let expected = StoredCase {
            case,
            ..stored.clone()
        };
        assert_eq!(peek(&app, id(1)).await.unwrap(), Some(expected));
    }

    file(&app, &filed(2, 3, T0)).await;
    let withdrawn = happen(&app, id(2), &CaseEvent::Withdrawn {}, Actor::Requester(ADA)).await;
    assert_eq!(peek(&app, id(2)).await.unwrap().unwrap().case, withdrawn);
    assert_eq!(peek(&app, id(3)).await.unwrap(), None);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_same_complaint_is_filed_once_and_numbers_differ(owner: PgPool) {
    let app = as_app(&owner).await;
    let first = file(&app, &filed(1, 3, T0)).await;
    let second = file(&app, &filed(2, 3, T0)).await;
    let mut tx = Tx::begin(&app);

    let again = insert(&mut tx, LINDEN, WING_A, &first.case).await;

    assert!(matches!(again, Err(StoreError::Stale(case)) if case == id(1)));
    assert_ne!(first.number, second.number);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn of_two_reviewers_at_once_the_second_is_told_so(owner: PgPool) {
    let app = as_app(&owner).await;
    file(&app, &filed(1, 3, T0)).await;
    let (freeze, cloud) = way().remove(0);
    let before = happen(&app, id(1), &freeze, cloud).await;
    let first = happen(
        &app,
        id(1),
        &CaseEvent::Triaged { severity: 1 },
        Actor::Admin(GRACE),
    )
    .await;
    let second = apply(
        Some(before.clone()),
        &CaseEvent::Triaged { severity: 5 },
        T0,
    )
    .unwrap();
    let mut tx = Tx::begin(&app);

    let stale = save(&mut tx, &before, &second).await;
    drop(tx);

    assert!(matches!(stale, Err(StoreError::Stale(_))));
    assert_eq!(peek(&app, id(1)).await.unwrap().unwrap().case, first);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_triage_list_has_open_cases_first_then_the_gravest_then_the_oldest(owner: PgPool) {
    let app = as_app(&owner).await;
    // (case, severity, seconds after the first)
    for (number, severity, second) in [
        (1, 3, 0),
        (2, 5, 2),
        (3, 5, 1),
        (4, 1, 0),
        (5, 3, 0),
        (6, 5, 0),
    ] {
        file(&app, &filed(number, severity, T0.plus(second * SECOND))).await;
    }
    happen(&app, id(6), &CaseEvent::Withdrawn {}, Actor::Requester(ADA)).await;
    for (event, actor) in way().into_iter().take(2) {
        // The reviewer finds the fourth graver than its requester did.
        happen(&app, id(4), &event, actor).await;
    }
    let mut seen: Vec<u128> = Vec::new();
    let mut cursor: Option<CaseCursor> = None;

    for page in 0.. {
        let cases = list(&app, &everything(), cursor, 2).await.unwrap();
        seen.extend(numbers(&cases.items));
        if page == 0 {
            // The last one of the first page moves to the end; the second page begins where the first ended all the same.
            happen(&app, id(3), &CaseEvent::Withdrawn {}, Actor::Requester(ADA)).await;
        }
        match cases.next {
            Some(next) => cursor = Some(next.parse().unwrap()),
            None => break,
        }
    }

    assert_eq!(seen, [4, 3, 2, 1, 5, 6, 3]);
    for case in list(&app, &everything(), None, 10).await.unwrap().items {
        let rank: i16 =
            sqlx::query_scalar("SELECT triage_rank FROM trust.case_file WHERE case_id = $1")
                .bind(case.case.case.0)
                .fetch_one(&app)
                .await
                .unwrap();
        assert_eq!(CaseCursor::of(&case.case).rank, rank);
    }
}

fn everything() -> CaseFilter {
    CaseFilter {
        organisation: LINDEN,
        sites: None,
        requester: None,
        job: None,
        phases: None,
    }
}

fn numbers(cases: &[StoredCase]) -> Vec<u128> {
    cases
        .iter()
        .map(|stored| stored.case.case.0.as_u128())
        .collect()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn each_filter_leaves_out_what_it_should(owner: PgPool) {
    let app = as_app(&owner).await;
    let rowan = JobId(Uuid::from_u128(32));
    let of_grace = Case {
        requester: GRACE,
        ..filed(3, 3, T0)
    };
    let of_rowan = Case {
        job: rowan,
        ..filed(4, 3, T0.plus(SECOND))
    };
    let mut tx = Tx::begin(&app);
    for (organisation, site, case) in [
        (LINDEN, WING_A, filed(1, 3, T0)),
        (LINDEN, WING_B, filed(2, 3, T0)),
        (LINDEN, WING_A, of_grace),
        (LINDEN, WING_A, of_rowan),
        (ASPEN, WING_A, filed(5, 3, T0)),
    ] {
        insert(&mut tx, organisation, site, &case).await.unwrap();
    }
    commit(tx).await;
    happen(&app, id(1), &CaseEvent::Withdrawn {}, Actor::Requester(ADA)).await;

    for (filter, expected) in [
        (everything(), vec![2, 3, 4, 1]),
        (
            CaseFilter {
                organisation: ASPEN,
                ..everything()
            },
            vec![5],
        ),
        (
            CaseFilter {
                sites: Some(vec![WING_B]),
                ..everything()
            },
            vec![2],
        ),
        (
            CaseFilter {
                sites: Some(vec![]),
                ..everything()
            },
            vec![],
        ),
        (
            CaseFilter {
                requester: Some(GRACE),
                ..everything()
            },
            vec![3],
        ),
        (
            CaseFilter {
                job: Some(rowan),
                ..everything()
            },
            vec![4],
        ),
        (
            CaseFilter {
                phases: Some(vec![CasePhase::Withdrawn]),
                ..everything()
            },
            vec![1],
        ),
    ] {
        let page = list(&app, &filter, None, 10).await.unwrap();
        assert_eq!(numbers(&page.items), expected, "{filter:?}");
        assert_eq!(page.next, None);
    }
    assert_eq!(of_job(&app, rowan).await.unwrap(), [id(4)]);
    assert_eq!(
        of_jobs(&app, &[rowan, JOB]).await.unwrap().last(),
        Some(&(rowan, id(4)))
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn words_and_pictures_can_be_deleted_and_the_case_stays(owner: PgPool) {
    let app = as_app(&owner).await;
    let picture_kept = Picture {
        evidence: EvidenceId(Uuid::from_u128(1)),
        media_type: "image/png".to_owned(),
        salt: [8; 32],
        content: b"\x89PNG\r\n\x1a\n\0\xFF".to_vec(),
    };
    let because = SaltedText {
        words: "It was whole before.".to_owned(),
        salt: [6; 32],
    };
    let case = filed(1, 3, T0);
    let mut tx = Tx::begin(&app);
    let stored = insert(&mut tx, LINDEN, WING_A, &case).await.unwrap();
    put_words(&mut tx, id(1), &words()).await.unwrap();
    put_reason(&mut tx, id(1), &because).await.unwrap();
    put_picture(&mut tx, id(1), &picture_kept).await.unwrap();
    commit(tx).await;

    let kept = words_of(&app).await;
    assert!(matches_text(case.words, &kept.unwrap()));
    assert_eq!(reason(&app, id(1)).await.unwrap(), Some(because.clone()));
    assert_eq!(
        picture(&app, id(1), picture_kept.evidence).await.unwrap(),
        Some(picture_kept.clone())
    );
    let all = Content {
        words: Some(words().words),
        reason: Some(because.words),
        pictures: vec![picture_kept.evidence],
    };
    assert_eq!(
        contents(&app, &[id(1), id(2)]).await.unwrap(),
        [(id(1), all)].into()
    );

    let mut tx = Tx::begin(&app);
    forget_words(&mut tx, id(1)).await.unwrap();
    forget_pictures(&mut tx, id(1)).await.unwrap();
    commit(tx).await;

    assert_eq!(words_of(&app).await, None);
    assert_eq!(
        picture(&app, id(1), picture_kept.evidence).await.unwrap(),
        None
    );
    assert!(contents(&app, &[id(1)]).await.unwrap().is_empty());
    assert_eq!(peek(&app, id(1)).await.unwrap(), Some(stored));
}

async fn words_of(app: &PgPool) -> Option<SaltedText> {
    super::words(app, id(1)).await.unwrap()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_application_can_neither_change_words_nor_who_complained(owner: PgPool) {
    let app = as_app(&owner).await;
    file(&app, &filed(1, 3, T0)).await;

    for forbidden in [
        "UPDATE trust.case_file SET requester_id = case_id",
        "UPDATE trust.case_file SET words_hash = words_hash",
        "DELETE FROM trust.case_file",
        "UPDATE trust.case_words SET words = 'fine'",
        "UPDATE trust.case_picture SET content = ''",
    ] {
        let refused = sqlx::query(forbidden).execute(&app).await.unwrap_err();
        let denied = refused.as_database_error().unwrap();
        assert_eq!(denied.code().as_deref(), Some("42501"), "{forbidden}");
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_table_refuses_rows_that_no_case_explains(owner: PgPool) {
    let app = as_app(&owner).await;
    file(&app, &filed(1, 3, T0)).await;

    for (senseless, constraint) in [
        ("phase = 'evidence_frozen'", "case_file_frozen_by_phase"),
        (
            "phase = 'withdrawn', frozen_entries = 1",
            "case_file_frozen_whole_or_absent",
        ),
        (
            "phase = 'withdrawn', triaged_severity = 2",
            "case_file_triaged_after_frozen",
        ),
        (
            "phase = 'withdrawn', triaged_severity = 9",
            "case_file_severities_from_one_to_five",
        ),
        (
            "phase = 'withdrawn', reason_hash = '\\x00'",
            "case_file_hashes_are_sha256",
        ),
        (
            "reason_hash = sha256('because')",
            "case_file_reason_iff_ruled",
        ),
        (
            "phase = 'appealed', frozen_entries = 1, frozen_head = sha256('head'), frozen_files = '[]', triaged_severity = 1",
            "case_file_phase_known",
        ),
    ] {
        let update = sqlx::AssertSqlSafe(format!("UPDATE trust.case_file SET {senseless}"));
        let refused = sqlx::query(update).execute(&app).await.unwrap_err();
        let violated = refused.as_database_error().unwrap();
        assert_eq!(violated.constraint(), Some(constraint), "{senseless}");
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn words_that_are_not_what_was_hashed_are_refused_by_the_table(owner: PgPool) {
    let app = as_app(&owner).await;
    file(&app, &filed(1, 3, T0)).await;

    let refused = sqlx::query(
        "INSERT INTO trust.case_words (case_id, part, words, salt, salted_hash)
         SELECT case_id, 'complaint', 'other words', words_hash, words_hash FROM trust.case_file",
    )
    .execute(&app)
    .await
    .unwrap_err();

    let violated = refused.as_database_error().unwrap();
    assert_eq!(
        violated.constraint(),
        Some("case_words_are_what_was_hashed")
    );
}
