//! What a person saw when they gave a command: looked up in the robot's own pictures, said in its receipt, and kept until the
//! gateway has it.

use std::path::PathBuf;

use protocol::{
    command::FrameSeen,
    drive::{Clamp, Disarm, DriveEvent},
    picture::{ClipHash, PictureSeen},
};
use tokio::sync::mpsc;

use crate::{
    evidence::{NAMED_QUEUE, Named, keep_clip},
    gallery::{Gallery, Kept},
    receipts::Word,
};

/// Where what people saw is looked up, and where it is kept.
#[derive(Debug)]
pub struct Sights {
    gallery: Gallery,
    folder: PathBuf,
    named: mpsc::Sender<Named<ClipHash>>,
    worth: Worth,
}

impl Sights {
    /// Of these pictures, into that folder; `named` is told which were named, and in which event.
    pub fn new(gallery: Gallery, folder: PathBuf, named: mpsc::Sender<Named<ClipHash>>) -> Self {
        Self {
            gallery,
            folder,
            named,
            worth: Worth::default(),
        }
    }

    /// Of a robot without pictures.
    pub fn blind() -> Self {
        let (named, _nobody) = mpsc::channel(NAMED_QUEUE);
        Self::new(Gallery::default(), PathBuf::new(), named)
    }

    /// Adds to a word what the robot knows of the picture that it is about; gives the clip that was kept of it.
    pub async fn look(&mut self, word: &mut Word) -> Option<ClipHash> {
        let frame = self.worth.of(word)?;
        let (mut seen, kept) = self.gallery.find(frame)?;
        let clip = match kept {
            Some(kept) => self.keep(kept).await,
            None => None,
        };
        if clip.is_none() && matches!(seen, PictureSeen::Kept { .. }) {
            seen = PictureSeen::Known;
        }
        if seen == PictureSeen::Unknown {
            tracing::warn!(
                camera = frame.camera,
                "a command names a picture that the robot never took"
            );
        }
        match word {
            Word::Receipt(receipt) => receipt.picture = Some(seen),
            Word::OfDriving(DriveEvent::Segment(segment)) => segment.picture = Some(seen),
            Word::OfDriving(DriveEvent::Stopped { .. }) | Word::OfJob(..) | Word::OfGrant(_) => {}
        }
        clip
    }

    async fn keep(&self, Kept { hash, bytes }: Kept) -> Option<ClipHash> {
        let folder = self.folder.clone();
        let kept = tokio::task::spawn_blocking(move || keep_clip(&folder, hash, &bytes)).await;
        match kept {
            Ok(Ok(())) => Some(hash),
            Ok(Err(error)) => {
                tracing::error!(%error, "what a person saw could not be kept");
                None
            }
            // The runtime is going down.
            Err(_cancelled) => None,
        }
    }

    /// A clip was named in an event. Never waits: one that the courier does not hear of now is found by it at the next start.
    pub fn tell(&self, clip: ClipHash, number: u64) {
        let named = Named {
            number,
            picture: clip,
        };
        if self.named.try_send(named).is_err() {
            tracing::warn!(%clip, "what a person saw waits for the next start");
        }
    }
}

/// Of what the picture is kept: of every command, and of a second of driving in which something new held the robot back or driving
/// ended. Twenty commands a second are not worth a clip each.
#[derive(Debug, Default)]
struct Worth {
    held_back_by: Option<(Clamp, String)>,
}

