//! Commands in Postgres. Calls, and who steers, are kept elsewhere, and given out here too.

use protocol::{
    CommandId, OrganisationId, PersonId, RobotId, SiteId,
    command::{AbandonReason, Fate, RobotRefusal, SealedCommand, Verb},
    event::{Payload, robot_stream},
    views::Page,
};
use spine::Tx;
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

mod clip;

pub use self::clip::{clip, clips_here, forget_clips, is_named, keep_clip, name_clip};
pub use crate::call::store::{
    CallStoreError, StoredCall, call_of_job, claim_due_calls, insert_call, list_open_calls,
    load_call, peek_call, save_call,
};
use crate::command::{Command, Issue};
pub use crate::control::store::{
    ControlStoreError, StoredControl, claim_lapsed_controls, controls_of, load_control,
    load_controls_held_by, peek_control, renew, save_control,
};
pub use crate::grant::store::{
    GrantStoreError, IssuedGrant, forget_grants, granted_session_keys, insert_grant, load_grant,
    record_denial,
};

/// Why a store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer was first. Nothing was changed; load again.
    #[error("command {0} was changed by someone else")]
    Stale(CommandId),
    /// The row is one that we never write.
    #[error("command {0} has a row that no fate explains")]
    Corrupt(CommandId),
    /// Postgres failed or could not be reached.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

struct CommandRow {
    command_id: Uuid,
    organisation_id: Uuid,
    site_id: Uuid,
    robot_id: Uuid,
    issued_by: Uuid,
    issued_at: OffsetDateTime,
    verb: String,
    x_m: Option<f64>,
    y_m: Option<f64>,
    heading_rad: Option<f64>,
    fate: String,
    reason: Option<String>,
    answer_by: OffsetDateTime,
    answered_at: Option<OffsetDateTime>,
    ended_at: Option<OffsetDateTime>,
    epoch: Option<i64>,
    version: i64,
}

impl CommandRow {
    fn command(self) -> Result<Command, StoreError> {
        let id = CommandId(self.command_id);
        let corrupt = || StoreError::Corrupt(id);
        let verb = match (self.verb.as_str(), self.x_m, self.y_m) {
            ("navigate_to", Some(x_m), Some(y_m)) => Verb::NavigateTo {
                x_m,
                y_m,
                heading_rad: self.heading_rad,
            },
            ("stop", None, None) => Verb::Stop,
            ("arm_drive", None, None) => Verb::ArmDrive,
            ("release_stop", None, None) => Verb::ReleaseStop,
            _ => return Err(corrupt()),
        };
        Ok(Command {
            issue: Issue {
                command: id,
                organisation: OrganisationId(self.organisation_id),
                site: SiteId(self.site_id),
                robot: RobotId(self.robot_id),
                person: PersonId(self.issued_by),
                verb,
                epoch: (self.epoch.map(u64::try_from).transpose())
                    .map_err(|_negative| corrupt())?,
            },
            fate: fate(&self.fate, self.reason.as_deref()).ok_or_else(corrupt)?,
            issued_at: self.issued_at,
            answer_by: self.answer_by,
            answered_at: self.answered_at,
            ended_at: self.ended_at,
            version: u64::try_from(self.version).map_err(|_negative| corrupt())?,
        })
    }
}

fn fate(word: &str, reason: Option<&str>) -> Option<Fate> {
    match (word, reason) {
        ("sent", None) => Some(Fate::Sent),
        ("accepted", None) => Some(Fate::Accepted),
        ("refused", Some(reason)) => RobotRefusal::ALL
            .into_iter()
            .find(|refusal| refusal.code() == reason)
            .map(|reason| Fate::Refused { reason }),
        ("done", None) => Some(Fate::Done),
        ("abandoned", Some(reason)) => ABANDON_REASONS
            .into_iter()
            .find(|candidate| abandon_code(*candidate) == reason)
            .map(|reason| Fate::Abandoned { reason }),
        ("unanswered", None) => Some(Fate::Unanswered),
        _ => None,
    }
}

const fn columns(fate: Fate) -> (&'static str, Option<&'static str>) {
    match fate {
        Fate::Sent => ("sent", None),
        Fate::Accepted => ("accepted", None),
        Fate::Refused { reason } => ("refused", Some(reason.code())),
        Fate::Done => ("done", None),
        Fate::Abandoned { reason } => ("abandoned", Some(abandon_code(reason))),
        Fate::Unanswered => ("unanswered", None),
    }
}

const ABANDON_REASONS: [AbandonReason; 10] = [
    AbandonReason::Blocked,
    AbandonReason::Superseded,
    AbandonReason::Stopped,
    AbandonReason::Fault,
    AbandonReason::Restarted,
    AbandonReason::ControlEnded,
    AbandonReason::DeadMan,
    AbandonReason::StaleFrame,
    AbandonReason::Delay,
    AbandonReason::BatteryLow,
];

