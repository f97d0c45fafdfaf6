//! A whole installation in a folder of its own: gateway with its private Postgres and Redis, and simulated robots.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Signal, kill_process};
use serde::Deserialize;
use tempfile::TempDir;

use crate::{api::Api, process::Process, until::until};

/// Starting Postgres for the first time takes a few seconds on a busy machine.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// From an agent's start to the robot on the fleet page.
const ONLINE_WITHIN: Duration = Duration::from_secs(20);

/// What the gateway writes when it is ready.
#[derive(Debug, Clone, Deserialize)]
pub struct Ready {
    /// Where people go.
    pub url: String,
    /// The gateway's process id.
    pub pid: u32,
    /// The application role's address.
    pub database_url: String,
    /// The private Redis.
    pub redis_url: String,
}

/// One text per person of the demo.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct PerRole {
    pub operator: String,
    pub second_operator: String,
    pub supervisor: String,
    pub requester: String,
    pub owner: String,
    pub admin: String,
}

/// A seeded robot.
#[derive(Debug, Clone, Deserialize)]
pub struct SeededRobot {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its enrolment token.
    pub token: String,
}

/// What seeding a demo prints.
#[derive(Debug, Clone, Deserialize)]
pub struct Seeded {
    /// Sign-in links.
    pub sign_in: PerRole,
    /// API tokens.
    pub tokens: PerRole,
    /// The robots.
    pub robots: Vec<SeededRobot>,
}

/// Who is killed first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum First {
    Gateway,
    Database,
}

/// A running installation.
#[derive(Debug)]
pub struct Stack {
    /// The gateway's process.
    pub gateway: Process,
    /// One process per robot, in the order of `seeded.robots`.
    pub agents: Vec<Process>,
    /// What the gateway said when it was ready.
    pub ready: Ready,
    /// Links, tokens, robots.
    pub seeded: Seeded,
    data: TempDir,
    listen: String,
    media_port: u16,
    settings: Vec<(String, String)>,
}

/// What the processes wrote is kept where the test run says, one folder per test: the folder of the installation goes.
impl Drop for Stack {
    fn drop(&mut self) {
        let Some(folder) = std::env::var_os("E2E_LOGS").map(PathBuf::from) else {
            return;
        };
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("main").replace("::", "-");
        if let Err(error) = copy_files(&self.logs(), &folder.join(test)) {
            eprintln!("the logs were not kept: {error}");
        }
    }
}

/// Copies a folder whose owner is at work. What is gone again was a file that took the place of another.
fn copy_files(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        match fs::copy(entry.path(), to.join(entry.file_name())) {
            Err(gone) if gone.kind() == std::io::ErrorKind::NotFound => {}
            copied => _ = copied?,
        }
    }
    Ok(())
}

/// Where the binaries and the console's files are, as the test command says.
fn from_environment(name: &str) -> Result<PathBuf> {
    std::env::var_os(name)
        .map(PathBuf::from)
        .with_context(|| format!("{name} is not set: run the tests with `cargo xtask test`"))
}

/// A binary of ours.
pub fn binary(name: &str) -> Result<PathBuf> {
    Ok(from_environment("E2E_BIN_DIR")?.join(name))
}

/// The gateway's command, with servers and settings of its own whatever the test run uses for itself.
fn gateway_command() -> Result<Command> {
    let mut command = Command::new(binary("nooterra")?);
    for variable in ["DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"] {
        command.env_remove(variable);
    }
    for (variable, _) in std::env::vars_os() {
        // The gateway refuses settings that it does not know, and those of the test run are none of its.
        if variable.as_encoded_bytes().starts_with(b"NOOTERRA_") {
            command.env_remove(variable);
        }
    }
    Ok(command)
}

impl Stack {
    /// Starts a gateway and `robots` simulated robots, and waits until all are online.
    pub async fn start(robots: usize) -> Result<Self> {
        Self::start_with(robots, &["--test-stamp", "--wander"]).await
    }

    /// The same with other options for the agents.
    pub async fn start_with(robots: usize, agent_options: &[&str]) -> Result<Self> {
        let mut stack = Self::alone(robots).await?;
        for index in 0..robots {
            stack.enrol(index)?;
            let agent = stack.start_agent(index, agent_options)?;
            stack.agents.push(agent);
        }
        stack.all_online().await?;
        Ok(stack)
    }

    /// Starts a gateway that knows `robots` robots, none of which comes.
    pub async fn alone(robots: usize) -> Result<Self> {
        Self::alone_with(robots, &[]).await
    }

    /// The same with settings that differ from what the gateway does by itself, by their names in the environment.
    pub async fn alone_with(robots: usize, settings: &[(&str, &str)]) -> Result<Self> {
        Self::alone_at("127.0.0.1:0", robots, settings).await
    }

