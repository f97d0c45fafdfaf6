//! Signs of life of who steers robots from one console: taken beside its loop, so that a database that is slow holds up neither
//! pictures nor a stop, and not more often than a page gives them.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use identity::Permission;
use protocol::{RobotId, UnixMicros, console_socket::ToConsole, limits::CONTROL_LASTS_MS};
use tokio::time::Instant;

use crate::{
    app::App,
    flows::control::{present::present, views::controls},
    http::auth::Caller,
    live::{Outbox, encode},
};

/// Signs for one robot are taken at most so often: a page gives one every few seconds.
const AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// A robot of which no sign came for so long is steered from elsewhere by now, or by nobody.
const FORGOTTEN_AFTER: Duration = Duration::from_millis(CONTROL_LASTS_MS as u64);

/// Robots that one console steers at once: more than a person can look at.
const MAX_STEERED: usize = 16;

/// The latest sign for one robot.
struct Sign {
    at: Instant,
    is_under_way: Arc<AtomicBool>,
}

/// The signs of one console.
#[derive(Default)]
pub(super) struct Signs {
    latest: BTreeMap<RobotId, Sign>,
}

impl Signs {
    /// Whether this sign is to be carried through; the mark is to be taken away once it was.
    fn admit(&mut self, robot: RobotId, now: Instant) -> Option<Arc<AtomicBool>> {
        self.latest
            .retain(|_, sign| now.duration_since(sign.at) < FORGOTTEN_AFTER);
        if let Some(sign) = self.latest.get_mut(&robot) {
            let is_too_soon = now.duration_since(sign.at) < AT_MOST_EVERY;
            if is_too_soon || sign.is_under_way.swap(true, Ordering::AcqRel) {
                return None;
            }
            sign.at = now;
            return Some(Arc::clone(&sign.is_under_way));
        }
        if self.latest.len() == MAX_STEERED {
            return None;
        }
        let is_under_way = Arc::new(AtomicBool::new(true));
        let sign = Sign {
            at: now,
            is_under_way: Arc::clone(&is_under_way),
        };
        self.latest.insert(robot, sign);
        Some(is_under_way)
    }

    /// Takes a sign that was given at `at`, by the page's clock. A page that does not steer any more is told how it stands: it
    /// may not have heard.
    pub(super) fn take(
        &mut self,
        app: &App,
        caller: &Caller,
        outbox: &Outbox,
        (robot, epoch, at): (RobotId, u64, UnixMicros),
    ) {
        let Some(mark) = self.admit(robot, Instant::now()) else {
            return;
        };
        let (app, caller, outbox) = (app.clone(), caller.clone(), outbox.clone());
        tokio::spawn(async move {
            if let Some(answer) = answer(&app, &caller, robot, epoch, at).await
                && let Some(frame) = encode(&answer)
            {
                outbox.reply(frame);
            }
            mark.store(false, Ordering::Release);
        });
    }
}

/// Nothing where nobody can say: the page counts its time by itself.
async fn answer(
    app: &App,
    caller: &Caller,
    robot: RobotId,
    epoch: u64,
    at: UnixMicros,
) -> Option<ToConsole> {
    let site = app.live.robot(robot)?.site;
    caller.may_at(Permission::Command, site).ok()?;
    if present(app, &caller.person, robot, epoch).await.is_ok() {
        return Some(ToConsole::Present { robot, epoch, at });
    }
    caller.may_at(Permission::RunJobs, site).ok()?;
    let view = controls(app, &[robot]).await.ok()?.pop()?;
    Some(ToConsole::Control(Box::new(view)))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn robot(number: usize) -> RobotId {
        RobotId(Uuid::from_u128(number as u128))
    }

    fn done(mark: Option<Arc<AtomicBool>>) -> bool {
        mark.is_some_and(|mark| {
            mark.store(false, Ordering::Release);
            true
        })
    }

    #[test]
    fn a_sign_is_taken_once_a_second_and_while_none_is_under_way() {
        let mut signs = Signs::default();
        let start = Instant::now();

        let first = signs.admit(robot(1), start);
        assert!(first.is_some());
        // The database takes its time over the first.
        assert!(signs.admit(robot(1), start + 2 * AT_MOST_EVERY).is_none());
        assert!(done(first));
        assert!(done(signs.admit(robot(1), start + 2 * AT_MOST_EVERY)));
        assert!(!done(signs.admit(robot(1), start + 2 * AT_MOST_EVERY)));
        assert!(done(signs.admit(robot(2), start + 2 * AT_MOST_EVERY)));
    }

    #[test]
    fn a_page_steers_any_number_of_robots_one_after_the_other_and_so_many_at_once() {
        let mut signs = Signs::default();
        let start = Instant::now();
        for number in 0..MAX_STEERED {
            assert!(done(signs.admit(robot(number), start)));
        }
        assert!(!done(signs.admit(robot(99), start)));
        assert!(done(signs.admit(robot(99), start + FORGOTTEN_AFTER)));
    }
}
