//! Finding transactions: by what identifies them, when they came, and how they ended.
//! Never takes a card number: the caller turns it into a token. Guards: every search has a bound on what it gives.

use crate::rows::marks;
use crate::view::Names;
use engine::State;
use engine::record::{self, Serial};
use journal::Lsn;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};
use serde::Serialize;
use terms::{Currency, InternalCause, Kind, Money, Mti};

/// What a transaction is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// Position of its first record.
    Id(Lsn),
    /// Its number.
    Serial(u64),
    /// Ours, or the terminal's.
    Rrn(String),
    /// The terminal's.
    Stan(u32),
    /// DE 41.
    Terminal(String),
    /// The card's.
    Token([u8; 16]),
}

/// How a transaction stands, as people ask for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// Under way, or never ended; of a reversal: its original is being looked for.
    Open,
    /// The issuer approved it.
    Approved,
    /// Approved here in the issuer's stead.
    StandIn,
    /// Declined after the issuer was to be asked.
    Declined,
    /// Declined before.
    Refused,
    /// A reversal is owed.
    Reversing,
    /// The issuer acknowledged the reversal.
    Reversed,
    /// The issuer refused the reversal too often, or the advice of what stands.
    Quarantined,
    /// A reversal of what was never seen.
    Tombstone,
    /// An answer to nothing.
    Unmatched,
    /// Something about a batch.
    Batch,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 11] = [
        Self::Open,
        Self::Approved,
        Self::StandIn,
        Self::Declined,
        Self::Refused,
        Self::Reversing,
        Self::Reversed,
        Self::Quarantined,
        Self::Tombstone,
        Self::Unmatched,
        Self::Batch,
    ];

    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::StandIn => "stand-in",
            Self::Declined => "declined",
            Self::Refused => "refused",
            Self::Reversing => "reversing",
            Self::Reversed => "reversed",
            Self::Quarantined => "quarantined",
            Self::Tombstone => "tombstone",
            Self::Unmatched => "unmatched",
            Self::Batch => "batch",
        }
    }

    /// The outcome of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == name)
    }

    fn of(born: u8, state: Option<u8>) -> Self {
        match (born, state.and_then(State::from_number)) {
            (record::UNMATCHED, _) => Self::Unmatched,
            (record::BATCH, _) => Self::Batch,
            (record::REFUSED, _) => Self::Refused,
            (_, Some(State::Approved)) => Self::Approved,
            (_, Some(State::StipApproved)) => Self::StandIn,
            (_, Some(State::Declined)) => Self::Declined,
            (_, Some(State::Reversing)) => Self::Reversing,
            (_, Some(State::Reversed)) => Self::Reversed,
            (_, Some(State::Quarantined)) => Self::Quarantined,
            (_, Some(State::Tombstone)) => Self::Tombstone,
            (_, Some(State::Intent) | None) => Self::Open,
        }
    }

    /// The same as a condition.
    const fn condition(self) -> &'static str {
        match self {
            Self::Unmatched => "born = 8",
            Self::Batch => "born = 15",
            Self::Refused => "born = 3",
            Self::Approved => "state = 2",
            Self::StandIn => "state = 7",
            Self::Declined => "state = 3 AND born = 1",
            Self::Reversing => "state = 4",
            Self::Reversed => "state = 5",
            Self::Quarantined => "state = 8",
            Self::Tombstone => "state = 6",
            Self::Open => "(state = 1 OR state IS NULL) AND born NOT IN (8, 15)",
        }
    }
}

/// What is looked for; an empty one is everything.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// All must fit.
    pub keys: Vec<Key>,
    /// Not before, ms since 1970.
    pub from: Option<i64>,
    /// Before, ms since 1970.
    pub to: Option<i64>,
    /// One of these; empty: any.
    pub outcomes: Vec<Outcome>,
    /// Declined for one of these; empty: for whatever reason.
    pub causes: Vec<InternalCause>,
    /// Or with one of these codes of an issuer.
    pub codes: Vec<String>,
    /// At most this many.
    pub limit: u32,
}

/// A transaction that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Position of its first record in the journal.
    pub position: u64,
    /// Its number; absent for what never was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// When it came, ms since 1970.
    pub at: i64,
    /// When its last state was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<i64>,
    /// What it asked for.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// As it came.
    pub mti: String,
    /// See [`Outcome`].
    pub outcome: &'static str,
    /// Internal cause, where the decline was ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<&'static str>,
    /// The issuer's code (DE 39).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What else happened to it: late answer, undelivered, voided, completed, part reversed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<&'static str>,
    /// As people write it; empty if there was none.
    pub amount: String,
    /// The amount that stands, where it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_amount: Option<String>,
    /// ISO 4217 numeric.
    pub currency: String,
    /// DE 38.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_code: Option<String>,
    /// DE 11 of the terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stan: Option<String>,
    /// Ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rrn: Option<String>,
    /// The one the terminal sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terminal_rrn: Option<String>,
    /// DE 41.
    pub terminal: String,
    /// DE 42.
    pub merchant: String,
    /// DE 32, or the listener's.
    pub acquirer: String,
    /// Batch number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<u32>,
    /// Token of the card, 32 hexadecimal digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Name of the issuer it was for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// `issuer/link` it went over, or was to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Kind of its first record.
    #[serde(skip)]
    pub(crate) born: u8,
    /// Hash of acquirer, terminal and merchant.
    #[serde(skip)]
    pub(crate) owner: Option<i64>,
}

impl Found {
    /// The internal cause, as a value.
    pub fn internal_cause(&self) -> Option<InternalCause> {
        InternalCause::from_name(self.cause?)
    }

