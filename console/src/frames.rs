//! The hashes of the frames that come in, from a worker that every frame goes through on its way to the screen.

use std::{cell::RefCell, collections::VecDeque, rc::Rc};

use js_sys::{Array, Function, Reflect, Uint8Array};
use protocol::picture::FrameHash;
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use web_sys::{MessageEvent, RtcRtpReceiver, Worker};

use crate::{browser, glass::Hashed};

/// Frames of a camera whose hashes are known: four seconds of thirty a second. The one on screen is among the last few.
const MOST_FRAMES: usize = 120;

/// The latest frames of one camera: the RTP time of each, and what it hashes to.
#[derive(Clone, Default)]
pub(crate) struct Hashes(Rc<RefCell<VecDeque<(u32, Hashed)>>>);

impl Hashes {
    fn take(&self, time: u32, frame: Hashed) {
        let mut known = self.0.borrow_mut();
        if known.len() == MOST_FRAMES {
            known.pop_front();
        }
        known.push_back((time, frame));
    }

    /// What the frame of that RTP time hashes to.
    pub(crate) fn of(&self, time: u32) -> Option<Hashed> {
        let known = self.0.borrow();
        let found = known.iter().rev().find(|(at, _)| *at == time);
        found.map(|(_, frame)| *frame)
    }
}

/// The worker of one view; ends when dropped.
pub(crate) struct FrameWorker {
    worker: Worker,
    _heard: Closure<dyn FnMut(MessageEvent)>,
}

impl FrameWorker {
    /// Starts the worker for so many cameras. None in a browser that hands no frames out: commands name none then.
    pub(crate) fn start(hashes: Vec<Hashes>) -> Option<Self> {
        let page = leptos::prelude::document();
        let address = page.query_selector("meta[name=frames]").ok()??;
        let worker = Worker::new(&address.get_attribute("content")?).ok()?;
        let heard = Closure::new(move |event: MessageEvent| {
            let told = Array::from(&event.data());
            let [camera, time, hash, is_key] = [0, 1, 2, 3].map(|place| told.get(place));
            let told = (camera.as_f64(), time.as_f64());
            let (Some(camera), Some(time)) = told else {
                return;
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a place among a handful of cameras, and a time of 32 bits"
            )]
            let (camera, time) = (camera as usize, time as u32);
            let hash: Option<[u8; 32]> = Uint8Array::new(&hash).to_vec().try_into().ok();
            if let (Some(hashes), Some(hash)) = (hashes.get(camera), hash) {
                hashes.take(
                    time,
                    Hashed {
                        hash: FrameHash(hash),
                        is_key: is_key.is_truthy(),
                    },
                );
            }
        });
        worker.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        Some(Self {
            worker,
            _heard: heard,
        })
    }

    /// Lets the frames of a camera go through the worker.
    pub(crate) fn attach(&self, receiver: &RtcRtpReceiver, camera: u32) {
        let constructor = browser::property(&leptos::prelude::window(), "RTCRtpScriptTransform");
        let Some(constructor) = constructor.and_then(|found| found.dyn_into::<Function>().ok())
        else {
            return;
        };
        let arguments = Array::of2(&self.worker, &JsValue::from(camera));
        // A browser that refuses shows its pictures all the same.
        if let Ok(transform) = Reflect::construct(&constructor, &arguments) {
            browser::set(receiver, "transform", &transform);
        }
    }
}

impl Drop for FrameWorker {
    fn drop(&mut self) {
        self.worker.set_onmessage(None);
        self.worker.terminate();
    }
}
