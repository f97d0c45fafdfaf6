//! The consoles that are connected: what each may see, what each has on screen, and its bounded outbox.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::body::Bytes;
use protocol::{
    OrganisationId, PersonId, RobotId, SiteId,
    console_socket::{SNAPSHOT_COMMANDS, ToConsole},
    control::ControlView,
    robot_socket::Goodbye,
    thumbnail::Thumbnail,
    views::{AssistView, CaseView, CommandView, Degradation, JobView, RobotView},
};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::{Attachment, Frame, Live, Sight};

/// Frames that wait for one console. A fleet of 200 sends some 400 a second at most; a session that is half a second behind
/// is better served by a fresh snapshot.
pub const OUTBOX_FRAMES: usize = 256;

/// Answers that wait for one console: what one person asks by hand, on its socket and on four data channels. A console that
/// leaves these unread hears nothing any more.
pub const REPLY_FRAMES: usize = 64;

/// Names a connected console within this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsoleKey(u64);

/// A console's two queues. Neither is ever waited for: when the board's is full the session is marked as lagging and gets a
/// snapshot instead; answers, which no snapshot brings back, have their own, and one that is full ends the session.
#[derive(Debug, Clone)]
pub struct Outbox {
    frames: mpsc::Sender<Frame>,
    replies: mpsc::Sender<Frame>,
    is_lagging: Arc<AtomicBool>,
    overloaded: CancellationToken,
}

/// The ends of both queues, for the session's writer.
#[derive(Debug)]
pub struct Drain {
    pub(super) frames: mpsc::Receiver<Frame>,
    replies: mpsc::Receiver<Frame>,
}

/// What comes next for a console.
#[derive(Debug)]
pub enum Queued {
    /// An answer to what it asked.
    Reply(Frame),
    /// Something from the board.
    Frame(Frame),
}

impl Drain {
    /// Waits for the next frame, answers first. Nothing once every outbox is gone.
    pub async fn next(&mut self) -> Option<Queued> {
        tokio::select! {
            biased;
            Some(reply) = self.replies.recv() => Some(Queued::Reply(reply)),
            Some(frame) = self.frames.recv() => Some(Queued::Frame(frame)),
            else => None,
        }
    }

    /// Throws away what waits from the board; answers stay.
    pub fn skip_frames(&mut self) {
        while self.frames.try_recv().is_ok() {}
    }
}

impl Outbox {
    /// An outbox and the end that the session's writer drains.
    pub fn new() -> (Self, Drain) {
        let (frames, frames_end) = mpsc::channel(OUTBOX_FRAMES);
        let (replies, replies_end) = mpsc::channel(REPLY_FRAMES);
        let outbox = Self {
            frames,
            replies,
            is_lagging: Arc::default(),
            overloaded: CancellationToken::new(),
        };
        let drain = Drain {
            frames: frames_end,
            replies: replies_end,
        };
        (outbox, drain)
    }

    /// Queues a frame, unless the session lags: then the frame is dropped, for a snapshot is due anyway.
    pub fn push(&self, frame: Frame) {
        if self.is_lagging.load(Ordering::Acquire) {
            return;
        }
        if let Err(mpsc::error::TrySendError::Full(_dropped)) = self.frames.try_send(frame) {
            self.is_lagging.store(true, Ordering::Release);
            metrics::counter!("nooterra_console_resyncs_total").increment(1);
        }
    }

    /// Queues an answer, also while the session lags.
    pub fn reply(&self, frame: Frame) {
        if let Err(mpsc::error::TrySendError::Full(_lost)) = self.replies.try_send(frame) {
            self.overloaded.cancel();
        }
    }

    /// Waits until an answer found no place.
    pub async fn overloaded(&self) {
        self.overloaded.cancelled().await;
    }

    /// Whether frames were dropped and a snapshot is due.
    pub fn is_lagging(&self) -> bool {
        self.is_lagging.load(Ordering::Acquire)
    }

    /// Takes the mark away; the caller sends a snapshot next.
    pub fn catch_up(&self) -> bool {
        self.is_lagging.swap(false, Ordering::AcqRel)
    }
}

