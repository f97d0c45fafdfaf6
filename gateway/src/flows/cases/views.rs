//! Cases as people see them, with what is still kept of their words and pictures.

use protocol::views::CaseView;
use time::OffsetDateTime;
use trust::store::{Content, StoredCase};

use crate::{app::App, error::ApiError, flows::jobs::views::Names};

/// Several cases, in their order.
pub async fn views(
    app: &App,
    connection: &mut sqlx::PgConnection,
    stored: &[StoredCase],
) -> Result<Vec<CaseView>, ApiError> {
    let ids: Vec<_> = stored.iter().map(|stored| stored.case.case).collect();
    let mut contents = trust::store::contents(&mut *connection, &ids).await?;
    let people = stored.iter().map(|stored| stored.case.requester).collect();
    let names = Names::of(app, &mut *connection, (people, Vec::new(), Vec::new())).await?;
    let mut views = Vec::with_capacity(stored.len());
    for stored in stored {
        let job = jobs::store::peek(&mut *connection, stored.case.job).await?;
        let title = job.map(|job| job.job.plan.title).unwrap_or_default();
        let content = contents.remove(&stored.case.case).unwrap_or_default();
        views.push(describe(stored, title, content, &names)?);
    }
    Ok(views)
}

fn describe(
    stored: &StoredCase,
    job_title: String,
    content: Content,
    names: &Names,
) -> Result<CaseView, ApiError> {
    let case = &stored.case;
    Ok(CaseView {
        case: case.case,
        number: format!("C-{:04}", stored.number),
        job: case.job,
        job_title,
        organisation: stored.organisation,
        site: stored.site,
        about: case.about,
        severity: case.severity,
        triaged_severity: case.triaged_severity,
        words: content.words,
        pictures: content.pictures,
        requester: case.requester,
        requester_name: names.person(case.requester),
        phase: case.phase,
        frozen_entries: case.frozen.as_ref().map(|frozen| frozen.entries),
        ruling: case.ruling(),
        reason: content.reason,
        opened_at: moment(case.opened_at)?,
        updated_at: moment(case.updated_at)?,
        version: case.version,
    })
}

/// A moment on the wire as the API shows it.
pub fn moment(at: protocol::UnixMicros) -> Result<OffsetDateTime, ApiError> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.0) * 1_000)
        .map_err(|error| ApiError::internal(&error))
}
