//! What can become of a case: pure rules. An actor proposes the event itself; it may happen, or a refusal says why not.

use std::collections::BTreeSet;

use protocol::{
    PersonId, UnixMicros,
    case::{CaseEvent, CasePhase, Ruling},
    job::EvidenceHash,
    limits::{MAX_CASE_PICTURES, MAX_CHECKPOINT_EVIDENCE, MAX_PLAN_STEPS},
};

use crate::{Actor, Case, FrozenEvidence, PictureType, Refusal};

/// Up to this severity, as triaged, an operator may rule. What is graver takes a second pair of eyes: an admin's.
pub const OPERATOR_RULES_UP_TO: u8 = 2;

/// Files that a job's record can name: the longest plan with the most evidence at each step.
pub const MAX_FROZEN_FILES: usize = MAX_PLAN_STEPS * MAX_CHECKPOINT_EVIDENCE;

/// Phases in which the requester may still take the complaint back.
const UNDECIDED: [CasePhase; 4] = [
    CasePhase::Opened,
    CasePhase::EvidenceFrozen,
    CasePhase::Triaged,
    CasePhase::UnderReview,
];

/// Whether `proposed` may happen to `case`. Whose turn it is comes first, then where the case stands, then what is said.
///
/// No rule looks at the time: a case waits for people, however long. For [`CaseEvent::Opened`] the caller also asks
/// [`crate::check_job`] and [`crate::check_complaint`], which need what is not in the log.
pub fn decide(case: Option<&Case>, proposed: &CaseEvent, actor: Actor) -> Result<(), Refusal> {
    match (case, proposed) {
        (
            None,
            CaseEvent::Opened {
                severity,
                requester,
                pictures,
                ..
            },
        ) => {
            by_requester(actor, *requester)?;
            check_severity(*severity)?;
            check_named(pictures)
        }
        (
            None,
            CaseEvent::EvidenceFrozen { .. }
            | CaseEvent::Triaged { .. }
            | CaseEvent::ReviewStarted {}
            | CaseEvent::Ruled { .. }
            | CaseEvent::Withdrawn {},
        ) => Err(Refusal::CaseUnknown),
        (Some(case), proposed) => may_follow(case, proposed, actor),
    }
}

fn may_follow(case: &Case, proposed: &CaseEvent, actor: Actor) -> Result<(), Refusal> {
    match proposed {
        CaseEvent::Opened { .. } => Err(Refusal::AlreadyOpened),
        CaseEvent::EvidenceFrozen { entries, files, .. } => {
            by_cloud(actor)?;
            in_phase(case, &[CasePhase::Opened])?;
            check_frozen(*entries, files)
        }
        CaseEvent::Triaged { severity } => {
            by_judge(actor, case)?;
            in_phase(case, &[CasePhase::EvidenceFrozen, CasePhase::Triaged])?;
            check_severity(*severity)
        }
        CaseEvent::ReviewStarted {} => {
            by_judge(actor, case)?;
            in_phase(case, &[CasePhase::Triaged])
        }
        CaseEvent::Ruled { .. } => {
            by_judge(actor, case)?;
            in_phase(case, &[CasePhase::UnderReview])?;
            light_enough_for(actor, case)
        }
        CaseEvent::Withdrawn {} => {
            by_requester(actor, case.requester)?;
            in_phase(case, &UNDECIDED)
        }
    }
}

fn by_requester(actor: Actor, requester: PersonId) -> Result<(), Refusal> {
    match actor {
        Actor::Requester(person) if person == requester => Ok(()),
        Actor::Requester(_) => Err(Refusal::NotTheRequester),
        Actor::Operator(_) | Actor::Owner(_) | Actor::Admin(_) | Actor::Cloud => {
            Err(Refusal::RoleNotAllowed)
        }
    }
}

fn by_cloud(actor: Actor) -> Result<(), Refusal> {
    match actor {
        Actor::Cloud => Ok(()),
        Actor::Requester(_) | Actor::Operator(_) | Actor::Owner(_) | Actor::Admin(_) => {
            Err(Refusal::RoleNotAllowed)
        }
    }
}

