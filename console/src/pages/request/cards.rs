//! What the requester may do to a job: the bar that never moves, the robot's question, access, and the last word.

use leptos::prelude::*;
use protocol::{UnixMicros, job::JobEvent, views::ApprovalView};

use super::{
    desk::Desk,
    field::Field,
    mark::ZONE,
    sure::{Question, Sure},
};
use crate::{
    live::commands::micros_of,
    navigation::Navigation,
    parts::icon::{Glyph, icon},
    request::{
        deeds::{Bar, Pause, Press, deeds},
        state::{robot, robot_within},
        when::{MINUTE_US, countdown, leave_until},
    },
    route::Route,
};

/// What is asked before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Revoke,
    Cancel,
}

/// The question before something is taken away, in the words of this job.
fn question(desk: Desk, asked: RwSignal<Option<Asked>>) -> Signal<Option<Question>> {
    Signal::derive(move || {
        let asked = asked.get()?;
        desk.job.with(|job| {
            let job = job.as_deref()?;
            let name = robot(job);
            let place = &job.plan.place;
            let (title, rest, yes, no) = match asked {
                Asked::Revoke => (
                    format!("Revoke access to {place}?"),
                    format!(
                        "{name} stops and keeps the job. It goes on when you give access again."
                    ),
                    "Revoke access",
                    "Keep it as it is",
                ),
                Asked::Cancel => (
                    format!("Cancel “{}”?", job.plan.title),
                    if job.robot.is_some() {
                        format!("{name} stops and does not come. You can ask for it anew.")
                    } else {
                        "No robot comes. You can ask for it anew.".to_owned()
                    },
                    "Cancel the job",
                    "Keep the job",
                ),
            };
            Some(Question {
                title,
                rest,
                yes,
                no,
                is_warning: true,
            })
        })
    })
}

/// Stop, pause and revoke, in one place.
#[component]
pub(super) fn Controls(desk: Desk) -> impl IntoView {
    let bar = desk.part(|job| deeds(job).bar);
    let is_there = Memo::new(move |_| bar.with(Option::is_some));
    let asked = RwSignal::new(None::<Asked>);
    let is_going_on = RwSignal::new(false);
    let place = desk.part(|job| job.plan.place.clone());
    let name = desk.part(|job| robot_within(job).to_owned());
    let stop_trouble = part_of(bar, |bar| bar.stop.why_not().map(str::to_owned));
    let revoke_trouble = part_of(bar, |bar| bar.revoke.why_not().map(str::to_owned));
    let pause_trouble = part_of(bar, |bar| match &bar.pause {
        Pause::Pause(Press::Not(why)) => Some(why.clone()),
        Pause::Pause(Press::Ready) | Pause::GoOn => None,
    });
    let may_go_on = Memo::new(move |_| {
        bar.with(|bar| bar.as_ref().is_some_and(|bar| bar.pause == Pause::GoOn))
    });
    let news = move || {
        if desk.under_way.get() > 0 {
            Some("Sending".to_owned())
        } else {
            stop_trouble.get()
        }
    };
    let halt = move || desk.act(JobEvent::Paused {});
    let revoke = Callback::new(move |()| {
        asked.set(None);
        let access = desk
            .job
            .with_untracked(|job| job.as_deref()?.access.as_ref().map(|plan| plan.access));
        if let Some(access) = access {
            desk.act(JobEvent::AccessRevoked { access });
        }
        access.is_some()
    });
    view! {
        <Show when=move || is_there.get()>
            <div class="rfoot" role="group" aria-label="Stop, pause, access">
                <p class="rhint rfoot__why" role="status">
                    {news}
                </p>
                {move || {
                    if may_go_on.get() {
                        view! {
                            <button class="button button--primary" on:click=move |_| is_going_on.set(true)>
                                "Let it go on"
                            </button>
                        }
                            .into_any()
                    } else {
                        button("button", Glyph::Pause, "Pause", pause_trouble, halt).into_any()
                    }
                }}
                {button(
                    "button button--warn",
                    Glyph::Key,
                    "Revoke",
                    revoke_trouble,
                    move || asked.set(Some(Asked::Revoke)),
                )}
                {button("button button--stop", Glyph::Octagon, "Stop now", stop_trouble, halt)}
            </div>
            <p class="rhint rhide-phone">
                {move || {
                    format!(
                        "Stop and Pause halt {} and keep the job. Revoke also ends access to {}.",
                        name.get(),
                        place.get(),
                    )
                }}
            </p>
        </Show>
        <Sure
            question=question(desk, asked)
            on_yes=revoke
            on_no=Callback::new(move |()| asked.set(None))
        />
        <Leave desk is_open=is_going_on is_going_on=true />
    }
}

fn part_of(bar: Memo<Option<Bar>>, read: fn(&Bar) -> Option<String>) -> Memo<Option<String>> {
    Memo::new(move |_| bar.with(|bar| bar.as_ref().and_then(read)))
}

