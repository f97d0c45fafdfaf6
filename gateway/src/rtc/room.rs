//! Who publishes and who watches which camera of which robot. Packets pass from one publisher to many queues here.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use protocol::RobotId;
use tokio::sync::{Notify, mpsc, oneshot};

use super::{codec::Codec, counters::Counting, refusal::RtcRefusal};

/// One video packet of a publisher, shared by all queues it is in.
#[derive(Debug)]
pub(super) struct MediaPacket {
    /// Which stream of which publisher: never the same for two publishers.
    pub(super) source: u64,
    pub(super) sequence: u16,
    pub(super) timestamp: u32,
    pub(super) marker: bool,
    pub(super) codec: Codec,
    /// The value of the capture time extension, when the packet has one.
    pub(super) capture_time: Option<Bytes>,
    pub(super) payload: Bytes,
}

/// A packet on its way to one viewer.
#[derive(Debug)]
pub(super) struct Forwarded {
    /// Which of the viewer's cameras.
    pub(super) slot: usize,
    /// The first packet after packets were left out.
    pub(super) opens: bool,
    pub(super) packet: Arc<MediaPacket>,
}

/// All rooms. A room exists while somebody is in it.
#[derive(Default)]
pub(super) struct Rooms {
    rooms: Mutex<HashMap<RobotId, Occupied>>,
    next_generation: AtomicU64,
}

struct Occupied {
    room: Arc<Room>,
    occupants: usize,
}

/// One robot: its cameras, its publisher, its viewers.
#[derive(Default)]
pub(super) struct Room {
    cameras: Mutex<HashMap<String, Arc<Camera>>>,
    publisher: Mutex<Option<Seated>>,
    viewers: AtomicUsize,
    /// Rung when the publisher should look at its cameras' wishes.
    pub(super) bell: Notify,
}

struct Seated {
    generation: u64,
    cameras: Vec<(String, Codec)>,
    evict: oneshot::Sender<()>,
}

/// One camera's wishes and queues. Its name outlives its publisher.
#[derive(Default)]
pub(super) struct Camera {
    watchers: AtomicUsize,
    keyframe_wanted: AtomicBool,
    subscriptions: ArcSwap<Vec<Arc<Subscription>>>,
}

/// One viewer's interest in one camera.
pub(super) struct Subscription {
    slot: usize,
    queue: mpsc::Sender<Forwarded>,
    /// Written by the one publisher only.
    open: AtomicBool,
}

/// What became of a packet that was offered to everybody.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spread {
    pub(super) forwarded: u64,
    pub(super) dropped: u64,
    /// Somebody fell behind just now and needs a key frame to go on.
    pub(super) fell_behind: bool,
}

impl Rooms {
    fn enter(&self, robot: RobotId) -> Arc<Room> {
        let mut rooms = lock(&self.rooms);
        let occupied = rooms.entry(robot).or_insert_with(|| Occupied {
            room: Arc::default(),
            occupants: 0,
        });
        occupied.occupants += 1;
        Arc::clone(&occupied.room)
    }

    fn leave(&self, robot: RobotId) {
        let mut rooms = lock(&self.rooms);
        if let Some(occupied) = rooms.get_mut(&robot) {
            occupied.occupants -= 1;
            if occupied.occupants == 0 {
                rooms.remove(&robot);
            }
        }
    }

    /// Takes the publisher's seat; whoever held it is told to go.
    pub(super) fn seat_publisher(
        self: &Arc<Self>,
        robot: RobotId,
        cameras: Vec<(String, Codec)>,
        counting: &Arc<Counting>,
    ) -> (PublisherSeat, oneshot::Receiver<()>) {
        let room = self.enter(robot);
        let generation = self.next_generation.fetch_add(1, Ordering::Relaxed);
        let (evict, evicted) = oneshot::channel();
        let before = lock(&room.publisher).replace(Seated {
            generation,
            cameras,
            evict,
        });
        if let Some(before) = before {
            // It may have gone by itself in this moment.
            before.evict.send(()).ok();
        }
        counting.publishers.add(1);
        let seat = PublisherSeat {
            rooms: Arc::clone(self),
            robot,
            room,
            generation,
            counting: Arc::clone(counting),
        };
        (seat, evicted)
    }

