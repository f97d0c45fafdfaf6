//! What the frame around the pages shows, worked out from the model.

use protocol::{
    RobotId, UnixMicros,
    command::Verb,
    robot::{Activity, Health},
    views::SessionView,
};

use crate::{
    live::{
        commands::Standing as CommandStanding,
        model::{Model, Phase, Robot},
    },
    panels::{
        header::PersonFace,
        robot_card,
        safety_bar::{SafetyFace, StopFace},
        site_map::Marker,
    },
    parts::badge,
    roster::{self, Standing},
    telling, words,
};

/// Who is signed in.
pub(super) fn person(session: &SessionView) -> PersonFace {
    let mut roles: Vec<_> = session.roles.iter().map(|grant| grant.role).collect();
    roles.sort_unstable();
    roles.dedup();
    let roles: Vec<_> = roles.into_iter().map(words::role).collect();
    PersonFace {
        name: session.name.clone(),
        roles: roles.join(", "),
        organisation: session.organisation_name.clone(),
    }
}

/// The robot that the safety bar names.
pub(super) fn safety(model: &Model, now: UnixMicros) -> Option<SafetyFace> {
    let robot = model.selected_robot()?;
    let standing = roster::standing(robot, &model.clock, now);
    let health = robot.telemetry().map_or(Health::Ok, |state| state.health);
    let age_ms = roster::state_age_ms(robot, &model.clock, now);
    Some(SafetyFace {
        name: robot.view.name.clone(),
        site: robot.view.site_name.clone(),
        badge: badge::of_standing(&standing, health),
        doing: robot_card::doing(robot, &standing),
        measures: measures(robot),
        age: age_ms.map_or_else(|| "no data".to_owned(), words::delay),
        is_old: !matches!(standing, Standing::Fresh(_)),
        is_stopped: matches!(standing, Standing::Fresh(Activity::Stopped)),
        still: robot.still.as_ref().map(|still| still.url.clone()),
        stop_trouble: stop_trouble(model, &standing, &robot.view.name),
    })
}

fn measures(robot: &Robot) -> String {
    let Some(state) = robot.telemetry() else {
        return String::new();
    };
    let mut measures = vec![words::measure(state.speed_mps, 2, "m/s")];
    if let Some(goal) = &state.goal {
        measures.push(format!(
            "{} to go",
            words::measure(goal.remaining_m, 1, "m")
        ));
    }
    measures.push(format!(
        "battery {}",
        words::measure(state.battery.percent, 0, "%")
    ));
    if let Some(rtt_ms) = robot.view.link.and_then(|link| link.rtt_ms) {
        measures.push(format!("link {}", words::delay(rtt_ms)));
    }
    measures.join("   ")
}

fn stop_trouble(model: &Model, standing: &Standing, name: &str) -> Option<String> {
    match (&model.connection.phase, standing) {
        (Phase::Live, Standing::Offline { .. }) => Some(format!("{name} is offline")),
        (Phase::Live, Standing::Fresh(_) | Standing::Stale { .. } | Standing::Silent) => None,
        (
            Phase::Idle | Phase::Connecting { .. } | Phase::Waiting { .. } | Phase::Over { .. },
            _,
        ) => Some("no connection to the gateway".to_owned()),
    }
}

/// The robots on the site of one of them.
pub(super) fn markers(model: &Model, of: Option<RobotId>, now: UnixMicros) -> Vec<Marker> {
    let Some(site) = of
        .and_then(|robot| model.robot(robot))
        .map(|robot| robot.view.site)
    else {
        return Vec::new();
    };
    let robots = model.robots.iter().flat_map(|robots| robots.values());
    let on_site = robots.filter(|robot| robot.view.site == site);
    let marker = |robot: &Robot| {
        let state = robot.telemetry()?;
        let standing = roster::standing(robot, &model.clock, now);
        Some(Marker {
            robot: robot.view.robot,
            name: robot.view.name.clone(),
            pose: state.pose,
            target: state
                .goal
                .as_ref()
                .map(|goal| [goal.target.x_m, goal.target.y_m]),
            is_old: !matches!(standing, Standing::Fresh(_)),
            is_selected: model.selected == Some(robot.view.robot),
        })
    };
    on_site.filter_map(marker).collect()
}

/// How long the word on the latest stop stays in the bar after it was over.
const STOP_SHOWN_FOR_US: i64 = 30_000_000;

/// What became of the latest stop that was asked for on this page.
pub(super) fn stop(model: &Model, now: UnixMicros) -> Option<StopFace> {
    let robot = model.selected?;
    let (newer, entry) = model
        .commands
        .of(robot)
        .enumerate()
        .find(|(_, entry)| entry.verb == Verb::Stop && entry.wished_at.is_some())?;
    let wished_at = entry.wished_at?;
    let is_open = matches!(
        &entry.standing,
        CommandStanding::Wished | CommandStanding::Unrecorded
    ) || matches!(&entry.standing, CommandStanding::Recorded(fate) if !fate.is_over());
    // A newer command makes "stopped" yesterday's news.
    let is_news = newer == 0 && now.since(entry.ended_at.unwrap_or(wished_at)) < STOP_SHOWN_FOR_US;
    if !is_open && !is_news {
        return None;
    }
    let gateway_now = now.plus(model.clock.gateway_ahead_us());
    let when = match telling::took_ms(entry) {
        Some(ms) => format!("after {}", words::delay(ms)),
        None => format!("at {}", words::clock(wished_at)),
    };
    Some(StopFace {
        telling: telling::fate(entry, now, gateway_now),
        when,
    })
}