/// A button that keeps its place: what it can't do now it says, and takes the focus all the same.
fn button(
    class: &'static str,
    glyph: Glyph,
    words: &'static str,
    trouble: Memo<Option<String>>,
    press: impl Fn() + 'static,
) -> impl IntoView {
    view! {
        <button
            class=class
            aria-disabled=move || trouble.with(Option::is_some).then_some("true")
            title=move || trouble.get()
            on:click=move |_| {
                if trouble.with_untracked(Option::is_none) {
                    press();
                }
            }
        >
            {icon(glyph)}
            {words}
        </button>
    }
}

/// The robot's question, which only the requester may answer.
#[component]
pub(super) fn Approval(desk: Desk) -> impl IntoView {
    let asked = desk.part(|job| job.approval.clone());
    view! { <div aria-live="polite">{move || asked.get().map(|asked| approval(desk, asked))}</div> }
}

fn approval(desk: Desk, asked: ApprovalView) -> impl IntoView {
    let answer_by = micros_of(asked.answer_by);
    let approval = asked.approval;
    let left_us = Memo::new(move |_| answer_by.since(desk.now()).max(0) / 1_000_000 * 1_000_000);
    let is_late = Memo::new(move |_| left_us.get() == 0);
    let is_sent = Memo::new(move |_| desk.under_way.get() > 0);
    let trouble = Memo::new(move |_| match (is_late.get(), is_sent.get()) {
        (true, _) => Some("The time for an answer is over".to_owned()),
        (false, true) => Some("Sending".to_owned()),
        (false, false) => None,
    });
    view! {
        <section class="panel rask" aria-labelledby="ask-title">
            <div class="rbody">
                <div class="line">
                    <h2 id="ask-title">"Your approval is needed"</h2>
                    <span class="grow"></span>
                    <span class="rsmall soft number" aria-live="off">
                        {move || format!("{} left", countdown(UnixMicros(left_us.get()), UnixMicros(0)))}
                    </span>
                </div>
                <p class="rask__question">{asked.words}</p>
                <p class="rsmall soft">
                    {move || {
                        if is_late.get() {
                            "No answer came in time, and that means no."
                        } else {
                            "No answer means no."
                        }
                    }}
                </p>
                <div class="rrow">
                    {button(
                        "button button--primary",
                        Glyph::Check,
                        "Allow once",
                        trouble,
                        move || desk.act(JobEvent::ApprovalGranted { approval }),
                    )}
                    {button(
                        "button",
                        Glyph::Cross,
                        "Don't allow",
                        trouble,
                        move || desk.act(JobEvent::ApprovalDenied { approval }),
                    )}
                </div>
            </div>
        </section>
    }
}

/// The last word on work that is done.
#[component]
pub(super) fn Verdict(desk: Desk) -> impl IntoView {
    let accept_by = desk.part(|job| {
        deeds(job)
            .accept
            .then(|| job.accept_by.map(micros_of).unwrap_or_default())
    });
    let nothing = Memo::new(move |_| (desk.under_way.get() > 0).then(|| "Sending".to_owned()));
    let navigation = expect_context::<Navigation>();
    let close_and_complain = move || {
        desk.act_then(JobEvent::WorkAccepted {}, move || {
            navigation.go(Route::RequestComplaint(desk.id));
        });
    };
    move || {
        accept_by.get().map(|accept_by| {
            let until = ZONE.moment(accept_by, desk.now_once());
            view! {
                <section class="panel rask" aria-labelledby="verdict-title">
                    <div class="rbody">
                        <h2 id="verdict-title">"Is everything as you wanted it?"</h2>
                        <p class="rsmall soft">
                            {format!("Without a word from you it counts as accepted at {until}.")}
                        </p>
                        {button(
                            "button button--primary",
                            Glyph::CircleCheck,
                            "All good",
                            nothing,
                            move || desk.act(JobEvent::WorkAccepted {}),
                        )}
                        {button("button", Glyph::Flag, "Close it and complain", nothing, close_and_complain)}
                        <p class="rhint">
                            "Both close the job and let the robot go. A complaint takes a job that is closed."
                        </p>
                    </div>
                </section>
            }
        })
    }
}

