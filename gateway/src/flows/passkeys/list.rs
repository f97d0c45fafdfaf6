//! A person's passkeys, and which of them are on the latest roster.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use identity::Person;
use protocol::views::PasskeyView;

use crate::{app::App, error::ApiError};

/// Those that were not removed, the oldest first.
pub async fn list_passkeys(app: &App, person: &Person) -> Result<Vec<PasskeyView>, ApiError> {
    let passkeys = identity::store::list_passkeys(&app.pool, person.person).await?;
    let stored = identity::store::latest_roster(&app.pool, person.organisation).await?;
    let line = stored.and_then(|stored| stored.roster.person(person.person).cloned());
    let view = |passkey: identity::Passkey| {
        let mark = line.as_ref().and_then(|line| line.mark(passkey.key));
        PasskeyView {
            key: passkey.key.to_string(),
            name: passkey.name,
            credential: BASE64_URL_SAFE_NO_PAD.encode(passkey.credential_id),
            relying_party: passkey.relying_party,
            is_rostered: mark.is_some(),
            is_demo: mark.is_some_and(|mark| mark.is_demo),
            added_at: passkey.added_at,
            used_at: passkey.used_at,
        }
    };
    Ok(passkeys.into_iter().map(view).collect())
}
