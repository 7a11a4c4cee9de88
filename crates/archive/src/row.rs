//! The row that a transaction's first record makes.
//! Never a clear card number: the type that a record is read into has none without the opened secret.

use crate::rows::Raw;
use engine::State;
use engine::record::{Serial, Told};
use journal::Lsn;
use rusqlite::{Connection, Result, params};
use terms::{CardToken, Kind, Minor, Mti, Stan, Text};

/// Acquirer, terminal, merchant.
pub(crate) type Names = (Text<11>, Text<16>, Text<15>);

/// Columns of `txn`; what a record does not say stays absent.
pub(crate) struct Row<'a> {
    pub(crate) at: i64,
    pub(crate) kind: Option<Kind>,
    pub(crate) serial: Serial,
    pub(crate) mti: Option<Mti>,
    pub(crate) acquirer: Text<11>,
    pub(crate) terminal: Text<16>,
    pub(crate) merchant: Text<15>,
    pub(crate) owner: Option<u64>,
    pub(crate) stan: Option<Stan>,
    pub(crate) batch: u32,
    pub(crate) rrn: Option<&'a str>,
    pub(crate) terminal_rrn: Option<&'a str>,
    pub(crate) token: Option<CardToken>,
    pub(crate) amount: Option<Minor>,
    pub(crate) currency: Option<u16>,
    pub(crate) issuer: Option<u32>,
    pub(crate) link: Option<u32>,
    pub(crate) state: Option<State>,
    pub(crate) told: Told,
    pub(crate) ended: Option<i64>,
}

impl Default for Row<'_> {
    fn default() -> Self {
        Self {
            at: 0,
            kind: None,
            serial: Serial::NONE,
            mti: None,
            acquirer: Text::EMPTY,
            terminal: Text::EMPTY,
            merchant: Text::EMPTY,
            owner: None,
            stan: None,
            batch: 0,
            rrn: None,
            terminal_rrn: None,
            token: None,
            amount: None,
            currency: None,
            issuer: None,
            link: None,
            state: None,
            told: Told::NOTHING,
            ended: None,
        }
    }
}

impl Row<'_> {
    /// What all of a terminal's records have.
    pub(crate) fn of(at: i64, kind: Kind, serial: Serial, who: Names, owner: u64, batch: u32) -> Self {
        let (acquirer, terminal, merchant) = who;
        let (kind, owner) = (Some(kind), Some(owner));
        Self { at, kind, serial, acquirer, terminal, merchant, owner, batch, ..Self::default() }
    }

    /// Inserts it, and whose terminal it is.
    pub(crate) fn insert(&self, tables: &Connection, raw: Raw<'_>) -> Result<()> {
        let names = [text(&self.acquirer), text(&self.terminal), text(&self.merchant)];
        let [acquirer, terminal, merchant] = names.map(|name| (!name.is_empty()).then_some(name));
        let owner = self.owner.map(|owner| owner as i64);
        tables.prepare_cached(INSERT)?.execute(params![
            id(raw.lsn),
            raw.kind,
            (self.serial != Serial::NONE).then_some(self.serial.0 as i64),
            self.at,
            self.kind.map(Kind::number),
            self.mti.map(Mti::bcd),
            acquirer,
            terminal,
            merchant,
            owner,
            self.stan.map(Stan::get),
            (self.batch != 0).then_some(self.batch),
            self.rrn,
            self.terminal_rrn,
            self.token.as_ref().filter(|token| **token != CardToken::NONE).map(|token| &token.0[..]),
            self.amount,
            self.currency,
            self.issuer,
            self.link,
            self.state.map(State::number),
            self.told.cause.map(terms::InternalCause::number),
            self.told.code.as_ref().map(terms::ResponseCode::as_str),
            self.ended,
        ])?;
        if owner.is_some() && terminal.is_some() {
            let known = "INSERT OR IGNORE INTO owner VALUES (?1, ?2, ?3, ?4)";
            tables.prepare_cached(known)?.execute(params![owner, names[0], names[1], names[2]])?;
        }
        Ok(())
    }
}

const INSERT: &str = "INSERT INTO txn (id, born, serial, at, type, mti, acquirer, terminal, merchant, owner, stan, batch,
    rrn, terminal_rrn, token, amount, currency, issuer, link, state, cause, code, ended)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)";

/// As `Request::owner`.
pub(crate) fn owner_of((acquirer, terminal, merchant): Names) -> u64 {
    let request = terms::Request::new(terms::Mti::of(0), Kind::Unknown, Stan::MIN);
    terms::Request { acquirer, terminal, merchant, ..request }.owner()
}

/// Positions are 48 bits.
pub(crate) fn id(lsn: Lsn) -> i64 {
    lsn.0 as i64
}

fn text<const N: usize>(text: &Text<N>) -> &str {
    text.as_str().trim_end()
}
