//! In a demo nobody compares digits: whatever key somebody adds is put on the roster at once, and marked.

use protocol::OrganisationId;
use spine::Tx;

use crate::{admin::demo_root, app::App, error::ApiError};

/// Publishes the next roster with everybody's keys. False outside of a demo, and in one without a root.
pub async fn publish_if_demo(
    app: &App,
    tx: &mut Tx,
    organisation: OrganisationId,
) -> Result<bool, ApiError> {
    if !app.config.is_demo {
        return Ok(false);
    }
    let root = demo_root(&app.config.data_dir).map_err(|error| ApiError::internal(&error))?;
    let Some(root) = root else { return Ok(false) };
    let (policy_keys, now) = (vec![app.policy.verifying_key().to_bytes()], app.clock.now());
    identity::store::publish_demo_roster(tx, organisation, &root, policy_keys, now).await?;
    Ok(true)
}
