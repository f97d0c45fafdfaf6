//! Claims about the link, against a gateway's socket on loopback.

use std::{future::pending, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::SigningKey;
use futures_util::{SinkExt as _, StreamExt as _};
use protocol::{
    CommandId, JobId, RobotId,
    command::Order,
    drive::DriveReport,
    event::{ActorEvent, Payload},
    job::JobEvent,
    robot_socket::{FromRobot, ToRobot},
    sealed::{self, Kind},
};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};
use uuid::Uuid;

use super::{media::Media, *};
use crate::{journal::Stream, publish::VideoCodec, tls, work::heard::Told};

const ROBOT: RobotId = RobotId(Uuid::from_u128(5));

/// Longer than anything here takes on a loaded machine; reached only when a claim is false.
const PATIENCE: Duration = Duration::from_secs(20);

async fn soon<F: Future>(what: &str, happens: F) -> F::Output {
    let Ok(output) = tokio::time::timeout(PATIENCE, happens).await else {
        panic!("did not happen: {what}");
    };
    output
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

/// The ends of the link that the rest of an agent would hold.
struct Rest {
    hang_up: CancellationToken,
    heard: watch::Receiver<Heard>,
    journal: SharedJournal,
    grew: watch::Sender<u64>,
    _folder: TempDir,
    _advert: watch::Sender<Advert>,
    _telemetry: watch::Sender<Option<Telemetry>>,
    _believes: watch::Sender<Option<RobotTrust>>,
    _scan: watch::Sender<Option<Scan>>,
    _stills: mpsc::Sender<Still>,
    orders: mpsc::Receiver<FromGateway>,
    _driving: watch::Sender<Option<DriveReport>>,
}

fn link_to(gateway: &str) -> (Link, Rest) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let journal = Journal::open(&path, ROBOT, key()).unwrap();
    let (grew, journal_grew) = watch::channel(0);
    let (advert, advert_out) = watch::channel(Advert::default());
    let (telemetry, telemetry_out) = watch::channel(None);
    let (believes, believes_out) = watch::channel(None);
    let (scan, scan_out) = watch::channel(None);
    let (stills, stills_out) = mpsc::channel(STILL_QUEUE);
    let (orders, orders_out) = mpsc::channel(1);
    let (driving, driving_out) = watch::channel(None);
    let hang_up = CancellationToken::new();
    let (heard, heard_out) = watch::channel(Heard::default());
    let journal = SharedJournal::new(journal);
    let link = Link {
        gateway: Url::parse(gateway).unwrap(),
        token: Zeroizing::new("token".to_owned()),
        trust: tls::client(None).unwrap(),
        run: 1,
        clock: AgentClock::start(),
        cameras: Vec::new(),
        journal: journal.clone(),
        journal_grew,
        advert: advert_out,
        telemetry: telemetry_out,
        believes: believes_out,
        scan: scan_out,
        stills: stills_out,
        orders,
        drives: mpsc::channel(1).0,
        driving: driving_out,
        heard,
        demand: watch::channel(Demand::default()).0,
        keyframes: mpsc::channel(1).0,
        outlets: watch::channel(None).0,
        hang_up: hang_up.clone(),
    };
    let rest = Rest {
        hang_up,
        heard: heard_out,
        journal,
        grew,
        _folder: folder,
        _advert: advert,
        _telemetry: telemetry,
        _believes: believes,
        _scan: scan,
        _stills: stills,
        orders: orders_out,
        _driving: driving,
    };
    (link, rest)
}

/// A gateway as far as its socket.
struct Gateway(WebSocketStream<TcpStream>);

impl Gateway {
    /// Takes the robot in.
    async fn welcome(listener: &TcpListener) -> Self {
        let (stream, _) = soon("the agent connects", listener.accept()).await.unwrap();
        let mut gateway = Self(accept_async(stream).await.unwrap());
        assert!(matches!(gateway.next().await, FromRobot::Hello { .. }));
        gateway
            .send(&ToRobot::Welcome {
                robot: ROBOT,
                name: "r".to_owned(),
                gateway_at: UnixMicros(1),
                events_held: 0,
            })
            .await;
        gateway
    }

