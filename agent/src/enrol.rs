//! Makes this machine the robot that a token was issued for: proves the new key, keeps the answer.

use std::{path::Path, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use protocol::{
    event::EnrolmentProof,
    sealed::{self, Kind},
    views::{Enrolment, EnrolmentView, Problem},
};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::{
    settings::{Enrolled, Folder, SettingsFailure},
    tls,
};

/// A gateway answers within milliseconds; a satellite link within seconds.
const WITHIN: Duration = Duration::from_secs(20);

/// Why enrolling failed.
#[derive(Debug, thiserror::Error)]
pub enum EnrolFailure {
    /// The robot's folder can't be used.
    #[error(transparent)]
    Settings(#[from] SettingsFailure),
    /// Trust can't be set up.
    #[error(transparent)]
    Trust(#[from] tls::TrustFailure),
    /// The proof can't be sealed.
    #[error("the proof can't be sealed")]
    Seal(#[from] sealed::SealFailure),
    /// The gateway can't be reached.
    #[error("the gateway can't be reached: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// The gateway said no.
    #[error("the gateway refused: {detail} ({code})")]
    Refused {
        /// Frozen code.
        code: String,
        /// In words.
        detail: String,
    },
    /// The address is not one.
    #[error("the gateway's address can't be used: {0}")]
    Address(#[from] url::ParseError),
}

/// Enrols under `token` and keeps the result in `folder`.
pub async fn enrol(
    gateway: Url,
    token: &str,
    folder: &Folder,
    authority: Option<&Path>,
) -> Result<Enrolled, EnrolFailure> {
    let key = folder.device_key()?;
    let proof = EnrolmentProof {
        token_hash: Sha256::digest(token.as_bytes()).into(),
    };
    let body = Enrolment {
        proof: BASE64_STANDARD.encode(sealed::seal(Kind::Enrolment, &proof, &key)?),
        public_key: BASE64_STANDARD.encode(key.verifying_key().as_bytes()),
    };
    let client = reqwest::Client::builder()
        .tls_backend_preconfigured(tls::client(authority)?.as_ref().clone())
        .timeout(WITHIN)
        .build()?;
    let response = client
        .post(gateway.join("api/v1/robots/enrolment")?)
        .bearer_auth(token)
        .json(&body)
        .send()
        .await?;
    if !response.status().is_success() {
        let status = response.status();
        let problem = response.json::<Problem>().await.ok();
        return Err(EnrolFailure::Refused {
            code: problem.as_ref().map_or_else(
                || status.as_u16().to_string(),
                |problem| problem.code.clone(),
            ),
            detail: problem.map_or_else(|| "no reason given".to_owned(), |problem| problem.detail),
        });
    }
    let view: EnrolmentView = response.json().await?;
    let enrolled = Enrolled {
        gateway,
        robot: view.robot,
        name: view.name,
        gateway_key: view.gateway_key,
    };
    folder.keep(&enrolled, token)?;
    Ok(enrolled)
}
