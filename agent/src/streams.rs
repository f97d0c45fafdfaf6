//! Joins the cameras to the link: who is wanted runs, frames go to the peer connection, stills to the socket.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use protocol::robot_socket::Demand;
use tokio::{
    sync::{mpsc, watch},
    time::MissedTickBehavior,
};

use crate::{
    cameras::shoot::{EncodedFrame, Shooting, Still},
    link::{self, Outlets},
    publish::{AccessUnit, Taken},
};

/// Frames of all cameras that wait for the peer connection. At 30 fps and two cameras the fourth is a fifteenth of a second
/// old; then a camera had better not take the next one.
pub const FRAME_QUEUE: usize = 4;

/// One still a second is what the fleet page gets.
const STILL_EVERY: Duration = Duration::from_secs(1);

/// The cameras and what they are joined to.
pub struct Streams {
    /// Names in the order of the advert.
    pub names: Vec<String>,
    /// Cameras that we shoot ourselves, by name.
    pub shooting: BTreeMap<String, Shooting>,
    /// What the gateway wants.
    pub demand: watch::Receiver<Demand>,
    /// Where frames go while a peer connection stands.
    pub outlets: watch::Receiver<Option<Outlets>>,
    /// Frames, from the cameras.
    pub frames: mpsc::Receiver<EncodedFrame>,
    /// Stills, from the cameras.
    pub stills: mpsc::Receiver<Still>,
    /// Stills, to the link.
    pub to_link: mpsc::Sender<link::Still>,
    /// Cameras for which somebody needs a key frame.
    pub keyframes: mpsc::Receiver<String>,
}

impl Streams {
    /// Runs until the link is gone.
    pub async fn run(mut self) {
        let mut still_beat = tokio::time::interval(STILL_EVERY);
        still_beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                Some(frame) = self.frames.recv() => self.publish(frame),
                Some(camera) = self.keyframes.recv() => {
                    if let Some(shooting) = self.shooting.get(&camera) {
                        shooting.request_key();
                    }
                }
                changed = self.demand.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.follow_demand();
                }
                changed = self.outlets.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    // Whoever watches through a new connection can only start with a key frame.
                    self.outlets.borrow_and_update();
                    self.shooting.values().for_each(Shooting::request_key);
                }
                Some(still) = self.stills.recv() => self.hand_on(&still),
                _ = still_beat.tick() => self.ask_for_still(),
            }
        }
    }

    fn follow_demand(&mut self) {
        let demand = self.demand.borrow_and_update();
        let wanted: BTreeSet<&str> = demand.cameras.iter().map(String::as_str).collect();
        for (name, shooting) in &self.shooting {
            shooting.set_wanted(wanted.contains(name.as_str()));
        }
    }

    fn publish(&self, frame: EncodedFrame) {
        let outlets = self.outlets.borrow();
        let sender = self
            .names
            .get(usize::from(frame.camera))
            .and_then(|name| outlets.as_ref()?.get(name));
        let Some(sender) = sender else {
            return;
        };
        let taken = sender.send_access_unit(AccessUnit {
            bytes: frame.bytes,
            is_keyframe: frame.is_key,
            rtp_time: frame.rtp_time,
            capture_unix_us: u64::try_from(frame.captured_at.0).unwrap_or_default(),
        });
        match taken {
            Taken::Queued => {}
            Taken::Dropped => tracing::trace!("the connection took no frame"),
        }
    }

    /// The main camera's still, once a second, only while somebody has it on screen.
    fn ask_for_still(&self) {
        if self.demand.borrow().thumbnails
            && let Some(shooting) = self.names.first().and_then(|name| self.shooting.get(name))
        {
            shooting.request_still();
        }
    }

    fn hand_on(&self, still: &Still) {
        let still = link::Still {
            camera: still.camera,
            captured_at: still.captured_at,
            jpeg: still.jpeg.to_vec(),
        };
        // A still that finds the queue full is one of many; the next comes in a second.
        let _queued = self.to_link.try_send(still);
    }
}
