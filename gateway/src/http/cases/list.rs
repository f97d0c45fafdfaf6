//! `GET /api/v1/cases`

use axum::{Json, extract::State};
use identity::Permission;
use protocol::{
    JobId,
    case::CasePhase,
    limits::{DEFAULT_PAGE_ROWS, MAX_PAGE_ROWS},
    views::{CaseView, Page, Problem},
};
use serde::Deserialize;
use trust::{CaseCursor, store::CaseFilter};

use crate::{
    app::App,
    error::ApiError,
    flows::cases::views::views,
    http::{auth::Caller, extract::Asked},
};

/// What may be asked.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Query {
    /// `next` of the page before.
    cursor: Option<String>,
    /// Rows, at most 200.
    limit: Option<u32>,
    /// Phases, separated by commas: `evidence_frozen,triaged`.
    phase: Option<String>,
    /// Only about this job.
    job: Option<JobId>,
    /// Only what the caller filed.
    #[serde(default)]
    mine: bool,
}

/// Complaints in the order of triage: open ones first, the gravest first, the oldest first. Who does not review sees their own.
#[utoipa::path(get, path = "/api/v1/cases", tag = "cases", params(Query), responses(
    (status = 200, description = "A page", body = Page<CaseView>),
    (status = 400, description = "`phase_unknown`, `cursor_malformed` or `query_malformed`", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "`role_missing`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Asked(query): Asked<Query>,
) -> Result<Json<Page<CaseView>>, ApiError> {
    let reviews = caller.may(Permission::Review).ok().filter(|_| !query.mine);
    let filter = CaseFilter {
        organisation: caller.person.organisation,
        requester: if reviews.is_some() {
            None
        } else {
            caller.may(Permission::RequestWork)?;
            Some(caller.person.person)
        },
        sites: reviews
            .and_then(|sight| sight.sites)
            .map(|sites| sites.into_iter().collect()),
        job: query.job,
        phases: phases(query.phase.as_deref())?,
    };
    let cursor = query
        .cursor
        .as_deref()
        .map(str::parse::<CaseCursor>)
        .transpose()
        .map_err(|error| ApiError::malformed("cursor_malformed", error.to_string()))?;
    let limit = query
        .limit
        .unwrap_or(DEFAULT_PAGE_ROWS)
        .clamp(1, MAX_PAGE_ROWS);
    let mut connection = app.pool.acquire().await?;
    let page = trust::store::list(&mut *connection, &filter, cursor, limit).await?;
    Ok(Json(Page {
        items: views(&app, &mut connection, &page.items).await?,
        next: page.next,
    }))
}

fn phases(words: Option<&str>) -> Result<Option<Vec<CasePhase>>, ApiError> {
    let parse = |word: &str| {
        CasePhase::parse(word.trim()).ok_or_else(|| {
            ApiError::malformed("phase_unknown", format!("no phase is called {word}"))
        })
    };
    words
        .map(|words| words.split(',').map(parse).collect())
        .transpose()
}
