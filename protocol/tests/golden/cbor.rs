//! A reader of CBOR of its own: what is deterministic (RFC 8949 §4.2.1) is judged here by the bytes alone, without
//! the library that wrote them.

/// Major types (RFC 8949 §3.1).
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const SIMPLE: u8 = 7;

/// The first bytes of an item: what it is, and a number, a length or a float.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head {
    at: usize,
    major: u8,
    /// How many bytes the argument takes behind the first one.
    width: usize,
    argument: u64,
}

impl Head {
    fn end(self) -> usize {
        self.at + 1 + self.width
    }

    fn is_float(self) -> bool {
        self.major == SIMPLE && self.width > 1
    }
}

/// Every head of the one item that `bytes` are; or what is not deterministic in it, and where.
pub(crate) fn heads(bytes: &[u8]) -> Result<Vec<Head>, String> {
    let mut heads = Vec::new();
    let end = item(bytes, 0, &mut heads)?;
    if end == bytes.len() {
        Ok(heads)
    } else {
        Err(format!("something follows at {end}"))
    }
}

/// Reads the item at `at` and what is in it, and says where it ends.
fn item(bytes: &[u8], at: usize, heads: &mut Vec<Head>) -> Result<usize, String> {
    let head = head(bytes, at)?;
    heads.push(head);
    let mut end = head.end();
    match head.major {
        BYTES | TEXT => {
            let length = usize::try_from(head.argument).map_err(|error| error.to_string())?;
            let content = bytes.get(end..).and_then(|rest| rest.get(..length));
            let content = content.ok_or_else(|| format!("cut at {at}"))?;
            if head.major == TEXT && std::str::from_utf8(content).is_err() {
                return Err(format!("no text at {at}"));
            }
            Ok(end + length)
        }
        ARRAY => {
            for _ in 0..head.argument {
                end = item(bytes, end, heads)?;
            }
            Ok(end)
        }
        MAP => map(bytes, head, heads),
        TAG => item(bytes, end, heads),
        _ => Ok(end),
    }
}

/// Keys rise by their bytes, so that none stands twice.
fn map(bytes: &[u8], head: Head, heads: &mut Vec<Head>) -> Result<usize, String> {
    let mut end = head.end();
    let mut last: &[u8] = &[];
    for _ in 0..head.argument {
        let key_ends = item(bytes, end, heads)?;
        let key = &bytes[end..key_ends];
        if key <= last {
            return Err(format!("the key at {end} does not rise"));
        }
        last = key;
        end = item(bytes, key_ends, heads)?;
    }
    Ok(end)
}

fn head(bytes: &[u8], at: usize) -> Result<Head, String> {
    let first = *bytes.get(at).ok_or_else(|| format!("cut at {at}"))?;
    let (major, short) = (first >> 5, first & 0x1f);
    let width = match short {
        0..24 => 0,
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return Err(format!("indefinite or reserved at {at}")),
    };
    let behind = bytes.get(at + 1..at + 1 + width);
    let behind = behind.ok_or_else(|| format!("cut at {at}"))?;
    let written = behind
        .iter()
        .fold(0, |number: u64, &byte| number << 8 | u64::from(byte));
    let head = Head {
        at,
        major,
        width,
        argument: if width == 0 {
            u64::from(short)
        } else {
            written
        },
    };
    let needed = match head.argument {
        _ if head.is_float() => float_width(float(head)),
        0..24 => 0,
        24..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        0x1_0000_0000.. => 8,
    };
    if width == needed {
        Ok(head)
    } else {
        Err(format!("{width} bytes at {at} where {needed} do"))
    }
}

/// The number in a float's bits.
fn float(head: Head) -> f64 {
    match head.width {
        2 => half(head.argument),
        4 => u32::try_from(head.argument).map_or(f64::NAN, |bits| f32::from_bits(bits).into()),
        _ => f64::from_bits(head.argument),
    }
}

