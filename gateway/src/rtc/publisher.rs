//! One robot's connection: its video goes to the room, its messages to the owner of the handle.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use rtc::{rtp, rtp_transceiver::RTCRtpReceiverId};
use tokio::sync::{mpsc, oneshot};

use super::{
    codec::{Codec, KeyframeSeeker},
    connection::{Connection, Happening, INBOX_BATCH, Lane, check_size},
    counters::Counting,
    engine::CAPTURE_TIME_URI,
    outbox::Outbox,
    refusal::{ClosedReason, SendRefusal},
    room::{Camera, MediaPacket, PublisherSeat},
    wishes::{Demand, Throttle},
};

/// What a robot's connection tells its owner. The channel ends after `Closed`; an end without it means the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublisherEvent {
    /// Media and messages can flow.
    Connected,
    /// A message on the reliable channel.
    Reliable(Bytes),
    /// A message on the fast channel.
    Fast(Bytes),
    /// Whether anybody watches this camera; its video should leave the robot only then.
    Demand {
        /// The camera's name.
        camera: String,
        /// Whether its video is wanted.
        wanted: bool,
    },
    /// The connection is over. Nothing follows.
    Closed {
        /// Why.
        reason: ClosedReason,
    },
}

/// Wishes of the owner waiting for the connection.
pub(super) const COMMANDS: usize = 256;

#[derive(Debug)]
pub(super) enum Command {
    Keyframe(String),
    Message(Lane, Bytes),
}

/// The handle of a robot's connection. Dropping it closes the connection at once.
#[derive(Debug)]
pub struct Publisher {
    commands: mpsc::Sender<Command>,
}

impl Publisher {
    pub(super) fn new() -> (Self, mpsc::Receiver<Command>) {
        let (commands, wishes) = mpsc::channel(COMMANDS);
        (Self { commands }, wishes)
    }

    /// Asks a camera for a key frame. Throttled together with the viewers' requests.
    pub fn request_keyframe(&self, camera: &str) -> Result<(), SendRefusal> {
        submit(&self.commands, Command::Keyframe(camera.to_owned()))
    }

    /// Sends a message that must arrive, in order.
    pub fn send_reliable(&self, message: Bytes) -> Result<(), SendRefusal> {
        check_size(&message)?;
        submit(&self.commands, Command::Message(Lane::Reliable, message))
    }

    /// Sends a message that is worthless when late.
    pub fn send_fast(&self, message: Bytes) -> Result<(), SendRefusal> {
        check_size(&message)?;
        submit(&self.commands, Command::Message(Lane::Fast, message))
    }

    /// A way to say what is worthless when late, for others than the owner. It does not keep the connection.
    pub fn fast_lane(&self) -> FastLane {
        FastLane(self.commands.downgrade())
    }

    /// Closes the connection; the peer is told.
    pub fn close(self) {
        drop(self);
    }
}

/// A robot's fast channel, for as long as its connection lasts.
#[derive(Debug, Clone)]
pub struct FastLane(mpsc::WeakSender<Command>);

impl FastLane {
    /// Whether the connection is still there.
    pub fn is_there(&self) -> bool {
        self.0.strong_count() > 0
    }

    /// Says whether it was taken; that it arrives is not certain.
    pub fn send(&self, message: Bytes) -> bool {
        (self.0.upgrade()).is_some_and(|commands| {
            submit(&commands, Command::Message(Lane::Fast, message)).is_ok()
        })
    }
}

pub(super) fn submit<C>(commands: &mpsc::Sender<C>, command: C) -> Result<(), SendRefusal> {
    commands.try_send(command).map_err(|error| match error {
        mpsc::error::TrySendError::Full(_) => SendRefusal::Congested,
        mpsc::error::TrySendError::Closed(_) => SendRefusal::Closed,
    })
}

