//! States, times and refusals as the requester's pages draw them.

use leptos::prelude::*;
use protocol::UnixMicros;

use crate::{
    live::{clock::micros_to_ms, engine::Live},
    parts::icon::{Glyph, small},
    request::{Mark, state::State, when::Zone},
};

/// The stroke of a mark.
pub(in crate::pages) const fn glyph(mark: Mark) -> Glyph {
    match mark {
        Mark::Coming => Glyph::Ring,
        Mark::Underway => Glyph::DashedRing,
        Mark::Running => Glyph::HalfDisc,
        Mark::Done => Glyph::CircleCheck,
        Mark::Still => Glyph::Square,
        Mark::Person => Glyph::Person,
        Mark::Caution => Glyph::Triangle,
        Mark::Alarm => Glyph::Octagon,
        Mark::Over => Glyph::Cross,
    }
}

/// A state: shape, word and colour say the same.
pub(in crate::pages) fn state(state: &State) -> impl IntoView + use<> {
    view! {
        <span class=format!("rstate rstate--{}", state.mood.class())>
            {small(glyph(state.mark))} {state.words}
        </span>
    }
}

/// The clock of the person's own wall.
pub(in crate::pages) const ZONE: Zone = Zone(offset_s);

fn offset_s(at: UnixMicros) -> i64 {
    let ms = micros_to_ms(at.0);
    let minutes_west = js_sys::Date::new(&ms.into()).get_timezone_offset();
    #[expect(clippy::cast_possible_truncation, reason = "minutes of a day")]
    let seconds_east = (minutes_west * -60.0) as i64;
    seconds_east
}

/// A moment of the browser's clock on the gateway's, which judges.
pub(in crate::pages) fn gateway_now(live: Live, now: UnixMicros) -> UnixMicros {
    live.peek(|model| now.plus(model.clock.gateway_ahead_us()))
}
