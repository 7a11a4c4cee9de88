//! One event being handled: what may be looked at, and where records and effects go.
//! Never outlives the event; guards: there is one way to append and one way to ask for something.

use crate::effect::{Effect, Effects, Note, Tally};
use crate::event::{Context, TxnId};
use crate::frames::Frames;
use crate::snapshot::Snapshot;
use crate::transaction::Written;
use terms::{InternalCause, IssuerIx, Kind, Now, ResponseCode};

pub(crate) struct Turn<'a, 'b> {
    pub(crate) cx: &'a Context<'b>,
    pub(crate) frames: &'a mut Frames,
    pub(crate) effects: &'a mut Effects,
}

impl<'b> Turn<'_, 'b> {
    pub(crate) fn now(&self) -> Now {
        self.cx.now
    }

    pub(crate) fn snapshot(&self) -> &'b Snapshot {
        self.cx.snapshot
    }

    pub(crate) fn ask(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(crate) fn note(&mut self, note: Note) {
        self.effects.push(Effect::Note(note));
    }

    pub(crate) fn count(
        &mut self,
        kind: Kind,
        cause: Option<InternalCause>,
        code: Option<ResponseCode>,
        issuer: Option<IssuerIx>,
    ) {
        self.effects.push(Effect::Count(Tally { kind, cause, code, issuer }));
    }
}

/// The token of a record that somebody waits for: which record, of which transaction.
pub(crate) const fn token(id: TxnId, written: Written) -> u64 {
    (written.bit() as u64) << TICKET_BITS | id.ticket()
}

/// What a token stands for; `None` if nobody waits (0).
pub(crate) fn awaited(token: u64) -> Option<(TxnId, Written)> {
    Some((TxnId::from_ticket(token), Written::from_bit((token >> TICKET_BITS) as u8)?))
}

/// Nobody waits for this record.
pub(crate) const NOBODY: u64 = 0;

const TICKET_BITS: u32 = 52;
