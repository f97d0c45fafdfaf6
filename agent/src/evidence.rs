//! Pictures that prove work: taken by the main camera, named to the log by their hash alone, and kept in the robot's folder until
//! the gateway has them.

mod courier;
mod post;

use std::{
    fmt,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use protocol::{
    EvidenceId, JobId, case::SaltedHash, job::EvidenceHash, limits::SALT_BYTES, picture::ClipHash,
};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

pub use courier::{Courier, LONGEST_WAIT, NAMED_QUEUE, Named, pictures_in};
pub use post::{Answer, Bring, ClipPost, Parcel, Post};

use crate::settings::{SettingsFailure, write_secret};

/// Files that wait for the gateway. At some twelve KiB each that is under three MiB; the oldest goes first.
const MOST_FILES: usize = 200;

/// A still takes some hundredths of a second; a camera that is busy may pass one over.
const STILL_WITHIN: Duration = Duration::from_secs(2);

/// Stills that are asked for before there is no picture.
const TRIES: u32 = 3;

/// Pictures that may wait to be taken: a robot is at one step at a time.
pub const PHOTO_QUEUE: usize = 2;

/// Asks the main camera for a still.
pub type StillWanted = oneshot::Sender<Bytes>;

/// A picture by its name: of which job, and which of it. So its file is called, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Picture {
    /// The job that it proves a step of.
    pub job: JobId,
    /// Its own name.
    pub evidence: EvidenceId,
}

impl fmt::Display for Picture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}_{}", self.job, self.evidence)
    }
}

impl Parcel for Picture {
    fn of_file(name: &str) -> Option<Self> {
        let (job, evidence) = name.split_once('_')?;
        Some(Self {
            job: job.parse().ok()?,
            evidence: evidence.parse().ok()?,
        })
    }
}

/// What came of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Developed {
    /// The name that it was asked for under.
    pub evidence: EvidenceId,
    /// Absent when there is no picture.
    pub hash: Option<EvidenceHash>,
}

/// Takes pictures and keeps them.
#[derive(Debug)]
pub struct Darkroom {
    /// Where they are kept. Each file is the salt, 32 bytes, and the JPEG: its SHA-256 is what the log holds.
    pub folder: PathBuf,
    /// Pictures that are wanted.
    pub wanted: mpsc::Receiver<Picture>,
    /// To the main camera.
    pub stills: mpsc::Sender<StillWanted>,
    /// What came of them.
    pub developed: mpsc::Sender<Developed>,
}

impl Darkroom {
    /// Runs until nobody wants pictures any more.
    pub async fn run(mut self) {
        while let Some(picture) = self.wanted.recv().await {
            let evidence = picture.evidence;
            let hash = if let Some(jpeg) = self.still().await {
                self.keep(picture, jpeg).await
            } else {
                tracing::error!(evidence.id = %evidence, "the main camera gave no picture");
                None
            };
            if self
                .developed
                .send(Developed { evidence, hash })
                .await
                .is_err()
            {
                return;
            }
        }
    }

    async fn still(&self) -> Option<Bytes> {
        for _ in 0..TRIES {
            let (wanted, still) = oneshot::channel();
            self.stills.send(wanted).await.ok()?;
            if let Ok(Ok(jpeg)) = timeout(STILL_WITHIN, still).await {
                return Some(jpeg);
            }
        }
        None
    }

    async fn keep(&self, picture: Picture, jpeg: Bytes) -> Option<EvidenceHash> {
        let salt: [u8; SALT_BYTES] = rand::random();
        let folder = self.folder.clone();
        let kept = tokio::task::spawn_blocking(move || keep(&folder, picture, &salt, &jpeg)).await;
        match kept {
            Ok(Ok(hash)) => Some(hash),
            Ok(Err(error)) => {
                tracing::error!(evidence.id = %picture.evidence, %error, "a picture could not be kept");
                None
            }
            // The runtime is going down.
            Err(_cancelled) => None,
        }
    }
}

/// Why a picture was not kept.
#[derive(Debug, thiserror::Error)]
pub enum KeepFailure {
    /// The folder can't be made, read or cleared.
    #[error("the folder for pictures failed: {0}")]
    Folder(#[from] io::Error),
    /// The file can't be written.
    #[error(transparent)]
    File(#[from] SettingsFailure),
}

fn keep(
    folder: &Path,
    picture: Picture,
    salt: &[u8; SALT_BYTES],
    jpeg: &[u8],
) -> Result<EvidenceHash, KeepFailure> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    make_room(folder, MOST_FILES)?;
    write_secret(
        &folder.join(picture.to_string()),
        &[salt.as_slice(), jpeg].concat(),
    )?;
    Ok(EvidenceHash {
        evidence: picture.evidence,
        media_type: "image/jpeg".to_owned(),
        salted_sha256: SaltedHash::of(salt, jpeg).0,
    })
}

/// Clips that wait for the gateway: at a few hundred KiB each some twenty MiB, and never above 64.
const MOST_CLIPS: usize = 64;

/// Keeps what somebody saw, until the gateway has it.
pub fn keep_clip(folder: &Path, clip: ClipHash, bytes: &[u8]) -> Result<(), KeepFailure> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    make_room(folder, MOST_CLIPS)?;
    Ok(write_secret(&folder.join(clip.to_string()), bytes)?)
}

/// Drops the oldest until there is room for one more.
fn make_room(folder: &Path, most: usize) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.metadata()?.modified()?, entry.path()));
    }
    files.sort();
    let too_many = (files.len() + 1).saturating_sub(most);
    for (_, path) in files.into_iter().take(too_many) {
        tracing::warn!(path = %path.display(), "a picture that the gateway does not have makes room");
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};
    use uuid::Uuid;

    use super::*;

    fn picture(number: u128) -> Picture {
        Picture {
            job: JobId(Uuid::from_u128(1)),
            evidence: EvidenceId(Uuid::from_u128(number)),
        }
    }

    #[tokio::test]
    async fn a_picture_is_on_disk_with_its_salt_before_its_hash_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (wanted, wanted_out) = mpsc::channel(PHOTO_QUEUE);
        let (stills, mut stills_out) = mpsc::channel::<StillWanted>(1);
        let (developed, mut developed_out) = mpsc::channel(1);
        let darkroom = Darkroom {
            folder: folder.path().join("evidence"),
            wanted: wanted_out,
            stills,
            developed,
        };
        let running = tokio::spawn(darkroom.run());

        wanted.send(picture(7)).await.unwrap();
        // A camera that passes the first request over.
        drop(stills_out.recv().await.unwrap());
        let still = stills_out.recv().await.unwrap();
        still.send(Bytes::from_static(b"jpeg")).unwrap();
        let developed = developed_out.recv().await.unwrap();

        let name = picture(7).to_string();
        assert_eq!(Picture::of_file(&name), Some(picture(7)));
        let file = fs::read(folder.path().join("evidence").join(name)).unwrap();
        let hash = developed.hash.unwrap();
        assert_eq!(&file[32..], b"jpeg");
        assert_eq!(hash.salted_sha256[..], Sha256::digest(&file)[..]);
        drop(wanted);
        running.await.unwrap();
    }

    #[test]
    fn the_oldest_picture_makes_room_for_a_new_one() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..=MOST_FILES as u128 {
            keep(folder.path(), picture(number), &[1; 32], b"jpeg").unwrap();
        }

        let files = fs::read_dir(folder.path()).unwrap().count();
        let newest = folder.path().join(picture(MOST_FILES as u128).to_string());
        assert_eq!(files, MOST_FILES);
        assert!(newest.exists());
    }
}
