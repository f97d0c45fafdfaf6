//! Claims about the journal: nothing said is lost, whole or torn, on a good disk or a bad one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use protocol::{
    UnixMicros,
    command::{AbandonReason, Outcome, Receipt},
    job::{ForfeitReason, JobEvent},
    robot::Pose,
};
use tempfile::TempDir;
use uuid::Uuid;

use super::{
    failing::{Fault, Faults, put_on_failing_disk},
    *,
};

const ROBOT: RobotId = RobotId(Uuid::from_u128(5));

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn event(number: u128) -> Payload {
    Payload::CommandUnanswered {
        command: CommandId(Uuid::from_u128(number)),
    }
}

fn open(path: &Path) -> Journal {
    Journal::open(path, ROBOT, key()).unwrap()
}

#[test]
fn a_reopened_journal_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut journal = open(&path);
    journal.append(Stream::Own, event(1)).unwrap();
    journal.append(Stream::Own, event(2)).unwrap();
    let second = journal.after(1, 9)[0].clone();
    drop(journal);

    let mut journal = open(&path);
    assert_eq!(journal.append(Stream::Own, event(3)).unwrap(), 3);

    let third = &journal.after(2, 9)[0];
    let opened: ActorEvent =
        sealed::open(Kind::Event, &third.sealed, &key().verifying_key()).unwrap();
    let expected: [u8; 32] = Sha256::digest(&second.sealed).into();
    assert_eq!(opened.chain.unwrap().previous, expected);
    assert_eq!(journal.after(0, 9).len(), 3);
}

#[test]
fn a_power_cut_at_any_byte_loses_only_the_record_being_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut journal = open(&path);
    journal.append(Stream::Own, event(1)).unwrap();
    let first_bytes = fs::metadata(&path).unwrap().len();
    journal.append(Stream::Own, event(2)).unwrap();
    drop(journal);
    let whole = fs::read(&path).unwrap();

    for length in first_bytes..whole.len() as u64 {
        fs::write(&path, &whole[..usize::try_from(length).unwrap()]).unwrap();
        let mut journal = open(&path);
        assert_eq!(journal.last_number(), 1, "cut at {length}");
        assert_eq!(journal.append(Stream::Own, event(3)).unwrap(), 2);
        drop(journal);
        assert_eq!(open(&path).last_number(), 2);
    }
}

#[test]
fn an_altered_record_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    open(&path).append(Stream::Own, event(1)).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();

    let opened = Journal::open(&path, ROBOT, key());

    assert!(matches!(opened, Err(JournalFailure::Foreign { record: 1 })));
}

#[test]
fn what_the_gateway_holds_is_forgotten_and_the_chain_survives_the_rewrite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    let mut journal = open(&path);
    for number in 1..=3 {
        journal.append(Stream::Own, event(number)).unwrap();
    }

    journal.forget_up_to(2).unwrap();
    assert_eq!(journal.after(0, 9).len(), 1);
    journal.forget_up_to(3).unwrap();
    journal.rewrite().unwrap();
    drop(journal);

    let mut journal = open(&path);
    assert_eq!(journal.append(Stream::Own, event(4)).unwrap(), 4);
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    (folder, path)
}

fn numbers(path: &Path) -> Vec<u64> {
    let contents = Contents::read(path, &key().verifying_key()).unwrap();
    let kept = contents.after(0, usize::MAX);
    kept.iter().map(|kept| kept.number).collect()
}

#[test]
fn a_record_that_fails_leaves_nothing_behind_and_its_number_to_the_next() {
    for fault in [Fault::Full, Fault::Unsynced] {
        let (_folder, path) = folder();
        let faults = Faults::default();
        let mut journal = open(&path);
        put_on_failing_disk(&mut journal, &path, &faults);
        journal.append(Stream::Own, event(1)).unwrap();

        faults.set(fault);
        let failed = journal.append(Stream::Own, event(2));
        faults.set(Fault::None);
        let number = journal.append(Stream::Own, event(3)).unwrap();

        assert!(matches!(failed, Err(JournalFailure::Disk(_))), "{fault:?}");
        assert_eq!(number, 2, "{fault:?}");
        drop(journal);
        assert_eq!(open(&path).last_number(), 2, "{fault:?}");
        assert_eq!(numbers(&path), [1, 2], "{fault:?}");
    }
}

