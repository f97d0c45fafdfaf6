//! A person tells a robot to do something: recorded first, then sent.

use assist::{Command, Control, Input, Issue, apply, decide, may_steer, store};
use identity::{Permission, Person};
use protocol::{
    command::{CommandRequest, Order, Verb},
    limits::COMMAND_VALID_MS,
    robot_socket::ToRobot,
    views::CommandView,
};
use spine::Tx;

use super::control::act_on_control::refused;
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
    // A script that ran wild must not keep its owner, or anybody, from stopping the robot.
    if request.verb != Verb::Stop {
        limit(app, person).await?;
    }
    let robot = app
        .live
        .robot(request.robot)
        .filter(|robot| robot.organisation == person.organisation)
        // One that may not be seen is answered like one that does not exist.
        .filter(|robot| identity::allows(&person.roles, Permission::SeeFleet, Some(robot.site)))
        .ok_or_else(|| ApiError::not_found("robot"))?;
    if !identity::allows(&person.roles, Permission::Command, Some(robot.site)) {
        return Err(ApiError::forbidden(
            "role_missing",
            "none of your roles allows to command robots at this site",
        ));
    }
    let issue = Issue::new(&request, person.person, robot.organisation, robot.site);

    let mut recorded = record(app, &robot.name, &issue).await?;
    if recorded.is_none() {
        // The same command was sent twice at once and the other was first: its row is there now.
        recorded = record(app, &robot.name, &issue).await?;
    }
    let (command, sent) =
        recorded.ok_or_else(|| ApiError::refused("stale", "the command is being recorded"))?;
    // Nobody else's: another person's request under the same id is another request.
    let view = command.view(person.name.clone());
    if let Some(seen_tick_ms) = sent {
        // Shown first: the robot may answer before this line is done, and "accepted" must not be followed by "sent".
        app.live.command(&view);
        send(app, &command, seen_tick_ms);
        metrics::counter!("nooterra_commands_total", "fate" => "sent").increment(1);
    }
    Ok(view)
}

/// The command as it stands, and, if it is new, the robot's tick that its order is to name. Nothing when another request
/// recorded one of this id in the meantime.
async fn record(
    app: &App,
    robot_name: &str,
    issue: &Issue,
) -> Result<Option<(Command, Option<u64>)>, ApiError> {
    let mut tx = Tx::begin(&app.pool);
    let known = store::load(&mut tx, issue.command).await?;
    let seen_tick_ms = match known {
        Some(_) => None,
        None => Some(app.live.seen_tick(issue.robot).ok_or_else(|| {
            ApiError::refused(
                "robot_offline",
                format!("{robot_name} is not connected; nothing was sent"),
            )
        })?),
    };
    let events = decide(known.as_ref(), Input::Issue(issue.clone()), app.clock.now())?;
    if known.is_none() && issue.verb != Verb::Stop {
        check_control(app, &mut tx, issue).await?;
    }
    let command = events
        .into_iter()
        .fold(known, apply)
        .ok_or_else(|| ApiError::not_found("command"))?;
    if seen_tick_ms.is_some() {
        match store::insert(&mut tx, &command).await {
            Err(store::StoreError::Stale(_)) => return Ok(None),
            inserted => inserted?,
        }
    }
    tx.commit(&app.signer, app.clock.micros()).await?;
    Ok(Some((command, seen_tick_ms)))
}

/// Whether who asks steers the robot, under this epoch and until this is committed. A stop is anybody's to give.
async fn check_control(app: &App, tx: &mut Tx, issue: &Issue) -> Result<(), ApiError> {
    let stored = store::load_control(tx, issue.robot).await?;
    let control = stored.map_or(Control::never(issue.robot), |stored| stored.control);
    match may_steer(&control, issue.person, issue.epoch, app.clock.micros()) {
        Ok(()) => Ok(()),
        Err(refusal) => Err(refused(app, tx, refusal).await),
    }
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
        epoch: command.issue.epoch,
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
