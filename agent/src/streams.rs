//! Joins the cameras to the link: who is wanted runs, pictures go to the peer connection, stills to the socket.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use protocol::robot_socket::Demand;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::MissedTickBehavior,
};

use crate::{
    cameras::{
        rtp::RtpPacket,
        shoot::{EncodedFrame, Still},
        source::Source,
    },
    evidence::StillWanted,
    gallery::{Easel, Gallery},
    link::{self, Outlets},
    publish::{AccessUnit, CameraSender, ForeignPacket, Taken},
};

/// Frames of one camera that wait for the peer connection. At 30 fps the second is a fifteenth of a second old; then the
/// camera had better not take the next one.
pub const FRAME_QUEUE: usize = 2;

/// One still a second is what the fleet page gets.
const STILL_EVERY: Duration = Duration::from_secs(1);

/// Requests for a still that may wait for it. A robot has one; more are a fault of ours.
const MOST_WAITING: usize = 4;

/// What comes out of one camera. Each has a queue of its own, so that none waits for another.
#[derive(Debug)]
pub enum Pictures {
    /// Frames that we encoded.
    Frames(mpsc::Receiver<EncodedFrame>),
    /// Packets that somebody else made.
    Packets(mpsc::Receiver<RtpPacket>),
}

/// The cameras and what they are joined to.
pub struct Streams {
    /// The cameras in the order of the advert, the main one first.
    pub cameras: Arc<[Source]>,
    /// What comes out of them, in the same order.
    pub pictures: Vec<Pictures>,
    /// What the robot remembers of them.
    pub gallery: Gallery,
    /// What the gateway wants.
    pub demand: watch::Receiver<Demand>,
    /// Where pictures go while a peer connection stands.
    pub outlets: watch::Receiver<Option<Outlets>>,
    /// Stills, from the cameras.
    pub stills: mpsc::Receiver<Still>,
    /// Stills, to the link.
    pub to_link: mpsc::Sender<link::Still>,
    /// Asks for a still of the main camera that stays on the robot.
    pub own_stills: mpsc::Receiver<StillWanted>,
    /// Cameras for which somebody needs a key frame.
    pub keyframes: mpsc::Receiver<String>,
}

impl Streams {
    /// Runs until the link is gone.
    pub async fn run(mut self) {
        let mut still_beat = tokio::time::interval(STILL_EVERY);
        still_beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let _lanes = self.open_lanes();
        let mut waiting = Vec::new();
        loop {
            tokio::select! {
                biased;
                Some(camera) = self.keyframes.recv() => {
                    if let Some(source) = self.camera(&camera) {
                        source.request_key();
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
                    // Whoever watches through a new connection has seen nothing of what went before.
                    if self.outlets.borrow_and_update().is_some() {
                        self.cameras.iter().for_each(Source::restart);
                    }
                }
                Some(wanted) = self.own_stills.recv() => {
                    waiting.truncate(MOST_WAITING - 1);
                    waiting.push(wanted);
                    if let Some(main) = self.cameras.first() {
                        main.request_still();
                    }
                }
                Some(still) = self.stills.recv() => {
                    for wanted in waiting.drain(..).filter(|_| still.camera == 0) {
                        // Whoever gave up waiting has asked again.
                        let _taken = wanted.send(still.jpeg.clone());
                    }
                    self.hand_on(&still);
                }
                _ = still_beat.tick() => self.ask_for_still(),
            }
        }
    }

    /// One task per camera carries its pictures; they end with the set.
    fn open_lanes(&mut self) -> JoinSet<()> {
        let mut lanes = JoinSet::new();
        for (source, pictures) in self.cameras.iter().zip(self.pictures.drain(..)) {
            let camera = source.advert().name;
            let lane = Lane {
                easel: self.gallery.easel(&camera),
                camera,
                outlets: self.outlets.clone(),
            };
            match pictures {
                Pictures::Frames(frames) => {
                    lanes.spawn(lane.carry(frames, Easel::take_frame, send_frame))
                }
                Pictures::Packets(packets) => {
                    lanes.spawn(lane.carry(packets, Easel::take_packet, send_packet))
                }
            };
        }
        lanes
    }

    fn camera(&self, name: &str) -> Option<&Source> {
        self.cameras
            .iter()
            .find(|source| source.advert().name == name)
    }

    fn follow_demand(&mut self) {
        let demand = self.demand.borrow_and_update();
        let wanted: BTreeSet<&str> = demand.cameras.iter().map(String::as_str).collect();
        for source in self.cameras.iter() {
            source.set_wanted(wanted.contains(source.advert().name.as_str()));
        }
    }

    /// The main camera's still, once a second, only while somebody has it on screen.
    fn ask_for_still(&self) {
        if self.demand.borrow().thumbnails
            && let Some(main) = self.cameras.first()
        {
            main.request_still();
        }
    }

    fn hand_on(&self, still: &Still) {
        if !self.demand.borrow().thumbnails {
            return;
        }
        let still = link::Still {
            camera: still.camera,
            captured_at: still.captured_at,
            jpeg: still.jpeg.to_vec(),
        };
        // A still that finds the queue full is one of many; the next comes in a second.
        let _queued = self.to_link.try_send(still);
    }
}

/// The way of one camera's pictures.
struct Lane {
    camera: String,
    easel: Option<Easel>,
    outlets: watch::Receiver<Option<Outlets>>,
}

impl Lane {
    async fn carry<P>(
        mut self,
        mut pictures: mpsc::Receiver<P>,
        take: fn(&mut Easel, &P),
        send: fn(&CameraSender, P) -> Taken,
    ) {
        while let Some(picture) = pictures.recv().await {
            // Before it leaves: whoever sees it may speak of it at once.
            if let Some(easel) = &mut self.easel {
                take(easel, &picture);
            }
            let outlets = self.outlets.borrow();
            let sender = outlets
                .as_ref()
                .and_then(|outlets| outlets.get(&self.camera));
            match sender.map(|sender| send(sender, picture)) {
                Some(Taken::Queued) | None => {}
                Some(Taken::Dropped) => tracing::trace!("the connection took no picture"),
            }
        }
    }
}

fn send_frame(sender: &CameraSender, frame: EncodedFrame) -> Taken {
    sender.send_access_unit(AccessUnit {
        bytes: frame.bytes,
        is_keyframe: frame.is_key,
        rtp_time: frame.rtp_time,
        capture_unix_us: u64::try_from(frame.captured_at.0).unwrap_or_default(),
    })
}

fn send_packet(sender: &CameraSender, packet: RtpPacket) -> Taken {
    sender.send_rtp(ForeignPacket {
        marker: packet.marker,
        sequence: packet.sequence,
        timestamp: packet.timestamp,
        payload: packet.payload,
        capture_unix_us: u64::try_from(packet.received_at.0).unwrap_or_default(),
    })
}
