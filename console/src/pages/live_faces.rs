//! What the live page shows, worked out from the model and from the frames on screen.

use protocol::{
    PersonId, RobotId, UnixMicros,
    command::Verb,
    robot::{Activity, Capability, SiteMap},
};

use crate::{
    arming::Sight,
    camera,
    glass::{self, Frame},
    grade::{self, Tone},
    live::{
        clock::micros_to_ms,
        commands::{Entry, Standing as CommandStanding},
        model::{Model, Robot},
        view::ViewPhase,
    },
    outage::BannerFace,
    panels::{
        commands::CommandFace,
        go_to::PlaceChoice,
        map::{MapFace, Target},
        picture::PictureFace,
    },
    parts::video::Shown,
    roster::{self, Standing},
    telling, words,
};

/// Commands on the live page: what fits beside a map, and some to scroll.
const COMMANDS_SHOWN: usize = 20;

/// One camera's picture.
pub(super) fn picture(
    model: &Model,
    robot: RobotId,
    camera: usize,
    shown: Option<Shown>,
    now: UnixMicros,
) -> (PictureFace, Option<Frame>) {
    let Some(known) = model.robot(robot) else {
        return (PictureFace::default(), None);
    };
    let advert = known
        .advert
        .as_ref()
        .and_then(|advert| advert.cameras.get(camera));
    let link = known.view.link;
    let frame = shown
        .map(|shown| shown.frame(|at| glass::robot_to_browser(at, link.as_ref(), &model.clock)));
    let face = PictureFace {
        camera: advert.map_or_else(String::new, |camera| camera.name.clone()),
        label: advert.map_or_else(String::new, |camera| camera.label.clone()),
        age_ms: frame.map(|frame| frame.age_ms(now)),
        taken: frame.map_or_else(String::new, |frame| {
            words::clock(frame.captured_at.unwrap_or(frame.shown_at))
        }),
        trouble: camera::on_live_page(model, known, camera),
        waiting: waiting(model),
    };
    (face, frame)
}

fn waiting(model: &Model) -> &'static str {
    match model.view.as_ref().map(|view| view.phase) {
        None | Some(ViewPhase::Waiting { .. }) => "Waiting for the gateway",
        Some(ViewPhase::Opening { .. }) => "Opening the picture",
        Some(ViewPhase::Connected | ViewPhase::Shaky { .. }) => "Waiting for the first picture",
    }
}

/// What the page can see of the robot.
pub(super) fn sight(robot: &Robot, age_ms: Option<f64>) -> Sight {
    let has_cameras = robot
        .advert
        .as_ref()
        .is_some_and(|advert| !advert.cameras.is_empty());
    match (has_cameras, age_ms) {
        (false, _) => Sight::NoCamera,
        (true, None) => Sight::Awaited,
        (true, Some(age_ms)) => Sight::Aged(age_ms),
    }
}

/// Browser to robot and back: the two measured halves of the way that a command takes.
pub(super) fn command_ms(model: &Model, robot: &Robot) -> Option<f64> {
    Some(model.clock.rtt_ms()? + robot.view.link?.rtt_ms?)
}

/// For how long no command could have gone that way.
pub(super) fn lost_ms(model: &Model, robot: &Robot, now: UnixMicros) -> Option<f64> {
    if let Some(lost_at) = model.connection.lost_at {
        return Some(micros_to_ms(now.since(lost_at)));
    }
    match roster::standing(robot, &model.clock, now) {
        Standing::Offline { .. } | Standing::Stale { .. } => {
            roster::state_age_ms(robot, &model.clock, now)
        }
        Standing::Fresh(_) | Standing::Silent => None,
    }
}

