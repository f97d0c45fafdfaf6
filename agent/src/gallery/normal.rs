//! The form of an H.264 frame in which browsers hand it to a page, whatever form it left the encoder in.

use bytes::Bytes;

const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// NAL unit types that do not travel: access unit delimiters and filler (ITU-T H.264, table 7-1).
const STAYS: [u8; 2] = [9, 12];

/// The frame with each unit behind a start code of four bytes, without what does not travel. Costs a copy only where it has to.
pub(super) fn h264_normal(unit: &Bytes) -> Bytes {
    let mut bytes = Vec::with_capacity(unit.len() + 8);
    for nal in units(unit) {
        let stays = nal
            .first()
            .is_none_or(|header| STAYS.contains(&(header & 0x1f)));
        if !stays {
            bytes.extend_from_slice(&START_CODE);
            bytes.extend_from_slice(nal);
        }
    }
    if bytes == **unit {
        return unit.clone();
    }
    bytes.into()
}

/// The NAL units between start codes of three or four bytes (ITU-T H.264, annex B), without the zeros that may trail.
fn units(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = after_start_code(bytes);
    std::iter::from_fn(move || {
        let begin = rest?;
        let end = start_code(begin).unwrap_or(begin.len());
        let (unit, next) = begin.split_at(end);
        rest = after_start_code(next);
        let zeros = unit.iter().rev().take_while(|byte| **byte == 0).count();
        Some(&unit[..unit.len() - zeros])
    })
}

fn start_code(bytes: &[u8]) -> Option<usize> {
    bytes.windows(3).position(|three| three == [0, 0, 1])
}

fn after_start_code(bytes: &[u8]) -> Option<&[u8]> {
    start_code(bytes).and_then(|at| bytes.get(at + 3..))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_start_codes_a_frame_has_one_form() {
        let normal: &[u8] = &[
            0, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 1, 0x68, 3, 0, 0, 0, 1, 0x65, 0, 0, 3, 9,
        ];
        for (name, form) in [
            ("normal", normal),
            (
                "short start codes",
                &[
                    0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 3, 0, 0, 1, 0x65, 0, 0, 3, 9,
                ],
            ),
            (
                "delimiter, filler and trailing zeros",
                &[
                    0, 0, 0, 1, 0x09, 0x10, 0, 0, 1, 0x67, 1, 2, 0, 0, 0, 0, 1, 0x68, 3, 0, 0, 1,
                    0x0c, 0xff, 0x80, 0, 0, 1, 0x65, 0, 0, 3, 9, 0, 0,
                ],
            ),
        ] {
            assert_eq!(h264_normal(&Bytes::copy_from_slice(form)), normal, "{name}");
        }
        assert!(h264_normal(&Bytes::from_static(&[1, 2, 3])).is_empty());
    }
}
