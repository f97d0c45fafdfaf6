//! Runs the model in the page: takes inputs, lets the reducer decide, obeys its effects, and wakes those who draw.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use protocol::{
    RobotId, UnixMicros,
    command::{FrameSeen, Verb},
    console_socket::FromConsole,
};
use web_sys::Url;

use super::{
    model::Model,
    reduce::{Effect, Input, Moment, ViewEvent, reduce},
    socket::Socket,
};
use crate::{
    acts::Acts,
    browser,
    frames::Hashes,
    later::NotLoaded,
    rtc::{Feed, Peer},
    session::Session,
    sound::{self, Bell},
    steer::Task,
};

/// Ages, attempts and liveness are looked at so often.
const TICK: Duration = Duration::from_millis(100);

/// Ticks to a glance.
const GLANCE_TICKS: u32 = 3;

/// Drawing is woken at most so often: faster than telemetry comes, slower than a fleet of it adds up to.
const REDRAW_AFTER_US: i64 = 33_000;

/// The live side of the page, for whoever draws or wishes.
#[derive(Clone, Copy)]
pub(crate) struct Live {
    model: RwSignal<Model>,
    tick: Trigger,
    glance: Trigger,
    feeds: RwSignal<Vec<Feed>, LocalStorage>,
    /// What came last on the fast channel of the present view.
    fast: RwSignal<Vec<u8>>,
    gear: StoredValue<Gear, LocalStorage>,
    session: Session,
}

/// What belongs to the browser and can't be in the model.
#[derive(Default)]
struct Gear {
    acts: Option<Acts>,
    socket: Option<Socket>,
    peer: Option<Peer>,
    bell: Bell,
    /// The place of the last drive command among all of this page: robots take none below it.
    drive_sequence: u64,
    redrawn_at: UnixMicros,
    is_redraw_due: bool,
}

impl Live {
    /// Sets it up and lets time run.
    pub(crate) fn new(session: Session, acts: Acts) -> Self {
        let live = Self {
            model: RwSignal::new(Model {
                is_muted: sound::is_muted(),
                ..Model::default()
            }),
            tick: Trigger::new(),
            glance: Trigger::new(),
            feeds: RwSignal::new_local(Vec::new()),
            fast: RwSignal::new(Vec::new()),
            gear: StoredValue::new_local(Gear {
                acts: Some(acts),
                ..Gear::default()
            }),
            session,
        };
        let ticks = StoredValue::new(0_u32);
        set_interval(
            move || {
                live.tell(Input::Tick);
                live.tick.notify();
                let count = ticks.get_value().wrapping_add(1);
                ticks.set_value(count);
                if count.is_multiple_of(GLANCE_TICKS) {
                    live.glance.notify();
                }
            },
            TICK,
        );
        live
    }

    /// Reads the model and follows its changes.
    pub(crate) fn read<T>(self, read: impl FnOnce(&Model) -> T) -> T {
        self.model.with(read)
    }

    /// Reads the model once.
    pub(crate) fn peek<T>(self, read: impl FnOnce(&Model) -> T) -> T {
        self.model.with_untracked(read)
    }

    /// Reads the model ten times a second, together with the moment of reading: for whatever shows an age.
    pub(crate) fn at_tick<T>(self, read: impl FnOnce(&Model, UnixMicros) -> T) -> T {
        self.tick.track();
        self.model
            .with_untracked(|model| read(model, browser::now()))
    }

    /// The same, three times a second: for a screen full of ages, which nobody reads faster.
    pub(crate) fn at_glance<T>(self, read: impl FnOnce(&Model, UnixMicros) -> T) -> T {
        self.glance.track();
        self.model
            .with_untracked(|model| read(model, browser::now()))
    }

    /// The cameras of the present view, in order.
    pub(crate) fn feeds(self) -> Vec<Feed> {
        self.feeds.get()
    }

    /// What the frames of a camera hash to, as known now.
    pub(crate) fn hashes(self, camera: usize) -> Option<Hashes> {
        self.feeds
            .with_untracked(|feeds| feeds.get(camera).map(|feed| feed.hashes.clone()))
    }

    /// The present view's connection, for reading its counters.
    pub(crate) fn peer(self) -> Option<(web_sys::RtcPeerConnection, Vec<Feed>)> {
        self.gear.with_value(|gear| {
            let peer = gear.peer.as_ref()?;
            Some((peer.connection(), peer.feeds().to_vec()))
        })
    }

    /// What came last on the fast channel of the present view, followed.
    pub(crate) fn heard_fast(self) -> RwSignal<Vec<u8>> {
        self.fast
    }

    /// Says something on that channel; `false` when it can't be said there now.
    pub(crate) fn say_fast(self, bytes: &[u8]) -> bool {
        self.gear
            .with_value(|gear| gear.peer.as_ref().is_some_and(|peer| peer.say_fast(bytes)))
    }

    /// The place of the next drive command.
    pub(crate) fn next_drive_sequence(self) -> Option<u64> {
        self.gear.try_update_value(|gear| {
            gear.drive_sequence += 1;
            gear.drive_sequence
        })
    }

    /// The acts.
    pub(crate) fn acts(self) -> Option<Acts> {
        self.gear.with_value(|gear| gear.acts)
    }

