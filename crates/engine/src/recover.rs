//! What a restart finds unfinished is taken up again, before any traffic.
//!
//! Never replays an answer, never stands in. Guards: every INTENT without an outcome gets one, by its type; every reversal
//! that was owed is owed again, with its hold.

use crate::advice::is_tied;
use crate::effect::{Effect, Effects, ReversalReason, Timer};
use crate::engine::{Engine, NOBODY_ASKED};
use crate::event::{Context, TxnId};
use crate::frames::Frames;
use crate::index::Entry;
use crate::ledger::{OpenIntent, Owed, Resolving, ShardState, Shelved};
use crate::owe::hold_slot;
use crate::replay::restored;
use crate::settle::doubt;
use crate::state::State;
use crate::table::{Step, Stimulus, step};
use crate::transaction::{Role, Transaction};
use crate::turn::Turn;
use journal::Lsn;
use terms::{InternalCause, IssuerIx, Kind, Mti, Request};

impl Engine {
    /// Once, before the first event: settles what was in doubt, and arms what is owed. What it writes is to be durable
    /// before traffic begins; reversals go out as links come up.
    pub fn recover(&mut self, cx: &Context, frames: &mut Frames, effects: &mut Effects) {
        self.index.advance(cx.now.wall_ms);
        let turn = &mut Turn { cx, frames, effects };
        let unfinished = core::mem::replace(&mut self.unfinished, ShardState::empty(1, 1));
        for standing in &unfinished.tombstones {
            let tombstone = &standing.tombstone;
            self.tombs.set(tombstone.owner, tombstone.wall_ms, tombstone.original, |_| {});
        }
        self.shelve_again(turn, &unfinished.debts);
        for owed in &unfinished.parts {
            self.owe_again(turn, owed);
        }
        for open in &unfinished.open {
            self.settle_open(turn, open);
        }
        for resolving in &unfinished.resolving {
            self.seek_again(turn, resolving);
        }
    }

