//! What the tests of the spine share: keys, ids, a pool of the application's role.

mod append_only;
mod damage;
mod log;
mod sequencer;
mod tail;
mod together;

use ed25519_dalek::SigningKey;
use protocol::{
    CommandId, OrganisationId, RobotId, SiteId, UnixMicros,
    event::{ActorChain, ActorEvent, Payload, robot_stream},
    sealed::{KeyId, Kind, seal},
};
use sqlx::{Executor as _, PgPool, postgres::PgPoolOptions};
use uuid::Uuid;

use crate::{
    Position, Signer,
    tail::{Filter, Follower, StoredEvent},
};

const NOW: UnixMicros = UnixMicros(1_700_000_000_000_000);
const LINDEN: OrganisationId = OrganisationId(Uuid::from_u128(1));
const ROBOT: RobotId = RobotId(Uuid::from_u128(3));

fn gateway() -> Signer {
    Signer::new(SigningKey::from_bytes(&[1; 32]))
}

fn robot_key() -> SigningKey {
    SigningKey::from_bytes(&[2; 32])
}

fn robot_key_id() -> KeyId {
    KeyId::of(&robot_key().verifying_key())
}

/// The same database, as the application sees it.
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

fn unanswered(number: u128) -> Payload {
    Payload::CommandUnanswered {
        command: CommandId(Uuid::from_u128(number)),
    }
}

/// An event as the robot seals it, and what is in it.
fn robot_event(number: u64, previous: [u8; 32], payload: Payload) -> (Vec<u8>, ActorEvent) {
    let event = ActorEvent {
        stream: robot_stream(ROBOT),
        chain: Some(ActorChain { number, previous }),
        on_behalf_of: None,
        acting_as: None,
        payload,
    };
    (seal(Kind::Event, &event, &robot_key()).unwrap(), event)
}

/// Commits one event of the gateway.
async fn commit_one(pool: &PgPool, stream: &str, site: Option<SiteId>, number: u128) {
    let mut tx = crate::Tx::begin(pool);
    tx.record(stream.to_owned(), LINDEN, site, None, unanswered(number));
    tx.commit(&gateway(), NOW).await.unwrap();
}

/// What somebody does who may do anything in the database: takes the triggers away, changes what they guard, and puts them back.
async fn as_superuser(owner: &PgPool, change: &str) {
    for statement in [
        "ALTER TABLE spine.event DISABLE TRIGGER event_never_changes",
        change,
        "ALTER TABLE spine.event ENABLE ALWAYS TRIGGER event_never_changes",
    ] {
        let statement = sqlx::AssertSqlSafe(statement.to_owned());
        owner.execute(statement).await.unwrap();
    }
}

/// Reads until `expected` events have come. One page may be shorter: events wait for the transactions of other tests,
/// whose ids are of the same cluster.
async fn follow(
    pool: &PgPool,
    position: Position,
    filter: Filter,
    expected: usize,
) -> Vec<StoredEvent> {
    let mut follower = Follower::new(pool.clone(), position, filter);
    let mut events = Vec::new();
    while events.len() < expected {
        events.extend(follower.next(1_000).await.unwrap());
    }
    events
}
