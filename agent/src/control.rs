//! The loop that moves the robot: steps the driver, obeys orders, says where it is. It needs no network to go on.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use protocol::{
    UnixMicros,
    command::{Order, Receipt},
    robot::{Advert, Scan, Telemetry},
};
use tokio::{
    sync::{mpsc, watch},
    time::MissedTickBehavior,
};

use crate::{
    digits,
    driver::Driver,
    orders::{Clocks, Orders},
};

/// How often the driver is stepped: fast enough for smooth wheels, a tenth of a core-percent for the simulator.
const STEP: Duration = Duration::from_millis(20);

/// A step never covers more than this, whatever kept the process: the world must not jump.
const LONGEST_STEP: Duration = Duration::from_millis(100);

/// Telemetry at 10 Hz: every fifth step.
const TELEMETRY_EVERY: u32 = 5;

/// Scans at 5 Hz: every tenth step.
const SCAN_EVERY: u32 = 10;

/// Orders that may wait for the next step. More than this in 20 ms is a fault of the sender.
pub const ORDER_QUEUE: usize = 16;

/// Receipts that may wait for the journal, which syncs each to disk.
pub const RECEIPT_QUEUE: usize = 64;

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
    /// Orders in.
    pub orders: mpsc::Receiver<Order>,
    /// Receipts out.
    pub receipts: mpsc::Sender<Receipt>,
    /// The latest state.
    pub telemetry: watch::Sender<Option<Telemetry>>,
    /// The latest scan and path.
    pub scan: watch::Sender<Option<Scan>>,
    /// The driver's advert; the agent adds its cameras.
    pub advert: watch::Sender<Advert>,
}

/// Runs until the order queue closes.
pub async fn run(mut driver: Box<dyn Driver>, mut control: Control, clock: AgentClock) {
    let mut orders = Orders::default();
    let mut beat = tokio::time::interval(STEP);
    beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut before = Instant::now();
    let mut steps: u32 = 0;
    loop {
        tokio::select! {
            order = control.orders.recv() => {
                let Some(order) = order else { return };
                if let Some(receipt) = orders.take(driver.as_mut(), &order, clock.now()) {
                    tracing::info!(command.id = %order.command, outcome = ?receipt.outcome, "took an order");
                    report(&control, receipt).await;
                }
            }
            _ = beat.tick() => {
                let now = Instant::now();
                let elapsed = now.duration_since(before).min(LONGEST_STEP);
                before = now;
                let (step, receipts) = orders.step(driver.as_mut(), elapsed, clock.now());
                for receipt in receipts {
                    tracing::info!(command.id = %receipt.command, outcome = ?receipt.outcome, "an order ended");
                    report(&control, receipt).await;
                }
                if step.is_advert_changed {
                    control.advert.send_replace(driver.advert());
                }
                publish(driver.as_ref(), &control, clock, steps);
                steps = steps.wrapping_add(1);
            }
        }
    }
}

/// A receipt is worth waiting for: the journal may be busy syncing. Should it be gone, the agent is going down.
async fn report(control: &Control, receipt: Receipt) {
    if control.receipts.send(receipt).await.is_err() {
        tracing::warn!("a receipt was lost: the journal is closed");
    }
}

fn publish(driver: &dyn Driver, control: &Control, clock: AgentClock, steps: u32) {
    let Clocks { tick_ms, at } = clock.now();
    if steps.is_multiple_of(TELEMETRY_EVERY) {
        control
            .telemetry
            .send_replace(Some(digits::of_telemetry(driver.telemetry(tick_ms, at))));
    }
    if steps.is_multiple_of(SCAN_EVERY) && control.scan.receiver_count() > 0 {
        control
            .scan
            .send_replace(driver.scan(at).map(digits::of_scan));
    }
}
