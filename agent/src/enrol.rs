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
    settings::{Enrolled, EnrolledTrust, Folder, SettingsFailure, root_key},
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
    /// What should be the root key is none.
    #[error(
        "{0:?} is no root key: an Ed25519 key in base64, as `nooterra admin org root-make` printed it"
    )]
    NoRootKey(String),
    /// The gateway names another root key than whoever enrols the robot was given.
    #[error(
        "the gateway names another root key ({gateway}) than the one given here; the robot was not enrolled. Find out why before you go on"
    )]
    RootDiffers {
        /// The gateway's, base64, or that it has none.
        gateway: String,
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
    root: Option<&str>,
) -> Result<Enrolled, EnrolFailure> {
    if let Some(root) = root {
        root_key(root).ok_or_else(|| EnrolFailure::NoRootKey(root.to_owned()))?;
    }
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
        trust: Some(EnrolledTrust {
            organisation: view.organisation,
            site: view.site,
            root: agreed_root(root, view.root)?,
        }),
    };
    folder.keep(&enrolled, token)?;
    Ok(enrolled)
}

/// The root key to pin. What was given here counts; otherwise the gateway is believed this once, and the key is shown, so that it
/// can be compared.
fn agreed_root(
    given: Option<&str>,
    gateways: Option<String>,
) -> Result<Option<String>, EnrolFailure> {
    match (given, gateways) {
        (Some(given), Some(theirs)) if given == theirs => Ok(Some(theirs)),
        (Some(_), theirs) => Err(EnrolFailure::RootDiffers {
            gateway: theirs.unwrap_or_else(|| "none".to_owned()),
        }),
        (None, Some(theirs)) => {
            tracing::warn!(
                root = theirs,
                "the gateway's word is taken for the root key; compare it with what `admin org root-make` printed"
            );
            Ok(Some(theirs))
        }
        (None, None) => {
            tracing::warn!("no root key is known: the robot will move at nobody's wish, but stop");
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_that_was_given_is_pinned_only_if_the_gateway_names_the_same() {
        let ours = || Some("ours".to_owned());
        assert_eq!(agreed_root(Some("ours"), ours()).unwrap(), ours());
        assert_eq!(agreed_root(None, ours()).unwrap(), ours());
        assert_eq!(agreed_root(None, None).unwrap(), None);
        for theirs in [None, Some("theirs".to_owned())] {
            let refused = agreed_root(Some("ours"), theirs);
            assert!(matches!(refused, Err(EnrolFailure::RootDiffers { .. })));
        }
    }
}
