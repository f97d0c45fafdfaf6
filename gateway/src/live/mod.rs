//! What is true just now and on no disk: who is connected, the latest value of everything, and who wants to see it.
//!
//! Nothing here is the truth about jobs, people or robots; that is in Postgres. A restart rebuilds all of it from reconnections.

mod board;
mod consoles;
pub mod dependencies;
pub mod event_log;
pub mod lanes;
mod names;
pub mod presence;
pub mod rate_limit;
pub mod stops;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::{body::Bytes, extract::ws::Utf8Bytes};
use protocol::{
    OrganisationId, RobotId, SiteId,
    console_socket::ToConsole,
    views::{Degradation, RobotView},
};

pub use board::{Attachment, Heard, NewAttachment, NotAttached};
pub use consoles::{
    ConsoleKey, Drain, NewConsole, OUTBOX_FRAMES, Outbox, Queued, REPLY_FRAMES, snapshot_message,
};

use board::BoardRobot;
use consoles::Console;
use names::PeopleNames;

/// A frame on its way to a console. Encoded once, shared by every session that gets it.
#[derive(Debug, Clone)]
pub enum Frame {
    /// JSON.
    Text(Utf8Bytes),
    /// A still.
    Binary(Bytes),
}

/// Which robots somebody may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// Only robots of this organisation.
    pub organisation: OrganisationId,
    /// Only these sites; `None` means every site of the organisation.
    pub sites: Option<BTreeSet<SiteId>>,
}

impl Sight {
    /// Whether a robot of this organisation and site is seen.
    pub fn covers(&self, organisation: OrganisationId, site: SiteId) -> bool {
        self.organisation == organisation
            && self
                .sites
                .as_ref()
                .is_none_or(|sites| sites.contains(&site))
    }
}

/// The board and everybody connected to it. One lock, held for microseconds, never across an await.
#[derive(Debug, Default)]
pub struct Live {
    state: Mutex<State>,
    /// What people are called.
    pub people: PeopleNames,
    /// Driving, as it passes through.
    pub lanes: lanes::Lanes,
    /// Stops that went out before they were on record.
    pub stops: stops::Stops,
}

#[derive(Debug, Default)]
struct State {
    robots: BTreeMap<RobotId, BoardRobot>,
    consoles: BTreeMap<ConsoleKey, Console>,
    degraded: Vec<Degradation>,
    generations: u64,
}

impl Live {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while holding the lock leaves plain values behind, none of them half-written across robots.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces what is known to be out of order and tells every console.
    pub fn degrade(&self, degraded: Vec<Degradation>) {
        let mut state = self.state();
        if state.degraded == degraded {
            return;
        }
        state.degraded.clone_from(&degraded);
        if let Some(frame) = encode(&ToConsole::Degraded { degraded }) {
            for console in state.consoles.values() {
                console.outbox.push(frame.clone());
            }
        }
    }

    /// What is out of order just now.
    pub fn degraded(&self) -> Vec<Degradation> {
        self.state().degraded.clone()
    }

    /// Robots in `sight` as the board knows them, by name.
    pub fn robots(&self, sight: &Sight) -> Vec<RobotView> {
        self.state().visible(sight)
    }

    /// Robots and consoles connected to this process.
    pub fn connected(&self) -> (usize, usize) {
        let state = self.state();
        let robots = state
            .robots
            .values()
            .filter(|robot| robot.is_attached())
            .count();
        (robots, state.consoles.len())
    }
}

impl State {
    fn visible(&self, sight: &Sight) -> Vec<RobotView> {
        let mut views: Vec<_> = self
            .robots
            .values()
            .filter(|robot| robot.is_seen_by(sight))
            .map(BoardRobot::view)
            .collect();
        views.sort_by(|left, right| left.name.cmp(&right.name));
        views
    }

    /// Sends `message` to every console that may see `robot` and that `wants` it.
    fn tell(&self, robot: RobotId, message: &ToConsole, wants: impl Fn(&Console) -> bool) {
        let Some(subject) = self.robots.get(&robot) else {
            return;
        };
        let mut frame = None;
        for console in self.consoles.values() {
            if !subject.is_seen_by(&console.sight) || !wants(console) {
                continue;
            }
            if frame.is_none() {
                frame = encode(message);
            }
            if let Some(frame) = &frame {
                console.outbox.push(frame.clone());
            }
        }
    }
}

impl State {
    /// Sends `message` to every console that `is_meant`.
    fn tell_whom(&self, message: &ToConsole, is_meant: impl Fn(&Console) -> bool) {
        let mut meant = self
            .consoles
            .values()
            .filter(|console| is_meant(console))
            .peekable();
        if meant.peek().is_none() {
            return;
        }
        let Some(frame) = encode(message) else {
            return;
        };
        for console in meant {
            console.outbox.push(frame.clone());
        }
    }
}

/// JSON of a message; our own types always have one, and a failure is logged rather than sent half.
pub fn encode(message: &ToConsole) -> Option<Frame> {
    match serde_json::to_string(message) {
        Ok(text) => Some(Frame::Text(text.into())),
        Err(error) => {
            tracing::error!(%error, "a message to a console could not be written");
            None
        }
    }
}
