//! The ledger against a plain model of what happened: any prefix of the records is a consistent memory, a checkpoint and
//! its tail are the whole, nothing counts twice.

mod pencil;

use engine::Verdict;
use engine::effect::ReversalReason;
use engine::index::shard_of;
use engine::ledger::{Ledger, LedgerOptions, Spent};
use engine::record::{
    self, Ack, Charged, ChargedIn, Charges, Day, Intent, Late, Obligation, Outcome, Parked, Record, Resolve,
    Serial, Told, Tombstone, Unsettled,
};
use engine::state::State;
use journal::{Kind, Lsn, Projection};
use limits::Scope;
use proptest::prelude::*;
use std::collections::BTreeMap;
use terms::{
    BusinessDay, CardToken, Check, Currency, InternalCause, Mti, OriginalRef, Pan, ResponseCode, Rrn,
    SlotKey, Stan, Text, TransmissionTime,
};

const OPTIONS: LedgerOptions = LedgerOptions { index_entries: 4000, index_window_ms: 600_000 };
const DAY: BusinessDay = BusinessDay(9458);

/// A journal in memory, and what a bookkeeper with a pencil would know after it.
#[derive(Default)]
struct World {
    log: Vec<(Kind, Vec<u8>)>,
    transactions: BTreeMap<u64, Pencil>,
    resolving: Vec<u64>,
    tombstones: usize,
    next: u64,
}

#[derive(Clone, Copy)]
struct Pencil {
    intent: Intent,
    lsn: Lsn,
    state: State,
    holds: bool,
    owes: bool,
    approval_seen: bool,
}

fn lsn_of(position: usize) -> Lsn {
    Lsn(4096 + 64 * position as u64)
}

fn wall(position: usize) -> i64 {
    1_763_774_115_000 + position as i64
}

impl World {
    fn write(&mut self, record: &impl Record2) {
        let mut payload = Vec::new();
        let kind = record.put(&mut payload);
        self.log.push((kind, payload));
    }

    fn now(&self) -> i64 {
        wall(self.log.len())
    }

    fn intent(&mut self, card: u8, amount: i64) {
        self.next += 1;
        let number = self.next;
        let stan = Stan::new(number as u32).unwrap();
        let mut request = terms::Request::new(Mti::of(0x0200), terms::Kind::Purchase, stan);
        request.pan = Pan::new(format!("622424290000{number:04}").as_bytes());
        request.token = CardToken([card; 16]);
        (request.amount, request.currency) = (amount, Currency::CNY);
        (request.acquirer, request.merchant) = (Text::cut("12345678"), Text::cut("M00000000000001"));
        request.terminal = Text::cut(&format!("T{:07}", number % 5));
        (request.slot, request.repeat) =
            (SlotKey(number.wrapping_mul(0x9E37_79B9_7F4A_7C15)), Check(number as u32));
        let charged =
            Charged::NONE.with(Scope::Card, ChargedIn::Amount).with(Scope::Terminal, ChargedIn::Amount);
        let intent = Intent {
            serial: Serial::new(1, 0, number),
            wall_ms: self.now(),
            issuer: 5,
            link: 6,
            stan,
            transmission: TransmissionTime(1_122_013_015),
            rrn: Rrn::issue(326, number, number as u32),
            issuer_day: DAY,
            acquirer_day: DAY,
            issuer_calendar: 1,
            acquirer_calendar: 2,
            charged,
            foreign: false,
            listener: 0,
            request,
            named: None,
        };
        let lsn = lsn_of(self.log.len());
        let pencil =
            Pencil { intent, lsn, state: State::Intent, holds: true, owes: false, approval_seen: false };
        self.transactions.insert(number, pencil);
        self.write(&intent);
    }

    fn outcome(&mut self, number: u64, state: State) {
        let wall_ms = self.now();
        let pencil = self.transactions.get_mut(&number).unwrap();
        pencil.state = state;
        pencil.holds = state != State::Declined;
        pencil.owes = state == State::Reversing;
        pencil.approval_seen = state == State::Approved;
        let request = pencil.intent.request;
        let outcome = Outcome {
            serial: pencil.intent.serial,
            slot: request.slot,
            repeat: request.repeat,
            intent_lsn: pencil.lsn,
            wall_ms,
            state,
            told: Told::ours(InternalCause::IssuerTimeout),
            approval_code: None,
            approved_amount: None,
            reason: pencil.owes.then_some(ReversalReason::Timeout),
            approval_seen: pencil.approval_seen,
            terminal_reason: None,
            arpc: None,
            advised: None,
        };
        self.write(&outcome);
    }

