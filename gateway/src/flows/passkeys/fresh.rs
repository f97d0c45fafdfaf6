//! Who gives or takes a way in has to have shown just now who they are: an open page is not enough.

use identity::{PROOF_IS_FRESH, SecretHash};

use crate::{
    app::App,
    error::ApiError,
    http::auth::{Caller, Credential},
};

/// The caller's sign-in, if they showed within five minutes who they are. A bearer token shows nobody.
pub fn fresh_session(app: &App, caller: &Caller) -> Result<SecretHash, ApiError> {
    let (Credential::Session(session), Some(proven_at)) = (caller.credential, caller.proven_at)
    else {
        return Err(ApiError::refused(
            "not_a_session",
            "passkeys are added and removed by whoever is signed in, not with a bearer token",
        ));
    };
    (app.clock.now() - proven_at <= PROOF_IS_FRESH)
        .then_some(session)
        .ok_or_else(|| {
            ApiError::forbidden(
                "proof_stale",
                "show first that it is you: by a passkey of yours, or by signing in again",
            )
        })
}
