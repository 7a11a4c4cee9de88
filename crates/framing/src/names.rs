//! Names of framings, as configuration and command line say them.
//! Grammar: `FORM[-inclusive][+tpdu][+header6][+etx|+etx-extra]`, or an alias for a usual combination.
//! Guards: whatever `Display` prints for a named setting, `by_name` reads back to the same setting.

use std::fmt;

use crate::{Framing, Header, LengthForm};

impl Framing {
    /// The framing called `name`, with the default bound and keep-alives accepted; `None` when there is none.
    /// `+etx` is counted in the length (BASE24), `+etx-extra` follows after it.
    pub fn by_name(name: &str) -> Option<Self> {
        let full = ALIASES.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, full)| full);
        let mut parts = full.split('+').peekable();
        let form = parts.next()?;
        let (form, inclusive) = form.strip_suffix("-inclusive").map_or((form, false), |form| (form, true));
        let length = FORMS.iter().find(|(name, _)| *name == form)?.1;
        let mut framing = Self { length, inclusive, ..Self::default() };
        framing.tpdu = parts.next_if_eq(&"tpdu").is_some();
        if parts.next_if_eq(&"header6").is_some() {
            framing.header = Header::UnionPay6;
        }
        if let Some(suffix) = parts.next_if(|part| matches!(*part, "etx" | "etx-extra")) {
            framing.trailer = Some(ETX);
            framing.trailer_counted = suffix == "etx";
        }
        parts.next().is_none().then_some(framing)
    }

    /// The usual names, for help texts and error messages; [`Framing::by_name`] knows more combinations.
    pub fn names() -> impl Iterator<Item = &'static str> {
        USUAL.into_iter()
    }
}

impl fmt::Display for Framing {
    /// The name, by its alias where it has one. A trailer other than ETX has no name and is shown as its byte.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let full = self.spelled_out();
        match ALIASES.iter().find(|(_, spelled)| *spelled == full) {
            Some((alias, _)) => f.write_str(alias),
            None => f.write_str(&full),
        }
    }
}

impl Framing {
    fn spelled_out(&self) -> String {
        let form = FORMS.iter().find(|(_, form)| *form == self.length).map_or("", |(name, _)| name);
        let mut name = String::from(form);
        if self.inclusive {
            name.push_str("-inclusive");
        }
        if self.tpdu {
            name.push_str("+tpdu");
        }
        if self.header == Header::UnionPay6 {
            name.push_str("+header6");
        }
        match self.trailer {
            None => {}
            Some(ETX) if self.trailer_counted => name.push_str("+etx"),
            Some(ETX) => name.push_str("+etx-extra"),
            Some(byte) => name.push_str(&format!("+trailer 0x{byte:02x}")),
        }
        name
    }
}

/// End of text: the trailer of BASE24.
pub const ETX: u8 = 0x03;

const FORMS: [(&str, LengthForm); 5] = [
    ("binary2", LengthForm::Binary2),
    ("bcd2", LengthForm::Bcd2),
    ("ascii4", LengthForm::Ascii4),
    ("hex4", LengthForm::Hex4),
    ("binary4", LengthForm::Binary4),
];

const ALIASES: [(&str, &str); 3] =
    [("unionpay", "binary2+tpdu+header6"), ("nac", "binary2+tpdu"), ("base24", "binary2+etx")];

const USUAL: [&str; 13] = [
    "unionpay",
    "nac",
    "base24",
    "binary2",
    "binary2-inclusive",
    "bcd2",
    "bcd2-inclusive",
    "ascii4",
    "ascii4-inclusive",
    "hex4",
    "hex4-inclusive",
    "binary4",
    "binary4-inclusive",
];
