//! One viewer's connection: the room's video goes out, its messages to the owner of the handle.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use bytes::Bytes;
use rtc::{
    rtp::{self, header::Header},
    rtp_transceiver::RTCRtpSenderId,
};
use tokio::sync::mpsc;

use super::{
    codec::Codec,
    connection::{Connection, Happening, INBOX_BATCH, Lane, check_size},
    counters::Counting,
    engine::CAPTURE_TIME_URI,
    outbox::Outbox,
    publisher::{COMMANDS, submit},
    refusal::{ClosedReason, SendRefusal},
    rewrite::{Incoming, Rewriter},
    room::{Forwarded, ViewerSeat},
};

/// Packets waiting for one viewer: half a second of two 4 Mbit/s cameras. More would be a late picture.
pub(super) const QUEUE_PACKETS: usize = 512;

/// Packets numbered and encrypted before they are sent together.
const SEND_BATCH: usize = 64;

/// What a viewer's connection tells its owner. The channel ends after `Closed`; an end without it means the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewerEvent {
    /// Media and messages can flow.
    Connected,
    /// A message on the reliable channel.
    Reliable(Bytes),
    /// A message on the fast channel.
    Fast(Bytes),
    /// The connection is over. Nothing follows.
    Closed {
        /// Why.
        reason: ClosedReason,
    },
}

/// What one viewer was sent so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ViewerStats {
    /// Video packets sent.
    pub packets: u64,
    /// Video bytes (RTP payload) sent.
    pub bytes: u64,
    /// Key frames the viewer asked for.
    pub keyframe_requests: u64,
}

#[derive(Debug, Default)]
pub(super) struct Sent {
    packets: AtomicU64,
    bytes: AtomicU64,
    keyframe_requests: AtomicU64,
}

/// The handle of a viewer's connection. Dropping it closes the connection at once.
#[derive(Debug)]
pub struct Viewer {
    commands: mpsc::Sender<(Lane, Bytes)>,
    sent: Arc<Sent>,
}

impl Viewer {
    pub(super) fn new() -> (Self, mpsc::Receiver<(Lane, Bytes)>, Arc<Sent>) {
        let (commands, wishes) = mpsc::channel(COMMANDS);
        let sent = Arc::<Sent>::default();
        let viewer = Self {
            commands,
            sent: Arc::clone(&sent),
        };
        (viewer, wishes, sent)
    }

    /// Sends a message that must arrive, in order.
    pub fn send_reliable(&self, message: Bytes) -> Result<(), SendRefusal> {
        check_size(&message)?;
        submit(&self.commands, (Lane::Reliable, message))
    }

    /// Sends a message that is worthless when late.
    pub fn send_fast(&self, message: Bytes) -> Result<(), SendRefusal> {
        check_size(&message)?;
        submit(&self.commands, (Lane::Fast, message))
    }

    /// What was sent so far.
    pub fn stats(&self) -> ViewerStats {
        ViewerStats {
            packets: self.sent.packets.load(Ordering::Relaxed),
            bytes: self.sent.bytes.load(Ordering::Relaxed),
            keyframe_requests: self.sent.keyframe_requests.load(Ordering::Relaxed),
        }
    }

    /// Closes the connection; the peer is told.
    pub fn close(self) {
        drop(self);
    }
}

/// The task behind a [`Viewer`].
pub(super) struct Viewing {
    pub(super) connection: Connection,
    pub(super) seat: ViewerSeat,
    pub(super) commands: mpsc::Receiver<(Lane, Bytes)>,
    pub(super) queue: (mpsc::Sender<Forwarded>, mpsc::Receiver<Forwarded>),
    pub(super) outbox: Outbox<ViewerEvent>,
    pub(super) slots: Vec<Slot>,
    pub(super) sent: Arc<Sent>,
    pub(super) counting: Arc<Counting>,
}

/// One of the viewer's cameras, on its own outgoing stream.
pub(super) struct Slot {
    ssrc: u32,
    sender: RTCRtpSenderId,
    payload_types: Vec<(Codec, u8)>,
    capture_time: Option<u8>,
    rewriter: Rewriter,
}

/// The one-byte form of header extensions, which every peer understands, has ids up to this one.
const EXTENSION_ID_LIMIT: u8 = 14;

impl Slot {
    /// Reads what was negotiated for a sender.
    pub(super) fn new(connection: &mut Connection, sender: RTCRtpSenderId, ssrc: u32) -> Self {
        let mut payload_types = Vec::new();
        let mut capture_time = None;
        if let Some(mut negotiated) = connection.engine.rtp_sender(sender) {
            let parameters = &negotiated.get_parameters().rtp_parameters;
            for codec in &parameters.codecs {
                if let Some(known) = Codec::from_mime(&codec.rtp_codec.mime_type)
                    && !payload_types.iter().any(|(listed, _)| *listed == known)
                {
                    payload_types.push((known, codec.payload_type));
                }
            }
            capture_time = parameters
                .header_extensions
                .iter()
                .find(|extension| extension.uri == CAPTURE_TIME_URI)
                .and_then(|extension| u8::try_from(extension.id).ok())
                .filter(|id| (1..=EXTENSION_ID_LIMIT).contains(id));
        }
        Self {
            ssrc,
            sender,
            payload_types,
            capture_time,
            rewriter: Rewriter::default(),
        }
    }

