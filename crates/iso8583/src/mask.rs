//! What people may see of a secret: six and four digits of a card number, nothing of tracks, PINs and keys (PCI DSS 4.0.1,
//! requirements 3.3 and 3.4.1).
//! Never needs to know who is looking. Guards: a masked value has no more of a card number than six and four digits.

use crate::dialect::Tags;
use crate::digits::hex_pair;
use crate::spec::{Field, Secret};
use crate::tlv;

/// The masked value of a field; `None` where it may be shown as it is.
pub(crate) fn value(spec: &Field, tags: Tags, content: &[u8], of_request: bool) -> Option<String> {
    match spec.secret {
        Secret::Whole => Some(HIDDEN.into()),
        Secret::Pan => Some(pan(content)),
        Secret::UnlessText => {
            let is_text = content.iter().all(|byte| (0x20..=0x7E).contains(byte));
            // Working keys come in answers, also as hexadecimal text.
            Some(if is_text && of_request {
                runs(&String::from_utf8_lossy(content), false)
            } else {
                HIDDEN.into()
            })
        }
        Secret::Runs => Some(long_runs(&String::from_utf8_lossy(content))),
        Secret::Tags if tags == Tags::Ber => Some(tagged(content)),
        Secret::Tags => Some(HIDDEN.into()),
        Secret::No if spec.binary => None,
        Secret::No if !has_long_run(content) => None,
        Secret::No => Some(core::str::from_utf8(content).map_or(HIDDEN.into(), |text| runs(text, false))),
    }
}

/// First six and last four digits; less where there are fewer than thirteen.
fn pan(content: &[u8]) -> String {
    let shown = |at: usize| content.len() >= 13 && at < 6 || at + 4 >= content.len() && content.len() >= 8;
    content.iter().enumerate().map(|(at, byte)| if shown(at) { char::from(*byte) } else { '*' }).collect()
}

/// Hides what looks like a card number inside text: 13 to 19 digits whose check digit holds.
pub(crate) fn runs(text: &str, clear: bool) -> String {
    hide_runs(text, |run| !clear && (13..=19).contains(&run.len()) && luhn(run))
}

/// Hides every run of digits long enough to be a card number.
fn long_runs(text: &str) -> String {
    hide_runs(text, |run| run.len() >= 13)
}

fn has_long_run(content: &[u8]) -> bool {
    content.split(|byte| !byte.is_ascii_digit()).any(|run| run.len() >= 13)
}

fn hide_runs(text: &str, hide: impl Fn(&[u8]) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len());
        let (run, after) = from.split_at(end);
        out.push_str(before);
        if hide(run.as_bytes()) {
            out.push_str(&pan(run.as_bytes()))
        } else {
            out.push_str(run)
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn luhn(digits: &[u8]) -> bool {
    terms::Pan::new(digits).is_some_and(terms::Pan::luhn_holds)
}

/// Chip data in hexadecimal with the values of card data starred; all of it if tags cannot be followed.
fn tagged(content: &[u8]) -> String {
    let mut shown = hex(content).into_bytes();
    if hide_tags(content, 0, &mut shown) {
        String::from_utf8_lossy(&shown).into_owned()
    } else {
        HIDDEN.into()
    }
}

fn hide_tags(content: &[u8], base: usize, shown: &mut [u8]) -> bool {
    for found in tlv::ber(content) {
        let Ok(found) = found else { return false };
        let start = base + (found.value.as_ptr() as usize - content.as_ptr() as usize);
        if SECRET_TAGS.contains(&found.tag) {
            shown[start * 2..(start + found.value.len()) * 2].fill(b'*');
        } else if tlv::is_constructed(found.tag) && !hide_tags(found.value, start, shown) {
            return false;
        }
    }
    true
}

/// The value of one tag, masked.
pub(crate) fn tag_value(found: &tlv::Tlv<'_>) -> String {
    if SECRET_TAGS.contains(&found.tag) {
        HIDDEN.into()
    } else if tlv::is_constructed(found.tag) {
        tagged(found.value)
    } else {
        hex(found.value)
    }
}

/// Upper-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| hex_pair(*byte)).map(char::from).collect()
}

const HIDDEN: &str = "****";

/// Card number, tracks and their kin, PIN, cardholder's name (EMV book 3, annex A; 9F6B is PayPass track 2).
pub(crate) const SECRET_TAGS: [&[u8]; 12] = [
    &[0x5A],
    &[0x57],
    &[0x56],
    &[0x99],
    &[0x5F, 0x20],
    &[0x9F, 0x0B],
    &[0x9F, 0x1F],
    &[0x9F, 0x20],
    &[0x9F, 0x6B],
    &[0x9F, 0x6C],
    &[0x9F, 0x6D],
    &[0xDF, 0x32],
];
