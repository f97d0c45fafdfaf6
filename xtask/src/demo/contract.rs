//! How the demo calls the two binaries, and what they answer: the only place that knows.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use crate::http;
use crate::processes::{read, run_logged, tied_to_us};

/// What the gateway and the agents get when we are killed: both end in good order then.
const FAREWELL: &str = "TERM";

/// What the gateway writes when it serves.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Ready {
    pub(super) url: String,
    pub(super) agents_url: String,
    pub(super) pid: u32,
    pub(super) database_url: String,
    pub(super) redis_url: String,
}

/// What `demo-seed` prints.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Seeded {
    pub(super) sign_in: ByRole,
    pub(super) tokens: ByRole,
    pub(super) robots: Vec<SeededRobot>,
}

/// A link or a token for each person of the demo.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct ByRole {
    pub(crate) operator: String,
    pub(crate) second_operator: String,
    pub(crate) supervisor: String,
    pub(crate) requester: String,
    pub(crate) owner: String,
    pub(crate) admin: String,
}

/// A robot and the token it enrols with.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct SeededRobot {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) token: String,
}

/// Where the gateway is reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    pub(super) listen: SocketAddr,
    /// UDP; 0 takes a free one.
    pub(super) media: u16,
}

/// The built binaries and the folder that the demo lives in.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    pub(super) binaries: PathBuf,
    pub(super) data: PathBuf,
}

impl Programs {
    /// The gateway, serving the built console.
    pub(super) fn serve(&self, ports: &Ports, console: &Path, ready: &Path) -> Command {
        let mut command = tied_to_us(&self.binaries.join("nooterra"), FAREWELL);
        command
            .args(["serve", "--demo", "--listen", &ports.listen.to_string()])
            .args(["--media-port", &ports.media.to_string()])
            .arg("--data")
            .arg(&self.data)
            .arg("--console")
            .arg(console)
            .arg("--ready-file")
            .arg(ready);
        command
    }

    /// Makes the demo's site, people and robots, or finds them as they are.
    pub(super) fn seed(&self, robots: u16) -> Result<Seeded> {
        let mut command = Command::new(self.binaries.join("nooterra"));
        command.args(["admin", "--data"]).arg(&self.data).args([
            "demo-seed",
            "--robots",
            &robots.to_string(),
        ]);
        let printed = read(&mut command)?;
        serde_json::from_str(&printed).context("demo-seed printed something unexpected")
    }

    /// Gives a robot its identity.
    pub(super) fn enrol(&self, robot: &SeededRobot, gateway: &str, log: &Path) -> Result<()> {
        let mut command = Command::new(self.binaries.join("nooterra-agent"));
        command
            .args(["enrol", "--gateway", gateway])
            .arg("--data")
            .arg(self.robot_folder(robot))
            // Not an argument: those can be read by everybody on the machine.
            .env("NOOTERRA_ROBOT_TOKEN", &robot.token);
        run_logged(&mut command, log).with_context(|| format!("cannot enrol {}", robot.name))
    }

    /// Gives a robot what it is to keep to, unless it has that already.
    pub(super) fn policy(&self, robot: &SeededRobot, log: &Path) -> Result<()> {
        let mut command = Command::new(self.binaries.join("nooterra-agent"));
        command
            .arg("policy")
            .arg("--data")
            .arg(self.robot_folder(robot))
            .arg(self.data.join("demo-policy.txt"));
        run_logged(&mut command, log)
            .with_context(|| format!("{} does not take its policy", robot.name))
    }

    /// A robot in its simulated world; `seed` decides which. `cameras` are those that come in from elsewhere.
    pub(super) fn robot(&self, robot: &SeededRobot, seed: usize, cameras: &[String]) -> Command {
        let mut command = tied_to_us(&self.binaries.join("nooterra-agent"), FAREWELL);
        command
            .args(["run", "--driver", "sim", "--wander"])
            .args(["--seed", &seed.to_string()])
            .arg("--data")
            .arg(self.robot_folder(robot));
        for camera in cameras {
            command.args(["--camera", camera]);
        }
        command
    }

    fn robot_folder(&self, robot: &SeededRobot) -> PathBuf {
        self.data.join("robots").join(&robot.id)
    }
}

/// Whether every part that the gateway stands on answers.
pub(super) fn is_ready(url: &str) -> bool {
    http::get(url, "/readyz", None).is_ok_and(|answer| answer.status == 200)
}

/// The gateway's own words about its parts.
pub(crate) fn readiness(url: &str) -> Result<String> {
    let answer = http::get(url, "/readyz", None)?;
    Ok(format!("{} {}", answer.status, answer.body.trim()))
}

/// The ids of the robots that are online.
pub(super) fn online(url: &str, token: &str) -> Result<BTreeSet<String>> {
    let mut states = BTreeMap::new();
    let mut path = "/api/v1/robots".to_owned();
    loop {
        let answer = http::get(url, &path, Some(token))?;
        if answer.status != 200 {
            bail!("the gateway answered {} to {path}", answer.status);
        }
        let next = add_page(&answer.body, &mut states)?;
        let Some(next) = next else { break };
        path = format!("/api/v1/robots?cursor={next}");
    }
    Ok(states
        .into_iter()
        .filter(|(_, state)| state == "online")
        .map(|(robot, _)| robot)
        .collect())
}

#[derive(Deserialize)]
struct Page {
    items: Vec<RobotRow>,
    next: Option<String>,
}

#[derive(Deserialize)]
struct RobotRow {
    robot: String,
    presence: Presence,
}

#[derive(Deserialize)]
struct Presence {
    state: String,
}

fn add_page(body: &str, states: &mut BTreeMap<String, String>) -> Result<Option<String>> {
    let page: Page = serde_json::from_str(body).context("the list of robots is not as expected")?;
    for row in page.items {
        states.insert(row.robot, row.presence.state);
    }
    Ok(page.next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_robots_tells_who_is_online() {
        let body = r#"{"items": [
            {"robot": "r1", "name": "Juniper", "presence": {"state": "online", "since": "x"}},
            {"robot": "r2", "name": "Rowan", "presence": {"state": "offline"}}], "next": "r2"}"#;
        let mut states = BTreeMap::new();

        let next = add_page(body, &mut states).unwrap();

        assert_eq!(next.as_deref(), Some("r2"));
        assert_eq!(states["r1"], "online");
        assert_eq!(states["r2"], "offline");
    }
}