/// RFC 8949, appendix D.
fn half(bits: u64) -> f64 {
    let exponent = i32::try_from(bits >> 10 & 0x1f).unwrap_or_default();
    let mantissa = f64::from(u16::try_from(bits & 0x3ff).unwrap_or_default());
    let size = match exponent {
        0 => mantissa * 2_f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (mantissa + 1024.0) * 2_f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { size } else { -size }
}

/// The fewest bytes that hold exactly this number. A half has 11 bits, the lowest of them worth 2^-24 or more.
fn float_width(number: f64) -> usize {
    if !number.is_finite() || number == 0.0 {
        return 2;
    }
    let biased = i32::try_from(number.to_bits() >> 52 & 0x7ff).unwrap_or_default();
    let exponent = biased - 1023;
    let is_whole = |lowest: i32| (number / 2_f64.powi(lowest)).fract() == 0.0;
    if exponent < 16 && is_whole(exponent.max(-14) - 10) {
        2
    } else if exponent < 128 && is_whole(exponent.max(-126) - 23) {
        4
    } else {
        8
    }
}

/// The same with the head's argument in more bytes than it needs; none where no more can be taken.
fn lengthened(bytes: &[u8], head: Head) -> Option<Vec<u8>> {
    let (code, behind) = match head.width {
        0 => (24, vec![u8::try_from(head.argument).ok()?]),
        2 | 4 if head.is_float() => (27, float(head).to_bits().to_be_bytes().to_vec()),
        1 => (
            25,
            u16::try_from(head.argument).ok()?.to_be_bytes().to_vec(),
        ),
        2 => (
            26,
            u32::try_from(head.argument).ok()?.to_be_bytes().to_vec(),
        ),
        4 => (27, head.argument.to_be_bytes().to_vec()),
        _ => return None,
    };
    let first = [head.major << 5 | code];
    Some([&bytes[..head.at], &first, &behind, &bytes[head.end()..]].concat())
}

/// The item with each of its heads in more bytes than it needs, and which one.
pub(crate) fn lengthened_anywhere(item: &[u8]) -> Vec<(String, Vec<u8>)> {
    let heads = heads(item).unwrap().into_iter();
    heads
        .filter_map(|head| Some((format!("longer at {}", head.at), lengthened(item, head)?)))
        .collect()
}

/// Each way in which a map says the same with other bytes: at an open end, doubled, turned round, with more behind
/// it, and with any of its heads longer than needed.
pub(crate) fn written_otherwise(map: &[u8]) -> Vec<(String, Vec<u8>)> {
    let whole = head(map, 0).unwrap();
    assert!(
        whole.major == MAP && whole.argument > 0,
        "needs a map with something in it"
    );
    let mut forms = lengthened_anywhere(map);
    let content = &map[whole.end()..];
    forms.push((
        "at an open end".to_owned(),
        [&[0xbf], content, &[0xff]].concat(),
    ));
    forms.push(("with more behind it".to_owned(), [map, &[0xf6]].concat()));
    let pairs = pairs(map, whole);
    let doubled: Vec<&[u8]> = std::iter::once(pairs[0])
        .chain(pairs.iter().copied())
        .collect();
    forms.push(("doubled".to_owned(), joined(&doubled)));
    if pairs.len() > 1 {
        let turned: Vec<&[u8]> = pairs.iter().rev().copied().collect();
        forms.push(("turned round".to_owned(), joined(&turned)));
    }
    forms
}

/// A key and its value each.
fn pairs(map: &[u8], whole: Head) -> Vec<&[u8]> {
    let mut pairs = Vec::new();
    let mut start = whole.end();
    for _ in 0..whole.argument {
        let value = item(map, start, &mut Vec::new()).unwrap();
        let end = item(map, value, &mut Vec::new()).unwrap();
        pairs.push(&map[start..end]);
        start = end;
    }
    pairs
}

/// A map of fewer than 24 pairs.
fn joined(pairs: &[&[u8]]) -> Vec<u8> {
    let count = u8::try_from(pairs.len()).unwrap();
    assert!(count < 24, "the head is a single byte");
    let head = [MAP << 5 | count];
    std::iter::once(head.as_slice())
        .chain(pairs.iter().copied())
        .flatten()
        .copied()
        .collect()
}