    async fn send(&mut self, frame: &ToRobot) {
        let text = serde_json::to_string(frame).unwrap();
        self.0.send(Message::text(text)).await.unwrap();
    }

    /// The next event that the agent says: its number, and what it is.
    async fn next_event(&mut self) -> (u64, ActorEvent) {
        loop {
            if let FromRobot::Event { number, sealed } = self.next().await {
                let sealed = BASE64_STANDARD.decode(sealed).unwrap();
                let event = sealed::open(Kind::Event, &sealed, &key().verifying_key()).unwrap();
                return (number, event);
            }
        }
    }

    async fn next(&mut self) -> FromRobot {
        let message = soon("the agent says something", self.0.next()).await;
        let Some(Ok(Message::Text(text))) = message else {
            panic!("not a frame: {message:?}");
        };
        serde_json::from_str(&text).unwrap()
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (listener, address)
}

#[tokio::test]
async fn a_ping_is_answered_while_an_offer_is_being_made() {
    static BEGUN: Notify = Notify::const_new();
    let (listener, address) = listen().await;
    let (mut link, _rest) = link_to(&address);
    let camera = CameraSpec {
        name: "head".to_owned(),
        codec: VideoCodec::H264,
    };
    let media = Media::offering_with(
        |_, _| {
            BEGUN.notify_one();
            Box::pin(pending())
        },
        &link.gateway,
        vec![camera],
        link.outlets.clone(),
    );
    let running: JoinHandle<End> =
        tokio::spawn(async move { session::run_with(&mut link, media).await });
    let mut gateway = Gateway::welcome(&listener).await;
    soon("an offer is begun", BEGUN.notified()).await;

    gateway.send(&ToRobot::Ping { at: UnixMicros(77) }).await;

    let pong = gateway.next().await;
    assert!(matches!(pong, FromRobot::Pong { at, .. } if at == UnixMicros(77)));
    running.abort();
}

#[tokio::test]
async fn a_link_that_hangs_up_closes_its_socket_and_does_not_break_it() {
    let (listener, address) = listen().await;
    let (link, rest) = link_to(&address);
    let running = tokio::spawn(link.run());
    let mut gateway = Gateway::welcome(&listener).await;
    gateway.send(&ToRobot::Ping { at: UnixMicros(77) }).await;
    assert!(matches!(gateway.next().await, FromRobot::Pong { .. }));

    rest.hang_up.cancel();
    // What is still on its way to an agent that is leaving must not reset the connection.
    gateway.send(&ToRobot::Demand(Demand::default())).await;

    let farewell = soon("the socket closes", gateway.0.next()).await;
    assert!(matches!(farewell, Some(Ok(Message::Close(_)))));
    let after = soon("the connection ends", gateway.0.next()).await;
    assert!(after.is_none(), "{after:?}");
    soon("the link ends", running).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_link_without_a_gateway_hangs_up_at_once() {
    let (listener, address) = listen().await;
    drop(listener);
    let (link, rest) = link_to(&address);
    let running = tokio::spawn(link.run());

    rest.hang_up.cancel();

    let ended = soon("the link ends", running).await.unwrap();
    assert!(ended.is_ok());
}

#[tokio::test]
async fn an_event_that_is_refused_for_good_makes_way_for_those_behind_it() {
    let (listener, address) = listen().await;
    let (link, rest) = link_to(&address);
    let append = |journal: &mut Journal| {
        let not_ours = Payload::CommandUnanswered {
            command: CommandId(Uuid::from_u128(1)),
        };
        let job = Stream::Job(JobId(Uuid::from_u128(2)));
        journal.append(Stream::Own, not_ours).unwrap();
        for event in [
            JobEvent::Departed { epoch: 1 },
            JobEvent::Arrived { epoch: 1 },
        ] {
            journal.append(job, Payload::Job(event)).unwrap();
        }
    };
    rest.journal.with(append).await.unwrap();
    let running = tokio::spawn(link.run());
    let mut gateway = Gateway::welcome(&listener).await;
    for expected in 1..=3 {
        assert_eq!(gateway.next_event().await.0, expected);
    }

    for (number, code) in [(1, "not_a_robots_word"), (2, "gap"), (3, "gap")] {
        let code = code.to_owned();
        gateway.send(&ToRobot::EventRefused { number, code }).await;
    }

    let (first, departed) = gateway.next_event().await;
    let (second, arrived) = gateway.next_event().await;
    assert_eq!((first, second), (1, 2));
    assert_eq!(departed.payload.kind(), "robot.departed");
    assert_eq!(departed.chain.unwrap().previous, [0; 32]);
    assert_eq!(arrived.payload.kind(), "robot.arrived");
    gateway.send(&ToRobot::EventsHeld { number: 2 }).await;
    rest.grew.send_replace(3);
    running.abort();
}

#[tokio::test]
async fn what_the_gateway_says_of_the_job_reaches_the_rest_each_time() {
    let (listener, address) = listen().await;
    let (link, mut rest) = link_to(&address);
    let running = tokio::spawn(link.run());
    let mut gateway = Gateway::welcome(&listener).await;

    gateway.send(&ToRobot::NoAssignment).await;
    gateway.send(&ToRobot::NoAssignment).await;

    let twice = rest.heard.wait_for(|heard| heard.times == 2);
    let heard = soon("the job is told", twice).await.unwrap().clone();
    assert_eq!(heard.told, Told::NoJob);
    running.abort();
}

#[tokio::test]
async fn a_stop_is_heard_and_a_ping_answered_while_the_disk_hangs() {
    let (listener, address) = listen().await;
    let (link, mut rest) = link_to(&address);
    let (let_go, stalled) = std::sync::mpsc::sync_channel::<()>(0);
    let (says_it_hangs, it_hangs) = tokio::sync::oneshot::channel();
    let journal = rest.journal.clone();
    let hanging = tokio::spawn(async move {
        let never_ends = move |_journal: &mut Journal| {
            says_it_hangs.send(()).unwrap();
            stalled.recv()
        };
        journal.with(never_ends).await
    });
    soon("the disk hangs", it_hangs).await.unwrap();
    let running = tokio::spawn(link.run());
    let mut gateway = Gateway::welcome(&listener).await;

    // Each has the robot ask its journal.
    gateway.send(&ToRobot::EventsHeld { number: 0 }).await;
    let code = "gap".to_owned();
    let refused = ToRobot::EventRefused { number: 9, code };
    gateway.send(&refused).await;
    rest.grew.send_replace(1);
    let stop = Order::Stop {
        command: CommandId(Uuid::from_u128(1)),
    };
    gateway.send(&ToRobot::Order(stop.clone())).await;
    gateway.send(&ToRobot::Ping { at: UnixMicros(77) }).await;

    let told = soon("the stop is heard", rest.orders.recv()).await;
    assert_eq!(told, Some(FromGateway::Order(stop)));
    let pong = gateway.next().await;
    assert!(matches!(pong, FromRobot::Pong { at, .. } if at == UnixMicros(77)));

    drop(let_go);
    soon("the disk is back", hanging).await.unwrap();
    let append = |journal: &mut Journal| {
        let event = JobEvent::Departed { epoch: 1 };
        journal.append(Stream::Job(JobId(Uuid::from_u128(2))), Payload::Job(event))
    };
    rest.journal.with(append).await.unwrap().unwrap();
    rest.grew.send_replace(2);
    assert_eq!(gateway.next_event().await.0, 1);
    running.abort();
}
