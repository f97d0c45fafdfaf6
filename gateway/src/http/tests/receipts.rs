//! Claims about robots' receipts as people read them, and about what people saw when they asked.

use axum::{
    body::Body,
    http::{Method, header},
};
use protocol::{
    CommandId, GrantId, UnixMicros,
    command::{CommandHash, FrameSeen, Outcome, Receipt, SealedCommand},
    drive::{Clamp, DriveEvent, DriveSegment, StopCause},
    event::{Payload, robot_stream},
    ladder::Level,
    picture::{Clip, ClipFrame, ClipHash, FrameHash, MAX_CLIP_BYTES, PictureSeen},
    robot::{Codec, Pose},
    views::{Page, ReceiptSaid, ReceiptView},
};
use serde_json::json;
use sqlx::PgPool;
use uuid::Uuid;

use super::{
    answer::{Answer, Asking as _, asking, get, post},
    house::{House, JUNIPER, ROWAN, Who},
    work::Worker,
};
use crate::flows::record_robot_event::Taken;

const STOP: CommandId = CommandId(Uuid::from_u128(701));

fn clip() -> Vec<u8> {
    let frame = |byte: u8| ClipFrame {
        captured_at: UnixMicros(i64::from(byte)),
        bytes: vec![0, 0, 0, 1, 0x65, byte],
    };
    let clip = Clip {
        camera: "head".to_owned(),
        codec: Codec::H264,
        frames: vec![frame(1), frame(2)],
    };
    clip.to_bytes().unwrap()
}

fn seen() -> FrameSeen {
    FrameSeen {
        camera: "head".to_owned(),
        captured_at: UnixMicros(2),
        age_ms: 48,
        sha256: Some(FrameHash::of(&[0, 0, 0, 1, 0x65, 2])),
    }
}

fn answers_stop(picture: Option<PictureSeen>) -> Payload {
    Payload::CommandReceipt(Receipt {
        command: STOP,
        outcome: Outcome::Accepted,
        tick_ms: 40,
        at: UnixMicros(0),
        pose: Pose::default(),
        sealed_sha256: Some(CommandHash([9; 32])),
        frame: Some(seen()),
        picture,
    })
}

fn second_of_driving() -> Payload {
    Payload::Drive(DriveEvent::Segment(Box::new(DriveSegment {
        armed_by: CommandId(Uuid::from_u128(1)),
        grant: GrantId(Uuid::from_u128(2)),
        epoch: 1,
        from_tick_ms: 0,
        at: UnixMicros(0),
        lasts_ms: 1_000,
        from: Pose::default(),
        to: Pose::default(),
        steps: Vec::new(),
        commands_sha256: CommandHash([0; 32]),
        last: SealedCommand(vec![1]),
        frame: Some(seen()),
        picture: Some(PictureSeen::Unknown),
        refused: Vec::new(),
        dropped: 0,
        clamp: Some(Clamp::KeepOut),
        zone: "bed".to_owned(),
        level: Level::Drive,
        delay_ms: Some(60),
        disarmed: None,
    })))
}

async fn says(house: &House, robot: &mut Worker, payload: Payload) {
    let stream = robot_stream(JUNIPER.id());
    let taken = robot.tries_in(house, stream, payload).await;
    assert!(matches!(taken, Taken::Held { .. }), "{taken:?}");
}

async fn stopped(house: &House) {
    let path = format!("/api/v1/robots/{}/commands", JUNIPER.id());
    let pressed = post(&path)
        .by(Who::Operator)
        .header("idempotency-key", STOP.to_string())
        .json(&json!({"verb": "stop"}));
    assert_eq!(house.ask(pressed).await.status, 202);
}

async fn page(house: &House, query: &str) -> Page<ReceiptView> {
    let path = format!("/api/v1/robots/{}/receipts{query}", JUNIPER.id());
    let answer = house.ask(get(&path).by(Who::Operator).empty()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).unwrap()
}

fn path(hash: ClipHash) -> String {
    format!("/api/v1/robots/{}/clips/{hash}", JUNIPER.id())
}