/// The task behind a [`Publisher`].
pub(super) struct Publishing {
    pub(super) connection: Connection,
    pub(super) seat: PublisherSeat,
    pub(super) evicted: oneshot::Receiver<()>,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) outbox: Outbox<PublisherEvent>,
    pub(super) cameras: Vec<PublishedCamera>,
    /// Whether the robot can hear requests: its side of the handshake ends after ours, and what comes before is lost.
    pub(super) peer_listens: bool,
    pub(super) counting: Arc<Counting>,
}

/// One camera of the connected robot.
pub(super) struct PublishedCamera {
    name: String,
    camera: Arc<Camera>,
    stream: Option<Stream>,
    demand: Demand,
    throttle: Throttle,
    seeker: KeyframeSeeker,
}

struct Stream {
    ssrc: u32,
    receiver: RTCRtpReceiverId,
    codecs: Vec<(u8, Codec)>,
    capture_time: Option<u8>,
}

impl PublishedCamera {
    pub(super) fn new(camera: Arc<Camera>, name: String) -> Self {
        camera.close_gates();
        if camera.is_watched() {
            camera.want_keyframe();
        }
        Self {
            name,
            camera,
            stream: None,
            demand: Demand::default(),
            throttle: Throttle::default(),
            seeker: KeyframeSeeker::default(),
        }
    }

    /// Learns which stream is this camera's: from the offer, or from its first packet when the offer does not say.
    pub(super) fn recognise(
        &mut self,
        ssrc: u32,
        receiver: RTCRtpReceiverId,
        connection: &mut Connection,
    ) {
        let known = self
            .stream
            .as_ref()
            .is_some_and(|stream| stream.ssrc == ssrc);
        if known {
            return;
        }
        let Some(mut negotiated) = connection.engine.rtp_receiver(receiver) else {
            return;
        };
        let parameters = &negotiated.get_parameters().rtp_parameters;
        let codecs = parameters
            .codecs
            .iter()
            .filter_map(|codec| {
                let known = Codec::from_mime(&codec.rtp_codec.mime_type)?;
                Some((codec.payload_type, known))
            })
            .collect();
        let capture_time = parameters
            .header_extensions
            .iter()
            .find(|extension| extension.uri == CAPTURE_TIME_URI)
            .and_then(|extension| u8::try_from(extension.id).ok());
        self.seeker.reset();
        self.stream = Some(Stream {
            ssrc,
            receiver,
            codecs,
            capture_time,
        });
    }
}

impl Publishing {
    /// Runs the connection to its end and tells the owner.
    pub(super) async fn run(mut self) {
        let reason = self.serve().await;
        self.connection.close();
        let Self {
            connection,
            seat,
            outbox,
            ..
        } = self;
        drop((connection, seat));
        outbox.finish(PublisherEvent::Closed { reason }).await;
    }

    async fn serve(&mut self) -> ClosedReason {
        let mut batch = Vec::with_capacity(INBOX_BATCH);
        loop {
            let now = Instant::now();
            while let Some(happening) = self.connection.next(now) {
                if let Some(reason) = self.take(happening) {
                    return reason;
                }
            }
            if !self.look_at_cameras(now) {
                return ClosedReason::OwnerTooSlow;
            }
            self.connection.flush();

            let deadline = self.deadline(now);
            tokio::select! {
                () = self.connection.receive(&mut batch) => {
                    self.connection.take(&mut batch, Instant::now());
                }
                command = self.commands.recv() => match command {
                    Some(command) => self.obey(command),
                    None => return ClosedReason::ByOwner,
                },
                () = self.seat.room.bell.notified() => {}
                _ = &mut self.evicted => return ClosedReason::Replaced,
                () = self.outbox.drain() => {}
                () = tokio::time::sleep_until(deadline.into()) => {}
            }
            let now = Instant::now();
            if now >= deadline {
                self.connection.tick(now);
            }
        }
    }

    fn deadline(&mut self, now: Instant) -> Instant {
        let cameras = self.cameras.iter();
        cameras
            .flat_map(|camera| [camera.demand.deadline(), camera.throttle.deadline()])
            .flatten()
            .fold(self.connection.deadline(now), Instant::min)
    }

