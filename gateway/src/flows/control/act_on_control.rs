//! Somebody takes a robot, asks for it, gives it, keeps it, takes it over or lets it go.

use assist::{
    ControlActor, ControlRefusal, Seat, apply_control, decide_control, lapse_control,
    store::{StoredControl, load_control, save_control},
};
use axum::http::StatusCode;
use identity::{Permission, Robot};
use protocol::{
    UnixMicros,
    control::{ControlAct, ControlEvent},
    event::{Payload, robot_stream},
    views::Role,
};
use spine::{Tx, idempotency::Request};

use super::{
    tell::tell,
    views::{name_of, view},
};
use crate::{
    app::App,
    error::ApiError,
    flows::{
        jobs::{
            act_on_job::limit_acts,
            word::{Act, Said, Word, claimed, hear, roles_at},
        },
        once::{self, Answer},
    },
    http::auth::Caller,
};

/// Lets the caller's act happen. The rules say who may do what; here it is only checked that the caller has the role.
pub async fn act_on_control(
    app: &App,
    caller: &Caller,
    request: &Request,
    robot: &Robot,
    body: ControlAct,
) -> Result<Answer, ApiError> {
    // Letting go of a robot never waits for a limit.
    if !is_about(&body, |event| matches!(event, ControlEvent::Released {})) {
        limit_acts(app, caller).await?;
    }
    let mut tx = Tx::begin(&app.pool);
    let stored = load_control(&mut tx, robot.robot).await?;
    if let Some(answer) = once::earlier(app, &mut tx, request).await? {
        return Ok(answer);
    }
    let said = said(app, &mut tx, caller, robot, body).await?;
    // After it was read: what is recorded later says a later time.
    let now = app.clock.micros();
    let kind = said.event.kind();
    let after = happen(app, &mut tx, stored, (caller, robot), said, now).await?;
    let shown = view(app, tx.connection().await?, &after, now).await?;
    let answer = once::first(&mut tx, request, StatusCode::OK, &shown)?;
    tx.commit(&app.signer, now).await?;
    tracing::info!(robot.id = %robot.robot, epoch = after.control.epoch, "{kind}");
    tell(app, &after, &shown);
    Ok(answer)
}

/// What the caller says, and in which role.
async fn said(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    robot: &Robot,
    body: ControlAct,
) -> Result<Said<ControlEvent>, ApiError> {
    let mut roles = roles_at(&caller.person, robot.site);
    // Who is an operator, too, takes over as the supervisor that they are.
    if is_about(&body, |event| {
        matches!(event, ControlEvent::TakenOver { .. })
    }) {
        roles.sort_by_key(|role| *role != Role::Supervisor);
    }
    let act = Act {
        event: body.event,
        sealed: body.sealed,
        acting_as: body.acting_as,
    };
    let stream = robot_stream(robot.robot);
    let executor = tx.connection().await?;
    hear(
        app,
        executor,
        caller,
        act,
        &stream,
        &roles,
        |payload| match payload {
            Payload::Control(event) => Some(event),
            _ => None,
        },
    )
    .await
}

/// Records what was said, and what follows from it, if the rules let it happen.
async fn happen(
    app: &App,
    tx: &mut Tx,
    stored: Option<StoredControl>,
    (caller, robot): (&Caller, &Robot),
    said: Said<ControlEvent>,
    now: UnixMicros,
) -> Result<StoredControl, ApiError> {
    let key = match &said.word {
        Word::Person(sealed) => Some(sealed.key),
        Word::Cloud | Word::OnBehalf(..) | Word::Robot(_) => None,
    };
    let person = caller.person.person;
    let actor = ControlActor::of(said.role, Seat { person, key });
    let before = stored.clone().unwrap_or_else(|| never(robot));
    // Who was not heard for too long is taken off, before anybody is told that they steer.
    let present = match lapse_control(&before.control, now) {
        Some(ended) => by_cloud(tx, before, ended, now),
        None => before,
    };
    let decision = decide_control(&present.control, &said.event, actor, now);
    // Before a refusal is said: an act that was taken before is answered by how things stand, not as if it came anew.
    let is_new = said
        .word
        .record(
            tx,
            robot_stream(robot.robot),
            robot.organisation,
            Some(robot.site),
            Payload::Control(said.event.clone()),
            now,
        )
        .await?;
    if !is_new {
        // What the cloud has just said of who is gone stands in this transaction: the row follows it.
        let before = stored.ok_or_else(ApiError::broken)?;
        if before != present {
            save_control(tx, Some(&before), &present).await?;
        }
        return Ok(present);
    }
    let consequence = match decision {
        Ok(consequence) => consequence,
        Err(refusal) => return Err(refused(app, tx, refusal).await),
    };
    check_asker(app, tx, &said.event, &present, now).await?;
    let mut after = StoredControl {
        control: apply_control(present.control, &said.event, actor, now),
        ..present
    };
    if let Some(granted) = consequence {
        after = by_cloud(tx, after, granted, now);
    }
    save_control(tx, stored.as_ref(), &after).await?;
    Ok(after)
}

/// Nobody is given a robot who lost the right to steer it, or signed out, since they asked.
async fn check_asker(
    app: &App,
    tx: &mut Tx,
    event: &ControlEvent,
    stored: &StoredControl,
    now: UnixMicros,
) -> Result<(), ApiError> {
    let (ControlEvent::HandedOver { .. }, Some(asks)) = (event, stored.control.asks(now)) else {
        return Ok(());
    };
    let connection = tx.connection().await?;
    let known = identity::store::load_person(&mut *connection, asks.seat.person).await?;
    let may = known.is_some_and(|person| {
        identity::allows(&person.roles, Permission::Command, Some(stored.site))
    });
    let is_signed_in = match asks.seat.key {
        Some(key) => identity::store::session_key(&mut *connection, key, app.clock.now())
            .await?
            .is_some(),
        None => true,
    };
    if may && is_signed_in {
        Ok(())
    } else {
        Err(ControlRefusal::NobodyAsks.into())
    }
}

fn never(robot: &Robot) -> StoredControl {
    StoredControl {
        organisation: robot.organisation,
        site: robot.site,
        control: assist::Control::never(robot.robot),
    }
}

/// Records what the cloud says, and what comes of it.
pub(super) fn by_cloud(
    tx: &mut Tx,
    before: StoredControl,
    event: ControlEvent,
    now: UnixMicros,
) -> StoredControl {
    let control = apply_control(before.control, &event, ControlActor::Cloud, now);
    tx.record(
        robot_stream(control.robot),
        before.organisation,
        Some(before.site),
        None,
        Payload::Control(event),
    );
    StoredControl { control, ..before }
}

/// The refusal, with the name of who is in the way.
pub async fn refused(app: &App, tx: &mut Tx, refusal: ControlRefusal) -> ApiError {
    let (ControlRefusal::HeldByAnother { by } | ControlRefusal::AskedAlready { by }) = refusal
    else {
        return refusal.into();
    };
    let connection = match tx.connection().await {
        Ok(connection) => connection,
        Err(error) => return error.into(),
    };
    match name_of(app, connection, by).await {
        Ok(name) => ApiError::refused(
            refusal.code(),
            refusal.to_string().replace(&by.to_string(), &name),
        ),
        Err(error) => error,
    }
}

/// Whether what is asked for is so, as the body says; it proves nothing.
fn is_about(body: &ControlAct, is: impl Fn(&ControlEvent) -> bool) -> bool {
    if let Some(event) = &body.event {
        return is(event);
    }
    let claimed = body.sealed.as_deref().and_then(claimed);
    matches!(claimed, Some(Payload::Control(event)) if is(&event))
}
