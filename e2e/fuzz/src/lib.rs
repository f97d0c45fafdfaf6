//! What faces the network, given any bytes. Each target is one pure function: an engine looks for bytes that break a claim of it,
//! and the ordinary tests replay what engines found worth keeping (`corpus/`). `docs/fuzzing.md` says what each covers.

#![expect(
    clippy::unwrap_used,
    reason = "what a target can't do with what it made itself is a finding"
)]

mod golden;
mod input;
mod targets;

/// The house that the agent's own tests steer a robot of: what is signed there is what is signed here.
#[path = "../../../agent/tests/cast/mod.rs"]
#[expect(dead_code, reason = "not every line of the cast plays here")]
mod cast;

/// One parser, or one promise.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// The name of its folder in `corpus/`.
    pub name: &'static str,
    /// Whether the bytes were taken for something. Panics when a claim about them does not hold.
    pub run: fn(&[u8]) -> bool,
    /// What the code knows to try: all that an engine starts from beside the corpus.
    pub seeds: fn() -> Vec<Seed>,
    /// Longer inputs than this are not made up: what is longer is refused before it is parsed, or is more of the same.
    pub longest: usize,
}

/// An input under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// Letters, digits and underscores.
    pub name: String,
    /// The input.
    pub bytes: Vec<u8>,
}

impl Seed {
    fn new(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let plain = |letter: char| {
            if letter.is_ascii_alphanumeric() {
                letter
            } else {
                '_'
            }
        };
        Self {
            name: name.chars().map(plain).collect(),
            bytes: bytes.into(),
        }
    }
}

/// All of them.
pub const TARGETS: &[Target] = &[
    targets::cbor::TARGET,
    targets::sealed::TARGET,
    targets::signed::EVENTS,
    targets::signed::AUTHORITY,
    targets::signed::COMMANDS,
    targets::policy::TARGET,
    targets::passkey::TARGET,
    targets::frames::ROBOT,
    targets::frames::CONSOLE,
    targets::frames::STILLS,
    targets::bodies::TARGET,
    targets::words::TARGET,
    targets::bundle::TARGET,
    targets::proofs::TARGET,
    targets::media::RTP,
    targets::media::OFFER,
    targets::media::DATAGRAM,
    targets::orders::TARGET,
    targets::envelope::TARGET,
];
