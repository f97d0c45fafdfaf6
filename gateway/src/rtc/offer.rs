//! Reads a peer's offer: bounds, sections, cameras and codecs. Candidates are left out on purpose.

use rtc::{
    peer_connection::sdp::RTCSessionDescription,
    sdp::description::{common::Attribute, media::MediaDescription},
};

use protocol::limits::{MAX_CAMERAS, MAX_SDP_BYTES};

use super::{codec::Codec, refusal::RtcRefusal};

/// Video sections, one for data, and room for an audio section of a standard client.
const SECTIONS_LIMIT: usize = MAX_CAMERAS + 4;

/// Long enough for `left_wrist_depth_colour`, short enough for a label.
const CAMERA_NAME_LIMIT: usize = 64;

/// An offer that passed every check.
#[derive(Debug)]
pub(super) struct Offer {
    /// The description without the peer's candidates.
    pub(super) description: RTCSessionDescription,
    /// The video sections in order.
    pub(super) videos: Vec<VideoSection>,
    /// Whether the peer wants data channels.
    pub(super) has_data: bool,
}

/// One `m=video`.
#[derive(Debug)]
pub(super) struct VideoSection {
    /// The section's track name, when it sends.
    pub(super) track: Option<String>,
    /// The SSRC of its stream, when it sends and says so.
    pub(super) ssrc: Option<u32>,
    /// The forwardable codecs it lists, in its order. At least one.
    pub(super) codecs: Vec<Codec>,
}

impl Offer {
    /// Reads an offer.
    ///
    /// The peer's candidates are dropped: the gateway is reachable, so the peer's own checks find it, and an offer
    /// cannot make the gateway send packets to an address of somebody else's.
    pub(super) fn parse(sdp: &str) -> Result<Self, RtcRefusal> {
        if sdp.len() > MAX_SDP_BYTES {
            return Err(RtcRefusal::SdpTooLarge);
        }
        let mut cleaned = String::with_capacity(sdp.len() + 64);
        for line in sdp.lines() {
            if line.starts_with("a=candidate:") || line.starts_with("a=end-of-candidates") {
                continue;
            }
            cleaned.push_str(line);
            cleaned.push_str("\r\n");
        }
        let description = RTCSessionDescription::offer(cleaned)
            .map_err(|_unreadable| RtcRefusal::SdpMalformed)?;
        let parsed = description
            .unmarshal()
            .map_err(|_unreadable| RtcRefusal::SdpMalformed)?;

        let sections = &parsed.media_descriptions;
        let in_sections = sections.iter().flat_map(|section| &section.attributes);
        let mut attributes = parsed.attributes.iter().chain(in_sections);
        // The parser takes lines that no honest peer writes: a space or a carriage return before the word.
        if attributes.any(Attribute::is_ice_candidate) {
            return Err(RtcRefusal::SdpMalformed);
        }
        let videos: Vec<VideoSection> = sections
            .iter()
            .filter(|section| section.media_name.media == "video")
            .map(VideoSection::read)
            .collect();
        if videos.is_empty() {
            return Err(RtcRefusal::NoVideo);
        }
        if videos.len() > MAX_CAMERAS {
            return Err(RtcRefusal::TooManyCameras);
        }
        if sections.len() > SECTIONS_LIMIT {
            return Err(RtcRefusal::SdpMalformed);
        }
        if videos.iter().any(|video| video.codecs.is_empty()) {
            return Err(RtcRefusal::CodecUnsupported);
        }
        let has_data = sections
            .iter()
            .any(|section| section.media_name.media == "application");
        Ok(Self {
            description,
            videos,
            has_data,
        })
    }

    /// The cameras a publisher offers, in order: each section's track is named after its camera.
    pub(super) fn published_cameras(&self) -> Result<Vec<String>, RtcRefusal> {
        let mut cameras: Vec<String> = Vec::with_capacity(self.videos.len());
        for video in &self.videos {
            let Some(name) = video.track.as_deref().filter(|name| is_camera_name(name)) else {
                return Err(RtcRefusal::UnknownCamera);
            };
            if cameras.iter().any(|known| known == name) {
                return Err(RtcRefusal::CameraMismatch);
            }
            cameras.push(name.to_owned());
        }
        Ok(cameras)
    }
}

impl VideoSection {
    /// What a publisher sends: the codec it lists first.
    pub(super) fn sent_codec(&self) -> Option<Codec> {
        self.codecs.first().copied()
    }

    fn read(section: &MediaDescription) -> Self {
        let track = section
            .attribute("msid")
            .flatten()
            .and_then(|msid| msid.split_whitespace().nth(1))
            .map(str::to_owned);
        let mut codecs = Vec::new();
        for (payload_type, encoding) in values(section, "rtpmap") {
            let Some(codec) = Codec::from_mime(encoding.split('/').next().unwrap_or(encoding))
            else {
                continue;
            };
            let usable = match codec {
                Codec::H264 => values(section, "fmtp").any(|(of, parameters)| {
                    of == payload_type && parameters.contains("packetization-mode=1")
                }),
                Codec::Vp8 => true,
            };
            if usable && !codecs.contains(&codec) {
                codecs.push(codec);
            }
        }
        let ssrc = values(section, "ssrc").find_map(|(ssrc, _)| ssrc.parse().ok());
        Self {
            track,
            ssrc,
            codecs,
        }
    }
}

/// The attributes of one kind, split into what they are about and the rest.
fn values<'section>(
    section: &'section MediaDescription,
    key: &'static str,
) -> impl Iterator<Item = (&'section str, &'section str)> {
    section
        .attributes
        .iter()
        .filter(move |attribute| attribute.key == key)
        .filter_map(|attribute| attribute.value.as_deref()?.split_once(' '))
}

/// Whether a text can name a camera: it travels in SDP, paths and metric labels.
pub(super) fn is_camera_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= CAMERA_NAME_LIMIT
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}
