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
        self.fill_in(job, place).await?;
        self.send().await
    }

    /// Fills the form for a job in, and does not send it yet.
    pub async fn fill_in(&self, job: &str, place: &str) -> Result<()> {
        self.browser
            .goto(&format!("{}/request/new", self.url))
            .await?;
        self.browser.choose("#template", job).await?;
        self.browser.choose("#answer-room", place).await
    }

    /// Sends the form; gives the job's id once its page is open.
    pub async fn send(&self) -> Result<JobId> {
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

    /// Opens the list of the person's jobs.
    pub async fn open_list(&self) -> Result<()> {
        self.browser.goto(&format!("{}/request", self.url)).await?;
        self.browser
            .until(
                "a job on the list",
                "return document.querySelector('ul[aria-label=\"My jobs\"] a') !== null",
            )
            .await
    }

    /// Begins to write down every state that the page says, so that none is missed that is soon over.
    pub async fn notes_states(&self) -> Result<()> {
        self.browser
            .eval(
                "const told = document.querySelector('[data-testid=job-state]');
                 const note = () => { const words = told.textContent.trim();
                   if (words !== '' && window.statesSeen.at(-1) !== words) window.statesSeen.push(words); };
                 window.statesSeen = [];
                 note();
                 new MutationObserver(note).observe(told, { childList: true, characterData: true, subtree: true });
                 return null;",
            )
            .await
    }

    /// The states since [`Self::notes_states`].
    pub async fn states_noted(&self) -> Result<Vec<String>> {
        self.browser.eval("return window.statesSeen").await
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

    /// Waits until the photographs that the robot took for the job show.
    pub async fn sees_photographs(&self, count: usize) -> Result<()> {
        self.browser
            .until(
                "the robot's photographs",
                &format!(
                    "const shown = [...document.querySelectorAll('section[aria-label=Photographs] img')];
                     shown[0]?.scrollIntoView({{ block: 'nearest' }});
                     return shown.length === {count}
                       && shown.every(picture => picture.naturalWidth > 0 && picture.alt.startsWith('Photograph of step'));"
                ),
            )
            .await
    }

    /// Presses a button of the page that can be pressed, by its words.
    pub async fn press(&self, words: &str) -> Result<()> {
        self.browser.press("main button:not(dialog *)", words).await
    }

    /// Presses a button of the question that lies over the page.
    async fn answer(&self, words: &str) -> Result<()> {
        self.browser.press("dialog[open] button", words).await
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

    /// Writes a complaint about a job that is over, and does not send it yet: `about` and `severity` as the choices say them.
    pub async fn write_complaint(
        &self,
        job: JobId,
        about: &str,
        severity: &str,
        words: &str,
        picture: &Path,
    ) -> Result<()> {
        self.browser
            .goto(&format!("{}/request/{job}/complaint", self.url))
            .await?;
        self.browser.choose("#about", about).await?;
        self.browser.choose("#severity", severity).await?;
        let text = self.browser.window.find(By::Id("words")).await?;
        text.send_keys(words).await?;
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
            .await
    }

    /// Sends it, and waits until the job's page tells it.
    pub async fn send_complaint(&self) -> Result<()> {
        self.press("Send complaint").await?;
        self.browser
            .until(
                "the job's page",
                "return document.querySelector('section[aria-label=Complaint] h2') !== null",
            )
            .await
    }
}
