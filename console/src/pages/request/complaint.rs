//! Filing a complaint about a job.

use super::{
    desk::Desk,
    field::{Field, focus_on_trouble},
    photos::{Photo, shrink},
};
use crate::{
    acts, browser,
    navigation::Navigation,
    parts::{
        icon::{Glyph, icon},
        refusal::Refusal,
        unsigned::UnsignedNotice,
    },
    request::complaint::{self, Draft, Troubles},
    route::Route,
};
use leptos::{html, prelude::*, task::spawn_local};
use protocol::{
    CaseId, EvidenceId, JobId,
    case::CaseKind,
    limits::MAX_CASE_PICTURES,
    views::{Complaint, ComplaintPicture, Problem},
};

/// The form and what became of it.
#[derive(Clone, Copy)]
struct Form {
    draft: RwSignal<Draft>,
    photos: RwSignal<Vec<Photo>>,
    troubles: RwSignal<Troubles>,
    photo_trouble: RwSignal<Option<String>>,
    refused: RwSignal<Option<Problem>>,
    is_sending: RwSignal<bool>,
    /// Chosen once, so that what is sent twice is one case.
    case: CaseId,
}

impl Form {
    fn new() -> Self {
        Self {
            draft: RwSignal::new(Draft::default()),
            photos: RwSignal::new(Vec::new()),
            troubles: RwSignal::new(Troubles::default()),
            photo_trouble: RwSignal::new(None),
            refused: RwSignal::new(None),
            is_sending: RwSignal::new(false),
            case: CaseId(browser::fresh_id()),
        }
    }
}

/// The page.
#[component]
pub(crate) fn ComplaintPage(id: JobId) -> impl IntoView {
    document().set_title("Complaint · Nooterra");
    let desk = Desk::new(id);
    let form = Form::new();
    let title = desk.part(|job| job.plan.title.clone());
    let robot = desk.part(|job| job.robot_name.clone());
    let send = sender(form, id);
    view! {
        <div class="rpage rpage--job rpage--footed">
            <header class="rhead rhead--within">
                <a
                    href=Route::RequestJob(id).to_string()
                    class="rhead__back"
                    aria-label="Back to the job"
                >
                    {icon(Glyph::Back)}
                </a>
                <h1>"Complaint"</h1>
            </header>
            <form
                class="rfields"
                novalidate
                on:submit=move |event| {
                    event.prevent_default();
                    send();
                }
            >
                <p class="panel rbody rabout">
                    <b>{title}</b>
                    <span class="rsmall soft">{robot}</span>
                </p>
                <About form />
                <Severity form />
                <Words form />
                <Photos form />
                <p class="rnote">
                    {icon(Glyph::Lock)}
                    <span>
                        "Sending keeps the job's record as evidence until a person has ruled. Your words and pictures are seen by who reviews it, and can be deleted."
                    </span>
                </p>
                <UnsignedNotice />
                <div class="rfoot rfoot--one">
                    <Refusal problem=form.refused />
                    <button
                        type="submit"
                        class="button button--primary"
                        aria-disabled=move || form.is_sending.get().then_some("true")
                    >
                        {move || if form.is_sending.get() { "Sending" } else { "Send complaint" }}
                    </button>
                </div>
            </form>
        </div>
    }
}

fn sender(form: Form, job: JobId) -> impl Fn() + Copy {
    let acts = acts::acts();
    let navigation = expect_context::<Navigation>();
    move || {
        if form.is_sending.get_untracked() {
            return;
        }
        let draft = form.draft.get_untracked();
        let found = complaint::troubles(&draft);
        let is_right = found.is_none();
        form.troubles.set(found);
        let (true, Some(about), Some(severity)) = (is_right, draft.about, draft.severity) else {
            focus_on_trouble();
            return;
        };
        let complaint = compose(form, about, severity, draft.words.trim().to_owned());
        form.is_sending.set(true);
        spawn_local(async move {
            let answer = match complaint {
                Ok(complaint) => acts.complain(job, complaint).await,
                Err(problem) => Err(problem),
            };
            let _set = form.is_sending.try_set(false);
            match answer {
                Ok(_) => navigation.go(Route::RequestJob(job)),
                Err(problem) => {
                    let _set = form.refused.try_set(Some(problem));
                }
            }
        });
    }
}

fn compose(form: Form, about: CaseKind, severity: u8, words: String) -> Result<Complaint, Problem> {
    let picture = |photo: Photo| {
        Ok(ComplaintPicture {
            evidence: EvidenceId(browser::fresh_id()),
            media_type: "image/jpeg".to_owned(),
            salt: acts::fresh_salt()?,
            content: photo.content,
        })
    };
    let pictures = form.photos.get_untracked().into_iter().map(picture);
    Ok(Complaint {
        case: form.case,
        about,
        severity,
        words,
        salt: acts::fresh_salt()?,
        pictures: pictures.collect::<Result<_, Problem>>()?,
        sealed: None,
    })
}

