//! Deterministic CBOR: what is read is written again as the very bytes.

use ciborium::Value;
use protocol::deterministic;

use crate::{Seed, Target, golden};

pub(crate) const TARGET: Target = Target {
    name: "cbor",
    run,
    seeds,
    longest: 4_096,
};

fn run(data: &[u8]) -> bool {
    let Ok(tree) = deterministic::from_slice::<Value>(data) else {
        return false;
    };
    let again = deterministic::to_vec(&tree).unwrap();
    assert_eq!(again, data, "read, and written otherwise");
    true
}

fn seeds() -> Vec<Seed> {
    let deep = |depth: usize| [vec![0x81; depth], vec![0x01]].concat();
    let hostile: [(&str, Vec<u8>); 14] = [
        ("an array within an array 31 deep", deep(31)),
        ("an array within an array 4000 deep", deep(4_000)),
        ("a text of 2 to the 63 bytes", with_head(0x7b)),
        ("a byte string of 2 to the 63 bytes", with_head(0x5b)),
        ("an array of 2 to the 63 items", with_head(0x9b)),
        ("a map of 2 to the 63 pairs", with_head(0xbb)),
        ("no number as half", vec![0xf9, 0x7e, 0x00]),
        ("no number with a payload", vec![0xf9, 0x7e, 0x01]),
        (
            "a large number as tag",
            vec![0xc2, 0x49, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        ),
        ("a small number as tag", vec![0xc2, 0x41, 1]),
        ("unsorted keys", b"\xa2\x62aa\x01\x61b\x02".to_vec()),
        ("a key twice", b"\xa2\x61b\x01\x61b\x02".to_vec()),
        ("a map as key", b"\xa1\xa1\x61b\x01\x02".to_vec()),
        ("without end", b"\xbf\x61b\x01\xff".to_vec()),
    ];
    let mut seeds = golden::values();
    seeds.extend(hostile.map(|(name, bytes)| Seed::new(name, bytes)));
    seeds
}

fn with_head(head: u8) -> Vec<u8> {
    let mut bytes = vec![head, 0x80, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend([0x61; 16]);
    bytes
}
