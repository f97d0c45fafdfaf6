//! An operator at a browser: signs in, opens robots, looks, points, and reads what the page says.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde_json::json;
use thirtyfour::{By, Key};

use crate::browser::{Browser, PATIENCE, Size};

/// What was seen of a stream of pictures.
#[derive(Debug, Clone, Deserialize)]
pub struct Frames {
    /// Milliseconds from lens to screen, one per displayed frame that carried a readable stamp.
    pub samples: Vec<f64>,
    /// Displayed frames whose stamp could not be read.
    pub unreadable: u32,
    /// Frames that the browser put on screen meanwhile.
    pub shown: u32,
    /// The longest time without a new frame.
    pub longest_gap_ms: f64,
    /// How long it took.
    pub took_ms: f64,
}

impl Frames {
    /// Frames on screen, a second.
    pub fn rate(&self) -> f64 {
        f64::from(self.shown) / self.took_ms * 1_000.0
    }

    /// The value below which `share` (0 to 1) of the samples lie.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let mut sorted = self.samples.clone();
        sorted.sort_by(f64::total_cmp);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index into a few thousand samples"
        )]
        let index = (sorted.len() as f64 * share) as usize;
        sorted
            .get(index.min(sorted.len().saturating_sub(1)))
            .copied()
    }
}

/// What can be done about who steers.
pub const DEEDS: &str = "[data-testid=control] button";

/// A person with a window.
pub struct Operator {
    /// The window.
    pub browser: Browser,
    pub(crate) url: String,
}

impl Operator {
    /// Opens a window and signs in with a link.
    pub async fn sign_in(url: &str, link: &str, size: Size) -> Result<Self> {
        Self::sign_in_at(Browser::open(size).await?, url, link).await
    }

    /// The same in a window that is open.
    pub async fn sign_in_at(browser: Browser, url: &str, link: &str) -> Result<Self> {
        browser.goto(link).await?;
        browser
            .until(
                "the fleet page",
                "return location.pathname === '/' && document.querySelector('ul[aria-label=Robots]') !== null",
            )
            .await?;
        Ok(Self {
            browser,
            url: url.trim_end_matches('/').to_owned(),
        })
    }

    /// Where the gateway is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Opens the live page of a robot and waits for its picture.
    pub async fn open_live(&self, robot: &str) -> Result<()> {
        self.browser
            .goto(&format!("{}/robots/{robot}", self.url))
            .await?;
        self.sees_frames().await
    }

    /// Waits until every robot of the fleet page, and at least one, has a still.
    pub async fn sees_stills(&self) -> Result<()> {
        self.browser
            .until(
                "a still of every robot",
                "const robots = document.querySelectorAll('ul[aria-label=Robots] > li');
                 return robots.length > 0 && [...robots].every(robot => robot.querySelector('img') !== null);",
            )
            .await
    }

    /// Waits until the large picture shows frames.
    pub async fn sees_frames(&self) -> Result<()> {
        self.browser
            .until(
                "a live picture",
                "const video = document.querySelector('[data-testid=\"large-picture\"] video');
                 return !!video && video.videoWidth > 0 && video.getVideoPlaybackQuality().totalVideoFrames > 5;",
            )
            .await
    }

    /// Waits until a picture has shown both colours of the film (see [`crate::film`]). `frame` is its CSS selector.
    pub async fn sees_film(&self, frame: &str) -> Result<()> {
        self.browser
            .until(
                &format!("green and blue in {frame}"),
                &format!(
                    "const video = document.querySelector('{frame} video');
                     if (!video || video.videoWidth === 0) return false;
                     const canvas = document.createElement('canvas');
                     canvas.width = canvas.height = 1;
                     const context = canvas.getContext('2d');
                     context.drawImage(video, 0, video.videoHeight * 0.7, 64, 64, 0, 0, 1, 1);
                     const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
                     const seen = (window.filmSeen ??= {{}})['{frame}'] ??= {{}};
                     if (green > 2 * blue && green > 2 * red) seen.green = true;
                     if (blue > 2 * green && blue > 2 * red) seen.blue = true;
                     return !!(seen.green && seen.blue);"
                ),
            )
            .await
    }

    /// Reads the stamps of the next `count` frames.
    pub async fn measure_frames(&self, count: usize, within: Duration) -> Result<Frames> {
        self.browser
            .window
            .set_script_timeout(within + PATIENCE)
            .await?;
        let value = self
            .browser
            .window
            .execute_async(
                concat!(include_str!("stamp.js"), include_str!("measure_frames.js")),
                vec![json!(count), json!(within.as_millis())],
            )
            .await?;
        let value = value.json().clone();
        if let Some(error) = value.get("error") {
            bail!("frames can't be measured: {error}");
        }
        Ok(serde_json::from_value(value)?)
    }

    /// The capture time that is drawn into the picture on a canvas, microseconds since 1970.
    pub async fn stamp_on(&self, canvas: &str) -> Result<i64> {
        let read = concat!(
            include_str!("stamp.js"),
            "const shown = document.querySelector(arguments[0]);
             return Math.round(stamp(shown, shown.width, shown.height) * 1000);"
        );
        let stamp = self
            .browser
            .window
            .execute(read, vec![json!(canvas)])
            .await?;
        let stamp = stamp.json().as_i64().filter(|stamp| *stamp > 0);
        stamp.with_context(|| format!("{canvas} shows no stamp"))
    }

    /// Takes control of the robot on screen.
    pub async fn take_control(&self) -> Result<()> {
        self.browser.press(DEEDS, "Take control").await?;
        self.until_control("You have control").await
    }

    /// Waits until the bar says this of who steers.
    pub async fn until_control(&self, words: &str) -> Result<()> {
        self.browser
            .until(
                &format!("the bar to say “{words}”"),
                &format!(
                    "return document.querySelector('[data-testid=control]')?.innerText.includes({words:?}) ?? false"
                ),
            )
            .await
    }

