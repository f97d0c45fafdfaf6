//! Who steers which robot, whether that is this page, and when it says that somebody is there.

use std::collections::BTreeMap;

use protocol::{
    PersonId, RobotId, UnixMicros,
    console_socket::FromConsole,
    control::ControlView,
    limits::{CONTROL_IDLE_MS, CONTROL_PRESENT_EVERY_MS},
};

const PRESENT_EVERY_US: i64 = CONTROL_PRESENT_EVERY_MS as i64 * 1_000;

/// Nobody touched anything for so long: nobody is there.
pub const IDLE_US: i64 = CONTROL_IDLE_MS as i64 * 1_000;

/// A person before this page, as what they sign names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Who.
    pub person: PersonId,
    /// The page's key, hex; absent where the browser can't sign.
    pub key: Option<String>,
}

/// Who steers which robot.
#[derive(Debug, Clone, Default)]
pub struct Controls {
    known: BTreeMap<RobotId, ControlView>,
    /// Who sits here; absent until they first did something about who steers.
    pub seat: Option<Seat>,
    /// When somebody last touched this page.
    pub touched_at: UnixMicros,
    present_at: BTreeMap<RobotId, UnixMicros>,
}

impl Controls {
    /// How it stands with a robot; nothing where nobody ever steered it, or this person may not know.
    pub fn of(&self, robot: RobotId) -> Option<&ControlView> {
        self.known.get(&robot)
    }

    /// The epoch under which the robot is steered from this page.
    pub fn epoch_here(&self, robot: RobotId) -> Option<u64> {
        let view = self.known.get(&robot)?;
        let (holder, seat) = (view.holder.as_ref()?, self.seat.as_ref()?);
        (holder.person == seat.person && holder.key == seat.key).then_some(view.epoch)
    }

    /// Somebody did something about who steers, from here.
    pub(super) fn sit(&mut self, seat: Seat, now: UnixMicros) {
        self.seat = Some(seat);
        self.touched_at = now;
    }

    /// Takes it in unless it is older than what is known. True when somebody now asks for a robot that is steered from here:
    /// that is worth a sound.
    pub(super) fn learn(&mut self, view: ControlView) -> bool {
        let known = self.known.get(&view.robot);
        if known.is_some_and(|known| known.version > view.version) {
            return false;
        }
        let was_asked = known.and_then(|known| Some(known.request.as_ref()?.person));
        let asks = view.request.as_ref().map(|request| request.person);
        let robot = view.robot;
        self.known.insert(robot, view);
        asks.is_some() && asks != was_asked && self.epoch_here(robot).is_some()
    }

    /// A snapshot replaces what was known.
    pub(super) fn replace(&mut self, views: Vec<ControlView>) {
        self.known = views.into_iter().map(|view| (view.robot, view)).collect();
    }

    /// How long until nobody counts as being here, microseconds.
    pub fn idle_left_us(&self, now: UnixMicros) -> i64 {
        (IDLE_US - now.since(self.touched_at)).max(0)
    }

    /// The signs of life that are due: for each robot that is steered from here, while somebody is.
    pub(super) fn present(&mut self, now: UnixMicros) -> Vec<FromConsole> {
        if self.idle_left_us(now) == 0 {
            return Vec::new();
        }
        let steered: Vec<_> = (self.known.keys())
            .filter_map(|robot| Some((*robot, self.epoch_here(*robot)?)))
            .collect();
        self.present_at
            .retain(|robot, _| steered.iter().any(|(steered, _)| steered == robot));
        let mut due = Vec::new();
        for (robot, epoch) in steered {
            let last = self.present_at.get(&robot);
            if last.is_none_or(|last| now.since(*last) >= PRESENT_EVERY_US) {
                self.present_at.insert(robot, now);
                due.push(FromConsole::Present { robot, epoch });
            }
        }
        due
    }
}
