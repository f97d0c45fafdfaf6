//! Claims about passkeys: who adds and removes one, what signs in with one, and everything that does not.

use axum::http::header;
use protocol::{
    UnixMicros, grant::Presentation, passkey::PasskeyAssertion, robot_socket::ToRobot,
    roster::KeyTier,
};
use serde_json::{Value, json};
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    answer::{Answer, Asking as _, delete, get, post},
    authenticator::Authenticator,
    grants::claims,
    house::{House, JUNIPER, LINDEN, PUBLIC_URL, Who},
    steering::Hand,
};

const PASSKEYS: &str = "/api/v1/session/passkeys";
const SIGN_IN: &str = "/api/v1/session/passkey";

/// What was asked of an authenticator.
struct Asked {
    challenge: Value,
    options: Value,
}

impl Asked {
    fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 201, "{}", answer.text());
        let view = answer.json();
        Self {
            challenge: view["challenge"].clone(),
            options: view["options"].clone(),
        }
    }

    fn answered(&self, credential: &Value) -> Value {
        json!({"challenge": self.challenge, "credential": credential})
    }
}

async fn begins_adding(house: &House, cookie: &str) -> Answer {
    let request = post("/api/v1/session/passkeys/challenge").on_page(cookie);
    house.ask(request.empty()).await
}

async fn adds(house: &House, cookie: &str, made_by: &Authenticator) -> Answer {
    let asked = Asked::of(&begins_adding(house, cookie).await);
    let mut body = asked.answered(&made_by.makes(&asked.options));
    body["name"] = json!("Laptop");
    house.ask(post(PASSKEYS).on_page(cookie).json(&body)).await
}

async fn begins_sign_in(house: &House) -> Asked {
    let request = post("/api/v1/session/passkey/challenge").header(header::ORIGIN, PUBLIC_URL);
    Asked::of(&house.ask(request.empty()).await)
}

async fn hands_in(house: &House, body: &Value) -> Answer {
    let request = post(SIGN_IN).header(header::ORIGIN, PUBLIC_URL);
    house.ask(request.json(body)).await
}

async fn signs_in(house: &House, with: &mut Authenticator) -> Answer {
    let asked = begins_sign_in(house).await;
    let answer = with.answers(&asked.options);
    hands_in(house, &asked.answered(&answer)).await
}

