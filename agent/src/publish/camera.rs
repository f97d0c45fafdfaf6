//! One camera's way into the connection: bounded, and late frames are dropped rather than queued.

use std::{
    iter,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use rtc::{
    media_stream::MediaStreamTrack,
    rtp,
    rtp_transceiver::{
        RTCRtpTransceiverDirection, RTCRtpTransceiverInit,
        rtp_sender::{RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind},
    },
};
use tokio::{sync::mpsc, task::JoinHandle};
use webrtc::{
    media_stream::track_local::{TrackLocal, TrackLocalEvent, static_rtp::TrackLocalStaticRTP},
    peer_connection::PeerConnection,
    rtp_transceiver::RtpSender,
};

use super::{
    CameraSpec, Link, PublishEvent, PublishFailure,
    engine::{CAPTURE_TIME_URI, VideoCodec},
    packets::{Agreement, Packets},
};

/// Frames that may wait for the connection: at 30 fps the third is a tenth of a second old.
const WAITING_FRAMES: usize = 3;

/// Foreign packets that may wait: a cached group of pictures is handed over in one go.
const WAITING_PACKETS: usize = 512;

/// The one-byte form of header extensions, which every peer understands, has ids up to this one.
const EXTENSION_ID_LIMIT: u8 = 14;

/// One encoded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessUnit {
    /// H.264 in Annex B form with its parameter sets before each key frame, or one VP8 frame.
    pub bytes: Bytes,
    /// Whether a decoder can start here.
    pub is_keyframe: bool,
    /// Its time at 90 kHz.
    pub rtp_time: u32,
    /// When the picture was taken, in microseconds since 1970 by the robot's clock.
    pub capture_unix_us: u64,
}

/// One RTP packet of somebody else's encoder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignPacket {
    /// Whether it is the last of its frame.
    pub marker: bool,
    /// Its sequence number at its source.
    pub sequence: u16,
    /// Its time at 90 kHz.
    pub timestamp: u32,
    /// Its payload, passed on untouched.
    pub payload: Bytes,
    /// When it came in, in microseconds since 1970 by the robot's clock: the nearest to a capture time there is.
    pub capture_unix_us: u64,
}

/// What became of a frame or packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Taken {
    /// It is on its way.
    Queued,
    /// It was dropped: not connected, or too much is waiting. After a dropped frame only a key frame is taken.
    Dropped,
}

enum Work {
    Frame(AccessUnit),
    Packet(ForeignPacket),
}

/// One camera's way into the connection. Cheap to clone.
#[derive(Clone)]
pub struct CameraSender {
    shared: Arc<Shared>,
}

struct Shared {
    name: String,
    codec: VideoCodec,
    sender: Arc<dyn RtpSender>,
    link: Arc<Link>,
    work: mpsc::Sender<Work>,
    waiting_frames: AtomicUsize,
    needs_keyframe: AtomicBool,
    agreement: OnceLock<Agreement>,
}

impl CameraSender {
    /// Sends one frame. Never waits.
    pub fn send_access_unit(&self, unit: AccessUnit) -> Taken {
        let shared = &self.shared;
        if !shared.link.is_connected() {
            return Taken::Dropped;
        }
        if shared.needs_keyframe.load(Ordering::Relaxed) && !unit.is_keyframe {
            return Taken::Dropped;
        }
        let waiting = shared.waiting_frames.fetch_add(1, Ordering::Relaxed);
        let queued = waiting < WAITING_FRAMES && shared.work.try_send(Work::Frame(unit)).is_ok();
        if !queued {
            shared.waiting_frames.fetch_sub(1, Ordering::Relaxed);
        }
        let broken = shared.needs_keyframe.swap(!queued, Ordering::Relaxed);
        if queued {
            return Taken::Queued;
        }
        if !broken {
            shared.want_keyframe();
        }
        Taken::Dropped
    }

    /// Passes one packet of a foreign encoder on. Never waits.
    pub fn send_rtp(&self, packet: ForeignPacket) -> Taken {
        let shared = &self.shared;
        if shared.link.is_connected() && shared.work.try_send(Work::Packet(packet)).is_ok() {
            Taken::Queued
        } else {
            Taken::Dropped
        }
    }

    /// Reads what the gateway agreed to.
    pub(super) async fn negotiated(&self) -> Result<(), PublishFailure> {
        let shared = &self.shared;
        let parameters = shared.sender.get_parameters().await?.rtp_parameters;
        let payload_type = parameters
            .codecs
            .iter()
            .find(|codec| {
                let mime = &codec.rtp_codec.mime_type;
                mime.eq_ignore_ascii_case(shared.codec.mime())
            })
            .map(|codec| codec.payload_type)
            .ok_or(webrtc::error::Error::ErrRTPTransceiverCodecUnsupported)?;
        let capture_time = parameters
            .header_extensions
            .iter()
            .find(|extension| extension.uri == CAPTURE_TIME_URI)
            .and_then(|extension| u8::try_from(extension.id).ok())
            .filter(|id| (1..=EXTENSION_ID_LIMIT).contains(id));
        // Set once: a connection is answered once.
        shared.agreement.get_or_init(|| Agreement {
            payload_type,
            capture_time,
        });
        Ok(())
    }
}

