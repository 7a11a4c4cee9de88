//! An issuer's own reversals (0420, 0421): from the link that they came on to the shard that knows the original, and back.
//!
//! The message stays with its link's worker until it is answered; a number travels. Never decides what becomes of the
//! original. Guards: bounded per link: what an issuer asks beyond that is forgotten, and asked again by it.

use super::worker::Worker;
use engine::{Code, Event, IssuerAsk};
use framing::Envelope;
use iso8583::{Dialect, Index};
use std::collections::VecDeque;
use std::sync::Arc;
use terms::{InternalCause, Kind, LinkIx, Request, ResponseCode, SlotKey, WorkerIx};

/// Messages of the issuer's own that wait for their answers, oldest first.
#[derive(Default)]
pub struct Asked {
    next: u32,
    waiting: VecDeque<(u32, Envelope, Vec<u8>)>,
}

/// Of one link. Far more than an issuer has reasons for.
const WAITING_MAX: usize = 1_024;
/// Slots that one reversal may be looked for in: a terminal has few batches that are remembered.
const SLOTS_MAX: usize = 64;

impl Asked {
    fn keep(&mut self, envelope: Envelope, body: Vec<u8>) -> u32 {
        if self.waiting.len() == WAITING_MAX {
            self.waiting.pop_front();
        }
        self.next = self.next.wrapping_add(1);
        self.waiting.push_back((self.next, envelope, body));
        self.next
    }

    fn take(&mut self, ask: u32) -> Option<(Envelope, Vec<u8>)> {
        let at = self.waiting.iter().position(|(number, ..)| *number == ask)?;
        self.waiting.remove(at).map(|(_, envelope, body)| (envelope, body))
    }

    /// The connection is gone, and who asked with it.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }
}

impl Worker {
    /// A request of the issuer's own that is no network management.
    pub(super) fn issuer_asks(&mut self, link: LinkIx, request: &Request, envelope: Envelope, body: Vec<u8>) {
        let names = request.rrn.is_some() && !request.terminal.trimmed().is_empty();
        if request.kind != Kind::Reversal || !names {
            let cause = match request.kind {
                Kind::Reversal => InternalCause::OriginalNotFound,
                _ => InternalCause::UnsupportedTransaction,
            };
            if let Some(before) = self.complaints.links[link.at()].messages.tell(self.clock.tick()) {
                let link = &self.shared.config.links[link.at()].full_name;
                tracing::warn!(%link, mti = %request.mti, %cause, before, "an issuer's own request is refused");
            }
            return self.tell_issuer(link, Code::Internal(cause), &envelope, &body);
        }
        let Some(port) = self.ports[link.at()].as_mut() else { return };
        let asked = IssuerAsk { link, ask: port.asked.keep(envelope, body) };
        self.recants.push((asked, *request));
    }

    /// Reversals that came since the last turn, to the shards that know their originals.
    pub(super) fn take_recants(&mut self) {
        let mut recants = std::mem::take(&mut self.recants);
        for (asked, request) in recants.drain(..) {
            let owner = match self.outbox.len() {
                1 => self.ix,
                workers => WorkerIx(engine::shard_of(request.owner(), workers) as u16),
            };
            match owner == self.ix {
                true => self.recant(asked, &request),
                false => self.outbox[owner.at()].recants.push((asked, request)),
            }
        }
        self.recants = recants;
    }

    /// The original is this shard's, if it is anybody's.
    pub(super) fn recant(&mut self, asked: IssuerAsk, request: &Request) {
        if let Some(before) = self.complaints.links[asked.link.at()].messages.tell(self.now.tick) {
            let link = &self.shared.config.links[asked.link.at()].full_name;
            tracing::warn!(%link, before, "an issuer reverses by itself");
        }
        let slots = self.slots_of(request);
        self.handle(Event::IssuerReversal { asked, reversal: request, slots: &slots }, None);
    }

    /// Where the original can live: once per dialect that terminals speak, and per batch where that has batches.
    fn slots_of(&self, request: &Request) -> Vec<SlotKey> {
        let Some(stan) = request.rrn.and_then(|rrn| rrn.stan()) else { return Vec::new() };
        let mut dialects: Vec<&Arc<Dialect>> = Vec::new();
        for listener in &self.shared.config.listeners {
            if !dialects.iter().any(|known| known.name() == listener.dialect.name()) {
                dialects.push(&listener.dialect);
            }
        }
        let batches: Vec<u32> = self.engine.batches_of(request.owner()).take(SLOTS_MAX).collect();
        let slots = dialects.into_iter().flat_map(|dialect| {
            let batches = if dialect.slot_has_batch() { &batches[..] } else { &[0] };
            batches.iter().map(|batch| iso8583::slot_named(dialect, request, stan, *batch))
        });
        slots.take(SLOTS_MAX).collect()
    }

    /// What the engine says to it, back to the link.
    pub(super) fn answer_recant(&mut self, link: LinkIx, ask: u32, code: Code) {
        let owner = link.at() % self.outbox.len();
        if owner != self.ix.at() {
            return self.outbox[owner].recanted.push((link, ask, code));
        }
        let waiting = self.ports[link.at()].as_mut().and_then(|port| port.asked.take(ask));
        if let Some((envelope, body)) = waiting {
            self.tell_issuer(link, code, &envelope, &body);
        }
    }

    fn tell_issuer(&mut self, link: LinkIx, code: Code, envelope: &Envelope, body: &[u8]) {
        let shared = Arc::clone(&self.shared);
        let dialect = &shared.config.issuers[shared.config.links[link.at()].issuer.at()].dialect;
        let reply = iso8583::Reply::new(wire(dialect, code));
        let mut index = Index::new();
        let Some(port) = self.ports[link.at()].as_mut() else { return };
        let answered = port.session.reply(&envelope.reply(), |out| {
            iso8583::locate(dialect, body, &mut index).map_err(|_| ())?;
            iso8583::write_reply(dialect, body, &index, &reply, out).map(drop).map_err(|_| ())
        });
        if answered.is_err() {
            tracing::warn!(link = link.at(), "an issuer's own request cannot be answered");
        }
        self.mark_port(link);
    }
}

fn wire(dialect: &Dialect, code: Code) -> ResponseCode {
    match code {
        Code::Wire(code) => code,
        Code::Internal(cause) => dialect.code_for(cause),
    }
}