/// The banner of a robot that is stopped until somebody releases it: who stopped it, what it says itself, and what comes next.
pub(super) fn stopped_banner(model: &Model, robot: &Robot) -> Option<BannerFace> {
    let state = robot.telemetry().filter(|_| robot.is_online())?;
    if state.activity != Activity::Stopped {
        return None;
    }
    let name = &robot.view.name;
    let stop = (model.commands.of(robot.view.robot)).find(|entry| entry.verb == Verb::Stop);
    let what = match stop {
        Some(entry) => {
            let by = entry.by.as_ref().map_or("you", |by| &by.name);
            let at = entry.issued_at.or(entry.wished_at);
            let at = at.map_or_else(String::new, |at| format!(" at {}", words::clock(at)));
            format!("Stop latched by {by}{at}.")
        }
        None => "Stop latched.".to_owned(),
    };
    let is_still = state.speed_mps.abs() < 0.01;
    let says = match stop.and_then(telling::took_ms).filter(|_| is_still) {
        Some(ms) => format!("{name} reports stopped after {}.", words::delay(ms)),
        None if is_still => format!("{name} reports stopped."),
        None => format!("{name} is braking."),
    };
    Some(BannerFace {
        tone: Tone::Caution,
        what,
        rest: format!("{says} It stays so until somebody with control releases it, and says why."),
        aside: String::new(),
        action: None,
    })
}

/// The banner of a picture that is history.
pub(super) fn stale_banner(model: &Model, face: &PictureFace, robot: &Robot) -> Option<BannerFace> {
    let age_ms = face.age_ms.filter(|_| face.is_stale())?;
    let name = &robot.view.name;
    let rest = if robot.is_online() {
        let state = robot
            .telemetry()
            .map_or("nothing", |state| words::activity(state.activity));
        let stop = if has_stop(robot) {
            " Stop still works."
        } else {
            ""
        };
        format!(
            "Targets are withheld. {name} last reported: {}.{stop}",
            state.to_lowercase()
        )
    } else {
        format!("{name} is offline. Pictures return with it.")
    };
    let is_path_up = matches!(
        model.view.as_ref().map(|view| view.phase),
        Some(ViewPhase::Connected)
    );
    Some(BannerFace {
        tone: Tone::Alarm,
        what: format!("Video stale for {}.", words::delay(age_ms)),
        rest,
        aside: if is_path_up {
            String::new()
        } else {
            "Reconnecting".to_owned()
        },
        action: None,
    })
}

/// What moves on the map.
pub(super) fn map(model: &Model, robot: &Robot, now: UnixMicros) -> MapFace {
    let standing = roster::standing(robot, &model.clock, now);
    let goal = robot.telemetry().and_then(|state| state.goal.as_ref());
    let told = goal.map(|goal| Target {
        at: [goal.target.x_m, goal.target.y_m],
        is_command: goal.command.is_some(),
    });
    MapFace {
        pose: robot.telemetry().map(|state| state.pose),
        radius_m: robot
            .advert
            .as_ref()
            .map_or(0.25, |advert| f64::from(advert.radius_m)),
        trail: robot.trail.iter().copied().collect(),
        scan: robot.scan.clone(),
        // Only the page that drives knows them.
        predicted: Vec::new(),
        asked: Vec::new(),
        target: wished(model, robot.view.robot, now).or(told),
        remaining_m: goal.map(|goal| goal.remaining_m),
        is_old: !matches!(standing, Standing::Fresh(_)),
        age: roster::state_age_ms(robot, &model.clock, now)
            .map_or_else(|| "no data".to_owned(), words::delay),
    }
}

/// A wish is drawn until the robot's own state shows its answer.
const WISH_SHOWN_US: i64 = 1_500_000;

/// The target that was just asked for and that the robot's state can't show yet.
fn wished(model: &Model, robot: RobotId, now: UnixMicros) -> Option<Target> {
    let latest = model.commands.of(robot).next()?;
    let wished_at = latest.wished_at?;
    let is_open = match &latest.standing {
        CommandStanding::Wished | CommandStanding::Unrecorded => true,
        CommandStanding::Recorded(fate) => !fate.is_over(),
        CommandStanding::NotSent { .. }
        | CommandStanding::TurnedDown { .. }
        | CommandStanding::NotRecorded => false,
    };
    let Verb::NavigateTo { x_m, y_m, .. } = latest.verb else {
        return None;
    };
    (is_open && now.since(wished_at) < WISH_SHOWN_US).then_some(Target {
        at: [x_m, y_m],
        is_command: true,
    })
}

