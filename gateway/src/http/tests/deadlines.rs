//! Claims about what time does to jobs and to calls for help: each deadline takes effect at its moment and once, by the
//! cloud's own word, and whoever it concerns hears of it.

use assist::CallDeadline;
use futures_util::FutureExt as _;
use jobs::DeadlineKind;
use ledger::log::Entry;
use protocol::{
    AssistId, UnixMicros,
    assist::{AssistPhase, AssistQuestion, AssistReason},
    console_socket::ToConsole,
    event::ActorEvent,
    job::{Directive, JobEvent, PhaseName, job_stream},
    robot_socket::ToRobot,
    sealed::{self, Kind},
};
use serde_json::json;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{
    answer::{Asking as _, post},
    house::{Attached, House, JUNIPER, LINDEN, Who},
    work::{JOB, Worker, ask_for_work, assign, does, finished, job, keyed, order_form, under_way},
};
use crate::{
    flows::jobs::lapse::{lapse_calls, lapse_jobs},
    live::{Drain, Frame, NewConsole, Outbox, Queued, Sight},
};

/// A call for help of the robot at work.
const CALL: AssistId = AssistId(Uuid::from_u128(9_500));

/// What becomes of a job when a deadline of it passes.
struct Lapse {
    event: &'static str,
    phase: PhaseName,
    /// What it waits for from then on.
    then: &'static [DeadlineKind],
    /// What its robot is told.
    told: Option<Directive>,
}

const fn lapse_of(kind: DeadlineKind) -> Lapse {
    let (event, phase, then, told): (_, _, &[DeadlineKind], _) = match kind {
        DeadlineKind::Acknowledge => (
            "reservation.forfeited",
            PhaseName::Dispatching,
            &[DeadlineKind::Window],
            Some(Directive::Release),
        ),
        DeadlineKind::Approval => (
            "approval.timed_out",
            PhaseName::Executing,
            &[DeadlineKind::AccessExpiry],
            Some(Directive::Proceed),
        ),
        DeadlineKind::AccessExpiry => (
            "access.expired",
            PhaseName::Stopping,
            &[DeadlineKind::StopReport],
            Some(Directive::Stop),
        ),
        // The robot was told to stop before, and still is.
        DeadlineKind::StopReport => ("incident.raised", PhaseName::Incident, &[], None),
        // The robot was let go when it was done.
        DeadlineKind::Acceptance => ("work.accepted", PhaseName::Completed, &[], None),
        DeadlineKind::Window => (
            "job.cancelled",
            PhaseName::Cancelled,
            &[],
            Some(Directive::Release),
        ),
    };
    Lapse {
        event,
        phase,
        then,
        told,
    }
}

/// Brings the job to where it waits for this.
async fn waits_for(house: &House, kind: DeadlineKind) {
    match kind {
        DeadlineKind::Acknowledge => drop(offered(house).await),
        DeadlineKind::Approval => {
            let mut juniper = under_way(house).await;
            let question = JobEvent::ApprovalRequested {
                epoch: job(house).await.epoch,
                approval: Uuid::from_u128(9_501).into(),
                words: "May I open the wardrobe?".to_owned(),
                answer_within_s: 60,
            };
            juniper.says(house, question).await;
        }
        DeadlineKind::AccessExpiry => drop(under_way(house).await),
        DeadlineKind::StopReport => {
            under_way(house).await;
            does(house, Who::Requester, json!({"kind": "job.paused"})).await;
        }
        DeadlineKind::Acceptance => drop(finished(house).await),
        DeadlineKind::Window => {
            let mut juniper = offered(house).await;
            let epoch = job(house).await.epoch;
            juniper
                .says(house, JobEvent::ReservationConfirmed { epoch })
                .await;
        }
    }
}

/// Asked for, and offered to the robot.
async fn offered(house: &House) -> Worker {
    assert_eq!(ask_for_work(house).await.status, 201);
    does(house, Who::Operator, assign(JUNIPER)).await;
    Worker::new(JUNIPER)
}

