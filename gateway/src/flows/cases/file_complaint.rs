//! A requester complains about a finished job: a case opens, and what the job's record held is fixed at once.

use axum::http::StatusCode;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use jobs::store::Stored;
use protocol::{
    case::{CaseEvent, SaltedHash, case_stream},
    event::Payload,
    job::{EvidenceHash, job_stream},
    limits::{MAX_CASE_PICTURES, MAX_PICTURE_BYTES},
    views::{Complaint, ComplaintPicture, Role},
};
use spine::{Tx, idempotency::Request};
use trust::{Actor, Picture, SaltedText};

use super::views::views;
use crate::{
    app::App,
    error::ApiError,
    flows::{
        jobs::{
            act_on_job::limit_acts,
            evidence::record,
            word::{Act, Said, Word, hear},
        },
        once::{self, Answer},
    },
    http::auth::Caller,
};

/// Opens the case and freezes the evidence.
pub async fn file_complaint(
    app: &App,
    caller: &Caller,
    request: &Request,
    about: &Stored,
    complaint: Complaint,
) -> Result<Answer, ApiError> {
    limit_acts(app, caller).await?;
    let words = SaltedText {
        salt: salt(&complaint.salt)?,
        words: complaint.words.clone(),
    };
    let pictures = pictures(&complaint.pictures)?;
    let said = said(app, caller, about, &complaint, &words, &pictures).await?;
    let actor = Actor::Requester(caller.person.person);
    trust::check_job(actor, about.job.requester, about.job.phase_name())?;
    trust::check_complaint(&said.event, &words, &pictures)?;

    let mut tx = Tx::begin(&app.pool);
    if let Some(answer) = once::earlier(app, &mut tx, request).await? {
        return Ok(answer);
    }
    let now = app.clock.micros();
    let before = trust::store::load(&mut tx, complaint.case).await?;
    trust::decide(
        before.as_ref().map(|stored| &stored.case),
        &said.event,
        actor,
    )?;
    let frozen = freeze(&mut tx, about).await?;
    let opened = trust::apply(None, &said.event, now);
    trust::decide(opened.as_ref(), &frozen, Actor::Cloud)?;
    let case = trust::apply(opened, &frozen, now).ok_or_else(ApiError::broken)?;
    let (organisation, site) = (about.organisation, about.job.site());
    let stored = trust::store::insert(&mut tx, organisation, site, &case).await?;
    trust::store::put_words(&mut tx, case.case, &words).await?;
    for picture in &pictures {
        trust::store::put_picture(&mut tx, case.case, picture).await?;
    }
    for (event, word) in [(said.event, said.word), (frozen, Word::Cloud)] {
        let payload = Payload::Case(event);
        word.record(
            &mut tx,
            case_stream(case.case),
            organisation,
            Some(site),
            payload,
            now,
        )
        .await?;
    }
    let view = views(app, tx.connection().await?, std::slice::from_ref(&stored))
        .await?
        .pop()
        .ok_or_else(ApiError::broken)?;
    let answer = once::first(&mut tx, request, StatusCode::CREATED, &view)?;
    tx.commit(&app.signer, now).await?;
    app.live.case(&view);
    crate::flows::jobs::tell::tell_job(app, about.job.id()).await;
    tracing::info!(case.id = %case.case, job.id = %case.job, "a complaint was filed");
    Ok(answer)
}

/// The event `case.opened` as the requester signed it, or as the cloud signs it for them.
async fn said(
    app: &App,
    caller: &Caller,
    about: &Stored,
    complaint: &Complaint,
    words: &SaltedText,
    pictures: &[Picture],
) -> Result<Said<CaseEvent>, ApiError> {
    let job = about.job.id();
    let plain = CaseEvent::Opened {
        case: complaint.case,
        job,
        about: complaint.about,
        severity: complaint.severity,
        requester: caller.person.person,
        words: SaltedHash::of(&words.salt, words.words.as_bytes()),
        pictures: pictures.iter().map(hash).collect(),
    };
    let act = Act {
        event: complaint.sealed.is_none().then(|| plain.clone()),
        sealed: complaint.sealed.clone(),
        acting_as: Some(Role::Requester),
    };
    let stream = case_stream(complaint.case);
    let said = hear(
        app,
        &app.pool,
        caller,
        act,
        &stream,
        &[Role::Requester],
        |payload| match payload {
            Payload::Case(event @ CaseEvent::Opened { .. }) => Some(event),
            _ => None,
        },
    )
    .await?;
    if said.event == plain {
        Ok(said)
    } else {
        Err(ApiError::malformed(
            "signature_refused",
            "what was signed is not what was sent: the case, the job or the words differ",
        ))
    }
}

/// What the job's record holds now: its length, its last entry and the files that it names.
async fn freeze(tx: &mut Tx, about: &Stored) -> Result<CaseEvent, ApiError> {
    let stream = job_stream(about.job.id());
    let head = spine::stream_head(tx, &stream)
        .await?
        .ok_or_else(ApiError::broken)?;
    // On this very connection: its end is held, and nobody waits here for another connection.
    let record = record(tx.connection().await?, about.organisation, about.job.id()).await?;
    let named = record.named().iter();
    let files = named.map(|named| named.hash.clone()).collect();
    Ok(CaseEvent::EvidenceFrozen {
        entries: head.stream_number,
        head: head.hash,
        files,
    })
}

fn hash(picture: &Picture) -> EvidenceHash {
    EvidenceHash {
        evidence: picture.evidence,
        media_type: picture.media_type.clone(),
        salted_sha256: SaltedHash::of(&picture.salt, &picture.content).0,
    }
}

fn pictures(sent: &[ComplaintPicture]) -> Result<Vec<Picture>, ApiError> {
    if sent.len() > MAX_CASE_PICTURES {
        return Err(ApiError::refused(
            "too_many_pictures",
            format!("a complaint takes {MAX_CASE_PICTURES} pictures at most"),
        ));
    }
    sent.iter()
        .map(|picture| {
            Ok(Picture {
                evidence: picture.evidence,
                media_type: picture.media_type.clone(),
                salt: salt(&picture.salt)?,
                content: BASE64_STANDARD
                    .decode(&picture.content)
                    .ok()
                    .filter(|content| content.len() <= MAX_PICTURE_BYTES)
                    .ok_or_else(|| {
                        ApiError::malformed(
                            "picture_malformed",
                            format!("a picture is base64 of at most {MAX_PICTURE_BYTES} bytes"),
                        )
                    })?,
            })
        })
        .collect()
}

/// Thirty-two random bytes, as hex.
pub(super) fn salt(text: &str) -> Result<[u8; 32], ApiError> {
    let mut salt = [0; 32];
    hex::decode_to_slice(text, &mut salt).map_err(|_length| {
        ApiError::malformed("salt_malformed", "a salt is 32 random bytes in hex")
    })?;
    Ok(salt)
}
