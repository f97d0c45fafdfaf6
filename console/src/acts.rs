//! What people do to jobs and cases, and about who steers robots: each act as the event that they sign, and the call that brings it to the gateway.
//!
//! How events are written and sealed is loaded with the first act.

#![expect(
    clippy::unnecessary_wraps,
    reason = "the error is that of a part that does not come"
)]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use leptos::{prelude::*, wasm_split::wasm_split};
use protocol::{
    CaseId, JobId, RobotId,
    case::{CaseEvent, SaltedHash, case_stream},
    control::{ControlAct, ControlEvent, ControlView},
    drive::DriveCommand,
    event::{Payload, robot_stream},
    job::{EvidenceHash, JobEvent, JobRequest, Plan, job_stream},
    views::{
        CaseAct, CaseView, Complaint, ComplaintPicture, JobAct, JobView, NewJob, Problem, Role,
        SaltedWords,
    },
};

use crate::{
    api, browser,
    later::{Later, NotLoaded},
    live::{control::Seat, reduce::Input},
    session::Session,
    signing::{Act, Signing},
    steer::{self, Task},
};

/// The acts, for whoever is signed in.
#[derive(Clone, Copy)]
pub(crate) struct Acts {
    signing: Signing,
}

impl Acts {
    /// Acts of this session.
    pub(crate) fn new(session: Session) -> Self {
        Self {
            signing: Signing::new(session),
        }
    }

    /// Whether acts are recorded on the person's behalf because this browser can't sign. Followed.
    pub(crate) fn is_unsigned(self) -> bool {
        self.signing.is_unsigned()
    }

    /// How often a key was given up, followed.
    pub(crate) fn key_losses(self) -> u32 {
        self.signing.losses()
    }

    /// Does something to a job.
    pub(crate) async fn on_job(
        self,
        job: JobId,
        event: JobEvent,
        acting_as: Role,
    ) -> Result<JobView, Problem> {
        on_job(self.signing, job, event, acting_as).await?.await
    }

    /// Asks for work. `plan` is what the template makes of the request.
    pub(crate) async fn request_job(
        self,
        request: JobRequest,
        plan: Plan,
    ) -> Result<JobView, Problem> {
        request_job(self.signing, request, plan).await?.await
    }

    /// Does something to a case. The reason of a ruling is what [`salted`] made of its words.
    pub(crate) async fn on_case(
        self,
        case: CaseId,
        event: CaseEvent,
        acting_as: Role,
        reason: Option<SaltedWords>,
    ) -> Result<CaseView, Problem> {
        on_case(self.signing, case, event, acting_as, reason)
            .await?
            .await
    }

    /// Does something about who steers a robot. Also gives who sits here, as the gateway knows them by what was signed.
    pub(crate) async fn on_control(
        self,
        robot: RobotId,
        event: ControlEvent,
        acting_as: Role,
    ) -> Result<(ControlView, Seat), Problem> {
        on_control(self.signing, robot, event, acting_as)
            .await?
            .await
    }

    /// What lets this page steer, and what it signs then.
    pub(crate) async fn steer(self, task: Task) -> Result<Vec<Input>, NotLoaded> {
        Ok(steer::steer(self.signing, task).await?.await)
    }

    /// Seals what this page wants of a robot's wheels, with its own key.
    pub(crate) async fn seal_drive(self, command: DriveCommand) -> Result<Vec<u8>, Problem> {
        steer::seal_drive(self.signing, command).await?.await
    }

    /// Complains about a job. The words' and pictures' hashes are made of what stands in `complaint`; its `sealed` is filled in
    /// here.
    pub(crate) async fn complain(
        self,
        job: JobId,
        complaint: Complaint,
    ) -> Result<CaseView, Problem> {
        complain(self.signing, job, complaint).await?.await
    }
}

#[wasm_split(acts, wasm_split_path = leptos::wasm_split, fallible)]
fn on_job(
    signing: Signing,
    job: JobId,
    event: JobEvent,
    acting_as: Role,
) -> Later<Result<JobView, Problem>> {
    Ok(Box::pin(async move {
        let body = |sealed: Option<String>| {
            let is_signed = sealed.is_some();
            api::write(&JobAct {
                event: (!is_signed).then(|| event.clone()),
                acting_as: (!is_signed).then_some(acting_as),
                sealed,
            })
        };
        let act = Act {
            stream: job_stream(job),
            acting_as,
            payload: Payload::Job(event.clone()),
            body: &body,
        };
        let path = format!("/api/v1/jobs/{job}/events");
        api::read(&signing.act(&path, act).await?)
    }))
}

