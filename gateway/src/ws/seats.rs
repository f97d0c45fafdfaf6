//! Places on the live board that are given back whatever ends their session, a panic too.

use crate::{
    app::App,
    live::{Attachment, ConsoleKey, NewAttachment, NewConsole},
};

/// A robot's place.
pub(super) struct RobotSeat {
    app: App,
    attachment: Attachment,
}

impl RobotSeat {
    pub(super) fn take(app: &App, new: NewAttachment) -> Self {
        Self {
            attachment: app.live.attach(new, app.clock.now()),
            app: app.clone(),
        }
    }

    pub(super) const fn attachment(&self) -> Attachment {
        self.attachment
    }

    /// Gives the place back. Says whether it still was the robot's, and no newer session's.
    pub(super) fn leave(self) -> bool {
        self.detach()
    }

    fn detach(&self) -> bool {
        self.app.live.detach(self.attachment, self.app.clock.now())
    }
}

impl Drop for RobotSeat {
    fn drop(&mut self) {
        // After `leave` there is nothing left to give back.
        self.detach();
    }
}

/// A console's place.
pub(super) struct ConsoleSeat {
    app: App,
    key: ConsoleKey,
}

impl ConsoleSeat {
    pub(super) fn take(app: &App, new: NewConsole) -> Self {
        Self {
            key: app.live.open_console(new),
            app: app.clone(),
        }
    }

    pub(super) const fn key(&self) -> ConsoleKey {
        self.key
    }
}

impl Drop for ConsoleSeat {
    fn drop(&mut self) {
        self.app.live.close_console(self.key);
    }
}
