//! Where one page of the triage list ended, so that the next begins there whatever became of that case since.

use std::{fmt, str::FromStr};

use protocol::{CaseId, UnixMicros};

use crate::Case;

/// A place in the order of the triage list: open ones first, gravest first, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CaseCursor {
    /// Rises from the gravest that is open to the least that is over.
    pub rank: i16,
    /// When it was filed.
    pub opened_at: UnixMicros,
    /// Decides between two of the same moment.
    pub case: CaseId,
}

impl CaseCursor {
    /// The place of a case as it stands now. The column `triage_rank` says the same.
    pub fn of(case: &Case) -> Self {
        let behind_all_open = if case.phase.is_over() { 10 } else { 0 };
        Self {
            rank: behind_all_open - i16::from(case.gravity()),
            opened_at: case.opened_at,
            case: case.case,
        }
    }
}

/// The text is no cursor of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one that was given out")]
pub struct UnknownCursor;

impl fmt::Display for CaseCursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rank,
            opened_at,
            case,
        } = self;
        write!(formatter, "{rank}_{}_{case}", opened_at.0)
    }
}

impl FromStr for CaseCursor {
    type Err = UnknownCursor;

    fn from_str(text: &str) -> Result<Self, UnknownCursor> {
        let mut parts = text.splitn(3, '_');
        let mut next = || parts.next().ok_or(UnknownCursor);
        Ok(Self {
            rank: next()?.parse().map_err(|_no_rank| UnknownCursor)?,
            opened_at: UnixMicros(next()?.parse().map_err(|_no_moment| UnknownCursor)?),
            case: next()?.parse().map_err(|_no_id| UnknownCursor)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_cursor_reads_back_as_it_was_given_out_and_nothing_else_does() {
        let cursor = CaseCursor {
            rank: -5,
            opened_at: UnixMicros(-1_700_000_000_000_001),
            case: CaseId(Uuid::from_u128(7)),
        };

        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in [
            "",
            "_",
            "1_2",
            "1_2_3",
            "x_2_00000000-0000-0000-0000-000000000007",
        ] {
            assert_eq!(text.parse::<CaseCursor>(), Err(UnknownCursor), "{text}");
        }
    }
}
