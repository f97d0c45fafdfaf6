//! What has to be on the machine, how it is recognised, and which package brings it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::processes::{find_program, read};

/// What the machine is being prepared for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    /// `cargo xtask demo`.
    Demo,
    /// `cargo xtask test` and `bench`: the demo's needs and a browser.
    Test,
}

/// The oldest PostgreSQL that the gateway is tested with: Debian 12's.
const LEAST_POSTGRES: u32 = 15;

/// Something that a system package brings.
#[derive(Debug)]
pub(crate) struct Requirement {
    pub(crate) name: &'static str,
    pub(crate) debian: &'static [&'static str],
    pub(crate) brew: &'static [&'static str],
    needed_from: Purpose,
    probe: fn() -> Option<String>,
}

const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        name: "C++ compiler",
        debian: &["g++"],
        brew: &[],
        needed_from: Purpose::Demo,
        probe: || version_of("c++", "--version"),
    },
    Requirement {
        name: "make",
        debian: &["make"],
        brew: &[],
        needed_from: Purpose::Demo,
        probe: || version_of("make", "--version"),
    },
    Requirement {
        name: "nasm",
        debian: &["nasm"],
        brew: &["nasm"],
        needed_from: Purpose::Demo,
        probe: || version_of("nasm", "-v"),
    },
    Requirement {
        name: "PostgreSQL",
        debian: &["postgresql"],
        brew: &["postgresql@15"],
        needed_from: Purpose::Demo,
        probe: postgres_version,
    },
    Requirement {
        name: "Redis",
        debian: &["redis-server"],
        brew: &["redis"],
        needed_from: Purpose::Demo,
        probe: || version_of("redis-server", "--version"),
    },
    Requirement {
        name: "Chromium",
        debian: &["chromium"],
        brew: &["--cask", "chromium"],
        needed_from: Purpose::Test,
        probe: || version_of(chromium()?.to_str()?, "--version"),
    },
    Requirement {
        name: "ChromeDriver",
        debian: &["chromium-driver"],
        brew: &["--cask", "chromedriver"],
        needed_from: Purpose::Test,
        probe: || version_of(chromedriver()?.to_str()?, "--version"),
    },
    Requirement {
        name: "FFmpeg",
        debian: &["ffmpeg"],
        brew: &["ffmpeg"],
        needed_from: Purpose::Test,
        probe: || version_of("ffmpeg", "-version"),
    },
    // Counts what a robot sends, for the benchmarks. Nothing like it elsewhere: its rows are left out there.
    #[cfg(target_os = "linux")]
    Requirement {
        name: "ss",
        debian: &["iproute2"],
        brew: &[],
        needed_from: Purpose::Test,
        probe: || version_of("ss", "--version"),
    },
    Requirement {
        name: "npm",
        debian: &["npm"],
        brew: &["node"],
        needed_from: Purpose::Test,
        probe: || version_of("npm", "--version"),
    },
];

/// What `purpose` needs.
pub(crate) fn required(purpose: Purpose) -> Vec<&'static Requirement> {
    REQUIREMENTS
        .iter()
        .filter(|requirement| requirement.needed_from <= purpose)
        .collect()
}

impl Requirement {
    /// The version that is installed, if one is.
    pub(crate) fn installed(&self) -> Option<String> {
        (self.probe)()
    }

    /// How the progress line calls it.
    pub(crate) fn title(&self, version: &str) -> String {
        format!("{} {version}", self.name)
    }
}

/// The folder of `initdb` and `postgres`: Debian keeps them off `PATH`, one folder per version.
pub(crate) fn postgres_programs() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> =
        ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"]
            .iter()
            .filter_map(|parent| std::fs::read_dir(parent).ok())
            .flatten()
            .filter_map(Result::ok)
            .filter_map(|entry| {
                let name = entry.file_name();
                let version = name
                    .to_str()?
                    .trim_start_matches("postgresql@")
                    .parse()
                    .ok()?;
                Some((version, entry.path().join("bin")))
            })
            .filter(|(version, programs)| *version >= LEAST_POSTGRES && has_server(programs))
            .collect();
    found.sort();
    if let Some((_, programs)) = found.pop() {
        return Some(programs);
    }

    let programs = find_program("initdb")?.parent()?.to_owned();
    let is_recent = postgres_version_in(&programs).is_some_and(|version| {
        let major = version
            .split('.')
            .next()
            .and_then(|major| major.parse().ok());
        major.is_some_and(|major: u32| major >= LEAST_POSTGRES)
    });
    (is_recent && has_server(&programs)).then_some(programs)
}

/// The browser of the end-to-end tests.
pub(crate) fn chromium() -> Option<PathBuf> {
    find_program("chromium").or_else(|| {
        ["Chromium", "Google Chrome"]
            .iter()
            .map(|name| PathBuf::from(format!("/Applications/{name}.app/Contents/MacOS/{name}")))
            .find(|file| file.is_file())
    })
}

/// The program that drives the browser.
pub(crate) fn chromedriver() -> Option<PathBuf> {
    find_program("chromedriver")
}

fn has_server(programs: &Path) -> bool {
    ["initdb", "postgres"]
        .iter()
        .all(|program| programs.join(program).is_file())
}

fn postgres_version() -> Option<String> {
    postgres_version_in(&postgres_programs()?)
}

fn postgres_version_in(programs: &Path) -> Option<String> {
    version_of(programs.join("postgres").to_str()?, "--version")
}

fn version_of(program: &str, question: &str) -> Option<String> {
    if !program.contains('/') {
        find_program(program)?;
    }
    let printed = read(Command::new(program).arg(question)).ok()?;
    first_version(&printed)
}

/// The first word that looks like a version: `v=7.0.15`, `(Debian 12.2.0-14)`, `4.3`.
fn first_version(printed: &str) -> Option<String> {
    printed
        .split(|character: char| !(character.is_ascii_digit() || character == '.'))
        .map(|word| word.trim_matches('.'))
        .find(|word| word.contains('.'))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_what_programs_print() {
        for (printed, version) in [
            ("GNU Make 4.3\nBuilt for x86_64-pc-linux-gnu", Some("4.3")),
            ("c++ (Debian 12.2.0-14+deb12u1) 12.2.0", Some("12.2.0")),
            ("Redis server v=7.0.15 sha=00000000:0", Some("7.0.15")),
            (
                "postgres (PostgreSQL) 15.18 (Debian 15.18-0)",
                Some("15.18"),
            ),
            ("ss utility, iproute2-6.1.0, libbpf 1.1.0", Some("6.1.0")),
            ("11.19.1\n", Some("11.19.1")),
            ("no such thing", None),
        ] {
            assert_eq!(first_version(printed).as_deref(), version, "{printed}");
        }
    }

    #[test]
    fn a_demo_needs_no_browser_and_a_test_needs_all_that_a_demo_needs() {
        let demo: Vec<_> = required(Purpose::Demo)
            .iter()
            .map(|needed| needed.name)
            .collect();
        let test: Vec<_> = required(Purpose::Test)
            .iter()
            .map(|needed| needed.name)
            .collect();

        assert!(!demo.contains(&"Chromium"));
        assert!(test.contains(&"Chromium"));
        assert!(demo.iter().all(|name| test.contains(name)));
    }
}
