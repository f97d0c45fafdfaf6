//! Complaints in words: what about, how grave, where they stand, and what is wrong with one before it is sent.

use std::sync::Arc;

use protocol::{
    case::{CaseKind, CasePhase},
    job::PhaseName,
    limits::{MAX_CASE_PICTURES, MAX_TEXT_CHARS},
    views::CaseView,
};

use super::{Mark, Mood, state::State};

/// What a complaint is about, as the requester says it.
pub const fn about(kind: CaseKind) -> &'static str {
    match kind {
        CaseKind::PropertyDamage => "Something was damaged",
        CaseKind::PrivacyViolation => "Something was seen that must not be",
        CaseKind::SafetyNearMiss => "Somebody was nearly hurt",
        CaseKind::FailureToComplete => "The work was not done, or not well",
        CaseKind::AccessFailure => "It did not get in, or left a door open",
        CaseKind::TheftAllegation => "Something is missing",
        CaseKind::RobotStuck => "The robot was stuck",
        CaseKind::HumanContact => "The robot touched somebody",
        CaseKind::Billing => "The bill is wrong",
    }
}

/// How grave it is, from 1 to 5.
pub const SEVERITIES: [(u8, &str); 5] = [
    (1, "Hardly matters"),
    (2, "A nuisance"),
    (3, "Serious"),
    (4, "Grave"),
    (5, "As bad as can be"),
];

/// How grave it is, in words.
pub fn severity(severity: u8) -> &'static str {
    SEVERITIES
        .iter()
        .find(|(number, _)| *number == severity)
        .map_or("", |(_, words)| words)
}

/// Where a case stands, as the requester reads it.
pub fn state(phase: CasePhase) -> State {
    let (words, mark, mood) = match phase {
        CasePhase::Opened => ("Sent", Mark::Underway, Mood::Calm),
        CasePhase::EvidenceFrozen => ("Evidence is kept", Mark::Coming, Mood::Calm),
        CasePhase::Triaged => ("Read by a person", Mark::Running, Mood::Calm),
        CasePhase::UnderReview => ("A person looks into it", Mark::Person, Mood::Human),
        CasePhase::Upheld => ("You are right", Mark::Done, Mood::Ok),
        CasePhase::PartlyUpheld => ("You are right in part", Mark::Done, Mood::Ok),
        CasePhase::Rejected => ("Not upheld", Mark::Over, Mood::Caution),
        CasePhase::Withdrawn => ("You took it back", Mark::Over, Mood::Calm),
    };
    State { words, mark, mood }
}

/// Where a case stands, as an operator reads it: the domain's own names.
pub const fn label(phase: CasePhase) -> &'static str {
    match phase {
        CasePhase::Opened => "Opened",
        CasePhase::EvidenceFrozen => "EvidenceFrozen",
        CasePhase::Triaged => "Triaged",
        CasePhase::UnderReview => "UnderReview",
        CasePhase::Upheld => "Upheld",
        CasePhase::PartlyUpheld => "PartlyUpheld",
        CasePhase::Rejected => "Rejected",
        CasePhase::Withdrawn => "Withdrawn",
    }
}

/// What is done about a case next, by a person who reviews it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Say how grave it is.
    Triage,
    /// Begin the review.
    Review,
    /// Decide.
    Rule,
    /// Nothing: it is over.
    Nothing,
}

/// What is done about a case next.
pub const fn next(phase: CasePhase) -> Next {
    match phase {
        CasePhase::Opened | CasePhase::EvidenceFrozen => Next::Triage,
        CasePhase::Triaged => Next::Review,
        CasePhase::UnderReview => Next::Rule,
        CasePhase::Upheld
        | CasePhase::PartlyUpheld
        | CasePhase::Rejected
        | CasePhase::Withdrawn => Next::Nothing,
    }
}

/// The severity that counts: the reviewer's, and the requester's until there is one.
pub fn weight(case: &CaseView) -> u8 {
    case.triaged_severity.unwrap_or(case.severity)
}

/// Up to this severity an operator rules; what is graver takes an admin.
const OPERATOR_RULES_UP_TO: u8 = 2;

/// Whether ruling on a case of this weight takes an admin.
pub const fn takes_an_admin(weight: u8) -> bool {
    weight > OPERATOR_RULES_UP_TO
}

/// The order in which cases are looked at: those that are open first, the gravest, then the oldest.
pub fn sort(cases: &mut [Arc<CaseView>]) {
    cases.sort_by_key(|case| {
        (
            case.phase.is_over(),
            std::cmp::Reverse(weight(case)),
            case.opened_at,
        )
    });
}

/// A complaint as it is filled in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// What about.
    pub about: Option<CaseKind>,
    /// How grave.
    pub severity: Option<u8>,
    /// What happened.
    pub words: String,
    /// Pictures chosen.
    pub pictures: usize,
}

