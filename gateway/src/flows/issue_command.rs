//! A person tells a robot to do something: recorded first, then sent. A stop is sent first (`stop_robot`).

use std::time::Instant;

use assist::{Command, Control, Input, Issue, apply, check_words, decide, may_steer, store};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::VerifyingKey;
use identity::{Permission, Person};
use protocol::{
    RobotId,
    command::{
        CommandRequest, MAX_SEALED_COMMAND_BYTES, Order, SealedCommand, SignedCommand, Verb,
    },
    robot_socket::ToRobot,
    sealed::{self, Kind},
    views::{CommandView, RobotView},
};
use spine::Tx;

use super::{control::act_on_control::refused, stop_robot::stop_robot};
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
    // A script that ran wild must not keep its owner, or anybody, from stopping the robot; nor must anything else.
    if request.verb == Verb::Stop {
        return stop_robot(app, person, &request).await;
    }
    limit(app, person).await?;
    let robot = may_command(app, person, request.robot)?;
    let issue = Issue::new(&request, person.person, robot.organisation, robot.site);
    let signed = request.signed.as_deref();

    let (command, is_new) = recorded(app, &robot.name, &issue, signed).await?;
    // Nobody else's: another person's request under the same id is another request.
    let view = command.view(person.name.clone());
    if is_new {
        // Shown first: the robot may answer before this line is done, and "accepted" must not be followed by "sent".
        app.live.command(&view);
        send(app, &command, request.signed);
        metrics::counter!("nooterra_commands_total", "fate" => "sent").increment(1);
    }
    Ok(view)
}

/// The robot, if the person sees it and may command it.
pub(super) fn may_command(
    app: &App,
    person: &Person,
    robot: RobotId,
) -> Result<RobotView, ApiError> {
    let robot = app
        .live
        .robot(robot)
        .filter(|robot| robot.organisation == person.organisation)
        // One that may not be seen is answered like one that does not exist.
        .filter(|robot| identity::allows(&person.roles, Permission::SeeFleet, Some(robot.site)))
        .ok_or_else(|| ApiError::not_found("robot"))?;
    if identity::allows(&person.roles, Permission::Command, Some(robot.site)) {
        Ok(robot)
    } else {
        Err(ApiError::forbidden(
            "role_missing",
            "none of your roles allows to command robots at this site",
        ))
    }
}

/// The command as it stands on record, and whether it is new there.
pub(super) async fn recorded(
    app: &App,
    robot_name: &str,
    issue: &Issue,
    signed: Option<&str>,
) -> Result<(Command, bool), ApiError> {
    let mut recorded = record(app, robot_name, issue, signed).await?;
    if recorded.is_none() {
        // The same command was sent twice at once and the other was first: its row is there now.
        recorded = record(app, robot_name, issue, signed).await?;
    }
    recorded.ok_or_else(|| ApiError::refused("stale", "the command is being recorded"))
}

/// The bytes that the robot is to believe, if they say what was asked for and the session key of a grant of the caller's that
/// runs signed them. The robot checks all of it again: this is for who would otherwise wait for its refusal.
async fn check_signed(
    app: &App,
    tx: &mut Tx,
    issue: &Issue,
    signed: Option<&str>,
) -> Result<store::Signed, ApiError> {
    let refused = |why: &str| ApiError::refused("not_signed", why);
    let bytes = signed
        .filter(|signed| signed.len() <= MAX_SEALED_COMMAND_BYTES * 2)
        .and_then(|signed| BASE64_STANDARD.decode(signed).ok())
        .filter(|bytes| bytes.len() <= MAX_SEALED_COMMAND_BYTES)
        .ok_or_else(|| {
            refused(
                "a command that moves a robot is signed by the page, or the script, that gives it",
            )
        })?;
    let claimed = sealed::unverified::<SignedCommand>(Kind::Command, &bytes)
        .map_err(|_unreadable| refused("the signed command can't be read"))?;
    let command = &claimed.payload;
    let says_the_same = command.command == issue.command
        && command.robot == issue.robot
        && command.verb == issue.verb
        && Some(command.epoch) == issue.epoch;
    if !says_the_same {
        return Err(ApiError::refused(
            "signed_otherwise",
            "what was signed is another command than the one that was sent with it",
        ));
    }
    let grant = store::load_grant(tx.connection().await?, command.grant)
        .await?
        .filter(|grant| {
            grant.robot == issue.robot
                && grant.person == issue.person
                && grant.epoch == command.epoch
                && app.clock.now() < grant.expires_at
        })
        .ok_or_else(|| {
            ApiError::refused(
                "grant_unknown",
                "the grant is not yours, or is past its time",
            )
        })?;
    VerifyingKey::from_bytes(&grant.session_key)
        .ok()
        .filter(|key| claimed.verify(key).is_ok())
        .ok_or_else(|| refused("the command is not signed by the key that the grant names"))?;
    check_words(&command.verb, &command.words)?;
    Ok(store::Signed {
        words: claimed.payload.words,
        sealed: SealedCommand(bytes),
    })
}

/// The command as it stands, and whether it is new. Nothing when another request recorded one of this id in the meantime.
async fn record(
    app: &App,
    robot_name: &str,
    issue: &Issue,
    signed: Option<&str>,
) -> Result<Option<(Command, bool)>, ApiError> {
    let mut tx = Tx::begin(&app.pool);
    let known = store::load(&mut tx, issue.command).await?;
    let is_new = known.is_none();
    if is_new && app.live.seen_tick(issue.robot).is_none() {
        return Err(ApiError::refused(
            "robot_offline",
            format!("{robot_name} is not connected; nothing was sent"),
        ));
    }
    let events = decide(known.as_ref(), Input::Issue(issue.clone()), app.clock.now())?;
    let signed = if is_new && issue.verb != Verb::Stop {
        check_control(app, &mut tx, issue).await?;
        let began = Instant::now();
        let signed = check_signed(app, &mut tx, issue, signed).await?;
        let checked_us = began.elapsed().as_micros();
        tracing::debug!(command.id = %issue.command, checked_us, "the command is signed by whom it says");
        Some(signed)
    } else {
        None
    };
    let command = events
        .into_iter()
        .fold(known, apply)
        .ok_or_else(|| ApiError::not_found("command"))?;
    if is_new {
        match store::insert(&mut tx, &command, signed).await {
            Err(store::StoreError::Stale(_)) => return Ok(None),
            inserted => inserted?,
        }
    }
    tx.commit(&app.signer, app.clock.micros()).await?;
    Ok(Some((command, is_new)))
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

/// As it was signed, byte for byte.
fn send(app: &App, command: &Command, signed: Option<String>) {
    let id = command.issue.command;
    // Nothing but a stop is recorded without what was signed.
    let order = signed.map_or(Order::Stop { command: id }, |sealed| Order::Signed {
        command: id,
        sealed,
    });
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
