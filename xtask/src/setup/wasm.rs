//! A compiler that builds for wasm32: rustup's where it has the target, Debian's otherwise.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::machine::{Machine, Packaging};
use super::packages::install_debian;
use crate::processes::{find_program, read, run_logged, run_logged_within};
use crate::progress::{Outcome, Progress};
use crate::workspace::Workspace;

/// What the console is built for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Set to `fallback`, skips rustup: how the fallback is tested.
const CHOICE: &str = "NOOTERRA_WASM";

/// A rustup server that answers brings the target in seconds; one that cannot be reached should
/// not hold up the fallback for longer than the fallback itself takes.
const RUSTUP_WITHIN: Duration = Duration::from_secs(90);

const DEBIAN_PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src", "lld-22"];
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_LINKER: &str = "wasm-ld-22";

/// The compiler of the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wasm {
    /// The toolchain of the checkout has the target.
    Rustup,
    /// Debian's compiler behind a wrapper that shows it a standard library of our own making.
    Debian {
        /// The wrapper.
        rustc: PathBuf,
    },
}

impl Wasm {
    /// Makes a cargo command use this compiler.
    pub(crate) fn apply(&self, command: &mut Command) {
        match self {
            Self::Rustup => {}
            Self::Debian { rustc } => {
                command.env("RUSTC", rustc);
            }
        }
    }

    pub(crate) fn describe(&self) -> &'static str {
        match self {
            Self::Rustup => "by rustup",
            Self::Debian { .. } => "by Debian's rustc-web",
        }
    }

    /// Whether clippy can look at the console: it works only with the compiler it came with.
    pub(crate) fn has_clippy(&self) -> bool {
        *self == Self::Rustup
    }
}

/// What is there already.
pub(crate) fn found(workspace: &Workspace) -> Option<Wasm> {
    if !is_fallback_forced() && rustup_has_target(workspace) {
        return Some(Wasm::Rustup);
    }
    Fallback::new(workspace).found()
}

/// Finds or makes a compiler: present, then rustup, then Debian.
pub(super) fn install(
    workspace: &Workspace,
    machine: Machine,
    progress: &mut Progress,
) -> Result<Wasm> {
    if let Some(wasm) = found(workspace) {
        let name = format!("wasm target {}", wasm.describe());
        progress.step(&name, || Ok(Outcome::AlreadyThere))?;
        return Ok(wasm);
    }

    let mut chosen = None;
    progress.step("wasm target", || {
        let wasm = make(workspace, machine)?;
        let note = wasm.describe().to_owned();
        chosen = Some(wasm);
        Ok(Outcome::Noted(note))
    })?;
    chosen.context("the wasm target was made and then lost")
}

fn make(workspace: &Workspace, machine: Machine) -> Result<Wasm> {
    let log = workspace.log("wasm-target");
    let mut refused = None;
    if !is_fallback_forced() {
        let mut rustup = Command::new("rustup");
        rustup
            .args(["target", "add", TARGET])
            .current_dir(&workspace.root);
        let added = run_logged_within(&mut rustup, &log, Some(RUSTUP_WITHIN));
        if rustup_has_target(workspace) {
            return Ok(Wasm::Rustup);
        }
        refused = added.err();
        if crate::processes::interrupted() {
            bail!("interrupted");
        }
    }
    if machine.packaging != Packaging::Apt {
        let refused = refused.map_or_else(String::new, |error| format!(":\n{error:#}"));
        bail!("`rustup target add {TARGET}` did not work{refused}");
    }

    install_debian(workspace, machine, DEBIAN_PACKAGES)?;
    let fallback = Fallback::new(workspace);
    fallback.build(workspace)?;
    fallback
        .found()
        .context("the standard library was built but is not recognised")
}

fn is_fallback_forced() -> bool {
    std::env::var(CHOICE).is_ok_and(|choice| choice == "fallback")
}

fn rustup_has_target(workspace: &Workspace) -> bool {
    let mut command = Command::new("rustc");
    command
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(&workspace.root);
    read(&mut command).is_ok_and(|folder| has_std(Path::new(folder.trim())))
}

fn has_std(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|entries| {
        entries
            .filter_map(Result::ok)
            .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
    })
}

/// Debian's compiler and the standard library that is built for it, once.
struct Fallback {
    folder: PathBuf,
}

impl Fallback {
    fn new(workspace: &Workspace) -> Self {
        Self {
            folder: workspace.cache.join("wasm"),
        }
    }

