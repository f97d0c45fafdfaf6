//! Commands as people see them, with the names of who asked.

use assist::{Command, store};
use protocol::{
    CommandId, PersonId, RobotId,
    views::{CommandView, Page},
};
use sqlx::PgExecutor;

use crate::{app::App, error::ApiError};

/// Shown where a person's name is gone.
const FORMER: &str = "Former member";

/// The latest commands to `robots`, newest first.
pub async fn latest_commands(
    app: &App,
    robots: &[RobotId],
    limit: u32,
) -> Result<Vec<CommandView>, ApiError> {
    let commands = store::latest(&app.pool, robots, limit).await?;
    views(&app.pool, commands).await
}

/// One page of a robot's commands, newest first.
pub async fn list_commands(
    app: &App,
    robot: RobotId,
    cursor: Option<CommandId>,
    limit: u32,
) -> Result<Page<CommandView>, ApiError> {
    let page = store::list(&app.pool, robot, cursor, limit).await?;
    Ok(Page {
        items: views(&app.pool, page.items).await?,
        next: page.next,
    })
}

/// The commands with their names. In a transaction, that of the caller: consoles hear what was recorded or nothing was.
pub async fn views(
    executor: impl PgExecutor<'_>,
    commands: Vec<Command>,
) -> Result<Vec<CommandView>, ApiError> {
    let mut people: Vec<PersonId> = commands
        .iter()
        .map(|command| command.issue.person)
        .collect();
    people.sort();
    people.dedup();
    let names = identity::store::person_names(executor, &people).await?;
    Ok(commands
        .into_iter()
        .map(|command| {
            let name = names.get(&command.issue.person);
            command.view(name.map_or_else(|| FORMER.to_owned(), Clone::clone))
        })
        .collect())
}

/// The name of who asked.
pub async fn name_of(executor: impl PgExecutor<'_>, command: &Command) -> Result<String, ApiError> {
    let names = identity::store::person_names(executor, &[command.issue.person]).await?;
    Ok(names
        .into_values()
        .next()
        .unwrap_or_else(|| FORMER.to_owned()))
}
