//! System packages: Debian's by apt, Homebrew's on macOS. A server that a package brings is never
//! left running, and one that was here before is never touched.

use anyhow::{Context as _, Result, bail};

use super::machine::{Machine, Packaging};
use super::requirements::Requirement;
use crate::processes::run_logged;
use crate::progress::{Outcome, Progress};
use crate::workspace::Workspace;

/// Runs as root. Debian would create a cluster on port 5432 and start Redis on 6379 the moment
/// their packages are installed; the demo starts private ones of its own instead. What was there
/// before (a policy, a cluster, an enabled service) stays as it was.
const INSTALL: &str = r#"
set -eu
export DEBIAN_FRONTEND=noninteractive
mark='written by the Nooterra set-up while packages install'
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ] || grep -q "$mark" "$policy"; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 143' INT TERM HUP
    printf '#!/bin/sh\n# %s\nexit 101\n' "$mark" > "$policy"
    chmod 755 "$policy"
fi
case " $* " in *' postgresql '*)
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        mkdir -p /etc/postgresql-common
        echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
    fi ;;
esac
install() {
    apt-get install --yes --no-install-recommends -o Dpkg::Options::=--force-confold "$@"
}
dpkg --configure -a
apt-get update || echo 'the package lists could not be refreshed: trying with what is here'
install "$@"
case " $* " in *' redis-server '*)
    if [ -d /run/systemd/system ]; then systemctl disable redis-server; fi ;;
esac
"#;

/// Installs the packages of everything that is missing, in one go.
pub(super) fn install(
    workspace: &Workspace,
    machine: Machine,
    missing: &[&Requirement],
    progress: &mut Progress,
) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|requirement| requirement.name).collect();
    progress.step(&names.join(", "), || {
        match machine.packaging {
            Packaging::Apt => {
                let packages = debian_packages(missing);
                install_debian(workspace, machine, &packages)?;
            }
            Packaging::Brew => install_brew(workspace, machine, missing)?,
            Packaging::Other => bail!("{}", command_for_a_person(machine, missing)),
        }
        if let Some(still) = missing.iter().find(|needed| needed.installed().is_none()) {
            bail!("{} was installed but does not answer", still.name);
        }
        Ok(Outcome::Done)
    })
}

/// Installs Debian packages, or says which command does.
pub(super) fn install_debian(
    workspace: &Workspace,
    machine: Machine,
    packages: &[&str],
) -> Result<()> {
    let command = machine.root.command("sh").with_context(|| {
        format!(
            "this needs root; run it, then try again:\n    {}",
            apt(packages)
        )
    });
    let mut command = command?;
    command.args(["-c", INSTALL, "install"]).args(packages);
    run_logged(&mut command, &workspace.log("packages"))
        .with_context(|| format!("try by hand:\n    {}", apt(packages)))
}

fn install_brew(workspace: &Workspace, machine: Machine, missing: &[&Requirement]) -> Result<()> {
    for requirement in missing {
        if requirement.brew.is_empty() {
            bail!("{}", command_for_a_person(machine, &[requirement]));
        }
        let mut command = std::process::Command::new("brew");
        command.arg("install").args(requirement.brew);
        run_logged(&mut command, &workspace.log("packages"))?;
    }
    Ok(())
}

/// The exact command that a person would type.
pub(super) fn command_for_a_person(machine: Machine, missing: &[&Requirement]) -> String {
    match machine.packaging {
        Packaging::Apt => apt(&debian_packages(missing)),
        Packaging::Brew => missing
            .iter()
            .map(|requirement| match requirement.brew {
                [] => "xcode-select --install".to_owned(),
                packages => format!("brew install {}", packages.join(" ")),
            })
            .collect::<Vec<_>>()
            .join(" && "),
        Packaging::Other => {
            let names: Vec<_> = missing.iter().map(|requirement| requirement.name).collect();
            format!("install with your package manager: {}", names.join(", "))
        }
    }
}

fn debian_packages(missing: &[&Requirement]) -> Vec<&'static str> {
    missing
        .iter()
        .flat_map(|requirement| requirement.debian)
        .copied()
        .collect()
}

fn apt(packages: &[&str]) -> String {
    format!(
        "sudo apt-get install --no-install-recommends {}",
        packages.join(" ")
    )
}

#[cfg(test)]
mod tests {
    use super::super::machine::Root;
    use super::super::requirements::{Purpose, required};
    use super::*;

    #[test]
    fn a_person_without_root_is_told_the_exact_command() {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace {
            root: folder.path().to_owned(),
            target: folder.path().to_owned(),
            cache: folder.path().to_owned(),
        };
        let machine = Machine {
            packaging: Packaging::Apt,
            root: Root::OutOfReach,
        };

        let error = install_debian(&workspace, machine, &["nasm", "redis-server"]).unwrap_err();

        assert!(
            error
                .to_string()
                .contains("sudo apt-get install --no-install-recommends nasm redis-server"),
            "{error}"
        );
    }

    #[test]
    fn every_requirement_has_a_command_on_every_machine() {
        for packaging in [Packaging::Apt, Packaging::Brew, Packaging::Other] {
            let machine = Machine {
                packaging,
                root: Root::OutOfReach,
            };
            for requirement in required(Purpose::Test) {
                let command = command_for_a_person(machine, &[requirement]);
                assert!(
                    command.contains("install"),
                    "{}: {command}",
                    requirement.name
                );
            }
        }
    }
}
