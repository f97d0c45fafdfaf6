//! A person stops a robot: sent first, then recorded. Nothing that the database does, or can't do, comes between a person and the
//! brakes.

use std::time::Duration;

use assist::Issue;
use identity::Person;
use protocol::{
    CommandId,
    command::{CommandRequest, Order},
    robot_socket::ToRobot,
    views::CommandView,
};

use super::issue_command::{may_command, recorded};
use crate::{app::App, error::ApiError};

/// How often a stop that went out is tried to be recorded while the database is away.
const RECORD_EVERY: Duration = Duration::from_secs(2);

/// Tries until it is given up: half an hour. What the robot did is on record by its own word then, and who asked is in the log.
const RECORD_TRIES: u32 = 900;

/// A stop on its way, which is to be recorded.
#[must_use]
pub(super) struct Sent {
    robot_name: String,
    issue: Issue,
    /// There where it left.
    awaited: Option<Awaited>,
}

/// While this is there, what the robot answers waits for the record; however that ends, it is let in then.
struct Awaited {
    app: App,
    stop: CommandId,
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.app.live.stops.is_recorded(self.stop);
    }
}

/// Stops the robot. The same id with the same body gives the first answer again and is not sent again.
pub async fn stop_robot(
    app: &App,
    person: &Person,
    request: &CommandRequest,
) -> Result<CommandView, ApiError> {
    let sent = send(app, person, request)?;
    record(app, person, sent).await
}

/// Sends it if the person may and the robot is there.
pub(super) fn send(app: &App, person: &Person, request: &CommandRequest) -> Result<Sent, ApiError> {
    let robot = may_command(app, person, request.robot)?;
    let issue = Issue::new(request, person.person, robot.organisation, robot.site);
    let id = issue.command;
    let is_there = app.live.seen_tick(issue.robot).is_some();
    if is_there && app.live.stops.begin(id) {
        let order = ToRobot::Order(Order::Stop { command: id });
        if let Err(error) = app.live.order(issue.robot, order) {
            // It left in this very moment, or does not listen: recorded nevertheless, and unanswered in its time.
            tracing::warn!(command.id = %id, robot.id = %issue.robot, "stop not delivered: {error}");
            app.live.stops.never_left(id);
        } else {
            tracing::info!(command.id = %id, robot.id = %issue.robot, "stop sent");
        }
    }
    let awaited = app.live.stops.is_awaited(id).then(|| Awaited {
        app: app.clone(),
        stop: id,
    });
    Ok(Sent {
        robot_name: robot.name,
        issue,
        awaited,
    })
}

/// Records it; goes on trying in the background where the database is away, and says so.
pub(super) async fn record(
    app: &App,
    person: &Person,
    sent: Sent,
) -> Result<CommandView, ApiError> {
    match try_to_record(app, person, &sent).await {
        Err(error) if error.code() == "unavailable" && sent.awaited.is_some() => {
            tracing::warn!(command.id = %sent.issue.command, person.id = %person.person, "a stop went out and is not on record yet");
            let (app_then, person) = (app.clone(), person.clone());
            app.sessions
                .spawn(async move { record_later(&app_then, &person, &sent).await });
            Err(ApiError::stop_unrecorded())
        }
        answer => answer,
    }
}

async fn try_to_record(app: &App, person: &Person, sent: &Sent) -> Result<CommandView, ApiError> {
    let (command, is_new) = recorded(app, &sent.robot_name, &sent.issue, None).await?;
    let view = command.view(person.name.clone());
    if is_new {
        // Before its receipt is let in: "accepted" must not be followed by "sent".
        app.live.command(&view);
        metrics::counter!("nooterra_commands_total", "fate" => "sent").increment(1);
    }
    Ok(view)
}

async fn record_later(app: &App, person: &Person, sent: &Sent) {
    let id = sent.issue.command;
    for _ in 0..RECORD_TRIES {
        tokio::select! {
            () = app.stopping.cancelled() => break,
            () = tokio::time::sleep(RECORD_EVERY) => {}
        }
        match try_to_record(app, person, sent).await {
            Ok(_) => {
                tracing::info!(command.id = %id, "the stop is on record now");
                return;
            }
            Err(error) if error.code() == "unavailable" => {}
            Err(error) => {
                tracing::error!(command.id = %id, code = error.code(), "a stop that went out can't be recorded");
                return;
            }
        }
    }
    tracing::error!(
        command.id = %id, robot.id = %sent.issue.robot, person.id = %person.person,
        "a stop that went out was not recorded: the database did not come back"
    );
}
