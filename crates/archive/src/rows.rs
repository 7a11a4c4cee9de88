//! What each record does to the tables.
//!
//! Never opens a sealed part, never drops a record: one that cannot be read, or of a kind that this version does not know,
//! is kept as a hop of its own where its first bytes name a transaction, else as an event. Guards: `tests/rebuild.rs`.

use crate::row::{Names, Row, id, owner_of};
use engine::State;
use engine::record::{
    self, Ack, Batch, BatchWhat, Config, Damaged, Intent, Late, Linked, Obligation, Outcome, Parked, Record,
    Refused, Resolve, Serial, Told, Tombstone, Undelivered, Unmatched, Unsettled, Who,
};
use journal::{Kind, Lsn};
use rusqlite::{Connection, OptionalExtension, Result, params};
use terms::Text;

/// Bits of the column `marks`.
pub(crate) mod marks {
    /// An answer came late.
    pub(crate) const LATE: i64 = 1;
    /// The reply was not delivered.
    pub(crate) const UNDELIVERED: i64 = 2;
    /// A void or cancellation stands against it.
    pub(crate) const VOIDED: i64 = 4;
    /// A completion took its place.
    pub(crate) const COMPLETED: i64 = 8;
    /// A part of it was reversed.
    pub(crate) const PART: i64 = 16;
}

/// Writes the rows of records into an open SQLite transaction.
pub(crate) struct Rows<'c>(pub(crate) &'c Connection);

/// A record as it came.
#[derive(Clone, Copy)]
pub(crate) struct Raw<'a> {
    pub(crate) kind: Kind,
    pub(crate) payload: &'a [u8],
    pub(crate) lsn: Lsn,
}

