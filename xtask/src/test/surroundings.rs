//! What the end-to-end tests and benchmarks are told about this machine.

use std::ffi::OsString;

use crate::setup;
use crate::workspace::Workspace;

/// The environment of the `e2e` crate. What is missing is left out, and the test that needs it
/// says so.
pub(crate) fn surroundings(workspace: &Workspace) -> Vec<(&'static str, OsString)> {
    let mut variables = vec![
        ("NOOTERRA_BIN_DIR", workspace.binaries().into_os_string()),
        ("NOOTERRA_CONSOLE", workspace.console().into_os_string()),
        (
            "NOOTERRA_LOGS",
            workspace.report("e2e-logs").into_os_string(),
        ),
    ];
    let pictures = workspace.report("e2e-screenshots");
    variables.push(("NOOTERRA_SCREENSHOTS", pictures.into_os_string()));
    for (name, path) in [
        ("NOOTERRA_CHROMIUM", setup::chromium()),
        ("NOOTERRA_CHROMEDRIVER", setup::chromedriver()),
        ("NOOTERRA_AXE", setup::axe(workspace)),
    ] {
        if let Some(path) = path {
            variables.push((name, path.into_os_string()));
        }
    }
    variables
}