fn by_judge(actor: Actor, case: &Case) -> Result<(), Refusal> {
    match actor {
        Actor::Operator(person) | Actor::Admin(person) if person == case.requester => {
            Err(Refusal::OwnCase)
        }
        Actor::Operator(_) | Actor::Admin(_) => Ok(()),
        Actor::Requester(_) | Actor::Owner(_) | Actor::Cloud => Err(Refusal::RoleNotAllowed),
    }
}

fn in_phase(case: &Case, allowed: &[CasePhase]) -> Result<(), Refusal> {
    if allowed.contains(&case.phase) {
        return Ok(());
    }
    Err(if case.phase.is_over() {
        Refusal::CaseOver
    } else {
        Refusal::WrongPhase
    })
}

fn light_enough_for(actor: Actor, case: &Case) -> Result<(), Refusal> {
    match actor {
        Actor::Operator(_) if case.gravity() > OPERATOR_RULES_UP_TO => {
            Err(Refusal::TooGraveForOperator)
        }
        Actor::Requester(_)
        | Actor::Operator(_)
        | Actor::Owner(_)
        | Actor::Admin(_)
        | Actor::Cloud => Ok(()),
    }
}

fn check_severity(severity: u8) -> Result<(), Refusal> {
    (1..=5)
        .contains(&severity)
        .then_some(())
        .ok_or(Refusal::SeverityOutOfRange)
}

fn check_named(pictures: &[EvidenceHash]) -> Result<(), Refusal> {
    if pictures.len() > MAX_CASE_PICTURES {
        return Err(Refusal::TooManyPictures);
    }
    if pictures
        .iter()
        .any(|picture| PictureType::parse(&picture.media_type).is_none())
    {
        return Err(Refusal::MediaTypeUnknown);
    }
    let names: BTreeSet<_> = pictures.iter().map(|picture| picture.evidence).collect();
    (names.len() == pictures.len())
        .then_some(())
        .ok_or(Refusal::PictureRepeated)
}

fn check_frozen(entries: u64, files: &[EvidenceHash]) -> Result<(), Refusal> {
    if entries == 0 {
        return Err(Refusal::NothingFrozen);
    }
    (files.len() <= MAX_FROZEN_FILES)
        .then_some(())
        .ok_or(Refusal::TooManyFiles)
}

/// Applies a fact. Total: an event that was recorded always applies; one about a case that nobody opened makes none.
#[must_use]
pub fn apply(case: Option<Case>, event: &CaseEvent, at: UnixMicros) -> Option<Case> {
    let case = match event {
        CaseEvent::Opened {
            case,
            job,
            about,
            severity,
            requester,
            words,
            pictures,
        } => Case {
            case: *case,
            job: *job,
            about: *about,
            severity: *severity,
            requester: *requester,
            words: *words,
            pictures: pictures.clone(),
            phase: CasePhase::Opened,
            frozen: None,
            triaged_severity: None,
            reason: None,
            opened_at: at,
            updated_at: at,
            version: 0,
        },
        CaseEvent::EvidenceFrozen {
            entries,
            head,
            files,
        } => Case {
            frozen: Some(FrozenEvidence {
                entries: *entries,
                head: *head,
                files: files.clone(),
            }),
            ..case?
        },
        CaseEvent::Triaged { severity } => Case {
            triaged_severity: Some(*severity),
            ..case?
        },
        CaseEvent::Ruled { reason, .. } => Case {
            reason: Some(*reason),
            ..case?
        },
        CaseEvent::ReviewStarted {} | CaseEvent::Withdrawn {} => case?,
    };
    Some(Case {
        phase: phase_after(event),
        updated_at: at,
        version: case.version + 1,
        ..case
    })
}

const fn phase_after(event: &CaseEvent) -> CasePhase {
    match event {
        CaseEvent::Opened { .. } => CasePhase::Opened,
        CaseEvent::EvidenceFrozen { .. } => CasePhase::EvidenceFrozen,
        CaseEvent::Triaged { .. } => CasePhase::Triaged,
        CaseEvent::ReviewStarted {} => CasePhase::UnderReview,
        CaseEvent::Ruled { ruling, .. } => match ruling {
            Ruling::Upheld => CasePhase::Upheld,
            Ruling::PartlyUpheld => CasePhase::PartlyUpheld,
            Ruling::Rejected => CasePhase::Rejected,
        },
        CaseEvent::Withdrawn {} => CasePhase::Withdrawn,
    }
}

#[cfg(test)]
mod tests;
