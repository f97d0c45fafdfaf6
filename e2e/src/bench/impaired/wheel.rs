//! The operator at the keyboard, and what ends a drive: the key that is let go, a link that swallows or stalls, a gateway that dies.

use std::time::Duration;

use anyhow::{Context as _, Result};
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
        let script = "return ['drive', 'nudge'].includes(window.driving.latest?.level)";
        self.operator.browser.eval(script).await
    }

    /// Waits for enough authority, and arms the robot unless it still is.
    pub(super) async fn arm_again(&self) -> Result<()> {
        let script = "return ['drive', 'nudge'].includes(window.driving.latest?.level)";
        let browser = &self.operator.browser;
        browser
            .until_within("authority to drive", AUTHORITY_BACK_WITHIN, script)
            .await?;
        let is_armed = "return window.driving.latest.disarmed == null";
        if browser.eval(is_armed).await? {
            return Ok(());
        }
        self.arm().await
    }

    /// Arms the robot as the page asks it.
    pub(super) async fn arm(&self) -> Result<()> {
        let operator = &self.operator;
        operator.until_drive("Disarmed").await?;
        operator.taps("w").await?;
        operator.taps("l").await?;
        operator.holds("y").await?;
        let armed = operator.until_drive("Armed").await;
        operator.lets_go("y").await?;
        armed
    }

    /// Turns on the spot: there is room for that everywhere.
    pub(super) async fn drive_off(&self) -> Result<()> {
        self.operator.holds("a").await?;
        (self.operator.browser)
            .until(
                "the robot to turn",
                "return (window.driving.latest?.given.turn_mrad_s ?? 0) !== 0",
            )
            .await?;
        sleep(ROLLS_FOR).await;
        Ok(())
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
        self.drive_off().await?;
        let before = self.agent().log_bytes()?;
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
                "return window.driving.latest?.disarmed != null",
            )
            .await?;
        braked
    }

    /// The gateway dies in the midst of a drive. The same figure; then everything is as before.
    pub(super) async fn gateway_dies(&mut self) -> Result<f64> {
        let before = self.agent().log_bytes()?;
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
