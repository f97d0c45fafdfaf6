//! Real WebRTC peers for the claims: a robot that sends made-up H.264, a browser that counts what arrives.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use rtc::{
    data_channel::RTCDataChannelInit,
    interceptor::{Registry, Slot},
    media_stream::MediaStreamTrack,
    peer_connection::{
        configuration::{
            interceptor_registry::register_default_interceptors, media_engine::MediaEngine,
            setting_engine::SettingEngineBuilder,
        },
        sdp::RTCSessionDescription,
        state::RTCIceGatheringState,
    },
    rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication,
    rtp::{self, header::Header},
    rtp_transceiver::{
        RTCRtpTransceiverDirection, RTCRtpTransceiverInit,
        rtp_sender::{
            RTCRtpCodecParameters, RTCRtpCodingParameters, RTCRtpEncodingParameters,
            RTCRtpHeaderExtensionCapability, RtpCodecKind,
        },
    },
};
use tokio::sync::{Mutex, Notify, mpsc};
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent},
    media_stream::{
        track_local::{TrackLocal, static_rtp::TrackLocalStaticRTP},
        track_remote::{TrackRemote, TrackRemoteEvent},
    },
    peer_connection::{PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler},
    rtp_transceiver::RtpSender,
};

use crate::rtc::{codec::Codec, engine};

/// Longer than anything here takes on a loaded machine; reached only when a claim is false.
const PATIENCE: Duration = Duration::from_secs(20);

/// Packets a test may leave unread.
const UNREAD: usize = 4_096;

/// Awaits something that must happen.
pub(super) async fn soon<F: Future>(what: &str, happens: F) -> F::Output {
    let Ok(output) = tokio::time::timeout(PATIENCE, happens).await else {
        panic!("did not happen: {what}");
    };
    output
}

/// A packet as a browser got it.
pub(super) struct Arrived {
    pub(super) camera: String,
    pub(super) packet: rtp::Packet,
    track: Arc<dyn TrackRemote>,
}

impl Arrived {
    pub(super) fn is_key(&self) -> bool {
        self.packet.payload.first() == Some(&0x65)
    }

    /// Asks for a key frame, as a browser does that cannot go on.
    pub(super) async fn ask_for_keyframe(&self) {
        let request = PictureLossIndication {
            sender_ssrc: 0,
            media_ssrc: self.packet.header.ssrc,
        };
        self.track
            .write_rtcp(vec![Box::new(request)])
            .await
            .unwrap();
    }
}

struct Callbacks {
    gathered: Notify,
    arrived: mpsc::Sender<Arrived>,
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Callbacks {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.gathered.notify_one();
        }
    }

    async fn on_track(&self, track: Arc<dyn TrackRemote>) {
        let arrived = self.arrived.clone();
        tokio::spawn(async move {
            let camera = track.stream_id().await;
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    let packet = Arrived {
                        camera: camera.clone(),
                        packet,
                        track: Arc::clone(&track),
                    };
                    if arrived.send(packet).await.is_err() {
                        return;
                    }
                }
            }
        });
    }
}

/// The library's own peer, set up as a browser is.
async fn connection(callbacks: Arc<dyn PeerConnectionEventHandler>) -> Arc<dyn PeerConnection> {
    let mut media = MediaEngine::default();
    for (codec, payload_type) in [(Codec::H264, 107), (Codec::Vp8, 98)] {
        let codec = RTCRtpCodecParameters {
            rtp_codec: engine::codec_of(codec),
            payload_type,
        };
        media.register_codec(codec, RtpCodecKind::Video).unwrap();
    }
    let capture_time = RTCRtpHeaderExtensionCapability {
        uri: engine::CAPTURE_TIME_URI.to_owned(),
    };
    media
        .register_header_extension(capture_time, RtpCodecKind::Video, None)
        .unwrap();
    let registry = register_default_interceptors(Registry::new(), &mut media)
        .unwrap()
        .with(Slot::from(20_000), engine::KeyframeRequests::default());
    let settings = SettingEngineBuilder::new()
        .with_multicast_dns_mode(rtc::ice::mdns::MulticastDnsMode::Disabled)
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        .build();
    let built = PeerConnectionBuilder::<SocketAddr>::new()
        .with_setting_engine(settings)
        .with_media_engine(media)
        .with_interceptor_registry(registry)
        .with_handler(callbacks)
        .with_udp_addrs(vec!["127.0.0.1:0".parse().unwrap()])
        .build();
    Arc::new(Box::pin(built).await.unwrap())
}

