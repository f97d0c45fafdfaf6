//! What the robot remembers of its own pictures: which frames it took of late, when, and what it takes to decode them.
//!
//! A person's command names the frame that was before them by its hash. The robot looks it up here: a frame that it never took was
//! altered on its way, and one that it took earlier than is claimed was held back. What it takes to show that frame again is kept
//! as a [`Clip`].

mod normal;
mod packets;
mod ring;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use protocol::{
    UnixMicros,
    command::FrameSeen,
    picture::{Clip, ClipFault, ClipHash, PictureSeen},
    robot::Codec,
};

use self::{normal::h264_normal, packets::FrameOfPackets, ring::Ring};
use crate::cameras::{rtp::RtpPacket, shoot::EncodedFrame};

/// The pictures of every camera. Cheap to clone; the clones are of the same pictures.
#[derive(Debug, Clone, Default)]
pub struct Gallery {
    albums: Arc<[Album]>,
}

/// The pictures of one camera.
#[derive(Debug)]
struct Album {
    camera: String,
    codec: Codec,
    ring: Mutex<Ring>,
}

/// A clip that is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its name.
    pub hash: ClipHash,
    /// What is hashed.
    pub bytes: Vec<u8>,
}

impl Gallery {
    /// For these cameras, each by its name.
    pub fn of(cameras: impl IntoIterator<Item = (String, Codec)>) -> Self {
        let album = |(camera, codec)| Album {
            camera,
            codec,
            ring: Mutex::default(),
        };
        Self {
            albums: cameras.into_iter().map(album).collect(),
        }
    }

    fn album(&self, camera: &str) -> Option<&Album> {
        self.albums.iter().find(|album| album.camera == camera)
    }

    /// Where the pictures of a camera go; none for a camera that is not there.
    pub fn easel(&self, camera: &str) -> Option<Easel> {
        let place = (self.albums.iter()).position(|album| album.camera == camera)?;
        Some(Easel {
            gallery: self.clone(),
            place,
            packets: FrameOfPackets::default(),
        })
    }

    /// When the robot itself took the frame that a command names by its hash; none where it took no such frame of late.
    pub fn taken_at(&self, seen: &FrameSeen) -> Option<UnixMicros> {
        let hash = seen.sha256?;
        self.album(&seen.camera)?.ring().taken_at(hash)
    }

    /// What the robot knows of the frame that a command names by its hash, and the clip that is to be kept of it. None where the
    /// command names no hash.
    pub fn find(&self, seen: &FrameSeen) -> Option<(PictureSeen, Option<Kept>)> {
        let hash = seen.sha256?;
        let Some(album) = self.album(&seen.camera) else {
            return Some((PictureSeen::Unknown, None));
        };
        let found = {
            let ring = album.ring();
            if ring.taken_at(hash).is_none() {
                return Some((PictureSeen::Unknown, None));
            }
            ring.group_up_to(hash)
        };
        let Some(frames) = found else {
            return Some((PictureSeen::Known, None));
        };
        let clip = Clip {
            camera: album.camera.clone(),
            codec: album.codec,
            frames: frames.collect(),
        };
        Some(match kept(&clip) {
            Ok(kept) => (PictureSeen::Kept { clip: kept.hash }, Some(kept)),
            Err(fault) => {
                tracing::warn!(%fault, "a picture is not kept");
                (PictureSeen::Known, None)
            }
        })
    }
}

fn kept(clip: &Clip) -> Result<Kept, ClipFault> {
    let bytes = clip.to_bytes()?;
    Ok(Kept {
        hash: ClipHash::of(&bytes),
        bytes,
    })
}

impl Album {
    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the pictures of one camera, as they leave it.
#[derive(Debug)]
pub struct Easel {
    gallery: Gallery,
    place: usize,
    packets: FrameOfPackets,
}

impl Easel {
    fn album(&self) -> Option<&Album> {
        self.gallery.albums.get(self.place)
    }

    /// A frame that we encoded.
    pub fn take_frame(&mut self, frame: &EncodedFrame) {
        if let Some(album) = self.album() {
            let bytes = h264_normal(&frame.bytes);
            album.ring().push(frame.is_key, frame.captured_at, bytes);
        }
    }

    /// A packet of somebody else's frame.
    pub fn take_packet(&mut self, packet: &RtpPacket) {
        let Some(codec) = self.album().map(|album| album.codec) else {
            return;
        };
        let Some(frame) = self.packets.push(codec, packet) else {
            return;
        };
        if let Some(album) = self.album() {
            let mut ring = album.ring();
            if frame.follows_gap && !frame.is_key {
                ring.breaks();
            }
            match frame.bytes {
                Some(bytes) => ring.push(frame.is_key, frame.captured_at, Bytes::from(bytes)),
                None => ring.breaks(),
            }
        }
    }
}

#[cfg(test)]
mod tests;
