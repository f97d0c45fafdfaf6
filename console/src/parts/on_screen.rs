//! Which cards are on screen, as the browser sees it.

use std::collections::BTreeSet;

use leptos::prelude::*;
use protocol::RobotId;
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use web_sys::{Element, IntersectionObserver, IntersectionObserverEntry};

type Listener = Closure<dyn FnMut(JsValue)>;

/// Watches elements that carry a robot's id in `data-robot`.
#[derive(Clone, Copy)]
pub(crate) struct OnScreen {
    observer: StoredValue<Option<(IntersectionObserver, Listener)>, LocalStorage>,
    seen: RwSignal<BTreeSet<RobotId>>,
}

impl OnScreen {
    /// Starts to watch; ends with the present owner.
    pub(crate) fn new() -> Self {
        let seen = RwSignal::new(BTreeSet::new());
        let listener = Closure::new(move |entries: JsValue| {
            let entries = js_sys::Array::from(&entries);
            let _seen = seen.try_maybe_update(|seen: &mut BTreeSet<RobotId>| {
                let changes = entries.iter().filter_map(|entry| change(&entry));
                let count = changes
                    .filter(|(robot, is_seen)| {
                        if *is_seen {
                            seen.insert(*robot)
                        } else {
                            seen.remove(robot)
                        }
                    })
                    .count();
                (count > 0, ())
            });
        });
        let observer = IntersectionObserver::new(listener.as_ref().unchecked_ref()).ok();
        let observer = StoredValue::new_local(observer.map(|observer| (observer, listener)));
        on_cleanup(move || {
            if let Some(Some((observer, _listener))) = observer.try_update_value(Option::take) {
                observer.disconnect();
            }
        });
        Self { observer, seen }
    }

    /// Watches one more element, until the present owner goes.
    pub(crate) fn watch(self, robot: RobotId, element: &Element) {
        self.observer.with_value(|observer| {
            if let Some((observer, _listener)) = observer {
                observer.observe(element);
            }
        });
        on_cleanup(move || {
            let _seen = self.seen.try_maybe_update(|seen| (seen.remove(&robot), ()));
        });
    }

    /// The robots on screen.
    pub(crate) fn robots(self) -> Vec<RobotId> {
        self.seen.with(|seen| seen.iter().copied().collect())
    }
}

fn change(entry: &JsValue) -> Option<(RobotId, bool)> {
    let entry: &IntersectionObserverEntry = entry.unchecked_ref();
    let robot = entry.target().get_attribute("data-robot")?.parse().ok()?;
    Some((robot, entry.is_intersecting()))
}
