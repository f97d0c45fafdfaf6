//! One check after the other: reads the chosen file and goes through its steps, a little at a time.

use std::time::Duration;

use jobs::JobRules;
use ledger::verify::{Outcome, Progress, Report, StepName, Trust, Verification};
use leptos::{prelude::*, task::spawn_local};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use trust::CaseRules;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

use crate::{
    browser,
    verdict::{self, Given, Kept, MOST_BYTES, Timed, TrustedKey},
};

/// Half a frame: after this long the page may draw and listen.
const BREATH_MS: f64 = 8.0;

/// Hashed in one go, about 10 ms.
const HASHED_AT_ONCE: usize = 1 << 20;

/// Under which name the browser keeps the keys.
const KEYS: &str = "nooterra.trusted-keys";

/// Under which name it keeps the checkpoint, as it was signed.
const CHECKPOINT: &str = "nooterra.kept-checkpoint";

/// The chosen file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chosen {
    pub(super) name: String,
    pub(super) bytes: f64,
    pub(super) sha256: Option<[u8; 32]>,
}

/// What the page shows.
#[derive(Clone, Copy)]
pub(super) struct Checking {
    pub(super) keys: RwSignal<Vec<TrustedKey>>,
    pub(super) kept: RwSignal<Option<Kept>>,
    pub(super) chosen: RwSignal<Option<Chosen>>,
    pub(super) steps: RwSignal<Vec<Timed>>,
    /// The step under way, how much of it is done and of how much.
    pub(super) working: RwSignal<Option<(StepName, usize, usize)>>,
    pub(super) report: RwSignal<Option<Report>>,
    /// Why the file can't be read.
    pub(super) trouble: RwSignal<Option<String>>,
    file: StoredValue<Option<File>, LocalStorage>,
    /// Counts the checks: an older one stops when it sees a newer.
    run: StoredValue<u32>,
}

impl Checking {
    pub(super) fn new() -> Self {
        Self {
            keys: RwSignal::new(remembered()),
            kept: RwSignal::new(stored(CHECKPOINT).and_then(|note| Kept::read(&note).ok())),
            chosen: RwSignal::new(None),
            steps: RwSignal::new(Vec::new()),
            working: RwSignal::new(None),
            report: RwSignal::new(None),
            trouble: RwSignal::new(None),
            file: StoredValue::new_local(None),
            run: StoredValue::new(0),
        }
    }

    /// Checks this file.
    pub(super) fn choose(self, file: File) {
        self.file.set_value(Some(file));
        self.begin();
        // What comes of it stands at the top.
        if let Some(content) = document().get_element_by_id("main") {
            content.set_scroll_top(0);
        }
    }

    /// Trusts these keys from now on, here and at the next visit, and judges the file anew.
    pub(super) fn trust(self, keys: Vec<TrustedKey>) {
        store(KEYS, &verdict::keys_text(&keys));
        self.keys.set(keys);
        self.begin();
    }

    /// Compares with this checkpoint from now on, here and at the next visit, and judges the file anew.
    pub(super) fn keep(self, kept: Option<Kept>) {
        store(CHECKPOINT, kept.as_ref().map_or("", |kept| &kept.note));
        self.kept.set(kept);
        self.begin();
    }

    /// How many entries the tree of the bundle's checkpoint has.
    pub(super) fn size(self) -> Option<u64> {
        self.report.with(|report| {
            let tree = report.as_ref()?.facts.as_ref()?.checkpoint.as_ref()?;
            Some(tree.size)
        })
    }

    /// The bundle's own checkpoint, if a log signed it that the person trusts, and it has more of the history that is kept.
    pub(super) fn worth_keeping(self) -> Option<String> {
        self.report.with(|report| {
            let report = report.as_ref()?;
            let has_passed = |name| {
                let mut steps = report.steps.iter();
                steps.any(|step| step.name == name && step.outcome == Outcome::Passed)
            };
            let facts = report.facts.as_ref()?;
            let size = facts.checkpoint.as_ref()?.size;
            // What was kept is given up for more of the same history alone.
            let is_more = self.kept.with(|kept| {
                kept.as_ref()
                    .is_none_or(|kept| kept.tree.size < size && has_passed(StepName::Consistency))
            });
            let note = facts.note.clone();
            note.filter(|_| has_passed(StepName::Checkpoint) && is_more)
        })
    }

    pub(super) fn command(self) -> String {
        let size = self.size();
        let given = self.kept.with(|kept| Given {
            keys: self.keys.with(|keys| !keys.is_empty()),
            checkpoint: kept.is_some(),
            proof: kept.as_ref().is_some_and(|kept| {
                kept.proof.is_some() && size.is_some_and(|size| kept.is_proved_to(size))
            }),
        });
        self.chosen.with(|chosen| {
            let name = chosen
                .as_ref()
                .map_or("job.nooterra", |chosen| &chosen.name);
            verdict::command(name, given)
        })
    }

