//! Claims about what comes in on data channels: what can't be read is counted and harms nobody, and what ends gives its place
//! back. The relay's own claims stand with the relay; here its events come from the test.

use axum::body::Bytes;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use identity::{SecretHash, SecretKind, store};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use protocol::{
    CommandId, UnixMicros,
    command::{CommandRequest, Fate, Verb},
    console_socket::{FromConsole, ToConsole},
    limits::MAX_TEXT_FRAME_BYTES,
    robot_socket::{Demand, FromRobot, ToRobot},
};
use sqlx::PgPool;
use tokio::{sync::mpsc, task::JoinHandle};
use uuid::Uuid;

use super::{
    client::Console,
    views::{OFFER, two_cameras},
};
use crate::{
    flows::jobs::watch_right::WatchRight,
    http::{
        auth::{Caller, Credential},
        tests::{
            house::{Attached, House, JUNIPER, Who},
            until::soon,
        },
    },
    live::{Drain, Frame, NewConsole, Outbox, Queued, Sight},
    rtc::{ClosedReason, ViewerEvent},
    ws::{
        followed_view::{Following, Places},
        robot_events::EventDesk,
        robot_media,
        seats::ConsoleSeat,
    },
};

const COMMAND: CommandId = CommandId(Uuid::from_u128(950));
const VIEW: u32 = 3;

async fn caller(house: &House, who: Who) -> Caller {
    let hash = SecretHash::of(SecretKind::Api, &who.token()).unwrap();
    Caller {
        proven_at: None,
        passkey: None,
        person: house.person(who).await,
        credential: Credential::Token(hash, who.token_id()),
        expires_at: None,
    }
}

/// A console with one view of Juniper, whose events the test makes.
struct Viewing {
    juniper: Attached,
    events: mpsc::Sender<ViewerEvent>,
    drain: Drain,
    places: Places,
    following: JoinHandle<()>,
    _seat: ConsoleSeat,
}

impl Viewing {
    async fn of(house: &House, who: Who) -> Self {
        Self::by(house, who, WatchRight::Role).await
    }

    async fn by(house: &House, who: Who, right: WatchRight) -> Self {
        let mut juniper = house.attach(JUNIPER);
        house.app.live.advert(juniper.attachment, two_cameras());
        let caller = caller(house, who).await;
        let (outbox, drain) = Outbox::new();
        let (ending, _ended) = tokio::sync::oneshot::channel();
        let seat = ConsoleSeat::take(
            &house.app,
            NewConsole {
                person: who.id(),
                credential: caller.credential.name(),
                sight: Sight {
                    organisation: who.organisation(),
                    sites: None,
                },
                watches: None,
                jobs: None,
                calls: None,
                cases: None,
                outbox: outbox.clone(),
                ending,
                doubt: std::sync::Arc::default(),
            },
        );
        let (unheard, _events) = mpsc::channel(1);
        let cameras = ["head", "rear"].map(str::to_owned);
        let opened = house.app.rtc.view(JUNIPER.id(), &cameras, OFFER, unheard);
        let viewer = std::sync::Arc::new(opened.await.unwrap().0);
        let places = Places::new(house.app.clone(), seat.key());
        let following = Following {
            app: house.app.clone(),
            caller,
            outbox,
            places: places.clone(),
            viewer: std::sync::Arc::downgrade(&viewer),
            view: VIEW,
            robot: JUNIPER.id(),
            right,
            may_drive: true,
        };
        places.fill(VIEW, JUNIPER.id(), viewer);
        assert_eq!(juniper.waiting(), [scans(true)]);
        let (events, heard) = mpsc::channel(8);
        let following = tokio::spawn(following.run(heard));
        Self {
            juniper,
            events,
            drain,
            places,
            following,
            _seat: seat,
        }
    }

    async fn says(&self, bytes: impl Into<Bytes>) {
        let event = ViewerEvent::Reliable(bytes.into());
        self.events.send(event).await.unwrap();
    }

    async fn asks(&self, frame: &FromConsole) {
        self.says(serde_json::to_vec(frame).unwrap()).await;
    }

