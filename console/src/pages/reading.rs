//! Reading a job's record and checking it in this browser: the entries as soon as they come, then the whole bundle with the
//! log's proofs and everybody's keys.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::VerifyingKey;
use ledger::verify::{Progress, Trust, Verification};
use leptos::{prelude::*, task::spawn_local};
use protocol::{
    JobId, PersonId,
    views::{LogKeysView, Page, PersonName, Problem},
};
use serde::Deserialize;

use crate::{
    api, browser,
    record::{self, Proofs, Record, Rules},
};

/// Pages of a record that are read: four thousand events, beyond which a page is no place to read them.
const MOST_PAGES: usize = 20;

/// A new entry is in a checkpoint within a second; asking for the bundle before that would find it unproved.
const CHECKPOINT_AFTER: Duration = Duration::from_millis(1_300);

/// What is used of an event: its bytes. The rest is said about it, and not believed here.
#[derive(Deserialize)]
struct Told {
    stream_number: u64,
    entry: String,
}

/// How far reading and checking are.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ReadState {
    /// Entries are being read.
    Reading,
    /// They are there; the bundle is being checked.
    Checking,
    /// All that came was checked.
    Checked,
    /// The bundle did not come, so that the log's proofs are missing.
    Unproved(Problem),
    /// The entries did not come.
    Failed(Problem),
}

/// A job's record and what it is worth.
#[derive(Clone, Copy)]
pub(super) struct Reading {
    id: JobId,
    pub(super) record: RwSignal<Record>,
    pub(super) proofs: RwSignal<Proofs>,
    /// What those who did something are called: the gateway's word, as every name is.
    pub(super) people: RwSignal<BTreeMap<PersonId, String>>,
    pub(super) state: RwSignal<ReadState>,
    desk: StoredValue<Desk>,
}

#[derive(Default)]
struct Desk {
    trust: Option<Trust>,
    read: Turn,
    check: Turn,
}

/// Work that is done once at a time, and once more when it is asked for meanwhile.
#[derive(Default)]
struct Turn {
    is_running: bool,
    is_due: bool,
}

impl Turn {
    /// Asks for it. Whether nobody is at it, so that the caller is to begin.
    fn ask(&mut self) -> bool {
        let begins = !self.is_running;
        self.is_running = true;
        self.is_due = true;
        begins
    }

    /// Whether it is to be done now; who is told so does it and asks again.
    fn take(&mut self) -> bool {
        self.is_running = std::mem::take(&mut self.is_due);
        self.is_running
    }
}

impl Reading {
    /// Nothing read yet.
    pub(super) fn new(id: JobId) -> Self {
        Self {
            id,
            record: RwSignal::new(Record::default()),
            proofs: RwSignal::new(Proofs::default()),
            people: RwSignal::new(BTreeMap::new()),
            state: RwSignal::new(ReadState::Reading),
            desk: StoredValue::new(Desk::default()),
        }
    }

    /// Reads what is new, at once, and then checks all of it. Asked again meanwhile, it does so once more: what is new is never
    /// kept waiting by a check.
    pub(super) fn refresh(self) {
        if !self.turn(|desk| desk.read.ask()) {
            return;
        }
        spawn_local(async move {
            while self.turn(|desk| desk.read.take()) {
                match self.read().await {
                    Ok(()) => self.check_soon(),
                    Err(problem) => {
                        // The page may be gone by now; then nobody reads what is told.
                        let _told = self.state.try_set(ReadState::Failed(problem));
                    }
                }
            }
        });
    }

    fn check_soon(self) {
        let _told = self.state.try_set(ReadState::Checking);
        if !self.turn(|desk| desk.check.ask()) {
            return;
        }
        spawn_local(async move {
            while self.turn(|desk| desk.check.take()) {
                browser::sleep(CHECKPOINT_AFTER).await;
                let checked = self.check().await;
                if self.turn(|desk| desk.check.is_due) {
                    continue;
                }
                let _told = self.state.try_set(match checked {
                    Ok(()) => ReadState::Checked,
                    Err(problem) => ReadState::Unproved(problem),
                });
            }
        });
    }

