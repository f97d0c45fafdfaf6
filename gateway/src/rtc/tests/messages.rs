//! Claims about the two data channels.

use bytes::Bytes;

use super::{Published, Watched, next, peer::soon, relay, wire::Wire};
use crate::rtc::{ClosedReason, MESSAGE_LIMIT_BYTES, PublisherEvent, SendRefusal, ViewerEvent};

#[tokio::test]
async fn reliable_messages_arrive_in_order_both_ways() {
    let relay = relay().await;
    let mut published = Published::new(&relay, &["front"]).await;
    let watched = Watched::new(&relay, &["front"]).await;

    for number in 0..50_u8 {
        published.robot.peer.send_reliable(&[number]).await;
        watched.handle.send_reliable(vec![number].into()).unwrap();
    }

    for number in 0..50_u8 {
        let expected = Bytes::from(vec![number]);
        assert_eq!(watched.browser.next_reliable().await, expected);
        let heard = soon("a message", async {
            loop {
                if let PublisherEvent::Reliable(message) = next(&mut published.events).await {
                    return message;
                }
            }
        })
        .await;
        assert_eq!(heard, expected);
    }
}

#[tokio::test]
async fn a_lost_fast_message_is_not_sent_again_and_a_lost_reliable_one_is() {
    let relay = relay().await;
    let wire = Wire::to(relay.local_addr()).await;
    let mut watched = Watched::through(&relay, &["front"], &wire).await;
    let (lost_fast, lost_reliable) = (vec![1; 800], vec![2; 800]);

    wire.lose_messages(1);
    watched.browser.send_fast(&lost_fast).await;
    soon("the fast message is lost", async {
        while !wire.has_lost_all_messages() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    wire.lose_messages(1);
    watched.browser.send_reliable(&lost_reliable).await;

    let first = next(&mut watched.events).await;
    assert_eq!(first, ViewerEvent::Reliable(lost_reliable.into()));
    watched.browser.send_fast(&[3]).await;
    let second = next(&mut watched.events).await;
    assert_eq!(second, ViewerEvent::Fast(Bytes::from_static(&[3])));
}

#[tokio::test]
async fn an_owner_that_never_reads_loses_its_connection_and_nobody_elses() {
    let relay = relay().await;
    let mut other = Watched::new(&relay, &["front"]).await;
    let mut stuck = Watched::new(&relay, &["front"]).await;

    soon("the connection ends", stuck.browser.flood()).await;

    let mut last = next(&mut stuck.events).await;
    while let Some(event) = soon("the events end", stuck.events.recv()).await {
        last = event;
    }
    let closed = ViewerEvent::Closed {
        reason: ClosedReason::OwnerTooSlow,
    };
    assert_eq!(last, closed);
    other.browser.send_reliable(b"still here").await;
    let heard = next(&mut other.events).await;
    assert_eq!(
        heard,
        ViewerEvent::Reliable(Bytes::from_static(b"still here"))
    );
}

#[tokio::test]
async fn an_oversized_message_is_refused() {
    let relay = relay().await;
    let watched = Watched::new(&relay, &["front"]).await;
    let too_large = Bytes::from(vec![0; MESSAGE_LIMIT_BYTES + 1]);

    assert_eq!(
        watched.handle.send_reliable(too_large),
        Err(SendRefusal::TooLarge)
    );
}
