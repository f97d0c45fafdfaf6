//! A person does something to a job.

use axum::http::StatusCode;
use identity::Permission;
use jobs::{Actor, store::Stored};
use protocol::{
    JobId, PersonId,
    event::Payload,
    job::{JobEvent, job_stream},
    views::{JobAct, Role},
};
use spine::{Tx, idempotency::Request};

use super::{
    happen::{Proposal, happen},
    word::{Act, claimed, hear, roles_at},
};
use crate::{
    app::App,
    error::ApiError,
    flows::once::{self, Answer},
    http::auth::Caller,
    live::rate_limit::acts,
};

/// Lets the caller's act happen. The job's rules say who may do what; here it is only checked that the caller has the role.
pub async fn act_on_job(
    app: &App,
    caller: &Caller,
    request: &Request,
    job: JobId,
    body: JobAct,
) -> Result<Answer, ApiError> {
    // Before anything is asked of the database.
    if !claims_to_take_away(&body) {
        limit_acts(app, caller).await?;
    }
    let mut tx = Tx::begin(&app.pool);
    let before = jobs::store::load(&mut tx, job)
        .await?
        .filter(|stored| may_see(caller, stored))
        .ok_or_else(|| ApiError::not_found("job"))?;
    if let Some(answer) = once::earlier(app, &mut tx, request).await? {
        return Ok(answer);
    }
    let (site, requester) = (before.job.request.site, before.job.requester);
    let is_own = requester == caller.person.person;
    let mut roles = roles_at(&caller.person, site);
    // Somebody who asked for the job acts as its requester unless they say otherwise.
    roles.sort_by_key(|role| (*role == Role::Requester) != is_own);
    let act = Act {
        event: body.event,
        sealed: body.sealed,
        acting_as: body.acting_as,
    };
    let said = hear(
        app,
        tx.connection().await?,
        caller,
        act,
        &job_stream(job),
        &roles,
        |payload| match payload {
            Payload::Job(event) => Some(event),
            _ => None,
        },
    )
    .await?;
    // A right that was lost a moment ago is lost: the role decides which one is needed.
    if said.role != Role::Requester {
        caller.may_at(Permission::SeeJobs, site)?;
    }
    // After it was read: what is recorded later says a later time.
    let now = app.clock.micros();
    let proposal = Proposal {
        event: said.event,
        actor: actor(caller.person.person, said.role),
        word: said.word,
    };
    let organisation = before.organisation;
    let happened = happen(app, &mut tx, organisation, Some(before), proposal, now).await?;
    let view = happened.news.jobs.last().ok_or_else(ApiError::broken)?;
    let answer = once::first(&mut tx, request, StatusCode::OK, view)?;
    tx.commit(&app.signer, now).await?;
    happened.news.tell(app);
    Ok(answer)
}

/// Whether the caller asked for the job, or may see everybody's where it is. One that may not be seen is not found.
pub fn may_see(caller: &Caller, stored: &Stored) -> bool {
    let is_own =
        stored.job.requester == caller.person.person && caller.may(Permission::RequestWork).is_ok();
    let is_seen = caller
        .may(Permission::SeeJobs)
        .is_ok_and(|sight| sight.covers(stored.organisation, stored.job.site()));
    stored.organisation == caller.person.organisation && (is_own || is_seen)
}

/// Whether what is asked for stops a robot or takes leave from it, as the body says.
fn claims_to_take_away(body: &JobAct) -> bool {
    if let Some(event) = &body.event {
        return takes_away(event);
    }
    let claimed = body.sealed.as_deref().and_then(claimed);
    matches!(claimed, Some(Payload::Job(event)) if takes_away(&event))
}

/// Whether it stops a robot or takes leave from it: no limit on tries ever stands before that.
const fn takes_away(event: &JobEvent) -> bool {
    matches!(
        event,
        JobEvent::Paused {}
            | JobEvent::AccessRevoked { .. }
            | JobEvent::ApprovalDenied { .. }
            | JobEvent::ApprovalRevoked { .. }
            | JobEvent::IncidentRaised { .. }
            | JobEvent::Cancelled {}
    )
}

/// A person in one of their roles, as the rules know them.
pub const fn actor(person: PersonId, role: Role) -> Actor {
    match role {
        Role::Requester => Actor::Requester(person),
        Role::Operator | Role::Supervisor => Actor::Operator(person),
        Role::Owner => Actor::Owner(person),
        Role::Admin => Actor::Admin(person),
    }
}

/// Counts the act against the caller's limit.
pub async fn limit_acts(app: &App, caller: &Caller) -> Result<(), ApiError> {
    let limit = acts(app.config.acts_per_minute);
    let now_s = u64::try_from(app.clock.now().unix_timestamp()).unwrap_or_default();
    let who = caller.person.person.to_string();
    if app.limits.try_once(&app.redis, limit, &who, now_s).await {
        Ok(())
    } else {
        Err(ApiError::too_many(
            u32::try_from(limit.window_s).unwrap_or(60),
        ))
    }
}
