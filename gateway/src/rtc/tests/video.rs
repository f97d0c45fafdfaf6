//! Claims about video: who gets which packets, and who is asked for what.

use std::collections::BTreeSet;

use tokio::net::UdpSocket;

use super::{
    Published, ROBOT, Watched, names, next,
    peer::{CAPTURE_TIME, Peer, soon},
    relay,
    wire::Wire,
};
use crate::rtc::{ClosedReason, PublisherEvent, ViewerEvent};

fn demand(camera: &str, wanted: bool) -> PublisherEvent {
    PublisherEvent::Demand {
        camera: camera.to_owned(),
        wanted,
    }
}

#[tokio::test]
async fn a_late_viewer_gets_a_key_frame_first() {
    let relay = relay().await;
    let published = Published::new(&relay, &["front"]).await;
    published.robot.send_key(0).await;

    let mut late = Watched::new(&relay, &["front"]).await;
    for _ in 0..5 {
        published.robot.send_delta(0).await;
    }
    published.robot.keyframe_asked(0).await;
    published.robot.send_key(0).await;
    published.robot.send_delta(0).await;

    assert!(late.browser.next().await.is_key());
    assert!(!late.browser.next().await.is_key());
}

#[tokio::test]
async fn a_viewer_may_come_before_the_robot() {
    let relay = relay().await;
    let mut early = Watched::new(&relay, &["base", "front"]).await;

    let published = Published::new(&relay, &["front", "base"]).await;
    published.robot.keyframe_asked(0).await;
    published.robot.send_key(0).await;
    let front = early.browser.next().await;
    published.robot.keyframe_asked(1).await;
    published.robot.send_key(1).await;
    let base = early.browser.next().await;

    assert_eq!(
        (front.camera.as_str(), base.camera.as_str()),
        ("front", "base")
    );
}

#[tokio::test]
async fn no_video_is_wanted_when_nobody_watches() {
    let relay = relay().await;
    let mut published = Published::new(&relay, &["front", "base"]).await;
    assert!(published.events.try_recv().is_err());

    let watched = Watched::new(&relay, &["front"]).await;
    assert_eq!(next(&mut published.events).await, demand("front", true));
    watched.handle.close();

    assert_eq!(next(&mut published.events).await, demand("front", false));
    assert!(published.events.try_recv().is_err());
}

#[tokio::test]
async fn the_payload_and_the_capture_time_pass_untouched() {
    let relay = relay().await;
    let published = Published::new(&relay, &["front"]).await;
    let mut watched = Watched::new(&relay, &["front"]).await;
    published.robot.keyframe_asked(0).await;

    published.robot.send_key(0).await;
    let arrived = watched.browser.next().await.packet;

    assert_eq!((arrived.payload.len(), arrived.payload[0]), (400, 0x65));
    let extensions = &arrived.header.extensions;
    assert_eq!(extensions.len(), 1);
    assert_eq!(extensions[0].payload.as_ref(), CAPTURE_TIME.as_slice());
}

#[tokio::test]
async fn a_publishers_probes_leave_no_gap() {
    let relay = relay().await;
    let published = Published::new(&relay, &["front"]).await;
    let mut watched = Watched::new(&relay, &["front"]).await;
    published.robot.keyframe_asked(0).await;

    published.robot.send_key(0).await;
    published.robot.send_probe(0).await;
    published.robot.send_delta(0).await;

    let first = watched.browser.next().await.packet.header.sequence_number;
    for step in 1..=2 {
        let arrived = watched.browser.next().await.packet.header.sequence_number;
        assert_eq!(arrived, first.wrapping_add(step));
    }
}

#[tokio::test]
async fn a_frozen_viewer_never_delays_another() {
    let relay = relay().await;
    let published = Published::new(&relay, &["front"]).await;
    let wire = Wire::to(relay.local_addr()).await;
    let frozen = Watched::through(&relay, &["front"], &wire).await;
    let mut lively = Watched::new(&relay, &["front"]).await;
    published.robot.keyframe_asked(0).await;
    wire.cut();

    published.robot.send_key(0).await;
    let mut last = lively.browser.next().await.packet.header;
    for _ in 0..300 {
        published.robot.send_delta(0).await;
        let header = lively.browser.next().await.packet.header;
        assert_eq!(header.sequence_number, last.sequence_number.wrapping_add(1));
        assert_eq!(header.timestamp, last.timestamp.wrapping_add(3_000));
        last = header;
    }

    assert!(lively.handle.stats().packets >= 301);
    drop(frozen);
}

