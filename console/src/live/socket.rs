//! The socket to the gateway: frames in, frames out, nothing kept.

use leptos::prelude::window;
use protocol::{
    console_socket::{FromConsole, ToConsole},
    thumbnail::Thumbnail,
};
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use web_sys::{BinaryType, Blob, BlobPropertyBag, MessageEvent, Url, WebSocket};

use super::{model::Still, reduce::Input};

/// An open socket; closes when dropped.
pub(super) struct Socket {
    wire: WebSocket,
    _opened: Closure<dyn FnMut(JsValue)>,
    _closed: Closure<dyn FnMut(JsValue)>,
    _heard: Closure<dyn FnMut(MessageEvent)>,
}

impl Socket {
    /// Starts to open the socket; tells of what happens on it.
    pub(super) fn open(tell: impl Fn(Input) + Copy + 'static) -> Option<Self> {
        let location = window().location();
        let scheme = match location.protocol().ok()?.as_str() {
            "http:" => "ws",
            _ => "wss",
        };
        let host = location.host().ok()?;
        let wire = WebSocket::new(&format!("{scheme}://{host}/api/v1/console/socket")).ok()?;
        wire.set_binary_type(BinaryType::Arraybuffer);

        let opened = Closure::new(move |_: JsValue| tell(Input::SocketOpened));
        let closed = Closure::new(move |_: JsValue| tell(Input::SocketClosed));
        let heard = Closure::new(move |event: MessageEvent| {
            if let Some(input) = read(&event.data()) {
                tell(input);
            }
        });
        wire.set_onopen(Some(opened.as_ref().unchecked_ref()));
        wire.set_onclose(Some(closed.as_ref().unchecked_ref()));
        wire.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        Some(Self {
            wire,
            _opened: opened,
            _closed: closed,
            _heard: heard,
        })
    }

    /// Says something. A socket that is closing drops it; its end is told separately.
    pub(super) fn say(&self, frame: &FromConsole) {
        if let Ok(text) = serde_json::to_string(frame) {
            let _sent = self.wire.send_with_str(&text);
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.wire.set_onopen(None);
        self.wire.set_onclose(None);
        self.wire.set_onmessage(None);
        // Closing what is closed already is no matter.
        let _closed = self.wire.close();
    }
}

/// Reads a frame of the socket or of a channel; what is none of ours is passed over.
pub(crate) fn read(frame: &JsValue) -> Option<Input> {
    if let Some(text) = frame.as_string() {
        let frame: ToConsole = serde_json::from_slice(text.as_bytes()).ok()?;
        return Some(Input::Heard(Box::new(frame)));
    }
    let bytes = js_sys::Uint8Array::new(frame.dyn_ref::<js_sys::ArrayBuffer>()?).to_vec();
    if bytes.first() == Some(&b'{') {
        let frame: ToConsole = serde_json::from_slice(&bytes).ok()?;
        return Some(Input::Heard(Box::new(frame)));
    }
    let (robot, picture) = Thumbnail::parse_console_frame(&bytes)?;
    let parts = js_sys::Array::of1(&js_sys::Uint8Array::from(picture.jpeg));
    let kind = BlobPropertyBag::new();
    kind.set_type("image/jpeg");
    let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &kind).ok()?;
    let url = Url::create_object_url_with_blob(&blob).ok()?;
    Some(Input::HeardStill {
        robot,
        still: Still {
            url,
            captured_at: picture.captured_at,
        },
    })
}
