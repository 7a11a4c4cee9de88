//! The configuration file: a raw form as it stands in TOML, turned into the checked one.
//! Never shows a card number in an error; guards: unknown words are mistakes, and all mistakes are told together.

use super::{ConfigFault, ENTRIES_MAX, IssuerConfig, ListenConfig, OPEN_BALANCE, SimConfig, UnknownCards};
use crate::account::{Account, Status};
use crate::ledger::Keep;
use crate::mood::{Act, Ending, LATE, Mood, When, standard_moods};
use core::time::Duration;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;
use terms::{Expiry, Kind, Minor, Pan, ResponseCode};

impl SimConfig {
    /// Reads a configuration; `source` (a file name) begins every line of the errors.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(toml: &str, source: &str) -> Result<Self, ConfigFault> {
        let raw: RawFile = toml::from_str(toml).map_err(|error| ConfigFault {
            problems: vec![format!("{source}: {}", describe(toml, &error))],
        })?;
        let mut problems = Problems { source, found: Vec::new() };
        let issuers: Vec<_> = raw.issuers.into_iter().map(|raw| issuer(raw, &mut problems)).collect();
        if issuers.is_empty() {
            problems.add("issuers", "expected at least one [[issuers]], found none");
        }
        if problems.found.is_empty() {
            Ok(Self { issuers })
        } else {
            Err(ConfigFault { problems: problems.found })
        }
    }
}

/// Line and message. The parser's own rendering shows the source line, which may hold a card number.
fn describe(toml: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| toml.get(..span.start)).unwrap_or("");
    format!("line {}: {}", before.matches('\n').count() + 1, mask(error.message()))
}

/// Runs of eight digits and more become stars.
fn mask(text: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for letter in text.chars().chain(['\0']) {
        if letter.is_ascii_digit() {
            run.push(letter);
            continue;
        }
        out.push_str(if run.len() >= 8 { "********" } else { &run });
        run.clear();
        if letter != '\0' {
            out.push(letter);
        }
    }
    out
}

struct Problems<'a> {
    source: &'a str,
    found: Vec<String>,
}

impl Problems<'_> {
    fn add(&mut self, place: &str, what: &str) {
        self.found.push(format!("{}: {place}: {what}", self.source));
    }

    /// The value, or a problem in its place.
    fn need<T>(&mut self, value: Option<T>, place: &str, what: &str) -> Option<T> {
        if value.is_none() {
            self.add(place, what);
        }
        value
    }
}

fn issuer(raw: RawIssuer, problems: &mut Problems<'_>) -> (IssuerConfig, ListenConfig) {
    let place = format!("issuer {}", raw.name);
    let mut config = IssuerConfig::new(&raw.name, &raw.dialect);
    config.framing = raw.framing;
    config.require_sign_on = raw.require_sign_on;
    config.seed = raw.seed;
    config.keep = raw.keep;
    config.entries_max = raw.entries_max;
    config.unknown = match raw.unknown_cards {
        RawUnknown::Word(RawUnknownWord::Decline) => UnknownCards::Decline,
        RawUnknown::Open(terms) => UnknownCards::Open(terms.account(&place, problems)),
    };
    config.accounts = raw.accounts.iter().filter_map(|raw| account(raw, &place, problems)).collect();
    if raw.bins.iter().any(|bin| bin.is_empty() || !bin.bytes().all(|byte| byte.is_ascii_digit())) {
        problems.add(&place, "bins: expected strings of digits");
    }
    config.bins = raw.bins;
    config.moods = raw
        .moods
        .iter()
        .enumerate()
        .filter_map(|(at, raw)| mood(raw, &format!("{place}, mood {}", at + 1), problems))
        .collect();
    if raw.standard_moods {
        config.moods.extend(standard_moods());
    }
    if let Err(fault) = config.resolve() {
        problems.found.extend(fault.problems.into_iter().map(|line| format!("{}: {line}", problems.source)));
    }
    (config, listen(&place, raw.listen, (raw.tls_cert, raw.tls_key), raw.client_ca, problems))
}

fn listen(
    place: &str,
    address: SocketAddr,
    files: (Option<PathBuf>, Option<PathBuf>),
    client_ca: Option<PathBuf>,
    problems: &mut Problems<'_>,
) -> ListenConfig {
    let tls = match files {
        (Some(cert), Some(key)) => Some((cert, key)),
        (None, None) => None,
        _ => {
            problems.add(place, "expected both tls_cert and tls_key or neither");
            None
        }
    };
    if client_ca.is_some() && tls.is_none() {
        problems.add(place, "client_ca: expected tls_cert and tls_key with it");
    }
    ListenConfig { address, tls, client_ca }
}

fn account(raw: &RawAccount, place: &str, problems: &mut Problems<'_>) -> Option<(Pan, Account)> {
    let pan = problems.need(Pan::new(raw.card.as_bytes()), place, "card: expected 8 to 19 digits")?;
    let terms = RawTerms {
        balance: raw.balance,
        credit_line: raw.credit_line,
        expiry: raw.expiry,
        status: raw.status,
        single_limit: raw.single_limit,
    };
    Some((pan, terms.account(&format!("{place}, card {pan}"), problems)))
}

