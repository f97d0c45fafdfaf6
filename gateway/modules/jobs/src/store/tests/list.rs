//! What the list of jobs shows, and in which order.

use super::*;

fn everything() -> Filter {
    Filter {
        organisation: ORGANISATION,
        sites: None,
        requester: None,
        phases: Vec::new(),
        robot: None,
    }
}

async fn ids(app: &PgPool, filter: &Filter) -> Vec<u128> {
    let page = list(app, filter, None, 50).await.unwrap().page;
    numbers(&page)
}

fn numbers(page: &Page<Stored>) -> Vec<u128> {
    page.items
        .iter()
        .map(|stored| stored.job.id().0.as_u128())
        .collect()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_list_pages_from_the_newest_back_without_gap_or_repeat(owner: PgPool) {
    let app = as_app(&owner).await;
    for number in 1..=5 {
        // Two share a moment: the id decides between them.
        keep(&app, &job(number, i64::try_from(number / 2).unwrap())).await;
    }
    let mut tx = Tx::begin(&app);
    insert(&mut tx, OrganisationId(Uuid::from_u128(9)), &job(9, 9))
        .await
        .unwrap();
    commit(tx).await;

    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = list(&app, &everything(), cursor, 2).await.unwrap().page;
        seen.extend(numbers(&page));
        match page.next {
            Some(next) => cursor = Some(next.parse().unwrap()),
            None => break,
        }
    }

    assert_eq!(seen, [5, 4, 3, 2, 1]);
    let foreign = Some(JobId(Uuid::from_u128(9)));
    let page = list(&app, &everything(), foreign, 10).await.unwrap().page;
    assert!(page.items.is_empty());
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_list_shows_what_is_asked_for_and_nothing_else(owner: PgPool) {
    let app = as_app(&owner).await;
    for number in 1..=3 {
        keep(&app, &job(number, i64::try_from(number).unwrap())).await;
    }
    let (first, second) = (JobId(Uuid::from_u128(1)), JobId(Uuid::from_u128(2)));
    feed(&app, first, JobEvent::Cancelled {}, REQUESTER, T0).await;
    feed(
        &app,
        second,
        JobEvent::Assigned { robot: JUNIPER },
        OPERATOR,
        T0,
    )
    .await;
    feed(&app, second, JobEvent::Cancelled {}, REQUESTER, T0).await;
    let site = request().site;
    let elsewhere = SiteId(Uuid::nil());
    let nobody = PersonId(Uuid::nil());

    for (filter, expected) in [
        (everything(), vec![3, 2, 1]),
        (
            Filter {
                sites: Some(vec![site, elsewhere]),
                ..everything()
            },
            vec![3, 2, 1],
        ),
        (
            Filter {
                sites: Some(vec![elsewhere]),
                ..everything()
            },
            vec![],
        ),
        (
            Filter {
                sites: Some(vec![]),
                ..everything()
            },
            vec![],
        ),
        (
            Filter {
                requester: Some(ANNA),
                ..everything()
            },
            vec![3, 2, 1],
        ),
        (
            Filter {
                requester: Some(nobody),
                ..everything()
            },
            vec![],
        ),
        (
            Filter {
                phases: vec![PhaseName::Cancelled],
                ..everything()
            },
            vec![2, 1],
        ),
        (
            Filter {
                robot: Some(JUNIPER),
                ..everything()
            },
            vec![2],
        ),
        (
            Filter {
                organisation: OrganisationId(Uuid::nil()),
                ..everything()
            },
            vec![],
        ),
    ] {
        assert_eq!(ids(&app, &filter).await, expected, "{filter:?}");
    }
}
