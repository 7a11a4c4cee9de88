//! The end of a drain.
//! Never waits. Guards: nothing that was sent is left without an outcome.

use crate::effect::{Effect, ReversalReason};
use crate::engine::Engine;
use crate::event::TxnId;
#[cfg(pointsman_zoo)]
use crate::settle::decline;
use crate::settle::doubt;
use crate::state::State;
use crate::turn::Turn;
use terms::InternalCause;

impl Engine {
    /// The time for finishing is over: what is not settled is in doubt.
    pub(crate) fn drain_over(&mut self, turn: &mut Turn) {
        let ids: Vec<TxnId> = self.slab.ids().collect();
        for id in ids {
            let transaction = self.slab.at(id.index);
            if !transaction.is_payment() || transaction.state != State::Intent {
                continue;
            }
            if transaction.forwarded {
                turn.ask(Effect::Retire { txn: id });
                #[cfg(pointsman_zoo)]
                if zoo::has(zoo::Bug::DrainNotReversed) {
                    decline(turn, id, transaction, Some(InternalCause::Draining), None);
                    continue;
                }
                doubt(turn, id, transaction, InternalCause::Draining, ReversalReason::Timeout);
            } else {
                transaction.cancelled.get_or_insert(InternalCause::Draining);
            }
        }
    }
}
