//! The loop that moves the robot: steps the driver, obeys orders, says where it is. It needs no network to go on.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use protocol::{
    UnixMicros,
    command::Outcome,
    drive::DriveReport,
    grant::{GrantEvent, RobotTrust},
    robot::{Activity, Advert, Scan, Telemetry},
};
use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        watch,
    },
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;

use crate::{
    authority::{Change, Remembered},
    cameras::mask::Veil,
    desk::Desk,
    digits,
    driver::Driver,
    gallery::Gallery,
    orders::{Button, Clocks, FromGateway, Journalling, Orders},
    receipts::Word,
    safety::Safety,
    trust::{Kept, NotBelieved, Pinned, Trust},
};

/// How often the driver is stepped: fast enough for smooth wheels, a tenth of a core-percent for the simulator.
const STEP: Duration = Duration::from_millis(20);

/// A step never covers more than this, whatever kept the process: the world must not jump.
const LONGEST_STEP: Duration = Duration::from_millis(100);

/// Telemetry at 10 Hz: every fifth step.
const TELEMETRY_EVERY: u32 = 5;

/// Scans at 5 Hz: every tenth step.
const SCAN_EVERY: u32 = 10;

/// What the robot says of being driven, at 25 Hz while somebody steers it: commands name its tick, and are to be fresh.
const DRIVE_REPORT_EVERY: u32 = 2;

/// Orders that may wait for the next step. More than this in 20 ms is a fault of the sender.
pub const ORDER_QUEUE: usize = 16;

/// Drive commands that may wait for the loop: one of them is followed, whatever comes at once.
pub const DRIVE_QUEUE: usize = 32;

/// Receipts, and words on jobs, that may wait for the journal, which syncs each to disk: half a minute of orders and their
/// ends. While the disk takes none, only stops and refusals add to them.
pub const WORD_QUEUE: usize = 64;

/// Of these, what is kept free for stops and for the ends of what runs: with less room the robot takes on nothing new.
pub const KEPT_FOR_STOPS: usize = 16;

/// The agent's two clocks.
#[derive(Debug, Clone, Copy)]
pub struct AgentClock {
    started: Instant,
}

impl AgentClock {
    /// Starts the monotonic clock.
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
        }
    }

    /// Both clocks, now.
    pub fn now(&self) -> Clocks {
        let tick_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let since_1970 = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Clocks {
            tick_ms,
            at: UnixMicros(i64::try_from(since_1970.as_micros()).unwrap_or(i64::MAX)),
        }
    }
}

/// The ends of the loop that the rest of the agent holds.
#[derive(Debug)]
pub struct Control {
    /// Orders, and who steers, in.
    pub orders: mpsc::Receiver<FromGateway>,
    /// What pages want of the wheels, as they sealed it.
    pub drives: mpsc::Receiver<Bytes>,
    /// What the robot says of that.
    pub driving: watch::Sender<Option<DriveReport>>,
    /// The robot's own stop button.
    pub stop_button: watch::Receiver<Button>,
    /// What the robot keeps to.
    pub safety: Safety,
    /// Whether it has cameras, and what the robot remembers of their pictures.
    pub pictures: (bool, Gallery),
    /// Before cameras that show nothing in some places, by their names.
    pub veils: Vec<(String, Veil)>,
    /// What is known of who steers, to the disk.
    pub remembered: watch::Sender<Remembered>,
    /// What the robot was told when it was enrolled.
    pub pinned: Pinned,
    /// What of whom it believes has to be kept, to the disk.
    pub kept: watch::Sender<Kept>,
    /// Whom it believes, to the link.
    pub trust: watch::Sender<Option<RobotTrust>>,
    /// Receipts out.
    pub receipts: mpsc::Sender<Word>,
    /// Whether receipts can be written down.
    pub journalling: watch::Receiver<Journalling>,
    /// The latest state.
    pub telemetry: watch::Sender<Option<Telemetry>>,
    /// The latest scan and path.
    pub scan: watch::Sender<Option<Scan>>,
    /// The driver's advert; the agent adds its cameras.
    pub advert: watch::Sender<Advert>,
    /// The job.
    pub desk: Desk,
}

