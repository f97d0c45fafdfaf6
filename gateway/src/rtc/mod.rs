//! Media relay: robots publish video, browsers watch it, all on one UDP port. The only place that names `webrtc` or `rtc`.

mod codec;
mod connection;
mod counters;
mod engine;
#[cfg(feature = "fuzzed")]
pub mod fuzzed;
mod offer;
mod outbox;
mod publisher;
mod refusal;
mod rewrite;
mod room;
mod socket;
mod viewer;
mod wishes;

#[cfg(test)]
mod tests;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Instant,
};

use protocol::{RobotId, limits::MAX_CAMERAS};
use rtc::{
    media_stream::MediaStreamTrack,
    peer_connection::certificate::{CertificateParams, RTCCertificate},
    rtp_transceiver::{
        RTCRtpSenderId,
        rtp_sender::{RTCRtpCodingParameters, RTCRtpEncodingParameters, RtpCodecKind},
    },
};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use self::{
    connection::Connection,
    counters::Counting,
    engine::{Identity, Purpose},
    offer::{Offer, VideoSection},
    outbox::Outbox,
    publisher::{PublishedCamera, Publishing},
    room::Rooms,
    socket::SharedSocket,
    viewer::{QUEUE_PACKETS, Slot, Viewing},
};
pub use self::{
    connection::{CONNECT_TIMEOUT, FAST_STREAM, RELIABLE_STREAM},
    counters::RtcCounters,
    engine::{MESSAGE_LIMIT_BYTES, PEER_SILENCE},
    publisher::{FastLane, Publisher, PublisherEvent},
    refusal::{ClosedReason, RtcFailure, RtcRefusal, SendRefusal},
    viewer::{Viewer, ViewerEvent, ViewerStats},
    wishes::{DEMAND_LINGER, KEYFRAME_INTERVAL},
};

/// People who watch one robot at a time; a class that follows a demonstration fits.
pub const VIEWERS_PER_ROBOT: usize = 64;

/// Publishers and viewers of one gateway together: beyond it, run another gateway.
pub const CONNECTIONS: usize = 4_096;

/// Directives for the log filter: the libraries underneath warn about every oddity of a peer, with its address.
pub const LIBRARY_LOG_DIRECTIVES: [&str; 2] = ["rtc=off", "webrtc=off"];

/// Where the relay listens and what it allows.
#[derive(Debug, Clone)]
pub struct RtcConfig {
    /// The one UDP port. Port 0 takes a free one.
    pub bind: SocketAddr,
    /// The addresses that peers are told; loopback when the gateway is for this machine only.
    pub advertise: Vec<IpAddr>,
    /// Viewers of one robot at a time.
    pub viewers_per_robot: usize,
    /// Publishers and viewers together.
    pub connections: usize,
}

impl RtcConfig {
    /// The usual limits on a given port.
    pub fn new(bind: SocketAddr, advertise: Vec<IpAddr>) -> Self {
        Self {
            bind,
            advertise,
            viewers_per_robot: VIEWERS_PER_ROBOT,
            connections: CONNECTIONS,
        }
    }
}

/// The media relay. Cheap to clone; the port closes with the last clone and the last connection.
#[derive(Clone)]
pub struct Rtc {
    shared: Arc<Shared>,
}

