//! The views that one console has open: a peer connection each, closed with the console's session.

use std::sync::Arc;

use identity::Permission;
use protocol::{
    RobotId, SiteId,
    console_socket::{MAX_VIEWS, ToConsole},
    limits::MAX_CAMERAS,
};
use tokio::sync::mpsc;

use super::followed_view::{Following, Places};
use crate::{
    app::App,
    flows::jobs::watch_right::{WatchRight, watch_right},
    http::auth::Caller,
    live::{ConsoleKey, Outbox, encode},
};

/// Messages of one view that may wait: commands of one person.
const EVENT_QUEUE: usize = 64;

/// A console's views.
pub(super) struct Views {
    app: App,
    caller: Caller,
    outbox: Outbox,
    places: Places,
}

impl Drop for Views {
    fn drop(&mut self) {
        for view in self.places.taken() {
            self.close(view);
        }
    }
}

impl Views {
    pub(super) fn new(app: App, caller: Caller, key: ConsoleKey, outbox: Outbox) -> Self {
        Self {
            places: Places::new(app.clone(), key),
            app,
            caller,
            outbox,
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
        let (right, site) = match self.check(robot, &cameras).await {
            Ok(checked) => checked,
            Err((code, words)) => return self.refuse(view, code, words),
        };
        let (events, drain) = mpsc::channel(EVENT_QUEUE);
        match self.app.rtc.view(robot, &cameras, &sdp, events).await {
            Ok((viewer, sdp)) => {
                let viewer = Arc::new(viewer);
                let follow = Following {
                    app: self.app.clone(),
                    caller: self.caller.clone(),
                    outbox: self.outbox.clone(),
                    places: self.places.clone(),
                    viewer: Arc::downgrade(&viewer),
                    view,
                    robot,
                    right,
                    may_drive: self.may_drive(site),
                };
                self.places.fill(view, robot, viewer);
                // Before anybody follows it: its answer must not come after its end.
                self.reply(&ToConsole::ViewAnswer { view, sdp });
                tokio::spawn(follow.run(drain));
            }
            Err(refusal) => self.refuse(view, refusal.code(), &refusal.to_string()),
        }
    }

    async fn check(
        &self,
        robot: RobotId,
        cameras: &[String],
    ) -> Result<(WatchRight, SiteId), (&'static str, &'static str)> {
        if self.places.taken().len() >= MAX_VIEWS {
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
        let right = watch_right(&self.app, &self.caller, robot, known.site)
            .await
            .ok_or((
                "role_missing",
                "your roles don't allow to watch this robot, and it is not at work for you",
            ))?;
        // The relay asks the robot's peer connection, which may not be there yet; the view of a camera that will not come would
        // stay black without a word.
        let is_advertised = known.advert.is_none_or(|advert| {
            let has = |name: &String| advert.cameras.iter().any(|camera| camera.name == *name);
            cameras.iter().all(has)
        });
        is_advertised
            .then_some((right, known.site))
            .ok_or(("unknown_camera", "the robot has no such camera"))
    }

    fn may_drive(&self, site: SiteId) -> bool {
        identity::allows(&self.caller.person.roles, Permission::Command, Some(site))
    }

    pub(super) fn close(&mut self, view: u32) {
        self.places.free(view);
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
            self.outbox.reply(frame);
        }
    }
}
