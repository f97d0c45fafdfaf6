//! What is left of a job: its bundle, and the check of it at a terminal and on the page.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::VerifyingKey;
use ledger::log::Entry;
use protocol::{
    JobId,
    event::{ActorEvent, Payload},
    sealed::{self, Kind, Unverified},
    views::{EventView, LogKeysView, Page},
};
use thirtyfour::By;

use crate::{api::Api, browser::Browser, operator::Operator, stack::binary};

/// A bundle of one job is checked in a browser on a busy machine.
const CHECKED_WITHIN: Duration = Duration::from_secs(30);

/// What `nooterra verify` said.
#[derive(Debug)]
pub struct Said {
    /// Its exit status.
    pub code: Option<i32>,
    /// What it wrote.
    pub text: String,
}

/// Keeps a job's bundle in a file, as its requester downloads it.
pub async fn download(api: &Api, job: JobId, folder: &Path) -> Result<PathBuf> {
    let answer = api.get(&format!("/api/v1/jobs/{job}/bundle")).await?;
    let bytes = answer.error_for_status()?.bytes().await?;
    let path = folder.join(format!("{job}.nooterra"));
    fs::write(&path, bytes)?;
    Ok(path)
}

/// The keys of the log as it gives them.
pub async fn log_keys(api: &Api) -> Result<LogKeysView> {
    let answer = api.get("/api/v1/log/keys").await?;
    Ok(answer.error_for_status()?.json().await?)
}

/// The same as a file for `nooterra verify --trust`.
pub fn trust_file(keys: &LogKeysView, folder: &Path) -> Result<PathBuf> {
    let gateway = hex::encode(BASE64_STANDARD.decode(&keys.gateway)?);
    let path = folder.join("trusted-keys");
    fs::write(&path, format!("gateway {gateway}\nlog {}\n", keys.log))?;
    Ok(path)
}

/// The log's newest checkpoint, as somebody keeps it.
pub async fn checkpoint(api: &Api) -> Result<String> {
    let answer = api.get("/api/v1/log/checkpoint").await?;
    Ok(answer.error_for_status()?.text().await?)
}

/// Runs `nooterra verify` as a person at a terminal does.
pub fn verify(bundle: &Path, trust: &Path) -> Result<Said> {
    verify_with(bundle, trust, &[])
}

/// The same with more files, each behind its option.
pub fn verify_with(bundle: &Path, trust: &Path, more: &[(&str, &Path)]) -> Result<Said> {
    let mut command = Command::new(binary("nooterra")?);
    command.arg("verify").arg("--trust").arg(trust);
    for (option, file) in more {
        command.arg(option).arg(file);
    }
    let output = command.arg(bundle).output()?;
    let text = String::from_utf8(output.stdout)?;
    let code = output.status.code();
    Ok(Said { code, text })
}

/// The page that checks bundles, in somebody's window.
pub struct VerifyPage<'window>(&'window Browser);

impl<'window> VerifyPage<'window> {
    /// Opens it and gives it the keys of a file.
    pub async fn open(who: &'window Operator, trust: &Path) -> Result<Self> {
        let browser = &who.browser;
        browser.goto(&format!("{}/verify", who.url)).await?;
        let panel = "section[aria-label='Keys you trust'] button";
        browser.press(panel, "Add").await?;
        let field = browser.window.find(By::Id("verify-keys")).await?;
        field.send_keys(fs::read_to_string(trust)?).await?;
        browser.press(panel, "Trust these keys").await?;
        Ok(Self(browser))
    }

    /// Gives it a bundle and waits until its verdict has these words.
    pub async fn says_of(&self, bundle: &Path, words: &str) -> Result<()> {
        let chooser = self.0.window.find(By::Css(".verify input[type=file]"));
        let path = bundle.display().to_string();
        chooser.await?.send_keys(path).await?;
        self.0
            .until_within(
                &format!("the verdict “{words}”"),
                CHECKED_WITHIN,
                &format!(
                    "return (document.querySelector('.verify__verdict')?.innerText ?? '').includes({words:?})"
                ),
            )
            .await
    }
}

