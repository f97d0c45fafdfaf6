//! Any bytes as a camera's datagrams, for the fuzz targets: what is claimed of the intake whatever comes in.

use std::time::Duration;

use protocol::{UnixMicros, robot::Codec};

use super::{cache::MOST_PACKETS, intake::Intake, packet::MOST_BYTES, unit::access_unit};

/// Whether a datagram of them was taken. Each stands behind a byte for the time that passes, and two for its length.
///
/// # Panics
///
/// When a claim does not hold.
pub fn takes(data: &[u8]) -> bool {
    let Some((which, mut rest)) = data.split_first() else {
        return false;
    };
    let codec = [Codec::H264, Codec::Vp8][usize::from(which & 1)];
    let mut intake = Intake::new(codec);
    let mut now = Duration::ZERO;
    let mut is_wanted = which & 2 != 0;
    let mut passed_on = intake.set_wanted(is_wanted).len();
    while let Some(([after, low, high], tail)) = rest.split_first_chunk::<3>() {
        now += Duration::from_millis(u64::from(*after) * 10);
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(tail.len());
        let (datagram, tail) = tail.split_at(length);
        rest = tail;
        if *after == u8::MAX {
            is_wanted = !is_wanted;
            passed_on += intake.set_wanted(is_wanted).len();
        }
        let before = intake.counters();
        match intake.take(datagram, now, UnixMicros(0)) {
            Ok(packets) => {
                assert!(datagram.len() <= MOST_BYTES);
                assert!(is_wanted || packets.is_empty(), "passed on, and unwanted");
                assert_eq!(intake.counters().packets, before.packets + 1);
                passed_on += packets.len();
            }
            Err(_) => assert_eq!(intake.counters().packets, before.packets),
        }
        let group = intake.cache().group().count();
        assert!(group <= MOST_PACKETS, "{group} packets are kept");
        let key_frame = intake.cache().key_frame();
        assert!(key_frame.len() <= group);
        if let Some(unit) = access_unit(&key_frame) {
            // Each packet puts no more than a start code before each of its units, which have a length of two bytes.
            assert!(unit.len() <= key_frame.len() * 4 * MOST_BYTES);
        }
        let _signal = intake.signal(now);
    }
    // No more than came in, what was put before key frames, and a group at each time that somebody began to look.
    let taken = intake.counters().packets;
    assert!(is_wanted || passed_on == 0 || taken > 0);
    taken > 0
}