/// What the job waits for, in the order of the kinds, and until when.
async fn waiting(house: &House) -> Vec<(DeadlineKind, UnixMicros)> {
    let rows: Vec<(String, OffsetDateTime)> =
        sqlx::query_as("SELECT kind, due_at FROM jobs.deadline WHERE job_id = $1")
            .bind(JOB.0)
            .fetch_all(&house.owner)
            .await
            .unwrap();
    let read = |(kind, due_at): (String, OffsetDateTime)| {
        (DeadlineKind::parse(&kind).unwrap(), micros(due_at))
    };
    let mut waiting: Vec<_> = rows.into_iter().map(read).collect();
    waiting.sort();
    waiting
}

fn micros(at: OffsetDateTime) -> UnixMicros {
    UnixMicros(i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap())
}

/// A console of this person, who sees what happens to all jobs and calls of Linden.
fn console(house: &House, who: Who) -> Drain {
    let everywhere = || Sight {
        organisation: LINDEN,
        sites: None,
    };
    let (outbox, drain) = Outbox::new();
    let (ending, _ended) = oneshot::channel();
    house.app.live.open_console(NewConsole {
        person: who.id(),
        credential: "one".to_owned(),
        sight: everywhere(),
        watches: None,
        jobs: Some(everywhere()),
        calls: Some(everywhere()),
        cases: None,
        outbox,
        ending,
        doubt: std::sync::Arc::default(),
    });
    drain
}

/// What the console was told so far.
fn news(drain: &mut Drain) -> Vec<ToConsole> {
    let queued = std::iter::from_fn(|| drain.next().now_or_never().flatten());
    queued
        .filter_map(|queued| match queued {
            Queued::Frame(Frame::Text(text)) => Some(serde_json::from_str(&text).unwrap()),
            Queued::Frame(Frame::Binary(_)) | Queued::Reply(_) => None,
        })
        .collect()
}

fn told(attached: &mut Attached) -> Vec<Directive> {
    let frames = attached.waiting().into_iter();
    frames
        .filter_map(|frame| match frame {
            ToRobot::Assignment(assignment) => Some(assignment.directive),
            _ => None,
        })
        .collect()
}

/// The latest entry of the job, which the gateway signed for nobody but itself; and when it was recorded.
async fn own_word(house: &House) -> (ActorEvent, UnixMicros) {
    let bytes: Vec<u8> = sqlx::query_scalar(
        "SELECT entry FROM spine.event WHERE stream = $1 ORDER BY stream_number DESC LIMIT 1",
    )
    .bind(job_stream(JOB))
    .fetch_one(&house.owner)
    .await
    .unwrap();
    let gateway = house.app.signer.verifying_key();
    let entry = Entry::open(&bytes, &gateway).unwrap();
    let event: ActorEvent = sealed::open(Kind::Event, &entry.actor, &gateway).unwrap();
    assert_eq!((event.on_behalf_of, event.acting_as), (None, None));
    (event, entry.recorded_at)
}

async fn takes_effect(owner: PgPool, kind: DeadlineKind) {
    let house = House::new(&owner).await;
    waits_for(&house, kind).await;
    let (mut robot, mut console) = (house.attach(JUNIPER), console(&house, Who::Operator));
    news(&mut console);
    let before = house.events(&job_stream(JOB)).await;
    let due = waiting(&house).await;
    let (_, due_at) = due.into_iter().find(|(due, _)| *due == kind).unwrap();
    let lapse = lapse_of(kind);

    house.app.clock.stop_at(due_at.plus(-1));
    let early = lapse_jobs(&house.app).await.unwrap();
    house.app.clock.stop_at(due_at);
    let lapsed = lapse_jobs(&house.app).await.unwrap();
    let again = lapse_jobs(&house.app).await.unwrap();

    assert_eq!((early, lapsed, again), (0, 1, 0));
    let after = house.events(&job_stream(JOB)).await;
    assert_eq!(after[before.len()..], [lapse.event]);
    let (word, recorded_at) = own_word(&house).await;
    assert_eq!((word.payload.kind(), recorded_at), (lapse.event, due_at));
    let stands = job(&house).await;
    assert_eq!(stands.phase, lapse.phase);
    let waits = waiting(&house).await;
    assert!(waits.iter().all(|(_, next)| *next > due_at), "{waits:?}");
    let kinds: Vec<_> = waits.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, lapse.then);
    assert_eq!(told(&mut robot), Vec::from_iter(lapse.told));
    assert_eq!(news(&mut console), [ToConsole::Job(Box::new(stands))]);
}