/// What the map says to somebody who can't see it.
pub(super) fn map_label(robot: &Robot) -> String {
    let name = &robot.view.name;
    let Some(state) = robot.telemetry() else {
        return format!(
            "Map of {}. {name} has not told where it is.",
            robot.view.site_name
        );
    };
    let map = robot.advert.as_ref().and_then(|advert| advert.map.as_ref());
    let whither = state.goal.as_ref().map_or_else(String::new, |goal| {
        let target = goal.target;
        let place = telling::place_at(map, target.x_m, target.y_m).map_or_else(
            || format!("{:.1}, {:.1}", target.x_m, target.y_m),
            str::to_owned,
        );
        format!(" It drives to {place}.")
    });
    format!(
        "Map of {}. {name} is at {:.1}, {:.1} m.{whither}",
        robot.view.site_name, state.pose.x_m, state.pose.y_m
    )
}

/// The named places to choose from.
pub(super) fn places(map: Option<&SiteMap>) -> Vec<PlaceChoice> {
    map.map_or_else(Vec::new, |map| {
        let choice = |place: &protocol::robot::Place| PlaceChoice {
            name: place.name.clone(),
            pose: place.pose,
        };
        map.places.iter().map(choice).collect()
    })
}

/// The commands to this robot, newest first.
pub(super) fn commands(
    model: &Model,
    robot: &Robot,
    me: Option<PersonId>,
    now: UnixMicros,
) -> Vec<CommandFace> {
    let map = robot.advert.as_ref().and_then(|advert| advert.map.as_ref());
    let entries = model.commands.of(robot.view.robot).take(COMMANDS_SHOWN);
    entries
        .map(|entry| CommandFace {
            by: asked_by(entry, me),
            ..command(model, entry, map, now)
        })
        .collect()
}

fn command(model: &Model, entry: &Entry, map: Option<&SiteMap>, now: UnixMicros) -> CommandFace {
    let gateway_now = now.plus(model.clock.gateway_ahead_us());
    let at = entry.issued_at.or(entry.wished_at).unwrap_or_default();
    let took = telling::took_ms(entry).filter(|_| {
        matches!(&entry.standing, CommandStanding::Recorded(fate) if *fate == protocol::command::Fate::Done)
    });
    CommandFace {
        command: entry.command,
        time: words::clock(at),
        what: telling::verb(&entry.verb, map),
        telling: telling::fate(entry, now, gateway_now),
        took: took.map_or_else(String::new, words::delay),
        by: String::new(),
    }
}

/// Who asked, when it was not the person at this page.
fn asked_by(entry: &Entry, me: Option<PersonId>) -> String {
    match &entry.by {
        Some(asker) if Some(asker.person) != me => format!("asked by {}", asker.name),
        Some(_) | None => String::new(),
    }
}

/// How long the robot took to answer the latest wish of this page.
pub(super) fn last_answer(model: &Model, robot: RobotId) -> String {
    let answered = model.commands.of(robot).find_map(telling::answer_ms);
    answered.map_or_else(String::new, |ms| format!("last {}", words::delay(ms)))
}

/// Whether the robot can be stopped.
fn has_stop(robot: &Robot) -> bool {
    robot
        .advert
        .as_ref()
        .is_some_and(|advert| advert.capabilities.contains(&Capability::Stop))
}

/// The state of the path for pictures, in few words.
pub(super) fn path(model: &Model) -> (Tone, &'static str) {
    match model.view.as_ref().map(|view| view.phase) {
        None => (Tone::Calm, "No media"),
        Some(ViewPhase::Waiting { .. }) => (Tone::Caution, "Media waits"),
        Some(ViewPhase::Opening { .. }) => (Tone::Calm, "Media connecting"),
        Some(ViewPhase::Connected) => (Tone::Calm, "Media connected"),
        Some(ViewPhase::Shaky { .. }) => (Tone::Caution, "Media interrupted"),
    }
}

/// Whether one reading is older than another allows.
pub(super) fn is_state_old(age_ms: Option<f64>) -> bool {
    age_ms.is_none_or(|age_ms| age_ms > grade::STALE_STATE_MS)
}