    fn obligation(&mut self, number: u64, resolves: Serial) {
        let wall_ms = self.now();
        let pencil = self.transactions.get_mut(&number).unwrap();
        let charges: Charges = pencil.intent.charges().filter(|_| pencil.holds).collect();
        (pencil.state, pencil.owes) = (State::Reversing, true);
        let owed = Unsettled::Reverse {
            intent_lsn: pencil.lsn,
            reason: ReversalReason::Terminal,
            terminal_reason: Some(ResponseCode::of("98")),
            told: Told { cause: None, code: Some(ResponseCode::approved()) },
            approval_seen: pencil.approval_seen,
            charges,
            part: None,
            issuer: pencil.intent.issuer,
            owner: pencil.intent.request.owner(),
            token: pencil.intent.request.token,
            resolves,
            advised: None,
            advice_first: false,
            first_reason: None,
            request_only: false,
        };
        let request = pencil.intent.request;
        let (serial, slot, repeat) = (pencil.intent.serial, request.slot, request.repeat);
        self.write(&Obligation { serial, slot, repeat, wall_ms, owed });
    }

    fn ack(&mut self, number: u64) {
        let wall_ms = self.now();
        let pencil = self.transactions.get_mut(&number).unwrap();
        (pencil.state, pencil.owes, pencil.holds) = (State::Reversed, false, false);
        let (request, intent_lsn) = (pencil.intent.request, pencil.lsn);
        let ack = Ack {
            serial: pencil.intent.serial,
            slot: request.slot,
            repeat: request.repeat,
            intent_lsn,
            wall_ms,
            state: State::Reversed,
            code: Some(ResponseCode::approved()),
            told: Told::NOTHING,
            approval_code: None,
            amount: None,
            refused: false,
            advised: None,
        };
        self.write(&ack);
    }

    /// One more thing happens: `what` chooses, `number` says to whom, if it can happen to them.
    fn step(&mut self, what: u8, number: u64) {
        let number = 1 + number % self.next.max(1);
        let state = self.transactions.get(&number).map(|pencil| pencil.state);
        let owes = self.transactions.get(&number).is_some_and(|pencil| pencil.owes);
        match (what % 12, state) {
            (0..3, _) | (_, None) if what % 12 < 9 => self.intent(what / 50, i64::from(what) + 1),
            (3, Some(State::Intent)) => self.outcome(number, State::Declined),
            (4..6, Some(State::Intent)) => self.outcome(number, State::Approved),
            (6, Some(State::Intent)) => self.outcome(number, State::Reversing),
            (7, Some(State::Intent | State::Approved | State::Declined | State::Reversed)) => {
                let found = self.resolving.pop().map_or(Serial::NONE, |look_up| Serial::new(1, 0, look_up));
                self.obligation(number, found);
            }
            (4..7, Some(_)) if owes => self.ack(number),
            (8, Some(State::Reversing)) if what & 64 != 0 => self.parked(number),
            (7..9, Some(state)) if state != State::Intent => self.late(number),
            (9, _) => self.resolve(),
            (10, _) => {
                let ended = self.resolving.first().copied();
                self.next += u64::from(ended.is_none());
                self.tombstone(ended.unwrap_or(self.next));
            }
            (11, _) => {
                let wall_ms = self.now();
                self.write(&Day { wall_ms, calendar: 1, day: DAY });
            }
            _ => {}
        }
    }
}

/// Any record, by its own `write`.
trait Record2 {
    fn put(&self, out: &mut Vec<u8>) -> Kind;
}

impl<R: Record> Record2 for R {
    fn put(&self, out: &mut Vec<u8>) -> Kind {
        self.write(out);
        R::KIND
    }
}

fn replay(log: &[(Kind, Vec<u8>)], from: usize, ledger: &mut Ledger) {
    for (position, (kind, payload)) in log.iter().enumerate().skip(from) {
        ledger.apply(*kind, payload, lsn_of(position));
    }
}

fn fresh() -> Ledger {
    Ledger::new(OPTIONS)
}

/// Everything a ledger knows, in an order of its own.
fn picture(ledger: &Ledger) -> Vec<String> {
    let mut lines: Vec<String> = ledger.index().iter().map(|entry| format!("{entry:?}")).collect();
    lines.extend(ledger.spent().map(|spent| format!("{spent:?}")));
    lines.extend(ledger.open_intents().map(|open| format!("{open:?}")));
    lines.extend(ledger.owed().map(|owed| format!("{owed:?}")));
    lines.extend(ledger.resolving().map(|resolving| format!("{resolving:?}")));
    lines.extend(ledger.tombstones().map(|tombstone| format!("{tombstone:?}")));
    lines.push(format!("{:?} {:?} {:?}", ledger.day(1), ledger.applied(), ledger.oldest_needed()));
    lines.push(format!("{:?} {:?}", ledger.index().complete_since(), ledger.unreadable()));
    lines.sort_unstable();
    lines
}

