//! The one function that changes the model: an input in, effects out. It reads no clock, no chance and no page.

use protocol::{
    CommandId, RobotId, UnixMicros,
    command::{CommandRequest, FrameSeen, SignedCommand, Verb},
    console_socket::{FromConsole, ToConsole},
    control::ControlView,
    limits::{COMMAND_VALID_MS, PROTOCOL_VERSION},
    robot_socket::Goodbye,
    views::{CaseView, JobView},
};

use super::{
    commands::Standing,
    control::Seat,
    granting::{self, Belief, Bind, GrantNews},
    hear,
    model::{Model, Phase, Still},
    stills,
    view::{OPENING_FOR_US, SHAKY_FOR_US, Trouble, View, ViewPhase, retry_after_us},
};

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The page is up and somebody is signed in.
    Start,
    /// The page lets go: signed out.
    Stop,
    /// Some time passed.
    Tick,
    /// Somebody doesn't want to wait for the next attempt.
    TryNow,
    /// The socket opened.
    SocketOpened,
    /// The socket closed or never opened.
    SocketClosed,
    /// The gateway said something.
    Heard(Box<ToConsole>),
    /// A still came and can be shown at this address.
    HeardStill {
        /// Of which robot.
        robot: RobotId,
        /// The still.
        still: Still,
    },
    /// The gateway answered a page with these jobs.
    Jobs(Vec<JobView>),
    /// The gateway answered a page with these complaints.
    Cases(Vec<CaseView>),
    /// The gateway answered a page with who steers this robot.
    Control(Box<ControlView>),
    /// Who sits before this page, as the gateway knows them by what they sign; absent once that key is gone.
    Seat(Option<Seat>),
    /// Somebody touched mouse, keyboard or screen.
    Touched,
    /// Somebody turned the sound of calls off or on.
    Mute(bool),
    /// Somebody chose a robot, or none.
    Select(Option<RobotId>),
    /// These robots' cards are on screen.
    StillsOnScreen(Vec<RobotId>),
    /// Somebody wants something of a robot.
    Order {
        /// A fresh id.
        command: CommandId,
        /// Which robot.
        robot: RobotId,
        /// What.
        verb: Verb,
        /// What they were looking at.
        frame: Option<FrameSeen>,
        /// Why, where that is to be said; may be empty.
        words: String,
    },
    /// The page's key signed what somebody wants of a robot.
    Signed(Box<CommandRequest>),
    /// It did not.
    NotSigned {
        /// Which command.
        command: CommandId,
        /// Why not.
        words: String,
    },
    /// What came of asking for leave to steer.
    Grant(GrantNews),
    /// Somebody looks at a robot's cameras.
    Watch {
        /// Which robot.
        robot: RobotId,
        /// Which cameras; the first is the large one.
        cameras: Vec<String>,
    },
    /// Nobody looks any more.
    Unwatch,
    /// The browser tells of a view's path.
    View {
        /// Which view.
        view: u32,
        /// What happened.
        event: ViewEvent,
    },
}

/// What happens to a view in the browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewEvent {
    /// The offer is written.
    Offer(String),
    /// The browser couldn't do it.
    Failed(String),
    /// There is a path.
    Connected,
    /// The path is interrupted.
    Shaky,
    /// The path is gone.
    Lost,
    /// The channel for commands opened or closed.
    Channel {
        /// Which of the two.
        is_open: bool,
    },
}

/// Something to do, by whoever can.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Open the socket.
    OpenSocket,
    /// Close it without a word.
    CloseSocket,
    /// Say this on the socket.
    Send(FromConsole),
    /// Sign this with the page's key.
    Sign(Box<SignedCommand>),
    /// Ask for a grant, bind it and show it to the robot.
    Bind(Bind),
    /// Say this on the view's channel; on the socket when that fails after all.
    SendOnChannel(FromConsole),
    /// Open a peer connection and write an offer.
    OpenView {
        /// Its number.
        view: u32,
        /// One line per camera.
        cameras: Vec<String>,
    },
    /// Give the browser the gateway's answer.
    AnswerView {
        /// Which view.
        view: u32,
        /// The session description.
        sdp: String,
    },
    /// Close the peer connection.
    CloseView,
    /// This still is shown no longer.
    ForgetStill(String),
    /// Make the sound of a call.
    Ring,
    /// Remember whether calls make a sound, beyond this page.
    RememberMute(bool),
    /// The socket did not open, or the gateway said that the sign-in ended: see whether it still holds.
    CheckSession,
}

