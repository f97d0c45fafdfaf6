//! What a complaint must be beyond its event: about a finished job, of bounded words and real pictures, and exactly what
//! the event was signed over.

use protocol::{
    EvidenceId, PersonId,
    case::{CaseEvent, SaltedHash},
    job::{EvidenceHash, PhaseName},
    limits::{MAX_PICTURE_BYTES, MAX_TEXT_CHARS},
};

use crate::{Actor, Refusal};

/// Words and what their hash is salted with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaltedText {
    /// The words.
    pub words: String,
    /// Random.
    pub salt: [u8; 32],
}

/// A picture with its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Its name.
    pub evidence: EvidenceId,
    /// What it claims to be: "image/jpeg".
    pub media_type: String,
    /// Random.
    pub salt: [u8; 32],
    /// The file.
    pub content: Vec<u8>,
}

/// What a picture can be. Browsers show these, and none of them can hold a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureType {
    /// JFIF or Exif.
    Jpeg,
    /// PNG.
    Png,
    /// WebP.
    Webp,
}

impl PictureType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::Jpeg, Self::Png, Self::Webp];

    /// The media type.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    /// The type of a media type.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// What a file's first bytes say it is.
    pub fn of_content(content: &[u8]) -> Option<Self> {
        match content {
            [0xFF, 0xD8, 0xFF, ..] => Some(Self::Jpeg),
            [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Some(Self::Png),
            // Between the two words stands the length.
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => Some(Self::Webp),
            _ => None,
        }
    }
}

/// Whether `text` is what was hashed.
pub fn matches_text(hash: SaltedHash, text: &SaltedText) -> bool {
    SaltedHash::of(&text.salt, text.words.as_bytes()) == hash
}

/// Whether `picture` is the one that was named: by its name, its media type and its content.
pub fn matches_picture(named: &EvidenceHash, picture: &Picture) -> bool {
    named.evidence == picture.evidence
        && named.media_type == picture.media_type
        && SaltedHash::of(&picture.salt, &picture.content).0 == named.salted_sha256
}

/// Whether `actor` may complain about a job that `requester` asked for and that stands in `phase`.
pub fn check_job(actor: Actor, requester: PersonId, phase: PhaseName) -> Result<(), Refusal> {
    match actor {
        Actor::Requester(person) if person == requester => Ok(()),
        Actor::Requester(_) => Err(Refusal::NotYourJob),
        Actor::Operator(_) | Actor::Owner(_) | Actor::Admin(_) | Actor::Cloud => {
            Err(Refusal::RoleNotAllowed)
        }
    }?;
    phase.is_over().then_some(()).ok_or(Refusal::JobNotOver)
}

/// Checks what comes with `case.opened`: the words and the pictures are bounded, are what they claim to be, and are those
/// that the event was signed over. The event itself is [`crate::decide`]'s to judge.
pub fn check_complaint(
    opened: &CaseEvent,
    words: &SaltedText,
    pictures: &[Picture],
) -> Result<(), Refusal> {
    match opened {
        CaseEvent::Opened {
            words: hash,
            pictures: named,
            ..
        } => {
            check_text(*hash, words)?;
            check_pictures(named, pictures)
        }
        CaseEvent::EvidenceFrozen { .. }
        | CaseEvent::Triaged { .. }
        | CaseEvent::ReviewStarted {}
        | CaseEvent::Ruled { .. }
        | CaseEvent::Withdrawn {} => Err(Refusal::WordsDoNotMatch),
    }
}

/// Checks the reason that comes with `case.ruled`.
pub fn check_reason(ruled: &CaseEvent, reason: &SaltedText) -> Result<(), Refusal> {
    match ruled {
        CaseEvent::Ruled { reason: hash, .. } => check_text(*hash, reason),
        CaseEvent::Opened { .. }
        | CaseEvent::EvidenceFrozen { .. }
        | CaseEvent::Triaged { .. }
        | CaseEvent::ReviewStarted {}
        | CaseEvent::Withdrawn {} => Err(Refusal::WordsDoNotMatch),
    }
}

fn check_text(hash: SaltedHash, text: &SaltedText) -> Result<(), Refusal> {
    if text.words.trim().is_empty() {
        return Err(Refusal::WordsEmpty);
    }
    if text.words.chars().count() > MAX_TEXT_CHARS {
        return Err(Refusal::WordsTooLong);
    }
    // Postgres can't keep a NUL, and no browser shows the others.
    let is_shown = |letter: char| !letter.is_control() || matches!(letter, '\n' | '\r' | '\t');
    if !text.words.chars().all(is_shown) {
        return Err(Refusal::WordsUnprintable);
    }
    matches_text(hash, text)
        .then_some(())
        .ok_or(Refusal::WordsDoNotMatch)
}

fn check_pictures(named: &[EvidenceHash], pictures: &[Picture]) -> Result<(), Refusal> {
    if named.len() != pictures.len() {
        return Err(Refusal::PicturesDoNotMatch);
    }
    for (named, picture) in named.iter().zip(pictures) {
        check_picture(named, picture)?;
    }
    Ok(())
}

/// Checks one picture: it is bounded, is what it claims to be, and is the one that an event names.
pub fn check_picture(named: &EvidenceHash, picture: &Picture) -> Result<(), Refusal> {
    if picture.content.len() > MAX_PICTURE_BYTES {
        return Err(Refusal::PictureTooLarge);
    }
    let claimed = PictureType::parse(&picture.media_type).ok_or(Refusal::MediaTypeUnknown)?;
    if PictureType::of_content(&picture.content) != Some(claimed) {
        return Err(Refusal::PictureNotItsType);
    }
    matches_picture(named, picture)
        .then_some(())
        .ok_or(Refusal::PicturesDoNotMatch)
}

#[cfg(test)]
mod tests;
