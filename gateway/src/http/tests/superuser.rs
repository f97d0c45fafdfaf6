//! Claims about whoever may do anything in the database: what they change in the record of a job is named by `verify`
//! where the bundle shows it, by the gateway where no bundle could, and is shown to nobody as what happened.

use jobs::{JobRules, Phase};
use ledger::verify::{EntryName, Failure, Replay, Subject, Verdict, verify};
use protocol::{
    CaseId,
    job::{PhaseName, job_stream},
    views::{EventView, Page, Problem},
};
use serde_json::json;
use sqlx::{Executor as _, PgPool};
use uuid::Uuid;

use super::{
    answer::{Asking as _, get, post},
    bundle::{bundle, sequence, trust},
    house::{House, Who},
    work::{JOB, completed, job, keyed, order_form, under_way},
};

/// Tables whose rows never change, with the triggers that see to it.
const GUARDED: [(&str, &str); 2] = [
    ("spine.event", "event_never_changes"),
    ("spine.leaf", "leaf_never_changes"),
];

async fn run(house: &House, statement: String) {
    let statement = sqlx::AssertSqlSafe(statement);
    house.owner.execute(statement).await.unwrap();
}

/// Takes the triggers away, changes what they guard, and puts them back.
async fn change(house: &House, statement: &str) {
    for (table, trigger) in GUARDED {
        run(
            house,
            format!("ALTER TABLE {table} DISABLE TRIGGER {trigger}"),
        )
        .await;
    }
    run(house, statement.to_owned()).await;
    for (table, trigger) in GUARDED {
        run(
            house,
            format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}"),
        )
        .await;
    }
}

/// Keeps the log as it is.
async fn keep(house: &House) {
    for (table, _) in GUARDED {
        let kept = table.replace("spine.", "kept_");
        run(
            house,
            format!("CREATE TABLE {kept} AS SELECT * FROM {table}"),
        )
        .await;
    }
}

/// Makes the log again what it was.
async fn mend(house: &House) {
    for (table, _) in GUARDED {
        let kept = table.replace("spine.", "kept_");
        change(house, &format!("DELETE FROM {table}")).await;
        let again = format!("INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM {kept}");
        run(house, again).await;
    }
    assert_eq!(first_failure(house).await, None);
}

/// The first thing that does not hold of the bundle, as `nooterra verify` finds it.
async fn first_failure(house: &House) -> Option<Failure> {
    let (file, trust) = (bundle(house).await, trust(house).await);
    let mut rules: [&mut dyn Replay; 1] = [&mut JobRules];
    let report = verify(&file, &trust, &mut rules);
    let (_, failure) = report.first_failure()?;
    assert_eq!(report.verdict, Verdict::NotIntact);
    Some(failure.clone())
}

/// What the gateway says instead of a bundle that would not show what was changed.
async fn refusal(house: &House) -> String {
    let path = format!("/api/v1/jobs/{JOB}/bundle");
    let answer = house.ask(get(&path).by(Who::Requester).empty()).await;
    assert_eq!(answer.problem(), (500, "record_damaged".to_owned()));
    let problem: Problem = serde_json::from_slice(&answer.body).unwrap();
    problem.detail
}

