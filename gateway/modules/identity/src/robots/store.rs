//! Robots, their keys and their tokens in Postgres.

use protocol::{
    OrganisationId, PersonId, RobotId, SiteId, TokenId,
    event::{Payload, robot_stream},
    views::Page,
};
use spine::Tx;
use sqlx::{PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Robot, RobotSignIn, RobotToken, key_id};
use crate::{
    Name, Refusal, SecretHash, StoreError,
    sign_in::store::{MAX_TOKENS_LISTED, USE_NOTED_EVERY},
    store_error::refuse,
};

struct RobotRow {
    robot_id: Uuid,
    name: String,
    organisation_id: Uuid,
    site_id: Uuid,
    site_name: String,
    public_key: Option<Vec<u8>>,
    seen_at: Option<OffsetDateTime>,
}

impl RobotRow {
    fn robot(self) -> Result<Robot, StoreError> {
        let public_key = self
            .public_key
            .map(|bytes| {
                <[u8; 32]>::try_from(bytes.as_slice())
                    .map_err(|_length| StoreError::Corrupt("a public key that is not 32 bytes"))
            })
            .transpose()?;
        Ok(Robot {
            robot: RobotId(self.robot_id),
            name: self.name,
            organisation: OrganisationId(self.organisation_id),
            site: SiteId(self.site_id),
            site_name: self.site_name,
            public_key,
            seen_at: self.seen_at,
        })
    }
}

/// A robot that is to be put on a roster.
#[derive(Debug, Clone)]
pub struct NewRobot {
    /// Its id.
    pub robot: RobotId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// Where it works.
    pub site: SiteId,
    /// What it is called.
    pub name: Name,
}

/// Puts a robot on a site's roster.
pub async fn create_robot(
    tx: &mut Tx,
    new: &NewRobot,
    by: Option<PersonId>,
    now: OffsetDateTime,
) -> Result<Robot, StoreError> {
    sqlx::query!(
        "INSERT INTO identity.robot (robot_id, organisation_id, site_id, name, created_at) VALUES ($1, $2, $3, $4, $5)",
        new.robot.0,
        new.organisation.0,
        new.site.0,
        new.name.as_str(),
        now,
    )
    .execute(tx.connection().await?)
    .await
    .map_err(refuse(&[
        ("robot_name_once", Refusal::NameTaken),
        ("robot_at_site", Refusal::SiteUnknown),
    ]))?;
    let payload = Payload::RobotAdded {
        robot: new.robot,
        name: new.name.to_string(),
    };
    tx.record(
        robot_stream(new.robot),
        new.organisation,
        Some(new.site),
        by,
        payload,
    );
    load_robot(tx.connection().await?, new.robot)
        .await?
        .ok_or(StoreError::Corrupt(
            "a robot that was just added is not there",
        ))
}

/// A robot by its id.
pub async fn load_robot(
    executor: impl PgExecutor<'_>,
    robot: RobotId,
) -> Result<Option<Robot>, StoreError> {
    sqlx::query_as!(
        RobotRow,
        "SELECT robot_id, robot.name, robot.organisation_id, site_id, site.name AS site_name, public_key, seen_at
         FROM identity.robot JOIN identity.site USING (site_id)
         WHERE robot_id = $1",
        robot.0,
    )
    .fetch_optional(executor)
    .await?
    .map(RobotRow::robot)
    .transpose()
}

/// A robot by its name.
pub async fn find_robot(
    executor: impl PgExecutor<'_>,
    organisation: OrganisationId,
    name: &str,
) -> Result<Option<Robot>, StoreError> {
    sqlx::query_as!(
        RobotRow,
        "SELECT robot_id, robot.name, robot.organisation_id, site_id, site.name AS site_name, public_key, seen_at
         FROM identity.robot JOIN identity.site USING (site_id)
         WHERE robot.organisation_id = $1 AND robot.name = $2",
        organisation.0,
        name,
    )
    .fetch_optional(executor)
    .await?
    .map(RobotRow::robot)
    .transpose()
}

