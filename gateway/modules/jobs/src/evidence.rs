//! The pictures that a job's record names, and which robot may bring each: the one that said so while it held the job.

use std::collections::BTreeMap;

use protocol::{
    EvidenceId, RobotId, UnixMicros,
    job::{EvidenceHash, JobEvent},
    limits::{MAX_JOB_EVIDENCE, MAX_JOB_EVIDENCE_BYTES},
};

use crate::bounds::is_evidence_sound;

/// The kinds of events that this follows.
pub const EVIDENCE_KINDS: [&str; 3] = [
    "reservation.proposed",
    "reservation.confirmed",
    "checkpoint.done",
];

/// A picture that the record names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedEvidence {
    /// The robot that took it.
    pub robot: RobotId,
    /// The step that it belongs to, from 1.
    pub step: u32,
    /// When the robot's word on it was recorded.
    pub recorded_at: UnixMicros,
    /// Its name, its media type and the salted hash of it.
    pub hash: EvidenceHash,
}

/// Why a picture is not taken in. The robot that brings it keeps it, or not: trying again changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceRefusal {
    /// Nothing that was recorded of the job names it.
    #[error("no event of the job names this picture")]
    Unknown,
    /// Another robot took it.
    #[error("another robot took this picture")]
    NotTheHolder,
    /// The job has more than anybody looks at.
    #[error("the pictures of a job may have {} MiB together", MAX_JOB_EVIDENCE_BYTES / (1024 * 1024))]
    Full,
}

impl EvidenceRefusal {
    /// The frozen code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "evidence_unknown",
            Self::NotTheHolder => "not_the_holder",
            Self::Full => "evidence_full",
        }
    }
}

/// What a job's record says of pictures, event by event.
#[derive(Debug, Clone, Default)]
pub struct EvidenceRecord {
    /// Who was offered the job under which number, and whether they took it.
    reservations: BTreeMap<u64, (RobotId, bool)>,
    named: Vec<NamedEvidence>,
}

impl EvidenceRecord {
    /// Takes the next event in, which that robot said. A robot that lost the job still says what it did while it had it, and
    /// this counts, though it moves nothing.
    pub fn note(&mut self, event: &JobEvent, said_by: Option<RobotId>, recorded_at: UnixMicros) {
        if let JobEvent::ReservationProposed { robot, epoch, .. } = event {
            self.reservations.insert(*epoch, (*robot, false));
        } else if let JobEvent::ReservationConfirmed { epoch } = event
            && let Some((offered, is_taken)) = self.reservations.get_mut(epoch)
        {
            *is_taken |= said_by == Some(*offered);
        } else if let JobEvent::CheckpointDone {
            epoch,
            number,
            evidence,
            ..
        } = event
            && let Some((holder, true)) = self.reservations.get(epoch)
            && said_by == Some(*holder)
            && is_evidence_sound(evidence)
        {
            let robot = *holder;
            for hash in evidence {
                self.name(NamedEvidence {
                    robot,
                    step: *number,
                    recorded_at,
                    hash: hash.clone(),
                });
            }
        }
    }

    /// The first event that names a picture counts: who comes later can't change what it was.
    fn name(&mut self, named: NamedEvidence) {
        let is_known = self.find(named.hash.evidence).is_some();
        if !is_known && self.named.len() < MAX_JOB_EVIDENCE {
            self.named.push(named);
        }
    }

    fn find(&self, evidence: EvidenceId) -> Option<&NamedEvidence> {
        let mut named = self.named.iter();
        named.find(|named| named.hash.evidence == evidence)
    }

    /// The pictures, in the order in which they were named.
    pub fn named(&self) -> &[NamedEvidence] {
        &self.named
    }

    /// What `robot` would bring under this name, if it is the one to bring it.
    pub fn of(
        &self,
        evidence: EvidenceId,
        robot: RobotId,
    ) -> Result<&EvidenceHash, EvidenceRefusal> {
        let named = self.find(evidence).ok_or(EvidenceRefusal::Unknown)?;
        if named.robot != robot {
            return Err(EvidenceRefusal::NotTheHolder);
        }
        Ok(&named.hash)
    }
}

