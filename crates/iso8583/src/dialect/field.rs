//! One field of a dialect's text to its compiled form.
//! Never guesses an encoding: what neither the field nor the defaults say is a mistake.

use super::raw::{
    RawDefaults, RawEncoding, RawField, RawLength, RawSecret, RawSide, RawTags, RawType, RawUnit,
};
use super::{Label, Part, PartLabel, Tags};
use crate::ebcdic::Page;
use crate::spec::{Field, Prefix, Secret, Shape};

/// What people call the field, and what is inside it.
pub(crate) fn label(n: u8, raw: &RawField) -> Label {
    let mut from = 0;
    let parts = raw.parts.iter().map(|part| {
        let len = part.size.unwrap_or(0);
        let label = PartLabel { name: part.name.clone(), part: Part { field: n, from, len } };
        from += len;
        label
    });
    let parts = parts.collect();
    let tags = match raw.tags {
        None => Tags::None,
        Some(RawTags::Ber) => Tags::Ber,
        Some(RawTags::Text) => Tags::Text,
    };
    Label { field: n, name: raw.name.clone(), parts, tags }
}

/// The compiled form of one field, or what is wrong with it.
pub(crate) fn field_spec(raw: &RawField, defaults: &RawDefaults) -> Result<Field, String> {
    let encoding = raw
        .encoding
        .or(default_encoding(raw.kind, defaults))
        .ok_or("encoding is missing and has no default")?;
    let (shape, page) = shape(raw.kind, encoding)?;
    let packed = u8::from(matches!(shape, Shape::Bcd | Shape::BcdTrack));
    let hex = matches!(shape, Shape::AsciiHex | Shape::EbcdicHex);
    let unit_of_max = if hex { 2 } else { 1 };
    let (prefix, width) = prefix(raw, defaults)?;
    let max = match (raw.size, raw.max, prefix) {
        (Some(size), None, Prefix::Fixed) if size > 0 => size,
        (None, Some(max), prefix) if prefix != Prefix::Fixed && max > 0 => max,
        _ => return Err("expected either size, or length and max, each over 0".into()),
    };
    let max = max.checked_mul(unit_of_max).filter(|max| *max <= 9999).ok_or("longer than 9999")?;
    let digits = matches!(raw.kind, RawType::N | RawType::Z);
    let counts_bytes = raw.length_unit == Some(RawUnit::Bytes);
    let scale = u8::from(counts_bytes && (packed == 1 || hex));
    let side = raw.justify.or(match raw.kind {
        RawType::N => defaults.justify,
        RawType::Z => defaults.track_justify.or(Some(RawSide::Left)),
        _ => Some(RawSide::Left),
    });
    let pad = padding(raw)?;
    let min = raw.min.unwrap_or(u16::from(digits)).saturating_mul(unit_of_max);
    if min > max {
        return Err(format!("min {min} is over max {max}"));
    }
    if prefix != Prefix::Fixed && !length_holds(prefix, width, max >> scale) {
        return Err(format!("a length of {width} bytes cannot say {max}"));
    }
    Ok(Field {
        shape,
        prefix,
        width,
        packed,
        hex: u8::from(hex),
        scale,
        pad,
        left: side == Some(RawSide::Left),
        binary: raw.kind == RawType::B,
        page,
        secret: secret(raw.secret),
        min: if prefix == Prefix::Fixed { max } else { min },
        max,
        family: raw.private.as_deref().map_or(0, terms::stable_id),
    })
}

fn default_encoding(kind: RawType, defaults: &RawDefaults) -> Option<RawEncoding> {
    match kind {
        RawType::N => defaults.number,
        RawType::Z => defaults.track,
        RawType::B => defaults.binary,
        _ => defaults.text,
    }
}

