//! How a line of a ledger is read: columns between bars, bytes in hex with spaces for the eye.
//! Never skips a line it cannot read.

/// Lines of `text` as trimmed columns; empty lines and those that start with `#` are for the reader.
pub fn lines<const COLUMNS: usize>(text: &str) -> Vec<[&str; COLUMNS]> {
    let told = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    told.map(|line| {
        let columns: Vec<_> = line.split('|').map(str::trim).collect();
        columns.try_into().unwrap_or_else(|_| panic!("line {line:?} has not {COLUMNS} columns"))
    })
    .collect()
}

/// Bytes from hex digits.
pub fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<_> = hex.chars().filter(|char| !char.is_whitespace()).collect();
    assert!(digits.len().is_multiple_of(2), "odd number of digits in {hex:?}");
    let value = |char: char| char.to_digit(16).unwrap_or_else(|| panic!("{char:?} in {hex:?}")) as u8;
    digits.chunks(2).map(|pair| value(pair[0]) << 4 | value(pair[1])).collect()
}

/// Hex digits of bytes.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The framing called `name`; ` strict` behind it refuses keep-alives, ` max N` bounds it.
pub fn framing(told: &str) -> framing::Framing {
    let mut words = told.split_whitespace();
    let name = words.next().expect("a name");
    let mut framing = framing::Framing::by_name(name).unwrap_or_else(|| panic!("no framing {name:?}"));
    while let Some(word) = words.next() {
        match word {
            "strict" => framing.keepalive = false,
            "max" => framing.max_frame = words.next().and_then(|bound| bound.parse().ok()).expect("a bound"),
            other => panic!("{other:?} in {told:?}"),
        }
    }
    framing
}