/// The moment of an input: the browser's clock, and a number from 0 to 1 that nobody can foresee.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// The browser's clock.
    pub now: UnixMicros,
    /// For spreading attempts.
    pub chance: f64,
}

/// Between two pings: often enough to see a link turn bad within a glance.
const PING_EVERY_US: i64 = 2_000_000;

/// A gateway that says nothing for so long (three pings) is gone, whatever the socket believes.
const SILENT_AFTER_US: i64 = 6_000_000;

/// From opening the socket to the snapshot.
const CONNECT_WITHIN_US: i64 = 6_000_000;

/// A session that held for so long was a good one. A gateway that greets and breaks again and again is not hurried.
const HELD_US: i64 = 5_000_000;

/// Changes the model and says what to do.
#[expect(
    clippy::too_many_lines,
    reason = "one arm for each input; whatever takes more than a line has a function of its own"
)]
pub fn reduce(model: &mut Model, input: Input, at: Moment) -> Vec<Effect> {
    match input {
        Input::Start => start(model, at),
        Input::Stop => stop(model),
        Input::Tick => tick(model, at),
        Input::TryNow => try_now(model, at),
        Input::SocketOpened => socket_opened(model, at),
        Input::SocketClosed => socket_closed(model, at),
        Input::Heard(frame) => hear::hear(model, *frame, at),
        Input::HeardStill { robot, still } => stills::came(model, robot, still, at),
        Input::Jobs(views) => {
            model.jobs.learn_all(views);
            Vec::new()
        }
        Input::Cases(views) => {
            model.cases.learn_all(views);
            Vec::new()
        }
        Input::Control(view) => {
            model.controls.learn(*view, at.now);
            Vec::new()
        }
        Input::Seat(seat) => {
            if seat.is_none() {
                model.granting.forget();
            }
            model.controls.sit(seat, at.now);
            Vec::new()
        }
        Input::Touched => {
            model.controls.touch(at.now);
            Vec::new()
        }
        Input::Mute(is_muted) => {
            model.is_muted = is_muted;
            vec![Effect::RememberMute(is_muted)]
        }
        Input::Select(robot) => {
            model.selected = robot;
            Vec::new()
        }
        Input::StillsOnScreen(robots) => stills::on_screen(model, robots),
        Input::Order {
            command,
            robot,
            verb,
            frame,
            words,
        } => match verb {
            Verb::Stop => stop_robot(model, command, robot, at),
            _ => move_robot(model, (command, robot, verb), (frame, words), at),
        },
        Input::Signed(request) => send_command(model, *request),
        Input::NotSigned { command, words } => {
            model.commands.not_sent(command, words);
            Vec::new()
        }
        Input::Grant(news) => {
            model.granting.learn(news, at.now);
            Vec::new()
        }
        Input::Watch { robot, cameras } => watch(model, robot, cameras, at),
        Input::Unwatch => unwatch(model),
        Input::View { view, event } => match &model.view {
            Some(present) if present.number == view => view_event(model, event, at),
            Some(_) | None => Vec::new(),
        },
    }
}

fn start(model: &mut Model, at: Moment) -> Vec<Effect> {
    match model.connection.phase {
        Phase::Idle | Phase::Over { .. } => connect(model, at),
        Phase::Connecting { .. } | Phase::Live | Phase::Waiting { .. } => Vec::new(),
    }
}

fn stop(model: &mut Model) -> Vec<Effect> {
    let mut effects = vec![Effect::CloseView, Effect::CloseSocket];
    let stills = model.robots.iter().flatten();
    effects.extend(stills.filter_map(|(_, robot)| {
        let still = robot.still.as_ref()?;
        Some(Effect::ForgetStill(still.url.clone()))
    }));
    *model = Model {
        next_view: model.next_view,
        is_muted: model.is_muted,
        ..Model::default()
    };
    effects
}

