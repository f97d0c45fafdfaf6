//! What can become of who steers a robot: pure rules.

use protocol::{
    PersonId, UnixMicros,
    control::{ControlEnding, ControlEvent, ControlNotice, ControlSpan, ControlTurn},
    limits::{CONTROL_LASTS_MS, CONTROL_REQUEST_LASTS_MS, MAX_NOTE_CHARS},
};

use super::{Control, ControlActor, ControlRefusal, Holder, Request, Seat, Turn, turn_of};

/// [`CONTROL_LASTS_MS`] in microseconds.
pub const CONTROL_LASTS_US: i64 = CONTROL_LASTS_MS as i64 * 1_000;

/// [`CONTROL_REQUEST_LASTS_MS`] in microseconds.
pub const REQUEST_LASTS_US: i64 = CONTROL_REQUEST_LASTS_MS as i64 * 1_000;

/// Whether `proposed` may happen, and what the cloud then adds: the next epoch, where somebody else steers from here on.
///
/// Whoever was not heard for too long is to be taken off first ([`lapse_control`]).
pub fn decide_control(
    control: &Control,
    proposed: &ControlEvent,
    actor: ControlActor,
    now: UnixMicros,
) -> Result<Option<ControlEvent>, ControlRefusal> {
    match proposed {
        ControlEvent::Claimed {} => {
            let seat = by_operator(actor)?;
            may_claim(control, seat)?;
            Ok(Some(next_epoch(control, seat)))
        }
        ControlEvent::Requested { words } => {
            let seat = by_operator(actor)?;
            check_length(words)?;
            may_ask(control, seat, now).map(|()| None)
        }
        ControlEvent::Withdrawn {} => {
            let seat = by_operator(actor)?;
            asked_by(control, seat.person, now).map(|_| None)
        }
        ControlEvent::Declined { to, words } => {
            in_control(control, by_operator(actor)?)?;
            check_length(words)?;
            asked_by(control, *to, now).map(|_| None)
        }
        ControlEvent::HandedOver { to, note } => {
            in_control(control, by_operator(actor)?)?;
            check_length(note)?;
            let seat = asked_by(control, *to, now)?;
            Ok(Some(next_epoch(control, seat)))
        }
        ControlEvent::TakenOver { epoch, reason } => {
            let seat = by_supervisor(actor)?;
            check_reason(reason)?;
            may_take_over(control, seat, *epoch)?;
            Ok(Some(next_epoch(control, seat)))
        }
        ControlEvent::Released {} => {
            // From any page of theirs: it only ever takes something away.
            let seat = by_operator(actor)?;
            (control.holder)
                .filter(|holder| holder.seat.person == seat.person)
                .ok_or(ControlRefusal::NotInControl)?;
            Ok(None)
        }
        // Only as what follows from another event, never by itself.
        ControlEvent::Granted { .. } => Err(ControlRefusal::RoleNotAllowed),
        ControlEvent::Ended { epoch, cause } => {
            by_cloud(actor)?;
            may_end(control, *epoch, *cause, now).map(|()| None)
        }
    }
}

const fn by_operator(actor: ControlActor) -> Result<Seat, ControlRefusal> {
    match actor {
        ControlActor::Operator(seat) | ControlActor::Supervisor(seat) => Ok(seat),
        ControlActor::Cloud | ControlActor::Other => Err(ControlRefusal::RoleNotAllowed),
    }
}

const fn by_supervisor(actor: ControlActor) -> Result<Seat, ControlRefusal> {
    match actor {
        ControlActor::Supervisor(seat) => Ok(seat),
        ControlActor::Operator(_) | ControlActor::Cloud | ControlActor::Other => {
            Err(ControlRefusal::RoleNotAllowed)
        }
    }
}

const fn by_cloud(actor: ControlActor) -> Result<(), ControlRefusal> {
    match actor {
        ControlActor::Cloud => Ok(()),
        ControlActor::Operator(_) | ControlActor::Supervisor(_) | ControlActor::Other => {
            Err(ControlRefusal::RoleNotAllowed)
        }
    }
}

