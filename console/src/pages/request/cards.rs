//! What the requester may do to a job: the bar that never moves, the robot's question, access, and the last word.

use leptos::prelude::*;
use protocol::{UnixMicros, job::JobEvent, views::ApprovalView};

use super::{
    access::Leave,
    asked::{Asked, question},
    desk::Desk,
    mark::ZONE,
    sure::Sure,
};
use crate::{
    live::commands::micros_of,
    navigation::Navigation,
    parts::icon::{Glyph, icon},
    request::{
        deeds::{Bar, Pause, Press, deeds},
        state::robot_within,
        when::countdown,
    },
    route::Route,
};

/// Stop, pause and revoke, in one place.
#[component]
pub(super) fn Controls(desk: Desk) -> impl IntoView {
    let bar = desk.part(|job| deeds(job).bar);
    let is_there = Memo::new(move |_| bar.with(Option::is_some));
    let asked = RwSignal::new(None::<Asked>);
    let is_going_on = RwSignal::new(false);
    let revoke = Callback::new(move |()| {
        asked.set(None);
        desk.revoke_access();
        true
    });
    view! {
        <Show when=move || is_there.get()>
            <Buttons desk bar asked is_going_on />
            <Hint desk />
        </Show>
        <Sure
            question=question(desk, asked)
            on_yes=revoke
            on_no=Callback::new(move |()| asked.set(None))
        />
        <Leave desk is_open=is_going_on is_going_on=true />
    }
}

/// The three, each in its place whatever it can do.
#[component]
fn Buttons(
    desk: Desk,
    bar: Memo<Option<Bar>>,
    asked: RwSignal<Option<Asked>>,
    is_going_on: RwSignal<bool>,
) -> impl IntoView {
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
            return Some("Sending".to_owned());
        }
        let refused = desk.refused.with(|refused| {
            refused
                .as_ref()
                .map(|problem| format!("Not done: {}", problem.detail))
        });
        refused.or(stop_trouble.get())
    };
    let halt = move || desk.act(JobEvent::Paused {});
    let second = move || {
        if may_go_on.get() {
            let open = move |_| is_going_on.set(true);
            return view! {
                <button class="button button--primary" on:click=open>
                    "Let it go on"
                </button>
            }
            .into_any();
        }
        button("button", Glyph::Pause, "Pause", pause_trouble, halt).into_any()
    };
    let ask = move || asked.set(Some(Asked::Revoke));
    view! {
        <div class="rfoot" role="group" aria-label="Stop, pause, access">
            <p class="rhint rfoot__why" role="status">
                {news}
            </p>
            {second} {button("button button--warn", Glyph::Key, "Revoke", revoke_trouble, ask)}
            {button("button button--stop", Glyph::Stop, "Stop now", stop_trouble, halt)}
        </div>
    }
}

#[component]
fn Hint(desk: Desk) -> impl IntoView {
    let words = desk.part(|job| {
        format!(
            "Stop and Pause halt {} and keep the job. Revoke also ends access to {}.",
            robot_within(job),
            job.plan.place
        )
    });
    view! { <p class="rhint rhide-phone">{words}</p> }
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
    let halted = desk.part(|job| deeds(job).answer.why_not().map(str::to_owned));
    let trouble = Memo::new(
        move |_| match (is_late.get(), halted.get(), is_sent.get()) {
            (true, _, _) => Some("The time for an answer is over".to_owned()),
            (false, Some(why), _) => Some(why),
            (false, None, true) => Some("Sending".to_owned()),
            (false, None, false) => None,
        },
    );
    let meaning = move || {
        if is_late.get() {
            return "No answer came in time, and that means no.".to_owned();
        }
        halted.get().map_or_else(
            || "No answer means no.".to_owned(),
            |why| format!("{why}. No answer means no."),
        )
    };
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
                <p class="rsmall soft">{meaning}</p>
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
