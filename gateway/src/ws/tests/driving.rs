//! Claims about driving as it passes through: byte for byte, only from who may command, within bounds, and recorded nowhere.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use protocol::{
    console_socket::FromConsole, drive::MAX_SEALED_DRIVE_BYTES, event::robot_stream,
    robot_socket::ToRobot,
};
use sqlx::PgPool;

use super::client::Console;
use crate::http::tests::house::{House, JUNIPER, Machine, Who};

fn drive(robot: Machine, bytes: &[u8]) -> FromConsole {
    FromConsole::Drive {
        robot: robot.id(),
        sealed: BASE64_STANDARD.encode(bytes),
    }
}

/// What got to the robot, of what pages wanted of its wheels.
fn driven(waiting: Vec<ToRobot>) -> Vec<Vec<u8>> {
    let driven = waiting.into_iter().filter_map(|frame| match frame {
        ToRobot::Drive { sealed } => Some(BASE64_STANDARD.decode(sealed).unwrap()),
        _ => None,
    });
    driven.collect()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_an_operator_wants_of_the_wheels_gets_there_as_it_was_signed_and_is_recorded_nowhere(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let mut juniper = house.attach(JUNIPER);
    let stream = robot_stream(JUNIPER.id());
    let before = house.events(&stream).await;

    for (who, expected) in [
        (Who::Operator, vec![vec![0x84, 1, 2, 3]]),
        (Who::WingA, vec![vec![0x84, 1, 2, 3]]),
        (Who::Requester, vec![]),
        (Who::Admin, vec![]),
        (Who::Stranger, vec![]),
    ] {
        let (mut console, _snapshot) = Console::open(address, who).await;
        console.say(&drive(JUNIPER, &[0x84, 1, 2, 3])).await;
        console.in_step().await;

        assert_eq!(driven(juniper.waiting()), expected, "{who:?}");
    }
    assert_eq!(house.events(&stream).await, before);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_is_no_drive_command_or_too_large_for_one_is_dropped_and_the_session_goes_on(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let mut juniper = house.attach(JUNIPER);
    let (mut console, _snapshot) = Console::open(address, Who::Operator).await;
    let no_base64 = FromConsole::Drive {
        robot: JUNIPER.id(),
        sealed: "§".to_owned(),
    };
    console.say(&no_base64).await;
    let large = vec![0; MAX_SEALED_DRIVE_BYTES + 1];
    console.say(&drive(JUNIPER, &large)).await;
    console.in_step().await;
    assert!(driven(juniper.waiting()).is_empty());

    console.say(&drive(JUNIPER, &[1])).await;
    console.in_step().await;
    assert_eq!(driven(juniper.waiting()), [[1]]);
}
