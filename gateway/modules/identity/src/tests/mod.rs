//! The stores against a real Postgres, as the application's role.

mod keys;
mod people;
mod robots;
mod sign_in;
mod trust;

use ed25519_dalek::SigningKey;
use protocol::{OrganisationId, PersonId, RobotId, SiteId, TokenId, UnixMicros};
use spine::{Signer, Tx};
use sqlx::{Executor as _, PgPool, postgres::PgPoolOptions};
use time::{OffsetDateTime, macros::datetime};
use uuid::Uuid;

use crate::{Name, Person, Robot, Secret, SecretHash, SecretKind, StoreError, store};

const T0: OffsetDateTime = datetime!(2026-01-01 8:00 UTC);
const LINDEN: OrganisationId = OrganisationId(Uuid::from_u128(1));
const OTHER: OrganisationId = OrganisationId(Uuid::from_u128(2));
const WING_A: SiteId = SiteId(Uuid::from_u128(11));
const WING_B: SiteId = SiteId(Uuid::from_u128(12));
const ELSEWHERE: SiteId = SiteId(Uuid::from_u128(13));
const MIRA: PersonId = PersonId(Uuid::from_u128(21));

/// Two organisations, three sites, one person; seen as the application sees them.
async fn house(owner: &PgPool) -> PgPool {
    let app = PgPoolOptions::new()
        .max_connections(8)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute("SET ROLE nooterra_app").await?;
                Ok(())
            })
        })
        .connect_with(owner.connect_options().as_ref().clone())
        .await
        .unwrap();
    let mut tx = Tx::begin(&app);
    store::create_organisation(&mut tx, LINDEN, &name("Linden Care Home"), T0)
        .await
        .unwrap();
    store::create_organisation(&mut tx, OTHER, &name("Other"), T0)
        .await
        .unwrap();
    store::create_site(&mut tx, LINDEN, WING_A, &name("Wing A"), None, T0)
        .await
        .unwrap();
    store::create_site(&mut tx, LINDEN, WING_B, &name("Wing B"), None, T0)
        .await
        .unwrap();
    store::create_site(&mut tx, OTHER, ELSEWHERE, &name("Wing B"), None, T0)
        .await
        .unwrap();
    store::create_person(&mut tx, LINDEN, MIRA, &name("Mira Kovač"), None, T0)
        .await
        .unwrap();
    commit(tx).await;
    app
}

async fn mira(app: &PgPool) -> Person {
    store::load_person(app, MIRA).await.unwrap().unwrap()
}

async fn robot(app: &PgPool, number: u128, site: SiteId, called: &str) -> Robot {
    let mut tx = Tx::begin(app);
    let new = store::NewRobot {
        robot: RobotId(Uuid::from_u128(number)),
        organisation: LINDEN,
        site,
        name: name(called),
    };
    let robot = store::create_robot(&mut tx, &new, Some(MIRA), T0)
        .await
        .unwrap();
    commit(tx).await;
    robot
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn secret(kind: SecretKind, byte: u8) -> SecretHash {
    Secret::new(kind, &[byte; 32]).hash()
}

const fn token(number: u128) -> TokenId {
    TokenId(Uuid::from_u128(number))
}

async fn commit(tx: Tx) {
    let signer = Signer::new(SigningKey::from_bytes(&[1; 32]));
    tx.commit(&signer, UnixMicros(1_700_000_000_000_000))
        .await
        .unwrap();
}

fn refusal<T: std::fmt::Debug>(result: Result<T, StoreError>) -> crate::Refusal {
    match result {
        Err(StoreError::Refused(refusal)) => refusal,
        other => panic!("{other:?} is no refusal"),
    }
}

/// Kinds of the events in a stream, in order.
async fn events(app: &PgPool, stream: &str) -> Vec<String> {
    sqlx::query_scalar("SELECT kind FROM spine.event WHERE stream = $1 ORDER BY stream_number")
        .bind(stream)
        .fetch_all(app)
        .await
        .unwrap()
}
