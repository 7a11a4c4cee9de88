//! The wire bytes of transactions under way, by the engine's slab position: what a forward and a reply are made from.
//!
//! Never outlives its transaction: [`Wires::forget`] wipes the bytes (they may hold track data or a PIN block).
//! Guards: buffers are reused, so a transaction allocates nothing once its position has been used before.

use super::effects::AtHand;
use engine::{Origin, TxnId};
use framing::Envelope;
use terms::{ListenerIx, Tick};

/// The bytes of one transaction.
pub struct Wire {
    /// The terminal's message: the newest of identical ones.
    pub request: Vec<u8>,
    /// The issuer's answer, empty until there is one.
    pub answer: Vec<u8>,
    /// Envelope of the reply.
    pub envelope: Envelope,
    /// The listener it came through: its dialect.
    pub listener: ListenerIx,
    /// The connection that waits for an answer.
    pub waiting: Option<Origin>,
    /// When it came.
    pub received: Tick,
    /// When it was handed to the link; 0 before.
    pub forwarded: Tick,
}

impl Wire {
    fn empty(message: &AtHand<'_>) -> Self {
        Self {
            request: Vec::new(),
            answer: Vec::new(),
            envelope: message.envelope,
            listener: message.origin.listener,
            waiting: None,
            received: Tick(0),
            forwarded: Tick(0),
        }
    }

    fn take(&mut self, message: &AtHand<'_>) {
        self.request.clear();
        self.request.extend_from_slice(message.body);
        self.envelope = message.envelope;
        self.listener = message.origin.listener;
        self.waiting = Some(message.origin);
    }
}

/// All of one worker's.
#[derive(Default)]
pub struct Wires {
    slots: Vec<Wire>,
}

/// A buffer that grew beyond this for one large message is not kept.
const KEEP: usize = 1024;

impl Wires {
    /// Keeps the message at hand for `txn`, replacing what was there. Its connection waits for an answer.
    pub fn keep(&mut self, txn: TxnId, message: &AtHand<'_>, received: Tick) {
        let at = txn.index as usize;
        if self.slots.len() <= at {
            self.slots.resize_with(at + 1, || Wire::empty(message));
        }
        let wire = &mut self.slots[at];
        wire.answer.clear();
        (wire.received, wire.forwarded) = (received, Tick(0));
        wire.take(message);
    }

    /// Replaces the request by the same one come again; keeps the first's time and answer. Returns the connection that
    /// waits no longer, if one did.
    pub fn join(&mut self, txn: TxnId, message: &AtHand<'_>) -> Option<Origin> {
        let wire = self.slots.get_mut(txn.index as usize)?;
        let left = wire.waiting;
        wire.take(message);
        left
    }

    /// The bytes of `txn`.
    pub fn get(&self, txn: TxnId) -> Option<&Wire> {
        self.slots.get(txn.index as usize)
    }

    /// The bytes of `txn`, to add an answer or a time.
    pub fn get_mut(&mut self, txn: TxnId) -> Option<&mut Wire> {
        self.slots.get_mut(txn.index as usize)
    }

    /// Wipes the bytes of `txn`. Returns the connection that still waited, if one did.
    pub fn forget(&mut self, txn: TxnId) -> Option<Origin> {
        let wire = self.slots.get_mut(txn.index as usize)?;
        wipe(&mut wire.request);
        wipe(&mut wire.answer);
        wire.waiting.take()
    }
}

fn wipe(bytes: &mut Vec<u8>) {
    bytes.fill(0);
    bytes.clear();
    if bytes.capacity() > KEEP {
        *bytes = Vec::new();
    }
}
