//! `GET /api/v1/robots/socket`: one robot's session, from its hello to a last word.

use std::time::Duration;

use axum::{
    extract::{
        State,
        ws::{Message, WebSocket},
    },
    http::HeaderMap,
    response::Response,
};
use futures_util::{SinkExt as _, StreamExt as _, stream::SplitSink};
use protocol::{
    RobotId, UnixMicros,
    grant::RobotTrust,
    limits::{
        MAX_BINARY_FRAME_BYTES, MAX_TEXT_FRAME_BYTES, PROTOCOL_VERSION, ROBOT_SILENT_AFTER_MS,
    },
    robot::Advert,
    robot_socket::{FromRobot, Goodbye, HELLO_WITHIN_MS, ToRobot},
    thumbnail::Thumbnail,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior},
};

use super::{
    WRITE_WITHIN,
    allowance::{Allowance, Kind},
    bounds, dropped,
    last_word::{first_text, say, unread},
    robot_events::{EventDesk, Sealed},
    robot_media::Media,
    seats::RobotSeat,
};
use crate::{
    app::App,
    error::ApiError,
    flows::{
        control::tell::tell_who_came, grants::tell::catch_up, jobs::robot_event::job_of_robot,
    },
    http::{
        auth::{RobotCaller, robot_of},
        extract::Upgrade,
    },
    live::{Attachment, NewAttachment, presence},
};

/// Frames that wait for one robot: orders, demands and answers are rare; a robot that lets these pile up is not listening.
const OUTBOX_FRAMES: usize = 64;

/// How often the link and the robot's clock are measured.
const PING_EVERY: Duration = Duration::from_secs(1);

/// How often the token is checked to still hold, should the log's follower be behind.
const CHECK_EVERY: Duration = Duration::from_secs(15);

/// Events that wait to be recorded: what an agent has on its way at once. It sends again what is dropped beyond that.
const EVENT_QUEUE: usize = 32;

/// Upgrades an agent's request.
pub(crate) async fn handler(
    State(app): State<App>,
    headers: HeaderMap,
    Upgrade(upgrade): Upgrade,
) -> Result<Response, ApiError> {
    let caller = robot_of(&app, &headers).await?;
    Ok(upgrade
        .max_message_size(MAX_TEXT_FRAME_BYTES.max(MAX_BINARY_FRAME_BYTES))
        .on_upgrade(move |socket| {
            let tracker = app.sessions.clone();
            tracker.track_future(session(app, socket, caller))
        }))
}

/// Why a session ended, for the log and the last word.
struct End {
    reason: Goodbye,
    words: String,
}

impl End {
    fn new(reason: Goodbye, words: impl Into<String>) -> Self {
        Self {
            reason,
            words: words.into(),
        }
    }
}

async fn session(app: App, mut socket: WebSocket, caller: RobotCaller) {
    let robot = &caller.robot;
    let (to_robot, mut outbox) = mpsc::channel(OUTBOX_FRAMES);
    let admitted = tokio::select! {
        biased;
        () = app.stopping.cancelled() => Err(ended_by_us(Goodbye::Restarting)),
        admitted = admit(&app, &mut socket, &caller, to_robot.clone()) => admitted,
    };
    let (advert, desk, events_held) = match admitted {
        Ok(admitted) => admitted,
        Err(end) => {
            tracing::info!(robot.id = %robot.robot, code = end.reason.code(), "{} was turned away: {}", robot.name, end.words);
            say(&mut socket, goodbye(&end), end.reason).await;
            return;
        }
    };
    let (ending, ended) = oneshot::channel();
    let seat = sit_down(&app, &caller, advert, to_robot.clone(), ending);
    let welcome = ToRobot::Welcome {
        robot: robot.robot,
        name: robot.name.clone(),
        gateway_at: app.clock.micros(),
        events_held,
    };
    let (mut sink, mut stream) = socket.split();
    let media = Media::new(app.clone(), robot.robot, to_robot, desk.clone());
    let mut talk = Talk::new(&app, &caller, seat.attachment(), media, desk);
    // Around the whole talk and not between its steps: a robot that takes no frame must not outlive its token by that.
    let end = tokio::select! {
        biased;
        reason = ended => ended_by_us(reason.unwrap_or(Goodbye::Restarting)),
        () = app.stopping.cancelled() => ended_by_us(Goodbye::Restarting),
        end = token_falls(&app, &caller) => end,
        end = talk.run(welcome, &mut sink, &mut stream, &mut outbox) => end,
    };

    drop(talk);
    let was_the_session = seat.leave();
    tracing::info!(robot.id = %robot.robot, code = end.reason.code(), "{} is offline: {}", robot.name, end.words);
    // Before anything that waits for a server of ours: the robot must not wait for that, too.
    if let Ok(mut socket) = sink.reunite(stream) {
        say(&mut socket, goodbye(&end), end.reason).await;
    }
    if was_the_session {
        forget(&app, robot.robot).await;
    }
}

