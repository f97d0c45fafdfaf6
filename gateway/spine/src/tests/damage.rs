//! What is found of what somebody changed in the rows of the log: the sealed bytes are shown, and what contradicts them
//! is named.

use protocol::{
    CommandId, PersonId, UnixMicros,
    command::{Outcome, Receipt, Verb},
    event::{Payload, robot_stream},
    robot::Pose,
    views::EventView,
};
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    LINDEN, NOW, ROBOT, as_app, as_superuser, commit_one, follow, gateway, robot_event,
    robot_key_id, sequencer::log_key, unanswered,
};
use crate::{
    Damage, Position, Tx,
    evidence::{Said, lengths, read_said, read_streams},
    sequencer::lead,
    tail::{Filter, StoredEvent, StreamFollower, UNREADABLE, read_stream},
};

/// Gives every event its leaf.
async fn sequence(app: &PgPool, events: u64) {
    let mut leader = lead(app, &log_key()).await.unwrap().unwrap();
    while leader.size() < events {
        leader.next().await.unwrap();
    }
}

async fn all(app: &PgPool, stream: &str) -> Vec<StoredEvent> {
    read_stream(app, stream, 0, 1_000).await.unwrap()
}

fn damage(events: &[StoredEvent]) -> Vec<Option<Damage>> {
    events.iter().map(|event| event.damage).collect()
}

fn views(events: &[StoredEvent]) -> Vec<EventView> {
    events.iter().cloned().map(EventView::from).collect()
}

