//! Who steers, as people see it, with their names.

use assist::store::StoredControl;
use protocol::{
    PersonId, RobotId, UnixMicros,
    control::{ControlHolderView, ControlRequestView, ControlTurnView, ControlView},
};

use crate::{
    app::App,
    error::ApiError,
    flows::{cases::views::moment, jobs::views::Names},
};

/// Who steers each of these robots, of those that anybody ever steered.
pub async fn controls(app: &App, robots: &[RobotId]) -> Result<Vec<ControlView>, ApiError> {
    let stored = assist::store::controls_of(&app.pool, robots).await?;
    let mut connection = app.pool.acquire().await?;
    views(app, &mut connection, &stored, app.clock.micros()).await
}

/// One of them.
pub async fn view(
    app: &App,
    connection: &mut sqlx::PgConnection,
    stored: &StoredControl,
    now: UnixMicros,
) -> Result<ControlView, ApiError> {
    let mut views = views(app, connection, std::slice::from_ref(stored), now).await?;
    views.pop().ok_or_else(ApiError::broken)
}

/// Several, in their order.
pub async fn views(
    app: &App,
    connection: &mut sqlx::PgConnection,
    stored: &[StoredControl],
    now: UnixMicros,
) -> Result<Vec<ControlView>, ApiError> {
    let people = stored.iter().flat_map(people_in).collect();
    let names = Names::of(app, connection, (people, Vec::new(), Vec::new())).await?;
    stored
        .iter()
        .map(|stored| describe(stored, &names, now))
        .collect()
}

/// What a person is called.
pub async fn name_of(
    app: &App,
    connection: &mut sqlx::PgConnection,
    person: PersonId,
) -> Result<String, ApiError> {
    let names = Names::of(app, connection, (vec![person], Vec::new(), Vec::new())).await?;
    Ok(names.person(person))
}

fn people_in(stored: &StoredControl) -> impl Iterator<Item = PersonId> {
    let control = &stored.control;
    let holder = control.holder.map(|holder| holder.seat.person);
    let asker = control.request.as_ref().map(|asks| asks.seat.person);
    let last = control.last.as_ref().map(|last| last.person);
    [holder, asker, last].into_iter().flatten()
}

fn describe(
    stored: &StoredControl,
    names: &Names,
    now: UnixMicros,
) -> Result<ControlView, ApiError> {
    let control = &stored.control;
    let key = |seat: &assist::Seat| seat.key.map(|key| key.to_string());
    let holder = control.holder.as_ref().map(|holder| {
        Ok::<_, ApiError>(ControlHolderView {
            person: holder.seat.person,
            name: names.person(holder.seat.person),
            key: key(&holder.seat),
            since: moment(holder.since)?,
        })
    });
    let request = control.asks(now).map(|asks| {
        Ok::<_, ApiError>(ControlRequestView {
            person: asks.seat.person,
            name: names.person(asks.seat.person),
            key: key(&asks.seat),
            words: asks.words.clone(),
            until: moment(asks.until)?,
        })
    });
    let last = control.last.as_ref().map(|last| {
        Ok::<_, ApiError>(ControlTurnView {
            turn: last.turn,
            person: last.person,
            name: names.person(last.person),
            words: last.words.clone(),
            at: moment(last.at)?,
        })
    });
    Ok(ControlView {
        robot: control.robot,
        epoch: control.epoch,
        holder: holder.transpose()?,
        request: request.transpose()?,
        last: last.transpose()?,
        version: control.version,
    })
}
