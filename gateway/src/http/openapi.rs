//! The API's description, made from the handlers themselves. The committed copy is `docs/api/openapi.json`.

use axum::Json;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Nooterra",
        description = "Robots, the people who help them, and what happened. Sockets and their frames are described in docs/api/sockets.md."
    ),
    paths(
        super::session::read::handler,
        super::session::open::handler,
        super::session::close::handler,
        super::session::bind_key::handler,
        super::robots::list::handler,
        super::robots::read::handler,
        super::robots::enrol::handler,
        super::robots::revoke_token::handler,
        super::control::read::handler,
        super::control::act::handler,
        super::control::present::handler,
        super::passkeys::list::handler,
        super::passkeys::begin_adding::handler,
        super::passkeys::add::handler,
        super::passkeys::remove::handler,
        super::passkeys::begin_sign_in::handler,
        super::passkeys::sign_in::handler,
        super::passkeys::prove::handler,
        super::person_keys::list::handler,
        super::person_keys::offer::handler,
        super::person_keys::remove::handler,
        super::grants::issue::handler,
        super::grants::present::handler,
        super::grants::roster::handler,
        super::commands::issue::handler,
        super::commands::list::handler,
        super::commands::read::handler,
        super::sites::stop::handler,
        super::receipts::list::handler,
        super::receipts::read_clip::handler,
        super::receipts::bring_clip::handler,
        super::jobs::list::handler,
        super::jobs::create::handler,
        super::jobs::read::handler,
        super::jobs::events::handler,
        super::jobs::act::handler,
        super::jobs::bundle::handler,
        super::evidence::list::handler,
        super::evidence::read::handler,
        super::evidence::bring::handler,
        super::jobs::people::handler,
        super::assists::list::handler,
        super::cases::file::handler,
        super::cases::list::handler,
        super::cases::read::handler,
        super::cases::act::handler,
        super::cases::picture::handler,
        super::events::list::handler,
        super::log::checkpoint::handler,
        super::log::keys::handler,
        super::log::proof::handler,
        super::log::tile::handler,
        super::health::alive,
        super::health::ready,
        super::health::metrics,
    ),
    modifiers(&Credentials),
    security(("bearer" = []), ("session" = []))
)]
struct Document;

struct Credentials;

impl Modify for Credentials {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme(
            "bearer",
            SecurityScheme::Http(
                HttpBuilder::new()
                    .scheme(HttpAuthScheme::Bearer)
                    .description(Some("An API token of a person, or a robot's token"))
                    .build(),
            ),
        );
        components.add_security_scheme(
            "session",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("__Host-nooterra"))),
        );
    }
}

/// The description.
pub fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// `GET /api/openapi.json`
pub(super) async fn handler() -> Json<utoipa::openapi::OpenApi> {
    Json(document())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_description_is_the_one_that_is_served() {
        let served = document().to_pretty_json().unwrap() + "\n";
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/api/openapi.json");
        if std::env::var_os("NOOTERRA_WRITE_OPENAPI").is_some() {
            std::fs::write(path, &served).unwrap();
        }

        let committed = std::fs::read_to_string(path).unwrap_or_default();

        assert_eq!(
            committed, served,
            "run this test once with NOOTERRA_WRITE_OPENAPI=1 and commit docs/api/openapi.json"
        );
    }
}