fn connect(model: &mut Model, at: Moment) -> Vec<Effect> {
    model.connection.phase = Phase::Connecting { since: at.now };
    model.connection.heard_at = at.now;
    vec![Effect::OpenSocket]
}

fn try_now(model: &mut Model, at: Moment) -> Vec<Effect> {
    match model.connection.phase {
        Phase::Waiting { .. } | Phase::Over { .. } => connect(model, at),
        Phase::Idle | Phase::Connecting { .. } | Phase::Live => Vec::new(),
    }
}

fn socket_opened(model: &mut Model, at: Moment) -> Vec<Effect> {
    model.connection.heard_at = at.now;
    model.connection.opened_at = at.now;
    let protocol = PROTOCOL_VERSION;
    vec![Effect::Send(FromConsole::Hello { protocol })]
}

/// The session broke: everything that lived on it has to be asked for again.
fn socket_closed(model: &mut Model, at: Moment) -> Vec<Effect> {
    let was_open = match model.connection.phase {
        Phase::Connecting { .. } => false,
        Phase::Live => true,
        Phase::Idle | Phase::Waiting { .. } | Phase::Over { .. } => return Vec::new(),
    };
    let mut effects = lose(model, at);
    if !was_open {
        effects.push(Effect::CheckSession);
    }
    effects
}

fn lose(model: &mut Model, at: Moment) -> Vec<Effect> {
    let connection = &mut model.connection;
    let retry_at = at.now.plus(retry_after_us(connection.attempt, at.chance));
    connection.attempt = connection.attempt.saturating_add(1);
    connection.phase = Phase::Waiting { retry_at };
    connection.lost_at.get_or_insert(at.now);
    let mut effects = Vec::new();
    if let Some(view) = &mut model.view {
        view.phase = ViewPhase::Waiting { retry_at: None };
        view.is_channel_open = false;
        effects.push(Effect::CloseView);
    }
    effects
}

/// The gateway says that it ends the session.
pub(super) fn dismissed(
    model: &mut Model,
    reason: Goodbye,
    words: String,
    at: Moment,
) -> Vec<Effect> {
    let mut effects = lose(model, at);
    effects.push(Effect::CloseSocket);
    if reason == Goodbye::SessionEnded {
        // It is said of changed rights too: then the sign-in still holds, and a new session has the new rights.
        effects.push(Effect::CheckSession);
    } else if !reason.may_return() {
        model.connection.phase = Phase::Over { reason, words };
    }
    effects
}

fn tick(model: &mut Model, at: Moment) -> Vec<Effect> {
    let mut effects = tick_connection(model, at);
    effects.extend(tick_view(model, at));
    if model.connection.phase == Phase::Live {
        let present = model.controls.present(at.now).into_iter();
        effects.extend(present.map(Effect::Send));
        effects.extend(granting::due(model, at.now).into_iter().map(Effect::Bind));
    }
    if model.controls.nudge(at.now) && !model.is_muted {
        effects.push(Effect::Ring);
    }
    effects
}

fn tick_connection(model: &mut Model, at: Moment) -> Vec<Effect> {
    let connection = &mut model.connection;
    if connection.phase == Phase::Live && at.now.since(connection.opened_at) > HELD_US {
        connection.attempt = 0;
    }
    match connection.phase {
        Phase::Waiting { retry_at } if retry_at <= at.now => connect(model, at),
        Phase::Connecting { since } if at.now.since(since) > CONNECT_WITHIN_US => {
            let mut effects = vec![Effect::CloseSocket];
            effects.extend(lose(model, at));
            effects
        }
        Phase::Live if at.now.since(connection.heard_at) > SILENT_AFTER_US => {
            let mut effects = vec![Effect::CloseSocket];
            effects.extend(lose(model, at));
            effects
        }
        Phase::Live if at.now.since(connection.pinged_at) >= PING_EVERY_US => {
            connection.pinged_at = at.now;
            vec![Effect::Send(FromConsole::Ping { at: at.now })]
        }
        Phase::Idle
        | Phase::Over { .. }
        | Phase::Waiting { .. }
        | Phase::Connecting { .. }
        | Phase::Live => Vec::new(),
    }
}