    /// The packet as this viewer gets it: the payload untouched, the header its own.
    fn readdress(&mut self, forwarded: &Forwarded, now: Instant) -> Option<rtp::Packet> {
        let packet = &forwarded.packet;
        let (_, payload_type) = self
            .payload_types
            .iter()
            .find(|(codec, _)| *codec == packet.codec)?;
        let numbers = self.rewriter.rewrite(
            Incoming {
                source: packet.source,
                sequence: packet.sequence,
                timestamp: packet.timestamp,
            },
            forwarded.opens,
            now,
        )?;
        let mut header = Header {
            version: 2,
            marker: packet.marker,
            payload_type: *payload_type,
            sequence_number: numbers.sequence,
            timestamp: numbers.timestamp,
            ssrc: self.ssrc,
            ..Header::default()
        };
        if let (Some(id), Some(value)) = (self.capture_time, &packet.capture_time) {
            header.set_extension(id, value.clone()).ok()?;
        }
        Some(rtp::Packet {
            header,
            payload: packet.payload.clone(),
        })
    }
}

impl Viewing {
    /// Runs the connection to its end and tells the owner.
    pub(super) async fn run(mut self) {
        let reason = self.serve().await;
        self.seat.unsubscribe(&self.queue.0);
        self.connection.close();
        let Self {
            connection,
            seat,
            queue,
            outbox,
            ..
        } = self;
        drop((connection, seat, queue));
        outbox.finish(ViewerEvent::Closed { reason }).await;
    }

    async fn serve(&mut self) -> ClosedReason {
        let mut datagrams = Vec::with_capacity(INBOX_BATCH);
        let mut packets = Vec::with_capacity(SEND_BATCH);
        loop {
            let now = Instant::now();
            while let Some(happening) = self.connection.next(now) {
                if let Some(reason) = self.take(happening) {
                    return reason;
                }
            }
            self.connection.flush();

            let deadline = self.connection.deadline(now);
            tokio::select! {
                _ = self.queue.1.recv_many(&mut packets, SEND_BATCH) => {
                    self.send(&mut packets, Instant::now());
                }
                () = self.connection.receive(&mut datagrams) => {
                    self.connection.take(&mut datagrams, Instant::now());
                }
                command = self.commands.recv() => match command {
                    Some((lane, message)) => self.message(lane, message),
                    None => return ClosedReason::ByOwner,
                },
                () = self.outbox.drain() => {}
                () = tokio::time::sleep_until(deadline.into()) => {}
            }
            let now = Instant::now();
            if now >= deadline {
                self.connection.tick(now);
            }
        }
    }

    fn send(&mut self, packets: &mut Vec<Forwarded>, now: Instant) {
        let (mut count, mut bytes) = (0, 0);
        for forwarded in packets.drain(..) {
            let Some(slot) = self.slots.get_mut(forwarded.slot) else {
                continue;
            };
            let Some(packet) = slot.readdress(&forwarded, now) else {
                self.counting.packets_dropped.add(1);
                continue;
            };
            if self.connection.send_video(slot.sender, packet, now) {
                count += 1;
                bytes += u64::try_from(forwarded.packet.payload.len()).unwrap_or_default();
            } else {
                self.counting.packets_dropped.add(1);
            }
        }
        self.counting.packets_forwarded.add(count);
        self.counting.bytes_forwarded.add(bytes);
        self.sent.packets.fetch_add(count, Ordering::Relaxed);
        self.sent.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn take(&mut self, happening: Happening) -> Option<ClosedReason> {
        let arrived = match happening {
            Happening::MediaReady => {
                self.seat.subscribe(&self.queue.0);
                true
            }
            Happening::DataReady => self.outbox.post(ViewerEvent::Connected),
            Happening::KeyframeWanted(ssrc) => {
                self.want_keyframe(ssrc);
                true
            }
            Happening::Message(Lane::Reliable, message) => {
                self.outbox.post(ViewerEvent::Reliable(message))
            }
            Happening::Message(Lane::Fast, message) => {
                if !self.outbox.post_if_room(ViewerEvent::Fast(message)) {
                    self.counting.fast_dropped.add(1);
                }
                true
            }
            Happening::Stream { .. } | Happening::Video(_) => true,
            Happening::Over(reason) => return Some(reason),
        };
        (!arrived).then_some(ClosedReason::OwnerTooSlow)
    }

    fn message(&mut self, lane: Lane, message: Bytes) {
        if !self.connection.send(lane, message, Instant::now()) {
            self.counting.dropped(lane).add(1);
        }
    }

    fn want_keyframe(&mut self, ssrc: u32) {
        self.sent.keyframe_requests.fetch_add(1, Ordering::Relaxed);
        let slot = self.slots.iter().position(|slot| slot.ssrc == ssrc);
        if let Some(camera) = slot.and_then(|slot| self.seat.cameras.get(slot)) {
            camera.want_keyframe();
            self.seat.room.bell.notify_one();
        }
    }
}