/// One claim for each kind of deadline: one without a claim does not compile.
macro_rules! claims {
    ($kinds:ident, $check:ident: $($claim:ident => $kind:ident,)+) => {
        $(
            #[sqlx::test(migrator = "spine::MIGRATOR")]
            async fn $claim(owner: PgPool) {
                $check(owner, $kinds::$kind).await;
            }
        )+

        const _: fn($kinds) = |kind| match kind {
            $($kinds::$kind => {})+
        };
    };
}

claims! {
    DeadlineKind, takes_effect:
    a_job_that_its_robot_does_not_take_on_in_time_is_free_for_another => Acknowledge,
    a_question_that_nobody_answers_in_time_is_answered_with_no => Approval,
    a_robot_that_is_at_work_when_its_leave_ends_is_stopped => AccessExpiry,
    a_stop_that_is_not_confirmed_in_time_is_an_incident => StopReport,
    work_that_nobody_looks_at_in_time_is_accepted => Acceptance,
    work_that_nobody_set_out_for_in_time_is_called_off => Window,
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_question_that_timed_out_was_answered_with_no(owner: PgPool) {
    let house = House::new(&owner).await;
    waits_for(&house, DeadlineKind::Approval).await;
    let mut robot = house.attach(JUNIPER);
    house.app.clock.stop_at(waiting(&house).await[0].1);

    lapse_jobs(&house.app).await.unwrap();

    let verdicts: Vec<_> = robot
        .waiting()
        .into_iter()
        .filter_map(|frame| match frame {
            ToRobot::Assignment(assignment) => assignment.approval,
            _ => None,
        })
        .collect();
    assert!(matches!(verdicts[..], [verdict] if !verdict.is_granted));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn of_two_gateways_that_see_a_deadline_pass_one_lets_it_take_effect(owner: PgPool) {
    let house = House::new(&owner).await;
    waits_for(&house, DeadlineKind::Acknowledge).await;
    house.app.clock.stop_at(waiting(&house).await[0].1);

    let (one, other) = tokio::join!(lapse_jobs(&house.app), lapse_jobs(&house.app));

    assert_eq!(one.unwrap() + other.unwrap(), 1);
    assert_eq!(house.recorded("reservation.forfeited").await, 1);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_row_that_says_that_a_deadline_passed_moves_no_job_that_says_otherwise_and_holds_up_no_other(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    waits_for(&house, DeadlineKind::Acknowledge).await;
    let mut other = order_form(&house);
    other["job"] = json!(Uuid::from_u128(9_502));
    let asked = keyed(post("/api/v1/jobs").by(Who::Requester));
    let asked = house.ask(asked.json(&json!({"request": other}))).await;
    assert_eq!(asked.status, 201, "{}", asked.text());
    let acknowledge_by = waiting(&house).await[0].1;
    sqlx::query("UPDATE jobs.deadline SET due_at = 'epoch' WHERE job_id <> $1")
        .bind(JOB.0)
        .execute(&house.owner)
        .await
        .unwrap();

    let none_yet = lapse_jobs(&house.app).await.unwrap();
    house.app.clock.stop_at(acknowledge_by);
    let lapsed = lapse_jobs(&house.app).await.unwrap();

    assert_eq!((none_yet, lapsed), (0, 1));
    assert_eq!(job(&house).await.robot, None);
    assert_eq!(house.recorded("job.cancelled").await, 0);
}

/// What becomes of a call when a deadline of it passes.
const fn call_lapse_of(kind: CallDeadline) -> (&'static str, AssistPhase) {
    match kind {
        CallDeadline::Escalate => ("assist.escalated", AssistPhase::Escalated),
        CallDeadline::Expire => ("assist.expired", AssistPhase::Expired),
        CallDeadline::OfferAgain => ("assist.offered", AssistPhase::Offered),
    }
}

/// Brings the robot's call to where it waits for this.
async fn call_waits_for(house: &House, kind: CallDeadline) {
    let mut juniper = under_way(house).await;
    let call = JobEvent::AssistRequested {
        assist: CALL,
        epoch: Some(job(house).await.epoch),
        question: AssistQuestion {
            reason: AssistReason::Unsure,
            words: "Which of the two is the mug?".to_owned(),
            options: vec!["Left".to_owned(), "Right".to_owned()],
            camera: "head".to_owned(),
        },
    };
    juniper.says(house, call).await;
    match kind {
        CallDeadline::Escalate => {}
        CallDeadline::Expire => {
            let escalate_at = call_due(house).await.unwrap();
            house.app.clock.stop_at(escalate_at);
            assert_eq!(lapse_calls(&house.app).await.unwrap(), 1);
        }
        CallDeadline::OfferAgain => {
            let claimed = json!({"kind": "assist.claimed", "assist": CALL});
            does(house, Who::Operator, claimed).await;
        }
    }
}

/// When something is to be done about the call.
async fn call_due(house: &House) -> Option<UnixMicros> {
    let due: Option<OffsetDateTime> =
        sqlx::query_scalar("SELECT due_at FROM assist.call WHERE assist_id = $1")
            .bind(CALL.0)
            .fetch_one(&house.owner)
            .await
            .unwrap();
    due.map(micros)
}

async fn call_takes_effect(owner: PgPool, kind: CallDeadline) {
    let house = House::new(&owner).await;
    call_waits_for(&house, kind).await;
    let mut console = console(&house, Who::Operator);
    news(&mut console);
    let before = house.events(&job_stream(JOB)).await;
    let due_at = call_due(&house).await.unwrap();
    let (event, phase) = call_lapse_of(kind);

    house.app.clock.stop_at(due_at.plus(-1));
    let early = lapse_calls(&house.app).await.unwrap();
    house.app.clock.stop_at(due_at);
    let lapsed = lapse_calls(&house.app).await.unwrap();
    let again = lapse_calls(&house.app).await.unwrap();

    assert_eq!((early, lapsed, again), (0, 1, 0));
    let after = house.events(&job_stream(JOB)).await;
    assert_eq!(after[before.len()..], [event]);
    let (word, recorded_at) = own_word(&house).await;
    assert_eq!((word.payload.kind(), recorded_at), (event, due_at));
    let next = call_due(&house).await;
    assert_eq!(next.is_some(), !phase.is_over());
    assert!(next.is_none_or(|next| next > due_at));
    let stands = job(&house).await;
    assert_eq!(stands.phase, PhaseName::Executing);
    assert_eq!(stands.assist, (!phase.is_over()).then_some(CALL));
    let rings: Vec<_> = news(&mut console)
        .into_iter()
        .filter_map(|news| match news {
            ToConsole::Assist(call) => Some((call.assist, call.phase, call.operator)),
            _ => None,
        })
        .collect();
    assert_eq!(rings, [(CALL, phase, None)]);
}

claims! {
    CallDeadline, call_takes_effect:
    a_call_that_nobody_takes_in_time_rings_wider => Escalate,
    a_call_that_nobody_takes_at_all_is_over_and_its_robot_goes_on => Expire,
    a_call_that_somebody_took_and_forgot_rings_again => OfferAgain,
}