/// Puts the robot on the board.
fn sit_down(
    app: &App,
    caller: &RobotCaller,
    advert: Advert,
    to_robot: mpsc::Sender<ToRobot>,
    ending: oneshot::Sender<Goodbye>,
) -> RobotSeat {
    let robot = &caller.robot;
    let new = NewAttachment {
        robot: robot.robot,
        name: robot.name.clone(),
        organisation: robot.organisation,
        site: robot.site,
        site_name: robot.site_name.clone(),
        token: caller.token,
        advert,
        to_robot,
        ending,
    };
    let seat = RobotSeat::take(app, new);
    tracing::info!(robot.id = %robot.robot, "{} is online", robot.name);
    metrics::counter!("nooterra_robot_sessions_total").increment(1);
    seat
}

/// Waits for the hello and lets in whom nothing speaks against: its advert, its desk, and the highest number of its events
/// that is held.
async fn admit(
    app: &App,
    socket: &mut WebSocket,
    caller: &RobotCaller,
    to_robot: mpsc::Sender<ToRobot>,
) -> Result<(Advert, EventDesk, u64), End> {
    let advert = hello(socket).await?;
    let (desk, events_held) = EventDesk::open(app, &caller.robot, to_robot, EVENT_QUEUE)
        .await
        .map_err(|error| End::new(Goodbye::Restarting, error.detail()))?;
    // Before it takes anybody's place: a revoked token must not put out who came with a good one.
    check_token(app, caller).await?;
    Ok((advert, desk, events_held))
}

async fn forget(app: &App, robot: RobotId) {
    presence::forget(app, robot).await;
    // Only for "offline since" after a restart of ours; worth no failure.
    if let Err(error) = identity::store::saw_robot(&app.pool, robot, app.clock.now()).await {
        tracing::debug!(%error, "when the robot was last seen could not be noted");
    }
}

fn goodbye(end: &End) -> Option<String> {
    serde_json::to_string(&ToRobot::Goodbye {
        reason: end.reason,
        words: end.words.clone(),
    })
    .ok()
}

/// The first frame, checked.
async fn hello(socket: &mut WebSocket) -> Result<Advert, End> {
    let Some(text) = first_text(socket, Duration::from_millis(HELLO_WITHIN_MS)).await else {
        return Err(End::new(Goodbye::BadFrame, "no hello came"));
    };
    match serde_json::from_str(&text) {
        Ok(FromRobot::Hello {
            protocol, advert, ..
        }) => {
            if protocol != PROTOCOL_VERSION {
                return Err(End::new(
                    Goodbye::ProtocolUnsupported,
                    format!(
                        "this gateway speaks protocol {PROTOCOL_VERSION}, the agent {protocol}"
                    ),
                ));
            }
            bounds::check_advert(&advert).map_err(out_of_bounds)?;
            Ok(advert)
        }
        Ok(_) => Err(End::new(
            Goodbye::BadFrame,
            "the first frame must be a hello",
        )),
        Err(error) => Err(End::new(Goodbye::BadFrame, unread("the hello", &error))),
    }
}

