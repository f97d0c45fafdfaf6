//! Builds the engine behind a connection: codecs, feedback, addresses.

use std::{collections::VecDeque, net::SocketAddr, sync::Arc, time::Duration};

use rtc::{
    interceptor::{
        Attribute, Interceptor, NackResponderBuilder, Packet, Registry, SenderReportBuilder, Slot,
        StreamInfo, TaggedPacket,
    },
    peer_connection::configuration::{
        media_engine::{MIME_TYPE_H264, MIME_TYPE_VP8, MediaEngine},
        setting_engine::SettingEngineBuilder,
    },
    rtcp::payload_feedbacks::{
        full_intra_request::FullIntraRequest, picture_loss_indication::PictureLossIndication,
    },
    rtp_transceiver::rtp_sender::{
        RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpHeaderExtensionCapability,
        RtpCodecKind,
    },
    sansio::Protocol,
    shared::error::{Error, Result},
};
use webrtc::peer_connection::{PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler};

use super::PublishConfig;

/// The capture time of each frame, as this robot's clock saw it.
pub(crate) const CAPTURE_TIME_URI: &str =
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time";

/// A gateway that was not heard from for so long is gone; the agent connects anew.
pub(crate) const GATEWAY_SILENCE: Duration = Duration::from_secs(4);

/// A quarter of the usual: the picture waits for the first check that gets through.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// Five seconds of checks: satellite links answer late.
const CHECKS: u16 = 100;

/// Unused in practice: silence closes the connection first.
const ICE_FAILED: Duration = Duration::from_secs(5);

/// Under half of [`GATEWAY_SILENCE`], so that one lost check does not end a session.
const KEEPALIVE: Duration = Duration::from_millis(1_500);

/// Packets kept for retransmission: about two seconds of a 4 Mbit/s camera.
const HISTORY_PACKETS: u16 = 1_024;

/// Waiting for the gateway's acknowledgement on one channel.
const CHANNEL_LIMIT_BYTES: usize = 1024 * 1024;

/// What a camera sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VideoCodec {
    /// H.264, packetization-mode 1.
    H264,
    /// VP8.
    Vp8,
}

impl VideoCodec {
    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::H264, Self::Vp8];

    pub(crate) fn mime(self) -> &'static str {
        match self {
            Self::H264 => MIME_TYPE_H264,
            Self::Vp8 => MIME_TYPE_VP8,
        }
    }

    /// The engine's description of the codec.
    pub(crate) fn parameters(self) -> RTCRtpCodecParameters {
        let (fmtp, payload_type) = match self {
            Self::H264 => (
                "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
                102,
            ),
            Self::Vp8 => ("", 96),
        };
        let feedback = [("ccm", "fir"), ("nack", ""), ("nack", "pli")];
        RTCRtpCodecParameters {
            rtp_codec: RTCRtpCodec {
                mime_type: self.mime().to_owned(),
                clock_rate: 90_000,
                channels: 0,
                sdp_fmtp_line: fmtp.to_owned(),
                rtcp_feedback: feedback
                    .map(|(kind, parameter)| RTCPFeedback {
                        typ: kind.to_owned(),
                        parameter: parameter.to_owned(),
                    })
                    .to_vec(),
            },
            payload_type,
        }
    }
}

/// Builds a connection that waits for its cameras.
pub(crate) async fn build(
    callbacks: Arc<dyn PeerConnectionEventHandler>,
    config: &PublishConfig,
) -> Result<Arc<dyn PeerConnection>> {
    let mut media = MediaEngine::default();
    for codec in VideoCodec::ALL {
        media.register_codec(codec.parameters(), RtpCodecKind::Video)?;
    }
    media.register_header_extension(
        RTCRtpHeaderExtensionCapability {
            uri: CAPTURE_TIME_URI.to_owned(),
        },
        RtpCodecKind::Video,
        None,
    )?;
    let registry = Registry::new()
        .with(
            Slot::NackResponder,
            NackResponderBuilder::new()
                .with_size(HISTORY_PACKETS)
                .build(),
        )
        .with(Slot::SenderReport, SenderReportBuilder::new().build())
        .with(
            Slot::from(KEYFRAME_REQUEST_SLOT),
            KeyframeRequests::default(),
        );
    let settings = SettingEngineBuilder::new()
        .with_ice_timeouts(Some(GATEWAY_SILENCE), Some(ICE_FAILED), Some(KEEPALIVE))
        .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(CHECKS))
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        .with_multicast_dns_mode(rtc::ice::mdns::MulticastDnsMode::Disabled)
        .with_include_loopback_candidate(true)
        .build();
    let built = PeerConnectionBuilder::<SocketAddr>::new()
        .with_setting_engine(settings)
        .with_media_engine(media)
        .with_interceptor_registry(registry)
        .with_handler(callbacks)
        .with_data_channel_send_buffer_limit(CHANNEL_LIMIT_BYTES)
        .with_udp_addrs(config.bind.clone())
        .build();
    Ok(Arc::new(Box::pin(built).await?))
}

/// Nearest to the application: every other interceptor has seen the feedback before.
const KEYFRAME_REQUEST_SLOT: usize = 20_000;

/// Lets key frame requests through to the cameras; the engine keeps all other feedback to itself.
#[derive(Default)]
struct KeyframeRequests {
    incoming: VecDeque<TaggedPacket>,
    outgoing: VecDeque<TaggedPacket>,
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for KeyframeRequests {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = std::time::Instant;

    fn handle_read(&mut self, mut tagged: TaggedPacket) -> Result<()> {
        if let Packet::Rtcp(feedback) = &mut tagged.message.packet {
            feedback.retain(|packet| {
                let packet = packet.as_any();
                packet.is::<PictureLossIndication>() || packet.is::<FullIntraRequest>()
            });
            if feedback.is_empty() {
                return Ok(());
            }
            tagged.message.add(Attribute::DeliverToApplication);
        }
        self.incoming.push_back(tagged);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.incoming.pop_front()
    }

    fn handle_write(&mut self, tagged: TaggedPacket) -> Result<()> {
        self.outgoing.push_back(tagged);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.outgoing.pop_front()
    }
}

impl Interceptor for KeyframeRequests {
    fn bind_local_stream(&mut self, _stream: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _stream: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _stream: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _stream: &StreamInfo) {}
}
