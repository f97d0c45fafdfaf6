//! The root key, rosters and people's keys, as whoever holds them types.

use std::{fs, os::unix::fs::PermissionsExt as _};

use identity::{Person, Refusal};
use protocol::{
    roster::{Roster, name_of},
    sealed::KeyId,
};
use tempfile::TempDir;

use super::*;
use crate::admin::{POLICY_KEY_FILE, demo_root, policy_key, run};

/// An installation with one operator, and a folder for what its people keep.
struct Place {
    desk: Desk,
    folder: TempDir,
    mira: Person,
}

async fn place(owner: &PgPool) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let desk = desk(owner, folder.path()).await;
    for words in [
        &["organisation", "add", "Linden"][..],
        &["site", "add", "Wing B"],
        &["person", "add", "Mira"],
        &["person", "grant", "Mira", "operator", "--site", "Wing B"],
    ] {
        type_in(&desk, words).await.unwrap();
    }
    let linden = store::find_organisation(&desk.pool, "Linden")
        .await
        .unwrap()
        .unwrap();
    let mut people = store::find_people(&desk.pool, linden.organisation, None)
        .await
        .unwrap();
    Place {
        desk,
        folder,
        mira: people.pop().unwrap(),
    }
}

impl Place {
    async fn type_in(&self, words: &[&str]) -> Result<String, AdminError> {
        type_in(&self.desk, words).await
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// A file with this text in it.
    fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// Makes a root key; its file and its public half.
    async fn root(&self, name: &str) -> (String, String) {
        let file = self.path(name);
        let public = self.type_in(&["org", "root-make", &file]).await.unwrap();
        (file, public.trim().to_owned())
    }

    async fn offer(&self, seed: u8) -> KeyId {
        let public = SigningKey::from_bytes(&[seed; 32])
            .verifying_key()
            .to_bytes();
        let mut tx = self.desk.begin();
        let now = self.desk.now();
        store::offer_person_key(&mut tx, &self.mira, public, now)
            .await
            .unwrap();
        self.desk.commit(tx).await.unwrap();
        name_of(&public)
    }

    async fn sign(&self, key: &str, draft: &str) -> String {
        let signed = self
            .type_in(&["org", "roster-sign", "--key", key, draft])
            .await
            .unwrap();
        self.file("signed", &signed)
    }

    async fn latest(&self) -> Option<Roster> {
        store::latest_roster(&self.desk.pool, self.mira.organisation)
            .await
            .unwrap()
            .map(|stored| stored.roster)
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_roster_goes_to_where_the_root_key_is_and_back(owner: PgPool) {
    let place = place(&owner).await;
    let (root, public) = place.root("root.key").await;
    let (wrong, _) = place.root("wrong.key").await;
    let named = place.type_in(&["org", "root-name", &public]).await.unwrap();
    let key = place.offer(5).await;

    let draft = place.type_in(&["org", "roster-draft"]).await.unwrap();
    let draft = place.file("draft", &draft);
    let shown = place
        .type_in(&["org", "roster-show", &draft])
        .await
        .unwrap();
    let forged = place.sign(&wrong, &draft).await;
    let forged = place.type_in(&["org", "roster-publish", &forged]).await;
    let unsigned = place.type_in(&["org", "roster-publish", &draft]).await;
    let nothing_yet = place.latest().await;
    let signed = place.sign(&root, &draft).await;
    let checked = place
        .type_in(&["org", "roster-show", &signed, "--root", &public])
        .await
        .unwrap();
    let published = place
        .type_in(&["org", "roster-publish", &signed])
        .await
        .unwrap();
    let again = place.type_in(&["org", "roster-publish", &signed]).await;

    let digits = super::super::roster_text::digits(key);
    assert!(
        named.ends_with("is now the root key of Linden\n"),
        "{named}"
    );
    assert!(shown.contains(&digits), "{shown}");
    assert!(shown.contains(&place.mira.person.to_string()), "{shown}");
    assert!(checked.contains(", checked"), "{checked}");
    assert!(matches!(
        forged,
        Err(AdminError::Refused {
            refusal: Refusal::RosterNotByRoot,
            ..
        })
    ));
    assert!(
        (unsigned.unwrap_err().to_string()).contains("roster-sign"),
        "the way out is said"
    );
    assert_eq!(nothing_yet, None);
    assert!(
        published.starts_with("roster 1 of Linden is published: 1 person"),
        "{published}"
    );
    assert!(matches!(
        again,
        Err(AdminError::Refused {
            refusal: Refusal::RosterNotNewer,
            ..
        })
    ));
    let roster = place.latest().await.unwrap();
    let policy = policy_key(place.folder.path()).unwrap();
    assert!(place.folder.path().join(POLICY_KEY_FILE).exists());
    assert!(roster.policy_key(policy.id()).is_some());
    let line = roster.person(place.mira.person).unwrap();
    assert_eq!(line.roles, place.mira.roles);
    assert!(!line.key(key).unwrap().is_demo);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn whoever_drafts_a_roster_sees_whose_keys_stand_on_it(owner: PgPool) {
    let place = place(&owner).await;
    let (_, public) = place.root("root.key").await;
    place.type_in(&["org", "root-name", &public]).await.unwrap();
    let key = place.offer(5).await;

    let mut aside = Vec::new();
    let typed = Typed::try_parse_from(["nooterra", "org", "roster-draft"]).unwrap();
    let crate::admin::Task::Organisation(crate::admin::places::OrganisationTask::Trust(task)) =
        typed.admin.task
    else {
        panic!("roster-draft is something else");
    };
    crate::admin::trust::online(&place.desk, task, &mut aside)
        .await
        .unwrap();

    let aside = String::from_utf8(aside).unwrap();
    let line = format!(
        "{}  Mira  operator at Wing B  browser  {}",
        place.mira.person,
        super::super::roster_text::digits(key)
    );
    assert!(aside.contains(&line), "{line:?} is not in\n{aside}");
    assert!(aside.contains("policy key"), "{aside}");
    let site = place.mira.roles[0].site.unwrap();
    assert!(aside.contains(&format!("{site}  Wing B")), "{aside}");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_root_key_is_never_overwritten_and_is_its_owners_alone(owner: PgPool) {
    let place = place(&owner).await;
    let (file, public) = place.root("root.key").await;
    let before = fs::read(&file).unwrap();

    let again = place.type_in(&["organisation", "root-make", &file]).await;
    place.type_in(&["org", "root-name", &public]).await.unwrap();
    let same = place.type_in(&["org", "root-name", &public]).await.unwrap();
    let (_, other) = place.root("other.key").await;
    let other = place.type_in(&["org", "root-name", &other]).await;

    assert!(matches!(again, Err(AdminError::Signer(_))));
    assert_eq!(fs::read(&file).unwrap(), before);
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(same.contains("was already the root key"), "{same}");
    assert!(matches!(
        other,
        Err(AdminError::Refused {
            refusal: Refusal::RootNamedAlready,
            ..
        })
    ));
}

#[tokio::test]
async fn a_root_key_is_made_without_any_installation() {
    let folder = tempfile::tempdir().unwrap();
    let (data, file) = (folder.path().join("data"), folder.path().join("root.key"));
    let words = [
        "nooterra",
        "organisation",
        "root-make",
        file.to_str().unwrap(),
        "--data",
        data.to_str().unwrap(),
    ];

    let typed = Typed::try_parse_from(words).unwrap();
    Box::pin(run(typed.admin)).await.unwrap();

    assert_eq!(fs::read(&file).unwrap().len(), 32);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_cannot_be_done_with_a_root_or_a_key_is_refused_with_the_way_out(owner: PgPool) {
    let place = place(&owner).await;
    let (root, public) = place.root("root.key").await;
    let key = place.offer(5).await.to_string();
    let mut said = Vec::new();
    let mut refused = async |words: &[&str]| {
        said.push(place.type_in(words).await.unwrap_err().to_string());
    };

    refused(&["org", "roster-draft"]).await;
    refused(&["org", "root-name", "hello"]).await;
    place.type_in(&["org", "root-name", &public]).await.unwrap();
    let garbled = place.file("garbled", "hello?");
    refused(&["org", "roster-show", &garbled]).await;
    refused(&["org", "roster-sign", "--key", &root, &garbled]).await;
    let draft = place.type_in(&["org", "roster-draft"]).await.unwrap();
    let draft = place.file("draft", &draft);
    let signed = place.sign(&root, &draft).await;
    refused(&["org", "roster-sign", "--key", &root, &signed]).await;
    refused(&["person", "key-remove", "Mira", &key[..7]]).await;
    refused(&["person", "key-remove", "Mira", "ffff ffff ffff"]).await;

    let expected = [
        "root-make, then root-name",
        "root-make prints one",
        "not the base64 that roster-draft prints",
        "not the base64 that roster-draft prints",
        "signed already",
        "first 8 digits or more",
        "Mira has no key",
    ];
    for (said, expected) in said.iter().zip(expected) {
        assert!(said.contains(expected), "{said:?} instead of {expected:?}");
    }
    assert_eq!(said.len(), expected.len());
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_removed_key_is_listed_as_removed_and_the_roster_that_names_it_is_named(owner: PgPool) {
    let place = place(&owner).await;
    let (root, public) = place.root("root.key").await;
    place.type_in(&["org", "root-name", &public]).await.unwrap();
    let (key, unlisted) = (place.offer(5).await, place.offer(6).await);
    let unrostered = place.type_in(&["person", "keys", "Mira"]).await.unwrap();
    place
        .type_in(&["person", "key-remove", "Mira", &unlisted.to_string()])
        .await
        .unwrap();
    let draft = place.type_in(&["org", "roster-draft"]).await.unwrap();
    let signed = place.sign(&root, &place.file("draft", &draft)).await;
    place
        .type_in(&["org", "roster-publish", &signed])
        .await
        .unwrap();
    let rostered = place.type_in(&["person", "keys", "Mira"]).await.unwrap();
    let digits = super::super::roster_text::digits(key);

    let removed = place
        .type_in(&["person", "key-remove", "Mira", &digits.to_uppercase()])
        .await
        .unwrap();
    let again = place
        .type_in(&["person", "key-remove", "Mira", &digits])
        .await
        .unwrap();

    let line = |listed: &str| -> String {
        let line = listed.lines().find(|line| line.starts_with(&digits));
        line.unwrap().to_owned()
    };
    assert!(line(&unrostered).ends_with(" no"), "{unrostered}");
    assert!(line(&rostered).ends_with(" yes"), "{rostered}");
    assert_eq!(rostered.lines().count(), 3);
    assert!(removed.contains("roster 1 names it until"), "{removed}");
    assert!(again.ends_with("was removed before\n"), "{again}");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_demo_has_a_root_key_and_a_roster_from_the_start(owner: PgPool) {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(demo_root(folder.path()).unwrap(), None);
    demo::mark_demo(folder.path()).unwrap();
    assert_eq!(demo_root(folder.path()).unwrap(), None);
    let desk = desk(&owner, folder.path()).await;

    seed(&desk, "1").await;

    let root = demo_root(folder.path()).unwrap().unwrap();
    let linden = store::list_organisations(&desk.pool)
        .await
        .unwrap()
        .remove(0)
        .organisation;
    let named = store::root_of(&desk.pool, linden).await.unwrap();
    let latest = store::latest_roster(&desk.pool, linden)
        .await
        .unwrap()
        .unwrap();
    let policy = policy_key(folder.path()).unwrap();
    assert_eq!(named, Some(root.verifying_key().to_bytes()));
    assert_eq!(latest.roster.number, 1);
    assert_eq!(latest.roster.people, []);
    assert!(latest.roster.policy_key(policy.id()).is_some());
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_demo_whose_policy_key_was_replaced_gets_another_roster(owner: PgPool) {
    let folder = tempfile::tempdir().unwrap();
    demo::mark_demo(folder.path()).unwrap();
    let desk = desk(&owner, folder.path()).await;
    seed(&desk, "1").await;
    fs::remove_file(folder.path().join(POLICY_KEY_FILE)).unwrap();

    seed(&desk, "1").await;

    let linden = store::list_organisations(&desk.pool)
        .await
        .unwrap()
        .remove(0)
        .organisation;
    let latest = store::latest_roster(&desk.pool, linden)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(latest.roster.number, 2);
}
