//! A robot's own signed word is taken in: believed under its bound key, applied where it moves a command, recorded either way.

use assist::{Input, apply, decide, store};
use ed25519_dalek::VerifyingKey;
use identity::Robot;
use protocol::{
    command::{Outcome, Receipt, Verb},
    event::{ActorEvent, Payload, robot_stream},
    grant::GrantEvent,
    sealed::{self, KeyId, Kind},
    views::CommandView,
};
use spine::{RecordError, Recording, Tx};

use super::{
    jobs::robot_event::{RobotSaid, RobotWord, hear_robot, pause_if_at_work},
    receipts::clip_named_in,
};
use crate::{app::App, error::ApiError};

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Held for good, now or since before.
    Held {
        /// The robot's number of it.
        number: u64,
    },
    /// Not believed; it never will be.
    Refused {
        /// Frozen code.
        code: &'static str,
    },
}

/// How often an event is tried again when somebody else moved the same job in that moment, or what it answers was being recorded.
/// Writers of one job are few.
const TRIES: u32 = 5;

/// Records the event in `bytes`.
pub async fn record_robot_event(
    app: &App,
    robot: &Robot,
    bytes: Vec<u8>,
) -> Result<Taken, ApiError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match try_to_record(app, robot, bytes.clone()).await {
            Err(error) if error.code() == "stale" && tries < TRIES => {}
            result => return result,
        }
    }
}

/// Records events that came at once in one transaction, all of them or none; returns the number of the last. None where one of
/// them is not believed, or where they are not all about one job: then each is to be judged by itself.
pub async fn record_together(
    app: &App,
    robot: &Robot,
    events: &[Vec<u8>],
) -> Result<Option<u64>, ApiError> {
    let mut tx = Tx::begin(&app.pool);
    let robot = identity::store::load_robot(tx.connection().await?, robot.robot)
        .await?
        .ok_or_else(|| ApiError::not_found("robot"))?;
    let (mut words, mut last) = (Vec::new(), 0);
    for bytes in events {
        let Ok((opened, key)) = open(&robot, bytes) else {
            return Ok(None);
        };
        let Payload::Job(event) = opened.payload.clone() else {
            return Ok(None);
        };
        last = opened.chain.map_or(last, |chain| last.max(chain.number));
        words.push(RobotWord {
            event,
            bytes: bytes.clone(),
            opened,
            key,
        });
    }
    let now = app.clock.micros();
    match hear_robot(app, &mut tx, &robot, words, now).await? {
        RobotSaid::Taken(happened) => {
            tx.commit(&app.signer, now).await?;
            happened.news.tell(app);
            Ok(Some(last))
        }
        RobotSaid::Refused(_) => Ok(None),
    }
}

async fn try_to_record(app: &App, robot: &Robot, bytes: Vec<u8>) -> Result<Taken, ApiError> {
    let mut tx = Tx::begin(&app.pool);
    // Read anew: a key that was bound since the robot connected takes the place of the one before at once.
    let robot = identity::store::load_robot(tx.connection().await?, robot.robot)
        .await?
        .ok_or_else(|| ApiError::not_found("robot"))?;
    let (event, key) = match open(&robot, &bytes) {
        Ok(opened) => opened,
        Err(code) => return Ok(Taken::Refused { code }),
    };
    let number = event.chain.map_or(0, |chain| chain.number);
    let code = match event.payload.clone() {
        Payload::CommandReceipt(receipt) => {
            if event.stream == robot_stream(robot.robot) {
                return take_receipt(app, tx, &robot, &receipt, (bytes, event, key)).await;
            }
            "foreign_stream"
        }
        Payload::Job(said) => {
            let now = app.clock.micros();
            let word = RobotWord {
                event: said,
                bytes,
                opened: event,
                key,
            };
            match hear_robot(app, &mut tx, &robot, vec![word], now).await? {
                RobotSaid::Taken(happened) => {
                    tx.commit(&app.signer, now).await?;
                    happened.news.tell(app);
                    return Ok(Taken::Held { number });
                }
                RobotSaid::Refused(code) => code,
            }
        }
        Payload::Grant(GrantEvent::Accepted { .. } | GrantEvent::Refused { .. })
        | Payload::Drive(_) => {
            if event.stream == robot_stream(robot.robot) {
                return keep(app, tx, &robot, (bytes, event, key)).await;
            }
            "foreign_stream"
        }
        // A robot's key speaks for the robot and for nothing else.
        _ => "not_a_robots_word",
    };
    Ok(Taken::Refused { code })
}

