//! Claims about consoles that don't read: they get a fresh picture in place of a queue, and nobody waits for them.

use std::time::Instant;

use protocol::{
    console_socket::ToConsole,
    robot::{Advert, Component, Health},
};
use sqlx::PgPool;

use super::{
    client::Console,
    narrow::{connect, listen},
};
use crate::{
    http::tests::{
        house::{Attached, House, JUNIPER, Who, advert},
        until::until,
    },
    live::OUTBOX_FRAMES,
    ws::WRITE_WITHIN,
};

/// Several times what the outbox holds.
const MANY: u32 = 600;

/// A large advert with a number that shows.
fn edition(number: u32) -> Advert {
    let part = Component {
        name: "wheel".to_owned(),
        health: Health::Ok,
        words: "w".repeat(1_000),
    };
    Advert {
        software: number.to_string(),
        components: vec![part; 16],
        ..advert()
    }
}

/// Makes many changes, with time for the sessions between them.
pub(super) async fn change_often(house: &House, juniper: &Attached) {
    for number in 1..=MANY {
        house.app.live.advert(juniper.attachment, edition(number));
        tokio::task::yield_now().await;
    }
}

fn shown(frame: &ToConsole) -> Option<String> {
    match frame {
        ToConsole::Robot(view) => Some(view.advert.as_ref()?.software.clone()),
        ToConsole::Snapshot { robots, .. } => {
            let juniper = robots.iter().find(|view| view.robot == JUNIPER.id())?;
            Some(juniper.advert.as_ref()?.software.clone())
        }
        _ => None,
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_console_that_fell_behind_gets_one_fresh_picture_and_never_a_long_queue(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = listen(&house);
    let juniper = house.attach(JUNIPER);
    let (mut console, _snapshot) = Console::open_on(connect(address).await, Who::Operator).await;

    change_often(&house, &juniper).await;
    let mut stale = 0;
    loop {
        match console.hear().await {
            ToConsole::Resync => break,
            ToConsole::Robot(_) => stale += 1,
            other => panic!("{other:?} was not expected"),
        }
    }
    let fresh = console.hear().await;

    assert!(stale <= OUTBOX_FRAMES, "{stale} stale frames came");
    assert!(matches!(fresh, ToConsole::Snapshot { .. }), "{fresh:?}");
    assert_eq!(shown(&fresh), Some(MANY.to_string()));
    assert_eq!(console.in_step().await, [], "nothing old comes after it");
    house.app.live.advert(juniper.attachment, edition(9_999));
    let next = console.hear().await;
    assert_eq!(shown(&next), Some("9999".to_owned()));
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_console_that_never_reads_again_is_let_go_and_delays_nobody(owner: PgPool) {
    let house = House::new(&owner).await;
    let address = listen(&house);
    let juniper = house.attach(JUNIPER);
    let (frozen, _snapshot) = Console::open_on(connect(address).await, Who::Operator).await;
    let (mut reader, _snapshot) = Console::open(house.listen().await, Who::Operator).await;
    let began = Instant::now();

    let changing = change_often(&house, &juniper);
    let last = MANY.to_string();
    let reading = reader.until(|frame| (shown(frame) == Some(last.clone())).then_some(()));
    tokio::join!(changing, reading);
    let sessions_then = house.app.live.connected().1;
    until("the end of the frozen session", async || {
        (house.app.live.connected().1 == 1).then_some(())
    })
    .await;

    assert_eq!(
        sessions_then, 2,
        "everything came while the other one stood still"
    );
    assert!(began.elapsed() >= WRITE_WITHIN / 2);
    drop(frozen);
}
