//! Claims about publishing, against a real WebRTC peer on loopback in the gateway's place.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use rtc::{
    data_channel::RTCDataChannelInit,
    interceptor::Registry,
    peer_connection::{
        configuration::{
            interceptor_registry::register_default_interceptors, media_engine::MediaEngine,
            setting_engine::SettingEngineBuilder,
        },
        sdp::RTCSessionDescription,
        state::RTCIceGatheringState,
    },
    rtcp::payload_feedbacks::picture_loss_indication::PictureLossIndication,
    rtp,
    rtp_transceiver::rtp_sender::{RTCRtpHeaderExtensionCapability, RtpCodecKind},
};
use tokio::sync::{Notify, mpsc};
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent},
    media_stream::track_remote::{TrackRemote, TrackRemoteEvent},
    peer_connection::{PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler},
};

use super::{
    AccessUnit, CameraSpec, ForeignPacket, Publish, PublishConfig, PublishEvent, PublishFailure,
    Taken, VideoCodec, engine,
};

/// Longer than anything here takes on a loaded machine; reached only when a claim is false.
const PATIENCE: Duration = Duration::from_secs(20);

async fn soon<F: Future>(what: &str, happens: F) -> F::Output {
    let Ok(output) = tokio::time::timeout(PATIENCE, happens).await else {
        panic!("did not happen: {what}");
    };
    output
}

/// The gateway's end of the connection.
pub(crate) struct Gateway {
    connection: Arc<dyn PeerConnection>,
    reliable: Arc<dyn DataChannel>,
    arrived: mpsc::Receiver<(Arc<dyn TrackRemote>, rtp::Packet)>,
}

struct Callbacks {
    gathered: Notify,
    arrived: mpsc::Sender<(Arc<dyn TrackRemote>, rtp::Packet)>,
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
            while let Some(event) = track.poll().await {
                if let TrackRemoteEvent::OnRtpPacket(packet) = event {
                    let packet = (Arc::clone(&track), packet);
                    if arrived.send(packet).await.is_err() {
                        return;
                    }
                }
            }
        });
    }
}

impl Gateway {
    /// Takes an offer; gives the answer to it.
    pub(crate) async fn answer(offer: &str) -> (Self, String) {
        let mut media = MediaEngine::default();
        for codec in [VideoCodec::H264, VideoCodec::Vp8] {
            media
                .register_codec(codec.parameters(), RtpCodecKind::Video)
                .unwrap();
        }
        let capture_time = RTCRtpHeaderExtensionCapability {
            uri: engine::CAPTURE_TIME_URI.to_owned(),
        };
        media
            .register_header_extension(capture_time, RtpCodecKind::Video, None)
            .unwrap();
        let registry = register_default_interceptors(Registry::new(), &mut media).unwrap();
        let settings = SettingEngineBuilder::new()
            .with_multicast_dns_mode(rtc::ice::mdns::MulticastDnsMode::Disabled)
            .build();
        let (sender, arrived) = mpsc::channel(1_024);
        let callbacks = Arc::new(Callbacks {
            gathered: Notify::new(),
            arrived: sender,
        });
        let built = PeerConnectionBuilder::<SocketAddr>::new()
            .with_setting_engine(settings)
            .with_media_engine(media)
            .with_interceptor_registry(registry)
            .with_handler(Arc::clone(&callbacks) as _)
            .with_udp_addrs(vec!["127.0.0.1:0".parse().unwrap()])
            .build();
        let connection: Arc<dyn PeerConnection> = Arc::new(Box::pin(built).await.unwrap());
        let init = RTCDataChannelInit {
            negotiated: Some(0),
            ..RTCDataChannelInit::default()
        };
        let reliable = connection
            .create_data_channel("reliable", Some(init))
            .await
            .unwrap();
        let offer = RTCSessionDescription::offer(offer.to_owned()).unwrap();
        connection.set_remote_description(offer).await.unwrap();
        let answer = connection.create_answer(None).await.unwrap();
        connection.set_local_description(answer).await.unwrap();
        soon("gathering", callbacks.gathered.notified()).await;
        let answer = connection.local_description().await.unwrap().sdp;
        let gateway = Self {
            connection,
            reliable,
            arrived,
        };
        (gateway, answer)
    }