/// The organisation's robots at these sites (absent for all), by name, behind the one that `cursor` names (the `next` of the
/// page before). A cursor that names no robot of the organisation gives an empty page.
pub async fn list_robots(
    executor: impl PgExecutor<'_>,
    organisation: OrganisationId,
    sites: Option<&[SiteId]>,
    cursor: Option<RobotId>,
    limit: u32,
) -> Result<Page<Robot>, StoreError> {
    let sites: Option<Vec<Uuid>> = sites.map(|sites| sites.iter().map(|site| site.0).collect());
    let mut items = sqlx::query_as!(
        RobotRow,
        "SELECT robot_id, robot.name, robot.organisation_id, site_id, site.name AS site_name, public_key, seen_at
         FROM identity.robot JOIN identity.site USING (site_id)
         WHERE robot.organisation_id = $1
           AND ($2::uuid[] IS NULL OR site_id = ANY ($2))
           AND ($3::uuid IS NULL OR robot.name > (SELECT last.name FROM identity.robot AS last
                                                  WHERE last.robot_id = $3 AND last.organisation_id = $1))
         ORDER BY robot.name
         LIMIT $4",
        organisation.0,
        sites.as_deref(),
        cursor.map(|robot| robot.0),
        i64::from(limit) + 1,
    )
    .fetch_all(executor)
    .await?
    .into_iter()
    .map(RobotRow::robot)
    .collect::<Result<Vec<_>, _>>()?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = items.len() > page;
    items.truncate(page);
    let next = items
        .last()
        .filter(|_| has_more)
        .map(|robot| robot.robot.to_string());
    Ok(Page { items, next })
}

/// Makes a token for a robot's agent.
pub async fn issue_robot_token(
    tx: &mut Tx,
    robot: &Robot,
    token: TokenId,
    secret: SecretHash,
    by: Option<PersonId>,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO identity.robot_token (token_id, token_hash, organisation_id, site_id, robot_id, issued_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        token.0,
        secret.as_bytes().as_slice(),
        robot.organisation.0,
        robot.site.0,
        robot.robot.0,
        now,
    )
    .execute(tx.connection().await?)
    .await?;
    let payload = Payload::RobotTokenIssued {
        robot: robot.robot,
        token,
    };
    tx.record(
        robot_stream(robot.robot),
        robot.organisation,
        Some(robot.site),
        by,
        payload,
    );
    Ok(())
}

/// Revokes a robot's token. False when it was revoked before.
pub async fn revoke_robot_token(
    tx: &mut Tx,
    robot: &Robot,
    token: TokenId,
    by: Option<PersonId>,
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let before = sqlx::query!(
        "SELECT revoked_at FROM identity.robot_token WHERE token_id = $1 AND robot_id = $2 FOR UPDATE",
        token.0,
        robot.robot.0,
    )
    .fetch_optional(tx.connection().await?)
    .await?
    .ok_or(Refusal::TokenUnknown)?;
    if before.revoked_at.is_some() {
        return Ok(false);
    }
    sqlx::query!(
        "UPDATE identity.robot_token SET revoked_at = $2 WHERE token_id = $1",
        token.0,
        now,
    )
    .execute(tx.connection().await?)
    .await?;
    let payload = Payload::RobotTokenRevoked {
        robot: robot.robot,
        token,
    };
    tx.record(
        robot_stream(robot.robot),
        robot.organisation,
        Some(robot.site),
        by,
        payload,
    );
    Ok(true)
}

