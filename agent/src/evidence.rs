//! Pictures that prove work: taken by the main camera, kept in the robot's folder, named to the log by their hash alone.

use std::{
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use protocol::{EvidenceId, case::SaltedHash, job::EvidenceHash};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};

use crate::settings::{SettingsFailure, write_secret};

/// Files kept. At some twelve KiB each that is under three MiB; the oldest goes first.
const MOST_FILES: usize = 200;

/// A still takes some hundredths of a second; a camera that is busy may pass one over.
const STILL_WITHIN: Duration = Duration::from_secs(2);

/// Stills that are asked for before there is no picture.
const TRIES: u32 = 3;

/// Pictures that may wait to be taken: a robot is at one step at a time.
pub const PHOTO_QUEUE: usize = 2;

/// Asks the main camera for a still.
pub type StillWanted = oneshot::Sender<Bytes>;

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
    pub wanted: mpsc::Receiver<EvidenceId>,
    /// To the main camera.
    pub stills: mpsc::Sender<StillWanted>,
    /// What came of them.
    pub developed: mpsc::Sender<Developed>,
}

impl Darkroom {
    /// Runs until nobody wants pictures any more.
    pub async fn run(mut self) {
        while let Some(evidence) = self.wanted.recv().await {
            let hash = if let Some(jpeg) = self.still().await {
                self.keep(evidence, jpeg).await
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

    async fn keep(&self, evidence: EvidenceId, jpeg: Bytes) -> Option<EvidenceHash> {
        let salt: [u8; 32] = rand::random();
        let folder = self.folder.clone();
        let kept = tokio::task::spawn_blocking(move || keep(&folder, evidence, &salt, &jpeg)).await;
        match kept {
            Ok(Ok(hash)) => Some(hash),
            Ok(Err(error)) => {
                tracing::error!(evidence.id = %evidence, %error, "a picture could not be kept");
                None
            }
            // The runtime is going down.
            Err(_cancelled) => None,
        }
    }
}

/// Why a picture was not kept.
#[derive(Debug, thiserror::Error)]
enum KeepFailure {
    #[error("the folder for evidence failed: {0}")]
    Folder(#[from] io::Error),
    #[error(transparent)]
    File(#[from] SettingsFailure),
}

fn keep(
    folder: &Path,
    evidence: EvidenceId,
    salt: &[u8; 32],
    jpeg: &[u8],
) -> Result<EvidenceHash, KeepFailure> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    make_room(folder)?;
    write_secret(
        &folder.join(evidence.to_string()),
        &[salt.as_slice(), jpeg].concat(),
    )?;
    Ok(EvidenceHash {
        evidence,
        media_type: "image/jpeg".to_owned(),
        salted_sha256: SaltedHash::of(salt, jpeg).0,
    })
}

/// Drops the oldest until there is room for one more.
fn make_room(folder: &Path) -> io::Result<()> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.metadata()?.modified()?, entry.path()));
    }
    files.sort();
    let too_many = (files.len() + 1).saturating_sub(MOST_FILES);
    for (_, path) in files.into_iter().take(too_many) {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sha2::{Digest as _, Sha256};
    use uuid::Uuid;

    use super::*;

    fn evidence(number: u128) -> EvidenceId {
        EvidenceId(Uuid::from_u128(number))
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

        wanted.send(evidence(7)).await.unwrap();
        // A camera that passes the first request over.
        drop(stills_out.recv().await.unwrap());
        let still = stills_out.recv().await.unwrap();
        still.send(Bytes::from_static(b"jpeg")).unwrap();
        let developed = developed_out.recv().await.unwrap();

        let name = evidence(7).to_string();
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
            keep(folder.path(), evidence(number), &[1; 32], b"jpeg").unwrap();
        }

        let files = fs::read_dir(folder.path()).unwrap().count();
        let newest = folder.path().join(evidence(MOST_FILES as u128).to_string());
        assert_eq!(files, MOST_FILES);
        assert!(newest.exists());
    }
}
