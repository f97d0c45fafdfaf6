//! The state of a thing: a shape, a word and a colour that say the same.

use leptos::prelude::*;
use protocol::robot::{Activity, Health};

use super::icon::{Glyph, of_tone, small};
use crate::{
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
        Activity::Patrolling | Activity::Navigating | Activity::Working => Glyph::HalfDisc,
        Activity::Waiting => Glyph::Pause,
        Activity::Stopped => Glyph::Square,
        Activity::Charging => Glyph::Bolt,
    }
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