impl Rows<'_> {
    /// Takes one record in; its time, where it has one.
    pub(crate) fn take(&self, raw: Raw<'_>) -> Result<Option<i64>> {
        match self.known(raw) {
            Some(done) => done.map(Some),
            None => self.unknown(raw).map(|()| None),
        }
    }

    /// `None` if the record cannot be read.
    fn known(&self, raw: Raw<'_>) -> Option<Result<i64>> {
        let payload = raw.payload;
        Some(match raw.kind {
            record::INTENT => self.intent(raw, &read(Intent::read(payload, &[]))?),
            record::OUTCOME => self.outcome(raw, &read(Outcome::read(payload))?),
            record::REFUSED => self.refused(raw, &read(Refused::read(payload))?),
            record::OBLIGATION => self.obligation(raw, &read(Obligation::read(payload))?),
            record::ACK => self.ack(raw, &read(Ack::read(payload))?),
            record::TOMBSTONE => self.tombstone(raw, &read(Tombstone::read(payload))?),
            record::LATE => self.late(raw, &read(Late::read(payload))?),
            record::UNMATCHED => self.unmatched(raw, &read(Unmatched::read(payload))?),
            record::UNDELIVERED => self.undelivered(raw, &read(Undelivered::read(payload))?),
            record::PARKED => self.parked(raw, &read(Parked::read(payload))?),
            record::LINKED => self.linked(raw, &read(Linked::read(payload))?),
            record::BATCH => self.batch(raw, &read(Batch::read(payload))?),
            record::DAY => self.event(raw, read(record::Day::read(payload))?.wall_ms),
            record::CONFIG => self.config(raw, &Config::read(payload).ok()?),
            record::AUDIT => self.event(raw, record::Audit::read(payload).ok()?.wall_ms),
            _ => return None,
        })
    }

    fn intent(&self, raw: Raw<'_>, intent: &Intent) -> Result<i64> {
        let request = &intent.request;
        let rrn = intent.rrn.to_string();
        let terminal_rrn = request.rrn.map(|rrn| rrn.to_string());
        self.insert(
            raw,
            &Row {
                rrn: Some(&rrn),
                terminal_rrn: terminal_rrn.as_deref(),
                token: Some(request.token),
                amount: Some(request.amount),
                currency: Some(request.currency.numeric()),
                issuer: Some(intent.issuer),
                link: Some(intent.link),
                state: Some(State::Intent),
                mti: Some(request.mti),
                stan: Some(request.stan),
                ..Row::of(
                    intent.wall_ms,
                    request.kind,
                    intent.serial,
                    (request.acquirer, request.terminal, request.merchant),
                    request.owner(),
                    request.batch,
                )
            },
        )
    }

    fn refused(&self, raw: Raw<'_>, refused: &Refused) -> Result<i64> {
        let who = (refused.acquirer, refused.terminal, refused.merchant);
        self.insert(
            raw,
            &Row {
                mti: Some(refused.mti),
                stan: Some(refused.stan),
                token: Some(refused.token),
                amount: Some(refused.amount),
                currency: Some(refused.currency.numeric()),
                issuer: (refused.issuer != 0).then_some(refused.issuer),
                state: Some(State::Declined),
                told: refused.told,
                ended: Some(refused.wall_ms),
                ..Row::of(refused.wall_ms, refused.kind, Serial::NONE, who, owner_of(who), refused.batch)
            },
        )
    }

    fn outcome(&self, raw: Raw<'_>, outcome: &Outcome) -> Result<i64> {
        self.hop(outcome.intent_lsn, raw, outcome.wall_ms)?;
        // On a full disk it may come after what followed it.
        let set = "UPDATE txn SET state = iif(?2 = 4 AND state IN (5, 8), state, ?2), cause = ?3, code = ?4,
            approval = ?5, final = ?6, ended = ?7 WHERE id = ?1";
        self.0.prepare_cached(set)?.execute(params![
            id(outcome.intent_lsn),
            outcome.state.number(),
            outcome.told.cause.map(terms::InternalCause::number),
            outcome.told.code.map(|code| code.as_str().to_owned()),
            outcome.approval_code.map(|code| String::from_utf8_lossy(&code.0).trim_end().to_owned()),
            outcome.approved_amount,
            outcome.wall_ms,
        ])?;
        Ok(outcome.wall_ms)
    }

    fn obligation(&self, raw: Raw<'_>, owed: &Obligation) -> Result<i64> {
        match &owed.owed {
            Unsettled::Resolve(resolve) => self.look_up(raw, owed, resolve),
            Unsettled::Reverse { intent_lsn, part, resolves, request_only, .. } => {
                self.hop(*intent_lsn, raw, owed.wall_ms)?;
                match part {
                    Some(_) => self.mark(*intent_lsn, marks::PART)?,
                    None if *request_only => {}
                    None => self.state(*intent_lsn, State::Reversing)?,
                }
                // The look-up that found it ends here.
                if let Some(search) = self.of_serial(*resolves)? {
                    self.hop(search, raw, owed.wall_ms)?;
                    self.state(search, State::Reversing)?;
                }
                Ok(owed.wall_ms)
            }
        }
    }

    fn look_up(&self, raw: Raw<'_>, owed: &Obligation, resolve: &Resolve) -> Result<i64> {
        let who = (resolve.acquirer, resolve.terminal, resolve.merchant);
        let (kind, owner) = (terms::Kind::Reversal, resolve.owner());
        self.insert(
            raw,
            &Row {
                stan: Some(resolve.stan),
                amount: Some(resolve.amount),
                currency: Some(resolve.currency.numeric()),
                state: Some(State::Intent),
                ..Row::of(owed.wall_ms, kind, owed.serial, who, owner, resolve.batch)
            },
        )
    }

    fn ack(&self, raw: Raw<'_>, ack: &Ack) -> Result<i64> {
        self.hop(ack.intent_lsn, raw, ack.wall_ms)?;
        let set = "UPDATE txn SET state = ?2, final = coalesce(?3, final), ended = ?4 WHERE id = ?1";
        self.0.prepare_cached(set)?.execute(params![
            id(ack.intent_lsn),
            ack.state.number(),
            ack.amount,
            ack.wall_ms
        ])?;
        Ok(ack.wall_ms)
    }

    fn tombstone(&self, raw: Raw<'_>, tombstone: &Tombstone) -> Result<i64> {
        let at = tombstone.wall_ms;
        let txn = match self.of_serial(tombstone.serial)? {
            Some(search) => {
                self.hop(search, raw, at)?;
                search
            }
            None => {
                let who = self.owner(tombstone.owner)?;
                let (kind, serial) = (terms::Kind::Reversal, tombstone.serial);
                self.insert(raw, &Row::of(at, kind, serial, who, tombstone.owner, tombstone.batch))?;
                raw.lsn
            }
        };
        self.state(txn, State::Tombstone)?;
        Ok(at)
    }

    fn late(&self, raw: Raw<'_>, late: &Late) -> Result<i64> {
        self.hop(late.intent_lsn, raw, late.wall_ms)?;
        self.mark(late.intent_lsn, marks::LATE)?;
        Ok(late.wall_ms)
    }

    fn undelivered(&self, raw: Raw<'_>, undelivered: &Undelivered) -> Result<i64> {
        self.hop(undelivered.intent_lsn, raw, undelivered.wall_ms)?;
        self.mark(undelivered.intent_lsn, marks::UNDELIVERED)?;
        Ok(undelivered.wall_ms)
    }

    fn parked(&self, raw: Raw<'_>, parked: &Parked) -> Result<i64> {
        self.hop(parked.intent_lsn, raw, parked.wall_ms)?;
        self.state(parked.intent_lsn, State::Quarantined)?;
        Ok(parked.wall_ms)
    }

    fn unmatched(&self, raw: Raw<'_>, unmatched: &Unmatched) -> Result<i64> {
        self.insert(
            raw,
            &Row {
                at: unmatched.wall_ms,
                mti: Some(unmatched.mti),
                stan: Some(unmatched.stan),
                link: Some(unmatched.link),
                amount: Some(unmatched.amount),
                terminal: unmatched.terminal,
                told: Told { cause: None, code: unmatched.code },
                ..Row::default()
            },
        )
    }

    fn linked(&self, raw: Raw<'_>, linked: &Linked) -> Result<i64> {
        self.hop(linked.intent_lsn, raw, linked.wall_ms)?;
        if let Some(operation) = self.of_serial(linked.operation)?
            && operation != linked.intent_lsn
        {
            self.hop(operation, raw, linked.wall_ms)?;
        }
        let drawn = [(linked.drawn.voided, marks::VOIDED), (linked.drawn.completed, marks::COMPLETED)];
        let bits: i64 = drawn.iter().filter(|(set, _)| *set).map(|(_, bit)| bit).sum();
        self.0
            .prepare_cached("UPDATE txn SET marks = marks & ~12 | ?2 WHERE id = ?1")?
            .execute(params![id(linked.intent_lsn), bits])?;
        Ok(linked.wall_ms)
    }

    fn batch(&self, raw: Raw<'_>, batch: &Batch) -> Result<i64> {
        let (who, kind) = match &batch.what {
            BatchWhat::Settled { who, .. } => (who, terms::Kind::Settlement),
            BatchWhat::Lines { who, .. } | BatchWhat::End { who, .. } => (who, terms::Kind::BatchUpload),
            BatchWhat::Withdrawn { serial, .. } => {
                match self.of_serial(*serial)? {
                    Some(txn) => self.hop(txn, raw, batch.wall_ms)?,
                    None => return self.event(raw, batch.wall_ms),
                }
                return Ok(batch.wall_ms);
            }
        };
        let Who { acquirer, terminal, merchant } = *who;
        let who = (acquirer, terminal, merchant);
        self.insert(raw, &Row::of(batch.wall_ms, kind, Serial::NONE, who, batch.owner, batch.batch))
    }

    fn config(&self, raw: Raw<'_>, config: &Config<'_>) -> Result<i64> {
        for line in config.names.lines() {
            let mut words = line.splitn(3, ' ');
            let (Some(of), Some(number), Some(name)) = (words.next(), words.next(), words.next()) else {
                continue;
            };
            let Ok(number) = u32::from_str_radix(number, 16) else { continue };
            self.0
                .prepare_cached("INSERT OR REPLACE INTO name VALUES (?1, ?2, ?3)")?
                .execute(params![of, number, name])?;
        }
        self.event(raw, config.wall_ms)
    }

    /// A record of no transaction.
    fn event(&self, raw: Raw<'_>, at: i64) -> Result<i64> {
        self.store_event(raw, Some(at))?;
        Ok(at)
    }

    fn store_event(&self, raw: Raw<'_>, at: Option<i64>) -> Result<()> {
        self.0.prepare_cached("INSERT INTO event VALUES (?1, ?2, ?3, ?4)")?.execute(params![
            id(raw.lsn),
            at,
            raw.kind,
            raw.payload
        ])?;
        Ok(())
    }

    /// Every record of a transaction that this format has begins with its serial: a newer one will, too.
    fn unknown(&self, raw: Raw<'_>) -> Result<()> {
        let first = raw.payload.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        let Some(txn) = self.of_serial(Serial(first))? else { return self.store_event(raw, None) };
        // Its own time cannot be read: that of the newest hop is not too late.
        let newest = "SELECT max(at) FROM hop WHERE txn = ?1";
        let at: Option<i64> = self.0.prepare_cached(newest)?.query_row([id(txn)], |row| row.get(0))?;
        self.hop(txn, raw, at.unwrap_or(0))
    }

    /// The first record of a transaction, and whose terminal it is.
    fn insert(&self, raw: Raw<'_>, row: &Row<'_>) -> Result<i64> {
        row.insert(self.0, raw)?;
        self.hop(raw.lsn, raw, row.at)?;
        Ok(row.at)
    }

    /// Who is behind a hash, if he was seen before; else nobody.
    fn owner(&self, owner: u64) -> Result<Names> {
        let find = "SELECT acquirer, terminal, merchant FROM owner WHERE owner = ?1";
        let names = |row: &rusqlite::Row<'_>| {
            let name = |at| row.get::<_, String>(at);
            Ok((Text::cut(&name(0)?), Text::cut(&name(1)?), Text::cut(&name(2)?)))
        };
        let found = self.0.prepare_cached(find)?.query_row([owner as i64], names).optional()?;
        Ok(found.unwrap_or((Text::EMPTY, Text::EMPTY, Text::EMPTY)))
    }

    fn hop(&self, txn: Lsn, raw: Raw<'_>, at: i64) -> Result<()> {
        self.0.prepare_cached("INSERT INTO hop VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
            id(txn),
            id(raw.lsn),
            at,
            raw.kind,
            raw.payload
        ])?;
        Ok(())
    }

    fn state(&self, txn: Lsn, state: State) -> Result<()> {
        let set = "UPDATE txn SET state = ?2 WHERE id = ?1";
        self.0.prepare_cached(set)?.execute(params![id(txn), state.number()])?;
        Ok(())
    }

    fn mark(&self, txn: Lsn, bit: i64) -> Result<()> {
        let set = "UPDATE txn SET marks = marks | ?2 WHERE id = ?1";
        self.0.prepare_cached(set)?.execute(params![id(txn), bit])?;
        Ok(())
    }

    fn of_serial(&self, serial: Serial) -> Result<Option<Lsn>> {
        if serial == Serial::NONE {
            return Ok(None);
        }
        let find = "SELECT id FROM txn WHERE serial = ?1";
        let found = self
            .0
            .prepare_cached(find)?
            .query_row([serial.0 as i64], |row| row.get::<_, i64>(0))
            .optional()?;
        Ok(found.map(|id| Lsn(id as u64)))
    }
}

fn read<R>(record: core::result::Result<R, Damaged>) -> Option<R> {
    record.ok()
}
