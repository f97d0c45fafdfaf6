//! What the log promises: rows and events commit together, streams are chains, robots' events are taken once and whole.

use super::{
    LINDEN, NOW, ROBOT, as_app, commit_one, follow, gateway, robot_event, robot_key, robot_key_id,
    unanswered,
};
use std::collections::BTreeMap;

use crate::{
    Position, RecordError, Recording, Refusal, Tx, actor_held, heads,
    tail::{Filter, StoredEvent},
};
use ledger::log::{Entry, Head, check_chain, hash_of_actor_bytes};
use protocol::event::{ActorEvent, robot_stream};
use protocol::sealed::{self, Kind};
use sqlx::PgPool;

/// The log, which holds exactly `expected` events.
async fn events(pool: &PgPool, expected: usize) -> Vec<StoredEvent> {
    let held: i64 = sqlx::query_scalar("SELECT count(*) FROM spine.event")
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(usize::try_from(held).unwrap(), expected);
    follow(pool, Position::START, Filter::default(), expected).await
}

async fn record_robot(
    pool: &PgPool,
    number: u64,
    previous: [u8; 32],
    command: u128,
) -> Result<Recording, RecordError> {
    let (sealed, event) = robot_event(number, previous, unanswered(command));
    let mut tx = Tx::begin(pool);
    let recording = tx
        .record_sealed(LINDEN, None, sealed, event, robot_key_id())
        .await?;
    tx.commit(&gateway(), NOW).await?;
    Ok(recording)
}

