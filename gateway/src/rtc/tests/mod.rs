//! Claims about the relay, with real WebRTC peers on loopback.

mod messages;
mod peer;
mod refusals;
mod video;
mod wire;

use protocol::RobotId;
use tokio::sync::mpsc;
use uuid::Uuid;

use self::{
    peer::{Peer, Robot, soon},
    wire::Wire,
};
use super::{Publisher, PublisherEvent, Rtc, RtcConfig, Viewer, ViewerEvent};

const ROBOT: RobotId = RobotId(Uuid::from_u128(7));

/// Events a test may leave unread.
const UNREAD: usize = 64;

async fn relay() -> Rtc {
    let loopback = "127.0.0.1".parse().unwrap();
    let bind = "127.0.0.1:0".parse().unwrap();
    Rtc::bind(RtcConfig::new(bind, vec![loopback]))
        .await
        .unwrap()
}

fn names(cameras: &[&str]) -> Vec<String> {
    cameras.iter().map(|&name| name.to_owned()).collect()
}

/// A robot's connection as its socket's owner holds it.
struct Published {
    robot: Robot,
    handle: Publisher,
    events: mpsc::Receiver<PublisherEvent>,
}

impl Published {
    async fn new(relay: &Rtc, cameras: &[&str]) -> Self {
        Self::join(relay, cameras, None).await
    }

    async fn through(relay: &Rtc, cameras: &[&str], wire: &Wire) -> Self {
        Self::join(relay, cameras, Some(wire)).await
    }

    async fn join(relay: &Rtc, cameras: &[&str], wire: Option<&Wire>) -> Self {
        let robot = Robot::new(cameras).await;
        let (sender, mut events) = mpsc::channel(UNREAD);
        let offer = robot.peer.offer().await;
        let (handle, mut answer) = relay.publish(ROBOT, &offer, sender).await.unwrap();
        if let Some(wire) = wire {
            answer = wire.reroute(&answer, relay.local_addr());
        }
        robot.peer.accept(&answer).await;
        robot.peer.channels_open().await;
        while next(&mut events).await != PublisherEvent::Connected {}
        Self {
            robot,
            handle,
            events,
        }
    }
}

/// A viewer's connection as its socket's owner holds it.
struct Watched {
    browser: Peer,
    handle: Viewer,
    events: mpsc::Receiver<ViewerEvent>,
}

impl Watched {
    async fn new(relay: &Rtc, cameras: &[&str]) -> Self {
        Self::join(relay, cameras, None).await
    }

    async fn through(relay: &Rtc, cameras: &[&str], wire: &Wire) -> Self {
        Self::join(relay, cameras, Some(wire)).await
    }

    async fn join(relay: &Rtc, cameras: &[&str], wire: Option<&Wire>) -> Self {
        let browser = Peer::browser(cameras.len()).await;
        let (sender, mut events) = mpsc::channel(UNREAD);
        let offer = browser.offer().await;
        let (handle, mut answer) = relay
            .view(ROBOT, &names(cameras), &offer, sender)
            .await
            .unwrap();
        if let Some(wire) = wire {
            answer = wire.reroute(&answer, relay.local_addr());
        }
        browser.accept(&answer).await;
        browser.channels_open().await;
        assert_eq!(next(&mut events).await, ViewerEvent::Connected);
        Self {
            browser,
            handle,
            events,
        }
    }
}

async fn next<E>(events: &mut mpsc::Receiver<E>) -> E {
    soon("an event", events.recv()).await.unwrap()
}
