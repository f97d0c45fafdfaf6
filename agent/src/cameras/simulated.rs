//! The simulated robot's two cameras: how they sit, what they are called, how they see.

use std::sync::Arc;

use protocol::robot::{CameraAdvert, Codec};

use super::{
    encode::EncoderConfig,
    frame::Frame,
    render::{Backdrop, Lens, Painter},
    shoot::Eye,
};
use crate::driver::sim::Stage;

/// Where the cameras sit, the main one first.
pub const CAMERAS: [(&str, &str, Lens); 2] =
    [("head", "Head", Lens::HEAD), ("base", "Base", Lens::BASE)];

/// A camera that looks at the stage of a simulated robot.
#[derive(Debug)]
pub struct SimulatedEye {
    stage: Stage,
    painter: Painter,
}

impl SimulatedEye {
    /// A camera behind this lens; the backdrop is the stage's, shared by its cameras.
    pub fn new(stage: Stage, backdrop: Arc<Backdrop>, lens: Lens) -> Self {
        Self {
            stage,
            painter: Painter::new(backdrop, lens),
        }
    }
}

impl Eye for SimulatedEye {
    fn look(&mut self, frame: &mut Frame) {
        self.painter.paint(&self.stage.moment(), frame);
    }
}

/// What the robot says of such a camera.
pub fn advert(name: &str, label: &str, encoder: EncoderConfig) -> CameraAdvert {
    CameraAdvert {
        name: name.to_owned(),
        label: label.to_owned(),
        codec: Codec::H264,
        width: encoder.width,
        height: encoder.height,
        frames_per_second: encoder.frames_per_second,
        has_thumbnails: true,
    }
}