const fn abandon_code(reason: AbandonReason) -> &'static str {
    match reason {
        AbandonReason::Blocked => "blocked",
        AbandonReason::Superseded => "superseded",
        AbandonReason::Stopped => "stopped",
        AbandonReason::Fault => "fault",
        AbandonReason::Restarted => "restarted",
        AbandonReason::ControlEnded => "control_ended",
        AbandonReason::DeadMan => "dead_man",
        AbandonReason::StaleFrame => "stale_frame",
        AbandonReason::Delay => "delay",
        AbandonReason::BatteryLow => "battery_low",
    }
}

/// The word of a verb, and its target: x, y and heading.
const fn verb_columns(verb: Verb) -> (&'static str, [Option<f64>; 3]) {
    match verb {
        Verb::NavigateTo {
            x_m,
            y_m,
            heading_rad,
        } => ("navigate_to", [Some(x_m), Some(y_m), heading_rad]),
        Verb::Stop => ("stop", [None; 3]),
        Verb::ArmDrive => ("arm_drive", [None; 3]),
        Verb::ReleaseStop => ("release_stop", [None; 3]),
    }
}

/// What a person's page signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The bytes.
    pub sealed: SealedCommand,
    /// Why, as it says in them; may be empty.
    pub words: String,
}

/// Writes a command that was just issued, and the event, signed for the person. `Stale` when the id is there already:
/// of two senders at once the second loads and decides again.
pub async fn insert(
    tx: &mut Tx,
    command: &Command,
    signed: Option<Signed>,
) -> Result<(), StoreError> {
    let issue = &command.issue;
    let (verb, [x_m, y_m, heading_rad]) = verb_columns(issue.verb);
    let (fate, reason) = columns(command.fate);
    let inserted = sqlx::query!(
        "INSERT INTO assist.command (command_id, organisation_id, site_id, robot_id, issued_by, issued_at, verb, x_m, y_m,
                                     heading_rad, fate, reason, answer_by, answered_at, ended_at, epoch, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
         ON CONFLICT (command_id) DO NOTHING",
        issue.command.0,
        issue.organisation.0,
        issue.site.0,
        issue.robot.0,
        issue.person.0,
        command.issued_at,
        verb,
        x_m,
        y_m,
        heading_rad,
        fate,
        reason,
        command.answer_by,
        command.answered_at,
        command.ended_at,
        (issue.epoch.map(i64::try_from).transpose())
            .map_err(|_huge| StoreError::Corrupt(issue.command))?,
        version(command)?,
    )
    .execute(tx.connection().await?)
    .await?;
    if inserted.rows_affected() != 1 {
        return Err(StoreError::Stale(issue.command));
    }
    let (signed, words) = signed.map_or((None, String::new()), |Signed { sealed, words }| {
        (Some(sealed), words)
    });
    tx.record(
        robot_stream(issue.robot),
        issue.organisation,
        Some(issue.site),
        Some(issue.person),
        Payload::CommandIssued {
            command: issue.command,
            robot: issue.robot,
            person: issue.person,
            order: issue.verb,
            epoch: issue.epoch,
            signed,
            words,
        },
    );
    Ok(())
}

/// A command, locked until the transaction ends.
pub async fn load(tx: &mut Tx, command: CommandId) -> Result<Option<Command>, StoreError> {
    sqlx::query_as!(
        CommandRow,
        "SELECT command_id, organisation_id, site_id, robot_id, issued_by, issued_at, verb, x_m, y_m, heading_rad,
                fate, reason, answer_by, answered_at, ended_at, epoch, version
         FROM assist.command
         WHERE command_id = $1
         FOR UPDATE",
        command.0,
    )
    .fetch_optional(tx.connection().await?)
    .await?
    .map(CommandRow::command)
    .transpose()
}

/// Writes where a command stands now, or fails as `Stale` when another writer was first.
///
/// A robot's word is recorded as the robot signed it, by the caller. Silence has no signer: that event is recorded here.
pub async fn save(tx: &mut Tx, before: &Command, after: &Command) -> Result<(), StoreError> {
    let issue = &after.issue;
    let (fate, reason) = columns(after.fate);
    let updated = sqlx::query!(
        "UPDATE assist.command
         SET fate = $2, reason = $3, answered_at = $4, ended_at = $5, version = $6
         WHERE command_id = $1 AND version = $7",
        issue.command.0,
        fate,
        reason,
        after.answered_at,
        after.ended_at,
        version(after)?,
        version(before)?,
    )
    .execute(tx.connection().await?)
    .await?;
    if updated.rows_affected() != 1 {
        return Err(StoreError::Stale(issue.command));
    }
    if after.fate == Fate::Unanswered && before.fate != Fate::Unanswered {
        let payload = Payload::CommandUnanswered {
            command: issue.command,
        };
        tx.record(
            robot_stream(issue.robot),
            issue.organisation,
            Some(issue.site),
            None,
            payload,
        );
    }
    Ok(())
}