impl Shared {
    fn want_keyframe(&self) {
        self.link.post(PublishEvent::KeyframeWanted {
            camera: self.name.clone(),
        });
    }
}

/// Adds a camera to a connection that has not made its offer yet.
pub(super) async fn open(
    connection: &Arc<dyn PeerConnection>,
    spec: &CameraSpec,
    link: Arc<Link>,
) -> Result<(CameraSender, [JoinHandle<()>; 2]), PublishFailure> {
    let ssrc = getrandom::u32()?;
    let first = getrandom::u32()?.to_be_bytes();
    let codec = spec.codec.parameters();
    let track = MediaStreamTrack::new(
        spec.name.clone(),
        spec.name.clone(),
        spec.name.clone(),
        RtpCodecKind::Video,
        vec![RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(ssrc),
                ..RTCRtpCodingParameters::default()
            },
            codec: codec.rtp_codec,
            ..RTCRtpEncodingParameters::default()
        }],
    );
    let track: Arc<dyn TrackLocal> = Arc::new(TrackLocalStaticRTP::new(track));
    let transceiver = connection
        .add_transceiver_from_track(
            Arc::clone(&track),
            Some(RTCRtpTransceiverInit {
                direction: RTCRtpTransceiverDirection::Sendonly,
                ..RTCRtpTransceiverInit::default()
            }),
        )
        .await?;
    // The engine agrees on codecs for the connection by its first section alone: each names both, its own first, which is
    // what it sends.
    let others = VideoCodec::ALL
        .into_iter()
        .filter(|other| *other != spec.codec);
    let preferences = iter::once(spec.codec).chain(others);
    transceiver
        .set_codec_preferences(preferences.map(VideoCodec::parameters).collect())
        .await?;
    let sender = transceiver.sender().await?;
    let (work, waiting) = mpsc::channel(WAITING_PACKETS);
    let shared = Arc::new(Shared {
        name: spec.name.clone(),
        codec: spec.codec,
        sender: sender.ok_or(webrtc::error::Error::ErrRTPSenderNotExisted)?,
        link,
        work,
        waiting_frames: AtomicUsize::new(0),
        needs_keyframe: AtomicBool::new(false),
        agreement: OnceLock::new(),
    });
    let packets = Packets::new(ssrc, u16::from_be_bytes([first[0], first[1]]), spec.codec);
    let sending = tokio::spawn(send(
        Arc::clone(&track),
        Arc::downgrade(&shared),
        waiting,
        packets,
    ));
    let requests = tokio::spawn(hear_requests(track, Arc::clone(&shared)));
    Ok((CameraSender { shared }, [sending, requests]))
}

/// Cuts and sends what waits. Waits for the engine here, so that the camera never does.
async fn send(
    track: Arc<dyn TrackLocal>,
    shared: std::sync::Weak<Shared>,
    mut waiting: mpsc::Receiver<Work>,
    mut packets: Packets,
) {
    while let Some(work) = waiting.recv().await {
        let Some(shared) = shared.upgrade() else {
            return;
        };
        let Some(agreement) = shared.agreement.get().copied() else {
            if matches!(work, Work::Frame(_)) {
                shared.waiting_frames.fetch_sub(1, Ordering::Relaxed);
            }
            continue;
        };
        let cut = match work {
            Work::Frame(unit) => {
                let cut = packets.of_frame(&unit, agreement);
                let sent = write(&track, cut).await;
                shared.waiting_frames.fetch_sub(1, Ordering::Relaxed);
                sent
            }
            Work::Packet(packet) => {
                let cut = packets.of_foreign(&packet, agreement);
                write(&track, cut.map(|packet| vec![packet])).await
            }
        };
        if let Err(error) = cut {
            tracing::debug!(%error, camera = shared.name, "a frame was not sent");
        }
    }
}

async fn write(
    track: &Arc<dyn TrackLocal>,
    packets: webrtc::error::Result<Vec<rtp::Packet>>,
) -> webrtc::error::Result<()> {
    for packet in packets? {
        track.write_rtp(packet).await?;
    }
    Ok(())
}

/// Only key frame requests come through here; see the engine.
async fn hear_requests(track: Arc<dyn TrackLocal>, shared: Arc<Shared>) {
    while let Some(TrackLocalEvent::OnRtcpPacket(_)) = track.poll().await {
        shared.want_keyframe();
    }
}
