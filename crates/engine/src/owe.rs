//! Reversals that are owed to an issuer, until it acknowledges them.
//!
//! First a 0420, then 0421 with a back-off that doubles; a link that comes up is offered what waits, in order and paced.
//! Never gives up, never by chance: the spread comes from the transaction's number. Guards: a reversal once owed stays
//! listed until its ACK is durable.

use crate::effect::{Effect, Timer};
use crate::engine::Engine;
use crate::event::TxnId;
use crate::settle::is_due;
use crate::snapshot::Patience;
use crate::state::State;
use crate::table::{Step, Stimulus};
use crate::transaction::{NIL, Transaction, Written};
use crate::turn::Turn;
use terms::{Answer, LinkIx};

impl Engine {
    /// The reversal is durably owed: it goes out for the first time.
    pub(crate) fn owe(&mut self, turn: &mut Turn, id: TxnId) {
        if !self.slab.at(id.index).listed {
            self.owed.push(&mut self.slab, id);
        }
        let transaction = self.slab.at(id.index);
        if transaction.attempts == 0 && !transaction.advised {
            advise(turn, id, transaction);
        }
    }

    /// The issuer answered the reversal. 00, 94 and 21 ("no action taken": it was reversed already) are final; "no such
    /// original" (25) and "invalid" (12) only while no approval was ever seen.
    pub(crate) fn reversal_answer(&mut self, turn: &mut Turn, id: TxnId, answer: &Answer) {
        let Some(transaction) = self.slab.get(id).filter(|txn| txn.is_payment()) else { return };
        let stimulus = match answer.code.as_bytes() {
            #[cfg(pointsman_zoo)]
            _ if zoo::has(zoo::Bug::AnyAnswerAcknowledges) => Stimulus::Acknowledged,
            b"00" | b"94" | b"21" => Stimulus::Acknowledged,
            b"25" | b"12" if !transaction.approval_seen => Stimulus::Acknowledged,
            _ => Stimulus::Unacknowledged,
        };
        match self.next_step(id, stimulus) {
            Step::Acknowledge => self.acknowledge(turn, id, answer),
            Step::Retry => {
                let transaction = self.slab.at(id.index);
                transaction.bad_answers = transaction.bad_answers.saturating_add(1);
                wait(turn, id, transaction);
            }
            _ => {}
        }
    }

    pub(crate) fn acknowledge(&mut self, turn: &mut Turn, id: TxnId, answer: &Answer) {
        let transaction = self.slab.at(id.index);
        transaction.state = State::Reversed;
        transaction.advised = false;
        transaction.release_on |= Written::Ack.bit();
        transaction.issuer_code = Some(answer.code).filter(|code| !code.as_bytes().is_empty());
        turn.write_ack(id, transaction, transaction.issuer_code);
    }

    /// No acknowledgement in time, or no link to send it on.
    pub(crate) fn unacknowledged(&mut self, turn: &mut Turn, id: TxnId) {
        if self.next_step(id, Stimulus::Unacknowledged) == Step::Retry {
            let transaction = self.slab.at(id.index);
            #[cfg(pointsman_zoo)]
            if zoo::has(zoo::Bug::ReversalGivenUp) {
                return;
            }
            if transaction.advised {
                wait(turn, id, transaction);
            }
        }
    }

    /// A back-off is over, or a record that a full disk refused is to be tried again.
    pub(crate) fn retry(&mut self, turn: &mut Turn, id: TxnId) {
        let Some(transaction) = self.slab.get_mut(id) else { return };
        if !is_due(turn.now().tick, transaction.wake) {
            return;
        }
        if transaction.unwritten != 0 {
            return self.write_again(turn, id);
        }
        if may_go(transaction) {
            advise(turn, id, transaction);
        }
    }

    /// What waits for this issuer goes out: the first at once, the others in steps, so that a drain of thousands neither
    /// floods the link nor starves purchases.
    pub(crate) fn link_up(&mut self, turn: &mut Turn, link: LinkIx) {
        let Some(issuer) = turn.snapshot().links.get(link.at()).map(|terms| terms.issuer) else { return };
        let mut next = self.owed.first(issuer);
        let mut count = 0_u64;
        while next != NIL {
            let (id, transaction) = (self.slab.id(next), self.slab.at(next));
            next = transaction.owed_next;
            if !may_go(transaction) {
                continue;
            }
            match count / PACE {
                0 => advise(turn, id, transaction),
                step => {
                    transaction.wake = turn.now().tick.plus_ms(step * PACE_MS);
                    turn.ask(Effect::Arm { txn: id, timer: Timer::Retry, at: transaction.wake });
                }
            }
            count += 1;
        }
    }
}

/// Owed, durable, and not under way.
fn may_go(transaction: &Transaction) -> bool {
    transaction.listed
        && transaction.state == State::Reversing
        && !transaction.advised
        && transaction.pending | transaction.unwritten == 0
}

fn advise(turn: &mut Turn, id: TxnId, transaction: &mut Transaction) {
    let repeat = transaction.attempts > 0;
    transaction.attempts = transaction.attempts.saturating_add(1);
    transaction.advised = true;
    turn.ask(Effect::Advise {
        txn: id,
        prefer: transaction.link(),
        issuer: transaction.issuer,
        repeat,
        deadline: turn.now().tick.plus_ms(u64::from(transaction.patience.reversal_timeout_ms)),
    });
}

/// Not acknowledged: again after a back-off.
pub(crate) fn wait(turn: &mut Turn, id: TxnId, transaction: &mut Transaction) {
    transaction.advised = false;
    let Patience { retry_first_ms, retry_max_ms, .. } = transaction.patience;
    let delay = back_off(retry_first_ms, retry_max_ms, transaction.attempts, transaction.serial.0);
    transaction.wake = turn.now().tick.plus_ms(delay);
    turn.ask(Effect::Arm { txn: id, timer: Timer::Retry, at: transaction.wake });
}

/// Doubles from `first` to `most`, plus up to an eighth by number: those that failed together do not come back together.
pub(crate) fn back_off(first: u32, most: u32, attempts: u16, serial: u64) -> u64 {
    let doublings = u32::from(attempts.saturating_sub(1)).min(31);
    let delay = (u64::from(first.max(1)) << doublings).min(u64::from(most.max(first).max(1)));
    let spread = (serial ^ u64::from(attempts)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    delay + spread % (delay / 8 + 1)
}

/// Reversals that go out at once when a link comes up, and with each further step.
const PACE: u64 = 256;
/// Time between two steps: 25,600 reversals a second.
const PACE_MS: u64 = 10;
