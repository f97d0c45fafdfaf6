//! Claims about a camera that comes in as RTP, against a pipeline on loopback.

use openh264::nal_units;

use super::*;
use crate::cameras::encode::{Encoder, EncoderConfig};

struct Bench {
    camera: RtpCamera,
    sender: UdpSocket,
    packets: mpsc::Receiver<RtpPacket>,
    stills: mpsc::Receiver<Still>,
    sequence: u16,
}

async fn bench(codec: Codec, room: usize) -> Bench {
    let (packets_in, packets) = mpsc::channel(room);
    let (stills_in, stills) = mpsc::channel(2);
    let config = IncomingCamera {
        name: "door".to_owned(),
        label: "Door".to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        codec,
    };
    let sinks = RtpSinks {
        packets: packets_in,
        stills: stills_in,
    };
    Bench {
        camera: RtpCamera::open(3, config, sinks).await.unwrap(),
        sender: UdpSocket::bind("127.0.0.1:0").await.unwrap(),
        packets,
        stills,
        sequence: 0,
    }
}

impl Bench {
    /// Sends one unit, whole or in fragments of `part` bytes, as a pipeline would.
    async fn send_unit(&mut self, unit: &[u8], time: u32, is_last: bool, part: usize) {
        let mut payloads = Vec::new();
        if unit.len() <= part {
            payloads.push(unit.to_vec());
        } else {
            let count = unit[1..].chunks(part).count();
            for (index, chunk) in unit[1..].chunks(part).enumerate() {
                let start = if index == 0 { 0x80 } else { 0 };
                let end = if index + 1 == count { 0x40 } else { 0 };
                let mut payload = vec![unit[0] & 0xe0 | 0x1c, start | end | unit[0] & 0x1f];
                payload.extend_from_slice(chunk);
                payloads.push(payload);
            }
        }
        let count = payloads.len();
        for (index, payload) in payloads.into_iter().enumerate() {
            let marker = u8::from(is_last && index + 1 == count) << 7;
            let mut datagram = vec![0x80, marker | 0x60];
            datagram.extend_from_slice(&self.sequence.to_be_bytes());
            datagram.extend_from_slice(&time.to_be_bytes());
            datagram.extend_from_slice(&[0, 0, 0, 1]);
            datagram.extend_from_slice(&payload);
            self.sequence += 1;
            self.sender
                .send_to(&datagram, self.camera.local_addr())
                .await
                .unwrap();
        }
    }

    /// Sends a frame; gives it as it should come out.
    async fn send_frame(&mut self, bytes: &[u8], time: u32) -> Vec<u8> {
        let units: Vec<Vec<u8>> = nal_units(bytes)
            .map(|nal| {
                let start = nal.iter().position(|byte| *byte == 1).unwrap() + 1;
                let end = nal.iter().rposition(|byte| *byte != 0).unwrap() + 1;
                nal[start..end].to_vec()
            })
            .collect();
        for (index, unit) in units.iter().enumerate() {
            let is_last = index + 1 == units.len();
            self.send_unit(unit, time, is_last, 1_000).await;
        }
        let framed = units.iter().map(|unit| [&[0, 0, 0, 1], &unit[..]].concat());
        framed.collect::<Vec<_>>().concat()
    }
}

fn picture() -> Frame {
    let mut frame = Frame::new(320, 240);
    for (index, luma) in frame.planes().luma.iter_mut().enumerate() {
        *luma = u8::try_from(index * 31 % 211).unwrap() / 2 + 40;
    }
    frame
}

#[tokio::test]
async fn a_pipelines_packets_pass_on_while_wanted_as_they_came() {
    let mut bench = bench(Codec::H264, 64).await;
    let mut encoder = Encoder::new(EncoderConfig::new(320, 240, 30));
    let key = encoder.encode(&picture(), false).unwrap();
    bench.camera.set_wanted(true);
    let sent = bench.send_frame(&key.bytes, 9_000).await;

    let mut received = Vec::new();
    loop {
        let packet = bench.packets.recv().await.unwrap();
        assert_eq!(packet.timestamp, 9_000);
        let is_last = packet.marker;
        received.push(packet);
        if is_last {
            break;
        }
    }

    assert!(received.len() > 4, "{} packets", received.len());
    assert!(access_unit(&received).unwrap() == sent);
}

#[tokio::test]
async fn a_stream_that_begins_anew_begins_with_the_last_key_frame() {
    let mut bench = bench(Codec::H264, 64).await;
    let mut encoder = Encoder::new(EncoderConfig::new(320, 240, 30));
    let key = encoder.encode(&picture(), false).unwrap();
    bench.camera.set_wanted(true);
    bench.send_frame(&key.bytes, 9_000).await;
    let mut first = Vec::new();
    while first.last().is_none_or(|packet: &RtpPacket| !packet.marker) {
        first.push(bench.packets.recv().await.unwrap());
    }

    bench.camera.restart();

    for packet in first {
        assert_eq!(bench.packets.recv().await.unwrap(), packet);
    }
}

#[tokio::test]
async fn a_still_is_made_of_the_last_key_frame() {
    let mut bench = bench(Codec::H264, 64).await;
    let mut encoder = Encoder::new(EncoderConfig::new(320, 240, 30));
    let key = encoder.encode(&picture(), false).unwrap();
    bench.camera.set_wanted(true);
    bench.send_frame(&key.bytes, 9_000).await;
    while !bench.packets.recv().await.unwrap().marker {}

    bench.camera.request_still();

    let still = bench.stills.recv().await.unwrap();
    assert_eq!(still.camera, 3);
    assert!(still.jpeg.starts_with(&[0xff, 0xd8]));
}

#[tokio::test]
async fn garbage_is_counted_and_does_not_disturb_the_stream() {
    let mut bench = bench(Codec::H264, 64).await;
    bench.camera.set_wanted(true);
    for garbage in [&b"hello"[..], &[0; 1_600], &[0x80; 12], &[0xff; 700]] {
        let address = bench.camera.local_addr();
        bench.sender.send_to(garbage, address).await.unwrap();
    }
    bench.send_unit(&[0x65, 1, 2], 5, true, 1_000).await;

    let packet = bench.packets.recv().await.unwrap();
    assert_eq!(packet.payload[..], [0x65, 1, 2]);
    let mut signal = bench.camera.signal();
    signal
        .wait_for(|signal| matches!(signal, Signal::Live { .. }))
        .await
        .unwrap();
    let counters = bench.camera.counters();
    assert_eq!((counters.oversized, counters.malformed), (1, 3));
    assert_eq!(bench.camera.component().health, Health::Ok);
}

#[tokio::test]
async fn a_camera_of_vp8_says_that_it_has_no_stills() {
    let bench = bench(Codec::Vp8, 4).await;

    assert!(!bench.camera.advert().has_thumbnails);
    assert!(bench.camera.component().words.starts_with("no_signal"));
}
