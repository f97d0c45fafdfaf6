//! What followers are promised: nothing is skipped, nothing comes twice, nobody sees another tenant's events.

use super::{LINDEN, NOW, as_app, commit_one, follow, gateway, unanswered};
use crate::{
    Position, Tx,
    tail::{self, Filter, Follower},
};
use protocol::{OrganisationId, SiteId, views::EventView};
use sqlx::{Executor as _, PgPool};
use uuid::Uuid;

const WING_A: SiteId = SiteId(Uuid::from_u128(11));
const WING_B: SiteId = SiteId(Uuid::from_u128(12));

fn streams(events: &[tail::StoredEvent]) -> Vec<&str> {
    events.iter().map(|event| event.stream.as_str()).collect()
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_slow_transaction_is_not_skipped(owner: PgPool) {
    let app = as_app(&owner).await;
    let everything = Filter::default();
    let mut slow = Tx::begin(&app);
    slow.connection()
        .await
        .unwrap()
        .execute("SELECT pg_current_xact_id()")
        .await
        .unwrap();
    slow.record("robot/slow".to_owned(), LINDEN, None, None, unanswered(1));
    commit_one(&app, "robot/quick", None, 2).await;

    let while_slow = tail::read_after(&app, Position::START, 10, &everything)
        .await
        .unwrap();
    let end_while_slow = tail::end(&app).await.unwrap();
    slow.commit(&gateway(), NOW).await.unwrap();
    let afterwards = follow(&app, end_while_slow, everything, 2).await;

    assert!(while_slow.is_empty(), "the quick one must wait");
    assert_eq!(streams(&afterwards), ["robot/slow", "robot/quick"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_follower_gets_every_event_once_in_pages_of_any_size(owner: PgPool) {
    const EVENTS: u128 = 7;
    let app = as_app(&owner).await;
    for number in 0..EVENTS {
        commit_one(&app, &format!("robot/{number}"), None, number).await;
    }

    for limit in [1, 3, 100] {
        let mut follower = Follower::new(app.clone(), Position::START, Filter::default());
        let mut seen = Vec::new();
        while seen.len() < usize::try_from(EVENTS).unwrap() {
            let page = follower.next(limit).await.unwrap();
            seen.extend(page.into_iter().map(|event| event.stream));
        }
        let expected: Vec<String> = (0..EVENTS)
            .map(|number| format!("robot/{number}"))
            .collect();
        assert_eq!(seen, expected, "in pages of {limit}");
    }
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_waiting_follower_is_woken_by_a_commit(owner: PgPool) {
    let app = as_app(&owner).await;
    let mut follower = Follower::new(app.clone(), Position::START, Filter::default());
    let waiting = tokio::spawn(async move { follower.next(10).await.unwrap() });

    commit_one(&app, "robot/a", None, 1).await;

    assert_eq!(streams(&waiting.await.unwrap()), ["robot/a"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn a_filter_hides_other_organisations_and_other_sites(owner: PgPool) {
    let app = as_app(&owner).await;
    commit_one(&app, "robot/wing-a", Some(WING_A), 1).await;
    commit_one(&app, "robot/wing-b", Some(WING_B), 2).await;
    commit_one(&app, "organisation/linden", None, 3).await;
    let mut tx = Tx::begin(&app);
    let other = OrganisationId(Uuid::from_u128(2));
    tx.record(
        "robot/foreign".to_owned(),
        other,
        Some(WING_B),
        None,
        unanswered(4),
    );
    tx.commit(&gateway(), NOW).await.unwrap();
    let read = async |sites: Option<Vec<SiteId>>, expected: usize| {
        let filter = Filter {
            organisation: Some(LINDEN),
            sites,
        };
        follow(&app, Position::START, filter, expected).await
    };

    let all_sites = read(None, 3).await;
    let one_site = read(Some(vec![WING_B]), 1).await;

    assert_eq!(
        streams(&all_sites),
        ["robot/wing-a", "robot/wing-b", "organisation/linden"]
    );
    assert_eq!(streams(&one_site), ["robot/wing-b"]);
}

#[sqlx::test(migrator = "crate::MIGRATOR")]
async fn the_view_of_an_event_leads_on_from_where_it_stands(owner: PgPool) {
    let app = as_app(&owner).await;
    commit_one(&app, "robot/a", None, 1).await;
    commit_one(&app, "robot/b", None, 2).await;
    let mut follower = Follower::new(app.clone(), Position::START, Filter::default());
    let first = follower.next(1).await.unwrap().remove(0);

    let view = EventView::from(first);
    let position: Position = view.position.parse().unwrap();
    let rest = follow(&app, position, Filter::default(), 1).await;

    assert_eq!(view.kind, "command.unanswered");
    assert_eq!(view.payload["kind"], "command.unanswered");
    assert_eq!(streams(&rest), ["robot/b"]);
}