/// Runs `until` is cancelled or the order queue closes.
pub async fn run(
    mut driver: Box<dyn Driver>,
    mut control: Control,
    clock: AgentClock,
    until: CancellationToken,
) {
    let trust = Trust::remembering(
        control.pinned.clone(),
        control.kept.borrow().clone(),
        rand::random(),
    );
    let safety = control.safety.clone();
    driver.bar(&|at| safety.room_to_plan(at));
    let remembered = *control.remembered.borrow();
    let mut orders = Orders::remembering(remembered, trust, safety, control.pictures.clone());
    orders.stay_stopped(driver.as_mut());
    if orders.is_stopped() {
        control.desk.work.came_up_stopped();
    }
    remember(&control, &orders);
    let mut beat = tokio::time::interval(STEP);
    beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut before = Instant::now();
    let mut steps: u32 = 0;
    loop {
        tokio::select! {
            () = until.cancelled() => return,
            told = control.orders.recv() => {
                let Some(told) = told else { return };
                hear(driver.as_mut(), &mut control, &mut orders, told, clock.now());
                remember(&control, &orders);
            }
            Some(first) = control.drives.recv() => {
                let mut sealed = vec![first];
                while let Ok(next) = control.drives.try_recv() {
                    sealed.push(next);
                }
                let journalling = control.can_answer();
                let began = Instant::now();
                orders.drive(&sealed, clock.now(), journalling);
                let judged_us = began.elapsed().as_micros();
                tracing::debug!(commands = sealed.len(), judged_us, "judged what was asked of the wheels");
            }
            _ = beat.tick() => {
                let now = Instant::now();
                let elapsed = now.duration_since(before).min(LONGEST_STEP);
                before = now;
                step(driver.as_mut(), &mut control, &mut orders, elapsed, clock);
                publish(driver.as_ref(), &control, &orders, clock, steps);
                steps = steps.wrapping_add(1);
            }
        }
    }
}

/// Lets time pass.
fn step(
    driver: &mut dyn Driver,
    control: &mut Control,
    orders: &mut Orders,
    elapsed: Duration,
    clock: AgentClock,
) {
    let button = *control.stop_button.borrow();
    let desk = &mut control.desk;
    // From before the button is looked at: a press is to outlast whatever becomes of this process.
    let before = (orders.believes_somebody(), orders.is_stopped());
    orders.works_on(desk.work.job());
    // Told before the driver moves: its end may come in this very step.
    orders.press(driver, button, clock.now());
    if let Some((command, verb)) = orders.take_obeyed() {
        desk.person_ordered(command, verb);
    }
    let (step, receipts) = orders.step(driver, elapsed, clock.now(), |ending| desk.ended(ending));
    if let Some((command, verb)) = orders.take_obeyed() {
        desk.person_ordered(command, verb);
    }
    let clocks = clock.now();
    let is_held = orders.is_steered(clocks.tick_ms) || orders.is_stopped();
    desk.beat(driver, elapsed, clocks, is_held);
    for receipt in receipts {
        tracing::info!(command.id = %receipt.command, outcome = ?receipt.outcome, "an order ended");
        report(control, Word::Receipt(receipt));
    }
    if let Some(event) = orders.drive_event(driver, clocks) {
        report(control, Word::OfDriving(event));
    }
    // Only time passed: nothing but the end of somebody's sitting, or a stop of the robot's own, can have come of it.
    if before != (orders.believes_somebody(), orders.is_stopped()) {
        remember(control, orders);
    }
    let pose = driver.body().pose;
    for (camera, veil) in &control.veils {
        veil.draw(
            control
                .safety
                .is_private(camera, [pose.x_m, pose.y_m].map(f64::from)),
        );
    }
    if step.is_advert_changed {
        control
            .advert
            .send_replace(control.safety.dress(driver.advert()));
    }
}

/// Takes in what the gateway says.
fn hear(
    driver: &mut dyn Driver,
    control: &mut Control,
    orders: &mut Orders,
    told: FromGateway,
    clocks: Clocks,
) {
    match told {
        FromGateway::Order(order) => {
            let journalling = control.can_answer();
            let began = Instant::now();
            let Some(receipt) = orders.take(driver, &order, clocks, journalling) else {
                return;
            };
            let judged_us = began.elapsed().as_micros();
            tracing::info!(command.id = %receipt.command, outcome = ?receipt.outcome, judged_us, "took an order");
            if let Some((command, verb)) = orders.take_obeyed() {
                control.desk.person_ordered(command, verb);
            }
            if matches!(receipt.outcome, Outcome::Refused { .. }) {
                report_refusal(control, Word::Receipt(receipt));
            } else {
                report(control, Word::Receipt(receipt));
            }
        }
        FromGateway::Control(notice) => {
            if orders.hear(driver, &notice, clocks) == Change::LetGo {
                control.desk.let_go();
            }
        }
        FromGateway::Roster(sealed) => {
            let heard =
                decode(&sealed).and_then(|sealed| orders.hear_roster(driver, &sealed, clocks));
            note("roster", heard);
        }
        FromGateway::Revocations(sealed) => {
            let heard =
                decode(&sealed).and_then(|sealed| orders.hear_revocations(driver, &sealed, clocks));
            note("list of revocations", heard);
        }
        FromGateway::Grant(presentation) => {
            let event = orders.present(driver, &presentation, clocks, rand::random());
            tracing::info!(?event, "was shown a grant");
            if matches!(event, GrantEvent::Refused { .. }) {
                report_refusal(control, Word::OfGrant(event));
            } else {
                report(control, Word::OfGrant(event));
            }
        }
    }
}

