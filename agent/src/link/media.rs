//! The peer connection that stands beside the socket: offered by us, made anew when it breaks.

use std::{
    collections::BTreeMap,
    future::pending,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use protocol::robot_socket::FromRobot;
use tokio::{sync::mpsc, sync::watch, time::Instant};
use tokio_util::task::AbortOnDropHandle;
use url::{Host, Url};

use super::Outlets;
use crate::publish::{CameraSpec, Offered, Publish, PublishConfig, PublishEvent, PublishFailure};

/// A broken connection is offered again after this long; the socket has its own back-off.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// An offer that is not answered and connected by then is made anew.
const CONNECTED_WITHIN: Duration = Duration::from_secs(10);

/// How an offer is made: one of a test may never come.
pub(super) type MakeOffer =
    fn(Vec<CameraSpec>, PublishConfig) -> BoxFuture<'static, Result<Offered, PublishFailure>>;

fn make_offer(
    cameras: Vec<CameraSpec>,
    config: PublishConfig,
) -> BoxFuture<'static, Result<Offered, PublishFailure>> {
    Box::pin(async move { Publish::offer(&cameras, &config).await })
}

/// The peer connection of one session.
pub(super) struct Media {
    cameras: Vec<CameraSpec>,
    config: PublishConfig,
    make_offer: MakeOffer,
    /// An offer that is being made, beside the session: it takes seconds on a machine without a usable address.
    offering: Option<AbortOnDropHandle<Result<Offered, PublishFailure>>>,
    outlets: watch::Sender<Option<Outlets>>,
    negotiation: u32,
    publish: Option<(Publish, mpsc::Receiver<PublishEvent>)>,
    is_connected: bool,
    /// The reliable channel did not take a message: what follows had better go another way.
    is_stalled: bool,
    /// When to offer (again).
    offer_at: Option<Instant>,
}

/// What the session has to do next for the media's sake.
pub(super) enum Turn {
    /// Begin an offer.
    Offer,
    /// The offer is made, or can't be.
    Offered(Result<Box<Offered>, String>),
    /// Something came in.
    Event(PublishEvent),
}

impl Media {
    pub(super) fn new(
        gateway: &Url,
        cameras: Vec<CameraSpec>,
        outlets: watch::Sender<Option<Outlets>>,
    ) -> Self {
        Self::offering_with(make_offer, gateway, cameras, outlets)
    }

    /// The same with another way to make an offer.
    pub(super) fn offering_with(
        make_offer: MakeOffer,
        gateway: &Url,
        cameras: Vec<CameraSpec>,
        outlets: watch::Sender<Option<Outlets>>,
    ) -> Self {
        Self {
            // Without cameras the data channels are still worth having, but an offer needs a video line.
            offer_at: (!cameras.is_empty()).then(Instant::now),
            cameras,
            config: PublishConfig {
                bind: local_addresses(gateway),
            },
            make_offer,
            offering: None,
            outlets,
            negotiation: 0,
            publish: None,
            is_connected: false,
            is_stalled: false,
        }
    }