/// Whether a picture of so many bytes fits beside those that are here.
pub fn check_room(here_bytes: usize, bytes: usize) -> Result<(), EvidenceRefusal> {
    (here_bytes.saturating_add(bytes) <= MAX_JOB_EVIDENCE_BYTES)
        .then_some(())
        .ok_or(EvidenceRefusal::Full)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::tests::fixtures::{JUNIPER, ROWAN, T0};

    const PICTURE: EvidenceId = EvidenceId(Uuid::from_u128(71));

    fn proposed(robot: RobotId, epoch: u64) -> JobEvent {
        JobEvent::ReservationProposed {
            robot,
            epoch,
            acknowledge_by: T0,
        }
    }

    fn shown(epoch: u64, evidence: EvidenceId, hash: u8) -> JobEvent {
        JobEvent::CheckpointDone {
            epoch,
            number: 2,
            left_out: false,
            evidence: vec![EvidenceHash {
                evidence,
                media_type: "image/jpeg".to_owned(),
                salted_sha256: [hash; 32],
            }],
        }
    }

    /// Juniper had the job under the first number, Rowan has it under the second.
    fn record() -> EvidenceRecord {
        let mut record = EvidenceRecord::default();
        for (epoch, robot) in [(1, JUNIPER), (2, ROWAN)] {
            record.note(&proposed(robot, epoch), None, T0);
            let confirmed = JobEvent::ReservationConfirmed { epoch };
            record.note(&confirmed, Some(robot), T0);
        }
        record
    }

    #[test]
    fn a_picture_is_the_robots_that_named_it_while_it_held_the_job_also_when_it_was_heard_late() {
        let mut record = record();

        record.note(&shown(1, PICTURE, 7), Some(JUNIPER), T0);

        let named = &record.named()[0];
        assert_eq!((named.robot, named.step), (JUNIPER, 2));
        assert_eq!(record.of(PICTURE, JUNIPER).unwrap().salted_sha256, [7; 32]);
        let refused = record.of(PICTURE, ROWAN).unwrap_err();
        assert_eq!(refused.code(), "not_the_holder");
    }

    #[test]
    fn who_did_not_hold_the_job_names_no_picture_of_it() {
        for (case, said_by, epoch) in [
            ("under another robot's number", Some(ROWAN), 1),
            ("under a number that nobody was offered", Some(JUNIPER), 3),
            (
                "under one that it was offered and did not take",
                Some(ROWAN),
                4,
            ),
            ("a key that is no robot's", None, 1),
        ] {
            let mut record = record();
            record.note(&proposed(ROWAN, 4), None, T0);
            record.note(
                &JobEvent::ReservationConfirmed { epoch: 4 },
                Some(JUNIPER),
                T0,
            );

            record.note(&shown(epoch, PICTURE, 7), said_by, T0);

            let refused = record.of(PICTURE, ROWAN).unwrap_err();
            assert_eq!(refused.code(), "evidence_unknown", "{case}");
        }
    }

    #[test]
    fn what_a_name_first_stood_for_it_stands_for() {
        let mut record = record();

        record.note(&shown(1, PICTURE, 7), Some(JUNIPER), T0);
        record.note(&shown(2, PICTURE, 8), Some(ROWAN), T0);

        assert_eq!(record.named().len(), 1);
        assert_eq!(record.of(PICTURE, JUNIPER).unwrap().salted_sha256, [7; 32]);
    }

    #[test]
    fn the_last_byte_that_fits_is_taken() {
        assert_eq!(check_room(MAX_JOB_EVIDENCE_BYTES - 1, 1), Ok(()));
        let full = check_room(MAX_JOB_EVIDENCE_BYTES, 1).unwrap_err();
        assert_eq!(full.code(), "evidence_full");
    }
}
