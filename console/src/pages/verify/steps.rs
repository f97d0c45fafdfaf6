//! The verdict, and below it each step as it ends.

use ledger::verify::{Outcome, StepName};
use leptos::{either::EitherOf3, prelude::*};

use super::checking::Checking;
use crate::{
    grade::Tone,
    parts::icon::{Glyph, icon, large},
    verdict::{self, Timed},
};

/// The verdict first.
#[component]
pub(super) fn Banner(checking: Checking) -> impl IntoView {
    let words = move || {
        let report = checking
            .report
            .with(|report| report.as_ref().map(verdict::headline));
        let working = checking.working.get();
        match (report, working) {
            (Some(headline), _) => EitherOf3::A(view! {
                <div class=format!("verify__verdict verify__verdict--{}", tone(headline.tone))>
                    {large(glyph(headline.tone))}
                    <div class="grow">
                        <b class="verify__word">{headline.title}</b>
                        <p class="soft">{headline.detail}</p>
                    </div>
                    <button class="button" on:click=move |_| checking.save_report()>
                        {icon(Glyph::Save)}
                        "Save report"
                    </button>
                </div>
            }),
            (None, Some((step, done, of))) => {
                let part = (of > 0).then(|| format!(", {} %", done * 100 / of.max(1)));
                EitherOf3::B(view! {
                    <div class="verify__verdict">
                        {large(Glyph::HalfDisc)}
                        <div class="grow">
                            <b class="verify__word">"Checking"</b>
                            <p class="soft number">{verdict::progress(step)} {part}</p>
                        </div>
                    </div>
                })
            }
            (None, None) => EitherOf3::C(view! {
                <div class="verify__verdict">
                    {large(Glyph::DashedRing)}
                    <div class="grow">
                        <b class="verify__word">"No bundle yet"</b>
                        <p class="soft">
                            "Download one on the page of a job, and drop it anywhere on this page."
                        </p>
                    </div>
                </div>
            }),
        }
    };
    view! { <div role="status">{words}</div> }
}

const fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Calm => "calm",
        Tone::Ok => "ok",
        Tone::Caution => "caution",
        Tone::Alarm => "alarm",
    }
}

const fn glyph(tone: Tone) -> Glyph {
    match tone {
        Tone::Calm => Glyph::Ring,
        Tone::Ok => Glyph::CircleCheck,
        Tone::Caution => Glyph::Triangle,
        Tone::Alarm => Glyph::Octagon,
    }
}

/// Each step: what it holds, and how long it took.
#[component]
pub(super) fn Steps(checking: Checking) -> impl IntoView {
    let row = move |name: StepName| {
        let at = usize::from(name.number()) - 1;
        let timed = Memo::new(move |_| checking.steps.with(|steps| steps.get(at).cloned()));
        let is_working = Memo::new(move |_| {
            checking
                .working
                .get()
                .is_some_and(|(step, ..)| step == name)
        });
        move || {
            let timed = timed.get();
            let face = Face::of(timed.as_ref(), is_working.get());
            view! {
                <li class=face.class>
                    <span class=face.tone>{large(face.glyph)}</span>
                    <span>
                        <span class="number faint">{name.number()}</span>
                        " "
                        <b>{name.title()}</b>
                    </span>
                    <span class="verify__summary">
                        <span class=face.tone>{face.summary}</span>
                        <span class="number faint">{face.took}</span>
                    </span>
                    <p class="soft">{face.detail}</p>
                </li>
            }
        }
    };
    let total = move || {
        checking.report.with(Option::is_some).then(|| {
            let ms: f64 = checking
                .steps
                .with(|steps| steps.iter().map(|timed| timed.ms).sum());
            view! {
                <p class="faint">
                    "Finished in " <span class="number">{verdict::took(ms)}</span>
                    ". Verifier: this page, version "
                    <span class="number">{env!("CARGO_PKG_VERSION")}</span>
                    "."
                </p>
            }
        })
    };
    view! {
        <ol class="verify__list">{StepName::ALL.map(row).into_iter().collect::<Vec<_>>()}</ol>
        {total}
    }
}

/// How a step looks.
struct Face {
    class: &'static str,
    tone: &'static str,
    glyph: Glyph,
    summary: String,
    detail: String,
    took: Option<String>,
}

impl Face {
    fn of(timed: Option<&Timed>, is_working: bool) -> Self {
        let Some(Timed { step, ms }) = timed else {
            let (glyph, summary) = if is_working {
                (Glyph::HalfDisc, "Checking")
            } else {
                (Glyph::Ring, "")
            };
            return Self {
                class: "verify__step verify__step--ahead",
                tone: "faint",
                glyph,
                summary: summary.to_owned(),
                detail: String::new(),
                took: None,
            };
        };
        let (class, tone, glyph) = match step.outcome {
            Outcome::Passed => ("verify__step", "ok", Glyph::CircleCheck),
            Outcome::Weak => ("verify__step", "caution", Glyph::Triangle),
            Outcome::Skipped => ("verify__step", "faint", Glyph::DashedRing),
            Outcome::Failed => (
                "verify__step verify__step--failed",
                "alarm",
                Glyph::CircleCross,
            ),
        };
        Self {
            class,
            tone,
            glyph,
            summary: step.summary.clone(),
            detail: step.detail.clone(),
            took: Some(verdict::took(*ms)),
        }
    }
}