#[wasm_split(acts, wasm_split_path = leptos::wasm_split, fallible)]
fn on_control(
    signing: Signing,
    robot: RobotId,
    event: ControlEvent,
    acting_as: Role,
) -> Later<Result<(ControlView, Seat), Problem>> {
    Ok(Box::pin(async move {
        let body = |sealed: Option<String>| {
            let is_signed = sealed.is_some();
            api::write(&ControlAct {
                event: (!is_signed).then(|| event.clone()),
                acting_as: (!is_signed).then_some(acting_as),
                sealed,
            })
        };
        let act = Act {
            stream: robot_stream(robot),
            acting_as,
            payload: Payload::Control(event.clone()),
            body: &body,
        };
        let path = format!("/api/v1/robots/{robot}/control/events");
        let view = api::read(&signing.act(&path, act).await?)?;
        Ok((view, signing.seat()?))
    }))
}

#[wasm_split(acts, wasm_split_path = leptos::wasm_split, fallible)]
fn request_job(
    signing: Signing,
    request: JobRequest,
    plan: Plan,
) -> Later<Result<JobView, Problem>> {
    Ok(Box::pin(async move {
        let requester = signing.person()?;
        let body = |sealed: Option<String>| {
            api::write(&NewJob {
                request: sealed.is_none().then(|| request.clone()),
                sealed,
            })
        };
        let act = Act {
            stream: job_stream(request.job),
            acting_as: Role::Requester,
            payload: Payload::Job(JobEvent::Requested {
                request: request.clone(),
                plan,
                requester,
            }),
            body: &body,
        };
        api::read(&signing.act("/api/v1/jobs", act).await?)
    }))
}

#[wasm_split(acts, wasm_split_path = leptos::wasm_split, fallible)]
fn on_case(
    signing: Signing,
    case: CaseId,
    event: CaseEvent,
    acting_as: Role,
    reason: Option<SaltedWords>,
) -> Later<Result<CaseView, Problem>> {
    Ok(Box::pin(async move {
        let body = |sealed: Option<String>| {
            let is_signed = sealed.is_some();
            api::write(&CaseAct {
                event: (!is_signed).then(|| event.clone()),
                acting_as: (!is_signed).then_some(acting_as),
                sealed,
                reason: reason.clone(),
            })
        };
        let act = Act {
            stream: case_stream(case),
            acting_as,
            payload: Payload::Case(event.clone()),
            body: &body,
        };
        let path = format!("/api/v1/cases/{case}/events");
        api::read(&signing.act(&path, act).await?)
    }))
}

#[wasm_split(acts, wasm_split_path = leptos::wasm_split, fallible)]
fn complain(
    signing: Signing,
    job: JobId,
    complaint: Complaint,
) -> Later<Result<CaseView, Problem>> {
    Ok(Box::pin(async move {
        let pictures = complaint.pictures.iter().map(hash_of_picture);
        let payload = Payload::Case(CaseEvent::Opened {
            case: complaint.case,
            job,
            about: complaint.about,
            severity: complaint.severity,
            requester: signing.person()?,
            words: hash_of(&complaint.salt, complaint.words.as_bytes())?,
            pictures: pictures.collect::<Result<_, _>>()?,
        });
        let body = |sealed| {
            api::write(&Complaint {
                sealed,
                ..complaint.clone()
            })
        };
        let act = Act {
            stream: case_stream(complaint.case),
            acting_as: Role::Requester,
            payload,
            body: &body,
        };
        let path = format!("/api/v1/jobs/{job}/cases");
        api::read(&signing.act(&path, act).await?)
    }))
}

/// The acts of the page's session, for components.
pub(crate) fn acts() -> Acts {
    expect_context()
}

/// Words with a fresh salt, and the hash that stands for them in the log.
pub(crate) fn salted(words: String) -> Result<(SaltedWords, SaltedHash), Problem> {
    let salt = fresh_salt()?;
    let hash = hash_of(&salt, words.as_bytes())?;
    Ok((SaltedWords { words, salt }, hash))
}

/// A fresh salt in hex: for complaints and their pictures.
pub(crate) fn fresh_salt() -> Result<String, Problem> {
    browser::salt().map(hex::encode).ok_or_else(unsalted)
}

fn hash_of(salt: &str, content: &[u8]) -> Result<SaltedHash, Problem> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(salt, &mut bytes).map_err(|_not_hex| unsalted())?;
    Ok(SaltedHash::of(&bytes, content))
}

fn hash_of_picture(picture: &ComplaintPicture) -> Result<EvidenceHash, Problem> {
    let content = STANDARD
        .decode(&picture.content)
        .map_err(|_not_base64| api::unreadable())?;
    Ok(EvidenceHash {
        evidence: picture.evidence,
        media_type: picture.media_type.clone(),
        salted_sha256: hash_of(&picture.salt, &content)?.0,
    })
}

fn unsalted() -> Problem {
    api::problem(
        400,
        "no_salt",
        "This browser gave no random numbers",
        "Nothing was sent. Reload the page, then try again.",
    )
}
