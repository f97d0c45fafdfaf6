//! Organisations, sites, people, roles.

use protocol::{
    event::{organisation_stream, person_stream},
    views::{Role, RoleGrant},
};

use super::*;
use crate::Refusal;

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_is_created_is_found_and_recorded(owner: PgPool) {
    let app = house(&owner).await;

    let linden = store::find_organisation(&app, "Linden Care Home")
        .await
        .unwrap()
        .unwrap();
    let wing = store::find_site(&app, LINDEN, "Wing B")
        .await
        .unwrap()
        .unwrap();
    let sites = store::list_sites(&app, LINDEN).await.unwrap();
    let names = store::person_names(&app, &[MIRA, PersonId(Uuid::from_u128(99))])
        .await
        .unwrap();

    assert_eq!(linden.organisation, LINDEN);
    assert_eq!(wing.site, WING_B);
    assert_eq!(
        sites.iter().map(|site| site.site).collect::<Vec<_>>(),
        [WING_A, WING_B]
    );
    assert_eq!(
        names.into_iter().collect::<Vec<_>>(),
        [(MIRA, "Mira Kovač".to_owned())]
    );
    assert_eq!(
        events(&app, &organisation_stream(LINDEN)).await,
        ["organisation.created", "site.created", "site.created"]
    );
    assert_eq!(events(&app, &person_stream(MIRA)).await, ["person.added"]);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_persons_name_stays_out_of_the_log(owner: PgPool) {
    let app = house(&owner).await;

    let mentions: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM spine.event WHERE payload::text LIKE '%Kova%' OR position('Kova'::bytea IN entry) > 0",
    )
    .fetch_one(&app)
    .await
    .unwrap();

    assert_eq!(mentions, 0);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn names_that_must_be_their_own_are_refused_the_second_time(owner: PgPool) {
    let app = house(&owner).await;
    robot(&app, 31, WING_A, "R-014 Juniper").await;
    let fresh = Uuid::from_u128(99);

    let mut tx = Tx::begin(&app);
    let organisation =
        store::create_organisation(&mut tx, OrganisationId(fresh), &name("Other"), T0).await;
    let mut tx = Tx::begin(&app);
    let site = store::create_site(&mut tx, LINDEN, SiteId(fresh), &name("Wing B"), None, T0).await;
    let mut tx = Tx::begin(&app);
    let new = store::NewRobot {
        robot: RobotId(fresh),
        organisation: LINDEN,
        site: WING_B,
        name: name("R-014 Juniper"),
    };
    let robot = store::create_robot(&mut tx, &new, None, T0).await;

    assert_eq!(refusal(organisation), Refusal::NameTaken);
    assert_eq!(refusal(site), Refusal::NameTaken);
    assert_eq!(refusal(robot), Refusal::NameTaken);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn roles_come_and_go_and_each_change_is_recorded_once(owner: PgPool) {
    let app = house(&owner).await;
    let everywhere = RoleGrant {
        role: Role::Admin,
        site: None,
    };
    let here = RoleGrant {
        role: Role::Operator,
        site: Some(WING_B),
    };

    let mut tx = Tx::begin(&app);
    let mut changed = Vec::new();
    for grant in [everywhere, here, everywhere, here] {
        changed.push(
            store::grant_role(&mut tx, LINDEN, MIRA, grant, None, T0)
                .await
                .unwrap(),
        );
    }
    commit(tx).await;
    let with_both = mira(&app).await;
    let mut tx = Tx::begin(&app);
    for _ in 0..2 {
        changed.push(
            store::revoke_role(&mut tx, LINDEN, MIRA, everywhere, None)
                .await
                .unwrap(),
        );
    }
    commit(tx).await;

    assert_eq!(changed, [true, true, false, false, true, false]);
    assert_eq!(with_both.roles, [everywhere, here]);
    assert_eq!(with_both.organisation_name, "Linden Care Home");
    assert_eq!(mira(&app).await.roles, [here]);
    assert_eq!(
        events(&app, &person_stream(MIRA)).await,
        [
            "person.added",
            "role.granted",
            "role.granted",
            "role.revoked"
        ]
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn no_grant_and_no_robot_crosses_the_wall_between_organisations(owner: PgPool) {
    let app = house(&owner).await;
    let foreign_site = RoleGrant {
        role: Role::Operator,
        site: Some(ELSEWHERE),
    };
    let role = RoleGrant {
        role: Role::Operator,
        site: None,
    };

    let mut tx = Tx::begin(&app);
    let at_foreign_site = store::grant_role(&mut tx, LINDEN, MIRA, foreign_site, None, T0).await;
    let mut tx = Tx::begin(&app);
    let by_other = store::grant_role(&mut tx, OTHER, MIRA, role, None, T0).await;
    let mut tx = Tx::begin(&app);
    let new = store::NewRobot {
        robot: RobotId(Uuid::from_u128(31)),
        organisation: LINDEN,
        site: ELSEWHERE,
        name: name("R-014"),
    };
    let robot = store::create_robot(&mut tx, &new, None, T0).await;

    assert_eq!(refusal(at_foreign_site), Refusal::SiteUnknown);
    assert_eq!(refusal(by_other), Refusal::PersonUnknown);
    assert_eq!(refusal(robot), Refusal::SiteUnknown);
}
