//! Driving by hand from the live page: hears the keys, says twenty times a second what they ask, and shows what the robot makes
//! of it. Also the release of a stop, which is held as deliberately.

use std::time::Duration;

use leptos::{ev, prelude::*, task::spawn_local};
use protocol::{
    command::Verb,
    drive::{DRIVE_EVERY_MS, DriveCommand, DriveReport, MEASURE_EVERY_MS, Twist},
    robot::{Activity, Capability},
};

use super::{shell::BarSlot, watch::Watch};
use crate::{
    browser, control,
    driving::{self, Checks, DriveFace, Held, LadderFace, Reach, Sight},
    keys,
    live::granting::{self, Belief},
    panels::driving::{DrivePanel, Ladder, ReleasePanel},
};

/// After the keys were let go that is said so often: one word may get lost.
const REST_SAID_TIMES: u32 = 3;

/// How long the key is held that arms driving, milliseconds.
const ARM_HOLD_MS: f64 = 1_000.0;

/// How long it is held to release a stop, milliseconds.
const RELEASE_HOLD_MS: f64 = 2_000.0;

/// What is said, and how often it was.
#[expect(
    clippy::struct_excessive_bools,
    reason = "five things that are so or not, each by itself"
)]
#[derive(Debug, Clone, Copy, Default)]
struct Saying {
    said_at_ms: f64,
    twist: Twist,
    /// How often it was said that nothing is held.
    rests: u32,
    /// A command is being sealed: the next waits, and none is queued.
    is_sealing: bool,
    is_fast: bool,
    is_slow: bool,
    /// Whether it was armed when this was last looked at.
    was_armed: bool,
    /// Whether the keys that were held while it was armed have to be let go first.
    needs_release: bool,
    /// How often it is still to be said after arming that nothing is held: the robot wants to have heard that.
    settles: u32,
}

/// Driving, as this page does it.
#[derive(Clone, Copy)]
pub(super) struct Drive {
    watch: Watch,
    report: RwSignal<Option<(DriveReport, f64)>>,
    held: RwSignal<Held>,
    checks: RwSignal<Checks>,
    reason: RwSignal<String>,
    /// Since when the key is held that arms or releases.
    held_since: RwSignal<Option<f64>>,
    saying: StoredValue<Saying>,
    reach: Memo<Reach>,
    is_here: Memo<bool>,
    /// Whether it was steered from here at any time since the page was opened: what is lost is seen to be lost.
    was_here: RwSignal<bool>,
    is_stopped: Memo<bool>,
    /// How much of the hold is done, 0 to 1.
    progress: RwSignal<f64>,
}

impl Drive {
    /// Begins to listen, for as long as the page is there.
    pub(super) fn new(watch: Watch) -> Self {
        let reach = Memo::new(move |_| watch.reach());
        let is_here = Memo::new(move |_| reach.get() == Reach::Here);
        let is_stopped = Memo::new(move |_| {
            watch
                .robot(|robot| {
                    let state = robot.telemetry();
                    state.is_some_and(|state| state.activity == Activity::Stopped)
                })
                .unwrap_or_default()
        });
        let drive = Self {
            watch,
            report: RwSignal::new(None),
            held: RwSignal::new(Held::default()),
            checks: RwSignal::new(Checks::default()),
            reason: RwSignal::new(String::new()),
            held_since: RwSignal::new(None),
            saying: StoredValue::new(Saying::default()),
            reach,
            is_here,
            was_here: RwSignal::new(false),
            is_stopped,
            progress: RwSignal::new(0.0),
        };
        drive.begin_anew();
        drive.hear_robot();
        drive.hear_keys();
        drive.show_ladder();
        // A browser that gives no timer drives nothing, and the robot stays armed for nobody.
        let every = Duration::from_millis(u64::from(DRIVE_EVERY_MS));
        if let Ok(handle) = set_interval_with_handle(move || drive.beat(), every) {
            on_cleanup(move || handle.clear());
        }
        drive
    }

    /// What a person looked at before says nothing of now: each sitting, and each stop, is looked at anew.
    fn begin_anew(self) {
        Effect::new(move |before: Option<(bool, bool)>| {
            let now = (self.is_here.get(), self.is_stopped.get());
            if before.is_some_and(|before| before != now) {
                self.unhold();
                self.checks.set(Checks::default());
                self.reason.set(String::new());
            }
            if now.0 {
                self.was_here.set(true);
            }
            now
        });
    }