    /// The next answer on the socket.
    async fn answer(&mut self) -> ToConsole {
        loop {
            let queued = soon("an answer", self.drain.next()).await.unwrap();
            if let Queued::Reply(Frame::Text(text)) = queued {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }
}

fn scans(scans: bool) -> ToRobot {
    ToRobot::Demand(Demand {
        scans,
        ..Demand::default()
    })
}

fn stop() -> FromConsole {
    FromConsole::Command(CommandRequest {
        command: COMMAND,
        robot: JUNIPER.id(),
        epoch: None,
        verb: Verb::Stop,
        signed: None,
    })
}

fn refused(handle: &PrometheusHandle, channel: &str) -> u64 {
    let series = format!("nooterra_frames_refused_total{{channel=\"{channel}\"}}");
    let shown = handle.render();
    let line = shown.lines().find_map(|line| line.strip_prefix(&*series));
    line.map_or(0, |count| count.trim().parse().unwrap())
}

/// A message that no honest peer sends. The large one would be a frame, were it not that large.
fn bad_messages(sound: &impl serde::Serialize) -> [Bytes; 5] {
    let mut large = serde_json::to_vec(sound).unwrap();
    large.resize(MAX_TEXT_FRAME_BYTES + 1, b' ');
    [
        Bytes::new(),
        Bytes::from_static(b"}{"),
        Bytes::from_static(&[0xff, 0xfe, 0]),
        Bytes::from_static(br#"{"type":"format_disk"}"#),
        Bytes::from(large),
    ]
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_can_not_be_read_on_a_views_channel_is_counted_and_the_next_command_is_taken(
    owner: PgPool,
) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _counting = metrics::set_default_local_recorder(&recorder);
    let house = House::new(&owner).await;
    let mut viewing = Viewing::of(&house, Who::Operator).await;
    let (mut other, _snapshot) = Console::open(house.listen().await, Who::Operator).await;

    for message in bad_messages(&stop()) {
        viewing.says(message).await;
    }
    // A frame of ours that has no place here.
    viewing.asks(&FromConsole::EndView { view: VIEW }).await;
    assert!(viewing.juniper.waiting().is_empty());
    viewing.asks(&stop()).await;

    let fate = other
        .until(|frame| match frame {
            ToConsole::Command(view) => Some(view.fate),
            _ => None,
        })
        .await;
    assert_eq!(fate, Fate::Sent);
    assert_eq!(refused(&handle, "view"), 6);
    assert_eq!(house.recorded("command.issued").await, 1);
    assert_eq!(viewing.places.taken(), [VIEW], "the view goes on");
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_can_not_be_read_on_a_robots_channel_is_counted_and_the_next_event_is_taken(
    owner: PgPool,
) {
    let recorder = PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _counting = metrics::set_default_local_recorder(&recorder);
    let house = House::new(&owner).await;
    let robot = house.robot(JUNIPER).await;
    let (to_robot, mut answers) = mpsc::channel(8);
    let (desk, _held) = EventDesk::open(&house.app, &robot, to_robot, 8)
        .await
        .unwrap();
    let event = FromRobot::Event {
        number: 4,
        sealed: BASE64_STANDARD.encode("no envelope"),
    };
    let pong = FromRobot::Pong {
        at: UnixMicros(1),
        robot_at: UnixMicros(1),
    };

    for message in bad_messages(&event) {
        robot_media::take(&desk, &message, JUNIPER.id());
    }
    robot_media::take(&desk, &serde_json::to_vec(&pong).unwrap(), JUNIPER.id());
    robot_media::take(&desk, &serde_json::to_vec(&event).unwrap(), JUNIPER.id());

    let answer = soon("an answer", answers.recv()).await;
    let refusal = ToRobot::EventRefused {
        number: 4,
        code: "signature_refused".to_owned(),
    };
    assert_eq!(answer, Some(refusal));
    assert_eq!(refused(&handle, "robot"), 6);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_command_that_is_refused_on_a_data_channel_is_refused_on_the_socket_too(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut viewing = Viewing::of(&house, Who::Operator).await;
    let (person, token) = (house.person(Who::Operator).await, Who::Operator.token_id());
    let mut tx = house.begin();
    store::revoke_api_token(&mut tx, &person, token, None, house.now())
        .await
        .unwrap();
    house.commit(tx).await;

    viewing.asks(&stop()).await;

    let ToConsole::CommandRefused { command, code, .. } = viewing.answer().await else {
        panic!("no refusal")
    };
    assert_eq!((command, code.as_str()), (COMMAND, "token_unknown"));
    assert!(viewing.juniper.waiting().is_empty());
    assert_eq!(house.recorded("command.issued").await, 0);
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_view_that_the_relay_ends_gives_its_place_and_the_robots_scans_back(owner: PgPool) {
    let house = House::new(&owner).await;

    for (last, code) in [
        (Some(ClosedReason::PeerSilent), "peer_silent"),
        (None, "failed"),
    ] {
        let mut viewing = Viewing::of(&house, Who::Operator).await;
        match last {
            Some(reason) => {
                let closed = ViewerEvent::Closed { reason };
                viewing.events.send(closed).await.unwrap();
            }
            None => viewing.events = mpsc::channel(1).0,
        }

        let ended = ToConsole::ViewEnded {
            view: VIEW,
            code: code.to_owned(),
        };
        assert_eq!(viewing.answer().await, ended);
        assert!(viewing.places.taken().is_empty());
        assert_eq!(viewing.juniper.waiting(), [scans(false)]);
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn the_end_of_a_view_that_was_replaced_takes_nothing_from_the_one_in_its_place(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let mut viewing = Viewing::of(&house, Who::Operator).await;
    let (unheard, _events) = mpsc::channel(1);
    let cameras = ["head", "rear"].map(str::to_owned);
    let newer = house.app.rtc.view(JUNIPER.id(), &cameras, OFFER, unheard);
    let newer = std::sync::Arc::new(newer.await.unwrap().0);
    viewing.places.free(VIEW);
    viewing.places.fill(VIEW, JUNIPER.id(), newer);
    viewing.juniper.waiting();

    let reason = ClosedReason::ByOwner;
    let closed = ViewerEvent::Closed { reason };
    viewing.events.send(closed).await.unwrap();
    soon("the end of the older view", viewing.following)
        .await
        .unwrap();

    assert_eq!(viewing.places.taken(), [VIEW]);
    assert!(viewing.juniper.waiting().is_empty());
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_page_that_keeps_talking_keeps_no_picture_that_its_job_gives_no_right_to_any_more(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    // No job of theirs is at work there.
    let mut viewing = Viewing::by(&house, Who::Requester, WatchRight::Job).await;

    let talking = async {
        // Never quiet, until nobody listens any more.
        let word = Bytes::from_static(b"x");
        while (viewing.events.send(ViewerEvent::Fast(word.clone())).await).is_ok() {}
    };
    soon("the end of the view", talking).await;

    let ended = ToConsole::ViewEnded {
        view: VIEW,
        code: "right_ended".to_owned(),
    };
    assert_eq!(viewing.answer().await, ended);
    assert!(viewing.places.taken().is_empty());
}