    /// Takes a viewer's seat in front of some cameras.
    pub(super) fn seat_viewer(
        self: &Arc<Self>,
        robot: RobotId,
        cameras: &[String],
        limit: usize,
        counting: &Arc<Counting>,
    ) -> Result<ViewerSeat, RtcRefusal> {
        let room = self.enter(robot);
        if room.viewers.fetch_add(1, Ordering::Relaxed) >= limit {
            room.viewers.fetch_sub(1, Ordering::Relaxed);
            self.leave(robot);
            return Err(RtcRefusal::TooManyViewers);
        }
        counting.viewers.add(1);
        let seat = ViewerSeat {
            rooms: Arc::clone(self),
            robot,
            cameras: cameras.iter().map(|name| room.camera(name)).collect(),
            room,
            counting: Arc::clone(counting),
        };
        for camera in &seat.cameras {
            camera.watchers.fetch_add(1, Ordering::Relaxed);
        }
        seat.room.bell.notify_one();
        Ok(seat)
    }
}

impl Room {
    pub(super) fn camera(&self, name: &str) -> Arc<Camera> {
        let mut cameras = lock(&self.cameras);
        if let Some(camera) = cameras.get(name) {
            return Arc::clone(camera);
        }
        let camera = Arc::<Camera>::default();
        cameras.insert(name.to_owned(), Arc::clone(&camera));
        camera
    }

    /// Names that nobody publishes or watches any more would pile up in a room that never empties.
    fn forget_unused_cameras(&self) {
        lock(&self.cameras).retain(|_, camera| Arc::strong_count(camera) > 1);
    }

    /// The codec that a camera sends, as a live publisher has said. `None` when nobody publishes.
    pub(super) fn published_codec(&self, camera: &str) -> Option<Result<Codec, RtcRefusal>> {
        let publisher = lock(&self.publisher);
        let cameras = &publisher.as_ref()?.cameras;
        let found = cameras.iter().find(|(name, _)| name == camera);
        Some(
            found
                .map(|(_, codec)| *codec)
                .ok_or(RtcRefusal::UnknownCamera),
        )
    }
}

impl Camera {
    pub(super) fn is_watched(&self) -> bool {
        self.watchers.load(Ordering::Relaxed) > 0
    }

    pub(super) fn want_keyframe(&self) {
        self.keyframe_wanted.store(true, Ordering::Release);
    }

    pub(super) fn take_keyframe_wish(&self) -> bool {
        self.keyframe_wanted.swap(false, Ordering::AcqRel)
    }

    /// Offers a packet to every queue. Never waits: a full queue loses packets until the next key frame.
    pub(super) fn spread(&self, packet: &Arc<MediaPacket>, starts_keyframe: bool) -> Spread {
        let mut spread = Spread::default();
        for subscription in self.subscriptions.load().iter() {
            let open = subscription.open.load(Ordering::Relaxed);
            if !open && !starts_keyframe {
                spread.dropped += 1;
                continue;
            }
            let forwarded = Forwarded {
                slot: subscription.slot,
                opens: !open,
                packet: Arc::clone(packet),
            };
            let queued = subscription.queue.try_send(forwarded).is_ok();
            subscription.open.store(queued, Ordering::Relaxed);
            if queued {
                spread.forwarded += 1;
            } else {
                spread.dropped += 1;
                spread.fell_behind = true;
            }
        }
        spread
    }

    /// A new publisher's packets only make sense from its first key frame on.
    pub(super) fn close_gates(&self) {
        for subscription in self.subscriptions.load().iter() {
            subscription.open.store(false, Ordering::Relaxed);
        }
    }
}

/// The right to publish for one robot; dropping it leaves the room.
pub(super) struct PublisherSeat {
    rooms: Arc<Rooms>,
    robot: RobotId,
    pub(super) room: Arc<Room>,
    pub(super) generation: u64,
    counting: Arc<Counting>,
}

impl Drop for PublisherSeat {
    fn drop(&mut self) {
        lock(&self.room.publisher).take_if(|seated| seated.generation == self.generation);
        self.counting.publishers.subtract(1);
        self.rooms.leave(self.robot);
    }
}

