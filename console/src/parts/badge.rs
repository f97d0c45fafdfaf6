//! The state of a thing: a shape, a word and a colour that say the same.

use leptos::prelude::*;
use protocol::{
    job::PhaseName,
    robot::{Activity, Health},
};

use super::icon::{Glyph, of_tone, small};
use crate::{
    board,
    grade::Tone,
    roster::{self, Standing},
};

/// A badge as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadgeFace {
    /// The shape.
    pub(crate) glyph: Glyph,
    /// The word.
    pub(crate) word: String,
    /// The style.
    pub(crate) class: &'static str,
}

/// How a robot stands.
pub(crate) fn of_standing(standing: &Standing, health: Health) -> BadgeFace {
    let (tone, word) = roster::badge(standing, health);
    let (glyph, is_old) = match standing {
        Standing::Offline { .. } => (Glyph::Cross, true),
        Standing::Stale { .. } | Standing::Silent => (Glyph::Clock, true),
        Standing::Fresh(activity) => (of_activity(*activity), false),
    };
    let class = match tone {
        _ if is_old => "badge badge--stale",
        Tone::Calm | Tone::Ok => "badge",
        Tone::Caution => "badge badge--caution",
        Tone::Alarm => "badge badge--alarm",
    };
    BadgeFace {
        glyph: of_tone(tone).unwrap_or(glyph),
        word,
        class,
    }
}

const fn of_activity(activity: Activity) -> Glyph {
    match activity {
        Activity::Idle => Glyph::Ring,
        Activity::Patrolling | Activity::Navigating | Activity::Working | Activity::Driven => {
            Glyph::HalfDisc
        }
        Activity::Waiting => Glyph::Pause,
        Activity::Stopped => Glyph::Square,
        Activity::Charging => Glyph::Bolt,
    }
}

/// Where a job stands.
pub(crate) fn of_phase(phase: PhaseName) -> BadgeFace {
    let class = match board::tone(phase) {
        _ if phase == PhaseName::Assisted => "badge badge--person",
        Tone::Calm => "badge",
        Tone::Ok => "badge badge--ok",
        Tone::Caution => "badge badge--caution",
        Tone::Alarm => "badge badge--alarm",
    };
    BadgeFace {
        glyph: glyph_of_phase(phase),
        word: phase.label().to_owned(),
        class,
    }
}

/// The shape of a phase: to come, under way, running, held, done.
pub(crate) const fn glyph_of_phase(phase: PhaseName) -> Glyph {
    match phase {
        PhaseName::Requested => Glyph::Ring,
        PhaseName::Dispatching => Glyph::DashedRing,
        PhaseName::Reserved => Glyph::Disc,
        PhaseName::Travelling | PhaseName::AtSite | PhaseName::Executing | PhaseName::Verifying => {
            Glyph::HalfDisc
        }
        PhaseName::AwaitingApproval => Glyph::Triangle,
        PhaseName::Assisted => Glyph::Person,
        PhaseName::Stalled => Glyph::Clock,
        PhaseName::Stopping | PhaseName::Incident => Glyph::Octagon,
        PhaseName::Paused => Glyph::Pause,
        PhaseName::Completed => Glyph::CircleCheck,
        PhaseName::Aborted => Glyph::CircleCross,
        PhaseName::Cancelled => Glyph::Cross,
    }
}

/// Beside the badge of a job whose robot waits for somebody to take its call.
pub(crate) fn needs_help() -> impl IntoView {
    view! { <span class="badge badge--caution">{small(Glyph::Bell)} "Needs help"</span> }
}

/// Draws a badge.
#[component]
pub(crate) fn Badge(#[prop(into)] face: Signal<BadgeFace>) -> impl IntoView {
    let glyph = Memo::new(move |_| face.with(|face| face.glyph));
    view! {
        <span class=move || face.with(|face| face.class)>
            {move || small(glyph.get())} {move || face.with(|face| face.word.clone())}
        </span>
    }
}
