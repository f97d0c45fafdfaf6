//! Claims about news of complaints: who hears them, and that nobody else does.

use identity::store;
use protocol::{
    CaseId,
    case::CasePhase,
    console_socket::ToConsole,
    views::{Role, RoleGrant},
};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use super::client::Console;
use crate::http::tests::{
    answer::{Asking as _, post},
    house::{House, LINDEN, WING_B, Who},
    work::{JOB, completed, keyed},
};

const CASE: CaseId = CaseId(Uuid::from_u128(9_200));

async fn say(house: &House, who: Who, path: &str, body: &Value) {
    let answer = house.ask(keyed(post(path).by(who)).json(body)).await;
    assert!(answer.status < 300, "{}", answer.text());
}

async fn complain(house: &House) {
    let complaint = json!({
        "case": CASE,
        "about": "property_damage",
        "severity": 2,
        "words": "The mug came back chipped on the rim.",
        "salt": "11".repeat(32),
    });
    let path = format!("/api/v1/jobs/{JOB}/cases");
    say(house, Who::Requester, &path, &complaint).await;
}

async fn begin_review(house: &House) {
    let path = format!("/api/v1/cases/{CASE}/events");
    let triaged = json!({"event": {"kind": "case.triaged", "severity": 2}});
    let begun = json!({"event": {"kind": "case.review_started"}});
    for event in [triaged, begun] {
        say(house, Who::Admin, &path, &event).await;
    }
}

/// Somebody who reviews complaints, but at another site.
async fn move_to_wing_b(house: &House, who: Who) {
    let grant = RoleGrant {
        role: Role::Operator,
        site: Some(WING_B),
    };
    let mut tx = house.begin();
    store::grant_role(&mut tx, LINDEN, who.id(), grant, None, house.now())
        .await
        .unwrap();
    house.commit(tx).await;
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn news_of_a_complaint_reach_its_author_and_its_reviewers_and_nobody_else(owner: PgPool) {
    let house = House::new(&owner).await;
    completed(&house).await;
    move_to_wing_b(&house, Who::Roleless).await;
    let address = house.listen().await;
    let mut consoles = Vec::new();
    for (who, hears) in [
        (Who::Requester, true),
        (Who::Operator, true),
        (Who::WingA, true),
        (Who::WingAAdmin, true),
        // Sees everybody's jobs, and reviews none.
        (Who::Owner, false),
        (Who::Roleless, false),
        (Who::Stranger, false),
    ] {
        let (console, _snapshot) = Console::open(address, who).await;
        consoles.push((who, hears, console));
    }

    complain(&house).await;
    begin_review(&house).await;

    for (who, hears, console) in &mut consoles {
        let heard = console.in_step().await;
        let cases: Vec<_> = heard
            .iter()
            .filter_map(|frame| match frame {
                ToConsole::Case(view) => Some((view.case, view.phase)),
                _ => None,
            })
            .collect();
        let told = [
            (CASE, CasePhase::EvidenceFrozen),
            (CASE, CasePhase::Triaged),
            (CASE, CasePhase::UnderReview),
        ];
        let expected = if *hears { told.as_slice() } else { &[] };
        assert_eq!(cases, expected, "{who:?}");
    }
}
