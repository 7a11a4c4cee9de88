//! Messages that decoding refused and that can still be answered: journaled, counted, told with the dialect's format error.
//!
//! Never believes more of them than MTI, STAN and terminal. Guards: such a refusal takes the way of every other one, within a
//! turn: REFUSED first, its count next, the answer last; it holds its place in its connection's bound until then.

use super::slips::explained;
use super::worker::Worker;
use engine::{Code, Event, Origin};
use framing::Envelope;
use iso8583::Trusted;
use terms::{InternalCause, Kind, Request};

/// One of them, waiting for the next turn.
pub struct Malformed {
    /// What can be believed.
    pub trusted: Trusted,
    /// Where the answer goes.
    pub origin: Origin,
    /// Its envelope, for the answer's.
    pub envelope: Envelope,
}

impl Worker {
    /// Refuses what the connections of this worker brought since the last turn. The record needs no owner: it changes nothing.
    pub(super) fn refuse_malformed(&mut self) {
        let mut malformed = std::mem::take(&mut self.malformed);
        for one in malformed.drain(..) {
            let listener = &self.shared.config.listeners[one.origin.listener.at()];
            let request = Request {
                terminal: one.trusted.terminal,
                acquirer: listener.terms.acquirer,
                ..Request::new(one.trusted.mti, Kind::Unknown, one.trusted.stan)
            };
            self.handle(Event::Malformed { request: &request }, None);
            self.tell_malformed(&one);
        }
        self.malformed = malformed;
    }

    fn tell_malformed(&mut self, one: &Malformed) {
        let listener = &self.shared.config.listeners[one.origin.listener.at()];
        let said = explained(listener, Code::Internal(InternalCause::FormatError));
        let mut body = std::mem::take(&mut self.body);
        body.clear();
        match iso8583::write_refusal(&listener.dialect, &one.trusted, &said, &mut body) {
            Ok(_) => self.deliver(one.origin, one.envelope.reply(), None, &body),
            // What cannot be said in this dialect stays unsaid: the terminal's own clock runs out.
            Err(_) => self.forgo_here(one.origin),
        }
        self.body = body;
    }
}
