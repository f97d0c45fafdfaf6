//! `GET /api/v1/commands/{command}`

use axum::{Json, extract::State};
use protocol::{
    CommandId,
    views::{CommandView, Problem},
};

use crate::{
    app::App,
    error::ApiError,
    flows::command_views::name_of,
    http::{auth::Caller, extract::Named},
};

/// A command and its fate.
#[utoipa::path(get, path = "/api/v1/commands/{command}", tag = "commands", params(("command" = CommandId, Path)), responses(
    (status = 200, description = "The command", body = CommandView),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(command): Named<CommandId>,
) -> Result<Json<CommandView>, ApiError> {
    let sight = caller.sight()?;
    let command = assist::store::peek(&app.pool, command)
        .await?
        .filter(|command| sight.covers(command.issue.organisation, command.issue.site))
        .ok_or_else(|| ApiError::not_found("command"))?;
    let name = name_of(&app.pool, &command).await?;
    Ok(Json(command.view(name)))
}
