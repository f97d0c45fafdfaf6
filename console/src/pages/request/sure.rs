//! A question before something is taken away or given. Names what happens; Esc keeps things as they are.

use leptos::{ev::SubmitEvent, html, prelude::*};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::pages) struct Question {
    /// "Revoke access to Room 3?"
    pub(in crate::pages) title: String,
    /// What happens then.
    pub(in crate::pages) rest: String,
    /// The button that does it.
    pub(in crate::pages) yes: &'static str,
    /// The button that doesn't.
    pub(in crate::pages) no: &'static str,
    /// Whether it takes something away.
    pub(in crate::pages) is_warning: bool,
}

/// Draws the question while there is one. What is between comes as `children`. `on_yes` says whether it is answered.
#[component]
pub(in crate::pages) fn Sure(
    question: Signal<Option<Question>>,
    on_yes: Callback<(), bool>,
    on_no: Callback<()>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        let is_asked = question.with(Option::is_some);
        let Some(dialog) = dialog.get() else {
            return;
        };
        if is_asked && !dialog.open() {
            // A dialog that can't be shown asks nothing, and nothing happens.
            let _shown = dialog.show_modal();
        } else if !is_asked && dialog.open() {
            dialog.close();
        }
    });
    let part = move |read: fn(&Question) -> String| {
        move || question.with(|question| question.as_ref().map(read))
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        on_yes.run(());
    };
    let class = move || {
        let is_warning =
            question.with(|question| question.as_ref().is_some_and(|it| it.is_warning));
        if is_warning {
            "button button--warn"
        } else {
            "button button--primary"
        }
    };
    view! {
        <dialog class="rsure" aria-label=part(|it| it.title.clone()) node_ref=dialog on:close=move |_| on_no.run(())>
            <form on:submit=submit>
                <h2>{part(|it| it.title.clone())}</h2>
                <p>{part(|it| it.rest.clone())}</p>
                {children.map(|children| children())}
                <div class="rrow">
                    <button type="submit" class=class>
                        {part(|it| it.yes.to_owned())}
                    </button>
                    <button type="button" class="button" on:click=move |_| on_no.run(())>
                        {part(|it| it.no.to_owned())}
                    </button>
                </div>
            </form>
        </dialog>
    }
}
