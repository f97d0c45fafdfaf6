//! Claims about what is turned down, with which code.

use proptest::prelude::*;
use protocol::limits::{MAX_CAMERAS, MAX_SDP_BYTES};
use tokio::sync::mpsc;

use super::{
    Published, ROBOT, Watched, names,
    peer::{Peer, Robot},
    relay,
};
use crate::rtc::{Rtc, RtcConfig, RtcRefusal, offer::Offer};

async fn view(relay: &Rtc, cameras: &[&str], offer: &str) -> Result<(), RtcRefusal> {
    let (sender, _events) = mpsc::channel(1);
    relay
        .view(ROBOT, &names(cameras), offer, sender)
        .await
        .map(|_viewer| ())
}

async fn publish(relay: &Rtc, offer: &str) -> Result<(), RtcRefusal> {
    let (sender, _events) = mpsc::channel(1);
    relay
        .publish(ROBOT, offer, sender)
        .await
        .map(|_publisher| ())
}

#[tokio::test]
async fn an_oversized_sdp_is_refused() {
    let relay = relay().await;
    let offer = "v".repeat(MAX_SDP_BYTES + 1);

    assert_eq!(publish(&relay, &offer).await, Err(RtcRefusal::SdpTooLarge));
    assert_eq!(
        view(&relay, &["front"], &offer).await,
        Err(RtcRefusal::SdpTooLarge)
    );
}

#[tokio::test]
async fn an_unreadable_or_pictureless_sdp_is_refused() {
    let relay = relay().await;
    let offer = Peer::browser(1).await.offer().await;
    let no_fingerprint = offer.replace("a=fingerprint", "a=something-else");

    for malformed in ["", "v=0", "hello", "\u{0}\u{0}", no_fingerprint.as_str()] {
        let refused = view(&relay, &["front"], malformed).await.unwrap_err();
        assert!(
            matches!(refused, RtcRefusal::SdpMalformed | RtcRefusal::NoVideo),
            "{malformed:?} {refused:?}"
        );
    }
    let no_video = Peer::browser(0).await.offer().await;
    assert_eq!(view(&relay, &[], &no_video).await, Err(RtcRefusal::NoVideo));
    assert_eq!(relay.counters().viewers, 0);
}

#[tokio::test]
async fn cameras_that_do_not_fit_the_offer_are_refused() {
    let relay = relay().await;
    let one = Peer::browser(1).await.offer().await;
    let many = Peer::browser(MAX_CAMERAS + 1).await.offer().await;
    let too_many = ["front"; MAX_CAMERAS + 1];

    assert_eq!(
        view(&relay, &["front", "base"], &one).await,
        Err(RtcRefusal::CameraMismatch)
    );
    assert_eq!(
        view(&relay, &["front door"], &one).await,
        Err(RtcRefusal::UnknownCamera)
    );
    assert_eq!(
        view(&relay, &too_many, &many).await,
        Err(RtcRefusal::TooManyCameras)
    );
    assert_eq!(
        publish(&relay, &many).await,
        Err(RtcRefusal::TooManyCameras)
    );
}

#[tokio::test]
async fn a_camera_that_a_live_robot_lacks_is_refused() {
    let relay = relay().await;
    let _published = Published::new(&relay, &["front"]).await;
    let offer = Peer::browser(1).await.offer().await;

    assert_eq!(
        view(&relay, &["rear"], &offer).await,
        Err(RtcRefusal::UnknownCamera)
    );
    assert_eq!(view(&relay, &["front"], &offer).await, Ok(()));
}

#[tokio::test]
async fn two_cameras_of_one_name_are_refused() {
    let relay = relay().await;
    let offer = Robot::new(&["front", "front"]).await.peer.offer().await;

    assert_eq!(
        publish(&relay, &offer).await,
        Err(RtcRefusal::CameraMismatch)
    );
}

