//! The robot's one media connection to its gateway: cameras out, messages both ways. The only place that names `webrtc`.

mod camera;
mod engine;
mod packets;

#[cfg(test)]
pub(crate) mod tests;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use rtc::{
    data_channel::RTCDataChannelInit,
    peer_connection::{
        sdp::RTCSessionDescription,
        state::{RTCIceGatheringState, RTCPeerConnectionState},
    },
};
use tokio::sync::{Notify, mpsc};
use webrtc::{
    data_channel::{DataChannel, DataChannelEvent},
    peer_connection::{PeerConnection, PeerConnectionEventHandler},
};

pub use self::{
    camera::{AccessUnit, CameraSender, ForeignPacket, Taken},
    engine::VideoCodec,
};

/// The stream of the reliable, ordered channel, agreed with the gateway.
pub const RELIABLE_STREAM: u16 = 0;

/// The stream of the fast channel: unordered, never sent twice.
pub const FAST_STREAM: u16 = 1;

/// What the gateway accepts as one message.
pub const MESSAGE_LIMIT_BYTES: usize = 64 * 1024;

/// Host candidates are known at once; longer means that the machine has no usable address.
const GATHERING_LIMIT: Duration = Duration::from_secs(2);

/// Closing says goodbye to the gateway, which notices silence by itself soon after.
const CLOSING_LIMIT: Duration = Duration::from_millis(500);

/// A reliable message that cannot leave for so long had better take the socket. The session answers no ping meanwhile, and
/// the gateway calls a robot silent after ten times as long.
const RELIABLE_SEND_LIMIT: Duration = Duration::from_millis(250);

/// A fast message that has to wait behind this much is old when it arrives.
const FAST_LIMIT_BYTES: usize = 16 * 1024;

/// Reliable and fast.
const CHANNELS: usize = 2;

/// Events waiting for the agent's main loop, which reads all the time.
const EVENTS: usize = 256;

/// Directives for the log filter: the libraries underneath warn about every oddity of a peer, with its address.
pub const LIBRARY_LOG_DIRECTIVES: [&str; 2] = ["rtc=off", "webrtc=off"];

/// One camera to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraSpec {
    /// Its name: letters, digits, `_`, `-`, `.`; at most 64.
    pub name: String,
    /// What it sends.
    pub codec: VideoCodec,
}

/// How to reach the gateway.
#[derive(Debug, Clone)]
pub struct PublishConfig {
    /// Local addresses to send from; an unspecified address means every interface. Loopback for a gateway on this machine.
    pub bind: Vec<SocketAddr>,
}

/// What happens on the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublishEvent {
    /// Media and messages can flow.
    Connected,
    /// Somebody cannot go on without a key frame of this camera.
    KeyframeWanted {
        /// The camera's name.
        camera: String,
    },
    /// A message on the reliable channel.
    Reliable(Bytes),
    /// A message on the fast channel.
    Fast(Bytes),
    /// The connection is over. Nothing that matters follows.
    Closed,
}

