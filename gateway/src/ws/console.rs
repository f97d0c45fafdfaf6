//! `GET /api/v1/console/socket`: one browser's session. Lags get a snapshot, never a growing queue.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{
    extract::{
        State,
        ws::{Message, WebSocket},
    },
    response::Response,
};
use futures_util::{SinkExt as _, StreamExt as _, stream::SplitSink};
use identity::Permission;
use protocol::{
    console_socket::{FromConsole, MAX_THUMBNAIL_ROBOTS, SNAPSHOT_COMMANDS, ToConsole},
    limits::{MAX_TEXT_FRAME_BYTES, PROTOCOL_VERSION},
    robot_socket::{Goodbye, HELLO_WITHIN_MS},
};
use tokio::{
    sync::{Notify, mpsc, oneshot},
    time::Instant,
};

use super::{
    WRITE_WITHIN,
    console_views::Views,
    last_word::{first_text, say},
};
use crate::{
    app::App,
    error::ApiError,
    flows::{command_views::latest_commands, issue_command::issue_command},
    http::{
        auth::{Caller, SameOrigin},
        extract::Upgrade,
    },
    live::{ConsoleKey, Frame, NewConsole, Outbox, Sight, encode, snapshot_message},
};

/// A console pings every two seconds; after this long without a frame it is gone.
const SILENT_AFTER: Duration = Duration::from_secs(15);

/// How often the sign-in is checked to still hold, should the log's follower be behind.
const CHECK_EVERY: Duration = Duration::from_secs(15);

/// Upgrades a browser's request. Only from our own pages: cookies travel with any page's socket.
pub(crate) async fn handler(
    State(app): State<App>,
    _origin: SameOrigin,
    caller: Caller,
    Upgrade(upgrade): Upgrade,
) -> Result<Response, ApiError> {
    let sight = caller.sight()?;
    Ok(upgrade
        .max_message_size(MAX_TEXT_FRAME_BYTES)
        .on_upgrade(move |socket| {
            let tracker = app.sessions.clone();
            tracker.track_future(session(app, socket, caller, sight))
        }))
}

async fn session(app: App, mut socket: WebSocket, caller: Caller, sight: Sight) {
    if let Err((reason, words)) = hello(&mut socket).await {
        say(&mut socket, goodbye(reason, words), reason).await;
        return;
    }
    let (outbox, drain) = Outbox::new();
    let (ending, ended) = oneshot::channel();
    let doubt = Arc::<Notify>::default();
    let key = app.live.open_console(NewConsole {
        person: caller.person.person,
        credential: caller.credential.name(),
        watches: caller.may(Permission::Watch).ok(),
        sight,
        outbox: outbox.clone(),
        ending,
        doubt: Arc::clone(&doubt),
    });
    metrics::counter!("nooterra_console_sessions_total").increment(1);
    tracing::debug!(person.id = %caller.person.person, "console connected");

    let (mut sink, mut stream) = socket.split();
    let mut talk = Talk {
        views: Views::new(app.clone(), caller.clone(), key, outbox.clone()),
        app: app.clone(),
        caller,
        key,
        outbox,
    };
    let mut calls = Calls {
        drain,
        ended,
        doubt,
    };
    let (reason, words) = talk.run(&mut sink, &mut stream, &mut calls).await;
    drop(talk);
    app.live.close_console(key);
    tracing::debug!(code = reason.code(), "console left: {words}");
    say(&mut sink, goodbye(reason, words), reason).await;
}

