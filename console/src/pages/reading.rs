//! Reading a job's record and checking it in this browser: the entries as soon as they come, then the whole bundle with the
//! log's proofs and everybody's keys.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::VerifyingKey;
use ledger::verify::{Progress, Trust, Verification};
use leptos::{prelude::*, task::spawn_local};
use protocol::{
    JobId,
    views::{LogKeysView, Page, Problem},
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
    pub(super) state: RwSignal<ReadState>,
    desk: StoredValue<Desk>,
}

#[derive(Default)]
struct Desk {
    trust: Option<Trust>,
    is_running: bool,
    is_due: bool,
}

impl Reading {
    /// Nothing read yet.
    pub(super) fn new(id: JobId) -> Self {
        Self {
            id,
            record: RwSignal::new(Record::default()),
            proofs: RwSignal::new(Proofs::default()),
            state: RwSignal::new(ReadState::Reading),
            desk: StoredValue::new(Desk::default()),
        }
    }

    /// Reads what is new and checks all of it. Asked again meanwhile, it does so once more afterwards.
    pub(super) fn refresh(self) {
        let starts = self.desk.try_update_value(|desk| {
            let starts = !desk.is_running;
            desk.is_running = true;
            desk.is_due = true;
            starts
        });
        if starts != Some(true) {
            return;
        }
        spawn_local(async move {
            while self.is_due() {
                self.read_and_check().await;
            }
        });
    }

    fn is_due(self) -> bool {
        let due = self.desk.try_update_value(|desk| {
            let is_due = std::mem::take(&mut desk.is_due);
            desk.is_running = is_due;
            is_due
        });
        due == Some(true)
    }

    async fn read_and_check(self) {
        // The page may be gone by now; then nobody reads what is told.
        if let Err(problem) = self.read().await {
            let _told = self.state.try_set(ReadState::Failed(problem));
            return;
        }
        let _told = self.state.try_set(ReadState::Checking);
        browser::sleep(CHECKPOINT_AFTER).await;
        let _told = self.state.try_set(match self.check().await {
            Ok(()) => ReadState::Checked,
            Err(problem) => ReadState::Unproved(problem),
        });
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
        let _told = self.proofs.try_set(proofs);
        Ok(())
    }
}

/// Where a job's bundle is.
pub(super) fn bundle_path(id: JobId) -> String {
    format!("/api/v1/jobs/{id}/bundle")
}
