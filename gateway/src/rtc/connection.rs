//! One peer: feeds its engine, sends what the engine wants sent, and tells what happened in plain words.

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use rtc::{
    data_channel::RTCDataChannelInit,
    peer_connection::{
        RTCPeerConnection,
        event::{RTCDataChannelEvent, RTCPeerConnectionEvent, RTCTrackEvent},
        message::{RTCMessage, TaggedRTCMessage},
        state::{RTCIceConnectionState, RTCPeerConnectionState},
    },
    rtcp::{
        self,
        payload_feedbacks::{
            full_intra_request::FullIntraRequest, picture_loss_indication::PictureLossIndication,
        },
    },
    rtp,
    rtp_transceiver::{RTCRtpReceiverId, RTCRtpSenderId},
    sansio::Protocol as _,
    shared::{TaggedBytesMut, TransportContext, TransportProtocol, error::Error},
};
use tokio::sync::mpsc;

use super::{
    engine::MESSAGE_LIMIT_BYTES,
    offer::Offer,
    refusal::{ClosedReason, RtcRefusal, SendRefusal},
    socket::{Datagram, Registration},
};

/// The stream of the reliable, ordered channel, agreed beforehand on every hop.
pub const RELIABLE_STREAM: u16 = 0;

/// The stream of the fast channel: unordered, never sent twice.
pub const FAST_STREAM: u16 = 1;

/// A peer that has not connected by then is not coming: the browser gives up at about the same time.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Waiting for the peer's acknowledgement; beyond it the link is stalled and the sender should know.
const RELIABLE_LIMIT_BYTES: usize = 1024 * 1024;

/// A fast message that has to wait behind this much is old when it arrives.
const FAST_LIMIT_BYTES: usize = 16 * 1024;

/// Datagrams taken from the inbox before the engine's answers are sent.
pub(super) const INBOX_BATCH: usize = 64;

/// What one batched send may carry: a UDP length field and headers fit in 64 KiB.
const BATCH_LIMIT_BYTES: usize = 60_000;

/// Nothing to do for so long: the engine always has an earlier deadline once it runs.
const IDLE: Duration = Duration::from_secs(1);

/// Which channel a message travels on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Reliable,
    Fast,
}

/// What happened on a connection.
#[derive(Debug)]
pub(super) enum Happening {
    /// Media can flow.
    MediaReady,
    /// Both channels can carry messages.
    DataReady,
    /// A sender's stream was recognised.
    Stream {
        ssrc: u32,
        track: String,
        receiver: RTCRtpReceiverId,
    },
    /// Video came in.
    Video(rtp::Packet),
    /// The peer needs a key frame of the stream with this SSRC.
    KeyframeWanted(u32),
    /// A message came in.
    Message(Lane, Bytes),
    /// The connection is over.
    Over(ClosedReason),
}

/// One peer's engine on the shared port.
pub(super) struct Connection {
    /// Boxed: it is large, and the tasks around it are moved when they start.
    pub(super) engine: Box<RTCPeerConnection>,
    registration: Registration,
    inbox: mpsc::Receiver<Datagram>,
    local: Vec<SocketAddr>,
    reliable: Channel,
    fast: Channel,
    has_data: bool,
    media_ready: bool,
    born: Instant,
    happenings: VecDeque<Happening>,
    batch: Vec<u8>,
}

struct Channel {
    id: usize,
    open: bool,
    early: VecDeque<Bytes>,
}

/// Messages kept while the channel is still opening: signalling of one live page, no more.
const EARLY_MESSAGES: usize = 32;

