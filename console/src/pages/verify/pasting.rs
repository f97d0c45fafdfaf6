//! Fields that something is pasted into, and what is wrong with it.

use leptos::{html::Button, prelude::*};

use crate::parts::icon::{Glyph, small};

/// What is wrong, and with which field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// The field's id.
    pub(super) field: &'static str,
    pub(super) words: String,
}

/// A field of several lines. What is wrong with it stands below it and is read with it.
#[component]
pub(super) fn Pasted(
    id: &'static str,
    label: &'static str,
    rows: &'static str,
    placeholder: &'static str,
    text: RwSignal<String>,
    trouble: RwSignal<Option<Trouble>>,
) -> impl IntoView {
    let wrong = Memo::new(move |_| {
        trouble.with(|trouble| {
            let of_this = trouble.as_ref().filter(|trouble| trouble.field == id);
            of_this.map(|trouble| trouble.words.clone())
        })
    });
    let words_id = format!("{id}-trouble");
    let described_by = words_id.clone();
    view! {
        <label for=id>{label}</label>
        <textarea
            id=id
            class="field"
            rows=rows
            spellcheck="false"
            placeholder=placeholder
            aria-invalid=move || wrong.with(Option::is_some).to_string()
            aria-describedby=move || wrong.with(Option::is_some).then(|| described_by.clone())
            prop:value=text
            on:input:target=move |event| text.set(event.target().value())
        ></textarea>
        <p class="alarm line" role="alert" id=words_id hidden=move || wrong.with(Option::is_none)>
            {small(Glyph::Octagon)} <span>{wrong}</span>
        </p>
    }
}

/// The button that shows and hides such fields. It gets the focus back from whatever of its panel disappears.
#[component]
pub(super) fn Toggle(
    word: Signal<&'static str>,
    /// The same with what is added or changed, for who does not see the panel around it.
    label: Signal<&'static str>,
    is_open: RwSignal<bool>,
    button: NodeRef<Button>,
) -> impl IntoView {
    view! {
        <button
            node_ref=button
            class="button button--small button--ghost"
            aria-expanded=move || is_open.get().to_string()
            aria-label=label
            on:click=move |_| is_open.update(|is_open| *is_open = !*is_open)
        >
            {small(Glyph::Plus)}
            {word}
        </button>
    }
}

/// Puts the focus on the panel's button, before what had it is gone.
pub(super) fn focus_back(button: NodeRef<Button>) {
    if let Some(button) = button.get_untracked() {
        let _unfocusable = button.focus();
    }
}
