//! What the sequencer promises: every event one leaf, in order, without gaps, whoever leads and whatever dies; and that it
//! goes on from nothing that was tampered with.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use ledger::log::{
    Checkpoint, TileId, TreeHead, entry_hash, root_of, verify_consistency, verify_inclusion,
};
use sqlx::{Executor as _, PgPool};

use super::{LINDEN, NOW, as_app, commit_one, gateway, unanswered};
use crate::{
    LogKey, Position, Tx, log,
    sequencer::{Leader, LogFault, SequencerError, lead},
};

pub(super) fn log_key() -> LogKey {
    LogKey::new(SigningKey::from_bytes(&[9; 32]), None).unwrap()
}

/// Leads. Of a leader that was killed the server takes the lock only when it notices.
async fn begin(pool: &PgPool) -> Leader {
    loop {
        if let Some(leader) = lead(pool, &log_key()).await.unwrap() {
            return leader;
        }
    }
}

/// Commits `count` events of one stream.
async fn commit(pool: &PgPool, stream: &str, count: usize) {
    let mut tx = Tx::begin(pool);
    for number in 0..count {
        let payload = unanswered(u128::try_from(number).unwrap());
        tx.record(stream.to_owned(), LINDEN, None, None, payload);
    }
    tx.commit(&gateway(), NOW).await.unwrap();
}

/// Goes on until the tree has this size: events wait for transactions of other tests, whose ids are of the same cluster.
async fn grow(leader: &mut Leader, size: u64) {
    while leader.size() < size {
        leader.step().await.unwrap();
    }
    assert_eq!(leader.size(), size);
}

/// The leaf hashes of the events in the order of followers.
async fn leaves(pool: &PgPool) -> Vec<[u8; 32]> {
    let entries: Vec<Vec<u8>> =
        sqlx::query_scalar("SELECT entry FROM spine.event ORDER BY transaction_id, sequence")
            .fetch_all(pool)
            .await
            .unwrap();
    entries.iter().map(|entry| entry_hash(entry)).collect()
}

/// The last checkpoint, checked against the events themselves.
async fn checked(pool: &PgPool) -> TreeHead {
    let last = log::latest_checkpoint(pool).await.unwrap().unwrap();
    let opened = Checkpoint::open(&last.note, &[log_key().public().clone()]).unwrap();
    assert_eq!(opened.checkpoint.tree, last.tree);
    assert_eq!(last.tree.root, root_of(&leaves(pool).await));
    last.tree
}

async fn count(pool: &PgPool, what: &'static str) -> i64 {
    sqlx::query_scalar(what).fetch_one(pool).await.unwrap()
}

/// As a superuser who has laid the triggers still.
async fn tamper(owner: &PgPool, change: &'static str) {
    let mut connection = owner.acquire().await.unwrap();
    for statement in [
        "ALTER TABLE spine.event DISABLE TRIGGER ALL",
        "ALTER TABLE spine.leaf DISABLE TRIGGER ALL",
        "ALTER TABLE spine.tile DISABLE TRIGGER ALL",
        "ALTER TABLE spine.checkpoint DISABLE TRIGGER ALL",
    ] {
        connection.execute(statement).await.unwrap();
    }
    let changed = connection.execute(change).await.unwrap();
    assert_eq!(changed.rows_affected(), 1, "{change}");
}

