//! Whether the robots that are steered from here believe this page, when it asks them to, and why one does not.
//!
//! Having control is the gateway's word. A robot moves for a page only once it believes a grant of that page's key, which the
//! person's own key has bound.

use std::collections::BTreeMap;

use protocol::{
    GrantId, RobotId, UnixMicros,
    roster::KeyTier,
    views::{Presence, RefusedGrantView, TrustView},
};

use super::model::Model;

/// A grant with less left is renewed: half of its time, so that a lost answer costs nothing.
const RENEW_WITH_LEFT_US: i64 = 300_000_000;

/// An answer to a request takes seconds at worst, and somebody before the browser's prompt two minutes; then it is asked again.
const ASK_AGAIN_AFTER_US: i64 = 150_000_000;

/// The robot says within a round trip what it makes of a grant.
const SHOW_AGAIN_AFTER_US: i64 = 4_000_000;

/// What was denied is asked for again by itself after so long: somebody may have mended it.
const DENIED_FOR_US: i64 = 30_000_000;

/// What was in the way for a moment, as a gateway that starts anew, is tried again soon.
const PASSING_FOR_US: i64 = 2_000_000;

/// What a robot refuses because it was bound to what it said before.
const FITS_NEXT_TIME: [&str; 2] = ["not_bound", "not_a_renewal"];

/// A renewal that failed is tried again well before the grant ends.
const RENEW_AGAIN_AFTER_US: i64 = 20_000_000;

/// The person's key in this browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnKey {
    /// Its name, hex.
    pub key: String,
    /// How well it is kept.
    pub tier: KeyTier,
    /// Whether a demo put it on the roster by itself.
    pub is_demo: bool,
}

/// What the page is to ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bind {
    /// Which robot.
    pub robot: RobotId,
    /// Under which epoch of control.
    pub epoch: u64,
    /// Whether the robot believes this page already, and is only to go on.
    pub is_renewal: bool,
    /// Whether the browser's key is to bind it although there may be a passkey.
    pub with_browser_key: bool,
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrantNews {
    /// A grant was bound and shown to the robot; what it makes of it, it says itself.
    Shown {
        /// What was asked for.
        bind: Bind,
        /// The grant.
        grant: GrantId,
        /// Its end, by the browser's clock.
        until: UnixMicros,
        /// The challenge that bound it; nothing for a renewal.
        binding: Option<[u8; 32]>,
    },
    /// There is no grant, or it did not get to the robot.
    Denied {
        /// What was asked for.
        bind: Bind,
        /// Frozen code.
        code: String,
        /// Why, in words.
        words: String,
        /// Whether it may be over in a moment.
        is_passing: bool,
    },
    /// The key that this browser binds grants with.
    Own(OwnKey),
    /// Somebody chose after a passkey did not do it: the browser's key, or a passkey once more.
    Chosen {
        /// For which robot.
        robot: RobotId,
        /// Which of the two.
        with_browser_key: bool,
    },
}

/// Whether a robot believes this page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Belief {
    /// It is not steered from here, or is not there.
    Unasked,
    /// It is being asked.
    Asking,
    /// It does: what this page signs under the grant moves it.
    Believed {
        /// Under which grant.
        grant: GrantId,
        /// The challenge that bound it, which commands name.
        binding: [u8; 32],
    },
    /// It does not, or the gateway gave no grant.
    Denied {
        /// Frozen code.
        code: String,
        /// Why, in words.
        words: String,
    },
}