/// One end of a connection with the relay.
pub(super) struct Peer {
    pub(super) connection: Arc<dyn PeerConnection>,
    callbacks: Arc<Callbacks>,
    arrived: mpsc::Receiver<Arrived>,
    reliable: Arc<dyn DataChannel>,
    fast: Arc<dyn DataChannel>,
}

impl Peer {
    async fn new() -> Self {
        let (sender, arrived) = mpsc::channel(UNREAD);
        let callbacks = Arc::new(Callbacks {
            gathered: Notify::new(),
            arrived: sender,
        });
        let connection = connection(Arc::clone(&callbacks) as _).await;
        let reliable = RTCDataChannelInit {
            negotiated: Some(0),
            ..RTCDataChannelInit::default()
        };
        let fast = RTCDataChannelInit {
            ordered: false,
            max_retransmits: Some(0),
            negotiated: Some(1),
            ..RTCDataChannelInit::default()
        };
        Self {
            reliable: connection
                .create_data_channel("reliable", Some(reliable))
                .await
                .unwrap(),
            fast: connection
                .create_data_channel("fast", Some(fast))
                .await
                .unwrap(),
            connection,
            callbacks,
            arrived,
        }
    }

    /// A browser that wants to see some cameras.
    pub(super) async fn browser(cameras: usize) -> Self {
        let peer = Self::new().await;
        for _ in 0..cameras {
            let init = RTCRtpTransceiverInit {
                direction: RTCRtpTransceiverDirection::Recvonly,
                ..RTCRtpTransceiverInit::default()
            };
            peer.connection
                .add_transceiver_from_kind(RtpCodecKind::Video, Some(init))
                .await
                .unwrap();
        }
        peer
    }

    pub(super) async fn offer(&self) -> String {
        let offer = self.connection.create_offer(None).await.unwrap();
        self.connection.set_local_description(offer).await.unwrap();
        soon("gathering", self.callbacks.gathered.notified()).await;
        self.connection.local_description().await.unwrap().sdp
    }

    pub(super) async fn accept(&self, answer: &str) {
        let answer = RTCSessionDescription::answer(answer.to_owned()).unwrap();
        self.connection
            .set_remote_description(answer)
            .await
            .unwrap();
    }

    pub(super) async fn next(&mut self) -> Arrived {
        soon("a packet arrives", self.arrived.recv()).await.unwrap()
    }

    pub(super) async fn send_reliable(&self, message: &[u8]) {
        self.reliable.send(BytesMut::from(message)).await.unwrap();
    }

    /// Sends reliable messages until the connection ends.
    pub(super) async fn flood(&self) {
        while self
            .reliable
            .send(BytesMut::from(&[0; 64][..]))
            .await
            .is_ok()
        {
            tokio::task::yield_now().await;
        }
    }

    pub(super) async fn send_fast(&self, message: &[u8]) {
        self.fast.send(BytesMut::from(message)).await.unwrap();
    }

    /// Waits until both channels are open.
    pub(super) async fn channels_open(&self) {
        for channel in [&self.reliable, &self.fast] {
            soon("a channel opens", async {
                while !matches!(channel.poll().await, Some(DataChannelEvent::OnOpen)) {}
            })
            .await;
        }
    }

    pub(super) async fn next_reliable(&self) -> Bytes {
        soon("a reliable message arrives", async {
            loop {
                match self.reliable.poll().await {
                    Some(DataChannelEvent::OnMessage(message)) => return message.data.freeze(),
                    Some(_) => {}
                    None => panic!("the reliable channel ended"),
                }
            }
        })
        .await
    }
}

/// A robot with made-up cameras.
pub(super) struct Robot {
    pub(super) peer: Peer,
    cameras: Vec<Camera>,
}

