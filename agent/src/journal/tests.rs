//! Claims about the journal: nothing said is lost, whole or torn, on a good disk or a bad one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use protocol::{
    UnixMicros,
    command::{AbandonReason, Receipt},
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
    journal.append(event(1)).unwrap();
    journal.append(event(2)).unwrap();
    let second = journal.after(1, 9)[0].clone();
    drop(journal);

    let mut journal = open(&path);
    assert_eq!(journal.append(event(3)).unwrap(), 3);

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
    journal.append(event(1)).unwrap();
    let first_bytes = fs::metadata(&path).unwrap().len();
    journal.append(event(2)).unwrap();
    drop(journal);
    let whole = fs::read(&path).unwrap();

    for length in first_bytes..whole.len() as u64 {
        fs::write(&path, &whole[..usize::try_from(length).unwrap()]).unwrap();
        let mut journal = open(&path);
        assert_eq!(journal.last_number(), 1, "cut at {length}");
        assert_eq!(journal.append(event(3)).unwrap(), 2);
        drop(journal);
        assert_eq!(open(&path).last_number(), 2);
    }
}

#[test]
fn an_altered_record_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal");
    open(&path).append(event(1)).unwrap();
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
        journal.append(event(number)).unwrap();
    }

    journal.forget_up_to(2).unwrap();
    assert_eq!(journal.after(0, 9).len(), 1);
    journal.forget_up_to(3).unwrap();
    journal.rewrite().unwrap();
    drop(journal);

    let mut journal = open(&path);
    assert_eq!(journal.append(event(4)).unwrap(), 4);
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
        journal.append(event(1)).unwrap();

        faults.set(fault);
        let failed = journal.append(event(2));
        faults.set(Fault::None);
        let number = journal.append(event(3)).unwrap();

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
    journal.append(event(1)).unwrap();
    faults.set(Fault::Stuck);
    let first = journal.append(event(2));
    let torn_bytes = fs::metadata(&path).unwrap().len();

    let second = journal.append(event(3));
    let bytes_then = fs::metadata(&path).unwrap().len();
    faults.set(Fault::None);
    let third = journal.append(event(4));

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
    journal.append(event(1)).unwrap();

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
    journal.append(event(1)).unwrap();
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
    })
}

#[test]
fn an_accepted_order_stays_open_over_restarts_and_rewrites_until_its_end_is_told() {
    let (_folder, path) = folder();
    let command = CommandId(Uuid::from_u128(7));
    let mut journal = open(&path);
    journal.append(receipt(7, Outcome::Accepted)).unwrap();
    journal.append(event(1)).unwrap();
    journal.forget_up_to(2).unwrap();
    journal.rewrite().unwrap();
    drop(journal);

    let mut journal = open(&path);
    let open_before = journal.open_orders();
    let number = journal
        .append(receipt(
            7,
            Outcome::Abandoned {
                reason: AbandonReason::Restarted,
            },
        ))
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
    journal.append(event(1)).unwrap();
    journal.append(receipt(7, Outcome::Accepted)).unwrap();

    journal.rewrite().unwrap();

    assert_eq!(numbers(&path), [2]);
}
