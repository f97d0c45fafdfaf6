//! A camera's moving picture, and what each of its frames says of its age.

use std::{cell::RefCell, rc::Rc};

use leptos::{html, prelude::*, task::spawn_local};
use protocol::UnixMicros;
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, HtmlMediaElement, HtmlVideoElement};

use crate::{browser, glass, glass::Frame, rtc::Feed};

/// A frame that came on screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shown {
    /// When the camera took it, by the robot's clock, as the stream itself states it.
    pub(crate) captured_by_robot: Option<UnixMicros>,
    /// The same on the browser's clock, as the browser estimates it.
    pub(crate) captured_by_estimate: Option<UnixMicros>,
    /// When it came on screen, by the browser's clock.
    pub(crate) displayed: UnixMicros,
    /// Its RTP time, by which it is told from the others of its stream.
    pub(crate) rtp_time: Option<u32>,
}

impl Shown {
    /// The frame on one clock. What the robot states counts more than what the browser guesses.
    pub(crate) fn frame(self, to_browser: impl FnOnce(UnixMicros) -> UnixMicros) -> Frame {
        Frame {
            captured_at: self
                .captured_by_robot
                .map(to_browser)
                .or(self.captured_by_estimate),
            shown_at: self.displayed,
        }
    }
}

/// Plays a feed and tells of every frame that it shows.
#[component]
pub(crate) fn Video(
    feed: Signal<Option<Feed>, LocalStorage>,
    #[prop(into)] label: Signal<String>,
    #[prop(into)] camera: Signal<String>,
    on_frame: Callback<Shown>,
) -> impl IntoView {
    let element = NodeRef::<html::Video>::new();
    let last = NodeRef::<html::Canvas>::new();
    let frames = StoredValue::new_local(None::<FrameLoop>);
    let is_playing = RwSignal::new(false);

    // What was kept of one camera must not stand for another.
    Effect::new(move |before: Option<String>| {
        let camera = camera.get();
        if before.is_some_and(|before| before != camera)
            && let Some(canvas) = last.get_untracked()
        {
            canvas.set_width(0);
        }
        camera
    });
    Effect::new(move |_| {
        let (Some(video), Some(feed)) = (element.get(), feed.get()) else {
            return;
        };
        is_playing.set(false);
        let media: &HtmlMediaElement = video.unchecked_ref();
        media.set_muted(true);
        media.set_src_object(Some(&feed.stream));
        if let Ok(started) = media.play() {
            spawn_local(async move {
                // Muted video may always start by itself; where it doesn't, the age on screen tells.
                let _started = JsFuture::from(started).await;
            });
        }
        let picture = video.clone();
        feed.before_end(move || {
            if is_playing.try_get_untracked() == Some(true)
                && let Some(canvas) = last.try_get_untracked().flatten()
            {
                keep(&picture, &canvas);
                is_playing.set(false);
            }
        });
        let on_shown = Callback::new(move |shown| {
            if is_playing.try_get_untracked() == Some(false) {
                is_playing.set(true);
            }
            let _told = on_frame.try_run(shown);
        });
        frames.set_value(Some(FrameLoop::start(video, feed, on_shown)));
    });
    on_cleanup(move || {
        let _stopped = frames.try_update_value(Option::take);
    });

    view! {
        <canvas class="last-frame" node_ref=last aria-hidden="true"></canvas>
        <video
            node_ref=element
            class:is-waiting=move || !is_playing.get()
            aria-label=label
            data-camera=camera
            autoplay
            playsinline
            disablepictureinpicture
            prop:muted=true
        ></video>
    }
}

/// Copies what an element shows.
fn keep(video: &HtmlVideoElement, canvas: &HtmlCanvasElement) {
    canvas.set_width(video.video_width());
    canvas.set_height(video.video_height());
    let context = canvas.get_context("2d").ok().flatten();
    if let Some(context) =
        context.and_then(|context| context.dyn_into::<CanvasRenderingContext2d>().ok())
    {
        // Without a copy the picture is blank, and its age says so.
        let _drawn = context.draw_image_with_html_video_element(video, 0.0, 0.0);
    }
}

type FrameListener = Rc<RefCell<Option<Closure<dyn FnMut(JsValue, JsValue)>>>>;

/// Asks to be told of the next frame, again and again, until dropped.
struct FrameLoop {
    video: HtmlVideoElement,
    listener: FrameListener,
    handle: Rc<RefCell<Option<JsValue>>>,
}

impl FrameLoop {
    fn start(video: HtmlVideoElement, feed: Feed, on_frame: Callback<Shown>) -> Self {
        let frames = Self {
            video,
            listener: Rc::default(),
            handle: Rc::default(),
        };
        let again = (
            frames.video.clone(),
            Rc::downgrade(&frames.listener),
            Rc::clone(&frames.handle),
        );
        *frames.listener.borrow_mut() = Some(Closure::new(move |_: JsValue, metadata: JsValue| {
            if feed.is_flowing() {
                let _told = on_frame.try_run(shown(&metadata, &feed));
            }
            let (video, listener, handle) = &again;
            if let Some(listener) = listener.upgrade() {
                ask(video, &listener, handle);
            }
        }));
        ask(&frames.video, &frames.listener, &frames.handle);
        frames
    }
}

impl Drop for FrameLoop {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.borrow_mut().take() {
            let _cancelled = browser::call(&self.video, "cancelVideoFrameCallback", &[handle]);
        }
    }
}

fn ask(video: &HtmlVideoElement, listener: &FrameListener, handle: &RefCell<Option<JsValue>>) {
    if let Some(closure) = listener.borrow().as_ref() {
        *handle.borrow_mut() = browser::call(
            video,
            "requestVideoFrameCallback",
            &[closure.as_ref().clone()],
        );
    }
}

fn shown(metadata: &JsValue, feed: &Feed) -> Shown {
    let moment = |name| browser::number(metadata, name).map(browser::page_moment);
    Shown {
        captured_by_robot: stated_capture(metadata, feed),
        captured_by_estimate: moment("captureTime"),
        displayed: moment("expectedDisplayTime").unwrap_or_else(browser::now),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an RTP time has 32 bits"
        )]
        rtp_time: browser::number(metadata, "rtpTimestamp").map(|time| time as u32),
    }
}

/// The capture time that the stream itself states. It belongs to the packet that came last, which may be of a later frame
/// than the one on screen: the distance between the two is read off their RTP times.
fn stated_capture(metadata: &JsValue, feed: &Feed) -> Option<UnixMicros> {
    let shown = browser::number(metadata, "rtpTimestamp")?;
    let sources = browser::call(&feed.receiver, "getSynchronizationSources", &[])?;
    js_sys::Array::from(&sources).iter().find_map(|source| {
        let stated = browser::number(&source, "captureTimestamp")?;
        let later_ms = glass::rtp_distance_ms(browser::number(&source, "rtpTimestamp")?, shown)?;
        Some(glass::ntp_ms(stated - later_ms))
    })
}
