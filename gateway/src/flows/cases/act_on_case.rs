//! Somebody looks into a complaint, rules on it, or takes it back.

use axum::http::StatusCode;
use protocol::{
    CaseId, UnixMicros,
    case::{CaseEvent, SaltedHash, case_stream},
    event::Payload,
    views::{CaseAct, Role},
};
use spine::{Tx, idempotency::Request};
use trust::{Actor, SaltedText, store::StoredCase};

use super::{file_complaint::salt, views::views};
use crate::{
    app::App,
    error::ApiError,
    flows::{
        jobs::{
            act_on_job::limit_acts,
            word::{Act, Said, hear, roles_at},
        },
        once::{self, Answer},
    },
    http::auth::Caller,
};

/// Lets the caller's act happen; the case's rules say who may do what.
pub async fn act_on_case(
    app: &App,
    caller: &Caller,
    request: &Request,
    case: CaseId,
    body: CaseAct,
) -> Result<Answer, ApiError> {
    limit_acts(app, caller).await?;
    let known = trust::store::peek(&app.pool, case)
        .await?
        .ok_or_else(|| ApiError::not_found("case"))?;
    let (said, reason) = said(app, caller, &known, body).await?;

    let mut tx = Tx::begin(&app.pool);
    if let Some(answer) = once::earlier(app, &mut tx, request).await? {
        return Ok(answer);
    }
    let before = trust::store::load(&mut tx, case)
        .await?
        .ok_or_else(|| ApiError::not_found("case"))?;
    // After it was read: what is recorded later says a later time.
    let now = app.clock.micros();
    let actor = Actor::of(said.role, caller.person.person);
    let decision = trust::decide(Some(&before.case), &said.event, actor);
    let payload = Payload::Case(said.event.clone());
    // Before a refusal is said: an act that was taken before is answered by how the case stands, not as if it came anew.
    let is_new = said
        .word
        .record(
            &mut tx,
            case_stream(case),
            before.organisation,
            Some(before.site),
            payload,
            now,
        )
        .await?;
    let stored = if is_new {
        decision?;
        change(&mut tx, before, &said.event, reason, now).await?
    } else {
        before
    };
    let view = views(app, tx.connection().await?, std::slice::from_ref(&stored))
        .await?
        .pop()
        .ok_or_else(ApiError::broken)?;
    let answer = once::first(&mut tx, request, StatusCode::OK, &view)?;
    tx.commit(&app.signer, now).await?;
    app.live.case(&view);
    Ok(answer)
}

/// Writes what the act makes of the case, and why it was ruled so.
async fn change(
    tx: &mut Tx,
    before: StoredCase,
    event: &CaseEvent,
    reason: Option<SaltedText>,
    now: UnixMicros,
) -> Result<StoredCase, ApiError> {
    if matches!(event, CaseEvent::Ruled { .. }) {
        let reason = reason.ok_or_else(|| {
            ApiError::malformed("reason_missing", "a ruling says why, in `reason`")
        })?;
        trust::check_reason(event, &reason)?;
        trust::store::put_reason(tx, before.case.case, &reason).await?;
    }
    let after = trust::apply(Some(before.case.clone()), event, now).ok_or_else(ApiError::broken)?;
    trust::store::save(tx, &before.case, &after).await?;
    Ok(StoredCase {
        case: after,
        ..before
    })
}

/// What the caller says, and why where that belongs to it.
async fn said(
    app: &App,
    caller: &Caller,
    known: &StoredCase,
    body: CaseAct,
) -> Result<(Said<CaseEvent>, Option<SaltedText>), ApiError> {
    let is_own = known.case.requester == caller.person.person;
    let mut roles = roles_at(&caller.person, known.site);
    roles.sort_by_key(|role| (*role == Role::Requester) != is_own);
    let reason = match body.reason {
        Some(reason) => Some(SaltedText {
            salt: salt(&reason.salt)?,
            words: reason.words,
        }),
        None => None,
    };
    let act = Act {
        // A script says why in words; what is recorded is their hash.
        event: body.event.map(|event| with_reason(event, reason.as_ref())),
        sealed: body.sealed,
        acting_as: body.acting_as,
    };
    let stream = case_stream(known.case.case);
    let said = hear(
        app,
        &app.pool,
        caller,
        act,
        &stream,
        &roles,
        |payload| match payload {
            Payload::Case(event) => Some(event),
            _ => None,
        },
    )
    .await?;
    Ok((said, reason))
}

fn with_reason(event: CaseEvent, reason: Option<&SaltedText>) -> CaseEvent {
    match (event, reason) {
        (CaseEvent::Ruled { ruling, .. }, Some(reason)) => CaseEvent::Ruled {
            ruling,
            reason: SaltedHash::of(&reason.salt, reason.words.as_bytes()),
        },
        (event, _) => event,
    }
}
