//! What the engine asks for, done by the world: what is taken, charged, sent, told and armed.
//!
//! Guards: no forward before a durable INTENT, no approval before a durable OUTCOME, one release per reservation, one end per
//! store-and-forward slot, wire bytes for every answer.

use super::*;

impl World {
    pub(super) fn do_one(&mut self, effect: Effect, of: Option<Disposition>) {
        match effect {
            Effect::Reserve { txn, issuer } => self.take(txn, issuer),
            Effect::Forward { txn, deadline } => self.forward(txn, deadline),
            Effect::Occupy { count, .. } => self.slots += count as usize,
            Effect::Return { .. } | Effect::Settle { .. } => {
                self.slots = self.slots.checked_sub(1).expect("a slot given back twice");
            }
            Effect::Retire { .. } => {}
            Effect::Enlist { txn, .. } => self.enlist(txn),
            Effect::StandIn { txn, .. } => self.stand_in(txn),
            Effect::Uncover { txn } => {
                if let Some(limits::Demand { key, day, amount, .. }) =
                    self.engine.stand_in_demand(&self.snapshot, txn)
                {
                    self.store.release(&[limits::Charge { key, day, amount }]);
                }
            }
            Effect::Post { txn } => {
                for charge in self.engine.charges(txn) {
                    self.store.restore(charge.key, charge.day, charge.amount, 1).unwrap();
                }
            }
            Effect::Force { txn } => _ = self.store.force(self.engine.posts(txn)),
            Effect::GiveBack { txn } => {
                let charges: Vec<_> = self.engine.given_back(txn).collect();
                self.store.release(&charges);
            }
            Effect::Restore { txn } => {
                for charge in self.engine.given_back(txn).collect::<Vec<_>>() {
                    self.store.restore(charge.key, charge.day, charge.amount, 1).unwrap();
                }
            }
            Effect::Release { txn } => self.release(txn),
            Effect::Reduce { txn } => {
                let shares = self.engine.reduce(txn);
                self.store.reduce(shares.iter());
            }
            Effect::Advise { txn, prefer, advice, repeat, deadline, .. } => {
                self.advise(txn, prefer, (advice, repeat), deadline)
            }
            Effect::Reply { txn, origin, reply } => self.reply(txn, origin, reply, of),
            Effect::Arm { txn, timer, at } => self.arm(txn, timer, at),
            Effect::Answer { ask, code, .. } => {
                assert_eq!(ask, 7, "answered what was asked");
                self.told_issuer.push(code);
            }
            Effect::Fetch { txn, lsn } => self.fetch(txn, lsn),
            Effect::Find { txn, slot, before } => {
                let result = match self.archive {
                    Archive::Looks => self.desk.find(slot.0, before),
                    Archive::RulesOut => Err(true),
                    Archive::CannotSay => Err(false),
                };
                self.event(Event::Found { txn, result });
            }
            Effect::Name { txn } => {
                let rrn = self.engine.transaction(txn).and_then(|operation| operation.request.rrn);
                let found = match self.archive {
                    Archive::Looks => self.desk.named(rrn.expect("it names one")),
                    Archive::RulesOut => Err(true),
                    Archive::CannotSay => Err(false),
                };
                self.event(Event::Named { txn, result: found.as_ref().map_err(|missing| *missing) });
            }
            Effect::Letter { .. } => unreachable!("there is one shard"),
            Effect::Count(tally) => {
                self.counted += 1;
                self.tallies.push(tally);
            }
            Effect::Note(note) => self.notes.push(note),
            Effect::Forget { txn } => {
                self.wires.remove(&txn);
            }
        }
    }

    fn take(&mut self, txn: TxnId, issuer: terms::IssuerIx) {
        let up = self.snapshot.issuers[issuer.at()].links.iter().copied().find(|link| self.links[link.at()]);
        let charged = self.reserve.and_then(|()| up.ok_or(InternalCause::IssuerDown)).and_then(|link| {
            match self.store.reserve(self.engine.demands(txn)) {
                Ok(()) => Ok(link),
                Err(exceeded) => Err(exceeded.cause()),
            }
        });
        let result = charged.map(|link| {
            self.stans += 1;
            let stan = Stan::new(self.stans).unwrap();
            Permit { link, stan, transmission: self.now.transmission }
        });
        if result.is_ok() {
            self.slots += 1;
        }
        self.event(Event::Reserved { txn, result });
    }

