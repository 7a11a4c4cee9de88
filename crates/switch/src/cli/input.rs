//! Bytes that a user hands over: hex digits, a file, or standard input; and dialects by name or file.
//! Never reads without a bound. Guards: a card number comes from a file or standard input, never from an argument.

use super::Failure;
use iso8583::Dialect;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// What a text can mean as bytes, the likelier meaning first.
#[derive(Debug)]
pub(super) struct Bytes {
    /// Each different meaning.
    pub meanings: Vec<Vec<u8>>,
}

/// The bytes behind `HEX|FILE|-`.
pub(super) fn bytes(input: &str) -> Result<Bytes, Failure> {
    let raw = match input {
        "-" => read("standard input", std::io::stdin().lock())?,
        name if Path::new(name).is_file() => file(Path::new(name))?,
        digits => {
            // The characters of a message begin with its type; anything else is a file that is not there.
            let message = unhex(digits.as_bytes()).is_some()
                || digits.bytes().take(4).all(|byte| byte.is_ascii_digit());
            let found = meanings(digits.as_bytes()).filter(|_| message);
            return found
                .ok_or_else(|| Failure::new(format!("{} is neither a file nor hex digits", shown(digits))));
        }
    };
    meanings(&raw).ok_or_else(|| Failure::new(format!("{input} is empty")))
}

/// Hex digits are bytes; digits may also be the characters of an ASCII message.
fn meanings(raw: &[u8]) -> Option<Bytes> {
    let text = raw.trim_ascii();
    if text.is_empty() {
        return None;
    }
    let hex = unhex(text);
    // A line end behind a text message is the editor's; in bytes that are no text it is part of them.
    let literal = if text.iter().all(|byte| matches!(byte, b' '..=b'~')) { text } else { raw };
    Some(Bytes { meanings: hex.into_iter().chain([literal.to_vec()]).collect() })
}

/// Hex digits with whatever people put between them.
pub(super) fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_prefix(b"0x").unwrap_or(text);
    let digits: Vec<u8> = text.iter().copied().filter(|byte| !b" \t\r\n:-".contains(byte)).collect();
    let value = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    let pair = |pair: &[u8]| Some(value(pair[0])? << 4 | value(*pair.get(1)?)?);
    digits.chunks(2).map(pair).collect()
}

/// The start of an argument, in case somebody pasted a message: never a whole card number.
fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("\"{}…\"", &text[..end]),
        None if text.bytes().filter(u8::is_ascii_digit).count() > SHOWN_MAX / 2 => "the argument".into(),
        None => format!("\"{text}\""),
    }
}

/// A secret's text from a file or, as `-`, standard input; without the line end.
pub(super) fn secret(from: &str) -> Result<String, Failure> {
    let raw =
        if from == "-" { read("standard input", std::io::stdin().lock())? } else { file(Path::new(from))? };
    let text = String::from_utf8(raw).map_err(|_| Failure::new(format!("{from} is not text")))?;
    Ok(text.trim().to_owned())
}

/// A built-in dialect by name, or one from a `.toml` file.
pub(super) fn dialect(name: &str) -> Result<Arc<Dialect>, Failure> {
    if name.ends_with(".toml") {
        let text = String::from_utf8(file(Path::new(name))?)
            .map_err(|_| Failure::new(format!("{name} is not text")))?;
        return Dialect::parse(&text, name).map(Arc::new).map_err(|errors| Failure::new(errors.to_string()));
    }
    Dialect::builtin(name).ok_or_else(|| {
        let expected = crate::config::expected(name, Dialect::builtin_names());
        Failure::new(format!("no dialect \"{name}\", {expected} (or a .toml file)"))
    })
}

fn file(path: &Path) -> Result<Vec<u8>, Failure> {
    let open = File::open(path)
        .map_err(|fault| Failure::because(format!("cannot open {}", path.display()), fault))?;
    read(&path.display().to_string(), open)
}

fn read(name: &str, from: impl Read) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    from.take(INPUT_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|fault| Failure::because(format!("cannot read {name}"), fault))?;
    if bytes.len() as u64 > INPUT_MAX {
        return Err(Failure::new(format!("{name} is longer than {INPUT_MAX} bytes")));
    }
    Ok(bytes)
}

/// Messages and dialects are a few kilobytes; this is a capture of many.
const INPUT_MAX: u64 = 16 << 20;
/// Characters of an argument in an error text.
const SHOWN_MAX: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_mean_bytes_first_and_characters_second() {
        let of = |text: &str| meanings(text.as_bytes()).unwrap().meanings;
        assert_eq!(of("0x01 02\nff"), [vec![1, 2, 255], b"0x01 02\nff".to_vec()]);
        assert_eq!(of("0100\n"), [vec![1, 0], b"0100".to_vec()]);
        assert_eq!(of("010"), [b"010".to_vec()]);
        assert_eq!(meanings(&[0x02, 0x00, b'\n']).unwrap().meanings, [vec![0x02, 0x00, b'\n']]);
        assert!(meanings(b" \n").is_none());
    }

    #[test]
    fn an_argument_is_never_shown_whole() {
        assert_eq!(shown("6224242900000113"), "\"622424290000…\"");
        assert_eq!(shown("622424290"), "the argument");
        assert_eq!(shown("capture.bin"), "\"capture.bin\"");
    }
}
