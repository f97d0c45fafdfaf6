//! The peer connection that carries a robot's cameras into this page, and commands out of it.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::{Array, ArrayBuffer, Object, Reflect, Uint8Array};
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    MediaStream, MediaStreamTrackState, MessageEvent, RtcDataChannel, RtcDataChannelInit,
    RtcDataChannelState, RtcDataChannelType, RtcPeerConnection, RtcPeerConnectionState,
    RtcRtpReceiver, RtcRtpTransceiver, RtcRtpTransceiverDirection, RtcRtpTransceiverInit,
    RtcSdpType, RtcSessionDescriptionInit,
};

use crate::{
    browser,
    frames::{FrameWorker, Hashes},
    glass::Counters,
    live::{
        reduce::{Input, ViewEvent},
        socket,
    },
};

/// Carries the capture time of each frame, by the robot's clock. Browsers offer it only when told to.
const CAPTURE_TIME: &str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time";

/// What is done just before a feed ends.
type LastCall = Box<dyn Fn()>;

/// One camera of a view.
#[derive(Clone)]
pub(crate) struct Feed {
    /// What a video element plays.
    pub(crate) stream: MediaStream,
    /// Where frames come out; knows their capture times.
    pub(crate) receiver: RtcRtpReceiver,
    /// What its frames hash to.
    pub(crate) hashes: Hashes,
    before_end: Rc<RefCell<Option<LastCall>>>,
    has_ended: Rc<Cell<bool>>,
}

impl Feed {
    /// Calls `keep` just before the feed ends: a browser blanks an element whose stream has ended, and the last frame
    /// is worth keeping. Whoever asked last is called.
    pub(crate) fn before_end(&self, keep: impl Fn() + 'static) {
        *self.before_end.borrow_mut() = Some(Box::new(keep));
    }

    /// Whether frames of the camera can come out of it; a browser fills the gaps with black ones of its own, and still
    /// shows one when the connection was closed already.
    pub(crate) fn is_flowing(&self) -> bool {
        let track = self.receiver.track();
        !self.has_ended.get()
            && track.ready_state() == MediaStreamTrackState::Live
            && !track.muted()
    }
}

impl PartialEq for Feed {
    fn eq(&self, other: &Self) -> bool {
        self.stream == other.stream
    }
}

/// The peer connection of one view; closes when dropped.
pub(crate) struct Peer {
    view: u32,
    connection: RtcPeerConnection,
    reliable: RtcDataChannel,
    fast: RtcDataChannel,
    feeds: Vec<Feed>,
    _frames: Option<FrameWorker>,
    _listeners: Vec<Closure<dyn FnMut(JsValue)>>,
}

impl Peer {
    /// Opens a connection with one line per camera and starts to write its offer.
    pub(crate) fn open(
        view: u32,
        cameras: usize,
        tell: impl Fn(Input) + Copy + 'static,
        hear_fast: impl Fn(Vec<u8>) + 'static,
    ) -> Result<Self, JsValue> {
        let connection = RtcPeerConnection::new()?;
        let reliable =
            connection.create_data_channel_with_data_channel_dict("reliable", &negotiated(0));
        reliable.set_binary_type(RtcDataChannelType::Arraybuffer);
        let fast_options = negotiated(1);
        fast_options.set_ordered(false);
        fast_options.set_max_retransmits(0);
        let fast = connection.create_data_channel_with_data_channel_dict("fast", &fast_options);
        fast.set_binary_type(RtcDataChannelType::Arraybuffer);

        let feeds: Result<Vec<Feed>, JsValue> =
            (0..cameras).map(|_| add_camera(&connection)).collect();
        let feeds = feeds?;
        let frames = FrameWorker::start(feeds.iter().map(|feed| feed.hashes.clone()).collect());
        if let Some(frames) = &frames {
            for (camera, feed) in (0..).zip(&feeds) {
                frames.attach(&feed.receiver, camera);
            }
        }
        let mut listeners = listen(view, &connection, &reliable, tell);
        let heard = Closure::new(move |event: JsValue| {
            let frame = event.dyn_ref::<MessageEvent>().map(MessageEvent::data);
            if let Some(buffer) = frame.and_then(|data| data.dyn_into::<ArrayBuffer>().ok()) {
                hear_fast(Uint8Array::new(&buffer).to_vec());
            }
        });
        fast.set_onmessage(Some(heard.as_ref().unchecked_ref()));
        listeners.push(heard);
        let peer = Self {
            view,
            connection,
            reliable,
            fast,
            feeds,
            _frames: frames,
            _listeners: listeners,
        };
        let connection = peer.connection.clone();
        spawn_local(async move {
            let event = match offer(&connection).await {
                Ok(sdp) => ViewEvent::Offer(sdp),
                Err(error) => ViewEvent::Failed(words(&error)),
            };
            tell(Input::View { view, event });
        });
        Ok(peer)
    }

