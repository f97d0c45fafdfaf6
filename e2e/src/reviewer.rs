//! Somebody who reads complaints at a browser, says how grave they are, and rules on them.

use anyhow::Result;
use thirtyfour::By;

use crate::operator::Operator;

impl Operator {
    /// Opens the complaints and waits for the one with these words; its pictures must show, too.
    pub async fn reads_complaint(&self, words: &str, pictures: usize) -> Result<()> {
        self.browser.goto(&format!("{}/cases", self.url)).await?;
        self.browser
            .until(
                "the complaint",
                &format!(
                    "return document.querySelector('section[aria-label=Case] .case__words')?.innerText === {words:?}"
                ),
            )
            .await?;
        self.browser
            .until(
                "its pictures",
                &format!(
                    "const shown = [...document.querySelectorAll('.case__pictures img')];
                     return shown.length === {pictures} && shown.every(picture => picture.naturalWidth > 0);"
                ),
            )
            .await
    }

    /// Says how grave it is, as the list says it: "2. A nuisance".
    pub async fn triages(&self, severity: &str) -> Result<()> {
        self.browser.choose("#triage", severity).await?;
        self.press_here("Set severity").await?;
        self.told_of_case("Severity, triaged", &severity[..1]).await
    }

    /// Begins the review.
    pub async fn begins_review(&self) -> Result<()> {
        self.press_here("Start the review").await?;
        self.browser
            .until(
                "the choice of a ruling",
                "return document.querySelector('#ruling') !== null",
            )
            .await
    }

    /// Rules, and says why.
    pub async fn rules(&self, ruling: &str, reason: &str) -> Result<()> {
        self.browser.choose("#ruling", ruling).await?;
        let field = self.browser.window.find(By::Id("reason")).await?;
        field.send_keys(reason).await?;
        self.press_here("Rule").await?;
        self.browser.press("dialog[open] button", "Rule").await?;
        self.told_of_case("Reason", reason).await
    }

    async fn press_here(&self, words: &str) -> Result<()> {
        let buttons = "section[aria-label=Case] .case__act button";
        self.browser.press(buttons, words).await
    }

    /// Waits until the case says so.
    async fn told_of_case(&self, about: &str, begins: &str) -> Result<()> {
        self.browser
            .until(
                &format!("“{about}: {begins}”"),
                &format!(
                    "const row = [...document.querySelectorAll('.case__pairs dt')].find(row => row.innerText === {about:?});
                     return !!row && row.nextElementSibling.innerText.startsWith({begins:?});"
                ),
            )
            .await
    }
}
