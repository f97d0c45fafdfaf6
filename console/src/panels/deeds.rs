//! What the person may do to a job now. What takes something away is asked first.

use leptos::{html, prelude::*};
use protocol::{
    job::{IncidentKind, JobEvent},
    views::{Problem, Role},
};

use crate::{
    job_words,
    machine::Deed,
    parts::{refusal::Refusal, unsigned::UnsignedNotice},
};

/// A deed that is done: what was chosen, in which role, and what has to be said with it.
pub(crate) type Done = (Deed, Role, Option<JobEvent>);

/// Draws the deeds. `assign` is drawn where choosing a robot is one of them.
#[component]
pub(crate) fn Deeds(
    #[prop(into)] deeds: Signal<Vec<(Deed, Role)>>,
    #[prop(into)] waits_for: Signal<Option<&'static str>>,
    #[prop(into)] is_busy: Signal<bool>,
    trouble: RwSignal<Option<Problem>>,
    on_deed: Callback<Done>,
    assign: ViewFn,
) -> impl IntoView {
    let asking = RwSignal::new(None::<(Deed, Role)>);
    // What is no longer possible is no longer asked.
    Effect::new(move |_| {
        let offered = deeds.get();
        if asking.with_untracked(|asking| asking.is_some_and(|deed| !offered.contains(&deed))) {
            asking.set(None);
        }
    });
    let assign = StoredValue::new_local(assign);
    let can_assign =
        Memo::new(move |_| deeds.with(|deeds| deeds.iter().any(|(deed, _)| *deed == Deed::Assign)));
    let button = move |(deed, role): (Deed, Role)| {
        let takes_away = deed.takes_away().is_some();
        let act = move |_| {
            if is_busy.get_untracked() {
                return;
            }
            if takes_away {
                asking.set(Some((deed, role)));
            } else {
                on_deed.run((deed, role, None));
            }
        };
        view! {
            <button
                class="button"
                class:button--warn=takes_away
                aria-disabled=move || is_busy.get().then_some("true")
                on:click=act
            >
                {deed.words()}
            </button>
        }
    };
    let buttons = move || {
        let offered = deeds.get().into_iter();
        let offered = offered.filter(|(deed, _)| *deed != Deed::Assign);
        offered.map(button).collect_view()
    };
    view! {
        <Show when=move || deeds.with(|deeds| !deeds.is_empty())>
            <section class="panel deeds" aria-label="What you can do">
                <header>
                    <h2>"What you can do"</h2>
                </header>
                <div class="panel__body">
                    <Show when=move || can_assign.get()>
                        {assign.with_value(ViewFn::run)}
                    </Show>
                    {move || waits_for.get().map(|words| view! { <p class="soft">{words}</p> })}
                    <div class="deeds__all">{buttons}</div>
                    {move || asking.get().map(|deed| ask(deed, is_busy, asking, on_deed))}
                    <Refusal problem=trouble />
                    <UnsignedNotice />
                </div>
            </section>
        </Show>
    }
}

/// Says what a deed takes away. Escape and the first button keep things as they are.
fn ask(
    (deed, role): (Deed, Role),
    is_busy: Signal<bool>,
    asking: RwSignal<Option<(Deed, Role)>>,
    on_deed: Callback<Done>,
) -> impl IntoView {
    let kind = RwSignal::new(IncidentKind::Other);
    let keep = NodeRef::<html::Button>::new();
    Effect::new(move |_| {
        if let Some(button) = keep.get() {
            // A button that can't take the focus is there all the same.
            let _focused = button.focus();
        }
    });
    let act = move |_| {
        if is_busy.get_untracked() {
            return;
        }
        let event = (deed == Deed::RaiseIncident).then(|| JobEvent::IncidentRaised {
            incident: kind.get_untracked(),
            epoch: None,
        });
        asking.set(None);
        on_deed.run((deed, role, event));
    };
    let choose = (deed == Deed::RaiseIncident).then(|| what_went_wrong(kind));
    view! {
        <div
            class="deeds__ask"
            role="alertdialog"
            aria-label=format!("{}?", deed.words())
            on:keydown=move |event| {
                if event.key() == "Escape" {
                    event.prevent_default();
                    asking.set(None);
                }
            }
        >
            <b>{deed.words()} "?"</b>
            <p class="soft">{deed.takes_away()}</p>
            {choose}
            <div class="deeds__all">
                <button class="button" node_ref=keep on:click=move |_| asking.set(None)>
                    "Keep as it is"
                    <kbd>"Esc"</kbd>
                </button>
                <button class="button button--warn" data-testid="confirm" on:click=act>
                    {deed.words()}
                </button>
            </div>
        </div>
    }
    .into_any()
}

fn what_went_wrong(kind: RwSignal<IncidentKind>) -> impl IntoView {
    let option = |(place, kind): (usize, IncidentKind)| {
        view! {
            <option value=place.to_string() selected=kind == IncidentKind::Other>
                {job_words::incident(kind)}
            </option>
        }
    };
    view! {
        <select
            class="field"
            aria-label="What went wrong"
            on:change:target=move |event| {
                let place = event.target().value().parse::<usize>().ok();
                let chosen = place.and_then(|place| job_words::INCIDENTS.get(place));
                kind.set(chosen.copied().unwrap_or(IncidentKind::Other));
            }
        >
            {job_words::INCIDENTS.into_iter().enumerate().map(option).collect_view()}
        </select>
    }
}