impl VerifyPage<'_> {
    /// Gives it a checkpoint that somebody kept.
    pub async fn compares_with(&self, checkpoint: &str) -> Result<()> {
        let panel = "section[aria-label='Checkpoint you kept'] button";
        let is_kept =
            "return !!document.querySelector('button[aria-label=\"Remove the checkpoint\"]')";
        let opener = if self.0.eval::<bool>(is_kept).await? {
            "Change"
        } else {
            "Add"
        };
        self.0.press(panel, opener).await?;
        let field = self.0.window.find(By::Id("verify-checkpoint")).await?;
        field.send_keys(checkpoint).await?;
        self.0.press(panel, "Compare with this one").await?;
        self.0.until("the checkpoint to be kept", is_kept).await
    }

    /// Has it ask the gateway for the proof that leads from the one tree to the other.
    pub async fn asks_for_proof(&self) -> Result<()> {
        let panel = "section[aria-label='Checkpoint you kept'] button";
        self.0.press(panel, "Ask this gateway for it").await
    }

    /// Waits until a step has ended so.
    pub async fn until_step(&self, title: &str, words: &str) -> Result<()> {
        self.0
            .until_within(
                &format!("the step “{title}” to say “{words}”"),
                CHECKED_WITHIN,
                &format!(
                    "const step = [...document.querySelectorAll('.verify__step')].find(step =>
                       step.querySelector('b').innerText === {title:?});
                     return !!step && step.innerText.includes({words:?});"
                ),
            )
            .await
    }
}

/// An event of the log, read from its sealed bytes.
#[derive(Debug)]
pub struct Logged {
    /// As the interface tells it.
    pub view: EventView,
    /// As its actor sealed it.
    pub actor: Unverified<ActorEvent>,
}

/// All events behind an address of the interface, each from an entry that the gateway signed.
pub async fn events(api: &Api, path: &str, gateway: &VerifyingKey) -> Result<Vec<Logged>> {
    let mut logged = Vec::new();
    let mut cursor = String::new();
    loop {
        let answer = api.get(&format!("{path}?limit=200{cursor}")).await?;
        let page: Page<EventView> = answer.error_for_status()?.json().await?;
        for view in page.items {
            let bytes = BASE64_STANDARD.decode(&view.entry)?;
            let entry = Entry::open(&bytes, gateway)
                .with_context(|| format!("{} is not the gateway's", view.kind))?;
            let actor = sealed::unverified(Kind::Event, &entry.actor)?;
            logged.push(Logged { view, actor });
        }
        match page.next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(logged),
        }
    }
}

/// The gateway's key.
pub fn gateway_key(keys: &LogKeysView) -> Result<VerifyingKey> {
    let bytes = BASE64_STANDARD.decode(&keys.gateway)?;
    let bytes: [u8; 32] = bytes.as_slice().try_into()?;
    Ok(VerifyingKey::from_bytes(&bytes)?)
}

/// Makes sure that an event was sealed by a key which the log binds to a person, and by nobody on the person's behalf.
pub fn ensure_own_hand(event: &Logged, all: &[Logged]) -> Result<()> {
    let kind = &event.view.kind;
    let keys = all.iter().filter_map(|logged| {
        let Payload::SessionKeyBound { public_key, .. } = &logged.actor.payload.payload else {
            return None;
        };
        VerifyingKey::from_bytes(public_key).ok()
    });
    let is_own = keys.into_iter().any(|key| event.actor.verify(&key).is_ok());
    ensure!(is_own, "{kind} is not sealed by a session's key");
    let actor = &event.actor.payload;
    ensure!(
        actor.on_behalf_of.is_none(),
        "{kind} is on somebody's behalf"
    );
    ensure!(
        actor.chain.is_some(),
        "{kind} is in no chain of its actor's own"
    );
    Ok(())
}
