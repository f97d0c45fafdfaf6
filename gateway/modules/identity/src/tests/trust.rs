//! Who may steer: the root that is named once, keys that nobody else takes, rosters that only rise.

mod keys;

use protocol::{
    GrantId,
    event::{organisation_stream, person_stream},
    roster::{MAX_KEYS_OF_PERSON, Revocations, Roster, RosterFlaw},
    sealed::{self, KeyId, Kind},
    views::{Role, RoleGrant},
};
use time::Duration;

use super::*;
use crate::{DraftMark, PersonKey, Refusal, seal_roster};

const TOBI: PersonId = PersonId(Uuid::from_u128(22));
const NORA: PersonId = PersonId(Uuid::from_u128(23));
const LASTS: Duration = Duration::days(90);

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(seed: u8) -> [u8; 32] {
    key(seed).verifying_key().to_bytes()
}

fn name_of(seed: u8) -> KeyId {
    KeyId::of(&key(seed).verifying_key())
}

/// The root's key is 100.
async fn with_root(owner: &PgPool) -> PgPool {
    let app = house(owner).await;
    let mut tx = Tx::begin(&app);
    store::name_root(&mut tx, LINDEN, public(100), None, T0)
        .await
        .unwrap();
    commit(tx).await;
    app
}

async fn add(app: &PgPool, id: PersonId, grants: &[RoleGrant]) -> Person {
    let mut tx = Tx::begin(app);
    if store::load_person(app, id).await.unwrap().is_none() {
        store::create_person(&mut tx, LINDEN, id, &name("Somebody"), None, T0)
            .await
            .unwrap();
    }
    for grant in grants {
        store::grant_role(&mut tx, LINDEN, id, *grant, None, T0)
            .await
            .unwrap();
    }
    commit(tx).await;
    store::load_person(app, id).await.unwrap().unwrap()
}

const fn at(role: Role, site: Option<SiteId>) -> RoleGrant {
    RoleGrant { role, site }
}

async fn offer(
    app: &PgPool,
    person: &Person,
    seed: u8,
    now: OffsetDateTime,
) -> Result<PersonKey, StoreError> {
    let mut tx = Tx::begin(app);
    let offered = store::offer_person_key(&mut tx, person, public(seed), now).await?;
    commit(tx).await;
    Ok(offered)
}

async fn remove(app: &PgPool, person: PersonId, seed: u8) -> Result<bool, StoreError> {
    let mut tx = Tx::begin(app);
    let name = name_of(seed);
    let removed = store::remove_person_key(&mut tx, LINDEN, person, name, (None, None), T0).await?;
    commit(tx).await;
    Ok(removed)
}

fn blank(number: u64) -> Roster {
    Roster {
        relying_parties: Vec::new(),
        organisation: LINDEN,
        number,
        issued_at: micros(T0),
        expires_at: micros(T0 + LASTS),
        policy_keys: Vec::new(),
        people: Vec::new(),
    }
}

fn micros(at: OffsetDateTime) -> UnixMicros {
    UnixMicros(i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap())
}

async fn publish(app: &PgPool, sealed: &[u8]) -> Result<Roster, StoreError> {
    let mut tx = Tx::begin(app);
    let published = store::publish_roster(&mut tx, LINDEN, sealed, Some(MIRA), T0).await?;
    commit(tx).await;
    Ok(published)
}

async fn draft(app: &PgPool, mark: DraftMark) -> Roster {
    let mut tx = Tx::begin(app);
    let policy = vec![public(91), public(90), public(91)];
    let draft = store::draft_roster(&mut tx, LINDEN, policy, mark, T0, LASTS)
        .await
        .unwrap();
    commit(tx).await;
    draft
}

