//! Lone events that wait for the server at the same moment are written by one statement, and none suffers for another.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::{Future, poll_fn},
    task::Poll,
};

use ledger::log::{Head, check_chain};
use protocol::{ApprovalId, event::Payload, job::JobEvent};
use sqlx::{PgPool, Postgres, Transaction};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{LINDEN, NOW, as_app, commit_one, gateway, unanswered};
use crate::{Recorded, SpineError, Tx, heads, tail::read_stream};

async fn commit(pool: &PgPool, stream: &str, payload: Payload) -> Result<Recorded, SpineError> {
    let mut tx = Tx::begin(pool);
    tx.record(stream.to_owned(), LINDEN, None, None, payload);
    let mut recorded = tx.commit(&gateway(), NOW).await?;
    Ok(recorded.remove(0))
}

/// A transaction of somebody else that holds the end of a stream.
async fn hold(pool: &PgPool, stream: &str) -> Transaction<'static, Postgres> {
    let mut other = pool.begin().await.unwrap();
    sqlx::query("SELECT FROM spine.stream_head WHERE stream = $1 FOR UPDATE")
        .bind(stream)
        .execute(&mut *other)
        .await
        .unwrap();
    other
}

/// Streams whose ends this process knows.
async fn begin_streams(pool: &PgPool, streams: &[&str]) {
    for stream in streams {
        commit_one(pool, stream, None, 1).await;
    }
}

