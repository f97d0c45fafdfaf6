//! What each word of the gateway does to the model.

use std::{collections::BTreeMap, sync::Arc};

use protocol::{
    RobotId,
    console_socket::{FromConsole, Link, ToConsole},
    control::ControlView,
    robot::{Scan, Telemetry},
    views::{CommandView, Degradation, RobotView},
};

use super::{
    model::{Model, Phase, Robot},
    reduce::{Effect, Moment, dismissed, give_up_view, open_view},
    view::ViewPhase,
    work,
};

/// Takes in one frame.
pub(super) fn hear(model: &mut Model, frame: ToConsole, at: Moment) -> Vec<Effect> {
    model.connection.heard_at = at.now;
    match frame {
        ToConsole::Welcome { gateway_at } => model.clock.guess(gateway_at, at.now),
        ToConsole::Snapshot {
            robots,
            degraded,
            commands,
            assists,
            controls,
        } => {
            let is_first = model.robots.is_none();
            model.controls.replace(controls, at.now);
            let mut effects = snapshot(model, robots, degraded, &commands, at);
            effects.extend(work::replace_assists(model, assists, is_first));
            return effects;
        }
        ToConsole::Robot(view) => return robot(model, *view),
        ToConsole::RobotGone { robot } => return gone(model, robot),
        ToConsole::Telemetry {
            robot,
            telemetry,
            link,
        } => state(model, robot, telemetry, link),
        ToConsole::Scan { robot, scan } => see(model, robot, scan),
        ToConsole::ViewAnswer { view, sdp } => return answered(model, view, sdp),
        ToConsole::ViewRefused { view, code, words } => {
            if is_present(model, view) {
                return give_up_view(model, &code, &words, at);
            }
        }
        ToConsole::ViewEnded { view, code } => {
            if is_present(model, view) {
                return give_up_view(model, &code, "the gateway ended the view", at);
            }
        }
        ToConsole::Command(view) => model.commands.recorded(&view, at.now),
        ToConsole::CommandRefused {
            command,
            code,
            words,
        } => model.commands.turned_down(command, code, words, at.now),
        ToConsole::Degraded { degraded } => model.degraded = degraded,
        ToConsole::Job(view) => model.jobs.learn(*view),
        ToConsole::Case(view) => model.cases.learn(*view),
        ToConsole::Assist(call) => return work::hear_assist(model, *call),
        ToConsole::Control(view) => return control(model, *view, at),
        ToConsole::Present { robot, epoch, at } => model.controls.taken(robot, epoch, at),
        // The snapshot that follows replaces what was missed; what is known stays on screen until then.
        ToConsole::Resync => {}
        ToConsole::Pong {
            at: sent_at,
            gateway_at,
        } => model.clock.learn(sent_at, gateway_at, at.now),
        ToConsole::Goodbye { reason, words } => return dismissed(model, reason, words, at),
    }
    Vec::new()
}

fn answered(model: &Model, view: u32, sdp: String) -> Vec<Effect> {
    let is_awaited = model.view.as_ref().is_some_and(|present| {
        present.number == view && matches!(present.phase, ViewPhase::Opening { .. })
    });
    let answer = is_awaited.then_some(Effect::AnswerView { view, sdp });
    answer.into_iter().collect()
}

/// Who asks for a robot that is steered from here is heard, too.
fn control(model: &mut Model, view: ControlView, at: Moment) -> Vec<Effect> {
    let is_asked = model.controls.learn(view, at.now);
    let ring = (is_asked && !model.is_muted).then_some(Effect::Ring);
    ring.into_iter().collect()
}

/// Whether this is the view on screen and the gateway can still have a say in it.
fn is_present(model: &Model, number: u32) -> bool {
    model.view.as_ref().is_some_and(|view| {
        view.number == number && !matches!(view.phase, ViewPhase::Waiting { .. })
    })
}

