//! What the world makes durable, and when: frames committed, refused, read back.

use super::*;

impl World {
    pub(super) fn fetch(&mut self, txn: TxnId, lsn: Lsn) {
        let (kind, payload, _) = self.desk.read(lsn);
        let intent_lsn = match kind {
            INTENT | TOMBSTONE => lsn,
            _ => intent_of(kind, &payload),
        };
        let (_, intent, secret) = self.desk.read(intent_lsn);
        let records = Fetched { kind, payload: &payload, intent_lsn, intent: &intent, secret: &secret };
        self.event(Event::Fetched { txn, records: Some(records) });
    }

    /// Makes everything durable that was appended, and tells the engine.
    pub fn commit(&mut self) {
        while !self.frames.is_empty() {
            self.countable += count(&self.appended());
            self.commit_once();
        }
        assert!(self.recounts || self.counted == self.countable, "every OUTCOME and REFUSED is counted once");
    }

    /// One sync only: what it brings about is appended, and lost if the process dies now.
    pub fn commit_once(&mut self) {
        let Frames { normal, owed } = core::mem::take(&mut self.frames);
        let mut lines = self.desk.commit(normal, Class::Normal);
        lines.extend(self.desk.commit(owed, Class::Owed));
        self.made_durable(lines);
    }

    pub(super) fn made_durable(&mut self, lines: Vec<(u64, Kind, Lsn)>) {
        for (token, kind, lsn) in lines {
            self.book(kind, lsn);
            self.event(Event::Durable { token, lsn });
        }
    }

    /// The disk is full: what is new is refused; with `reserve` what is owed still goes through.
    pub fn commit_full(&mut self, reserve: bool) {
        while !self.frames.is_empty() {
            self.refuse(reserve);
        }
        self.countable = self.counted;
    }

    pub(super) fn refuse(&mut self, reserve: bool) {
        // An OUTCOME that was refused is written again, and was counted already.
        self.recounts |= !reserve;
        let Frames { normal, owed } = core::mem::take(&mut self.frames);
        let mut refused: Vec<u64> = normal.tokens().map(|(token, _)| token).collect();
        match reserve {
            true => {
                let lines = self.desk.commit(owed, Class::Owed);
                self.made_durable(lines);
            }
            false => refused.extend(owed.tokens().map(|(token, _)| token)),
        }
        for token in refused {
            self.event(Event::NotWritten { token });
        }
    }

    pub(super) fn book(&mut self, kind: Kind, lsn: Lsn) {
        let (_, payload, secret) =
            if matches!(kind, INTENT | OUTCOME | ACK) { self.desk.read(lsn) } else { return };
        match kind {
            INTENT => {
                let intent = Intent::read(&payload, &secret).unwrap();
                assert_eq!(self.durable.insert(intent.serial, State::Intent), None);
            }
            OUTCOME => {
                let outcome = Outcome::read(&payload).unwrap();
                let before = self.durable.insert(outcome.serial, outcome.state);
                assert!(matches!(before, None | Some(State::Intent)), "{} has two outcomes", outcome.serial);
            }
            _ => {
                let ack = engine::record::Ack::read(&payload).unwrap();
                self.durable.insert(ack.serial, ack.state);
            }
        }
    }
}

fn count(appended: &[(u8, Kind)]) -> usize {
    appended.iter().filter(|(_, kind)| matches!(*kind, OUTCOME | REFUSED)).count()
}

fn intent_of(kind: Kind, payload: &[u8]) -> Lsn {
    let intent = match kind {
        OUTCOME => Outcome::read(payload).unwrap().intent(),
        ACK => engine::record::Ack::read(payload).unwrap().intent(),
        LINKED => Linked::read(payload).unwrap().intent(),
        PARKED => engine::record::Parked::read(payload).unwrap().intent(),
        _ => engine::record::Obligation::read(payload).unwrap().intent(),
    };
    intent.unwrap_or(Lsn::NONE)
}
