//! The binary socket frames that carry stills: a small fixed header, then a JPEG.
//!
//! Robot to gateway: `1, camera index, captured (i64, big endian, microseconds), JPEG`.
//! Gateway to console: `1, robot id (16 bytes), camera index, captured, JPEG`.

use uuid::Uuid;

use crate::{
    RobotId, UnixMicros,
    limits::{MAX_CAMERAS, MAX_THUMBNAIL_BYTES},
};

/// First byte of every frame of this layout.
const LAYOUT: u8 = 1;

/// A still from one of the robot's cameras.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thumbnail<'bytes> {
    /// Position of the camera in the robot's advert.
    pub camera: u8,
    /// When the picture was taken, by the robot's clock.
    pub captured_at: UnixMicros,
    /// The picture.
    pub jpeg: &'bytes [u8],
}

impl<'bytes> Thumbnail<'bytes> {
    /// The frame that a robot sends.
    pub fn to_robot_frame(&self) -> Vec<u8> {
        let mut frame = Vec::with_capacity(10 + self.jpeg.len());
        frame.push(LAYOUT);
        self.write(&mut frame);
        frame
    }

    /// Reads a robot's frame; `None` when it is not one.
    pub fn parse_robot_frame(frame: &'bytes [u8]) -> Option<Self> {
        let (&LAYOUT, rest) = frame.split_first()? else {
            return None;
        };
        Self::read(rest)
    }

    /// The frame that a console gets.
    pub fn to_console_frame(&self, robot: RobotId) -> Vec<u8> {
        let mut frame = Vec::with_capacity(26 + self.jpeg.len());
        frame.push(LAYOUT);
        frame.extend_from_slice(robot.0.as_bytes());
        self.write(&mut frame);
        frame
    }

    /// Reads a console's frame; `None` when it is not one.
    pub fn parse_console_frame(frame: &'bytes [u8]) -> Option<(RobotId, Self)> {
        let (&LAYOUT, rest) = frame.split_first()? else {
            return None;
        };
        let (robot, rest) = rest.split_first_chunk::<16>()?;
        Some((RobotId(Uuid::from_bytes(*robot)), Self::read(rest)?))
    }

    fn write(&self, frame: &mut Vec<u8>) {
        frame.push(self.camera);
        frame.extend_from_slice(&self.captured_at.0.to_be_bytes());
        frame.extend_from_slice(self.jpeg);
    }

    /// A JPEG opens with FF D8; anything else would be drawn as a broken picture.
    fn read(rest: &'bytes [u8]) -> Option<Self> {
        let (&camera, rest) = rest.split_first()?;
        let (captured, jpeg) = rest.split_first_chunk::<8>()?;
        let is_sound = usize::from(camera) < MAX_CAMERAS
            && jpeg.len() <= MAX_THUMBNAIL_BYTES
            && jpeg.starts_with(&[0xff, 0xd8]);
        is_sound.then_some(Self {
            camera,
            captured_at: UnixMicros(i64::from_be_bytes(*captured)),
            jpeg,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STILL: Thumbnail<'static> = Thumbnail {
        camera: 1,
        captured_at: UnixMicros(1_700_000_000_000_000),
        jpeg: &[0xff, 0xd8, 7, 7],
    };

    #[test]
    fn a_still_survives_both_hops() {
        let robot = RobotId(Uuid::from_u128(9));

        let first = STILL.to_robot_frame();
        let second = STILL.to_console_frame(robot);

        assert_eq!(Thumbnail::parse_robot_frame(&first), Some(STILL));
        assert_eq!(
            Thumbnail::parse_console_frame(&second),
            Some((robot, STILL))
        );
    }

    #[test]
    fn frames_that_are_no_stills_are_turned_away() {
        let whole = STILL.to_robot_frame();
        for length in 0..12 {
            assert_eq!(Thumbnail::parse_robot_frame(&whole[..length]), None);
        }
        let mut wrong_layout = whole.clone();
        wrong_layout[0] = 2;
        let mut wrong_camera = whole.clone();
        wrong_camera[1] = 200;
        let mut no_jpeg = whole;
        no_jpeg[10] = 0;
        for frame in [wrong_layout, wrong_camera, no_jpeg] {
            assert_eq!(Thumbnail::parse_robot_frame(&frame), None);
        }
    }
}
