//! Brings what the robot keeps to the gateway, once it holds the events that name it: photographs that prove work, and what people
//! saw when they gave commands. What is in the folder is what it does not have yet, so that a restart and a lost network need no
//! other memory.

use std::{
    collections::VecDeque,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use super::post::{Answer, Bring, Parcel};
use crate::{link::back_off::BackOff, work::heard::Heard};

/// Pictures whose events were just written down: more than a plan has steps.
pub const NAMED_QUEUE: usize = 128;

/// The longest wait after a try that failed: a minute more or less is nothing to who waits for a picture, and much to a gateway
/// that is coming back.
pub const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Tries that the gateway answers by failing, an hour and a half of them. Then a picture waits for the next start.
const TRIES: u32 = 100;

/// An event of the robot's names a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named<P> {
    /// The robot's number of the event.
    pub number: u64,
    /// Which picture.
    pub picture: P,
}

/// Brings pictures, one after the other.
pub struct Courier<B: Bring> {
    /// Where they are kept.
    pub folder: PathBuf,
    /// What earlier runs of the agent did not bring.
    pub left: Vec<B::Parcel>,
    /// The last event that they said: each of these was named by then, or never is.
    pub last_number: u64,
    /// Pictures that were named since.
    pub named: mpsc::Receiver<Named<B::Parcel>>,
    /// What the gateway holds.
    pub heard: watch::Receiver<Heard>,
    /// The way to it.
    pub post: B,
    /// The longest wait between two tries.
    pub longest_wait: Duration,
}

/// A picture that is to be brought.
struct Waiting<P> {
    named: Named<P>,
    failures: u32,
    is_from_before: bool,
}

impl<B: Bring> Courier<B> {
    /// Runs until the agent goes down. Nothing is lost when it ends at once: what was brought and not crossed off is brought
    /// again, which changes nothing.
    pub async fn run(mut self) {
        let mut back_off = BackOff::up_to(self.longest_wait);
        let number = self.last_number;
        let left = std::mem::take(&mut self.left).into_iter();
        let mut waiting: VecDeque<Waiting<B::Parcel>> = left
            .map(|picture| Waiting {
                is_from_before: true,
                ..Waiting::of(Named { number, picture })
            })
            .collect();
        loop {
            while let Ok(named) = self.named.try_recv() {
                waiting.push_back(Waiting::of(named));
            }
            let held = self.heard.borrow_and_update().held;
            let due = waiting
                .iter()
                .position(|waiting| waiting.named.number <= held);
            let Some(picture) = due.and_then(|place| waiting.remove(place)) else {
                tokio::select! {
                    named = self.named.recv() => match named {
                        Some(named) => waiting.push_back(Waiting::of(named)),
                        None => return,
                    },
                    heard = self.heard.changed() => if heard.is_err() {
                        return;
                    },
                }
                continue;
            };
            if let Some(again) = self.try_once(picture).await {
                // Behind the others: what the gateway chokes on must not hold them up.
                waiting.push_back(again);
                tokio::time::sleep(back_off.next_wait(rand::random())).await;
            } else {
                back_off.note_success();
            }
        }
    }

    /// Tries to bring it; gives it back if that is to be tried again.
    async fn try_once(&self, mut waiting: Waiting<B::Parcel>) -> Option<Waiting<B::Parcel>> {
        let picture = waiting.named.picture;
        let path = self.folder.join(picture.to_string());
        let Some(kept) = read(path.clone()).await else {
            // It made room for others.
            return None;
        };
        match self.post.bring(picture, kept).await {
            Answer::Held => {
                tracing::info!(%picture, "the gateway has a picture");
                cross_off(path).await;
                None
            }
            // It was taken, and its event never said: it proves nothing, and shows somebody's room.
            Answer::Refused { code } if code == B::UNNAMED && waiting.is_from_before => {
                tracing::info!(%picture, "a picture that no event names is deleted");
                cross_off(path).await;
                None
            }
            Answer::Refused { code } => {
                tracing::error!(%picture, code, "the gateway refuses a picture");
                None
            }
            Answer::Failed(words) => {
                tracing::warn!(%picture, "the gateway could not take a picture: {words}");
                waiting.failures += 1;
                (waiting.failures < TRIES).then_some(waiting)
            }
            Answer::Unreachable(words) => {
                tracing::debug!(%picture, "a picture is not brought yet: {words}");
                Some(waiting)
            }
        }
    }
}

impl<P> Waiting<P> {
    const fn of(named: Named<P>) -> Self {
        Self {
            named,
            failures: 0,
            is_from_before: false,
        }
    }
}

/// The pictures that are in the folder, the oldest first. To be looked at before new ones are taken.
pub fn pictures_in<P: Parcel>(folder: &Path) -> io::Result<Vec<P>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut pictures = Vec::new();
    for entry in entries {
        let entry = entry?;
        let picture = entry.file_name().to_str().and_then(P::of_file);
        if let Some(picture) = picture {
            pictures.push((entry.metadata()?.modified()?, picture));
        }
    }
    pictures.sort_by_key(|(at, _)| *at);
    Ok(pictures.into_iter().map(|(_, picture)| picture).collect())
}

async fn read(path: PathBuf) -> Option<Bytes> {
    let read = tokio::task::spawn_blocking(move || fs::read(path)).await;
    match read {
        Ok(Ok(kept)) => Some(kept.into()),
        Ok(Err(error)) => {
            tracing::warn!(%error, "a picture can't be read");
            None
        }
        // The runtime is going down.
        Err(_cancelled) => None,
    }
}

async fn cross_off(path: PathBuf) {
    let removed = tokio::task::spawn_blocking(move || fs::remove_file(path)).await;
    if let Ok(Err(error)) = removed {
        tracing::warn!(%error, "a picture that the gateway has could not be deleted; it is brought again at the next start");
    }
}

#[cfg(test)]
mod tests;