fn agrees_with_the_pencil(ledger: &Ledger, world: &World) -> Result<(), TestCaseError> {
    let pencils = world.transactions.values();
    let mut expected: BTreeMap<_, (i64, u32)> = BTreeMap::new();
    for pencil in pencils.clone().filter(|pencil| pencil.holds) {
        for charge in pencil.intent.charges() {
            let sum = expected.entry(charge.key).or_default();
            *sum = (sum.0 + charge.amount, sum.1 + 1);
        }
    }
    let found = ledger.spent().filter(|spent| spent.count > 0 || spent.amount > 0);
    let found: BTreeMap<_, _> =
        found.map(|Spent { key, amount, count, .. }| (key, (amount, count))).collect();
    prop_assert_eq!(found, expected, "the ceilings count what is held, no more, no less");
    let open = pencils.clone().filter(|pencil| pencil.state == State::Intent);
    prop_assert_eq!(ledger.open_intents().count(), open.count());
    for pencil in pencils {
        let owed = ledger.owed().find(|owed| owed.serial == pencil.intent.serial);
        prop_assert_eq!(owed.is_some(), pencil.owes);
        if let Some(owed) = owed {
            let held: Vec<_> = pencil.intent.charges().filter(|_| pencil.holds).collect();
            prop_assert_eq!((&owed.charges[..], owed.approval_seen), (&held[..], pencil.approval_seen));
            prop_assert_eq!(owed.quarantined, pencil.state == State::Quarantined);
        }
        let entry = ledger.index().find_repeat(&pencil.intent.request);
        prop_assert_eq!(entry.map(|entry| entry.state), Some(pencil.state));
    }
    prop_assert_eq!(ledger.resolving().count(), world.resolving.len());
    prop_assert_eq!(ledger.tombstones().count(), world.tombstones);
    prop_assert_eq!(ledger.unreadable(), None);
    Ok(())
}

fn steps() -> impl Strategy<Value = Vec<(u8, u64)>> {
    prop::collection::vec((any::<u8>(), 0..40_u64), 1..160)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_prefix_is_a_consistent_memory(steps in steps()) {
        let (mut world, mut ledger) = (World::default(), fresh());
        for (what, number) in steps {
            let from = world.log.len();
            world.step(what, number);
            replay(&world.log, from, &mut ledger);
            agrees_with_the_pencil(&ledger, &world)?;
        }
    }

    #[test]
    fn applied_twice_is_applied_once(steps in steps()) {
        let mut world = World::default();
        steps.into_iter().for_each(|(what, number)| world.step(what, number));
        let (mut once, mut twice) = (fresh(), fresh());
        replay(&world.log, 0, &mut once);
        for (position, (kind, payload)) in world.log.iter().enumerate() {
            twice.apply(*kind, payload, lsn_of(position));
            twice.apply(*kind, payload, lsn_of(position));
            twice.apply(*kind, payload, lsn_of(position / 2));
        }
        prop_assert_eq!(picture(&once), picture(&twice));
    }

    #[test]
    fn checkpoint_and_tail_are_the_whole(steps in steps(), cut in any::<prop::sample::Index>()) {
        let mut world = World::default();
        steps.into_iter().for_each(|(what, number)| world.step(what, number));
        let cut = cut.index(world.log.len() + 1);
        let (mut whole, mut head, mut restored) = (fresh(), fresh(), fresh());
        replay(&world.log, 0, &mut whole);
        replay(&world.log[..cut], 0, &mut head);
        let mut image = Vec::new();
        head.snapshot(&mut image).unwrap();
        restored.restore(&mut &image[..]).unwrap();
        prop_assert_eq!(picture(&head), picture(&restored));
        // The tail may begin before the checkpoint: what is in it already does not count again.
        replay(&world.log, cut.saturating_sub(5), &mut restored);
        prop_assert_eq!(picture(&whole), picture(&restored));
    }

    #[test]
    fn everything_goes_to_the_shard_that_owns_it(steps in steps(), shards in 1..6_usize) {
        let (mut world, mut ledger) = (World::default(), fresh());
        steps.into_iter().for_each(|(what, number)| world.step(what, number));
        replay(&world.log, 0, &mut ledger);
        let entries = ledger.index().len();
        let before = (ledger.open_intents().count(), ledger.owed().count(), ledger.tombstones().count());
        let by_lsn: BTreeMap<Lsn, Intent> =
            world.transactions.values().map(|pencil| (pencil.lsn, pencil.intent)).collect();
        let parts = ledger.into_parts(shards, |lsn| by_lsn.get(&lsn).copied()).unwrap();
        prop_assert_eq!(parts.shards.len(), shards);
        let sum = |count: fn(&engine::ShardState) -> usize| parts.shards.iter().map(count).sum::<usize>();
        prop_assert_eq!(sum(|shard| shard.index.len()), entries);
        let after = (sum(|shard| shard.open.len()), sum(|shard| shard.debts.len() + shard.parts.len()), sum(|shard| shard.tombstones.len()));
        prop_assert_eq!(after, before);
        for (at, shard) in parts.shards.iter().enumerate() {
            let open = shard.open.iter().map(|open| open.intent);
            for intent in open.chain(shard.parts.iter().filter_map(|owed| owed.intent.as_deref().copied())) {
                prop_assert_eq!(shard_of(intent.request.owner(), shards), at);
                prop_assert!(intent.request.pan.is_some(), "a reversal needs the card number");
                prop_assert!(shard.index.find_repeat(&intent.request).is_some());
            }
            prop_assert!(shard.tombstones.iter().all(|one| shard_of(one.tombstone.owner, shards) == at));
        }
    }
}

