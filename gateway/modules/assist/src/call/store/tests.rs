//! The store against a real Postgres, as the application's role.

use ed25519_dalek::SigningKey;
use protocol::{assist::AssistEnding, job::JobEvent};
use spine::Signer;
use sqlx::{Executor as _, PgPool, postgres::PgPoolOptions};

use super::*;
use crate::{
    CallActor, ESCALATE_AFTER_US, EXPIRE_AFTER_US, START_WITHIN_US, apply_call, decide_call,
    end_with_job, lapse_call,
};

const T0: UnixMicros = UnixMicros(1_700_000_000_000_000);
const LINDEN: OrganisationId = OrganisationId(Uuid::from_u128(1));
const ASPEN: OrganisationId = OrganisationId(Uuid::from_u128(2));
const WING_A: SiteId = SiteId(Uuid::from_u128(11));
const WING_B: SiteId = SiteId(Uuid::from_u128(12));
const ADA: PersonId = PersonId(Uuid::from_u128(21));
const JUNIPER: RobotId = RobotId(Uuid::from_u128(31));
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

fn id(number: u128) -> AssistId {
    AssistId(Uuid::from_u128(number))
}

/// The job of a call has the call's number.
fn opened(number: u128, reason: AssistReason, at: UnixMicros) -> Call {
    let (epoch, actor) = match reason {
        AssistReason::Unsure | AssistReason::Blocked | AssistReason::Asked => {
            (Some(1), CallActor::Robot(JUNIPER))
        }
        AssistReason::Stalled => (None, CallActor::Cloud),
    };
    let event = JobEvent::AssistRequested {
        assist: id(number),
        epoch,
        question: AssistQuestion {
            reason,
            words: "Wie halte ich die Tasse?".to_owned(),
            options: vec!["Am Henkel".to_owned(), "Von oben".to_owned()],
            camera: "head".to_owned(),
        },
    };
    decide_call(None, &event, actor, at).unwrap();
    apply_call(
        None,
        JobId(Uuid::from_u128(number)),
        JUNIPER,
        &event,
        actor,
        at,
    )
    .unwrap()
}

async fn open(app: &PgPool, call: &Call) {
    let mut tx = Tx::begin(app);
    insert_call(&mut tx, LINDEN, WING_A, call).await.unwrap();
    commit(tx).await;
}

async fn happen(
    app: &PgPool,
    assist: AssistId,
    event: &JobEvent,
    actor: CallActor,
    at: UnixMicros,
) -> Call {
    let mut tx = Tx::begin(app);
    let before = load_call(&mut tx, assist).await.unwrap().unwrap().call;
    decide_call(Some(&before), event, actor, at).unwrap();
    let after = apply_call(
        Some(before.clone()),
        before.job,
        before.robot,
        event,
        actor,
        at,
    )
    .unwrap();
    save_call(&mut tx, &before, &after).await.unwrap();
    commit(tx).await;
    after
}

async fn peeked(app: &PgPool, assist: AssistId) -> Call {
    peek_call(app, assist).await.unwrap().unwrap().call
}

const fn offered(assist: AssistId, people: Vec<PersonId>) -> JobEvent {
    JobEvent::AssistOffered { assist, people }
}

const fn ended(assist: AssistId, ending: AssistEnding) -> JobEvent {
    JobEvent::AssistEnded { assist, ending }
}

