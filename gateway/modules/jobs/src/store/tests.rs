//! The store against a real Postgres, as the application's role.

use ed25519_dalek::SigningKey;
use protocol::job::JobEvent;
use spine::Signer;
use sqlx::{Executor as _, PgPool, postgres::PgPoolOptions};

use super::*;
use crate::{
    actor::Actor,
    apply::apply_all,
    decide::{Decision, decide},
    replay::{self, Step},
    template,
    tests::fixtures::{
        ANNA, HOUR, JUNIPER, OPERATOR, REQUESTER, ROWAN, SECOND, Story, T0, request, requested,
    },
    walk::{Outcome, Walk},
};

mod list;

const ORGANISATION: OrganisationId = OrganisationId(Uuid::from_u128(2));

pub(super) async fn as_app(owner: &PgPool) -> PgPool {
    PgPoolOptions::new()
        .max_connections(8)
        .after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute("SET ROLE nooterra_app").await?;
                Ok(())
            })
        })
        .connect_with(owner.connect_options().as_ref().clone())
        .await
        .unwrap()
}

async fn commit(tx: Tx) {
    let signer = Signer::new(SigningKey::from_bytes(&[1; 32]));
    tx.commit(&signer, T0).await.unwrap();
}

/// A job that was asked for so many seconds after the others.
pub(super) fn job(number: u128, seconds: i64) -> Job {
    let mut request = request();
    request.job = JobId(Uuid::from_u128(number));
    let at = T0.plus(seconds * SECOND);
    apply_all(None, &[requested(&request)], REQUESTER, at).unwrap()
}

pub(super) async fn keep(app: &PgPool, job: &Job) {
    let mut tx = Tx::begin(app);
    insert(&mut tx, ORGANISATION, job).await.unwrap();
    commit(tx).await;
}

async fn replace(app: &PgPool, before: &Job, after: &Job) -> Result<(), StoreError> {
    let mut tx = Tx::begin(app);
    save(&mut tx, before, after).await?;
    commit(tx).await;
    Ok(())
}

/// Lets an event happen to a job that is kept.
async fn feed(app: &PgPool, id: JobId, event: JobEvent, actor: Actor, now: UnixMicros) -> Job {
    let before = peek(app, id).await.unwrap().unwrap().job;
    let Ok(Decision::Apply(events)) = decide(Some(&before), &event, actor, now) else {
        panic!("{event:?}");
    };
    let after = apply_all(Some(before.clone()), &events, actor, now).unwrap();
    replace(app, &before, &after).await.unwrap();
    after
}

async fn waits(app: &PgPool, job: JobId) -> Vec<String> {
    sqlx::query_scalar("SELECT kind FROM jobs.deadline WHERE job_id = $1 ORDER BY kind")
        .bind(job.0)
        .fetch_all(app)
        .await
        .unwrap()
}