impl Connection {
    pub(super) fn new(
        mut engine: Box<RTCPeerConnection>,
        registration: Registration,
        inbox: mpsc::Receiver<Datagram>,
        local: Vec<SocketAddr>,
        now: Instant,
    ) -> Result<Self, Error> {
        let reliable = engine
            .create_data_channel(
                "reliable",
                Some(RTCDataChannelInit {
                    negotiated: Some(RELIABLE_STREAM),
                    ..RTCDataChannelInit::default()
                }),
            )?
            .id();
        let fast = engine
            .create_data_channel(
                "fast",
                Some(RTCDataChannelInit {
                    ordered: false,
                    max_retransmits: Some(0),
                    negotiated: Some(FAST_STREAM),
                    ..RTCDataChannelInit::default()
                }),
            )?
            .id();
        Ok(Self {
            engine,
            registration,
            inbox,
            local,
            reliable: Channel::new(reliable),
            fast: Channel::new(fast),
            has_data: false,
            media_ready: false,
            born: now,
            happenings: VecDeque::new(),
            batch: Vec::new(),
        })
    }

    /// Answers an offer. The engine's senders must have been added before.
    pub(super) fn accept(&mut self, offer: Offer, now: Instant) -> Result<String, RtcRefusal> {
        self.has_data = offer.has_data;
        let malformed = |error: Error| {
            tracing::debug!(%error, "an offer was refused by the engine");
            RtcRefusal::SdpMalformed
        };
        self.engine
            .set_remote_description(now, offer.description)
            .map_err(malformed)?;
        let answer = self.engine.create_answer(None).map_err(malformed)?;
        self.engine
            .set_local_description(now, answer)
            .map_err(malformed)?;
        let local = self.engine.local_description();
        local
            .map(|description| description.sdp)
            .ok_or(RtcRefusal::Unavailable)
    }

    /// Waits for datagrams and hands them to the engine.
    pub(super) async fn receive(&mut self, batch: &mut Vec<Datagram>) {
        // Cancel safe: nothing is taken from the inbox unless this returns.
        self.inbox.recv_many(batch, INBOX_BATCH).await;
    }

    /// Hands datagrams to the engine.
    pub(super) fn take(&mut self, batch: &mut Vec<Datagram>, now: Instant) {
        for datagram in batch.drain(..) {
            let Some(local) = self.local_for(datagram.from, datagram.to) else {
                continue;
            };
            self.registration.heard_at(datagram.to);
            let read = self.engine.handle_read(TaggedBytesMut {
                now,
                transport: TransportContext {
                    local_addr: local,
                    peer_addr: datagram.from,
                    ecn: None,
                    transport_protocol: TransportProtocol::UDP,
                },
                message: datagram.bytes,
            });
            if let Err(error) = read {
                tracing::debug!(%error, "the engine refused a datagram");
            }
            // The datagram that opens the channels must take effect before the first message behind it is read.
            while let Some(event) = self.engine.poll_event() {
                self.observe(event, now);
            }
        }
    }

    /// Our candidate that the peer spoke to; behind address translation, the first of its family.
    fn local_for(&self, from: SocketAddr, to: Option<IpAddr>) -> Option<SocketAddr> {
        let named = self
            .local
            .iter()
            .find(|address| Some(address.ip()) == to && address.is_ipv4() == from.is_ipv4());
        let first = || {
            self.local
                .iter()
                .find(|address| address.is_ipv4() == from.is_ipv4())
        };
        named.or_else(first).copied()
    }

    /// When the engine next wants to be woken.
    pub(super) fn deadline(&mut self, now: Instant) -> Instant {
        let mut deadline = self.engine.poll_timeout().unwrap_or(now + IDLE);
        if !self.media_ready {
            deadline = deadline.min(self.born + CONNECT_TIMEOUT);
        }
        deadline
    }

    /// Lets the engine know the time.
    pub(super) fn tick(&mut self, now: Instant) {
        if let Err(error) = self.engine.handle_timeout(now) {
            tracing::debug!(%error, "the engine failed on a timer");
            self.happenings
                .push_back(Happening::Over(ClosedReason::Failed));
        }
        if !self.media_ready && now.saturating_duration_since(self.born) >= CONNECT_TIMEOUT {
            self.happenings
                .push_back(Happening::Over(ClosedReason::NeverConnected));
        }
    }