    async fn next(&mut self) -> (Arc<dyn TrackRemote>, rtp::Packet) {
        soon("a packet arrives", self.arrived.recv()).await.unwrap()
    }
}

fn front() -> CameraSpec {
    CameraSpec {
        name: "front".to_owned(),
        codec: VideoCodec::H264,
    }
}

fn loopback() -> PublishConfig {
    PublishConfig {
        bind: vec!["127.0.0.1:0".parse().unwrap()],
    }
}

fn frame(is_keyframe: bool, bytes: usize) -> AccessUnit {
    let mut unit = vec![0, 0, 0, 1, if is_keyframe { 0x65 } else { 0x41 }];
    unit.resize(bytes, 0xaa);
    AccessUnit {
        bytes: unit.into(),
        is_keyframe,
        rtp_time: 3_000,
        capture_unix_us: 1_000_000,
    }
}

async fn connected() -> (Publish, mpsc::Receiver<PublishEvent>, Gateway) {
    let offered = Publish::offer(&[front()], &loopback()).await.unwrap();
    let (gateway, answer) = Gateway::answer(&offered.offer).await;
    offered.publish.answer(&answer).await.unwrap();
    let mut events = offered.events;
    let first = soon("connected", events.recv()).await.unwrap();
    assert_eq!(first, PublishEvent::Connected);
    (offered.publish, events, gateway)
}

#[tokio::test]
async fn the_offer_names_each_camera_and_lists_its_codec_first() {
    let cameras = [
        front(),
        CameraSpec {
            name: "base".to_owned(),
            codec: VideoCodec::Vp8,
        },
    ];

    let offered = Publish::offer(&cameras, &loopback()).await.unwrap();

    let sections: Vec<&str> = offered.offer.split("m=video").skip(1).collect();
    assert_eq!(sections.len(), 2);
    let first_payload_type = |section: &str| {
        section
            .lines()
            .next()
            .unwrap()
            .split(' ')
            .nth(3)
            .map(str::to_owned)
    };
    assert!(
        sections[0].contains("a=msid:front front") && sections[0].contains("a=rtpmap:102 H264")
    );
    assert_eq!(first_payload_type(sections[0]).as_deref(), Some("102"));
    assert!(sections[1].contains("a=msid:base base") && sections[1].contains("a=rtpmap:96 VP8"));
    assert_eq!(first_payload_type(sections[1]).as_deref(), Some("96"));
    assert!(!offered.offer.contains(".local"));
}

#[tokio::test]
async fn nothing_is_taken_before_the_connection_stands() {
    let offered = Publish::offer(&[front()], &loopback()).await.unwrap();
    let camera = offered.publish.camera("front").unwrap();

    assert_eq!(camera.send_access_unit(frame(true, 100)), Taken::Dropped);
    assert!(offered.publish.camera("rear").is_none());
}

#[tokio::test]
async fn a_frame_arrives_whole_and_in_order() {
    let (publish, _events, mut gateway) = connected().await;
    let camera = publish.camera("front").unwrap();

    assert_eq!(camera.send_access_unit(frame(true, 20_000)), Taken::Queued);

    let (_, first) = gateway.next().await;
    let (mut bytes, mut last) = (first.payload.len(), first);
    assert!(!last.header.extensions.is_empty());
    while !last.header.marker {
        let (_, packet) = gateway.next().await;
        let expected = last.header.sequence_number.wrapping_add(1);
        assert_eq!(packet.header.sequence_number, expected);
        bytes += packet.payload.len();
        last = packet;
    }
    assert!(bytes >= 20_000 - 5);
    assert!(!last.header.extensions.is_empty());
}