    /// Waits for the next turn.
    pub(super) async fn next(&mut self) -> Turn {
        let due = async {
            match self.offer_at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => pending().await,
            }
        };
        let event = async {
            match &mut self.publish {
                Some((_, events)) => events.recv().await.unwrap_or(PublishEvent::Closed),
                None => pending().await,
            }
        };
        let offered = async {
            let Some(offering) = &mut self.offering else {
                return pending().await;
            };
            match offering.await {
                Ok(Ok(offered)) => Ok(Box::new(offered)),
                Ok(Err(failure)) => Err(failure.to_string()),
                Err(broken) => Err(broken.to_string()),
            }
        };
        let turn = tokio::select! {
            event = event => Turn::Event(event),
            offered = offered => Turn::Offered(offered),
            () = due => Turn::Offer,
        };
        if let Turn::Offered(_) = turn {
            self.offering = None;
        }
        turn
    }

    /// Begins an offer; it comes as a turn of its own.
    pub(super) fn begin_offer(&mut self) {
        self.drop_connection();
        self.offer_at = None;
        self.negotiation = self.negotiation.wrapping_add(1);
        let offer = (self.make_offer)(self.cameras.clone(), self.config.clone());
        self.offering = Some(AbortOnDropHandle::new(tokio::spawn(offer)));
    }

    /// Takes an offer that was made; gives what the gateway is to be told.
    pub(super) fn offered(&mut self, offered: Result<Box<Offered>, String>) -> Option<FromRobot> {
        match offered {
            Ok(offered) => {
                self.publish = Some((offered.publish, offered.events));
                self.offer_at = Some(Instant::now() + CONNECTED_WITHIN);
                Some(FromRobot::RtcOffer {
                    negotiation: self.negotiation,
                    sdp: offered.offer,
                })
            }
            Err(words) => {
                tracing::warn!("no media connection could be offered: {words}");
                self.offer_at = Some(Instant::now() + AGAIN_AFTER);
                None
            }
        }
    }

    /// Takes the gateway's answer to the latest offer.
    pub(super) async fn answer(&mut self, negotiation: u32, sdp: &str) {
        let Some((publish, _)) = &self.publish else {
            return;
        };
        if negotiation != self.negotiation {
            return;
        }
        if let Err(error) = publish.answer(sdp).await {
            tracing::warn!(%error, "the gateway's answer can't be used");
            self.again();
        }
    }

    /// The gateway turned the offer down.
    pub(super) fn refused(&mut self, negotiation: u32, code: &str, words: &str) {
        if negotiation == self.negotiation {
            tracing::warn!(code, "the gateway takes no pictures: {words}");
            self.again();
        }
    }

    /// The connection stands.
    pub(super) fn connected(&mut self) {
        tracing::info!("media connected");
        self.is_connected = true;
        self.offer_at = None;
        let Some((publish, _)) = &self.publish else {
            return;
        };
        let outlets: BTreeMap<_, _> = self
            .cameras
            .iter()
            .filter_map(|camera| Some((camera.name.clone(), publish.camera(&camera.name)?)))
            .collect();
        self.outlets.send_replace(Some(Arc::new(outlets)));
    }

    /// The connection broke.
    pub(super) fn closed(&mut self) {
        tracing::info!("media connection lost");
        self.again();
    }

    fn again(&mut self) {
        self.drop_connection();
        self.offer_at = Some(Instant::now() + AGAIN_AFTER);
    }

    fn drop_connection(&mut self) {
        self.is_connected = false;
        self.is_stalled = false;
        self.offering = None;
        self.publish = None;
        self.outlets.send_replace(None);
    }

    /// Sends on the reliable channel if it stands and took everything so far; says whether it took this.
    pub(super) async fn send_reliable(&mut self, message: Bytes) -> bool {
        let Some((publish, _)) = &self.publish else {
            return false;
        };
        if !self.is_connected || self.is_stalled {
            return false;
        }
        match publish.send_reliable(message).await {
            Ok(()) => true,
            Err(failure) => {
                tracing::debug!(%failure, "the reliable channel took no message");
                self.is_stalled = !matches!(failure, PublishFailure::TooLarge);
                false
            }
        }
    }

    /// Sends on the fast channel, where a message that can't leave now is worth nothing.
    pub(super) async fn send_fast(&self, message: Bytes) {
        let Some((publish, _)) = self.publish.as_ref().filter(|_| self.is_connected) else {
            return;
        };
        if let Err(failure) = publish.send_fast(message).await {
            tracing::debug!(%failure, "the fast channel took no message");
        }
    }

    /// Says goodbye on the peer connection, if there is one.
    pub(super) async fn close(mut self) {
        self.outlets.send_replace(None);
        if let Some((publish, _)) = self.publish.take() {
            publish.close().await;
        }
    }
}

