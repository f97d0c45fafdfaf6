//! Asking for a robot: what, where, when, and whether a person may help.

use std::collections::BTreeMap;

use jobs::template::{self, Parameter, ParameterKind, Template};
use leptos::{prelude::*, task::spawn_local};
use protocol::{
    AccessId, JobId, SiteId, UnixMicros,
    job::{AccessPlan, JobEvent, JobRequest, Plan, TemplateName, Window},
    views::{Problem, Role},
};

use super::{
    field::{Field, focus_on_trouble},
    job::Back,
    mark::{self, ZONE},
};
use crate::{
    acts::{self, Acts},
    browser,
    live::{
        engine::Live,
        model::{Model, Robot},
        reduce::Input,
    },
    navigation::Navigation,
    parts::{refusal::Refusal, unsigned::UnsignedNotice},
    request::{
        order::{Troubles, Typed, YES, answers, menu, places, sites, untouched},
        when::{MINUTE_US, Trouble, Wish},
    },
    route::Route,
};

/// Days that can be chosen: nobody knows longer ahead which robots there are.
const DAYS: i64 = 14;

/// The form.
#[derive(Clone, Copy)]
struct Form {
    live: Live,
    template: RwSignal<&'static Template>,
    typed: RwSignal<Typed>,
    /// The site that was chosen, if there is a choice.
    chosen: RwSignal<Option<SiteId>>,
    site: Memo<Option<SiteId>>,
    wish: RwSignal<Wish>,
    has_cover: RwSignal<bool>,
    is_let_in: RwSignal<bool>,
    troubles: RwSignal<Troubles>,
    when_trouble: RwSignal<Option<Trouble>>,
    refused: RwSignal<Option<Problem>>,
    is_sending: RwSignal<bool>,
    /// Chosen once, so that what is sent twice is one job.
    job: JobId,
}

fn robots(model: &Model) -> impl Iterator<Item = &Robot> {
    model.robots.iter().flat_map(BTreeMap::values)
}

/// The page.
#[component]
pub(crate) fn OrderPage() -> impl IntoView {
    document().set_title("Ask for a robot · Nooterra");
    match menu().first() {
        Some(first) => view! { <Order form=Form::new(first) /> }.into_any(),
        None => ().into_any(),
    }
}

impl Form {
    fn new(first: &'static Template) -> Self {
        let live = expect_context::<Live>();
        let chosen = RwSignal::new(None);
        let site = Memo::new(move |_| {
            let first = live.read(|model| sites(robots(model)).first().map(|(site, _)| *site));
            chosen.get().or(first)
        });
        Self {
            live,
            template: RwSignal::new(first),
            typed: RwSignal::new(untouched(first)),
            chosen,
            site,
            wish: RwSignal::new(Wish::Now),
            has_cover: RwSignal::new(true),
            is_let_in: RwSignal::new(true),
            troubles: RwSignal::new(Troubles::new()),
            when_trouble: RwSignal::new(None),
            refused: RwSignal::new(None),
            is_sending: RwSignal::new(false),
            job: JobId(browser::fresh_id()),
        }
    }

    /// What is asked for, once everything is right; what is wrong is said at its field.
    fn request(self) -> Option<(JobRequest, Plan)> {
        let template = self.template.get_untracked();
        let now = mark::gateway_now(self.live, browser::now());
        let found = answers(template, &self.typed.get_untracked());
        let window = self.wish.get_untracked().window(ZONE, now);
        self.troubles.set(found.clone().err().unwrap_or_default());
        self.when_trouble.set(window.clone().err());
        let request = JobRequest {
            job: self.job,
            site: self.site.get_untracked()?,
            template: TemplateName {
                name: template.name.to_owned(),
                version: template.version,
            },
            parameters: found.ok()?,
            window: window.ok()?,
            operator_cover: self.has_cover.get_untracked(),
        };
        let plan = template::plan(&request).ok()?;
        Some((request, plan))
    }

    fn send(self, acts: Acts, navigation: Navigation) {
        if self.is_sending.get_untracked() {
            return;
        }
        let Some((request, plan)) = self.request() else {
            focus_on_trouble();
            return;
        };
        let access = self.is_let_in.get_untracked().then(|| AccessPlan {
            access: AccessId(browser::fresh_id()),
            place: plan.place.clone(),
            window: request.window,
            secret: None,
        });
        self.is_sending.set(true);
        spawn_local(async move {
            let asked = acts.request_job(request, plan).await;
            let answer = match (asked, access) {
                (Ok(_), Some(plan)) => {
                    let granted = JobEvent::AccessGranted { plan };
                    acts.on_job(self.job, granted, Role::Requester).await
                }
                (asked, _) => asked,
            };
            let _set = self.is_sending.try_set(false);
            match answer {
                Ok(view) => {
                    self.live.tell(Input::Jobs(vec![view]));
                    navigation.go(Route::RequestJob(self.job));
                }
                Err(problem) => {
                    let _set = self.refused.try_set(Some(problem));
                }
            }
        });
    }
}

