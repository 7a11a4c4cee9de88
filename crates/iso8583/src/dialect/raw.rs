//! The text of a dialect as it is written: every name here is a name in the TOML file.
//! Never checked beyond its shape; `compile` does that.

use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RawDialect {
    pub name: Spanned<String>,
    #[serde(default)]
    pub about: String,
    pub mti: RawCoding,
    pub bitmap: RawBitmap,
    #[serde(default)]
    pub defaults: RawDefaults,
    pub fields: BTreeMap<Spanned<String>, Spanned<RawField>>,
    pub keys: RawKeys,
    #[serde(default)]
    pub roles: BTreeMap<Spanned<String>, Spanned<String>>,
    pub reversal: RawReversal,
    pub answers: RawAnswers,
    pub codes: RawCodes,
    #[serde(default)]
    pub causes: BTreeMap<Spanned<String>, Spanned<String>>,
    pub kinds: Vec<Spanned<RawKind>>,
    #[serde(default)]
    pub says: Vec<Spanned<RawSay>>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawCoding {
    Ascii,
    Binary,
    Bcd,
    Ebcdic,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RawBitmap {
    pub encoding: RawCoding,
    /// 64, 128 or 192.
    pub highest: Spanned<u16>,
}

/// Encodings by class of type, for every field that does not say its own.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RawDefaults {
    pub number: Option<RawEncoding>,
    pub text: Option<RawEncoding>,
    pub track: Option<RawEncoding>,
    pub binary: Option<RawEncoding>,
    pub length: Option<RawEncoding>,
    pub justify: Option<RawSide>,
    pub track_justify: Option<RawSide>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawEncoding {
    Ascii,
    Bcd,
    Binary,
    Hex,
    Ebcdic037,
    Ebcdic1047,
    Hex037,
    Hex1047,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawSide {
    Left,
    Right,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RawField {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: RawType,
    /// Fixed size in digits, characters or bytes.
    pub size: Option<u16>,
    pub length: Option<RawLength>,
    pub length_encoding: Option<RawEncoding>,
    pub length_unit: Option<RawUnit>,
    pub max: Option<u16>,
    pub min: Option<u16>,
    pub encoding: Option<RawEncoding>,
    pub justify: Option<RawSide>,
    pub pad: Option<String>,
    pub secret: Option<RawSecret>,
    /// Whose private use it is.
    pub private: Option<String>,
    #[serde(default)]
    pub parts: Vec<RawPart>,
    pub tags: Option<RawTags>,
}

/// Types as ISO 8583 writes them; `ansb` is text of any characters.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawType {
    N,
    A,
    An,
    As,
    Ns,
    Ans,
    Ansb,
    Z,
    B,
    #[serde(rename = "x+n")]
    Signed,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum RawLength {
    L,
    Ll,
    Lll,
    Llll,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawUnit {
    Digits,
    Bytes,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawSecret {
    Pan,
    Whole,
    UnlessText,
    Runs,
    Tags,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawTags {
    Ber,
    Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPart {
    pub name: String,
    /// Units; absent for the last part: whatever is left.
    pub size: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawKeys {
    pub repeat: Spanned<Vec<Spanned<String>>>,
    pub original: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    pub alias: Vec<Spanned<String>>,
    pub link: Vec<Spanned<String>>,
    pub reversal: Vec<Spanned<RawReference>>,
    pub related: Vec<Spanned<RawReference>>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawReference {
    OriginalData,
    BatchAndStan,
    OurRrn,
    SameKey,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct RawReversal {
    pub mti: Spanned<String>,
    pub repeat_mti: Option<Spanned<String>>,
    pub stan: RawStan,
    pub reference: Spanned<RawReference>,
    pub reason: Spanned<u16>,
    pub fields: Spanned<Vec<u16>>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RawStan {
    Own,
    Original,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawAnswers {
    pub echo: Spanned<Vec<u16>>,
    pub restore: Spanned<Vec<u16>>,
    pub never: Spanned<Vec<u16>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawCodes {
    pub approve: Vec<Spanned<String>>,
    pub decline: Vec<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSay {
    pub kind: String,
    pub mti: Option<String>,
    pub code: Option<u8>,
    pub condition: Option<u8>,
    pub function: Option<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawKind {
    pub mti: String,
    pub code: Option<Vec<u8>>,
    pub condition: Option<Vec<u8>>,
    pub function: Option<Vec<u8>>,
    pub network: Option<Vec<u16>>,
    pub kind: String,
}