    fn enlist(&mut self, txn: TxnId) {
        if self.engine.transaction(txn).is_some_and(|notice| notice.request.kind == terms::Kind::ScriptResult)
        {
            let content = self.chip.clone();
            self.event(Event::Carried { txn, content: &content });
        }
        let charged = self.store.reserve(self.engine.demands(txn)).map_err(|exceeded| exceeded.cause());
        let result = self.reserve.and(charged).map(|()| {
            let Advised { stan, transmission } = self.number();
            Permit { link: LinkIx(0), stan, transmission }
        });
        self.slots += usize::from(result.is_ok());
        self.event(Event::Reserved { txn, result });
    }

    fn stand_in(&mut self, txn: TxnId) {
        let demand = self.engine.stand_in_demand(&self.snapshot, txn).expect("stand-in is configured");
        let charged = self.store.reserve(&[demand]).map_err(|exceeded| exceeded.cause());
        let result = charged.map(|()| self.number());
        self.event(Event::StoodIn { txn, result });
    }

    fn number(&mut self) -> Advised {
        self.stans += 1;
        Advised { stan: Stan::new(self.stans).unwrap(), transmission: self.now.transmission }
    }

    fn forward(&mut self, txn: TxnId, deadline: Tick) {
        let sent = self.message(txn, false, false);
        assert!(self.durable.contains_key(&sent.serial), "forwarded before its INTENT was durable");
        self.sent.push(sent);
        self.arm(txn, Timer::Issuer, deadline);
    }

    fn advise(&mut self, txn: TxnId, prefer: LinkIx, (advice, repeat): (bool, bool), deadline: Tick) {
        let message = Sent { advice, ..self.message(txn, true, repeat) };
        if advice {
            assert_eq!(
                self.durable.get(&message.serial).copied().unwrap_or(State::StipApproved),
                State::StipApproved
            );
        }
        if self.links.get(prefer.at()).copied().unwrap_or(false) {
            if message.request.kind == terms::Kind::ScriptResult {
                self.carried.push(self.engine.content(txn).to_vec());
            }
            self.sent.push(message);
            self.arm(txn, Timer::Reversal, deadline);
        } else {
            self.event(if advice { Event::NotSent { txn } } else { Event::LinkLost { txn, reversal: true } });
        }
    }

    fn message(&self, txn: TxnId, reversal: bool, repeat: bool) -> Sent {
        let transaction = self.engine.transaction(txn).unwrap();
        let (number, mti) = (transaction.number().expect("it has a number"), transaction.known_mti());
        let Transaction { serial, rrn, request, .. } = *transaction;
        let why = transaction.says_why();
        Sent { txn, serial, rrn, request, reversal, repeat, advice: false, number, mti, why }
    }

    fn release(&mut self, txn: TxnId) {
        self.store.release(self.engine.charges(txn));
        let serial = self.engine.transaction(txn).unwrap().serial;
        // Before its INTENT a transaction has no number.
        assert!(serial == Serial::NONE || self.released.insert(serial), "{serial} released twice");
    }

    fn reply(&mut self, txn: Option<TxnId>, origin: Origin, reply: engine::Reply, of: Option<Disposition>) {
        self.said.push(Said { connection: origin.connection, reply, delivered: true });
        let Some(txn) = txn else {
            assert_ne!(of, None, "a message at hand needs a message");
            return;
        };
        assert!(self.wires.contains(&txn), "an answer without wire bytes");
        let transaction = self.engine.transaction(txn).unwrap();
        let (state, stands) = (transaction.state, [State::Approved, State::StipApproved]);
        if stands.contains(&state) && transaction.serial != Serial::NONE {
            assert_eq!(self.durable.get(&transaction.serial), Some(&state), "told too early");
            if self.report_delivery {
                let undelivered = core::mem::take(&mut self.undelivered);
                self.said.last_mut().unwrap().delivered = !undelivered;
                self.event(if undelivered { Event::Undelivered { txn } } else { Event::Delivered { txn } });
            }
        }
    }

    pub(super) fn arm(&mut self, txn: TxnId, timer: Timer, at: Tick) {
        self.sequence += 1;
        self.timers.insert((at, self.sequence), (txn, timer));
    }
}