struct Shared {
    socket: Arc<SharedSocket>,
    reader: JoinHandle<()>,
    rooms: Arc<Rooms>,
    identity: Identity,
    addresses: Vec<SocketAddr>,
    viewers_per_robot: usize,
    counting: Arc<Counting>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Rtc {
    /// Opens the port and starts reading it.
    ///
    /// Must be called on a Tokio runtime.
    #[expect(
        clippy::unused_async,
        reason = "the port can only be opened on a runtime, and callers should see that"
    )]
    pub async fn bind(config: RtcConfig) -> Result<Self, RtcFailure> {
        if config.advertise.is_empty() {
            return Err(RtcFailure::NothingToAdvertise);
        }
        let crypto = rtc::crypto::default_provider().map_err(RtcFailure::Cryptography)?;
        let certificate = RTCCertificate::generate(
            crypto.crypto(),
            rtc::crypto::SignatureScheme::EcdsaP256Sha256,
            CertificateParams::default(),
        )
        .map_err(RtcFailure::Certificate)?;
        let counting = Arc::<Counting>::default();
        let socket = SharedSocket::bind(config.bind, config.connections, Arc::clone(&counting))?;
        let port = socket.local().port();
        let addresses = config
            .advertise
            .iter()
            .map(|ip| SocketAddr::new(*ip, port))
            .collect();
        let reader = tokio::spawn(Arc::clone(&socket).read());
        Ok(Self {
            shared: Arc::new(Shared {
                socket,
                reader,
                rooms: Arc::default(),
                identity: Identity {
                    certificate,
                    crypto,
                },
                addresses,
                viewers_per_robot: config.viewers_per_robot,
                counting,
            }),
        })
    }

    /// The port that was opened.
    pub fn local_addr(&self) -> SocketAddr {
        self.shared.socket.local()
    }

    /// What was counted since the start.
    pub fn counters(&self) -> RtcCounters {
        self.shared.counting.snapshot()
    }

    /// Takes a robot's offer: one sending video section per camera, its track named after the camera, the codec that it
    /// sends listed first, and the two negotiated data channels. A robot that publishes already is replaced. Returns the answer.
    pub async fn publish(
        &self,
        robot: RobotId,
        offer: &str,
        events: mpsc::Sender<PublisherEvent>,
    ) -> Result<(Publisher, String), RtcRefusal> {
        let offer = Offer::parse(offer)?;
        let cameras: Vec<_> = offer
            .published_cameras()?
            .into_iter()
            .zip(offer.videos.iter().filter_map(VideoSection::sent_codec))
            .collect();
        let ssrcs: Vec<_> = offer.videos.iter().map(|video| video.ssrc).collect();
        let (publisher, commands) = Publisher::new();
        let relay = self.clone();
        let answer = on_a_task(move |answered| async move {
            let opened = relay
                .open(Purpose::Publish, Instant::now())
                .and_then(|mut connection| {
                    let answer = connection.accept(offer, Instant::now())?;
                    Ok((connection, answer))
                });
            let (mut connection, answer) = match opened {
                Ok(opened) => opened,
                Err(refusal) => return answered(Err(refusal)),
            };
            let shared = &relay.shared;
            let names: Vec<String> = cameras.iter().map(|(name, _)| name.clone()).collect();
            let (seat, evicted) = shared
                .rooms
                .seat_publisher(robot, cameras, &shared.counting);
            let receivers: Vec<_> = connection.engine.get_receivers().collect();
            let mut known_cameras = Vec::with_capacity(names.len());
            for (index, name) in names.into_iter().enumerate() {
                let mut camera = PublishedCamera::new(seat.room.camera(&name), name);
                if let (Some(&receiver), Some(&Some(ssrc))) =
                    (receivers.get(index), ssrcs.get(index))
                {
                    camera.recognise(ssrc, receiver, &mut connection);
                }
                known_cameras.push(camera);
            }
            let publishing = Publishing {
                cameras: known_cameras,
                peer_listens: false,
                connection,
                seat,
                evicted,
                commands,
                outbox: Outbox::new(events),
                counting: Arc::clone(&shared.counting),
            };
            answered(Ok(answer));
            publishing.run().await;
        })
        .await?;
        Ok((publisher, answer))
    }

    /// Takes a browser's offer: one receiving video section per camera asked for, in the same order, and the two
    /// negotiated data channels. The robot need not be there yet. Returns the answer.
    pub async fn view(
        &self,
        robot: RobotId,
        cameras: &[String],
        offer: &str,
        events: mpsc::Sender<ViewerEvent>,
    ) -> Result<(Viewer, String), RtcRefusal> {
        if cameras.len() > MAX_CAMERAS {
            return Err(RtcRefusal::TooManyCameras);
        }
        let offer = Offer::parse(offer)?;
        if offer.videos.len() != cameras.len() {
            return Err(RtcRefusal::CameraMismatch);
        }
        if !cameras.iter().all(|name| offer::is_camera_name(name)) {
            return Err(RtcRefusal::UnknownCamera);
        }
        let shared = &self.shared;
        let seat =
            shared
                .rooms
                .seat_viewer(robot, cameras, shared.viewers_per_robot, &shared.counting)?;
        for (camera, video) in cameras.iter().zip(&offer.videos) {
            if let Some(published) = seat.room.published_codec(camera)
                && !video.codecs.contains(&published?)
            {
                return Err(RtcRefusal::CodecUnsupported);
            }
        }
        let (viewer, commands, tally) = Viewer::new();
        let relay = self.clone();
        let cameras = cameras.to_vec();
        let answer = on_a_task(move |answered| async move {
            let (connection, slots, answer) = match relay.open_viewer(&cameras, offer) {
                Ok(opened) => opened,
                Err(refusal) => return answered(Err(refusal)),
            };
            let viewing = Viewing {
                connection,
                seat,
                commands,
                queue: mpsc::channel(QUEUE_PACKETS),
                outbox: Outbox::new(events),
                slots,
                sent: tally,
                counting: Arc::clone(&relay.shared.counting),
            };
            answered(Ok(answer));
            viewing.run().await;
        })
        .await?;
        Ok((viewer, answer))
    }

    fn open(&self, purpose: Purpose, now: Instant) -> Result<Connection, RtcRefusal> {
        let shared = &self.shared;
        let (registration, inbox) = shared.socket.register()?;
        engine::build(
            purpose,
            &shared.identity,
            registration.credentials(),
            &shared.addresses,
            now,
        )
        .and_then(|engine| {
            Connection::new(engine, registration, inbox, shared.addresses.clone(), now)
        })
        .map_err(|error| {
            tracing::error!(%error, "a media connection could not be set up");
            RtcRefusal::Unavailable
        })
    }

    fn open_viewer(
        &self,
        cameras: &[String],
        offer: Offer,
    ) -> Result<(Connection, Vec<Slot>, String), RtcRefusal> {
        let now = Instant::now();
        let mut connection = self.open(Purpose::View, now)?;
        let mut senders = Vec::with_capacity(cameras.len());
        for (index, (camera, video)) in cameras.iter().zip(&offer.videos).enumerate() {
            let ssrc = getrandom::u32().map_err(|_entropy| RtcRefusal::Unavailable)?;
            let first = video.codecs.first().copied();
            let codec = first.ok_or(RtcRefusal::CodecUnsupported)?;
            let track = outgoing_track(camera, index, ssrc, codec);
            let sender: RTCRtpSenderId = connection.engine.add_track(track).map_err(|error| {
                tracing::error!(%error, "a camera could not be added for a viewer");
                RtcRefusal::Unavailable
            })?;
            senders.push((sender, ssrc));
        }
        let answer = connection.accept(offer, now)?;
        let slots: Vec<Slot> = senders
            .into_iter()
            .map(|(sender, ssrc)| Slot::new(&mut connection, sender, ssrc))
            .collect();
        Ok((connection, slots, answer))
    }
}

/// The track as the browser sees it: the stream carries the camera's name.
fn outgoing_track(camera: &str, index: usize, ssrc: u32, codec: codec::Codec) -> MediaStreamTrack {
    MediaStreamTrack::new(
        camera.to_owned(),
        format!("{index}-{camera}"),
        camera.to_owned(),
        RtpCodecKind::Video,
        vec![RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(ssrc),
                ..RTCRtpCodingParameters::default()
            },
            codec: engine::codec_of(codec),
            ..RTCRtpEncodingParameters::default()
        }],
    )
}

/// Sets a connection up on the task that will run it, so that whatever goes wrong there stays there.
async fn on_a_task<F, Fut>(run: F) -> Result<String, RtcRefusal>
where
    F: FnOnce(Box<dyn FnOnce(Result<String, RtcRefusal>) + Send>) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    let (answered, answer) = oneshot::channel();
    tokio::spawn(run(Box::new(move |result| {
        // The asker may have given up; the connection then ends with its handle.
        answered.send(result).ok();
    })));
    answer.await.map_err(|_gone| RtcRefusal::Unavailable)?
}