fn decode(sealed: &str) -> Result<Vec<u8>, NotBelieved> {
    (BASE64_STANDARD.decode(sealed)).map_err(|_not_base64| NotBelieved::NotSigned)
}

fn note(what: &str, heard: Result<(), NotBelieved>) {
    match heard {
        Ok(()) => tracing::info!("took a new {what}"),
        // The gateway says it again at the start of every session.
        Err(NotBelieved::NotNewer) => tracing::debug!("the {what} is the one that is known"),
        Err(error) => tracing::warn!(%error, "a {what} is not believed"),
    }
}

/// What has to be kept, and what the robot says of whom it believes, as far as it changed.
fn remember(control: &Control, orders: &Orders) {
    replace(&control.remembered, orders.remembered());
    control.kept.send_if_modified(|before| {
        let is_new = before != orders.kept();
        if is_new {
            before.clone_from(orders.kept());
        }
        is_new
    });
    replace(&control.trust, Some(orders.trust()));
}

fn replace<T: PartialEq>(told: &watch::Sender<T>, now: T) {
    told.send_if_modified(|before| {
        let is_new = *before != now;
        *before = now;
        is_new
    });
}

impl Control {
    /// Whether what the robot does now can still be written down: not where the disk fails, nor where it is so slow that only
    /// stops have room left.
    fn can_answer(&self) -> Journalling {
        if self.receipts.capacity() < KEPT_FOR_STOPS.min(self.receipts.max_capacity()) {
            Journalling::Fails
        } else {
            *self.journalling.borrow()
        }
    }
}

/// What was refused moved nothing. Said while there is room: whoever sends the robot what it refuses, as fast as they can, keeps it
/// from nothing else.
fn report_refusal(control: &Control, word: Word) {
    if control.receipts.capacity() * 2 > control.receipts.max_capacity() {
        report(control, word);
    } else {
        tracing::warn!("{word} is not written down: too much waits for the disk");
    }
}

/// Never waits: a robot whose disk hangs must still be steered, and stopped.
fn report(control: &Control, word: Word) {
    match control.receipts.try_send(word) {
        Ok(()) => {}
        Err(TrySendError::Full(word)) => {
            tracing::error!("{word} was lost: {WORD_QUEUE} others wait for the disk");
        }
        Err(TrySendError::Closed(word)) => {
            tracing::error!("{word} was lost: the journal is closed");
        }
    }
}

fn publish(driver: &dyn Driver, control: &Control, orders: &Orders, clock: AgentClock, steps: u32) {
    let clocks = clock.now();
    let Clocks { tick_ms, at } = clocks;
    if steps.is_multiple_of(DRIVE_REPORT_EVERY) {
        let report = orders.drive_report(driver, clocks);
        control.driving.send_if_modified(|before| {
            let is_news = before.is_some() || report.is_some();
            *before = report;
            is_news
        });
    }
    if steps.is_multiple_of(TELEMETRY_EVERY) {
        let mut telemetry = driver.telemetry(tick_ms, at);
        control.desk.dress(&mut telemetry);
        // Also of a robot that came up anew, and whose driver knows nothing of it.
        if orders.is_stopped() {
            telemetry.activity = Activity::Stopped;
        } else if telemetry.activity == Activity::Stopped {
            // The stop is released, and its job waits for somebody to resume it.
            telemetry.activity = Activity::Waiting;
        }
        control
            .telemetry
            .send_replace(Some(digits::of_telemetry(telemetry)));
    }
    if steps.is_multiple_of(SCAN_EVERY) && control.scan.receiver_count() > 0 {
        control
            .scan
            .send_replace(driver.scan(at).map(digits::of_scan));
    }
}

#[cfg(test)]
mod tests {
    use protocol::{
        CommandId, OrganisationId, RobotId, SiteId,
        command::{Order, Verb},
    };
    use uuid::Uuid;

    use super::*;
    use crate::{
        driver::willing::Willing,
        receipts::given_up,
        work::{Work, heard::Heard},
    };

    /// Longer than anything here takes on a loaded machine; reached only when a claim is false.
    const PATIENCE: Duration = Duration::from_secs(20);

