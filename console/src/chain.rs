//! The own chain of a session key: which number the next event carries, and what an answer does to it.

use protocol::{event::ActorChain, views::Problem};
use sha2::{Digest as _, Sha256};

/// Where the chain of a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Chain {
    number: u64,
    head: [u8; 32],
}

impl Chain {
    /// The place of the next event.
    pub const fn next(&self) -> ActorChain {
        ActorChain {
            number: self.number + 1,
            previous: self.head,
        }
    }

    /// The gateway took the event: the next one follows it.
    pub fn took(&mut self, sealed: &[u8]) {
        self.number += 1;
        self.head = Sha256::digest(sealed).into();
    }
}

/// What became of a signed act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The gateway turned it down: its place in the chain is free again.
    Refused,
    /// The gateway does not believe the key, or its chain, any more: another key may do.
    KeyRefused,
    /// Whether it was taken is unknown. The same bytes may be sent again; nothing else may follow under this key.
    Unknown,
}

/// What a problem means for the act that met it.
pub fn outcome(problem: &Problem) -> Outcome {
    match (problem.status, problem.code.as_str()) {
        (0 | 500.., _) => Outcome::Unknown,
        (_, "gap" | "forked" | "unnumbered" | "signature_refused") => Outcome::KeyRefused,
        _ => Outcome::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(status: u16, code: &str) -> Problem {
        Problem {
            kind: String::new(),
            title: String::new(),
            status,
            code: code.to_owned(),
            detail: String::new(),
        }
    }

    #[test]
    fn the_number_rises_only_with_an_event_that_was_taken() {
        let mut chain = Chain::default();
        assert_eq!((chain.next().number, chain.next().previous), (1, [0; 32]));
        assert_eq!(chain.next().number, 1);

        chain.took(b"first");

        let expected: [u8; 32] = Sha256::digest(b"first").into();
        assert_eq!((chain.next().number, chain.next().previous), (2, expected));
    }

    #[test]
    fn what_a_problem_means_for_the_act() {
        let table = [
            (0, "unreachable", Outcome::Unknown),
            (502, "unreadable", Outcome::Unknown),
            (503, "unavailable", Outcome::Unknown),
            (409, "wrong_phase", Outcome::Refused),
            (401, "signed_out", Outcome::Refused),
            (409, "gap", Outcome::KeyRefused),
            (409, "forked", Outcome::KeyRefused),
            (400, "signature_refused", Outcome::KeyRefused),
        ];
        for (status, code, expected) in table {
            assert_eq!(outcome(&problem(status, code)), expected, "{code}");
        }
    }
}
