//! A checkpoint from an earlier visit or from somebody else: whether the log has told everybody the same.

use ledger::verify::{KnownProof, Outcome, StepName};
use leptos::{html::Button, prelude::*, task::spawn_local};
use protocol::views::ConsistencyView;

use super::{
    checking::Checking,
    pasting::{Pasted, Toggle, Trouble, focus_back},
};
use crate::{
    api, browser,
    parts::icon::{Glyph, icon, small},
    verdict::{self, Kept},
    words,
};

#[component]
pub(super) fn KeptPanel(checking: Checking) -> impl IntoView {
    let is_adding = RwSignal::new(false);
    let toggle = NodeRef::new();
    let words = Memo::new(move |_| {
        if checking.kept.with(Option::is_some) {
            ("Change", "Change the checkpoint")
        } else {
            ("Add", "Add a checkpoint")
        }
    });
    let word = Signal::derive(move || words.get().0);
    let label = Signal::derive(move || words.get().1);
    let remove = move || {
        focus_back(toggle);
        checking.keep(None);
    };
    let row = move || checking.kept.get().map(|kept| row(&kept, remove));
    let keep_this = move |_| {
        if let Some(kept) = checking
            .worth_keeping()
            .and_then(|note| Kept::read(&note).ok())
        {
            focus_back(toggle);
            checking.keep(Some(kept));
        }
    };
    view! {
        <section class="panel" aria-label="Checkpoint you kept">
            <header>
                {icon(Glyph::Flag)} <h2 class="grow">"Checkpoint you kept"</h2>
                <Toggle word label is_open=is_adding button=toggle />
            </header>
            <div class="panel__body verify__keys">
                {row} <p class="faint" hidden=move || checking.kept.with(Option::is_some)>
                    "None yet. With one, from an earlier visit or from somebody else, the page finds out whether the log tells everybody the same history."
                </p> <ProofNeeded checking toggle /> <Show when=move || is_adding.get()>
                    <Adding
                        checking
                        on_done=move || {
                            focus_back(toggle);
                            is_adding.set(false);
                        }
                    />
                </Show>
                <div class="line" hidden=move || checking.worth_keeping().is_none()>
                    <button class="button button--small" on:click=keep_this>
                        {small(Glyph::Save)}
                        "Keep this bundle's"
                    </button>
                </div>
            </div>
        </section>
    }
}

fn row<Remove: Fn() + 'static>(kept: &Kept, remove: Remove) -> impl IntoView + use<Remove> {
    let note = kept.note.clone();
    let save = move |_| browser::save("checkpoint.txt", "text/plain", &note);
    view! {
        <p class="line">
            <span class="grow ellipsis" title=kept.origin.clone()>
                "Tree of " <span class="number">{kept.tree.size}</span> " "
                <span class="faint">{kept.origin.clone()}</span>
            </span>
            <code title=kept.note.clone()>{words::short_hash(&kept.tree.root)}</code>
            <button
                class="button button--small button--ghost"
                aria-label="Save the checkpoint as a file"
                on:click=save
            >
                {small(Glyph::Save)}
            </button>
            <button
                class="button button--small button--ghost"
                aria-label="Remove the checkpoint"
                on:click=move |_| remove()
            >
                {small(Glyph::Cross)}
            </button>
        </p>
    }
}