    /// Which view it is.
    pub(crate) const fn view(&self) -> u32 {
        self.view
    }

    /// Its cameras, in order.
    pub(crate) fn feeds(&self) -> &[Feed] {
        &self.feeds
    }

    /// Takes the gateway's answer.
    pub(crate) fn answer(&self, sdp: &str, tell: impl Fn(Input) + Copy + 'static) {
        let view = self.view;
        let description = RtcSessionDescriptionInit::new(RtcSdpType::Answer);
        description.set_sdp(sdp);
        let done = self.connection.set_remote_description(&description);
        spawn_local(async move {
            if let Err(error) = JsFuture::from(done).await {
                let event = ViewEvent::Failed(words(&error));
                tell(Input::View { view, event });
            }
        });
    }

    /// Says something on the reliable channel; `false` when it can't be said there.
    pub(crate) fn say(&self, text: &str) -> bool {
        self.reliable.ready_state() == RtcDataChannelState::Open
            && self.reliable.send_with_str(text).is_ok()
    }

    /// Says something on the fast channel, where what can't leave now is not sent at all; `false` then.
    pub(crate) fn say_fast(&self, bytes: &[u8]) -> bool {
        /// What waits in the browser is late already.
        const MOST_WAITING_BYTES: u32 = 2_048;
        self.fast.ready_state() == RtcDataChannelState::Open
            && self.fast.buffered_amount() <= MOST_WAITING_BYTES
            && self.fast.send_with_u8_array(bytes).is_ok()
    }

    /// The connection, for reading its counters.
    pub(crate) fn connection(&self) -> RtcPeerConnection {
        self.connection.clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.connection.set_onconnectionstatechange(None);
        self.reliable.set_onopen(None);
        self.reliable.set_onclose(None);
        self.reliable.set_onmessage(None);
        self.fast.set_onmessage(None);
        for feed in &self.feeds {
            feed.has_ended.set(true);
            if let Some(keep) = feed.before_end.borrow_mut().take() {
                keep();
            }
        }
        self.connection.close();
    }
}

/// Both sides know the channels by number: settings that are announced in-band get lost on the accepting side.
fn negotiated(id: u16) -> RtcDataChannelInit {
    let options = RtcDataChannelInit::new();
    options.set_negotiated(true);
    options.set_id(id);
    options
}

fn add_camera(connection: &RtcPeerConnection) -> Result<Feed, JsValue> {
    let options = RtcRtpTransceiverInit::new();
    options.set_direction(RtcRtpTransceiverDirection::Recvonly);
    let transceiver = connection.add_transceiver_with_str_and_init("video", &options);
    want_capture_time(&transceiver);
    let receiver = transceiver.receiver();
    // A frame that waits to be shown smoothly is a frame shown late.
    browser::set(&receiver, "jitterBufferTarget", &JsValue::from(0));
    browser::set(&receiver, "playoutDelayHint", &JsValue::from(0));
    let stream = MediaStream::new_with_tracks(&Array::of1(&receiver.track()))?;
    Ok(Feed {
        stream,
        receiver,
        hashes: Hashes::default(),
        before_end: Rc::default(),
        has_ended: Rc::default(),
    })
}

/// The list goes back whole and in its order, with the one entry switched on.
fn want_capture_time(transceiver: &RtcRtpTransceiver) {
    let Some(known) = browser::call(transceiver, "getHeaderExtensionsToNegotiate", &[]) else {
        return;
    };
    let wanted: Array = Array::from(&known)
        .iter()
        .map(|extension| {
            let entry = Object::new();
            let uri = browser::property(&extension, "uri").unwrap_or_default();
            let direction = if uri.as_string().as_deref() == Some(CAPTURE_TIME) {
                JsValue::from_str("sendrecv")
            } else {
                browser::property(&extension, "direction").unwrap_or_default()
            };
            browser::set(&entry, "uri", &uri);
            browser::set(&entry, "direction", &direction);
            JsValue::from(entry)
        })
        .collect();
    // A browser that refuses leaves us with the estimate of its own.
    let _set = browser::call(
        transceiver,
        "setHeaderExtensionsToNegotiate",
        &[wanted.into()],
    );
}

