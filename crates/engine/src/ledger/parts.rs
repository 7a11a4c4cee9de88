//! The hand-over from the ledger to the shards: each gets its own duplicates, open INTENTs, obligations and tombstones.
//! Never loses what is open: if an INTENT without an outcome cannot be read, the hand-over fails and the switch does not
//! start. What is owed is read when it is sent.
//! Guards: the number of shards may differ from that of the process that wrote the records.

use super::{Ledger, LedgerOptions};
use crate::State;
use crate::effect::ReversalReason;
use crate::flow::Batches;
use crate::index::{Index, shard_of, shard_of_tag};
use crate::record::{
    Advised, Intent, Obligation, Outcome, Part, Resolve, Serial, Told, Tombstone, Unsettled,
};
use journal::Lsn;
use limits::{Charge, LimitKey};
use terms::{BusinessDay, CardToken, Check, Minor, ResponseCode, SlotKey};

/// An INTENT without an outcome: in doubt, to be settled by its type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenIntent {
    /// Position of the INTENT.
    pub lsn: Lsn,
    /// The INTENT. In the ledger without, in a [`ShardState`] with its card number.
    pub intent: Intent,
}

/// A reversal that the issuer has not acknowledged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owed {
    /// Of the transaction.
    pub serial: Serial,
    /// Where it lives.
    pub slot: SlotKey,
    /// Its repeat check.
    pub repeat: Check,
    /// Position of its INTENT.
    pub intent_lsn: Lsn,
    /// Position of the record that says so.
    pub lsn: Lsn,
    /// Since when, milliseconds since 1970-01-01 UTC.
    pub wall_ms: i64,
    /// Why.
    pub reason: ReversalReason,
    /// DE 39 of the terminal's 0400.
    pub terminal_reason: Option<ResponseCode>,
    /// What the terminal was first told about the original.
    pub told: Told,
    /// The issuer approved it once.
    pub approval_seen: bool,
    /// What its acknowledgement gives back; of a part, the share that [`Part::gives_back`] says.
    pub charges: Box<[Charge]>,
    /// Only a part is to be reversed: the transaction stays approved.
    pub part: Option<Part>,
    /// `stable_id` of the issuer.
    pub issuer: u32,
    /// `Request::owner()` of its terminal.
    pub owner: u64,
    /// Token of the card.
    pub token: CardToken,
    /// The issuer refused it too often.
    pub quarantined: bool,
    /// It stands approved here: an advice is owed.
    pub stands: bool,
    /// Before the advice, a reversal of the request.
    pub undo: bool,
    /// The number of the advice.
    pub advised: Option<Advised>,
    /// Reversed, but the advice is acknowledged first.
    pub advice_first: bool,
    /// Why its reversal was said to be when it first went out, where that was for another reason.
    pub first_reason: Option<ReversalReason>,
    /// Its INTENT with the card number; `None` in the ledger, always there in a [`ShardState`].
    pub intent: Option<Box<Intent>>,
}

impl Owed {
    pub(super) fn by_outcome(outcome: &Outcome, open: &OpenIntent, lsn: Lsn) -> Self {
        Self {
            serial: outcome.serial,
            slot: outcome.slot,
            repeat: outcome.repeat,
            intent_lsn: open.lsn,
            lsn,
            wall_ms: outcome.wall_ms,
            reason: outcome.reason.unwrap_or(ReversalReason::Restart),
            terminal_reason: outcome.terminal_reason,
            told: outcome.told,
            approval_seen: outcome.approval_seen,
            charges: match outcome.state {
                State::StipApproved => open.intent.charges().collect(),
                _ => open.intent.held().collect(),
            },
            part: None,
            issuer: open.intent.issuer,
            owner: open.intent.request.owner(),
            token: open.intent.request.token,
            quarantined: false,
            stands: outcome.state == State::StipApproved,
            undo: outcome.state == State::StipApproved && outcome.reason.is_some(),
            advised: outcome.advised,
            advice_first: false,
            first_reason: None,
            intent: None,
        }
    }

