//! Asking for a robot: what, where, when, and whether a person may help.

use std::collections::BTreeMap;

use jobs::template::{self, Template};
use leptos::{prelude::*, task::spawn_local};
use protocol::{
    AccessId, JobId, SiteId, UnixMicros,
    job::{AccessPlan, JobEvent, JobRequest, Plan, TemplateName, Window},
    views::{JobView, Problem, Role},
};

use super::{
    Ungranted,
    answer::question,
    field::{Field, focus_on_trouble},
    job::Back,
    mark::{self, ZONE},
    window::When,
};
use crate::{
    acts::{self, Acts},
    api, browser,
    live::{
        engine::Live,
        model::{Model, Robot},
        reduce::Input,
    },
    navigation::Navigation,
    parts::{refusal::Refusal, unsigned::UnsignedNotice},
    request::{
        order::{Troubles, Typed, answers, menu, sites, untouched},
        when::{Trouble, Wish},
    },
    route::Route,
};

/// The form.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) live: Live,
    template: RwSignal<&'static Template>,
    pub(super) typed: RwSignal<Typed>,
    /// The site that was chosen, if there is a choice.
    chosen: RwSignal<Option<SiteId>>,
    pub(super) site: Memo<Option<SiteId>>,
    pub(super) wish: RwSignal<Wish>,
    has_cover: RwSignal<bool>,
    is_let_in: RwSignal<bool>,
    pub(super) troubles: RwSignal<Troubles>,
    pub(super) when_trouble: RwSignal<Option<Trouble>>,
    refused: RwSignal<Option<Problem>>,
    is_sending: RwSignal<bool>,
    /// Chosen once, so that what is sent twice is one job.
    job: JobId,
    ungranted: Ungranted,
}

pub(super) fn robots(model: &Model) -> impl Iterator<Item = &Robot> {
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
            ungranted: expect_context(),
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
            let asked = self.ask(acts, request, plan).await;
            if let (Ok(()), Some(plan)) = (&asked, access) {
                self.let_in(acts, plan).await;
            }
            let _set = self.is_sending.try_set(false);
            match asked {
                Ok(()) => navigation.go(Route::RequestJob(self.job)),
                Err(problem) => {
                    let _set = self.refused.try_set(Some(problem));
                }
            }
        });
    }

    async fn ask(self, acts: Acts, request: JobRequest, plan: Plan) -> Result<(), Problem> {
        let view = match acts.request_job(request, plan).await {
            // It came when it was sent before, only the answer did not.
            Err(problem) if problem.code == "job_exists" => {
                api::get::<JobView>(&format!("/api/v1/jobs/{}", self.job)).await?
            }
            asked => asked?,
        };
        self.live.tell(Input::Jobs(vec![view]));
        Ok(())
    }

    /// The job is asked for, whatever becomes of this: what went wrong is told on its page, where access can be given, too.
    async fn let_in(self, acts: Acts, plan: AccessPlan) {
        let granted = JobEvent::AccessGranted { plan };
        match acts.on_job(self.job, granted, Role::Requester).await {
            Ok(view) => self.live.tell(Input::Jobs(vec![view])),
            Err(problem) => {
                let Ungranted(ungranted) = self.ungranted;
                let _told = ungranted.try_set(Some((self.job, problem)));
            }
        }
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
                    <UnsignedNotice />
                    <div class="rfoot rfoot--one">
                        <Refusal problem=form.refused />
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