/// The gateway has one public address and learns the browser's from its first packet: no need to wait for candidates.
async fn offer(connection: &RtcPeerConnection) -> Result<String, JsValue> {
    let offer = JsFuture::from(connection.create_offer()).await?;
    let sdp = Reflect::get(&offer, &JsValue::from_str("sdp"))?
        .as_string()
        .ok_or_else(|| JsValue::from_str("the browser's offer is empty"))?;
    let description = RtcSessionDescriptionInit::new(RtcSdpType::Offer);
    description.set_sdp(&sdp);
    JsFuture::from(connection.set_local_description(&description)).await?;
    Ok(sdp)
}

fn listen(
    view: u32,
    connection: &RtcPeerConnection,
    reliable: &RtcDataChannel,
    tell: impl Fn(Input) + Copy + 'static,
) -> Vec<Closure<dyn FnMut(JsValue)>> {
    let happened = move |event| tell(Input::View { view, event });
    let watched = connection.clone();
    let changed = Closure::new(move |_: JsValue| match watched.connection_state() {
        RtcPeerConnectionState::Connected => happened(ViewEvent::Connected),
        RtcPeerConnectionState::Disconnected => happened(ViewEvent::Shaky),
        RtcPeerConnectionState::Failed => happened(ViewEvent::Lost),
        _ => {}
    });
    let opened = Closure::new(move |_: JsValue| happened(ViewEvent::Channel { is_open: true }));
    let closed = Closure::new(move |_: JsValue| happened(ViewEvent::Channel { is_open: false }));
    let heard = Closure::new(move |event: JsValue| {
        let frame = event.dyn_ref::<MessageEvent>().map(MessageEvent::data);
        if let Some(input) = frame.as_ref().and_then(socket::read) {
            tell(input);
        }
    });
    connection.set_onconnectionstatechange(Some(changed.as_ref().unchecked_ref()));
    reliable.set_onopen(Some(opened.as_ref().unchecked_ref()));
    reliable.set_onclose(Some(closed.as_ref().unchecked_ref()));
    reliable.set_onmessage(Some(heard.as_ref().unchecked_ref()));
    vec![changed, opened, closed, heard]
}

/// Reads the counters of every camera, in order.
pub(crate) async fn counters(
    connection: RtcPeerConnection,
    feeds: Vec<Feed>,
) -> Vec<Option<Counters>> {
    let Ok(report) = JsFuture::from(connection.get_stats()).await else {
        return Vec::new();
    };
    let tracks: Rc<Vec<String>> = Rc::new(
        feeds
            .iter()
            .map(|feed| feed.receiver.track().id())
            .collect(),
    );
    let mut found = vec![None; tracks.len()];
    report
        .unchecked_ref::<js_sys::Map>()
        .for_each(&mut |entry, _| {
            if browser::text(&entry, "type").as_deref() != Some("inbound-rtp") {
                return;
            }
            let track = browser::text(&entry, "trackIdentifier");
            let place = tracks.iter().position(|id| Some(id) == track.as_ref());
            if let Some(slot) = place.and_then(|place| found.get_mut(place)) {
                *slot = Some(read_counters(&entry));
            }
        });
    found
}

fn read_counters(entry: &JsValue) -> Counters {
    let count = |name| browser::number(entry, name).unwrap_or_default();
    Counters {
        at: crate::glass::unix_ms(count("timestamp")),
        received: count("packetsReceived"),
        lost: count("packetsLost"),
        decoded: count("framesDecoded"),
        freezes: count("freezeCount"),
        frozen_s: count("totalFreezesDuration"),
    }
}

fn words(error: &JsValue) -> String {
    let said = browser::text(error, "message").or_else(|| error.as_string());
    let said = said.unwrap_or_else(|| "no reason given".to_owned());
    format!("the browser can't open a view: {said}")
}
