//! What carries pictures: RTP from other programs' cameras, offers of peers, and datagrams at the gateway's one port. The claims
//! stand beside the parsers, which nobody else can call.

use crate::{Seed, Target, input::block};

pub(crate) const RTP: Target = Target {
    name: "rtp",
    run: agent::cameras::rtp::fuzzed::takes,
    seeds: rtp_seeds,
    longest: 4_096,
};

pub(crate) const OFFER: Target = Target {
    name: "offer",
    run: gateway::rtc::fuzzed::reads_offer,
    seeds: offer_seeds,
    longest: 8_192,
};

pub(crate) const DATAGRAM: Target = Target {
    name: "datagram",
    run: gateway::rtc::fuzzed::sorts_datagrams,
    seeds: datagram_seeds,
    longest: 2_048,
};

/// A datagram behind how long after the last it comes, tens of milliseconds.
fn datagram(after: u8, sequence: u8, timestamp: u8, payload: &[u8]) -> Vec<u8> {
    let header = [0x80, 0xe0, 0, sequence, 0, 0, 0, timestamp, 0, 0, 0, 1];
    [&[after], &block(&[&header, payload].concat())[..]].concat()
}

fn rtp_seeds() -> Vec<Seed> {
    let h264: [&[u8]; 8] = [
        &[0x67, 0x42, 0xc0, 0x1f],
        &[0x68, 0xce, 0x3c, 0x80],
        &[0x65, 1, 2, 3],
        &[0x61, 4, 5],
        &[0x7c, 0x85, 9, 9],
        &[0x7c, 0x45, 9, 9],
        &[0x78, 0, 2, 0x67, 1, 0, 2, 0x68, 1, 0, 2, 0x65, 9],
        &[0x78, 0, 9, 0x65, 1],
    ];
    let vp8: [&[u8]; 4] = [
        &[0x10, 0x10, 2, 3],
        &[0x90, 0xf0, 0x81, 1, 2, 3, 0x10],
        &[0x10, 0x11, 2],
        &[0x90, 0x80],
    ];
    let stream = |codec: u8, payloads: &[&[u8]]| {
        let numbered = (1..).zip(payloads);
        let datagrams = numbered.map(|(number, payload)| datagram(3, number, number / 4, payload));
        [vec![codec], datagrams.collect::<Vec<_>>().concat()].concat()
    };
    let mut extended = vec![0xb1, 0xe0, 1, 2, 0, 0, 3, 4, 9, 9, 9, 9, 0, 0, 0, 5];
    extended.extend([0xbe, 0xde, 0, 1, 1, 2, 3, 4, 0x65, 0x42, 0, 2]);
    vec![
        Seed::new("h264", stream(0, &h264)),
        Seed::new("vp8", stream(1, &vp8)),
        Seed::new("extended", [&[0, 3], &block(&extended)[..]].concat()),
        Seed::new("cut", [&[0, 3], &block(&extended[..11])[..]].concat()),
    ]
}

const OFFER_TEXT: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=fingerprint:sha-256 00:11\r\n\
    a=candidate:1 1 udp 1 10.0.0.1 5000 typ host\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\n\
    a=sendonly\r\na=msid:stream head\r\na=ssrc:77 cname:x\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1;profile-level-id=42e01f\r\n\
    a=rtpmap:97 VP8/90000\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=setup:actpass\r\na=rtcp-mux\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=sctp-port:5000\r\n";

fn offer_seeds() -> Vec<Seed> {
    let two = OFFER_TEXT.replace("m=application", "m=video");
    let none = OFFER_TEXT.replace("m=video", "m=audio");
    vec![
        Seed::new("a camera and data", OFFER_TEXT),
        Seed::new("without data", two),
        Seed::new("without video", none),
        Seed::new("line feeds only", OFFER_TEXT.replace("\r\n", "\n")),
        Seed::new("no ssrc", OFFER_TEXT.replace("a=ssrc:77 cname:x\r\n", "")),
    ]
}

fn datagram_seeds() -> Vec<Seed> {
    let mut check = vec![0, 1, 0, 16, 0x21, 0x12, 0xa4, 0x42];
    check.extend([7; 12]);
    check.extend([0, 6, 0, 9]);
    check.extend(b"ours:them\0\0\0");
    let rtp = [
        &[0x80, 0x60, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1][..],
        &[0x65, 1, 2, 3],
    ]
    .concat();
    vec![
        Seed::new("check", check),
        Seed::new("handshake", vec![22; 40]),
        Seed::new("media", rtp),
        Seed::new("aggregate", vec![0x78, 0, 2, 0x67, 1, 0, 1, 0x68]),
        Seed::new("vp8", vec![0x90, 0xf0, 0x85, 1, 2, 3, 0x10]),
    ]
}
