//! The site that passkeys are made for: the host of the address that people were given. And what is said of an authenticator's
//! answer that does not fit.

use protocol::roster::RelyingParty;
use url::{Host, Url};
use webauthn_rs::{
    Webauthn, WebauthnBuilder,
    prelude::{WebauthnError, WebauthnResult},
};

use crate::{app::App, error::ApiError};

/// How it is called in prompts of browsers.
const NAME: &str = "Nooterra";

/// What authenticators and browsers know this gateway by.
pub struct Site {
    /// Its name and address.
    pub party: RelyingParty,
    /// What checks the answers of authenticators.
    pub checks: Webauthn,
}

/// The site of this gateway. An address without a host's name has none: browsers give passkeys to names alone.
pub fn site(app: &App) -> Result<Site, ApiError> {
    let Some((id, origin)) = named(&app.config.public_url) else {
        return Err(ApiError::refused(
            "passkeys_unavailable",
            "passkeys need the gateway to be reached by a host's name; its public_url has a number",
        ));
    };
    let built = WebauthnBuilder::new(&id, &origin).and_then(|site| site.rp_name(NAME).build());
    Ok(Site {
        checks: built.map_err(|error| ApiError::internal(&error))?,
        party: RelyingParty {
            origins: vec![origin.origin().ascii_serialization()],
            id,
        },
    })
}

/// The host's name and the address of our pages. Every number of this machine is called `localhost`.
fn named(public_url: &str) -> Option<(String, Url)> {
    let mut url = Url::parse(public_url).ok()?;
    let id = match url.host()? {
        Host::Domain(name) => name.to_owned(),
        Host::Ipv4(number) if number.is_loopback() => "localhost".to_owned(),
        Host::Ipv6(number) if number.is_loopback() => "localhost".to_owned(),
        Host::Ipv4(_) | Host::Ipv6(_) => return None,
    };
    url.set_host(Some(&id)).ok()?;
    Some((id, url))
}

/// Why an authenticator's answer was not believed: code and words. Codes are frozen.
pub const fn flaw(error: &WebauthnError) -> (&'static str, &'static str) {
    match error {
        WebauthnError::MismatchedChallenge => (
            "passkey_another_challenge",
            "the passkey answered another challenge",
        ),
        WebauthnError::InvalidRPOrigin | WebauthnError::CredentialCrossOrigin => (
            "passkey_another_origin",
            "the passkey was used on a page of another site",
        ),
        WebauthnError::InvalidRPIDHash => (
            "passkey_another_site",
            "the passkey answered for another site",
        ),
        WebauthnError::UserNotPresent => {
            ("passkey_nobody_present", "nobody was at the authenticator")
        }
        WebauthnError::UserNotVerified => (
            "passkey_unverified",
            "the authenticator did not look who used it: set a PIN, a fingerprint or a face up on it",
        ),
        WebauthnError::CredentialPossibleCompromise => (
            "passkey_copied",
            "the passkey's counter went back, as that of a copy does: remove it",
        ),
        WebauthnError::InvalidClientDataType => (
            "passkey_another_type",
            "the passkey answered something else",
        ),
        _ => (
            "passkey_unproven",
            "what the passkey answered can't be believed",
        ),
    }
}

/// What an authenticator answered, if it fits.
pub fn believed<T>(checked: WebauthnResult<T>) -> Result<T, ApiError> {
    checked.map_err(|error| {
        let (code, words) = flaw(&error);
        tracing::info!(code, %error, "an authenticator's answer was not believed");
        ApiError::forbidden(code, words)
    })
}

/// The challenge was answered before, is over, or was another's.
pub fn no_challenge() -> ApiError {
    ApiError::refused(
        "passkey_challenge_unknown",
        "the challenge was answered already, or its five minutes are over; begin again",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_a_hosts_name_and_this_machine_is_localhost() {
        for (public_url, id, origin) in [
            (
                "https://fleet.example",
                "fleet.example",
                "https://fleet.example",
            ),
            (
                "https://fleet.example:8443",
                "fleet.example",
                "https://fleet.example:8443",
            ),
            (
                "http://127.0.0.1:8420",
                "localhost",
                "http://localhost:8420",
            ),
            ("http://[::1]:8420", "localhost", "http://localhost:8420"),
            (
                "http://localhost:8420",
                "localhost",
                "http://localhost:8420",
            ),
        ] {
            let (named_id, url) = named(public_url).unwrap();
            let found = (named_id.as_str(), url.origin().ascii_serialization());
            assert_eq!(found, (id, origin.to_owned()), "{public_url}");
        }
        for numbered in [
            "https://192.0.2.7",
            "https://[2001:db8::7]:8443",
            "nonsense",
        ] {
            assert_eq!(named(numbered), None, "{numbered}");
        }
    }
}
