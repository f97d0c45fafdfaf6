//! `cargo xtask doctor`: what is there, what runs, and the command that mends what is missing.

use anyhow::{Result, bail};

use crate::demo::contract::readiness;
use crate::demo::report::Report;
use crate::progress::say;
use crate::setup::{self, Finding};
use crate::workspace::Workspace;

/// Looks, changes nothing, and fails when something is missing.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let findings = setup::look(workspace);
    for finding in &findings {
        say(&line(finding));
    }
    say(&format!("  cache      {}", workspace.cache.display()));
    say(&format!("  build      {}", workspace.target.display()));
    let is_well = look_at_demo(workspace);

    let missing = findings
        .iter()
        .filter(|finding| finding.found.is_none())
        .count();
    match (missing, is_well) {
        (0, true) => Ok(()),
        (0, false) => bail!("the demo is not well: see target/demo/logs/gateway.log"),
        (missing, _) => {
            bail!("{missing} missing: the commands above mend it, and so does `cargo xtask test`")
        }
    }
}

fn line(finding: &Finding) -> String {
    match &finding.found {
        Some(version) => format!("✓ {} {version}", finding.what),
        None => format!("✗ {} is missing: {}", finding.what, finding.mend),
    }
}

fn look_at_demo(workspace: &Workspace) -> bool {
    let Some(report) = Report::load(workspace) else {
        say("  demo       not running (start it with: cargo xtask demo)");
        return true;
    };
    match readiness(&report.url) {
        Ok(words) => {
            let is_well = words.starts_with("200 ");
            let mark = if is_well { "✓" } else { "✗" };
            say(&format!("{mark} demo at {}: {words}", report.url));
            is_well
        }
        Err(error) => {
            say(&format!(
                "✗ demo at {} does not answer: {error:#}",
                report.url
            ));
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_comes_with_the_command_that_mends_it() {
        let finding = Finding {
            what: "Redis".to_owned(),
            found: None,
            mend: "sudo apt-get install redis-server".to_owned(),
        };

        assert_eq!(
            line(&finding),
            "✗ Redis is missing: sudo apt-get install redis-server"
        );
    }
}