fn shape(kind: RawType, encoding: RawEncoding) -> Result<(Shape, Page), String> {
    use RawEncoding as E;
    use RawType as T;
    let page = if matches!(encoding, E::Ebcdic1047 | E::Hex1047) { Page::Cp1047 } else { Page::Cp037 };
    let ebcdic = matches!(encoding, E::Ebcdic037 | E::Ebcdic1047);
    let shape = match (kind, encoding) {
        (T::N, E::Ascii) => Shape::AsciiDigits,
        (T::N, E::Bcd) => Shape::Bcd,
        (T::N, _) if ebcdic => Shape::EbcdicDigits,
        (T::Z, E::Ascii) => Shape::AsciiTrack,
        (T::Z, E::Bcd) => Shape::BcdTrack,
        (T::Z, _) if ebcdic => Shape::EbcdicTrack,
        (T::Signed, E::Ascii) => Shape::AsciiSigned,
        (T::Signed, _) if ebcdic => Shape::EbcdicSigned,
        (T::B, E::Binary) => Shape::Bytes,
        (T::B, E::Hex) => Shape::AsciiHex,
        (T::B, E::Hex037 | E::Hex1047) => Shape::EbcdicHex,
        (T::Ansb, E::Ascii | E::Binary) => Shape::Bytes,
        (T::Ansb, _) if ebcdic => Shape::EbcdicAny,
        (T::A | T::An | T::As | T::Ns | T::Ans, E::Ascii) => Shape::AsciiText,
        (T::A | T::An | T::As | T::Ns | T::Ans, _) if ebcdic => Shape::EbcdicText,
        _ => return Err(format!("encoding {encoding:?} does not go with the type").to_lowercase()),
    };
    Ok((shape, page))
}

fn prefix(raw: &RawField, defaults: &RawDefaults) -> Result<(Prefix, u8), String> {
    let Some(length) = raw.length else { return Ok((Prefix::Fixed, 0)) };
    let digits = match length {
        RawLength::L => 1,
        RawLength::Ll => 2,
        RawLength::Lll => 3,
        RawLength::Llll => 4_u8,
    };
    match raw.length_encoding.or(defaults.length) {
        Some(RawEncoding::Ascii) => Ok((Prefix::Ascii, digits)),
        Some(RawEncoding::Ebcdic037 | RawEncoding::Ebcdic1047) => Ok((Prefix::Ebcdic, digits)),
        Some(RawEncoding::Bcd) => Ok((Prefix::Bcd, digits.div_ceil(2))),
        Some(RawEncoding::Binary) => Ok((Prefix::Binary, if digits <= 2 { 1 } else { 2 })),
        Some(RawEncoding::Hex | RawEncoding::Hex037 | RawEncoding::Hex1047) => {
            Err("a length cannot be hexadecimal".into())
        }
        None => Err("the length has no encoding and no default".into()),
    }
}

/// Whether a prefix of so many bytes can say `value`.
fn length_holds(prefix: Prefix, width: u8, value: u16) -> bool {
    let most = match prefix {
        Prefix::Binary => 256_u64.pow(u32::from(width)) - 1,
        Prefix::Bcd => 100_u64.pow(u32::from(width)) - 1,
        _ => 10_u64.pow(u32::from(width)) - 1,
    };
    u64::from(value) <= most
}

fn padding(raw: &RawField) -> Result<u8, String> {
    match raw.pad.as_deref() {
        None | Some("0") => Ok(0),
        Some("F") if matches!(raw.kind, RawType::N | RawType::Z) => Ok(0xF),
        Some(other) => Err(format!("pad: expected \"0\" or \"F\" of a packed field, found \"{other}\"")),
    }
}

fn secret(raw: Option<RawSecret>) -> Secret {
    match raw {
        None => Secret::No,
        Some(RawSecret::Pan) => Secret::Pan,
        Some(RawSecret::Whole) => Secret::Whole,
        Some(RawSecret::UnlessText) => Secret::UnlessText,
        Some(RawSecret::Runs) => Secret::Runs,
        Some(RawSecret::Tags) => Secret::Tags,
    }
}
