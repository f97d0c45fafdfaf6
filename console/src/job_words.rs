//! Events of a job in a few plain words, for whoever reads its record.

use std::collections::BTreeMap;

use protocol::{
    AssistId,
    assist::AssistEnding,
    job::{AccessFailure, ForfeitReason, IncidentDecision, IncidentKind, JobEvent},
    views::JobView,
};

use crate::words;

/// What an event says beyond its name. `options` is what each call for help proposed.
pub fn event(event: &JobEvent, job: &JobView, options: &BTreeMap<AssistId, Vec<String>>) -> String {
    match event {
        JobEvent::Requested { plan, .. } => plan.title.clone(),
        JobEvent::Assigned { .. } => "Chosen by a person".to_owned(),
        JobEvent::ReservationProposed { epoch, .. } => format!("Offered, epoch {epoch}"),
        JobEvent::ReservationConfirmed { epoch } => format!("Taken on, epoch {epoch}"),
        JobEvent::ReservationForfeited { reason, .. } => forfeit(*reason).to_owned(),
        JobEvent::RobotLost { epoch } => format!("Epoch {epoch} ends"),
        JobEvent::Rescheduled { window } => words::window(*window),
        JobEvent::Departed { .. } => "On its way".to_owned(),
        JobEvent::Arrived { .. } => format!("At {}", job.plan.place),
        JobEvent::AccessGranted { plan } => {
            format!("{}, {}", plan.place, words::window(plan.window))
        }
        JobEvent::AccessVerified { .. } => "The way in is open".to_owned(),
        JobEvent::AccessFailed { reason, .. } => access(*reason).to_owned(),
        JobEvent::AccessRevoked { .. } => "Leave to enter taken back".to_owned(),
        JobEvent::AccessExpired { .. } => "Its window closed".to_owned(),
        JobEvent::ExecutionStarted { .. } => format!("{} steps", job.plan.steps.len()),
        JobEvent::CheckpointDone {
            number,
            left_out,
            evidence,
            ..
        } => checkpoint(job, *number, *left_out, evidence.len()),
        JobEvent::ApprovalRequested { words, .. } => words.clone(),
        JobEvent::ApprovalGranted { .. } => "Yes, this once".to_owned(),
        JobEvent::ApprovalDenied { .. } => "No".to_owned(),
        JobEvent::ApprovalTimedOut { .. } => "No answer came, so no".to_owned(),
        JobEvent::ApprovalRevoked { .. } => "The yes was taken back".to_owned(),
        JobEvent::AssistRequested { question, .. } => question.words.clone(),
        JobEvent::AssistOffered { .. } => "The call rings".to_owned(),
        JobEvent::AssistClaimed { .. } => "Call taken".to_owned(),
        JobEvent::AssistStarted { .. } => "A person is helping".to_owned(),
        JobEvent::AssistAnswered { assist, option } => answer(options.get(assist), *option),
        JobEvent::AssistEnded { ending, .. } => match ending {
            AssistEnding::Resolved => "Handed back".to_owned(),
            AssistEnding::GivenUp => "Could not help".to_owned(),
        },
        JobEvent::AssistEscalated { .. } => "Nobody took the call; it rings wider".to_owned(),
        JobEvent::AssistExpired { .. } => "Nobody took the call".to_owned(),
        JobEvent::HeartbeatMissed { policy, .. } => {
            format!("{} beats of {} ms", policy.missed_beats, policy.beat_ms)
        }
        JobEvent::HeartbeatResumed {} => "Heard again".to_owned(),
        JobEvent::Paused {} => "Stop asked for; the job is kept".to_owned(),
        JobEvent::SafeStateReached { .. } => "Robot reports that it stands".to_owned(),
        JobEvent::Resumed {} => "May go on".to_owned(),
        JobEvent::IncidentRaised { incident: kind, .. } => incident(*kind).to_owned(),
        JobEvent::IncidentDecided { decision } => match decision {
            IncidentDecision::Resume => "Go on".to_owned(),
            IncidentDecision::Abort => "The job ends here".to_owned(),
        },
        JobEvent::WorkFinished { .. } => "Every step is done".to_owned(),
        JobEvent::WorkAccepted {} => "Content with the work".to_owned(),
        JobEvent::Cancelled {} => "Called off".to_owned(),
    }
}

fn checkpoint(job: &JobView, number: u32, left_out: bool, evidence: usize) -> String {
    let steps = &job.plan.steps;
    let place = usize::try_from(number).unwrap_or_default();
    let title = place
        .checked_sub(1)
        .and_then(|place| steps.get(place))
        .map_or("", |step| step.title.as_str());
    let left_out = if left_out { ", left out" } else { "" };
    let pictures = match evidence {
        0 => String::new(),
        1 => ", 1 picture".to_owned(),
        more => format!(", {more} pictures"),
    };
    format!("{number} of {}, {title}{left_out}{pictures}", steps.len())
}

/// The option that was chosen, in the words that the call proposed.
fn answer(options: Option<&Vec<String>>, option: u32) -> String {
    let place = usize::try_from(option).ok();
    let chosen = place.and_then(|place| options?.get(place));
    chosen.map_or_else(|| format!("Option {}", option + 1), Clone::clone)
}

/// Why a robot gave a job back.
pub const fn forfeit(reason: ForfeitReason) -> &'static str {
    match reason {
        ForfeitReason::NotAcknowledged => "Never acknowledged",
        ForfeitReason::Busy => "Has another job",
        ForfeitReason::PlaceUnknown => "Knows no such place",
        ForfeitReason::Unreachable => "No way leads there",
        ForfeitReason::BatteryLow => "Not enough energy",
        ForfeitReason::Unsupported => "Can't do a step of the plan",
        ForfeitReason::Fault => "A part has failed",
    }
}

const fn access(reason: AccessFailure) -> &'static str {
    match reason {
        AccessFailure::OutsideWindow => "Outside of the agreed time",
        AccessFailure::DoorClosed => "The door did not open",
        AccessFailure::WrongPlace => "The leave is for another place",
    }
}

/// Every kind of incident that a person may raise, with its words.
pub const INCIDENTS: [IncidentKind; 5] = [
    IncidentKind::HumanContact,
    IncidentKind::PropertyDamage,
    IncidentKind::PrivacyViolation,
    IncidentKind::RobotStuck,
    IncidentKind::Other,
];

/// What went wrong.
pub const fn incident(kind: IncidentKind) -> &'static str {
    match kind {
        IncidentKind::StopUnconfirmed => "Told to stop and did not report that it stands",
        IncidentKind::HumanContact => "Somebody was hurt or nearly",
        IncidentKind::PropertyDamage => "Something was broken",
        IncidentKind::PrivacyViolation => "Something was seen that must not be",
        IncidentKind::RobotStuck => "The robot can't get away by itself",
        IncidentKind::Other => "Something else went wrong",
    }
}
