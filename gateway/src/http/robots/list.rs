//! `GET /api/v1/robots`

use axum::{Json, extract::State};
use protocol::{
    RobotId,
    limits::{DEFAULT_PAGE_ROWS, MAX_PAGE_ROWS},
    views::{Page, Problem, RobotView},
};
use serde::Deserialize;

use super::view;
use crate::{
    app::App,
    error::ApiError,
    http::{auth::Caller, extract::Asked},
};

/// What may be asked.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Query {
    /// `next` of the page before.
    cursor: Option<RobotId>,
    /// Rows, at most 200.
    limit: Option<u32>,
}

/// The robots that the caller may see, by name.
#[utoipa::path(get, path = "/api/v1/robots", tag = "robots", params(Query), responses(
    (status = 200, description = "A page", body = Page<RobotView>),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "`role_missing`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Asked(query): Asked<Query>,
) -> Result<Json<Page<RobotView>>, ApiError> {
    let sight = caller.sight()?;
    let sites: Option<Vec<_>> = sight.sites.map(|sites| sites.into_iter().collect());
    let limit = query
        .limit
        .unwrap_or(DEFAULT_PAGE_ROWS)
        .clamp(1, MAX_PAGE_ROWS);
    let page = identity::store::list_robots(
        &app.pool,
        sight.organisation,
        sites.as_deref(),
        query.cursor,
        limit,
    )
    .await?;
    Ok(Json(Page {
        items: page.items.iter().map(|robot| view(&app, robot)).collect(),
        next: page.next,
    }))
}
