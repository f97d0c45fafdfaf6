//! The decision about a complaint.

use leptos::prelude::*;
use protocol::{
    CaseId,
    case::{CaseEvent, Ruling},
    views::Role,
};

use super::Cases;
use crate::{
    pages::request::sure::{Question, Sure},
    request::complaint,
};

const RULINGS: [(&str, Ruling, &str); 3] = [
    ("upheld", Ruling::Upheld, "Upheld: the complaint is right"),
    (
        "partly_upheld",
        Ruling::PartlyUpheld,
        "Partly upheld: right in part",
    ),
    ("rejected", Ruling::Rejected, "Rejected: not right"),
];

/// A ruling and why, asked once more before it is made.
#[component]
pub(super) fn Rule(cases: Cases, case: CaseId, weight: u8) -> impl IntoView {
    let chosen = RwSignal::new(None::<Ruling>);
    let reason = RwSignal::new(String::new());
    let trouble = RwSignal::new(None::<String>);
    let is_asked = RwSignal::new(false);
    let is_too_grave = Memo::new(move |_| {
        complaint::takes_an_admin(weight) && !cases.session.has_role(&[Role::Admin])
    });
    let ask = move || {
        let wrong = match chosen.get_untracked() {
            None => Some("Choose a ruling.".to_owned()),
            Some(_) => complaint::words_trouble(&reason.get_untracked(), "Say why."),
        };
        is_asked.set(wrong.is_none());
        trouble.set(wrong);
    };
    let question = Signal::derive(move || {
        let (_, _, words) = RULINGS
            .into_iter()
            .find(|(_, ruling, _)| Some(*ruling) == chosen.get())?;
        is_asked.get().then(|| Question {
            title: format!("{words}?"),
            rest: "The ruling and its reason are shown to the requester and stay in the log."
                .to_owned(),
            yes: "Rule",
            no: "Not yet",
            is_warning: false,
        })
    });
    let rule = Callback::new(move |()| {
        is_asked.set(false);
        let Some(ruling) = chosen.get_untracked() else {
            return false;
        };
        let nothing = protocol::case::SaltedHash([0; 32]);
        let event = CaseEvent::Ruled {
            ruling,
            reason: nothing,
        };
        cases.act(case, event, Some(reason.get_untracked().trim().to_owned()));
        true
    });
    view! {
        <Show
            when=move || !is_too_grave.get()
            fallback=|| {
                view! {
                    <p class="soft">"A case of this severity is ruled by an admin."</p>
                }
            }
        >
            {form(chosen, reason, trouble, ask)}
        </Show>
        <Sure question on_yes=rule on_no=Callback::new(move |()| is_asked.set(false)) />
    }
}

/// What is filled in.
fn form(
    chosen: RwSignal<Option<Ruling>>,
    reason: RwSignal<String>,
    trouble: RwSignal<Option<String>>,
    ask: impl Fn() + Copy + 'static,
) -> impl IntoView {
    view! {
        <div class="case__act">
            <label for="ruling">"Ruling"</label>
            <select
                id="ruling"
                class="field"
                on:change:target=move |event| {
                    let word = event.target().value();
                    let found = RULINGS.into_iter().find(|(each, _, _)| *each == word);
                    chosen.set(found.map(|(_, ruling, _)| ruling));
                }
            >
                <option value="">"Choose"</option>
                {RULINGS
                    .map(|(word, _, words)| view! { <option value=word>{words}</option> })
                    .collect_view()}
            </select>
            <label for="reason">"Why"</label>
            <textarea
                id="reason"
                class="field"
                aria-describedby="reason-trouble"
                on:input:target=move |event| reason.set(event.target().value())
            ></textarea>
            <p id="reason-trouble" class="alarm" aria-live="polite">
                {move || trouble.get()}
            </p>
            <button class="button button--primary" on:click=move |_| ask()>
                "Rule"
            </button>
        </div>
    }
}