/// What is needed to open a console session.
#[derive(Debug)]
pub struct NewConsole {
    /// Who it is.
    pub person: PersonId,
    /// The sign-in or token that it stands on.
    pub credential: String,
    /// Robots that may be seen.
    pub sight: Sight,
    /// Robots whose pictures may be seen.
    pub watches: Option<Sight>,
    /// Sites of which everybody's jobs may be seen; one's own are seen everywhere.
    pub jobs: Option<Sight>,
    /// Sites of which calls for help may be answered.
    pub calls: Option<Sight>,
    /// Sites of which everybody's complaints may be reviewed; one's own are seen everywhere.
    pub cases: Option<Sight>,
    /// Where its frames go.
    pub outbox: Outbox,
    /// Fired when the session must end.
    pub ending: oneshot::Sender<Goodbye>,
    /// Told when something about the person's sign-ins changed: the session then asks whether its own still stands.
    pub doubt: Arc<Notify>,
}

#[derive(Debug)]
pub(super) struct Console {
    person: PersonId,
    credential: String,
    pub(super) sight: Sight,
    watches: Option<Sight>,
    jobs: Option<Sight>,
    calls: Option<Sight>,
    cases: Option<Sight>,
    pub(super) outbox: Outbox,
    ending: Option<oneshot::Sender<Goodbye>>,
    doubt: Arc<Notify>,
    thumbnails: BTreeSet<RobotId>,
    /// Views per robot: its telemetry and scans come at full rate.
    views: BTreeMap<RobotId, usize>,
}

impl Console {
    pub(super) fn views_robot(&self, robot: RobotId) -> bool {
        self.views.contains_key(&robot)
    }

    pub(super) fn wants_thumbnails_of(&self, robot: RobotId) -> bool {
        self.thumbnails.contains(&robot)
    }
}

impl Live {
    /// Connects a console.
    pub fn open_console(&self, new: NewConsole) -> ConsoleKey {
        let mut state = self.state();
        state.generations += 1;
        let key = ConsoleKey(state.generations);
        state.consoles.insert(
            key,
            Console {
                person: new.person,
                credential: new.credential,
                sight: new.sight,
                watches: new.watches,
                jobs: new.jobs,
                calls: new.calls,
                cases: new.cases,
                outbox: new.outbox,
                ending: Some(new.ending),
                doubt: new.doubt,
                thumbnails: BTreeSet::new(),
                views: BTreeMap::new(),
            },
        );
        key
    }

    /// Forgets a console and what it wanted.
    pub fn close_console(&self, key: ConsoleKey) {
        let mut state = self.state();
        let Some(console) = state.consoles.remove(&key) else {
            return;
        };
        let touched: BTreeSet<_> = console
            .thumbnails
            .iter()
            .chain(console.views.keys())
            .copied()
            .collect();
        for robot in touched {
            state.send_demand(robot);
        }
    }

    /// Replaces the robots whose stills a console has on screen, as far as it may see them. Sends what is there at once.
    pub fn want_thumbnails(&self, key: ConsoleKey, robots: BTreeSet<RobotId>) {
        let mut state = self.state();
        let Some(console) = state.consoles.get(&key) else {
            return;
        };
        let (watches, outbox) = (console.watches.clone(), console.outbox.clone());
        let robots: BTreeSet<_> = robots
            .into_iter()
            .filter(|robot| {
                let subject = state.robots.get(robot);
                let sight = watches.as_ref();
                subject.is_some_and(|subject| sight.is_some_and(|sight| subject.is_seen_by(sight)))
            })
            .collect();
        let Some(console) = state.consoles.get_mut(&key) else {
            return;
        };
        let before = std::mem::replace(&mut console.thumbnails, robots.clone());
        for robot in robots.difference(&before) {
            if let Some(still) = state
                .robots
                .get(robot)
                .and_then(|subject| subject.thumbnail.as_ref())
            {
                outbox.push(Frame::Binary(still.clone()));
            }
        }
        for robot in before.symmetric_difference(&robots) {
            state.send_demand(*robot);
        }
    }

    /// A console opened a view of a robot: full-rate telemetry and scans from here on.
    pub fn begin_view(&self, key: ConsoleKey, robot: RobotId) {
        let mut state = self.state();
        if let Some(console) = state.consoles.get_mut(&key) {
            *console.views.entry(robot).or_default() += 1;
            state.send_demand(robot);
        }
    }

    /// A view ended.
    pub fn end_view(&self, key: ConsoleKey, robot: RobotId) {
        let mut state = self.state();
        if let Some(console) = state.consoles.get_mut(&key)
            && let Some(count) = console.views.get_mut(&robot)
        {
            *count -= 1;
            if *count == 0 {
                console.views.remove(&robot);
            }
            state.send_demand(robot);
        }
    }