    /// Asks something of the desk; nothing is to be done for a page that is gone.
    fn turn(self, ask: impl FnOnce(&mut Desk) -> bool) -> bool {
        self.desk.try_update_value(ask).unwrap_or_default()
    }

    async fn read(self) -> Result<(), Problem> {
        self.keys().await?;
        for _ in 0..MOST_PAGES {
            let read = self.record.try_with_untracked(Record::read_to);
            let cursor = read.unwrap_or_default();
            let path = format!("/api/v1/jobs/{}/events?limit=200&cursor={cursor}", self.id);
            let page = api::get::<Page<Told>>(&path).await?;
            if page.items.is_empty() {
                break;
            }
            self.take(&page.items);
            if page.next.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn take(self, told: &[Told]) {
        let gateway = self
            .desk
            .try_with_value(|desk| desk.trust.as_ref()?.gateway.first().copied());
        let Some(Some(gateway)) = gateway else { return };
        let _read = self.record.try_update(|record| {
            for one in told {
                if one.stream_number > record.read_to() {
                    let sealed = STANDARD.decode(&one.entry).unwrap_or_default();
                    record.read(self.id, one.stream_number, &sealed, &gateway);
                }
            }
        });
    }

    /// The keys that the gateway names as its own. Whoever doubts the gateway checks the bundle with keys from elsewhere.
    async fn keys(self) -> Result<(), Problem> {
        let is_known = self.desk.try_with_value(|desk| desk.trust.is_some());
        if is_known != Some(false) {
            return Ok(());
        }
        let told = api::get::<LogKeysView>("/api/v1/log/keys").await?;
        let bytes = STANDARD.decode(&told.gateway).unwrap_or_default();
        let gateway = <[u8; 32]>::try_from(bytes.as_slice())
            .ok()
            .and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok())
            .ok_or_else(api::unreadable)?;
        let log = told.log.parse().map_err(|_malformed| api::unreadable())?;
        let _kept = self.desk.try_update_value(|desk| {
            desk.trust = Some(Trust {
                gateway: vec![gateway],
                log: vec![log],
                ..Trust::default()
            });
        });
        Ok(())
    }

    async fn check(self) -> Result<(), Problem> {
        let trust = self.desk.try_with_value(|desk| desk.trust.clone());
        let Some(Some(trust)) = trust else {
            return Ok(());
        };
        // The events are checked here, of which there is a new one now and then: pictures need not come along each time.
        let path = format!("{}?attachments=false", bundle_path(self.id));
        let file = api::bytes(&path).await?;
        let mut verification = Verification::new(&file, &trust);
        let mut rules = Rules::default();
        while !matches!(verification.advance(&mut [&mut rules]), Progress::Over) {
            // Between two slices the page draws and listens.
            browser::sleep(Duration::ZERO).await;
            if self.state.try_get_untracked().is_none() {
                return Ok(());
            }
        }
        let manifest = verification.manifest().cloned();
        let report = verification.into_report();
        let proofs = record::proofs(self.id, manifest.as_ref(), &report, rules);
        let has_strangers = self.people.try_with_untracked(|people| {
            let mut found = proofs.people.values();
            found.any(|person| !people.contains_key(person))
        });
        let _told = self.proofs.try_set(proofs);
        if has_strangers == Some(true) {
            self.ask_for_people().await;
        }
        Ok(())
    }

    /// Without the names, people are told by their roles.
    async fn ask_for_people(self) {
        let path = format!("/api/v1/jobs/{}/people", self.id);
        if let Ok(page) = api::get::<Page<PersonName>>(&path).await {
            let named = page.items.into_iter().map(|one| (one.person, one.name));
            let _told = self.people.try_set(named.collect());
        }
    }
}

/// Where a job's bundle is.
pub(super) fn bundle_path(id: JobId) -> String {
    format!("/api/v1/jobs/{id}/bundle")
}