/// A column of an event's row, and what is written into it.
const EDITS: [(&str, &str); 13] = [
    ("organisation_id", "gen_random_uuid()"),
    ("site_id", "gen_random_uuid()"),
    ("kind", "'job.cancelled'"),
    ("actor_key", "sha256('x')"),
    ("actor_number", "7"),
    ("actor_hash", "sha256('x')"),
    ("recorded_at", "recorded_at + interval '1 microsecond'"),
    ("entry_hash", "sha256('x')"),
    ("payload", "payload || '{\"kind\": \"job.cancelled\"}'"),
    ("payload", "payload || '{\"note\": 1}'"),
    ("payload", "payload - 'command'"),
    ("payload", "'null'"),
    ("stream_number", "3"),
];

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn what_was_written_beside_the_sealed_bytes_is_not_shown_and_is_named(owner: PgPool) {
    let app = as_app(&owner).await;
    let streams: Vec<_> = (0..EDITS.len())
        .map(|edit| format!("robot/{edit}"))
        .collect();
    for stream in &streams {
        commit_one(&app, stream, None, 1).await;
        commit_one(&app, stream, None, 2).await;
    }
    sequence(&app, 2 * u64::try_from(EDITS.len()).unwrap()).await;

    for (stream, (column, value)) in streams.iter().zip(EDITS) {
        let before = all(&app, stream).await;
        let edit = format!(
            "UPDATE spine.event SET {column} = {value} WHERE stream = '{stream}' AND stream_number = 2"
        );
        as_superuser(&owner, &edit).await;

        let shown = all(&app, stream).await;
        let logged = read_streams(&app, LINDEN, std::slice::from_ref(stream))
            .await
            .unwrap();

        let named = Some(Damage::Contradicted(column));
        assert_eq!(damage(&before), [None, None]);
        assert_eq!(damage(&shown), [None, named], "{column} = {value}");
        // Whoever asks for one organisation's entries does not get what is said to be another's.
        let is_there = column != "organisation_id";
        let logged: Vec<_> = logged.iter().map(|entry| entry.damage).collect();
        assert_eq!(
            logged,
            [&[None][..], &[named][..usize::from(is_there)]].concat()
        );
        let mut wanted = views(&before);
        if column == "stream_number" {
            // Where it stands: followers go on behind it.
            wanted[1].stream_number = 3;
        }
        assert_eq!(views(&shown), wanted, "{column} = {value}");
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn an_event_that_was_put_into_another_stream_is_named_there(owner: PgPool) {
    let app = as_app(&owner).await;
    commit_one(&app, "robot/a", None, 1).await;
    commit_one(&app, "robot/a", None, 2).await;

    let edit = "UPDATE spine.event SET stream = 'robot/b' WHERE stream_number = 2";
    as_superuser(&owner, edit).await;

    let found = all(&app, "robot/b").await;
    assert_eq!(damage(&found), [Some(Damage::Contradicted("stream"))]);
    let lengths = lengths(&app, &["robot/a".to_owned()]).await.unwrap();
    assert_eq!(lengths["robot/a"], 2);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn bytes_that_cannot_be_read_say_nothing_and_hold_up_nobody(owner: PgPool) {
    let app = as_app(&owner).await;
    for number in 1..=3 {
        commit_one(&app, "robot/a", None, number).await;
    }
    let edit = "UPDATE spine.event SET entry = '\\x00' WHERE stream_number = 2";
    as_superuser(&owner, edit).await;

    let events = follow(&app, Position::START, Filter::default(), 3).await;

    assert_eq!(damage(&events), [None, Some(Damage::Unreadable), None]);
    let shown = views(&events).remove(1);
    assert_eq!((shown.kind.as_str(), shown.stream_number), (UNREADABLE, 2));
    assert_eq!(shown.payload, serde_json::Value::Null);
    assert_eq!(shown.actor_key, "00".repeat(32));
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn entries_in_each_others_place_come_once_each_and_are_named(owner: PgPool) {
    let app = as_app(&owner).await;
    for number in 1..=4 {
        commit_one(&app, "robot/a", None, number).await;
    }
    let swap = "UPDATE spine.event SET entry = other.entry FROM spine.event AS other
                WHERE event.stream_number IN (2, 3) AND other.stream_number = 5 - event.stream_number";
    as_superuser(&owner, swap).await;

    let mut follower = StreamFollower::new(app.clone(), "robot/a".to_owned(), 0);
    let mut events = Vec::new();
    while events.len() < 4 {
        events.extend(follower.next(1).await.unwrap());
    }

    let numbers: Vec<_> = events.iter().map(|event| event.stream_number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    let moved = Some(Damage::Contradicted("stream_number"));
    assert_eq!(damage(&events), [None, moved, moved, None]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn what_a_stream_says_is_read_from_its_sealed_bytes(owner: PgPool) {
    let app = as_app(&owner).await;
    commit_one(&app, "robot/a", None, 1).await;
    let edit = "UPDATE spine.event
                SET payload = jsonb_set(payload, '{command}', to_jsonb(gen_random_uuid())), recorded_at = 'epoch'";
    as_superuser(&owner, edit).await;

    let said = read_said(&app, LINDEN, "robot/a", &["command.unanswered"]).await;

    let expected = Said {
        payload: unanswered(1),
        recorded_at: NOW,
        robot: None,
    };
    assert_eq!(said.unwrap(), [expected]);
}

/// Floats whose decimal digits are many, or that Postgres writes otherwise than we do.
const AWKWARD: [f64; 12] = [
    0.1 + 0.2,
    -0.0,
    1e-7,
    1e17,
    1e21,
    5e-324,
    2.225_073_858_507_201_4e-308,
    f64::MAX,
    f64::MIN,
    std::f64::consts::PI,
    123_456_789.123_456_79,
    9_007_199_254_740_993.0,
];

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn what_was_written_as_it_was_sealed_is_never_called_damaged(owner: PgPool) {
    let app = as_app(&owner).await;
    let mut random = 1_u64;
    let others = std::iter::repeat_with(|| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        f64::from_bits(random)
    });
    let floats: Vec<f64> = AWKWARD
        .into_iter()
        .chain(others.filter(|one| one.is_finite()).take(200))
        .collect();
    let command = CommandId(Uuid::from_u128(5));
    let mut tx = Tx::begin(&app);
    for x_m in &floats {
        let order = Verb::NavigateTo {
            x_m: *x_m,
            y_m: -x_m,
            heading_rad: Some(x_m / 3.0),
        };
        let payload = Payload::CommandIssued {
            command,
            robot: ROBOT,
            person: PersonId(Uuid::from_u128(6)),
            order,
            epoch: None,
            signed: None,
            words: String::new(),
        };
        tx.record(robot_stream(ROBOT), LINDEN, None, None, payload);
    }
    // Numbers that JSON has no word for: a robot seals what it likes.
    let receipt = Payload::CommandReceipt(Receipt {
        command,
        outcome: Outcome::Accepted,
        tick_ms: u64::MAX,
        at: UnixMicros(i64::MIN),
        pose: Pose {
            x_m: f64::NAN,
            y_m: f64::INFINITY,
            heading_rad: 0.0,
        },
        sealed_sha256: None,
        frame: None,
        picture: None,
    });
    let (sealed, opened) = robot_event(1, [0; 32], receipt);
    tx.record_sealed(LINDEN, None, sealed, opened, robot_key_id())
        .await
        .unwrap();
    tx.commit(&gateway(), NOW).await.unwrap();

    let events = all(&app, &robot_stream(ROBOT)).await;

    assert_eq!(events.len(), floats.len() + 1);
    for (event, x_m) in events.iter().zip(floats.iter().chain([&f64::NAN])) {
        assert_eq!(event.damage, None, "{x_m:e}: {}", event.payload);
    }
}
