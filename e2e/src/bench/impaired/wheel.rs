//! The operator at the keyboard, and what ends a drive: the key that is let go, a link that swallows or stalls, a gateway that dies.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::time::sleep;

use super::{ground::Site, judged::Taken, log};

/// How long the robot is driven before something happens: words go out every 50 ms.
const ROLLS_FOR: Duration = Duration::from_millis(300);

/// From the end of a drive to the next: the page says three times that nothing is held.
const RESTS_FOR: Duration = Duration::from_millis(400);

/// Longer than any word is good for.
const STALL: Duration = Duration::from_millis(800);

/// A robot that heard nothing for a second knows nothing of the delay, and leaves no authority.
const GONE_FOR: Duration = Duration::from_secs(2);

/// A step of authority comes back after five seconds; two may be gone.
const AUTHORITY_BACK_WITHIN: Duration = Duration::from_secs(40);

/// A second of holding the key, and the robot's answer.
const ARMED_WITHIN: Duration = Duration::from_secs(5);

/// A link may end several drives in a row; one that ends all of them is not measured.
const MOST_STARTS: usize = 20;

/// Whether the robot's latest word is that it is armed.
const IS_ARMED: &str =
    "const now = window.drivingNow(); return now !== null && now.disarmed == null";

/// What comes between the operator and the robot in the midst of a drive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mishap {
    /// The link is a black hole, until the robot brakes.
    Swallowed,
    /// The link is a black hole for seconds: authority goes with it.
    Gone,
    /// The link stalls, and then lets out all that was held.
    Stalled,
}

impl Site<'_> {
    /// What the page said and heard since this was last asked.
    pub(super) async fn taken(&self) -> Result<Taken> {
        self.operator
            .browser
            .eval("return window.takeDriving()")
            .await
    }

    /// Whether the robot's latest word leaves authority to drive or to nudge.
    pub(super) async fn may_drive(&self) -> Result<bool> {
        let script = "return ['drive', 'nudge'].includes(window.drivingNow()?.level)";
        self.operator.browser.eval(script).await
    }

    /// Waits for enough authority, and arms the robot unless it still is.
    pub(super) async fn arm_again(&self) -> Result<()> {
        let script = "return ['drive', 'nudge'].includes(window.drivingNow()?.level)";
        let browser = &self.operator.browser;
        browser
            .until_within("authority to drive", AUTHORITY_BACK_WITHIN, script)
            .await?;
        if browser.eval(IS_ARMED).await? {
            return Ok(());
        }
        self.arm().await
    }

    /// Arms the robot as the page asks it, again when the robot refused: on a bad link the picture may just have been too old.
    pub(super) async fn arm(&self) -> Result<()> {
        let operator = &self.operator;
        let is_armed = "return document.querySelector('[data-testid=drive-stand]')?.innerText.includes('Armed') ?? false";
        for _ in 0..MOST_STARTS {
            operator.until_drive("Disarmed").await?;
            operator.taps("w").await?;
            operator.taps("l").await?;
            operator.holds("y").await?;
            let armed = (operator.browser)
                .until_within("the robot to be armed", ARMED_WITHIN, is_armed)
                .await;
            operator.lets_go("y").await?;
            if armed.is_ok() {
                return Ok(());
            }
        }
        bail!("the robot was not armed in {MOST_STARTS} tries")
    }

    /// Turns on the spot: there is room for that everywhere. A drive that the link ended meanwhile is begun anew. Gives how long the
    /// robot's log was before it.
    pub(super) async fn drive_off(&self) -> Result<u64> {
        let browser = &self.operator.browser;
        for _ in 0..MOST_STARTS {
            let before = self.agent().log_bytes()?;
            self.operator.holds("a").await?;
            browser
                .until(
                    "the robot to turn, or to say why not",
                    "const latest = window.drivingNow();
                     return latest !== null && (latest.given.turn_mrad_s !== 0 || latest.disarmed != null);",
                )
                .await?;
            sleep(ROLLS_FOR).await;
            if browser.eval(IS_ARMED).await? {
                return Ok(before);
            }
            self.operator.lets_go("a").await?;
            self.arm_again().await?;
        }
        bail!("{MOST_STARTS} drives ended before anything was done to them")
    }

    /// Drives and lets the key go. How long the robot took to hear of it stands in its record.
    pub(super) async fn drive_and_let_go(&self) -> Result<()> {
        self.drive_off().await?;
        self.operator.lets_go("a").await?;
        sleep(RESTS_FOR).await;
        Ok(())
    }

    /// Drives into it. From the last word that moved the robot to where it began to brake, milliseconds.
    pub(super) async fn drive_into(&self, mishap: Mishap) -> Result<f64> {
        let before = self.drive_off().await?;
        match mishap {
            Mishap::Swallowed | Mishap::Gone => self.ground.wire.swallow(),
            Mishap::Stalled => self.ground.wire.stall(STALL),
        }
        let braked = self.braked(before).await;
        self.operator.lets_go("a").await?;
        match mishap {
            Mishap::Swallowed => {}
            Mishap::Gone => sleep(GONE_FOR).await,
            Mishap::Stalled => sleep(STALL).await,
        }
        self.ground.wire.carry_on();
        (self.operator.browser)
            .until_within(
                "the robot to say that it is not armed",
                AUTHORITY_BACK_WITHIN,
                "return window.drivingNow()?.disarmed != null",
            )
            .await?;
        braked
    }

    /// The gateway dies in the midst of a drive, before which the robot's log was so long. The same figure; then everything is as before.
    pub(super) async fn gateway_dies(&mut self, before: u64) -> Result<f64> {
        self.stack.gateway.kill()?;
        let braked = self.braked(before).await;
        self.operator.lets_go("a").await?;
        self.stack.start_gateway_again().await?;
        self.stack.all_online().await?;
        self.sit_down().await?;
        braked
    }

    async fn braked(&self, after_bytes: u64) -> Result<f64> {
        let line = self.robot_says("driving ended", after_bytes).await?;
        let since = log::field(&line, "since_moved_ms").context(line.clone())?;
        Ok(since.parse()?)
    }
}
