//! Grants in Postgres, and what the policy decided, as events.

use protocol::{
    GrantId, OrganisationId, PersonId, RobotId,
    event::{Payload, robot_stream},
    grant::{Grant, GrantEvent},
    roster::name_of,
    sealed::KeyId,
};
use spine::Tx;
use sqlx::PgExecutor;
use time::OffsetDateTime;

use super::{GrantDenial, GrantedRobot};

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum GrantStoreError {
    /// The row is one that we never write.
    #[error("grant {0} has a row that no grant explains")]
    Corrupt(GrantId),
    /// Postgres failed or could not be reached.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

/// A grant that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedGrant {
    /// Which.
    pub grant: GrantId,
    /// For which robot.
    pub robot: RobotId,
    /// To whom.
    pub person: PersonId,
    /// The page's key.
    pub session_key: [u8; 32],
    /// Under which epoch of control.
    pub epoch: u64,
    /// Its end.
    pub expires_at: OffsetDateTime,
}

/// Keeps a grant that was just sealed, and says so.
pub async fn insert_grant(
    tx: &mut Tx,
    robot: &GrantedRobot,
    grant: &Grant,
    sha256: [u8; 32],
) -> Result<(), GrantStoreError> {
    let corrupt = || GrantStoreError::Corrupt(grant.grant);
    let at = |seconds| {
        OffsetDateTime::from_unix_timestamp(seconds).map_err(|_beyond_the_calendar| corrupt())
    };
    sqlx::query!(
        "INSERT INTO assist.issued_grant (grant_id, organisation_id, site_id, robot_id, person_id, session_key, epoch,
                                          issued_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        grant.grant.0,
        robot.organisation.0,
        robot.site.0,
        robot.robot.0,
        grant.person.0,
        grant.session_key.as_slice(),
        i64::try_from(grant.epoch).map_err(|_huge| corrupt())?,
        at(grant.not_before_s)?,
        at(grant.expires_s)?,
    )
    .execute(tx.connection().await?)
    .await?;
    let event = GrantEvent::Issued {
        grant: grant.grant,
        person: grant.person,
        session_key: name_of(&grant.session_key),
        epoch: grant.epoch,
        sha256,
        expires_s: grant.expires_s,
    };
    record(tx, robot, grant.person, event);
    Ok(())
}

/// Says that somebody got none, and why.
pub fn record_denial(tx: &mut Tx, robot: &GrantedRobot, person: PersonId, denial: GrantDenial) {
    let code = denial.code().to_owned();
    record(tx, robot, person, GrantEvent::Denied { person, code });
}

fn record(tx: &mut Tx, robot: &GrantedRobot, person: PersonId, event: GrantEvent) {
    tx.record(
        robot_stream(robot.robot),
        robot.organisation,
        Some(robot.site),
        Some(person),
        Payload::Grant(event),
    );
}

/// A grant, if it was issued and is not forgotten.
pub async fn load_grant(
    executor: impl PgExecutor<'_>,
    grant: GrantId,
) -> Result<Option<IssuedGrant>, GrantStoreError> {
    let row = sqlx::query!(
        "SELECT robot_id, person_id, session_key, epoch, expires_at FROM assist.issued_grant WHERE grant_id = $1",
        grant.0,
    )
    .fetch_optional(executor)
    .await?;
    row.map(|row| {
        Ok(IssuedGrant {
            grant,
            robot: RobotId(row.robot_id),
            person: PersonId(row.person_id),
            session_key: row
                .session_key
                .try_into()
                .map_err(|_length| GrantStoreError::Corrupt(grant))?,
            epoch: u64::try_from(row.epoch).map_err(|_negative| GrantStoreError::Corrupt(grant))?,
            expires_at: row.expires_at,
        })
    })
    .transpose()
}

/// Forgets grants that ended before `before`. The events stay.
pub async fn forget_grants(
    executor: impl PgExecutor<'_>,
    before: OffsetDateTime,
) -> Result<u64, GrantStoreError> {
    let forgotten = sqlx::query!(
        "DELETE FROM assist.issued_grant WHERE expires_at < $1",
        before
    )
    .execute(executor)
    .await?;
    Ok(forgotten.rows_affected())
}

/// The names of the keys of pages whose grants run at `now`.
pub async fn granted_session_keys(
    executor: impl PgExecutor<'_>,
    organisation: OrganisationId,
    now: OffsetDateTime,
) -> Result<Vec<KeyId>, GrantStoreError> {
    let rows = sqlx::query!(
        "SELECT DISTINCT session_key FROM assist.issued_grant WHERE organisation_id = $1 AND expires_at > $2",
        organisation.0,
        now,
    )
    .fetch_all(executor)
    .await?;
    // The column holds 32 bytes, by its own constraint.
    let keys = rows
        .into_iter()
        .filter_map(|row| row.session_key.try_into().ok());
    Ok(keys.map(|key: [u8; 32]| name_of(&key)).collect())
}
