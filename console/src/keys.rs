//! The keyboard: one listener a page, silent while somebody types, and the key that stops, which nothing else gets.

use leptos::{ev, prelude::*};
use wasm_bindgen::{JsCast as _, closure::Closure};
use web_sys::{HtmlElement, KeyboardEvent, Window};

use crate::focus::{self, Focus};

/// A key that was pressed.
pub(crate) struct Key {
    focus: Focus,
    /// Its name as the browser has it: `j`, `Enter`, `ArrowLeft`.
    pub(crate) name: String,
}

impl Key {
    /// Whether a button or link has the focus, which Enter belongs to.
    pub(crate) fn is_on_control(&self) -> bool {
        self.focus == Focus::Control
    }
}

/// Listens for keys until the present owner goes. `press` says whether it took the key.
pub(crate) fn on_key(press: impl Fn(&Key) -> bool + 'static) {
    let pressed = window_event_listener(ev::keydown, move |event| {
        let focus = focus_of(&event);
        if event.default_prevented() || is_shortcut_of_browser(&event) || focus.takes_keys() {
            return;
        }
        let key = Key {
            focus,
            name: event.key(),
        };
        if press(&key) {
            event.prevent_default();
        }
    });
    on_cleanup(move || pressed.remove());
}

/// Listens for the key that stops, until the present owner goes. It is heard before any part of the page, so that none
/// can keep it, and neither its press nor its release reaches a button or a choice that has the focus.
pub(crate) fn on_stop(stop: impl Fn() + 'static) {
    let pressed = First::listen("keydown", move |event| {
        if take_stop(event) && !event.repeat() {
            stop();
        }
    });
    let released = First::listen("keyup", |event| {
        take_stop(event);
    });
    let held = StoredValue::new_local(Some((pressed, released)));
    on_cleanup(move || {
        let _removed = held.try_update_value(Option::take);
    });
}

fn take_stop(event: &KeyboardEvent) -> bool {
    let is_stop = focus::is_stop(&event.key(), &event.code(), focus_of(event));
    if is_stop {
        event.prevent_default();
        event.stop_propagation();
    }
    is_stop
}

/// Hears of an event before the page does, until dropped.
struct First {
    window: Window,
    kind: &'static str,
    listener: Closure<dyn FnMut(KeyboardEvent)>,
}

impl First {
    fn listen(kind: &'static str, hear: impl Fn(&KeyboardEvent) + 'static) -> Self {
        let listener = Closure::new(move |event: KeyboardEvent| hear(&event));
        let window = window();
        // A browser that refuses leaves the button, which is always on screen.
        let _added = window.add_event_listener_with_callback_and_bool(
            kind,
            listener.as_ref().unchecked_ref(),
            true,
        );
        Self {
            window,
            kind,
            listener,
        }
    }
}

impl Drop for First {
    fn drop(&mut self) {
        let _removed = self.window.remove_event_listener_with_callback_and_bool(
            self.kind,
            self.listener.as_ref().unchecked_ref(),
            true,
        );
    }
}

/// Whether what has the focus takes the keys for itself.
pub(crate) fn is_typing(event: &KeyboardEvent) -> bool {
    focus_of(event).takes_keys()
}

/// Gives the keys back to the page.
pub(crate) fn leave_field(event: &KeyboardEvent) {
    let field = event
        .target()
        .and_then(|target| target.dyn_into::<HtmlElement>().ok());
    if let Some(field) = field {
        // A field that keeps the focus keeps the keys.
        let _left = field.blur();
    }
}

fn is_shortcut_of_browser(event: &KeyboardEvent) -> bool {
    event.ctrl_key() || event.meta_key() || event.alt_key()
}

fn focus_of(event: &KeyboardEvent) -> Focus {
    let element = event
        .target()
        .and_then(|target| target.dyn_into::<HtmlElement>().ok());
    element.map_or(Focus::Page, |element| {
        let input_type = element.get_attribute("type").unwrap_or_default();
        Focus::of(
            &element.tag_name(),
            &input_type.to_ascii_lowercase(),
            element.is_content_editable(),
        )
    })
}
