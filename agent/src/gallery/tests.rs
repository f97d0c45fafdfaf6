//! Claims about which pictures a robot knows again, and what it keeps of them.

use openh264::decoder::Decoder;
use protocol::picture::{FrameHash, MAX_CLIP_BYTES};

use super::*;
use crate::cameras::{
    encode::{Encoder, EncoderConfig},
    frame::Frame,
    stamp,
};

fn gallery() -> Gallery {
    Gallery::of([
        ("head".to_owned(), Codec::H264),
        ("base".to_owned(), Codec::H264),
    ])
}

fn seen(camera: &str, hash: FrameHash) -> FrameSeen {
    FrameSeen {
        camera: camera.to_owned(),
        captured_at: UnixMicros(0),
        age_ms: 40,
        sha256: Some(hash),
    }
}

/// Frames of a real encoder, each with its number in the picture.
fn film(frames: i64) -> Vec<EncodedFrame> {
    let mut encoder = Encoder::new(EncoderConfig::new(320, 240, 30));
    (0..frames)
        .map(|number| {
            let mut frame = Frame::new(320, 240);
            stamp::draw(&mut frame, number);
            let unit = encoder.encode(&frame, number == 0).unwrap();
            EncodedFrame {
                camera: 0,
                bytes: unit.bytes.into(),
                is_key: unit.is_key,
                captured_at: UnixMicros(number * 33_333),
                rtp_time: 0,
            }
        })
        .collect()
}

#[test]
fn the_picture_that_was_seen_can_be_shown_again_and_is_that_picture() {
    let gallery = gallery();
    let mut easel = gallery.easel("head").unwrap();
    let film = film(80);
    for frame in &film {
        easel.take_frame(frame);
    }
    let number = 70;
    let named = seen("head", FrameHash::of(&h264_normal(&film[number].bytes)));

    assert_eq!(gallery.taken_at(&named), Some(film[number].captured_at));
    let (picture, kept) = gallery.find(&named).unwrap();

    let kept = kept.unwrap();
    assert_eq!(picture, PictureSeen::Kept { clip: kept.hash });
    assert_eq!(ClipHash::of(&kept.bytes), kept.hash);
    assert!(kept.bytes.len() <= MAX_CLIP_BYTES);
    let clip = Clip::from_bytes(&kept.bytes).unwrap();
    assert_eq!(clip.seen(), named.sha256);
    // A key frame came at the sixtieth.
    assert_eq!(clip.frames.len(), 11);
    let mut decoder = Decoder::new().unwrap();
    let mut last = None;
    for frame in &clip.frames {
        let picture = decoder.decode(&frame.bytes).unwrap();
        last = picture.map(|picture| Frame::copied(&picture));
    }
    assert_eq!(stamp::read(&last.unwrap()), Some(70));
}

#[test]
fn a_picture_is_known_at_its_own_camera_alone() {
    let gallery = gallery();
    let frame = film(1).remove(0);
    gallery.easel("head").unwrap().take_frame(&frame);
    let hash = FrameHash::of(&h264_normal(&frame.bytes));

    assert!(matches!(
        gallery.find(&seen("head", hash)),
        Some((PictureSeen::Kept { .. }, Some(_)))
    ));
    for camera in ["base", "nowhere"] {
        assert_eq!(
            gallery.find(&seen(camera, hash)),
            Some((PictureSeen::Unknown, None))
        );
        assert_eq!(gallery.taken_at(&seen(camera, hash)), None);
    }
    let unnamed = FrameSeen {
        sha256: None,
        ..seen("head", hash)
    };
    assert_eq!(gallery.find(&unnamed), None);
    assert!(gallery.easel("nowhere").is_none());
}

fn packet(sequence: u16, timestamp: u32, marker: bool, payload: &'static [u8]) -> RtpPacket {
    RtpPacket {
        payload_type: 96,
        marker,
        sequence,
        timestamp,
        source: 1,
        payload: Bytes::from_static(payload),
        received_at: UnixMicros(i64::from(timestamp)),
    }
}

/// Whether a frame of these bytes is known, and whether it is kept.
fn known(gallery: &Gallery, bytes: &[u8]) -> Option<bool> {
    match gallery.find(&seen("head", FrameHash::of(bytes)))? {
        (PictureSeen::Unknown, _) => None,
        (_, kept) => Some(kept.is_some()),
    }
}

#[test]
fn frames_of_somebody_elses_pipeline_are_known_by_what_their_packets_hold() {
    let gallery = gallery();
    let mut easel = gallery.easel("head").unwrap();
    let packets = [
        packet(1, 100, false, &[0x67, 1]),
        // A key slice in two fragments.
        packet(2, 100, false, &[0x7c, 0x85, 7]),
        packet(3, 100, true, &[0x7c, 0x45, 8]),
        packet(4, 200, true, &[0x61, 9]),
        // A frame is missing before this one.
        packet(6, 300, true, &[0x61, 10]),
        // This one lacks a packet of its own.
        packet(7, 400, false, &[0x61, 11]),
        packet(9, 400, true, &[0x61, 12]),
        packet(10, 500, true, &[0x65, 13]),
    ];
    for packet in &packets {
        easel.take_packet(packet);
    }

    let key: &[u8] = &[0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x65, 7, 8];
    assert_eq!(known(&gallery, key), Some(true));
    assert_eq!(known(&gallery, &[0, 0, 0, 1, 0x61, 9]), Some(true));
    assert_eq!(known(&gallery, &[0, 0, 0, 1, 0x61, 10]), Some(false));
    assert_eq!(known(&gallery, &[0, 0, 0, 1, 0x61, 12]), None);
    assert_eq!(known(&gallery, &[0, 0, 0, 1, 0x65, 13]), Some(true));
}

#[test]
fn a_vp8_frame_is_what_is_behind_its_descriptors() {
    let gallery = Gallery::of([("head".to_owned(), Codec::Vp8)]);
    let mut easel = gallery.easel("head").unwrap();
    let packets = [
        // With a picture id of two bytes.
        packet(1, 100, false, &[0x90, 0x80, 0x81, 2, 0x10, 3]),
        packet(2, 100, true, &[0x80, 0x80, 0x81, 2, 4]),
    ];
    for packet in &packets {
        easel.take_packet(packet);
    }

    assert_eq!(known(&gallery, &[0x10, 3, 4]), Some(true));
}
