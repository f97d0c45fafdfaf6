//! Shows the last picture of a clip: decoded by the browser (`WebCodecs`), drawn on a canvas.

use std::{cell::RefCell, rc::Rc};

use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use protocol::{picture::Clip, robot::Codec};
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlCanvasElement;

use crate::{browser, receipt::h264_name};

/// A value that was decoded, or why nothing was.
type Slot<T> = Rc<RefCell<Option<T>>>;

/// Decodes the clip and draws its last picture; says in words why it can't.
pub(crate) async fn show(clip: &Clip, canvas: &HtmlCanvasElement) -> Result<(), String> {
    let name = match clip.codec {
        Codec::H264 => (clip.frames.first()).and_then(|key| h264_name(&key.bytes)),
        Codec::Vp8 => Some("vp8".to_owned()),
    };
    let name = name.ok_or("the clip does not begin with a key frame")?;
    let last: Slot<JsValue> = Slot::default();
    let failure: Slot<String> = Slot::default();
    let taken = Rc::clone(&last);
    let output = Closure::<dyn FnMut(JsValue)>::new(move |frame: JsValue| {
        if let Some(before) = taken.borrow_mut().replace(frame) {
            browser::call(&before, "close", &[]);
        }
    });
    let told = Rc::clone(&failure);
    let error = Closure::<dyn FnMut(JsValue)>::new(move |error: JsValue| {
        let words = browser::text(&error, "message").unwrap_or_default();
        told.borrow_mut().get_or_insert(words);
    });
    let listeners = object(&[("output", output.as_ref()), ("error", error.as_ref())]);
    let decoder = construct("VideoDecoder", &listeners)
        .ok_or("this browser does not decode single pictures")?;
    decode(&decoder, &name, clip);
    let flushed: Option<Promise> =
        browser::call(&decoder, "flush", &[]).and_then(|promise| promise.dyn_into().ok());
    if let Some(flushed) = flushed {
        // What went wrong is in `failure`, or nothing was decoded.
        let _flushed = JsFuture::from(flushed).await;
    }
    browser::call(&decoder, "close", &[]);
    let frame = last.borrow_mut().take();
    match frame {
        Some(frame) => {
            draw(&frame, canvas);
            browser::call(&frame, "close", &[]);
            Ok(())
        }
        None => Err(failure
            .borrow_mut()
            .take()
            .unwrap_or_else(|| "nothing could be decoded".to_owned())),
    }
}

fn decode(decoder: &JsValue, name: &str, clip: &Clip) {
    let how = object(&[
        ("codec", &JsValue::from_str(name)),
        ("optimizeForLatency", &JsValue::TRUE),
    ]);
    browser::call(decoder, "configure", &[how]);
    let mut kind = "key";
    for frame in &clip.frames {
        #[expect(
            clippy::cast_precision_loss,
            reason = "microseconds of this century fit a double"
        )]
        let chunk = object(&[
            ("type", &JsValue::from_str(kind)),
            ("timestamp", &JsValue::from_f64(frame.captured_at.0 as f64)),
            ("data", &Uint8Array::from(frame.bytes.as_slice())),
        ]);
        if let Some(chunk) = construct("EncodedVideoChunk", &chunk) {
            browser::call(decoder, "decode", &[chunk]);
        }
        kind = "delta";
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a picture's sides"
)]
fn draw(frame: &JsValue, canvas: &HtmlCanvasElement) {
    let side = |name| browser::number(frame, name).unwrap_or_default() as u32;
    canvas.set_width(side("displayWidth"));
    canvas.set_height(side("displayHeight"));
    if let Ok(Some(context)) = canvas.get_context("2d") {
        let corner = JsValue::from(0);
        browser::call(
            &context,
            "drawImage",
            &[frame.clone(), corner.clone(), corner],
        );
    }
}

fn object(entries: &[(&str, &JsValue)]) -> JsValue {
    let object = Object::new();
    for (name, value) in entries {
        browser::set(&object, name, value);
    }
    object.into()
}

fn construct(class: &str, argument: &JsValue) -> Option<JsValue> {
    let class: Function = browser::property(&leptos::prelude::window(), class)?
        .dyn_into()
        .ok()?;
    Reflect::construct(&class, &Array::of1(argument)).ok()
}