/// One job in every phase, and the ways that a phase can look.
fn stories() -> Vec<Story> {
    let executing = || Story::begin().executing();
    vec![
        Story::begin(),
        Story::begin().granted(1),
        Story::begin().offered(),
        Story::begin().reserved(),
        Story::begin().travelling(),
        Story::begin().let_in(),
        executing().step_done(),
        executing().asking(),
        executing().calling().helped(),
        executing().stalled(),
        executing().stopping(),
        executing().in_trouble(),
        executing().paused(),
        executing().silent(),
        executing().incident(),
        executing().finished(),
        executing().finished().accepted(),
        executing().incident().aborted(),
        Story::begin().cancelling(),
        executing().paused().cancelling(),
    ]
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_job_reads_back_in_every_phase_as_it_was_saved(owner: PgPool) {
    let app = as_app(&owner).await;
    for (number, story) in (100..).zip(stories()) {
        let before = job(number, 0);
        keep(&app, &before).await;
        let mut after = story.job;
        after.request.job = before.id();
        if after.version > 1 {
            replace(&app, &before, &after).await.unwrap();
        }

        let stored = peek(&app, before.id()).await.unwrap().unwrap();

        assert_eq!(stored.job, after);
        assert_eq!(stored.organisation, ORGANISATION);
        let mut kinds: Vec<_> = deadlines(&after)
            .into_iter()
            .map(|(kind, _)| kind.word().to_owned())
            .collect();
        kinds.sort();
        assert_eq!(waits(&app, before.id()).await, kinds);
        let held = held_by(&app, JUNIPER).await.unwrap();
        // One that has finished is free for the next job while the requester looks.
        let is_done = after
            .phase
            .engaged()
            .is_some_and(|engaged| matches!(engaged.work, crate::Work::Verifying { .. }));
        assert_eq!(
            held.map(|held| held.job),
            after.holder().filter(|_| !is_done).map(|_| after.clone())
        );
        // Out of the way of the next one, which is the same robot's.
        sqlx::query("DELETE FROM jobs.deadline")
            .execute(&owner)
            .await
            .unwrap();
        sqlx::query("DELETE FROM jobs.job")
            .execute(&owner)
            .await
            .unwrap();
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn replaying_what_happened_makes_the_stored_row(owner: PgPool) {
    let app = as_app(&owner).await;
    let mut walk = Walk::new(7);
    let mut history: Vec<Step<JobEvent>> = Vec::new();
    let mut replayed = 0;
    while replayed < 12 {
        let taken = walk.step().unwrap();
        let Outcome::Applied {
            before,
            events,
            after,
        } = taken.outcome
        else {
            continue;
        };
        match before {
            None => {
                // The robots of a walk are drawn anew for every job, so that none is busy.
                history.clear();
                keep(&app, &after).await;
            }
            Some(before) => replace(&app, &before, &after).await.unwrap(),
        }
        let by = std::iter::once(taken.actor).chain(std::iter::repeat(Actor::Cloud));
        history.extend(events.into_iter().zip(by).map(|(event, actor)| Step {
            event,
            actor,
            recorded_at: taken.at,
        }));
        if after.phase.is_over() {
            let played = replay::play(history.clone()).unwrap();
            let stored = peek(&app, after.id()).await.unwrap();
            assert_eq!(stored.map(|stored| stored.job), played.job);
            assert_eq!(waits(&app, after.id()).await, Vec::<String>::new());
            replayed += 1;
        }
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn of_two_writers_at_once_one_is_stale(owner: PgPool) {
    let app = as_app(&owner).await;
    let before = job(1, 0);
    keep(&app, &before).await;
    let mut first = Tx::begin(&app);
    let mut second = Tx::begin(&app);
    let seen = load(&mut first, before.id()).await.unwrap().unwrap().job;
    assert_eq!(
        load(&mut second, before.id()).await.unwrap().unwrap().job,
        seen
    );
    let cancelled =
        apply_all(Some(seen.clone()), &[JobEvent::Cancelled {}], REQUESTER, T0).unwrap();
    let assigned = JobEvent::Assigned { robot: JUNIPER };
    let assigned = apply_all(Some(seen.clone()), &[assigned], OPERATOR, T0).unwrap();

    save(&mut first, &seen, &cancelled).await.unwrap();
    commit(first).await;
    let late = save(&mut second, &seen, &assigned).await;
    drop(second);

    assert!(matches!(late, Err(StoreError::Stale(id)) if id == before.id()));
    assert_eq!(
        peek(&app, before.id()).await.unwrap().unwrap().job,
        cancelled
    );
    let mut tx = Tx::begin(&app);
    let again = insert(&mut tx, ORGANISATION, &before).await;
    assert!(matches!(again, Err(StoreError::Stale(_))));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_robot_has_one_live_job(owner: PgPool) {
    let app = as_app(&owner).await;
    let assigned = JobEvent::Assigned { robot: JUNIPER };
    for number in 1..=2 {
        keep(&app, &job(number, 0)).await;
    }
    let first = JobId(Uuid::from_u128(1));
    feed(&app, first, assigned.clone(), OPERATOR, T0).await;
    let before = job(2, 0);
    let Ok(Decision::Apply(events)) = decide(Some(&before), &assigned, OPERATOR, T0) else {
        panic!();
    };
    let after = apply_all(Some(before.clone()), &events, OPERATOR, T0).unwrap();

    let busy = replace(&app, &before, &after).await;

    assert!(matches!(busy, Err(StoreError::RobotBusy(id)) if id == before.id()));
    feed(&app, first, JobEvent::Cancelled {}, REQUESTER, T0).await;
    assert_eq!(held_by(&app, JUNIPER).await.unwrap(), None);
    replace(&app, &before, &after).await.unwrap();
    let held = held_by(&app, JUNIPER).await.unwrap().unwrap();
    assert_eq!(held.job.id(), before.id());
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn beats_are_owed_for_work_in_hand_and_for_work_that_ended_in_silence(owner: PgPool) {
    let app = as_app(&owner).await;
    let finished = || Story::begin().executing().finished();
    for (story, is_owed) in [
        (Story::begin(), false),
        (Story::begin().offered(), false),
        (Story::begin().reserved(), true),
        (Story::begin().executing(), true),
        (finished(), false),
        (finished().stalled(), true),
        (finished().accepted(), false),
    ] {
        keep(&app, &story.job).await;
        let found = held(&app).await.unwrap();

        assert_eq!(!found.is_empty(), is_owed, "{:?}", story.job.phase);
        for table in ["deadline", "job"] {
            let all = sqlx::AssertSqlSafe(format!("DELETE FROM jobs.{table}"));
            owner.execute(all).await.unwrap();
        }
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_row_that_no_history_explains_is_neither_written_nor_read(owner: PgPool) {
    let app = as_app(&owner).await;
    let before = job(1, 0);
    keep(&app, &before).await;
    // What is wrong in two ways is named for the one that Postgres sees first.
    let cases: [(&str, &[&str]); 11] = [
        (
            "phase = 'flying'",
            &["job_phase_known", "job_robot_where_one_has_it"],
        ),
        ("phase = 'reserved'", &["job_robot_where_one_has_it"]),
        (
            "robot_id = '00000000-0000-0000-0000-000000000001'",
            &["job_epoch_with_robot", "job_robot_where_one_has_it"],
        ),
        ("version = 7", &["job_state_is_this_one"]),
        (
            "version = 0",
            &["job_state_is_this_one", "job_version_from_one"],
        ),
        (
            "epoch = -1",
            &["job_epoch_with_robot", "job_state_is_this_one"],
        ),
        ("epoch = 3", &["job_state_is_this_one"]),
        ("state = '{}'", &["job_state_is_this_one"]),
        (
            "window_until = window_from",
            &["job_window_begins_before_it_ends"],
        ),
        (
            "updated_at = requested_at - interval '1 s'",
            &["job_asked_for_first"],
        ),
        ("title = ''", &["job_title_bounded"]),
    ];
    for (set, constraints) in cases {
        let statement = format!("UPDATE jobs.job SET {set}");

        let refused = app
            .execute(sqlx::AssertSqlSafe(statement))
            .await
            .unwrap_err();

        let name = refused.as_database_error().unwrap().constraint();
        assert!(
            name.is_some_and(|name| constraints.contains(&name)),
            "{set}: {refused}"
        );
    }
    app.execute("UPDATE jobs.job SET phase = 'cancelled'")
        .await
        .unwrap();
    let read = peek(&app, before.id()).await;
    assert!(matches!(read, Err(StoreError::Corrupt(id)) if id == before.id()));
    assert!(app.execute("DELETE FROM jobs.job").await.is_err());
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn moments_that_came_are_claimed_by_one_gateway_at_a_time(owner: PgPool) {
    let app = as_app(&owner).await;
    for number in 1..=4 {
        let seconds = i64::try_from(number).unwrap();
        keep(&app, &job(number, 0)).await;
        let robot = RobotId(Uuid::from_u128(30 + number));
        let at = T0.plus(seconds * SECOND);
        feed(
            &app,
            JobId(Uuid::from_u128(number)),
            JobEvent::Assigned { robot },
            OPERATOR,
            at,
        )
        .await;
    }
    // The second robot answers, so nothing is waited for any more.
    let second = JobId(Uuid::from_u128(2));
    let confirmed = JobEvent::ReservationConfirmed { epoch: 1 };
    feed(
        &app,
        second,
        confirmed,
        Actor::Robot(ROWAN),
        T0.plus(2 * SECOND),
    )
    .await;
    let now = T0.plus(13 * SECOND);
    let jobs = |due: &[Due]| {
        due.iter()
            .map(|due| due.job.0.as_u128())
            .collect::<Vec<_>>()
    };

    let mut one = Tx::begin(&app);
    let mut other = Tx::begin(&app);
    let first = claim_due(&mut one, now, 1).await.unwrap();
    let rest = claim_due(&mut other, now, 10).await.unwrap();
    // Nothing was changed: the end of the transaction gives its rows back, and here it is waited for.
    commit(one).await;
    let given_back = claim_due(&mut other, now, 10).await.unwrap();

    assert_eq!(jobs(&first), [1]);
    assert_eq!(first[0].kind, DeadlineKind::Acknowledge);
    assert_eq!(first[0].due_at, T0.plus(11 * SECOND));
    assert_eq!(jobs(&rest), [3]);
    assert_eq!(jobs(&given_back), [1, 3]);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_moment_that_lapsed_is_gone_with_what_it_brought(owner: PgPool) {
    let app = as_app(&owner).await;
    let before = job(1, 0);
    keep(&app, &before).await;
    let assigned = JobEvent::Assigned { robot: JUNIPER };
    feed(&app, before.id(), assigned, OPERATOR, T0).await;
    let now = T0.plus(HOUR);
    let mut tx = Tx::begin(&app);
    let due = claim_due(&mut tx, now, 10).await.unwrap();
    let offered = load(&mut tx, before.id()).await.unwrap().unwrap().job;
    let event = crate::lapse(&offered, due[0].kind, now).unwrap();
    let free = apply_all(Some(offered.clone()), &[event], Actor::Cloud, now).unwrap();

    save(&mut tx, &offered, &free).await.unwrap();
    commit(tx).await;

    let mut tx = Tx::begin(&app);
    assert_eq!(claim_due(&mut tx, now, 10).await.unwrap(), []);
    assert_eq!(held_by(&app, JUNIPER).await.unwrap(), None);
}

#[test]
fn the_titles_of_all_templates_fit_their_column() {
    let most = 256;
    for template in template::all() {
        let longest = template
            .parameters
            .iter()
            .map(|parameter| match parameter.kind {
                template::ParameterKind::Place => protocol::limits::MAX_NAME_CHARS,
                template::ParameterKind::Text { max_chars } => max_chars,
                template::ParameterKind::Number { .. }
                | template::ParameterKind::Choice { .. }
                | template::ParameterKind::Flag => 20,
            });
        assert!(longest.sum::<usize>() + 40 <= most, "{}", template.name);
    }
}
