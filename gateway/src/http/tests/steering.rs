//! A script that steers a robot of the house: with a key of its person's on a roster that the house's root signed, and a grant
//! that the robot is said to believe.

use std::cell::Cell;

use axum::{body::Body, http::Request};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::SigningKey;
use identity::{DraftMark, store};
use protocol::{
    CommandId, GrantId, UnixMicros,
    command::{SignedCommand, Verb},
    event::SessionKeyProof,
    grant::RobotTrust,
    limits::COMMAND_VALID_MS,
    roster::name_of,
    sealed::{self, Kind},
    views::{GrantAsk, GrantView},
};
use serde::Serialize;
use serde_json::json;

use super::{
    answer::{Answer, Asking as _, post},
    house::{Attached, House, LINDEN, Machine, TICK_MS, Who},
};

pub(crate) fn root() -> SigningKey {
    SigningKey::from_bytes(&[0x52; 32])
}

/// A person's own key.
pub(crate) fn own_key(who: Who) -> SigningKey {
    SigningKey::from_bytes(&[who.id().0.as_bytes()[15] ^ 0xa0; 32])
}

/// A script's session key.
pub(crate) fn session_key(who: Who) -> SigningKey {
    SigningKey::from_bytes(&[who.id().0.as_bytes()[15] ^ 0x50; 32])
}

pub(crate) fn sealed_as(kind: Kind, payload: &impl Serialize, key: &SigningKey) -> String {
    BASE64_STANDARD.encode(sealed::seal(kind, payload, key).unwrap())
}

/// Puts these people on the next roster, each with their own key. The root is named at the first call.
pub(crate) async fn rostered(house: &House, people: &[Who]) {
    let now = house.now();
    let mut tx = house.begin();
    store::name_root(
        &mut tx,
        LINDEN,
        root().verifying_key().to_bytes(),
        None,
        now,
    )
    .await
    .unwrap();
    for who in people {
        let person = store::load_person(tx.connection().await.unwrap(), who.id())
            .await
            .unwrap()
            .unwrap();
        let public_key = own_key(*who).verifying_key().to_bytes();
        store::offer_person_key(&mut tx, &person, public_key, now)
            .await
            .unwrap();
    }
    let policy_keys = vec![house.app.policy.verifying_key().to_bytes()];
    let lasts = time::Duration::days(1);
    let roster = store::draft_roster(&mut tx, LINDEN, policy_keys, DraftMark::Checked, now, lasts)
        .await
        .unwrap();
    let sealed = sealed::seal(Kind::Roster, &roster, &root()).unwrap();
    store::publish_roster(&mut tx, LINDEN, &sealed, None, now)
        .await
        .unwrap();
    house.commit(tx).await;
}

/// The robot says that it holds the latest roster.
pub(crate) async fn robot_holds_it(house: &House, robot: &Attached) {
    let latest = store::latest_roster(&house.app.pool, LINDEN).await.unwrap();
    let trust = RobotTrust {
        nonce: [0x4e; 32],
        root: Some(name_of(&root().verifying_key().to_bytes())),
        roster: latest.unwrap().roster.number,
        revocations: 99,
        session: None,
        refused: None,
    };
    house.app.live.trust(robot.attachment, trust);
}

/// Asks for a grant, as a script of this person.
pub(crate) async fn asks(house: &House, who: Who, robot: Machine, epoch: u64) -> Answer {
    let key = session_key(who);
    let now = house.now().unix_timestamp_nanos() / 1_000;
    let proof = SessionKeyProof {
        person: who.id(),
        at: UnixMicros(i64::try_from(now).unwrap()),
    };
    let ask = GrantAsk {
        epoch,
        public_key: BASE64_STANDARD.encode(key.verifying_key().as_bytes()),
        proof: sealed_as(Kind::SessionKey, &proof, &key),
        bound_by: Some(name_of(&own_key(who).verifying_key().to_bytes()).to_string()),
        no_more_than: None,
    };
    let path = format!("/api/v1/robots/{}/grants", robot.id());
    house.ask(post(&path).by(who).json(&json!(ask))).await
}

/// A script with a grant.
pub(crate) struct Hand {
    pub(crate) grant: GrantId,
    pub(crate) sealed: String,
    who: Who,
    robot: Machine,
    epoch: u64,
    sequence: Cell<u64>,
}

impl Hand {
    /// Who steers the robot under this epoch gets a grant for it.
    pub(crate) async fn granted(
        house: &House,
        who: Who,
        (machine, robot): (Machine, &Attached),
        epoch: u64,
    ) -> Self {
        rostered(house, &[who]).await;
        robot_holds_it(house, robot).await;
        let answer = asks(house, who, machine, epoch).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let view: GrantView = serde_json::from_slice(&answer.body).unwrap();
        Self {
            grant: view.grant,
            sealed: view.sealed,
            who,
            robot: machine,
            epoch,
            sequence: Cell::new(0),
        }
    }

    /// The next command, before it is sealed.
    pub(crate) fn command(&self, command: CommandId, verb: Verb) -> SignedCommand {
        self.sequence.set(self.sequence.get() + 1);
        SignedCommand {
            command,
            robot: self.robot.id(),
            grant: self.grant,
            binding: [0xb1; 32],
            epoch: self.epoch,
            sequence: self.sequence.get(),
            seen_tick_ms: TICK_MS,
            valid_ms: COMMAND_VALID_MS,
            frame: None,
            verb,
            words: String::new(),
        }
    }

    /// The request with which a command is given, as it is signed.
    pub(crate) fn tells(&self, command: &SignedCommand) -> Request<Body> {
        self.tells_signed_by(command, &session_key(self.who))
    }

    /// The same, signed by whatever key.
    pub(crate) fn tells_signed_by(
        &self,
        command: &SignedCommand,
        key: &SigningKey,
    ) -> Request<Body> {
        let mut body = serde_json::to_value(command.verb).unwrap();
        body["epoch"] = self.epoch.into();
        body["signed"] = sealed_as(Kind::Command, command, key).into();
        post(&format!("/api/v1/robots/{}/commands", self.robot.id()))
            .by(self.who)
            .header("idempotency-key", command.command.to_string())
            .json(&body)
    }

    /// Tells the robot to go there.
    pub(crate) fn to(&self, command: CommandId, x_m: f64, y_m: f64) -> Request<Body> {
        let verb = Verb::NavigateTo {
            x_m,
            y_m,
            heading_rad: None,
        };
        self.tells(&self.command(command, verb))
    }
}
