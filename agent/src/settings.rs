//! What an enrolled robot keeps in its folder: where its gateway is, its token, its key. Secrets are files of mode 0600.

use std::{
    fs, io,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::{SigningKey, VerifyingKey};
use protocol::{OrganisationId, RobotId, SiteId, safety::SafetyPolicy};
use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::Zeroizing;

use crate::{
    authority::Remembered,
    safety::{PolicyFailure, believed},
    trust::{Kept, Pinned},
};

/// Written by `enrol`, read by `run`. Not secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Enrolled {
    /// Base address of the gateway.
    pub gateway: Url,
    /// Who the robot is.
    pub robot: RobotId,
    /// Its name.
    pub name: String,
    /// The gateway's public key, base64.
    pub gateway_key: String,
    /// Whose robot it is, where, and whose roster it believes; absent in a folder from before there were rosters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<EnrolledTrust>,
}

/// What of an enrolment says whom the robot believes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolledTrust {
    /// Whose robot it is.
    pub organisation: OrganisationId,
    /// Where it works.
    pub site: SiteId,
    /// The organisation's root key, base64; absent when nobody named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<String>,
}

impl Enrolled {
    /// What the robot goes by. One that was enrolled without a root key moves at nobody's wish.
    pub fn pinned(&self) -> Result<Pinned, SettingsFailure> {
        let root = (self.trust.as_ref())
            .and_then(|trust| trust.root.as_deref())
            .map(|root| {
                root_key(root).ok_or_else(|| SettingsFailure::Shape {
                    path: PathBuf::from("robot.json"),
                    words: "the root key is no Ed25519 key in base64".to_owned(),
                })
            })
            .transpose()?;
        let nil = uuid::Uuid::nil();
        Ok(Pinned {
            organisation: (self.trust.as_ref())
                .map_or(OrganisationId(nil), |trust| trust.organisation),
            site: self.trust.as_ref().map_or(SiteId(nil), |trust| trust.site),
            robot: self.robot,
            root,
        })
    }
}

/// A root key from base64.
pub fn root_key(base64: &str) -> Option<VerifyingKey> {
    let bytes: [u8; 32] = BASE64_STANDARD.decode(base64).ok()?.try_into().ok()?;
    VerifyingKey::from_bytes(&bytes).ok()
}

/// Why the folder can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsFailure {
    /// The robot was never enrolled here.
    #[error("{0} holds no enrolled robot; run `nooterra-agent enrol` first")]
    NotEnrolled(PathBuf),
    /// A file can't be read or written.
    #[error("{path} can't be used: {error}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A local policy is not this robot's.
    #[error("{path} is not gone by: {error}")]
    Policy {
        /// Which file.
        path: PathBuf,
        /// Why.
        error: PolicyFailure,
    },
    /// A local policy is older than the one that is there.
    #[error("policy {number} is older than {before}, which the robot has")]
    OldPolicy {
        /// Its number.
        number: u64,
        /// The number of the one that is there.
        before: u64,
    },
    /// Two policies of one number.
    #[error("the robot has another policy {0}: give the new one a higher number")]
    SamePolicy(u64),
    /// A file has the wrong shape.
    #[error("{path} can't be understood: {words}")]
    Shape {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        words: String,
    },
}