async fn bring(house: &House, path: &str, token: &str, content: &[u8]) -> Answer {
    let request = asking(Method::PUT, path).bearing(token);
    let request = request.body(Body::from(content.to_vec())).unwrap();
    house.ask(request).await
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_a_person_saw_is_named_in_the_receipt_and_looked_at_once_the_robot_brought_it(
    owner: PgPool,
) {
    let house = House::new(&owner).await;
    let _attached = house.attach(JUNIPER);
    let mut juniper = Worker::new(JUNIPER);
    stopped(&house).await;
    let (clip, token) = (clip(), JUNIPER.token());
    let hash = ClipHash::of(&clip);
    let path = path(hash);

    let too_early = bring(&house, &path, &token, &clip).await;
    says(
        &house,
        &mut juniper,
        answers_stop(Some(PictureSeen::Kept { clip: hash })),
    )
    .await;
    let before = page(&house, "").await;
    let missing = house.ask(get(&path).by(Who::Operator).empty()).await;
    let brought = bring(&house, &path, &token, &clip).await;
    let again = bring(&house, &path, &token, &clip).await;
    let after = page(&house, "").await;

    assert_eq!(too_early.problem(), (409, "clip_unknown".to_owned()));
    assert_eq!(missing.problem(), (404, "not_found".to_owned()));
    assert_eq!((brought.status, again.status), (204, 204));
    assert_eq!(
        (before.items.len(), before.items[0].clip_is_here),
        (1, false)
    );
    let receipt = &after.items[0];
    assert!(receipt.clip_is_here);
    let command = receipt.command.as_ref().unwrap();
    assert_eq!(
        (command.command, &*command.issued_by_name),
        (STOP, "Operator")
    );
    assert_eq!(receipt.said.sight().0, Some(&seen()));
    for who in [Who::Operator, Who::Supervisor] {
        let seen = house.ask(get(&path).by(who).empty()).await;
        assert_eq!((seen.status, &seen.body), (200, &clip), "{who:?}");
        assert_eq!(seen.header(header::CONTENT_TYPE), "application/cbor");
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn a_clip_is_its_own_robots_and_exactly_what_its_hash_names(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut juniper = Worker::new(JUNIPER);
    let (clip, token) = (clip(), JUNIPER.token());
    let no_clip = b"not a clip";
    for content in [clip.as_slice(), no_clip.as_slice()] {
        let kept = PictureSeen::Kept {
            clip: ClipHash::of(content),
        };
        says(&house, &mut juniper, answers_stop(Some(kept))).await;
    }
    let path_of = |content: &[u8]| path(ClipHash::of(content));
    let large = vec![0; MAX_CLIP_BYTES + 1];

    for (name, path, token, content, expected) in [
        (
            "altered",
            path_of(&clip),
            token.clone(),
            no_clip.as_slice(),
            (409, "clip_does_not_match"),
        ),
        (
            "no clip",
            path_of(no_clip),
            token.clone(),
            no_clip,
            (409, "clip_malformed"),
        ),
        (
            "nobody named it",
            path_of(b"x"),
            token.clone(),
            b"x",
            (409, "clip_unknown"),
        ),
        (
            "another robot",
            path_of(&clip),
            ROWAN.token(),
            clip.as_slice(),
            (404, "not_found"),
        ),
        (
            "nobody",
            path_of(&clip),
            "nt_robot_none".to_owned(),
            clip.as_slice(),
            (401, "robot_token_unknown"),
        ),
        (
            "too large",
            path_of(&clip),
            token.clone(),
            large.as_slice(),
            (413, "body_too_large"),
        ),
    ] {
        let answer = bring(&house, &path, &token, content).await;
        assert_eq!(
            answer.problem(),
            (expected.0, expected.1.to_owned()),
            "{name}"
        );
    }
    assert_eq!(
        bring(&house, &path_of(&clip), &token, &clip).await.status,
        204
    );
    for (who, status) in [
        (Who::Requester, 403),
        (Who::Owner, 403),
        (Who::Stranger, 404),
        (Who::Roleless, 403),
    ] {
        for path in [
            path_of(&clip),
            format!("/api/v1/robots/{}/receipts", JUNIPER.id()),
        ] {
            let answer = house.ask(get(&path).by(who).empty()).await;
            assert_eq!(answer.status, status, "{who:?} {path}");
        }
    }
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn receipts_come_newest_first_and_page_by_page(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut juniper = Worker::new(JUNIPER);
    let own_stop = Payload::Drive(DriveEvent::Stopped {
        cause: StopCause::Button,
        at: UnixMicros(7),
        pose: Pose::default(),
    });
    for payload in [answers_stop(None), second_of_driving(), own_stop] {
        says(&house, &mut juniper, payload).await;
    }

    let first = page(&house, "?limit=2").await;
    let cursor = first.next.clone().unwrap();
    let second = page(&house, &format!("?limit=2&cursor={cursor}")).await;

    let said: Vec<&ReceiptSaid> = (first.items.iter().chain(&second.items))
        .map(|receipt| &receipt.said)
        .collect();
    assert!(matches!(
        said[0],
        ReceiptSaid::Stop {
            cause: StopCause::Button,
            ..
        }
    ));
    let ReceiptSaid::Drive(segment) = said[1] else {
        panic!("another word: {:?}", said[1])
    };
    assert_eq!(
        (&*segment.zone, segment.picture),
        ("bed", Some(PictureSeen::Unknown))
    );
    assert!(matches!(said[2], ReceiptSaid::Command(_)));
    assert_eq!((said.len(), second.next), (3, None));
    // Nobody here gave it: the robot's word stands alone.
    assert!(second.items[0].command.is_none());
}

#[sqlx::test(migrator = "spine::MIGRATOR")]
async fn what_was_seen_a_season_ago_is_forgotten_and_its_hash_stays(owner: PgPool) {
    let house = House::new(&owner).await;
    let mut juniper = Worker::new(JUNIPER);
    let clip = clip();
    let hash = ClipHash::of(&clip);
    says(
        &house,
        &mut juniper,
        answers_stop(Some(PictureSeen::Kept { clip: hash })),
    )
    .await;
    assert_eq!(
        bring(&house, &path(hash), &JUNIPER.token(), &clip)
            .await
            .status,
        204
    );

    let early = house.now() - time::Duration::days(1);
    let kept = assist::store::forget_clips(&house.app.pool, early, 10)
        .await
        .unwrap();
    let later = house.now() + time::Duration::days(1);
    let gone = assist::store::forget_clips(&house.app.pool, later, 10)
        .await
        .unwrap();

    assert_eq!((kept, gone), (0, 1));
    let receipt = page(&house, "").await.items.remove(0);
    assert!(!receipt.clip_is_here);
    assert_eq!(
        receipt.said.sight().1,
        Some(PictureSeen::Kept { clip: hash })
    );
}
