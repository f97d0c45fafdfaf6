//! Claims about answers: none is lost because a console fell behind on news.

use protocol::{
    CommandId,
    command::{CommandRequest, Verb},
    console_socket::{FromConsole, ToConsole},
};
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    client::Console,
    held::{Held, PEOPLE},
};
use crate::{
    http::tests::{
        house::{House, JUNIPER, Who, advert},
        until::soon,
    },
    live::{OUTBOX_FRAMES, Outbox, Queued, REPLY_FRAMES, encode},
};

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_refusal_reaches_a_console_that_fell_behind_while_it_was_made(owner: PgPool) {
    let house = House::new(&owner).await;
    let juniper = house.attach(JUNIPER);
    let (mut console, _snapshot) = Console::open(house.listen().await, Who::Requester).await;
    let held = Held::hold(&house).await;
    let command = CommandId(Uuid::now_v7());
    console
        .say(&FromConsole::Command(CommandRequest {
            command,
            robot: JUNIPER.id(),
            epoch: None,
            verb: Verb::Stop,
            signed: None,
        }))
        .await;
    Held::is_felt_at(&house, PEOPLE).await;

    for _ in 0..=OUTBOX_FRAMES {
        house.app.live.advert(juniper.attachment, advert());
    }
    held.let_go().await;

    let (mut resyncs, mut refusals) = (0, Vec::new());
    while resyncs == 0 || refusals.is_empty() {
        match console.hear().await {
            ToConsole::Resync => resyncs += 1,
            ToConsole::CommandRefused { command, code, .. } => refusals.push((command, code)),
            ToConsole::Robot(_) | ToConsole::Snapshot { .. } => {}
            other => panic!("{other:?} was not expected"),
        }
    }
    assert_eq!(refusals, [(command, "role_missing".to_owned())]);
}

#[tokio::test]
async fn answers_come_before_news_and_a_console_that_leaves_them_unread_is_overloaded() {
    let (outbox, mut drain) = Outbox::new();
    let frame = encode(&ToConsole::Resync).unwrap();

    for _ in 0..=OUTBOX_FRAMES {
        outbox.push(frame.clone());
    }
    for _ in 0..REPLY_FRAMES {
        outbox.reply(frame.clone());
    }
    assert!(outbox.is_lagging());
    let overloaded = outbox.overloaded();
    tokio::pin!(overloaded);
    let not_yet = futures_util::poll!(overloaded.as_mut());
    assert!(not_yet.is_pending(), "every answer has its place");

    drain.skip_frames();
    for _ in 0..REPLY_FRAMES {
        let next = drain.next().await.unwrap();
        assert!(matches!(next, Queued::Reply(_)));
    }
    for _ in 0..=REPLY_FRAMES {
        outbox.reply(frame.clone());
    }
    soon("the word that it is too much", overloaded).await;
}
