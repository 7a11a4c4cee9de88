//! How we call ourselves towards an issuer: TPDU, header, and the identities of our network management.
//! Never invents an identity. Guards: a text that is given has the length and letters its field has on the wire.

use super::peers;
use crate::config::raw::{self, Field};
use crate::config::section::Section;
use framing::Envelope;
use terms::Text;

/// TPDU and header of our requests, where the framing has them.
pub(super) fn envelope(section: &mut Section<'_>, raw: &raw::Issuer) -> Envelope {
    Envelope {
        tpdu: hex(section, "tpdu", &raw.tpdu, ENVELOPE.tpdu),
        header: hex(section, "header", &raw.header, ENVELOPE.header),
    }
}

/// DE 32 or 33 of our own messages, empty if the key is not there.
pub(super) fn institution(section: &mut Section<'_>, key: &str, field: &Field<String>) -> Text<11> {
    let value = field.as_ref().and_then(|value| peers::institution(section, key, value));
    value.unwrap_or(Text::EMPTY)
}

/// DE 41 or 42 of our own messages, empty if the key is not there.
pub(super) fn identity<const N: usize>(
    section: &mut Section<'_>,
    key: &str,
    field: &Field<String>,
) -> Text<N> {
    field.as_ref().and_then(|value| peers::identity(section, key, value)).unwrap_or(Text::EMPTY)
}

/// Exactly `N` bytes in hex digits, or `default`.
fn hex<const N: usize>(
    section: &mut Section<'_>,
    key: &str,
    field: &Field<String>,
    default: [u8; N],
) -> [u8; N] {
    let Some(value) = field else { return default };
    let text = value.get_ref();
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        section.problem(value.span(), format!("{key} = \"{text}\", expected {} hex digits", 2 * N));
        return default;
    }
    std::array::from_fn(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap_or_default())
}

/// Addresses of a TPDU are the peer's to assign; zeros are what a point-to-point line carries.
const ENVELOPE: Envelope = Envelope::request([0, 0], [0, 0]);
