//! What a user looks for, as a search.
//! Never keeps a card number longer than it takes to make its token. Guards: words that are none are refused with those
//! that are.

use super::super::args::TxnFind;
use super::super::input;
use super::Failure;
use super::times::{self, Zone};
use crate::config::Config;
use archive::{Key, Outcome, Search, causes};
use engine::record::Serial;
use keys::{KeyFile, Tokenizer};
use terms::{CardToken, Cause, InternalCause, Pan};
use zeroize::Zeroizing;

pub(super) fn of(args: &TxnFind, config: &Config, zone: &Zone) -> Result<Search, Failure> {
    let mut keys = Vec::new();
    keys.extend(args.rrn.clone().map(Key::Rrn));
    keys.extend(args.stan.map(Key::Stan));
    keys.extend(args.terminal.clone().map(Key::Terminal));
    keys.extend(args.token.map(Key::Token));
    if let Some(from) = &args.pan {
        keys.push(Key::Token(token_of(from, config)?.0));
    }
    let now = times::now();
    let time = |text: &Option<String>| text.as_ref().map(|text| zone.parse(text, now)).transpose();
    let last = args.last.as_ref().map(|text| times::span(text)).transpose()?;
    let (causes, mut codes) = args.cause.as_deref().and_then(causes).unwrap_or_default();
    codes.extend(args.code.clone());
    Ok(Search {
        keys,
        from: last.map(|span| now - span).or(time(&args.from)?),
        to: time(&args.to)?,
        outcomes: args.outcome.clone(),
        causes,
        codes,
        limit: args.limit,
    })
}

/// The token of the card number in a file or on standard input.
fn token_of(from: &str, config: &Config) -> Result<CardToken, Failure> {
    let digits = Zeroizing::new(input::secret(from)?);
    let pan = Pan::new(digits.as_bytes()).ok_or_else(|| Failure::new("--pan: expected 8 to 19 digits"))?;
    let keys = KeyFile::load(&config.journal.key_file, &config.journal.dir);
    let keys = keys.map_err(|fault| Failure::because("a card number needs the key file", fault))?;
    Ok(Tokenizer::new(keys.token_key()).token(pan))
}

/// A number such as `3-0-1204`, terminal and STAN as `10000019/000403` (what was refused at once has no other), else an RRN.
pub(super) fn which(text: &str) -> Vec<Key> {
    let stan = |digits: &str| digits.parse().ok().filter(|stan| (1..=999_999).contains(stan));
    match text.rsplit_once('/').and_then(|(terminal, digits)| Some((terminal, stan(digits)?))) {
        Some((terminal, stan)) => vec![Key::Terminal(terminal.to_owned()), Key::Stan(stan)],
        None => vec![numbered(text)],
    }
}

fn numbered(text: &str) -> Key {
    let mut parts = text.splitn(3, '-').map(str::parse::<u64>);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(Ok(epoch)), Some(Ok(shard)), Some(Ok(counter))) if shard < 64 && counter < 1 << 42 => {
            Key::Serial(Serial::new(epoch as u32, shard as u8, counter).0)
        }
        _ => Key::Rrn(text.to_owned()),
    }
}

/// 32 hexadecimal digits.
pub(in crate::cli) fn token(text: &str) -> Result<[u8; 16], String> {
    let bytes = input::unhex(text.as_bytes()).filter(|_| text.len() == 32);
    let token = bytes.and_then(|bytes| bytes.try_into().ok());
    // What was typed may be a card number: it is not repeated.
    token.ok_or_else(|| "expected 32 hexadecimal digits; a card number comes with --pan from a file".into())
}

/// A word of the closed set.
pub(in crate::cli) fn outcome(text: &str) -> Result<Outcome, String> {
    let known = Outcome::ALL.map(Outcome::name);
    Outcome::from_name(text).ok_or_else(|| crate::config::expected(text, known))
}

/// A word of the closed sets.
pub(in crate::cli) fn cause(text: &str) -> Result<String, String> {
    let names = Cause::ALL.iter().map(|cause| cause.name());
    let names = names.chain(InternalCause::ALL.iter().map(|cause| cause.name()));
    causes(text).map(|_| text.to_owned()).ok_or_else(|| crate::config::expected(text, names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_told_from_an_rrn() {
        assert_eq!(which("3-0-1204"), [Key::Serial(Serial::new(3, 0, 1204).0)]);
        assert_eq!(which("326A0000001B"), [Key::Rrn("326A0000001B".into())]);
        assert_eq!(which("3-64-1"), [Key::Rrn("3-64-1".into())]);
        assert_eq!(which("10000019/000403"), [Key::Terminal("10000019".into()), Key::Stan(403)]);
        assert_eq!(which("10000019/0"), [Key::Rrn("10000019/0".into())]);
    }

    #[test]
    fn words_that_are_none_are_refused() {
        assert_eq!(token(&"c4".repeat(16)), Ok([0xC4; 16]));
        assert!(!token("6224242900000113").unwrap_err().contains("6224"));
        assert!(outcome("decline").unwrap_err().contains("\"declined\""));
        assert!(cause("limits").unwrap_err().contains("\"limit\""));
        assert_eq!(cause("over-daily-amount"), Ok("over-daily-amount".into()));
    }
}
