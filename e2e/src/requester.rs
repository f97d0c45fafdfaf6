//! A requester at a phone or a desk: asks for work, watches it, answers, stops it, and complains.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result};
use protocol::JobId;
use thirtyfour::By;

use crate::browser::{Browser, Size};

/// A person with a window.
pub struct Requester {
    /// The window.
    pub browser: Browser,
    url: String,
}

impl Requester {
    /// Opens a window and signs in with a link: somebody who only books work lands on their own jobs.
    pub async fn sign_in(url: &str, link: &str, size: Size) -> Result<Self> {
        let browser = Browser::open(size).await?;
        browser.goto(link).await?;
        browser
            .until(
                "my jobs",
                "return location.pathname === '/request' && document.querySelector('ul[aria-label=\"My jobs\"]') !== null",
            )
            .await?;
        Ok(Self {
            browser,
            url: url.trim_end_matches('/').to_owned(),
        })
    }

    /// Asks for a job by its name on the menu ("Reset a room"), at a place, as soon as a robot is free; gives its id once its
    /// page is open.
    pub async fn ask_for(&self, job: &str, place: &str) -> Result<JobId> {
        self.browser
            .goto(&format!("{}/request/new", self.url))
            .await?;
        self.choose("template", job).await?;
        self.choose("answer-room", place).await?;
        self.press("Ask for a robot").await?;
        self.browser
            .until(
                "the page of the new job",
                "return /^\\/request\\/[0-9a-f]{8}-/.test(location.pathname)",
            )
            .await?;
        let path: String = self.browser.eval("return location.pathname").await?;
        let id = path.rsplit('/').next().context("the page has no job")?;
        Ok(id.parse()?)
    }

    /// Opens the page of a job.
    pub async fn open(&self, job: JobId) -> Result<()> {
        self.browser
            .goto(&format!("{}/request/{job}", self.url))
            .await?;
        self.browser
            .until(
                "the job",
                "return document.querySelector('[data-testid=job-state]') !== null",
            )
            .await
    }

    /// Waits until the job stands so, in the page's own words: "A person is helping".
    pub async fn until_state(&self, words: &str, within: Duration) -> Result<()> {
        self.browser
            .until_within(
                &format!("the state “{words}”"),
                within,
                &format!(
                    "return document.querySelector('[data-testid=job-state]')?.textContent.trim() === {words:?}"
                ),
            )
            .await
    }

    /// Waits until the page shows these words anywhere.
    pub async fn until_told(&self, words: &str, within: Duration) -> Result<()> {
        self.browser
            .until_within(
                &format!("“{words}”"),
                within,
                &format!("return document.querySelector('main').innerText.includes({words:?})"),
            )
            .await
    }

    /// Waits until the picture of the robot moves.
    pub async fn sees_frames(&self) -> Result<()> {
        self.browser
            .until(
                "a live picture",
                "const video = document.querySelector('[data-testid=request-picture] video');
                 return !!video && video.videoWidth > 0 && video.getVideoPlaybackQuality().totalVideoFrames > 5;",
            )
            .await
    }

    /// Presses a button of the page that can be pressed, by its words.
    pub async fn press(&self, words: &str) -> Result<()> {
        self.press_in("main button:not(dialog *)", words).await
    }

    /// Presses a button of the question that lies over the page.
    async fn answer(&self, words: &str) -> Result<()> {
        self.press_in("dialog[open] button", words).await
    }

    async fn press_in(&self, buttons: &str, words: &str) -> Result<()> {
        let find = format!(
            "const button = [...document.querySelectorAll({buttons:?})].find(button =>
               button.textContent.trim() === {words:?} && button.offsetParent !== null);
             if (!button || button.getAttribute('aria-disabled') === 'true') return false;
             document.querySelectorAll('[data-press]').forEach(other => delete other.dataset.press);
             button.dataset.press = '';
             return true;"
        );
        self.browser
            .until(&format!("the button “{words}”"), &find)
            .await?;
        let button = self.browser.window.find(By::Css("[data-press]")).await?;
        Ok(button.click().await?)
    }

    /// Takes the leave to enter back, and means it.
    pub async fn revoke(&self) -> Result<()> {
        self.press("Revoke").await?;
        self.answer("Revoke access").await
    }

    /// Lets a robot that stands go on, until the time that the page proposes.
    pub async fn let_it_go_on(&self) -> Result<()> {
        self.press("Let it go on").await?;
        self.answer("Let it go on").await
    }

    /// Gives leave to enter until the time that the page proposes.
    pub async fn give_access(&self) -> Result<()> {
        self.press("Give access").await?;
        self.answer("Give access").await
    }

    /// Calls the job off, and means it.
    pub async fn cancel(&self) -> Result<()> {
        let more = self.browser.window.find(By::Css(".rmore > summary"));
        more.await?.click().await?;
        self.press("Cancel the job").await?;
        self.answer("Cancel the job").await
    }

    /// Complains about a job that is over: `about` and `severity` as the choices say them.
    pub async fn complain(
        &self,
        job: JobId,
        about: &str,
        severity: &str,
        words: &str,
        picture: Option<&Path>,
    ) -> Result<()> {
        self.browser
            .goto(&format!("{}/request/{job}/complaint", self.url))
            .await?;
        self.choose("about", about).await?;
        self.choose("severity", severity).await?;
        let text = self.browser.window.find(By::Id("words")).await?;
        text.send_keys(words).await?;
        if let Some(picture) = picture {
            let chooser = self.browser.window.find(By::Css("input[type=file]"));
            chooser
                .await?
                .send_keys(picture.display().to_string())
                .await?;
            self.browser
                .until(
                    "the picture",
                    "return document.querySelector('.rpictures img') !== null",
                )
                .await?;
        }
        self.press("Send complaint").await?;
        self.browser
            .until(
                "the job's page",
                "return document.querySelector('section[aria-label=Complaint] h2') !== null",
            )
            .await
    }

    /// Chooses from a list what begins so.
    async fn choose(&self, id: &str, begins: &str) -> Result<()> {
        self.browser
            .until(
                &format!("the choice “{begins}”"),
                &format!(
                    "return [...document.querySelectorAll('#{id} option')].some(option => option.text.startsWith({begins:?}))"
                ),
            )
            .await?;
        self.browser
            .eval::<()>(&format!(
                "const list = document.querySelector('#{id}');
                 list.selectedIndex = [...list.options].findIndex(option => option.text.startsWith({begins:?}));
                 list.dispatchEvent(new Event('change', {{ bubbles: true }}));
                 return null;"
            ))
            .await
    }
}