    /// `open`: the INTENT, if the obligation came before any outcome; then everything reserved is still held.
    pub(super) fn by_obligation(obligation: &Obligation, open: Option<OpenIntent>, lsn: Lsn) -> Option<Self> {
        let Unsettled::Reverse {
            intent_lsn,
            reason,
            terminal_reason,
            told,
            approval_seen,
            charges,
            part,
            issuer,
            owner,
            token,
            advised,
            advice_first,
            first_reason,
            request_only,
            ..
        } = obligation.owed
        else {
            return None;
        };
        Some(Self {
            serial: obligation.serial,
            slot: obligation.slot,
            repeat: obligation.repeat,
            intent_lsn,
            lsn,
            wall_ms: obligation.wall_ms,
            reason,
            terminal_reason,
            told,
            approval_seen,
            charges: match open {
                Some(open) => open.intent.held().collect(),
                None => charges.iter().collect(),
            },
            part,
            issuer,
            owner,
            token,
            quarantined: false,
            stands: request_only,
            undo: request_only,
            advised,
            advice_first,
            first_reason,
            intent: None,
        })
    }

    /// As the record that says it, for a snapshot.
    pub(super) fn obligation(&self) -> Obligation {
        let owed = Unsettled::Reverse {
            intent_lsn: self.intent_lsn,
            reason: self.reason,
            terminal_reason: self.terminal_reason,
            told: self.told,
            approval_seen: self.approval_seen,
            charges: self.charges.iter().copied().collect(),
            part: self.part,
            issuer: self.issuer,
            owner: self.owner,
            token: self.token,
            resolves: Serial::NONE,
            advised: self.advised,
            advice_first: self.advice_first,
            first_reason: self.first_reason,
            // Of what stands a snapshot says it apart.
            request_only: false,
        };
        Obligation { serial: self.serial, slot: self.slot, repeat: self.repeat, wall_ms: self.wall_ms, owed }
    }
}

impl Shelved {
    fn of(owed: &Owed) -> Self {
        let &Owed { serial, lsn: owing, issuer, token, approval_seen, quarantined, stands, .. } = owed;
        Self { serial, owing, issuer, token, approval_seen, quarantined, stands }
    }
}

/// A terminal's reversal whose original is still looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resolving {
    /// Position of its OBLIGATION.
    pub lsn: Lsn,
    /// Number of the 0400.
    pub serial: Serial,
    /// Repeat check of the 0400 itself.
    pub own: Check,
    /// Since when, milliseconds since 1970-01-01 UTC.
    pub wall_ms: i64,
    /// What is looked for.
    pub resolve: Resolve,
}

impl Resolving {
    pub(super) fn of(obligation: &Obligation, lsn: Lsn) -> Option<Self> {
        let Unsettled::Resolve(resolve) = obligation.owed else { return None };
        let &Obligation { serial, repeat: own, wall_ms, .. } = obligation;
        Some(Self { lsn, serial, own, wall_ms, resolve })
    }

    /// As the record that says it, for a snapshot.
    pub(super) fn obligation(&self) -> Obligation {
        let &Self { serial, own: repeat, wall_ms, resolve, .. } = self;
        let slot = resolve.original.slot;
        Obligation { serial, slot, repeat, wall_ms, owed: Unsettled::Resolve(resolve) }
    }
}

/// Something owed as a shard remembers it: the journal has the rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shelved {
    /// Of the transaction.
    pub serial: Serial,
    /// Position of the record that says what is owed.
    pub owing: Lsn,
    /// `stable_id` of the issuer.
    pub issuer: u32,
    /// Token of the card.
    pub token: CardToken,
    /// The issuer approved it once.
    pub approval_seen: bool,
    /// The issuer refused it too often.
    pub quarantined: bool,
    /// It stands approved here: an advice is owed.
    pub stands: bool,
}

/// A tombstone that has not expired.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StandingTombstone {
    /// Position of its record.
    pub lsn: Lsn,
    /// The record.
    pub tombstone: Tombstone,
}

/// What one counter has counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spent {
    /// Which counter: goes to `limits::Store::restore`.
    pub key: LimitKey,
    /// Its day.
    pub day: BusinessDay,
    /// Minor units.
    pub amount: Minor,
    /// Transactions.
    pub count: u32,
}

/// What one shard starts from.
#[derive(Debug)]
pub struct ShardState {
    /// Remembered transactions; those that are open or owed are among them.
    pub index: Index,
    /// In doubt.
    pub open: Vec<OpenIntent>,
    /// Owed reversals, in the order of their records.
    pub debts: Vec<Shelved>,
    /// Owed reversals of parts; each with its INTENT.
    pub parts: Vec<Owed>,
    /// Originals looked for.
    pub resolving: Vec<Resolving>,
    /// Standing tombstones, oldest first; they are in the index, too.
    pub tombstones: Vec<StandingTombstone>,
    /// Totals of batches.
    pub batches: Batches,
    /// Counters of our RRNs up to this one were used.
    pub rrn_counter: u64,
}