/// What is done to the entry with this number in the job's record; which one is named for it, and how.
fn edits(number: usize) -> [(&'static str, String, usize, &'static str); 5] {
    let (stream, next) = (job_stream(JOB), number + 1);
    let one = format!("WHERE stream = '{stream}' AND stream_number = {number}");
    let pair = format!(
        "WHERE event.stream = '{stream}' AND other.stream = '{stream}' AND event.stream_number IN ({number}, {next})
           AND other.stream_number = {number} + {next} - event.stream_number"
    );
    [
        (
            "the last byte of its signature",
            format!(
                "UPDATE spine.event
                 SET entry = set_byte(entry, length(entry) - 1, get_byte(entry, length(entry) - 1) # 1) {one}"
            ),
            number,
            "bad_signature",
        ),
        (
            "its first byte",
            format!("UPDATE spine.event SET entry = set_byte(entry, 0, 0) {one}"),
            number,
            "malformed",
        ),
        (
            "dropped",
            format!("DELETE FROM spine.event {one}"),
            next,
            "gap",
        ),
        (
            // The next one stands where it should, and says of itself where it belongs.
            "swapped with the next",
            format!("UPDATE spine.event SET entry = other.entry FROM spine.event AS other {pair}"),
            next,
            "mislabelled",
        ),
        (
            "swapped with the next in the tree",
            format!(
                "UPDATE spine.leaf SET sequence = -sequence;
                 UPDATE spine.leaf SET sequence = COALESCE(
                     (SELECT other.sequence FROM spine.event, spine.event AS other
                      {pair} AND event.sequence = -leaf.sequence),
                     -leaf.sequence)"
            ),
            number,
            "not_included",
        ),
    ]
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_a_superuser_changed_in_the_log_is_found_and_named(owner: PgPool) {
    let house = House::new(&owner).await;
    completed(&house).await;
    sequence(&house).await;
    keep(&house).await;
    let stream = job_stream(JOB);
    let kinds = house.events(&stream).await;
    let before = kinds.iter().position(|kind| kind == "checkpoint.done");

    for (case, statement, named, code) in edits(before.unwrap() + 1) {
        change(&house, &statement).await;
        let failure = first_failure(&house).await.expect(case);
        mend(&house).await;

        let code_found = failure.fault.code();
        let Subject::Entry(EntryName {
            place: Some(place), ..
        }) = failure.subject
        else {
            panic!("{case}: {failure:?}");
        };
        let named = u64::try_from(named).unwrap();
        let found = (place.stream, place.stream_number, code_found);
        assert_eq!(found, (stream.clone(), named, code), "{case}");
    }
}

/// A column beside the sealed bytes, and what is written into it.
const EDITS: [(&str, &str); 7] = [
    ("kind", "'job.paused'"),
    ("payload", "payload || '{\"left_out\": true}'"),
    ("actor_key", "sha256('x')"),
    ("actor_hash", "sha256('x')"),
    ("recorded_at", "recorded_at - interval '1 hour'"),
    ("entry_hash", "sha256('x')"),
    ("site_id", "NULL"),
];

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_a_superuser_wrote_beside_the_sealed_bytes_is_named_and_shown_to_nobody(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    completed(&house).await;
    sequence(&house).await;
    keep(&house).await;
    let shown = async || {
        let mut pages = Vec::new();
        for path in [
            format!("/api/v1/jobs/{JOB}/events?limit=200"),
            "/api/v1/events?limit=200".to_owned(),
        ] {
            let answer = house.ask(get(&path).by(Who::Admin).empty()).await;
            let page: Page<EventView> = serde_json::from_slice(&answer.body).unwrap();
            pages.push(page.items);
        }
        pages
    };
    let before = shown().await;
    let stream = job_stream(JOB);
    let which =
        "WHERE sequence = (SELECT max(sequence) FROM spine.event WHERE kind = 'checkpoint.done')";
    let number: i64 = sqlx::query_scalar(
        "SELECT max(stream_number) FROM spine.event WHERE kind = 'checkpoint.done'",
    )
    .fetch_one(&house.owner)
    .await
    .unwrap();

    for (column, value) in EDITS {
        change(
            &house,
            &format!("UPDATE spine.event SET {column} = {value} {which}"),
        )
        .await;
        let (refused, after) = (refusal(&house).await, shown().await);
        mend(&house).await;

        let named = format!(
            "entry {number} of {stream}: its column `{column}` says something else than its sealed bytes"
        );
        assert_eq!(refused, named);
        assert_eq!(after, before, "{column}");
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_record_whose_end_was_cut_off_is_no_bundle(owner: PgPool) {
    let house = House::new(&owner).await;
    completed(&house).await;
    sequence(&house).await;
    let stream = job_stream(JOB);
    let last = house.events(&stream).await.len();
    let cut =
        format!("DELETE FROM spine.event WHERE stream = '{stream}' AND stream_number = {last}");
    // And, so that nobody misses it, the head that the next entry would follow.
    let head = format!(
        "UPDATE spine.stream_head AS head SET stream_number = event.stream_number, entry_hash = event.entry_hash
         FROM spine.event
         WHERE event.stream = '{stream}' AND event.stream_number = {last} - 1 AND head.stream = event.stream"
    );

    change(&house, &cut).await;
    let missing = refusal(&house).await;
    run(&house, head).await;
    let contradicted = refusal(&house).await;

    assert_eq!(missing, format!("entry {last} of {stream} is missing"));
    assert_eq!(
        contradicted,
        format!("the row of job {JOB} says something else than its record")
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_row_that_says_another_end_than_its_record_is_no_bundle(owner: PgPool) {
    let house = House::new(&owner).await;
    under_way(&house).await;
    sequence(&house).await;
    let stored = jobs::store::peek(&house.app.pool, JOB)
        .await
        .unwrap()
        .unwrap();
    let mut told = stored.job;
    let reservation = told.phase.engaged().unwrap().reservation;
    told.phase = Phase::Completed { reservation };
    sqlx::query("UPDATE jobs.job SET phase = 'completed', state = $1")
        .bind(serde_json::to_value(&told).unwrap())
        .execute(&house.owner)
        .await
        .unwrap();

    let refused = refusal(&house).await;

    assert_eq!(job(&house).await.phase, PhaseName::Completed);
    assert_eq!(
        refused,
        format!("the row of job {JOB} says something else than its record")
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_complaint_whose_row_was_changed_is_no_part_of_a_bundle(owner: PgPool) {
    let house = House::new(&owner).await;
    completed(&house).await;
    let case = CaseId(Uuid::from_u128(9_700));
    let complaint = json!({
        "case": case,
        "about": "property_damage",
        "severity": 5,
        "words": "The mug came back chipped on the rim.",
        "salt": "11".repeat(32),
    });
    let path = format!("/api/v1/jobs/{JOB}/cases");
    let filed = keyed(post(&path).by(Who::Requester)).json(&complaint);
    assert_eq!(house.ask(filed).await.status, 201);
    sequence(&house).await;
    assert_eq!(first_failure(&house).await, None);

    run(&house, "UPDATE trust.case_file SET severity = 1".to_owned()).await;

    let refused = refusal(&house).await;
    assert_eq!(
        refused,
        format!("the row of case {case} says something else than its record")
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_tree_that_lacks_a_leaf_proves_nothing_and_says_so(owner: PgPool) {
    let house = House::new(&owner).await;
    completed(&house).await;
    sequence(&house).await;

    change(&house, "DELETE FROM spine.leaf WHERE leaf_index = 1").await;

    let refused = refusal(&house).await;
    assert!(refused.starts_with("the log's tree: "), "{refused}");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_job_whose_row_a_superuser_changed_keeps_nobody_from_the_others(owner: PgPool) {
    let house = House::new(&owner).await;
    under_way(&house).await;
    let other = Uuid::from_u128(9_009);
    let mut form = order_form(&house);
    form["job"] = json!(other);
    let asked = keyed(post("/api/v1/jobs").by(Who::Requester)).json(&json!({"request": form}));
    assert_eq!(house.ask(asked).await.status, 201);
    run(
        &house,
        format!("UPDATE jobs.job SET phase = 'completed' WHERE job_id = '{JOB}'"),
    )
    .await;

    let listed = house.ask(get("/api/v1/jobs").by(Who::Admin).empty()).await;
    let path = format!("/api/v1/jobs/{JOB}");
    let read = house.ask(get(&path).by(Who::Admin).empty()).await;

    assert_eq!(listed.status, 200, "{}", listed.text());
    let items = listed.json()["items"].clone();
    assert_eq!(items.as_array().unwrap().len(), 1);
    assert_eq!(items[0]["job"], other.to_string());
    assert_eq!(read.problem(), (500, "record_damaged".to_owned()));
}