    fn wrapper(&self) -> PathBuf {
        self.folder.join("rustc")
    }

    fn sysroot(&self) -> PathBuf {
        self.folder.join("sysroot")
    }

    fn libraries(&self) -> PathBuf {
        self.sysroot().join("lib/rustlib").join(TARGET).join("lib")
    }

    /// Usable only with the very compiler that it was built by.
    fn found(&self) -> Option<Wasm> {
        let built_by = std::fs::read_to_string(self.folder.join("built-by")).ok()?;
        let installed = debian_compiler().ok()?;
        let linker = find_program(DEBIAN_LINKER).is_some();
        (built_by == installed && linker && has_std(&self.libraries())).then(|| Wasm::Debian {
            rustc: self.wrapper(),
        })
    }

    fn build(&self, workspace: &Workspace) -> Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let build = tempfile::tempdir_in(&self.folder)?;
        compile_std(workspace, build.path())?;

        let libraries = self.libraries();
        if self.sysroot().exists() {
            std::fs::remove_dir_all(self.sysroot())?;
        }
        std::fs::create_dir_all(&libraries)?;
        let compiled = build
            .path()
            .join("target")
            .join(TARGET)
            .join("release/deps");
        for entry in std::fs::read_dir(&compiled)? {
            let entry = entry?;
            let name = entry.file_name();
            let text = name.to_string_lossy();
            if text.ends_with(".rlib") && !text.starts_with("libseed-") {
                std::fs::copy(entry.path(), libraries.join(&name))?;
            }
        }

        std::fs::write(self.wrapper(), wrapper_script(&self.sysroot()))?;
        std::fs::set_permissions(self.wrapper(), std::fs::Permissions::from_mode(0o755))?;
        // Last, so that an interrupted build is not taken for a finished one.
        std::fs::write(self.folder.join("built-by"), debian_compiler()?)?;
        Ok(())
    }
}

/// Builds an empty crate: what it needs is the whole standard library.
fn compile_std(workspace: &Workspace, folder: &Path) -> Result<()> {
    std::fs::create_dir(folder.join("src"))?;
    std::fs::write(folder.join("src/lib.rs"), "")?;
    std::fs::write(
        folder.join("Cargo.toml"),
        "[package]\nname = \"seed\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n",
    )?;
    let mut command = workspace.command(DEBIAN_CARGO);
    command
        .args(["build", "--release", "--target", TARGET])
        .args(["-Z", "build-std=std,panic_abort,panic_unwind"])
        .current_dir(folder)
        .env("RUSTC", DEBIAN_RUSTC)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("RUSTFLAGS");
    run_logged(&mut command, &workspace.log("wasm-std"))
}

fn debian_compiler() -> Result<String> {
    read(Command::new(DEBIAN_RUSTC).arg("-vV"))
}

/// Adds our sysroot where the console is compiled, and nothing where a build script is: those run
/// here and use Debian's own standard library.
fn wrapper_script(sysroot: &Path) -> String {
    let sysroot = sysroot.display().to_string().replace('\'', r"'\''");
    format!(
        "#!/bin/sh\n\
         # Debian's compiler with a standard library for {TARGET}.\n\
         for argument in \"$@\"; do\n\
         \x20   case \"$argument\" in\n\
         \x20   {TARGET} | --target={TARGET})\n\
         \x20       exec {DEBIAN_RUSTC} \"$@\" --sysroot '{sysroot}' -C linker={DEBIAN_LINKER} ;;\n\
         \x20   esac\n\
         done\n\
         exec {DEBIAN_RUSTC} \"$@\"\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wrapper_adds_the_sysroot_for_wasm_only() {
        let folder = tempfile::tempdir().unwrap();
        let sysroot = folder.path().join("it's here");
        let script = wrapper_script(&sysroot).replace(&format!("exec {DEBIAN_RUSTC}"), "echo");
        let run = |arguments: &[&str]| {
            let mut command = Command::new("sh");
            command.args(["-c", &script, "rustc"]).args(arguments);
            read(&mut command).unwrap()
        };

        let native = run(&["--crate-name", "serde"]);
        let wasm = run(&["--crate-name", "serde", "--target", TARGET]);

        assert_eq!(native, "--crate-name serde\n");
        assert!(
            wasm.contains(&format!("--sysroot {}", sysroot.display())),
            "{wasm}"
        );
    }
}
