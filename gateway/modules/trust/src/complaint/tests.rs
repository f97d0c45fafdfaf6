//! What may come with a complaint, at every bound.

use protocol::{CaseId, JobId, case::CaseKind};
use uuid::Uuid;

use super::*;

const ADA: PersonId = PersonId(Uuid::from_u128(21));
const GRACE: PersonId = PersonId(Uuid::from_u128(22));

const JPEG: &[u8] = &[0xFF, 0xD8, 0xFF, 0xE0, 0, 16];
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n....";
const WEBP: &[u8] = b"RIFF\x10\0\0\0WEBPVP8 ";

fn text(words: &str) -> SaltedText {
    SaltedText {
        words: words.to_owned(),
        salt: [7; 32],
    }
}

fn picture(number: u128, media_type: &str, content: &[u8]) -> Picture {
    Picture {
        evidence: EvidenceId(Uuid::from_u128(number)),
        media_type: media_type.to_owned(),
        salt: [8; 32],
        content: content.to_vec(),
    }
}

fn named(picture: &Picture) -> EvidenceHash {
    EvidenceHash {
        evidence: picture.evidence,
        media_type: picture.media_type.clone(),
        salted_sha256: SaltedHash::of(&picture.salt, &picture.content).0,
    }
}

fn opened(words: &SaltedText, pictures: &[Picture]) -> CaseEvent {
    CaseEvent::Opened {
        case: CaseId(Uuid::from_u128(1)),
        job: JobId(Uuid::from_u128(2)),
        about: CaseKind::Billing,
        severity: 1,
        requester: ADA,
        words: SaltedHash::of(&words.salt, words.words.as_bytes()),
        pictures: pictures.iter().map(named).collect(),
    }
}

#[test]
fn only_who_asked_for_a_job_complains_about_it_and_only_when_it_is_over() {
    for phase in PhaseName::ALL {
        let expected = phase.is_over().then_some(()).ok_or(Refusal::JobNotOver);
        assert_eq!(check_job(Actor::Requester(ADA), ADA, phase), expected);
        assert_eq!(
            check_job(Actor::Requester(GRACE), ADA, phase),
            Err(Refusal::NotYourJob)
        );
        for actor in [
            Actor::Operator(ADA),
            Actor::Owner(ADA),
            Actor::Admin(ADA),
            Actor::Cloud,
        ] {
            let refused = check_job(actor, ADA, phase);
            assert_eq!(refused, Err(Refusal::RoleNotAllowed), "{actor:?}");
        }
    }
}

#[test]
fn words_are_there_bounded_and_showable() {
    let longest = "ü".repeat(MAX_TEXT_CHARS);
    for (words, expected) in [
        ("The mug\nis broken.", Ok(())),
        (longest.as_str(), Ok(())),
        (&format!("{longest}!"), Err(Refusal::WordsTooLong)),
        ("", Err(Refusal::WordsEmpty)),
        (" \n\t", Err(Refusal::WordsEmpty)),
        ("nul\0", Err(Refusal::WordsUnprintable)),
    ] {
        let words = text(words);

        let answer = check_complaint(&opened(&words, &[]), &words, &[]);

        assert_eq!(answer, expected);
    }
}

#[test]
fn words_that_were_not_signed_are_refused_whether_by_letter_or_by_salt() {
    let signed = text("The mug is broken.");
    let event = opened(&signed, &[]);
    let other_salt = SaltedText {
        salt: [9; 32],
        ..signed.clone()
    };

    for other in [text("The mug is whole."), other_salt] {
        let refused = check_complaint(&event, &other, &[]);
        assert_eq!(refused, Err(Refusal::WordsDoNotMatch));
    }
    let ruled = CaseEvent::Ruled {
        ruling: protocol::case::Ruling::Rejected,
        reason: SaltedHash::of(&signed.salt, signed.words.as_bytes()),
    };
    assert_eq!(check_reason(&ruled, &signed), Ok(()));
    assert_eq!(
        check_reason(&ruled, &text("Because.")),
        Err(Refusal::WordsDoNotMatch)
    );
    assert_eq!(check_reason(&event, &signed), Err(Refusal::WordsDoNotMatch));
    assert_eq!(
        check_complaint(&ruled, &signed, &[]),
        Err(Refusal::WordsDoNotMatch)
    );
}

#[test]
fn a_picture_is_what_its_first_bytes_say() {
    let largest = [JPEG, &vec![0; MAX_PICTURE_BYTES - JPEG.len()]].concat();
    let words = text("Look.");
    for (media_type, content, expected) in [
        ("image/jpeg", JPEG, Ok(())),
        ("image/png", PNG, Ok(())),
        ("image/webp", WEBP, Ok(())),
        ("image/jpeg", &largest, Ok(())),
        (
            "image/jpeg",
            &[&largest[..], b"!"].concat(),
            Err(Refusal::PictureTooLarge),
        ),
        ("image/png", JPEG, Err(Refusal::PictureNotItsType)),
        ("image/jpeg", b"", Err(Refusal::PictureNotItsType)),
        (
            "image/webp",
            b"RIFF\x10\0\0\0WAVEfmt ",
            Err(Refusal::PictureNotItsType),
        ),
        ("image/svg+xml", b"<svg/>", Err(Refusal::MediaTypeUnknown)),
        (
            "image/png",
            b"<script>alert(1)</script>",
            Err(Refusal::PictureNotItsType),
        ),
    ] {
        let pictures = [picture(1, media_type, content)];

        let answer = check_complaint(&opened(&words, &pictures), &words, &pictures);

        assert_eq!(answer, expected, "{media_type}");
    }
}

#[test]
fn the_pictures_are_those_that_the_event_names_no_more_no_fewer_no_others() {
    let words = text("Look.");
    let one = picture(1, "image/jpeg", JPEG);
    let two = picture(2, "image/png", PNG);
    let event = opened(&words, &[one.clone(), two.clone()]);
    let renamed = Picture {
        evidence: EvidenceId(Uuid::from_u128(3)),
        ..two.clone()
    };
    let other_salt = Picture {
        salt: [9; 32],
        ..two.clone()
    };
    let other_content = picture(2, "image/png", &[PNG, b"!"].concat());

    let check = |pictures: &[Picture]| check_complaint(&event, &words, pictures);

    assert_eq!(check(&[one.clone(), two.clone()]), Ok(()));
    for wrong in [
        vec![],
        vec![one.clone()],
        vec![two.clone(), one.clone()],
        vec![one.clone(), two.clone(), two],
        vec![one.clone(), renamed],
        vec![one.clone(), other_salt],
        vec![one, other_content],
    ] {
        assert_eq!(check(&wrong), Err(Refusal::PicturesDoNotMatch), "{wrong:?}");
    }
}
