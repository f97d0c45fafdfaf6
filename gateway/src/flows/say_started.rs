//! A gateway says in an organisation's log that it began to work for it, and what code its console runs.

use protocol::{
    OrganisationId,
    event::{Payload, organisation_stream},
};
use spine::Tx;

use crate::{app::App, console_bundle::ConsoleBundle, error::ApiError};

/// Says so.
pub async fn say_started(app: &App, organisation: OrganisationId) -> Result<(), ApiError> {
    let mut tx = Tx::begin(&app.pool);
    tx.record(
        organisation_stream(organisation),
        organisation,
        None,
        None,
        Payload::GatewayStarted {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            console: app.console.as_ref().and_then(ConsoleBundle::hash),
        },
    );
    tx.commit(&app.signer, app.clock.micros()).await?;
    Ok(())
}
