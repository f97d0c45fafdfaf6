//! The last frames of one camera, in groups that each begin with a key frame. Pure, and bounded in time, number and bytes: all
//! are known again by their hash for as long, whatever there is room to show.

use std::collections::VecDeque;

use bytes::Bytes;
use protocol::{
    UnixMicros,
    picture::{ClipFrame, FrameHash, MAX_CLIP_FRAME_BYTES, MAX_CLIP_FRAMES},
};

/// A frame is asked for within the time that a command may travel, and what is decoded before it is two seconds old at most.
const LASTS_US: i64 = 12_000_000;

/// Bytes of frames at most: ten groups of the largest that can be shown. Older ones keep their hash and their time alone.
const MOST_BYTES: usize = 10 * MAX_CLIP_FRAME_BYTES;

/// Frames at most: sixty a second, and some. Each is a key frame where a camera wishes so.
const MOST_FRAMES: usize = 1_024;

#[derive(Debug)]
struct Remembered {
    hash: FrameHash,
    captured_at: UnixMicros,
    bytes: Bytes,
}

/// Frames of which each but the first builds on the one before.
#[derive(Debug, Default)]
struct Group {
    frames: Vec<Remembered>,
    /// How many of them can be decoded from what is here.
    whole: usize,
    bytes: usize,
}

impl Group {
    /// It can't be shown any more.
    fn forget_bytes(&mut self) {
        for frame in &mut self.frames {
            frame.bytes = Bytes::new();
        }
        (self.whole, self.bytes) = (0, 0);
    }
}

/// The frames.
#[derive(Debug, Default)]
pub(super) struct Ring {
    groups: VecDeque<Group>,
    is_broken: bool,
}

impl Ring {
    /// Takes the next frame.
    pub(super) fn push(&mut self, is_key: bool, captured_at: UnixMicros, bytes: Bytes) {
        let is_full = |group: &Group| group.frames.len() >= MAX_CLIP_FRAMES;
        if is_key || self.groups.back().is_none_or(is_full) {
            self.groups.push_back(Group::default());
            self.is_broken = !is_key;
        }
        let (groups, broken) = (&mut self.groups, self.is_broken);
        if let Some(group) = groups.back_mut() {
            let hash = FrameHash::of(&bytes);
            let fits = group.bytes + bytes.len() <= MAX_CLIP_FRAME_BYTES;
            let is_next = group.whole == group.frames.len();
            let bytes = if fits && is_next && !broken {
                group.whole += 1;
                group.bytes += bytes.len();
                bytes
            } else {
                Bytes::new()
            };
            group.frames.push(Remembered {
                hash,
                captured_at,
                bytes,
            });
        }
        let is_over = |group: &Group| {
            let newest = group.frames.last().map(|frame| frame.captured_at);
            newest.is_none_or(|newest| captured_at.since(newest) > LASTS_US)
        };
        while self.frames() > MOST_FRAMES || self.groups.front().is_some_and(is_over) {
            self.groups.pop_front();
        }
        let mut bytes: usize = self.groups.iter().map(|group| group.bytes).sum();
        for group in &mut self.groups {
            if bytes <= MOST_BYTES {
                break;
            }
            bytes -= group.bytes;
            group.forget_bytes();
        }
    }

    fn frames(&self) -> usize {
        self.groups.iter().map(|group| group.frames.len()).sum()
    }

    /// A frame is missing: what comes before the next key frame can't be decoded.
    pub(super) const fn breaks(&mut self) {
        self.is_broken = true;
    }

    fn place(&self, hash: FrameHash) -> Option<(&Group, usize)> {
        self.groups.iter().rev().find_map(|group| {
            let at = group.frames.iter().rposition(|frame| frame.hash == hash)?;
            Some((group, at))
        })
    }

    /// When the frame was taken.
    pub(super) fn taken_at(&self, hash: FrameHash) -> Option<UnixMicros> {
        let (group, at) = self.place(hash)?;
        group.frames.get(at).map(|frame| frame.captured_at)
    }