    /// Presses a key and lets it go.
    pub async fn taps(&self, key: &str) -> Result<()> {
        let key = key.chars().next().unwrap_or(' ');
        let keyboard = self.browser.window.action_chain();
        Ok(keyboard.key_down(key).key_up(key).perform().await?)
    }

    /// Presses a key and keeps it down.
    pub async fn holds(&self, key: &str) -> Result<()> {
        let key = key.chars().next().unwrap_or(' ');
        let keyboard = self.browser.window.action_chain();
        Ok(keyboard.key_down(key).perform().await?)
    }

    /// Lets a key go that was held.
    pub async fn lets_go(&self, key: &str) -> Result<()> {
        let key = key.chars().next().unwrap_or(' ');
        let keyboard = self.browser.window.action_chain();
        Ok(keyboard.key_up(key).perform().await?)
    }

    /// Writes into a field (CSS), and leaves it.
    pub async fn writes(&self, field: &str, words: &str) -> Result<()> {
        let field = self.browser.window.find(By::Css(field)).await?;
        Ok(field.send_keys(words.to_owned() + Key::Enter).await?)
    }

    /// Waits until the drive panel's badge says this.
    pub async fn until_drive(&self, word: &str) -> Result<()> {
        self.until_words("drive-stand", word).await
    }

    /// Waits until the drive panel says this of what the robot does.
    pub async fn until_drive_line(&self, words: &str) -> Result<()> {
        self.until_words("drive-line", words).await
    }

    /// Waits until the authority ladder gives this reason.
    pub async fn until_ladder(&self, words: &str) -> Result<()> {
        self.until_words("ladder", words).await
    }

    async fn until_words(&self, id: &str, words: &str) -> Result<()> {
        self.browser
            .until(
                &format!("{id} to say “{words}”"),
                &format!(
                    "return document.querySelector('[data-testid={id}]')?.innerText.includes({words:?}) ?? false"
                ),
            )
            .await
    }

    /// Writes words that go with an act, and sends both.
    pub async fn say(&self, words: &str) -> Result<()> {
        let there = "return document.getElementById('say-words') !== null";
        self.browser.until("the field for words", there).await?;
        let field = self.browser.window.find(By::Id("say-words")).await?;
        Ok(field.send_keys(words.to_owned() + Key::Enter).await?)
    }

    /// Clicks on the map at a point of the site, in metres, with the mouse.
    pub async fn click_map(&self, x_m: f64, y_m: f64) -> Result<()> {
        self.may_send().await?;
        let at: (f64, f64) = self
            .browser
            .eval(&format!(
                "const map = document.querySelector('[data-testid=map]');
                 map.scrollIntoView({{ block: 'center' }});
                 const box = map.getBoundingClientRect(), its = map.dataset;
                 return [box.left + Number(its.originX) + {x_m} * Number(its.scale),
                         box.top + Number(its.originY) - {y_m} * Number(its.scale)];"
            ))
            .await?;
        #[expect(clippy::cast_possible_truncation, reason = "pixels of a window")]
        let (x, y) = (at.0.round() as i64, at.1.round() as i64);
        let mouse = self.browser.window.action_chain();
        Ok(mouse.move_to(x, y).click().perform().await?)
    }

    /// Chooses a place with the keyboard, by what its name begins with, and sends the robot there.
    pub async fn choose_place(&self, begins: &str) -> Result<()> {
        self.may_send().await?;
        let list = self.browser.window.find(By::Id("go-place")).await?;
        Ok(list.send_keys(begins + Key::Enter).await?)
    }

    /// Waits until the page lets targets through: it knows the site, and what it shows is fresh.
    async fn may_send(&self) -> Result<()> {
        self.browser
            .until(
                "targets to be let through",
                "const send = document.querySelector('#go-place ~ button');
                 return document.querySelectorAll('#go-place option').length > 1
                   && !!send && send.getAttribute('aria-disabled') !== 'true';",
            )
            .await
    }

    /// What became of the newest command, as the page says it.
    pub async fn newest_fate(&self) -> Result<String> {
        self.browser
            .eval("return document.querySelector('[data-testid=command] [data-testid=fate]')?.innerText ?? ''")
            .await
    }

    /// Waits until the newest command's fate contains `words`.
    pub async fn until_fate(&self, words: &str, within: Duration) -> Result<()> {
        self.browser
            .until_within(
                &format!("the fate “{words}”"),
                within,
                &format!(
                    "return (document.querySelector('[data-testid=command] [data-testid=fate]')?.innerText ?? '').includes({words:?})"
                ),
            )
            .await
    }

    /// A number above the picture.
    pub async fn hud(&self, id: &str) -> Result<Option<f64>> {
        let text: Option<String> = self
            .browser
            .eval(&format!(
                "return document.querySelector('[data-testid=\"hud-{id}\"]')?.dataset.value ?? null"
            ))
            .await?;
        Ok(text.and_then(|text| text.parse().ok()))
    }

    /// What axe finds at the levels "serious" and "critical", as "rule: how many".
    pub async fn axe(&self) -> Result<Vec<String>> {
        self.browser.axe().await
    }
}

impl Operator {
    /// Waits until the large picture shows frames that were taken now: a page that kept its last frame does not count.
    pub async fn sees_fresh_frames(&self) -> Result<()> {
        self.browser
            .until(
                "a fresh picture",
                "const age = document.querySelector('[data-testid=\"hud-frame-age\"]')?.dataset.value;
                 return age !== undefined && age !== '' && Number(age) < 1000
                   && document.querySelector('.frame--large.frame--stale') === null;",
            )
            .await
    }
}
