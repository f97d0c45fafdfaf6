//! Claims about the rights behind a command: those of the moment count, not those of when the session began.

use identity::{SecretHash, SecretKind, store};
use protocol::{
    CommandId,
    command::{CommandRequest, Verb},
    console_socket::{FromConsole, ToConsole},
    robot_socket::ToRobot,
    views::{Role, RoleGrant},
};
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    client::Console,
    held::{Held, PEOPLE},
};
use crate::http::tests::{
    house::{House, JUNIPER, LINDEN, WING_A, Who},
    until::until,
};

const COMMAND: CommandId = CommandId(Uuid::from_u128(900));

fn stop() -> FromConsole {
    FromConsole::Command(CommandRequest {
        command: COMMAND,
        robot: JUNIPER.id(),
        epoch: None,
        verb: Verb::Stop,
        signed: None,
    })
}

/// Tells Juniper to stop and gives the code that this was refused with.
async fn refused(console: &mut Console) -> String {
    console.say(&stop()).await;
    console
        .until(|frame| match frame {
            ToConsole::CommandRefused { command, code, .. } => {
                assert_eq!(*command, COMMAND);
                Some(code.clone())
            }
            ToConsole::Command(view) => panic!("{view:?} was recorded"),
            _ => None,
        })
        .await
}

/// Nothing follows the log here, as when it is behind: the session has not heard of what was taken away.
async fn take_away(house: &House, who: Who, given: Option<RoleGrant>) {
    let mut tx = house.begin();
    for held in who.roles() {
        store::revoke_role(&mut tx, LINDEN, who.id(), held, None)
            .await
            .unwrap();
    }
    if let Some(given) = given {
        store::grant_role(&mut tx, LINDEN, who.id(), given, None, house.now())
            .await
            .unwrap();
    }
    house.commit(tx).await;
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_command_is_refused_from_the_moment_on_in_which_its_role_was_taken_away(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let mut juniper = house.attach(JUNIPER);
    let requester = RoleGrant {
        role: Role::Requester,
        site: Some(WING_A),
    };

    for (who, given, code) in [
        (Who::Operator, Some(requester), "role_missing"),
        (Who::WingA, None, "not_found"),
    ] {
        let (mut console, _snapshot) = Console::open(address, who).await;
        take_away(&house, who, given).await;
        assert_eq!(refused(&mut console).await, code, "{who:?}");
    }

    assert_eq!(house.recorded("command.issued").await, 0);
    assert!(juniper.waiting().is_empty());
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_command_is_refused_from_the_moment_on_in_which_its_sign_in_ended(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let mut juniper = house.attach(JUNIPER);
    let cookie = house.cookie(Who::Operator).await;
    let (mut page, _snapshot) = Console::open_page(address, &cookie).await;
    let (mut script, _snapshot) = Console::open(address, Who::Operator).await;

    let (_name, secret) = cookie.split_once('=').unwrap();
    let session = SecretHash::of(SecretKind::Session, secret).unwrap();
    let person = house.person(Who::Operator).await;
    let token = Who::Operator.token_id();
    let mut tx = house.begin();
    assert!(
        store::close_session(&mut tx, session, house.now())
            .await
            .unwrap()
    );
    store::revoke_api_token(&mut tx, &person, token, None, house.now())
        .await
        .unwrap();
    house.commit(tx).await;

    assert_eq!(refused(&mut page).await, "session_over");
    assert_eq!(refused(&mut script).await, "token_unknown");
    assert_eq!(house.recorded("command.issued").await, 0);
    assert!(juniper.waiting().is_empty());
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_command_that_was_begun_is_recorded_and_sent_also_when_its_console_leaves_meanwhile(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let mut juniper = house.attach(JUNIPER);
    let (mut console, _snapshot) = Console::open(house.listen().await, Who::Operator).await;
    let held = Held::hold(&house).await;
    console.say(&stop()).await;
    Held::is_felt_at(&house, PEOPLE).await;

    let token = Who::Operator.token_id().to_string();
    house.app.live.end_consoles_with(&token);
    console.goodbye().await;
    held.let_go().await;

    until("the order", async || {
        let mut waiting = juniper.waiting().into_iter();
        waiting.find(|frame| matches!(frame, ToRobot::Order(_)))
    })
    .await;
    assert_eq!(house.recorded("command.issued").await, 1);
}
