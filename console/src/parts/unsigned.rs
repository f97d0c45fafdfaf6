//! Says that this browser can't sign, so that the log will show acts as recorded on somebody's behalf.

use leptos::prelude::*;

use super::icon::{Glyph, small};
use crate::acts::acts;

/// Draws the notice, where it is so.
#[component]
pub(crate) fn UnsignedNotice() -> impl IntoView {
    let acts = acts();
    let notice = || {
        view! {
            <p class="line line--small caution">
                {small(Glyph::Triangle)}
                "What you do here is recorded on your behalf, not signed by you: this browser has no keys of its own."
            </p>
        }
    };
    move || acts.is_unsigned().then(notice)
}
