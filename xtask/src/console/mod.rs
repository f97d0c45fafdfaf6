//! Builds the console: cargo, cut into parts, wasm-bindgen, hashed names, compressed files, one folder to serve.

mod bundle;
mod parts;
mod press;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use sha2::{Digest as _, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::processes;
use crate::progress::{Outcome, Progress};
use crate::setup::wasm::{TARGET, Wasm};
use crate::workspace::Workspace;
use bundle::Bundle;

pub(crate) use press::Weight;

/// What opening the console may download, compressed: it is opened on site tablets. What a page needs beyond that comes when
/// the page is first opened.
pub(crate) const MOST_BYTES: u64 = 400 * 1024;

/// Builds the console into the folder that the gateway serves.
pub(crate) fn build(workspace: &Workspace, wasm: &Wasm, progress: &mut Progress) -> Result<()> {
    progress.loud_step("console: compile", || {
        let mut command = workspace.cargo();
        command.args([
            "rustc",
            "--package",
            "console",
            "--lib",
            "--profile",
            "console",
        ]);
        command.args(["--target", TARGET]);
        // What is cut into parts has to say where its code and data refer to each other.
        command.args(["--", "-Clink-arg=--emit-relocs"]);
        wasm.apply(&mut command);
        processes::run(&mut command)?;
        Ok(Outcome::Done)
    })?;
    progress.step("console: bundle", || {
        let compiled = compiled(workspace);
        let inputs = hash_of_inputs(&compiled, &assets(workspace))?;
        let stamp = workspace.target.join("console-bundle.inputs");
        if std::fs::read_to_string(&stamp).is_ok_and(|last| last == inputs)
            && workspace.console().join("index.html").is_file()
        {
            return Ok(Outcome::AlreadyThere);
        }
        let weight = assemble(workspace, &compiled)?;
        std::fs::write(stamp, inputs)?;
        Ok(Outcome::Noted(weight.in_words()))
    })
}

/// What opening the console downloads. Fails when it is more than [`MOST_BYTES`].
pub(crate) fn check_weight(workspace: &Workspace) -> Result<Outcome> {
    let weight = Weight::of(&workspace.console())?;
    if weight.brotli > MOST_BYTES {
        bail!(
            "the console weighs {}, more than {} KB",
            weight.in_words(),
            MOST_BYTES / 1024
        );
    }
    Ok(Outcome::Noted(weight.in_words()))
}

fn compiled(workspace: &Workspace) -> PathBuf {
    workspace
        .target
        .join(TARGET)
        .join("console")
        .join("console.wasm")
}

fn assets(workspace: &Workspace) -> PathBuf {
    workspace.root.join("assets")
}

/// Builds beside the served folder and then takes its place, so that a gateway that is serving
/// never sees half a console.
fn assemble(workspace: &Workspace, compiled: &Path) -> Result<Weight> {
    let bound = tempfile::tempdir_in(&workspace.target)?;
    bind(compiled, bound.path())?;

    let fresh = tempfile::tempdir_in(&workspace.target)?;
    let bundle = Bundle::read(&assets(workspace), bound.path())?;
    bundle.write(fresh.path())?;
    press::press(fresh.path())?;
    let weight = Weight::of(fresh.path())?;

    let served = workspace.console();
    if served.exists() {
        std::fs::remove_dir_all(&served)?;
    }
    let fresh = fresh.keep();
    std::fs::rename(&fresh, &served).context("cannot put the console in its place")?;
    make_readable(&served)?;
    Ok(weight)
}

/// A gateway that dropped root still reads its console; temporary folders start out private.
fn make_readable(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}

fn bind(compiled: &Path, folder: &Path) -> Result<()> {
    let main = parts::split(&std::fs::read(compiled)?, folder)?;
    let mut bindgen = Bindgen::new();
    bindgen.input_bytes("console", main).out_name("console");
    bindgen.web(true)?;
    // The parts refer to what the main one exports.
    bindgen.keep_lld_exports(true);
    bindgen
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true);
    bindgen
        .generate(folder)
        .context("wasm-bindgen refused the console")
}

fn hash_of_inputs(compiled: &Path, assets: &Path) -> Result<String> {
    let mut hash = Sha256::new();
    // A change of the bundler changes the bundle.
    for source in [
        include_str!("mod.rs"),
        include_str!("bundle.rs"),
        include_str!("parts.rs"),
        include_str!("press.rs"),
    ] {
        hash.update(source);
    }
    hash.update(
        std::fs::read(compiled)
            .with_context(|| format!("the console was not compiled into {}", compiled.display()))?,
    );
    for file in bundle::files_under(assets)? {
        hash.update(file.to_string_lossy().as_bytes());
        hash.update(std::fs::read(assets.join(&file))?);
    }
    Ok(hex::encode(hash.finalize()))
}