    /// A robot's still: kept as the latest and sent to who has it on screen.
    pub fn thumbnail(&self, attachment: Attachment, still: &Thumbnail<'_>) {
        let robot = attachment.robot();
        let frame = Bytes::from(still.to_console_frame(robot));
        let mut state = self.state();
        let Some(subject) = state.attached(attachment) else {
            return;
        };
        subject.thumbnail = Some(frame.clone());
        for console in state.consoles.values() {
            if console.wants_thumbnails_of(robot) {
                console.outbox.push(Frame::Binary(frame.clone()));
            }
        }
    }

    /// A command was recorded or changed.
    pub fn command(&self, view: &CommandView) {
        self.state()
            .tell(view.robot, &ToConsole::Command(view.clone()), |_console| {
                true
            });
    }

    /// A job was added or changed.
    pub fn job(&self, view: &JobView) {
        let message = ToConsole::Job(Box::new(view.clone()));
        self.state().tell_whom(&message, |console| {
            let sight = console.jobs.as_ref();
            console.person == view.requester
                || sight.is_some_and(|sight| sight.covers(view.organisation, view.site))
        });
    }

    /// A call for help was added or changed.
    pub fn assist(&self, view: &AssistView) {
        let message = ToConsole::Assist(Box::new(view.clone()));
        self.state().tell_whom(&message, |console| {
            let sight = console.calls.as_ref();
            sight.is_some_and(|sight| sight.covers(view.organisation, view.site))
        });
    }

    /// Who steers a robot changed. Only who may see others at work with robots hears their names.
    pub fn control(&self, view: &ControlView, organisation: OrganisationId, site: SiteId) {
        let message = ToConsole::Control(Box::new(view.clone()));
        self.state().tell_whom(&message, |console| {
            let sight = console.calls.as_ref();
            sight.is_some_and(|sight| sight.covers(organisation, site))
        });
    }

    /// A complaint was filed or changed.
    pub fn case(&self, view: &CaseView) {
        let message = ToConsole::Case(Box::new(view.clone()));
        self.state().tell_whom(&message, |console| {
            let sight = console.cases.as_ref();
            console.person == view.requester
                || sight.is_some_and(|sight| sight.covers(view.organisation, view.site))
        });
    }

    /// What a console gets at its start and after it lagged.
    pub fn snapshot(&self, key: ConsoleKey) -> Option<(Vec<RobotView>, Vec<Degradation>)> {
        let state = self.state();
        let console = state.consoles.get(&key)?;
        Some((state.visible(&console.sight), state.degraded.clone()))
    }

    /// Lets every session of a person ask whether its sign-in and its rights still stand.
    pub fn doubt_consoles_of(&self, person: PersonId) {
        let state = self.state();
        for console in state.consoles.values().filter(|one| one.person == person) {
            console.doubt.notify_one();
        }
    }

    /// Ends the sessions that stand on a sign-in or token.
    pub fn end_consoles_with(&self, credential: &str) {
        self.end_consoles(|console| console.credential == credential);
    }

    fn end_consoles(&self, is_meant: impl Fn(&Console) -> bool) {
        let mut state = self.state();
        for console in state.consoles.values_mut().filter(|one| is_meant(one)) {
            if let Some(ending) = console.ending.take() {
                // The session may have ended by itself in this moment; then nobody listens any more.
                let _already_over = ending.send(Goodbye::SessionEnded);
            }
        }
    }

    /// Sends a last word to every console and robot before the process goes down.
    pub fn end_all(&self, reason: Goodbye) {
        let mut state = self.state();
        for console in state.consoles.values_mut() {
            if let Some(ending) = console.ending.take() {
                let _already_over = ending.send(reason);
            }
        }
        for robot in state.robots.values_mut() {
            robot.end(reason);
        }
    }
}

/// The snapshot message of `robots` with the latest commands to them.
pub fn snapshot_message(
    (robots, degraded): (Vec<RobotView>, Vec<Degradation>),
    commands: Vec<CommandView>,
    assists: Vec<AssistView>,
    controls: Option<Vec<ControlView>>,
) -> ToConsole {
    debug_assert!(commands.len() <= SNAPSHOT_COMMANDS as usize);
    ToConsole::Snapshot {
        robots,
        degraded,
        commands,
        assists,
        controls,
    }
}
