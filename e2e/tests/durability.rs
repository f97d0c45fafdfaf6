//! What was acknowledged is there, once and in order, however the gateway and its database end.

use anyhow::{Result, ensure};
use e2e::durability::survive;

/// In the test command; `cargo xtask bench kill` does a hundred.
const ROUNDS: usize = 3;

#[tokio::test]
async fn killing_gateway_and_database_under_load_loses_doubles_and_reorders_nothing() -> Result<()>
{
    let findings = survive(ROUNDS).await?;

    ensure!(
        (findings.lost, findings.doubled, findings.reordered) == (0, 0, 0),
        "{findings:?}"
    );
    // Kills that nobody noticed would prove nothing, nor would two on one job who never met.
    ensure!(
        findings.sent_again > 0 && findings.refused > 0,
        "{findings:?}"
    );
    Ok(())
}
