//! The peer connection that stands beside the socket: offered by us, made anew when it breaks.

use std::{collections::BTreeMap, future::pending, net::SocketAddr, sync::Arc, time::Duration};

use protocol::robot_socket::FromRobot;
use tokio::{sync::mpsc, sync::watch, time::Instant};
use url::{Host, Url};

use super::Outlets;
use crate::publish::{CameraSpec, Publish, PublishConfig, PublishEvent};

/// A broken connection is offered again after this long; the socket has its own back-off.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// An offer that is not answered and connected by then is made anew.
const CONNECTED_WITHIN: Duration = Duration::from_secs(10);

/// The peer connection of one session.
pub(super) struct Media {
    cameras: Vec<CameraSpec>,
    config: PublishConfig,
    outlets: watch::Sender<Option<Outlets>>,
    negotiation: u32,
    publish: Option<(Publish, mpsc::Receiver<PublishEvent>)>,
    is_connected: bool,
    /// When to offer (again).
    offer_at: Option<Instant>,
}

/// What the session has to do next for the media's sake.
pub(super) enum Turn {
    /// Make an offer.
    Offer,
    /// Something came in.
    Event(PublishEvent),
}

impl Media {
    pub(super) fn new(
        gateway: &Url,
        cameras: Vec<CameraSpec>,
        outlets: watch::Sender<Option<Outlets>>,
    ) -> Self {
        Self {
            // Without cameras the data channels are still worth having, but an offer needs a video line.
            offer_at: (!cameras.is_empty()).then(Instant::now),
            cameras,
            config: PublishConfig {
                bind: vec![local_address(gateway)],
            },
            outlets,
            negotiation: 0,
            publish: None,
            is_connected: false,
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
        tokio::select! {
            event = event => Turn::Event(event),
            () = due => Turn::Offer,
        }
    }

    /// Makes an offer for the gateway.
    pub(super) async fn offer(&mut self) -> Option<FromRobot> {
        self.drop_connection();
        self.negotiation = self.negotiation.wrapping_add(1);
        match Publish::offer(&self.cameras, &self.config).await {
            Ok(offered) => {
                self.publish = Some((offered.publish, offered.events));
                self.offer_at = Some(Instant::now() + CONNECTED_WITHIN);
                Some(FromRobot::RtcOffer {
                    negotiation: self.negotiation,
                    sdp: offered.offer,
                })
            }
            Err(error) => {
                tracing::warn!(%error, "no media connection could be offered");
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
        self.publish = None;
        self.outlets.send_replace(None);
    }

    /// The reliable channel, while it stands.
    pub(super) fn reliable(&self) -> Option<&Publish> {
        self.publish
            .as_ref()
            .filter(|_| self.is_connected)
            .map(|(publish, _)| publish)
    }
}

/// A gateway on this machine is reached over loopback; any other over whatever interface leads there.
fn local_address(gateway: &Url) -> SocketAddr {
    let is_loopback = match gateway.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let address = if is_loopback {
        std::net::Ipv4Addr::LOCALHOST
    } else {
        std::net::Ipv4Addr::UNSPECIFIED
    };
    SocketAddr::from((address, 0))
}