#[component]
fn About(form: Form) -> impl IntoView {
    let trouble = Signal::derive(move || form.troubles.with(|all| all.about.clone()));
    view! {
        <Field id="about" label="What went wrong" trouble>
            <select
                id="about"
                class="rinput"
                aria-describedby="about-trouble"
                on:change:target=move |event| {
                    let kind = CaseKind::parse(&event.target().value());
                    form.draft.update(|draft| draft.about = kind);
                    form.troubles.update(|all| all.about = None);
                }
            >
                <option value="">"Choose"</option>
                {CaseKind::ALL
                    .map(|kind| view! { <option value=kind.word()>{complaint::about(kind)}</option> })
                    .collect_view()}
            </select>
        </Field>
    }
}

#[component]
fn Severity(form: Form) -> impl IntoView {
    let trouble = Signal::derive(move || form.troubles.with(|all| all.severity.clone()));
    view! {
        <Field id="severity" label="How bad is it" trouble>
            <select
                id="severity"
                class="rinput"
                aria-describedby="severity-trouble"
                on:change:target=move |event| {
                    let severity = event.target().value().parse().ok();
                    form.draft.update(|draft| draft.severity = severity);
                    form.troubles.update(|all| all.severity = None);
                }
            >
                <option value="">"Choose"</option>
                {complaint::SEVERITIES
                    .map(|(number, words)| {
                        view! { <option value=number.to_string()>{format!("{number}. {words}")}</option> }
                    })
                    .collect_view()}
            </select>
        </Field>
    }
}

#[component]
fn Words(form: Form) -> impl IntoView {
    let trouble = Signal::derive(move || form.troubles.with(|all| all.words.clone()));
    view! {
        <Field id="words" label="Tell us what you saw" trouble>
            <textarea
                id="words"
                class="rinput"
                rows="4"
                aria-describedby="words-trouble"
                on:input:target=move |event| {
                    form.draft.update(|draft| draft.words = event.target().value());
                    form.troubles.update(|all| all.words = None);
                }
            ></textarea>
        </Field>
    }
}

#[component]
fn Photos(form: Form) -> impl IntoView {
    let chooser = NodeRef::<html::Input>::new();
    let count = Memo::new(move |_| form.photos.with(Vec::len));
    let next = StoredValue::new(0_u32);
    let add = move |_| {
        let Some(input) = chooser.get_untracked() else {
            return;
        };
        let files = input.files();
        let files = files
            .iter()
            .flat_map(|files| (0..files.length()).filter_map(|at| files.get(at)));
        let files: Vec<web_sys::File> = files.collect();
        input.set_value("");
        form.photo_trouble.set(None);
        spawn_local(async move {
            for file in files {
                let content = shrink(&file).await;
                let is_read = content.is_some();
                let has_room = form.photos.try_update(|photos| {
                    let has_room = complaint::has_room(photos.len());
                    if let Some(content) = content.filter(|_| has_room) {
                        let number = next.get_value();
                        next.set_value(number + 1);
                        photos.push(Photo { number, content });
                    }
                    has_room
                });
                let trouble = match (is_read, has_room) {
                    (false, _) => Some(format!("{} is no picture that can be read.", file.name())),
                    (true, Some(false)) => Some(format!("At most {MAX_CASE_PICTURES} pictures.")),
                    (true, _) => None,
                };
                if trouble.is_some() {
                    let _set = form.photo_trouble.try_set(trouble);
                }
            }
        });
    };
    let photo = move |photo: Photo| {
        let number = photo.number;
        view! {
            <figure>
                <img src=photo.address() alt=format!("Picture {}", number + 1) />
                <button
                    type="button"
                    aria-label=format!("Remove picture {}", number + 1)
                    on:click=move |_| {
                        form.photos.update(|all| all.retain(|photo| photo.number != number));
                    }
                >
                    {icon(Glyph::Cross)}
                </button>
            </figure>
        }
    };
    view! {
        <div class="rfield">
            <div class="rpictures">
                <For each=move || form.photos.get() key=|photo| photo.number children=photo />
                <Show when=move || complaint::has_room(count.get())>
                    <label class="button">
                        {icon(Glyph::Plus)}
                        "Add photo"
                        <input
                            type="file"
                            accept="image/*"
                            multiple
                            class="hidden"
                            node_ref=chooser
                            on:change=add
                        />
                    </label>
                </Show>
            </div>
            <div aria-live="polite">
                {move || form.photo_trouble.get().map(|words| view! { <p class="rfield__trouble">{words}</p> })}
            </div>
        </div>
    }
}
