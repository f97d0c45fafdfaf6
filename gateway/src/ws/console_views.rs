//! The views that one console has open: a peer connection each, closed with the console's session.

use std::collections::BTreeMap;

use axum::body::Bytes;
use identity::Permission;
use protocol::{
    RobotId,
    console_socket::{FromConsole, MAX_VIEWS, ToConsole},
    limits::{MAX_CAMERAS, MAX_TEXT_FRAME_BYTES},
};
use tokio::sync::mpsc;

use crate::{
    app::App,
    flows::issue_command::issue_command,
    http::auth::Caller,
    live::{ConsoleKey, Outbox, encode},
    rtc::{Viewer, ViewerEvent},
};

/// Messages of one view that may wait: commands of one person.
const EVENT_QUEUE: usize = 64;

struct Open {
    robot: RobotId,
    viewer: std::sync::Arc<Viewer>,
}

/// A console's views.
pub(super) struct Views {
    app: App,
    caller: Caller,
    key: ConsoleKey,
    outbox: Outbox,
    open: BTreeMap<u32, Open>,
}

impl Drop for Views {
    fn drop(&mut self) {
        let numbers: Vec<_> = self.open.keys().copied().collect();
        for number in numbers {
            self.close(number);
        }
    }
}

impl Views {
    pub(super) const fn new(app: App, caller: Caller, key: ConsoleKey, outbox: Outbox) -> Self {
        Self {
            app,
            caller,
            key,
            outbox,
            open: BTreeMap::new(),
        }
    }

    pub(super) async fn open(
        &mut self,
        view: u32,
        robot: RobotId,
        cameras: Vec<String>,
        sdp: String,
    ) {
        self.close(view);
        if let Err((code, words)) = self.check(robot, &cameras) {
            return self.refuse(view, code, words);
        }
        let (events, drain) = mpsc::channel(EVENT_QUEUE);
        match self.app.rtc.view(robot, &cameras, &sdp, events).await {
            Ok((viewer, sdp)) => {
                let viewer = std::sync::Arc::new(viewer);
                let follow = Following {
                    app: self.app.clone(),
                    caller: self.caller.clone(),
                    outbox: self.outbox.clone(),
                    viewer: std::sync::Arc::downgrade(&viewer),
                    view,
                };
                self.open.insert(view, Open { robot, viewer });
                self.app.live.begin_view(self.key, robot);
                tokio::spawn(follow.run(drain));
                self.reply(&ToConsole::ViewAnswer { view, sdp });
            }
            Err(refusal) => self.refuse(view, refusal.code(), &refusal.to_string()),
        }
    }

    fn check(
        &self,
        robot: RobotId,
        cameras: &[String],
    ) -> Result<(), (&'static str, &'static str)> {
        if self.open.len() >= MAX_VIEWS {
            return Err(("too_many_views", "this console has too many views open"));
        }
        if cameras.len() > MAX_CAMERAS {
            return Err(("too_many_cameras", "too many cameras in one view"));
        }
        // A robot that may not be seen is answered like one that does not exist.
        let known = self.app.live.robot(robot).filter(|view| {
            let sight = self.caller.sight();
            sight.is_ok_and(|sight| sight.covers(view.organisation, view.site))
        });
        let Some(known) = known else {
            return Err(("unknown_robot", "there is no such robot"));
        };
        self.caller
            .may_at(Permission::Watch, known.site)
            .map_err(|_missing| ("role_missing", "your roles don't allow to watch this robot"))
    }

    pub(super) fn close(&mut self, view: u32) {
        if let Some(Open { robot, viewer }) = self.open.remove(&view) {
            drop(viewer);
            self.app.live.end_view(self.key, robot);
        }
    }

    fn refuse(&self, view: u32, code: &str, words: &str) {
        self.reply(&ToConsole::ViewRefused {
            view,
            code: code.to_owned(),
            words: words.to_owned(),
        });
    }

    fn reply(&self, message: &ToConsole) {
        if let Some(frame) = encode(message) {
            self.outbox.push(frame);
        }
    }
}

struct Following {
    app: App,
    caller: Caller,
    outbox: Outbox,
    viewer: std::sync::Weak<Viewer>,
    view: u32,
}

impl Following {
    /// Follows one view until it closes.
    async fn run(self, mut events: mpsc::Receiver<ViewerEvent>) {
        while let Some(event) = events.recv().await {
            match event {
                ViewerEvent::Connected => metrics::counter!("nooterra_views_total").increment(1),
                ViewerEvent::Reliable(bytes) => self.take(&bytes).await,
                // Driving comes with the control lease; until then the fast channel only exists.
                ViewerEvent::Fast(_) => {}
                ViewerEvent::Closed { reason } => {
                    let ended = ToConsole::ViewEnded {
                        view: self.view,
                        code: reason.code().to_owned(),
                    };
                    if let Some(frame) = encode(&ended) {
                        self.outbox.push(frame);
                    }
                }
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
                let message = match issue_command(&self.app, &self.caller.person, request).await {
                    Ok(view) => ToConsole::Command(view),
                    Err(error) => ToConsole::CommandRefused {
                        command,
                        code: error.code().to_owned(),
                        words: error.detail().to_owned(),
                    },
                };
                self.send(&message);
            }
            Some(FromConsole::Ping { at }) => self.send(&ToConsole::Pong {
                at,
                gateway_at: self.app.clock.micros(),
            }),
            _ => {
                metrics::counter!("nooterra_frames_refused_total", "channel" => "view")
                    .increment(1);
            }
        }
    }

    /// On the data channel where it is open, else on the socket: the console must learn it either way.
    fn send(&self, message: &ToConsole) {
        let Ok(text) = serde_json::to_string(message) else {
            return;
        };
        let is_sent = self
            .viewer
            .upgrade()
            .is_some_and(|viewer| viewer.send_reliable(Bytes::from(text)).is_ok());
        if !is_sent && let Some(frame) = encode(message) {
            self.outbox.push(frame);
        }
    }
}
