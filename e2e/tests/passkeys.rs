//! Claims about passkeys, on the real thing: Chromium's own authenticator signs somebody in and binds what lets them steer, a robot
//! believes it by its own check, and stops believing it a moment after it was removed.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use e2e::{
    api::Api,
    authenticator::Authenticator,
    browser::{Browser, DESK},
    operator::{DEEDS, Operator},
    stack::Stack,
    until::until,
};
use protocol::{
    RobotId,
    views::{EventView, Page, PasskeyView},
};
use serde_json::Value;

/// From a click to the robot's word.
const BELIEVED_WITHIN: Duration = Duration::from_secs(10);

/// Revoked means out within a second; the rest is for a loaded machine.
const OUT_WITHIN: Duration = Duration::from_secs(5);

async fn newest(stack: &Stack, kind: &str) -> Result<Value> {
    let admin = Api::new(&stack.ready.url, &stack.seeded.tokens.admin)?;
    let (mut found, mut cursor) = (None, String::new());
    loop {
        let path = format!("/api/v1/events?limit=200{cursor}");
        let page: Page<EventView> = admin.read(&path).await?;
        let of_kind = page.items.into_iter().rfind(|event| event.kind == kind);
        found = of_kind.map(|event| event.payload).or(found);
        match page.next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found.with_context(|| format!("no {kind} was recorded")),
        }
    }
}

async fn opens_keys(browser: &Browser) -> Result<()> {
    browser.press("button.user", "Signed in as").await?;
    browser.press(".menu a", "Your keys").await?;
    let there = "return document.querySelector('.keyring form') !== null";
    browser.until("the page of keys", there).await
}

async fn adds_passkey(browser: &Browser, name: &str) -> Result<()> {
    opens_keys(browser).await?;
    let field = browser.window.find(thirtyfour::By::Id("passkey-name"));
    field.await?.send_keys(name).await?;
    browser.press(".keyring button", "Add a passkey").await?;
    let listed = format!(
        "return [...document.querySelectorAll('.keyring li')].some(row =>
           row.innerText.includes({name:?}) && row.innerText.includes('On the roster'))"
    );
    browser.until("the passkey in the list", &listed).await
}

async fn signs_in_by_passkey(browser: &Browser) -> Result<()> {
    browser.press("button.user", "Signed in as").await?;
    browser.press(".menu button", "Sign out").await?;
    let out = "return document.body.innerText.includes('You are signed out.')";
    browser.until("the sign-in page", out).await?;
    browser.look("sign-in", DESK).await?;
    browser
        .press(".alone button", "Sign in with a passkey")
        .await?;
    let inside = "return location.pathname === '/' && document.querySelector('ul[aria-label=Robots]') !== null";
    browser.until("the fleet page", inside).await
}

#[tokio::test]
async fn a_passkey_signs_its_person_in_binds_what_they_steer_and_puts_them_out_when_it_goes()
-> Result<()> {
    let stack = Stack::start_with(1, &["--people", "0"]).await?;
    let robot: RobotId = stack.seeded.robots[0].id.parse()?;
    let operator =
        Operator::sign_in(&stack.ready.url, &stack.seeded.sign_in.operator, DESK).await?;
    let browser = &operator.browser;
    Authenticator::put_into(browser).await?;
    adds_passkey(browser, "Laptop").await?;
    browser.look("keys", DESK).await?;
    signs_in_by_passkey(browser).await?;

    let api = stack.operator()?;
    let passkeys: Vec<PasskeyView> = api.read("/api/v1/session/passkeys").await?;
    let [passkey] = &passkeys[..] else {
        anyhow::bail!("{passkeys:?}");
    };
    ensure!(passkey.is_demo && passkey.used_at.is_some(), "{passkey:?}");
    let opened = newest(&stack, "session.opened").await?;
    ensure!(opened["passkey"] == passkey.key.as_str(), "{opened}");

    operator.open_live(&stack.seeded.robots[0].id).await?;
    operator.take_control().await?;
    operator.until_control("Passkey, demo").await?;
    browser.look("control-by-passkey", DESK).await?;
    operator.choose_place("Office").await?;
    operator.until_fate("Accepted", BELIEVED_WITHIN).await?;
    let accepted = newest(&stack, "grant.accepted").await?;
    ensure!(accepted["bound_by"] == passkey.key.as_str(), "{accepted}");

    opens_keys(browser).await?;
    browser.press(".keyring li button", "Remove").await?;
    let removed = Instant::now();
    browser.press("dialog button", "Remove").await?;
    until("the robot to put them out", OUT_WITHIN, async || {
        let trust = api.robot(robot).await?.trust.context("no word on trust")?;
        Ok(trust.session.is_none().then_some(()))
    })
    .await?;
    println!("removed and out after {} ms", removed.elapsed().as_millis());
    let refused = newest(&stack, "person.key_removed").await?;
    ensure!(refused["key"] == passkey.key.as_str(), "{refused}");
    Ok(())
}

#[tokio::test]
async fn whom_the_authenticator_does_not_know_chooses_the_browsers_key_and_steers() -> Result<()> {
    let stack = Stack::start_with(1, &["--people", "0"]).await?;
    let operator =
        Operator::sign_in(&stack.ready.url, &stack.seeded.sign_in.operator, DESK).await?;
    let browser = &operator.browser;
    let authenticator = Authenticator::put_into(browser).await?;
    adds_passkey(browser, "Laptop").await?;
    authenticator.knows_them(browser, false).await?;

    operator.open_live(&stack.seeded.robots[0].id).await?;
    operator.take_control().await?;
    operator.until_control("prompt was closed").await?;
    browser.look("control-without-passkey", DESK).await?;
    browser.press(DEEDS, "Browser key").await?;
    operator.until_control("Browser key, demo").await?;
    operator.choose_place("Office").await?;
    operator.until_fate("Accepted", BELIEVED_WITHIN).await?;

    // Where the address is a number, browsers have no passkeys, and the page says so.
    let numbered = stack.ready.url.replace("localhost", "127.0.0.1");
    browser.goto(&format!("{numbered}/sign-in")).await?;
    browser
        .press(".alone button", "Sign in with a passkey")
        .await?;
    let told = "return document.body.innerText.includes('this address is a number')";
    browser.until("why there are none", told).await
}
