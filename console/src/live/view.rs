//! The live pictures of one robot as a state machine: when to ask, when to wait, when to ask again.

use protocol::{RobotId, UnixMicros};

/// The live pictures of one robot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its number on the socket; a new one for every attempt.
    pub number: u32,
    /// Whose pictures.
    pub robot: RobotId,
    /// Which cameras, in the order of the offer.
    pub cameras: Vec<String>,
    /// The step that it is in.
    pub phase: ViewPhase,
    /// Attempts since it was last connected.
    pub attempt: u32,
    /// Whether the channel for commands is open.
    pub is_channel_open: bool,
    /// Why the last attempt ended.
    pub trouble: Option<Trouble>,
}

/// Why pictures don't come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Frozen code.
    pub code: String,
    /// In words.
    pub words: String,
}

/// The steps of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewPhase {
    /// Waits for the socket, or for its next attempt.
    Waiting {
        /// When the next attempt starts; absent while there is no socket.
        retry_at: Option<UnixMicros>,
    },
    /// The browser writes its offer, the gateway answers, the two look for a path.
    Opening {
        /// Since when.
        since: UnixMicros,
    },
    /// Pictures can flow.
    Connected,
    /// The path is interrupted; it may heal by itself.
    Shaky {
        /// Since when.
        since: UnixMicros,
    },
}

/// A path that is interrupted for longer is given up. Two seconds bridge a change of radio cells.
pub const SHAKY_FOR_US: i64 = 2_000_000;

/// From the offer to a path: a satellite link needs under three seconds.
pub const OPENING_FOR_US: i64 = 8_000_000;

/// The first wait, and the longest.
const RETRY_US: (i64, i64) = (250_000, 5_000_000);

/// How long to wait after `attempt` failures: doubling, with the upper half of it left to `chance` (0 to 1), so that
/// consoles that lost the same gateway don't come back in the same instant.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "at most five million microseconds"
)]
pub fn retry_after_us(attempt: u32, chance: f64) -> i64 {
    let whole = (RETRY_US.0 << attempt.min(10)).min(RETRY_US.1);
    let half = whole / 2;
    let waited = half + (half as f64 * chance.clamp(0.0, 1.0)) as i64;
    waited.max(RETRY_US.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound_and_differ_by_chance() {
        assert_eq!(retry_after_us(0, 0.0), 250_000);
        assert_eq!(retry_after_us(2, 0.0), 500_000);
        assert_eq!(retry_after_us(2, 1.0), 1_000_000);
        assert_eq!(retry_after_us(40, 1.0), 5_000_000);
        assert!(retry_after_us(5, 0.2) < retry_after_us(5, 0.7));
    }
}