/// The number of the latest roster.
async fn latest(app: &PgPool) -> Option<u64> {
    let latest = store::latest_roster(app, LINDEN).await.unwrap();
    latest.map(|stored| stored.roster.number)
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_root_is_named_once(owner: PgPool) {
    let app = house(&owner).await;
    let nowhere = OrganisationId(Uuid::from_u128(99));
    assert_eq!(store::root_of(&app, LINDEN).await.unwrap(), None);
    let mut tx = Tx::begin(&app);

    let first = store::name_root(&mut tx, LINDEN, public(100), Some(MIRA), T0)
        .await
        .unwrap();
    let again = store::name_root(&mut tx, LINDEN, public(100), None, T0)
        .await
        .unwrap();
    let another = store::name_root(&mut tx, LINDEN, public(101), None, T0).await;
    let no_key = store::name_root(&mut tx, OTHER, [2; 32], None, T0).await;
    commit(tx).await;
    let mut tx = Tx::begin(&app);
    let unknown = store::name_root(&mut tx, nowhere, public(100), None, T0).await;

    assert!(first && !again);
    assert_eq!(refusal(another), Refusal::RootNamedAlready);
    assert_eq!(refusal(no_key), Refusal::NotAKey);
    assert_eq!(refusal(unknown), Refusal::OrganisationUnknown);
    assert_eq!(
        store::root_of(&app, LINDEN).await.unwrap(),
        Some(public(100))
    );
    let stream = events(&app, &organisation_stream(LINDEN)).await;
    assert_eq!(stream.last().unwrap(), "root.named");
    assert_eq!(stream.len(), 4);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_draft_holds_who_may_steer_with_what_lets_them_and_nobody_else(owner: PgPool) {
    let app = with_root(&owner).await;
    let here = at(Role::Operator, Some(WING_A));
    let everywhere = at(Role::Supervisor, None);
    // In the order of their ids: two who steer, one who only books, and one of the other organisation.
    let tobi = add(&app, TOBI, &[everywhere]).await;
    let mira = add(&app, MIRA, &[here, at(Role::Admin, None)]).await;
    let nora = add(&app, NORA, &[at(Role::Requester, None)]).await;
    add(&app, PersonId(Uuid::from_u128(24)), &[here]).await;
    for (person, seed) in [(&tobi, 1), (&mira, 2), (&mira, 3), (&nora, 4), (&mira, 5)] {
        offer(&app, person, seed, T0 + Duration::minutes(seed.into()))
            .await
            .unwrap();
    }
    remove(&app, MIRA, 3).await.unwrap();

    let checked = draft(&app, DraftMark::Checked).await;
    let demo = draft(&app, DraftMark::Demo).await;

    let mut policy = [public(90), public(91)];
    policy.sort_unstable();
    let line = |index: usize| &checked.people[index];
    let keys = |index: usize| -> Vec<[u8; 32]> {
        line(index).keys.iter().map(|key| key.public_key).collect()
    };
    assert_eq!(checked.number, 1);
    assert_eq!(checked.policy_keys.len(), 2);
    assert!((checked.policy_keys.iter()).map(|key| key.0).eq(policy));
    assert_eq!(checked.people.len(), 2);
    assert_eq!((line(0).person, &line(0).roles[..]), (MIRA, &[here][..]));
    assert_eq!(keys(0), [public(2), public(5)]);
    assert_eq!(
        (line(1).person, &line(1).roles[..]),
        (TOBI, &[everywhere][..])
    );
    assert_eq!(keys(1), [public(1)]);
    assert_eq!(checked.expires_at, micros(T0 + LASTS));
    assert_eq!(checked, draft(&app, DraftMark::Checked).await);
    let marks = |roster: &Roster| -> Vec<bool> {
        let keys = roster.people.iter().flat_map(|person| &person.keys);
        keys.map(|key| key.is_demo).collect()
    };
    assert_eq!(marks(&checked), [false; 3]);
    assert_eq!(marks(&demo), [true; 3]);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_roster_that_the_root_signed_is_handed_out_and_recorded(owner: PgPool) {
    let app = with_root(&owner).await;
    let mira = add(&app, MIRA, &[at(Role::Operator, None)]).await;
    offer(&app, &mira, 1, T0).await.unwrap();
    let drafted = draft(&app, DraftMark::Checked).await;
    let sealed = seal_roster(&drafted, &key(100)).unwrap();

    let published = publish(&app, &sealed).await.unwrap();

    let stored = store::latest_roster(&app, LINDEN).await.unwrap().unwrap();
    assert_eq!(published, drafted);
    assert_eq!(stored.roster, drafted);
    assert_eq!(stored.sealed, sealed);
    assert_eq!(store::latest_roster(&app, OTHER).await.unwrap(), None);
    assert_eq!(draft(&app, DraftMark::Checked).await.number, 2);
    let stream = events(&app, &organisation_stream(LINDEN)).await;
    assert_eq!(stream.last().unwrap(), "roster.published");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_roster_that_another_key_signed_is_not_published(owner: PgPool) {
    let app = house(&owner).await;
    let sealed = seal_roster(&blank(1), &key(100)).unwrap();
    let forged = seal_roster(&blank(1), &key(101)).unwrap();

    let without_root = publish(&app, &sealed).await;
    let mut tx = Tx::begin(&app);
    store::name_root(&mut tx, LINDEN, public(100), None, T0)
        .await
        .unwrap();
    commit(tx).await;

    assert_eq!(refusal(without_root), Refusal::RootNotNamed);
    assert_eq!(
        refusal(publish(&app, &forged).await),
        Refusal::RosterNotByRoot
    );
    assert_eq!(
        refusal(publish(&app, b"roster").await),
        Refusal::RosterUnreadable
    );
    assert_eq!(latest(&app).await, None);
    let stream = events(&app, &organisation_stream(LINDEN)).await;
    assert_eq!(stream.last().unwrap(), "root.named");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_roster_that_no_robot_could_use_is_not_published(owner: PgPool) {
    let app = with_root(&owner).await;
    let sealed = |change: fn(&mut Roster)| {
        let mut roster = blank(1);
        change(&mut roster);
        sealed::seal(Kind::Roster, &roster, &key(100)).unwrap()
    };

    for (sealed, expected) in [
        (
            sealed(|roster| roster.organisation = OTHER),
            Refusal::RosterOfAnother,
        ),
        (
            sealed(|roster| roster.expires_at = roster.issued_at),
            Refusal::RosterFlawed(RosterFlaw::Backwards),
        ),
        (
            sealed(|roster| {
                roster.expires_at = micros(T0);
                roster.issued_at = micros(T0 - LASTS);
            }),
            Refusal::RosterExpired,
        ),
        (sealed(|roster| roster.number = 0), Refusal::RosterNotNewer),
        (
            sealed(|roster| roster.number = u64::MAX),
            Refusal::RosterFlawed(RosterFlaw::Boundless),
        ),
        (
            sealed(|roster| roster.expires_at = UnixMicros(i64::MAX)),
            Refusal::RosterFlawed(RosterFlaw::Boundless),
        ),
        (
            vec![0; protocol::roster::MAX_ROSTER_BYTES + 1],
            Refusal::RosterTooLarge,
        ),
    ] {
        assert_eq!(refusal(publish(&app, &sealed).await), expected);
    }
    assert_eq!(latest(&app).await, None);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_roster_never_goes_back(owner: PgPool) {
    let app = with_root(&owner).await;
    let sealed = |number| seal_roster(&blank(number), &key(100)).unwrap();

    publish(&app, &sealed(7)).await.unwrap();
    let same = publish(&app, &sealed(7)).await;
    let lower = publish(&app, &sealed(6)).await;
    assert_eq!(latest(&app).await, Some(7));
    publish(&app, &sealed(8)).await.unwrap();

    assert_eq!(refusal(same), Refusal::RosterNotNewer);
    assert_eq!(refusal(lower), Refusal::RosterNotNewer);
    assert_eq!(latest(&app).await, Some(8));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn of_two_rosters_at_once_one_is_published(owner: PgPool) {
    let app = with_root(&owner).await;
    let mut longer = blank(1);
    longer.expires_at = longer.expires_at.plus(1);
    let (one, other) = (
        seal_roster(&blank(1), &key(100)).unwrap(),
        seal_roster(&longer, &key(100)).unwrap(),
    );

    let (one, other) = tokio::join!(publish(&app, &one), publish(&app, &other));

    let (won, lost) = if one.is_ok() {
        (one, other)
    } else {
        (other, one)
    };
    assert_eq!(refusal(lost), Refusal::RosterNotNewer);
    let stored = store::latest_roster(&app, LINDEN).await.unwrap().unwrap();
    assert_eq!(stored.roster, won.unwrap());
    let stream = events(&app, &organisation_stream(LINDEN)).await;
    let published = stream.iter().filter(|kind| *kind == "roster.published");
    assert_eq!(published.count(), 1);
}

/// Offers a key in a demo: it is on the roster with the same commit.
async fn offer_in_demo(app: &PgPool, person: &Person, seed: u8) {
    let mut tx = Tx::begin(app);
    store::offer_person_key(&mut tx, person, public(seed), T0)
        .await
        .unwrap();
    store::publish_demo_roster(&mut tx, LINDEN, &key(100), vec![public(90)], T0)
        .await
        .unwrap();
    commit(tx).await;
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn of_two_who_join_a_demo_at_once_both_are_on_its_roster(owner: PgPool) {
    let app = with_root(&owner).await;
    let operator = [at(Role::Operator, None)];
    let mira = add(&app, MIRA, &operator).await;
    let tobi = add(&app, TOBI, &operator).await;

    tokio::join!(offer_in_demo(&app, &mira, 1), offer_in_demo(&app, &tobi, 2));

    let roster = store::latest_roster(&app, LINDEN)
        .await
        .unwrap()
        .unwrap()
        .roster;
    assert_eq!(roster.number, 2);
    let people: Vec<PersonId> = roster.people.iter().map(|line| line.person).collect();
    assert_eq!(people, [MIRA, TOBI]);
    assert!(roster.people[0].keys[0].is_demo);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_list_of_revocations_rises_and_is_what_was_sealed(owner: PgPool) {
    let app = house(&owner).await;
    let list = |number, grant| Revocations {
        organisation: LINDEN,
        number,
        issued_at: micros(T0),
        expires_at: micros(T0 + Duration::HOUR),
        keys: vec![name_of(1)],
        people: vec![MIRA],
        grants: vec![GrantId(Uuid::from_u128(grant))],
    };
    let seal = |list: &Revocations| sealed::seal(Kind::Revocations, list, &key(90)).unwrap();
    let publish = async |sealed: &[u8], list: &Revocations| -> Result<(), StoreError> {
        let mut tx = Tx::begin(&app);
        store::publish_revocations(&mut tx, LINDEN, sealed, list, None).await?;
        commit(tx).await;
        Ok(())
    };
    let (second, first, third) = (list(2, 1), list(1, 1), list(3, 1));
    assert_eq!(store::latest_revocations(&app, LINDEN).await.unwrap(), None);

    publish(&seal(&second), &second).await.unwrap();
    let back = publish(&seal(&first), &first).await;
    let same = publish(&seal(&second), &second).await;
    let altered = publish(&seal(&third), &list(3, 2)).await;
    let mut endless = third.clone();
    endless.expires_at = endless.issued_at;
    let backwards = publish(&seal(&endless), &endless).await;

    assert_eq!(refusal(back), Refusal::RevocationsNotNewer);
    assert_eq!(refusal(same), Refusal::RevocationsNotNewer);
    assert_eq!(refusal(altered), Refusal::RevocationsUnsound);
    assert_eq!(refusal(backwards), Refusal::RevocationsUnsound);
    let stored = store::latest_revocations(&app, LINDEN)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.revocations, second);
    assert_eq!(stored.sealed, seal(&second));
    let stream = events(&app, &organisation_stream(LINDEN)).await;
    assert_eq!(stream.last().unwrap(), "revocations.published");
}
