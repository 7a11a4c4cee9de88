//! What is under way on originals: one tie per original, one link per operation, as long as an operation is in the slab.
//!
//! Never the only witness: the journal's newest LINKED tells how an original stands once nothing is under way on it.
//! Guards: bounded by the slab; what is reserved of an original is given up exactly once.

use super::lend::{Ask, Patient};
use crate::ledger::Map;
use crate::record::{Advised, Charges, Drawn, Serial, Told};
use crate::transaction::{NIL, Transaction};
use journal::Lsn;
use limits::Charge;
use terms::{ApprovalCode, Check, InternalCause, Kind, Minor, Mti, SlotKey, Stan, Text, TransmissionTime};

/// Slot and repeat check: together they name one transaction.
pub(crate) type Key = (u64, u32);

pub(crate) fn key(slot: SlotKey, repeat: Check) -> Key {
    (slot.0, repeat.0)
}

/// How the issuer knows an original: what the operation's message must say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedOriginal {
    /// Message type it went out with.
    pub mti: Mti,
    /// Our STAN on its link.
    pub stan: Stan,
    /// Our DE 7 on its link.
    pub transmission: TransmissionTime,
    /// DE 32 as it came.
    pub acquirer: Text<11>,
    /// Batch number, 0 if none.
    pub batch: u32,
    /// DE 13 as it came, MMDD; 0 if absent.
    pub local_date: u16,
}

/// What records about an original repeat.
#[derive(Clone, Copy)]
pub(crate) struct Original {
    pub(crate) serial: Serial,
    pub(crate) slot: SlotKey,
    pub(crate) repeat: Check,
    pub(crate) intent_lsn: Lsn,
    pub(crate) told: Told,
    pub(crate) approval_code: Option<ApprovalCode>,
    pub(crate) approved_amount: Option<Minor>,
    pub(crate) advised: Option<Advised>,
    pub(crate) named: NamedOriginal,
}

impl Original {
    pub(crate) fn of(transaction: &Transaction) -> Self {
        let request = &transaction.request;
        let (stan, transmission) = transaction
            .number()
            .map_or((request.stan, request.transmission), |number| (number.stan, number.transmission));
        Self {
            serial: transaction.serial,
            slot: request.slot,
            repeat: request.repeat,
            intent_lsn: transaction.intent_lsn,
            // What was reversed in part is not told as approved any more.
            told: Told {
                cause: transaction.partly_reversed.then_some(InternalCause::Reversed),
                code: transaction.issuer_code,
            },
            approval_code: transaction.approval_code,
            approved_amount: transaction.approved_amount,
            advised: transaction.advice,
            named: NamedOriginal {
                mti: transaction.known_mti(),
                stan,
                transmission,
                acquirer: request.acquirer,
                batch: request.batch,
                local_date: request.local_date,
            },
        }
    }

    pub(crate) fn key(&self) -> Key {
        key(self.slot, self.repeat)
    }
}

/// An original with operations in the slab.
pub(crate) struct Tie {
    pub(crate) original: Original,
    pub(crate) drawn: Drawn,
    /// Sum of the operations whose fate is open.
    pub(crate) under_way: Minor,
    /// How many these are.
    pub(crate) open: u32,
    /// Operations in the slab.
    pub(crate) live: u32,
    /// First reversal of the original that waits for them.
    pub(crate) waiting: u32,
    /// Where the original lives, if not here: it was lent to us.
    pub(crate) home: Option<u8>,
    /// Lent to another shard, whose operation counts as one here.
    pub(crate) lent: bool,
    /// Newest LINKED that is durable.
    pub(crate) lsn: Option<Lsn>,
}

/// How far an operation's effect on its original is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    /// Nobody knows yet.
    UnderWay,
    /// Approved, not durable yet.
    Approving,
    /// Its effect stands.
    Applied,
    /// Taken back, not durable yet.
    TakingBack,
    /// It has none (any more).
    Over,
}

/// An operation in the slab.
#[derive(Clone, Copy)]
pub(crate) struct Link {
    pub(crate) original: Key,
    pub(crate) amount: Minor,
    pub(crate) phase: Phase,
    /// What the original was charged, which an approval gives back.
    pub(crate) given_back: Charges,
    /// LINKED records on their way: a reversal may come before the approval's is durable.
    pub(crate) writing: u8,
}

/// All of one shard.
#[derive(Default)]
pub(crate) struct Ties {
    ties: Map<Key, Tie>,
    /// By slab position of the operation.
    links: Map<u32, Link>,
    /// What operations that left the slab had given back: effects of the turn in which they left still ask. By slab position,
    /// until the next operation there.
    gone: Map<u32, Charges>,
    /// Approved operations that a reversal called back and whose originals are being read, with the look-up that found them.
    pub(crate) called_back: Map<u32, Serial>,
    /// Operations whose original was asked for in another shard, by slab position.
    pub(crate) borrowing: Map<u32, u8>,
    /// Other shards' questions that wait for the journal, by slab position.
    pub(crate) asks: Map<u32, Ask>,
    /// Those, and operations called back, that wait until nothing is done to the original any more.
    pub(crate) patient: Vec<(Key, Patient)>,
    /// Advices that a restart found without an outcome, whose originals are being read.
    pub(crate) taken_up: Map<u32, ()>,
}