#[tokio::test]
async fn late_frames_are_dropped_and_then_only_a_key_frame_is_taken() {
    let (publish, mut events, mut gateway) = connected().await;
    let camera = publish.camera("front").unwrap();

    // Nothing else runs between these calls, so nothing is sent.
    let taken = [(); 5].map(|()| camera.send_access_unit(frame(false, 100)));
    let asked = soon("a key frame is asked for", events.recv()).await;
    for _ in 0..3 {
        gateway.next().await;
    }
    let delta = camera.send_access_unit(frame(false, 100));
    let key = camera.send_access_unit(frame(true, 100));
    let after = camera.send_access_unit(frame(false, 100));

    assert_eq!(taken[..3], [Taken::Queued; 3]);
    assert_eq!(taken[3..], [Taken::Dropped; 2]);
    let wanted = PublishEvent::KeyframeWanted {
        camera: "front".to_owned(),
    };
    assert_eq!(asked, Some(wanted));
    assert_eq!(
        [delta, key, after],
        [Taken::Dropped, Taken::Queued, Taken::Queued]
    );
}

#[tokio::test]
async fn a_foreign_packet_keeps_its_payload_and_time() {
    let (publish, _events, mut gateway) = connected().await;
    let camera = publish.camera("front").unwrap();
    let packet = ForeignPacket {
        marker: true,
        sequence: 9,
        timestamp: 77,
        payload: Bytes::from_static(&[0x65, 1, 2, 3]),
        capture_unix_us: 5,
    };

    assert_eq!(camera.send_rtp(packet.clone()), Taken::Queued);

    let (_, arrived) = gateway.next().await;
    assert_eq!(arrived.payload, packet.payload);
    assert_eq!(
        (arrived.header.timestamp, arrived.header.marker),
        (77, true)
    );
}

#[tokio::test]
async fn a_request_for_a_key_frame_names_the_camera() {
    let (publish, mut events, mut gateway) = connected().await;
    let camera = publish.camera("front").unwrap();
    assert_eq!(camera.send_access_unit(frame(true, 100)), Taken::Queued);
    let (track, packet) = gateway.next().await;

    let request = PictureLossIndication {
        sender_ssrc: 0,
        media_ssrc: packet.header.ssrc,
    };
    track.write_rtcp(vec![Box::new(request)]).await.unwrap();

    let wanted = PublishEvent::KeyframeWanted {
        camera: "front".to_owned(),
    };
    let event = soon("the request", events.recv()).await;
    assert_eq!(event, Some(wanted));
}

#[tokio::test]
async fn messages_pass_both_ways_and_oversized_ones_are_refused() {
    let (publish, mut events, gateway) = connected().await;
    let too_large = Bytes::from(vec![0; super::MESSAGE_LIMIT_BYTES + 1]);

    publish
        .send_reliable(Bytes::from_static(b"up"))
        .await
        .unwrap();
    let refused = publish.send_reliable(too_large).await;
    let heard = soon("the message", async {
        loop {
            if let Some(DataChannelEvent::OnMessage(message)) = gateway.reliable.poll().await {
                return message.data;
            }
        }
    })
    .await;
    gateway.reliable.send(BytesMut::from("down")).await.unwrap();

    assert_eq!(heard, BytesMut::from("up"));
    assert!(matches!(refused, Err(PublishFailure::TooLarge)));
    let event = soon("the answer", events.recv()).await;
    assert_eq!(
        event,
        Some(PublishEvent::Reliable(Bytes::from_static(b"down")))
    );
}

#[tokio::test]
async fn a_gateway_that_leaves_is_noticed_at_once() {
    let (publish, mut events, gateway) = connected().await;
    let started = std::time::Instant::now();

    gateway.connection.close().await.unwrap();

    assert_eq!(
        soon("closed", events.recv()).await,
        Some(PublishEvent::Closed)
    );
    assert!(started.elapsed() < engine::GATEWAY_SILENCE);
    let camera = publish.camera("front").unwrap();
    assert_eq!(camera.send_access_unit(frame(true, 100)), Taken::Dropped);
}
