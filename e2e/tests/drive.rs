//! Claims about driving by hand, on the real thing: a person at a keyboard, a robot that keeps out of a zone whatever they press,
//! stops by itself when nobody is heard, and stays stopped until somebody says why it may go on.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use e2e::{
    api::Api, browser::DESK, events::payloads, operator::Operator, process::Process, stack::Stack,
    until::until,
};
use ed25519_dalek::SigningKey;
use protocol::{
    RobotId, UnixMicros,
    robot::{Activity, Telemetry},
    safety::{Corner, Envelope, KeepOut, SafetyPolicy},
    sealed::{self, Kind},
};

/// What a robot or a page answers within on a loaded machine.
const SOON: Duration = Duration::from_secs(20);

/// Where the place is called that the robot drives from, and the zone's near edge on its way, metres east.
const PLACE: &str = "Corridor east";
const EDGE_M: f64 = 23.6;
const RADIUS_M: f64 = 0.26;

/// From the kitchen to the corridor.
const ON_ITS_WAY: Duration = Duration::from_mins(1);

fn robot_of(stack: &Stack) -> Result<RobotId> {
    Ok(stack.seeded.robots[0].id.parse()?)
}

async fn telemetry(api: &Api, robot: RobotId) -> Result<Telemetry> {
    let view = api.robot(robot).await?;
    view.telemetry.context("the robot says nothing")
}

/// A metre of the corridor, from wall to wall, west of where the robot is sent.
const ACROSS_THE_CORRIDOR: [Corner; 4] = [
    [22_600, 6_900],
    [23_600, 6_900],
    [23_600, 9_100],
    [22_600, 9_100],
];

fn demo_root(stack: &Stack) -> Result<SigningKey> {
    let seed = fs::read(stack.folder().join("gateway/demo-root.key"))?;
    let seed: [u8; 32] = seed.try_into().ok().context("a key has 32 bytes")?;
    Ok(SigningKey::from_bytes(&seed))
}

/// Starts the robot anew with a zone before it, as the root of the demo signed it.
async fn with_a_zone(stack: &mut Stack, robot: RobotId) -> Result<Process> {
    let api = stack.operator()?;
    let folder = stack.agent_folder(0);
    let enrolled: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("robot.json"))?)?;
    let organisation = enrolled["trust"]["organisation"]
        .as_str()
        .context("the robot knows no organisation")?
        .parse()?;
    let policy = SafetyPolicy {
        organisation,
        robot: Some(robot),
        number: 1,
        issued_at: UnixMicros(0),
        envelope: Envelope::default(),
        workspace: Vec::new(),
        keep_out: vec![KeepOut {
            name: "bed".to_owned(),
            corners: ACROSS_THE_CORRIDOR.into(),
        }],
        masks: Vec::new(),
        private: Vec::new(),
    };
    let key = demo_root(stack)?;
    let line = sealed::seal(Kind::SafetyPolicy, &policy, &key)?;
    stack.agents.clear();
    let file = stack.folder().join("policy.txt");
    fs::write(&file, BASE64_STANDARD.encode(line))?;
    stack.give_policy(0, &file)?;
    let agent = stack.start_agent(0, &["--people", "0", "--test-stamp"])?;
    until("the robot to be back, with its zone", SOON, async || {
        let view = api.robot(robot).await?;
        let has_zone = view
            .advert
            .and_then(|advert| advert.map)
            .is_some_and(|map| map.shapes.iter().any(|shape| shape.label == "bed"));
        Ok((has_zone && view.telemetry.is_some()).then_some(()))
    })
    .await?;
    Ok(agent)
}

/// Arms the robot on screen as the page asks it.
async fn arm(operator: &Operator) -> Result<()> {
    operator.until_drive("Disarmed").await?;
    operator.taps("w").await?;
    operator.taps("l").await?;
    operator.holds("y").await?;
    operator.until_drive("Armed").await?;
    operator.lets_go("y").await
}

#[tokio::test]
async fn whatever_is_pressed_a_robot_keeps_out_of_its_zone_and_its_record_says_so() -> Result<()> {
    let mut stack = Stack::start_with(1, &["--people", "0"]).await?;
    let robot = robot_of(&stack)?;
    let _agent = with_a_zone(&mut stack, robot).await?;
    let api = stack.operator()?;
    let operator =
        Operator::sign_in(&stack.ready.url, &stack.seeded.sign_in.operator, DESK).await?;
    operator.open_live(&stack.seeded.robots[0].id).await?;
    operator.take_control().await?;
    operator.until_control("Browser key, demo").await?;
    operator.until_drive("Disarmed").await?;
    operator.browser.look("drive-disarmed", DESK).await?;
    // By the mouse: its name has a blank in it, which stops.
    operator.browser.choose("#go-place", PLACE).await?;
    operator.browser.press("#go-place ~ button", "Send").await?;
    operator.until_fate("Arrived", ON_ITS_WAY).await?;
    let before = telemetry(&api, robot).await?.pose;
    // Nothing that is pressed moves a robot that is not armed.
    arm(&operator).await?;
    let armed = telemetry(&api, robot).await?.pose;
    ensure!((armed.x_m - before.x_m).hypot(armed.y_m - before.y_m) < 0.02);

    operator.holds("w").await?;
    operator.until_drive_line("keeps out of bed").await?;
    until("the robot to stand before the zone", SOON, async || {
        let now = telemetry(&api, robot).await?;
        let stands = now.activity == Activity::Driven && now.speed_mps.abs() < 0.01;
        Ok((stands && now.pose.x_m < before.x_m - 0.5).then_some(()))
    })
    .await?;
    operator.browser.look("drive-clamped", DESK).await?;
    operator.lets_go("w").await?;

    let now = telemetry(&api, robot).await?.pose;
    ensure!(now.x_m > EDGE_M + RADIUS_M, "{now:?}");
    let stream = format!("robot/{robot}");
    let clamped = until("the record of the clamp", SOON, async || {
        let segments = payloads(&stack, &stream, "drive.segment").await?;
        Ok(segments
            .into_iter()
            .find(|segment| segment["clamp"] == "keep_out"))
    })
    .await?;
    ensure!(clamped["zone"] == "bed", "{clamped}");
    ensure!(clamped["frame"]["camera"] == "head", "{clamped}");
    ensure!(
        clamped["steps"]
            .as_array()
            .is_some_and(|steps| !steps.is_empty())
    );

    is_released_with_a_reason(&stack, &operator, robot).await?;
    its_receipt_shows_the_very_frame(&operator, robot, &clamped).await
}

