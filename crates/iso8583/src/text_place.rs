//! Where an answer has room for a text for people. Never a field that means something to machines; guards: the field holds
//! characters, is not secret, and comes behind what the shortest refusal has.

use crate::dialect::{Dialect, Part};
use crate::spec::{Prefix, Secret, Shape};

/// A field, or the end of one, that takes text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TextPlace {
    pub(crate) part: Part,
    room: u16,
    any_bytes: bool,
}

impl TextPlace {
    /// Bytes of text that fit.
    pub fn room(self) -> usize {
        usize::from(self.room)
    }

    /// Whether it takes any bytes, such as GBK and UTF-8, or ASCII alone.
    pub fn takes_any_bytes(self) -> bool {
        self.any_bytes
    }
}

impl Dialect {
    /// The dialect's own place for text, if it has one.
    pub fn text_place(&self) -> Option<TextPlace> {
        self.takes_text(self.roles.text?)
    }

    /// The place that `reference` names: a field such as `44`, or a part of one such as `63.2`. `None` if there is none, or if
    /// it cannot take text.
    pub fn text_place_at(&self, reference: &str) -> Option<TextPlace> {
        let (field, part) =
            reference.split_once('.').map_or((reference, None), |(field, part)| (field, Some(part)));
        let field: u8 = field.parse().ok()?;
        let Some(part) = part else { return self.takes_text(Part::whole(field)) };
        let at = part.parse::<usize>().ok()?.checked_sub(1)?;
        self.takes_text(self.label(field)?.parts.get(at)?.part)
    }

    fn takes_text(&self, part: Part) -> Option<TextPlace> {
        let field = self.field(part.field);
        let any_bytes = field.shape == Shape::Bytes && !field.binary;
        let is_text =
            any_bytes || matches!(field.shape, Shape::AsciiText | Shape::EbcdicText | Shape::EbcdicAny);
        // The last part only: what came behind it would be lost.
        let is_last = part.len == 0;
        let ours = part.field > LAST_OF_REFUSAL && !self.is_role(part.field);
        let varies = field.prefix != Prefix::Fixed && field.secret == Secret::No;
        let room = field.max.min(TEXT_MAX as u16).saturating_sub(part.from);
        (is_text && is_last && ours && varies).then_some(TextPlace { part, room, any_bytes })
    }

    fn is_role(&self, n: u8) -> bool {
        let roles = &self.roles;
        let parts =
            [roles.function, roles.batch, roles.network_code, roles.original_batch, roles.original_stan];
        [roles.acquirer, roles.rrn, roles.approval_code, roles.code, roles.original_data].contains(&n)
            || parts.iter().flatten().any(|part| part.field == n)
            || ADDRESSES.contains(&n)
    }
}

/// A refusal ends with DE 41.
const LAST_OF_REFUSAL: u8 = 41;
/// Merchant, its name and place: what an answer repeats.
const ADDRESSES: [u8; 2] = [42, 43];
/// Texts are put together in so many bytes.
pub(crate) const TEXT_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn place(dialect: &str, reference: &str) -> Option<(usize, bool)> {
        let dialect = Dialect::builtin(dialect).unwrap();
        dialect.text_place_at(reference).map(|place| (place.room(), place.takes_any_bytes()))
    }

    #[test]
    fn texts_have_places_of_their_own() {
        for (dialect, reference, expected) in [
            ("unionpay-pos", "63.2", Some((160, true))),
            ("unionpay-pos", "44", Some((25, true))),
            ("unionpay-pos", "63.1", None),
            ("unionpay-pos", "60", None),
            ("unionpay-pos", "62", None),
            ("unionpay-pos", "39", None),
            ("iso87-ascii", "44", Some((25, true))),
            ("iso87-ascii", "63", Some((256, true))),
            ("iso87-ascii", "63.2", None),
            ("iso87-ascii", "42", None),
            ("iso87-ascii", "55", None),
            ("iso87-ascii", "4", None),
            ("iso87-ascii", "200", None),
            ("iso87-ebcdic", "63", Some((256, false))),
            ("iso87-ascii", "text", None),
        ] {
            assert_eq!(place(dialect, reference), expected, "{dialect} {reference}");
        }
        let own = |dialect| Dialect::builtin(dialect).unwrap().text_place().map(TextPlace::room);
        assert_eq!((own("unionpay-pos"), own("iso87-binary")), (Some(160), Some(25)));
    }
}