    /// Sends everything the engine has ready, datagrams of one size to one peer together.
    pub(super) fn flush(&mut self) {
        let most = self.registration.batch();
        let mut to: Option<(SocketAddr, usize)> = None;
        let mut held = 0;
        while let Some(out) = self.engine.poll_write() {
            let peer = out.transport.peer_addr;
            let length = out.message.len();
            let joins = to.is_some_and(|(destination, size)| {
                destination == peer
                    && length <= size
                    && held < most
                    && self.batch.len() + length <= BATCH_LIMIT_BYTES
            });
            if !joins {
                self.send_held(to);
                to = Some((peer, length));
                held = 0;
            }
            self.batch.extend_from_slice(&out.message);
            held += 1;
            if to.is_some_and(|(_, size)| length < size) {
                self.send_held(to.take());
                held = 0;
            }
        }
        self.send_held(to);
    }

    fn send_held(&mut self, to: Option<(SocketAddr, usize)>) {
        if let Some((destination, size)) = to
            && !self.batch.is_empty()
        {
            self.registration.send(destination, &self.batch, size);
        }
        self.batch.clear();
    }

    /// What happened since the last call, oldest first.
    pub(super) fn next(&mut self, now: Instant) -> Option<Happening> {
        loop {
            if let Some(happening) = self.happenings.pop_front() {
                return Some(happening);
            }
            if let Some(event) = self.engine.poll_event() {
                self.observe(event, now);
            } else if let Some(TaggedRTCMessage { message, .. }) = self.engine.poll_read() {
                self.understand(message);
            } else {
                return None;
            }
        }
    }

    fn observe(&mut self, event: RTCPeerConnectionEvent, now: Instant) {
        match event {
            RTCPeerConnectionEvent::OnConnectionStateChangeEvent(
                RTCPeerConnectionState::Connected,
            ) if !self.media_ready => {
                self.media_ready = true;
                self.happenings.push_back(Happening::MediaReady);
                if !self.has_data {
                    self.happenings.push_back(Happening::DataReady);
                }
            }
            RTCPeerConnectionEvent::OnConnectionStateChangeEvent(
                RTCPeerConnectionState::Failed,
            ) => self.over(ClosedReason::Failed),
            RTCPeerConnectionEvent::OnConnectionStateChangeEvent(
                RTCPeerConnectionState::Closed,
            ) => self.over(ClosedReason::ByPeer),
            RTCPeerConnectionEvent::OnIceConnectionStateChangeEvent(
                RTCIceConnectionState::Disconnected | RTCIceConnectionState::Failed,
            ) => self.over(ClosedReason::PeerSilent),
            RTCPeerConnectionEvent::OnDataChannel(RTCDataChannelEvent::OnOpen(id)) => {
                self.opened(id, now);
            }
            RTCPeerConnectionEvent::OnDataChannel(RTCDataChannelEvent::OnClose(_)) => {
                self.over(ClosedReason::ByPeer);
            }
            RTCPeerConnectionEvent::OnTrack(RTCTrackEvent::OnOpen(track)) => {
                self.happenings.push_back(Happening::Stream {
                    ssrc: track.ssrc,
                    track: track.track_id,
                    receiver: track.receiver_id,
                });
            }
            _ => {}
        }
    }

    fn over(&mut self, reason: ClosedReason) {
        self.happenings.push_back(Happening::Over(reason));
    }

    fn opened(&mut self, id: usize, now: Instant) {
        let was_ready = self.reliable.open && self.fast.open;
        for channel in [&mut self.reliable, &mut self.fast] {
            channel.open |= channel.id == id;
        }
        for lane in [Lane::Reliable, Lane::Fast] {
            while self.channel(lane).open
                && let Some(message) = self.channel(lane).early.pop_front()
            {
                self.transmit(lane, &message, now);
            }
        }
        if !was_ready && self.reliable.open && self.fast.open {
            self.happenings.push_back(Happening::DataReady);
        }
    }

