//! People and a robot at work: how claims about jobs and cases ask, act and sign.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::SigningKey;
use ledger::log::hash_of_actor_bytes;
use protocol::{
    JobId, UnixMicros,
    event::{ActorChain, ActorEvent, Payload, SessionKeyProof},
    job::{JobEvent, job_stream},
    sealed::{self, Kind},
    views::{JobView, Role},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    answer::{Answer, Asking as _, get, post},
    house::{House, JUNIPER, Machine, WING_A, Who},
};
use crate::flows::record_robot_event::{Taken, record_robot_event};

pub(crate) const JOB: JobId = JobId(Uuid::from_u128(9_001));
pub(super) const ACCESS: Uuid = Uuid::from_u128(9_002);

/// Somebody who signs: a robot, or a browser.
pub(super) struct Pen {
    key: SigningKey,
    head: ActorChain,
}

impl Pen {
    pub(super) fn new(key: SigningKey) -> Self {
        let head = ActorChain {
            number: 0,
            previous: [0; 32],
        };
        Self { key, head }
    }

    /// The next event, sealed. Only [`Pen::moved`] makes the one after it follow this one.
    pub(super) fn seal(
        &self,
        stream: String,
        acting_as: Option<Role>,
        payload: Payload,
    ) -> Vec<u8> {
        let event = ActorEvent {
            stream,
            chain: Some(ActorChain {
                number: self.head.number + 1,
                previous: self.head.previous,
            }),
            on_behalf_of: None,
            acting_as,
            payload,
        };
        sealed::seal(Kind::Event, &event, &self.key).unwrap()
    }

    pub(super) fn moved(&mut self, bytes: &[u8]) {
        self.head = ActorChain {
            number: self.head.number + 1,
            previous: hash_of_actor_bytes(bytes),
        };
    }

    pub(super) fn public_key(&self) -> String {
        BASE64_STANDARD.encode(self.key.verifying_key().as_bytes())
    }

    pub(super) fn proof(&self, who: Who, at: UnixMicros) -> String {
        let proof = SessionKeyProof {
            person: who.id(),
            at,
        };
        BASE64_STANDARD.encode(sealed::seal(Kind::SessionKey, &proof, &self.key).unwrap())
    }
}

/// A robot that says what it does.
pub(crate) struct Worker {
    machine: Machine,
    pen: Pen,
}

impl Worker {
    pub(super) fn new(machine: Machine) -> Self {
        Self {
            machine,
            pen: Pen::new(machine.key()),
        }
    }

    /// Says it, and must be heard.
    pub(super) async fn says(&mut self, house: &House, event: JobEvent) {
        let number = self.pen.head.number + 1;
        assert_eq!(
            self.tries(house, event.clone()).await,
            Taken::Held { number },
            "{event:?}"
        );
    }

    /// Writes it down, and sends it to nobody.
    pub(super) fn writes(&mut self, event: JobEvent) -> Vec<u8> {
        let bytes = self.pen.seal(job_stream(JOB), None, Payload::Job(event));
        self.pen.moved(&bytes);
        bytes
    }

    /// The number of what it wrote down last.
    pub(super) const fn number(&self) -> u64 {
        self.pen.head.number
    }

    pub(super) async fn tries(&mut self, house: &House, event: JobEvent) -> Taken {
        self.tries_in(house, job_stream(JOB), Payload::Job(event))
            .await
    }

    pub(super) async fn tries_in(
        &mut self,
        house: &House,
        stream: String,
        payload: Payload,
    ) -> Taken {
        let bytes = self.pen.seal(stream, None, payload);
        let robot = house.robot(self.machine).await;
        let taken = record_robot_event(&house.app, &robot, bytes.clone())
            .await
            .unwrap();
        if matches!(taken, Taken::Held { .. }) {
            self.pen.moved(&bytes);
        }
        taken
    }
}

pub(super) fn hours_from_now(house: &House, hours: i64) -> i64 {
    house.app.clock.micros().plus(hours * 3_600_000_000).0
}

/// The order form of an inspection of Room 2.
pub(super) fn order_form(house: &House) -> Value {
    json!({
        "job": JOB,
        "site": WING_A,
        "template": {"name": "inspect_room", "version": 1},
        "parameters": {"room": "Room 2", "photograph": true},
        "window": {"from": hours_from_now(house, 0), "until": hours_from_now(house, 1)},
        "operator_cover": true,
    })
}

pub(super) async fn ask_for_work(house: &House) -> Answer {
    let body = json!({"request": order_form(house)});
    house
        .ask(keyed(post("/api/v1/jobs").by(Who::Requester)).json(&body))
        .await
}

pub(crate) fn keyed(builder: axum::http::request::Builder) -> axum::http::request::Builder {
    builder.header("idempotency-key", Uuid::now_v7().to_string())
}

/// What a script of `who` does to the job.
pub(super) async fn act(house: &House, who: Who, event: Value) -> Answer {
    let path = format!("/api/v1/jobs/{JOB}/events");
    let body = json!({"event": event});
    house.ask(keyed(post(&path).by(who)).json(&body)).await
}

pub(super) async fn does(house: &House, who: Who, event: Value) -> JobView {
    let answer = act(house, who, event.clone()).await;
    assert_eq!(answer.status, 200, "{event}: {}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

pub(super) async fn job(house: &House) -> JobView {
    let path = format!("/api/v1/jobs/{JOB}");
    let answer = house.ask(get(&path).by(Who::Requester).empty()).await;
    serde_json::from_slice(&answer.body).unwrap()
}

pub(super) fn grant(house: &House) -> Value {
    json!({"kind": "access.granted", "plan": {
        "access": ACCESS,
        "place": "Room 2",
        "window": {"from": hours_from_now(house, -1), "until": hours_from_now(house, 1)},
    }})
}

pub(super) fn assign(machine: Machine) -> Value {
    json!({"kind": "job.assigned", "robot": machine.id()})
}

/// Up to the first step: asked for, assigned, at the place, let in.
pub(super) async fn under_way(house: &House) -> Worker {
    assert_eq!(ask_for_work(house).await.status, 201);
    does(house, Who::Requester, grant(house)).await;
    let epoch = does(house, Who::Operator, assign(JUNIPER)).await.epoch;
    let mut juniper = Worker::new(JUNIPER);
    for event in [
        JobEvent::ReservationConfirmed { epoch },
        JobEvent::Departed { epoch },
        JobEvent::Arrived { epoch },
        JobEvent::AccessVerified {
            epoch,
            access: ACCESS.into(),
        },
        JobEvent::ExecutionStarted { epoch },
    ] {
        juniper.says(house, event).await;
    }
    juniper
}

/// Every step done; the requester is to look at it.
pub(super) async fn finished(house: &House) -> Worker {
    let mut juniper = under_way(house).await;
    finishes(house, &mut juniper).await;
    juniper
}

/// The robot at work does every step, and says that it is done.
pub(super) async fn finishes(house: &House, juniper: &mut Worker) {
    let view = job(house).await;
    let epoch = view.epoch;
    for number in 1..=u32::try_from(view.plan.steps.len()).unwrap() {
        let done = JobEvent::CheckpointDone {
            epoch,
            number,
            left_out: false,
            evidence: Vec::new(),
        };
        juniper.says(house, done).await;
    }
    juniper.says(house, JobEvent::WorkFinished { epoch }).await;
}

/// To the end: every step done, the work accepted.
pub(crate) async fn completed(house: &House) -> Worker {
    let juniper = finished(house).await;
    does(house, Who::Requester, json!({"kind": "work.accepted"})).await;
    juniper
}