/// What is wrong with a draft, said at the field that it concerns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Troubles {
    /// With what it is about.
    pub about: Option<String>,
    /// With how grave it is.
    pub severity: Option<String>,
    /// With the words.
    pub words: Option<String>,
}

impl Troubles {
    /// Whether it can be sent.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// What is wrong with a draft.
pub fn troubles(draft: &Draft) -> Troubles {
    Troubles {
        about: draft
            .about
            .is_none()
            .then(|| "Choose what went wrong.".to_owned()),
        severity: draft
            .severity
            .is_none()
            .then(|| "Choose how bad it is.".to_owned()),
        words: words_trouble(&draft.words, "Tell us what you saw."),
    }
}

/// What is wrong with words that somebody has to read.
pub fn words_trouble(words: &str, missing: &str) -> Option<String> {
    let count = words.trim().chars().count();
    if count == 0 {
        return Some(missing.to_owned());
    }
    (count > MAX_TEXT_CHARS).then(|| {
        format!(
            "{count} characters are too many. Shorten it by {}.",
            count - MAX_TEXT_CHARS
        )
    })
}

/// Whether one more picture fits.
pub const fn has_room(pictures: usize) -> bool {
    pictures < MAX_CASE_PICTURES
}

/// Whether a complaint may still be taken back.
pub const fn may_withdraw(phase: CasePhase) -> bool {
    !phase.is_over()
}

/// What a summary says of how a job ended.
pub const fn ending(phase: PhaseName) -> Option<&'static str> {
    match phase {
        PhaseName::Verifying => Some("Waiting for your word"),
        PhaseName::Completed => Some("Accepted"),
        PhaseName::Aborted => Some("Ended early, after something went wrong"),
        PhaseName::Cancelled => Some("Cancelled"),
        PhaseName::Requested
        | PhaseName::Dispatching
        | PhaseName::Reserved
        | PhaseName::Travelling
        | PhaseName::AtSite
        | PhaseName::Executing
        | PhaseName::AwaitingApproval
        | PhaseName::Assisted
        | PhaseName::Stalled
        | PhaseName::Stopping
        | PhaseName::Paused
        | PhaseName::Incident => None,
    }
}

#[cfg(test)]
mod tests {
    use protocol::{CaseId, JobId, OrganisationId, PersonId, SiteId};
    use time::{Duration, OffsetDateTime};
    use uuid::Uuid;

    use super::*;

    fn case(number: u128, phase: CasePhase, severity: u8, triaged: Option<u8>) -> CaseView {
        let at = OffsetDateTime::UNIX_EPOCH
            + Duration::seconds(i64::try_from(number).unwrap_or_default());
        CaseView {
            case: CaseId(Uuid::from_u128(number)),
            number: format!("C-{number}"),
            job: JobId(Uuid::nil()),
            job_title: String::new(),
            organisation: OrganisationId(Uuid::nil()),
            site: SiteId(Uuid::nil()),
            about: CaseKind::PropertyDamage,
            severity,
            triaged_severity: triaged,
            words: None,
            pictures: Vec::new(),
            requester: PersonId(Uuid::nil()),
            requester_name: String::new(),
            phase,
            frozen_entries: None,
            ruling: None,
            reason: None,
            opened_at: at,
            updated_at: at,
            version: 1,
        }
    }

    #[test]
    fn the_gravest_and_then_the_oldest_open_case_is_first() {
        let mut cases = [
            case(1, CasePhase::Rejected, 5, None),
            case(2, CasePhase::EvidenceFrozen, 3, None),
            case(3, CasePhase::Triaged, 2, Some(4)),
            case(4, CasePhase::UnderReview, 4, None),
        ]
        .map(Arc::new);

        sort(&mut cases);

        let order: Vec<_> = cases.iter().map(|case| case.number.as_str()).collect();
        assert_eq!(order, ["C-3", "C-4", "C-2", "C-1"]);
    }

    #[test]
    fn what_is_missing_is_said_at_its_field() {
        let mut draft = Draft::default();
        let all = troubles(&draft);
        assert!(all.about.is_some() && all.severity.is_some() && all.words.is_some());

        draft.about = Some(CaseKind::Billing);
        draft.severity = Some(2);
        draft.words = "x".repeat(MAX_TEXT_CHARS + 3);
        assert_eq!(
            troubles(&draft).words.as_deref(),
            Some("2003 characters are too many. Shorten it by 3.")
        );

        draft.words = "The mug came back chipped.".to_owned();
        assert!(troubles(&draft).is_none());
    }

    #[test]
    fn a_case_that_is_over_asks_for_nothing_and_is_not_taken_back() {
        for phase in CasePhase::ALL {
            assert_eq!(next(phase) == Next::Nothing, phase.is_over(), "{phase:?}");
            assert_eq!(may_withdraw(phase), !phase.is_over(), "{phase:?}");
        }
    }
}
