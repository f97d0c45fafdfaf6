//! Signed commands of a script over the impaired link: there and back, and how long after a revocation the robot refuses them.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::{
    api::{Api, new_command},
    hand::Hand,
    until::until,
};
use protocol::{
    RobotId,
    command::{CommandRequest, Fate, Verb},
    control::ControlEvent,
    views::{PersonKeyView, Problem},
};
use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

use super::{ground::Site, log};
use crate::commands::Console;

/// Orders that the figure is made of, if they do not take longer than the next says.
const MOST_ORDERS: usize = 100;

/// As long as orders are given.
const GIVEN_FOR: Duration = Duration::from_secs(20);

/// The same of revocations: each takes a grant first.
const MOST_REVOCATIONS: usize = 25;

/// As long as people are put out.
const REVOKED_FOR: Duration = Duration::from_secs(40);

/// The robot hears of an end, or says no, within that.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);

/// How long the black hole lasts into which a revocation is sent: the gateway has given the robot up by then.
const HOLE: Duration = Duration::from_secs(4);

/// What a revocation meets on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The link as it is.
    Open,
    /// A black hole, whose end is what is counted from.
    Swallowed,
}

/// Who commands by script: a supervisor who took over from the operator.
pub(super) struct Script {
    api: Api,
    robot: RobotId,
    epoch: u64,
}

impl Script {
    /// Takes over.
    pub(super) async fn take_over(site: &Site<'_>) -> Result<Self> {
        let (api, robot) = (site.supervisor()?, site.robot);
        let epoch = api.who_steers(robot).await?.epoch;
        let reason = "measures how it is told".to_owned();
        let act = ControlEvent::TakenOver { epoch, reason };
        let taken = granted(api.control(robot, act, None).await?)?;
        Ok(Self {
            api,
            robot,
            epoch: taken.epoch,
        })
    }

    /// From a signed command on a console's socket to the robot's signed word on it there, milliseconds.
    pub(super) async fn round_trips(&self, site: &Site<'_>) -> Result<Vec<f64>> {
        let token = &site.stack.seeded.tokens.supervisor;
        let mut console = Console::open(&site.stack, token).await?;
        let mut hand = Hand::of(&self.api).await?;
        hand.bind(self.robot, self.epoch).await?;
        let began = Instant::now();
        let mut trips = Vec::new();
        while trips.len() < MOST_ORDERS && began.elapsed() < GIVEN_FOR {
            self.api.is_present(self.robot, self.epoch).await?;
            let command = new_command();
            let body = hand.sign(self.robot, command, Verb::ArmDrive).await?;
            let request = CommandRequest {
                command,
                robot: self.robot,
                epoch: body.epoch,
                verb: body.verb,
                signed: body.signed,
            };
            trips.push(console.order(request).await?);
        }
        hand.removes_its_key().await?;
        Ok(trips)
    }

    /// From the call that takes somebody's key away, or the end of the black hole that swallowed it, until the robot refuses them,
    /// milliseconds by this machine's clock, which is the robot's too.
    pub(super) async fn revocations(&self, site: &Site<'_>, way: Way) -> Result<Vec<f64>> {
        let began = Instant::now();
        let mut took = Vec::new();
        while took.len() < MOST_REVOCATIONS && began.elapsed() < REVOKED_FOR {
            self.api.is_present(self.robot, self.epoch).await?;
            let mut hand = Hand::of(&self.api).await?;
            hand.bind(self.robot, self.epoch).await?;
            let before = site.agent().log_bytes()?;
            if way == Way::Swallowed {
                site.ground.wire.swallow();
            }
            let mut called = OffsetDateTime::now_utc();
            hand.removes_its_key().await?;
            if way == Way::Swallowed {
                sleep(HOLE).await;
                site.ground.wire.carry_on();
                called = OffsetDateTime::now_utc();
            }
            let line = site
                .robot_says("took a new list of revocations", before)
                .await?;
            took.push(log::at_ms(&line)? - log::milliseconds(called));
            if took.len() == 1 {
                self.is_refused(&mut hand).await?;
            }
        }
        Ok(took)
    }

    /// That the line in the log means what it is taken for.
    async fn is_refused(&self, hand: &mut Hand) -> Result<()> {
        let late = new_command();
        granted(hand.command(self.robot, late, Verb::ArmDrive).await?)?;
        until("the robot's refusal", ANSWERED_WITHIN, async || {
            let fate = self.api.fate(late).await?.fate;
            ensure!(fate != Fate::Accepted, "whose key was removed is obeyed");
            Ok(
                matches!(fate, Fate::Refused { reason } if reason.code() == "no_grant")
                    .then_some(()),
            )
        })
        .await
        .context("after a revocation")
    }
}

/// The operator drives, and the keys that bound the page are removed: from the call until the robot brakes, milliseconds.
pub(super) async fn revoke_who_drives(site: &Site<'_>) -> Result<f64> {
    let api = site.stack.operator()?;
    let keys: Vec<PersonKeyView> = api.read("/api/v1/session/person-keys").await?;
    site.arm_again().await?;
    site.drive_off().await?;
    let before = site.agent().log_bytes()?;
    let called = OffsetDateTime::now_utc();
    for key in keys {
        api.remove(&format!("/api/v1/session/person-keys/{}", key.key))
            .await?;
    }
    // Said once what they had set is given up.
    let line = site
        .robot_says("took a new list of revocations", before)
        .await?;
    site.operator.lets_go("a").await?;
    Ok(log::at_ms(&line)? - log::milliseconds(called))
}

fn granted<T>(answer: std::result::Result<T, Problem>) -> Result<T> {
    answer.map_err(|problem| anyhow::anyhow!("{problem:?}"))
}