async fn send(
    sink: &mut SplitSink<WebSocket, Message>,
    media: &mut Media,
    frame: &ToRobot,
) -> Result<(), End> {
    let text = serde_json::to_string(frame)
        .map_err(|error| End::new(Goodbye::Restarting, format!("a frame of ours: {error}")))?;
    // Orders, and who may give them, go both ways: no TCP stall stands before them on the data channel, and a channel that is not up yet, or no
    // longer and nobody knows, loses none. A robot obeys each id once.
    if matches!(
        frame,
        ToRobot::Order(_) | ToRobot::Control(_) | ToRobot::Revocations { .. }
    ) {
        media.send_reliable(&text);
    }
    match tokio::time::timeout(WRITE_WITHIN, sink.send(Message::Text(text.into()))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_gone)) => Err(End::new(Goodbye::Silent, "the socket broke")),
        Err(_elapsed) => Err(End::new(
            Goodbye::Silent,
            format!("the robot took no frame for {} s", WRITE_WITHIN.as_secs()),
        )),
    }
}

/// Whether the token that the robot came with still stands.
async fn check_token(app: &App, caller: &RobotCaller) -> Result<(), End> {
    match caller.still_holds(app).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(ended_by_us(Goodbye::Revoked)),
        // Without the database the robot stays: it has shown its token, and people may need it just now.
        Err(_unknown) => Ok(()),
    }
}

/// Looks now and then whether the token still stands; returns once it does not.
async fn token_falls(app: &App, caller: &RobotCaller) -> End {
    let mut check = tokio::time::interval(CHECK_EVERY);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    check.reset();
    loop {
        check.tick().await;
        if let Err(end) = check_token(app, caller).await {
            return end;
        }
    }
}

struct Talk<'app> {
    app: &'app App,
    caller: &'app RobotCaller,
    attachment: Attachment,
    media: Media,
    desk: EventDesk,
    allowance: Allowance,
    /// The newest advert that came too soon after others. It is shown a little later: consoles must not stay at an older one.
    late_advert: Option<Advert>,
    /// Likewise of whom it trusts.
    late_trust: Option<RobotTrust>,
    /// Whether the robot was told who steers it: that takes its clock, which its first state brings.
    is_told_who_steers: bool,
    best_rtt_us: i64,
    clock_offset_us: i64,
}

impl<'app> Talk<'app> {
    fn new(
        app: &'app App,
        caller: &'app RobotCaller,
        attachment: Attachment,
        media: Media,
        desk: EventDesk,
    ) -> Self {
        Self {
            app,
            caller,
            attachment,
            media,
            desk,
            allowance: Allowance::new(Instant::now()),
            late_advert: None,
            late_trust: None,
            is_told_who_steers: false,
            best_rtt_us: i64::MAX,
            clock_offset_us: 0,
        }
    }

