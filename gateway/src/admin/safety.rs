//! `admin organisation safety-sign` and `safety-show`: what robots keep to, in the words of the root key. Offline, like rosters.

use std::{
    fmt::Write as _,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use ed25519_dalek::SigningKey;
use protocol::{
    OrganisationId, RobotId, UnixMicros,
    safety::{Corner, Envelope, KeepOut, MAX_POLICY_BYTES, Mask, PrivateZone, SafetyPolicy},
    sealed::{self, KeyId, Kind},
};
use serde::Deserialize;

use super::{
    error::AdminError,
    key_file,
    roster_text::{digits, line},
};
use crate::app::Clock;

/// What is done with the root key, away from any installation.
#[derive(Debug, Subcommand)]
pub(super) enum SafetyTask {
    /// Shows a local policy for robots, signs it with the root key and prints it, for `nooterra-agent policy`. Offline
    SafetySign {
        /// The root key's file
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The policy, TOML: docs/safety.md has every setting
        policy: PathBuf,
    },
}

/// A policy as people write it: all but when it is signed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    organisation: OrganisationId,
    #[serde(default)]
    robot: Option<RobotId>,
    number: u64,
    #[serde(default)]
    envelope: Envelope,
    #[serde(default)]
    workspace: Vec<Corner>,
    #[serde(default)]
    keep_out: Vec<KeepOut>,
    #[serde(default)]
    masks: Vec<Mask>,
    #[serde(default)]
    private: Vec<PrivateZone>,
}

/// Does it. What is printed can be carried to robots; what a person should read goes to `aside`.
pub(super) fn offline(
    task: SafetyTask,
    aside: &mut impl std::io::Write,
) -> Result<String, AdminError> {
    let SafetyTask::SafetySign { key, policy } = task;
    let draft: Draft = toml::from_str(&read(&policy)?).map_err(|error| {
        AdminError::Unclear(format!("{} can't be understood: {error}", policy.display()))
    })?;
    let key = key_file::read(&key)?;
    let (policy, sealed) = sign(draft, &key, Clock::default().micros())?;
    let by = digits(KeyId::of(&key.verifying_key()));
    aside
        .write_all(shown(&policy, &by)?.as_bytes())
        .map_err(AdminError::Output)?;
    Ok(line(&sealed))
}

/// What the demo's robots keep to.
pub(super) fn of_demo(
    organisation: OrganisationId,
    root: &SigningKey,
    at: UnixMicros,
) -> Result<Vec<u8>, AdminError> {
    let zone = |name: &str, [west, south, east, north]: [i32; 4]| KeepOut {
        name: name.to_owned(),
        corners: vec![[west, south], [east, south], [east, north], [west, north]],
    };
    let draft = Draft {
        organisation,
        robot: None,
        number: 1,
        envelope: Envelope::default(),
        workspace: Vec::new(),
        keep_out: vec![
            zone("fire exit", [26_600, 6_900, 27_800, 9_100]),
            zone("oxygen", [15_600, 200, 17_100, 1_800]),
        ],
        masks: Vec::new(),
        private: Vec::new(),
    };
    Ok(sign(draft, root, at)?.1)
}

fn sign(
    draft: Draft,
    key: &SigningKey,
    at: UnixMicros,
) -> Result<(SafetyPolicy, Vec<u8>), AdminError> {
    let policy = SafetyPolicy {
        organisation: draft.organisation,
        robot: draft.robot,
        number: draft.number,
        issued_at: at,
        envelope: draft.envelope,
        workspace: draft.workspace,
        keep_out: draft.keep_out,
        masks: draft.masks,
        private: draft.private,
    };
    policy
        .check()
        .map_err(|flaw| AdminError::Unclear(format!("no robot could keep to it: {flaw}")))?;
    let sealed = sealed::seal(Kind::SafetyPolicy, &policy, key)
        .ok()
        .filter(|sealed| sealed.len() <= MAX_POLICY_BYTES)
        .ok_or_else(|| AdminError::Unclear("the policy is larger than a robot takes".to_owned()))?;
    Ok((policy, sealed))
}

fn read(path: &Path) -> Result<String, AdminError> {
    let failed = |source| AdminError::File {
        path: path.to_owned(),
        source,
    };
    let mut text = String::new();
    let file = File::open(path).map_err(failed)?;
    // As text a policy is longer than sealed, but not four times.
    file.take(MAX_POLICY_BYTES as u64 * 4)
        .read_to_string(&mut text)
        .map_err(failed)?;
    Ok(text)
}

/// What somebody reads before they take the signed line along.
fn shown(policy: &SafetyPolicy, by: &str) -> Result<String, AdminError> {
    let envelope = &policy.envelope;
    let mut text = String::new();
    let whom = policy.robot.map_or_else(
        || "every robot".to_owned(),
        |robot| format!("robot {robot}"),
    );
    let written = writeln!(
        text,
        "local policy {} for {whom}, signed by {by}\n\
         speed {} mm/s, backward {}, near people {} within {} mm\n\
         dead-man {} ms, picture at most {} ms old, drive up to {} ms of delay, nudge up to {}\n\
         battery floor {} %, {} zones to keep out of{}, {} masks, {} private zones",
        policy.number,
        envelope.speed_mm_s,
        envelope.reverse_mm_s,
        envelope.people_mm_s,
        envelope.people_within_mm,
        envelope.dead_man_ms,
        envelope.frame_age_ms,
        envelope.ladder.drive_ms,
        envelope.ladder.nudge_ms,
        envelope.battery_floor_percent,
        policy.keep_out.len(),
        if policy.workspace.is_empty() {
            ""
        } else {
            ", and a workspace"
        },
        policy.masks.len(),
        policy.private.len(),
    );
    written.map_err(|_formatting| AdminError::Unclear("the policy can't be shown".to_owned()))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAFT: &str = r#"
        organisation = "01900000-0000-7000-8000-000000000001"
        number = 2
        [envelope]
        speed_mm_s = 600
        [[keep_out]]
        name = "bed"
        corners = [[0, 0], [2000, 0], [2000, 900], [0, 900]]
    "#;

    fn signed(text: &str) -> Result<(String, String), AdminError> {
        let folder = tempfile::tempdir().unwrap();
        let (key, policy) = (folder.path().join("root"), folder.path().join("policy"));
        key_file::make(&key).unwrap();
        std::fs::write(&policy, text).unwrap();
        let mut aside = Vec::new();
        let line = offline(SafetyTask::SafetySign { key, policy }, &mut aside)?;
        Ok((line, String::from_utf8(aside).unwrap()))
    }

    #[test]
    fn a_policy_is_shown_and_signed_with_the_usual_bounds_where_it_names_none() {
        let (line, aside) = signed(DRAFT).unwrap();

        assert!(line.len() > 100);
        assert!(aside.contains("speed 600 mm/s"), "{aside}");
        assert!(aside.contains("dead-man 250 ms"), "{aside}");
        assert!(aside.contains("1 zones"), "{aside}");
    }

    #[test]
    fn what_no_robot_could_keep_to_and_what_is_misspelt_is_refused() {
        for (from, to, why) in [
            ("speed_mm_s = 600", "speed_mm_s = 60000", "out of bounds"),
            ("[2000, 900], [0, 900]", "[500, 100], [0, 900]", "convex"),
            ("speed_mm_s", "top_speed", "unknown field"),
            ("number = 2", "", "missing field"),
        ] {
            let error = signed(&DRAFT.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
