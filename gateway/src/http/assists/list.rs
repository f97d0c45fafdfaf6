//! `GET /api/v1/assists`

use axum::{Json, extract::State};
use identity::Permission;
use protocol::{
    console_socket::SNAPSHOT_ASSISTS,
    views::{AssistView, Page, Problem},
};

use crate::{app::App, error::ApiError, flows::jobs::calls::open_calls, http::auth::Caller};

/// The calls for help that are not over, the longest waiting first; at most a hundred.
#[utoipa::path(get, path = "/api/v1/assists", tag = "jobs", responses(
    (status = 200, description = "All of them, on one page", body = Page<AssistView>),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "`role_missing`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
) -> Result<Json<Page<AssistView>>, ApiError> {
    let sight = caller.may(Permission::RunJobs)?;
    let sites: Option<Vec<_>> = sight.sites.map(|sites| sites.into_iter().collect());
    let items = open_calls(&app, sight.organisation, sites.as_deref(), SNAPSHOT_ASSISTS).await?;
    Ok(Json(Page { items, next: None }))
}
