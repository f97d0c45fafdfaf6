//! Who steers: two operators and a supervisor before one robot. Real processes, real Chromium.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, ensure};
use e2e::{
    api::{Api, new_command},
    browser::DESK,
    hand::Hand,
    operator::{DEEDS, Operator},
    stack::Stack,
    until::until,
};
use protocol::{
    RobotId,
    command::{AbandonReason, Fate, Verb},
    control::{ControlEvent, ControlTurn, ControlView},
    limits::CONTROL_LASTS_MS,
    views::{Problem, Role},
};

/// What a change of hands may take until another page shows it.
const AT_ONCE: Duration = Duration::from_secs(2);

fn robot_of(stack: &Stack) -> Result<RobotId> {
    Ok(stack.seeded.robots[0].id.parse()?)
}

fn granted<T>(answer: std::result::Result<T, Problem>) -> Result<T> {
    answer.map_err(|problem| anyhow!("{problem:?}"))
}

/// The place that is farthest from the robot.
async fn far_away(api: &Api, robot: RobotId) -> Result<Verb> {
    let view = api.robot(robot).await?;
    let here = view.telemetry.context("the robot told no state")?.pose;
    let map = view.advert.and_then(|advert| advert.map);
    let places = map.context("the robot has no map")?.places;
    let far = |place: &&protocol::robot::Place| {
        let (x_m, y_m) = (place.pose.x_m - here.x_m, place.pose.y_m - here.y_m);
        x_m.hypot(y_m)
    };
    let place = places
        .iter()
        .max_by(|one, other| far(one).total_cmp(&far(other)))
        .context("the map has no place")?;
    Ok(Verb::NavigateTo {
        x_m: place.pose.x_m,
        y_m: place.pose.y_m,
        heading_rad: None,
    })
}

async fn arrives(stack: &Stack, link: &str) -> Result<Operator> {
    let operator = Operator::sign_in(&stack.ready.url, link, DESK).await?;
    operator.open_live(&stack.seeded.robots[0].id).await?;
    Ok(operator)
}

async fn turned(
    api: &Api,
    robot: RobotId,
    turn: ControlTurn,
    within: Duration,
) -> Result<ControlView> {
    until(format!("{turn:?}"), within, async || {
        let view = api.who_steers(robot).await?;
        let is_so = view.last.as_ref().is_some_and(|last| last.turn == turn);
        Ok(is_so.then_some(view))
    })
    .await
}

#[tokio::test]
async fn a_second_operator_asks_gets_the_robot_and_loses_it_to_a_supervisor() -> Result<()> {
    let stack = Stack::start_with(1, &["--people", "0"]).await?;
    let robot = robot_of(&stack)?;
    let api = stack.operator()?;
    let mira = arrives(&stack, &stack.seeded.sign_in.operator).await?;
    mira.until_control("Nobody has control").await?;
    mira.take_control().await?;
    mira.browser.look("control-mine", DESK).await?;
    let far = far_away(&api, robot).await?;
    let Verb::NavigateTo { x_m, y_m, .. } = far else {
        unreachable!("a target")
    };
    mira.click_map(x_m, y_m).await?;
    mira.until_fate("Accepted", Duration::from_secs(5)).await?;

    let tobi = arrives(&stack, &stack.seeded.sign_in.second_operator).await?;
    tobi.until_control("Mira Kovač has control").await?;
    let withheld = "return document.querySelector('.go__why')?.innerText.includes('Mira Kovač has control') ?? false";
    tobi.browser
        .until("targets to be withheld", withheld)
        .await?;
    tobi.browser.press(DEEDS, "Ask for control").await?;
    tobi.say("I know this drawer.").await?;
    mira.until_control("Tobi Okafor asks for control").await?;
    mira.browser.look("control-asked", DESK).await?;
    mira.browser.press(DEEDS, "Hand over").await?;
    mira.browser.look("control-handing-over", DESK).await?;
    mira.say("It sticks on the left.").await?;

    tobi.until_control("You have control").await?;
    tobi.until_control("It sticks on the left.").await?;
    mira.until_control("Tobi Okafor has control").await?;
    // Her keys are still there to be seen, and seen to be off.
    mira.until_drive("No control").await?;
    mira.until_ladder("you don't have control").await?;
    mira.browser.look("control-handed-over", DESK).await?;
    // What she had set is given up: nobody drives on under another's hands.
    mira.until_fate("Abandoned", Duration::from_secs(5)).await?;
    tobi.click_map(x_m, y_m).await?;
    tobi.until_fate("Accepted", Duration::from_secs(5)).await?;

    let supervisor = stack.supervisor()?;
    let over = |reason: &str| ControlEvent::TakenOver {
        epoch: 2,
        reason: reason.to_owned(),
    };
    let silent = supervisor.control(robot, over(" "), None).await?;
    ensure!(silent.is_err_and(|problem| problem.code == "reason_missing"));
    let by_operator = api
        .control(robot, over("mine"), Some(Role::Operator))
        .await?;
    ensure!(by_operator.is_err_and(|problem| problem.code == "role_not_allowed"));
    let taken = granted(
        supervisor
            .control(robot, over("The corridor is blocked."), None)
            .await?,
    )?;
    ensure!(taken.epoch == 3, "{taken:?}");
    tobi.until_control("Lena Brandt has control").await?;
    tobi.until_control("The corridor is blocked.").await?;
    tobi.until_drive("No control").await?;
    tobi.until_fate("Abandoned", Duration::from_secs(5)).await?;
    tobi.browser.look("control-taken-over", DESK).await?;

    // An order under an epoch that is over never reaches the robot.
    let late = api.command(robot, new_command(), far, Some(1)).await?;
    ensure!(late.is_err_and(|problem| problem.code == "control_held"));
    Ok(())
}

#[tokio::test]
async fn who_signs_out_or_vanishes_steers_no_more_and_the_robot_gives_up_what_they_set()
-> Result<()> {
    let stack = Stack::start_with(1, &["--people", "0"]).await?;
    let robot = robot_of(&stack)?;
    let api = stack.operator()?;
    let tobi = arrives(&stack, &stack.seeded.sign_in.second_operator).await?;
    tobi.take_control().await?;
    tobi.browser
        .eval_async::<()>(
            "const done = arguments[arguments.length - 1];
             fetch('/api/v1/session', { method: 'DELETE' }).then(() => done(null), () => done(null));",
        )
        .await?;
    let out = turned(&api, robot, ControlTurn::SignedOut, AT_ONCE).await?;
    ensure!(out.holder.is_none(), "{out:?}");

    // A script that takes a robot, sends it off and is never heard of again.
    let taken = granted(api.control(robot, ControlEvent::Claimed {}, None).await?)?;
    let far = far_away(&api, robot).await?;
    let command = new_command();
    let mut hand = Hand::of(&api).await?;
    hand.bind(robot, taken.epoch).await?;
    granted(hand.command(robot, command, far).await?)?;
    let gone_within = Duration::from_millis(u64::from(CONTROL_LASTS_MS)) + AT_ONCE;
    let gone = turned(&api, robot, ControlTurn::Absent, gone_within).await?;
    ensure!(gone.holder.is_none(), "{gone:?}");
    until("the robot to give up", AT_ONCE, async || {
        let fate = api.fate(command).await?.fate;
        let is_given_up = matches!(
            fate,
            Fate::Abandoned {
                reason: AbandonReason::ControlEnded
            }
        );
        Ok(is_given_up.then_some(()))
    })
    .await
}