/// What this page did about it.
#[derive(Debug, Clone, Default)]
pub struct Granting {
    tries: BTreeMap<RobotId, Try>,
    /// Rises with every command that this page signs.
    sequence: u64,
    /// The key that this browser binds grants with, once it was used.
    pub own: Option<OwnKey>,
    with_browser_key: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Try {
    epoch: u64,
    at: UnixMicros,
    /// The number of the robot's roster then: a newer one may let in whom the older one did not.
    roster: u64,
    /// When the grant ends that was shown last, by this browser's clock.
    until: Option<UnixMicros>,
    /// What every command names under what is believed.
    binding: Option<[u8; 32]>,
    /// How often in a row something was in the way.
    hindered: u32,
    step: Step,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Asking,
    Shown(GrantId),
    /// Something was in the way for a moment.
    Hindered {
        code: String,
        words: String,
    },
    Denied {
        code: String,
        words: String,
    },
}

impl Granting {
    /// The place of the next command among all that this page signs.
    pub(super) const fn next_sequence(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Takes in what came of asking.
    pub(super) fn learn(&mut self, news: GrantNews, now: UnixMicros) {
        match news {
            GrantNews::Shown {
                bind,
                grant,
                until,
                binding,
            } => self.shown(bind, grant, (until, binding), now),
            GrantNews::Denied {
                bind,
                code,
                words,
                is_passing,
            } => {
                let step = if is_passing {
                    Step::Hindered { code, words }
                } else {
                    Step::Denied { code, words }
                };
                self.denied(bind, step, now);
            }
            GrantNews::Own(own) => self.own = Some(own),
            GrantNews::Chosen {
                robot,
                with_browser_key,
            } => {
                self.with_browser_key = with_browser_key;
                self.tries.remove(&robot);
            }
        }
    }

    /// A grant was shown to the robot; it ends at `until`.
    fn shown(
        &mut self,
        bind: Bind,
        grant: GrantId,
        (until, binding): (UnixMicros, Option<[u8; 32]>),
        at: UnixMicros,
    ) {
        if let Some(its) = self.tries.get_mut(&bind.robot)
            && its.epoch == bind.epoch
        {
            its.at = at;
            its.until = Some(until);
            its.binding = binding.or(its.binding);
            its.step = Step::Shown(grant);
        }
    }

    /// The gateway gave none, or it did not get to the robot. A renewal that failed leaves what is believed.
    fn denied(&mut self, bind: Bind, step: Step, at: UnixMicros) {
        if let Some(its) = self.tries.get_mut(&bind.robot)
            && its.epoch == bind.epoch
        {
            its.at = at;
            its.hindered = match step {
                Step::Hindered { .. } => its.hindered.saturating_add(1),
                Step::Asking | Step::Shown(_) | Step::Denied { .. } => 0,
            };
            its.step = step;
        }
    }

    /// What this page signs with is gone, and with it whatever believed that.
    pub(super) fn forget(&mut self) {
        self.tries.clear();
    }

    fn begin(&mut self, bind: Bind, roster: u64, at: UnixMicros) {
        let before = (self.tries.remove(&bind.robot)).filter(|its| its.epoch == bind.epoch);
        let hindered = before.as_ref().map_or(0, |its| its.hindered);
        let renewed = before.filter(|_| bind.is_renewal);
        let until = renewed.as_ref().and_then(|its| its.until);
        let binding = renewed.and_then(|its| its.binding);
        let its = Try {
            epoch: bind.epoch,
            at,
            roster,
            until,
            binding,
            hindered,
            step: Step::Asking,
        };
        self.tries.insert(bind.robot, its);
    }
}

/// Whether it was refused because of how a passkey was used, or was not: another try or another key may do.
pub fn is_about_passkey(code: &str) -> bool {
    code.starts_with("passkey_") || code == "another_site" || code == "unverified"
}

/// Whether the robot believes this page.
pub fn belief(model: &Model, robot: RobotId, now: UnixMicros) -> Belief {
    let Some(epoch) = model.controls.epoch_here(robot, now) else {
        return Belief::Unasked;
    };
    let Some(trust) = trust(model, robot) else {
        return Belief::Unasked;
    };
    let its = (model.granting.tries.get(&robot)).filter(|its| its.epoch == epoch);
    let binding = its.and_then(|its| its.binding);
    if let (Some(grant), Some(binding)) = (believed(model, trust, epoch), binding) {
        return Belief::Believed { grant, binding };
    }
    match its.map(|its| &its.step) {
        Some(Step::Denied { code, words }) => Belief::Denied {
            code: code.clone(),
            words: words.clone(),
        },
        Some(Step::Shown(grant)) => match refused(trust, *grant) {
            Some(refused) => Belief::Denied {
                code: refused.code.clone(),
                words: refused.words.clone(),
            },
            None => Belief::Asking,
        },
        Some(Step::Hindered { code, words }) if its.is_some_and(Try::is_stuck) => Belief::Denied {
            code: code.clone(),
            words: words.clone(),
        },
        Some(Step::Asking | Step::Hindered { .. }) | None => Belief::Asking,
    }
}

/// What it says of whom it trusts, while it is there.
fn trust(model: &Model, robot: RobotId) -> Option<&TrustView> {
    let view = &model.robot(robot)?.view;
    matches!(view.presence, Presence::Online { .. })
        .then_some(view.trust.as_ref())
        .flatten()
}

/// The grant under which it believes this very page.
fn believed(model: &Model, trust: &TrustView, epoch: u64) -> Option<GrantId> {
    let (session, seat) = (trust.session.as_ref()?, model.controls.seat.as_ref()?);
    let is_this_page = session.person == seat.person
        && session.epoch == epoch
        && seat.key.as_ref() == Some(&session.key);
    is_this_page.then_some(session.grant)
}

/// Its word on this grant, if it refused it.
fn refused(trust: &TrustView, grant: GrantId) -> Option<&RefusedGrantView> {
    (trust.refused.as_ref()).filter(|refused| refused.grant == Some(grant))
}

/// What is to be asked for now; from here on it counts as being asked for.
pub(super) fn due(model: &mut Model, now: UnixMicros) -> Vec<Bind> {
    let steered: Vec<(RobotId, u64)> = (model.controls.mine())
        .filter_map(|robot| Some((robot, model.controls.epoch_here(robot, now)?)))
        .collect();
    let mut due = Vec::new();
    for (robot, epoch) in steered {
        let Some(trust) = trust(model, robot) else {
            continue;
        };
        let its = (model.granting.tries.get(&robot)).filter(|its| its.epoch == epoch);
        let is_bound = its.is_some_and(|its| its.binding.is_some());
        let is_renewal = is_bound && believed(model, trust, epoch).is_some();
        let is_due = if is_renewal {
            its.is_some_and(|its| its.is_to_be_renewed(now)) && model.controls.idle_left_us(now) > 0
        } else {
            its.is_none_or(|its| its.is_to_be_tried(trust, now))
        };
        if is_due {
            let (bind, roster) = (
                Bind {
                    robot,
                    epoch,
                    is_renewal,
                    with_browser_key: model.granting.with_browser_key,
                },
                trust.roster,
            );
            model.granting.begin(bind, roster, now);
            due.push(bind);
        }
    }
    due
}

impl Try {
    /// Twice as long each time, up to what is waited after a denial.
    fn pause_us(&self) -> i64 {
        let doubled = self.hindered.saturating_sub(1).min(4);
        (PASSING_FOR_US << doubled).min(DENIED_FOR_US)
    }