/// Commands whose robot let its time run out, longest overdue first, locked; those that another gateway is at are left out.
pub async fn claim_overdue(
    tx: &mut Tx,
    now: OffsetDateTime,
    limit: u32,
) -> Result<Vec<Command>, StoreError> {
    sqlx::query_as!(
        CommandRow,
        "SELECT command_id, organisation_id, site_id, robot_id, issued_by, issued_at, verb, x_m, y_m, heading_rad,
                fate, reason, answer_by, answered_at, ended_at, epoch, version
         FROM assist.command
         WHERE fate = 'sent' AND answer_by <= $1
         ORDER BY answer_by
         LIMIT $2
         FOR UPDATE SKIP LOCKED",
        now,
        i64::from(limit),
    )
    .fetch_all(tx.connection().await?)
    .await?
    .into_iter()
    .map(CommandRow::command)
    .collect()
}

/// A command as it stands, unlocked.
pub async fn peek(
    executor: impl PgExecutor<'_>,
    command: CommandId,
) -> Result<Option<Command>, StoreError> {
    sqlx::query_as!(
        CommandRow,
        "SELECT command_id, organisation_id, site_id, robot_id, issued_by, issued_at, verb, x_m, y_m, heading_rad,
                fate, reason, answer_by, answered_at, ended_at, epoch, version
         FROM assist.command
         WHERE command_id = $1",
        command.0,
    )
    .fetch_optional(executor)
    .await?
    .map(CommandRow::command)
    .transpose()
}

/// Those of these commands that are a robot's, in no order.
pub async fn these(
    executor: impl PgExecutor<'_>,
    robot: RobotId,
    commands: &[CommandId],
) -> Result<Vec<Command>, StoreError> {
    let ids: Vec<Uuid> = commands.iter().map(|command| command.0).collect();
    sqlx::query_as!(
        CommandRow,
        "SELECT command_id, organisation_id, site_id, robot_id, issued_by, issued_at, verb, x_m, y_m, heading_rad,
                fate, reason, answer_by, answered_at, ended_at, epoch, version
         FROM assist.command
         WHERE robot_id = $1 AND command_id = ANY ($2)",
        robot.0,
        &ids,
    )
    .fetch_all(executor)
    .await?
    .into_iter()
    .map(CommandRow::command)
    .collect()
}

/// The commands to a robot, newest first, older than the one that `cursor` names (the `next` of the page before). A cursor
/// that names no command gives an empty page.
pub async fn list(
    executor: impl PgExecutor<'_>,
    robot: RobotId,
    cursor: Option<CommandId>,
    limit: u32,
) -> Result<Page<Command>, StoreError> {
    let mut items = sqlx::query_as!(
        CommandRow,
        "SELECT command_id, organisation_id, site_id, robot_id, issued_by, issued_at, verb, x_m, y_m, heading_rad,
                fate, reason, answer_by, answered_at, ended_at, epoch, version
         FROM assist.command
         WHERE robot_id = $1
           AND ($2::uuid IS NULL OR (issued_at, command_id) < (SELECT last.issued_at, last.command_id
                                                               FROM assist.command AS last
                                                               WHERE last.command_id = $2 AND last.robot_id = $1))
         ORDER BY issued_at DESC, command_id DESC
         LIMIT $3",
        robot.0,
        cursor.map(|command| command.0),
        i64::from(limit) + 1,
    )
    .fetch_all(executor)
    .await?
    .into_iter()
    .map(CommandRow::command)
    .collect::<Result<Vec<_>, _>>()?;
    let page = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = items.len() > page;
    items.truncate(page);
    let next = items
        .last()
        .filter(|_| has_more)
        .map(|command| command.issue.command.to_string());
    Ok(Page { items, next })
}

/// The latest commands to any of these robots, newest first, at most `limit` in all.
pub async fn latest(
    executor: impl PgExecutor<'_>,
    robots: &[RobotId],
    limit: u32,
) -> Result<Vec<Command>, StoreError> {
    let robots: Vec<Uuid> = robots.iter().map(|robot| robot.0).collect();
    // One short walk down the index per robot, however many commands there are.
    sqlx::query_as!(
        CommandRow,
        r#"SELECT command_id, organisation_id, site_id, robot_id, issued_by, issued_at, verb, x_m, y_m, heading_rad,
                  fate, reason, answer_by, answered_at, ended_at, epoch, version
           FROM unnest($1::uuid[]) AS wanted (id)
           CROSS JOIN LATERAL (SELECT * FROM assist.command
                               WHERE robot_id = wanted.id
                               ORDER BY issued_at DESC, command_id DESC
                               LIMIT $2) AS command
           ORDER BY issued_at DESC, command_id DESC
           LIMIT $2"#,
        &robots,
        i64::from(limit),
    )
    .fetch_all(executor)
    .await?
    .into_iter()
    .map(CommandRow::command)
    .collect()
}

fn version(command: &Command) -> Result<i64, StoreError> {
    i64::try_from(command.version).map_err(|_huge| StoreError::Corrupt(command.issue.command))
}

#[cfg(test)]
mod tests;