/// A page that was loaded again has another key: its person moves there, and the page before steers no more.
fn may_claim(control: &Control, seat: Seat) -> Result<(), ControlRefusal> {
    match control.holder {
        None => Ok(()),
        Some(holder) if holder.seat == seat => Err(ControlRefusal::AlreadyYours),
        Some(holder) if holder.seat.person == seat.person => Ok(()),
        Some(holder) => Err(ControlRefusal::HeldByAnother {
            by: holder.seat.person,
        }),
    }
}

fn may_ask(control: &Control, seat: Seat, now: UnixMicros) -> Result<(), ControlRefusal> {
    let holder = control.holder.ok_or(ControlRefusal::NobodyHasControl)?;
    if holder.seat.person == seat.person {
        return Err(ControlRefusal::AlreadyYours);
    }
    match control.asks(now) {
        Some(asks) if asks.seat.person != seat.person => Err(ControlRefusal::AskedAlready {
            by: asks.seat.person,
        }),
        Some(_) | None => Ok(()),
    }
}

fn may_take_over(control: &Control, seat: Seat, epoch: u64) -> Result<(), ControlRefusal> {
    let holder = control.holder.ok_or(ControlRefusal::NobodyHasControl)?;
    if holder.seat.person == seat.person {
        return Err(ControlRefusal::AlreadyYours);
    }
    // From whom they meant, and from nobody who has it since.
    (control.epoch == epoch)
        .then_some(())
        .ok_or(ControlRefusal::EpochOver)
}

/// The seat of who asks, if it is who was meant.
fn asked_by(control: &Control, person: PersonId, now: UnixMicros) -> Result<Seat, ControlRefusal> {
    control
        .asks(now)
        .map(|asks| asks.seat)
        .filter(|seat| seat.person == person)
        .ok_or(ControlRefusal::NobodyAsks)
}

fn in_control(control: &Control, seat: Seat) -> Result<Holder, ControlRefusal> {
    control
        .holder
        .filter(|holder| holder.seat == seat)
        .ok_or(ControlRefusal::NotInControl)
}

fn check_length(words: &str) -> Result<(), ControlRefusal> {
    (words.chars().count() <= MAX_NOTE_CHARS)
        .then_some(())
        .ok_or(ControlRefusal::WordsTooLong)
}

fn check_reason(reason: &str) -> Result<(), ControlRefusal> {
    if reason.trim().is_empty() {
        return Err(ControlRefusal::ReasonMissing);
    }
    check_length(reason)
}

fn may_end(
    control: &Control,
    epoch: u64,
    cause: ControlEnding,
    now: UnixMicros,
) -> Result<(), ControlRefusal> {
    let holder = control.holder.ok_or(ControlRefusal::NobodyHasControl)?;
    if control.epoch != epoch {
        return Err(ControlRefusal::EpochOver);
    }
    match cause {
        ControlEnding::Absent if now < holder.until => Err(ControlRefusal::NotDueYet),
        ControlEnding::Absent | ControlEnding::SignedOut | ControlEnding::RightLost => Ok(()),
    }
}

const fn next_epoch(control: &Control, seat: Seat) -> ControlEvent {
    ControlEvent::Granted {
        // A robot that is taken a million times a second reaches the end in half a million years.
        epoch: control.epoch.saturating_add(1),
        person: seat.person,
        key: seat.key,
    }
}

/// What the cloud says about somebody who was not heard for too long.
pub fn lapse_control(control: &Control, now: UnixMicros) -> Option<ControlEvent> {
    let holder = control.holder?;
    (holder.until <= now).then_some(ControlEvent::Ended {
        epoch: control.epoch,
        cause: ControlEnding::Absent,
    })
}

/// Whether `person` may have the robot moved under `epoch` at this moment.
pub fn may_steer(
    control: &Control,
    person: PersonId,
    epoch: Option<u64>,
    now: UnixMicros,
) -> Result<(), ControlRefusal> {
    let holder = control
        .holder
        .filter(|holder| now < holder.until)
        .ok_or(ControlRefusal::NotInControl)?;
    if holder.seat.person != person {
        return Err(ControlRefusal::HeldByAnother {
            by: holder.seat.person,
        });
    }
    (epoch == Some(control.epoch))
        .then_some(())
        .ok_or(ControlRefusal::EpochOver)
}

