//! Claims about who gets leave to steer, what is sent on of what they sign, and how robots hear whom to believe.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::SigningKey;
use protocol::{
    CommandId, GrantId, RobotId,
    command::{SignedCommand, Verb},
    event::{Payload, robot_stream},
    grant::{Grant, GrantEvent, GrantRefusal, PersonKeyProof, Presentation, RobotTrust},
    robot_socket::ToRobot,
    roster::{KeyTier, Revocations, Roster, name_of},
    sealed::{self, Kind},
    views::{OfferPersonKey, Role, RoleGrant},
};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    answer::{Answer, Asking as _, asking, get, post},
    house::{Attached, House, JUNIPER, LINDEN, ROWAN, Who},
    steering::{Hand, asks, own_key, robot_holds_it, root, rostered, sealed_as, session_key},
    work::{Worker, keyed},
};
use crate::flows::{
    grants::{revoke::revoke_now, tell::tell_organisation},
    record_robot_event::Taken,
};

const COMMAND: CommandId = CommandId(Uuid::from_u128(700));

pub(super) async fn claims(house: &House, who: Who) {
    let path = format!("/api/v1/robots/{}/control/events", JUNIPER.id());
    let claimed = json!({"event": {"kind": "control.claimed"}});
    let taken = house.ask(keyed(post(&path).by(who)).json(&claimed)).await;
    assert_eq!(taken.status, 200, "{}", taken.text());
}

