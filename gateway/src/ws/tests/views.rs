//! Claims about views: who may open one, how many, and what a robot is asked for while one is open.

use protocol::{
    console_socket::{FromConsole, MAX_VIEWS, ToConsole},
    limits::MAX_CAMERAS,
    robot::{Advert, CameraAdvert},
    robot_socket::{Demand, ToRobot},
};
use sqlx::PgPool;

use super::client::Console;
use crate::http::tests::{
    house::{Attached, FOREIGN, House, JUNIPER, Machine, ROWAN, Who, advert},
    until::until,
};

/// What Chromium offers for two cameras.
pub(super) const OFFER: &str = include_str!("../../rtc/tests/chromium_offer.sdp");

pub(super) fn view(view: u32, robot: Machine, cameras: &[&str], sdp: &str) -> FromConsole {
    FromConsole::View {
        view,
        robot: robot.id(),
        cameras: cameras.iter().map(|&name| name.to_owned()).collect(),
        sdp: sdp.to_owned(),
    }
}

/// What a robot with the cameras of the offer says of itself.
pub(super) fn two_cameras() -> Advert {
    let head = advert().cameras.remove(0);
    let rear = CameraAdvert {
        name: "rear".to_owned(),
        ..head.clone()
    };
    Advert {
        cameras: vec![head, rear],
        ..advert()
    }
}

/// A robot on the board that has the cameras of the offer.
fn attach(house: &House, machine: Machine) -> Attached {
    let mut attached = house.attach(machine);
    house.app.live.advert(attached.attachment, two_cameras());
    attached.waiting();
    attached
}

/// What became of a view: nothing when it was opened, else the code.
pub(super) async fn open(console: &mut Console, frame: &FromConsole) -> Result<(), String> {
    let FromConsole::View { view: asked, .. } = frame else {
        unreachable!()
    };
    console.say(frame).await;
    console
        .until(|frame| match frame {
            ToConsole::ViewAnswer { view, sdp } if view == asked => {
                assert!(sdp.starts_with("v=0"));
                Some(Ok(()))
            }
            ToConsole::ViewRefused { view, code, .. } if view == asked => Some(Err(code.clone())),
            _ => None,
        })
        .await
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_view_that_may_not_be_or_makes_no_sense_is_refused_with_its_code(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let mut robots = [JUNIPER, ROWAN, FOREIGN].map(|machine| attach(&house, machine));
    let two = ["head", "rear"];
    let many = ["head"; MAX_CAMERAS + 1];

    for (who, frame, code) in [
        (
            Who::Requester,
            view(1, JUNIPER, &two, OFFER),
            "role_missing",
        ),
        (Who::Owner, view(1, JUNIPER, &two, OFFER), "role_missing"),
        (
            Who::Operator,
            view(1, FOREIGN, &two, OFFER),
            "unknown_robot",
        ),
        (Who::WingA, view(1, ROWAN, &two, OFFER), "unknown_robot"),
        (
            Who::Operator,
            view(1, JUNIPER, &many, OFFER),
            "too_many_cameras",
        ),
        (
            Who::Operator,
            view(1, JUNIPER, &two[..1], OFFER),
            "camera_mismatch",
        ),
        (
            Who::Operator,
            view(1, JUNIPER, &["head", "../etc"], OFFER),
            "unknown_camera",
        ),
        // No peer connection of the robot's is there yet, whose cameras could be asked.
        (
            Who::Operator,
            view(1, JUNIPER, &["head", "tail"], OFFER),
            "unknown_camera",
        ),
        (Who::Operator, view(1, JUNIPER, &two, ""), "sdp_malformed"),
        (
            Who::Operator,
            view(1, JUNIPER, &two, "v=0\r\n}{"),
            "sdp_malformed",
        ),
    ] {
        let (mut console, _snapshot) = Console::open(address, who).await;
        let refused = open(&mut console, &frame).await;
        assert_eq!(refused, Err(code.to_owned()), "{who:?}");
        console.in_step().await;
    }
    for robot in &mut robots {
        assert!(robot.waiting().is_empty());
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_console_holds_so_many_views_and_one_that_it_closes_makes_room(owner: PgPool) {
    let house = House::new(&owner).await;
    let _juniper = attach(&house, JUNIPER);
    let (mut console, _snapshot) = Console::open(house.listen().await, Who::Operator).await;
    let most = u32::try_from(MAX_VIEWS).unwrap();
    let numbered = |number| view(number, JUNIPER, &["head", "rear"], OFFER);

    for number in 1..=most {
        assert_eq!(open(&mut console, &numbered(number)).await, Ok(()));
    }
    let beyond = open(&mut console, &numbered(most + 1)).await;
    let again = open(&mut console, &numbered(most)).await;
    console.say(&FromConsole::EndView { view: 1 }).await;
    let after = open(&mut console, &numbered(most + 1)).await;

    assert_eq!(beyond, Err("too_many_views".to_owned()));
    assert_eq!(again, Ok(()), "a view that is opened again replaces itself");
    assert_eq!(after, Ok(()));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn scans_are_asked_of_a_robot_while_somebody_views_it_and_no_longer(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let mut juniper = attach(&house, JUNIPER);
    let scans = |scans| {
        ToRobot::Demand(Demand {
            scans,
            ..Demand::default()
        })
    };
    let frame = view(1, JUNIPER, &["head", "rear"], OFFER);

    let (mut first, _snapshot) = Console::open(address, Who::Operator).await;
    let (mut second, _snapshot) = Console::open(address, Who::Admin).await;
    open(&mut first, &frame).await.unwrap();
    open(&mut second, &frame).await.unwrap();
    assert_eq!(juniper.waiting(), [scans(true)]);

    first.say(&FromConsole::EndView { view: 1 }).await;
    first.in_step().await;
    assert!(juniper.waiting().is_empty(), "somebody still looks");
    drop(second);
    until("the end of the robot's scans", async || {
        (juniper.waiting() == [scans(false)]).then_some(())
    })
    .await;
    until("the end of the views", async || {
        (house.app.rtc.counters().viewers == 0).then_some(())
    })
    .await;
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_robot_that_has_not_come_back_since_a_restart_can_be_viewed_before_its_cameras_are_known(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let (mut console, _snapshot) = Console::open(house.listen().await, Who::Operator).await;

    let asked = view(1, JUNIPER, &["head", "rear"], OFFER);

    assert_eq!(open(&mut console, &asked).await, Ok(()));
}
