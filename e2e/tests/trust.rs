//! Claims about what lets a person steer, on the real thing: a robot believes the page whose person's key bound it, says so under
//! its own key, and believes it no more a moment after that key was removed.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use e2e::{
    api::{Api, new_command},
    browser::DESK,
    events::payloads,
    hand::Hand,
    operator::Operator,
    stack::Stack,
    until::until,
};
use protocol::{
    RobotId,
    command::{AbandonReason, Fate, Verb},
    control::ControlEvent,
    views::{PersonKeyView, Problem},
};

/// From a click to the robot's word, with a browser that makes its first key.
const BELIEVED_WITHIN: Duration = Duration::from_secs(10);

/// Revoked means out within a second; the rest is for a loaded machine.
const OUT_WITHIN: Duration = Duration::from_secs(5);

fn robot_of(stack: &Stack) -> Result<RobotId> {
    Ok(stack.seeded.robots[0].id.parse()?)
}

fn granted<T>(answer: std::result::Result<T, Problem>) -> Result<T> {
    answer.map_err(|problem| anyhow::anyhow!("{problem:?}"))
}

async fn far_away(api: &Api, robot: RobotId) -> Result<Verb> {
    let view = api.robot(robot).await?;
    let pose = view.telemetry.context("the robot says nothing")?.pose;
    let map = view.advert.and_then(|advert| advert.map);
    let far = |place: &protocol::robot::Place| {
        (place.pose.x_m - pose.x_m).hypot(place.pose.y_m - pose.y_m)
    };
    let places = map.context("the robot has no map")?.places;
    let target = (places.iter())
        .max_by(|one, other| far(one).total_cmp(&far(other)))
        .context("the map has no places")?;
    Ok(Verb::NavigateTo {
        x_m: target.pose.x_m,
        y_m: target.pose.y_m,
        heading_rad: None,
    })
}

#[tokio::test]
async fn a_page_steers_by_its_persons_key_and_the_robot_and_the_log_say_so() -> Result<()> {
    let stack = Stack::start_with(1, &["--people", "0"]).await?;
    let robot = robot_of(&stack)?;
    let operator =
        Operator::sign_in(&stack.ready.url, &stack.seeded.sign_in.operator, DESK).await?;
    operator.open_live(&stack.seeded.robots[0].id).await?;
    operator.take_control().await?;
    operator.until_control("Browser key, demo").await?;
    operator.browser.look("control-by-key", DESK).await?;
    operator.choose_place("Office").await?;
    operator.until_fate("Accepted", BELIEVED_WITHIN).await?;

    let api = stack.operator()?;
    let session = api
        .robot(robot)
        .await?
        .trust
        .and_then(|trust| trust.session);
    let session = session.context("the robot believes nobody")?;
    let keys: Vec<PersonKeyView> = api.read("/api/v1/session/person-keys").await?;
    let stream = format!("robot/{robot}");
    let accepted = payloads(&stack, &stream, "grant.accepted").await?;
    let [accepted] = &accepted[..] else {
        anyhow::bail!("{accepted:?}");
    };
    ensure!(accepted["bound_by"] == keys[0].key.as_str(), "{accepted}");
    ensure!(
        accepted["session_key"] == session.key.as_str(),
        "{accepted}"
    );
    let issued = payloads(&stack, &stream, "command.issued").await?;
    let receipts = payloads(&stack, &stream, "command.receipt").await?;
    let signed = issued[0]["signed"].as_str().context("not signed")?;
    let signed = hex::decode(signed)?;
    let hash = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&signed));
    ensure!(
        receipts[0]["sealed_sha256"] == hash.as_str(),
        "{receipts:?}"
    );
    // What she was looking at is part of what she signed.
    let key = sealed_key(&stack, &session.key).await?;
    let command: protocol::command::SignedCommand =
        protocol::sealed::open(protocol::sealed::Kind::Command, &signed, &key)?;
    let frame = command.frame.context("no frame was named")?;
    ensure!(frame.camera == "head" && frame.age_ms < 2_000, "{frame:?}");
    Ok(())
}

/// A page's key, as the log bound it.
async fn sealed_key(stack: &Stack, name: &str) -> Result<ed25519_dalek::VerifyingKey> {
    let session: protocol::views::SessionView = stack.operator()?.read("/api/v1/session").await?;
    let stream = format!("person/{}", session.person);
    let bound = payloads(stack, &stream, "session.key_bound").await?;
    let bound = bound.iter().find(|bound| bound["key"] == name);
    let public = bound.and_then(|bound| bound["public_key"].as_str());
    let public: [u8; 32] = hex::decode(public.context("the key was never bound")?)?
        .try_into()
        .ok()
        .context("a key has 32 bytes")?;
    Ok(ed25519_dalek::VerifyingKey::from_bytes(&public)?)
}

#[tokio::test]
async fn whose_key_is_removed_is_out_at_once_and_the_robot_gives_up_what_they_set() -> Result<()> {
    let stack = Stack::start_with(1, &["--people", "0"]).await?;
    let robot = robot_of(&stack)?;
    let api = stack.operator()?;
    let taken = granted(api.control(robot, ControlEvent::Claimed {}, None).await?)?;
    let mut hand = Hand::of(&api).await?;
    hand.bind(robot, taken.epoch).await?;
    let far = far_away(&api, robot).await?;
    let command = new_command();
    granted(hand.command(robot, command, far).await?)?;
    until("the robot to go", BELIEVED_WITHIN, async || {
        Ok((api.fate(command).await?.fate == Fate::Accepted).then_some(()))
    })
    .await?;

    let removed = Instant::now();
    hand.removes_its_key().await?;
    until("the robot to put them out", OUT_WITHIN, async || {
        let trust = api.robot(robot).await?.trust.context("no word on trust")?;
        Ok(trust.session.is_none().then_some(()))
    })
    .await?;
    println!("revoked and out after {} ms", removed.elapsed().as_millis());
    until("the robot to give up", OUT_WITHIN, async || {
        let is_given_up = api.fate(command).await?.fate
            == Fate::Abandoned {
                reason: AbandonReason::ControlEnded,
            };
        Ok(is_given_up.then_some(()))
    })
    .await?;

    // They still have control, and nothing that they sign moves the robot, or gets them another grant.
    let late = new_command();
    granted(hand.command(robot, late, far).await?)?;
    until("the robot's refusal", OUT_WITHIN, async || {
        let is_refused = matches!(api.fate(late).await?.fate, Fate::Refused { reason } if reason.code() == "no_grant");
        Ok(is_refused.then_some(()))
    })
    .await?;
    let again = hand.ask(robot, taken.epoch).await?;
    ensure!(again.is_err_and(|problem| problem.code == "key_not_rostered"));
    Ok(())
}
