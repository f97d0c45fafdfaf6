//! Numbers for one outgoing stream: sequence and time stamps that stay continuous across gaps and publishers. Pure.

use std::time::{Duration, Instant};

/// Video RTP runs at 90 kHz.
const CLOCK_KHZ: u128 = 90;

/// Between two publishers at least one frame time passes at 30 fps, so that no two frames share a time stamp.
const SHORTEST_HANDOVER: u32 = 3_000;

/// After this many packets a late one from before the opening cannot be mistaken for a new one any more.
const OPENING_REMEMBERED: u16 = 8_192;

/// Where an incoming packet stands in its own stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Incoming {
    /// Which publisher stream it belongs to; changes when the publisher does.
    pub(super) source: u64,
    /// The sequence number it came with.
    pub(super) sequence: u16,
    /// The time stamp it came with.
    pub(super) timestamp: u32,
}

/// Where it stands in the outgoing stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Outgoing {
    /// The sequence number to send.
    pub(super) sequence: u16,
    /// The time stamp to send.
    pub(super) timestamp: u32,
}

/// Renumbers one outgoing stream.
#[derive(Debug, Default)]
pub(super) struct Rewriter {
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    source: u64,
    /// The first incoming sequence number since the gate opened, while it still matters.
    opened_at: Option<u16>,
    sequence_offset: u16,
    timestamp_offset: u32,
    highest: Outgoing,
    highest_at: Instant,
}

impl Rewriter {
    /// Numbers one packet. `opens` marks the first packet after packets were left out on purpose.
    /// `None` for a packet from before the opening: it has no place in the outgoing stream.
    pub(super) fn rewrite(
        &mut self,
        incoming: Incoming,
        opens: bool,
        now: Instant,
    ) -> Option<Outgoing> {
        let running = match &mut self.running {
            Some(running) if running.source == incoming.source => {
                if opens {
                    running.reopen(incoming);
                }
                running
            }
            Some(running) => {
                running.hand_over(incoming, now);
                running
            }
            None => self.running.insert(Running::begin(incoming, now)),
        };
        running.number(incoming, now)
    }
}

impl Running {
    fn begin(incoming: Incoming, now: Instant) -> Self {
        Self {
            source: incoming.source,
            opened_at: Some(incoming.sequence),
            sequence_offset: 0,
            timestamp_offset: 0,
            highest: Outgoing {
                sequence: incoming.sequence.wrapping_sub(1),
                timestamp: incoming.timestamp,
            },
            highest_at: now,
        }
    }

    fn reopen(&mut self, incoming: Incoming) {
        let next = self.highest.sequence.wrapping_add(1);
        self.sequence_offset = next.wrapping_sub(incoming.sequence);
        self.opened_at = Some(incoming.sequence);
    }

    fn hand_over(&mut self, incoming: Incoming, now: Instant) {
        self.source = incoming.source;
        self.reopen(incoming);
        let passed = ticks(now.saturating_duration_since(self.highest_at)).max(SHORTEST_HANDOVER);
        let next = self.highest.timestamp.wrapping_add(passed);
        self.timestamp_offset = next.wrapping_sub(incoming.timestamp);
    }

    fn number(&mut self, incoming: Incoming, now: Instant) -> Option<Outgoing> {
        if let Some(opened_at) = self.opened_at {
            let since = incoming.sequence.wrapping_sub(opened_at);
            if since >= u16::MAX / 2 {
                return None;
            }
            if since > OPENING_REMEMBERED {
                self.opened_at = None;
            }
        }
        let outgoing = Outgoing {
            sequence: incoming.sequence.wrapping_add(self.sequence_offset),
            timestamp: incoming.timestamp.wrapping_add(self.timestamp_offset),
        };
        let ahead = outgoing.sequence.wrapping_sub(self.highest.sequence);
        if ahead != 0 && ahead < u16::MAX / 2 {
            self.highest = outgoing;
            self.highest_at = now;
        }
        Some(outgoing)
    }
}

fn ticks(passed: Duration) -> u32 {
    u32::try_from(passed.as_micros() * CLOCK_KHZ / 1_000).unwrap_or(u32::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(source: u64, sequence: u16, timestamp: u32) -> Incoming {
        Incoming {
            source,
            sequence,
            timestamp,
        }
    }

    #[test]
    fn packets_left_out_on_purpose_leave_no_gap() {
        let now = Instant::now();
        let mut rewriter = Rewriter::default();

        let first = rewriter.rewrite(packet(1, 65_535, 100), true, now).unwrap();
        let resumed = rewriter.rewrite(packet(1, 40, 900), true, now).unwrap();

        assert_eq!(resumed.sequence, first.sequence.wrapping_add(1));
        assert_eq!(resumed.timestamp - first.timestamp, 800);
    }

    #[test]
    fn packets_lost_on_the_way_leave_their_gap_for_the_retransmission() {
        let now = Instant::now();
        let mut rewriter = Rewriter::default();
        rewriter.rewrite(packet(1, 10, 100), true, now);

        let after_gap = rewriter.rewrite(packet(1, 12, 100), false, now).unwrap();
        let late = rewriter.rewrite(packet(1, 11, 100), false, now).unwrap();

        assert_eq!(after_gap.sequence.wrapping_sub(late.sequence), 1);
    }

    #[test]
    fn a_late_packet_from_before_the_opening_is_left_out() {
        let now = Instant::now();
        let mut rewriter = Rewriter::default();
        rewriter.rewrite(packet(1, 500, 100), true, now);

        assert_eq!(rewriter.rewrite(packet(1, 499, 90), false, now), None);
    }

    #[test]
    fn a_new_publisher_continues_where_the_old_one_stopped() {
        let start = Instant::now();
        let mut rewriter = Rewriter::default();
        let last = rewriter.rewrite(packet(1, 7, 4_000), true, start).unwrap();

        let later = start + Duration::from_secs(1);
        let next = rewriter
            .rewrite(packet(2, 30_000, 77), true, later)
            .unwrap();

        assert_eq!(next.sequence, last.sequence + 1);
        assert_eq!(next.timestamp, last.timestamp + 90_000);
    }

    #[test]
    fn numbering_survives_many_wraps_of_the_sequence() {
        let now = Instant::now();
        let mut rewriter = Rewriter::default();
        let mut previous = rewriter.rewrite(packet(1, 0, 0), true, now).unwrap();

        for step in 1..200_000_u32 {
            let sequence = u16::try_from(step & 0xffff).unwrap();
            let next = rewriter
                .rewrite(packet(1, sequence, step), false, now)
                .unwrap();
            assert_eq!(next.sequence, previous.sequence.wrapping_add(1));
            previous = next;
        }
    }
}
