//! Claims about rights that are taken away: whoever takes them, what stands on them ends, at once and nothing else.

use std::time::Duration;

use axum::http::header;
use identity::{Secret, SecretKind, store};
use protocol::{
    TokenId,
    console_socket::FromConsole,
    event::{Payload, person_stream},
    limits::PROTOCOL_VERSION,
    robot_socket::{Goodbye, ToRobot},
    views::{Role, RoleGrant},
};
use sqlx::PgPool;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::client::{CONSOLE_SOCKET, Console, ROBOT_SOCKET, Robot, connect, hello, knock};
use crate::{
    http::tests::{
        answer::{Asking as _, delete},
        house::{House, JUNIPER, LINDEN, PUBLIC_URL, WING_B, Who, advert, telemetry},
        until::until,
    },
    live::{NewConsole, Outbox, Sight},
    reactors,
};

/// What a revoked robot may still do is what it can do in this time.
const AT_ONCE: Duration = Duration::from_secs(1);

async fn ends_at_once(robot: &mut Robot) {
    let goodbye = tokio::time::timeout(AT_ONCE, robot.goodbye()).await;
    assert_eq!(goodbye.expect("the session went on"), Goodbye::Revoked);
}

/// Waits until the followers have read everything that is recorded so far: they end a session that only they could end.
async fn all_followed(house: &House) {
    until("the followers of the log", async || {
        let token = TokenId(Uuid::now_v7());
        let (ending, ended) = oneshot::channel();
        let (outbox, _drain) = Outbox::new();
        let key = house.app.live.open_console(NewConsole {
            person: Who::Roleless.id(),
            credential: token.to_string(),
            sight: Sight {
                organisation: LINDEN,
                sites: None,
            },
            watches: None,
            jobs: None,
            calls: None,
            cases: None,
            outbox,
            ending,
            doubt: std::sync::Arc::default(),
        });
        let person = Who::Roleless.id();
        let mut tx = house.begin();
        let revoked = Payload::TokenRevoked { person, token };
        tx.record(person_stream(person), LINDEN, None, None, revoked);
        house.commit(tx).await;
        // Not heard: the follower had not yet begun, and passes over what was before.
        let heard = tokio::time::timeout(AT_ONCE, ended).await;
        house.app.live.close_console(key);
        heard.ok().map(drop)
    })
    .await;
}

async fn started(house: &House) {
    reactors::start(&house.app);
    all_followed(house).await;
}

