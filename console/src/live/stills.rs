//! The stills of the fleet page: which are wanted, and which is shown.

use protocol::{
    RobotId,
    console_socket::{FromConsole, MAX_THUMBNAIL_ROBOTS},
};

use super::{
    model::{Model, Phase, Still},
    reduce::{Effect, Moment},
};

/// A still came: the one before it can go.
pub(super) fn came(model: &mut Model, robot: RobotId, still: Still, at: Moment) -> Vec<Effect> {
    model.connection.heard_at = at.now;
    let found = model
        .robots
        .as_mut()
        .and_then(|robots| robots.get_mut(&robot));
    let Some(found) = found else {
        return vec![Effect::ForgetStill(still.url)];
    };
    match found.still.replace(still) {
        Some(older) => vec![Effect::ForgetStill(older.url)],
        None => Vec::new(),
    }
}

/// Other robots' cards are on screen: their stills are wanted.
pub(super) fn on_screen(model: &mut Model, mut robots: Vec<RobotId>) -> Vec<Effect> {
    robots.sort_unstable();
    robots.dedup();
    robots.truncate(MAX_THUMBNAIL_ROBOTS);
    if robots == model.stills_on_screen {
        return Vec::new();
    }
    model.stills_on_screen.clone_from(&robots);
    match model.connection.phase {
        Phase::Live => vec![Effect::Send(FromConsole::WantThumbnails { robots })],
        Phase::Idle | Phase::Connecting { .. } | Phase::Waiting { .. } | Phase::Over { .. } => {
            Vec::new()
        }
    }
}
