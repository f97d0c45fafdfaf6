//! The machine drawn: one lane for the job, one for each complaint about it.

use leptos::prelude::*;

use crate::{
    machine::StepStanding,
    parts::icon::{Glyph, small},
};

/// A lane as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LaneFace {
    /// "Job", "Case C-0112".
    pub(crate) name: String,
    /// Its steps.
    pub(crate) steps: Vec<StepFace>,
}

/// A step as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StepFace {
    /// The domain's own word.
    pub(crate) word: &'static str,
    /// The shape of the state that is now.
    pub(crate) glyph: Glyph,
    /// The style of the state that is now.
    pub(crate) class: &'static str,
    /// How things stand to it.
    pub(crate) standing: StepStanding,
    /// What interrupted it.
    pub(crate) arms: String,
}

/// Draws the lanes.
#[component]
pub(crate) fn Machine(#[prop(into)] lanes: Signal<Vec<LaneFace>>) -> impl IntoView {
    let step = |step: StepFace| {
        let (class, glyph, words) = match step.standing {
            StepStanding::Was => ("flow__was", Glyph::Check, "was "),
            StepStanding::Is => (step.class, step.glyph, "is "),
            StepStanding::Held => ("flow__held", Glyph::Pause, "interrupted "),
            StepStanding::Ahead => ("flow__ahead", Glyph::Ring, "can come "),
            StepStanding::Never => ("flow__never", Glyph::Cross, "does not come "),
        };
        let is_now = (step.standing == StepStanding::Is).then_some("step");
        let arms = (!step.arms.is_empty()).then(|| {
            view! { <span class="flow__arms">{step.arms}</span> }
        });
        view! {
            <li class=class aria-current=is_now>
                {small(glyph)}
                <span class="hidden">{words}</span>
                {step.word}
                {arms}
            </li>
        }
    };
    let lane = move |lane: LaneFace| {
        view! {
            <div class="lane">
                <h3>{lane.name}</h3>
                <ol class="flow">{lane.steps.into_iter().map(step).collect_view()}</ol>
            </div>
        }
    };
    view! {
        <section class="panel lanes" aria-label="State" data-testid="lanes">
            {move || lanes.get().into_iter().map(lane).collect_view()}
        </section>
    }
}