    /// In doubt: nobody knows whether it was sent.
    fn settle_open(&mut self, turn: &mut Turn, open: &OpenIntent) {
        let mut transaction = restored(turn, &open.intent, open.lsn, turn.now().tick);
        (transaction.holds, transaction.lsn) = (true, open.lsn);
        let advice = transaction.request.kind.is_advice();
        if transaction.request.kind.posts_on_approval() && !advice {
            (transaction.holds, transaction.charge_count) = (false, 0);
        }
        let id = self.come_back(transaction);
        let transaction = self.slab.at(id.index);
        assert!(
            step(Some(transaction.state), Stimulus::Restart) == Step::TakeUp,
            "an open INTENT is in doubt"
        );
        if advice {
            // Nobody was told, and nothing was sent: its terminal repeats it.
            transaction.forwarded = false;
            if !is_tied(transaction) {
                return self.accept(turn, id);
            }
            self.ties.taken_up.insert(id.index, ());
            return self.seek_original(turn, id);
        }
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::RestartNotReversed) {
            return crate::settle::decline(turn, id, transaction, Some(InternalCause::Restarted), None);
        }
        doubt(turn, id, transaction, InternalCause::Restarted, ReversalReason::Restart);
    }

    /// What is owed takes its slots again, and waits for its links.
    fn shelve_again(&mut self, turn: &mut Turn, debts: &[Shelved]) {
        let soon = turn.now().tick.plus_ms(FIRST_TRY_MS);
        for shelved in debts {
            let known = turn.snapshot().issuers.iter().position(|terms| terms.id == shelved.issuer);
            let issuer = IssuerIx(known.map_or(u16::MAX, |position| position as u16));
            let Shelved { serial, owing, token, .. } = *shelved;
            let at = match shelved.quarantined {
                true => self.debts.add_parked(issuer, serial, owing, &token),
                false => self.debts.add(issuer, serial, owing, &token),
            };
            let debt = self.debts.get_mut(at);
            // It may have been sent before: what goes out now is a repeat.
            debt.attempts = 1;
            debt.saw_approval(shelved.approval_seen);
            debt.hold_slot();
            if shelved.stands {
                self.debts.stand(at);
            }
            self.debts.shelve(at, turn.now().tick);
        }
        for issuer in (0..turn.snapshot().issuers.len()).map(|at| IssuerIx(at as u16)) {
            let count = self.debts.count(issuer) as u32;
            if count > 0 {
                turn.ask(Effect::Occupy { issuer, count });
                self.debts.block(issuer, soon);
                self.rouse(turn, issuer);
            }
        }
    }

    /// A part that is owed comes back into the slab: its transaction stands.
    fn owe_again(&mut self, turn: &mut Turn, owed: &Owed) {
        let intent = owed.intent.as_ref().expect("the hand-over read it");
        let mut transaction = restored(turn, intent, owed.intent_lsn, turn.now().tick);
        let known = self.index.find(owed.slot, |entry| entry.repeat == owed.repeat);
        transaction.lsn = known.and_then(|entry| entry.record()).unwrap_or(owed.intent_lsn);
        transaction.state = State::Approved;
        (transaction.part, transaction.partly_reversed) = (owed.part, true);
        let before = owed.part.map(|part| part.before);
        transaction.approved_amount = before.filter(|before| *before != transaction.request.amount);
        (transaction.reason, transaction.terminal_reason) = (owed.reason, owed.terminal_reason);
        (transaction.told, transaction.approval_seen) = (owed.told, owed.approval_seen);
        // The issuer may know it by its advice only: that is what a reversal names.
        transaction.advice = owed.advised;
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::PartForgetsAdvice) {
            transaction.advice = None;
        }
        transaction.charge_count = 0;
        owed.charges.iter().for_each(|charge| transaction.charge(*charge));
        transaction.holds = !owed.charges.is_empty();
        // It may have been sent before: what goes out now is a repeat.
        transaction.attempts = 1;
        transaction.wake = turn.now().tick;
        let id = self.come_back(transaction);
        self.owed.push(&mut self.slab, id);
        hold_slot(turn, self.slab.at(id.index));
        turn.ask(Effect::Arm { txn: id, timer: Timer::Retry, at: turn.now().tick.plus_ms(FIRST_TRY_MS) });
    }

    fn seek_again(&mut self, turn: &mut Turn, resolving: &Resolving) {
        let resolve = &resolving.resolve;
        let mut request = Request::new(Mti::of(0x0400), Kind::Reversal, resolve.stan);
        (request.amount, request.currency, request.batch) = (resolve.amount, resolve.currency, resolve.batch);
        (request.acquirer, request.terminal) = (resolve.acquirer, resolve.terminal);
        (request.merchant, request.repeat) = (resolve.merchant, resolving.own);
        (request.original, request.reason) = (Some(resolve.original), resolve.terminal_reason);
        let tick = turn.now().tick;
        let mut reversal = Transaction::new(&request, Role::Resolve, State::Tombstone, NOBODY_ASKED, tick);
        (reversal.serial, reversal.terminal_reason) = (resolving.serial, resolve.terminal_reason);
        let id = self.slab.open(reversal, 0).expect("the slab was made large enough");
        let lsn = Lsn(u64::from(id.index));
        let mut entry = Entry::tombstone(&resolve.original, request.owner(), lsn, resolving.wall_ms);
        entry.flags |= Entry::LIVE;
        if self.index.insert(entry).is_ok() {
            self.tombs.set(request.owner(), resolving.wall_ms, resolve.original, |_| {});
        }
        turn.ask(Effect::Arm { txn: id, timer: Timer::Resolve, at: tick.plus_ms(FIRST_TRY_MS) });
    }

    fn come_back(&mut self, transaction: Transaction) -> TxnId {
        let request = transaction.request;
        let id = self.slab.open(transaction, 0).expect("the slab was made large enough");
        self.enter(&request, id);
        id
    }
}

/// Links need a moment to come up; each that does calls for what it is owed anyway.
const FIRST_TRY_MS: u64 = 1_000;