/// Where to send from. A gateway on this machine is reached over loopback; any other over whatever interface leads there.
fn local_addresses(gateway: &Url) -> Vec<SocketAddr> {
    match gateway.host() {
        Some(Host::Ipv4(address)) => vec![version_4(address.is_loopback())],
        Some(Host::Ipv6(address)) => vec![version_6(address.is_loopback())],
        Some(Host::Domain(name)) => {
            let is_loopback = name == "localhost";
            let mut addresses = vec![version_4(is_loopback)];
            // A name may lead to either; one address that can't be bound would spoil the whole offer.
            let version_6 = version_6(is_loopback);
            if UdpSocket::bind(version_6).is_ok() {
                addresses.push(version_6);
            }
            addresses
        }
        None => vec![version_4(false)],
    }
}

fn version_4(is_loopback: bool) -> SocketAddr {
    let address = if is_loopback {
        Ipv4Addr::LOCALHOST
    } else {
        Ipv4Addr::UNSPECIFIED
    };
    SocketAddr::from((address, 0))
}

fn version_6(is_loopback: bool) -> SocketAddr {
    let address = if is_loopback {
        Ipv6Addr::LOCALHOST
    } else {
        Ipv6Addr::UNSPECIFIED
    };
    SocketAddr::from((address, 0))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;
    use crate::publish::{MESSAGE_LIMIT_BYTES, VideoCodec, tests::Gateway};

    /// Longer than connecting takes on a loaded machine; reached only when a claim is false.
    const PATIENCE: Duration = Duration::from_secs(20);

    fn addresses(gateway: &str) -> Vec<String> {
        let addresses = local_addresses(&Url::parse(gateway).unwrap());
        addresses.iter().map(SocketAddr::to_string).collect()
    }

    #[test]
    fn media_leave_from_an_address_of_the_gateways_family() {
        for (gateway, expected) in [
            ("http://127.0.0.1:8080", "127.0.0.1:0"),
            ("https://192.0.2.7", "0.0.0.0:0"),
            ("http://[::1]:8080", "[::1]:0"),
            ("https://[2001:db8::7]", "[::]:0"),
        ] {
            assert_eq!(addresses(gateway), [expected], "{gateway}");
        }
        assert_eq!(addresses("http://localhost:8080")[0], "127.0.0.1:0");
        assert_eq!(addresses("https://fleet.example")[0], "0.0.0.0:0");
    }

    #[tokio::test]
    async fn after_a_message_that_did_not_leave_the_channel_is_not_waited_for_again() {
        let cameras = vec![CameraSpec {
            name: "head".to_owned(),
            codec: VideoCodec::H264,
        }];
        let gateway = Url::parse("http://127.0.0.1").unwrap();
        let mut media = Media::new(&gateway, cameras, watch::channel(None).0);
        // In a runtime of its own, so that it can vanish without a word.
        let elsewhere = tokio::runtime::Runtime::new().unwrap();
        media.begin_offer();
        let Turn::Offered(offered) = media.next().await else {
            panic!("something else than the offer");
        };
        let Some(FromRobot::RtcOffer { negotiation, sdp }) = media.offered(offered) else {
            panic!("no offer");
        };
        let answering = elsewhere.spawn(async move { Gateway::answer(&sdp).await });
        let (gateway, answer) = answering.await.unwrap();
        media.answer(negotiation, &answer).await;
        let turn = tokio::time::timeout(PATIENCE, media.next()).await;
        assert!(matches!(turn, Ok(Turn::Event(PublishEvent::Connected))));
        media.connected();
        assert!(media.send_reliable(Bytes::from_static(b"{}")).await);
        elsewhere.shutdown_background();
        // Whatever the channel takes now stays where it is, until it is full.
        let message = Bytes::from(vec![0; MESSAGE_LIMIT_BYTES]);
        while media.send_reliable(message.clone()).await {}

        let next = media.send_reliable(message).now_or_never();

        assert_eq!(next, Some(false));
        drop(gateway);
    }
}