fn fault(result: Result<Option<Leader>, SequencerError>) -> LogFault {
    match result {
        Err(SequencerError::Refused(fault)) => fault,
        other => panic!("{other:?} is no refusal"),
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn events_get_leaves_in_the_order_of_followers_and_every_one_is_proved(owner: PgPool) {
    let app = as_app(&owner).await;
    commit(&app, "robot/a", 3).await;
    commit_one(&app, "robot/b", None, 1).await;
    let mut leader = begin(&app).await;

    grow(&mut leader, 4).await;
    let first = checked(&app).await;
    commit(&app, "robot/c", 600).await;
    grow(&mut leader, 604).await;
    let second = checked(&app).await;

    let leaves = leaves(&app).await;
    let indices: Vec<u64> = (0..second.size).collect();
    let proofs = log::inclusion_proofs(&app, &indices, second.size)
        .await
        .unwrap();
    for (index, proof) in indices.iter().zip(&proofs) {
        let leaf = &leaves[usize::try_from(*index).unwrap()];
        assert_eq!(verify_inclusion(leaf, *index, &second, proof), Ok(()));
    }
    assert_eq!(
        proofs[300],
        log::inclusion_proof(&app, 300, 604).await.unwrap()
    );
    let earlier = log::inclusion_proof(&app, 1, first.size).await.unwrap();
    assert_eq!(verify_inclusion(&leaves[1], 1, &first, &earlier), Ok(()));
    let consistency = log::consistency_proof(&app, first.size, second.size)
        .await
        .unwrap();
    assert_eq!(verify_consistency(&first, &second, &consistency), Ok(()));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn an_idle_log_writes_nothing(owner: PgPool) {
    let app = as_app(&owner).await;
    commit_one(&app, "robot/a", None, 1).await;
    let mut leader = begin(&app).await;
    grow(&mut leader, 1).await;

    for _ in 0..3 {
        assert_eq!(leader.step().await.unwrap(), 0);
    }

    assert_eq!(
        count(&app, "SELECT count(*) FROM spine.checkpoint").await,
        1
    );
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_commit_is_in_a_checkpoint_without_anybody_asking(owner: PgPool) {
    let app = as_app(&owner).await;
    let mut leader = begin(&app).await;
    let leading = tokio::spawn(async move { leader.next().await.unwrap() });

    commit(&app, "robot/a", 5).await;

    assert_eq!(leading.await.unwrap(), 5);
    assert_eq!(checked(&app).await.size, 5);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn leaves_have_no_gaps_while_eight_write_and_the_leader_changes(owner: PgPool) {
    const WRITERS: usize = 8;
    const EACH: usize = 25;
    let app = as_app(&owner).await;
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let app = app.clone();
            tokio::spawn(async move {
                for _ in 0..EACH {
                    commit(&app, &format!("robot/{writer}"), 2).await;
                }
            })
        })
        .collect();
    let all = u64::try_from(2 * WRITERS * EACH).unwrap();

    let mut leader = begin(&owner).await;
    for handover in [all / 4, all / 2] {
        while leader.size() < handover {
            leader.step().await.unwrap();
        }
        leader.resign().await.unwrap();
        leader = begin(&owner).await;
    }
    grow(&mut leader, all).await;

    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(checked(&app).await.size, all);
    let gaps = "SELECT count(*) FROM (SELECT leaf_index, row_number() OVER (ORDER BY leaf_index) - 1 AS due FROM spine.leaf)
                AS numbered WHERE leaf_index <> due";
    assert_eq!(count(&app, gaps).await, 0);
    let doubled = "SELECT count(*) - count(DISTINCT sequence) FROM spine.leaf";
    assert_eq!(count(&app, doubled).await, 0);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn one_leads_at_a_time_and_the_next_begins_when_its_connection_is_gone(owner: PgPool) {
    let app = as_app(&owner).await;
    commit(&app, "robot/a", 3).await;
    let mut first = begin(&app).await;
    grow(&mut first, 3).await;

    let second = lead(&app, &log_key()).await.unwrap();
    assert!(second.is_none());
    first.resign().await.unwrap();
    let third = begin(&app).await;

    assert_eq!(third.size(), 3);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_leader_that_lost_its_lock_unawares_cannot_write_another_history(owner: PgPool) {
    let app = as_app(&owner).await;
    let mut stale = begin(&app).await;
    stale
        .connection
        .execute("SELECT pg_advisory_unlock_all()")
        .await
        .unwrap();
    let mut leader = begin(&app).await;
    commit(&app, "robot/a", 3).await;
    grow(&mut leader, 3).await;

    let overtaken = stale.step().await;

    assert!(matches!(overtaken, Err(SequencerError::Overtaken)));
    assert_eq!(checked(&app).await.size, 3);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_leader_killed_in_the_middle_of_its_work_leaves_nothing_half_done(owner: PgPool) {
    let app = as_app(&owner).await;
    commit(&app, "robot/a", 300).await;
    let mut leader = begin(&app).await;
    let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()")
        .fetch_one(&mut leader.connection)
        .await
        .unwrap();
    let mut holding = owner.begin().await.unwrap();
    holding
        .execute("LOCK TABLE spine.checkpoint IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    // Leaves and a tile are written, the checkpoint waits; nothing of it is committed.
    let working = tokio::spawn(async move {
        loop {
            if leader.step().await.map_err(|_error| ())? > 0 {
                return Ok::<(), ()>(());
            }
        }
    });
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'spine.checkpoint'::regclass";
    while count(&owner, waits).await == 0 {}

    sqlx::query("SELECT pg_terminate_backend($1)")
        .bind(backend)
        .execute(&owner)
        .await
        .unwrap();
    assert_eq!(working.await.unwrap(), Err(()));
    drop(holding);

    assert_eq!(count(&app, "SELECT count(*) FROM spine.leaf").await, 0);
    assert_eq!(count(&app, "SELECT count(*) FROM spine.tile").await, 0);
    let mut next = begin(&app).await;
    grow(&mut next, 300).await;
    assert_eq!(checked(&app).await.size, 300);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_superusers_edit_of_an_event_shows_in_its_proof_and_stops_the_next_leader(owner: PgPool) {
    let app = as_app(&owner).await;
    commit(&app, "robot/a", 5).await;
    let mut leader = begin(&app).await;
    grow(&mut leader, 5).await;
    let tree = checked(&app).await;
    leader.resign().await.unwrap();

    tamper(
        &owner,
        "UPDATE spine.event SET entry = entry || '\\x00', entry_hash = sha256('\\x00'::bytea || entry || '\\x00')
         WHERE stream_number = 3",
    )
    .await;

    let leaves = leaves(&app).await;
    let proof = log::inclusion_proof(&app, 2, 5).await.unwrap();
    assert!(verify_inclusion(&leaves[2], 2, &tree, &proof).is_err());
    let stopped = fault(lead(&app, &log_key()).await);
    assert!(matches!(stopped, LogFault::Event(_)), "{stopped:?}");
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn an_event_changed_before_it_got_its_leaf_gets_none(owner: PgPool) {
    let app = as_app(&owner).await;
    commit_one(&app, "robot/a", None, 1).await;
    tamper(&owner, "UPDATE spine.event SET entry = entry || '\\x00'").await;
    let mut leader = begin(&app).await;

    let refused = loop {
        match leader.step().await {
            Ok(0) => {}
            other => break other,
        }
    };

    assert!(matches!(
        refused,
        Err(SequencerError::Refused(LogFault::Event(_)))
    ));
    drop(leader);
    assert_eq!(count(&owner, "SELECT count(*) FROM spine.leaf").await, 0);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn no_leader_goes_on_from_what_was_tampered_with(owner: PgPool) {
    let app = as_app(&owner).await;
    // One full tile above another level's first hash, and a few leaves beside it.
    commit(&app, "robot/a", 260).await;
    let mut leader = begin(&app).await;
    grow(&mut leader, 260).await;
    leader.resign().await.unwrap();
    let tile = TileId {
        level: 0,
        index: 0,
        width: 256,
    };

    // Each is undone by the next, which restores what it kept.
    for (change, undo, expected) in [
        (
            "UPDATE spine.tile SET hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1)",
            "UPDATE spine.tile SET hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1)",
            LogFault::Tile(tile),
        ),
        (
            "UPDATE spine.tile SET root = set_byte(root, 0, get_byte(root, 0) # 1)",
            "UPDATE spine.tile SET root = set_byte(root, 0, get_byte(root, 0) # 1)",
            LogFault::Edge,
        ),
        (
            "UPDATE spine.checkpoint SET frontier = set_byte(frontier, 0, get_byte(frontier, 0) # 1)",
            "UPDATE spine.checkpoint SET frontier = set_byte(frontier, 0, get_byte(frontier, 0) # 1)",
            LogFault::Frontier { size: 260 },
        ),
        (
            "UPDATE spine.checkpoint SET root = set_byte(root, 0, get_byte(root, 0) # 1)",
            "UPDATE spine.checkpoint SET root = set_byte(root, 0, get_byte(root, 0) # 1)",
            LogFault::Checkpoint,
        ),
        (
            "INSERT INTO spine.leaf (leaf_index, sequence, leaf_hash) VALUES (260, 9999, sha256(''))",
            "DELETE FROM spine.leaf WHERE leaf_index = 260",
            LogFault::Leaves {
                size: 260,
                found: 261,
            },
        ),
        (
            "UPDATE spine.leaf SET leaf_hash = set_byte(leaf_hash, 0, get_byte(leaf_hash, 0) # 1) WHERE leaf_index = 258",
            "UPDATE spine.leaf SET leaf_hash = set_byte(leaf_hash, 0, get_byte(leaf_hash, 0) # 1) WHERE leaf_index = 258",
            LogFault::Event(259),
        ),
    ] {
        tamper(&owner, change).await;
        assert_eq!(fault(lead(&app, &log_key()).await), expected, "{change}");
        tamper(&owner, undo).await;
    }
    assert_eq!(begin(&app).await.size(), 260);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn another_key_does_not_go_on_with_the_log(owner: PgPool) {
    let app = as_app(&owner).await;
    commit_one(&app, "robot/a", None, 1).await;
    let mut leader = begin(&app).await;
    grow(&mut leader, 1).await;
    leader.resign().await.unwrap();
    let other = LogKey::new(SigningKey::from_bytes(&[8; 32]), None).unwrap();

    let refused = fault(lead(&app, &other).await);

    let origin = log_key().origin().to_owned();
    assert_eq!(refused, LogFault::OtherLog { origin });
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_log_tells_how_far_it_is_and_where_an_event_stands(owner: PgPool) {
    let app = as_app(&owner).await;
    let mut tx = Tx::begin(&app);
    for stream in ["robot/a", "robot/b"] {
        tx.record(stream.to_owned(), LINDEN, None, None, unanswered(1));
    }
    let mut places: Vec<Position> = Vec::new();
    for recorded in tx.commit(&gateway(), NOW).await.unwrap() {
        places.push(recorded.position);
    }
    let waiting = async |expected: u64| {
        // What hides behind another test's transaction is not counted yet.
        loop {
            let progress = log::progress(&app).await.unwrap();
            if progress.waiting == expected {
                return progress;
            }
        }
    };
    let before = waiting(2).await;
    let leaves_before = log::leaves_of(&app, &places).await.unwrap();
    let mut leader = begin(&app).await;
    grow(&mut leader, 2).await;

    let after = waiting(0).await;
    let leaves: BTreeSet<u64> = log::leaves_of(&app, &places)
        .await
        .unwrap()
        .into_iter()
        .flatten()
        .collect();

    assert_eq!((before.size, after.size), (0, 2));
    assert!(before.waiting_since.is_some() && after.waiting_since.is_none());
    assert_eq!(leaves_before, [None, None]);
    assert_eq!(leaves, BTreeSet::from([0, 1]));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn tiles_are_served_as_far_as_the_tree_has_grown(owner: PgPool) {
    let app = as_app(&owner).await;
    commit(&app, "robot/a", 258).await;
    let mut leader = begin(&app).await;
    grow(&mut leader, 258).await;
    let leaves = leaves(&app).await;
    let read = async |path: &str| {
        let id = path.parse().unwrap();
        log::tile(&app, id)
            .await
            .unwrap()
            .map(|tile| tile.hashes().to_vec())
    };

    assert_eq!(read("tile/0/000").await, Some(leaves[..256].to_vec()));
    assert_eq!(read("tile/0/000.p/7").await, Some(leaves[..7].to_vec()));
    assert_eq!(read("tile/0/001.p/2").await, Some(leaves[256..].to_vec()));
    assert_eq!(read("tile/0/001.p/3").await, None);
    assert_eq!(read("tile/0/001").await, None);
    assert_eq!(
        read("tile/1/000.p/1").await,
        Some(vec![root_of(&leaves[..256])])
    );
    assert_eq!(read("tile/1/001.p/1").await, None);
    assert_eq!(read("tile/63/x999/999.p/1").await, None);
}
