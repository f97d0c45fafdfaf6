//! Claims about stopping a whole site.

use protocol::{
    command::{Order, Verb},
    event::robot_stream,
    robot_socket::ToRobot,
    views::SiteStopView,
};
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    answer::{Answer, Asking as _, post},
    house::{Attached, House, JUNIPER, ROWAN, Who},
    until::until,
};

async fn stop(house: &House, who: Who, site: Uuid, key: u128) -> Answer {
    let path = format!("/api/v1/sites/{site}/stop");
    let pressed = post(&path)
        .by(who)
        .header("idempotency-key", Uuid::from_u128(key).to_string());
    house.ask(pressed.empty()).await
}

fn stopped(answer: &Answer) -> SiteStopView {
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

fn stops(attached: &mut Attached) -> usize {
    let told = attached.waiting();
    let is_stop = |frame: &&ToRobot| matches!(frame, ToRobot::Order(Order::Stop { .. }));
    told.iter().filter(is_stop).count()
}

async fn site_of_juniper(house: &House) -> Uuid {
    house.robot(JUNIPER).await.site.0
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_supervisor_stops_every_robot_of_a_site_once_and_hears_which_could_not_be_told(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let site = site_of_juniper(&house).await;
    let mut juniper = house.attach(JUNIPER);
    let rowans_site = house.robot(ROWAN).await.site.0;

    let first = stopped(&stop(&house, Who::Supervisor, site, 1).await);
    let again = stopped(&stop(&house, Who::Supervisor, site, 1).await);

    assert_eq!(first.stopped.len(), 1);
    assert_eq!(first.stopped[0].robot, JUNIPER.id());
    assert_eq!(first.stopped[0].verb, Verb::Stop);
    assert_eq!(again, first);
    assert_eq!(stops(&mut juniper), 1);
    let events = house.events(&robot_stream(JUNIPER.id())).await;
    let issued = events.iter().filter(|kind| *kind == "command.issued");
    assert_eq!(issued.count(), 1);
    assert!(first.not_reached.is_empty());

    let anew = stopped(&stop(&house, Who::Supervisor, site, 2).await);
    assert_ne!(anew.stopped[0].command, first.stopped[0].command);
    assert_eq!(stops(&mut juniper), 1);
    // The one robot of that site is not connected.
    let dark = stopped(&stop(&house, Who::Supervisor, rowans_site, 3).await);
    assert!(dark.stopped.is_empty());
    let missed: Vec<(&str, &str)> = (dark.not_reached.iter())
        .map(|robot| (&*robot.name, &*robot.code))
        .collect();
    assert_eq!(missed, [("R-021 Rowan", "robot_offline")]);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn nobody_but_a_supervisor_of_it_stops_a_site(owner: PgPool) {
    let house = House::new(&owner).await;
    let site = site_of_juniper(&house).await;
    let mut juniper = house.attach(JUNIPER);

    for (who, status, code) in [
        (Who::Operator, 403, "role_missing"),
        (Who::Requester, 403, "role_missing"),
        (Who::Owner, 403, "role_missing"),
        (Who::Admin, 403, "role_missing"),
        (Who::WingA, 403, "role_missing"),
        (Who::Stranger, 403, "role_missing"),
        (Who::Roleless, 404, "not_found"),
    ] {
        let refused = stop(&house, who, site, 1).await;
        assert_eq!(refused.problem(), (status, code.to_owned()), "{who:?}");
    }
    let nowhere = stop(&house, Who::Supervisor, Uuid::from_u128(77), 1).await;
    assert_eq!(nowhere.problem(), (404, "not_found".to_owned()));
    let path = format!("/api/v1/sites/{site}/stop");
    let keyless = house.ask(post(&path).by(Who::Supervisor).empty()).await;
    assert_eq!(
        keyless.problem(),
        (400, "idempotency_key_missing".to_owned())
    );
    assert_eq!(stops(&mut juniper), 0);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn robots_are_stopped_before_that_is_recorded_and_it_is_recorded_though_nobody_waits_any_more(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let site = site_of_juniper(&house).await;
    let mut juniper = house.attach(JUNIPER);
    let mut hanging = house.owner.begin().await.unwrap();
    sqlx::query("LOCK TABLE assist.command IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *hanging)
        .await
        .unwrap();

    let told = async || (stops(&mut juniper) == 1).then_some(());
    tokio::select! {
        _answer = stop(&house, Who::Supervisor, site, 1) => panic!("answered before it was recorded"),
        () = until("the stop", told) => {}
    }
    // From here on nobody waits for an answer.
    hanging.rollback().await.unwrap();

    until("the record", async || {
        (house.recorded("command.issued").await == 1).then_some(())
    })
    .await;
    assert_eq!(stops(&mut juniper), 0);
}