#[tokio::test]
async fn an_offer_without_a_common_codec_is_refused() {
    let relay = relay().await;
    let _published = Published::new(&relay, &["front"]).await;
    let offer = Peer::browser(1).await.offer().await;
    let only_vp8 = offer.replace("H264/90000", "H265/90000");
    let nothing = only_vp8.replace("VP8/90000", "AV1/90000");

    for refused in [only_vp8, nothing] {
        assert_eq!(
            view(&relay, &["front"], &refused).await,
            Err(RtcRefusal::CodecUnsupported)
        );
    }
}

#[tokio::test]
async fn viewers_beyond_the_limit_are_refused_until_one_leaves() {
    let mut config = RtcConfig::new(
        "127.0.0.1:0".parse().unwrap(),
        vec!["127.0.0.1".parse().unwrap()],
    );
    config.viewers_per_robot = 1;
    let relay = Rtc::bind(config).await.unwrap();
    let watched = Watched::new(&relay, &["front"]).await;
    let offer = Peer::browser(1).await.offer().await;

    assert_eq!(
        view(&relay, &["front"], &offer).await,
        Err(RtcRefusal::TooManyViewers)
    );
    drop(watched);
    super::soon("the seat is free", async {
        while relay.counters().viewers > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(view(&relay, &["front"], &offer).await, Ok(()));
}

#[tokio::test]
async fn connections_beyond_the_limit_are_refused() {
    let mut config = RtcConfig::new(
        "127.0.0.1:0".parse().unwrap(),
        vec!["127.0.0.1".parse().unwrap()],
    );
    config.connections = 1;
    let relay = Rtc::bind(config).await.unwrap();
    let _watched = Watched::new(&relay, &["front"]).await;
    let offer = Peer::browser(1).await.offer().await;

    assert_eq!(
        view(&relay, &["front"], &offer).await,
        Err(RtcRefusal::TooManyConnections)
    );
}

const OFFER: &str = include_str!("chromium_offer.sdp");

#[test]
fn candidates_of_the_peer_are_left_out() {
    let with_candidate =
        format!("{OFFER}a=candidate:1 1 udp 2113937151 10.0.0.1 9999 typ host\r\n");

    let offer = Offer::parse(&with_candidate).unwrap();

    assert!(!offer.description.sdp.contains("candidate"));
    assert!(offer.has_data);
}

#[test]
fn an_offer_with_a_candidate_that_is_written_so_as_not_to_be_noticed_is_refused() {
    for hidden in [
        "\ra=candidate:",
        "\r\ra=candidate:",
        "a= candidate:",
        "a=\tcandidate:",
    ] {
        let line = format!("{hidden}1 1 udp 2113937151 10.0.0.1 9999 typ host\r\n");
        for offer in [
            format!("{OFFER}{line}"),
            OFFER.replacen("m=", &format!("{line}m="), 1),
        ] {
            let refusal = Offer::parse(&offer).unwrap_err();

            assert_eq!(refusal, RtcRefusal::SdpMalformed, "{hidden:?}");
        }
    }
}

/// An offer with some lines cut short and continued with nonsense, or missing.
fn damaged() -> impl Strategy<Value = String> {
    let damage = (any::<prop::sample::Index>(), prop::option::of(".{0,12}"));
    prop::collection::vec(damage, 0..8).prop_map(|damages| {
        let mut lines: Vec<String> = OFFER.lines().map(str::to_owned).collect();
        for (index, continuation) in damages {
            let Some(continuation) = continuation else {
                lines.remove(index.index(lines.len()));
                continue;
            };
            let line = index.get_mut(&mut lines);
            let half = line.chars().count() / 2;
            *line = line
                .chars()
                .take(half)
                .chain(continuation.chars())
                .collect();
        }
        lines.join("\r\n") + "\r\n"
    })
}

proptest! {
    #[test]
    fn a_damaged_offer_is_read_within_bounds_or_refused(sdp in damaged()) {
        if let Ok(offer) = Offer::parse(&sdp) {
            prop_assert!((1..=MAX_CAMERAS).contains(&offer.videos.len()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_damaged_offer_never_breaks_the_engine(sdp in damaged()) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();

        let outcome = runtime.block_on(async {
            let relay = relay().await;
            view(&relay, &["front", "base"], &sdp).await
        });

        prop_assert_ne!(outcome, Err(RtcRefusal::Unavailable));
    }
}
