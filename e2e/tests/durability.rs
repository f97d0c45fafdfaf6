//! What was acknowledged is there, once and in order, however the gateway and its database end.

use anyhow::{Result, ensure};
use e2e::durability::{deliver, survive};

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
    // Kills that nobody noticed would prove nothing, nor would two on one job who never met, nor chains of nobody.
    ensure!(
        findings.sent_again > 0 && findings.refused > 0,
        "{findings:?}"
    );
    ensure!(
        findings.by_people > 0 && findings.by_robots > 0 && findings.jobs_done > 0,
        "{findings:?}"
    );
    Ok(())
}

// The link carries while something else waits for a process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_robots_words_arrive_once_each_over_a_link_that_is_cut_to_a_gateway_that_ends()
-> Result<()> {
    let delivered = deliver().await?;

    ensure!(delivered.verified.code == Some(0), "{delivered:?}");
    ensure!(
        delivered.unconfirmed > 0 && delivered.by_robot > 5,
        "{delivered:?}"
    );
    Ok(())
}