fn mood(raw: &RawMood, place: &str, problems: &mut Problems<'_>) -> Option<Mood> {
    let mut when = When { amount: raw.amount, ..When::default() };
    if let Some(card) = &raw.card {
        when.card = problems.need(Pan::new(card.as_bytes()), place, "card: expected 8 to 19 digits");
    }
    if let Some(digits) = &raw.card_ends {
        when.card_ends = problems.need(Ending::new(digits), place, "card_ends: expected digits");
    }
    if let Some(digits) = &raw.amount_ends {
        when.amount_ends = problems.need(Ending::new(digits), place, "amount_ends: expected digits");
    }
    if let Some(name) = &raw.kind {
        when.kind = problems.need(Kind::from_name(name), place, "kind: expected a kind such as purchase");
    }
    if let Some(rate) = raw.rate {
        let good = (0.0..=1.0).contains(&rate).then_some((rate * 1e6) as u32);
        when.per_million = problems.need(good, place, "rate: expected a number from 0 to 1");
    }
    Some(Mood { when, act: act(raw, place, problems)? })
}

fn act(raw: &RawMood, place: &str, problems: &mut Problems<'_>) -> Option<Act> {
    Some(match raw.answer {
        RawAct::Approve => Act::Approve,
        RawAct::Decline => {
            let code = raw.code.as_deref().and_then(|code| ResponseCode::new(code.as_bytes()));
            Act::Decline(problems.need(code, place, "code: expected the code to decline with")?)
        }
        RawAct::Delay => {
            let ms = problems.need(raw.ms, place, "ms: expected how long to wait")?;
            Act::Delay(Duration::from_millis(ms))
        }
        RawAct::Late => Act::Delay(raw.ms.map_or(LATE, Duration::from_millis)),
        RawAct::Drop => Act::Drop,
        RawAct::Lose => Act::Lose,
        RawAct::Twice => Act::Twice,
        RawAct::Garbage => Act::Garbage,
        RawAct::WrongAmount => Act::WrongAmount,
        RawAct::WrongStan => Act::WrongStan,
        RawAct::WrongCard => Act::WrongCard,
        RawAct::WrongCurrency => Act::WrongCurrency,
        RawAct::WrongRrn => Act::WrongRrn,
        RawAct::Part => Act::Part,
        RawAct::NoTerminal => Act::NoTerminal,
        RawAct::Crossed => Act::Crossed,
        RawAct::SignOff => Act::SignOff,
        RawAct::TakeBack => Act::TakeBack,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    issuers: Vec<RawIssuer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawIssuer {
    name: String,
    dialect: String,
    listen: SocketAddr,
    #[serde(default)]
    framing: String,
    tls_cert: Option<PathBuf>,
    tls_key: Option<PathBuf>,
    client_ca: Option<PathBuf>,
    #[serde(default)]
    require_sign_on: bool,
    #[serde(default = "one")]
    seed: u64,
    #[serde(default)]
    keep: Keep,
    #[serde(default = "entries_max")]
    entries_max: u32,
    #[serde(default)]
    bins: Vec<String>,
    #[serde(default)]
    unknown_cards: RawUnknown,
    #[serde(default)]
    standard_moods: bool,
    #[serde(default)]
    accounts: Vec<RawAccount>,
    #[serde(default)]
    moods: Vec<RawMood>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected \"decline\" or a table such as { balance = 100000 }")]
enum RawUnknown {
    Word(RawUnknownWord),
    Open(RawTerms),
}

impl Default for RawUnknown {
    fn default() -> Self {
        Self::Open(RawTerms { balance: OPEN_BALANCE, ..RawTerms::default() })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawUnknownWord {
    Decline,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawTerms {
    #[serde(default)]
    balance: Minor,
    #[serde(default)]
    credit_line: Minor,
    expiry: Option<u16>,
    #[serde(default)]
    status: Status,
    single_limit: Option<Minor>,
}

impl RawTerms {
    fn account(&self, place: &str, problems: &mut Problems<'_>) -> Account {
        let expiry = self.expiry.and_then(|yymm| {
            problems.need(Expiry::new(yymm), place, "expiry: expected year and month as YYMM")
        });
        if self.credit_line < 0 || self.single_limit.is_some_and(|limit| limit < 0) {
            problems.add(place, "credit_line, single_limit: expected zero or more");
        }
        let Self { balance, credit_line, status, single_limit, .. } = *self;
        Account { balance, credit_line, expiry, status, single_limit }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAccount {
    card: String,
    #[serde(default)]
    balance: Minor,
    #[serde(default)]
    credit_line: Minor,
    expiry: Option<u16>,
    #[serde(default)]
    status: Status,
    single_limit: Option<Minor>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMood {
    answer: RawAct,
    code: Option<String>,
    ms: Option<u64>,
    card: Option<String>,
    card_ends: Option<String>,
    amount: Option<Minor>,
    amount_ends: Option<String>,
    kind: Option<String>,
    rate: Option<f64>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum RawAct {
    Approve,
    Decline,
    Delay,
    Late,
    Drop,
    Lose,
    Twice,
    Garbage,
    WrongAmount,
    WrongStan,
    WrongCard,
    WrongCurrency,
    WrongRrn,
    Part,
    NoTerminal,
    Crossed,
    SignOff,
    TakeBack,
}

const fn one() -> u64 {
    1
}

const fn entries_max() -> u32 {
    ENTRIES_MAX
}

#[cfg(test)]
mod tests;