/// Where the two trees have different sizes, the log must prove that one begins with the other. It may be asked: a proof holds or
/// does not, whoever gives it.
#[component]
fn ProofNeeded(checking: Checking, toggle: NodeRef<Button>) -> impl IntoView {
    let is_asking = RwSignal::new(false);
    let trouble = RwSignal::new(None::<&'static str>);
    let way = Memo::new(move |_| {
        let size = checking.size()?;
        // One that fails may have been spoiled on its way: another may be asked for.
        let has_failed = checking.report.with(|report| {
            let steps = report.iter().flat_map(|report| &report.steps);
            let mut of_it = steps.filter(|step| step.name == StepName::Consistency);
            of_it.any(|step| step.outcome == Outcome::Failed)
        });
        let is_needed = |kept: &Kept| has_failed || !kept.is_proved_to(size);
        let needed = |kept: &Kept| kept.way_to(size).filter(|_| is_needed(kept));
        checking.kept.with(|kept| kept.as_ref().and_then(needed))
    });
    Effect::new(move |_| {
        way.track();
        trouble.set(None);
    });
    let ask = move |_| {
        let Some((from, to)) = way.get_untracked() else {
            return;
        };
        is_asking.set(true);
        let asked_for = checking.kept.get_untracked();
        spawn_local(async move {
            let proof = gateways_proof(from, to).await;
            let _over = is_asking.try_set(false);
            match proof {
                Ok(proof) => {
                    // The button that was pressed is about to disappear.
                    focus_back(toggle);
                    give(checking, asked_for, proof);
                }
                Err(words) => {
                    let _told = trouble.try_set(Some(words));
                }
            }
        });
    };
    let shown = move || {
        way.get().map(|(from, to)| {
            view! {
                <p class="soft">
                    "To compare the two trees, a proof is needed that leads from "
                    <span class="number">{from}</span> " entries to " <span class="number">{to}</span>
                    "."
                </p>
                <div class="line">
                    <button
                        class="button button--small"
                        disabled=move || is_asking.get()
                        on:click=ask
                    >
                        {move || if is_asking.get() { "Asking" } else { "Ask this gateway for it" }}
                    </button>
                </div>
                <p class="alarm line" role="alert" hidden=move || trouble.with(Option::is_none)>
                    {small(Glyph::Octagon)} <span>{move || trouble.get()}</span>
                </p>
            }
        })
    };
    let save = move |_| {
        let proof = checking
            .kept
            .with_untracked(|kept| kept.as_ref().and_then(|kept| kept.proof.clone()));
        if let Some(text) = proof.and_then(|proof| verdict::proof_text(&proof)) {
            browser::save("proof.json", "application/json", &text);
        }
    };
    let has_proof = move || {
        let size = checking.size();
        checking.kept.with(|kept| {
            kept.as_ref()
                .zip(size)
                .is_some_and(|(kept, size)| kept.proof.is_some() && kept.is_proved_to(size))
        })
    };
    view! {
        {shown}
        <div class="line" hidden=move || !has_proof()>
            <span class="grow soft">"The log's proof is here."</span>
            <button class="button button--small" on:click=save>
                "Save the proof as a file"
            </button>
        </div>
    }
}

/// Judges with this proof the checkpoint that it was asked for.
fn give(checking: Checking, asked_for: Option<Kept>, proof: KnownProof) {
    // The page may be gone, and another one kept.
    let is_kept = checking.kept.try_with_untracked(|kept| *kept == asked_for);
    if let (Some(true), Some(mut kept)) = (is_kept, asked_for) {
        kept.proof = Some(proof);
        checking.keep(Some(kept));
    }
}

async fn gateways_proof(from: u64, to: u64) -> Result<KnownProof, &'static str> {
    let path = format!("/api/v1/log/proof?from={from}&to={to}");
    let view = api::get::<ConsistencyView>(&path)
        .await
        .map_err(|_refused| "The gateway gives no such proof now. Paste one instead.")?;
    KnownProof::try_from(view)
        .ok()
        .filter(|proof| (proof.from, proof.to) == (from, to))
        .ok_or("What the gateway gave is no such proof.")
}

const CHECKPOINT: &str = "verify-checkpoint";
const PROOF: &str = "verify-proof";

/// A place to paste a checkpoint into, and the proof that belongs to it.
#[component]
fn Adding(checking: Checking, on_done: impl Fn() + Copy + Send + Sync + 'static) -> impl IntoView {
    let note = RwSignal::new(String::new());
    let proof = RwSignal::new(String::new());
    let trouble = RwSignal::new(None::<Trouble>);
    let add = move |_| {
        let read = Kept::read(&note.get_untracked())
            .map_err(|bad| (CHECKPOINT, bad))
            .and_then(|mut kept| {
                let proof = proof.get_untracked();
                if !proof.trim().is_empty() {
                    kept.proof = Some(verdict::proof(&proof).map_err(|bad| (PROOF, bad))?);
                }
                Ok(kept)
            });
        match read {
            Ok(kept) => {
                checking.keep(Some(kept));
                on_done();
            }
            Err((field, bad)) => trouble.set(Some(Trouble {
                field,
                words: words::capitalised(&bad),
            })),
        }
    };
    view! {
        <div class="verify__adding">
            <Pasted
                id=CHECKPOINT
                label="The checkpoint, with its signature"
                rows="5"
                placeholder="log.example\n4812\nkX3…=\n\n— log.example Vq1…"
                text=note
                trouble
            />
            <Pasted
                id=PROOF
                label="The log's proof, if you have one"
                rows="2"
                placeholder="{\"from\": 4812, \"to\": …"
                text=proof
                trouble
            />
            <div class="line">
                <button class="button button--small button--primary" on:click=add>
                    "Compare with this one"
                </button>
            </div>
        </div>
    }
}