#[test]
fn nothing_is_written_behind_half_a_record_that_cant_be_cut_away() {
    let (_folder, path) = folder();
    let faults = Faults::default();
    let mut journal = open(&path);
    put_on_failing_disk(&mut journal, &path, &faults);
    journal.append(Stream::Own, event(1)).unwrap();
    faults.set(Fault::Stuck);
    let first = journal.append(Stream::Own, event(2));
    let torn_bytes = fs::metadata(&path).unwrap().len();

    let second = journal.append(Stream::Own, event(3));
    let bytes_then = fs::metadata(&path).unwrap().len();
    faults.set(Fault::None);
    let third = journal.append(Stream::Own, event(4));

    assert!(matches!(first, Err(JournalFailure::Disk(_))));
    assert!(matches!(second, Err(JournalFailure::Torn(_))));
    assert_eq!(bytes_then, torn_bytes);
    assert_eq!(third.unwrap(), 2);
    assert_eq!(numbers(&path), [1, 2]);
}

#[test]
fn a_second_agent_on_one_folder_is_refused_also_after_a_rewrite() {
    let (_folder, path) = folder();
    let mut journal = open(&path);
    journal.append(Stream::Own, event(1)).unwrap();

    let before = Journal::open(&path, ROBOT, key());
    journal.rewrite().unwrap();
    let after = Journal::open(&path, ROBOT, key());

    for refused in [before, after] {
        assert!(matches!(refused, Err(JournalFailure::Locked)));
    }
    drop(journal);
    assert_eq!(open(&path).last_number(), 1);
}

#[test]
fn reading_changes_nothing_and_needs_no_lock() {
    let (_folder, path) = folder();
    let mut journal = open(&path);
    journal.append(Stream::Own, event(1)).unwrap();
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend_from_slice(&[0, 0, 1]);
    fs::write(&path, &bytes).unwrap();

    let contents = Contents::read(&path, &key().verifying_key()).unwrap();

    assert_eq!(contents.last_number(), 1);
    assert_eq!(fs::read(&path).unwrap(), bytes);
    drop(journal);
}

#[test]
fn a_journal_that_was_never_written_reads_as_empty_and_is_not_made() {
    let (_folder, path) = folder();

    let contents = Contents::read(&path, &key().verifying_key()).unwrap();

    assert_eq!(contents.last_number(), 0);
    assert!(!path.exists());
}

fn receipt(command: u128, outcome: Outcome) -> Payload {
    Payload::CommandReceipt(Receipt {
        command: CommandId(Uuid::from_u128(command)),
        outcome,
        tick_ms: 1,
        at: UnixMicros(1),
        pose: Pose {
            x_m: 1.0,
            y_m: 1.0,
            heading_rad: 0.0,
        },
        sealed_sha256: None,
        frame: None,
        picture: None,
    })
}

#[test]
fn an_accepted_order_stays_open_over_restarts_and_rewrites_until_its_end_is_told() {
    let (_folder, path) = folder();
    let command = CommandId(Uuid::from_u128(7));
    let mut journal = open(&path);
    journal
        .append(Stream::Own, receipt(7, Outcome::Accepted))
        .unwrap();
    journal.append(Stream::Own, event(1)).unwrap();
    journal.forget_up_to(2).unwrap();
    journal.rewrite().unwrap();
    drop(journal);

    let mut journal = open(&path);
    let open_before = journal.open_orders();
    let number = journal
        .append(
            Stream::Own,
            receipt(
                7,
                Outcome::Abandoned {
                    reason: AbandonReason::Restarted,
                },
            ),
        )
        .unwrap();
    let open_after = journal.open_orders();
    drop(journal);

    assert_eq!(
        (open_before, number, open_after),
        (vec![command], 3, vec![])
    );
    assert!(open(&path).open_orders().is_empty());
}

#[test]
fn an_acceptance_that_is_the_last_record_is_kept_once() {
    let (_folder, path) = folder();
    let mut journal = open(&path);
    journal.append(Stream::Own, event(1)).unwrap();
    journal
        .append(Stream::Own, receipt(7, Outcome::Accepted))
        .unwrap();

    journal.rewrite().unwrap();

    assert_eq!(numbers(&path), [2]);
}

const JOB: JobId = JobId(Uuid::from_u128(0x10));

fn say(journal: &mut Journal, job: JobId, event: JobEvent) -> u64 {
    journal
        .append(Stream::Job(job), Payload::Job(event))
        .unwrap()
}

#[test]
fn words_on_a_job_and_receipts_stand_in_one_chain_each_for_its_own_history() {
    let (_folder, path) = folder();
    let mut journal = open(&path);

    journal
        .append(Stream::Own, receipt(7, Outcome::Accepted))
        .unwrap();
    say(&mut journal, JOB, JobEvent::Departed { epoch: 1 });
    journal
        .append(Stream::Own, receipt(7, Outcome::Done))
        .unwrap();

    let mut previous = [0; 32];
    let mut streams = Vec::new();
    for (number, kept) in (1..).zip(journal.after(0, 9)) {
        let event: ActorEvent =
            sealed::open(Kind::Event, &kept.sealed, &key().verifying_key()).unwrap();
        assert_eq!(event.chain, Some(ActorChain { number, previous }));
        previous = Sha256::digest(&kept.sealed).into();
        streams.push(event.stream);
    }
    let own = robot_stream(ROBOT);
    assert_eq!(streams, [own.clone(), job_stream(JOB), own]);
}

