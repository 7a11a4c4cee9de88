//! The way in: requests of this turn, those that came by letter, and those that belong to another worker.
//! Never admits more than a turn may; guards: a card number is turned into its token before anything looks at it.

use super::*;

impl Worker {
    /// Tokens for all, then a look that warms the index for all, then one after the other (`facts`: prefetch pays).
    pub(super) fn admit_requests(&mut self) {
        let ready = self.inbound.len().min(TURN_MAX);
        let mut inbound = std::mem::take(&mut self.inbound);
        let arena = std::mem::take(&mut self.arena);
        self.make_tokens(&mut inbound, ready);
        for one in inbound.drain(..ready) {
            let owner = self.owner(&one);
            if owner == self.ix {
                self.admit(&one, &arena[one.body.clone()]);
            } else {
                let mail = &mut self.outbox[owner.at()];
                let body = mail.enclose(&arena[one.body.clone()]);
                mail.requests.push(Inbound { body, ..one });
            }
        }
        self.arena = arena;
        self.inbound = inbound;
        self.compact_arena();
    }

    /// Bodies that were consumed give their room back, also when there is always something left over.
    pub(super) fn compact_arena(&mut self) {
        let Some(start) = self.inbound.front().map(|one| one.body.start) else { return self.arena.clear() };
        if start > self.arena.len() / 2 {
            self.arena.drain(..start);
            for one in &mut self.inbound {
                one.body = one.body.start - start..one.body.end - start;
            }
        }
    }

    /// One pass of the cipher over all cards of the turn: a fifth of the price of one at a time.
    pub(super) fn make_tokens(&mut self, inbound: &mut VecDeque<Inbound>, ready: usize) {
        self.pans.clear();
        self.pans.extend(inbound.range(..ready).filter_map(|one| one.request.pan));
        self.tokens.clear();
        self.tokens.resize(self.pans.len(), CardToken::NONE);
        self.shared.tokenizer.tokens(&self.pans, &mut self.tokens);
        let mut tokens = self.tokens.iter();
        for one in inbound.range_mut(..ready) {
            if one.request.pan.is_some() {
                one.request.token = tokens.next().copied().unwrap_or(CardToken::NONE);
            }
            self.engine.touch(one.request.slot);
        }
        // Cleared, not kept for the next turn: no card number outlives its use.
        self.pans.zeroize();
    }

    /// Admits one request whose transaction is ours, and keeps its bytes as long as it lives.
    pub(super) fn admit(&mut self, one: &Inbound, body: &[u8]) {
        let says = self.batch_says(one, body);
        let listener = &self.shared.config.listeners[one.origin.listener.at()].terms;
        let (request, origin) = (&one.request, one.origin);
        let event = match &says {
            Some(says) => Event::Batch { request, says, origin, listener },
            None => Event::Request { request, origin, listener },
        };
        let context = Context { now: self.now, snapshot: &self.snapshot, days: &self.days };
        let disposition = self.engine.handle(&context, event, &mut self.frames, &mut self.effects);
        let at_hand = AtHand { body, envelope: one.envelope, origin: one.origin, answered: Cell::new(false) };
        match disposition {
            Disposition::Kept(txn) => self.wires.keep(txn, &at_hand, self.now.tick),
            Disposition::Joined(txn) => {
                if let Some(left) = self.wires.join(txn, &at_hand) {
                    self.forgo(left);
                }
            }
            Disposition::Done => {}
        }
        self.run_effects(Some(&at_hand));
        if disposition == Disposition::Done && !at_hand.answered.get() {
            self.forgo(one.origin);
        }
    }

    /// What a settlement or an upload says; `None` for everything else.
    pub(super) fn batch_says(&mut self, one: &Inbound, body: &[u8]) -> Option<BatchSays> {
        if !matches!(one.request.kind, terms::Kind::Settlement | terms::Kind::BatchUpload) {
            return None;
        }
        let dialect = &self.shared.config.listeners[one.origin.listener.at()].dialect;
        iso8583::decode(dialect, body, &mut self.index).ok()?;
        iso8583::batch_says(dialect, body, &self.index, &one.request)
    }

    pub(super) fn owner(&self, one: &Inbound) -> WorkerIx {
        match self.outbox.len() {
            1 => self.ix,
            workers => WorkerIx(engine::shard_of(one.request.owner(), workers) as u16),
        }
    }
}
