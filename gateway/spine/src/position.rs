//! Where a follower stands in the log: a transaction and a sequence number, as text for `Last-Event-ID`.

use std::{fmt, str::FromStr};

/// A place in the order in which followers read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub(crate) transaction: u64,
    pub(crate) sequence: i64,
}

impl Position {
    /// Before the first event.
    pub const START: Self = Self {
        transaction: 0,
        sequence: 0,
    };
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.transaction, self.sequence)
    }
}

/// The text is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a position in the log")]
pub struct UnreadablePosition;

impl FromStr for Position {
    type Err = UnreadablePosition;

    fn from_str(text: &str) -> Result<Self, UnreadablePosition> {
        let (transaction, sequence) = text.split_once('-').ok_or(UnreadablePosition)?;
        let position = Self {
            transaction: transaction.parse().map_err(|_text| UnreadablePosition)?,
            sequence: sequence.parse().map_err(|_text| UnreadablePosition)?,
        };
        // One position, one text: no plus sign, no leading zeros, nothing negative.
        (position.to_string() == text && position.sequence >= 0)
            .then_some(position)
            .ok_or(UnreadablePosition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_as_it_was_written() {
        let position = Position {
            transaction: u64::MAX,
            sequence: i64::MAX,
        };

        assert_eq!(position.to_string().parse(), Ok(position));
        assert_eq!("0-0".parse(), Ok(Position::START));
    }

    #[test]
    fn text_that_is_no_position_is_refused() {
        for text in [
            "", "-", "5", "5-", "-5", "5--1", "+5-1", "05-1", "5-1 ", "5-1-1", "a-b",
        ] {
            assert_eq!(text.parse::<Position>(), Err(UnreadablePosition), "{text}");
        }
    }
}