async fn assert_whole(pool: &PgPool, stream: &str, length: u64) {
    let entries: Vec<Vec<u8>> = read_stream(pool, stream, 0, 1_000)
        .await
        .unwrap()
        .into_iter()
        .map(|event| event.entry)
        .collect();
    let head = check_chain(
        Head::START,
        entries.iter().map(Vec::as_slice),
        &gateway().verifying_key(),
    )
    .unwrap();
    assert_eq!(head.stream_number, length, "{stream}");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn events_that_wait_at_the_same_moment_share_a_transaction(owner: PgPool) {
    let pool = as_app(&owner).await;
    begin_streams(&pool, &["a", "b", "c"]).await;

    let (a, b, c) = tokio::join!(
        commit(&pool, "a", unanswered(2)),
        commit(&pool, "b", unanswered(2)),
        commit(&pool, "c", unanswered(2)),
    );

    let shared = [a, b, c].map(|recorded| recorded.unwrap().position.transaction);
    assert_eq!(shared, [shared[0]; 3]);
    for stream in ["a", "b", "c"] {
        assert_whole(&pool, stream, 2).await;
    }
    let later = commit(&pool, "a", unanswered(3)).await.unwrap();
    assert_ne!(later.position.transaction, shared[0]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_stream_that_somebody_holds_holds_up_nobody_who_writes_to_another(owner: PgPool) {
    let pool = as_app(&owner).await;
    begin_streams(&pool, &["a", "b", "c"]).await;
    for others in [["b"].as_slice(), &["b", "c"]] {
        let held = hold(&pool, "a").await;

        let (a, ()) = tokio::join!(commit(&pool, "a", unanswered(2)), async {
            for stream in others {
                commit(&pool, stream, unanswered(2)).await.unwrap();
            }
            // Only now may the other one go on.
            held.rollback().await.unwrap();
        });

        a.unwrap();
    }
    for (stream, length) in [("a", 3), ("b", 3), ("c", 2)] {
        assert_whole(&pool, stream, length).await;
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn of_two_who_wait_for_one_stream_only_the_one_that_knows_its_end_is_written_with_others(
    owner: PgPool,
) {
    let pool = as_app(&owner).await;
    begin_streams(&pool, &["a", "b"]).await;
    let earlier = heads::take("a").unwrap();
    commit(&pool, "a", unanswered(2)).await.unwrap();
    let latest = heads::take("a").unwrap();
    let knowing = async |head: Head, number: u128| {
        heads::keep(BTreeMap::from([("a".to_owned(), head)]));
        commit(&pool, "a", unanswered(number)).await.unwrap()
    };

    let (late, first, b) = tokio::join!(
        knowing(earlier, 3),
        knowing(latest, 4),
        commit(&pool, "b", unanswered(2)),
    );

    let b = b.unwrap();
    assert_eq!((first.stream_number, late.stream_number), (3, 4));
    assert_eq!(first.position.transaction, b.position.transaction);
    assert_ne!(late.position.transaction, b.position.transaction);
    assert_whole(&pool, "a", 4).await;
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn an_event_that_the_database_refuses_fails_alone(owner: PgPool) {
    let pool = as_app(&owner).await;
    begin_streams(&pool, &["a", "b", "c"]).await;
    // No jsonb holds this character.
    let refused = Payload::Job(JobEvent::ApprovalRequested {
        epoch: 1,
        approval: ApprovalId(Uuid::from_u128(5)),
        words: "\0".to_owned(),
        answer_within_s: 60,
    });

    let (a, b, c) = tokio::join!(
        commit(&pool, "a", unanswered(2)),
        commit(&pool, "b", refused),
        commit(&pool, "c", unanswered(2)),
    );

    assert!(matches!(
        b,
        Err(SpineError::Database(sqlx::Error::Database(_)))
    ));
    for recorded in [a, c] {
        assert_eq!(recorded.unwrap().stream_number, 2);
    }
    assert_whole(&pool, "b", 1).await;
    let again = commit(&pool, "b", unanswered(3)).await.unwrap();
    assert_eq!(again.stream_number, 2);
    for stream in ["a", "b", "c"] {
        assert_whole(&pool, stream, 2).await;
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn an_event_whose_writer_went_away_while_it_waited_is_not_written(owner: PgPool) {
    let pool = as_app(&owner).await;
    begin_streams(&pool, &["a", "b", "c"]).await;
    let mut leaving = Box::pin(commit(&pool, "b", unanswered(2)));

    let (a, (), c) = tokio::join!(
        commit(&pool, "a", unanswered(2)),
        async {
            poll_fn(|context| {
                assert!(leaving.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            drop(leaving);
        },
        commit(&pool, "c", unanswered(2)),
    );

    for recorded in [a, c] {
        assert_eq!(recorded.unwrap().stream_number, 2);
    }
    assert_whole(&pool, "b", 1).await;
    let again = commit(&pool, "b", unanswered(3)).await.unwrap();
    assert_eq!(again.stream_number, 2);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_pool_that_closes_gets_its_connections_back_and_takes_no_more_events(owner: PgPool) {
    let pool = as_app(&owner).await;
    begin_streams(&pool, &["a", "b"]).await;
    commit(&pool, "a", unanswered(2)).await.unwrap();

    pool.close().await;

    let refused = commit(&pool, "b", unanswered(2)).await;
    let Err(SpineError::Shared(error)) = refused else {
        panic!("{refused:?}");
    };
    assert!(matches!(*error, sqlx::Error::PoolClosed));
    let elsewhere = as_app(&owner).await;
    assert_eq!(
        commit(&elsewhere, "b", unanswered(2))
            .await
            .unwrap()
            .stream_number,
        2
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn many_at_once_leave_every_chain_whole_and_write_each_event_once(owner: PgPool) {
    const WRITERS: u64 = 32;
    const EVENTS: u64 = 12;
    let pool = as_app(&owner).await;
    let mut at_work = JoinSet::new();
    for writer in 0..WRITERS {
        let pool = pool.clone();
        at_work.spawn(async move {
            let stream = format!("writer/{writer}");
            let mut recorded = Vec::new();
            for number in 0..EVENTS {
                recorded.push(
                    commit(&pool, &stream, unanswered(number.into()))
                        .await
                        .unwrap(),
                );
            }
            recorded
        });
    }

    let recorded = at_work.join_all().await.concat();

    let transactions: BTreeSet<u64> = (recorded.iter())
        .map(|recorded| recorded.position.transaction)
        .collect();
    assert!(transactions.len() < recorded.len(), "nothing was shared");
    for writer in 0..WRITERS {
        let stream = format!("writer/{writer}");
        assert_whole(&pool, &stream, EVENTS).await;
        let mine = recorded.iter().filter(|recorded| recorded.stream == stream);
        let hashes: Vec<[u8; 32]> = mine.map(|recorded| recorded.entry_hash).collect();
        let held = read_stream(&pool, &stream, 0, 1_000).await.unwrap();
        let held: Vec<[u8; 32]> = held.iter().map(|event| event.entry_hash).collect();
        assert_eq!(hashes, held);
    }
}
