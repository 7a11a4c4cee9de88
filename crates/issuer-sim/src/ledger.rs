//! The issuer's own book: every debit, every reversal, and the keys that tell a repeat from a new request.
//!
//! Never forgets a booking and never holds a clear card number. Guards: what is reversed of an entry is never more than
//! its amount; the totals are the sums of the entries.
//!
//! Memory: 32 bytes an entry in pieces of 2 MiB (growing moves nothing), and 8 bytes a slot of the key table, which is
//! between three eighths and three quarters full: 43 to 54 bytes a transaction.

mod entry;
mod table;

pub(crate) use entry::{Entry, New, State};

use entry::Packed;
use std::collections::HashMap;
use table::Table;
use terms::{KeyHasher, Minor, ResponseCode, Rrn};

/// What a ledger remembers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// Every transaction.
    #[default]
    Book,
    /// Sums only, for runs longer than memory. Repeats are then booked again, and a reversal is believed: its amount is
    /// given back.
    Totals,
}

/// Sums and counts since the start. Amounts in minor units, currencies added up as they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, serde::Serialize)]
pub struct Totals {
    /// Messages that came, readable or not.
    pub messages: u64,
    /// Answers given or owed for later.
    pub answers: u64,
    /// Debits booked.
    pub debits: u64,
    /// Their sum.
    pub debited: Minor,
    /// Money given back: reversals, voids and refunds booked.
    pub reversals: u64,
    /// Their sum.
    pub reversed: Minor,
    /// Requests declined.
    pub declined: u64,
    /// Requests that came again and were answered as before.
    pub repeats: u64,
    /// Advices (0120, 0220) marked as repeats that were booked before.
    pub advice_repeats: u64,
    /// Reversals of what was never seen.
    pub unknown_originals: u64,
    /// Bytes that are no message of the dialect.
    pub malformed: u64,
    /// Answers that a mood kept back.
    pub dropped: u64,
    /// Sign-ons, sign-offs and echoes.
    pub network: u64,
    /// Approvals that it took back by itself.
    pub recanted: u64,
    /// Of those, such as the other side refused to take back.
    pub recants_refused: u64,
}

/// Place of an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct EntryIx(u32);

impl EntryIx {
    /// Six digits for DE 38: the same for the same entry, so that a repeat is answered as before.
    pub(crate) const fn approval(self) -> u32 {
        self.0 % 1_000_000
    }
}

/// The book has no room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Full;

/// Money given back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GivenBack {
    /// The entry it belongs to.
    pub of: EntryIx,
    /// Entries there were when it was booked: its place in the order.
    pub after: u32,
    /// Minor units.
    pub amount: Minor,
    /// Milliseconds since 1970-01-01 UTC.
    pub at: i64,
}

/// See the head of this file.
#[derive(Debug)]
pub(crate) struct Ledger {
    keys: Table,
    /// By STAN and DE 7 alone, for operations from another terminal; only where there is a DE 7.
    others: Table,
    chunks: Vec<Vec<Packed>>,
    count: u32,
    max: u32,
    returns: Vec<GivenBack>,
    /// Of entries that were reversed in part: how much.
    parts: HashMap<u32, Minor>,
    /// Of entries that voids, refunds and completions refer to: what these took.
    drawn: HashMap<u32, Minor>,
    /// Such operations, and which entry each refers to.
    operations: HashMap<u32, EntryIx>,
    codes: Vec<ResponseCode>,
    /// RRNs that are not of the form of ours.
    odd_rrns: Vec<Rrn>,
    epoch_ms: Option<i64>,
    pub totals: Totals,
}

impl Ledger {
    pub(crate) fn new(max: u32) -> Self {
        Self {
            keys: Table::new(),
            others: Table::new(),
            chunks: Vec::new(),
            count: 0,
            max,
            returns: Vec::new(),
            parts: HashMap::new(),
            drawn: HashMap::new(),
            operations: HashMap::new(),
            codes: Vec::new(),
            odd_rrns: Vec::new(),
            epoch_ms: None,
            totals: Totals::default(),
        }
    }

    /// The key of a request: STAN, DE 7 (0 where there is none), terminal.
    pub(crate) fn key(stan: u32, transmission: u32, terminal: &[u8]) -> u64 {
        let mut hasher = KeyHasher::new(0x155);
        hasher.number(u64::from(stan) << 32 | u64::from(transmission));
        hasher.part(terminal.trim_ascii_end());
        hasher.finish()
    }

    /// The newest entry under `key`.
    pub(crate) fn find(&self, key: u64, stan: u32, transmission: u32) -> Option<EntryIx> {
        self.keys.find(key, self.fits(stan, transmission)).map(EntryIx)
    }

    /// The entry that an operation names: its own terminal's, else, where DE 7 says which, the newest of any terminal.
    pub(crate) fn find_named(&self, stan: u32, transmission: u32, terminal: &[u8]) -> Option<EntryIx> {
        let own = self.find(Self::key(stan, transmission, terminal), stan, transmission);
        let any = || {
            self.others.find(Self::key(stan, transmission, b""), self.fits(stan, transmission)).map(EntryIx)
        };
        own.or_else(|| if transmission == 0 { None } else { any() })
    }

