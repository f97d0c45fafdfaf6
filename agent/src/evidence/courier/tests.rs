//! Claims about what is brought, when, and what becomes of the file.

use std::sync::atomic::{AtomicU32, Ordering};

use protocol::{EvidenceId, JobId};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::{
    super::{Picture, keep},
    *,
};

/// Longer than anything here takes on a loaded machine; reached only when a claim is false.
const PATIENCE: Duration = Duration::from_secs(20);

fn picture(number: u128) -> Picture {
    Picture {
        job: JobId(Uuid::from_u128(1)),
        evidence: EvidenceId(Uuid::from_u128(number)),
    }
}

fn refused(code: &str) -> Answer {
    Answer::Refused {
        code: code.to_owned(),
    }
}

/// More than are ever brought here.
const BROUGHT_QUEUE: usize = 1_024;

/// A gateway that answers as it is told.
struct Scripted<F> {
    answer: F,
    brought: mpsc::Sender<(Picture, Bytes)>,
}

impl<F: Fn(Picture) -> Answer + Send + Sync> Bring for Scripted<F> {
    type Parcel = Picture;

    const UNNAMED: &'static str = "evidence_unknown";

    async fn bring(&self, picture: Picture, kept: Bytes) -> Answer {
        self.brought.try_send((picture, kept)).unwrap();
        (self.answer)(picture)
    }
}

struct Bench {
    folder: TempDir,
    named: mpsc::Sender<Named<Picture>>,
    heard: watch::Sender<Heard>,
    brought: mpsc::Receiver<(Picture, Bytes)>,
    running: JoinHandle<()>,
}

impl Bench {
    /// A courier who finds these pictures, of which the last event said something, and a gateway that answers so.
    fn start(
        left: &[u128],
        last_number: u64,
        answer: impl Fn(Picture) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for number in left {
            keep(folder.path(), picture(*number), &[1; 32], b"jpeg").unwrap();
        }
        let (named, named_out) = mpsc::channel(NAMED_QUEUE);
        let (heard, heard_out) = watch::channel(Heard::default());
        let (brought, brought_out) = mpsc::channel(BROUGHT_QUEUE);
        let courier = Courier {
            folder: folder.path().to_owned(),
            left: pictures_in(folder.path()).unwrap(),
            last_number,
            named: named_out,
            heard: heard_out,
            post: Scripted { answer, brought },
            longest_wait: Duration::ZERO,
        };
        Self {
            folder,
            named,
            heard,
            brought: brought_out,
            running: tokio::spawn(courier.run()),
        }
    }

    fn holds(&self, number: u64) {
        self.heard.send_modify(|heard| heard.held = number);
    }

    /// The next picture that is brought.
    async fn next(&mut self) -> Picture {
        let next = tokio::time::timeout(PATIENCE, self.brought.recv()).await;
        let (picture, kept) = next.expect("nothing is brought").unwrap();
        assert_eq!(&kept[32..], b"jpeg");
        picture
    }

    /// Lets the courier come to an end of what it does; gives the pictures that it still keeps.
    async fn ends(self) -> Vec<Picture> {
        drop(self.named);
        tokio::time::timeout(PATIENCE, self.running)
            .await
            .unwrap()
            .unwrap();
        pictures_in(self.folder.path()).unwrap()
    }
}

#[tokio::test]
async fn a_picture_is_brought_once_the_gateway_holds_the_event_that_names_it_and_then_deleted() {
    let mut bench = Bench::start(&[], 0, |_| Answer::Held);
    for (number, evidence) in [(5, 1), (7, 2)] {
        let picture = picture(evidence);
        keep(bench.folder.path(), picture, &[1; 32], b"jpeg").unwrap();
        bench.named.send(Named { number, picture }).await.unwrap();
    }

    bench.holds(6);

    assert_eq!(bench.next().await, picture(1));
    let kept = bench.ends().await;
    assert_eq!(kept, [picture(2)]);
}

#[tokio::test]
async fn what_an_earlier_run_left_is_brought_after_a_restart_however_long_the_network_is_away() {
    let tries = AtomicU32::new(0);
    let mut bench = Bench::start(&[1, 2], 9, move |_| {
        if tries.fetch_add(1, Ordering::Relaxed) < 3 * TRIES {
            return Answer::Unreachable("no way there".to_owned());
        }
        Answer::Held
    });

    bench.holds(8);
    bench.holds(9);

    for _ in 0..3 * TRIES + 2 {
        bench.next().await;
    }
    assert_eq!(bench.ends().await, []);
}

#[tokio::test]
async fn a_picture_that_the_gateway_chokes_on_holds_up_no_other_and_waits_for_the_next_start() {
    let held = picture(2);
    let mut bench = Bench::start(&[1], 0, move |picture| {
        if picture == held {
            Answer::Held
        } else {
            Answer::Failed("internal".to_owned())
        }
    });
    keep(bench.folder.path(), held, &[1; 32], b"jpeg").unwrap();
    let named = Named {
        number: 0,
        picture: held,
    };
    bench.named.send(named).await.unwrap();

    let mut brought = Vec::new();
    for _ in 0..=TRIES {
        brought.push(bench.next().await);
    }

    assert_eq!(brought.iter().filter(|one| **one == held).count(), 1);
    assert_eq!(bench.ends().await, [picture(1)]);
}

#[tokio::test]
async fn a_picture_that_no_event_ever_named_is_deleted_and_one_that_is_refused_is_kept() {
    let mut bench = Bench::start(&[1, 2], 0, |brought| {
        if brought == picture(2) {
            refused("pictures_do_not_match")
        } else {
            refused("evidence_unknown")
        }
    });
    bench.next().await;
    bench.next().await;
    keep(bench.folder.path(), picture(3), &[1; 32], b"jpeg").unwrap();
    let named = Named {
        number: 0,
        picture: picture(3),
    };
    bench.named.send(named).await.unwrap();
    bench.next().await;

    let kept = bench.ends().await;

    assert_eq!(kept, [picture(2), picture(3)]);
}
