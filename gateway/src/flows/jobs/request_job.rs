//! Somebody asks for work.

use axum::http::StatusCode;
use identity::Permission;
use jobs::Actor;
use protocol::{
    event::Payload,
    job::{JobEvent, JobRequest, job_stream},
    views::{NewJob, Role},
};
use spine::{Tx, idempotency::Request};

use super::{
    happen::{Proposal, happen},
    word::{Act, claimed, hear},
};
use crate::{
    app::App,
    error::ApiError,
    flows::once::{self, Answer},
    http::auth::Caller,
};

/// Records the job that the caller asks for.
pub async fn request_job(
    app: &App,
    caller: &Caller,
    request: &Request,
    body: NewJob,
) -> Result<Answer, ApiError> {
    super::act_on_job::limit_acts(app, caller).await?;
    caller.may(Permission::RequestWork)?;
    let (event, stream) = proposed(caller, body.request.as_ref(), body.sealed.as_deref())?;
    let act = Act {
        event,
        sealed: body.sealed,
        acting_as: Some(Role::Requester),
    };
    let said = hear(
        app,
        &app.pool,
        caller,
        act,
        &stream,
        &[Role::Requester],
        |payload| match payload {
            Payload::Job(event @ JobEvent::Requested { .. }) => Some(event),
            _ => None,
        },
    )
    .await?;
    let JobEvent::Requested { request: asked, .. } = &said.event else {
        return Err(ApiError::malformed(
            "body_malformed",
            "a job begins with job.requested",
        ));
    };
    caller.may_at(Permission::RequestWork, asked.site)?;
    let site = identity::store::load_site(&app.pool, asked.site)
        .await?
        .filter(|site| site.organisation == caller.person.organisation)
        .ok_or_else(|| ApiError::not_found("site"))?;

    let mut tx = Tx::begin(&app.pool);
    if let Some(answer) = once::earlier(app, &mut tx, request).await? {
        return Ok(answer);
    }
    let now = app.clock.micros();
    let before = jobs::store::load(&mut tx, asked.job).await?;
    let proposal = Proposal {
        actor: Actor::Requester(caller.person.person),
        event: said.event,
        word: said.word,
    };
    let happened = happen(app, &mut tx, site.organisation, before, proposal, now).await?;
    let view = happened.news.jobs.last().ok_or_else(ApiError::broken)?;
    let answer = once::first(&mut tx, request, StatusCode::CREATED, view)?;
    tx.commit(&app.signer, now).await?;
    happened.news.tell(app);
    Ok(answer)
}

/// The event for callers without a key, and the stream that a sealed one must name.
fn proposed(
    caller: &Caller,
    request: Option<&JobRequest>,
    sealed: Option<&str>,
) -> Result<(Option<JobEvent>, String), ApiError> {
    match (request, sealed) {
        (Some(request), None) => {
            let event = JobEvent::Requested {
                plan: jobs::template::plan(request)?,
                request: request.clone(),
                requester: caller.person.person,
            };
            Ok((Some(event), job_stream(request.job)))
        }
        (None, Some(text)) => Ok((None, stream_claimed(text)?)),
        (Some(_), Some(_)) | (None, None) => Err(ApiError::malformed(
            "body_malformed",
            "give either `request` or `sealed`",
        )),
    }
}

/// The stream of the job that a sealed event asks for. Proves nothing: the event is opened under the caller's key next.
fn stream_claimed(text: &str) -> Result<String, ApiError> {
    match claimed(text) {
        Some(Payload::Job(JobEvent::Requested { request, .. })) => Ok(job_stream(request.job)),
        Some(_) | None => Err(ApiError::malformed(
            "signature_refused",
            "not a sealed job.requested",
        )),
    }
}