    /// Whether it has been in the way for so long that somebody should read what it is.
    const fn is_stuck(&self) -> bool {
        self.hindered >= 3
    }

    fn is_to_be_renewed(&self, now: UnixMicros) -> bool {
        let left_us = self.until.map_or(0, |until| until.since(now));
        let wait_us = match self.step {
            Step::Shown(_) => 0,
            Step::Asking | Step::Denied { .. } | Step::Hindered { .. } => RENEW_AGAIN_AFTER_US,
        };
        left_us < RENEW_WITH_LEFT_US && now.since(self.at) >= wait_us
    }

    /// Whether what was in the way may be gone. Nobody is asked for a passkey again unasked: they choose.
    fn is_mended(&self, code: &str, trust: &TrustView, since_us: i64) -> bool {
        trust.roster > self.roster || (since_us >= DENIED_FOR_US && !is_about_passkey(code))
    }

    fn is_to_be_tried(&self, trust: &TrustView, now: UnixMicros) -> bool {
        let since_us = now.since(self.at);
        match &self.step {
            Step::Asking => since_us >= ASK_AGAIN_AFTER_US,
            Step::Hindered { .. } => since_us >= self.pause_us(),
            Step::Shown(grant) => match refused(trust, *grant) {
                // The nonce was used by another, or the robot started anew: the next one fits.
                Some(refused) if FITS_NEXT_TIME.contains(&refused.code.as_str()) => {
                    since_us >= PASSING_FOR_US
                }
                Some(refused) => self.is_mended(&refused.code, trust, since_us),
                None => since_us >= SHOW_AGAIN_AFTER_US,
            },
            Step::Denied { code, .. } => self.is_mended(code, trust, since_us),
        }
    }
}