#[test]
fn what_was_said_of_a_job_survives_restarts_and_rewrites_and_ends_with_the_next_job() {
    let (_folder, path) = folder();
    let mut journal = open(&path);
    say(
        &mut journal,
        JOB,
        JobEvent::ReservationConfirmed { epoch: 3 },
    );
    say(&mut journal, JOB, JobEvent::Departed { epoch: 3 });
    let safe = say(&mut journal, JOB, JobEvent::SafeStateReached { epoch: 3 });
    for number in 1..=2 {
        let done = JobEvent::CheckpointDone {
            epoch: 3,
            number,
            left_out: false,
            evidence: Vec::new(),
        };
        say(&mut journal, JOB, done);
    }
    journal.append(Stream::Own, event(1)).unwrap();
    journal.forget_up_to(6).unwrap();
    journal.rewrite().unwrap();
    drop(journal);
    // The first of the two checkpoints is no longer needed.
    assert_eq!(numbers(&path), [1, 2, 3, 5, 6]);

    let mut journal = open(&path);
    let after_restart = journal.said().unwrap();
    let other = JobId(Uuid::from_u128(0x11));
    let busy = JobEvent::ReservationForfeited {
        epoch: 1,
        reason: ForfeitReason::Busy,
    };
    say(&mut journal, other, busy);
    let after_another_was_turned_down = journal.said().unwrap();
    say(
        &mut journal,
        JOB,
        JobEvent::ReservationConfirmed { epoch: 4 },
    );

    let expected = Said {
        is_confirmed: true,
        is_departed: true,
        checkpoint: 2,
        safe_state: Some(safe),
        ..Said::nothing(JOB, 3)
    };
    assert_eq!(after_restart, expected);
    assert_eq!(after_another_was_turned_down, expected);
    let renewed = Said {
        is_confirmed: true,
        ..Said::nothing(JOB, 4)
    };
    assert_eq!(journal.said(), Some(renewed));
}

/// What a gateway that holds `held` of them would see, from there on.
fn is_one_chain(journal: &Journal, mut previous: [u8; 32], held: u64) {
    for (number, kept) in (held + 1..).zip(journal.after(held, usize::MAX)) {
        let event: ActorEvent =
            sealed::open(Kind::Event, &kept.sealed, &key().verifying_key()).unwrap();
        assert_eq!(kept.number, number);
        assert_eq!(event.chain, Some(ActorChain { number, previous }));
        previous = Sha256::digest(&kept.sealed).into();
    }
}

#[test]
fn an_event_that_is_set_aside_leaves_its_number_and_its_place_in_the_chain_to_the_next() {
    for (refused, total) in [(1, 1), (1, 3), (3, 3), (3, 5)] {
        let (folder, path) = folder();
        let mut journal = open(&path);
        for number in 1..=total {
            journal.append(Stream::Own, event(number)).unwrap();
        }
        let before: Vec<Kept> = journal.after(0, 9);
        let previous = match usize::try_from(refused).unwrap().checked_sub(2) {
            Some(index) => Sha256::digest(&before[index].sealed).into(),
            None => [0; 32],
        };
        journal.forget_up_to(refused - 1).unwrap();

        journal.set_aside(refused).unwrap();
        drop(journal);
        let mut journal = open(&path);
        let last = journal.last_number();
        journal.append(Stream::Own, event(9)).unwrap();

        let total = u64::try_from(total).unwrap();
        assert_eq!(last, total - 1, "{refused} of {total}");
        assert_eq!(journal.last_number(), total, "{refused} of {total}");
        is_one_chain(&journal, previous, refused - 1);
        let kept_aside = fs::read(folder.path().join("journal.refused")).unwrap();
        let index = usize::try_from(refused).unwrap() - 1;
        assert_eq!(
            records::split(&kept_aside).0,
            [before[index].sealed.as_slice()]
        );
    }
}

#[test]
fn an_event_that_the_journal_does_not_hold_cant_be_set_aside() {
    let (_folder, path) = folder();
    let mut journal = open(&path);
    journal.append(Stream::Own, event(1)).unwrap();

    assert!(!journal.set_aside(2).unwrap());

    assert_eq!(numbers(&path), [1]);
}
