//! What the browser believes of a record, and what it finds in one that was altered.

use std::collections::BTreeMap as Map;

use ed25519_dalek::SigningKey;
use ledger::log::entry_hash;
use protocol::{
    JobId, OrganisationId, RobotId, SiteId,
    event::ActorChain,
    job::{JobRequest, ParameterValue, PhaseName, TemplateName, Window},
    sealed,
};
use time::OffsetDateTime;
use uuid::Uuid;

use super::*;
use crate::machine::StepStanding;

const JOB: JobId = JobId(Uuid::from_u128(9));
const ME: PersonId = PersonId(Uuid::from_u128(5));
const HOUR: i64 = 3_600_000_000;

fn gateway() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn person() -> SigningKey {
    SigningKey::from_bytes(&[2; 32])
}

fn request() -> JobRequest {
    JobRequest {
        job: JOB,
        site: SiteId(Uuid::from_u128(2)),
        template: TemplateName {
            name: "reset_room".to_owned(),
            version: 1,
        },
        parameters: Map::from([("room".to_owned(), ParameterValue::Text("Room 3".to_owned()))]),
        window: Window {
            from: UnixMicros(HOUR),
            until: UnixMicros(3 * HOUR),
        },
        operator_cover: true,
    }
}

fn view() -> JobView {
    let request = request();
    JobView {
        job: JOB,
        number: "J-9".to_owned(),
        organisation: OrganisationId(Uuid::from_u128(1)),
        site: request.site,
        site_name: "Wing B".to_owned(),
        template: request.template.clone(),
        plan: jobs::template::plan(&request).unwrap(),
        window: request.window,
        operator_cover: true,
        requester: ME,
        requester_name: "Mira".to_owned(),
        phase: PhaseName::Dispatching,
        interrupted: None,
        stops_for: None,
        is_held: false,
        robot: None,
        robot_name: None,
        epoch: 1,
        checkpoint: 0,
        access: None,
        is_access_verified: false,
        approval: None,
        allowed: None,
        assist: None,
        operator_name: None,
        accept_by: None,
        requested_at: OffsetDateTime::UNIX_EPOCH,
        updated_at: OffsetDateTime::UNIX_EPOCH,
        version: 2,
        cases: Vec::new(),
    }
}

/// A job that was asked for by its requester and given to a robot by the cloud for an operator.
fn stream() -> Vec<Vec<u8>> {
    let robot = RobotId(Uuid::from_u128(14));
    let requested = JobEvent::Requested {
        request: request(),
        plan: view().plan,
        requester: ME,
    };
    let chain = ActorChain {
        number: 1,
        previous: [0; 32],
    };
    let operator = PersonId(Uuid::from_u128(6));
    let events = [
        (requested, Some(chain), None, Some(Role::Requester)),
        (
            JobEvent::Assigned { robot },
            None,
            Some(operator),
            Some(Role::Operator),
        ),
    ];
    let mut sealed_entries: Vec<Vec<u8>> = Vec::new();
    for (event, chain, on_behalf_of, acting_as) in events {
        let event = ActorEvent {
            stream: job_stream(JOB),
            chain,
            on_behalf_of,
            acting_as,
            payload: Payload::Job(event),
        };
        let key = if chain.is_some() { person() } else { gateway() };
        let entry = Entry {
            organisation: OrganisationId(Uuid::from_u128(1)),
            site: None,
            stream_number: sealed_entries.len() as u64 + 1,
            previous: sealed_entries
                .last()
                .map_or([0; 32], |last| entry_hash(last)),
            recorded_at: UnixMicros(HOUR),
            actor: sealed::seal(Kind::Event, &event, &key).unwrap(),
        };
        sealed_entries.push(entry.seal(&gateway()).unwrap());
    }
    sealed_entries
}

fn read(entries: &[Vec<u8>]) -> Record {
    let mut record = Record::default();
    for (entry, number) in entries.iter().zip(1..) {
        record.read(JOB, number, entry, &gateway().verifying_key());
    }
    record
}

#[test]
fn a_sound_record_is_signed_line_by_line_and_makes_the_job() {
    let record = read(&stream());

    let signers: Vec<Signer> = record.lines.iter().map(|line| line.signer).collect();
    let operator = PersonId(Uuid::from_u128(6));
    assert_eq!(
        signers,
        [
            Signer::Person(Role::Requester),
            Signer::CloudFor(Role::Operator, Some(operator))
        ]
    );
    assert!(record.lines.iter().all(|line| line.seal == Seal::Signed));
    let lane = crate::machine::lane(&view(), &record.history);
    assert_eq!(lane[0].standing, StepStanding::Was);
    let counted = tally(&record, &Proofs::default());
    assert_eq!((counted.all, counted.signed, counted.included), (2, 2, 0));
}

#[test]
fn people_are_told_by_name_once_it_is_proved_who_they_are_and_by_their_role_before() {
    let record = read(&stream());
    let operator = PersonId(Uuid::from_u128(6));
    let people = Map::from([(operator, "Mira K.".to_owned())]);
    let assigned = Line {
        signer: Signer::Person(Role::Operator),
        ..record.lines[1].clone()
    };
    let words = |proofs: &Proofs| signer_words(&assigned, proofs, &view(), &people);
    let proved = Proofs {
        people: Map::from([(assigned.number, operator)]),
        ..Proofs::default()
    };

    assert_eq!(words(&Proofs::default()), "An operator");
    assert_eq!(words(&proved), "Mira K.");
    let by_cloud = signer_words(&record.lines[1], &Proofs::default(), &view(), &people);
    assert_eq!(by_cloud, "Cloud for Mira K.");
}

#[test]
fn an_entry_that_was_altered_left_out_or_moved_is_found() {
    let sound = stream();
    let mut altered = sound.clone();
    let last = altered[1].len() - 1;
    altered[1][last] ^= 1;
    let left_out = &sound[1..];
    let moved = [sound[1].clone(), sound[0].clone()];

    assert_eq!(read(&altered).lines[1].seal, Seal::BadSignature);
    assert_eq!(read(left_out).lines[0].seal, Seal::OutOfPlace);
    assert_eq!(read(&moved).lines[0].seal, Seal::OutOfPlace);
    assert_eq!(read(&[vec![1, 2, 3]]).unreadable, 1);
}

#[test]
fn a_line_counts_as_included_only_where_the_bundle_has_no_fault() {
    let record = read(&stream());
    let mut proofs = Proofs {
        leaves: Map::from([(1, 40), (2, 41)]),
        ..Proofs::default()
    };
    assert_eq!(tally(&record, &proofs).included, 2);

    proofs
        .faults
        .insert(2, "The signature does not match".to_owned());
    let counted = tally(&record, &proofs);
    assert_eq!((counted.included, counted.bad), (1, 1));

    proofs.whole = Some("The checkpoint: signed by no known key".to_owned());
    assert_eq!(tally(&record, &proofs).included, 0);
}
