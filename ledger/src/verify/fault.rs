//! What can be wrong with a bundle: for machines a frozen code, for people why and what it means.

use protocol::sealed::{KeyId, SealFailure};
use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use crate::log::{CheckpointFault, Hash, ProofFailure};

const FOREIGN_FILE: &str = "The file was not exported by Nooterra, or its first bytes are damaged. Nothing in it was \
    looked at.";
const ALTERED_FILE: &str = "The file was altered or damaged after it was exported. It does not say by whom. Ask for a \
    fresh export: if the log is whole, that one verifies.";
const BAD_EXPORT: &str = "The entry says something else of itself than the gateway's manifest does: it was changed before \
    the export, or put into the wrong bundle.";
const OTHER_KEY: &str = "Somebody signed it, but not with a key you trust. Compare your keys with the paper you were \
    given; if they are right, the bundle is not from that gateway.";
const ALTERED_BYTES: &str = "These bytes are not the ones that were signed: they were changed later, in this file or in \
    the database it came from.";
const NO_ACTOR: &str = "Nothing here proves who caused this event. The gateway recorded it all the same: its operator has \
    to explain why.";
const ALTERED_HISTORY: &str = "Events were left out, doubled or put in another order than the one in which they were \
    recorded.";
const NOT_IN_LOG: &str = "The log that signed the checkpoint does not hold this entry there: the entry, its proof or the \
    log was changed.";
const NO_CHECKPOINT: &str = "Without a checkpoint that its log signed, the proofs lead to nothing.";
const TWO_HISTORIES: &str = "The log showed one history to you and another to whoever exported this. That cannot happen \
    by accident.";
const AGAINST_RULES: &str = "The events are genuine, but no gateway that keeps the rules would have recorded this one here.";
const ALTERED_ATTACHMENT: &str = "The words or the picture were altered after they were logged. The signed events are not \
    affected.";

/// What is wrong. Codes are frozen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file begins otherwise.
    #[error("this is no evidence bundle, or one of another version")]
    NotABundle,
    /// An item can't be read.
    #[error("its bytes can't be read")]
    Unreadable,
    /// Nothing behind the damage can be found.
    #[error("it lies behind bytes that can't be read")]
    BehindDamage,
    /// The manifest lists it and it isn't there.
    #[error("the manifest lists it and it is missing")]
    Missing,
    /// Another item stands in its place.
    #[error("something else stands in its place: the order was changed")]
    Moved,
    /// It has another hash than the manifest says.
    #[error("its bytes are not those that the manifest lists: they were changed after the export")]
    Changed {
        /// By the manifest.
        listed: Hash,
        /// Of the bytes that are here.
        found: Hash,
    },
    /// The manifest doesn't list it.
    #[error("the manifest does not list it")]
    Extra,
    /// The manifest says something else of it than it says itself.
    #[error("it is not what the manifest says it is")]
    Mislabelled,
    /// Nothing says what ought to be here.
    #[error("there is none that can be read")]
    NoManifest,
    /// A key that the reader doesn't trust.
    #[error("it is signed by the key {key}, which is not among the trusted ones")]
    UntrustedKey {
        /// Its name.
        key: KeyId,
    },
    /// The signature is not of these bytes.
    #[error("the gateway's signature does not match the bytes")]
    BadSignature,
    /// Not in the form that we seal.
    #[error("it is no sealed envelope of ours: {0}")]
    Malformed(String),
    /// The actor's signature is not of these bytes.
    #[error("its actor's signature does not match the bytes")]
    BadActorSignature,
    /// No entry of the bundle says whose the key is.
    #[error("its actor's key {key} is bound to nobody by this bundle")]
    UnboundKey {
        /// Its name.
        key: KeyId,
    },
    /// The key was bound afterwards.
    #[error("its actor's key was bound only after it was recorded")]
    BoundLater,
    /// The sign-in's time was over.
    #[error("its actor's session key had expired when it was recorded")]
    ExpiredKey,
    /// The sign-in had ended.
    #[error("its actor's session key had ended when it was recorded")]
    EndedKey,
    /// Only the gateway signs for others.
    #[error("it claims to be on behalf of somebody, which only the gateway may sign")]
    OnBehalf,
    /// Robots have no roles.
    #[error("a robot's key claims to act in a person's role")]
    RobotInRole,
    /// The binding contradicts itself, or another.
    #[error("it binds a key wrongly: {0}")]
    BadBinding(&'static str),
    /// A stream has a gap.
    #[error("it has number {found} in its stream where {expected} was due")]
    Gap {
        /// The number that was due.
        expected: u64,
        /// The number that stands there.
        found: u64,
    },
    /// An entry names another one before it.
    #[error("it does not follow the entry before it in its stream")]
    Previous,
    /// A stream that must be here has no entry.
    #[error("no event of {stream} is here")]
    NoEvents {
        /// Which stream.
        stream: String,
    },
    /// Of another organisation.
    #[error("it belongs to another organisation")]
    Organisation,
    /// A case about another job.
    #[error("the case is about another job")]
    OtherJob,
    /// The actor gave it no number.
    #[error("it has no number among its actor's events")]
    Unnumbered,
    /// The actor's numbers don't rise.
    #[error("its actor's number {number} is doubled or does not rise")]
    ActorNumber {
        /// Which.
        number: u64,
    },
    /// The actor named another event before it.
    #[error("it does not follow its actor's event before it")]
    ActorPrevious,
    /// The case froze another history of the job.
    #[error("the case froze another history of the job than the one here")]
    Frozen,
    /// It isn't where it claims to be in the log.
    #[error("the log's tree does not hold it: {0}")]
    NotIncluded(ProofFailure),
    /// The checkpoint is not believed.
    #[error("{0}")]
    Checkpoint(CheckpointFault),
    /// The log's key isn't one.
    #[error("the log's key in the manifest is no key")]
    LogKey,
    /// The known checkpoint is not believed.
    #[error("the known checkpoint: {0}")]
    Earlier(CheckpointFault),
    /// Two checkpoints of different logs.
    #[error("the known checkpoint is of another log")]
    OtherLog,
    /// The two checkpoints are of different histories.
    #[error("the log tells two histories: {0}")]
    Forked(ProofFailure),
    /// The rules don't allow the event there.
    #[error("the rules do not allow it here: {0}")]
    Replay(String),
    /// It isn't what was logged.
    #[error("its salted hash is not the one in the log: it was changed after it was logged")]
    AttachmentChanged {
        /// In the log.
        logged: Hash,
        /// Of the bytes that are here.
        found: Hash,
    },
    /// No event names it.
    #[error("no event of this bundle names it")]
    Unnamed,
}