/// Who looks at the receipt of the clamp sees what the operator saw: the picture whose hash the operator signed, and the robot
/// kept.
async fn its_receipt_shows_the_very_frame(
    operator: &Operator,
    robot: RobotId,
    clamped: &serde_json::Value,
) -> Result<()> {
    ensure!(clamped["picture"]["picture"] == "kept", "{clamped}");
    let browser = &operator.browser;
    browser
        .goto(&format!("{}/robots/{robot}/receipts", operator.url()))
        .await?;
    let held_back =
        "return [...document.querySelectorAll('[data-testid=receipt]')].reverse().some(row => {
        if (!row.textContent.includes('keeps out of bed')) return false;
        row.click();
        return true;
    })";
    browser.until("the receipt of the clamp", held_back).await?;
    browser
        .until(
            "the very frame, checked by the page",
            "return document.querySelector('[data-testid=opened-receipt]')?.textContent.includes('keeps out of bed')
               && document.querySelector('[data-testid=very-frame]') !== null",
        )
        .await?;
    browser.look("receipt", DESK).await?;
    // The time that was drawn into that very picture as it was taken.
    let stamp = operator.stamp_on(".receipt__picture canvas").await?;
    let named = clamped["frame"]["captured_at"].as_i64();
    ensure!(named == Some(stamp), "{named:?} is named, {stamp} is shown");
    Ok(())
}

/// A stop latches on the robot, and is released with a reason that stands in the log.
async fn is_released_with_a_reason(
    stack: &Stack,
    operator: &Operator,
    robot: RobotId,
) -> Result<()> {
    let api = stack.operator()?;
    let stream = format!("robot/{robot}");
    operator.taps(" ").await?;
    operator
        .browser
        .until(
            "the way to release the stop",
            "return document.querySelector('[data-testid=release]') !== null",
        )
        .await?;
    operator.browser.look("drive-stopped", DESK).await?;
    operator.until_ladder("latched").await?;
    operator.taps("l").await?;
    operator
        .writes("#release-reason", "Wanted to look at the bed")
        .await?;
    operator.holds("y").await?;
    until("the robot to be released", SOON, async || {
        let now = telemetry(&api, robot).await?;
        Ok((now.activity != Activity::Stopped).then_some(()))
    })
    .await?;
    operator.lets_go("y").await?;
    let issued = payloads(stack, &stream, "command.issued").await?;
    let release = issued
        .iter()
        .find(|one| one["order"]["verb"] == "release_stop");
    let release = release.context("the release is not in the log")?;
    ensure!(release["words"] == "Wanted to look at the bed", "{release}");
    Ok(())
}

#[tokio::test]
async fn a_driven_robot_stops_by_itself_once_its_gateway_is_dead_and_tells_afterwards() -> Result<()>
{
    let mut stack = Stack::start_with(1, &["--people", "0"]).await?;
    let robot = robot_of(&stack)?;
    let api = stack.operator()?;
    let operator =
        Operator::sign_in(&stack.ready.url, &stack.seeded.sign_in.operator, DESK).await?;
    operator.open_live(&stack.seeded.robots[0].id).await?;
    operator.take_control().await?;
    operator.until_control("Browser key, demo").await?;
    arm(&operator).await?;
    // Around and around: there is room for that everywhere.
    operator.holds("a").await?;
    operator.until_drive("Driving").await?;
    until("the robot to turn", SOON, async || {
        let now = telemetry(&api, robot).await?;
        Ok((now.turn_rps > 0.3).then_some(()))
    })
    .await?;

    stack.restart_gateway(true).await?;

    operator.lets_go("a").await?;
    let stream = format!("robot/{robot}");
    let last = until("the robot's own word on how it ended", SOON, async || {
        let segments = payloads(&stack, &stream, "drive.segment").await?;
        Ok(segments
            .into_iter()
            .find(|segment| segment["disarmed"] == "dead_man"))
    })
    .await?;
    // The person's own last word is in it, signed.
    ensure!(
        last["last"]
            .as_str()
            .is_some_and(|sealed| sealed.len() > 200),
        "{last}"
    );
    let receipts = payloads(&stack, &stream, "command.receipt").await?;
    let given_up = receipts
        .iter()
        .any(|receipt| receipt["outcome"] == "abandoned" && receipt["reason"] == "dead_man");
    ensure!(given_up, "{receipts:?}");
    until("the robot to be seen standing", SOON, async || {
        let now = telemetry(&api, robot).await?;
        let stands = now.turn_rps.abs() < 0.01 && now.speed_mps.abs() < 0.01;
        Ok((stands && now.activity != Activity::Driven).then_some(()))
    })
    .await
}