    /// Tells a robot to do something.
    pub(crate) fn order(self, robot: RobotId, verb: Verb, frame: Option<FrameSeen>) {
        self.order_saying(robot, verb, frame, String::new());
    }

    /// The same, and why.
    pub(crate) fn order_saying(
        self,
        robot: RobotId,
        verb: Verb,
        frame: Option<FrameSeen>,
        words: String,
    ) {
        self.tell(Input::Order {
            command: browser::command_id(),
            robot,
            verb,
            frame,
            words,
        });
    }

    /// Takes an input.
    pub(crate) fn tell(self, input: Input) {
        let is_tick = input == Input::Tick;
        let is_news = matches!(input, Input::Heard(_) | Input::HeardStill { .. });
        let at = Moment {
            now: browser::now(),
            chance: browser::chance(),
        };
        let effects = self
            .model
            .try_update_untracked(|model| reduce(model, input, at))
            .unwrap_or_default();
        if is_news {
            self.redraw_soon(at.now);
        } else if !is_tick || !effects.is_empty() {
            self.redraw(at.now);
            self.tick.notify();
            self.glance.notify();
        }
        for effect in effects {
            self.obey(effect);
        }
    }

    fn redraw(self, now: UnixMicros) {
        self.gear.update_value(|gear| gear.redrawn_at = now);
        self.model.notify();
    }

    fn redraw_soon(self, now: UnixMicros) {
        let wait_us = self.gear.try_update_value(|gear| {
            if gear.is_redraw_due {
                return None;
            }
            let wait_us = REDRAW_AFTER_US - now.since(gear.redrawn_at);
            gear.is_redraw_due = wait_us > 0;
            Some(wait_us)
        });
        match wait_us.flatten() {
            None => {}
            Some(wait_us) if wait_us <= 0 => self.redraw(now),
            Some(wait_us) => set_timeout(
                move || {
                    self.gear.update_value(|gear| gear.is_redraw_due = false);
                    self.redraw(browser::now());
                },
                Duration::from_micros(u64::try_from(wait_us).unwrap_or_default()),
            ),
        }
    }

    fn obey(self, effect: Effect) {
        match effect {
            Effect::OpenSocket => self.open_socket(),
            Effect::CloseSocket => {
                let _closed = self.gear.try_update_value(|gear| gear.socket.take());
            }
            Effect::Send(frame) => self.say(&frame),
            Effect::SendOnChannel(frame) => self.say_on_channel(&frame),
            Effect::OpenView { view, cameras } => self.open_view(view, cameras.len()),
            Effect::AnswerView { view, sdp } => self.gear.with_value(|gear| {
                if let Some(peer) = gear.peer.as_ref().filter(|peer| peer.view() == view) {
                    peer.answer(&sdp, move |input| self.tell(input));
                }
            }),
            Effect::CloseView => {
                let _closed = self.gear.try_update_value(|gear| gear.peer.take());
            }
            Effect::ForgetStill(url) => {
                // A still that was forgotten twice is forgotten all the same.
                let _revoked = Url::revoke_object_url(&url);
            }
            Effect::Ring => self.gear.update_value(|gear| gear.bell.ring()),
            Effect::RememberMute(is_muted) => sound::remember_mute(is_muted),
            Effect::CheckSession => spawn_local(self.session.load()),
            Effect::Sign(command) => spawn_local(self.steer(Task::Sign(command))),
            Effect::Bind(bind) => spawn_local(self.steer(Task::Bind(bind))),
        }
    }

    async fn steer(self, task: Task) {
        let Some(acts) = self.gear.with_value(|gear| gear.acts) else {
            return;
        };
        let undone = task.undone();
        match acts.steer(task).await {
            Ok(told) => told.into_iter().for_each(|input| self.tell(input)),
            Err(NotLoaded) => self.tell(undone),
        }
    }

    fn open_socket(self) {
        let socket = Socket::open(move |input| self.tell(input));
        let is_open = socket.is_some();
        self.gear.update_value(|gear| gear.socket = socket);
        if !is_open {
            self.tell(Input::SocketClosed);
        }
    }

    fn say(self, frame: &FromConsole) {
        self.gear.with_value(|gear| {
            if let Some(socket) = &gear.socket {
                socket.say(frame);
            }
        });
    }

    fn say_on_channel(self, frame: &FromConsole) {
        let Ok(text) = serde_json::to_string(frame) else {
            return;
        };
        let is_said = self
            .gear
            .with_value(|gear| gear.peer.as_ref().is_some_and(|peer| peer.say(&text)));
        if !is_said {
            self.say(frame);
        }
    }

    fn open_view(self, view: u32, cameras: usize) {
        let hear_fast = move |bytes| {
            let _heard = self.fast.try_set(bytes);
        };
        match Peer::open(view, cameras, move |input| self.tell(input), hear_fast) {
            Ok(peer) => {
                self.feeds.set(peer.feeds().to_vec());
                self.gear.update_value(|gear| gear.peer = Some(peer));
            }
            Err(error) => {
                let words = browser::text(&error, "message").unwrap_or_default();
                let event = ViewEvent::Failed(words);
                self.tell(Input::View { view, event });
            }
        }
    }
}