/// Which robot is behind a token, unless it was revoked.
pub async fn robot_by_token(
    pool: &PgPool,
    secret: SecretHash,
    now: OffsetDateTime,
) -> Result<Option<RobotSignIn>, StoreError> {
    let found = sqlx::query!(
        "SELECT token_id, robot_id, used_at FROM identity.robot_token WHERE token_hash = $1 AND revoked_at IS NULL",
        secret.as_bytes().as_slice(),
    )
    .fetch_optional(pool)
    .await?;
    let Some(row) = found else { return Ok(None) };
    if row
        .used_at
        .is_none_or(|used_at| used_at + USE_NOTED_EVERY <= now)
    {
        sqlx::query!(
            "UPDATE identity.robot_token SET used_at = GREATEST(used_at, $2) WHERE token_id = $1",
            row.token_id,
            now,
        )
        .execute(pool)
        .await?;
    }
    let robot = load_robot(pool, RobotId(row.robot_id))
        .await?
        .ok_or(StoreError::Corrupt("a token of no robot"))?;
    let token = TokenId(row.token_id);
    Ok(Some(RobotSignIn { robot, token }))
}

/// A robot's token by its secret, revoked or not. Opens nothing: see [`robot_by_token`].
pub async fn find_robot_token(
    executor: impl PgExecutor<'_>,
    secret: SecretHash,
) -> Result<Option<RobotToken>, StoreError> {
    let row = sqlx::query!(
        "SELECT token_id, issued_at, used_at, revoked_at FROM identity.robot_token WHERE token_hash = $1",
        secret.as_bytes().as_slice(),
    )
    .fetch_optional(executor)
    .await?;
    Ok(row.map(|row| RobotToken {
        token: TokenId(row.token_id),
        issued_at: row.issued_at,
        used_at: row.used_at,
        revoked_at: row.revoked_at,
    }))
}

/// A robot's latest tokens, newest first.
pub async fn list_robot_tokens(
    executor: impl PgExecutor<'_>,
    robot: RobotId,
) -> Result<Vec<RobotToken>, StoreError> {
    let rows = sqlx::query!(
        "SELECT token_id, issued_at, used_at, revoked_at FROM identity.robot_token
         WHERE robot_id = $1
         ORDER BY issued_at DESC, token_id DESC
         LIMIT $2",
        robot.0,
        MAX_TOKENS_LISTED,
    )
    .fetch_all(executor)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| RobotToken {
            token: TokenId(row.token_id),
            issued_at: row.issued_at,
            used_at: row.used_at,
            revoked_at: row.revoked_at,
        })
        .collect())
}

/// Binds the key that a robot proved to hold; its events are believed under that key from here on, and no longer under
/// the one before. False when it is that key already; then nothing is recorded.
pub async fn bind_robot_key(
    tx: &mut Tx,
    robot: &Robot,
    public_key: [u8; 32],
    now: OffsetDateTime,
) -> Result<bool, StoreError> {
    let key = key_id(&public_key);
    let bound = sqlx::query!(
        "UPDATE identity.robot SET public_key = $2, key_id = $3, key_bound_at = $4
         WHERE robot_id = $1 AND key_id IS DISTINCT FROM $3",
        robot.robot.0,
        public_key.as_slice(),
        key.0.as_slice(),
        now,
    )
    .execute(tx.connection().await?)
    .await
    .map_err(refuse(&[("robot_key_once", Refusal::KeyTaken)]))?;
    let is_new = bound.rows_affected() == 1;
    if is_new {
        let payload = Payload::RobotKeyBound {
            robot: robot.robot,
            key,
            public_key,
        };
        tx.record(
            robot_stream(robot.robot),
            robot.organisation,
            Some(robot.site),
            None,
            payload,
        );
    }
    Ok(is_new)
}

/// Notes that a robot was there just now. Lossy on purpose: presence is live, this is what is left after a restart.
pub async fn saw_robot(
    executor: impl PgExecutor<'_>,
    robot: RobotId,
    now: OffsetDateTime,
) -> Result<(), StoreError> {
    sqlx::query!(
        "UPDATE identity.robot SET seen_at = GREATEST(seen_at, $2) WHERE robot_id = $1",
        robot.0,
        now,
    )
    .execute(executor)
    .await?;
    Ok(())
}
