//! The questions of a template, each drawn as its type asks for.

use jobs::template::{Parameter, ParameterKind};
use leptos::prelude::*;

use super::{
    field::Field,
    order::{Form, robots},
};
use crate::request::order::{YES, places};

/// One question of the template, as its type asks for.
pub(super) fn question(form: Form, parameter: &'static Parameter) -> AnyView {
    let name = parameter.name;
    let trouble = Signal::derive(move || form.troubles.with(|all| all.get(name).cloned()));
    let value = move || {
        form.typed
            .with(|typed| typed.get(name).cloned().unwrap_or_default())
    };
    let tell = move |text: String| {
        form.typed.update(|typed| {
            typed.insert(name, text);
        });
        form.troubles.update(|all| {
            all.remove(name);
        });
    };
    let id = format!("answer-{name}");
    let described = format!("{id}-trouble");
    let control = match parameter.kind {
        ParameterKind::Place => place(form, id.clone(), described, value, tell),
        ParameterKind::Choice { options } => {
            let option = move |(word, label): &(&'static str, &'static str)| {
                let word = *word;
                view! {
                    <option value=word selected=move || value() == word>
                        {*label}
                    </option>
                }
            };
            view! {
                <select id=id.clone() class="rinput" aria-describedby=described on:change:target=move |event| tell(event.target().value())>
                    {options.iter().map(option).collect_view()}
                </select>
            }
            .into_any()
        }
        ParameterKind::Text { .. } => input(id.clone(), described, "text", value, tell),
        ParameterKind::Number { .. } => input(id.clone(), described, "number", value, tell),
        ParameterKind::Flag => {
            return view! {
                <label class="rcheck">
                    <input
                        type="checkbox"
                        prop:checked=move || value() == YES
                        on:change:target=move |event| {
                            tell(if event.target().checked() { YES } else { "" }.to_owned());
                        }
                    />
                    {parameter.label}
                </label>
            }
            .into_any();
        }
    };
    view! {
        <Field id label=parameter.label trouble>
            {control}
        </Field>
    }
    .into_any()
}

fn input(
    id: String,
    described: String,
    kind: &'static str,
    value: impl Fn() -> String + Copy + Send + Sync + 'static,
    tell: impl Fn(String) + Copy + Send + Sync + 'static,
) -> AnyView {
    view! {
        <input
            id=id
            class="rinput"
            type=kind
            autocomplete="off"
            aria-describedby=described
            prop:value=value
            on:input:target=move |event| tell(event.target().value())
        />
    }
    .into_any()
}

/// The places that the site's robots know; where none is connected, the place is typed.
fn place(
    form: Form,
    id: String,
    described: String,
    value: impl Fn() -> String + Copy + Send + Sync + 'static,
    tell: impl Fn(String) + Copy + Send + Sync + 'static,
) -> AnyView {
    let known = Memo::new(move |_| {
        let site = form.site.get();
        form.live
            .read(|model| site.map_or_else(Vec::new, |site| places(robots(model), site)))
    });
    let is_empty = Memo::new(move |_| known.with(Vec::is_empty));
    let option = move |name: String| {
        let shown = name.clone();
        let is_chosen = {
            let name = name.clone();
            move || value() == name
        };
        view! {
            <option value=name selected=is_chosen>
                {shown}
            </option>
        }
    };
    (move || {
        if is_empty.get() {
            return input(id.clone(), described.clone(), "text", value, tell);
        }
        view! {
            <select id=id.clone() class="rinput" aria-describedby=described.clone() on:change:target=move |event| tell(event.target().value())>
                <option value="">"Choose"</option>
                {move || known.get().into_iter().map(option).collect_view()}
            </select>
        }
        .into_any()
    })
    .into_any()
}
