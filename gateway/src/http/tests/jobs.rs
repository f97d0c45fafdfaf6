//! Claims about jobs over the API: who may see and do what, whose word is recorded, and that everything happens once.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::SigningKey;
use protocol::{
    event::Payload,
    job::{Directive, JobEvent, PhaseName, job_stream},
    robot_socket::ToRobot,
    views::{JobView, Page, Role},
};
use serde_json::json;
use sqlx::PgPool;

use super::{
    answer::{Asking as _, get, post},
    commands::use_up,
    house::{House, JUNIPER, ROWAN, Who},
    work::{
        JOB, Pen, Worker, act, ask_for_work, assign, completed, does, grant, job, keyed,
        order_form, under_way,
    },
};
use crate::{
    flows::record_robot_event::{Taken, record_together},
    live::rate_limit::acts,
};

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_job_goes_from_the_request_to_its_end_and_every_step_is_recorded(owner: PgPool) {
    let house = House::new(&owner).await;

    completed(&house).await;

    let done = job(&house).await;
    assert_eq!(done.phase, PhaseName::Completed);
    assert_eq!(done.robot, Some(JUNIPER.id()));
    assert_eq!(
        usize::try_from(done.checkpoint).unwrap(),
        done.plan.steps.len()
    );
    let kinds = house.events(&job_stream(JOB)).await;
    assert_eq!(
        kinds[..5],
        [
            "job.requested",
            "access.granted",
            "job.assigned",
            "reservation.proposed",
            "reservation.confirmed"
        ]
    );
    assert_eq!(kinds.last().unwrap(), "work.accepted");
    assert_eq!(u64::try_from(kinds.len()).unwrap(), done.version);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_robot_is_told_the_whole_job_whenever_it_changes(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut attached = house.attach(JUNIPER);
    attached.waiting();

    under_way(&house).await;
    does(&house, Who::Requester, json!({"kind": "job.paused"})).await;

    let told: Vec<Directive> = attached
        .waiting()
        .into_iter()
        .filter_map(|frame| match frame {
            ToRobot::Assignment(assignment) => Some(assignment.directive),
            _ => None,
        })
        .collect();
    assert_eq!(told.first(), Some(&Directive::Acknowledge));
    assert!(told.contains(&Directive::Proceed));
    assert_eq!(told.last(), Some(&Directive::Stop));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn of_two_commands_at_once_one_wins_and_the_other_hears_a_frozen_code(owner: PgPool) {
    let house = House::new(&owner).await;
    ask_for_work(&house).await;

    let (one, other) = tokio::join!(
        act(&house, Who::Operator, assign(JUNIPER)),
        act(&house, Who::Admin, assign(ROWAN)),
    );

    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let lost = if one.status == 409 { one } else { other };
    let (_, code) = lost.problem();
    assert!(["stale", "wrong_phase"].contains(&code.as_str()), "{code}");
    assert_eq!(house.recorded("job.assigned").await, 1);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn who_did_not_ask_for_a_job_and_runs_none_does_not_find_it(owner: PgPool) {
    let house = House::new(&owner).await;
    ask_for_work(&house).await;
    let path = format!("/api/v1/jobs/{JOB}");

    for (who, status) in [
        (Who::Requester, 200),
        (Who::Operator, 200),
        (Who::Owner, 200),
        (Who::WingA, 200),
        (Who::Roleless, 404),
        (Who::Stranger, 404),
    ] {
        let read = house.ask(get(&path).by(who).empty()).await;
        assert_eq!(read.status, status, "{who:?}");
        let acted = act(
            &house,
            who,
            json!({"kind": "job.assigned", "robot": JUNIPER.id()}),
        )
        .await;
        assert_eq!(acted.status == 404, status == 404, "{who:?}");
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn each_role_does_what_is_its_own_and_nothing_else(owner: PgPool) {
    let house = House::new(&owner).await;
    ask_for_work(&house).await;

    for (who, event, code) in [
        (Who::Requester, assign(JUNIPER), "role_not_allowed"),
        (Who::Owner, assign(JUNIPER), "role_not_allowed"),
        (Who::Operator, grant(&house), "role_not_allowed"),
        (
            Who::Operator,
            json!({"kind": "reservation.confirmed", "epoch": 1}),
            "role_not_allowed",
        ),
    ] {
        let answer = act(&house, who, event.clone()).await;
        assert_eq!(answer.problem(), (409, code.to_owned()), "{who:?} {event}");
    }
    assert_eq!(house.events(&job_stream(JOB)).await, ["job.requested"]);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_a_person_signs_is_recorded_as_their_own_word(owner: PgPool) {
    let house = House::new(&owner).await;
    let cookie = house.cookie(Who::Requester).await;
    let mut pen = Pen::new(SigningKey::from_bytes(&[77; 32]));
    bind(&house, &cookie, &pen, Who::Requester).await;
    let request = serde_json::from_value(order_form(&house)).unwrap();
    let requested = JobEvent::Requested {
        plan: jobs::template::plan(&request).unwrap(),
        request,
        requester: Who::Requester.id(),
    };
    let bytes = pen.seal(
        job_stream(JOB),
        Some(Role::Requester),
        Payload::Job(requested),
    );

    let body = json!({"sealed": BASE64_STANDARD.encode(&bytes)});
    let asked = house
        .ask(keyed(post("/api/v1/jobs").on_page(&cookie)).json(&body))
        .await;
    pen.moved(&bytes);
    let paused = pen.seal(
        job_stream(JOB),
        Some(Role::Requester),
        Payload::Job(JobEvent::Cancelled {}),
    );
    let path = format!("/api/v1/jobs/{JOB}/events");
    let body = json!({"sealed": BASE64_STANDARD.encode(&paused)});
    let acted = house
        .ask(keyed(post(&path).on_page(&cookie)).json(&body))
        .await;

    assert_eq!(asked.status, 201, "{}", asked.text());
    assert_eq!(acted.status, 200, "{}", acted.text());
    let page = house.ask(get(&path).by(Who::Requester).empty()).await;
    let events: Page<protocol::views::EventView> = serde_json::from_slice(&page.body).unwrap();
    let key = protocol::sealed::KeyId::of(&SigningKey::from_bytes(&[77; 32]).verifying_key());
    for event in &events.items {
        assert_eq!(event.actor_key, key.to_string(), "{}", event.kind);
    }
}

pub(super) async fn bind(house: &House, cookie: &str, pen: &Pen, who: Who) {
    let body = json!({
        "proof": pen.proof(who, house.app.clock.micros()),
        "public_key": pen.public_key(),
    });
    let bound = house
        .ask(post("/api/v1/session/key").on_page(cookie).json(&body))
        .await;
    assert_eq!(bound.status, 201, "{}", bound.text());
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn nobody_acts_under_the_key_of_another_sign_in(owner: PgPool) {
    let house = House::new(&owner).await;
    ask_for_work(&house).await;
    let cookie = house.cookie(Who::Operator).await;
    let elsewhere = house.cookie(Who::Operator).await;
    let admins = house.cookie(Who::Admin).await;
    let pen = Pen::new(SigningKey::from_bytes(&[78; 32]));
    bind(&house, &cookie, &pen, Who::Operator).await;
    let unbound = Pen::new(SigningKey::from_bytes(&[79; 32]));
    let event = || {
        Payload::Job(JobEvent::Assigned {
            robot: JUNIPER.id(),
        })
    };
    let sealed =
        |pen: &Pen, stream: String, role| BASE64_STANDARD.encode(pen.seal(stream, role, event()));
    let here = job_stream(JOB);
    let good = sealed(&pen, here.clone(), Some(Role::Operator));
    let path = format!("/api/v1/jobs/{JOB}/events");
    let send = async |cookie: &str, sealed: String| {
        let body = json!({"sealed": sealed});
        house
            .ask(keyed(post(&path).on_page(cookie)).json(&body))
            .await
    };

    for (case, cookie, sealed, expected) in [
        (
            "another sign-in of the same person",
            &elsewhere,
            good.clone(),
            400,
        ),
        ("somebody else", &admins, good.clone(), 400),
        (
            "a key that nobody bound",
            &cookie,
            sealed(&unbound, here.clone(), Some(Role::Operator)),
            400,
        ),
        (
            "an event for another job",
            &cookie,
            sealed(&pen, "job/other".to_owned(), Some(Role::Operator)),
            400,
        ),
        ("in no role", &cookie, sealed(&pen, here.clone(), None), 400),
        (
            "in a role that they don't hold",
            &cookie,
            sealed(&pen, here, Some(Role::Admin)),
            403,
        ),
        ("as it should be", &cookie, good, 200),
    ] {
        let answer = send(cookie, sealed).await;
        assert_eq!(answer.status, expected, "{case}: {}", answer.text());
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_key_ends_with_its_sign_in(owner: PgPool) {
    let house = House::new(&owner).await;
    let cookie = house.cookie(Who::Operator).await;
    let pen = Pen::new(SigningKey::from_bytes(&[80; 32]));
    bind(&house, &cookie, &pen, Who::Operator).await;

    house
        .ask(
            super::answer::delete("/api/v1/session")
                .on_page(&cookie)
                .empty(),
        )
        .await;

    assert_eq!(house.recorded("session.key_bound").await, 1);
    assert_eq!(house.recorded("session.key_ended").await, 1);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_robot_of_an_older_epoch_is_recorded_and_moves_nothing(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut juniper = under_way(&house).await;
    let before = job(&house).await;
    does(
        &house,
        Who::Operator,
        json!({"kind": "robot.lost", "epoch": before.epoch}),
    )
    .await;
    does(&house, Who::Operator, assign(ROWAN)).await;
    let standing = job(&house).await;

    let late = JobEvent::CheckpointDone {
        epoch: before.epoch,
        number: 1,
        left_out: false,
        evidence: Vec::new(),
    };
    juniper.says(&house, late).await;

    let after = job(&house).await;
    assert_eq!((after.phase, after.checkpoint), (standing.phase, 0));
    assert_eq!(after.version, standing.version);
    let kinds = house.events(&job_stream(JOB)).await;
    assert_eq!(kinds.last().unwrap(), "checkpoint.done");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_robot_says_nothing_that_is_a_persons_to_say(owner: PgPool) {
    let house = House::new(&owner).await;
    under_way(&house).await;
    let mut juniper = Worker::new(ROWAN);

    let taken = juniper.tries(&house, JobEvent::WorkAccepted {}).await;

    assert_eq!(
        taken,
        Taken::Refused {
            code: "role_not_allowed"
        }
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_board_shows_everybodys_jobs_to_who_runs_them_and_to_others_their_own(owner: PgPool) {
    let house = House::new(&owner).await;
    ask_for_work(&house).await;
    let listed = async |who: Who, query: &str| {
        let path = format!("/api/v1/jobs{query}");
        let answer = house.ask(get(&path).by(who).empty()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let page: Page<JobView> = serde_json::from_slice(&answer.body).unwrap();
        page.items.len()
    };

    assert_eq!(listed(Who::Operator, "").await, 1);
    assert_eq!(listed(Who::Requester, "").await, 1);
    assert_eq!(listed(Who::Requester, "?mine=true").await, 1);
    assert_eq!(listed(Who::Operator, "?phase=requested,executing").await, 1);
    assert_eq!(listed(Who::Operator, "?phase=completed").await, 0);
    let unknown = house
        .ask(get("/api/v1/jobs?phase=dancing").by(Who::Operator).empty())
        .await;
    assert_eq!(unknown.problem(), (400, "phase_unknown".to_owned()));
    let nobody = house
        .ask(get("/api/v1/jobs").by(Who::Roleless).empty())
        .await;
    assert_eq!(nobody.problem(), (403, "role_missing".to_owned()));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn who_acts_more_often_than_the_settings_allow_waits_but_may_still_call_off(owner: PgPool) {
    let house = House::new(&owner).await;
    ask_for_work(&house).await;
    let limit = acts(house.app.config.acts_per_minute);
    let requester = Who::Requester.id().to_string();

    // The minute may turn while the limit is used up; it does not turn twice.
    let mut granted = Vec::new();
    for _ in 0..2 {
        use_up(&house, limit, &requester).await;
        granted.push(act(&house, Who::Requester, grant(&house)).await);
    }
    does(&house, Who::Operator, assign(JUNIPER)).await;
    let called_off = act(&house, Who::Requester, json!({"kind": "job.cancelled"})).await;

    let refused = granted.iter().find(|answer| answer.status == 429);
    let (_, code) = refused.expect("the limit never held").problem();
    assert_eq!(code, "too_many_requests");
    assert_eq!(called_off.status, 200, "{}", called_off.text());
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_a_robot_says_at_once_is_recorded_whole_in_its_order_or_not_at_all(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut juniper = under_way(&house).await;
    let epoch = job(&house).await.epoch;
    let step = |number| JobEvent::CheckpointDone {
        epoch,
        number,
        left_out: false,
        evidence: Vec::new(),
    };
    let steps: Vec<_> = (1..=3).map(|number| juniper.writes(step(number))).collect();
    let robot = house.robot(JUNIPER).await;
    let with_a_gap = [steps[0].clone(), steps[2].clone()];

    let refused = record_together(&house.app, &robot, &with_a_gap).await;
    let none = house.recorded("checkpoint.done").await;
    let taken = record_together(&house.app, &robot, &steps).await;
    let again = record_together(&house.app, &robot, &steps[1..]).await;

    assert_eq!((refused.unwrap(), none), (None, 0));
    let last = juniper.number();
    assert_eq!((taken.unwrap(), again.unwrap()), (Some(last), Some(last)));
    assert_eq!(house.recorded("checkpoint.done").await, 3);
    assert_eq!(job(&house).await.checkpoint, 3);
}