async fn revoke_as_another_process_does(house: &House, token: TokenId) {
    let juniper = house.robot(JUNIPER).await;
    let mut tx = house.begin();
    store::revoke_robot_token(&mut tx, &juniper, token, None, house.now())
        .await
        .unwrap();
    house.commit(tx).await;
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn revoking_a_token_ends_the_session_that_stands_on_it_and_it_can_not_come_back(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let (mut robot, _held) = Robot::welcome(address, JUNIPER).await;

    let path = format!(
        "/api/v1/robots/{}/tokens/{}",
        JUNIPER.id(),
        JUNIPER.token_id()
    );
    let answer = house.ask(delete(&path).by(Who::Admin).empty()).await;

    assert_eq!(answer.status, 204);
    ends_at_once(&mut robot).await;
    let bearer = format!("Bearer {}", JUNIPER.token());
    let headers = [("authorization", bearer.as_str())];
    let again = knock(connect(address).await, ROBOT_SOCKET, &headers).await;
    assert_eq!(
        again.map(drop),
        Err((401, "robot_token_unknown".to_owned()))
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_token_that_another_process_revokes_ends_the_session_here_too(owner: PgPool) {
    let house = House::new(&owner).await;
    started(&house).await;
    let (mut robot, _held) = Robot::welcome(house.listen().await, JUNIPER).await;

    revoke_as_another_process_does(&house, JUNIPER.token_id()).await;

    ends_at_once(&mut robot).await;
}

/// A second token of the same robot.
async fn second_token(house: &House) -> (TokenId, String) {
    let secret = Secret::new(SecretKind::Robot, &[9; 32]);
    let token = TokenId(Uuid::now_v7());
    let juniper = house.robot(JUNIPER).await;
    let mut tx = house.begin();
    store::issue_robot_token(&mut tx, &juniper, token, secret.hash(), None, house.now())
        .await
        .unwrap();
    house.commit(tx).await;
    (token, secret.expose().to_owned())
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_session_on_another_token_of_the_same_robot_goes_on(owner: PgPool) {
    let house = House::new(&owner).await;
    started(&house).await;
    let (other, _secret) = second_token(&house).await;
    let (mut robot, _held) = Robot::welcome(house.listen().await, JUNIPER).await;

    revoke_as_another_process_does(&house, other).await;
    all_followed(&house).await;

    robot.report(telemetry(5)).await;
    until("the robot's telemetry", async || {
        (house.app.live.seen_tick(JUNIPER.id()) == Some(5)).then_some(())
    })
    .await;
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_token_revoked_between_handshake_and_hello_opens_nothing_and_puts_nobody_out(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    started(&house).await;
    let address = house.listen().await;
    let mut waits = Robot::dial(address, JUNIPER).await;
    let (_token, secret) = second_token(&house).await;
    let bearer = format!("Bearer {secret}");
    let headers = [("authorization", bearer.as_str())];
    let mut honest = Robot::on(
        knock(connect(address).await, ROBOT_SOCKET, &headers)
            .await
            .unwrap(),
    );
    honest.say(&hello(advert())).await;
    honest
        .until(|frame| matches!(frame, ToRobot::Welcome { .. }).then_some(()))
        .await;
    revoke_as_another_process_does(&house, JUNIPER.token_id()).await;
    all_followed(&house).await;

    waits.say(&hello(advert())).await;

    let first = waits.hear().await;
    let is_revoked = matches!(
        first,
        ToRobot::Goodbye {
            reason: Goodbye::Revoked,
            ..
        }
    );
    assert!(is_revoked, "{first:?}");
    honest.answer_ping().await;
    honest.report(telemetry(6)).await;
    until("the honest robot's telemetry", async || {
        (house.app.live.seen_tick(JUNIPER.id()) == Some(6)).then_some(())
    })
    .await;
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn signing_out_ends_the_live_page_of_that_browser_and_of_no_other(owner: PgPool) {
    let house = House::new(&owner).await;
    started(&house).await;
    let address = house.listen().await;
    let (here, there) = (
        house.cookie(Who::Operator).await,
        house.cookie(Who::Operator).await,
    );
    let (mut page, _snapshot) = Console::open_page(address, &here).await;
    let (mut other, _snapshot) = Console::open_page(address, &there).await;

    let request = delete("/api/v1/session").on_page(&here);
    assert_eq!(house.ask(request.empty()).await.status, 204);

    assert_eq!(page.goodbye().await, Goodbye::SessionEnded);
    all_followed(&house).await;
    other.in_step().await;
    assert_eq!(house.app.live.connected().1, 1);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_role_that_is_taken_away_ends_the_live_page_and_one_that_is_given_does_not(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    started(&house).await;
    let (mut page, _snapshot) = Console::open(house.listen().await, Who::WingA).await;
    let (person, held) = (Who::WingA.id(), Who::WingA.roles()[0]);
    let given = RoleGrant {
        role: Role::Requester,
        site: Some(WING_B),
    };

    let mut tx = house.begin();
    store::grant_role(&mut tx, LINDEN, person, given, None, house.now())
        .await
        .unwrap();
    house.commit(tx).await;
    all_followed(&house).await;
    page.in_step().await;
    let mut tx = house.begin();
    store::revoke_role(&mut tx, LINDEN, person, held, None)
        .await
        .unwrap();
    house.commit(tx).await;

    assert_eq!(page.goodbye().await, Goodbye::SessionEnded);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_scripts_token_that_is_revoked_ends_its_socket(owner: PgPool) {
    let house = House::new(&owner).await;
    started(&house).await;
    let (mut script, _snapshot) = Console::open(house.listen().await, Who::Operator).await;

    let person = house.person(Who::Operator).await;
    let token = Who::Operator.token_id();
    let mut tx = house.begin();
    store::revoke_api_token(&mut tx, &person, token, None, house.now())
        .await
        .unwrap();
    house.commit(tx).await;

    assert_eq!(script.goodbye().await, Goodbye::SessionEnded);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_sign_in_that_ended_between_handshake_and_hello_shows_nothing(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let cookie = house.cookie(Who::Operator).await;
    let headers = [("cookie", cookie.as_str()), ("origin", PUBLIC_URL)];
    let socket = knock(connect(address).await, CONSOLE_SOCKET, &headers).await;
    let mut page = Console::on(socket.unwrap());

    let request = delete("/api/v1/session").on_page(&cookie);
    assert_eq!(house.ask(request.empty()).await.status, 204);
    page.say(&FromConsole::Hello {
        protocol: PROTOCOL_VERSION,
    })
    .await;

    let first = page.hear().await;
    let is_ended = matches!(
        first,
        protocol::console_socket::ToConsole::Goodbye {
            reason: Goodbye::SessionEnded,
            ..
        }
    );
    assert!(is_ended, "{first:?}");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_console_socket_from_another_sites_page_is_refused_before_anything_else(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = house.listen().await;
    let cookie = house.cookie(Who::Operator).await;
    let bearer = format!("Bearer {}", Who::Operator.token());

    for headers in [
        vec![
            ("cookie", cookie.as_str()),
            ("origin", "https://evil.example"),
        ],
        vec![("cookie", cookie.as_str()), ("origin", "null")],
        vec![("cookie", cookie.as_str())],
        vec![("origin", "https://evil.example")],
        vec![],
        vec![
            ("authorization", bearer.as_str()),
            ("origin", "https://evil.example"),
        ],
        vec![("authorization", "Basic bm9ib2R5"), ("cookie", &cookie)],
    ] {
        let refused = knock(connect(address).await, CONSOLE_SOCKET, &headers).await;
        let refused = refused.map(drop);
        assert_eq!(
            refused,
            Err((403, "origin_refused".to_owned())),
            "{headers:?}"
        );
    }
    let nobody = [(header::ORIGIN.as_str(), PUBLIC_URL)];
    let signed_out = knock(connect(address).await, CONSOLE_SOCKET, &nobody).await;
    assert_eq!(signed_out.map(drop), Err((401, "signed_out".to_owned())));
    let bearer = format!("Bearer {}", Who::Roleless.token());
    let roleless = [("authorization", bearer.as_str())];
    let forbidden = knock(connect(address).await, CONSOLE_SOCKET, &roleless).await;
    assert_eq!(forbidden.map(drop), Err((403, "role_missing".to_owned())));
    assert_eq!(house.app.live.connected(), (0, 0));
}
