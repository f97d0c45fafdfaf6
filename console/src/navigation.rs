//! Going from page to page without loading anything: the address bar follows, and so does the way back.

use leptos::{ev, prelude::*};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Element, HtmlElement, MouseEvent};

use crate::route::Route;

/// Where the page is, for whoever draws or leads elsewhere.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Navigation {
    route: RwSignal<Route>,
    /// What somebody asked for before they were signed in.
    wanted: StoredValue<Option<Route>>,
}

impl Navigation {
    /// Starts at the present address, and follows the browser's buttons and the page's links.
    pub(crate) fn new() -> Self {
        let navigation = Self {
            route: RwSignal::new(present()),
            wanted: StoredValue::new(None),
        };
        let _back = window_event_listener(ev::popstate, move |_| navigation.show(present()));
        let _clicked = window_event_listener(ev::click, move |event| {
            if let Some(route) = link(&event) {
                event.prevent_default();
                navigation.go(route);
            }
        });
        navigation
    }

    /// The page on screen, followed.
    pub(crate) fn route(self) -> Route {
        self.route.get()
    }

    /// Opens a page. The page that is open already gets no second entry in the history.
    pub(crate) fn go(self, route: Route) {
        if self.route.get_untracked() == route {
            return;
        }
        let history = window().history();
        let address = route.to_string();
        // A browser that keeps no history still shows the page.
        let _pushed =
            history.map(|history| history.push_state_with_url(&JsValue::NULL, "", Some(&address)));
        self.show(route);
    }

    /// Leads to the sign-in page and remembers what was asked for, so that [`Navigation::enter`] leads there.
    pub(crate) fn ask_to_sign_in(self) {
        self.wanted.set_value(Some(self.route.get_untracked()));
        self.replace(Route::SignIn);
    }

    /// Leads to the sign-in page for somebody who is done here: whoever comes next starts anew.
    pub(crate) fn leave(self) {
        self.wanted.set_value(None);
        self.replace(Route::SignIn);
    }

    /// Leads somebody who is signed in to what they had asked for, or home: whoever only books work has their own.
    pub(crate) fn enter(self, only_books: bool) {
        let wanted = self.wanted.try_update_value(Option::take).flatten();
        self.replace(Route::after_sign_in(wanted, only_books));
    }

    /// Opens a page in place of the present one: going back does not lead here again.
    fn replace(self, route: Route) {
        let history = window().history();
        let address = route.to_string();
        let _replaced = history
            .map(|history| history.replace_state_with_url(&JsValue::NULL, "", Some(&address)));
        self.show(route);
    }

    /// Shows a page from its top and puts the focus on its content, as loading it would.
    fn show(self, route: Route) {
        if self.route.get_untracked() == route {
            return;
        }
        self.route.set(route);
        let content = document().get_element_by_id("main");
        if let Some(content) = content.and_then(|found| found.dyn_into::<HtmlElement>().ok()) {
            content.set_scroll_top(0);
            // Content that can't take the focus is read from the top all the same.
            let _focused = content.focus();
        }
    }
}

fn present() -> Route {
    Route::parse(&window().location().pathname().unwrap_or_default())
}

/// The page that a plain click on one of our links means. What is none of our pages, the browser may load.
fn link(event: &MouseEvent) -> Option<Route> {
    let is_plain = event.button() == 0
        && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key());
    if !is_plain || event.default_prevented() {
        return None;
    }
    let target: Element = event.target()?.dyn_into().ok()?;
    let anchor = target.closest("a[href]").ok()??;
    if anchor.has_attribute("target") || anchor.has_attribute("download") {
        return None;
    }
    Route::of_link(&anchor.get_attribute("href")?)
}
