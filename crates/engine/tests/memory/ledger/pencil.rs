//! Each kind of record, written by the world that pencils along.

use super::*;

impl World {
    pub(super) fn late(&mut self, number: u64) {
        let wall_ms = self.now();
        let pencil = self.transactions.get_mut(&number).unwrap();
        pencil.approval_seen |= pencil.owes;
        let (request, intent_lsn) = (pencil.intent.request, pencil.lsn);
        let late = Late {
            serial: pencil.intent.serial,
            slot: request.slot,
            repeat: request.repeat,
            intent_lsn,
            wall_ms,
            verdict: Verdict::Approves,
            code: Some(ResponseCode::approved()),
            approval_code: None,
            amount: None,
        };
        self.write(&late);
    }

    pub(super) fn parked(&mut self, number: u64) {
        let wall_ms = self.now();
        let pencil = self.transactions.get_mut(&number).unwrap();
        pencil.state = State::Quarantined;
        let (request, intent_lsn) = (pencil.intent.request, pencil.lsn);
        let parked = Parked {
            serial: pencil.intent.serial,
            slot: request.slot,
            repeat: request.repeat,
            intent_lsn,
            wall_ms,
            answers: 3,
            code: Some(ResponseCode::of("96")),
            told: Told::NOTHING,
            advice: false,
        };
        self.write(&parked);
    }

    pub(super) fn original(number: u64) -> OriginalRef {
        OriginalRef {
            slot: SlotKey(number << 20 | 1),
            repeat: Check(number as u32),
            alias: Check::ANY,
            class: 2,
        }
    }

    pub(super) fn resolve(&mut self) {
        self.next += 1;
        let (number, wall_ms) = (self.next, self.now());
        let resolve = Resolve {
            original: Self::original(number),
            terminal_reason: None,
            amount: 100,
            currency: Currency::CNY,
            stan: Stan::MIN,
            batch: 0,
            acquirer: Text::cut("12345678"),
            terminal: Text::cut("T0000009"),
            merchant: Text::EMPTY,
        };
        self.resolving.push(number);
        let (serial, slot, repeat) = (Serial::new(1, 0, number), resolve.original.slot, Check(9));
        self.write(&Obligation { serial, slot, repeat, wall_ms, owed: Unsettled::Resolve(resolve) });
    }

    pub(super) fn tombstone(&mut self, number: u64) {
        let wall_ms = self.now();
        self.tombstones += 1;
        self.resolving.retain(|resolving| *resolving != number);
        let (serial, original) = (Serial::new(1, 0, number), Self::original(number));
        self.write(&Tombstone { serial, original, wall_ms, owner: number << 50, batch: 0 });
    }
}