fn refusal(result: Result<Recording, RecordError>) -> Refusal {
    match result {
        Err(RecordError::Refused(refusal)) => refusal,
        other => panic!("{other:?} is no refusal"),
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_dropped_transaction_leaves_neither_row_nor_event(owner: PgPool) {
    let app = as_app(&owner).await;
    let mut tx = Tx::begin(&app);
    sqlx::query("INSERT INTO identity.organisation (organisation_id, name, created_at) VALUES ($1, 'Linden', now())")
        .bind(LINDEN.0)
        .execute(tx.connection().await.unwrap())
        .await
        .unwrap();
    let (sealed, event) = robot_event(1, [0; 32], unanswered(1));
    tx.record_sealed(LINDEN, None, sealed, event, robot_key_id())
        .await
        .unwrap();

    drop(tx);

    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM identity.organisation")
        .fetch_one(&app)
        .await
        .unwrap();
    assert_eq!(rows, 0);
    assert!(events(&app, 0).await.is_empty());
    assert_eq!(actor_held(&app, robot_key_id()).await.unwrap(), 0);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn the_events_of_each_stream_form_a_chain_that_anyone_can_check(owner: PgPool) {
    let app = as_app(&owner).await;
    for round in 0..3 {
        let mut tx = Tx::begin(&app);
        for stream in ["robot/b", "robot/a", "robot/b"] {
            tx.record(stream.to_owned(), LINDEN, None, None, unanswered(round));
        }
        let recorded = tx.commit(&gateway(), NOW).await.unwrap();
        assert_eq!(recorded.len(), 3);
    }

    let events = events(&app, 9).await;

    for (stream, length) in [("robot/a", 3), ("robot/b", 6)] {
        let entries = events
            .iter()
            .filter(|event| event.stream == stream)
            .map(|event| event.entry.as_slice());
        let head = check_chain(Head::START, entries, &gateway().verifying_key()).unwrap();
        let last = events.iter().rfind(|event| event.stream == stream).unwrap();
        assert_eq!(head.stream_number, length);
        assert_eq!(head.hash, last.entry_hash);
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn what_another_process_wrote_to_a_stream_is_never_built_over(owner: PgPool) {
    let app = as_app(&owner).await;
    commit_one(&app, "robot/a", None, 1).await;
    let before = heads::take("robot/a").unwrap();
    commit_one(&app, "robot/a", None, 2).await;
    commit_one(&app, "robot/a", None, 3).await;
    let forged = Head {
        stream_number: 3,
        hash: [7; 32],
    };

    for (number, remembered) in [(4, before), (5, forged), (6, Head::START)] {
        heads::keep(BTreeMap::from([("robot/a".to_owned(), remembered)]));
        commit_one(&app, "robot/a", None, number).await;
    }

    let events = events(&app, 6).await;
    let entries = events.iter().map(|event| event.entry.as_slice());
    let head = check_chain(Head::START, entries, &gateway().verifying_key()).unwrap();
    assert_eq!(heads::take("robot/a"), Some(head));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn writers_of_the_same_streams_in_opposite_order_all_commit(owner: PgPool) {
    const WRITERS: u128 = 12;
    let app = as_app(&owner).await;
    let writers = (0..WRITERS).map(|writer| {
        let app = app.clone();
        tokio::spawn(async move {
            let mut streams = ["robot/a", "robot/b", "robot/c"];
            if writer % 2 == 0 {
                streams.reverse();
            }
            let mut tx = Tx::begin(&app);
            for stream in streams {
                tx.record(stream.to_owned(), LINDEN, None, None, unanswered(writer));
            }
            tx.commit(&gateway(), NOW).await.unwrap();
        })
    });

    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }

    let rows = sqlx::query_scalar::<_, Vec<u8>>(
        "SELECT entry FROM spine.event WHERE stream = 'robot/b' ORDER BY stream_number",
    )
    .fetch_all(&app)
    .await
    .unwrap();
    let head = check_chain(
        Head::START,
        rows.iter().map(Vec::as_slice),
        &gateway().verifying_key(),
    );
    assert_eq!(u128::from(head.unwrap().stream_number), WRITERS);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_robots_bytes_are_kept_as_they_came(owner: PgPool) {
    let app = as_app(&owner).await;
    let (sealed, event) = robot_event(1, [0; 32], unanswered(1));

    let recording = record_robot(&app, 1, [0; 32], 1).await.unwrap();

    let stored = events(&app, 1).await.remove(0);
    let entry = Entry::open(&stored.entry, &gateway().verifying_key()).unwrap();
    let opened: ActorEvent =
        sealed::open(Kind::Event, &entry.actor, &robot_key().verifying_key()).unwrap();
    assert_eq!(recording, Recording::New);
    assert_eq!(entry.actor, sealed);
    assert_eq!(opened, event);
    assert_eq!(stored.stream, robot_stream(ROBOT));
    assert_eq!(stored.actor_key, robot_key_id());
    assert_eq!(stored.actor_number, Some(1));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_robots_event_is_recorded_once_however_often_it_is_sent(owner: PgPool) {
    let app = as_app(&owner).await;
    let (first, _) = robot_event(1, [0; 32], unanswered(1));
    record_robot(&app, 1, [0; 32], 1).await.unwrap();

    let again = record_robot(&app, 1, [0; 32], 1).await.unwrap();
    let next = record_robot(&app, 2, hash_of_actor_bytes(&first), 2)
        .await
        .unwrap();

    assert_eq!(again, Recording::AlreadyHeld);
    assert_eq!(next, Recording::New);
    assert_eq!(events(&app, 2).await.len(), 2);
    assert_eq!(actor_held(&app, robot_key_id()).await.unwrap(), 2);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_robots_events_of_one_transaction_follow_one_another_and_each_is_taken_once(
    owner: PgPool,
) {
    let app = as_app(&owner).await;
    let mut previous = [0; 32];
    let story: Vec<_> = (1..=4)
        .map(|number| {
            let (sealed, event) = robot_event(number, previous, unanswered(u128::from(number)));
            previous = hash_of_actor_bytes(&sealed);
            (sealed, event)
        })
        .collect();

    let mut recorded = Vec::new();
    for told in [[0, 1, 1], [1, 2, 3]] {
        let mut tx = Tx::begin(&app);
        for place in told {
            let (sealed, event): (Vec<u8>, ActorEvent) = story[place].clone();
            let recording = tx
                .record_sealed(LINDEN, None, sealed, event, robot_key_id())
                .await;
            recorded.push(recording.unwrap());
        }
        let (sealed, event) = robot_event(9, [9; 32], unanswered(9));
        let gap = tx
            .record_sealed(LINDEN, None, sealed, event, robot_key_id())
            .await;
        assert!(matches!(refusal(gap), Refusal::Gap { found: 9, .. }));
        tx.commit(&gateway(), NOW).await.unwrap();
    }

    let (new, held) = (Recording::New, Recording::AlreadyHeld);
    assert_eq!(recorded, [new, new, held, held, new, new]);
    assert_eq!(events(&app, 4).await.len(), 4);
    assert_eq!(actor_held(&app, robot_key_id()).await.unwrap(), 4);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn the_same_event_sent_many_times_at_once_is_recorded_once(owner: PgPool) {
    let app = as_app(&owner).await;
    let senders: Vec<_> = (0..8)
        .map(|_| {
            let app = app.clone();
            tokio::spawn(async move { record_robot(&app, 1, [0; 32], 1).await.unwrap() })
        })
        .collect();

    let mut new = 0;
    for sender in senders {
        new += usize::from(sender.await.unwrap() == Recording::New);
    }

    assert_eq!(new, 1);
    assert_eq!(events(&app, 1).await.len(), 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_gap_and_a_second_story_are_refused_and_nothing_is_kept(owner: PgPool) {
    let app = as_app(&owner).await;
    record_robot(&app, 1, [0; 32], 1).await.unwrap();

    let gap = record_robot(&app, 3, [0; 32], 3).await;
    let other_past = record_robot(&app, 2, [9; 32], 2).await;
    let other_first = record_robot(&app, 1, [0; 32], 7).await;

    assert_eq!(refusal(gap), Refusal::Gap { held: 1, found: 3 });
    assert_eq!(refusal(other_past), Refusal::Forked { number: 2 });
    assert_eq!(refusal(other_first), Refusal::Forked { number: 1 });
    assert_eq!(events(&app, 1).await.len(), 1);
    assert_eq!(actor_held(&app, robot_key_id()).await.unwrap(), 1);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn an_event_without_a_number_of_its_actor_is_refused(owner: PgPool) {
    let app = as_app(&owner).await;
    let (_, mut event) = robot_event(1, [0; 32], unanswered(1));
    event.chain = None;
    let sealed = sealed::seal(Kind::Event, &event, &robot_key()).unwrap();
    let mut tx = Tx::begin(&app);

    let refused = tx
        .record_sealed(LINDEN, None, sealed, event, robot_key_id())
        .await;

    assert_eq!(refusal(refused), Refusal::Unnumbered);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_dropped_transaction_leaves_no_gap_in_its_stream(owner: PgPool) {
    let app = as_app(&owner).await;
    commit_one(&app, "robot/a", None, 1).await;
    let mut tx = Tx::begin(&app);
    tx.record("robot/a".to_owned(), LINDEN, None, None, unanswered(2));
    drop(tx);

    commit_one(&app, "robot/a", None, 3).await;

    let numbers: Vec<u64> = events(&app, 2)
        .await
        .iter()
        .map(|event| event.stream_number)
        .collect();
    assert_eq!(numbers, [1, 2]);
}