    async fn run(
        &mut self,
        welcome: ToRobot,
        sink: &mut SplitSink<WebSocket, Message>,
        stream: &mut futures_util::stream::SplitStream<WebSocket>,
        outbox: &mut mpsc::Receiver<ToRobot>,
    ) -> End {
        // Once more: revoked just before it came on the board, it was nobody's session to end.
        let welcomed = match check_token(self.app, self.caller).await {
            Ok(()) => send(sink, &mut self.media, &welcome).await,
            Err(end) => Err(end),
        };
        // On the board by now: what changes from here on is sent on, and what stood before is said here.
        let told = match welcomed {
            Ok(()) => self.tell_job(sink).await,
            Err(end) => Err(end),
        };

        if let Err(end) = told {
            return end;
        }
        let silent_after = Duration::from_millis(ROBOT_SILENT_AFTER_MS);
        let mut ping = tokio::time::interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let silence = tokio::time::sleep(silent_after);
        tokio::pin!(silence);
        loop {
            let sent = tokio::select! {
                biased;
                // First: a robot that always has something to say is measured all the same.
                _ = ping.tick() => {
                    if let Some(advert) = self.late_advert.take() {
                        self.advert(advert);
                    }
                    if let Some(trust) = self.late_trust.take() {
                        self.trust(trust);
                    }
                    let at = self.app.clock.micros();
                    send(sink, &mut self.media, &ToRobot::Ping { at }).await
                }
                Some(frame) = outbox.recv() => send(sink, &mut self.media, &frame).await,
                message = stream.next() => match message {
                    Some(Ok(message)) => {
                        silence.as_mut().reset(Instant::now() + silent_after);
                        self.heard(message).await
                    }
                    Some(Err(error)) => Err(unreadable(&error)),
                    None => Err(End::new(Goodbye::Silent, "the robot hung up")),
                },
                () = &mut silence => Err(End::new(
                    Goodbye::Silent,
                    format!("nothing heard for {ROBOT_SILENT_AFTER_MS} ms"),
                )),
            };
            if let Err(end) = sent {
                return end;
            }
        }
    }

    /// The job that the robot holds or is offered. Without the database it is left in peace: it goes on with what it has.
    async fn tell_job(&mut self, sink: &mut SplitSink<WebSocket, Message>) -> Result<(), End> {
        match job_of_robot(self.app, self.caller.robot.robot).await {
            Ok(frame) => send(sink, &mut self.media, &frame).await,
            Err(error) => {
                tracing::debug!(code = error.code(), "a robot's job can't be read now");
                Ok(())
            }
        }
    }

    /// Once a session. Beside the talk: a database that is slow must not hold up the robot's state, and one that is away
    /// leaves the robot with what it knew until the next sign of who steers it.
    fn tell_who_steers(&mut self) {
        if std::mem::replace(&mut self.is_told_who_steers, true) {
            return;
        }
        let (app, robot) = (self.app.clone(), self.caller.robot.robot);
        tokio::spawn(async move {
            if let Err(error) = tell_who_came(&app, robot).await {
                tracing::debug!(robot.id = %robot, code = error.code(), "who steers can't be read now");
            }
        });
    }

    async fn heard(&mut self, message: Message) -> Result<(), End> {
        match message {
            Message::Text(text) => {
                let frame = serde_json::from_str(&text)
                    .map_err(|error| End::new(Goodbye::BadFrame, unread("a frame", &error)))?;
                self.take(frame).await
            }
            Message::Binary(bytes) => {
                let Some(still) = Thumbnail::parse_robot_frame(&bytes) else {
                    return Err(End::new(Goodbye::BadFrame, "a binary frame is no still"));
                };
                if self.has_room(Kind::Still) {
                    self.app.live.thumbnail(self.attachment, &still);
                }
                Ok(())
            }
            Message::Close(_) => Err(End::new(Goodbye::Silent, "the robot hung up")),
            Message::Ping(_) | Message::Pong(_) => Ok(()),
        }
    }

    async fn take(&mut self, frame: FromRobot) -> Result<(), End> {
        match frame {
            FromRobot::Telemetry(telemetry) if bounds::is_sound(&telemetry) => {
                if self.has_room(Kind::Telemetry) {
                    let now = self.app.clock.micros();
                    self.app.live.telemetry(self.attachment, telemetry, now);
                    self.tell_who_steers();
                }
            }
            FromRobot::Telemetry(_) => {
                return Err(End::new(
                    Goodbye::BadFrame,
                    "telemetry has a value that is no number",
                ));
            }
            FromRobot::Scan(scan) => {
                bounds::check_scan(&scan).map_err(out_of_bounds)?;
                if self.has_room(Kind::Scan) {
                    self.app.live.scan(self.attachment, scan);
                }
            }
            FromRobot::Advert(advert) => {
                bounds::check_advert(&advert).map_err(out_of_bounds)?;
                self.advert(advert);
            }
            FromRobot::RtcOffer { negotiation, sdp } => self.media.offer(negotiation, sdp).await,
            FromRobot::Event { number, sealed } => {
                self.desk.hand_in(Sealed { number, sealed });
            }
            FromRobot::Trust(trust) => self.trust(trust),
            FromRobot::Pong { at, robot_at } => self.measured(at, robot_at),
            FromRobot::Hello { .. } => {
                return Err(End::new(Goodbye::BadFrame, "a second hello"));
            }
        }
        Ok(())
    }