/// What the robot is told. Nothing while somebody steers and the gateway has not seen its clock yet, or while they are gone and
/// nobody has said so: what the robot knows runs out by itself.
pub fn notice(
    control: &Control,
    seen_tick_ms: Option<u64>,
    now: UnixMicros,
) -> Option<ControlNotice> {
    let held = match control.holder {
        None => None,
        Some(holder) => {
            // What is left, and not the whole time anew: only a sign of life gives that.
            let left_ms = holder.until.since(now).div_euclid(1_000);
            Some(ControlSpan {
                seen_tick_ms: seen_tick_ms?,
                lasts_ms: u32::try_from(left_ms).ok().filter(|left| *left > 0)?,
            })
        }
    };
    let last = control.last.as_ref().map(|last| last.turn);
    Some(ControlNotice {
        epoch: control.epoch,
        held,
        is_let_go: held.is_none() && last == Some(ControlTurn::Released),
    })
}

/// Who steers under `epoch` is there: they have the full time again. No event: nothing changed.
pub fn renew_control(
    control: &Control,
    person: PersonId,
    epoch: u64,
    now: UnixMicros,
) -> Result<Control, ControlRefusal> {
    may_steer(control, person, Some(epoch), now)?;
    let holder = control.holder.map(|holder| Holder {
        until: holder.until.max(now.plus(CONTROL_LASTS_US)),
        ..holder
    });
    Ok(Control {
        holder,
        ..control.clone()
    })
}

/// Applies a fact. Total: an event that was recorded always applies.
#[must_use]
pub fn apply_control(
    control: Control,
    event: &ControlEvent,
    actor: ControlActor,
    at: UnixMicros,
) -> Control {
    let last = last_of(&control, event, actor, at);
    let moved = match event {
        ControlEvent::Claimed {}
        | ControlEvent::HandedOver { .. }
        | ControlEvent::TakenOver { .. } => control,
        ControlEvent::Requested { words } => Control {
            request: seat_of(actor).map(|seat| Request {
                seat,
                words: words.clone(),
                until: at.plus(REQUEST_LASTS_US),
            }),
            ..control
        },
        ControlEvent::Withdrawn {} | ControlEvent::Declined { .. } => Control {
            request: None,
            ..control
        },
        ControlEvent::Granted { epoch, person, key } => Control {
            epoch: *epoch,
            holder: Some(Holder {
                seat: Seat {
                    person: *person,
                    key: *key,
                },
                since: at,
                until: at.plus(CONTROL_LASTS_US),
            }),
            request: None,
            ..control
        },
        // Who asked has nobody to ask any more, and may take it.
        ControlEvent::Released {} | ControlEvent::Ended { .. } => Control {
            holder: None,
            request: None,
            ..control
        },
    };
    Control {
        last,
        version: moved.version + 1,
        ..moved
    }
}

fn last_of(
    control: &Control,
    event: &ControlEvent,
    actor: ControlActor,
    at: UnixMicros,
) -> Option<Turn> {
    if let ControlEvent::Ended { cause, .. } = event {
        let holder = control.holder?;
        return Some(Turn {
            turn: match cause {
                ControlEnding::Absent => ControlTurn::Absent,
                ControlEnding::SignedOut => ControlTurn::SignedOut,
                ControlEnding::RightLost => ControlTurn::RightLost,
            },
            person: holder.seat.person,
            words: String::new(),
            at,
        });
    }
    match (turn_of(event), seat_of(actor)) {
        (Some((turn, words)), Some(seat)) => Some(Turn {
            turn,
            person: seat.person,
            words: words.to_owned(),
            at,
        }),
        (None, _) | (_, None) => control.last.clone(),
    }
}

const fn seat_of(actor: ControlActor) -> Option<Seat> {
    match actor {
        ControlActor::Operator(seat) | ControlActor::Supervisor(seat) => Some(seat),
        ControlActor::Cloud | ControlActor::Other => None,
    }
}

#[cfg(test)]
mod tests;
