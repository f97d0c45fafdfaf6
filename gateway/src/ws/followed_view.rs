//! One view as it is followed: what comes on its data channel, its end, and the place that it takes among its console's.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use axum::body::Bytes;
use protocol::{
    RobotId,
    console_socket::{FromConsole, ToConsole},
    limits::MAX_TEXT_FRAME_BYTES,
};
use tokio::{
    sync::{broadcast::error::RecvError, mpsc},
    time::Instant,
};

use super::{allowance::Drives, commands};
use crate::{
    app::App,
    flows::jobs::watch_right::{WatchRight, is_at_work_for},
    http::auth::Caller,
    live::{ConsoleKey, Outbox, encode},
    rtc::{ClosedReason, Viewer, ViewerEvent},
};

struct Open {
    robot: RobotId,
    viewer: Arc<Viewer>,
}

/// The views that are open. Shared with who follows them: one that ends by itself gives its place back at once.
#[derive(Clone)]
pub(super) struct Places {
    app: App,
    key: ConsoleKey,
    open: Arc<Mutex<BTreeMap<u32, Open>>>,
}

impl Places {
    pub(super) fn new(app: App, key: ConsoleKey) -> Self {
        Self {
            app,
            key,
            open: Arc::default(),
        }
    }

    pub(super) fn taken(&self) -> Vec<u32> {
        self.open().keys().copied().collect()
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<u32, Open>> {
        // A panic while holding the lock leaves a whole map behind: every change is one call.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn fill(&self, view: u32, robot: RobotId, viewer: Arc<Viewer>) {
        self.open().insert(view, Open { robot, viewer });
        self.app.live.begin_view(self.key, robot);
    }

    pub(super) fn free(&self, view: u32) {
        let opened = self.open().remove(&view);
        self.closed(opened);
    }

    /// Frees the place if it still is this viewer's, and says whether it was.
    fn free_of(&self, view: u32, viewer: &Weak<Viewer>) -> bool {
        let is_its_own = |opened: &Open| std::ptr::eq(Arc::as_ptr(&opened.viewer), viewer.as_ptr());
        let mut open = self.open();
        let opened = open
            .get(&view)
            .is_some_and(is_its_own)
            .then(|| open.remove(&view))
            .flatten();
        drop(open);
        self.closed(opened)
    }

    fn closed(&self, opened: Option<Open>) -> bool {
        let Some(Open { robot, viewer }) = opened else {
            return false;
        };
        drop(viewer);
        self.app.live.end_view(self.key, robot);
        true
    }
}

/// One view, as it is followed until it closes.
pub(super) struct Following {
    pub(super) app: App,
    pub(super) caller: Caller,
    pub(super) outbox: Outbox,
    pub(super) places: Places,
    pub(super) viewer: Weak<Viewer>,
    pub(super) view: u32,
    pub(super) robot: RobotId,
    pub(super) right: WatchRight,
    /// Whether this person may drive the robot, as far as the gateway has a say: the robot itself believes only who was granted it.
    pub(super) may_drive: bool,
}

/// How often a right that hangs on a job is looked at again: within a second of the job's end the picture is gone.
const CHECK_RIGHT_EVERY: Duration = Duration::from_millis(500);

impl Following {
    /// Follows the view to its end.
    pub(super) async fn run(self, mut events: mpsc::Receiver<ViewerEvent>) {
        // An end of the events without a word means that the connection broke.
        let mut last = ClosedReason::Failed.code();
        let mut drives = Drives::new(Instant::now());
        let mut reports = self.app.live.lanes.reports(self.robot);
        // One for the whole view: begun anew for each event, it would never come to an end where a page keeps talking.
        let mut right_falls = pin!(self.right_falls());
        loop {
            let event = tokio::select! {
                biased;
                () = &mut right_falls => {
                    last = "right_ended";
                    break;
                }
                event = events.recv() => event,
                report = reports.recv(), if self.may_drive => {
                    self.report(report);
                    continue;
                }
            };
            let Some(event) = event else { break };
            match event {
                ViewerEvent::Connected => metrics::counter!("nooterra_views_total").increment(1),
                ViewerEvent::Reliable(bytes) => self.take(&bytes).await,
                ViewerEvent::Fast(sealed) => {
                    if self.may_drive && drives.takes(Instant::now()) {
                        self.app.live.lanes.drive(self.robot, sealed);
                    }
                }
                ViewerEvent::Closed { reason } => {
                    last = reason.code();
                    break;
                }
            }
        }
        // A view that the console closed or replaced has no place any more, and is no news.
        if self.places.free_of(self.view, &self.viewer) {
            self.reply(&ToConsole::ViewEnded {
                view: self.view,
                code: last.to_owned(),
            });
        }
    }

    /// What the robot says of being driven; who is behind goes on with the newest.
    fn report(&self, report: Result<Bytes, RecvError>) {
        if let Ok(report) = report
            && let Some(viewer) = self.viewer.upgrade()
        {
            // Worthless when late: the next is under way.
            let _sent = viewer.send_fast(report);
        }
    }

    /// Returns once the job that gave the right gives it no longer. A role's right ends with the session.
    async fn right_falls(&self) {
        if self.right == WatchRight::Role {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(CHECK_RIGHT_EVERY).await;
            if !is_at_work_for(&self.app, self.caller.person.person, self.robot).await {
                return;
            }
        }
    }

    async fn take(&self, bytes: &[u8]) {
        let frame = (bytes.len() <= MAX_TEXT_FRAME_BYTES)
            .then(|| serde_json::from_slice::<FromConsole>(bytes).ok())
            .flatten();
        match frame {
            Some(FromConsole::Command(request)) => {
                let command = request.command;
                match commands::issue(&self.app, &self.caller, request).await {
                    Ok(view) => {
                        // The board tells it on the socket, too.
                        self.send(&ToConsole::Command(view));
                    }
                    Err(error) => self.refuse(&ToConsole::CommandRefused {
                        command,
                        code: error.code().to_owned(),
                        words: error.detail().to_owned(),
                    }),
                }
            }
            Some(FromConsole::Ping { at }) => {
                let pong = ToConsole::Pong {
                    at,
                    gateway_at: self.app.clock.micros(),
                };
                if !self.send(&pong) {
                    self.reply(&pong);
                }
            }
            _ => {
                metrics::counter!("nooterra_frames_refused_total", "channel" => "view")
                    .increment(1);
            }
        }
    }

    /// Both ways: the data channel may be dead and nobody know, and a person who told a robot to stop must learn that it did
    /// not hear it.
    fn refuse(&self, refusal: &ToConsole) {
        self.send(refusal);
        self.reply(refusal);
    }

    /// On the data channel. Says whether it was taken; that it arrives is not certain.
    fn send(&self, message: &ToConsole) -> bool {
        let Ok(text) = serde_json::to_string(message) else {
            return false;
        };
        self.viewer
            .upgrade()
            .is_some_and(|viewer| viewer.send_reliable(Bytes::from(text)).is_ok())
    }

    /// On the socket.
    fn reply(&self, message: &ToConsole) {
        if let Some(frame) = encode(message) {
            self.outbox.reply(frame);
        }
    }
}
