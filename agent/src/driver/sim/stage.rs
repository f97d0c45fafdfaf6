//! What the simulated cameras look at: the site and, at every moment, all that moves in it.

use std::sync::{Arc, Mutex, PoisonError};

use protocol::robot::Pose;

use super::{people::Figure, site::Site, solids::Solid};

/// All that moves, at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// Where the robot is.
    pub robot: Pose,
    /// The people.
    pub figures: Vec<Figure>,
    /// Things that lie about.
    pub loose: Arc<[Solid]>,
}

/// The site and its present moment, shared between the simulator and its cameras.
#[derive(Debug, Clone)]
pub struct Stage {
    site: Arc<Site>,
    moment: Arc<Mutex<Moment>>,
}

impl Stage {
    /// A stage at a first moment.
    pub fn new(site: Arc<Site>, moment: Moment) -> Self {
        Self {
            site,
            moment: Arc::new(Mutex::new(moment)),
        }
    }

    /// What stays.
    pub fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// What moves, now.
    pub fn moment(&self) -> Moment {
        self.moment
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Moves things. Held for a copy of a few hundred bytes, so a camera never delays the robot.
    pub(super) fn update(&self, change: impl FnOnce(&mut Moment)) {
        change(&mut self.moment.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