    /// Whether it is steered from here, or was, and the robot can be driven.
    pub(super) fn is_shown(self) -> bool {
        (self.is_here.get() || self.was_here.get()) && self.is_offered()
    }

    /// Whether this robot can be driven at all.
    fn is_offered(self) -> bool {
        self.watch.advert.with(|advert| {
            advert
                .as_ref()
                .is_some_and(|advert| advert.capabilities.contains(&Capability::Drive))
        })
    }

    /// Whether a stop is to be released from here, as soon as there is control.
    pub(super) fn is_release_due(self) -> bool {
        (self.is_here.get() || self.was_here.get()) && self.is_stopped.get()
    }

    fn hear_robot(self) {
        let heard = self.watch.live.heard_fast();
        heard.update_untracked(Vec::clear);
        Effect::new(move |_| {
            let report = heard.with(|bytes| serde_json::from_slice::<DriveReport>(bytes).ok());
            if let Some(report) = report {
                // They overtake each other; one of another run of the robot begins anew, a good while later.
                let is_older = self.report.with_untracked(|known| {
                    known.as_ref().is_some_and(|(known, at)| {
                        report.tick_ms < known.tick_ms && browser::ms() - at < 2_000.0
                    })
                });
                if !is_older {
                    let held = self.held.get_untracked();
                    let is_armed = report.disarmed.is_none();
                    self.saying
                        .update_value(|saying| saying.note(is_armed, held));
                    self.report.set(Some((report, browser::ms())));
                }
            }
        });
    }

    fn hear_keys(self) {
        let pressed = window_event_listener(ev::keydown, move |event| {
            let is_typing = keys::is_typing(&event);
            self.pace(event.shift_key(), event.alt_key());
            let is_shortcut = event.ctrl_key() || event.meta_key();
            if is_typing || is_shortcut {
                // Some systems never tell of the release of a key beside these.
                return self.let_all_go();
            }
            if !self.is_here.get_untracked() {
                return;
            }
            if event.key() == "Alt" {
                // It would open the browser's menu.
                event.prevent_default();
            }
            if self.press(&event.code(), event.repeat()) {
                event.prevent_default();
            }
        });
        let released = window_event_listener(ev::keyup, move |event| {
            self.pace(event.shift_key(), event.alt_key());
            self.let_go(&event.code());
        });
        // Whoever looks elsewhere holds nothing here.
        let left = window_event_listener(ev::blur, move |_| self.let_all_go());
        let menu = window_event_listener(ev::contextmenu, move |_| self.let_all_go());
        let hidden = window_event_listener(ev::pagehide, move |_| self.let_all_go());
        on_cleanup(move || {
            for listener in [pressed, released] {
                listener.remove();
            }
            left.remove();
            menu.remove();
            hidden.remove();
        });
    }

    fn pace(self, is_fast: bool, is_slow: bool) {
        self.saying.update_value(|saying| {
            saying.is_fast = is_fast;
            saying.is_slow = is_slow;
        });
    }

    fn press(self, code: &str, is_repeat: bool) -> bool {
        let mut held = self.held.get_untracked();
        if held.take(code, true) {
            // A key that was let go on the way has to be pressed anew.
            if is_repeat {
                return true;
            }
            if held != self.held.get_untracked() {
                self.held.set(held);
                self.checks.update(|checks| checks.has_moved_input = true);
                self.beat();
            }
            return true;
        }
        match code {
            "KeyL" if !is_repeat => self.looked(),
            "KeyY" if !is_repeat => self.hold(),
            "KeyL" | "KeyY" => {}
            _ => return false,
        }
        true
    }

    fn let_go(self, code: &str) {
        let mut held = self.held.get_untracked();
        if held.take(code, false) && held != self.held.get_untracked() {
            self.held.set(held);
            self.beat();
        }
        if code == "KeyY" {
            self.unhold();
        }
    }

    fn let_all_go(self) {
        self.unhold();
        if self.held.get_untracked().any() {
            self.held.set(Held::default());
            self.beat();
        }
    }

    /// The person looked, and says that the area is clear; or takes that back.
    fn looked(self) {
        let is_armed = untrack(|| {
            self.sight(|sight| {
                sight
                    .fresh()
                    .is_some_and(|report| report.disarmed.is_none())
            })
        });
        if is_armed || !self.is_here.get_untracked() {
            return;
        }
        self.checks
            .update(|checks| checks.is_clear = !checks.is_clear);
    }

