//! Claims about who may do what where: every endpoint against the one table of roles.

use axum::{
    body::Body,
    http::{Request, request::Builder},
};
use identity::Permission;
use protocol::CommandId;
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    answer::{Asking as _, delete, get, post},
    house::{FOREIGN, House, JUNIPER, Machine, ROWAN, WING_A, Who},
};

/// An endpoint, what it takes, and how it is asked.
struct Endpoint {
    name: &'static str,
    needs: Permission,
    allowed: u16,
    ask: fn(Machine, CommandId) -> Builder,
}

const ENDPOINTS: [Endpoint; 7] = [
    Endpoint {
        name: "list robots",
        needs: Permission::SeeFleet,
        allowed: 200,
        ask: |_, _| get("/api/v1/robots"),
    },
    Endpoint {
        name: "read events",
        needs: Permission::SeeEvents,
        allowed: 200,
        ask: |_, _| get("/api/v1/events"),
    },
    Endpoint {
        name: "read a robot",
        needs: Permission::SeeFleet,
        allowed: 200,
        ask: |robot, _| get(&format!("/api/v1/robots/{}", robot.id())),
    },
    Endpoint {
        name: "list a robot's commands",
        needs: Permission::SeeFleet,
        allowed: 200,
        ask: |robot, _| get(&format!("/api/v1/robots/{}/commands", robot.id())),
    },
    Endpoint {
        name: "read a command",
        needs: Permission::SeeFleet,
        allowed: 200,
        ask: |_, command| get(&format!("/api/v1/commands/{command}")),
    },
    Endpoint {
        name: "command a robot",
        needs: Permission::Command,
        allowed: 202,
        ask: |robot, _| {
            post(&format!("/api/v1/robots/{}/commands", robot.id()))
                .header("idempotency-key", Uuid::now_v7().to_string())
        },
    },
    Endpoint {
        name: "revoke a robot's token",
        needs: Permission::Administer,
        allowed: 204,
        ask: |robot, _| {
            delete(&format!(
                "/api/v1/robots/{}/tokens/{}",
                robot.id(),
                robot.token_id()
            ))
        },
    },
];

impl Endpoint {
    fn asked(&self, robot: Machine, command: CommandId, token: &str) -> Request<Body> {
        let request = (self.ask)(robot, command).bearing(token);
        request.json(&json!({ "verb": "stop" }))
    }
}

/// A command to this robot, by somebody who may.
async fn commanded(house: &House, robot: Machine, by: Who) -> CommandId {
    let id = CommandId(Uuid::now_v7());
    let request = post(&format!("/api/v1/robots/{}/commands", robot.id()))
        .header("idempotency-key", id.to_string())
        .by(by);
    let answer = house.ask(request.json(&json!({ "verb": "stop" }))).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    id
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn each_endpoint_lets_in_exactly_whom_the_table_of_roles_names(owner: PgPool) {
    let house = House::new(&owner).await;
    let _juniper = house.attach(JUNIPER);
    let command = commanded(&house, JUNIPER, Who::Operator).await;

    for endpoint in &ENDPOINTS {
        for who in Who::ALL.into_iter().filter(|who| *who != Who::Stranger) {
            let request = endpoint.asked(JUNIPER, command, &who.token());
            let answer = house.ask(request).await;
            if identity::allows(&who.roles(), endpoint.needs, Some(WING_A)) {
                assert_eq!(
                    answer.status,
                    endpoint.allowed,
                    "{who:?}: {} {}",
                    endpoint.name,
                    answer.text()
                );
            } else {
                assert_eq!(
                    answer.problem(),
                    (403, "role_missing".to_owned()),
                    "{who:?}: {}",
                    endpoint.name
                );
            }
        }
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn nobody_gets_in_without_a_sign_in_nor_with_a_robots_token(owner: PgPool) {
    let house = House::new(&owner).await;
    let command = CommandId(Uuid::now_v7());

    for endpoint in &ENDPOINTS {
        let nobody = (endpoint.ask)(JUNIPER, command).json(&json!({ "verb": "stop" }));
        let robot = endpoint.asked(JUNIPER, command, &JUNIPER.token());
        assert_eq!(
            house.ask(nobody).await.problem(),
            (401, "signed_out".to_owned()),
            "{}",
            endpoint.name
        );
        assert_eq!(
            house.ask(robot).await.problem(),
            (401, "token_unknown".to_owned()),
            "{}",
            endpoint.name
        );
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_robot_that_may_not_be_seen_is_answered_like_one_that_does_not_exist(owner: PgPool) {
    let house = House::new(&owner).await;
    let _attached = [JUNIPER, ROWAN, FOREIGN].map(|robot| house.attach(robot));
    let to_rowan = commanded(&house, ROWAN, Who::Operator).await;
    let to_foreign = commanded(&house, FOREIGN, Who::Stranger).await;

    for (who, robot, command) in [
        (Who::Operator, FOREIGN, to_foreign),
        (Who::Admin, FOREIGN, to_foreign),
        (Who::WingA, ROWAN, to_rowan),
        (Who::WingAAdmin, ROWAN, to_rowan),
        (Who::WingA, FOREIGN, to_foreign),
        (Who::Stranger, JUNIPER, to_rowan),
    ] {
        for endpoint in &ENDPOINTS[2..] {
            let answer = house
                .ask(endpoint.asked(robot, command, &who.token()))
                .await;
            assert_eq!(
                answer.problem(),
                (404, "not_found".to_owned()),
                "{who:?}: {}",
                endpoint.name
            );
        }
        let list = house.ask(get("/api/v1/robots").by(who).empty()).await;
        assert!(!list.text().contains(&robot.id().to_string()), "{who:?}");
    }
    assert_eq!(house.recorded("robot.token_revoked").await, 0);
    assert_eq!(house.recorded("command.issued").await, 2);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_token_is_revoked_under_its_own_robot_only(owner: PgPool) {
    let house = House::new(&owner).await;
    let (robot, token) = (JUNIPER.id(), ROWAN.token_id());

    let path = format!("/api/v1/robots/{robot}/tokens/{token}");
    let answer = house.ask(delete(&path).by(Who::Admin).empty()).await;

    assert_eq!(answer.problem(), (409, "token_unknown".to_owned()));
    assert_eq!(house.recorded("robot.token_revoked").await, 0);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_right_that_was_taken_away_is_gone_with_the_next_request(owner: PgPool) {
    let house = House::new(&owner).await;
    let before = house
        .ask(get("/api/v1/events").by(Who::Admin).empty())
        .await;
    assert_eq!(before.status, 200);

    let mut tx = house.begin();
    let grant = Who::Admin.roles()[0];
    let (organisation, person) = (Who::Admin.organisation(), Who::Admin.id());
    identity::store::revoke_role(&mut tx, organisation, person, grant, None)
        .await
        .unwrap();
    house.commit(tx).await;
    let after = house
        .ask(get("/api/v1/events").by(Who::Admin).empty())
        .await;

    assert_eq!(after.problem(), (403, "role_missing".to_owned()));
}