    /// The same with a gateway that listens at this address. Beyond loopback it does so with a certificate of its own making,
    /// when the settings say so.
    pub async fn alone_at(listen: &str, robots: usize, settings: &[(&str, &str)]) -> Result<Self> {
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        // The database runs as another user: the folder on the way to it must be passable.
        let data = tempfile::Builder::new()
            .prefix("nooterra-e2e-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o711))
            .tempdir_in("/tmp")?;
        let media_port = free_udp_port()?;
        let (gateway, ready) = start_gateway(data.path(), listen, media_port, &settings).await?;
        let seeded = seed(data.path(), robots)?;
        // Whoever found it there finds it there again, after a restart.
        let listen = match ready.url.split_once("//localhost:") {
            Some((_, port)) => format!("127.0.0.1:{port}"),
            None => listen.to_owned(),
        };
        Ok(Self {
            gateway,
            agents: Vec::new(),
            ready,
            seeded,
            data,
            listen,
            media_port,
            settings,
        })
    }

    /// Where the logs are.
    pub fn logs(&self) -> PathBuf {
        self.data.path().join("logs")
    }

    /// The folder of all that belongs to this installation.
    pub fn folder(&self) -> &Path {
        self.data.path()
    }

    /// The folder of a robot's agent.
    pub fn agent_folder(&self, index: usize) -> PathBuf {
        self.data.path().join(format!("robot-{index}"))
    }

    fn api(&self, token: &str) -> Result<Api> {
        match self.authority() {
            Some(authority) => Api::trusting(&self.ready.url, token, &authority),
            None => Api::new(&self.ready.url, token),
        }
    }

    /// The certificate that the gateway made for itself, if it did.
    pub fn authority(&self) -> Option<PathBuf> {
        let path = self.data.path().join("gateway/tls/certificate.pem");
        path.exists().then_some(path)
    }

    /// An API client with the operator's token.
    pub fn operator(&self) -> Result<Api> {
        self.api(&self.seeded.tokens.operator)
    }

    /// An API client with the supervisor's token.
    pub fn supervisor(&self) -> Result<Api> {
        self.api(&self.seeded.tokens.supervisor)
    }

    /// An API client with the requester's token.
    pub fn requester(&self) -> Result<Api> {
        self.api(&self.seeded.tokens.requester)
    }

    /// An API client with the admin's token.
    pub fn admin(&self) -> Result<Api> {
        self.api(&self.seeded.tokens.admin)
    }

    fn enrol(&self, index: usize) -> Result<()> {
        self.enrol_at(index, &self.ready.url)
    }

    /// Enrols a robot that finds its gateway at this address.
    pub fn enrol_at(&self, index: usize, gateway: &str) -> Result<()> {
        let output = self.enrolment(index, gateway)?.output()?;
        if !output.status.success() {
            bail!(
                "enrolling failed: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(())
    }

    /// The command that enrols a robot at this address.
    pub fn enrolment(&self, index: usize, gateway: &str) -> Result<Command> {
        let mut command = Command::new(binary("nooterra-agent")?);
        command
            .args(["enrol", "--gateway", gateway])
            .args(["--token", &self.seeded.robots[index].token])
            .arg("--data")
            .arg(self.agent_folder(index));
        Ok(self.trusting(command))
    }

    /// An agent's command, which believes the gateway's own certificate if it made one.
    fn trusting(&self, mut command: Command) -> Command {
        if let Some(authority) = self.authority() {
            command.arg("--authority").arg(authority);
        }
        command
    }

    /// Gives a robot what it is to keep to, from its next start on.
    pub fn give_policy(&self, index: usize, line: &Path) -> Result<()> {
        let output = Command::new(binary("nooterra-agent")?)
            .arg("policy")
            .arg("--data")
            .arg(self.agent_folder(index))
            .arg(line)
            .output()?;
        if !output.status.success() {
            bail!(
                "the policy was not taken: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(())
    }

    /// Starts the agent of a robot that is enrolled.
    pub fn start_agent(&self, index: usize, options: &[&str]) -> Result<Process> {
        let folder = self.agent_folder(index);
        self.start_agent_on(&folder, index, &format!("agent-{index}"), options)
    }

    /// The same under another name of its log and on a copy of its folder, as two agents never share one.
    pub fn start_agent_as(&self, index: usize, name: &str, options: &[&str]) -> Result<Process> {
        let copy = self.data.path().join(format!("robot-{index}-copy"));
        copy_files(&self.agent_folder(index), &copy)?;
        self.start_agent_on(&copy, index, name, options)
    }

    fn start_agent_on(
        &self,
        folder: &Path,
        index: usize,
        name: &str,
        options: &[&str],
    ) -> Result<Process> {
        Process::start(
            name,
            self.agent_command(folder, index, options)?,
            &self.logs(),
        )
    }

    /// The command that runs a robot's agent on this folder.
    pub fn agent_command(&self, folder: &Path, index: usize, options: &[&str]) -> Result<Command> {
        let mut command = Command::new(binary("nooterra-agent")?);
        command
            .args(["run", "--driver", "sim", "--seed", &(index + 1).to_string()])
            .args(options)
            .arg("--data")
            .arg(folder);
        Ok(self.trusting(command))
    }

    /// Waits until every robot is online.
    pub async fn all_online(&self) -> Result<()> {
        let api = self.operator()?;
        let wanted = self.agents.len();
        until("every robot to be online", ONLINE_WITHIN, async || {
            let robots = api.robots().await?;
            let online = robots.iter().filter(|robot| Api::is_online(robot)).count();
            Ok((online == wanted).then_some(()))
        })
        .await
        .with_context(|| self.gateway.log())
    }

    /// Ends the gateway, in good order or at once, and starts it again on the same ports.
    pub async fn restart_gateway(&mut self, is_power_cut: bool) -> Result<()> {
        if is_power_cut {
            self.gateway.kill()?;
        } else {
            self.gateway.stop(Duration::from_secs(15))?;
        }
        self.start_gateway_again().await
    }

    /// Ends the gateway and its PostgreSQL at once, neither of them in good order.
    pub fn kill_gateway_and_database(&mut self, first: First) -> Result<()> {
        let database = self.gateway.part("postgres")?;
        match first {
            First::Gateway => {
                self.gateway.kill()?;
                kill_process(database, Signal::KILL)?;
            }
            First::Database => {
                kill_process(database, Signal::KILL)?;
                self.gateway.kill()?;
            }
        }
        Ok(())
    }

    /// The address of the database for the role that owns it, which no gateway works as.
    pub fn owner_database_url(&self) -> Result<String> {
        #[derive(Deserialize)]
        struct Passwords {
            owner: String,
        }
        let path = self.data.path().join("gateway/database-passwords.json");
        let Passwords { owner } = serde_json::from_str(&fs::read_to_string(path)?)?;
        let (_, place) = self
            .ready
            .database_url
            .split_once('@')
            .context("the database's address has no role")?;
        Ok(format!("postgres://nooterra_owner:{owner}@{place}"))
    }

    /// What the private PostgreSQL wrote since it was started last.
    pub fn database_log(&self) -> Result<String> {
        let path = self.data.path().join("gateway/logs/postgres.log");
        fs::read_to_string(&path).with_context(|| path.display().to_string())
    }

    /// Starts a gateway that ended again on the same ports.
    pub async fn start_gateway_again(&mut self) -> Result<()> {
        let (gateway, ready) = start_gateway(
            self.data.path(),
            &self.listen,
            self.media_port,
            &self.settings,
        )
        .await?;
        self.gateway = gateway;
        self.ready = ready;
        Ok(())
    }

    /// Runs `nooterra admin …` on this installation.
    pub fn admin_command(&self, arguments: &[&str]) -> Result<String> {
        admin(self.data.path(), arguments)
    }
}

/// A port that nobody listens on now.
pub fn free_udp_port() -> Result<u16> {
    Ok(std::net::UdpSocket::bind("127.0.0.1:0")?
        .local_addr()?
        .port())
}

async fn start_gateway(
    data: &Path,
    listen: &str,
    media_port: u16,
    settings: &[(String, String)],
) -> Result<(Process, Ready)> {
    let ready_file = data.join("ready.json");
    if ready_file.exists() {
        fs::remove_file(&ready_file)?;
    }
    let mut command = gateway_command()?;
    command
        .envs(settings.iter().cloned())
        .args(["serve", "--demo", "--listen", listen])
        .args(["--media-port", &media_port.to_string()])
        .arg("--data")
        .arg(data.join("gateway"))
        .arg("--console")
        .arg(from_environment("E2E_CONSOLE")?)
        .arg("--ready-file")
        .arg(&ready_file);
    let mut gateway = Process::start("gateway", command, &data.join("logs"))?;
    let ready = until("the gateway to be ready", READY_WITHIN, || {
        let read = match gateway.ended() {
            Ok(None) => Ok(fs::read_to_string(&ready_file)
                .ok()
                .and_then(|text| serde_json::from_str(&text).ok())),
            Ok(Some(code)) => Err(anyhow::anyhow!("the gateway ended with {code}")),
            Err(error) => Err(error),
        };
        std::future::ready(read)
    })
    .await
    .with_context(|| gateway.log())?;
    Ok((gateway, ready))
}

fn seed(data: &Path, robots: usize) -> Result<Seeded> {
    let text = admin(data, &["demo-seed", "--robots", &robots.to_string()])?;
    serde_json::from_str(&text).with_context(|| format!("seeding printed {text}"))
}

fn admin(data: &Path, arguments: &[&str]) -> Result<String> {
    let output = gateway_command()?
        .arg("admin")
        .arg("--data")
        .arg(data.join("gateway"))
        .args(arguments)
        .output()?;
    if !output.status.success() {
        bail!(
            "admin {arguments:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}
