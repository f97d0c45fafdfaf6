//! `/api/v1/session`: who is signed in.

pub(super) mod bind_key;
pub(super) mod close;
pub(super) mod open;
pub(super) mod read;

use identity::Person;
use protocol::{sealed::KeyId, views::SessionView};
use time::OffsetDateTime;

use crate::app::App;

pub(super) fn view(
    app: &App,
    person: &Person,
    expires_at: OffsetDateTime,
    passkey: Option<KeyId>,
) -> SessionView {
    SessionView {
        person: person.person,
        name: person.name.clone(),
        organisation: person.organisation,
        organisation_name: person.organisation_name.clone(),
        roles: person.roles.clone(),
        expires_at,
        is_demo: app.config.is_demo,
        passkey: passkey.map(|key| key.to_string()),
    }
}
