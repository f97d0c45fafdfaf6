//! The few things that are asked of the browser itself: the time, chance, and properties that have no binding.

use std::time::Duration;

use js_sys::{Function, Promise, Reflect};
use protocol::{CommandId, UnixMicros};
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, Url};

use crate::glass;

/// The browser's wall clock. Runs evenly: it doesn't follow corrections of the machine's clock while the page lives.
pub(crate) fn now() -> UnixMicros {
    leptos::prelude::window()
        .performance()
        .map_or(UnixMicros(0), |performance| {
            glass::unix_ms(performance.time_origin() + performance.now())
        })
}

/// A moment of the page's own clock on the wall clock.
pub(crate) fn page_moment(ms: f64) -> UnixMicros {
    leptos::prelude::window()
        .performance()
        .map_or(UnixMicros(0), |performance| {
            glass::unix_ms(performance.time_origin() + ms)
        })
}

/// From 0 to 1. For spreading attempts, never for secrets.
pub(crate) fn chance() -> f64 {
    js_sys::Math::random()
}

/// A fresh id for a command.
pub(crate) fn command_id() -> CommandId {
    CommandId(fresh_id())
}

/// A fresh id: ordered by time, unguessable in the rest.
pub(crate) fn fresh_id() -> uuid::Uuid {
    let mut noise = [0; 10];
    if let Ok(crypto) = leptos::prelude::window().crypto() {
        // Without it (which no browser that runs wasm lacks) ids would still differ by their millisecond.
        let _filled = crypto.get_random_values_with_u8_array(&mut noise);
    }
    let millis = u64::try_from(now().millis()).unwrap_or_default();
    uuid::Builder::from_unix_timestamp_millis(millis, &noise).into_uuid()
}

/// Random bytes for a salt. None where the browser has no such source: a salt that can be guessed is none.
pub(crate) fn salt() -> Option<[u8; 32]> {
    let mut salt = [0; 32];
    let crypto = leptos::prelude::window().crypto().ok()?;
    crypto.get_random_values_with_u8_array(&mut salt).ok()?;
    Some(salt)
}

/// Milliseconds since the page was opened, to measure spans with.
pub(crate) fn ms() -> f64 {
    leptos::prelude::window()
        .performance()
        .map_or(0.0, |performance| performance.now())
}

/// Puts a text where the person can paste it from. A browser that refuses says so itself.
pub(crate) fn copy(text: &str) {
    let navigator = leptos::prelude::window().navigator();
    if let Some(clipboard) = property(&navigator, "clipboard") {
        call(&clipboard, "writeText", &[JsValue::from_str(text)]);
    }
}

/// Gives the person a file to keep. Nothing leaves this computer.
pub(crate) fn save(name: &str, media_type: &str, text: &str) {
    let parts = js_sys::Array::of1(&JsValue::from_str(text));
    let kind = BlobPropertyBag::new();
    kind.set_type(media_type);
    // A browser that refuses to keep files says so itself.
    let _saved = Blob::new_with_str_sequence_and_options(&parts, &kind).and_then(|blob| {
        let url = Url::create_object_url_with_blob(&blob)?;
        let anchor = leptos::prelude::document().create_element("a")?;
        anchor.set_attribute("href", &url)?;
        anchor.set_attribute("download", name)?;
        call(&anchor, "click", &[]);
        Url::revoke_object_url(&url)
    });
}

/// Waits.
pub(crate) async fn sleep(duration: Duration) {
    let waited = Promise::new(&mut |resolve, _| {
        let resolve = move || {
            // A promise's own resolver does not throw.
            let _resolved = resolve.call0(&JsValue::NULL);
        };
        leptos::prelude::set_timeout(resolve, duration);
    });
    // It is only ever resolved.
    let _over = JsFuture::from(waited).await;
}

/// A property, when it is there.
pub(crate) fn property(object: &JsValue, name: &str) -> Option<JsValue> {
    Reflect::get(object, &JsValue::from_str(name))
        .ok()
        .filter(|value| !value.is_undefined() && !value.is_null())
}

/// A number, when it is there.
pub(crate) fn number(object: &JsValue, name: &str) -> Option<f64> {
    property(object, name)?.as_f64()
}

/// A text, when it is there.
pub(crate) fn text(object: &JsValue, name: &str) -> Option<String> {
    property(object, name)?.as_string()
}

/// Sets a property that not every browser has.
pub(crate) fn set(object: &JsValue, name: &str, value: &JsValue) {
    // A browser that refuses goes on with its own default.
    let _set = Reflect::set(object, &JsValue::from_str(name), value);
}

/// Calls a method that not every browser has.
pub(crate) fn call(object: &JsValue, name: &str, arguments: &[JsValue]) -> Option<JsValue> {
    let method: Function = property(object, name)?.dyn_into().ok()?;
    let list: js_sys::Array = arguments.iter().collect();
    method.apply(object, &list).ok()
}