    fn has_room(&mut self, kind: Kind) -> bool {
        self.allowance.takes_or_drops(kind, Instant::now())
    }

    /// Shows the advert, or keeps it for later in place of the one that is kept.
    fn advert(&mut self, advert: Advert) {
        let older = if self.allowance.takes(Kind::Advert, Instant::now()) {
            self.app.live.advert(self.attachment, advert);
            self.late_advert.take()
        } else {
            self.late_advert.replace(advert)
        };
        if older.is_some() {
            dropped(Kind::Advert.label());
        }
    }

    /// Beside the talk: a database that is slow must not hold up the robot's state.
    fn tell_whom_to_believe(&self, trust: RobotTrust) {
        let (app, robot) = (self.app.clone(), self.caller.robot.clone());
        tokio::spawn(async move {
            let told = catch_up(&app, robot.organisation, robot.robot, &trust).await;
            if let Err(error) = told {
                tracing::debug!(robot.id = %robot.robot, code = error.code(), "whom to believe can't be read now");
            }
        });
    }

    /// Likewise.
    fn trust(&mut self, trust: RobotTrust) {
        let older = if self.allowance.takes(Kind::Trust, Instant::now()) {
            self.app.live.trust(self.attachment, trust.clone());
            self.tell_whom_to_believe(trust);
            self.late_trust.take()
        } else {
            self.late_trust.replace(trust)
        };
        if older.is_some() {
            dropped(Kind::Trust.label());
        }
    }

    /// The clock offset is taken from the fastest round trip seen: the less time on the way, the less room for error.
    /// It is forgotten slowly, because clocks drift.
    fn measured(&mut self, at: UnixMicros, robot_at: UnixMicros) {
        let round_trip_us = self.app.clock.micros().since(at).max(0);
        if round_trip_us <= self.best_rtt_us {
            self.best_rtt_us = round_trip_us;
            self.clock_offset_us = at.plus(round_trip_us / 2).since(robot_at);
        } else {
            self.best_rtt_us = self.best_rtt_us.saturating_add(self.best_rtt_us / 20 + 10);
        }
        #[expect(
            clippy::cast_precision_loss,
            reason = "a round trip is far below 2^52 microseconds"
        )]
        let rtt_ms = round_trip_us as f64 / 1_000.0;
        let offset_us = self.clock_offset_us;
        self.app.live.link(self.attachment, rtt_ms, offset_us);
    }
}

fn ended_by_us(reason: Goodbye) -> End {
    let words = match reason {
        Goodbye::Superseded => {
            "another agent signed in with this robot's identity; the newer one stays"
        }
        Goodbye::Revoked => "the token was revoked",
        Goodbye::Restarting => "the gateway is going down",
        Goodbye::ProtocolUnsupported
        | Goodbye::BadFrame
        | Goodbye::Silent
        | Goodbye::Overloaded
        | Goodbye::SessionEnded => "the session was ended",
    };
    End::new(reason, words)
}

fn out_of_bounds(words: String) -> End {
    End::new(Goodbye::BadFrame, words)
}

fn unreadable(error: &axum::Error) -> End {
    let words = error.to_string();
    if words.contains("too long") || words.contains("too large") {
        return End::new(
            Goodbye::BadFrame,
            format!("a frame is larger than {MAX_TEXT_FRAME_BYTES} bytes"),
        );
    }
    tracing::debug!(error = words, "a robot's socket broke");
    End::new(Goodbye::Silent, "the socket broke")
}
