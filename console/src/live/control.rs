//! Who steers which robot, whether that is this page, and when it says that somebody is there.

use std::collections::BTreeMap;

use protocol::{
    PersonId, RobotId, UnixMicros,
    console_socket::FromConsole,
    control::ControlView,
    limits::{CONTROL_IDLE_MS, CONTROL_LASTS_MS, CONTROL_PRESENT_EVERY_MS},
};

const PRESENT_EVERY_US: i64 = CONTROL_PRESENT_EVERY_MS as i64 * 1_000;

const LASTS_US: i64 = CONTROL_LASTS_MS as i64 * 1_000;

/// With less than this left of it somebody is asked whether they are still there.
pub const ASK_LEFT_US: i64 = 60_000_000;

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
    /// Whether somebody was asked whether they are still there since then.
    is_nudged: bool,
    /// Until when control from here lasts, by this page's own count, and under which epoch.
    until: BTreeMap<RobotId, (u64, UnixMicros)>,
    present_at: BTreeMap<RobotId, UnixMicros>,
}

impl Controls {
    /// How it stands with a robot; nothing where nobody ever steered it, or this person may not know.
    pub fn of(&self, robot: RobotId) -> Option<&ControlView> {
        self.known.get(&robot)
    }

    /// The robots that are steered from this page, as far as it was told.
    pub fn mine(&self) -> impl Iterator<Item = RobotId> {
        let robots = self.known.keys().copied();
        robots.filter(|robot| self.epoch_of_mine(*robot).is_some())
    }

    /// The epoch under which a robot is steered from this page as far as it was told, whether its time has run out or not.
    pub fn epoch_of_mine(&self, robot: RobotId) -> Option<u64> {
        let view = self.known.get(&robot)?;
        let (holder, seat) = (view.holder.as_ref()?, self.seat.as_ref()?);
        (holder.person == seat.person && holder.key == seat.key).then_some(view.epoch)
    }

    /// How much time is left of it without an answer to another sign of life, microseconds; 0 where none is.
    pub fn left_us(&self, robot: RobotId, now: UnixMicros) -> i64 {
        let epoch = self.epoch_of_mine(robot);
        let until = (self.until.get(&robot)).filter(|(under, _)| Some(*under) == epoch);
        until.map_or(0, |(_, until)| until.since(now).max(0))
    }

    /// The epoch under which a target may leave from here: this page counts its time by itself, as the robot does.
    pub fn epoch_here(&self, robot: RobotId, now: UnixMicros) -> Option<u64> {
        self.epoch_of_mine(robot)
            .filter(|_| self.left_us(robot, now) > 0)
    }

    /// Somebody did something about who steers, from here; or what they signed with is gone.
    pub(super) fn sit(&mut self, seat: Option<Seat>, now: UnixMicros) {
        if seat.is_some() {
            self.touch(now);
        }
        self.seat = seat;
        let mine: Vec<_> = self.mine().collect();
        for robot in mine {
            self.begin(robot, now);
        }
    }

    pub(super) fn touch(&mut self, now: UnixMicros) {
        self.touched_at = now;
        self.is_nudged = false;
    }

    /// Takes it in unless it is older than what is known. True when somebody now asks for a robot that is steered from here:
    /// that is worth a sound, each time that they ask.
    pub(super) fn learn(&mut self, view: ControlView, now: UnixMicros) -> bool {
        let known = self.known.get(&view.robot);
        if known.is_some_and(|known| known.version > view.version) {
            return false;
        }
        let question = |view: &ControlView| {
            let request = view.request.as_ref()?;
            Some((request.person, request.until))
        };
        let was_asked = known.and_then(question);
        let is_asked = question(&view);
        let robot = view.robot;
        self.known.insert(robot, view);
        self.begin(robot, now);
        is_asked.is_some() && is_asked != was_asked && self.epoch_of_mine(robot).is_some()
    }

    /// A new epoch from here has its full time.
    fn begin(&mut self, robot: RobotId, now: UnixMicros) {
        let Some(epoch) = self.epoch_of_mine(robot) else {
            return;
        };
        let is_counted = (self.until.get(&robot)).is_some_and(|(under, _)| *under == epoch);
        if !is_counted {
            self.until.insert(robot, (epoch, now.plus(LASTS_US)));
        }
    }

    /// The gateway took a sign of life that was given at `at`.
    pub(super) fn taken(&mut self, robot: RobotId, epoch: u64, at: UnixMicros) {
        let until = self.until.entry(robot).or_default();
        if until.0 <= epoch {
            let later = at.plus(LASTS_US);
            let before = if until.0 == epoch { until.1 } else { later };
            *until = (epoch, before.max(later));
        }
    }

    /// A snapshot replaces what was known, where it says anything.
    pub(super) fn replace(&mut self, views: Option<Vec<ControlView>>, now: UnixMicros) {
        if let Some(views) = views {
            self.known = views.into_iter().map(|view| (view.robot, view)).collect();
            let mine: Vec<_> = self.mine().collect();
            for robot in mine {
                self.begin(robot, now);
            }
        }
    }

    /// How long until nobody counts as being here, microseconds.
    pub fn idle_left_us(&self, now: UnixMicros) -> i64 {
        (IDLE_US - now.since(self.touched_at)).max(0)
    }

    /// Whether somebody is to be asked, with a sound, whether they are still there. Once, until they touch something.
    pub(super) fn nudge(&mut self, now: UnixMicros) -> bool {
        let is_due =
            !self.is_nudged && self.idle_left_us(now) < ASK_LEFT_US && self.mine().next().is_some();
        self.is_nudged |= is_due;
        is_due
    }

    /// The signs of life that are due: for each robot that is steered from here, while somebody is. Also for one whose time
    /// has run out here: the gateway knows whether it has.
    pub(super) fn present(&mut self, now: UnixMicros) -> Vec<FromConsole> {
        if self.idle_left_us(now) == 0 {
            return Vec::new();
        }
        let steered: Vec<_> = (self.known.keys())
            .filter_map(|robot| Some((*robot, self.epoch_of_mine(*robot)?)))
            .collect();
        self.present_at
            .retain(|robot, _| steered.iter().any(|(steered, _)| steered == robot));
        let mut due = Vec::new();
        for (robot, epoch) in steered {
            let last = self.present_at.get(&robot);
            if last.is_none_or(|last| now.since(*last) >= PRESENT_EVERY_US) {
                self.present_at.insert(robot, now);
                let at = now;
                due.push(FromConsole::Present { robot, epoch, at });
            }
        }
        due
    }
}