impl Ties {
    pub(crate) fn get(&self, key: Key) -> Option<&Tie> {
        self.ties.get(&key)
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut Tie> {
        self.ties.get_mut(&key)
    }

    pub(crate) fn link(&self, position: u32) -> Option<&Link> {
        self.links.get(&position)
    }

    /// What the operation at `position` gave back of its original, also if it has just left.
    pub(crate) fn given_back(&self, position: u32) -> impl Iterator<Item = Charge> + '_ {
        let link = self.links.get(&position).map(|link| &link.given_back);
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::GivenBackForgotten) {
            return link.into_iter().flat_map(Charges::iter);
        }
        link.or_else(|| self.gone.get(&position)).into_iter().flat_map(Charges::iter)
    }

    /// The operation at `position`, and its original.
    pub(crate) fn both(&mut self, position: u32) -> Option<(&mut Link, &mut Tie)> {
        let link = self.links.get_mut(&position)?;
        let tie = self.ties.get_mut(&link.original).expect("a link has a tie");
        Some((link, tie))
    }

    /// One LINKED of the operation is on its way no more; whether another still is.
    pub(crate) fn still_writing(&mut self, position: u32) -> bool {
        let Some(link) = self.links.get_mut(&position) else { return false };
        link.writing = link.writing.saturating_sub(1);
        link.writing > 0
    }

    /// Ties an operation to its original; `drawn` counts where nothing else is in memory about it.
    pub(crate) fn tie(&mut self, position: u32, original: Original, drawn: Drawn, link: Link) {
        let tie = self.ties.entry(original.key()).or_insert(Tie::new(original, drawn));
        tie.live += 1;
        if link.phase == Phase::UnderWay {
            tie.under_way += link.amount;
            tie.open += 1;
        }
        self.gone.remove(&position);
        let before = self.links.insert(position, link);
        assert!(before.is_none(), "position {position} is tied twice");
    }

    /// The fate of the operation is known: what it reserved of its original is free. Tells which reversals waited for it.
    pub(crate) fn close(&mut self, position: u32) -> u32 {
        let (link, tie) = self.both(position).expect("only what is tied is closed");
        tie.under_way -= link.amount;
        tie.open -= 1;
        if tie.open == 0 { core::mem::replace(&mut tie.waiting, NIL) } else { NIL }
    }

    /// Another shard has the original from here on.
    pub(crate) fn lend(&mut self, original: Original, drawn: Drawn) {
        let tie = Tie { lent: true, live: 1, open: 1, ..Tie::new(original, drawn) };
        let before = self.ties.insert(original.key(), tie);
        assert!(before.is_none(), "an original is lent while something is done to it");
    }

    /// It is back: what was kept of it meanwhile.
    pub(crate) fn end_lend(&mut self, key: Key) -> Option<Tie> {
        self.ties.get(&key).filter(|tie| tie.lent)?;
        self.ties.remove(&key)
    }

    /// The operation leaves the slab. Tells which reversals waited for it, and the tie if that was the last.
    pub(crate) fn untie(&mut self, position: u32) -> (u32, Option<Tie>) {
        let Some(link) = self.links.get(&position).copied() else { return (NIL, None) };
        let waiting = match link.phase {
            Phase::UnderWay | Phase::Approving => self.close(position),
            Phase::Applied | Phase::TakingBack | Phase::Over => NIL,
        };
        self.links.remove(&position);
        self.gone.insert(position, link.given_back);
        let tie = self.get_mut(link.original).expect("a link has a tie");
        tie.live -= 1;
        if tie.live > 0 {
            return (waiting, None);
        }
        assert!(tie.waiting == NIL, "a reversal waits for nothing");
        (waiting, self.ties.remove(&link.original))
    }
}

impl Tie {
    fn new(original: Original, drawn: Drawn) -> Self {
        let (home, lsn) = (None, None);
        Self { original, drawn, under_way: 0, open: 0, live: 0, waiting: NIL, home, lent: false, lsn }
    }
}

impl Drawn {
    /// What an approved operation makes of it.
    pub(crate) fn draw(&mut self, kind: Kind, amount: Minor) {
        match kind {
            Kind::Completion | Kind::CompletionAdvice => (self.completed, self.taken) = (true, amount),
            Kind::Refund => self.taken += amount,
            _ => self.voided = true,
        }
    }

    /// What it was before that operation.
    pub(crate) fn put_back(&mut self, kind: Kind, amount: Minor) {
        match kind {
            Kind::Completion | Kind::CompletionAdvice => (self.completed, self.taken) = (false, 0),
            Kind::Refund => self.taken = (self.taken - amount).max(0),
            _ => self.voided = false,
        }
    }
}