impl Worth {
    fn of<'word>(&mut self, word: &'word Word) -> Option<&'word FrameSeen> {
        match word {
            Word::Receipt(receipt) => receipt.frame.as_ref(),
            Word::OfDriving(DriveEvent::Segment(segment)) => {
                let held_back_by = segment.clamp.map(|clamp| (clamp, segment.zone.clone()));
                let is_new = held_back_by.is_some() && held_back_by != self.held_back_by;
                self.held_back_by = held_back_by;
                let has_ended = segment.disarmed.is_some_and(|why| why != Disarm::NotArmed);
                segment.frame.as_ref().filter(|_| is_new || has_ended)
            }
            Word::OfDriving(DriveEvent::Stopped { .. }) | Word::OfJob(..) | Word::OfGrant(_) => {
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use protocol::{
        CommandId, GrantId, UnixMicros,
        command::{CommandHash, Outcome, Receipt, SealedCommand},
        drive::DriveSegment,
        ladder::Level,
        picture::{Clip, FrameHash},
        robot::{Codec, Pose},
    };
    use uuid::Uuid;

    use super::*;
    use crate::{cameras::shoot::EncodedFrame, evidence::pictures_in};

    fn frame(sha256: FrameHash) -> FrameSeen {
        FrameSeen {
            camera: "head".to_owned(),
            captured_at: UnixMicros(9),
            age_ms: 40,
            sha256: Some(sha256),
        }
    }

    fn receipt(frame: Option<FrameSeen>) -> Word {
        Word::Receipt(Receipt {
            command: CommandId(Uuid::nil()),
            outcome: Outcome::Accepted,
            tick_ms: 1,
            at: UnixMicros(1),
            pose: Pose::default(),
            sealed_sha256: None,
            frame,
            picture: None,
        })
    }

    fn segment(clamp: Option<Clamp>, zone: &str, disarmed: Option<Disarm>) -> Word {
        Word::OfDriving(DriveEvent::Segment(Box::new(DriveSegment {
            armed_by: CommandId(Uuid::nil()),
            grant: GrantId(Uuid::nil()),
            epoch: 1,
            from_tick_ms: 0,
            at: UnixMicros(1),
            lasts_ms: 1_000,
            from: Pose::default(),
            to: Pose::default(),
            steps: Vec::new(),
            commands_sha256: CommandHash([0; 32]),
            last: SealedCommand(Vec::new()),
            frame: Some(frame(FrameHash([0; 32]))),
            picture: None,
            refused: Vec::new(),
            dropped: 0,
            clamp,
            zone: zone.to_owned(),
            level: Level::Drive,
            delay_ms: None,
            disarmed,
        })))
    }

    #[test]
    fn a_second_of_driving_is_worth_its_picture_where_something_new_happens() {
        let mut worth = Worth::default();
        let mut is_worth = |word: Word| worth.of(&word).is_some();

        assert!(!is_worth(segment(None, "", None)));
        assert!(is_worth(segment(Some(Clamp::KeepOut), "bed", None)));
        assert!(!is_worth(segment(Some(Clamp::KeepOut), "bed", None)));
        assert!(is_worth(segment(Some(Clamp::KeepOut), "oxygen", None)));
        assert!(!is_worth(segment(None, "", None)));
        assert!(is_worth(segment(Some(Clamp::KeepOut), "oxygen", None)));
        assert!(is_worth(segment(
            Some(Clamp::KeepOut),
            "oxygen",
            Some(Disarm::DeadMan)
        )));
        assert!(!is_worth(segment(None, "", Some(Disarm::NotArmed))));
        assert!(is_worth(receipt(Some(frame(FrameHash([1; 32]))))));
        assert!(!is_worth(receipt(None)));
    }

    #[tokio::test]
    async fn what_was_seen_is_in_the_folder_before_it_is_said_and_told_to_who_brings_it() {
        let folder = tempfile::tempdir().unwrap();
        let gallery = Gallery::of([("head".to_owned(), Codec::H264)]);
        let key = Bytes::from_static(&[0, 0, 0, 1, 0x65, 1]);
        gallery.easel("head").unwrap().take_frame(&EncodedFrame {
            camera: 0,
            bytes: key.clone(),
            is_key: true,
            captured_at: UnixMicros(9),
            rtp_time: 0,
        });
        let (named, mut named_out) = mpsc::channel(1);
        let mut sights = Sights::new(gallery, folder.path().to_owned(), named);
        let hash = FrameHash::of(&key);

        let mut word = receipt(Some(frame(hash)));
        let clip = sights.look(&mut word).await.unwrap();
        sights.tell(clip, 7);

        let Word::Receipt(receipt) = word else {
            panic!("another word: {word:?}")
        };
        assert_eq!(receipt.picture, Some(PictureSeen::Kept { clip }));
        assert_eq!(pictures_in::<ClipHash>(folder.path()).unwrap(), [clip]);
        let kept = std::fs::read(folder.path().join(clip.to_string())).unwrap();
        assert_eq!(Clip::from_bytes(&kept).unwrap().seen(), Some(hash));
        let told = named_out.recv().await.unwrap();
        assert_eq!((told.number, told.picture), (7, clip));
    }

    #[tokio::test]
    async fn a_picture_that_is_nobodys_is_said_to_be_so_and_nothing_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let gallery = Gallery::of([("head".to_owned(), Codec::H264)]);
        let (named, _named_out) = mpsc::channel(1);
        let mut sights = Sights::new(gallery, folder.path().join("clips"), named);

        let mut word = receipt(Some(frame(FrameHash([1; 32]))));

        assert_eq!(sights.look(&mut word).await, None);
        let Word::Receipt(receipt) = word else {
            panic!("another word: {word:?}")
        };
        assert_eq!(receipt.picture, Some(PictureSeen::Unknown));
        assert!(!folder.path().join("clips").exists());
    }
}