/// The right to watch some cameras of one robot; dropping it leaves the room.
pub(super) struct ViewerSeat {
    rooms: Arc<Rooms>,
    robot: RobotId,
    pub(super) room: Arc<Room>,
    pub(super) cameras: Vec<Arc<Camera>>,
    counting: Arc<Counting>,
}

impl ViewerSeat {
    /// Lets packets flow, each camera from its next key frame on.
    pub(super) fn subscribe(&self, queue: &mpsc::Sender<Forwarded>) {
        for (slot, camera) in self.cameras.iter().enumerate() {
            let subscription = Arc::new(Subscription {
                slot,
                queue: queue.clone(),
                open: AtomicBool::new(false),
            });
            camera.subscriptions.rcu(|before| {
                let mut after = Vec::clone(before);
                after.push(Arc::clone(&subscription));
                after
            });
            camera.want_keyframe();
        }
        self.room.bell.notify_one();
    }

    /// Stops the flow towards one queue.
    pub(super) fn unsubscribe(&self, queue: &mpsc::Sender<Forwarded>) {
        for camera in &self.cameras {
            camera.subscriptions.rcu(|before| {
                let mut after = Vec::clone(before);
                after.retain(|subscription| !subscription.queue.same_channel(queue));
                after
            });
        }
    }
}

impl Drop for ViewerSeat {
    fn drop(&mut self) {
        for camera in self.cameras.drain(..) {
            camera.watchers.fetch_sub(1, Ordering::Relaxed);
        }
        self.room.forget_unused_cameras();
        self.room.viewers.fetch_sub(1, Ordering::Relaxed);
        self.room.bell.notify_one();
        self.counting.viewers.subtract(1);
        self.rooms.leave(self.robot);
    }
}

/// The maps stay whole when a holder panics: every change is one call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet() -> Arc<MediaPacket> {
        Arc::new(MediaPacket {
            source: 1,
            sequence: 1,
            timestamp: 1,
            marker: false,
            codec: Codec::H264,
            capture_time: None,
            payload: Bytes::from_static(&[0x41, 0]),
        })
    }

    #[test]
    fn a_full_queue_loses_packets_until_the_next_key_frame_and_no_other_queue_notices() {
        let rooms = Arc::new(Rooms::default());
        let counting = Arc::new(Counting::default());
        let robot = RobotId(uuid::Uuid::from_u128(7));
        let cameras = ["front".to_owned()];
        let seat = |limit| {
            rooms
                .seat_viewer(robot, &cameras, limit, &counting)
                .unwrap()
        };
        let (slow_seat, quick_seat) = (seat(9), seat(9));
        let (slow, mut slow_packets) = mpsc::channel(2);
        let (quick, mut quick_packets) = mpsc::channel(99);
        slow_seat.subscribe(&slow);
        quick_seat.subscribe(&quick);
        let camera = slow_seat.room.camera("front");

        assert_eq!(camera.spread(&packet(), false).dropped, 2);
        assert_eq!(camera.spread(&packet(), true).forwarded, 2);
        assert_eq!(camera.spread(&packet(), false).forwarded, 2);
        assert!(camera.spread(&packet(), false).fell_behind);
        while slow_packets.try_recv().is_ok() {}
        assert_eq!(camera.spread(&packet(), false).dropped, 1);
        assert_eq!(camera.spread(&packet(), true).forwarded, 2);

        assert!(slow_packets.try_recv().unwrap().opens);
        let quick_count = std::iter::from_fn(|| quick_packets.try_recv().ok()).count();
        assert_eq!(quick_count, 5);
    }

    #[test]
    fn an_empty_room_is_forgotten() {
        let rooms = Arc::new(Rooms::default());
        let counting = Arc::new(Counting::default());
        let robot = RobotId(uuid::Uuid::from_u128(7));

        let seat = rooms.seat_viewer(robot, &["front".to_owned()], 1, &counting);
        assert_eq!(lock(&rooms.rooms).len(), 1);
        drop(seat);

        assert_eq!(lock(&rooms.rooms).len(), 0);
        assert_eq!(counting.viewers.value(), 0);
    }
}