fn tick_view(model: &mut Model, at: Moment) -> Vec<Effect> {
    let Some(view) = &model.view else {
        return Vec::new();
    };
    match view.phase {
        ViewPhase::Waiting {
            retry_at: Some(retry_at),
        } if retry_at <= at.now => open_view(model, at),
        ViewPhase::Opening { since } if at.now.since(since) > OPENING_FOR_US => give_up_view(
            model,
            "no_path",
            "no path to the gateway's media port was found",
            at,
        ),
        ViewPhase::Shaky { since } if at.now.since(since) > SHAKY_FOR_US => {
            give_up_view(model, "path_lost", "the path for pictures broke", at)
        }
        ViewPhase::Waiting { .. }
        | ViewPhase::Opening { .. }
        | ViewPhase::Shaky { .. }
        | ViewPhase::Connected => Vec::new(),
    }
}

/// A stop needs no leave and no signature, and leaves at once.
fn stop_robot(model: &mut Model, command: CommandId, robot: RobotId, at: Moment) -> Vec<Effect> {
    let request = CommandRequest {
        command,
        robot,
        // It must not fail for one that is over.
        epoch: None,
        verb: Verb::Stop,
        signed: None,
    };
    let effects = send_command(model, request.clone());
    let standing = if effects.is_empty() {
        not_connected()
    } else {
        Standing::Wished
    };
    model.commands.wish(&request, standing, at.now);
    effects
}

/// A target, or another command than a stop, is signed under the grant that the robot believes, and leaves then.
fn move_robot(
    model: &mut Model,
    (command, robot, verb): (CommandId, RobotId, Verb),
    (frame, words): (Option<FrameSeen>, String),
    at: Moment,
) -> Vec<Effect> {
    let epoch = model.controls.epoch_here(robot, at.now);
    let request = CommandRequest {
        command,
        robot,
        epoch,
        verb,
        signed: None,
    };
    let seen_tick_ms = (model.robot(robot))
        .and_then(|robot| robot.telemetry())
        .map(|state| state.tick_ms);
    let believed = granting::belief(model, robot, at.now);
    let to_sign = match (believed, epoch, seen_tick_ms) {
        _ if send_ways(model, robot) == (false, false) => Err(not_connected()),
        (Belief::Believed { grant, binding }, Some(epoch), Some(seen_tick_ms)) => {
            Ok(SignedCommand {
                command,
                robot,
                grant,
                binding,
                epoch,
                sequence: model.granting.next_sequence(),
                seen_tick_ms,
                valid_ms: COMMAND_VALID_MS,
                frame,
                verb,
                words,
            })
        }
        _ => Err(Standing::NotSent {
            words: "the robot does not believe this page".to_owned(),
        }),
    };
    match to_sign {
        Ok(to_sign) => {
            model.commands.wish(&request, Standing::Wished, at.now);
            vec![Effect::Sign(Box::new(to_sign))]
        }
        Err(standing) => {
            model.commands.wish(&request, standing, at.now);
            Vec::new()
        }
    }
}

fn not_connected() -> Standing {
    Standing::NotSent {
        words: "no connection to the gateway".to_owned(),
    }
}

/// Whether the robot's own channel is open, and whether the socket is.
fn send_ways(model: &Model, robot: RobotId) -> (bool, bool) {
    let has_channel =
        (model.view.as_ref()).is_some_and(|view| view.robot == robot && view.is_channel_open);
    (has_channel, model.connection.phase == Phase::Live)
}

