//! What the engine asks for, done: permits, limits, forwards, reversals, replies, timers, look-ups.
//!
//! Never decides: every branch here is "it worked" or "it did not", told back to the engine as an event.
//! Guards: effects are done in order, within the turn that asked.

use super::advices::{kept, named};
use super::slips::explained;
use super::wording::words;
use super::worker::Worker;
use crate::config::ListenerConfig;
use engine::effect::Note;
use engine::record::rrn_key;
use engine::{Context, Effect, Event, Origin, Permit, Reply, TxnId};
use framing::Envelope;
use iso8583::{CodeVerdict, Forward, ReversalOf, ReversalStan};
use std::cell::Cell;
use telemetry::Stage;
use terms::{Flags, InternalCause, IssuerIx, LinkIx, Tick};

/// The message that is being handled: what an immediate reply is made from.
pub struct AtHand<'a> {
    /// Its body.
    pub body: &'a [u8],
    /// Its envelope.
    pub envelope: Envelope,
    /// Where its answer goes.
    pub origin: Origin,
    /// It was answered at once.
    pub answered: Cell<bool>,
}

impl Worker {
    /// Does everything in the list; what comes of it may lengthen the list.
    pub(super) fn run_effects(&mut self, at_hand: Option<&AtHand<'_>>) {
        let mut next = 0;
        while let Some(effect) = self.effects.get(next).copied() {
            next += 1;
            self.run(effect, at_hand);
        }
        self.effects.clear();
    }

    fn run(&mut self, effect: Effect, at_hand: Option<&AtHand<'_>>) {
        match effect {
            Effect::Reserve { txn, issuer } => self.reserve(txn, issuer),
            Effect::Enlist { txn, issuer } => self.enlist(txn, issuer),
            Effect::StandIn { txn, issuer } => self.stand_in(txn, issuer),
            Effect::Uncover { txn } => self.uncover(txn),
            Effect::Forward { txn, deadline } => self.forward(txn, deadline),
            Effect::Return { txn } => self.give_back(txn),
            Effect::Retire { txn } => self.retire(txn),
            Effect::Occupy { issuer, count } => {
                if let Some(taken) = self.slots_taken.get_mut(issuer.at()) {
                    *taken += count;
                }
            }
            Effect::Settle { issuer, .. } => self.free_slot(issuer),
            #[cfg(pointsman_zoo)]
            Effect::Release { txn } if zoo::has(zoo::Bug::ReleaseTwice) => {
                self.shared.limits.release(self.engine.charges(txn));
                self.shared.limits.release(self.engine.charges(txn));
            }
            Effect::Release { txn } => self.shared.limits.release(self.engine.charges(txn)),
            Effect::Reduce { txn } => self.shared.limits.reduce(self.engine.reduce(txn).iter()),
            Effect::Force { txn } => self.force(txn),
            Effect::Post { txn } => self.post(txn),
            Effect::GiveBack { txn } => {
                for charge in self.engine.given_back(txn) {
                    self.shared.limits.release(&[charge]);
                }
            }
            Effect::Restore { txn } => self.restore(txn),
            Effect::Advise { txn, prefer, issuer, advice, repeat, deadline } => {
                let handed = match advice {
                    true => self.send_advice(txn, prefer, issuer, repeat, deadline),
                    false => self.advise(txn, prefer, issuer, repeat, deadline),
                };
                if !handed {
                    self.feed(if advice {
                        Event::NotSent { txn }
                    } else {
                        Event::LinkLost { txn, reversal: true }
                    });
                }
            }
            Effect::Reply { txn: Some(txn), origin, reply } => self.reply_kept(txn, origin, &reply),
            Effect::Reply { txn: None, origin, reply } => self.reply_at_hand(origin, &reply, at_hand),
            Effect::Answer { link, ask, code } => self.answer_recant(link, ask, code),
            Effect::Arm { txn, timer, at } => {
                self.wheel.arm(at, (txn.ticket(), timer));
            }
            Effect::Fetch { txn, lsn } => self.fetch(txn, lsn),
            Effect::Find { txn, slot, before } => self.find(txn, slot.0, before),
            Effect::Name { txn } => self.name(txn),
            Effect::Letter { to } => {
                let letter = self.engine.letter();
                self.outbox[usize::from(to)].letters.extend(letter);
            }
            Effect::Count(tally) => self.meter.tally(&tally),
            Effect::Note(note) => {
                if let Note::Timeout(issuer) = note {
                    self.breakers.timed_out(issuer);
                }
                self.meter.note(&note);
            }
            Effect::Forget { txn } => {
                if let Some(waiting) = self.wires.forget(txn) {
                    self.forgo(waiting);
                }
            }
        }
    }