fn conflict(code: &str) -> (u16, String) {
    (409, code.to_owned())
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_grant_is_given_step_by_step_and_each_decision_is_on_record(owner: PgPool) {
    let house = House::new(&owner).await;
    let juniper = house.attach(JUNIPER);
    let asked = async || asks(&house, Who::Operator, JUNIPER, 1).await;

    assert_eq!(asked().await.problem(), conflict("not_in_control"));
    claims(&house, Who::Operator).await;
    assert_eq!(asked().await.problem(), conflict("no_root"));
    rostered(&house, &[Who::Supervisor]).await;
    assert_eq!(asked().await.problem(), conflict("not_rostered"));
    rostered(&house, &[Who::Operator]).await;
    assert_eq!(asked().await.problem(), conflict("robot_offline"));
    robot_holds_it(&house, &juniper).await;
    let granted = asked().await;

    assert_eq!(granted.status, 201, "{}", granted.text());
    let view = granted.json();
    assert_eq!(view["nonce"], "4e".repeat(32));
    let sealed = BASE64_STANDARD.decode(view["sealed"].as_str().unwrap());
    let policy = house.app.policy.verifying_key();
    let grant: Grant = sealed::open(Kind::Grant, &sealed.unwrap(), &policy).unwrap();
    assert_eq!(grant.person, Who::Operator.id());
    assert_eq!(
        grant.session_key,
        session_key(Who::Operator).verifying_key().to_bytes()
    );
    let events = house.events(&robot_stream(JUNIPER.id())).await;
    let decided: Vec<_> = (events.iter())
        .filter(|kind| kind.starts_with("grant."))
        .collect();
    assert_eq!(
        decided,
        [
            "grant.denied",
            "grant.denied",
            "grant.denied",
            "grant.denied",
            "grant.issued"
        ]
    );
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn nobody_else_gets_one(owner: PgPool) {
    let house = House::new(&owner).await;
    let juniper = house.attach(JUNIPER);
    rostered(&house, &[Who::Operator, Who::WingA, Who::Supervisor]).await;
    robot_holds_it(&house, &juniper).await;
    claims(&house, Who::Operator).await;

    for (who, expected) in [
        (Who::WingA, conflict("control_held")),
        (Who::Supervisor, conflict("control_held")),
        (Who::Requester, (403, "role_missing".to_owned())),
        (Who::Admin, (403, "role_missing".to_owned())),
        (Who::Stranger, (404, "not_found".to_owned())),
    ] {
        let answer = asks(&house, who, JUNIPER, 1).await;
        assert_eq!(answer.problem(), expected, "{who:?}");
    }
    let older = asks(&house, Who::Operator, JUNIPER, 0).await;
    assert_eq!(older.problem(), conflict("stale_epoch"));
    assert_eq!(house.recorded("grant.issued").await, 0);
}

async fn given(house: &House, juniper: &Attached) -> Hand {
    claims(house, Who::Operator).await;
    Hand::granted(house, Who::Operator, (JUNIPER, juniper), 1).await
}

fn ahead() -> Verb {
    Verb::NavigateTo {
        x_m: 1.0,
        y_m: 1.0,
        heading_rad: None,
    }
}

/// What the robot is told to do.
fn orders(robot: &mut Attached) -> usize {
    let frames = robot.waiting().into_iter();
    frames
        .filter(|frame| matches!(frame, ToRobot::Order(_)))
        .count()
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn only_what_the_granted_page_signed_is_sent_on_and_on_record_as_it_was_signed(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let mut juniper = house.attach(JUNIPER);
    let hand = given(&house, &juniper).await;
    let good = hand.command(COMMAND, ahead());
    let foreign = SigningKey::from_bytes(&[0xee; 32]);
    let changed = |change: fn(&mut SignedCommand)| {
        let mut command = good.clone();
        change(&mut command);
        command
    };
    let elsewhere = changed(|command| command.robot = RobotId(Uuid::from_u128(99)));
    let another_id = changed(|command| command.command = CommandId(Uuid::from_u128(701)));
    let another_grant = changed(|command| command.grant = GrantId(Uuid::from_u128(9)));
    juniper.waiting();

    let mut unsigned = serde_json::to_value(ahead()).unwrap();
    unsigned["epoch"] = 1.into();
    let path = format!("/api/v1/robots/{}/commands", JUNIPER.id());
    let unsigned = keyed(post(&path).by(Who::Operator)).json(&unsigned);
    for (case, request, code) in [
        ("not signed at all", unsigned, "not_signed"),
        (
            "by another key",
            hand.tells_signed_by(&good, &foreign),
            "not_signed",
        ),
        (
            "by their own key",
            hand.tells_signed_by(&good, &own_key(Who::Operator)),
            "not_signed",
        ),
        (
            "for another robot",
            hand.tells(&elsewhere),
            "signed_otherwise",
        ),
        (
            "under another grant",
            hand.tells(&another_grant),
            "grant_unknown",
        ),
    ] {
        let answer = house.ask(request).await;
        assert_eq!(answer.problem(), conflict(code), "{case}");
    }
    // The id in the path's key is the sender's; the one that was signed is another.
    let mut body = serde_json::to_value(ahead()).unwrap();
    body["epoch"] = 1.into();
    body["signed"] = sealed_as(Kind::Command, &another_id, &session_key(Who::Operator)).into();
    let answer = house
        .ask(keyed(post(&path).by(Who::Operator)).json(&body))
        .await;
    assert_eq!(answer.problem(), conflict("signed_otherwise"));
    assert_eq!(
        (orders(&mut juniper), house.recorded("command.issued").await),
        (0, 0)
    );

    let taken = house.ask(hand.tells(&good)).await;

    assert_eq!(taken.status, 202, "{}", taken.text());
    assert_eq!(orders(&mut juniper), 1);
    let signed: Vec<serde_json::Value> = sqlx::query_scalar(
        "SELECT payload -> 'signed' FROM spine.event WHERE kind = 'command.issued'",
    )
    .fetch_all(&house.owner)
    .await
    .unwrap();
    let bytes = hex::decode(signed[0].as_str().unwrap()).unwrap();
    let key = session_key(Who::Operator).verifying_key();
    let said: SignedCommand = sealed::open(Kind::Command, &bytes, &key).unwrap();
    assert_eq!(said, good);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_grant_is_shown_to_its_robot_by_its_holder_and_nobody_else(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut juniper = house.attach(JUNIPER);
    let _rowan = house.attach(ROWAN);
    let hand = given(&house, &juniper).await;
    juniper.waiting();
    let shown = Presentation {
        passkey: None,
        grant: hand.sealed.clone(),
        assertion: Some(sealed_as(
            Kind::Assertion,
            &json!({"challenge": 1}),
            &own_key(Who::Operator),
        )),
    };
    let path = |robot: RobotId, grant: GrantId| {
        format!("/api/v1/robots/{robot}/grants/{grant}/presentation")
    };
    let forged = Presentation {
        passkey: None,
        grant: sealed_as(Kind::Grant, &json!({"cti": 1}), &own_key(Who::Operator)),
        assertion: None,
    };
    let by_another = Presentation {
        assertion: Some(sealed_as(
            Kind::Assertion,
            &json!({"challenge": 1}),
            &own_key(Who::WingA),
        )),
        ..shown.clone()
    };
    let show = async |who: Who, robot: RobotId, grant: GrantId, body: &Presentation| {
        house
            .ask(post(&path(robot, grant)).by(who).json(&json!(body)))
            .await
    };

    for (case, answer, expected) in [
        (
            "another person",
            show(Who::WingA, JUNIPER.id(), hand.grant, &shown).await,
            conflict("grant_unknown"),
        ),
        (
            "another robot",
            show(Who::Operator, ROWAN.id(), hand.grant, &shown).await,
            conflict("grant_unknown"),
        ),
        (
            "one that nobody issued",
            show(Who::Operator, JUNIPER.id(), GrantId(Uuid::nil()), &shown).await,
            conflict("grant_unknown"),
        ),
        (
            "bound by another's key",
            show(Who::Operator, JUNIPER.id(), hand.grant, &by_another).await,
            conflict("key_not_rostered"),
        ),
        (
            "bytes of their own",
            show(Who::Operator, JUNIPER.id(), hand.grant, &forged).await,
            (400, "grant_malformed".to_owned()),
        ),
    ] {
        assert_eq!(answer.problem(), expected, "{case}");
    }
    assert_eq!(juniper.waiting(), []);

    let handed: Answer = show(Who::Operator, JUNIPER.id(), hand.grant, &shown).await;

    assert_eq!(handed.status, 202);
    assert_eq!(juniper.waiting(), [ToRobot::Grant(shown)]);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_the_robot_makes_of_a_grant_is_its_own_signed_word(owner: PgPool) {
    let house = House::new(&owner).await;
    let _juniper = house.attach(JUNIPER);
    let mut pen = Worker::new(JUNIPER);
    let refused = Payload::Grant(GrantEvent::Refused {
        grant: None,
        reason: GrantRefusal::NotBound,
    });
    let issued = Payload::Grant(GrantEvent::RootNamed {
        public_key: [1; 32],
    });

    let taken = pen
        .tries_in(&house, robot_stream(JUNIPER.id()), refused)
        .await;
    let not_its_own = pen
        .tries_in(&house, robot_stream(JUNIPER.id()), issued)
        .await;

    assert!(matches!(taken, Taken::Held { .. }), "{taken:?}");
    let code = "not_a_robots_word";
    assert_eq!(not_its_own, Taken::Refused { code });
    assert_eq!(house.recorded("grant.refused").await, 1);
}

/// The roster and the list that the robot was last told, opened as it would.
fn told(robot: &mut Attached) -> (Option<Roster>, Option<Revocations>) {
    let (mut roster, mut list) = (None, None);
    let policy = SigningKey::from_bytes(&[0x50; 32]).verifying_key();
    for frame in robot.waiting() {
        let open = |sealed: String| BASE64_STANDARD.decode(sealed).unwrap();
        match frame {
            ToRobot::Roster { sealed } => {
                let key = root().verifying_key();
                roster = Some(sealed::open(Kind::Roster, &open(sealed), &key).unwrap());
            }
            ToRobot::Revocations { sealed } => {
                list = Some(sealed::open(Kind::Revocations, &open(sealed), &policy).unwrap());
            }
            _ => {}
        }
    }
    (roster, list)
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn robots_hear_the_roster_and_what_is_revoked_and_only_what_is_news_is_a_new_list(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let mut juniper = house.attach(JUNIPER);
    let hand = given(&house, &juniper).await;
    juniper.waiting();
    house.app.live.trust(juniper.attachment, holding(0, 0));
    revoke_now(&house.app, LINDEN).await.unwrap();

    let (roster, list) = told(&mut juniper);
    assert_eq!(roster.unwrap().people[0].person, Who::Operator.id());
    let list: Revocations = list.unwrap();
    assert_eq!((list.number, list.people, list.keys), (1, vec![], vec![]));

    // It is sent again as long as the robot does not say that it holds it, and then no more.
    tell_organisation(&house.app, LINDEN).await;
    assert!(told(&mut juniper).1.is_some());
    house.app.live.trust(juniper.attachment, holding(1, 1));
    tell_organisation(&house.app, LINDEN).await;
    revoke_now(&house.app, LINDEN).await.unwrap();
    assert_eq!(juniper.waiting(), [], "nothing new was said");

    // The person loses their role, then their key.
    let mut tx = house.begin();
    for held in Who::Operator.roles() {
        identity::store::revoke_role(&mut tx, LINDEN, Who::Operator.id(), held, None)
            .await
            .unwrap();
    }
    house.commit(tx).await;
    revoke_now(&house.app, LINDEN).await.unwrap();
    let list = told(&mut juniper).1.unwrap();
    assert_eq!((list.number, list.people), (2, vec![Who::Operator.id()]));

    let given_back = RoleGrant {
        role: Role::Operator,
        site: None,
    };
    let mut tx = house.begin();
    identity::store::grant_role(
        &mut tx,
        LINDEN,
        Who::Operator.id(),
        given_back,
        None,
        house.now(),
    )
    .await
    .unwrap();
    house.commit(tx).await;
    let key = name_of(&own_key(Who::Operator).verifying_key().to_bytes());
    let path = format!("/api/v1/session/person-keys/{key}");
    let remove = asking(axum::http::Method::DELETE, &path).by(Who::Operator);
    let removed = house.ask(remove.empty()).await;
    assert_eq!(removed.status, 204, "{}", removed.text());
    let list = told(&mut juniper).1.unwrap();
    assert!(list.keys.contains(&key) && list.number >= 3, "{list:?}");
    // And the gateway itself gives no grant for it.
    let asked = asks(&house, Who::Operator, JUNIPER, 1).await;
    assert_eq!(asked.problem(), conflict("key_not_rostered"));
    drop(hand);

    // A robot of another house hears nothing of it.
    let mut foreign = house.attach(super::house::FOREIGN);
    tell_organisation(&house.app, LINDEN).await;
    assert_eq!(foreign.waiting(), []);
}

/// What a robot says that holds these.
fn holding(roster: u64, revocations: u64) -> RobotTrust {
    RobotTrust {
        nonce: [0x4e; 32],
        root: Some(name_of(&root().verifying_key().to_bytes())),
        roster,
        revocations,
        session: None,
        refused: None,
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_gateway_whose_policy_key_is_not_on_the_roster_grants_and_revokes_nothing(owner: PgPool) {
    let house = House::new(&owner).await;
    let juniper = house.attach(JUNIPER);
    let hand = given(&house, &juniper).await;
    drop(hand);
    revoke_now(&house.app, LINDEN).await.unwrap();
    assert_eq!(house.recorded("revocations.published").await, 1);
    let mut tx = house.begin();
    let now = house.now();
    let other = vec![own_key(Who::WingA).verifying_key().to_bytes()];
    let lasts = time::Duration::DAY;
    let draft = identity::store::draft_roster(
        &mut tx,
        LINDEN,
        other,
        identity::DraftMark::Checked,
        now,
        lasts,
    );
    let sealed = sealed::seal(Kind::Roster, &draft.await.unwrap(), &root()).unwrap();
    identity::store::publish_roster(&mut tx, LINDEN, &sealed, None, now)
        .await
        .unwrap();
    house.commit(tx).await;
    robot_holds_it(&house, &juniper).await;

    let asked = asks(&house, Who::Operator, JUNIPER, 1).await;
    revoke_now(&house.app, LINDEN).await.unwrap();

    assert_eq!(asked.problem(), conflict("policy_not_rostered"));
    assert_eq!(house.recorded("revocations.published").await, 1);
    // Named again, its last list is one that robots believe: there is nothing to say anew.
    rostered(&house, &[Who::Operator]).await;
    revoke_now(&house.app, LINDEN).await.unwrap();
    assert_eq!(
        house.recorded("revocations.published").await,
        1,
        "it is believed again"
    );
}

fn offer(key: &SigningKey, proven_for: Who) -> OfferPersonKey {
    let proof = PersonKeyProof {
        person: proven_for.id(),
    };
    OfferPersonKey {
        proof: sealed_as(Kind::PersonKey, &proof, key),
        public_key: BASE64_STANDARD.encode(key.verifying_key().as_bytes()),
        tier: KeyTier::Browser,
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_key_is_offered_by_who_holds_it_for_themself_and_waits_for_the_root(owner: PgPool) {
    let house = House::new(&owner).await;
    let path = "/api/v1/session/person-keys";
    let key = own_key(Who::Operator);
    let offered = async |who: Who, body: &OfferPersonKey| {
        house.ask(post(path).by(who).json(&json!(body))).await
    };
    let anothers = OfferPersonKey {
        public_key: BASE64_STANDARD.encode([2; 32]),
        ..offer(&key, Who::Operator)
    };

    for body in [anothers, offer(&key, Who::WingA)] {
        let refused = offered(Who::Operator, &body).await;
        let expected = (400, "person_key_unproven".to_owned());
        assert_eq!(refused.problem(), expected);
    }
    let kept = offered(Who::Operator, &offer(&key, Who::Operator)).await;
    assert_eq!(kept.status, 201, "{}", kept.text());
    assert_eq!(kept.json()["is_rostered"], false);
    // It is one person's for good.
    let stolen = offered(Who::WingA, &offer(&key, Who::WingA)).await;
    assert_eq!(stolen.problem(), conflict("key_taken"));

    rostered(&house, &[Who::Operator]).await;
    let listed = house.ask(get(path).by(Who::Operator).empty()).await;
    assert_eq!(listed.json()[0]["is_rostered"], true);
    assert_eq!(listed.json()[0]["is_demo"], false);
    let roster = house
        .ask(get("/api/v1/roster").by(Who::Requester).empty())
        .await;
    assert_eq!(roster.json()["people"][0]["name"], "Operator");
    let roleless = house
        .ask(get("/api/v1/roster").by(Who::Roleless).empty())
        .await;
    assert_eq!(roleless.problem().0, 403);
}