/// Leave to enter: what was given, and giving it.
#[component]
pub(super) fn Access(desk: Desk) -> impl IntoView {
    let may_give = desk.part(|job| deeds(job).give_access);
    let is_open = RwSignal::new(false);
    let told = desk.part(|job| {
        let until = job.access.as_ref().map(|plan| plan.window.until);
        let place = job.access.as_ref().map(|plan| plan.place.clone());
        Some((place.unwrap_or_else(|| job.plan.place.clone()), until))
    });
    let is_over = desk.part(|job| job.phase.is_over());
    let has_cover = desk.part(|job| job.operator_cover);
    let line = move || {
        told.get().map(|(place, until)| {
            let words = match until {
                Some(until) => format!("Until {}", ZONE.moment(until, desk.now_once())),
                None => "No access given".to_owned(),
            };
            view! {
                <span>{place} <br /> <span class="rhint">{words}</span></span>
            }
        })
    };
    let verb = move || {
        let is_given = told.with(|told| told.as_ref().is_some_and(|(_, until)| until.is_some()));
        if is_given { "Change" } else { "Give access" }
    };
    view! {
        <Show when=move || !is_over.get()>
            <section class="panel" aria-labelledby="access-title">
                <header>
                    <h2 id="access-title">"Access you gave"</h2>
                </header>
                <div class="ract">
                    {icon(Glyph::Door)} {line}
                    <Show when=move || may_give.get()>
                        <button class="button button--small" on:click=move |_| is_open.set(true)>
                            {verb}
                        </button>
                    </Show>
                </div>
                <div class="ract">
                    {icon(Glyph::Camera)}
                    <span>
                        "Cameras" <br />
                        <span class="rhint">"Shown to you while it works for you"</span>
                    </span>
                </div>
                <div class="ract">
                    {icon(Glyph::Person)}
                    <span>
                        "Operators" <br />
                        <span class="rhint">
                            {move || {
                                if has_cover.get() {
                                    "Called when it needs help, and then see what it sees"
                                } else {
                                    "Not called"
                                }
                            }}
                        </span>
                    </span>
                </div>
            </section>
        </Show>
        <Leave desk is_open is_going_on=false />
    }
}

/// Asks until when the robot may be in the place, and gives leave until then.
#[component]
fn Leave(desk: Desk, is_open: RwSignal<bool>, is_going_on: bool) -> impl IntoView {
    let typed = RwSignal::new(String::new());
    let trouble = RwSignal::new(None::<String>);
    // What is proposed: until the job was to be done, or half an hour when that has passed.
    Effect::new(move |_| {
        if is_open.get() {
            let now = desk.now_once();
            let until = desk
                .job
                .with_untracked(|job| job.as_deref().map(|job| job.window.until));
            let soonest = now.plus(30 * MINUTE_US);
            typed.set(ZONE.clock(until.unwrap_or(soonest).max(soonest)));
            trouble.set(None);
        }
    });
    let question = Signal::derive(move || {
        is_open.get().then(|| {
            desk.job.with_untracked(|job| {
                let (name, place) = job
                    .as_deref()
                    .map_or(("", ""), |job| (robot(job), job.plan.place.as_str()));
                Question {
                    title: if is_going_on {
                        format!("Let {name} go on?")
                    } else {
                        format!("Give access to {place}?")
                    },
                    rest: format!(
                        "{name} may be in {place} until then, and stops when it is over."
                    ),
                    yes: if is_going_on {
                        "Let it go on"
                    } else {
                        "Give access"
                    },
                    no: "Keep it as it is",
                    is_warning: false,
                }
            })
        })
    });
    let give = Callback::new(move |()| {
        let Some(from) = desk
            .job
            .with_untracked(|job| job.as_deref().map(|job| desk.access_from(job)))
        else {
            return false;
        };
        match leave_until(&typed.get_untracked(), ZONE, from) {
            Ok(until) => {
                is_open.set(false);
                desk.give_access(until);
                true
            }
            Err(words) => {
                trouble.set(Some(words));
                false
            }
        }
    });
    let id = if is_going_on {
        "go-on-until"
    } else {
        "access-until"
    };
    view! {
        <Sure question on_yes=give on_no=Callback::new(move |()| is_open.set(false))>
            <Field id label="Until" trouble=trouble.into()>
                <input
                    id=id
                    class="rinput number"
                    type="time"
                    required
                    aria-describedby=format!("{id}-trouble")
                    prop:value=move || typed.get()
                    on:input:target=move |event| typed.set(event.target().value())
                />
            </Field>
        </Sure>
    }
}

/// What is rarely wanted: calling it off, and complaining.
#[component]
pub(super) fn More(desk: Desk) -> impl IntoView {
    let asked = RwSignal::new(None::<Asked>);
    let may_cancel = desk.part(|job| deeds(job).cancel);
    let may_complain = desk.part(|job| deeds(job).complain);
    let complain = Route::RequestComplaint(desk.id).to_string();
    let cancel = Callback::new(move |()| {
        asked.set(None);
        desk.act(JobEvent::Cancelled {});
        true
    });
    view! {
        <Show when=move || may_complain.get()>
            <a class="rlink" href=complain.clone()>
                {icon(Glyph::Flag)}
                "Something wrong? File a complaint"
            </a>
        </Show>
        <Show when=move || may_cancel.get()>
            <details class="rmore">
                <summary class="rlink">{icon(Glyph::More)} "More"</summary>
                <button class="button button--warn" on:click=move |_| asked.set(Some(Asked::Cancel))>
                    "Cancel the job"
                </button>
            </details>
        </Show>
        <Sure
            question=question(desk, asked)
            on_yes=cancel
            on_no=Callback::new(move |()| asked.set(None))
        />
    }
}
