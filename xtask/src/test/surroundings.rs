//! What the end-to-end tests and benchmarks are told about this machine.

use std::ffi::OsString;

use crate::setup;
use crate::workspace::Workspace;

/// The environment of the `e2e` crate. What is missing is left out, and the test that needs it
/// says so.
pub(crate) fn surroundings(workspace: &Workspace) -> Vec<(&'static str, OsString)> {
    let mut variables = vec![
        ("E2E_BIN_DIR", workspace.binaries().into_os_string()),
        ("E2E_CONSOLE", workspace.console().into_os_string()),
        ("E2E_LOGS", workspace.report("e2e-logs").into_os_string()),
    ];
    let pictures = workspace.report("e2e-screenshots");
    variables.push(("E2E_SCREENSHOTS", pictures.into_os_string()));
    for (name, path) in [
        ("E2E_CHROMIUM", setup::chromium()),
        ("E2E_CHROMEDRIVER", setup::chromedriver()),
        ("E2E_AXE", setup::axe(workspace)),
    ] {
        if let Some(path) = path {
            variables.push((name, path.into_os_string()));
        }
    }
    variables
}
