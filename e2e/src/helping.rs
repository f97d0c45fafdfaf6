//! An operator at work: gives jobs to robots, takes their calls for help, answers, and reads a job's record.

use std::time::Duration;

use anyhow::Result;
use protocol::JobId;
use thirtyfour::By;

use crate::operator::Operator;

/// A robot works for a while before it asks.
const CALL_WITHIN: Duration = Duration::from_mins(1);

/// The record of a job is checked once the log's next checkpoint is there.
const CHECKED_WITHIN: Duration = Duration::from_secs(30);

impl Operator {
    /// Opens the jobs board and waits for this job.
    pub async fn sees_job(&self, job: JobId) -> Result<()> {
        self.browser.goto(&format!("{}/jobs", self.url)).await?;
        self.browser
            .until(
                "the job on the board",
                &format!("return document.querySelector('[data-job=\"{job}\"]') !== null"),
            )
            .await
    }

    /// Opens the choice of a robot in the job's row on the board.
    pub async fn begin_to_assign(&self, job: JobId) -> Result<()> {
        let row = format!("tr:has([data-job=\"{job}\"]) button");
        self.browser.press(&row, "Assign robot").await?;
        self.browser
            .until(
                "robots to choose from",
                "return (document.querySelector('.assign select')?.options.length ?? 0) > 0",
            )
            .await
    }

    /// Gives the job, whose choice is open, to the robot with this name.
    pub async fn assign(&self, job: JobId, robot: &str) -> Result<()> {
        self.browser.choose(".assign select", robot).await?;
        self.browser.press("[data-testid=assign]", "Assign").await?;
        self.browser
            .until(
                "the robot in the job's row",
                &format!(
                    "return document.querySelector('tr:has([data-job=\"{job}\"]) .job-row__robot')?.innerText.trim() === {robot:?}"
                ),
            )
            .await
    }

    /// Goes to the fleet page by its link, as a click of a person does.
    pub async fn goes_to_fleet(&self) -> Result<()> {
        let link = self.browser.window.find(By::Css("nav a[href='/']"));
        Ok(link.await?.click().await?)
    }

    /// Waits until a robot rings in the queue of the fleet page.
    pub async fn hears_call_of(&self, robot: &str) -> Result<()> {
        self.browser
            .until_within(
                &format!("a call of {robot}"),
                CALL_WITHIN,
                &format!(
                    "return [...document.querySelectorAll('[data-testid=call]')].some(call => call.innerText.includes({robot:?}))"
                ),
            )
            .await
    }

    /// Waits until nobody calls.
    pub async fn hears_no_call(&self) -> Result<()> {
        self.browser
            .until_within(
                "the calls to end",
                CALL_WITHIN,
                "return document.querySelector('[data-testid=call]') === null",
            )
            .await
    }

    /// Takes the first call: its robot's live page opens.
    pub async fn takes_call(&self) -> Result<()> {
        self.browser.press("[data-testid=claim]", "Help").await?;
        self.browser
            .until(
                "the robot's page with the call in one's own hands",
                "return location.pathname.startsWith('/robots/')
                   && document.querySelector('[data-testid=hand-back]') !== null",
            )
            .await
    }

    /// Answers with an option, counted from 1, and sees it taken.
    pub async fn answers(&self, option: usize) -> Result<()> {
        let button = format!("[data-testid=answer] li:nth-child({option}) button");
        self.browser.press(&button, "").await?;
        self.browser
            .until(
                "the answer to be taken",
                &format!("return document.querySelector({button:?})?.ariaPressed === 'true'"),
            )
            .await
    }

    /// Leaves the robot on its own again.
    pub async fn hands_back(&self) -> Result<()> {
        self.browser
            .press("[data-testid=hand-back]", "Hand back")
            .await?;
        self.browser
            .until(
                "the call to be gone",
                "return document.querySelector('[data-testid=answer]') === null",
            )
            .await
    }

    /// Opens a job's page and waits until all of its record is verified; gives how many events that are.
    pub async fn verifies_record(&self, job: JobId) -> Result<usize> {
        self.browser
            .goto(&format!("{}/jobs/{job}", self.url))
            .await?;
        self.browser
            .until_within(
                "all of the record to be verified",
                CHECKED_WITHIN,
                r"return /^(\d+) of \1 verified in this browser$/.test(
                    document.querySelector('[data-testid=verdict]')?.textContent.trim() ?? '')",
            )
            .await?;
        self.browser
            .eval("return parseInt(document.querySelector('[data-testid=verdict]').textContent)")
            .await
    }

    /// Opens a job's page and waits until it is in this phase.
    pub async fn reads_phase(&self, job: JobId, phase: &str) -> Result<()> {
        self.browser
            .goto(&format!("{}/jobs/{job}", self.url))
            .await?;
        self.browser
            .until(
                &format!("the phase {phase}"),
                &format!(
                    "return document.querySelector('.job__head .badge')?.textContent.trim() === {phase:?}"
                ),
            )
            .await
    }
}
