//! The store against a real Postgres, as the application's role.

use ed25519_dalek::SigningKey;
use protocol::{UnixMicros, command::Outcome};
use spine::Signer;
use sqlx::{Executor as _, PgPool, postgres::PgPoolOptions};
use time::{Duration, macros::datetime};

use super::*;
use crate::{ANSWER_WITHIN, Event, Input, apply, decide};

const T0: OffsetDateTime = datetime!(2026-01-01 8:00 UTC);
const JUNIPER: RobotId = RobotId(Uuid::from_u128(31));
const ROWAN: RobotId = RobotId(Uuid::from_u128(32));

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

fn command(number: u128, robot: RobotId, issued_at: OffsetDateTime) -> Command {
    let verb = Verb::NavigateTo {
        x_m: 2.41,
        y_m: -1.1,
        heading_rad: Some(0.5),
    };
    let issue = Issue {
        command: CommandId(Uuid::from_u128(number)),
        organisation: OrganisationId(Uuid::from_u128(1)),
        site: SiteId(Uuid::from_u128(11)),
        robot,
        person: PersonId(Uuid::from_u128(21)),
        verb,
        epoch: Some(41),
    };
    apply(
        None,
        Event::Issued {
            issue,
            at: issued_at,
        },
    )
    .unwrap()
}

async fn commit(tx: Tx) {
    let signer = Signer::new(SigningKey::from_bytes(&[1; 32]));
    tx.commit(&signer, UnixMicros(1_700_000_000_000_000))
        .await
        .unwrap();
}

async fn issue(app: &PgPool, command: &Command) {
    let mut tx = Tx::begin(app);
    insert(&mut tx, command, None).await.unwrap();
    commit(tx).await;
}

async fn feed(app: &PgPool, id: CommandId, input: Input, now: OffsetDateTime) -> Command {
    let mut tx = Tx::begin(app);
    let before = load(&mut tx, id).await.unwrap().unwrap();
    let events = decide(Some(&before), input, now).unwrap();
    let after = events
        .into_iter()
        .fold(Some(before.clone()), apply)
        .unwrap();
    if after != before {
        save(&mut tx, &before, &after).await.unwrap();
    }
    commit(tx).await;
    after
}

fn ids(commands: &[Command]) -> Vec<u128> {
    commands
        .iter()
        .map(|command| command.issue.command.0.as_u128())
        .collect()
}