/// Why publishing did not work.
#[derive(Debug, thiserror::Error)]
pub enum PublishFailure {
    /// The engine failed.
    #[error("the media engine failed: {0}")]
    Engine(#[from] webrtc::error::Error),
    /// No random numbers.
    #[error("no random numbers for the media connection")]
    Random(#[from] getrandom::Error),
    /// No local address could be used within the time allowed.
    #[error("no usable local address for media")]
    NoAddress,
    /// The connection is over, or its link is stalled.
    #[error("the media connection does not take the message")]
    Stalled,
    /// The message is larger than [`MESSAGE_LIMIT_BYTES`].
    #[error("the message is too large")]
    TooLarge,
}

/// A connection that waits for its answer.
pub struct Offered {
    /// The connection.
    pub publish: Publish,
    /// What to send to the gateway.
    pub offer: String,
    /// What happens on the connection.
    pub events: mpsc::Receiver<PublishEvent>,
}

/// One media connection to the gateway. Dropping it closes it.
pub struct Publish {
    connection: Arc<dyn PeerConnection>,
    cameras: BTreeMap<String, CameraSender>,
    reliable: Arc<dyn DataChannel>,
    fast: Arc<dyn DataChannel>,
    state: Arc<Link>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

/// What the engine's callbacks, the senders and the handle know together.
pub(crate) struct Link {
    connected: AtomicBool,
    closed: AtomicBool,
    open_channels: AtomicUsize,
    gathered: Notify,
    events: mpsc::Sender<PublishEvent>,
}

impl Link {
    fn new(events: mpsc::Sender<PublishEvent>) -> Self {
        Self {
            connected: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            open_channels: AtomicUsize::new(0),
            gathered: Notify::new(),
            events,
        }
    }

    fn channel_opened(&self) {
        if self.open_channels.fetch_add(1, Ordering::Relaxed) + 1 == CHANNELS {
            self.post(PublishEvent::Connected);
        }
    }

    fn end(&self) {
        self.connected.store(false, Ordering::Relaxed);
        if !self.closed.swap(true, Ordering::Relaxed) {
            self.post(PublishEvent::Closed);
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.connected.load(Ordering::Relaxed)
    }

    /// Posts an event that a later one makes up for. Never waits: callbacks run on the engine's own task.
    pub(crate) fn post(&self, event: PublishEvent) {
        if self.events.try_send(event).is_err() {
            tracing::debug!("the agent does not read its media events");
        }
    }
}

struct Callbacks(Arc<Link>);

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Callbacks {
    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            self.0.gathered.notify_one();
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        match state {
            RTCPeerConnectionState::Connected => self.0.connected.store(true, Ordering::Relaxed),
            RTCPeerConnectionState::Disconnected
            | RTCPeerConnectionState::Failed
            | RTCPeerConnectionState::Closed => self.0.end(),
            _ => {}
        }
    }
}

impl Publish {
    /// Sets a connection up and makes the offer for the gateway.
    pub async fn offer(
        cameras: &[CameraSpec],
        config: &PublishConfig,
    ) -> Result<Offered, PublishFailure> {
        let (events, receiver) = mpsc::channel(EVENTS);
        let state = Arc::new(Link::new(events));
        let callbacks = Arc::new(Callbacks(Arc::clone(&state)));
        let connection = engine::build(callbacks, config).await?;
        let reliable = connection
            .create_data_channel(
                "reliable",
                Some(RTCDataChannelInit {
                    negotiated: Some(RELIABLE_STREAM),
                    ..RTCDataChannelInit::default()
                }),
            )
            .await?;
        let fast = connection
            .create_data_channel(
                "fast",
                Some(RTCDataChannelInit {
                    ordered: false,
                    max_retransmits: Some(0),
                    negotiated: Some(FAST_STREAM),
                    ..RTCDataChannelInit::default()
                }),
            )
            .await?;
        let mut publish = Self {
            connection,
            cameras: BTreeMap::new(),
            reliable,
            fast,
            state,
            tasks: Vec::new(),
        };
        for spec in cameras {
            let (sender, tasks) =
                camera::open(&publish.connection, spec, Arc::clone(&publish.state)).await?;
            publish.cameras.insert(spec.name.clone(), sender);
            publish.tasks.extend(tasks);
        }
        publish.listen();
        let offer = publish.describe().await?;
        Ok(Offered {
            publish,
            offer,
            events: receiver,
        })
    }

    fn listen(&mut self) {
        for (channel, is_reliable) in [(&self.reliable, true), (&self.fast, false)] {
            self.tasks.push(tokio::spawn(hear(
                Arc::clone(channel),
                is_reliable,
                Arc::clone(&self.state),
            )));
        }
    }

    async fn describe(&self) -> Result<String, PublishFailure> {
        let offer = self.connection.create_offer(None).await?;
        self.connection.set_local_description(offer).await?;
        let gathered = self.state.gathered.notified();
        if tokio::time::timeout(GATHERING_LIMIT, gathered)
            .await
            .is_err()
        {
            return Err(PublishFailure::NoAddress);
        }
        let described = self.connection.local_description().await;
        Ok(described.ok_or(PublishFailure::NoAddress)?.sdp)
    }

    /// Takes the gateway's answer.
    pub async fn answer(&self, sdp: &str) -> Result<(), PublishFailure> {
        let answer = RTCSessionDescription::answer(sdp.to_owned())?;
        self.connection.set_remote_description(answer).await?;
        for sender in self.cameras.values() {
            sender.negotiated().await?;
        }
        Ok(())
    }

    /// The way in for one camera's video.
    pub fn camera(&self, name: &str) -> Option<CameraSender> {
        self.cameras.get(name).cloned()
    }

    /// Sends a message that must arrive, in order. Waits while the link is congested, but not for long.
    pub async fn send_reliable(&self, message: Bytes) -> Result<(), PublishFailure> {
        let message = check_size(message)?;
        match tokio::time::timeout(RELIABLE_SEND_LIMIT, self.reliable.send(message)).await {
            Ok(sent) => Ok(sent?),
            Err(_elapsed) => Err(PublishFailure::Stalled),
        }
    }

    /// Sends a message that is worthless when late: it is refused rather than queued behind others.
    pub async fn send_fast(&self, message: Bytes) -> Result<(), PublishFailure> {
        let message = check_size(message)?;
        if self.fast.outstanding_bytes().await? > FAST_LIMIT_BYTES {
            return Err(PublishFailure::Stalled);
        }
        Ok(self.fast.send(message).await?)
    }

    /// Says goodbye to the gateway and closes.
    pub async fn close(self) {
        let closing = self.connection.close();
        if tokio::time::timeout(CLOSING_LIMIT, closing).await.is_err() {
            tracing::debug!("the media connection did not close in time");
        }
    }
}

impl Drop for Publish {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        let connection = Arc::clone(&self.connection);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = connection.close().await {
                    tracing::debug!(%error, "the media connection did not close cleanly");
                }
            });
        }
    }
}

fn check_size(message: Bytes) -> Result<BytesMut, PublishFailure> {
    if message.len() > MESSAGE_LIMIT_BYTES {
        return Err(PublishFailure::TooLarge);
    }
    Ok(message.into())
}

/// Passes one channel's messages on. A reliable message waits for the agent, which slows the gateway down; a fast one
/// that finds no room is dropped.
async fn hear(channel: Arc<dyn DataChannel>, is_reliable: bool, state: Arc<Link>) {
    while let Some(event) = channel.poll().await {
        match event {
            DataChannelEvent::OnMessage(message) if is_reliable => {
                let event = PublishEvent::Reliable(message.data.freeze());
                if state.events.send(event).await.is_err() {
                    return;
                }
            }
            DataChannelEvent::OnMessage(message) => {
                state.post(PublishEvent::Fast(message.data.freeze()));
            }
            DataChannelEvent::OnOpen => state.channel_opened(),
            DataChannelEvent::OnClose => {
                // The gateway said goodbye: the engine alone would notice only by its silence.
                state.end();
                return;
            }
            _ => {}
        }
    }
}