    /// Hands an event to the engine from within the list of effects: what it asks for is appended to the list.
    pub(super) fn feed(&mut self, event: Event<'_>) {
        let context = Context { now: self.now, snapshot: &self.snapshot, days: &self.days };
        self.engine.handle(&context, event, &mut self.frames, &mut self.effects);
    }

    /// Station 6: a link's permit and a store-and-forward slot, then the ceilings; all or nothing.
    fn reserve(&mut self, txn: TxnId, issuer: IssuerIx) {
        let result = self.permit(txn, issuer).and_then(|permit| {
            match self.shared.limits.reserve(self.engine.demands(txn)) {
                Ok(()) => Ok(permit),
                Err(exceeded) => {
                    self.desks[permit.link.at()].give_back(permit.stan);
                    self.free_slot(issuer);
                    Err(exceeded.cause())
                }
            }
        });
        self.feed(Event::Reserved { txn, result });
    }

    fn permit(&mut self, txn: TxnId, issuer: IssuerIx) -> Result<Permit, InternalCause> {
        self.room_for(issuer)?;
        self.asks(issuer)?;
        let (desks, up, now, links) = (&mut self.desks, &self.up, &self.now, &self.snapshot.links);
        let transaction = self.engine.transaction(txn);
        let with_pin = transaction.is_some_and(|transaction| transaction.request.flags.has(Flags::PIN));
        let mut taken = None;
        let link = self.choosers[issuer.at()]
            .choose(
                |link| up[link.at()] && (!with_pin || links[link.at()].pin_passthrough),
                |link| {
                    taken = desks[link.at()].permit(now);
                    taken.is_some()
                },
            )
            .map_err(|none| none.cause())?;
        let (stan, transmission) = taken.ok_or(InternalCause::WindowFull)?;
        self.slots_taken[issuer.at()] += 1;
        Ok(Permit { link, stan, transmission })
    }

    /// Whether anything more may be owed to `issuer`.
    pub(super) fn room_for(&self, issuer: IssuerIx) -> Result<(), InternalCause> {
        let (share, high_water) = (self.slots_share[issuer.at()], self.high_water[issuer.at()]);
        match self.slots_taken[issuer.at()] >= share || self.engine.owed(issuer) >= high_water as usize {
            true => Err(InternalCause::StoreAndForwardFull),
            false => Ok(()),
        }
    }

    pub(super) fn free_slot(&mut self, issuer: IssuerIx) {
        // An issuer that left the configuration has no count.
        if let Some(taken) = self.slots_taken.get_mut(issuer.at()) {
            *taken = taken.saturating_sub(1);
        }
    }

    fn give_back(&mut self, txn: TxnId) {
        let Some(transaction) = self.engine.transaction(txn) else { return };
        if let Some(permit) = transaction.permit {
            self.desks[permit.link.at()].give_back(permit.stan);
            let issuer = transaction.issuer;
            self.free_slot(issuer);
        }
    }

    fn retire(&mut self, txn: TxnId) {
        if let Some(permit) = self.engine.transaction(txn).and_then(|transaction| transaction.permit) {
            self.desks[permit.link.at()].retire(permit.stan);
        }
    }

    fn force(&mut self, txn: TxnId) {
        let posts = self.engine.posts(txn);
        let forced = self.shared.limits.force(posts);
        if !posts.is_empty() {
            self.meter.limit_forced();
        }
        if forced == limits::Forced::Full {
            tracing::warn!("a forced post found no room for one more counter");
        }
    }

    /// What an operation had given back is charged again.
    fn restore(&mut self, txn: TxnId) {
        let mut any = false;
        for charge in self.engine.given_back(txn) {
            any = true;
            if self.shared.limits.restore(charge.key, charge.day, charge.amount, 1).is_err() {
                tracing::warn!("a forced post found no room for one more counter");
            }
        }
        if any {
            self.meter.limit_forced();
        }
    }