#[component]
fn Order(form: Form) -> impl IntoView {
    let acts = acts::acts();
    let navigation = expect_context::<Navigation>();
    view! {
        <div class="rpage rpage--job rpage--footed">
            <header class="rhead rhead--within">
                <Back />
                <h1>"What should be done?"</h1>
            </header>
            <div class="rtwo">
                <form
                    class="panel rbody rfields"
                    novalidate
                    on:submit=move |event| {
                        event.prevent_default();
                        form.send(acts, navigation);
                    }
                >
                    <What form />
                    <Where form />
                    {move || {
                        let questions = form.template.get().parameters.iter();
                        questions.map(|parameter| question(form, parameter)).collect_view()
                    }}
                    <When form />
                    <fieldset class="rfield">
                        <legend>"What you allow"</legend>
                        {check(form.is_let_in, "The robot may enter the place in this time")}
                        {check(
                            form.has_cover,
                            "An operator may look through its cameras and help when it is unsure",
                        )}
                    </fieldset>
                    <Refusal problem=form.refused />
                    <UnsignedNotice />
                    <div class="rfoot rfoot--one">
                        <button
                            type="submit"
                            class="button button--primary"
                            aria-disabled=move || form.is_sending.get().then_some("true")
                        >
                            {move || if form.is_sending.get() { "Sending" } else { "Ask for a robot" }}
                        </button>
                    </div>
                </form>
                <Preview form />
            </div>
        </div>
    }
}

#[component]
fn What(form: Form) -> impl IntoView {
    let choose = move |name: &str| {
        if let Some(template) = menu().into_iter().find(|template| template.name == name) {
            form.template.set(template);
            form.troubles.set(Troubles::new());
            // What was answered already stays, where the new form asks it too.
            form.typed.update(|typed| {
                let before = std::mem::replace(typed, untouched(template));
                for (name, text) in before {
                    if let Some(field) = typed.get_mut(name).filter(|field| field.is_empty()) {
                        *field = text;
                    }
                }
            });
        }
    };
    view! {
        <Field id="template" label="Job" trouble=Signal::stored(None)>
            <select
                id="template"
                class="rinput"
                on:change:target=move |event| choose(&event.target().value())
            >
                {menu()
                    .into_iter()
                    .map(|template| view! { <option value=template.name>{template.label}</option> })
                    .collect_view()}
            </select>
        </Field>
    }
}

#[component]
fn Where(form: Form) -> impl IntoView {
    let known = Memo::new(move |_| form.live.read(|model| sites(robots(model))));
    let is_loading = Memo::new(move |_| form.live.read(|model| model.robots.is_none()));
    let trouble = Signal::derive(move || {
        let is_nowhere = known.with(Vec::is_empty) && !is_loading.get();
        is_nowhere.then(|| "No robot works at a site of yours yet.".to_owned())
    });
    let option = move |(site, name): (SiteId, String)| {
        let is_chosen = move || form.site.get() == Some(site);
        view! {
            <option value=site.to_string() selected=is_chosen>
                {name}
            </option>
        }
    };
    view! {
        <Field id="site" label="Site" trouble>
            <select
                id="site"
                class="rinput"
                on:change:target=move |event| form.chosen.set(event.target().value().parse().ok())
            >
                {move || known.get().into_iter().map(option).collect_view()}
            </select>
        </Field>
    }
}

/// One question of the template, as its type asks for.
fn question(form: Form, parameter: &'static Parameter) -> AnyView {
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

fn check(flag: RwSignal<bool>, words: &'static str) -> impl IntoView {
    view! {
        <label class="rcheck">
            <input
                type="checkbox"
                prop:checked=move || flag.get()
                on:change:target=move |event| flag.set(event.target().checked())
            />
            {words}
        </label>
    }
}

#[component]
fn When(form: Form) -> impl IntoView {
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

/// What the robot would do, as soon as the answers are enough to tell.
#[component]
fn Preview(form: Form) -> impl IntoView {
    let steps = Memo::new(move |_| {
        let template = form.template.get();
        let parameters = form.typed.with(|typed| answers(template, typed)).ok()?;
        let request = JobRequest {
            job: form.job,
            site: form.site.get()?,
            template: TemplateName {
                name: template.name.to_owned(),
                version: template.version,
            },
            parameters,
            window: Window {
                from: UnixMicros(0),
                until: UnixMicros(1),
            },
            operator_cover: true,
        };
        let plan = template::plan(&request).ok()?;
        Some(
            plan.steps
                .into_iter()
                .map(|step| step.title)
                .collect::<Vec<_>>(),
        )
    });
    view! {
        <section class="panel rhide-phone" aria-labelledby="preview-title">
            <header>
                <h2 id="preview-title">"What the robot does"</h2>
            </header>
            <ol class="rbody">
                {move || match steps.get() {
                    Some(titles) => {
                        titles
                            .into_iter()
                            .enumerate()
                            .map(|(place, title)| view! { <li>{format!("{}. {title}", place + 1)}</li> })
                            .collect_view()
                            .into_any()
                    }
                    None => view! { <li class="rhint">"Answer the questions to see it."</li> }.into_any(),
                }}
            </ol>
        </section>
    }
}
