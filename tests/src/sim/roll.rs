//! A terminal's roll: what it has begun, how each ended, what may still follow, and the totals of its batch.
//!
//! Never sees a message. Guards: what an operation does to its original, and what its reversal undoes, is written down once.

use super::flows::{Does, FLOWS, Money};
use super::manners::Manners;
use super::sale::{Of, Sale};
use books::shapes::{TerminalEntry, TerminalState};
use testkit::Chance;

/// What a terminal has begun.
#[derive(Default)]
pub struct Roll {
    /// Its book.
    pub entries: Vec<TerminalEntry>,
    /// What it said, by entry.
    pub sales: Vec<Sale>,
    drawn: Vec<Drawn>,
    /// Approvals that something may still follow, oldest first.
    open: Vec<usize>,
    /// Where its batch begins.
    batch_from: usize,
}

/// What was done to a transaction.
#[derive(Clone, Copy, Default)]
struct Drawn {
    refunded: u64,
    /// Voided or completed.
    over: bool,
    /// Reversed in part: nothing else is done to it.
    shrunk: bool,
    /// An operation on it was reversed. A notice may overtake that reversal, and an issuer that has said no to one says no
    /// for ever.
    disputed: bool,
}

/// So many approvals are remembered as ones that something may follow.
const OPEN_MAX: usize = 48;

/// Debits and credits: sum and count.
pub type Totals = [(u64, u32); 2];

impl Roll {
    /// A transaction begins.
    pub fn push(&mut self, entry: TerminalEntry, sale: Sale) -> usize {
        self.entries.push(entry);
        self.sales.push(sale);
        self.drawn.push(Drawn::default());
        self.entries.len() - 1
    }

    /// How one stands from now on, and its original with it.
    pub fn set(&mut self, at: usize, state: TerminalState) {
        let before = std::mem::replace(&mut self.entries[at].state, state);
        let (was, is) = (holds(before), holds(state));
        if was == is {
            return;
        }
        self.close(at);
        if is && self.sales[at].kind().moves_money() {
            self.open.push(at);
        }
        if self.open.len() > OPEN_MAX {
            self.open.remove(0);
        }
        if let Some(of) = self.sales[at].of {
            self.draw(at, of, is);
        }
    }

    /// An operation takes effect, or loses it.
    fn draw(&mut self, operation: usize, of: Of, takes: bool) {
        let kind = self.sales[operation].kind();
        let (does, amount) = (kind.does, self.entries[operation].amount as u64);
        let drawn = &mut self.drawn[of.at];
        drawn.disputed |= !takes;
        match does {
            Some(Does::Voids) => drawn.over = takes,
            Some(Does::Completes) => {
                drawn.over = takes;
                let state = if takes { TerminalState::Completed } else { TerminalState::Approved };
                self.entries[of.at].state = state;
            }
            Some(Does::Refunds) if takes => drawn.refunded += amount,
            Some(Does::Refunds) => drawn.refunded -= amount,
            Some(Does::Mentions) | None => {}
        }
    }

    /// Another amount stands than was asked for.
    pub fn stands_for(&mut self, at: usize, amount: u64) {
        self.entries[at].amount = amount as i64;
    }

    /// It was reversed in part.
    pub fn shrink(&mut self, at: usize, stays: u64) {
        self.drawn[at].shrunk = true;
        self.stands_for(at, stays);
    }

    /// Nothing follows it any more.
    pub fn close(&mut self, at: usize) {
        self.open.retain(|open| *open != at);
    }

    /// An approval that something may follow: any of the last ones.
    pub fn pick(&self, chance: &mut Chance) -> Option<usize> {
        (!self.open.is_empty()).then(|| *chance.pick(&self.open))
    }

    /// Whether nothing was done to it.
    pub fn is_untouched(&self, at: usize) -> bool {
        let Drawn { refunded, over, shrunk, .. } = self.drawn[at];
        refunded == 0 && !over && !shrunk
    }

    /// Kind and amount of something that may follow it; in rare cases of what must not.
    pub fn follow_up(&self, at: usize, batch: u32, how: &Manners, chance: &mut Chance) -> Option<FollowUp> {
        let kinds = self.sales[at].kind().followed_by;
        if kinds.is_empty() || self.drawn[at].shrunk {
            return None;
        }
        let (flow, whole) = (*chance.pick(kinds), self.entries[at].amount as u64);
        let Drawn { refunded, over, disputed, .. } = self.drawn[at];
        let left = whole - refunded;
        let kind = &FLOWS[flow];
        let rude = chance.per_mille(how.rude);
        if kind.advice && kind.moves_money() && (how.issuers_take_back || disputed) {
            // It would tell of a hold that its issuer has let go, or not yet back, and nobody could say no.
            return None;
        }
        let (amount, fits) = match kind.does {
            Some(Does::Voids) => {
                let hold = self.sales[at].kind().money == Money::Hold;
                (whole, !over && refunded == 0 && (hold || self.sales[at].batch == batch))
            }
            Some(Does::Completes) if rude && !kind.advice => (whole * 2, false),
            Some(Does::Completes) => (chance.between(whole / 2, whole * 11 / 10).max(1), !over),
            Some(Does::Refunds) if rude => (left + chance.between(1, 100), false),
            Some(Does::Refunds) => (chance.between(1, left.max(1)), !over && left > 0),
            Some(Does::Mentions) | None => (chance.between(1, whole), true),
        };
        // Of notices, and of what is past, a terminal that keeps the rules says nothing wrong.
        let hopeless = !fits;
        (fits || rude && !kind.advice).then_some(FollowUp { flow, amount, hopeless })
    }

    /// Transactions of the batch so far.
    pub fn in_batch(&self) -> usize {
        self.entries.len() - self.batch_from
    }

    /// What the batch adds up to, and whether the terminal is sure of it.
    pub fn totals(&self) -> (Totals, bool) {
        let mut totals = Totals::default();
        let mut sure = true;
        for at in self.batch_from..self.entries.len() {
            let entry = &self.entries[at];
            sure &= entry.state != TerminalState::Unknown || !entry.money;
            if let Some(side) = self.side(at) {
                totals[side].0 += entry.amount as u64;
                totals[side].1 += 1;
            }
        }
        (totals, sure)
    }

    /// STAN and amount of everything that the totals count.
    pub fn lines(&self) -> Vec<(u32, u64)> {
        let counted = (self.batch_from..self.entries.len()).filter(|at| self.side(*at).is_some());
        counted.map(|at| (self.entries[at].stan, self.entries[at].amount as u64)).collect()
    }

    fn side(&self, at: usize) -> Option<usize> {
        // A hold is no debit, nor is its cancellation a credit.
        let kind = self.sales[at].kind();
        let cancels = kind.mti == 0x0100;
        match (kind.money, self.entries[at].state) {
            (Money::Debit, TerminalState::Approved) => Some(0),
            (Money::Credit, TerminalState::Credited) if !cancels => Some(1),
            _ => None,
        }
    }

    /// Another batch begins.
    pub fn next_batch(&mut self) {
        self.batch_from = self.entries.len();
    }
}

/// Something that follows an earlier transaction.
pub struct FollowUp {
    /// Its kind.
    pub flow: usize,
    /// Its amount.
    pub amount: u64,
    /// It must be declined.
    pub hopeless: bool,
}

fn holds(state: TerminalState) -> bool {
    matches!(state, TerminalState::Approved | TerminalState::Credited | TerminalState::Completed)
}
