//! `GET /api/v1/jobs/{job}/bundle`

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use identity::Permission;
use protocol::{JobId, views::Problem};
use serde::Deserialize;

use crate::{
    app::App,
    error::ApiError,
    flows::jobs::{
        export_bundle::{Attached, export_bundle},
        views::number,
    },
    http::{
        auth::Caller,
        extract::{Asked, Named},
    },
};

/// What may be asked.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Query {
    /// `false` leaves words and pictures out; the log's hashes of them stay. Pictures of a job go only to who asked for it and to
    /// who may watch at its site.
    attachments: Option<bool>,
}

/// The evidence bundle: every event of the job and of the complaints that the caller may see, with the proofs that the log
/// holds them. `nooterra verify` and the console's verify page check it without the gateway.
#[utoipa::path(get, path = "/api/v1/jobs/{job}/bundle", tag = "jobs", params(("job" = JobId, Path), Query), responses(
    (status = 200, description = "The bundle", content_type = "application/vnd.nooterra.bundle"),
    (status = 400, description = "`query_malformed`", body = Problem),
    (status = 401, description = "Not signed in", body = Problem),
    (status = 404, description = "`not_found`", body = Problem),
    (status = 409, description = "`not_sequenced_yet` or `bundle_too_large`", body = Problem),
    (status = 500, description = "`record_damaged`: the database was changed by somebody else, and no bundle of it would say so by itself", body = Problem),
))]
pub(crate) async fn handler(
    State(app): State<App>,
    caller: Caller,
    Named(job): Named<JobId>,
    Asked(query): Asked<Query>,
) -> Result<Response, ApiError> {
    let stored = super::job_for(&app, &caller, job).await?;
    let is_own = stored.job.requester == caller.person.person;
    let reviews = caller
        .may(Permission::Review)
        .is_ok_and(|sight| sight.covers(stored.organisation, stored.job.site()));
    let cases = if is_own || reviews {
        trust::store::of_job(&app.pool, job).await?
    } else {
        Vec::new()
    };
    // Pictures show people's rooms: they go to who asked for the work, and to who may watch there.
    let is_shown = is_own || (caller.may_at(Permission::Watch, stored.job.site())).is_ok();
    let attached = if is_shown && query.attachments.unwrap_or(true) {
        Attached::Everything
    } else {
        Attached::Nothing
    };
    let bundle = export_bundle(&app, &stored, cases, attached).await?;
    let name = format!(
        "attachment; filename=\"{}.{}\"",
        number("J", job.0),
        ledger::bundle::EXTENSION
    );
    let mut response = bundle.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/vnd.nooterra.bundle"),
    );
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}