    fn idle_desk() -> Desk {
        Desk {
            work: Work::new(None, 1),
            heard: watch::channel(Heard::default()).1,
            heard_times: 0,
            advert: watch::channel(Advert::default()).1,
            words: mpsc::channel(1).0,
            unsent: None,
            written: watch::channel(0).1,
            photos: mpsc::channel(1).0,
            developed: mpsc::channel(1).1,
        }
    }

    /// The ends of a loop that the rest of an agent would hold.
    struct Rest {
        orders: mpsc::Sender<FromGateway>,
        button: watch::Sender<Button>,
        remembered: watch::Receiver<Remembered>,
        _receipts: mpsc::Receiver<Word>,
        _journalling: watch::Sender<Journalling>,
    }

    /// A loop whose disk is as it is said, with room for so many words.
    fn control(journalling: Journalling, room: usize) -> (Control, Rest) {
        let (orders, orders_out) = mpsc::channel(ORDER_QUEUE);
        let (receipts, unread) = mpsc::channel(room);
        let (journalling, journalling_out) = watch::channel(journalling);
        let (button, button_out) = watch::channel(Button::default());
        let (remembered, remembered_out) = watch::channel(Remembered::default());
        let control = Control {
            orders: orders_out,
            drives: mpsc::channel(DRIVE_QUEUE).1,
            driving: watch::channel(None).0,
            stop_button: button_out,
            safety: Safety::new(None, 0.26),
            pictures: (false, Gallery::default()),
            veils: Vec::new(),
            remembered,
            pinned: Pinned {
                organisation: OrganisationId(Uuid::nil()),
                site: SiteId(Uuid::nil()),
                robot: RobotId(Uuid::nil()),
                root: None,
            },
            kept: watch::channel(Kept::default()).0,
            trust: watch::channel(None).0,
            receipts,
            journalling: journalling_out,
            telemetry: watch::channel(None).0,
            scan: watch::channel(None).0,
            advert: watch::channel(Advert::default()).0,
            desk: idle_desk(),
        };
        let rest = Rest {
            orders,
            button,
            remembered: remembered_out,
            _receipts: unread,
            _journalling: journalling,
        };
        (control, rest)
    }

    fn stop(command: u128) -> FromGateway {
        FromGateway::Order(Order::Stop {
            command: CommandId(Uuid::from_u128(command)),
        })
    }

    #[tokio::test]
    async fn a_press_of_the_robots_own_button_is_to_be_kept_though_no_gateway_says_a_word() {
        let (control, mut rest) = control(Journalling::Works, WORD_QUEUE);
        let end = CancellationToken::new();
        let driver = Box::new(Willing::default());
        let running = tokio::spawn(run(driver, control, AgentClock::start(), end.clone()));

        // Over before anybody could look.
        rest.button.send_replace(Button {
            is_pressed: false,
            presses: 1,
        });
        let kept = rest.remembered.wait_for(|known| known.is_stopped);
        tokio::time::timeout(PATIENCE, kept).await.unwrap().unwrap();

        end.cancel();
        running.await.unwrap();
    }

    #[test]
    fn with_room_for_stops_alone_the_robot_takes_on_nothing_new_and_says_no_more_of_what_it_refuses()
     {
        let (control, _rest) = control(Journalling::Works, WORD_QUEUE);
        let driver = Willing::default();
        let clocks = AgentClock::start().now();
        let refused = |number: u128| {
            let command = CommandId(Uuid::from_u128(number));
            Word::Receipt(given_up(vec![command], &driver, clocks).remove(0))
        };
        for number in 0..WORD_QUEUE as u128 * 2 {
            report_refusal(&control, refused(number));
        }
        assert_eq!(control.receipts.capacity(), WORD_QUEUE / 2);
        assert_eq!(control.can_answer(), Journalling::Works);

        while control.receipts.capacity() >= KEPT_FOR_STOPS {
            report(&control, refused(0));
        }

        assert_eq!(control.can_answer(), Journalling::Fails);
    }

    #[tokio::test]
    async fn a_stop_is_obeyed_while_the_disk_takes_no_receipts_and_none_is_read() {
        let (control, rest) = control(Journalling::Fails, 1);
        let driver = Willing::default();
        let told = driver.clone();
        let running = tokio::spawn(run(
            Box::new(driver),
            control,
            AgentClock::start(),
            CancellationToken::new(),
        ));

        for command in 0..4 {
            rest.orders.send(stop(command)).await.unwrap();
        }
        drop(rest);

        tokio::time::timeout(PATIENCE, running)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(told.told(), [Verb::Stop; 4]);
    }
}