/// Nothing is kept for later: what can't leave now is told as not sent, and the person decides anew.
fn send_command(model: &mut Model, request: CommandRequest) -> Vec<Effect> {
    let (has_channel, is_live) = send_ways(model, request.robot);
    if !has_channel && !is_live {
        model
            .commands
            .not_sent(request.command, "no connection to the gateway".to_owned());
    }
    let frame = FromConsole::Command(request);
    // Both ways: no TCP stall stands before it on the channel, and a channel that is dead without anybody's knowing loses
    // nothing. The gateway takes each id once.
    let on_channel = has_channel.then(|| Effect::SendOnChannel(frame.clone()));
    let on_socket = is_live.then_some(Effect::Send(frame));
    on_channel.into_iter().chain(on_socket).collect()
}

fn watch(model: &mut Model, robot: RobotId, cameras: Vec<String>, at: Moment) -> Vec<Effect> {
    if let Some(view) = &model.view
        && view.robot == robot
        && view.cameras == cameras
    {
        return Vec::new();
    }
    let mut effects = unwatch(model);
    if cameras.is_empty() {
        return effects;
    }
    model.view = Some(View {
        number: model.next_view,
        robot,
        cameras,
        phase: ViewPhase::Waiting { retry_at: None },
        attempt: 0,
        is_channel_open: false,
        trouble: None,
    });
    effects.extend(open_view(model, at));
    effects
}

fn unwatch(model: &mut Model) -> Vec<Effect> {
    let Some(view) = model.view.take() else {
        return Vec::new();
    };
    let mut effects = vec![Effect::CloseView];
    effects.extend(end_view(model, &view));
    effects
}

/// Tells the gateway, where it knows of the view.
fn end_view(model: &Model, view: &View) -> Option<Effect> {
    let is_known = !matches!(view.phase, ViewPhase::Waiting { .. });
    (is_known && model.connection.phase == Phase::Live)
        .then_some(Effect::Send(FromConsole::EndView { view: view.number }))
}

/// Starts an attempt, if there is a session to start it on.
pub(super) fn open_view(model: &mut Model, at: Moment) -> Vec<Effect> {
    if model.connection.phase != Phase::Live {
        return Vec::new();
    }
    let Some(view) = &mut model.view else {
        return Vec::new();
    };
    view.number = model.next_view;
    view.phase = ViewPhase::Opening { since: at.now };
    view.is_channel_open = false;
    model.next_view += 1;
    vec![Effect::OpenView {
        view: view.number,
        cameras: view.cameras.clone(),
    }]
}

/// Ends an attempt and plans the next.
pub(super) fn give_up_view(model: &mut Model, code: &str, words: &str, at: Moment) -> Vec<Effect> {
    let Some(mut view) = model.view.take() else {
        return Vec::new();
    };
    let mut effects = vec![Effect::CloseView];
    effects.extend(end_view(model, &view));
    view.phase = ViewPhase::Waiting {
        retry_at: Some(at.now.plus(retry_after_us(view.attempt, at.chance))),
    };
    view.attempt = view.attempt.saturating_add(1);
    view.is_channel_open = false;
    view.trouble = Some(Trouble {
        code: code.to_owned(),
        words: words.to_owned(),
    });
    model.view = Some(view);
    effects
}

fn view_event(model: &mut Model, event: ViewEvent, at: Moment) -> Vec<Effect> {
    let Some(view) = &mut model.view else {
        return Vec::new();
    };
    if matches!(view.phase, ViewPhase::Waiting { .. }) {
        return Vec::new();
    }
    match event {
        ViewEvent::Offer(sdp) => vec![Effect::Send(FromConsole::View {
            view: view.number,
            robot: view.robot,
            cameras: view.cameras.clone(),
            sdp,
        })],
        ViewEvent::Failed(words) => give_up_view(model, "browser", &words, at),
        ViewEvent::Connected => {
            view.phase = ViewPhase::Connected;
            view.attempt = 0;
            view.trouble = None;
            Vec::new()
        }
        ViewEvent::Shaky => {
            if view.phase == ViewPhase::Connected {
                view.phase = ViewPhase::Shaky { since: at.now };
            }
            Vec::new()
        }
        ViewEvent::Lost => give_up_view(model, "path_lost", "the path for pictures broke", at),
        ViewEvent::Channel { is_open } => {
            view.is_channel_open = is_open;
            Vec::new()
        }
    }
}