    pub(super) fn save_keys(self) {
        let text = self.keys.with_untracked(|keys| verdict::keys_text(keys));
        browser::save("trusted-keys.txt", "text/plain", &text);
    }

    /// The report as a file.
    pub(super) fn save_report(self) {
        let Some(chosen) = self.chosen.get_untracked() else {
            return;
        };
        let text = self.report.with_untracked(|report| {
            let ms: Vec<f64> = self
                .steps
                .with_untracked(|steps| steps.iter().map(|timed| timed.ms).collect());
            json!({
                "file": chosen.name,
                "bytes": chosen.bytes,
                "sha256": chosen.sha256.map(hex::encode),
                "trusted_keys": self.keys.with_untracked(|keys| {
                    keys.iter().map(|key| key.line.clone()).collect::<Vec<_>>()
                }),
                "kept_checkpoint": self.kept.with_untracked(|kept| {
                    kept.as_ref().map(|kept| kept.note.clone())
                }),
                "verifier": concat!("console ", env!("CARGO_PKG_VERSION")),
                "milliseconds": ms,
                "report": report,
            })
            .to_string()
        });
        browser::save(
            &format!("{}-report.json", chosen.name),
            "application/json",
            &text,
        );
    }

    fn begin(self) {
        let Some(file) = self.file.get_value() else {
            return;
        };
        let run = self.run.get_value().wrapping_add(1);
        self.run.set_value(run);
        self.steps.set(Vec::new());
        self.report.set(None);
        self.trouble.set(None);
        self.working.set(Some((StepName::Unpack, 0, 0)));
        self.chosen.set(Some(Chosen {
            name: file.name(),
            bytes: file.size(),
            sha256: None,
        }));
        spawn_local(async move {
            if let Err(trouble) = self.check(run, file).await {
                let _told = self.trouble.try_set(Some(trouble));
                let _told = self.working.try_set(None);
            }
        });
    }

    /// False when the page is gone or checks another file.
    fn is_current(self, run: u32) -> bool {
        self.run.try_get_value() == Some(run)
    }

    async fn check(self, run: u32, file: File) -> Result<(), String> {
        let bytes = read(&file).await?;
        let mut hasher = Sha256::new();
        for part in bytes.chunks(HASHED_AT_ONCE) {
            hasher.update(part);
            browser::sleep(Duration::ZERO).await;
        }
        if !self.is_current(run) {
            return Ok(());
        }
        let sha256 = Some(hasher.finalize().into());
        self.chosen.update(|chosen| {
            if let Some(chosen) = chosen {
                chosen.sha256 = sha256;
            }
        });
        let text = self.keys.with_untracked(|keys| verdict::keys_text(keys));
        let mut trust = Trust::parse(&text).unwrap_or_default();
        trust.known = self
            .kept
            .with_untracked(|kept| kept.as_ref().map(Kept::known));
        let mut verification = Verification::new(&bytes, &trust);
        let (mut jobs, mut cases) = (JobRules, CaseRules);
        let (mut begun, mut drawn) = (browser::ms(), browser::ms());
        loop {
            match verification.advance(&mut [&mut jobs, &mut cases]) {
                Progress::Working { step, done, of } => {
                    self.working.set(Some((step, done, of)));
                }
                Progress::Finished(_) => {
                    let ms = browser::ms() - begun;
                    if let Some(step) = verification.steps().last().cloned() {
                        self.steps.update(|steps| steps.push(Timed { step, ms }));
                    }
                    begun = browser::ms();
                }
                Progress::Over => break,
            }
            if browser::ms() - drawn > BREATH_MS {
                browser::sleep(Duration::ZERO).await;
                drawn = browser::ms();
                if !self.is_current(run) {
                    return Ok(());
                }
            }
        }
        self.working.set(None);
        self.report.set(Some(verification.into_report()));
        Ok(())
    }
}

async fn read(file: &File) -> Result<Vec<u8>, String> {
    if file.size() > MOST_BYTES {
        let (size, most) = (verdict::size(file.size()), verdict::size(MOST_BYTES));
        return Err(format!(
            "The file has {size}, a tab takes {most}. Use the command below."
        ));
    }
    let buffer = JsFuture::from(file.array_buffer())
        .await
        .map_err(|_unreadable| "The browser can't read the file. Choose it again.".to_owned())?;
    Ok(js_sys::Uint8Array::new(&buffer).to_vec())
}

/// The keys of the last visit.
fn remembered() -> Vec<TrustedKey> {
    stored(KEYS)
        .and_then(|text| verdict::trusted_keys(&text).ok())
        .unwrap_or_default()
}

fn stored(name: &str) -> Option<String> {
    let storage = window().local_storage().ok().flatten()?;
    storage.get_item(name).ok().flatten()
}

fn store(name: &str, text: &str) {
    if let Some(storage) = window().local_storage().ok().flatten() {
        // A browser that keeps nothing asks again.
        let _kept = storage.set_item(name, text);
    }
}