impl Fault {
    /// The frozen code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotABundle => "not_a_bundle",
            Self::Unreadable => "unreadable",
            Self::BehindDamage => "behind_damage",
            Self::Missing => "missing",
            Self::Moved => "moved",
            Self::Changed { .. } => "changed",
            Self::Extra => "extra",
            Self::Mislabelled => "mislabelled",
            Self::NoManifest => "no_manifest",
            Self::UntrustedKey { .. } => "untrusted_key",
            Self::BadSignature => "bad_signature",
            Self::Malformed(_) => "malformed",
            Self::BadActorSignature => "bad_actor_signature",
            Self::UnboundKey { .. } => "unbound_key",
            Self::BoundLater => "bound_later",
            Self::ExpiredKey => "expired_key",
            Self::EndedKey => "ended_key",
            Self::OnBehalf => "on_behalf",
            Self::RobotInRole => "robot_in_role",
            Self::BadBinding(_) => "bad_binding",
            Self::Gap { .. } => "gap",
            Self::Previous => "previous",
            Self::NoEvents { .. } => "no_events",
            Self::Organisation => "organisation",
            Self::OtherJob => "other_job",
            Self::Unnumbered => "unnumbered",
            Self::ActorNumber { .. } => "actor_number",
            Self::ActorPrevious => "actor_previous",
            Self::Frozen => "frozen",
            Self::NotIncluded(_) => "not_included",
            Self::Checkpoint(_) => "checkpoint",
            Self::LogKey => "log_key",
            Self::Earlier(_) => "earlier",
            Self::OtherLog => "other_log",
            Self::Forked(_) => "forked",
            Self::Replay(_) => "replay",
            Self::AttachmentChanged { .. } => "attachment_changed",
            Self::Unnamed => "unnamed",
        }
    }

    /// What follows from it, for who must decide something.
    pub const fn meaning(&self) -> &'static str {
        match self {
            Self::NotABundle => FOREIGN_FILE,
            Self::Unreadable
            | Self::BehindDamage
            | Self::Missing
            | Self::Moved
            | Self::Changed { .. }
            | Self::Extra
            | Self::NoManifest
            | Self::Malformed(_) => ALTERED_FILE,
            Self::Mislabelled => BAD_EXPORT,
            Self::UntrustedKey { .. } | Self::LogKey => OTHER_KEY,
            Self::BadSignature | Self::BadActorSignature => ALTERED_BYTES,
            Self::UnboundKey { .. }
            | Self::BoundLater
            | Self::ExpiredKey
            | Self::EndedKey
            | Self::OnBehalf
            | Self::RobotInRole
            | Self::BadBinding(_) => NO_ACTOR,
            Self::Gap { .. }
            | Self::Previous
            | Self::NoEvents { .. }
            | Self::Organisation
            | Self::OtherJob
            | Self::Unnumbered
            | Self::ActorNumber { .. }
            | Self::ActorPrevious
            | Self::Frozen => ALTERED_HISTORY,
            Self::NotIncluded(_) => NOT_IN_LOG,
            Self::Checkpoint(_) | Self::Earlier(_) | Self::OtherLog => NO_CHECKPOINT,
            Self::Forked(_) => TWO_HISTORIES,
            Self::Replay(_) => AGAINST_RULES,
            Self::AttachmentChanged { .. } | Self::Unnamed => ALTERED_ATTACHMENT,
        }
    }

    /// The hash that ought to be and the one that is, where that is what differs.
    pub const fn hashes(&self) -> Option<(Hash, Hash)> {
        if let Self::Changed {
            listed: expected,
            found,
        }
        | Self::AttachmentChanged {
            logged: expected,
            found,
        } = self
        {
            return Some((*expected, *found));
        }
        None
    }

    /// Of an envelope that the gateway is to have sealed.
    pub(super) fn of_seal(failure: &SealFailure) -> Self {
        match failure {
            SealFailure::BadSignature => Self::BadSignature,
            SealFailure::Malformed
            | SealFailure::WrongKind
            | SealFailure::WrongKey
            | SealFailure::Payload(_) => Self::Malformed(failure.to_string()),
        }
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Fault", 3)?;
        fields.serialize_field("code", self.code())?;
        fields.serialize_field("why", &self.to_string())?;
        match self.hashes() {
            Some((expected, found)) => {
                let hashes = [hex::encode(expected), hex::encode(found)];
                fields.serialize_field("hashes", &hashes)?;
            }
            None => fields.skip_field("hashes")?,
        }
        fields.end()
    }
}