struct Camera {
    track: Arc<dyn TrackLocal>,
    sender: Arc<dyn RtpSender>,
    ssrc: u32,
    next: Mutex<(u16, u32)>,
}

/// The value of the capture time extension on every packet of the made-up cameras.
pub(super) const CAPTURE_TIME: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

impl Robot {
    pub(super) async fn new(cameras: &[&str]) -> Self {
        let peer = Peer::new().await;
        let mut made = Vec::new();
        for name in cameras {
            let ssrc = getrandom::u32().unwrap();
            let track = MediaStreamTrack::new(
                (*name).to_owned(),
                (*name).to_owned(),
                (*name).to_owned(),
                RtpCodecKind::Video,
                vec![RTCRtpEncodingParameters {
                    rtp_coding_parameters: RTCRtpCodingParameters {
                        ssrc: Some(ssrc),
                        ..RTCRtpCodingParameters::default()
                    },
                    codec: engine::codec_of(Codec::H264),
                    ..RTCRtpEncodingParameters::default()
                }],
            );
            let track: Arc<dyn TrackLocal> = Arc::new(TrackLocalStaticRTP::new(track));
            let transceiver = peer
                .connection
                .add_transceiver_from_track(
                    Arc::clone(&track),
                    Some(RTCRtpTransceiverInit {
                        direction: RTCRtpTransceiverDirection::Sendonly,
                        ..RTCRtpTransceiverInit::default()
                    }),
                )
                .await
                .unwrap();
            made.push(Camera {
                track,
                sender: transceiver.sender().await.unwrap().unwrap(),
                ssrc,
                next: Mutex::new((65_500, getrandom::u32().unwrap())),
            });
        }
        Self {
            peer,
            cameras: made,
        }
    }

    /// Sends one frame of one packet.
    pub(super) async fn send(&self, camera: usize, first_byte: u8) {
        let mut payload = vec![first_byte, 0x80];
        payload.resize(400, 0);
        self.write(camera, payload, None).await;
    }

    /// Sends a packet of an encoding that was never agreed on.
    pub(super) async fn send_of_type(&self, camera: usize, payload_type: u8) {
        self.write(camera, vec![0x65; 40], Some(payload_type)).await;
    }

    /// Sends a packet without payload, as browsers do to probe their uplink.
    pub(super) async fn send_probe(&self, camera: usize) {
        self.write(camera, Vec::new(), None).await;
    }

    async fn write(&self, camera: usize, payload: Vec<u8>, payload_type: Option<u8>) {
        let camera = &self.cameras[camera];
        let parameters = camera.sender.get_parameters().await.unwrap().rtp_parameters;
        let codec = parameters
            .codecs
            .iter()
            .find(|codec| codec.rtp_codec.mime_type.ends_with("H264"))
            .unwrap();
        let mut next = camera.next.lock().await;
        *next = (next.0.wrapping_add(1), next.1.wrapping_add(3_000));
        let mut header = Header {
            version: 2,
            marker: true,
            payload_type: payload_type.unwrap_or(codec.payload_type),
            sequence_number: next.0,
            timestamp: next.1,
            ssrc: camera.ssrc,
            ..Header::default()
        };
        for extension in &parameters.header_extensions {
            if extension.uri == engine::CAPTURE_TIME_URI {
                let id = u8::try_from(extension.id).unwrap();
                header
                    .set_extension(id, Bytes::from_static(&CAPTURE_TIME))
                    .unwrap();
            }
        }
        let packet = rtp::Packet {
            header,
            payload: payload.into(),
        };
        camera.track.write_rtp(packet).await.unwrap();
    }

    pub(super) async fn send_key(&self, camera: usize) {
        self.send(camera, 0x65).await;
    }

    pub(super) async fn send_delta(&self, camera: usize) {
        self.send(camera, 0x41).await;
    }

    /// Waits until the relay asks a camera for a key frame.
    pub(super) async fn keyframe_asked(&self, camera: usize) {
        let request = self.cameras[camera].track.poll();
        soon("a key frame is asked for", request).await.unwrap();
    }
}