    fn understand(&mut self, message: RTCMessage) {
        match message {
            RTCMessage::RtpPacket(_track, packet) => {
                self.happenings.push_back(Happening::Video(packet));
            }
            RTCMessage::RtcpPacket(_track, feedback) => {
                for packet in &feedback {
                    let packet = packet.as_any();
                    if let Some(request) = packet.downcast_ref::<PictureLossIndication>() {
                        let wanted = Happening::KeyframeWanted(request.media_ssrc);
                        self.happenings.push_back(wanted);
                    }
                    if let Some(request) = packet.downcast_ref::<FullIntraRequest>() {
                        for entry in &request.fir {
                            self.happenings
                                .push_back(Happening::KeyframeWanted(entry.ssrc));
                        }
                    }
                }
            }
            RTCMessage::DataChannelMessage(id, message) => {
                let lane = if id == self.reliable.id {
                    Lane::Reliable
                } else if id == self.fast.id {
                    Lane::Fast
                } else {
                    return;
                };
                self.happenings
                    .push_back(Happening::Message(lane, message.data.freeze()));
            }
            _ => {}
        }
    }

    fn channel(&mut self, lane: Lane) -> &mut Channel {
        match lane {
            Lane::Reliable => &mut self.reliable,
            Lane::Fast => &mut self.fast,
        }
    }

    /// Sends a message, or keeps a reliable one while its channel is still opening.
    pub(super) fn send(&mut self, lane: Lane, message: Bytes, now: Instant) -> bool {
        let channel = self.channel(lane);
        if channel.open {
            return self.transmit(lane, &message, now);
        }
        let keeps = lane == Lane::Reliable && channel.early.len() < EARLY_MESSAGES;
        if keeps {
            channel.early.push_back(message);
        }
        keeps
    }

    fn transmit(&mut self, lane: Lane, message: &[u8], now: Instant) -> bool {
        let id = self.channel(lane).id;
        let limit = match lane {
            Lane::Reliable => RELIABLE_LIMIT_BYTES,
            Lane::Fast => FAST_LIMIT_BYTES,
        };
        let Some(mut channel) = self.engine.data_channel(id) else {
            return false;
        };
        channel.outstanding_bytes() < limit && channel.send(now, BytesMut::from(message)).is_ok()
    }

    /// Asks the sender of a stream for a key frame.
    pub(super) fn request_keyframe(
        &mut self,
        receiver: RTCRtpReceiverId,
        media_ssrc: u32,
        now: Instant,
    ) {
        let request: Box<dyn rtcp::Packet> = Box::new(PictureLossIndication {
            sender_ssrc: 0,
            media_ssrc,
        });
        if let Some(mut receiver) = self.engine.rtp_receiver(receiver)
            && let Err(error) = receiver.write_rtcp(now, vec![request])
        {
            tracing::debug!(%error, "a key frame request was not sent");
        }
    }

    /// Sends one video packet.
    pub(super) fn send_video(
        &mut self,
        sender: RTCRtpSenderId,
        packet: rtp::Packet,
        now: Instant,
    ) -> bool {
        self.engine
            .rtp_sender(sender)
            .is_some_and(|mut sender| sender.write_rtp(now, packet).is_ok())
    }

    /// Says goodbye to the peer.
    pub(super) fn close(&mut self) {
        if let Err(error) = self.engine.close() {
            tracing::debug!(%error, "the engine did not close cleanly");
        }
        self.flush();
    }
}

impl Channel {
    fn new(id: usize) -> Self {
        Self {
            id,
            open: false,
            early: VecDeque::new(),
        }
    }
}

/// Checks a message before it is queued for sending.
pub(super) fn check_size(message: &Bytes) -> Result<(), SendRefusal> {
    if message.len() > MESSAGE_LIMIT_BYTES {
        return Err(SendRefusal::TooLarge);
    }
    Ok(())
}