/// A robot's folder.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// Opens `path`, making it (mode 0700) if there is none.
    pub fn open(path: &Path) -> Result<Self, SettingsFailure> {
        let failed = |error| SettingsFailure::File {
            path: path.to_owned(),
            error,
        };
        fs::create_dir_all(path).map_err(failed)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Where the journal is.
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal")
    }

    /// Where pictures are kept that prove work.
    pub fn evidence(&self) -> PathBuf {
        self.path.join("evidence")
    }

    /// What people saw when they gave commands, until the gateway has it.
    pub fn clips(&self) -> PathBuf {
        self.path.join("clips")
    }

    /// Where it is kept who steered the robot last.
    pub fn control(&self) -> PathBuf {
        self.path.join("control.json")
    }

    /// Who steered the robot last, as far as it was ever steered. A file that can't be read is an error: without it the robot
    /// might obey somebody whose time was over.
    pub fn remembered_control(&self) -> Result<Remembered, SettingsFailure> {
        let path = self.control();
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| SettingsFailure::Shape {
                path,
                words: error.to_string(),
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Remembered::default()),
            Err(error) => Err(SettingsFailure::File { path, error }),
        }
    }

    /// Where the latest roster and the latest list of revocations are, as they were sealed.
    fn trust(&self) -> [PathBuf; 2] {
        ["roster.sealed", "revocations.sealed"].map(|name| self.path.join(name))
    }

    /// Where the local policy is, as the organisation's root sealed it.
    pub fn policy_path(&self) -> PathBuf {
        self.path.join("policy.sealed")
    }

    /// The local policy, sealed, if there is one. A file that can't be read is an error: nobody knows what it forbids.
    pub fn policy(&self) -> Result<Option<Vec<u8>>, SettingsFailure> {
        let path = self.policy_path();
        match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(SettingsFailure::File { path, error }),
        }
    }

    /// The local policy that is in the folder, if it is this robot's; nothing without one.
    pub fn believed_policy(&self) -> Result<Option<SafetyPolicy>, SettingsFailure> {
        self.policy()?
            .map(|sealed| self.believe_policy(&sealed))
            .transpose()
    }

    fn believe_policy(&self, sealed: &[u8]) -> Result<SafetyPolicy, SettingsFailure> {
        let pinned = self.enrolled()?.pinned()?;
        believed(
            sealed,
            pinned.root.as_ref(),
            pinned.organisation,
            pinned.robot,
        )
        .map_err(|error| SettingsFailure::Policy {
            path: self.policy_path(),
            error,
        })
    }

    /// Takes a local policy, base64, for the next start. One with a lower number than that which is there is refused: it may
    /// have been replaced for a reason.
    pub fn take_policy(&self, text: &str) -> Result<SafetyPolicy, SettingsFailure> {
        let path = self.policy_path();
        let base64: String = text.split_ascii_whitespace().collect();
        let sealed =
            BASE64_STANDARD
                .decode(base64)
                .map_err(|_no_base64| SettingsFailure::Shape {
                    path: path.clone(),
                    words: "it is not the base64 that safety-sign prints".to_owned(),
                })?;
        let policy = self.believe_policy(&sealed)?;
        // One that is there and can't be believed stands in nobody's way.
        let before = self.believed_policy().ok().flatten();
        match before.map(|before| before.number) {
            Some(before) if before > policy.number => Err(SettingsFailure::OldPolicy {
                number: policy.number,
                before,
            }),
            Some(before) if before == policy.number => {
                if self.policy()?.as_deref() == Some(&sealed[..]) {
                    Ok(policy)
                } else {
                    Err(SettingsFailure::SamePolicy(before))
                }
            }
            Some(_) | None => {
                write_secret(&path, &sealed)?;
                Ok(policy)
            }
        }
    }

    /// Whom the robot believed last: to be checked again before it is believed.
    pub fn remembered_trust(&self) -> Result<Kept, SettingsFailure> {
        let read = |path: PathBuf| match fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(SettingsFailure::File { path, error }),
        };
        let [roster, revocations] = self.trust();
        Ok(Kept {
            roster: read(roster)?,
            revocations: read(revocations)?,
        })
    }

    /// Keeps whom the robot believes, for its next start.
    pub fn keep_trust(&self, kept: &Kept) -> Result<(), SettingsFailure> {
        let [roster, revocations] = self.trust();
        for (path, bytes) in [(roster, &kept.roster), (revocations, &kept.revocations)] {
            if let Some(bytes) = bytes {
                write_secret(&path, bytes)?;
            }
        }
        Ok(())
    }

    /// Who the robot is, if it was enrolled here.
    pub fn enrolled(&self) -> Result<Enrolled, SettingsFailure> {
        let path = self.path.join("robot.json");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SettingsFailure::NotEnrolled(self.path.clone()));
            }
            Err(error) => return Err(SettingsFailure::File { path, error }),
        };
        serde_json::from_str(&text).map_err(|error| SettingsFailure::Shape {
            path,
            words: error.to_string(),
        })
    }

    /// The bearer token.
    pub fn token(&self) -> Result<Zeroizing<String>, SettingsFailure> {
        let path = self.path.join("token");
        match fs::read_to_string(&path) {
            Ok(token) => Ok(Zeroizing::new(token.trim().to_owned())),
            Err(error) => Err(SettingsFailure::File { path, error }),
        }
    }

    /// The robot's own key, made at the first call.
    pub fn device_key(&self) -> Result<SigningKey, SettingsFailure> {
        let path = self.path.join("device.key");
        match fs::read(&path) {
            Ok(bytes) => match <[u8; 32]>::try_from(bytes.as_slice()) {
                Ok(seed) => Ok(SigningKey::from_bytes(&Zeroizing::new(seed))),
                Err(_length) => Err(SettingsFailure::Shape {
                    path,
                    words: "a key has 32 bytes".to_owned(),
                }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let mut seed = Zeroizing::new([0; 32]);
                getrandom::fill(seed.as_mut()).map_err(|error| SettingsFailure::Shape {
                    path: path.clone(),
                    words: format!("no randomness for a key: {error}"),
                })?;
                write_secret(&path, seed.as_ref())?;
                Ok(SigningKey::from_bytes(&seed))
            }
            Err(error) => Err(SettingsFailure::File { path, error }),
        }
    }

    /// Keeps what an enrolment brought. The token is written first: with it alone, enrolling again works.
    pub fn keep(&self, enrolled: &Enrolled, token: &str) -> Result<(), SettingsFailure> {
        write_secret(&self.path.join("token"), token.as_bytes())?;
        let path = self.path.join("robot.json");
        let text =
            serde_json::to_string_pretty(enrolled).map_err(|error| SettingsFailure::Shape {
                path: path.clone(),
                words: error.to_string(),
            })?;
        write_secret(&path, text.as_bytes())
    }
}

