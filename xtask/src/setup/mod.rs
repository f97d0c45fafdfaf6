//! Installs what is missing: idempotent steps that can be interrupted and run again.

mod axe;
mod cargo_tools;
mod machine;
mod packages;
mod requirements;
mod room;
pub(crate) mod wasm;

pub(crate) use axe::installed as axe;
pub(crate) use machine::Root;
pub(crate) use requirements::{Purpose, chromedriver, chromium, postgres_programs};

use anyhow::Result;

use crate::progress::{Outcome, Progress};
use crate::workspace::Workspace;
use machine::Machine;
use requirements::required;
use wasm::Wasm;

/// Brings the machine to where `purpose` works, and says which compiler builds the console.
pub(crate) fn install(
    workspace: &Workspace,
    purpose: Purpose,
    progress: &mut Progress,
) -> Result<Wasm> {
    let machine = Machine::look();
    progress.step("room on the disk", || {
        room::check(workspace).map(|_free| Outcome::AlreadyThere)
    })?;

    let mut missing = Vec::new();
    for requirement in required(purpose) {
        match requirement.installed() {
            Some(version) => {
                progress.step(&requirement.title(&version), || Ok(Outcome::AlreadyThere))?;
            }
            None => missing.push(requirement),
        }
    }
    packages::install(workspace, machine, &missing, progress)?;

    if purpose == Purpose::Test {
        for tool in cargo_tools::TOOLS {
            cargo_tools::install(workspace, tool, progress)?;
        }
        axe::install(workspace, progress)?;
    }
    wasm::install(workspace, machine, progress)
}

/// One line of `doctor`: what, whether it is there, and the command that mends it.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) what: String,
    pub(crate) found: Option<String>,
    pub(crate) mend: String,
}

/// Everything that the demo and the tests need, and whether it is there. Changes nothing.
pub(crate) fn look(workspace: &Workspace) -> Vec<Finding> {
    let machine = Machine::look();
    let mut findings: Vec<Finding> = required(Purpose::Test)
        .iter()
        .map(|requirement| Finding {
            what: requirement.name.to_owned(),
            found: requirement.installed(),
            mend: packages::command_for_a_person(machine, &[requirement]),
        })
        .collect();

    findings.extend(cargo_tools::TOOLS.iter().map(|tool| Finding {
        what: tool.name.to_owned(),
        found: cargo_tools::installed(workspace, tool),
        mend: cargo_tools::command_for_a_person(tool),
    }));
    findings.push(Finding {
        what: "axe-core".to_owned(),
        found: axe::installed(workspace).map(|_| axe::VERSION.to_owned()),
        mend: "cargo xtask test --only setup".to_owned(),
    });
    findings.push(Finding {
        what: "wasm target".to_owned(),
        found: wasm::found(workspace).map(|wasm| wasm.describe().to_owned()),
        mend: "rustup target add wasm32-unknown-unknown".to_owned(),
    });
    let room = room::check(workspace);
    findings.push(Finding {
        what: "room on the disk:".to_owned(),
        mend: room
            .as_ref()
            .map_or_else(ToString::to_string, |_free| String::new()),
        found: room.ok(),
    });
    findings
}
