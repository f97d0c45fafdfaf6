//! Where one item of the file ends and the next begins: embedded CBOR (RFC 8949, section 3.4.5.1) with the shortest head.

/// The file's first item: self-described CBOR, and a text with the format's version.
pub(crate) const MAGIC: &[u8] = b"\xd9\xd9\xf7\x71nooterra-bundle/1";

/// Tag 24: the byte string that follows holds CBOR.
const EMBEDDED: [u8; 2] = [0xd8, 24];

/// Major type 2, a byte string, in the upper three bits of its first byte.
const BYTE_STRING: u8 = 0x40;

/// Appends `item` to a file.
pub(crate) fn put(item: &[u8], file: &mut Vec<u8>) {
    file.extend(EMBEDDED);
    put_head(item.len(), file);
    file.extend(item);
}

/// The item at the start of `bytes` and what is behind it; none if no whole item stands there.
pub(crate) fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let bytes = bytes.strip_prefix(&EMBEDDED)?;
    let first = *bytes.first()?;
    let width = match first.checked_sub(BYTE_STRING)? {
        0..24 => 0,
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None,
    };
    let (head, behind) = bytes.split_at_checked(1 + width)?;
    let length = match width {
        0 => u64::from(first - BYTE_STRING),
        _ => head[1..]
            .iter()
            .fold(0, |length, &byte| length << 8 | u64::from(byte)),
    };
    let length = usize::try_from(length).ok()?;
    let mut shortest = Vec::with_capacity(9);
    put_head(length, &mut shortest);
    (shortest == head)
        .then(|| behind.split_at_checked(length))
        .flatten()
}

fn put_head(length: usize, file: &mut Vec<u8>) {
    // A length in memory always fits.
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    let bytes = length.to_be_bytes();
    let (code, width) = match length {
        0..24 => {
            file.push(BYTE_STRING | bytes[7]);
            return;
        }
        24..=0xff => (24, 1),
        0x100..=0xffff => (25, 2),
        0x1_0000..=0xffff_ffff => (26, 4),
        0x1_0000_0000.. => (27, 8),
    };
    file.push(BYTE_STRING | code);
    file.extend(&bytes[8 - width..]);
}

#[cfg(test)]
mod tests {
    use ciborium::Value;

    use super::*;

    #[test]
    fn any_cbor_reader_finds_the_same_items() {
        for length in [0, 1, 23, 24, 255, 256, 65_535, 65_536] {
            let item = vec![7; length];
            let mut file = Vec::new();
            put(&item, &mut file);

            let read: Value = ciborium::from_reader(file.as_slice()).unwrap();

            assert_eq!(read, Value::Tag(24, Box::new(Value::Bytes(item.clone()))));
            assert_eq!(take(&file), Some((item.as_slice(), [].as_slice())));
        }
        let magic: Value = ciborium::from_reader(MAGIC).unwrap();
        let text = Value::Text("nooterra-bundle/1".to_owned());
        assert_eq!(magic, Value::Tag(55_799, Box::new(text)));
    }

    #[test]
    fn a_cut_item_or_a_longer_head_than_needed_is_no_item() {
        let mut file = Vec::new();
        put(&[7; 300], &mut file);

        for length in 0..file.len() {
            assert_eq!(take(&file[..length]), None, "cut at {length}");
        }
        for head in ["5800", "590001", "5a00000001", "5b0000000000000001", "5f"] {
            let bytes = [hex::decode(format!("d818{head}")).unwrap(), vec![7; 9]].concat();
            assert_eq!(take(&bytes), None, "{head}");
        }
        assert_eq!(
            take(&hex::decode("d8185bffffffffffffffff07").unwrap()),
            None
        );
    }
}