type End = (Goodbye, &'static str);

fn goodbye(reason: Goodbye, words: &str) -> Option<String> {
    serde_json::to_string(&ToConsole::Goodbye {
        reason,
        words: words.to_owned(),
    })
    .ok()
}

async fn hello(socket: &mut WebSocket) -> Result<(), End> {
    let text = first_text(socket, Duration::from_millis(HELLO_WITHIN_MS)).await;
    match text.as_deref().map(serde_json::from_str) {
        Some(Ok(FromConsole::Hello { protocol })) if protocol == PROTOCOL_VERSION => Ok(()),
        Some(Ok(FromConsole::Hello { .. })) => Err((
            Goodbye::ProtocolUnsupported,
            "this page is older or newer than the gateway; load it again",
        )),
        Some(_) => Err((Goodbye::BadFrame, "the first frame must be a hello")),
        None => Err((Goodbye::BadFrame, "no hello came")),
    }
}

/// What the rest of the process has for this session.
struct Calls {
    drain: mpsc::Receiver<Frame>,
    ended: oneshot::Receiver<Goodbye>,
    doubt: Arc<Notify>,
}

struct Talk {
    app: App,
    caller: Caller,
    key: ConsoleKey,
    outbox: Outbox,
    views: Views,
}

impl Talk {
    async fn run(
        &mut self,
        sink: &mut SplitSink<WebSocket, Message>,
        stream: &mut futures_util::stream::SplitStream<WebSocket>,
        calls: &mut Calls,
    ) -> End {
        // What was taken away since the handshake was nobody's session to end.
        if let Err(end) = self.check_sign_in().await {
            return end;
        }
        let welcome = ToConsole::Welcome {
            gateway_at: self.app.clock.micros(),
        };
        if let Err(end) = self.send_snapshot(sink, welcome).await {
            return end;
        }
        let silence = tokio::time::sleep(SILENT_AFTER);
        tokio::pin!(silence);
        let mut check = tokio::time::interval(CHECK_EVERY);
        check.reset();
        loop {
            let went = tokio::select! {
                biased;
                reason = &mut calls.ended => {
                    return (reason.unwrap_or(Goodbye::Restarting), "the sign-in ended");
                }
                () = self.app.stopping.cancelled() => {
                    return (Goodbye::Restarting, "the gateway is going down");
                }
                () = calls.doubt.notified() => self.check_sign_in().await,
                Some(frame) = calls.drain.recv() => self.forward(sink, &mut calls.drain, frame).await,
                message = stream.next() => match message {
                    Some(Ok(message)) => {
                        silence.as_mut().reset(Instant::now() + SILENT_AFTER);
                        self.heard(message).await
                    }
                    Some(Err(_)) => Err((Goodbye::BadFrame, "the socket broke or a frame was too large")),
                    None => Err((Goodbye::Silent, "the console hung up")),
                },
                _ = check.tick() => self.check_sign_in().await,
                () = &mut silence => Err((Goodbye::Silent, "nothing heard from the console")),
            };
            if let Err(end) = went {
                return end;
            }
        }
    }

    /// Sends one frame; a session that lagged gets a fresh picture in place of what it missed.
    async fn forward(
        &mut self,
        sink: &mut SplitSink<WebSocket, Message>,
        drain: &mut mpsc::Receiver<Frame>,
        frame: Frame,
    ) -> Result<(), End> {
        if !self.outbox.is_lagging() {
            return write(sink, frame).await;
        }
        while drain.try_recv().is_ok() {}
        self.outbox.catch_up();
        self.send_snapshot(sink, ToConsole::Resync).await
    }

    async fn send_snapshot(
        &self,
        sink: &mut SplitSink<WebSocket, Message>,
        before: ToConsole,
    ) -> Result<(), End> {
        let Some((robots, degraded)) = self.app.live.snapshot(self.key) else {
            return Err((Goodbye::Restarting, "the session is gone"));
        };
        let ids: Vec<_> = robots.iter().map(|view| view.robot).collect();
        // Without the database the picture is still worth having; the banner says what is missing.
        let commands = latest_commands(&self.app, &ids, SNAPSHOT_COMMANDS)
            .await
            .unwrap_or_default();
        let snapshot = snapshot_message((robots, degraded), commands);
        for message in [before, snapshot] {
            if let Some(frame) = encode(&message) {
                write(sink, frame).await?;
            }
        }
        Ok(())
    }

    async fn check_sign_in(&self) -> Result<(), End> {
        match self.caller.still_holds(&self.app).await {
            Ok(true) | Err(_) => Ok(()),
            Ok(false) => Err((Goodbye::SessionEnded, "the sign-in ended")),
        }
    }

    async fn heard(&mut self, message: Message) -> Result<(), End> {
        match message {
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(frame) => self.take(frame).await,
                Err(error) => {
                    tracing::debug!(%error, "a console's frame can't be read");
                    Err((Goodbye::BadFrame, "a frame can't be read"))
                }
            },
            Message::Binary(_) => Err((Goodbye::BadFrame, "consoles send no binary frames")),
            Message::Close(_) => Err((Goodbye::Silent, "the console hung up")),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
        }
    }

    async fn take(&mut self, frame: FromConsole) -> Result<(), End> {
        match frame {
            FromConsole::Hello { .. } => return Err((Goodbye::BadFrame, "a second hello")),
            FromConsole::WantThumbnails { robots } => {
                if robots.len() > MAX_THUMBNAIL_ROBOTS {
                    return Err((Goodbye::BadFrame, "stills of too many robots at once"));
                }
                let robots: BTreeSet<_> = robots.into_iter().collect();
                self.app.live.want_thumbnails(self.key, robots);
            }
            FromConsole::View {
                view,
                robot,
                cameras,
                sdp,
            } => self.views.open(view, robot, cameras, sdp).await,
            FromConsole::EndView { view } => self.views.close(view),
            FromConsole::Command(request) => {
                let reply = issue_command(&self.app, &self.caller.person, request.clone()).await;
                // The recorded command reaches every console, this one too, through the board.
                if let Err(error) = reply {
                    self.reply(&ToConsole::CommandRefused {
                        command: request.command,
                        code: error.code().to_owned(),
                        words: error.detail().to_owned(),
                    });
                }
            }
            FromConsole::Ping { at } => self.reply(&ToConsole::Pong {
                at,
                gateway_at: self.app.clock.micros(),
            }),
        }
        Ok(())
    }

    fn reply(&self, message: &ToConsole) {
        if let Some(frame) = encode(message) {
            self.outbox.push(frame);
        }
    }
}

async fn write(sink: &mut SplitSink<WebSocket, Message>, frame: Frame) -> Result<(), End> {
    let message = match frame {
        Frame::Text(text) => Message::Text(text),
        Frame::Binary(bytes) => Message::Binary(bytes),
    };
    match tokio::time::timeout(WRITE_WITHIN, sink.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_gone)) => Err((Goodbye::Silent, "the socket broke")),
        Err(_elapsed) => Err((Goodbye::Overloaded, "the console took no frame in time")),
    }
}
