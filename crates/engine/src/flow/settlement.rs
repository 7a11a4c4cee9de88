//! The end of a terminal's batch: totals compared and answered, uploads written down.
//!
//! Never declines a terminal for differing: the answer says "different", the upload and the books explain which.
//! Guards: no 0510 and no 0330 before its BATCH record is durable; what was taken back no longer counts.

use crate::check;
use crate::effect::{Code, Disposition, Effect, Reply};
use crate::engine::{Engine, plain};
use crate::event::{Origin, TxnId};
use crate::record::{Batch, BatchWhat, Compared, Record, Who};
use crate::snapshot::ListenerTerms;
use crate::state::State;
use crate::transaction::{Role, Transaction, Written};
use crate::turn::{Turn, token};
use terms::batch::{BatchSays, BatchTotals};
use terms::{InternalCause, Request, ResponseCode};

impl Engine {
    /// 0500 or 0320.
    pub(crate) fn batch_message(
        &mut self,
        turn: &mut Turn,
        request: &Request,
        says: &BatchSays,
        origin: Origin,
        listener: &ListenerTerms,
    ) -> Disposition {
        let known =
            check::well_formed(request).and_then(|()| check::known(turn.cx, request, listener).map(drop));
        let numbered = if request.batch == 0 { Err(InternalCause::FormatError) } else { Ok(()) };
        if let Err(cause) = known.and(numbered) {
            return self.refuse(turn, request, origin, cause);
        }
        let what = self.what_is_said(turn, request, says, listener);
        let mut waiting = Transaction::new(request, Role::Batch, State::Tombstone, origin, turn.now().tick);
        if let BatchWhat::Settled { results, .. } = what {
            waiting.compared = Some(results);
        }
        let Some(id) = self.slab.open(waiting, self.spare()) else {
            return self.refuse(turn, request, origin, InternalCause::Overloaded);
        };
        self.slab.at(id.index).pending |= Written::Batch.bit();
        let wall_ms = turn.now().wall_ms;
        let record = Batch { wall_ms, owner: request.owner(), batch: request.batch, what };
        record.append_to(&mut turn.frames.owed, token(id, Written::Batch));
        Disposition::Kept(id)
    }

    fn what_is_said(
        &self,
        turn: &Turn,
        request: &Request,
        says: &BatchSays,
        listener: &ListenerTerms,
    ) -> BatchWhat {
        let Request { acquirer, terminal, merchant, .. } = *request;
        let who = Who { acquirer, terminal, merchant };
        let day = turn.cx.days[listener.calendar.at()];
        let ours = self.batches.get((request.owner(), request.batch));
        let failed = BatchWhat::Settled {
            who,
            results: [Compared::Failed; 2],
            day,
            theirs: BatchTotals::default(),
            ours: ours.unwrap_or_default(),
        };
        match (*says, ours) {
            (BatchSays::Totals(theirs), Some(ours)) => {
                BatchWhat::Settled { who, results: compare(&theirs, &ours), day, theirs, ours }
            }
            (BatchSays::Totals(_) | BatchSays::NoTotals, _) => failed,
            (BatchSays::Lines { lines, count }, _) => BatchWhat::Lines { who, lines, count },
            (BatchSays::End { count, equal }, _) => BatchWhat::End { who, count, equal },
        }
    }

    /// The BATCH record is durable: the terminal hears.
    pub(crate) fn batch_durable(&mut self, turn: &mut Turn, id: TxnId) {
        let waiting = self.slab.at(id.index);
        let (origin, compared) = (waiting.origin, waiting.compared);
        let reply = Reply { compared, ..plain(Code::Wire(ResponseCode::approved())) };
        turn.ask(Effect::Reply { txn: Some(id), origin, reply });
        self.forget(turn, id);
    }

    /// An approved transaction is taken back: its batch has one less.
    pub(crate) fn withdraw(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        let request = Request { amount: transaction.amount(), ..transaction.request };
        self.batches.count(&request, transaction.foreign, true);
        turn.write_withdrawn(id, transaction);
    }
}

impl Turn<'_, '_> {
    /// What no longer counts in its batch; nothing for dialects without batches and types that do not settle.
    pub(crate) fn write_withdrawn(&mut self, id: TxnId, transaction: &mut Transaction) {
        let Transaction { request, foreign, serial, .. } = *transaction;
        let Some(side) = request.kind.batch_side().filter(|_| request.batch != 0) else { return };
        let what = BatchWhat::Withdrawn { foreign, side, amount: transaction.amount(), serial };
        let record =
            Batch { wall_ms: self.now().wall_ms, owner: request.owner(), batch: request.batch, what };
        transaction.pending |= Written::Batch.bit();
        record.append_to(&mut self.frames.owed, token(id, Written::Batch));
    }
}

fn compare(theirs: &BatchTotals, ours: &BatchTotals) -> [Compared; 2] {
    [0, 1].map(|group| match theirs[group] == ours[group] {
        true => Compared::Equal,
        false => Compared::Different,
    })
}
