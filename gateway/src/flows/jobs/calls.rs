//! Calls for help beside their job: the same events move both, and both must allow them.

use assist::{
    Call, CallActor, apply_call, call_of, decide_call, end_with_job,
    store::{StoredCall, call_of_job, insert_call, load_call, save_call},
};
use jobs::{Actor, Job};
use protocol::{OrganisationId, SiteId, UnixMicros, job::JobEvent, views::AssistView};
use spine::Tx;

use super::views::Names;
use crate::{app::App, error::ApiError, flows::cases::views::moment};

/// How an event came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Somebody proposed it.
    Proposed,
    /// The job's rules added it to what was proposed.
    Consequence,
}

/// Follows an event of a job: one about a call moves it; one after which the job wants no help ends the call that is open.
pub async fn follow(
    tx: &mut Tx,
    organisation: OrganisationId,
    job: &Job,
    (event, actor, asked): (&JobEvent, Actor, Asked),
    now: UnixMicros,
) -> Result<Option<StoredCall>, ApiError> {
    let (before, after) = match call_of(event) {
        Some(assist) => {
            let before = load_call(tx, assist).await?;
            let known = before.as_ref().map(|stored| stored.call.clone());
            // What the job's rules add is theirs to judge: a robot that is back needs no call, however young.
            if asked == Asked::Proposed {
                decide_call(known.as_ref(), event, call_actor(actor), now)?;
            }
            let Some(robot) = job.robot().or(known.as_ref().map(|call| call.robot)) else {
                return Ok(None);
            };
            let after = apply_call(known, job.id(), robot, event, call_actor(actor), now);
            (before, after.ok_or_else(ApiError::broken)?)
        }
        None if job.open_help().is_none() => {
            let Some(open) = call_of_job(tx.connection().await?, job.id())
                .await?
                .filter(|stored| !stored.call.phase.is_over())
            else {
                return Ok(None);
            };
            // The job's end is the call's: no event of its own says it again.
            let after = end_with_job(open.call.clone(), now);
            (Some(open), after)
        }
        None => return Ok(None),
    };
    let site = job.request.site;
    match &before {
        Some(before) => save_call(tx, &before.call, &after).await?,
        None => insert_call(tx, organisation, site, &after).await?,
    }
    Ok(Some(StoredCall {
        organisation,
        site,
        call: after,
    }))
}

/// Who acts, as the rules of calls know them.
fn call_actor(actor: Actor) -> CallActor {
    match actor {
        Actor::Operator(person) => CallActor::Operator(person),
        Actor::Admin(person) => CallActor::Admin(person),
        Actor::Robot(robot) => CallActor::Robot(robot),
        Actor::Cloud => CallActor::Cloud,
        Actor::Requester(_) | Actor::Owner(_) => CallActor::Other,
    }
}

/// A call as people see it.
pub async fn view(
    app: &App,
    connection: &mut sqlx::PgConnection,
    stored: &StoredCall,
    title: String,
) -> Result<AssistView, ApiError> {
    let call = &stored.call;
    let people = call.operator.into_iter().collect();
    let names = Names::of(app, connection, (people, Vec::new(), vec![call.robot])).await?;
    describe(stored, title, &names)
}

/// The calls that are not over, the longest waiting first.
pub async fn open_calls(
    app: &App,
    organisation: OrganisationId,
    sites: Option<&[SiteId]>,
    limit: u32,
) -> Result<Vec<AssistView>, ApiError> {
    let mut connection = app.pool.acquire().await?;
    let calls =
        assist::store::list_open_calls(&mut *connection, organisation, sites, limit).await?;
    let mut views = Vec::with_capacity(calls.len());
    for stored in &calls {
        let job = jobs::store::peek(&mut *connection, stored.call.job).await?;
        let title = job.map(|job| job.job.plan.title).unwrap_or_default();
        views.push(view(app, &mut connection, stored, title).await?);
    }
    Ok(views)
}

fn describe(stored: &StoredCall, title: String, names: &Names) -> Result<AssistView, ApiError> {
    let call: &Call = &stored.call;
    Ok(AssistView {
        assist: call.assist,
        job: call.job,
        title,
        site: stored.site,
        organisation: stored.organisation,
        robot: call.robot,
        robot_name: names.robot(call.robot),
        question: call.question.clone(),
        phase: call.phase,
        requested_at: moment(call.requested_at)?,
        answer_by: moment(call.escalate_at)?,
        operator: call.operator,
        operator_name: call.operator.map(|person| names.person(person)),
        option: call.option,
        ended_at: call.ended_at.map(moment).transpose()?,
    })
}
