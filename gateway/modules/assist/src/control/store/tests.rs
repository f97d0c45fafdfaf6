//! The store against a real Postgres, as the application's role.

use ed25519_dalek::SigningKey;
use protocol::control::ControlEvent;
use spine::Signer;
use sqlx::{Executor as _, PgPool, postgres::PgPoolOptions};

use super::*;
use crate::{CONTROL_LASTS_US, ControlActor, apply_control, decide_control};

const T0: UnixMicros = UnixMicros(1_700_000_000_000_000);
const JUNIPER: RobotId = RobotId(Uuid::from_u128(31));
const ROWAN: RobotId = RobotId(Uuid::from_u128(32));
const MIRA: Seat = Seat {
    person: PersonId(Uuid::from_u128(21)),
    key: Some(KeyId([1; 32])),
};
const SCRIPT: Seat = Seat {
    person: PersonId(Uuid::from_u128(22)),
    key: None,
};

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

fn never(robot: RobotId) -> StoredControl {
    StoredControl {
        organisation: OrganisationId(Uuid::from_u128(1)),
        site: SiteId(Uuid::from_u128(11)),
        control: Control::never(robot),
    }
}

fn after(before: &StoredControl, event: &ControlEvent, actor: ControlActor) -> StoredControl {
    let consequence = decide_control(&before.control, event, actor, T0).unwrap();
    let mut control = apply_control(before.control.clone(), event, actor, T0);
    if let Some(granted) = consequence {
        control = apply_control(control, &granted, ControlActor::Cloud, T0);
    }
    StoredControl {
        control,
        ..before.clone()
    }
}

async fn keep(app: &PgPool, before: Option<&StoredControl>, after: &StoredControl) {
    let mut tx = Tx::begin(app);
    save_control(&mut tx, before, after).await.unwrap();
    commit(tx).await;
}

/// Taken by `seat`, and kept.
async fn taken(app: &PgPool, robot: RobotId, seat: Seat) -> StoredControl {
    let claimed = ControlEvent::Claimed {};
    let held = after(&never(robot), &claimed, ControlActor::Operator(seat));
    keep(app, None, &held).await;
    held
}

fn at(micros: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(T0.plus(micros).0) * 1_000).unwrap()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_is_kept_is_read_as_it_was(owner: PgPool) {
    let app = as_app(&owner).await;
    let held = taken(&app, JUNIPER, MIRA).await;
    assert_eq!(
        peek_control(&app, JUNIPER).await.unwrap().as_ref(),
        Some(&held)
    );

    let words = "Kann ich übernehmen?".to_owned();
    let asked = ControlEvent::Requested { words };
    let wanted = after(&held, &asked, ControlActor::Operator(SCRIPT));
    keep(&app, Some(&held), &wanted).await;

    let handed = ControlEvent::HandedOver {
        to: SCRIPT.person,
        note: "Die Schublade klemmt.".to_owned(),
    };
    let passed = after(&wanted, &handed, ControlActor::Operator(MIRA));
    keep(&app, Some(&wanted), &passed).await;

    let rowan = taken(&app, ROWAN, MIRA).await;
    let all = controls_of(&app, &[ROWAN, JUNIPER, RobotId(Uuid::nil())]).await;
    assert_eq!(all.unwrap(), [passed, rowan.clone()]);
    let mut tx = Tx::begin(&app);
    let of_mira = load_controls_held_by(&mut tx, MIRA.person).await.unwrap();
    assert_eq!(of_mira, [rowan]);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn of_two_who_take_a_robot_at_once_one_does(owner: PgPool) {
    let app = as_app(&owner).await;
    taken(&app, JUNIPER, MIRA).await;

    let claimed = ControlEvent::Claimed {};
    let other = after(&never(JUNIPER), &claimed, ControlActor::Operator(SCRIPT));
    let mut tx = Tx::begin(&app);
    let second = save_control(&mut tx, None, &other).await;

    assert!(matches!(second, Err(ControlStoreError::Stale(JUNIPER))));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn who_was_second_to_change_it_changes_nothing(owner: PgPool) {
    let app = as_app(&owner).await;
    let held = taken(&app, JUNIPER, MIRA).await;
    let released = after(
        &held,
        &ControlEvent::Released {},
        ControlActor::Operator(MIRA),
    );
    keep(&app, Some(&held), &released).await;

    let mut tx = Tx::begin(&app);
    let again = save_control(&mut tx, Some(&held), &released).await;

    assert!(matches!(again, Err(ControlStoreError::Stale(JUNIPER))));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_sign_of_life_counts_for_who_steers_under_that_epoch_and_in_time(owner: PgPool) {
    let app = as_app(&owner).await;
    taken(&app, JUNIPER, MIRA).await;
    let until = at(2 * CONTROL_LASTS_US);

    for (person, epoch, now) in [
        (SCRIPT.person, 1, at(0)),
        (MIRA.person, 2, at(0)),
        (MIRA.person, u64::MAX, at(0)),
        (MIRA.person, 1, at(CONTROL_LASTS_US)),
    ] {
        let renewed = renew(&app, JUNIPER, person, epoch, now, until).await;
        assert!(!renewed.unwrap());
    }
    let renewed = renew(
        &app,
        JUNIPER,
        MIRA.person,
        1,
        at(CONTROL_LASTS_US - 1),
        until,
    )
    .await;
    assert!(renewed.unwrap());

    let mut tx = Tx::begin(&app);
    let gone = claim_lapsed_controls(&mut tx, at(2 * CONTROL_LASTS_US - 1), 10).await;
    assert!(gone.unwrap().is_empty());
    let gone = claim_lapsed_controls(&mut tx, until, 10).await.unwrap();
    assert_eq!(gone.len(), 1);
    let beside = claim_lapsed_controls(&mut Tx::begin(&app), until, 10).await;
    assert!(beside.unwrap().is_empty(), "two gateways are at one row");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_database_gives_no_epoch_to_two(owner: PgPool) {
    let app = as_app(&owner).await;
    taken(&app, JUNIPER, MIRA).await;

    for forgery in [
        "UPDATE assist.control SET epoch = 0, holder_id = NULL, holder_key = NULL, held_since = NULL, held_until = NULL",
        "UPDATE assist.control SET holder_id = gen_random_uuid()",
        "UPDATE assist.control SET holder_key = NULL",
        "UPDATE assist.control SET robot_id = gen_random_uuid()",
        "DELETE FROM assist.control",
    ] {
        assert!(app.execute(forgery).await.is_err(), "{forgery}");
    }
}