fn numbers(calls: &[StoredCall]) -> Vec<u128> {
    calls
        .iter()
        .map(|stored| stored.call.assist.0.as_u128())
        .collect()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn every_phase_reads_back_as_it_was_saved(owner: PgPool) {
    let app = as_app(&owner).await;
    let ada = CallActor::Operator(ADA);
    let way = |assist| {
        [
            (offered(assist, vec![ADA]), CallActor::Cloud),
            (JobEvent::AssistClaimed { assist }, ada),
            (JobEvent::AssistStarted { assist }, ada),
            (JobEvent::AssistAnswered { assist, option: 1 }, ada),
        ]
    };
    let last = [
        (ended(id(1), AssistEnding::Resolved), ada),
        (ended(id(2), AssistEnding::GivenUp), ada),
        (JobEvent::AssistExpired { assist: id(3) }, CallActor::Cloud),
        (ended(id(4), AssistEnding::Resolved), CallActor::Cloud),
    ];

    for ((number, reason), (last, actor)) in (1..).zip(REASONS).zip(last) {
        let call = opened(number, reason, T0);
        open(&app, &call).await;
        assert_eq!(peeked(&app, id(number)).await, call);
        for (event, actor) in way(id(number)) {
            let after = happen(&app, id(number), &event, actor, T0.plus(SECOND)).await;
            assert_eq!(peeked(&app, id(number)).await, after);
        }
        let over = happen(&app, id(number), &last, actor, T0.plus(2 * SECOND)).await;
        assert!(over.phase.is_over());
        assert_eq!(peeked(&app, id(number)).await, over);
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_ends_with_its_job_reads_back_wherever_it_stood(owner: PgPool) {
    let app = as_app(&owner).await;
    let ada = CallActor::Operator(ADA);
    for number in 1..=4_u128 {
        let assist = id(number);
        open(&app, &opened(number, AssistReason::Unsure, T0)).await;
        let way = [
            (offered(assist, Vec::new()), CallActor::Cloud),
            (JobEvent::AssistClaimed { assist }, ada),
            (JobEvent::AssistStarted { assist }, ada),
        ];
        let steps = usize::try_from(number - 1).unwrap();
        for (event, actor) in way.into_iter().take(steps) {
            happen(&app, assist, &event, actor, T0).await;
        }
        let before = peeked(&app, assist).await;
        let after = end_with_job(before.clone(), T0.plus(SECOND));
        let mut tx = Tx::begin(&app);

        save_call(&mut tx, &before, &after).await.unwrap();
        commit(tx).await;

        assert_eq!(peeked(&app, assist).await, after);
    }
    assert!(
        list_open_calls(&app, LINDEN, None, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn of_two_operators_at_once_one_takes_the_call(owner: PgPool) {
    let app = as_app(&owner).await;
    open(&app, &opened(1, AssistReason::Unsure, T0)).await;
    let before = happen(
        &app,
        id(1),
        &offered(id(1), Vec::new()),
        CallActor::Cloud,
        T0,
    )
    .await;
    let claimed = JobEvent::AssistClaimed { assist: id(1) };
    let first = happen(&app, id(1), &claimed, CallActor::Operator(ADA), T0).await;
    let grace = CallActor::Operator(PersonId(Uuid::from_u128(22)));
    let second = apply_call(
        Some(before.clone()),
        before.job,
        before.robot,
        &claimed,
        grace,
        T0,
    )
    .unwrap();
    let mut tx = Tx::begin(&app);

    let stale = save_call(&mut tx, &before, &second).await;
    drop(tx);

    assert!(matches!(stale, Err(CallStoreError::Stale(_))));
    assert_eq!(peeked(&app, id(1)).await, first);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_job_has_one_call_that_is_open_and_its_latest_is_found(owner: PgPool) {
    let app = as_app(&owner).await;
    let first = opened(1, AssistReason::Unsure, T0);
    let second = Call {
        assist: id(2),
        ..opened(1, AssistReason::Blocked, T0.plus(SECOND))
    };
    open(&app, &first).await;

    for again in [&first, &second] {
        let mut tx = Tx::begin(&app);
        let refused = insert_call(&mut tx, LINDEN, WING_A, again).await;
        assert!(matches!(refused, Err(CallStoreError::Stale(assist)) if assist == again.assist));
    }
    happen(
        &app,
        id(1),
        &ended(id(1), AssistEnding::Resolved),
        CallActor::Cloud,
        T0,
    )
    .await;
    open(&app, &second).await;

    let latest = call_of_job(&app, first.job).await.unwrap().unwrap();
    assert_eq!(latest.call, second);
    assert_eq!((latest.organisation, latest.site), (LINDEN, WING_A));
    let none = call_of_job(&app, JobId(Uuid::from_u128(9))).await.unwrap();
    assert_eq!(none, None);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_open_calls_are_those_of_the_sites_asked_for_who_waits_longest_first(owner: PgPool) {
    let app = as_app(&owner).await;
    let mut tx = Tx::begin(&app);
    for (number, second, organisation, site) in [
        (1, 5, LINDEN, WING_A),
        (2, 1, LINDEN, WING_B),
        (3, 3, LINDEN, WING_A),
        (4, 0, ASPEN, WING_A),
        (5, 0, LINDEN, WING_A),
    ] {
        let call = opened(number, AssistReason::Unsure, T0.plus(second * SECOND));
        insert_call(&mut tx, organisation, site, &call)
            .await
            .unwrap();
    }
    commit(tx).await;
    happen(
        &app,
        id(5),
        &ended(id(5), AssistEnding::GivenUp),
        CallActor::Cloud,
        T0,
    )
    .await;

    for (sites, limit, expected) in [
        (None, 10, vec![2, 3, 1]),
        (None, 2, vec![2, 3]),
        (Some(&[WING_A][..]), 10, vec![3, 1]),
        (Some(&[][..]), 10, vec![]),
    ] {
        let calls = list_open_calls(&app, LINDEN, sites, limit).await.unwrap();
        assert_eq!(numbers(&calls), expected, "{sites:?}");
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_is_owed_is_claimed_by_one_gateway_at_a_time_and_done_once(owner: PgPool) {
    let app = as_app(&owner).await;
    let now = T0.plus(ESCALATE_AFTER_US);
    // The first is due, the second just so, the third not yet, the fourth is being helped.
    for (number, second) in [(1, -5), (2, 0), (3, 1), (4, -9)] {
        open(
            &app,
            &opened(number, AssistReason::Unsure, T0.plus(second * SECOND)),
        )
        .await;
    }
    let ada = CallActor::Operator(ADA);
    happen(
        &app,
        id(4),
        &offered(id(4), Vec::new()),
        CallActor::Cloud,
        T0,
    )
    .await;
    happen(
        &app,
        id(4),
        &JobEvent::AssistClaimed { assist: id(4) },
        ada,
        T0,
    )
    .await;
    happen(
        &app,
        id(4),
        &JobEvent::AssistStarted { assist: id(4) },
        ada,
        T0,
    )
    .await;
    let moment = |at: UnixMicros| {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000).unwrap()
    };

    let mut one = Tx::begin(&app);
    let mut other = Tx::begin(&app);
    let first = claim_due_calls(&mut one, moment(now), 1).await.unwrap();
    let second = claim_due_calls(&mut other, moment(now), 10).await.unwrap();
    assert_eq!((numbers(&first), numbers(&second)), (vec![1], vec![2]));
    drop((one, other));

    let event = lapse_call(&first[0].call, now).unwrap();
    let wider = happen(&app, id(1), &event, CallActor::Cloud, now).await;
    let mut tx = Tx::begin(&app);
    let left = claim_due_calls(&mut tx, moment(now), 10).await.unwrap();
    assert_eq!(numbers(&left), [2]);
    let at_last = moment(wider.expire_at);
    let due = claim_due_calls(&mut tx, at_last, 10).await.unwrap();
    assert_eq!(numbers(&due), [2, 3, 1]);
    assert_eq!(wider.expire_at, T0.plus(EXPIRE_AFTER_US - 5 * SECOND));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_forgotten_call_falls_due_when_its_operator_should_have_begun(owner: PgPool) {
    let app = as_app(&owner).await;
    open(&app, &opened(1, AssistReason::Unsure, T0)).await;
    happen(
        &app,
        id(1),
        &offered(id(1), Vec::new()),
        CallActor::Cloud,
        T0,
    )
    .await;
    let claimed = JobEvent::AssistClaimed { assist: id(1) };
    happen(&app, id(1), &claimed, CallActor::Operator(ADA), T0).await;

    let due_at: OffsetDateTime = sqlx::query_scalar("SELECT due_at FROM assist.call")
        .fetch_one(&app)
        .await
        .unwrap();

    assert_eq!(micros(due_at), Some(T0.plus(START_WITHIN_US)));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_table_refuses_rows_that_no_call_explains_and_changes_of_what_was_asked(owner: PgPool) {
    let app = as_app(&owner).await;
    open(&app, &opened(1, AssistReason::Unsure, T0)).await;

    for (senseless, constraint) in [
        ("phase = 'claimed'", "call_operator_by_phase"),
        (
            "operator_id = assist_id, phase = 'claimed'",
            "call_claimed_with_operator",
        ),
        ("ended_at = now()", "call_ended_iff_over"),
        ("due_at = NULL", "call_due_iff_somebody_must_act"),
        ("expire_at = requested_at", "call_clocks_in_order"),
        ("option = 0", "call_option_by_phase"),
        (
            "phase = 'active', operator_id = assist_id, claimed_at = now(), due_at = NULL, option = 2",
            "call_option_in_the_question",
        ),
    ] {
        let update = sqlx::AssertSqlSafe(format!("UPDATE assist.call SET {senseless}"));
        let refused = sqlx::query(update).execute(&app).await.unwrap_err();
        let violated = refused.as_database_error().unwrap();
        assert_eq!(violated.constraint(), Some(constraint), "{senseless}");
    }
    for forbidden in [
        "UPDATE assist.call SET words = 'fine'",
        "DELETE FROM assist.call",
    ] {
        let refused = sqlx::query(forbidden).execute(&app).await.unwrap_err();
        let denied = refused.as_database_error().unwrap();
        assert_eq!(denied.code().as_deref(), Some("42501"), "{forbidden}");
    }
}