#[tokio::test]
async fn a_viewer_sees_one_unbroken_stream_when_the_robot_publishes_again() {
    let relay = relay().await;
    let mut older = Published::new(&relay, &["front"]).await;
    let mut watched = Watched::new(&relay, &["front"]).await;
    older.robot.keyframe_asked(0).await;
    older.robot.send_key(0).await;
    let before = watched.browser.next().await.packet.header;

    let newer = Published::new(&relay, &["front"]).await;
    let closed = PublisherEvent::Closed {
        reason: ClosedReason::Replaced,
    };
    while next(&mut older.events).await != closed {}
    newer.robot.keyframe_asked(0).await;
    newer.robot.send_delta(0).await;
    newer.robot.send_key(0).await;
    let after = watched.browser.next().await;

    assert!(after.is_key());
    let after = after.packet.header;
    assert_eq!(after.ssrc, before.ssrc);
    assert_eq!(
        after.sequence_number,
        before.sequence_number.wrapping_add(1)
    );
    let passed = after.timestamp.wrapping_sub(before.timestamp);
    assert!((3_000..90_000 * 60).contains(&passed), "{passed}");
}

#[tokio::test]
async fn a_lost_packet_is_sent_again_to_its_viewer() {
    let relay = relay().await;
    let published = Published::new(&relay, &["front"]).await;
    let wire = Wire::to(relay.local_addr()).await;
    let mut watched = Watched::through(&relay, &["front"], &wire).await;
    published.robot.keyframe_asked(0).await;
    published.robot.send_key(0).await;
    let first = watched.browser.next().await.packet.header.sequence_number;

    wire.lose_video(2);
    for _ in 0..20 {
        published.robot.send_delta(0).await;
    }

    let mut missing: BTreeSet<u16> = (1..=20).map(|step| first.wrapping_add(step)).collect();
    while !missing.is_empty() {
        let arrived = watched.browser.next().await.packet.header.sequence_number;
        missing.remove(&arrived);
    }
}

#[tokio::test]
async fn a_viewers_requests_reach_the_robot_spaced_out() {
    let relay = relay().await;
    let published = Published::new(&relay, &["front"]).await;
    let mut watched = Watched::new(&relay, &["front"]).await;
    published.robot.keyframe_asked(0).await;
    published.robot.send_key(0).await;
    let arrived = watched.browser.next().await;
    let asked_before = relay.counters().keyframe_requests;

    let started = std::time::Instant::now();
    for _ in 0..20 {
        arrived.ask_for_keyframe().await;
    }
    published.robot.keyframe_asked(0).await;
    while watched.handle.stats().keyframe_requests < 20 {
        tokio::task::yield_now().await;
    }

    let asked = relay.counters().keyframe_requests - asked_before;
    let most = started
        .elapsed()
        .div_duration_f64(crate::rtc::KEYFRAME_INTERVAL)
        + 1.0;
    assert!(asked >= 1 && f64::from(u32::try_from(asked).unwrap()) <= most);
}

#[tokio::test]
async fn all_peers_share_one_udp_port() {
    let relay = relay().await;
    let published = Published::new(&relay, &["front"]).await;
    let mut watched = Vec::new();
    for _ in 0..4 {
        watched.push(Watched::new(&relay, &["front"]).await);
    }
    published.robot.keyframe_asked(0).await;
    published.robot.send_key(0).await;
    for one in &mut watched {
        assert!(one.browser.next().await.is_key());
    }

    let port = format!(" {} typ host", relay.local_addr().port());
    for peer in watched
        .iter()
        .map(|one| &one.browser)
        .chain([&published.robot.peer])
    {
        let answer = peer.connection.remote_description().await.unwrap().sdp;
        let candidates: Vec<_> = answer
            .lines()
            .filter(|line| line.starts_with("a=candidate"))
            .collect();
        assert!(!candidates.is_empty());
        assert!(candidates.iter().all(|line| line.contains(&port)));
    }
    assert_eq!(relay.counters().viewers, 4);
    assert_eq!(relay.counters().publishers, 1);
}

