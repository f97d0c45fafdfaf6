//! Pictures that come with a complaint, made small enough in the browser.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use leptos::prelude::*;
use protocol::limits::MAX_PICTURE_BYTES;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CanvasRenderingContext2d, File, HtmlCanvasElement, ImageBitmap};

use crate::browser;

/// The longer side of a picture that is sent: enough to see a scratch.
const MOST_PIXELS: f64 = 1_600.0;

/// Tried from the best to the smallest that still shows something.
const QUALITIES: [f64; 4] = [0.85, 0.7, 0.5, 0.3];

/// A picture ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Photo {
    /// Tells it apart from the others.
    pub(super) number: u32,
    /// The JPEG, base64.
    pub(super) content: String,
}

impl Photo {
    /// An address that shows it.
    pub(super) fn address(&self) -> String {
        format!("{JPEG}{}", self.content)
    }
}

const JPEG: &str = "data:image/jpeg;base64,";

/// Makes a file into a picture of bounded size. Where a camera stood when it was taken is left out by this, as all else
/// that the file says beside the picture.
pub(super) async fn shrink(file: &File) -> Option<String> {
    let decoded = window().create_image_bitmap_with_blob(file).ok()?;
    let bitmap: ImageBitmap = JsFuture::from(decoded).await.ok()?.dyn_into().ok()?;
    let (width, height) = (f64::from(bitmap.width()), f64::from(bitmap.height()));
    let scale = (MOST_PIXELS / width.max(height).max(1.0)).min(1.0);
    let canvas: HtmlCanvasElement = document().create_element("canvas").ok()?.dyn_into().ok()?;
    let (width, height) = ((width * scale).round(), (height * scale).round());
    browser::set(&canvas, "width", &width.into());
    browser::set(&canvas, "height", &height.into());
    let context: CanvasRenderingContext2d = canvas.get_context("2d").ok()??.dyn_into().ok()?;
    context
        .draw_image_with_image_bitmap_and_dw_and_dh(&bitmap, 0.0, 0.0, width, height)
        .ok()?;
    bitmap.close();
    QUALITIES.into_iter().find_map(|quality| {
        let address = canvas
            .to_data_url_with_type_and_encoder_options("image/jpeg", &JsValue::from_f64(quality))
            .ok()?;
        let encoded = address.strip_prefix(JPEG)?;
        let is_small = STANDARD.decode(encoded).ok()?.len() <= MAX_PICTURE_BYTES;
        is_small.then(|| encoded.to_owned())
    })
}
