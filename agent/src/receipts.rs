//! Writes down what the robot says of its orders and its jobs: sealed and synced before the link hears of it, kept until the disk takes it.

use std::{fmt, time::Duration};

use protocol::{
    CommandId, JobId,
    command::{AbandonReason, Outcome, Receipt},
    drive::DriveEvent,
    event::Payload,
    grant::GrantEvent,
    job::JobEvent,
};
use tokio::sync::{mpsc, watch};

use crate::{
    driver::Driver,
    evidence::{Named, Picture},
    journal::{JournalFailure, Stream},
    link::SharedJournal,
    orders::{Clocks, Journalling},
    sights::Sights,
};

/// The first pause after a disk that did not take a receipt: a log that was rotated makes room within a moment.
const AGAIN_AFTER: Duration = Duration::from_millis(250);

/// The longest pause. Somebody who made room should not wait for the robot to notice.
const AGAIN_AT_LAST_AFTER: Duration = Duration::from_secs(5);

/// Something that the robot says.
#[derive(Debug, Clone, PartialEq)]
pub enum Word {
    /// Of an order.
    Receipt(Receipt),
    /// Of a job.
    OfJob(JobId, JobEvent),
    /// Of a grant that it was shown.
    OfGrant(GrantEvent),
    /// Of being driven.
    OfDriving(DriveEvent),
}

impl fmt::Display for Word {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Receipt(receipt) => write!(formatter, "a receipt for {}", receipt.command),
            Self::OfJob(job, event) => write!(formatter, "{} of job {job}", event.kind()),
            Self::OfGrant(event) => formatter.write_str(event.kind()),
            Self::OfDriving(event) => formatter.write_str(event.kind()),
        }
    }
}

/// What to say at the start of orders that an earlier run of the agent accepted and did not see the end of.
pub fn given_up(open: Vec<CommandId>, driver: &dyn Driver, clocks: Clocks) -> Vec<Receipt> {
    let pose = driver.telemetry(clocks.tick_ms, clocks.at).pose;
    let receipt = |command| Receipt {
        command,
        outcome: Outcome::Abandoned {
            reason: AbandonReason::Restarted,
        },
        tick_ms: clocks.tick_ms,
        at: clocks.at,
        pose,
        sealed_sha256: None,
        frame: None,
        picture: None,
    };
    open.into_iter().map(receipt).collect()
}

/// Writes words down, one after the other.
#[derive(Debug)]
pub struct Scribe {
    /// Where to.
    pub journal: SharedJournal,
    /// Receipts that are owed from before.
    pub owed: Vec<Receipt>,
    /// Words in. While the disk fails they wait here, which bounds them.
    pub words: mpsc::Receiver<Word>,
    /// Told the journal's last number whenever it grew.
    pub grew: watch::Sender<u64>,
    /// Told the number of each word on a job.
    pub job_written: watch::Sender<u64>,
    /// Told which pictures were named, and in which event.
    pub named: mpsc::Sender<Named<Picture>>,
    /// What people saw.
    pub sights: Sights,
    /// Told whether the disk takes what there is.
    pub journalling: watch::Sender<Journalling>,
}

impl Scribe {
    /// Runs until every sender of words is gone and all that they sent is written.
    pub async fn run(mut self) {
        for receipt in std::mem::take(&mut self.owed) {
            self.write_down(Word::Receipt(receipt)).await;
        }
        loop {
            if self.words.is_empty() {
                self.note(Journalling::Works);
            }
            let Some(word) = self.words.recv().await else {
                return;
            };
            self.write_down(word).await;
        }
    }

    /// Tries until the disk takes the word: to go on without it would let the robot deny what it did.
    async fn write_down(&mut self, mut word: Word) {
        let mut pause = AGAIN_AFTER;
        let clip = self.sights.look(&mut word).await;
        loop {
            let (stream, payload) = match word.clone() {
                Word::Receipt(receipt) => (Stream::Own, Payload::CommandReceipt(receipt)),
                Word::OfJob(job, event) => (Stream::Job(job), Payload::Job(event)),
                Word::OfGrant(event) => (Stream::Own, Payload::Grant(event)),
                Word::OfDriving(event) => (Stream::Own, Payload::Drive(event)),
            };
            let appended = self
                .journal
                .with(move |journal| journal.append(stream, payload));
            match appended.await {
                Some(Ok(number)) => {
                    self.grew.send_replace(number);
                    self.tell_job(&word, number);
                    self.tell_courier(&word, number);
                    if let Some(clip) = clip {
                        self.sights.tell(clip, number);
                    }
                    return;
                }
                Some(Err(error @ JournalFailure::Unsealable(_))) => {
                    // No disk will ever take this one. The job can only go on without it.
                    tracing::error!(%error, "{word} was lost");
                    self.tell_job(&word, *self.grew.borrow());
                    return;
                }
                Some(Err(error)) => tracing::error!(%error, "{word} waits for the disk"),
                // The runtime is going down.
                None => return,
            }
            self.note(Journalling::Fails);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(AGAIN_AT_LAST_AFTER);
        }
    }