#[tokio::test]
async fn malformed_rtp_is_dropped_and_nothing_else_breaks() {
    let relay = relay().await;
    let published = Published::new(&relay, &["front"]).await;
    let mut watched = Watched::new(&relay, &["front"]).await;
    published.robot.keyframe_asked(0).await;
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    stranger.connect(relay.local_addr()).await.unwrap();
    let garbage: [&[u8]; 8] = [
        &[],
        &[0x80],
        &[0x80; 17],
        &[0xff; 100],
        &[0x00, 0x01, 0x00, 0x08, 0x21, 0x12, 0xa4, 0x42, 0, 6],
        &[0x80; 1_200],
        &[0x16; 60],
        // Larger than anything that a network carries in one piece.
        &[0x80; 4_000],
    ];

    for datagram in garbage {
        stranger.send(datagram).await.unwrap();
    }
    published.robot.send(0, 0x00).await;
    published.robot.send_key(0).await;

    assert!(watched.browser.next().await.is_key());
    soon("all is counted", async {
        loop {
            let counters = relay.counters();
            if counters.datagrams_malformed >= 5 && counters.datagrams_unknown >= 2 {
                return;
            }
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn packets_of_no_agreed_encoding_are_dropped_and_the_stream_goes_on() {
    let relay = relay().await;
    let published = Published::new(&relay, &["front"]).await;
    let mut watched = Watched::new(&relay, &["front"]).await;
    published.robot.keyframe_asked(0).await;
    published.robot.send_key(0).await;
    assert!(watched.browser.next().await.is_key());

    published.robot.send_of_type(0, 77).await;
    published.robot.send_key(0).await;

    assert!(watched.browser.next().await.is_key());
    assert_eq!(relay.counters().packets_forwarded, 2);
}

#[tokio::test]
async fn a_robot_that_vanishes_mid_stream_is_noticed_and_its_viewer_stays() {
    let relay = relay().await;
    let wire = Wire::to(relay.local_addr()).await;
    let mut published = Published::through(&relay, &["front"], &wire).await;
    let mut watched = Watched::new(&relay, &["front"]).await;
    published.robot.keyframe_asked(0).await;
    published.robot.send_key(0).await;
    assert!(watched.browser.next().await.is_key());

    wire.cut();

    let closed = PublisherEvent::Closed {
        reason: ClosedReason::PeerSilent,
    };
    while next(&mut published.events).await != closed {}
    let again = Published::new(&relay, &["front"]).await;
    again.robot.keyframe_asked(0).await;
    again.robot.send_key(0).await;
    assert!(watched.browser.next().await.is_key());
}

#[tokio::test]
async fn dropping_the_handle_closes_the_connection_at_once() {
    let relay = relay().await;
    let published = Published::new(&relay, &["front"]).await;
    let mut watched = Watched::new(&relay, &["front"]).await;
    let started = std::time::Instant::now();

    drop(published.handle);
    drop(watched.handle);

    let closed = ViewerEvent::Closed {
        reason: ClosedReason::ByOwner,
    };
    assert_eq!(next(&mut watched.events).await, closed);
    soon("the robot is told", published.robot.peer.flood()).await;
    assert!(started.elapsed() < crate::rtc::PEER_SILENCE);
    soon("the seats are free", async {
        while relay.counters().viewers + relay.counters().publishers > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_vanished_peer_is_noticed() {
    let relay = relay().await;
    let wire = Wire::to(relay.local_addr()).await;
    let mut watched = Watched::through(&relay, &["front"], &wire).await;

    let started = std::time::Instant::now();
    wire.cut();

    let closed = ViewerEvent::Closed {
        reason: ClosedReason::PeerSilent,
    };
    assert_eq!(next(&mut watched.events).await, closed);
    assert!(started.elapsed() >= crate::rtc::PEER_SILENCE / 2);
}

#[tokio::test]
async fn a_peer_that_leaves_frees_its_place() {
    let relay = relay().await;
    let mut watched = Watched::new(&relay, &["front"]).await;

    watched.browser.connection.close().await.unwrap();

    let closed = ViewerEvent::Closed {
        reason: ClosedReason::ByPeer,
    };
    assert_eq!(next(&mut watched.events).await, closed);
    let again = Peer::browser(1).await;
    let (sender, _events) = tokio::sync::mpsc::channel(1);
    let offer = again.offer().await;
    assert!(
        relay
            .view(ROBOT, &names(&["front"]), &offer, sender)
            .await
            .is_ok()
    );
}