    fn fits(&self, stan: u32, transmission: u32) -> impl Fn(u32) -> bool + '_ {
        move |at| {
            let packed = self.packed(EntryIx(at));
            packed.stan() == stan && packed.transmission() == transmission
        }
    }

    /// The entry at a place.
    pub(crate) fn entry(&self, at: EntryIx) -> Entry {
        self.packed(at).open(self.epoch_ms.unwrap_or(0), &self.codes, &self.odd_rrns)
    }

    /// Writes a new entry; it is the one its key finds from now on.
    pub(crate) fn write(&mut self, key: u64, new: &New) -> Result<EntryIx, Full> {
        if self.count >= self.max {
            return Err(Full);
        }
        let at = EntryIx(self.count);
        let epoch = *self.epoch_ms.get_or_insert(new.at);
        let packed = Packed::close(new, epoch, &mut self.codes, &mut self.odd_rrns);
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.push(packed);
        }
        self.count += 1;
        let same = |old: u32| {
            let old = &self.chunks[old as usize / CHUNK][old as usize % CHUNK];
            old.stan() == new.stan && old.transmission() == new.transmission
        };
        self.keys.insert(key, at.0, same);
        if new.transmission != 0 {
            self.others.insert(Self::key(new.stan, new.transmission, b""), at.0, same);
        }
        self.count_in(new);
        Ok(at)
    }

    fn count_in(&mut self, new: &New) {
        match new.state {
            State::Debited => self.count_debit(new.amount),
            State::Credited => self.count_return(new.amount),
            State::Declined => self.totals.declined += 1,
            State::Tombstone | State::Reversed | State::PartlyReversed => {}
        }
    }

    pub(crate) fn count_debit(&mut self, amount: Minor) {
        self.totals.debits += 1;
        self.totals.debited = self.totals.debited.saturating_add(amount);
    }

    pub(crate) fn count_return(&mut self, amount: Minor) {
        self.totals.reversals += 1;
        self.totals.reversed = self.totals.reversed.saturating_add(amount);
    }

    /// What of an entry has not been given back.
    pub(crate) fn open_amount(&self, at: EntryIx) -> Minor {
        let entry = self.entry(at);
        match entry.state {
            State::Debited | State::Credited => entry.amount,
            State::PartlyReversed => entry.amount - self.parts.get(&at.0).copied().unwrap_or(0),
            State::Declined | State::Reversed | State::Tombstone => 0,
        }
    }

    /// Books that `amount` of an entry was given back.
    /// # Panics
    /// If that is more than is open: the caller asked [`Ledger::open_amount`] first.
    pub(crate) fn give_back(&mut self, of: EntryIx, amount: Minor, at: i64) {
        let open = self.open_amount(of);
        assert!((0..=open).contains(&amount), "entry {} gives back more than it took", of.0);
        let state = if amount == open { State::Reversed } else { State::PartlyReversed };
        self.chunks[of.0 as usize / CHUNK][of.0 as usize % CHUNK].set_state(state);
        *self.parts.entry(of.0).or_insert(0) += amount;
        if state == State::Reversed {
            self.parts.remove(&of.0);
        }
        self.returns.push(GivenBack { of, after: self.count, amount, at });
        self.count_return(amount);
    }

    /// What operations have taken of an entry.
    pub(crate) fn drawn(&self, of: EntryIx) -> Minor {
        self.drawn.get(&of.0).copied().unwrap_or(0)
    }

    /// Books that `operation` took `amount` of an entry.
    pub(crate) fn draw(&mut self, operation: EntryIx, of: EntryIx, amount: Minor) {
        *self.drawn.entry(of.0).or_insert(0) += amount;
        self.operations.insert(operation.0, of);
    }

    /// The operation was reversed: the entry it referred to, which has that much again.
    pub(crate) fn put_back(&mut self, operation: EntryIx, amount: Minor) -> Option<EntryIx> {
        let of = self.operations.remove(&operation.0)?;
        if let Some(drawn) = self.drawn.get_mut(&of.0) {
            *drawn -= amount;
        }
        Some(of)
    }

    /// A hold that a completion has lifted stands again, as if it had not been lifted.
    pub(crate) fn hold_again(&mut self, of: EntryIx) {
        let Some(at) = self.returns.iter().rposition(|back| back.of == of) else { return };
        let back = self.returns.remove(at);
        self.totals.reversals -= 1;
        self.totals.reversed -= back.amount;
        self.parts.remove(&of.0);
        self.chunks[of.0 as usize / CHUNK][of.0 as usize % CHUNK].set_state(State::Debited);
    }

    /// Takes the money of a credit back again: a void or refund was reversed. It leaves the book as if it had not been.
    pub(crate) fn undo_credit(&mut self, of: EntryIx) {
        let amount = self.open_amount(of);
        self.chunks[of.0 as usize / CHUNK][of.0 as usize % CHUNK].set_state(State::Declined);
        self.totals.reversals -= 1;
        self.totals.reversed -= amount;
    }

    /// Entries, oldest first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (EntryIx, Entry)> + '_ {
        (0..self.count).map(EntryIx).map(|at| (at, self.entry(at)))
    }

    /// Money given back, oldest first.
    pub(crate) fn returns(&self) -> &[GivenBack] {
        &self.returns
    }

    fn packed(&self, at: EntryIx) -> &Packed {
        &self.chunks[at.0 as usize / CHUNK][at.0 as usize % CHUNK]
    }
}

/// Entries in one piece: 2 MiB.
const CHUNK: usize = 65_536;

#[cfg(test)]
mod tests;
