//! What the robot should be doing about its job at this moment.

use protocol::{
    AssistId,
    assist::{AssistQuestion, AssistReason},
    job::{AccessFailure, AccessPlan, Directive, ForfeitReason, JobEvent, StepAction},
    robot::{Health, Pose},
};

use super::{
    Moment,
    held::{Aim, Held},
    places, step,
};

/// Less is left for what can't wait: an hour's work and the way home take some fifteen.
const LEAST_BATTERY_PERCENT: f64 = 20.0;

/// Ways that may lead nowhere before the robot calls for help, or leaves a step out: with the pauses between them, some
/// three minutes of people standing in the door.
pub(super) const MOST_TRIES: u32 = 6;

/// What is wanted.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Want {
    /// Nothing: whatever the robot does is its own or a person's business.
    Nothing,
    /// That it waits for somebody's word, standing.
    Wait,
    /// That it comes to a stand, whoever moves it.
    StandSafe,
    /// That this is said.
    Say(JobEvent),
    /// That it gets there.
    Drive { aim: Aim, target: Pose },
    /// That it goes on working where it is.
    Labour,
    /// That it takes a picture.
    Photograph,
}

/// What is wanted of a robot that holds this job, when a person moves it or does not, and when it has stood since it last
/// moved or has not.
pub(super) fn of(
    held: Option<&Held>,
    moment: &Moment,
    is_in_persons_hands: bool,
    has_stood: bool,
) -> Want {
    let Some(held) = held else {
        return Want::Nothing;
    };
    if held.said.is_forfeited {
        return Want::Nothing;
    }
    let epoch = held.said.epoch;
    match held.assignment.directive {
        Directive::Acknowledge if held.said.is_confirmed => Want::Nothing,
        Directive::Acknowledge => Want::Say(answer(held, moment)),
        Directive::Stop if held.owes_safe_state && has_stood && !is_in_persons_hands => {
            Want::Say(JobEvent::SafeStateReached { epoch })
        }
        Directive::Stop if held.owes_safe_state => Want::StandSafe,
        Directive::Stop => Want::Wait,
        Directive::Hold => match leave(held, moment) {
            Leave::Judged(event) if held.said.is_arrived => Want::Say(event),
            Leave::Judged(_) | Leave::Good | Leave::Lacking => Want::Wait,
        },
        Directive::Proceed if held.halt.is_some() || is_in_persons_hands => Want::Nothing,
        Directive::Proceed if moment.is_steered => Want::Wait,
        Directive::Proceed => proceed(held, moment),
        Directive::Release => Want::Nothing,
    }
}

/// Whether it takes the job on.
fn answer(held: &Held, moment: &Moment) -> JobEvent {
    let epoch = held.said.epoch;
    let steps = &held.assignment.plan.steps;
    let has_picture = steps
        .iter()
        .any(|step| step.action == StepAction::Photograph);
    let reason = if held.ground.workplace.is_none() {
        ForfeitReason::PlaceUnknown
    } else if !held.ground.can_navigate || (has_picture && held.ground.camera.is_none()) {
        ForfeitReason::Unsupported
    } else if moment.battery_percent < LEAST_BATTERY_PERCENT {
        ForfeitReason::BatteryLow
    } else if moment.health == Health::Failed {
        ForfeitReason::Fault
    } else {
        return JobEvent::ReservationConfirmed { epoch };
    };
    JobEvent::ReservationForfeited { epoch, reason }
}

/// Leave to enter, at this moment.
enum Leave {
    /// In force and verified.
    Good,
    /// Not, or no longer, or not yet.
    Lacking,
    /// To be judged, like this.
    Judged(JobEvent),
}

fn leave(held: &Held, moment: &Moment) -> Leave {
    let epoch = held.said.epoch;
    let Some(plan) = &held.assignment.access else {
        return Leave::Lacking;
    };
    let AccessPlan {
        access,
        place,
        window,
        ..
    } = plan;
    let access = *access;
    let is_open = window.from <= moment.now && moment.now < window.until;
    if held.said.verified == Some(access) {
        return if is_open { Leave::Good } else { Leave::Lacking };
    }
    if held.said.failed == Some(access) || moment.now < window.from {
        return Leave::Lacking;
    }
    let others = &held.ground.other_places;
    let reason = if places::opens_another(place, &held.assignment.plan.place, others) {
        AccessFailure::WrongPlace
    } else if !is_open {
        AccessFailure::OutsideWindow
    } else {
        return Leave::Judged(JobEvent::AccessVerified { epoch, access });
    };
    Leave::Judged(JobEvent::AccessFailed {
        epoch,
        access,
        reason,
    })
}

/// From the reservation to the end of the work, in order.
fn proceed(held: &Held, moment: &Moment) -> Want {
    let epoch = held.said.epoch;
    if !held.said.is_arrived {
        return travel(held, moment);
    }
    match leave(held, moment) {
        // Also when all is done: under other leave it has to be said again.
        Leave::Judged(event) => Want::Say(event),
        Leave::Good | Leave::Lacking if held.said.is_finished => Want::Nothing,
        Leave::Lacking => Want::Wait,
        Leave::Good if !held.said.is_started => Want::Say(JobEvent::ExecutionStarted { epoch }),
        Leave::Good => match held.plan_step() {
            Some(step) => step::want(held, &step.action, moment.fresh),
            None => Want::Say(JobEvent::WorkFinished { epoch }),
        },
    }
}

/// A reservation can be given back before the robot sets out. From then on a way that leads nowhere is a person's to open, or
/// to give up.
fn travel(held: &Held, moment: &Moment) -> Want {
    let epoch = held.said.epoch;
    let Some(workplace) = &held.ground.workplace else {
        let reason = ForfeitReason::PlaceUnknown;
        return if held.said.is_departed {
            Want::Wait
        } else {
            Want::Say(JobEvent::ReservationForfeited { epoch, reason })
        };
    };
    if !held.said.is_departed {
        return Want::Say(JobEvent::Departed { epoch });
    }
    if held.is_at_door {
        return Want::Say(JobEvent::Arrived { epoch });
    }
    if held.tries < MOST_TRIES {
        return Want::Drive {
            aim: Aim::Door,
            target: workplace.door,
        };
    }
    let is_awaited = held.said.has_called && held.verdict(&held.assignment).is_none();
    if is_awaited || held.is_line_taken() {
        return Want::Wait;
    }
    let place = &held.assignment.plan.place;
    let camera = held.ground.camera.as_deref().unwrap_or("head");
    Want::Say(JobEvent::AssistRequested {
        assist: AssistId(moment.fresh),
        epoch: Some(epoch),
        question: AssistQuestion {
            reason: AssistReason::Blocked,
            words: format!("I can't get to {place}. Is the way clear?"),
            options: vec!["Try again".to_owned()],
            camera: camera.to_owned(),
        },
    })
}
