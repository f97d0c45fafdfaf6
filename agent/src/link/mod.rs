//! The agent's session with its gateway: one socket, one peer connection, both taken up again after every loss.

pub(crate) mod back_off;
mod media;
mod session;
mod socket;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use bytes::Bytes;
use protocol::{
    UnixMicros,
    drive::DriveReport,
    grant::RobotTrust,
    robot::{Advert, Scan, Telemetry},
    robot_socket::{Demand, Goodbye},
};
use rustls::ClientConfig;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use url::Url;
use zeroize::Zeroizing;

use self::back_off::BackOff;
use crate::{
    control::AgentClock,
    journal::Journal,
    orders::FromGateway,
    publish::{CameraSender, CameraSpec},
    work::heard::Heard,
};

/// The journal as its writer and the link share it. Held for one file operation.
#[derive(Debug, Clone)]
pub struct SharedJournal(Arc<Mutex<Journal>>);

impl SharedJournal {
    /// Shares `journal`.
    pub fn new(journal: Journal) -> Self {
        Self(Arc::new(Mutex::new(journal)))
    }

    /// Runs `with` on the journal, off the runtime's threads: it may sync a file.
    pub async fn with<T: Send + 'static>(
        &self,
        with: impl FnOnce(&mut Journal) -> T + Send + 'static,
    ) -> Option<T> {
        let journal = Arc::clone(&self.0);
        let work = move || with(&mut journal.lock().unwrap_or_else(PoisonError::into_inner));
        tokio::task::spawn_blocking(work).await.ok()
    }
}

/// Stills that may wait for the socket: the newest counts.
pub const STILL_QUEUE: usize = 2;

/// A still on its way to the gateway.
#[derive(Debug, Clone)]
pub struct Still {
    /// Position of the camera in the advert.
    pub camera: u8,
    /// When it was taken.
    pub captured_at: UnixMicros,
    /// JPEG.
    pub jpeg: Vec<u8>,
}

/// Where each camera's frames go while a peer connection stands.
pub type Outlets = Arc<BTreeMap<String, CameraSender>>;

/// Everything that the link stands on.
pub struct Link {
    /// The gateway's base address.
    pub gateway: Url,
    /// The bearer token.
    pub token: Zeroizing<String>,
    /// Whom to believe.
    pub trust: Arc<ClientConfig>,
    /// Random for this run of the agent.
    pub run: u64,
    /// The agent's clocks.
    pub clock: AgentClock,
    /// Cameras to publish.
    pub cameras: Vec<CameraSpec>,
    /// The signed events.
    pub journal: SharedJournal,
    /// Changes whenever the journal grew.
    pub journal_grew: watch::Receiver<u64>,
    /// The whole advert, cameras included.
    pub advert: watch::Receiver<Advert>,
    /// The latest state.
    pub telemetry: watch::Receiver<Option<Telemetry>>,
    /// Whom the robot believes.
    pub believes: watch::Receiver<Option<RobotTrust>>,
    /// The latest scan.
    pub scan: watch::Receiver<Option<Scan>>,
    /// Stills.
    pub stills: mpsc::Receiver<Still>,
    /// Orders, and who steers, to the control loop.
    pub orders: mpsc::Sender<FromGateway>,
    /// What pages want of the wheels, to the control loop.
    pub drives: mpsc::Sender<Bytes>,
    /// What the robot says of being driven.
    pub driving: watch::Receiver<Option<DriveReport>>,
    /// What the gateway says of the robot's job, to the control loop.
    pub heard: watch::Sender<Heard>,
    /// What the gateway wants.
    pub demand: watch::Sender<Demand>,
    /// Cameras for which somebody needs a key frame.
    pub keyframes: mpsc::Sender<String>,
    /// Where frames go.
    pub outlets: watch::Sender<Option<Outlets>>,
    /// Tells the link to close its session and end.
    pub hang_up: CancellationToken,
}

/// Why the link gave up for good.
#[derive(Debug, thiserror::Error)]
#[error("the gateway ended the session for good: {words} ({code})", code = reason.code())]
pub struct Dismissed {
    /// Why.
    pub reason: Goodbye,
    /// In words.
    pub words: String,
}

/// How one session ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The gateway said so.
    Goodbye(Goodbye, String),
    /// The connection failed or never came up.
    Lost(String),
    /// The rest of the agent is going down.
    Stopping,
}

impl Link {
    /// Keeps a session up until the gateway dismisses the robot or the agent hangs up.
    pub async fn run(mut self) -> Result<(), Dismissed> {
        let mut back_off = BackOff::default();
        loop {
            let began = Instant::now();
            let end = session::run(&mut self).await;
            self.outlets.send_replace(None);
            self.demand.send_replace(Demand::default());
            match end {
                End::Stopping => return Ok(()),
                End::Goodbye(reason, words) if !reason.may_return() => {
                    return Err(Dismissed { reason, words });
                }
                End::Goodbye(reason, words) => {
                    tracing::warn!(
                        code = reason.code(),
                        "the gateway ended the session: {words}"
                    );
                }
                End::Lost(words) => tracing::warn!("no session with the gateway: {words}"),
            }
            back_off.note_session(began.elapsed());
            tokio::select! {
                () = tokio::time::sleep(back_off.next_wait(rand::random())) => {}
                () = self.hang_up.cancelled() => return Ok(()),
            }
        }
    }
}
