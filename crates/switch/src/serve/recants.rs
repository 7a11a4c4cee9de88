//! An issuer's own reversals (0420, 0421): from the link that they came on to the shard that knows the original, and back.
//!
//! The message stays with its link's worker until it is answered; a number travels. Never decides what becomes of the
//! original. Guards: bounded per link: what an issuer asks beyond that is forgotten, and asked again by it.

use super::worker::Worker;
use engine::record::{Intent, number_key, rrn_key};
use engine::{Code, Event, IssuerAsk};
use framing::Envelope;
use iso8583::{Dialect, Index};
use std::collections::VecDeque;
use std::sync::Arc;
use terms::{InternalCause, Kind, LinkIx, Request, ResponseCode, SlotKey, Stan, TransmissionTime, WorkerIx};

/// How DE 90 names an original: our STAN and DE 7.
pub type Number = Option<(Stan, TransmissionTime)>;

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
    pub(super) fn keep(&mut self, envelope: Envelope, body: Vec<u8>) -> u32 {
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
    pub(super) fn issuer_asks(
        &mut self,
        link: LinkIx,
        request: &Request,
        number: Number,
        envelope: Envelope,
        body: Vec<u8>,
    ) {
        match request.kind {
            Kind::Cutover => return self.hear_cutover(link, envelope, body),
            Kind::Reversal => {}
            _ => {
                let cause = InternalCause::UnsupportedTransaction;
                self.refuse_issuer(link, request, cause);
                return self.tell_issuer(link, Code::Internal(cause), &envelope, &body);
            }
        }
        let Some(port) = self.ports[link.at()].as_mut() else { return };
        let asked = IssuerAsk { link, ask: port.asked.keep(envelope, body) };
        self.recants.push((asked, *request, number));
    }

    fn refuse_issuer(&mut self, link: LinkIx, request: &Request, cause: InternalCause) {
        if let Some(before) = self.complaints.links[link.at()].messages.tell(self.clock.tick()) {
            let link = &self.shared.config.links[link.at()].full_name;
            tracing::warn!(%link, mti = %request.mti, %cause, before, "an issuer's own request is refused");
        }
    }

    /// Reversals that came since the last turn, to the shards that know their originals.
    pub(super) fn take_recants(&mut self) {
        let mut recants = std::mem::take(&mut self.recants);
        for (asked, mut request, number) in recants.drain(..) {
            let slot = match self.name_original(asked.link, &mut request, number) {
                Ok(slot) => slot,
                Err(cause) => {
                    self.refuse_issuer(asked.link, &request, cause);
                    self.answer_recant(asked.link, asked.ask, Code::Internal(cause));
                    continue;
                }
            };
            let owner = match self.outbox.len() {
                1 => self.ix,
                workers => WorkerIx(engine::shard_of(request.owner(), workers) as u16),
            };
            match owner == self.ix {
                true => self.recant(asked, &request, slot),
                false => self.outbox[owner.at()].recants.push((asked, request, slot)),
            }
        }
        self.recants = recants;
    }

    /// Says whose it is and where it lives: by our RRN, else by our STAN and DE 7 in DE 90. While the journal's index is being
    /// made nobody can say; then DE 32, 41 and 42 tell where to look, if they are there.
    fn name_original(
        &mut self,
        link: LinkIx,
        request: &mut Request,
        number: Number,
    ) -> Result<Option<SlotKey>, InternalCause> {
        let issuer = self.shared.config.issuers[self.shared.config.links[link.at()].issuer.at()].id;
        let Self { records, reader, .. } = self;
        let by_rrn = request.rrn.map(|rrn| records.named(reader, rrn_key(rrn), |intent| intent.rrn == rrn));
        let mut by_number = || {
            let (stan, at) = number?;
            let is_it =
                |intent: &Intent| (intent.issuer, intent.stan, intent.transmission) == (issuer, stan, at);
            Some(records.named(reader, number_key(issuer, stan, at), is_it))
        };
        let named = match by_rrn {
            Some(Ok(intent)) => Some(Ok(intent)),
            Some(Err(false)) => Some(Err(false)),
            Some(Err(true)) | None => by_number(),
        };
        match named {
            Some(Ok(intent)) => {
                let Request { acquirer, terminal, merchant, slot, .. } = intent.request;
                (request.acquirer, request.terminal, request.merchant) = (acquirer, terminal, merchant);
                request.rrn = Some(intent.rrn);
                Ok(Some(slot))
            }
            Some(Err(false)) if request.rrn.is_some() && !request.terminal.trimmed().is_empty() => Ok(None),
            Some(Err(false)) => Err(InternalCause::Overloaded),
            Some(Err(true)) | None => Err(InternalCause::OriginalNotFound),
        }
    }

    /// The original is this shard's, if it is anybody's.
    pub(super) fn recant(&mut self, asked: IssuerAsk, request: &Request, slot: Option<SlotKey>) {
        if let Some(before) = self.complaints.links[asked.link.at()].messages.tell(self.now.tick) {
            let link = &self.shared.config.links[asked.link.at()].full_name;
            tracing::warn!(%link, before, "an issuer reverses by itself");
        }
        let slots = slot.map_or_else(|| self.slots_of(request), |slot| vec![slot]);
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
