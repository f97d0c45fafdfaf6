//! Somebody who signs what they do with a key that their sign-in bound, as a browser does.

use anyhow::Result;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::SigningKey;
use protocol::{
    JobId, PersonId, UnixMicros,
    event::{Payload, SessionKeyProof},
    job::{JobEvent, job_stream},
    sealed::{self, Kind},
    views::{BindSessionKey, Role, SessionView},
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{api::Api, pen::Pen};

/// A key of this process's own, bound to a sign-in.
pub(super) struct Hand {
    /// Who signed in.
    pub(super) person: PersonId,
    pen: Pen,
}

impl Hand {
    /// Binds a fresh key to the sign-in of `api`.
    pub(super) async fn bind(api: &Api) -> Result<Self> {
        let session: SessionView = api
            .get("/api/v1/session")
            .await?
            .error_for_status()?
            .json()
            .await?;
        let seed = [*Uuid::new_v4().as_bytes(), *Uuid::new_v4().as_bytes()].concat();
        let key = SigningKey::try_from(seed.as_slice())?;
        let micros = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000;
        let proof = SessionKeyProof {
            person: session.person,
            at: UnixMicros(i64::try_from(micros)?),
        };
        let body = BindSessionKey {
            proof: BASE64_STANDARD.encode(sealed::seal(Kind::SessionKey, &proof, &key)?),
            public_key: BASE64_STANDARD.encode(key.verifying_key().as_bytes()),
        };
        let body = serde_json::to_value(body)?;
        api.post_once(
            "/api/v1/session/key",
            Uuid::now_v7(),
            &body,
            super::REQUEST_WITHIN,
        )
        .await?
        .error_for_status()?;
        Ok(Self {
            person: session.person,
            pen: Pen::new(key),
        })
    }

    /// The next thing that the person does to a job, as requester, ready to be sent. What is signed has to be sent until there is a yes: the next
    /// one follows it.
    pub(super) fn sign(&mut self, job: JobId, event: &JobEvent) -> Result<String> {
        let payload = Payload::Job(event.clone());
        let sealed = (self.pen).seal(job_stream(job), Some(Role::Requester), payload)?;
        Ok(BASE64_STANDARD.encode(sealed))
    }
}
