//! Rows that an honest page and a dishonest network make, written as the input is read.

use crate::{Seed, input::block};

/// Fresh, of the page's, on a picture of 60 milliseconds: flawed as `faults` says.
fn word(faults: u8) -> Vec<u8> {
    vec![faults, 5, 20]
}

fn drive(faults: u8, speed: i32, steps: u8) -> Vec<u8> {
    let mut bytes = vec![steps * 16];
    bytes.extend(word(faults));
    if speed == 0 {
        bytes.push(0);
    } else {
        let choice = u16::try_from(speed + 2_000).unwrap();
        bytes.push(1);
        bytes.extend(choice.to_le_bytes());
        bytes.extend(3_000_u16.to_le_bytes());
    }
    bytes.push(0);
    bytes
}

fn command(faults: u8, words: u8, verb: &[u8], steps: u8) -> Vec<u8> {
    let head = [&[steps * 16 + 5], &word(faults)[..], &[words], verb].concat();
    [&head[..], &300_u16.to_le_bytes(), &[0]].concat()
}

const ARM: &[u8] = &[0];
const RELEASE: &[u8] = &[3];
const TARGET: &[u8] = &[7, 0x58, 0x1b, 0x70, 0x17];

pub(super) fn seeds() -> Vec<Seed> {
    let still = drive(0, 0, 5).repeat(8);
    let armed = [&[0], &still[..], &command(0, 0, ARM, 1), &drive(0, 0, 1)].concat();
    let driven = [&armed[..], &drive(0, 600, 3).repeat(6), &drive(0, 0, 9)].concat();
    let stop = [12 + 32, 1, 0];
    let after = |more: &[u8]| [&driven[..], more, &drive(0, 500, 3)].concat();
    let flaws = (1..=8).map(|flaw| drive(flaw, 500, 2)).collect::<Vec<_>>();
    let noise = [&[14, 0], &block(b"\x84\x40\xa0\x40\x40")[..]].concat();
    let odd_grant = [
        &[9, 0],
        &block(&[1, 0, 0, 0, 0, 0, 1, 0, 1, 9, 9, 9, 9])[..],
    ]
    .concat();
    let released = [
        &stop[..],
        &command(0, 1, RELEASE, 2),
        &command(0, 0, ARM, 1),
    ]
    .concat();
    vec![
        Seed::new("driven", driven.clone()),
        Seed::new("silent", after(&[15 + 240, 0, 0, 50])),
        Seed::new("stopped", after(&stop)),
        Seed::new("stopped and released", after(&released)),
        Seed::new("pressed", after(&[13 + 16, 1, 13, 0])),
        Seed::new("passed on", after(&[8, 1, 0, 0, 0, 0, 0, 0])),
        Seed::new("let go", after(&[8, 0, 3, 1])),
        Seed::new("revoked", after(&[11, 9, 0, 0])),
        Seed::new("off the roster", after(&[10, 9, 0, 0])),
        Seed::new("another grant", after(&odd_grant)),
        Seed::new("noise", after(&noise)),
        Seed::new("flawed words", [&armed[..], &flaws.concat()].concat()),
        Seed::new(
            "sent to a target",
            [&[0], &command(0, 0, TARGET, 3)[..]].concat(),
        ),
        Seed::new(
            "nobody",
            [&[3], &still[..], &command(0, 0, ARM, 1)].concat(),
        ),
    ]
}
