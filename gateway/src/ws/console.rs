//! `GET /api/v1/console/socket`: one browser's session. Lags get a snapshot, never a growing queue.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::{
        State,
        ws::{Message, WebSocket},
    },
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::{SinkExt as _, StreamExt as _, stream::SplitSink};
use identity::Permission;
use protocol::{
    RobotId,
    console_socket::{
        FromConsole, MAX_THUMBNAIL_ROBOTS, SNAPSHOT_ASSISTS, SNAPSHOT_COMMANDS, ToConsole,
    },
    drive::MAX_SEALED_DRIVE_BYTES,
    limits::{MAX_TEXT_FRAME_BYTES, PROTOCOL_VERSION},
    robot_socket::{Goodbye, HELLO_WITHIN_MS, ToRobot},
    views::AssistView,
};
use tokio::{
    sync::{Notify, oneshot},
    time::{Instant, MissedTickBehavior},
};

use super::{
    WRITE_WITHIN,
    allowance::Drives,
    commands,
    console_views::Views,
    last_word::{first_text, say, unread},
    present::Signs,
    seats::ConsoleSeat,
};
use crate::{
    app::App,
    error::ApiError,
    flows::{command_views::latest_commands, control::views::controls, jobs::calls::open_calls},
    http::{
        auth::{Caller, SameOrigin},
        extract::Upgrade,
    },
    live::{ConsoleKey, Drain, Frame, NewConsole, Outbox, Queued, Sight, encode, snapshot_message},
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
    let greeted = tokio::select! {
        biased;
        () = app.stopping.cancelled() => Err(ended_by_us(Goodbye::Restarting)),
        greeted = hello(&mut socket) => greeted,
    };
    if let Err((reason, words)) = greeted {
        say(&mut socket, goodbye(reason, words), reason).await;
        return;
    }
    let (outbox, mut drain) = Outbox::new();
    let (ending, ended) = oneshot::channel();
    let doubt = Arc::<Notify>::default();
    let seat = ConsoleSeat::take(
        &app,
        NewConsole {
            person: caller.person.person,
            credential: caller.credential.name(),
            watches: caller.may(Permission::Watch).ok(),
            jobs: caller.may(Permission::SeeJobs).ok(),
            calls: caller.may(Permission::RunJobs).ok(),
            cases: caller.may(Permission::Review).ok(),
            sight,
            outbox: outbox.clone(),
            ending,
            doubt: Arc::clone(&doubt),
        },
    );
    metrics::counter!("nooterra_console_sessions_total").increment(1);
    tracing::debug!(person.id = %caller.person.person, "console connected");

    let (mut sink, mut stream) = socket.split();
    let key = seat.key();
    let mut talk = Talk {
        views: Views::new(app.clone(), caller.clone(), key, outbox.clone()),
        app: app.clone(),
        caller: caller.clone(),
        key,
        outbox: outbox.clone(),
        signs: Signs::default(),
        drives: Drives::new(Instant::now()),
    };
    // Around the whole talk and not between its steps: a console that takes no frame must not outlive its sign-in by that.
    let (reason, words) = tokio::select! {
        biased;
        reason = ended => ended_by_us(reason.unwrap_or(Goodbye::Restarting)),
        () = app.stopping.cancelled() => ended_by_us(Goodbye::Restarting),
        () = outbox.overloaded() => (Goodbye::Overloaded, "the console left too many answers unread"),
        end = sign_in_falls(&app, &caller, &doubt) => end,
        end = talk.run(&mut sink, &mut stream, &mut drain) => end,
    };
    drop(talk);
    drop(seat);
    tracing::debug!(code = reason.code(), "console left: {words}");
    if let Ok(mut socket) = sink.reunite(stream) {
        say(&mut socket, goodbye(reason, words), reason).await;
    }
}

const fn ended_by_us(reason: Goodbye) -> End {
    let words = match reason {
        Goodbye::Restarting => "the gateway is going down",
        Goodbye::SessionEnded => "the sign-in ended",
        Goodbye::Superseded
        | Goodbye::Revoked
        | Goodbye::ProtocolUnsupported
        | Goodbye::BadFrame
        | Goodbye::Silent
        | Goodbye::Overloaded => "the session was ended",
    };
    (reason, words)
}

/// Looks whether the sign-in still stands, now and then and when there is doubt; returns once it does not.
async fn sign_in_falls(app: &App, caller: &Caller, doubt: &Notify) -> End {
    let mut check = tokio::time::interval(CHECK_EVERY);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    check.reset();
    loop {
        tokio::select! {
            () = doubt.notified() => {}
            _ = check.tick() => {}
        }
        if let Err(end) = check_sign_in(app, caller).await {
            return end;
        }
    }
}

