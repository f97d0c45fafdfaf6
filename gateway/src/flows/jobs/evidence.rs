//! The pictures that prove a job's steps: which the record names, which of them are here, and taking in what a robot brings.

use identity::Robot;
use jobs::{
    EVIDENCE_KINDS, EvidenceRecord, check_room,
    store::{EvidenceFile, Stored},
};
use protocol::{
    EvidenceId, JobId, OrganisationId, event::Payload, job::job_stream, limits::SALT_BYTES,
    views::EvidenceView,
};
use spine::evidence::read_said;
use sqlx::PgExecutor;
use trust::Picture;

use crate::{app::App, error::ApiError};

/// The pictures that the job's record names, in its order.
pub async fn list_evidence(app: &App, stored: &Stored) -> Result<Vec<EvidenceView>, ApiError> {
    let job = stored.job.id();
    let record = record(&app.pool, stored.organisation, job).await?;
    let here = jobs::store::evidence_here(&app.pool, job).await?;
    record
        .named()
        .iter()
        .map(|named| {
            let place = usize::try_from(named.step)
                .ok()
                .and_then(|step| step.checked_sub(1));
            let step = place.and_then(|place| stored.job.plan.steps.get(place));
            Ok(EvidenceView {
                evidence: named.hash.evidence,
                step: named.step,
                title: step.map(|step| step.title.clone()).unwrap_or_default(),
                media_type: named.hash.media_type.clone(),
                recorded_at: crate::flows::cases::views::moment(named.recorded_at)?,
                is_here: here.contains_key(&named.hash.evidence),
            })
        })
        .collect()
}

/// Takes a picture in, as the robot kept it: the salt, and behind it the content. One that is here already changes nothing.
pub async fn take_evidence(
    app: &App,
    robot: &Robot,
    (job, evidence): (JobId, EvidenceId),
    kept: &[u8],
) -> Result<(), ApiError> {
    let (salt, content) = kept.split_first_chunk::<SALT_BYTES>().ok_or_else(|| {
        ApiError::malformed(
            "salt_malformed",
            format!("the body begins with {SALT_BYTES} bytes of salt"),
        )
    })?;
    jobs::store::peek(&app.pool, job)
        .await?
        .filter(|stored| stored.organisation == robot.organisation)
        .ok_or_else(|| ApiError::not_found("job"))?;
    let record = record(&app.pool, robot.organisation, job).await?;
    let named = record.of(evidence, robot.robot)?;
    let picture = Picture {
        evidence,
        media_type: named.media_type.clone(),
        salt: *salt,
        content: content.to_vec(),
    };
    trust::check_picture(named, &picture)?;

    // Counted outside of the write: two at once may go over by one picture, which nobody is harmed by.
    let here = jobs::store::evidence_here(&app.pool, job).await?;
    if !here.contains_key(&evidence) {
        check_room(here.values().sum(), picture.content.len())?;
    }
    let file = EvidenceFile {
        evidence,
        media_type: picture.media_type,
        salt: picture.salt,
        content: picture.content,
    };
    jobs::store::put_evidence(&app.pool, job, &file).await?;
    tracing::info!(job.id = %job, evidence.id = %evidence, robot.id = %robot.robot, "{} brought a picture", robot.name);
    Ok(())
}

/// What the job's record says of pictures.
pub async fn record(
    executor: impl PgExecutor<'_>,
    organisation: OrganisationId,
    job: JobId,
) -> Result<EvidenceRecord, ApiError> {
    let said = read_said(executor, organisation, &job_stream(job), &EVIDENCE_KINDS).await?;
    let mut record = EvidenceRecord::default();
    for said in said {
        if let Payload::Job(event) = said.payload {
            record.note(&event, said.robot, said.recorded_at);
        }
    }
    Ok(record)
}