fn cookie_of(answer: &Answer) -> String {
    let set = answer.header(header::SET_COOKIE);
    set.split(';').next().unwrap().to_owned()
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// A house whose operator has a passkey, and their cookie.
async fn with_passkey(owner: &PgPool) -> (House, String, Authenticator) {
    let house = House::new(owner).await;
    let cookie = house.cookie(Who::Operator).await;
    let passkey = Authenticator::of(Who::Operator.id(), 1);
    let added = adds(&house, &cookie, &passkey).await;
    assert_eq!(added.status, 201, "{}", added.text());
    (house, cookie, passkey)
}

/// Five minutes and a moment later.
fn later(house: &House) {
    let now = house.app.clock.micros();
    house.app.clock.stop_at(now.plus(301_000_000));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_passkey_signs_its_person_in_and_the_session_and_the_log_say_so(owner: PgPool) {
    let (house, cookie, mut passkey) = with_passkey(&owner).await;
    let name = passkey.name().to_string();

    let listed = house.ask(get(PASSKEYS).on_page(&cookie).empty()).await;
    let opened = signs_in(&house, &mut passkey).await;
    let theirs = cookie_of(&opened);
    let read = house
        .ask(get("/api/v1/session").on_page(&theirs).empty())
        .await;
    let by_link = house
        .ask(get("/api/v1/session").on_page(&cookie).empty())
        .await;

    assert_eq!(listed.json()[0]["key"], name);
    assert_eq!(listed.json()[0]["name"], "Laptop");
    assert_eq!(listed.json()[0]["relying_party"], "fleet.example");
    assert_eq!(listed.json()[0]["is_rostered"], false);
    assert_eq!(opened.status, 201, "{}", opened.text());
    assert_eq!(read.json()["person"], Who::Operator.id().to_string());
    assert_eq!(read.json()["passkey"], name);
    assert_eq!(by_link.json()["passkey"], Value::Null);
    let again = house.ask(get(PASSKEYS).on_page(&cookie).empty()).await;
    assert!(again.json()[0]["used_at"].is_string());
    assert_eq!(house.recorded("person.passkey_added").await, 1);
    let said: Value = sqlx::query_scalar(
        "SELECT payload FROM spine.event WHERE kind = 'session.opened' ORDER BY sequence DESC LIMIT 1",
    )
    .fetch_one(&house.owner)
    .await
    .unwrap();
    assert_eq!(said["passkey"], name);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_is_asked_for_is_found_without_a_name_and_looks_who_uses_it(owner: PgPool) {
    let (house, cookie, passkey) = with_passkey(&owner).await;

    let adding = Asked::of(&begins_adding(&house, &cookie).await).options;
    let signing_in = begins_sign_in(&house).await.options;

    let wanted = &adding["authenticatorSelection"];
    assert_eq!(wanted["residentKey"], "required");
    assert_eq!(wanted["userVerification"], "required");
    assert_eq!(adding["attestation"], "none");
    assert_eq!(adding["rp"]["id"], "fleet.example");
    let kinds = json!([{"type": "public-key", "alg": -7}]);
    assert_eq!(adding["pubKeyCredParams"], kinds);
    assert_eq!(adding["excludeCredentials"][0]["id"], passkey.id_text());
    assert_eq!(signing_in["userVerification"], "required");
    assert_eq!(signing_in["rpId"], "fleet.example");
    assert_eq!(signing_in["allowCredentials"], json!([]));
    // Thirty-two bytes: what pages hold it against before they have it signed.
    assert_eq!(signing_in["challenge"].as_str().unwrap().len(), 43);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn an_answer_counts_once_within_its_time(owner: PgPool) {
    let (house, _cookie, mut passkey) = with_passkey(&owner).await;
    let asked = begins_sign_in(&house).await;
    let body = asked.answered(&passkey.answers(&asked.options));
    let unknown = refused(409, "passkey_challenge_unknown");

    let first = hands_in(&house, &body).await;
    let replayed = hands_in(&house, &body).await;
    // A wrong answer uses its challenge up, too.
    let asked = begins_sign_in(&house).await;
    let wrong = hands_in(&house, &asked.answered(&json!({}))).await;
    let right = hands_in(&house, &asked.answered(&passkey.answers(&asked.options))).await;
    let asked = begins_sign_in(&house).await;
    let never =
        json!({"challenge": Uuid::from_u128(7), "credential": passkey.answers(&asked.options)});
    let never = hands_in(&house, &never).await;
    later(&house);
    let late = hands_in(&house, &asked.answered(&passkey.answers(&asked.options))).await;

    assert_eq!(first.status, 201, "{}", first.text());
    assert_eq!(wrong.problem(), refused(400, "passkey_malformed"));
    for answer in [replayed, right, never, late] {
        assert_eq!(answer.problem(), unknown);
    }
    assert_eq!(house.recorded("session.opened").await, 2);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn an_answer_that_does_not_fit_signs_nobody_in_and_says_why(owner: PgPool) {
    let (house, _cookie, passkey) = with_passkey(&owner).await;
    let before = house.recorded("session.opened").await;
    let changed = |change: fn(&mut Authenticator)| {
        let mut passkey = passkey.clone();
        change(&mut passkey);
        passkey
    };
    for (mut with, code) in [
        (
            changed(|with| with.origin = "https://evil.example".to_owned()),
            "passkey_another_origin",
        ),
        (
            changed(|with| with.origin = "http://fleet.example".to_owned()),
            "passkey_another_origin",
        ),
        (
            changed(|with| with.relying_party = "evil.example".to_owned()),
            "passkey_another_site",
        ),
        (changed(|with| with.flags = 0b001), "passkey_unverified"),
        (changed(|with| with.flags = 0b100), "passkey_nobody_present"),
        (changed(|with| with.counter = 0), "passkey_copied"),
        (Authenticator::of(Who::Operator.id(), 2), "passkey_unknown"),
        (
            Authenticator::of(Who::Supervisor.id(), 1),
            "passkey_unknown",
        ),
    ] {
        let answer = signs_in(&house, &mut with).await;
        assert_eq!(answer.problem(), refused(403, code));
        assert!(!answer.headers.contains_key(header::SET_COOKIE));
    }
    let asked = begins_sign_in(&house).await;
    let other = begins_sign_in(&house).await;
    let crossed = asked.answered(&passkey.clone().answers(&other.options));
    let crossed = hands_in(&house, &crossed).await;
    assert_eq!(crossed.problem(), refused(403, "passkey_another_challenge"));
    let asked = begins_sign_in(&house).await;
    let mut altered = passkey.clone().answers(&asked.options);
    altered["response"]["signature"] = json!("MAYCAQECAQE");
    let altered = hands_in(&house, &asked.answered(&altered)).await;
    assert_eq!(altered.problem(), refused(403, "passkey_unproven"));
    assert_eq!(house.recorded("session.opened").await, before);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_counter_that_goes_back_is_a_copys(owner: PgPool) {
    let (house, _cookie, mut passkey) = with_passkey(&owner).await;
    let mut copy = passkey.clone();

    let first = signs_in(&house, &mut passkey).await;
    let second = signs_in(&house, &mut copy).await;

    assert_eq!(first.status, 201, "{}", first.text());
    assert_eq!(second.problem(), refused(403, "passkey_copied"));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn ways_in_are_given_and_taken_by_who_showed_just_now_that_it_is_them(owner: PgPool) {
    let (house, cookie, mut passkey) = with_passkey(&owner).await;
    let path = format!("{PASSKEYS}/{}", passkey.name());
    let removes = async |cookie: &str| house.ask(delete(&path).on_page(cookie).empty()).await;
    let by_token = house.ask(delete(&path).by(Who::Operator).empty()).await;
    assert_eq!(by_token.problem(), refused(409, "not_a_session"));
    let as_browsers = format!("/api/v1/session/person-keys/{}", passkey.name());
    let as_browsers = house
        .ask(delete(&as_browsers).by(Who::Operator).empty())
        .await;
    assert_eq!(as_browsers.problem(), refused(404, "not_found"));
    later(&house);

    let stale = begins_adding(&house, &cookie).await;
    assert_eq!(stale.problem(), refused(403, "proof_stale"));
    assert_eq!(
        removes(&cookie).await.problem(),
        refused(403, "proof_stale")
    );
    let proof = async |cookie: &str, with: &mut Authenticator| {
        let asked = begins_sign_in(&house).await;
        let body = asked.answered(&with.answers(&asked.options));
        let request = post("/api/v1/session/passkey/proof").on_page(cookie);
        house.ask(request.json(&body)).await
    };
    let anothers = house.cookie(Who::Supervisor).await;
    let stolen = proof(&anothers, &mut passkey).await;
    assert_eq!(stolen.problem(), refused(403, "passkey_anothers"));
    assert_eq!(proof(&cookie, &mut passkey).await.status, 204);
    assert_eq!(begins_adding(&house, &cookie).await.status, 201);
    assert_eq!(
        removes(&anothers).await.problem(),
        refused(404, "not_found")
    );
    assert_eq!(removes(&cookie).await.status, 204);
    assert_eq!(removes(&cookie).await.problem(), refused(404, "not_found"));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_removed_passkey_signs_nobody_in_and_what_it_signed_in_to_elsewhere_ends(owner: PgPool) {
    let (house, cookie, mut passkey) = with_passkey(&owner).await;
    let elsewhere = cookie_of(&signs_in(&house, &mut passkey).await);
    let path = format!("{PASSKEYS}/{}", passkey.name());

    let removed = house.ask(delete(&path).on_page(&cookie).empty()).await;

    assert_eq!(removed.status, 204, "{}", removed.text());
    let session = get("/api/v1/session").on_page(&elsewhere);
    let over = house.ask(session.empty()).await;
    assert_eq!(over.problem(), refused(401, "session_over"));
    let here = house.ask(get(PASSKEYS).on_page(&cookie).empty()).await;
    assert_eq!(here.json(), json!([]));
    let again = signs_in(&house, &mut passkey).await;
    assert_eq!(again.problem(), refused(403, "passkey_unknown"));
    // Nor is it taken again: whoever found it must not get it believed.
    let again = adds(&house, &cookie, &passkey).await;
    assert_eq!(again.problem(), refused(409, "key_taken"));
    assert_eq!(house.recorded("person.key_removed").await, 1);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_passkey_is_added_by_its_own_sign_in_from_our_page_by_who_is_there(owner: PgPool) {
    let house = House::new(&owner).await;
    let (cookie, anothers) = (
        house.cookie(Who::Operator).await,
        house.cookie(Who::Supervisor).await,
    );
    let passkey = Authenticator::of(Who::Operator.id(), 1);
    let asked = Asked::of(&begins_adding(&house, &cookie).await);
    let mut body = asked.answered(&passkey.makes(&asked.options));
    body["name"] = json!("Laptop");

    let taken = house
        .ask(post(PASSKEYS).on_page(&anothers).json(&body))
        .await;
    assert_eq!(taken.problem(), refused(409, "passkey_challenge_unknown"));
    // A challenge of a sign-in adds none, and that of an addition signs nobody in.
    let added = house.ask(post(PASSKEYS).on_page(&cookie).json(&body)).await;
    assert_eq!(added.status, 201, "{}", added.text());
    let adding = Asked::of(&begins_adding(&house, &cookie).await);
    let crossed = adding.answered(&passkey.clone().answers(&adding.options));
    let crossed = hands_in(&house, &crossed).await;
    assert_eq!(crossed.problem(), refused(409, "passkey_challenge_unknown"));
    let other = Authenticator::of(Who::Operator.id(), 2);
    for (with, expected) in [
        (
            Authenticator {
                origin: "https://evil.example".to_owned(),
                ..other.clone()
            },
            refused(403, "passkey_another_origin"),
        ),
        (
            Authenticator {
                relying_party: "evil.example".to_owned(),
                ..other.clone()
            },
            refused(403, "passkey_another_site"),
        ),
        (
            Authenticator {
                flags: 0b001,
                ..other.clone()
            },
            refused(403, "passkey_unverified"),
        ),
        (passkey, refused(409, "key_taken")),
    ] {
        assert_eq!(adds(&house, &cookie, &with).await.problem(), expected);
    }
    for seed in 2..=8 {
        let more = Authenticator::of(Who::Operator.id(), seed);
        assert_eq!(adds(&house, &cookie, &more).await.status, 201);
    }
    let ninth = adds(&house, &cookie, &Authenticator::of(Who::Operator.id(), 9)).await;
    assert_eq!(ninth.problem(), refused(409, "too_many_passkeys"));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_rostered_passkey_binds_what_its_holder_shows_until_it_is_removed(owner: PgPool) {
    let (house, cookie, passkey) = with_passkey(&owner).await;
    let mut juniper = house.attach(JUNIPER);
    claims(&house, Who::Operator).await;
    let hand = Hand::granted(&house, Who::Operator, (JUNIPER, &juniper), 1).await;
    let latest = identity::store::latest_roster(&house.app.pool, LINDEN).await;
    let roster = latest.unwrap().unwrap().roster;
    let line = roster.person(Who::Operator.id()).unwrap();
    let mark = line.mark(passkey.name()).unwrap();
    assert_eq!((mark.tier, mark.is_demo), (KeyTier::Passkey, false));
    let site = &roster.relying_parties[0];
    assert_eq!(site.id, "fleet.example");
    assert_eq!(site.origins, ["https://fleet.example"]);
    juniper.waiting();
    let shown = |key, assertion: Option<&str>| Presentation {
        grant: hand.sealed.clone(),
        assertion: assertion.map(str::to_owned),
        passkey: Some(Box::new(PasskeyAssertion {
            key,
            authenticator_data: "AAAA".to_owned(),
            client_data: "AAAA".to_owned(),
            signature: "AAAA".to_owned(),
        })),
    };
    let path = format!(
        "/api/v1/robots/{}/grants/{}/presentation",
        JUNIPER.id(),
        hand.grant
    );
    let shows = async |body: &Presentation| {
        let request = post(&path).by(Who::Operator).json(&json!(body));
        house.ask(request).await
    };

    let two = shows(&shown(passkey.name(), Some("hEyj"))).await;
    assert_eq!(two.problem(), refused(400, "grant_malformed"));
    let foreign = Authenticator::of(Who::Operator.id(), 2).name();
    let foreign = shows(&shown(foreign, None)).await;
    assert_eq!(foreign.problem(), refused(409, "key_not_rostered"));
    assert!(juniper.waiting().is_empty());
    let good = shown(passkey.name(), None);
    let taken = shows(&good).await;
    assert!(taken.status < 300, "{}", taken.text());
    assert_eq!(juniper.waiting(), [ToRobot::Grant(good.clone())]);

    let gone = delete(&format!("{PASSKEYS}/{}", passkey.name())).on_page(&cookie);
    assert_eq!(house.ask(gone.empty()).await.status, 204);
    let list = identity::store::latest_revocations(&house.app.pool, LINDEN).await;
    let list = list.unwrap().unwrap().revocations;
    assert_eq!(list.keys, [passkey.name()]);
    let late = shows(&good).await;
    assert_eq!(late.problem(), refused(409, "key_not_rostered"));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn guessing_passkeys_is_stopped(owner: PgPool) {
    let house = House::new(&owner).await;
    house.app.clock.stop_at(UnixMicros(1_767_254_400_000_000));
    let body = json!({"challenge": Uuid::from_u128(7), "credential": {}});

    let mut codes = Vec::new();
    for _ in 0..=crate::live::rate_limit::SIGN_IN.tries {
        codes.push(hands_in(&house, &body).await.problem().1);
    }

    assert_eq!(codes[0], "passkey_challenge_unknown");
    assert_eq!(codes.last().unwrap(), "too_many_requests");
}