/// Keeps who steers the robot, for its next start.
pub fn keep_control(path: &Path, known: Remembered) -> Result<(), SettingsFailure> {
    let text = serde_json::to_vec(&known).map_err(|error| SettingsFailure::Shape {
        path: path.to_owned(),
        words: error.to_string(),
    })?;
    write_secret(path, &text)
}

/// Writes beside and renames, so that a power cut leaves the old file or the new one.
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), SettingsFailure> {
    let write = || {
        let fresh = path.with_extension("fresh");
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        io::Write::write_all(&mut file, bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        // The new name is on disk only once its folder is.
        path.parent()
            .map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
    };
    write().map_err(|error| SettingsFailure::File {
        path: path.to_owned(),
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_an_enrolment_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Folder::open(folder.path()).unwrap();

        let message = folder.enrolled().unwrap_err().to_string();

        assert!(message.contains("nooterra-agent enrol"), "{message}");
    }

    #[test]
    fn what_was_over_outlasts_a_restart_and_a_damaged_memory_is_said() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        assert_eq!(folder.remembered_control().unwrap(), Remembered::default());

        let known = Remembered {
            epoch: 41,
            is_over: true,
            is_stopped: true,
        };
        keep_control(&folder.control(), known).unwrap();
        assert_eq!(folder.remembered_control().unwrap(), known);

        fs::write(folder.control(), "{").unwrap();
        let message = folder.remembered_control().unwrap_err().to_string();
        assert!(message.contains("control.json"), "{message}");
    }

    #[test]
    fn a_policy_is_taken_of_the_pinned_root_alone_and_never_an_older_one() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let [root, stranger] = [1, 2].map(|byte| SigningKey::from_bytes(&[byte; 32]));
        let organisation = OrganisationId(uuid::Uuid::from_u128(1));
        let enrolled = Enrolled {
            gateway: Url::parse("http://127.0.0.1").unwrap(),
            robot: RobotId(uuid::Uuid::from_u128(2)),
            name: "Juniper".to_owned(),
            gateway_key: String::new(),
            trust: Some(EnrolledTrust {
                organisation,
                site: SiteId(uuid::Uuid::from_u128(3)),
                root: Some(BASE64_STANDARD.encode(root.verifying_key().as_bytes())),
            }),
        };
        folder.keep(&enrolled, "token").unwrap();
        let line = |number: u64, by: &SigningKey| {
            let policy = SafetyPolicy {
                organisation,
                robot: None,
                number,
                issued_at: protocol::UnixMicros(0),
                envelope: protocol::safety::Envelope::default(),
                workspace: Vec::new(),
                keep_out: Vec::new(),
                masks: Vec::new(),
                private: Vec::new(),
            };
            let kind = protocol::sealed::Kind::SafetyPolicy;
            BASE64_STANDARD.encode(protocol::sealed::seal(kind, &policy, by).unwrap())
        };

        assert!(folder.take_policy(&line(1, &stranger)).is_err());
        assert_eq!(folder.believed_policy().unwrap(), None);
        folder
            .take_policy(&format!("{}\n", line(2, &root)))
            .unwrap();
        folder.take_policy(&line(2, &root)).unwrap();
        let older = folder.take_policy(&line(1, &root)).unwrap_err().to_string();
        assert!(older.contains("older than 2"), "{older}");
        let mut again = SafetyPolicy {
            number: 2,
            ..folder.believed_policy().unwrap().unwrap()
        };
        again.envelope.speed_mm_s = 100;
        let kind = protocol::sealed::Kind::SafetyPolicy;
        let again = BASE64_STANDARD.encode(protocol::sealed::seal(kind, &again, &root).unwrap());
        assert!(
            folder.take_policy(&again).is_err(),
            "one number, two policies"
        );
        folder.take_policy(&line(3, &root)).unwrap();

        assert_eq!(folder.believed_policy().unwrap().unwrap().number, 3);
    }

    #[test]
    fn the_key_is_made_once_and_readable_by_nobody_else() {
        let folder = tempfile::tempdir().unwrap();
        let robot = Folder::open(folder.path()).unwrap();

        let first = robot.device_key().unwrap();
        let second = robot.device_key().unwrap();

        assert_eq!(first.to_bytes(), second.to_bytes());
        let mode = fs::metadata(folder.path().join("device.key"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