    fn take(&mut self, happening: Happening) -> Option<ClosedReason> {
        let arrived = match happening {
            Happening::MediaReady | Happening::KeyframeWanted(_) => true,
            Happening::DataReady => {
                self.peer_listens = true;
                self.outbox.post(PublisherEvent::Connected)
            }
            Happening::Stream {
                ssrc,
                track,
                receiver,
            } => {
                self.recognise(ssrc, &track, receiver);
                true
            }
            Happening::Video(packet) => {
                self.peer_listens = true;
                self.forward(packet);
                true
            }
            Happening::Message(Lane::Reliable, message) => {
                self.outbox.post(PublisherEvent::Reliable(message))
            }
            Happening::Message(Lane::Fast, message) => {
                if !self.outbox.post_if_room(PublisherEvent::Fast(message)) {
                    self.counting.fast_dropped.add(1);
                }
                true
            }
            Happening::Over(reason) => return Some(reason),
        };
        (!arrived).then_some(ClosedReason::OwnerTooSlow)
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Keyframe(name) => {
                if let Some(camera) = self.cameras.iter_mut().find(|camera| camera.name == name) {
                    camera.throttle.want();
                }
            }
            Command::Message(lane, message) => {
                if !self.connection.send(lane, message, Instant::now()) {
                    self.counting.dropped(lane).add(1);
                }
            }
        }
    }

    /// Tells the owner whose video is wanted, and asks for the key frames that are due.
    fn look_at_cameras(&mut self, now: Instant) -> bool {
        for camera in &mut self.cameras {
            let watched = camera.camera.is_watched();
            if let Some(wanted) = camera.demand.observe(watched, now) {
                let told = self.outbox.post(PublisherEvent::Demand {
                    camera: camera.name.clone(),
                    wanted,
                });
                if !told {
                    return false;
                }
            }
            if camera.camera.take_keyframe_wish() {
                camera.throttle.want();
            }
            if !watched {
                camera.throttle.satisfied();
            }
            if let Some(stream) = &camera.stream
                && self.peer_listens
                && camera.throttle.due(now)
            {
                self.connection
                    .request_keyframe(stream.receiver, stream.ssrc, now);
                self.counting.keyframe_requests.add(1);
            }
        }
        true
    }

    fn recognise(&mut self, ssrc: u32, track: &str, receiver: RTCRtpReceiverId) {
        let camera = self.cameras.iter_mut().find(|camera| camera.name == track);
        if let Some(camera) = camera {
            camera.recognise(ssrc, receiver, &mut self.connection);
        }
    }

    fn forward(&mut self, packet: rtp::Packet) {
        self.counting.packets_in.add(1);
        self.counting
            .bytes_in
            .add(u64::try_from(packet.payload.len()).unwrap_or_default());
        let header = packet.header;
        let found = self.cameras.iter_mut().find_map(|camera| {
            let stream = camera.stream.as_ref()?;
            let (_, codec) = stream
                .codecs
                .iter()
                .find(|(payload_type, _)| *payload_type == header.payload_type)
                .filter(|_| stream.ssrc == header.ssrc)?;
            Some((*codec, stream.capture_time, camera))
        });
        let Some((codec, capture_time, camera)) = found else {
            self.counting.packets_malformed.add(1);
            return;
        };
        let starts_keyframe = camera
            .seeker
            .starts(codec, header.timestamp, &packet.payload);
        if starts_keyframe {
            camera.throttle.satisfied();
        }
        let capture_time = capture_time.and_then(|id| {
            let extensions = &header.extensions;
            let found = extensions.iter().find(|extension| extension.id == id);
            found.map(|extension| extension.payload.clone())
        });
        let spread = camera.camera.spread(
            &Arc::new(MediaPacket {
                source: (self.seat.generation << 32) | u64::from(header.ssrc),
                sequence: header.sequence_number,
                timestamp: header.timestamp,
                marker: header.marker,
                codec,
                capture_time,
                payload: packet.payload,
            }),
            starts_keyframe,
        );
        self.counting.packets_dropped.add(spread.dropped);
        if spread.fell_behind {
            camera.throttle.want();
        }
    }
}
