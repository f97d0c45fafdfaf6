//! A camera of the robot, whoever takes its pictures.

use protocol::robot::{CameraAdvert, Component};
use tokio::sync::watch;

use super::{
    rtp::{RtpCamera, Signal},
    shoot::Shooting,
};

/// A camera that runs.
#[derive(Debug)]
pub enum Source {
    /// We take and encode the pictures.
    Own {
        /// What takes them.
        shooting: Shooting,
        /// What the robot says of it.
        advert: CameraAdvert,
    },
    /// Somebody else's pipeline sends them.
    Incoming(RtpCamera),
}

impl Source {
    /// What the robot says of this camera, as of now.
    pub fn advert(&self) -> CameraAdvert {
        match self {
            Self::Own { advert, .. } => advert.clone(),
            Self::Incoming(camera) => camera.advert(),
        }
    }

    /// The camera as a part of the robot. Absent for the driver's own cameras: the driver speaks for them.
    pub fn component(&self) -> Option<Component> {
        match self {
            Self::Own { .. } => None,
            Self::Incoming(camera) => Some(camera.component()),
        }
    }

    /// Tells when what is said of this camera has changed. Our own cameras don't change.
    pub fn signal(&self) -> Option<watch::Receiver<Signal>> {
        match self {
            Self::Own { .. } => None,
            Self::Incoming(camera) => Some(camera.signal()),
        }
    }

    /// Starts or stops the stream. It starts where a decoder can.
    pub fn set_wanted(&self, is_wanted: bool) {
        match self {
            Self::Own { shooting, .. } => shooting.set_wanted(is_wanted),
            Self::Incoming(camera) => camera.set_wanted(is_wanted),
        }
    }

    /// Somebody can't go on without a key frame. A foreign encoder can't be asked for one: its next has to do.
    pub fn request_key(&self) {
        if let Self::Own { shooting, .. } = self {
            shooting.request_key();
        }
    }

    /// What was sent so far is lost: a stream that runs begins anew, where a decoder can start.
    pub fn restart(&self) {
        match self {
            Self::Own { shooting, .. } => shooting.request_key(),
            Self::Incoming(camera) => camera.restart(),
        }
    }

    /// Makes one still, also while the stream is off.
    pub fn request_still(&self) {
        match self {
            Self::Own { shooting, .. } => shooting.request_still(),
            Self::Incoming(camera) => camera.request_still(),
        }
    }
}