    fn tell_job(&self, word: &Word, number: u64) {
        match word {
            Word::Receipt(_) | Word::OfGrant(_) | Word::OfDriving(_) => {}
            Word::OfJob(..) => {
                self.job_written.send_replace(number);
            }
        }
    }

    /// Never waits: a picture of which the courier does not hear now is found by it at the next start.
    fn tell_courier(&self, word: &Word, number: u64) {
        let Word::OfJob(job, JobEvent::CheckpointDone { evidence, .. }) = word else {
            return;
        };
        for hash in evidence {
            let picture = Picture {
                job: *job,
                evidence: hash.evidence,
            };
            if self.named.try_send(Named { number, picture }).is_err() {
                tracing::warn!(evidence.id = %hash.evidence, "a picture waits for the next start");
            }
        }
    }

    fn note(&self, journalling: Journalling) {
        self.journalling.send_if_modified(|noted| {
            let is_new = *noted != journalling;
            *noted = journalling;
            is_new
        });
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ed25519_dalek::SigningKey;
    use protocol::{
        EvidenceId, RobotId, UnixMicros,
        event::ActorEvent,
        job::EvidenceHash,
        robot::Pose,
        sealed::{self, Kind},
    };
    use uuid::Uuid;

    use super::*;
    use crate::{
        driver::willing::Willing,
        journal::{
            Contents, Journal,
            failing::{Fault, Faults, put_on_failing_disk},
        },
    };

    /// Longer than anything here takes on a loaded machine; reached only when a claim is false.
    const PATIENCE: Duration = Duration::from_secs(20);

    fn key() -> SigningKey {
        SigningKey::from_bytes(&[7; 32])
    }

    fn receipt(command: u128, outcome: Outcome) -> Receipt {
        Receipt {
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
        }
    }

    fn written(path: &Path) -> Vec<Receipt> {
        let contents = Contents::read(path, &key().verifying_key()).unwrap();
        let open = |sealed: &[u8]| {
            let event: ActorEvent =
                sealed::open(Kind::Event, sealed, &key().verifying_key()).unwrap();
            match event.payload {
                Payload::CommandReceipt(receipt) => receipt,
                other => panic!("not a receipt: {other:?}"),
            }
        };
        let kept = contents.after(0, usize::MAX);
        kept.iter().map(|kept| open(&kept.sealed)).collect()
    }

    struct Bench {
        folder: tempfile::TempDir,
        faults: Faults,
        words: mpsc::Sender<Word>,
        job_written: watch::Receiver<u64>,
        grew: watch::Receiver<u64>,
        named: mpsc::Receiver<Named<Picture>>,
        journalling: watch::Receiver<Journalling>,
        scribe: Scribe,
    }

    fn bench(owed: Vec<Receipt>) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path, RobotId(Uuid::from_u128(5)), key()).unwrap();
        let faults = Faults::default();
        put_on_failing_disk(&mut journal, &path, &faults);
        let (words, words_out) = mpsc::channel(8);
        let (job_written, job_written_out) = watch::channel(0);
        let (grew, grew_out) = watch::channel(0);
        let (journalling, journalling_out) = watch::channel(Journalling::Works);
        let (named, named_out) = mpsc::channel(1);
        Bench {
            folder,
            faults,
            words,
            job_written: job_written_out,
            grew: grew_out,
            named: named_out,
            journalling: journalling_out,
            scribe: Scribe {
                journal: SharedJournal::new(journal),
                owed,
                words: words_out,
                grew,
                job_written,
                named,
                sights: Sights::blind(),
                journalling,
            },
        }
    }

    #[tokio::test]
    async fn a_receipt_that_finds_the_disk_full_is_written_once_there_is_room() {
        let mut bench = bench(Vec::new());
        let said = [
            receipt(1, Outcome::Accepted),
            receipt(1, Outcome::Done),
            receipt(2, Outcome::Accepted),
        ];
        bench.faults.set(Fault::Full);
        for receipt in &said {
            bench
                .words
                .send(Word::Receipt(receipt.clone()))
                .await
                .unwrap();
        }
        let running = tokio::spawn(bench.scribe.run());
        let failing = bench
            .journalling
            .wait_for(|journalling| *journalling == Journalling::Fails);
        tokio::time::timeout(PATIENCE, failing)
            .await
            .unwrap()
            .unwrap();
        let unheard = *bench.grew.borrow();

        bench.faults.set(Fault::None);
        let working = bench
            .journalling
            .wait_for(|journalling| *journalling == Journalling::Works);
        tokio::time::timeout(PATIENCE, working)
            .await
            .unwrap()
            .unwrap();

        assert_eq!((unheard, *bench.grew.borrow_and_update()), (0, 3));
        assert_eq!(written(&bench.folder.path().join("journal")), said);
        drop(bench.words);
        running.await.unwrap();
    }

    #[tokio::test]
    async fn whatever_waits_when_the_control_loop_ends_is_still_written() {
        let bench = bench(Vec::new());
        for command in 0..8 {
            let receipt = receipt(command, Outcome::Done);
            bench.words.send(Word::Receipt(receipt)).await.unwrap();
        }
        drop(bench.words);

        tokio::time::timeout(PATIENCE, bench.scribe.run())
            .await
            .unwrap();

        assert_eq!(written(&bench.folder.path().join("journal")).len(), 8);
    }

    #[tokio::test]
    async fn an_order_that_the_last_run_left_open_ends_as_given_up_by_the_restart() {
        let driver = Willing::default();
        let open = vec![CommandId(Uuid::from_u128(9))];
        let clocks = Clocks {
            tick_ms: 3,
            at: UnixMicros(4),
        };
        let owed = given_up(open, &driver, clocks);
        let bench = bench(owed);
        drop(bench.words);

        tokio::time::timeout(PATIENCE, bench.scribe.run())
            .await
            .unwrap();

        let said = written(&bench.folder.path().join("journal"));
        assert_eq!(said.len(), 1);
        assert_eq!(said[0].command, CommandId(Uuid::from_u128(9)));
        assert_eq!(
            said[0].outcome,
            Outcome::Abandoned {
                reason: AbandonReason::Restarted
            }
        );
        assert_eq!((said[0].tick_ms, said[0].at), (3, UnixMicros(4)));
    }

    #[tokio::test]
    async fn a_word_on_a_job_is_on_disk_before_the_executor_hears_of_it() {
        let mut bench = bench(Vec::new());
        let job = JobId(Uuid::from_u128(3));
        let said = Word::OfJob(job, JobEvent::Departed { epoch: 1 });
        let path = bench.folder.path().join("journal");
        bench.words.send(said).await.unwrap();
        let running = tokio::spawn(bench.scribe.run());

        let written = bench.job_written.wait_for(|number| *number == 1);
        tokio::time::timeout(PATIENCE, written)
            .await
            .unwrap()
            .unwrap();

        let contents = Contents::read(&path, &key().verifying_key()).unwrap();
        assert_eq!(contents.last_number(), 1);
        drop(bench.words);
        running.await.unwrap();
    }

    #[tokio::test]
    async fn the_courier_hears_of_a_picture_once_the_event_that_names_it_is_on_disk() {
        let mut bench = bench(Vec::new());
        let job = JobId(Uuid::from_u128(3));
        let evidence = EvidenceId(Uuid::from_u128(7));
        let done = JobEvent::CheckpointDone {
            epoch: 1,
            number: 1,
            left_out: false,
            evidence: vec![EvidenceHash {
                evidence,
                media_type: "image/jpeg".to_owned(),
                salted_sha256: [7; 32],
            }],
        };
        for event in [JobEvent::Departed { epoch: 1 }, done] {
            bench.words.send(Word::OfJob(job, event)).await.unwrap();
        }
        drop(bench.words);

        tokio::time::timeout(PATIENCE, bench.scribe.run())
            .await
            .unwrap();

        let named = bench.named.recv().await.unwrap();
        assert_eq!(named.number, 2);
        assert_eq!(named.picture, Picture { job, evidence });
    }
}
