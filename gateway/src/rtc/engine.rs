//! Builds the sans-I/O WebRTC engine of one connection: codecs, feedback, timeouts, credentials.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use rtc::{
    crypto::RTCCryptoProvider,
    interceptor::{
        Attribute, Interceptor, NackGeneratorBuilder, NackResponderBuilder, Packet,
        ReceiverReportBuilder, Registry, SenderReportBuilder, Slot, StreamInfo, TaggedPacket,
    },
    peer_connection::{
        RTCPeerConnection, RTCPeerConnectionBuilder,
        certificate::RTCCertificate,
        configuration::{
            RTCConfigurationBuilder,
            interceptor_registry::configure_twcc_receiver_only,
            media_engine::{MIME_TYPE_H264, MIME_TYPE_VP8, MediaEngine},
            setting_engine::{SctpMaxMessageSize, SettingEngineBuilder},
        },
        transport::{CandidateConfig, CandidateHostConfig, RTCDtlsRole, RTCIceCandidate},
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

use super::{codec::Codec, socket::Credentials};

/// The capture time of each frame, as the camera's clock saw it.
pub(super) const CAPTURE_TIME_URI: &str =
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time";

/// A peer that was not heard from for so long is gone: the operator must know before trusting the picture again.
pub const PEER_SILENCE: Duration = Duration::from_secs(4);

/// Half of [`PEER_SILENCE`], so that one lost check does not end a session.
const KEEPALIVE: Duration = Duration::from_millis(1_500);

/// A quarter of the usual: the picture waits for the first check that gets through.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// Five seconds of checks: satellite links answer late.
const CHECKS: u16 = 100;

/// Unused in practice: silence closes the connection first.
const ICE_FAILED: Duration = Duration::from_secs(5);

/// Fits an intervention with its signature many times over; larger things go over HTTPS.
pub const MESSAGE_LIMIT_BYTES: usize = 64 * 1024;

/// Packets kept for each viewer's retransmissions: about two seconds of a 4 Mbit/s camera.
const HISTORY_PACKETS: u16 = 1_024;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Video comes in.
    Publish,
    /// Video goes out.
    View,
}

/// What all connections of this gateway share.
pub(super) struct Identity {
    pub(super) certificate: RTCCertificate,
    pub(super) crypto: Arc<dyn RTCCryptoProvider>,
}

/// Builds an engine that knows its own addresses and credentials and waits for an offer.
pub(super) fn build(
    purpose: Purpose,
    identity: &Identity,
    credentials: &Credentials,
    addresses: &[SocketAddr],
    now: Instant,
) -> Result<Box<RTCPeerConnection>> {
    let mut media = media_engine()?;
    let registry = match purpose {
        Purpose::Publish => configure_twcc_receiver_only(Registry::new(), &mut media)?
            .with(Slot::NackGenerator, NackGeneratorBuilder::new().build())
            .with(Slot::ReceiverReport, ReceiverReportBuilder::new().build()),
        Purpose::View => Registry::new()
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
            ),
    };
    let message_limit = u32::try_from(MESSAGE_LIMIT_BYTES).unwrap_or(u32::MAX);
    let settings = SettingEngineBuilder::new()
        .with_crypto_provider(Arc::clone(&identity.crypto))
        .with_ice_credentials(credentials.ufrag.clone(), credentials.password.clone())
        .with_ice_timeouts(Some(PEER_SILENCE), Some(ICE_FAILED), Some(KEEPALIVE))
        .with_ice_connection_attempts(Some(CHECK_INTERVAL), Some(CHECKS))
        .with_prflx_acceptance_min_wait(Some(Duration::ZERO))
        // The peer nominates the path, so it knows last that it is ready: a first flight of ours would come too early
        // and be repeated only after a second.
        .with_answering_dtls_role(RTCDtlsRole::Server)
        .with_multicast_dns_mode(rtc::ice::mdns::MulticastDnsMode::Disabled)
        .with_include_loopback_candidate(true)
        .with_sctp_max_message_size(SctpMaxMessageSize::Bounded(message_limit))
        .build();
    let configuration = RTCConfigurationBuilder::new()
        .with_certificates(vec![identity.certificate.clone()])
        .build();
    let mut engine = RTCPeerConnectionBuilder::new()
        .with_configuration(configuration)
        .with_setting_engine(settings)
        .with_media_engine(media)
        .with_interceptor_registry(registry)
        .build(now)?;
    for address in addresses {
        let candidate = CandidateHostConfig {
            base_config: CandidateConfig {
                network: "udp".to_owned(),
                address: address.ip().to_string(),
                port: address.port(),
                component: 1,
                ..Default::default()
            },
            ..Default::default()
        }
        .new_candidate_host()?;
        engine.add_local_candidate(RTCIceCandidate::from(&candidate).to_json()?)?;
    }
    Ok(Box::new(engine))
}

const CONSTRAINED_BASELINE: &str =
    "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";

const BASELINE: &str = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f";

/// The engine's description of a codec.
pub(super) fn codec_of(codec: Codec) -> RTCRtpCodec {
    match codec {
        Codec::H264 => video_codec(MIME_TYPE_H264, CONSTRAINED_BASELINE),
        Codec::Vp8 => video_codec(MIME_TYPE_VP8, ""),
    }
}

/// The codecs that are forwarded. The payload types here are placeholders: the offer's replace them.
fn media_engine() -> Result<MediaEngine> {
    let mut media = MediaEngine::default();
    for (rtp_codec, payload_type) in [
        (codec_of(Codec::H264), 125),
        (video_codec(MIME_TYPE_H264, BASELINE), 102),
        (codec_of(Codec::Vp8), 96),
    ] {
        let codec = RTCRtpCodecParameters {
            rtp_codec,
            payload_type,
        };
        media.register_codec(codec, RtpCodecKind::Video)?;
    }
    media.register_header_extension(
        RTCRtpHeaderExtensionCapability {
            uri: CAPTURE_TIME_URI.to_owned(),
        },
        RtpCodecKind::Video,
        None,
    )?;
    Ok(media)
}

fn video_codec(mime: &str, fmtp: &str) -> RTCRtpCodec {
    let feedback = [("ccm", "fir"), ("nack", ""), ("nack", "pli")];
    RTCRtpCodec {
        mime_type: mime.to_owned(),
        clock_rate: 90_000,
        channels: 0,
        sdp_fmtp_line: fmtp.to_owned(),
        rtcp_feedback: feedback
            .map(|(kind, parameter)| RTCPFeedback {
                typ: kind.to_owned(),
                parameter: parameter.to_owned(),
            })
            .to_vec(),
    }
}

/// Nearest to the application: every other interceptor has seen the feedback before.
const KEYFRAME_REQUEST_SLOT: usize = 20_000;

/// Lets key frame requests through to us; the engine keeps all other feedback to itself.
#[derive(Default)]
pub(super) struct KeyframeRequests {
    incoming: VecDeque<TaggedPacket>,
    outgoing: VecDeque<TaggedPacket>,
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for KeyframeRequests {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

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
