//! `GET /api/v1/jobs`

use axum::{Json, extract::State};
use identity::Permission;
use jobs::store::Filter;
use protocol::{
    JobId, RobotId, SiteId,
    job::PhaseName,
    limits::{DEFAULT_PAGE_ROWS, MAX_PAGE_ROWS},
    views::{JobView, Page, Problem},
};
use serde::Deserialize;

use crate::{
    app::App,
    error::ApiError,
    flows::jobs::views::views,
    http::{auth::Caller, extract::Asked},
};

/// What may be asked.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Query {
    /// `next` of the page before.
    cursor: Option<JobId>,
    /// Rows, at most 200.
    limit: Option<u32>,
    /// Phases, separated by commas: "executing,assisted".
    phase: Option<String>,
    /// Only at this site.
    site: Option<SiteId>,
    /// Only jobs that this robot holds or is offered.
    robot: Option<RobotId>,
    /// Only what the caller asked for.
    #[serde(default)]
    mine: bool,
}

/// Jobs, newest first: everybody's where the caller's roles let them see those, and else the caller's own. One whose row
/// was changed in the database by somebody else is left out; asked for by its id, it answers `record_damaged`.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "jobs", params(Query), responses(
    (status = 200, description = "A page", body = Page<JobView>),
    (status = 400, description = "`phase_unknown` or `query_malformed`", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 403, description = "`role_missing`", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Asked(query): Asked<Query>,
) -> Result<Json<Page<JobView>>, ApiError> {
    let filter = filter(&caller, &query)?;
    let limit = query
        .limit
        .unwrap_or(DEFAULT_PAGE_ROWS)
        .clamp(1, MAX_PAGE_ROWS);
    let listed = jobs::store::list(&app.pool, &filter, query.cursor, limit).await?;
    for job in &listed.unreadable {
        tracing::error!(job.id = %job, "the row of a job was changed by somebody else; the list goes without it");
        metrics::counter!("nooterra_damaged_rows_total", "table" => "jobs.job").increment(1);
    }
    let page = listed.page;
    Ok(Json(Page {
        items: views(&app, &page.items).await?,
        next: page.next,
    }))
}

fn filter(caller: &Caller, query: &Query) -> Result<Filter, ApiError> {
    let mut sites = None;
    let everybody = if query.mine {
        Err(ApiError::not_found("job"))
    } else {
        caller.may(Permission::SeeJobs)
    };
    let requester = match everybody {
        Ok(sight) => {
            sites = sight
                .sites
                .map(|sites| sites.into_iter().collect::<Vec<_>>());
            None
        }
        Err(_own_only) => {
            caller.may(Permission::RequestWork)?;
            Some(caller.person.person)
        }
    };
    if let Some(site) = query.site {
        let is_seen = sites.as_ref().is_none_or(|sites| sites.contains(&site));
        sites = Some(if is_seen { vec![site] } else { Vec::new() });
    }
    Ok(Filter {
        organisation: caller.person.organisation,
        sites,
        requester,
        phases: phases(query.phase.as_deref())?,
        robot: query.robot,
    })
}

fn phases(words: Option<&str>) -> Result<Vec<PhaseName>, ApiError> {
    let words = words.into_iter().flat_map(|words| words.split(','));
    words
        .map(|word| {
            PhaseName::parse(word.trim()).ok_or_else(|| {
                ApiError::malformed("phase_unknown", format!("no phase is called {word}"))
            })
        })
        .collect()
}