    fn hold(self) {
        if self.held_since.get_untracked().is_none() && self.is_here.get_untracked() {
            self.held_since.set(Some(browser::ms()));
        }
    }

    fn unhold(self) {
        if self.held_since.get_untracked().is_some() {
            self.held_since.set(None);
            self.progress.set(0.0);
        }
    }

    fn sight<T>(self, read: impl FnOnce(&Sight<'_>) -> T) -> T {
        let frame_age_ms = self.watch.large_picture().age_ms;
        let (reach, is_stopped) = (self.reach.get(), self.is_stopped.get());
        let (checks, held) = (self.checks.get(), self.held.get());
        let has_cameras = self.watch.advert.with(|advert| {
            advert
                .as_ref()
                .is_none_or(|advert| !advert.cameras.is_empty())
        });
        self.report.with(|report| {
            let now = browser::ms();
            read(&Sight {
                report: report.as_ref().map(|(report, at)| (report, now - at)),
                reach,
                is_stopped,
                frame_age_ms,
                has_cameras,
                checks,
                held,
            })
        })
    }

    /// What the robot makes of the keys, and what they ask, while it is driven from here.
    pub(super) fn ahead(self) -> Option<(Twist, Twist)> {
        let held = self.held.get();
        let asked = self
            .saying
            .with_value(|saying| held.twist(saying.is_fast, saying.is_slow));
        self.report.with(|report| {
            let (report, _) = report.as_ref().filter(|_| self.is_here.get())?;
            report.disarmed.is_none().then_some((report.given, asked))
        })
    }

    fn face(self) -> DriveFace {
        self.sight(driving::face)
    }

    fn ladder(self) -> LadderFace {
        self.sight(driving::ladder)
    }

    /// The steps of a release, and whether each is done.
    fn steps(self) -> [(&'static str, bool); 4] {
        let is_still = self
            .watch
            .robot(|robot| {
                let state = robot.telemetry();
                state.is_some_and(|state| state.speed_mps.abs() < 0.01)
            })
            .unwrap_or_default();
        let is_clear = self.checks.get().is_clear;
        self.sight(|sight| {
            self.reason
                .with(|reason| driving::release_steps(sight, is_still, is_clear, reason))
        })
    }

    /// Says what is to be said now, and completes a hold.
    fn beat(self) {
        self.complete_hold();
        let Some((command, acts)) = untrack(|| self.next_command()) else {
            return;
        };
        spawn_local(async move {
            let sealed = acts.seal_drive(command).await;
            let _done = self
                .saying
                .try_update_value(|saying| saying.is_sealing = false);
            if let Ok(bytes) = sealed {
                self.watch.live.say_fast(&bytes);
            }
        });
    }

    fn next_command(self) -> Option<(DriveCommand, crate::acts::Acts)> {
        let acts = self.watch.live.acts()?;
        let id = self.watch.id;
        let (grant, binding, epoch, told_tick_ms) = self.watch.live.peek(|model| {
            let now = browser::now();
            let epoch = model.controls.epoch_here(id, now)?;
            let Belief::Believed { grant, binding } = granting::belief(model, id, now) else {
                return None;
            };
            let tick_ms = model.robot(id)?.telemetry()?.tick_ms;
            Some((grant, binding, epoch, tick_ms))
        })?;
        let (twist, tick_ms) = self.sight(|sight| {
            let report = sight.fresh();
            let is_armed = report.is_some_and(|report| report.disarmed.is_none());
            let twist = self
                .saying
                .try_update_value(|saying| saying.wish(is_armed, sight.held));
            let twist = twist.unwrap_or_default();
            (twist, report.map_or(0, |report| report.tick_ms))
        });
        let is_due = self
            .saying
            .try_update_value(|saying| saying.is_due(twist))?;
        if !is_due {
            return None;
        }
        let sequence = self.watch.live.next_drive_sequence()?;
        let command = DriveCommand {
            robot: id,
            grant,
            binding,
            epoch,
            sequence,
            seen_tick_ms: tick_ms.max(told_tick_ms),
            frame: self.watch.frame_seen(),
            twist,
        };
        Some((command, acts))
    }

    fn complete_hold(self) {
        let Some(since) = self.held_since.get_untracked() else {
            return;
        };
        let (is_release, may) = untrack(|| {
            if self.is_stopped.get() {
                let steps = self.steps();
                let is_done = steps.iter().all(|(_, is_done)| *is_done);
                (true, is_done && self.is_here.get())
            } else {
                (false, self.face().may_arm)
            }
        });
        if !may {
            // The hold counts from when it may do something.
            self.held_since.set(Some(browser::ms()));
            self.progress.set(0.0);
            return;
        }
        let needed = if is_release {
            RELEASE_HOLD_MS
        } else {
            ARM_HOLD_MS
        };
        let share = ((browser::ms() - since) / needed).min(1.0);
        self.progress.set(share);
        if share < 1.0 {
            return;
        }
        self.unhold();
        // Whoever is to drive again looks again.
        self.checks.update(|checks| checks.is_clear = false);
        if is_release {
            let words = self.reason.get_untracked().trim().to_owned();
            self.reason.set(String::new());
            self.watch.order_saying(Verb::ReleaseStop, words);
        } else {
            self.watch.order(Verb::ArmDrive);
        }
    }

    /// Puts the ladder in the safety bar while the robot is steered from here.
    fn show_ladder(self) {
        let slot = expect_context::<BarSlot>().0;
        let face = Memo::new(move |_| {
            self.watch.live.at_glance(|_, _| ());
            self.ladder()
        });
        let is_shown = Memo::new(move |_| self.is_shown());
        Effect::new(move |_| {
            let own = is_shown
                .get()
                .then(|| ViewFn::from(move || view! { <Ladder face /> }));
            slot.set(own);
        });
        on_cleanup(move || slot.set(None));
    }

    /// The keys, the checks and the way to arm.
    pub(super) fn panel(self) -> impl IntoView {
        let face = Memo::new(move |_| {
            self.watch.live.at_tick(|_, _| ());
            self.face()
        });
        view! {
            <DrivePanel
                face
                progress=self.progress
                on_looked=Callback::new(move |()| self.looked())
                on_hold=Callback::new(move |is_down| {
                    if is_down { self.hold() } else { self.unhold() }
                })
                on_key=Callback::new(move |(code, is_down): (&'static str, bool)| {
                    if is_down && self.is_here.get_untracked() {
                        self.press(code, false);
                    } else {
                        self.let_go(code);
                    }
                })
            />
        }
    }

    /// The four steps that release a stop.
    pub(super) fn release(self) -> impl IntoView {
        let steps = Memo::new(move |_| self.steps());
        view! {
            <ReleasePanel
                steps
                reach=self.reach
                reason=self.reason
                progress=self.progress
                robot=Signal::derive(move || self.watch.name())
                on_looked=Callback::new(move |()| self.looked())
                on_hold=Callback::new(move |is_down| {
                    if is_down { self.hold() } else { self.unhold() }
                })
            />
        }
    }
}

impl Saying {
    /// The robot says whether it is armed. What is held at that moment was not pressed to drive.
    fn note(&mut self, is_armed: bool, held: Held) {
        if is_armed && !self.was_armed {
            self.needs_release = held.any();
            self.settles = REST_SAID_TIMES;
        }
        self.was_armed = is_armed;
    }

    /// What the held keys ask, where they may ask anything.
    fn wish(&mut self, is_armed: bool, held: Held) -> Twist {
        self.needs_release &= held.any();
        if !is_armed || self.needs_release || self.settles > 0 {
            return Twist::ZERO;
        }
        held.twist(self.is_fast, self.is_slow)
    }

    /// Whether something is to be said now; it is said then.
    fn is_due(&mut self, twist: Twist) -> bool {
        let now = browser::ms();
        let is_moving = !twist.is_zero();
        if is_moving || !self.twist.is_zero() {
            self.rests = 0;
        }
        let is_due = is_moving
            || self.settles > 0
            || self.rests < REST_SAID_TIMES
            || now - self.said_at_ms >= f64::from(MEASURE_EVERY_MS);
        if self.is_sealing || !is_due {
            return false;
        }
        if !is_moving {
            self.rests = self.rests.saturating_add(1);
            self.settles = self.settles.saturating_sub(1);
        }
        self.twist = twist;
        self.said_at_ms = now;
        self.is_sealing = true;
        true
    }
}

impl Watch {
    /// Whether what is pressed here can reach this robot's wheels.
    fn reach(self) -> Reach {
        let me = self.me();
        self.live
            .at_tick(|model, now| Reach::of(&control::standing(model, self.id, me, now)))
    }
}