/// Records a robot's word; what became of it where it is no news, or is refused.
async fn known(
    tx: &mut Tx,
    robot: &Robot,
    (bytes, event, key): (Vec<u8>, ActorEvent, KeyId),
) -> Result<Option<Taken>, ApiError> {
    let number = event.chain.map_or(0, |chain| chain.number);
    let recording = tx
        .record_sealed(robot.organisation, Some(robot.site), bytes, event, key)
        .await;
    match recording {
        Ok(Recording::New) => Ok(None),
        Ok(Recording::AlreadyHeld) => Ok(Some(Taken::Held { number })),
        Err(RecordError::Refused(refusal)) => Ok(Some(Taken::Refused {
            code: refusal.code(),
        })),
        Err(RecordError::Failed(error)) => Err(error.into()),
    }
}

/// Records what moves nothing here.
async fn keep(
    app: &App,
    mut tx: Tx,
    robot: &Robot,
    word: (Vec<u8>, ActorEvent, KeyId),
) -> Result<Taken, ApiError> {
    let number = word.1.chain.map_or(0, |chain| chain.number);
    let clip = clip_named_in(&word.1.payload);
    if let Some(taken) = known(&mut tx, robot, word).await? {
        return Ok(taken);
    }
    if let Some(clip) = clip {
        store::name_clip(&mut tx, robot.robot, clip, app.clock.now()).await?;
    }
    tx.commit(&app.signer, app.clock.micros()).await?;
    Ok(Taken::Held { number })
}

async fn take_receipt(
    app: &App,
    mut tx: Tx,
    robot: &Robot,
    receipt: &Receipt,
    word: (Vec<u8>, ActorEvent, KeyId),
) -> Result<Taken, ApiError> {
    if app.live.stops.is_awaited(receipt.command) {
        drop(tx);
        app.live.stops.settled(receipt.command).await;
        return Err(ApiError::refused(
            "stale",
            "what it answers was being recorded",
        ));
    }
    let number = word.1.chain.map_or(0, |chain| chain.number);
    let clip = clip_named_in(&word.1.payload);
    if let Some(taken) = known(&mut tx, robot, word).await? {
        return Ok(taken);
    }
    if let Some(clip) = clip {
        store::name_clip(&mut tx, robot.robot, clip, app.clock.now()).await?;
    }
    let now = app.clock.micros();
    let moved = move_command(app, robot, &mut tx, receipt).await?;
    let has_stopped = receipt.outcome == Outcome::Accepted
        && (moved.as_ref()).is_some_and(|view| view.verb == Verb::Stop);
    let paused = if has_stopped {
        pause_if_at_work(app, &mut tx, robot, now).await?
    } else {
        None
    };
    tx.commit(&app.signer, now).await?;

    if let Some(view) = moved {
        app.live.command(&view);
        count(receipt.outcome);
    }
    if let Some(paused) = paused {
        paused.news.tell(app);
    }
    Ok(Taken::Held { number })
}

/// Opens the event if the robot's bound key sealed it.
fn open(robot: &Robot, bytes: &[u8]) -> Result<(ActorEvent, KeyId), &'static str> {
    let public_key = robot.public_key.ok_or("key_not_bound")?;
    let key = VerifyingKey::from_bytes(&public_key).map_err(|_not_a_point| "key_not_bound")?;
    let event: ActorEvent =
        sealed::open(Kind::Event, bytes, &key).map_err(|_not_believed| "signature_refused")?;
    if event.on_behalf_of.is_some() || event.acting_as.is_some() {
        return Err("on_behalf_refused");
    }
    Ok((event, KeyId::of(&key)))
}

/// Applies a receipt to its command. One for a command that was never issued to this robot stays on record and moves
/// nothing.
async fn move_command(
    app: &App,
    robot: &Robot,
    tx: &mut Tx,
    receipt: &Receipt,
) -> Result<Option<CommandView>, ApiError> {
    let known = store::load(tx, receipt.command)
        .await?
        .filter(|command| command.issue.robot == robot.robot);
    let Some(before) = known else {
        tracing::warn!(robot.id = %robot.robot, command.id = %receipt.command, "a receipt for a command that was never issued");
        return Ok(None);
    };
    let events = decide(
        Some(&before),
        Input::Receipt(receipt.outcome),
        app.clock.now(),
    )?;
    if events.is_empty() {
        return Ok(None);
    }
    let after = events.into_iter().fold(Some(before.clone()), apply);
    let Some(after) = after else {
        return Ok(None);
    };
    store::save(tx, &before, &after).await?;
    let name = super::command_views::name_of(tx.connection().await?, &after).await?;
    Ok(Some(after.view(name)))
}

fn count(outcome: Outcome) {
    let fate = match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Refused { .. } => "refused",
        Outcome::Done => "done",
        Outcome::Abandoned { .. } => "abandoned",
    };
    metrics::counter!("nooterra_commands_total", "fate" => fate).increment(1);
}