impl ShardState {
    /// A shard that begins with an empty journal.
    pub fn empty(index_entries: usize, index_window_ms: i64) -> Self {
        Self {
            index: Index::new(index_entries, index_window_ms),
            open: Vec::new(),
            debts: Vec::new(),
            parts: Vec::new(),
            resolving: Vec::new(),
            tombstones: Vec::new(),
            batches: Batches::default(),
            rrn_counter: 0,
        }
    }
}

/// Everything a restart hands over.
#[derive(Debug)]
pub struct Parts {
    /// One per shard.
    pub shards: Vec<ShardState>,
    /// For `limits::Store::restore`.
    pub spent: Vec<Spent>,
    /// Journaled business day per calendar (`stable_id`).
    pub days: Vec<(u32, BusinessDay)>,
}

/// An open transaction's INTENT cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("transaction {serial} is open, but its intent at {lsn} cannot be read")]
pub struct Missing {
    /// The transaction.
    pub serial: Serial,
    /// Where its INTENT should be.
    pub lsn: Lsn,
}

impl Ledger {
    /// Deals everything out to `shards` (1..=64). `fetch` reads the INTENT at a position with its secret opened.
    /// # Errors
    /// [`Missing`] if `fetch` cannot read the INTENT of something open or owed.
    pub fn into_parts(
        #[allow(unused_mut, reason = "planted bugs change it")] mut self,
        shards: usize,
        mut fetch: impl FnMut(Lsn) -> Option<Intent>,
    ) -> Result<Parts, Missing> {
        let mut states = self.empty_shards(shards);
        #[cfg(pointsman_zoo)]
        self.forget_what_the_zoo_says();
        for mut open in self.open.into_values() {
            open.intent = fetch(open.lsn).ok_or(Missing { serial: open.intent.serial, lsn: open.lsn })?;
            states[shard_of(open.intent.request.owner(), shards)].open.push(open);
        }
        for mut owed in self.owed.into_values() {
            let state = &mut states[shard_of(owed.owner, shards)];
            if owed.part.is_none() {
                state.debts.push(Shelved::of(&owed));
                continue;
            }
            let intent =
                fetch(owed.intent_lsn).ok_or(Missing { serial: owed.serial, lsn: owed.intent_lsn })?;
            owed.intent = Some(Box::new(intent));
            state.parts.push(*owed);
        }
        for resolving in self.resolving.into_values() {
            states[shard_of(resolving.resolve.owner(), shards)].resolving.push(resolving);
        }
        for state in &mut states {
            state.batches.set_forgot(self.batches.forgot());
        }
        for (key, totals) in self.batches.iter() {
            states[shard_of(key.0, shards)].batches.put(key, totals);
        }
        for standing in self.tombstones {
            states[shard_of(standing.tombstone.owner, shards)].tombstones.push(standing);
        }
        states.iter_mut().for_each(in_log_order);
        let days = self.days.into_iter().collect();
        Ok(Parts { shards: states, spent: self.cells.iter().collect(), days })
    }

    #[cfg(pointsman_zoo)]
    fn forget_what_the_zoo_says(&mut self) {
        if zoo::has(zoo::Bug::ForgetOpenIntent) {
            self.open.clear();
        }
        if zoo::has(zoo::Bug::ForgetOwed) {
            self.owed.clear();
        }
        if zoo::has(zoo::Bug::ForgetTombstones) {
            self.tombstones.clear();
        }
    }

    fn empty_shards(&self, shards: usize) -> Vec<ShardState> {
        let LedgerOptions { index_entries, index_window_ms } = self.options;
        let rrn_counter = self.rrn_counters.iter().copied().max().unwrap_or(0);
        // Owners are uniform, but not perfectly: an eighth more than the even share.
        let share = index_entries.div_ceil(shards);
        let empty = || ShardState::empty(share + share / 8, index_window_ms);
        let mut states: Vec<_> = (0..shards).map(|_| ShardState { rrn_counter, ..empty() }).collect();
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::ForgetIndex) {
            return states;
        }
        self.index.deal(|entry| shard_of_tag(entry.owner(), shards), &mut states, |state| &mut state.index);
        states
    }
}

/// Maps have no order; a restart should not depend on chance.
fn in_log_order(state: &mut ShardState) {
    state.open.sort_unstable_by_key(|open| open.lsn);
    state.debts.sort_unstable_by_key(|debt| debt.owing);
    state.parts.sort_unstable_by_key(|owed| owed.intent_lsn);
    state.resolving.sort_unstable_by_key(|resolving| resolving.lsn);
}