    /// Whether it ended as a decline, told by us or by the issuer.
    pub fn is_decline(&self) -> bool {
        [Outcome::Declined.name(), Outcome::Refused.name()].contains(&self.outcome)
    }
}

pub(crate) fn find(db: &Connection, names: &Names, search: &Search) -> rusqlite::Result<Vec<Found>> {
    let (conditions, values) = conditions(search);
    // What the index that is used has in order anyway.
    let order = if search.keys.is_empty() { "at DESC, id DESC" } else { "id DESC" };
    let sql = format!(
        "SELECT id, born, serial, at, type, mti, acquirer, terminal, merchant, owner, stan, batch, rrn, terminal_rrn,
         token, amount, currency, issuer, link, state, cause, code, approval, final, ended, marks
         FROM txn {conditions} ORDER BY {order} LIMIT {}",
        search.limit
    );
    let mut all = db.prepare(&sql)?;
    let rows = all.query_map(params_from_iter(values), |row| found(row, names))?;
    rows.collect()
}

fn conditions(search: &Search) -> (String, Vec<Value>) {
    let (mut all, mut values) = (Vec::new(), Vec::new());
    for key in &search.keys {
        let (column, value) = match key {
            Key::Id(lsn) => ("id = ?", Value::from(lsn.0 as i64)),
            Key::Serial(serial) => ("serial = ?", Value::from(*serial as i64)),
            Key::Rrn(rrn) => {
                values.push(Value::from(rrn.clone()));
                ("(rrn = ? OR terminal_rrn = ?)", Value::from(rrn.clone()))
            }
            Key::Stan(stan) => ("stan = ?", Value::from(i64::from(*stan))),
            Key::Terminal(terminal) => ("terminal = ?", Value::from(terminal.clone())),
            Key::Token(token) => ("token = ?", Value::from(token.to_vec())),
        };
        all.push(column.to_owned());
        values.push(value);
    }
    for (condition, bound) in [("at >= ?", search.from), ("at < ?", search.to)] {
        if let Some(bound) = bound {
            all.push(condition.to_owned());
            values.push(Value::from(bound));
        }
    }
    let outcomes: Vec<_> = search.outcomes.iter().map(|one| format!("({})", one.condition())).collect();
    let because: Vec<_> = search.causes.iter().map(|cause| format!("cause = {}", cause.number())).collect();
    let codes = search.codes.iter().map(|code| {
        values.push(Value::from(code.clone()));
        "(cause IS NULL AND code = ? AND state <> 2)".to_owned()
    });
    let because: Vec<_> = because.into_iter().chain(codes).collect();
    all.extend(
        [outcomes, because].iter().filter(|one| !one.is_empty()).map(|one| format!("({})", one.join(" OR "))),
    );
    let clause = if all.is_empty() { String::new() } else { format!("WHERE {}", all.join(" AND ")) };
    (clause, values)
}

fn found(row: &Row<'_>, names: &Names) -> rusqlite::Result<Found> {
    let text = |at| Ok::<_, rusqlite::Error>(row.get::<_, Option<String>>(at)?.map(|text| plain(&text)));
    let (born, state): (u8, Option<u8>) = (row.get(1)?, row.get(19)?);
    let currency = Currency::new(row.get::<_, Option<u16>>(16)?.unwrap_or(0)).unwrap_or(Currency::NONE);
    let money = |minor: Option<i64>| minor.map(|minor| Money { minor, currency }.to_string());
    let issuer: Option<u32> = row.get(17)?;
    let link: Option<u32> = row.get(18)?;
    Ok(Found {
        position: row.get::<_, i64>(0)? as u64,
        serial: row.get::<_, Option<i64>>(2)?.map(|serial| Serial(serial as u64).to_string()),
        at: row.get(3)?,
        ended: row.get(24)?,
        kind: row.get::<_, Option<u8>>(4)?.and_then(Kind::from_number).map_or("", Kind::name),
        mti: row.get::<_, Option<u16>>(5)?.and_then(Mti::new).map_or(String::new(), |mti| mti.to_string()),
        outcome: Outcome::of(born, state).name(),
        cause: row.get::<_, Option<u8>>(20)?.and_then(InternalCause::from_number).map(InternalCause::name),
        code: text(21)?,
        notes: notes(row.get(25)?),
        amount: money(row.get(15)?).unwrap_or_default(),
        final_amount: money(row.get(23)?),
        currency: currency.to_string(),
        approval_code: text(22)?,
        stan: row.get::<_, Option<u32>>(10)?.map(|stan| format!("{stan:06}")),
        rrn: text(12)?,
        terminal_rrn: text(13)?,
        terminal: text(7)?.unwrap_or_default(),
        merchant: text(8)?.unwrap_or_default(),
        acquirer: text(6)?.unwrap_or_default(),
        batch: row.get(11)?,
        token: row.get::<_, Option<Vec<u8>>>(14)?.map(|token| hex(&token)),
        issuer: issuer.map(|number| names.of("issuer", number)),
        link: link.map(|number| names.of("link", number)),
        born,
        owner: row.get(9)?,
    })
}

fn notes(bits: i64) -> Vec<&'static str> {
    let all = [
        (marks::LATE, "late answer"),
        (marks::UNDELIVERED, "undelivered"),
        (marks::VOIDED, "voided"),
        (marks::COMPLETED, "completed"),
        (marks::PART, "part reversed"),
    ];
    all.into_iter().filter(|(bit, _)| bits & bit != 0).map(|(_, text)| text).collect()
}

/// What a peer sent is shown on terminals: nothing in it may steer them.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|one| if one.is_control() { '·' } else { one }).collect()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