fn two_open() -> (World, Ledger) {
    let (mut world, mut ledger) = (World::default(), fresh());
    world.intent(1, 500);
    world.intent(1, 700);
    world.outcome(2, State::Reversing);
    replay(&world.log, 0, &mut ledger);
    (world, ledger)
}

#[test]
fn an_intent_that_cannot_be_read_stops_the_start() {
    let (world, ledger) = two_open();
    assert_eq!(ledger.oldest_needed(), lsn_of(0));
    let (first, second) = (world.transactions[&1], world.transactions[&2]);
    let missing = ledger.into_parts(2, |lsn| (lsn != first.lsn).then_some(first.intent)).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "transaction 1-0-1 is open, but its intent at 000000001000 cannot be read"
    );
    // What is owed is read when it is sent.
    let (_, ledger) = two_open();
    let parts = ledger.into_parts(1, |lsn| (lsn != second.lsn).then_some(first.intent)).unwrap();
    assert_eq!((parts.shards[0].open.len(), parts.shards[0].debts.len()), (1, 1));
}

#[test]
fn half_a_snapshot_is_none() {
    let (_, ledger) = two_open();
    let mut image = Vec::new();
    ledger.snapshot(&mut image).unwrap();
    for cut in (0..image.len()).step_by(7) {
        let mut restored = fresh();
        assert!(restored.restore(&mut &image[..cut]).is_err(), "cut at {cut}");
        assert_eq!(picture(&restored), picture(&fresh()), "then it is as new");
    }
    for at in (0..image.len()).step_by(11) {
        let mut other = image.clone();
        other[at] ^= 0x10;
        assert!(fresh().restore(&mut &other[..]).is_err(), "flipped at {at}");
    }
}

#[test]
fn what_cannot_be_read_is_said_and_never_hidden_by_a_checkpoint() {
    let mut ledger = fresh();
    ledger.apply(record::OUTCOME, &[1, 2, 3], Lsn(4096));
    let (lsn, damaged) = ledger.unreadable().unwrap();
    assert_eq!((lsn, damaged.kind), (Lsn(4096), record::OUTCOME));
    assert!(ledger.snapshot(&mut Vec::new()).is_err());
}

#[test]
fn a_new_day_opens_the_counters_and_a_straggler_goes_to_it() {
    let (mut world, mut ledger) = (World::default(), fresh());
    world.intent(1, 500);
    world.intent(1, 40);
    world.intent(1, 3);
    for (position, (kind, payload)) in world.log.iter().enumerate() {
        let mut intent = Intent::read(payload, &[]).unwrap();
        let day = [DAY, DAY.next(), DAY][position];
        (intent.issuer_day, intent.acquirer_day) = (day, day);
        let mut payload = Vec::new();
        intent.write(&mut payload);
        ledger.apply(*kind, &payload, lsn_of(position));
    }
    let counted: Vec<_> = ledger.spent().map(|spent| (spent.day, spent.amount, spent.count)).collect();
    assert!(counted.contains(&(DAY.next(), 43, 2)), "{counted:?}");
    // The first one's decline belongs to a day that is over.
    world.outcome(1, State::Declined);
    replay(&world.log, 3, &mut ledger);
    let card = ledger.spent().find(|spent| spent.count == 2).unwrap();
    assert_eq!((card.day, card.amount), (DAY.next(), 43));
}

#[test]
fn an_index_too_small_admits_its_gap() {
    let mut ledger = Ledger::new(LedgerOptions { index_entries: 4, index_window_ms: 600_000 });
    let mut world = World::default();
    (0..40).for_each(|_| world.intent(1, 1));
    replay(&world.log, 0, &mut ledger);
    assert_eq!(ledger.open_intents().count(), 40, "obligations do not depend on the index");
    assert!(ledger.index().complete_since() > wall(39));
}
