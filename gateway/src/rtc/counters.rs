//! What the relay counts for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

use super::connection::Lane;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// A snapshot of what the relay has counted since it started.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct RtcCounters {
            $($(#[$doc])* pub $name: u64,)+
        }

        /// The live counters. Relaxed: each is read alone, none guards another.
        #[derive(Debug, Default)]
        pub(super) struct Counting {
            $(pub(super) $name: Counter,)+
        }

        impl Counting {
            pub(super) fn snapshot(&self) -> RtcCounters {
                RtcCounters { $($name: self.$name.value(),)+ }
            }
        }
    };
}

counters! {
    /// Datagrams read from the port.
    datagrams_in,
    /// Datagrams that were no STUN, DTLS or RTP, too short, or too large.
    datagrams_malformed,
    /// Datagrams from an address that no connection owns.
    datagrams_unknown,
    /// Datagrams dropped because their connection was behind.
    datagrams_overrun,
    /// Datagrams the kernel would not take for sending.
    datagrams_unsent,
    /// Video packets that came from publishers.
    packets_in,
    /// Video bytes (RTP payload) that came from publishers.
    bytes_in,
    /// Video packets handed to viewers.
    packets_forwarded,
    /// Video bytes (RTP payload) handed to viewers.
    bytes_forwarded,
    /// Video packets not handed to a viewer that was behind or waiting for a key frame.
    packets_dropped,
    /// Video packets of publishers that could not be understood.
    packets_malformed,
    /// Key frame requests sent to publishers.
    keyframe_requests,
    /// Fast messages dropped because their reader was behind.
    fast_dropped,
    /// Reliable messages that no channel took: it did not stand, or too much was waiting. Their senders have another way.
    reliable_dropped,
    /// Publishers connected or connecting now.
    publishers,
    /// Viewers connected or connecting now.
    viewers,
}

impl Counting {
    /// Counts messages of a lane that went nowhere.
    pub(super) fn dropped(&self, lane: Lane) -> &Counter {
        match lane {
            Lane::Reliable => &self.reliable_dropped,
            Lane::Fast => &self.fast_dropped,
        }
    }
}

/// One counter or gauge.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    pub(super) fn subtract(&self, amount: u64) {
        self.0.fetch_sub(amount, Ordering::Relaxed);
    }

    pub(super) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
