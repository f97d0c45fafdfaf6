//! A real Chromium for a test: its own profile, its own driver, ended with the test.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde::de::DeserializeOwned;
use tempfile::TempDir;
use thirtyfour::{By, ChromiumLikeCapabilities as _, DesiredCapabilities, WebDriver};

use crate::{process::descendants, until::until};

/// What a headless Chromium needs here. Background networking off: nothing leaves this machine.
const FLAGS: [&str; 11] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
];

/// How long a page may take for what a test waits for, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A browser window of a person.
pub struct Browser {
    /// The window.
    pub window: WebDriver,
    driver: Child,
    _profile: TempDir,
}

/// Size of a window, CSS pixels.
#[derive(Debug, Clone, Copy)]
pub struct Size(pub u32, pub u32);

/// What an operator has on the desk.
pub const DESK: Size = Size(1440, 900);

/// A phone.
pub const PHONE: Size = Size(390, 844);

impl Browser {
    /// Opens an empty window.
    pub async fn open(size: Size) -> Result<Self> {
        Self::open_with(size, &[]).await
    }

    /// The same with more flags of Chromium's.
    pub async fn open_with(size: Size, flags: &[&str]) -> Result<Self> {
        let profile = tempfile::Builder::new()
            .prefix("nooterra-chromium-")
            .tempdir()?;
        let mut driver = Command::new(on_path("E2E_CHROMEDRIVER", "chromedriver"))
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("chromedriver can't be started; `cargo xtask test` installs it")?;
        let port = driver_port(&mut driver)?;
        let mut capabilities = DesiredCapabilities::chrome();
        for flag in FLAGS.iter().chain(flags) {
            capabilities.add_arg(flag)?;
        }
        capabilities.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
        capabilities.add_arg(&format!("--window-size={},{}", size.0, size.1))?;
        let chromium = on_path("E2E_CHROMIUM", "chromium");
        capabilities.set_binary(&chromium.display().to_string())?;
        let window = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await?;
        let browser = Self {
            window,
            driver,
            _profile: profile,
        };
        browser.window.set_script_timeout(PATIENCE).await?;
        browser.keep_complaints().await?;
        browser.resize(size).await?;
        Ok(browser)
    }

    /// Lets every page of this window keep what it complains about on its console.
    async fn keep_complaints(&self) -> Result<()> {
        let source = "window.complaints = [];
            const complain = console.error;
            console.error = (...words) => { window.complaints.push(words.join(' ')); complain(...words); };
            addEventListener('error', event => window.complaints.push(event.message));
            addEventListener('unhandledrejection', event => window.complaints.push(String(event.reason)));";
        self.run_first(source).await
    }

    /// Runs a script in every page of this window before any of the page's own.
    pub async fn run_first(&self, source: &str) -> Result<()> {
        self.window
            .cdp()
            .send_raw(
                "Page.addScriptToEvaluateOnNewDocument",
                serde_json::json!({ "source": source }),
            )
            .await?;
        Ok(())
    }

    /// Makes the page this large, also smaller than a window of the system may be.
    pub async fn resize(&self, size: Size) -> Result<()> {
        self.window
            .cdp()
            .send_raw(
                "Emulation.setDeviceMetricsOverride",
                serde_json::json!({
                    "width": size.0, "height": size.1, "deviceScaleFactor": 1, "mobile": false,
                }),
            )
            .await?;
        Ok(())
    }

    /// Goes to an address.
    pub async fn goto(&self, url: &str) -> Result<()> {
        Ok(self.window.goto(url).await?)
    }

    /// The value of a script.
    pub async fn eval<T: DeserializeOwned>(&self, script: &str) -> Result<T> {
        let value = self.window.execute(script, Vec::new()).await?;
        Ok(serde_json::from_value(value.json().clone())?)
    }

    /// The value of a script that calls back.
    pub async fn eval_async<T: DeserializeOwned>(&self, script: &str) -> Result<T> {
        let value = self.window.execute_async(script, Vec::new()).await?;
        Ok(serde_json::from_value(value.json().clone())?)
    }

    /// Waits until a script is truthy.
    pub async fn until(&self, what: &str, script: &str) -> Result<()> {
        self.until_within(what, PATIENCE, script).await
    }

    /// The same with another bound.
    pub async fn until_within(&self, what: &str, within: Duration, script: &str) -> Result<()> {
        let waited = until(what, within, async || {
            Ok(self.eval::<bool>(script).await?.then_some(()))
        })
        .await;
        match waited {
            Ok(()) => Ok(()),
            Err(error) => {
                let text: String = self
                    .eval("return document.body.innerText.slice(0, 3000)")
                    .await
                    .unwrap_or_default();
                let complaints: String = self
                    .eval("return (window.complaints ?? []).join('\\n')")
                    .await
                    .unwrap_or_default();
                Err(error.context(format!(
                    "the page says:\n{text}\nits console says:\n{complaints}"
                )))
            }
        }
    }

