//! Any bytes as a peer's offer and as datagrams, for the fuzz targets: what is claimed of the parsers whatever comes in.

use std::time::Instant;

use protocol::limits::{MAX_CAMERAS, MAX_SDP_BYTES};
use rtc::sdp::description::common::Attribute;

use super::{
    codec::{Codec, KeyframeSeeker},
    offer::{Offer, is_camera_name},
    rewrite::{Incoming, Rewriter},
    socket::named_by,
};

/// Whether the bytes are an offer that a peer could be answered on.
///
/// # Panics
///
/// When a claim does not hold.
pub fn reads_offer(data: &[u8]) -> bool {
    let Ok(sdp) = std::str::from_utf8(data) else {
        return false;
    };
    let Ok(offer) = Offer::parse(sdp) else {
        return false;
    };
    assert!(sdp.len() <= MAX_SDP_BYTES);
    assert!((1..=MAX_CAMERAS).contains(&offer.videos.len()));
    let parsed = offer.description.unmarshal();
    let parsed = parsed.unwrap_or_else(|error| panic!("read once and not again: {error}"));
    let in_sections = parsed.media_descriptions.iter();
    let in_sections = in_sections.flat_map(|section| &section.attributes);
    let mut attributes = parsed.attributes.iter().chain(in_sections);
    assert!(
        !attributes.any(Attribute::is_ice_candidate),
        "a candidate is kept"
    );
    for video in &offer.videos {
        assert!(video.sent_codec().is_some(), "no codec to forward");
    }
    if let Ok(cameras) = offer.published_cameras() {
        assert_eq!(cameras.len(), offer.videos.len());
        assert!(cameras.iter().all(|name| is_camera_name(name)));
    }
    true
}

/// Whether the bytes are a datagram for some connection. As an RTP payload they are looked at, too.
///
/// # Panics
///
/// When a claim does not hold.
pub fn sorts_datagrams(data: &[u8]) -> bool {
    let mut seeker = KeyframeSeeker::default();
    for codec in [Codec::H264, Codec::Vp8] {
        let starts = seeker.starts(codec, 1, data);
        assert!(!starts || !data.is_empty());
        // What comes late is nobody's way in.
        assert!(!seeker.starts(codec, 0, data));
        seeker.reset();
    }
    renumber(data);
    let name = named_by(data);
    if let Some(name) = name {
        assert!(name.len() <= data.len() && !name.contains(':'));
    }
    name.is_some()
}

/// A stream as its numbers come: what goes out of one source keeps its distances.
fn renumber(data: &[u8]) {
    let now = Instant::now();
    let mut rewriter = Rewriter::default();
    let mut last: Option<(Incoming, u16)> = None;
    for chunk in data.chunks_exact(4) {
        let incoming = Incoming {
            source: u64::from(chunk[0] & 1),
            sequence: u16::from_be_bytes([chunk[2], chunk[3]]),
            timestamp: u32::from(chunk[1]),
        };
        let opens = chunk[0] & 2 != 0;
        let Some(outgoing) = rewriter.rewrite(incoming, opens, now) else {
            continue;
        };
        if let Some((before, sent)) = last
            && before.source == incoming.source
            && !opens
        {
            let came = incoming.sequence.wrapping_sub(before.sequence);
            assert_eq!(outgoing.sequence.wrapping_sub(sent), came);
        }
        last = Some((incoming, outgoing.sequence));
    }
}
