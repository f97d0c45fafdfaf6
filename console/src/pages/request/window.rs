//! When it is wanted: now, or between two times of a day.

use leptos::prelude::*;

use super::{
    field::Field,
    mark::{self, ZONE},
    order::Form,
};
use crate::{
    browser,
    request::when::{MINUTE_US, Trouble, Wish},
};

/// Days that can be chosen: nobody knows longer ahead which robots there are.
const DAYS: i64 = 14;

#[component]
pub(super) fn When(form: Form) -> impl IntoView {
    let is_between = Memo::new(move |_| form.wish.with(|wish| *wish != Wish::Now));
    let now = move || mark::gateway_now(form.live, browser::now());
    let choose = move |is_between: bool| {
        form.when_trouble.set(None);
        form.wish.set(if is_between {
            let from = ZONE.soonest(now(), 30);
            Wish::Between {
                days: 0,
                from: ZONE.clock(from),
                until: ZONE.clock(from.plus(120 * MINUTE_US)),
            }
        } else {
            Wish::Now
        });
    };
    let radio = move |between: bool, words: &'static str| {
        view! {
            <label class="rcheck">
                <input
                    type="radio"
                    name="when"
                    prop:checked=move || is_between.get() == between
                    on:change=move |_| choose(between)
                />
                {words}
            </label>
        }
    };
    view! {
        <fieldset class="rfield">
            <legend>"When"</legend>
            {radio(false, "As soon as a robot is free")}
            {radio(true, "In a time window")}
        </fieldset>
        <Show when=move || is_between.get()>
            <Between form />
        </Show>
    }
}

#[component]
fn Between(form: Form) -> impl IntoView {
    let now = mark::gateway_now(form.live, browser::now());
    let change = move |edit: &dyn Fn(&mut i64, &mut String, &mut String)| {
        form.when_trouble.set(None);
        form.wish.update(|wish| match wish {
            Wish::Between { days, from, until } => edit(days, from, until),
            Wish::Now => {}
        });
    };
    let day = move |days: i64| {
        let words = match days {
            0 => "Today".to_owned(),
            1 => "Tomorrow".to_owned(),
            _ => ZONE.date(now.plus(days * 24 * 60 * MINUTE_US)),
        };
        view! { <option value=days.to_string()>{words}</option> }
    };
    let from_trouble = Signal::derive(move || match form.when_trouble.get() {
        Some(Trouble::From(words)) => Some(words),
        Some(Trouble::Until(_)) | None => None,
    });
    let until_trouble = Signal::derive(move || match form.when_trouble.get() {
        Some(Trouble::Until(words)) => Some(words),
        Some(Trouble::From(_)) | None => None,
    });
    let shown = move |read: fn(&Wish) -> String| move || form.wish.with(read);
    view! {
        <Field id="day" label="Day" trouble=Signal::stored(None)>
            <select
                id="day"
                class="rinput"
                on:change:target=move |event| {
                    let chosen = event.target().value().parse().unwrap_or_default();
                    change(&|days, _, _| *days = chosen);
                }
            >
                {(0..DAYS).map(day).collect_view()}
            </select>
        </Field>
        <div class="rpair">
            <Field id="from" label="From" trouble=from_trouble>
                <input
                    id="from"
                    class="rinput number"
                    type="time"
                    aria-describedby="from-trouble"
                    prop:value=shown(from_of)
                    on:input:target=move |event| {
                        let text = event.target().value();
                        change(&|_, from, _| from.clone_from(&text));
                    }
                />
            </Field>
            <Field id="until" label="Ready by" trouble=until_trouble>
                <input
                    id="until"
                    class="rinput number"
                    type="time"
                    aria-describedby="until-trouble"
                    prop:value=shown(until_of)
                    on:input:target=move |event| {
                        let text = event.target().value();
                        change(&|_, _, until| until.clone_from(&text));
                    }
                />
            </Field>
        </div>
    }
}

fn from_of(wish: &Wish) -> String {
    match wish {
        Wish::Between { from, .. } => from.clone(),
        Wish::Now => String::new(),
    }
}

fn until_of(wish: &Wish) -> String {
    match wish {
        Wish::Between { until, .. } => until.clone(),
        Wish::Now => String::new(),
    }
}