    /// What is decoded to show the frame: its group, from the key frame up to itself. None where a part of it is missing.
    pub(super) fn group_up_to(
        &self,
        hash: FrameHash,
    ) -> Option<impl Iterator<Item = ClipFrame> + use<>> {
        let (group, at) = self.place(hash)?;
        let frames = group.frames.get(..=at).filter(|_| at < group.whole)?;
        let clip_frames: Vec<(UnixMicros, Bytes)> = frames
            .iter()
            .map(|frame| (frame.captured_at, frame.bytes.clone()))
            .collect();
        Some(
            clip_frames
                .into_iter()
                .map(|(captured_at, bytes)| ClipFrame {
                    captured_at,
                    bytes: bytes.into(),
                }),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(number: i64) -> Bytes {
        Bytes::from(number.to_be_bytes().to_vec())
    }

    fn at(number: i64) -> UnixMicros {
        UnixMicros(number * 33_333)
    }

    /// Thirty frames a second from the first on, with a key frame every sixty.
    fn filled(frames: i64) -> Ring {
        let mut ring = Ring::default();
        for number in 0..frames {
            ring.push(number % 60 == 0, at(number), frame(number));
        }
        ring
    }

    fn decoded(ring: &Ring, number: i64) -> Option<Vec<i64>> {
        let frames = ring.group_up_to(FrameHash::of(&frame(number)))?;
        Some(
            frames
                .map(|frame| i64::from_be_bytes(frame.bytes.try_into().unwrap()))
                .collect(),
        )
    }

    #[test]
    fn a_frame_is_found_with_all_that_it_builds_on() {
        let ring = filled(130);

        assert_eq!(ring.taken_at(FrameHash::of(&frame(70))), Some(at(70)));
        assert_eq!(decoded(&ring, 62), Some(vec![60, 61, 62]));
        assert_eq!(decoded(&ring, 120), Some(vec![120]));
        assert_eq!(ring.taken_at(FrameHash::of(b"never taken")), None);
        assert_eq!(decoded(&ring, 131), None);
    }

    #[test]
    fn what_is_older_than_the_ring_is_forgotten() {
        let ring = filled(1_000);
        let known = |number| ring.taken_at(FrameHash::of(&frame(number))).is_some();

        assert!(known(999) && known(700));
        assert!(!known(500));
    }

    #[test]
    fn after_a_gap_frames_are_known_but_not_shown_until_the_next_key_frame() {
        let mut ring = filled(10);
        ring.breaks();
        ring.push(false, at(11), frame(11));

        assert_eq!(ring.taken_at(FrameHash::of(&frame(11))), Some(at(11)));
        assert_eq!(decoded(&ring, 11), None);
        assert!(decoded(&ring, 9).is_some());
        ring.push(true, at(12), frame(12));
        ring.push(false, at(13), frame(13));
        assert_eq!(decoded(&ring, 13), Some(vec![12, 13]));
    }

    #[test]
    fn a_group_that_is_too_much_keeps_its_hashes_alone() {
        let mut ring = Ring::default();
        let half = MAX_CLIP_FRAME_BYTES / 2;
        for number in 0..3_u8 {
            ring.push(
                number == 0,
                at(i64::from(number)),
                Bytes::from(vec![number; half]),
            );
        }
        let hash = |number: u8| FrameHash::of(&vec![number; half]);
        assert!(ring.group_up_to(hash(1)).is_some());
        assert!(ring.group_up_to(hash(2)).is_none());
        assert!(ring.taken_at(hash(2)).is_some());

        for number in 3..5_000_i64 {
            ring.push(false, at(3), frame(number));
        }
        assert!(ring.frames() <= MOST_FRAMES, "{}", ring.frames());
        let known = ring.taken_at(FrameHash::of(&frame(4_999)));
        assert_eq!(known, Some(at(3)));
    }

    #[test]
    fn a_camera_that_sends_key_frames_alone_is_remembered_as_long_as_any_other() {
        let mut ring = Ring::default();
        let large = |number: i64| {
            let mut bytes = vec![0; 100_000];
            bytes[..8].copy_from_slice(&number.to_be_bytes());
            Bytes::from(bytes)
        };
        for number in 0..600 {
            ring.push(true, at(number), large(number));
        }
        let hash = |number: i64| FrameHash::of(&large(number));

        assert_eq!(ring.taken_at(hash(599 - 350)), Some(at(599 - 350)));
        assert_eq!(
            ring.taken_at(hash(599 - 400)),
            None,
            "over twelve seconds old"
        );
        // As far as there is room, it can be shown.
        assert!(ring.group_up_to(hash(520)).is_some());
        assert!(ring.group_up_to(hash(400)).is_none());
        let bytes: usize = ring.groups.iter().map(|group| group.bytes).sum();
        assert!(bytes <= MOST_BYTES, "{bytes}");
    }
}
