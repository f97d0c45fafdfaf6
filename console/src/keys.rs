//! The keyboard: one listener a page, silent while somebody types.

use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast as _;
use web_sys::{Element, KeyboardEvent};

/// A key that was pressed.
pub(crate) struct Key {
    event: KeyboardEvent,
    /// Its name as the browser has it: `j`, `Enter`, `ArrowLeft`.
    pub(crate) name: String,
}

impl Key {
    /// Whether it is held down and repeats.
    pub(crate) fn is_repeated(&self) -> bool {
        self.event.repeat()
    }

    /// Whether a button or link has the focus, which Enter belongs to.
    pub(crate) fn is_on_control(&self) -> bool {
        self.target().is_some_and(|element| {
            matches!(element.tag_name().as_str(), "BUTTON" | "A" | "SUMMARY")
        })
    }

    fn target(&self) -> Option<Element> {
        self.event.target()?.dyn_into().ok()
    }
}

/// Listens for keys until the present owner goes. `press` says whether it took the key.
pub(crate) fn on_key(press: impl Fn(&Key) -> bool + 'static) {
    let pressed = window_event_listener(ev::keydown, move |event| {
        if event.default_prevented() || is_shortcut_of_browser(&event) || is_typing(&event) {
            return;
        }
        let key = Key {
            name: event.key(),
            event: event.clone(),
        };
        if press(&key) {
            event.prevent_default();
        }
    });
    on_cleanup(move || pressed.remove());
}

/// Space belongs to stopping: a focused button must not be pressed by it, not on release either.
pub(crate) fn keep_space_from_buttons() {
    let released = window_event_listener(ev::keyup, |event| {
        if event.key() == " " && !is_typing(&event) {
            event.prevent_default();
        }
    });
    on_cleanup(move || released.remove());
}

fn is_shortcut_of_browser(event: &KeyboardEvent) -> bool {
    event.ctrl_key() || event.meta_key() || event.alt_key()
}

/// Whether the key goes into a field.
fn is_typing(event: &KeyboardEvent) -> bool {
    event
        .target()
        .and_then(|target| target.dyn_into::<Element>().ok())
        .is_some_and(|element| {
            matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
        })
}