    /// Station 8: the request under our STAN. The link may be gone by now: then nothing was sent.
    pub(super) fn forward(&mut self, txn: TxnId, deadline: Tick) {
        let Some((transaction, permit)) = self.engine.transaction(txn).and_then(|t| Some((t, t.permit?)))
        else {
            return;
        };
        let (issuer, rrn) = (transaction.issuer, transaction.rrn);
        let Some(wire) = self.wires.get_mut(txn) else { return };
        wire.forwarded = self.now.tick;
        let config = &self.shared.config;
        let from = &config.listeners[wire.listener.at()];
        let to = &config.issuers[issuer.at()].dialect;
        // What another dialect's words would be taken for something else, if they can be said at all.
        let words = words(&from.dialect, to, &transaction.request);
        let change = Forward {
            words: words.as_ref().ok().copied().flatten(),
            batch: transaction.request.batch,
            rrn: Some(rrn),
            drop_pin: !(from.terms.pin_passthrough && config.links[permit.link.at()].pin_passthrough),
            drop_mac: true,
            acquirer: transaction.request.acquirer,
            original: self.engine.named_original(txn).map(named),
            ..Forward::new(permit.stan, permit.transmission)
        };
        self.body.clear();
        // The request was decoded when it came in: what cannot be encoded for this issuer was never sent.
        let unsayable = match iso8583::locate(&from.dialect, &wire.request, &mut self.index) {
            Ok(()) if words.is_err() => words.err().map(|error| error.to_string()),
            Ok(()) => {
                iso8583::forward(&from.dialect, &wire.request, &self.index, to, &change, &mut self.body)
                    .err()
                    .map(|error| error.to_string())
            }
            Err(error) => Some(error.to_string()),
        };
        if let Some(error) = &unsayable {
            self.meter.unencodable(issuer);
            if let Some(before) = self.complaints.unsayable.tell(self.now.tick) {
                let name = &config.issuers[issuer.at()].name;
                tracing::error!(issuer = %name, error, before, "a request cannot be encoded for its issuer: declined");
            }
        }
        if unsayable.is_some() || !self.up[permit.link.at()] {
            self.feed(Event::NotSent { txn });
            return;
        }
        let class =
            self.engine.transaction(txn).map_or(0, |transaction| transaction.request.mti.class_digit());
        self.desks[permit.link.at()].sent_as(class, permit.stan, txn.ticket(), deadline);
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::ForwardTwice) {
            self.hand_over(permit.link, txn.ticket(), false);
        }
        if !self.hand_over(permit.link, txn.ticket(), false) {
            // Not a byte of it was taken: the engine gives the permit back.
            self.feed(Event::NotSent { txn });
        }
    }

    /// Puts `self.body` on its way: into the link's buffer if its socket is ours, else into its owner's letter.
    /// `false`: our own link took nothing of it.
    pub(super) fn hand_over(&mut self, link: LinkIx, ticket: u64, reversal: bool) -> bool {
        let owner = link.at() % self.outbox.len();
        if owner == self.ix.at() {
            let body = std::mem::take(&mut self.body);
            let written = self.write_port(link, &body);
            self.body = body;
            written
        } else {
            let mail = &mut self.outbox[owner];
            let body = mail.enclose(&self.body);
            let ticket = u64::from(self.ix.0) << 52 | ticket;
            mail.forwards.push(super::mail::Outgoing { link, ticket, reversal, body });
            true
        }
    }

    /// A reversal on its way, by the link that carried the request while it lives.
    fn advise(&mut self, txn: TxnId, prefer: LinkIx, issuer: IssuerIx, repeat: bool, deadline: Tick) -> bool {
        let up = |link: LinkIx| self.up.get(link.at()).copied().unwrap_or(false);
        // An issuer that left the configuration is still owed: its reversals wait until it is back.
        let Some(chooser) = self.choosers.get_mut(issuer.at()) else { return false };
        let link = if up(prefer) { Some(prefer) } else { chooser.pick(up) };
        let (Some(link), Some(transaction)) = (link, self.engine.transaction(txn)) else { return false };
        let dialect = &self.shared.config.issuers[issuer.at()].dialect;
        let Some(original) = transaction.number() else { return false };
        let own = (dialect.reversal_form().stan == ReversalStan::Original).then_some(original.stan);
        let transmission = self.now.transmission;
        let desk = &mut self.desks[link.at()];
        let Some(stan) = desk.open_reversal(own, transmission, txn.ticket(), deadline, &self.now) else {
            return false;
        };
        // As it was said to the issuer, so it is taken back; an advice was ours.
        let kept = kept(transaction, original);
        let said = self.said(transaction).filter(|_| transaction.known_mti() == transaction.request.mti);
        let reversal = ReversalOf {
            original_mti: said.map_or(kept.original_mti, |said| said.mti),
            processing_code: said.map_or(kept.processing_code, |said| said.processing_code),
            condition: said.map_or(kept.condition, |said| said.condition),
            stan_new: stan,
            transmission_new: transmission,
            repeat,
            replacement_amount: transaction.part.map(|part| part.stays),
            ..kept
        };
        #[cfg(pointsman_zoo)]
        let reversal = ReversalOf {
            stan: if zoo::has(zoo::Bug::ReverseTheNext) { reversal.stan.next() } else { reversal.stan },
            ..reversal
        };
        self.body.clear();
        if let Err(error) = iso8583::write_reversal(dialect, &reversal, &mut self.body) {
            tracing::error!(%error, "a reversal cannot be encoded for its issuer");
            return false;
        }
        // A full output takes nothing now: the desk's deadline brings the next try.
        self.hand_over(link, txn.ticket(), true);
        true
    }

    fn fetch(&mut self, txn: TxnId, lsn: journal::Lsn) {
        let records = self.records.read(&self.reader, lsn);
        if let Err(error) = &records {
            tracing::error!(%error, "a record that the index names cannot be read");
        }
        let context = Context { now: self.now, snapshot: &self.snapshot, days: &self.days };
        let event = Event::Fetched { txn, records: records.ok() };
        self.engine.handle(&context, event, &mut self.frames, &mut self.effects);
    }

    fn find(&mut self, txn: TxnId, key: u64, before: journal::Lsn) {
        let result = match self.reader.find(key) {
            journal::Find::Found(positions) => {
                positions.into_iter().find(|position| *position < before).ok_or(true)
            }
            journal::Find::Missing => Err(true),
            journal::Find::Unknown => Err(false),
        };
        self.feed(Event::Found { txn, result });
    }

    /// Whom the journal knows under the RRN that an operation names.
    fn name(&mut self, txn: TxnId) {
        let named = self.engine.transaction(txn).and_then(|operation| operation.request.rrn);
        let found = match named {
            Some(rrn) => self.records.named(&self.reader, rrn_key(rrn), |intent| intent.rrn == rrn),
            None => Err(true),
        };
        self.feed(Event::Named { txn, result: found.as_ref().map_err(|missing| *missing) });
    }

    /// A reply to a message whose bytes were kept: from the issuer's answer if there is one, else from the request.
    fn reply_kept(&mut self, txn: TxnId, origin: Origin, reply: &Reply) {
        let Some(wire) = self.wires.get(txn) else { return };
        let config = &self.shared.config;
        let listener = &config.listeners[wire.listener.at()];
        let dialect = &listener.dialect;
        let (envelope, received) = (wire.envelope.reply(), wire.received);
        let answers_waiting = wire.waiting == Some(origin);
        let body = &mut self.body;
        body.clear();
        let said = rendered(listener, reply);
        if iso8583::locate(dialect, &wire.request, &mut self.index).is_err() {
            return;
        }
        let issuer = self.engine.transaction(txn).map(|transaction| transaction.issuer);
        let from_issuer = issuer.filter(|_| reply.from_issuer && !wire.answer.is_empty());
        let written = match from_issuer.map(|issuer| &config.issuers[issuer.at()].dialect) {
            Some(theirs) if iso8583::locate(theirs, &wire.answer, &mut self.answer_index).is_ok() => {
                let (answer, index) = (&wire.answer, &self.answer_index);
                iso8583::reply_from_answer(
                    dialect,
                    &wire.request,
                    &self.index,
                    theirs,
                    answer,
                    index,
                    &said,
                    body,
                )
            }
            _ => iso8583::write_reply(dialect, &wire.request, &self.index, &said, body),
        };
        // What the issuer adds may not fit the terminal's dialect: the verdict alone always does.
        let written = written.or_else(|error| {
            tracing::warn!(%error, "an issuer's answer does not fit its terminal's dialect");
            body.clear();
            iso8583::write_reply(dialect, &wire.request, &self.index, &said, body)
        });
        if let Err(error) = written {
            tracing::error!(%error, "a reply cannot be encoded for its terminal");
            self.told_later.push((txn.ticket(), false));
            return self.letters.bell().notify_one();
        }
        self.meter.latency(Stage::Total, self.now.tick.since(received));
        let approves = dialect.verdict(&said.code) == CodeVerdict::Approves;
        self.capture_kept(txn, approves);
        if answers_waiting && let Some(wire) = self.wires.get_mut(txn) {
            wire.waiting = None;
        }
        let body = std::mem::take(&mut self.body);
        self.deliver(origin, envelope, Some(self.tagged(txn)), &body);
        self.body = body;
    }

    /// A reply to the message being handled.
    fn reply_at_hand(&mut self, origin: Origin, reply: &Reply, at_hand: Option<&AtHand<'_>>) {
        let Some(message) = at_hand else { return };
        let listener = &self.shared.config.listeners[message.origin.listener.at()];
        let dialect = &listener.dialect;
        let said = rendered(listener, reply);
        self.body.clear();
        let written = match iso8583::locate(dialect, message.body, &mut self.index) {
            Ok(()) => iso8583::write_reply(dialect, message.body, &self.index, &said, &mut self.body),
            Err(_) => return,
        };
        if let Err(error) = written {
            return tracing::error!(%error, "a reply cannot be encoded for its terminal");
        }
        message.answered.set(true);
        let approves = dialect.verdict(&said.code) == CodeVerdict::Approves;
        self.capture_at_hand(message, approves);
        let body = std::mem::take(&mut self.body);
        self.deliver(origin, message.envelope.reply(), None, &body);
        self.body = body;
    }

    /// A ticket that leads back to this worker from any other.
    fn tagged(&self, txn: TxnId) -> u64 {
        u64::from(self.ix.0) << 52 | txn.ticket()
    }

    /// A request gets no answer on its connection: a newer one took its place, it was reversed, or it was dropped.
    pub(super) fn forgo(&mut self, origin: Origin) {
        if origin.worker == self.ix.0 {
            self.forgo_here(origin);
        } else {
            self.outbox[usize::from(origin.worker)].forgone.push(origin);
        }
    }

    /// A forward found its link gone (told by the link's owner).
    pub(super) fn unsent(&mut self, ticket: u64, reversal: bool) {
        let txn = TxnId::from_ticket(ticket);
        // Nothing of it was framed: a request is declined without a reversal, a reversal is tried again.
        let event = if reversal { Event::LinkLost { txn, reversal } } else { Event::NotSent { txn } };
        self.handle(event, None);
    }

    /// What became of a reply (told by the connection's owner).
    pub(super) fn told(&mut self, ticket: u64, delivered: bool) {
        let txn = TxnId::from_ticket(ticket);
        self.handle(if delivered { Event::Delivered { txn } } else { Event::Undelivered { txn } }, None);
    }

    /// Starts the engine's timers again after a restart.
    pub(super) fn recover(&mut self) {
        let hash = self.shared.version().hash;
        self.journal_names(hash);
        (0..self.shared.config.calendars.len()).for_each(|calendar| self.journal_day(calendar));
        let context = Context { now: self.now, snapshot: &self.snapshot, days: &self.days };
        self.engine.recover(&context, &mut self.frames, &mut self.effects);
        self.run_effects(None);
        self.submit();
    }
}

/// A reply in the terminal's dialect, with the text beside its code.
fn rendered<'a>(listener: &'a ListenerConfig, reply: &Reply) -> iso8583::Reply<'a> {
    let said = explained(listener, reply.code);
    iso8583::Reply {
        rrn: reply.rrn,
        approval_code: reply.approval_code,
        arpc: reply.arpc,
        amount: reply.amount,
        batch: reply.batch,
        text: reply.stand_in.then_some(STAND_IN).or(said.text),
        compared: reply.compared.map(|results| results.map(|result| b'0' + result as u8)),
        ..said
    }
}

/// Tells people that the issuer has not been asked, where the dialect has room for it.
const STAND_IN: &[u8] = b"STAND-IN";
