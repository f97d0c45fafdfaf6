//! Makes stills of pictures on a thread of its own, so that the stream does not wait for a JPEG.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::JoinHandle,
};

use protocol::UnixMicros;
use tokio::sync::mpsc::OwnedPermit;

use super::{super::still::still, Frame, Still};

/// Pictures that may wait. A JPEG takes milliseconds and stills are a second apart: a second one waiting means that the
/// machine has no time for stills.
const WAITING: usize = 1;

/// A picture to make a still of.
pub(super) struct Exposed {
    pub(super) frame: Frame,
    pub(super) camera: u8,
    pub(super) captured_at: UnixMicros,
    /// Where the still goes.
    pub(super) place: OwnedPermit<Still>,
}

/// The thread; dropping this ends it.
#[derive(Debug)]
pub(super) struct Developer {
    /// `None` only while dropping.
    exposed: Option<SyncSender<Exposed>>,
    thread: Option<JoinHandle<()>>,
    failed: Arc<AtomicU64>,
}

impl Developer {
    pub(super) fn start(camera: &str) -> std::io::Result<Self> {
        let (exposed, waiting) = sync_channel(WAITING);
        let failed = Arc::new(AtomicU64::new(0));
        let thread = std::thread::Builder::new()
            .name(format!("stills-{camera}"))
            .spawn({
                let failed = Arc::clone(&failed);
                move || run(&waiting, &failed)
            })?;
        Ok(Self {
            exposed: Some(exposed),
            thread: Some(thread),
            failed,
        })
    }

    /// Takes a picture, unless another one waits.
    pub(super) fn take(&self, exposed: Exposed) -> bool {
        let sender = self.exposed.as_ref();
        sender.is_some_and(|sender| sender.try_send(exposed).is_ok())
    }

    /// Stills that could not be made.
    pub(super) fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}

impl Drop for Developer {
    fn drop(&mut self) {
        self.exposed = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a thread that makes stills had failed");
        }
    }
}

fn run(waiting: &Receiver<Exposed>, failed: &AtomicU64) {
    while let Ok(exposed) = waiting.recv() {
        let camera = exposed.camera;
        match still(&exposed.frame) {
            Ok(jpeg) => {
                exposed.place.send(Still {
                    camera,
                    captured_at: exposed.captured_at,
                    jpeg: jpeg.into(),
                });
            }
            Err(failure) => {
                failed.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(camera, %failure, "camera {camera} lost a still");
            }
        }
    }
}
