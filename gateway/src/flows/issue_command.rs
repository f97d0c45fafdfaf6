//! A person tells a robot to do something: recorded first, then sent.

use assist::{Command, Input, Issue, apply, decide, store};
use identity::{Permission, Person};
use protocol::{
    command::{CommandRequest, Order},
    limits::COMMAND_VALID_MS,
    robot_socket::ToRobot,
    views::CommandView,
};
use spine::Tx;

use crate::{app::App, error::ApiError, live::rate_limit::COMMANDS};

/// Records the command and sends it to the robot. The same id with the same body gives the first answer again and is not
/// sent again.
///
/// A robot that is not connected is refused before anything is recorded: nobody may be left waiting for a machine that
/// obeys hours later.
pub async fn issue_command(
    app: &App,
    person: &Person,
    request: CommandRequest,
) -> Result<CommandView, ApiError> {
    limit(app, person).await?;
    let robot = app
        .live
        .robot(request.robot)
        .filter(|robot| robot.organisation == person.organisation)
        .ok_or_else(|| ApiError::not_found("robot"))?;
    if !identity::allows(&person.roles, Permission::Command, Some(robot.site)) {
        return Err(ApiError::forbidden(
            "role_missing",
            "none of your roles allows to command robots at this site",
        ));
    }
    let issue = Issue::new(&request, person.person, robot.organisation, robot.site);

    let mut tx = Tx::begin(&app.pool).await?;
    let known = store::load(&mut tx, request.command).await?;
    let is_new = known.is_none();
    let seen_tick_ms = app.live.seen_tick(request.robot);
    if is_new && seen_tick_ms.is_none() {
        return Err(ApiError::refused(
            "robot_offline",
            format!("{} is not connected; nothing was sent", robot.name),
        ));
    }
    let events = decide(known.as_ref(), Input::Issue(issue), app.clock.now())?;
    let command = events.into_iter().fold(known, apply);
    let Some(command) = command else {
        return Err(ApiError::not_found("command"));
    };
    if is_new {
        store::insert(&mut tx, &command).await?;
    }
    tx.commit(&app.signer, app.clock.micros()).await?;

    // Whoever asks again may be somebody else with the same rights; the name shown is that of who asked first.
    let name = if command.issue.person == person.person {
        person.name.clone()
    } else {
        super::command_views::name_of(app, &command).await?
    };
    let view = command.view(name);
    if is_new {
        // Shown first: the robot may answer before this line is done, and "accepted" must not be followed by "sent".
        app.live.command(&view);
        send(app, &command, seen_tick_ms.unwrap_or_default());
        metrics::counter!("nooterra_commands_total", "fate" => "sent").increment(1);
    }
    Ok(view)
}

async fn limit(app: &App, person: &Person) -> Result<(), ApiError> {
    let now_s = u64::try_from(app.clock.now().unix_timestamp()).unwrap_or_default();
    let who = person.person.to_string();
    if app.limits.try_once(&app.redis, COMMANDS, &who, now_s).await {
        Ok(())
    } else {
        Err(ApiError::too_many(
            u32::try_from(COMMANDS.window_s).unwrap_or(60),
        ))
    }
}

fn send(app: &App, command: &Command, seen_tick_ms: u64) {
    let order = Order {
        command: command.issue.command,
        verb: command.issue.verb,
        seen_tick_ms,
        valid_ms: COMMAND_VALID_MS,
    };
    let robot = command.issue.robot;
    match app.live.order(robot, ToRobot::Order(order)) {
        Ok(()) => {
            tracing::info!(command.id = %command.issue.command, robot.id = %robot, "command sent");
        }
        // It left in this very moment, or does not listen: the command goes unanswered in its time, and says so.
        Err(error) => {
            tracing::warn!(command.id = %command.issue.command, robot.id = %robot, "command not delivered: {error}");
        }
    }
}