fn snapshot(
    model: &mut Model,
    views: Vec<RobotView>,
    degraded: Vec<Degradation>,
    commands: &[CommandView],
    at: Moment,
) -> Vec<Effect> {
    let opened_at = model.connection.opened_at;
    model.commands.replace(commands, opened_at, at.now);
    model.snapshots = model.snapshots.wrapping_add(1);
    let mut older = model.robots.take().unwrap_or_default();
    let mut robots = BTreeMap::new();
    for view in views {
        let id = view.robot;
        let robot = match older.remove(&id) {
            Some(mut robot) => {
                update(&mut robot, view);
                robot
            }
            None => Robot::new(view),
        };
        robots.insert(id, robot);
    }
    model.robots = Some(robots);
    model.degraded = degraded;
    let mut effects: Vec<Effect> = older
        .into_values()
        .filter_map(|robot| Some(Effect::ForgetStill(robot.still?.url)))
        .collect();
    unselect_missing(model);
    if model.connection.phase != Phase::Live {
        effects.extend(became_live(model, at));
    }
    effects
}

/// A new session knows nothing of what the old one had asked for.
fn became_live(model: &mut Model, at: Moment) -> Vec<Effect> {
    model.connection.phase = Phase::Live;
    model.connection.lost_at = None;
    model.connection.pinged_at = at.now;
    let mut effects = vec![Effect::Send(FromConsole::Ping { at: at.now })];
    if !model.stills_on_screen.is_empty() {
        effects.push(Effect::Send(FromConsole::WantThumbnails {
            robots: model.stills_on_screen.clone(),
        }));
    }
    effects.extend(open_view(model, at));
    effects
}

fn robot(model: &mut Model, view: RobotView) -> Vec<Effect> {
    let Some(robots) = &mut model.robots else {
        return Vec::new();
    };
    match robots.get_mut(&view.robot) {
        Some(robot) => update(robot, view),
        None => {
            robots.insert(view.robot, Robot::new(view));
        }
    }
    Vec::new()
}

/// Takes over a view, but never an older state than the one that is known.
fn update(robot: &mut Robot, mut view: RobotView) {
    if let (Some(known), Some(said)) = (robot.view.link, view.link)
        && said.heard_at < known.heard_at
    {
        view.link = robot.view.link;
        view.telemetry = robot.view.telemetry.take();
    }
    // The same advert stays the same allocation, so that nobody redraws a map for a robot that came or went. A gateway that
    // restarted has not heard it yet; what the robot is and can has not changed by that.
    if let Some(advert) = view.advert.take()
        && robot.advert.as_deref() != Some(&advert)
    {
        robot.advert = Some(Arc::new(advert));
    }
    robot.view = view;
    robot.follow();
}

fn gone(model: &mut Model, id: RobotId) -> Vec<Effect> {
    let removed = model.robots.as_mut().and_then(|robots| robots.remove(&id));
    unselect_missing(model);
    match removed.and_then(|robot| robot.still) {
        Some(still) => vec![Effect::ForgetStill(still.url)],
        None => Vec::new(),
    }
}

/// The safety bar never names a robot that is not there.
fn unselect_missing(model: &mut Model) {
    if model.selected_robot().is_none() {
        model.selected = None;
    }
}

fn state(model: &mut Model, id: RobotId, telemetry: Telemetry, link: Link) {
    let found = model.robots.as_mut().and_then(|robots| robots.get_mut(&id));
    let Some(robot) = found else { return };
    let is_old = robot
        .view
        .link
        .is_some_and(|known| link.heard_at < known.heard_at);
    if is_old {
        return;
    }
    robot.view.telemetry = Some(telemetry);
    robot.view.link = Some(link);
    robot.follow();
}

fn see(model: &mut Model, id: RobotId, scan: Scan) {
    let found = model.robots.as_mut().and_then(|robots| robots.get_mut(&id));
    if let Some(robot) = found
        && robot.scan.as_ref().is_none_or(|known| known.at <= scan.at)
    {
        robot.scan = Some(Arc::new(scan));
    }
}
