//! Two networks and the link between them, and an installation on it: the gateway and the browser in one, the robot in the other.
//!
//! It is the robot's link that is impaired: that is where wireless and satellites are. What is measured between browser and robot
//! crosses it all the same. Both reach the gateway over TLS at its address, under a certificate that it made for itself: the robot
//! believes that one alone; the browser is told to look at none, and keeps the page for one that came over TLS.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result, ensure};
use e2e::{
    api::Api,
    browser::{Browser, DESK},
    operator::Operator,
    process::Process,
    relay::{
        namespace::Namespace,
        profile::Profile,
        wire::{GATEWAY, Wire},
    },
    stack::Stack,
    until::until,
};
use protocol::RobotId;

use super::log;

/// Each case begins with it, so that a case meets the same chances alone and among others.
const SEED: u64 = 20_811;

/// Where the gateway listens, in a network where nobody else does.
const PORT: u16 = 8_420;

/// What the robot logs besides: how long it took to judge and to seal.
const ROBOT_LOG: &str = "info,agent::control=debug,agent::journal=debug,webrtc=off,rtc=off";

/// And the gateway: how long it took to check.
const GATEWAY_LOG: &str = "info,gateway::flows::issue_command=debug,webrtc=off,rtc=off,sqlx=warn";

/// A robot does at once what is waited for here, or, after a black hole, when TCP tries again; its log is looked at.
const SAYS_WITHIN: Duration = Duration::from_secs(20);

/// The two networks.
#[derive(Debug)]
pub(crate) struct Ground {
    robot: Namespace,
    pub(super) wire: Wire,
}

impl Ground {
    /// Lays the link, and moves this process into the gateway's network. Before there is another thread: each stays where it was
    /// made, and so does each process that it starts.
    pub(crate) fn lay() -> Result<Self> {
        let (gateway, robot) = (Namespace::new("gateway")?, Namespace::new("robot")?);
        let wire = Wire::lay(&gateway, &robot)?;
        gateway.enter()?;
        Ok(Self { robot, wire })
    }
}

/// An installation with one robot, and an operator who steers it.
pub(super) struct Site<'ground> {
    pub(super) ground: &'ground Ground,
    pub(super) stack: Stack,
    pub(super) operator: Operator,
    pub(super) robot: RobotId,
}

impl<'ground> Site<'ground> {
    /// Everything is up, the operator has control, and the link is clear.
    pub(super) async fn open(ground: &'ground Ground) -> Result<Self> {
        ground.wire.become_like(&Profile::CLEAR, SEED);
        let settings = [
            ("NOOTERRA_TLS_GENERATED", "true"),
            ("NOOTERRA_LOG_FILTER", GATEWAY_LOG),
        ];
        let listen = format!("{GATEWAY}:{PORT}");
        let mut stack = Stack::alone_at(&listen, 1, &settings).await?;
        let agent = start_robot(ground, &stack)?;
        stack.agents.push(agent);
        stack.all_online().await?;
        let browser = Browser::open_with(DESK, &["--ignore-certificate-errors"]).await?;
        browser.run_first(include_str!("page.js")).await?;
        let link = &stack.seeded.sign_in.operator;
        let operator = Operator::sign_in_at(browser, &stack.ready.url, link).await?;
        let robot = stack.seeded.robots[0].id.parse()?;
        let site = Self {
            ground,
            stack,
            operator,
            robot,
        };
        site.sit_down().await?;
        Ok(site)
    }

    /// Opens the robot's page and takes control.
    pub(super) async fn sit_down(&self) -> Result<()> {
        self.operator
            .open_live(&self.stack.seeded.robots[0].id)
            .await?;
        self.operator.take_control().await?;
        self.operator.until_control("Browser key, demo").await
    }

    /// From now on the link is like this.
    pub(super) fn impair(&self, profile: &Profile) {
        self.ground.wire.become_like(profile, SEED);
    }

    pub(super) fn agent(&self) -> &Process {
        &self.stack.agents[0]
    }

    pub(super) fn supervisor(&self) -> Result<Api> {
        self.stack.supervisor()
    }

    /// The next line of the robot's log after so many bytes that says this, once it is whole.
    pub(super) async fn robot_says(&self, words: &str, after_bytes: u64) -> Result<String> {
        until(
            format!("the robot to say “{words}”"),
            SAYS_WITHIN,
            || {
                let found = self.agent().log_after(after_bytes).map(|text| {
                    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
                    log::lines(whole, words).next().map(str::to_owned)
                });
                std::future::ready(found)
            },
        )
        .await
    }

    /// What the gateway wrote so far.
    pub(super) fn gateway_log(&self) -> Result<String> {
        read(&self.stack.logs().join("gateway.log"))
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

fn start_robot(ground: &Ground, stack: &Stack) -> Result<Process> {
    let mut enrol = stack.enrolment(0, &stack.ready.url)?;
    let enrolled = ground.robot.within(|| Ok(enrol.output()?))?;
    ensure!(
        enrolled.status.success(),
        "enrolling failed: {}",
        String::from_utf8_lossy(&enrolled.stderr)
    );
    let options = ["--people", "0", "--test-stamp"];
    let mut run = stack.agent_command(&stack.agent_folder(0), 0, &options)?;
    run.env("NOOTERRA_LOG", ROBOT_LOG);
    let logs = stack.logs();
    ground
        .robot
        .within(move || Process::start("agent-0", run, &logs))
}
