//! What the chip said, as far as a journal may keep it: card sequence number (DE 23) and chip data (DE 55).
//!
//! The terminal's message is gone when what it told of is passed on at last; this stands in for it.
//! Never keeps a card number, track, PIN or name. Guards: chip data that cannot be followed is not kept at all.

use crate::canon::CHIP;
use crate::dialect::Dialect;
use crate::index::Index;
use crate::mask::SECRET_TAGS;
use crate::tlv::{self, Tlv};
use crate::view::View;

/// DE 23.
pub(crate) const SEQUENCE: u8 = 23;
/// In its place where there is none.
const NO_SEQUENCE: u16 = u16::MAX;
const SEQUENCE_BYTES: usize = 2;

/// Appends to `out` what may be kept of a decoded message, at most `most` bytes: the card sequence number as two bytes, little
/// end first, then chip data without a card's secrets; nothing where there is neither. `false`: there is chip data, but it
/// cannot be followed or is too long, and none of it was kept.
pub fn keep_chip(dialect: &Dialect, bytes: &[u8], index: &Index, most: usize, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    let sequence =
        View::new(dialect, bytes, index).number(SEQUENCE).and_then(|number| number.try_into().ok());
    out.extend_from_slice(&sequence.unwrap_or(NO_SEQUENCE).to_le_bytes());
    let data = index.raw(CHIP, bytes).unwrap_or_default();
    let followed = tlv::ber(data).all(|found| match found {
        Ok(found) if is_secret(&found) => true,
        Ok(found) => tlv::put_ber(found.tag, found.value, out),
        Err(_) => false,
    });
    let kept = followed && out.len() - start <= most;
    if !kept {
        out.truncate(start + SEQUENCE_BYTES);
    }
    if out.len() == start + SEQUENCE_BYTES && sequence.is_none() {
        out.truncate(start);
    }
    kept
}

/// Card sequence number and chip data of what was kept.
pub(crate) fn kept(content: &[u8]) -> (Option<u64>, &[u8]) {
    let Some((sequence, data)) = content.split_first_chunk::<SEQUENCE_BYTES>() else { return (None, &[]) };
    let sequence = u16::from_le_bytes(*sequence);
    (Some(u64::from(sequence)).filter(|_| sequence != NO_SEQUENCE), data)
}

/// It, or something inside of it, is nobody's to keep; so is a template that cannot be followed.
fn is_secret(found: &Tlv<'_>) -> bool {
    SECRET_TAGS.contains(&found.tag)
        || tlv::is_constructed(found.tag)
            && tlv::ber(found.value).any(|inner| inner.as_ref().map_or(true, is_secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Writer;
    use bytes::BytesMut;
    use terms::Mti;

    fn notice(sequence: Option<u64>, chip: &[u8]) -> Vec<u8> {
        let dialect = Dialect::builtin("unionpay-pos").unwrap();
        let mut out = BytesMut::new();
        let mut writer = Writer::new(&dialect, Mti::of(0x0620), &mut out);
        writer.text(2, b"6224242900000113").number(11, 7);
        if let Some(sequence) = sequence {
            writer.number(SEQUENCE, sequence);
        }
        writer.binary(CHIP, chip).finish().unwrap();
        let (mut index, mut content) = (Index::new(), Vec::new());
        crate::decode(&dialect, &out, &mut index).unwrap();
        assert_eq!(keep_chip(&dialect, &out, &index, 200, &mut content), chip.len() < 200 && chip[0] != 0x9F);
        content
    }

    #[test]
    fn what_is_secret_stays_out() {
        let track = [0x57, 0x03, 0x62, 0x24, 0x24];
        let (script, result) = ([0xDF, 0x31, 0x01, 0x20], [0x95, 0x05, 0x00, 0x80, 0x04, 0xE0, 0x00]);
        let template = [&[0x70, 0x05][..], &track].concat();
        let content = notice(Some(1), &[&script[..], &track, &template, &result].concat());
        assert_eq!(kept(&content), (Some(1), &[&script[..], &result].concat()[..]));
        assert_eq!(kept(&notice(None, &script)), (None, &script[..]));
    }

    #[test]
    fn what_cannot_be_followed_or_is_too_long_is_not_kept() {
        assert_eq!(kept(&notice(Some(2), &[0x9F, 0x26, 0x08, 0x11])), (Some(2), &[][..]));
        let long = [&[0xDF, 0x31, 0x81, 0xF0][..], &[7; 0xF0]].concat();
        assert_eq!(kept(&notice(Some(3), &long)), (Some(3), &[][..]));
        assert!(notice(None, &long).is_empty());
    }
}