async fn check_sign_in(app: &App, caller: &Caller) -> Result<(), End> {
    match caller.still_holds(app).await {
        Ok(true) | Err(_) => Ok(()),
        Ok(false) => Err(ended_by_us(Goodbye::SessionEnded)),
    }
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

struct Talk {
    app: App,
    caller: Caller,
    key: ConsoleKey,
    outbox: Outbox,
    views: Views,
    signs: Signs,
    drives: Drives,
}

impl Talk {
    async fn run(
        &mut self,
        sink: &mut SplitSink<WebSocket, Message>,
        stream: &mut futures_util::stream::SplitStream<WebSocket>,
        drain: &mut Drain,
    ) -> End {
        // What was taken away since the handshake was nobody's session to end.
        if let Err(end) = check_sign_in(&self.app, &self.caller).await {
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
        loop {
            let went = tokio::select! {
                biased;
                Some(queued) = drain.next() => self.forward(sink, drain, queued).await,
                message = stream.next() => match message {
                    Some(Ok(message)) => {
                        silence.as_mut().reset(Instant::now() + SILENT_AFTER);
                        self.heard(message).await
                    }
                    Some(Err(_)) => Err((Goodbye::BadFrame, "the socket broke or a frame was too large")),
                    None => Err((Goodbye::Silent, "the console hung up")),
                },
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
        drain: &mut Drain,
        queued: Queued,
    ) -> Result<(), End> {
        match queued {
            Queued::Reply(frame) => write(sink, frame).await,
            Queued::Frame(frame) if !self.outbox.is_lagging() => write(sink, frame).await,
            Queued::Frame(_stale) => {
                drain.skip_frames();
                self.outbox.catch_up();
                self.send_snapshot(sink, ToConsole::Resync).await
            }
        }
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
        let controls = match self.caller.may(Permission::RunJobs) {
            Ok(sight) => {
                let seen = robots
                    .iter()
                    .filter(|robot| sight.covers(robot.organisation, robot.site));
                let ids: Vec<_> = seen.map(|view| view.robot).collect();
                controls(&self.app, &ids).await.ok()
            }
            Err(_not_theirs) => None,
        };
        let calls = self.calls().await;
        let snapshot = snapshot_message((robots, degraded), commands, calls, controls);
        for message in [before, snapshot] {
            if let Some(frame) = encode(&message) {
                write(sink, frame).await?;
            }
        }
        Ok(())
    }

    /// The calls for help that this person may answer.
    async fn calls(&self) -> Vec<AssistView> {
        let Ok(sight) = self.caller.may(Permission::RunJobs) else {
            return Vec::new();
        };
        let sites: Option<Vec<_>> = sight.sites.map(|sites| sites.into_iter().collect());
        open_calls(
            &self.app,
            sight.organisation,
            sites.as_deref(),
            SNAPSHOT_ASSISTS,
        )
        .await
        .unwrap_or_default()
    }

    async fn heard(&mut self, message: Message) -> Result<(), End> {
        match message {
            Message::Text(text) => match serde_json::from_str(&text) {
                Ok(frame) => self.take(frame).await,
                Err(error) => {
                    tracing::debug!("{}", unread("a console's frame", &error));
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
                let command = request.command;
                let issued = commands::issue(&self.app, &self.caller, request).await;
                // The recorded command reaches every console, this one too, through the board.
                if let Err(error) = issued {
                    self.reply(&ToConsole::CommandRefused {
                        command,
                        code: error.code().to_owned(),
                        words: error.detail().to_owned(),
                    });
                }
            }
            FromConsole::Drive { robot, sealed } => self.drive(robot, sealed),
            FromConsole::Present { robot, epoch, at } => {
                let sign = (robot, epoch, at);
                self.signs.take(&self.app, &self.caller, &self.outbox, sign);
            }
            FromConsole::Ping { at } => self.reply(&ToConsole::Pong {
                at,
                gateway_at: self.app.clock.micros(),
            }),
        }
        Ok(())
    }

    /// Passes on what is wanted of a robot's wheels, without an answer: the robot says what comes of it.
    fn drive(&mut self, robot: RobotId, sealed: String) {
        let may_drive = (self.app.live.robot(robot)).is_some_and(|known| {
            let sight = self.caller.may(Permission::Command);
            sight.is_ok_and(|sight| sight.covers(known.organisation, known.site))
        });
        if !may_drive || !self.drives.takes(Instant::now()) {
            return;
        }
        let bytes = BASE64_STANDARD.decode(&sealed).map(Bytes::from);
        let Some(bytes) = bytes
            .ok()
            .filter(|bytes| bytes.len() <= MAX_SEALED_DRIVE_BYTES)
        else {
            metrics::counter!("nooterra_frames_refused_total", "channel" => "drive").increment(1);
            return;
        };
        if !self.app.live.lanes.drive(robot, bytes) {
            // A robot without cameras has no media connection. One that is not there hears nothing, and its silence shows.
            let _sent = self.app.live.order(robot, ToRobot::Drive { sealed });
        }
    }

    fn reply(&self, message: &ToConsole) {
        if let Some(frame) = encode(message) {
            self.outbox.reply(frame);
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
