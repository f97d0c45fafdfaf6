//! A field of a form: its label, the control, and below it what is wrong and what to type instead.

use leptos::prelude::*;

use crate::parts::icon::{Glyph, small};

/// Draws a field around its control. The control's id is `id`; it names `{id}-trouble` as its description.
#[component]
pub(super) fn Field(
    #[prop(into)] id: String,
    label: &'static str,
    trouble: Signal<Option<String>>,
    #[prop(optional)] hint: &'static str,
    children: Children,
) -> impl IntoView {
    let described = format!("{id}-trouble");
    view! {
        <div class="rfield" class:is-bad=move || trouble.with(Option::is_some)>
            <label for=id>{label}</label>
            {children()}
            <div id=described aria-live="polite">
                {move || match trouble.get() {
                    Some(words) => {
                        Some(
                            view! { <p class="rfield__trouble">{small(Glyph::Octagon)} {words}</p> }
                                .into_any(),
                        )
                    }
                    None if hint.is_empty() => None,
                    None => Some(view! { <p class="rhint">{hint}</p> }.into_any()),
                }}
            </div>
        </div>
    }
}

/// Puts the focus on the first field that is wrong, once it is drawn as such.
pub(super) fn focus_on_trouble() {
    request_animation_frame(|| {
        let found = document().query_selector(".rfield.is-bad :is(input,select,textarea)");
        if let Some(control) = found.ok().flatten() {
            let _focused = crate::browser::call(&control, "focus", &[]);
        }
    });
}