async fn events(app: &PgPool) -> Vec<String> {
    sqlx::query_scalar("SELECT kind FROM spine.event WHERE stream = $1 ORDER BY stream_number")
        .bind(robot_stream(JUNIPER))
        .fetch_all(app)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn every_fate_reads_back_as_it_was_saved(owner: PgPool) {
    let app = as_app(&owner).await;
    let refusals = RobotRefusal::ALL.map(|reason| vec![Outcome::Refused { reason }]);
    let abandonments =
        ABANDON_REASONS.map(|reason| vec![Outcome::Accepted, Outcome::Abandoned { reason }]);
    let others = [
        vec![],
        vec![Outcome::Accepted],
        vec![Outcome::Accepted, Outcome::Done],
    ];
    let runs = others.into_iter().chain(refusals).chain(abandonments);

    for (number, outcomes) in (1..).zip(runs) {
        let mut expected = command(number, JUNIPER, T0);
        issue(&app, &expected).await;
        for outcome in outcomes {
            let now = T0 + Duration::SECOND;
            expected = feed(&app, expected.issue.command, Input::Receipt(outcome), now).await;
        }

        let stored = peek(&app, expected.issue.command).await.unwrap();

        assert_eq!(stored, Some(expected));
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_stop_has_no_target_and_reads_back_so(owner: PgPool) {
    let app = as_app(&owner).await;
    let mut stop = command(1, JUNIPER, T0);
    stop.issue.verb = Verb::Stop;

    issue(&app, &stop).await;

    assert_eq!(peek(&app, stop.issue.command).await.unwrap(), Some(stop));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_same_id_is_inserted_once_and_recorded_once(owner: PgPool) {
    let app = as_app(&owner).await;
    let first = command(1, JUNIPER, T0);
    issue(&app, &first).await;
    let mut tx = Tx::begin(&app);

    let again = insert(&mut tx, &first, None).await;
    commit(tx).await;

    assert!(matches!(again, Err(StoreError::Stale(id)) if id == first.issue.command));
    assert_eq!(events(&app).await, ["command.issued"]);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_save_on_top_of_an_old_version_is_stale(owner: PgPool) {
    let app = as_app(&owner).await;
    let before = command(1, JUNIPER, T0);
    issue(&app, &before).await;
    let accepted = feed(
        &app,
        before.issue.command,
        Input::Receipt(Outcome::Accepted),
        T0,
    )
    .await;
    let late = apply(Some(before.clone()), Event::WentUnanswered { at: T0 }).unwrap();
    let mut tx = Tx::begin(&app);

    let stale = save(&mut tx, &before, &late).await;
    drop(tx);

    assert!(matches!(stale, Err(StoreError::Stale(_))));
    assert_eq!(
        peek(&app, before.issue.command).await.unwrap(),
        Some(accepted)
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn silence_is_recorded_once_and_a_late_word_still_counts(owner: PgPool) {
    let app = as_app(&owner).await;
    let id = command(1, JUNIPER, T0).issue.command;
    issue(&app, &command(1, JUNIPER, T0)).await;

    feed(&app, id, Input::TimeOut, T0 + ANSWER_WITHIN).await;
    let later = feed(
        &app,
        id,
        Input::Receipt(Outcome::Accepted),
        T0 + Duration::HOUR,
    )
    .await;

    assert_eq!(later.fate, Fate::Accepted);
    assert_eq!(events(&app).await, ["command.issued", "command.unanswered"]);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn only_overdue_commands_are_claimed_and_by_one_claimant_at_a_time(owner: PgPool) {
    let app = as_app(&owner).await;
    for number in 1..=4 {
        let issued_at = T0 + Duration::SECOND * i32::try_from(number).unwrap();
        issue(&app, &command(number, JUNIPER, issued_at)).await;
    }
    feed(
        &app,
        CommandId(Uuid::from_u128(2)),
        Input::Receipt(Outcome::Accepted),
        T0,
    )
    .await;
    let now = T0 + Duration::SECOND * 3 + ANSWER_WITHIN;

    let mut one = Tx::begin(&app);
    let mut other = Tx::begin(&app);
    let first = claim_overdue(&mut one, now, 1).await.unwrap();
    let second = claim_overdue(&mut other, now, 10).await.unwrap();
    // Nothing was changed: the end of the transaction gives its rows back, and here it is waited for.
    commit(one).await;
    let given_back = claim_overdue(&mut other, now, 10).await.unwrap();

    assert_eq!(ids(&first), [1]);
    assert_eq!(ids(&second), [3]);
    assert_eq!(ids(&given_back), [1, 3]);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_list_of_a_robot_pages_from_the_newest_back_without_gap_or_repeat(owner: PgPool) {
    let app = as_app(&owner).await;
    for number in 1..=5 {
        // Two share a moment: the id decides between them.
        let issued_at = T0 + Duration::SECOND * i32::try_from(number / 2).unwrap();
        issue(&app, &command(number, JUNIPER, issued_at)).await;
    }
    issue(&app, &command(9, ROWAN, T0)).await;

    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = list(&app, JUNIPER, cursor, 2).await.unwrap();
        seen.extend(ids(&page.items));
        match page.next {
            Some(next) => cursor = Some(next.parse().unwrap()),
            None => break,
        }
    }

    assert_eq!(seen, [5, 4, 3, 2, 1]);
    let foreign = Some(CommandId(Uuid::from_u128(9)));
    assert!(
        list(&app, JUNIPER, foreign, 10)
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_latest_commands_come_from_all_the_robots_that_were_asked_for(owner: PgPool) {
    let app = as_app(&owner).await;
    for number in 1..=6 {
        let robot = if number % 2 == 0 { JUNIPER } else { ROWAN };
        let issued_at = T0 + Duration::SECOND * i32::try_from(number).unwrap();
        issue(&app, &command(number, robot, issued_at)).await;
    }

    assert_eq!(
        ids(&latest(&app, &[JUNIPER, ROWAN], 4).await.unwrap()),
        [6, 5, 4, 3]
    );
    assert_eq!(ids(&latest(&app, &[JUNIPER], 2).await.unwrap()), [6, 4]);
    assert!(latest(&app, &[], 5).await.unwrap().is_empty());
}
