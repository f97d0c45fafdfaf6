//! The relay's edge: a TUN device in each of two namespaces, and threads that carry packets from one to the other when the rules say so.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tun_rs::{DeviceBuilder, SyncDevice};

use super::{
    namespace::{Namespace, ip},
    pipe::{Fate, Line, Pipe},
    profile::{Profile, Way},
};

/// The end where the gateway is.
pub const GATEWAY: &str = "10.77.0.1";

/// The robot's end.
pub const ROBOT: &str = "10.77.0.2";

/// The name of the device, in either namespace.
const DEVICE: &str = "relay0";

/// As on any Ethernet.
const LARGEST_PACKET: usize = 1_500;

/// Packets under way at once: half a second of the fastest profile is less.
const MOST_UNDER_WAY: usize = 8_192;

/// A link, and how to change it. It carries for as long as this process lives.
#[derive(Debug)]
pub struct Wire {
    laid: Instant,
    down: Arc<Lane>,
    up: Arc<Lane>,
}

#[derive(Debug)]
struct Lane {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    pipe: Pipe,
    /// By when they are due; of those that are due at once, as they came.
    under_way: BinaryHeap<Reverse<(Duration, u64, Vec<u8>)>>,
    entered: u64,
    dropped: u64,
}

impl Wire {
    /// Joins the two namespaces.
    pub fn lay(gateway: &Namespace, robot: &Namespace) -> Result<Self> {
        let near = Arc::new(gateway.within(|| end(GATEWAY))?);
        let far = Arc::new(robot.within(|| end(ROBOT))?);
        let laid = Instant::now();
        let down = Lane::new();
        let up = Lane::new();
        carry(&near, &far, &down, laid);
        carry(&far, &near, &up, laid);
        Ok(Self { laid, down, up })
    }

    /// From now on it is like this, with the chances of this seed; what is under way arrives.
    pub fn become_like(&self, profile: &Profile, seed: u64) {
        self.down.become_like(profile.down, seed);
        // The two directions are not to lose the same packets.
        self.up.become_like(profile.up, !seed);
    }

    /// Swallows everything, both ways.
    pub fn swallow(&self) {
        self.set(Line::Drops);
    }

    /// Stalls for so long, both ways; what enters meanwhile comes out then.
    pub fn stall(&self, lasts: Duration) {
        self.set(Line::HoldsUntil(self.laid.elapsed() + lasts));
    }

    /// Works again.
    pub fn carry_on(&self) {
        self.set(Line::Carries);
    }

    fn set(&self, line: Line) {
        for lane in [&self.down, &self.up] {
            lane.state().pipe.set(line);
        }
    }

    /// Packets that entered since it became what it is, and those that did not arrive.
    pub fn counted(&self) -> (u64, u64) {
        let counts = [&self.down, &self.up].map(|lane| {
            let state = lane.state();
            (state.entered, state.dropped)
        });
        (counts[0].0 + counts[1].0, counts[0].1 + counts[1].1)
    }
}

impl Lane {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                pipe: Pipe::new(Way::CLEAR, 0),
                under_way: BinaryHeap::new(),
                entered: 0,
                dropped: 0,
            }),
            changed: Condvar::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is whole before anything could panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn become_like(&self, way: Way, seed: u64) {
        let mut state = self.state();
        state.pipe = Pipe::new(way, seed);
        (state.entered, state.dropped) = (0, 0);
    }

    fn take_in(&self, now: Duration, packet: &[u8]) {
        let mut state = self.state();
        state.entered += 1;
        let number = state.entered;
        match state.pipe.decide(now, packet.len()) {
            Fate::DeliveredAt(due) if state.under_way.len() < MOST_UNDER_WAY => {
                state
                    .under_way
                    .push(Reverse((due, number, packet.to_vec())));
                self.changed.notify_one();
            }
            Fate::DeliveredAt(_) | Fate::Dropped => state.dropped += 1,
        }
    }

    /// Waits for the next packet that is due.
    fn next(&self, laid: Instant) -> Vec<u8> {
        let mut state = self.state();
        loop {
            let now = laid.elapsed();
            let wait = match state.under_way.peek() {
                Some(Reverse((due, ..))) if *due <= now => {
                    if let Some(Reverse((_, _, packet))) = state.under_way.pop() {
                        return packet;
                    }
                    continue;
                }
                Some(Reverse((due, ..))) => due.saturating_sub(now),
                None => Duration::from_secs(1),
            };
            let (again, _) = self
                .changed
                .wait_timeout(state, wait)
                .unwrap_or_else(PoisonError::into_inner);
            state = again;
        }
    }
}

/// One end, in the namespace of this thread.
fn end(address: &str) -> Result<SyncDevice> {
    let device = DeviceBuilder::new()
        .name(DEVICE)
        .enable(false)
        .build_sync()
        .context("no TUN device can be made: /dev/net/tun and the rights of root are needed")?;
    ip(&["link", "set", "lo", "up"])?;
    let mtu = LARGEST_PACKET.to_string();
    ip(&["link", "set", DEVICE, "mtu", &mtu, "up"])?;
    ip(&["address", "add", &format!("{address}/30"), "dev", DEVICE])?;
    // Browsers look for the address by which they would reach others. Nobody is there: what is for others gets lost.
    ip(&["route", "add", "default", "dev", DEVICE])?;
    Ok(device)
}

/// Two threads, until the process ends: a device is read without a bound, and its packets wait in order of their time.
fn carry(from: &Arc<SyncDevice>, to: &Arc<SyncDevice>, lane: &Arc<Lane>, laid: Instant) {
    let (from, to) = (Arc::clone(from), Arc::clone(to));
    let (entry, exit) = (Arc::clone(lane), Arc::clone(lane));
    thread::spawn(move || {
        let mut packet = [0; LARGEST_PACKET];
        while let Ok(length) = from.recv(&mut packet) {
            entry.take_in(laid.elapsed(), &packet[..length]);
        }
    });
    thread::spawn(move || {
        loop {
            // What is for nobody there, or finds the device's queue full, is lost as on any wire.
            let _sent = to.send(&exit.next(laid));
        }
    });
}