    /// Keeps a picture of the page where the test run keeps them.
    pub async fn picture(&self, name: &str) -> Result<PathBuf> {
        let folder = std::env::var_os("E2E_SCREENSHOTS").map_or_else(
            || std::env::temp_dir().join("nooterra-screenshots"),
            PathBuf::from,
        );
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{name}.png"));
        self.window.screenshot(&path).await?;
        Ok(path)
    }

    /// What axe finds at the levels "serious" and "critical", as "rule: how many". A colour on its way to another is not judged.
    pub async fn axe(&self) -> Result<Vec<String>> {
        let path = std::env::var_os("E2E_AXE")
            .context("E2E_AXE is not set: run the tests with `cargo xtask test`")?;
        let script = std::fs::read_to_string(&path)?;
        self.window.execute(&script, Vec::new()).await?;
        self.eval_async(
                "const done = arguments[arguments.length - 1];
                 const moving = document.getAnimations().filter(one => one instanceof CSSTransition);
                 Promise.allSettled(moving.map(one => one.finished)).then(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })).then(
                   result => done(result.violations
                     .filter(found => ['serious', 'critical'].includes(found.impact))
                     .map(found => `${found.id}: ${found.nodes.map(node => node.html.slice(0, 120)).join(' | ')}`)),
                   error => done([`axe failed: ${error}`]));",
            )
            .await
    }

    /// Keeps a picture of the page at a desk's and at a phone's size and asks axe about both; then it is as large as before.
    pub async fn look(&self, name: &str, own: Size) -> Result<()> {
        for (size, width) in [(DESK, "1440"), (PHONE, "390")] {
            self.resize(size).await?;
            self.picture(&format!("{name}-{width}")).await?;
            let found = self.axe().await?;
            ensure!(found.is_empty(), "{name} at {width}: {found:?}");
        }
        self.resize(own).await
    }

    /// Presses the first of these (CSS) that is on screen, can be pressed and says these words.
    pub async fn press(&self, buttons: &str, words: &str) -> Result<()> {
        let find = format!(
            "const button = [...document.querySelectorAll({buttons:?})].find(button =>
               button.textContent.trim().startsWith({words:?}) && button.offsetParent !== null);
             if (!button || button.getAttribute('aria-disabled') === 'true') return false;
             document.querySelectorAll('[data-press]').forEach(other => delete other.dataset.press);
             button.dataset.press = '';
             return true;"
        );
        self.until(&format!("the button “{words}”"), &find).await?;
        let button = self.window.find(By::Css("[data-press]")).await?;
        Ok(button.click().await?)
    }

    /// Chooses from a list (CSS) what begins so.
    pub async fn choose(&self, list: &str, begins: &str) -> Result<()> {
        self.until(
            &format!("the choice “{begins}”"),
            &format!(
                "return [...(document.querySelector({list:?})?.options ?? [])].some(option => option.text.startsWith({begins:?}))"
            ),
        )
        .await?;
        self.eval::<()>(&format!(
            "const list = document.querySelector({list:?});
             list.selectedIndex = [...list.options].findIndex(option => option.text.startsWith({begins:?}));
             list.dispatchEvent(new Event('change', {{ bubbles: true }}));
             return null;"
        ))
        .await
    }

    /// Stops the browser's processes as a machine under full load would: sockets stay open, nothing is read.
    pub fn freeze(&self) -> Result<()> {
        self.signal_all(rustix::process::Signal::STOP)
    }

    /// Lets them go on.
    pub fn thaw(&self) -> Result<()> {
        self.signal_all(rustix::process::Signal::CONT)
    }

    fn signal_all(&self, signal: rustix::process::Signal) -> Result<()> {
        for id in descendants(self.driver.id())? {
            if let Some(pid) = i32::try_from(id)
                .ok()
                .and_then(rustix::process::Pid::from_raw)
            {
                rustix::process::kill_process(pid, signal)?;
            }
        }
        Ok(())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked politely, a session takes its time, and its library waits for a driver that may be gone: two minutes for
        // each test. Nothing of this window is of use any more, so its processes are ended at once.
        let _already_quit = self.window.clone().leak();
        // What can't be signalled has ended already.
        let _gone = self.signal_all(rustix::process::Signal::KILL);
        let _ended = self.driver.kill();
        let _reaped = self.driver.wait();
    }
}

fn on_path(variable: &str, name: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(|| PathBuf::from(name), PathBuf::from)
}

/// The driver says on which free port it listens.
fn driver_port(driver: &mut Child) -> Result<u16> {
    let output = driver.stdout.take().context("the driver has no output")?;
    let mut lines = BufReader::new(output).lines();
    for line in lines.by_ref() {
        let line = line?;
        let Some((_, after)) = line.rsplit_once("on port ") else {
            continue;
        };
        if line.contains("started successfully") {
            let port = after.trim_end_matches('.').parse()?;
            // What it writes later must go somewhere, or its pipe fills up.
            std::thread::spawn(move || lines.for_each(drop));
            return Ok(port);
        }
    }
    bail!("chromedriver ended without saying its port")
}
