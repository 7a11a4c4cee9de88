//! What the engine adds to a transaction: from request to INTENT and forward (admit), from answer to OUTCOME and reply
//! (settle). Records go into frames that are cleared instead of committed; one card ceiling is charged in the store.
//! Run: `cargo bench -p benches --bench engine`. Never asserts a time; figures go to `RESULTS.md`.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use engine::{
    Config, Context, Disposition, Effect, Effects, Engine, Event, Frames, IssuerTerms, LinkTerms,
    ListenerTerms, Origin, Permit, ShardState, Snapshot, TxnId, Verdict,
};
use journal::Lsn;
use limits::{Ceilings, OtherCurrency, Rule, Store};
use routing::{Range, RangeRow, Scheme, Span, Table};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use terms::{
    Answer, ApprovalCode, BusinessDay, CalendarIx, CardToken, Check, Currency, Flags, IssuerIx, Kind, LinkIx,
    ListenerIx, Mti, Now, Pan, Request, ResponseCode, SlotKey, Stan, Text, Tick, TransmissionTime,
};

/// Messages of one turn.
const TURN: u64 = 512;
const CARDS: u64 = 1_000_000;
const DAYS: [BusinessDay; 1] = [BusinessDay(9_458)];

struct Bench {
    engine: Engine,
    snapshot: Snapshot,
    listener: ListenerTerms,
    store: Store,
    frames: Frames,
    effects: Effects,
    tick: u64,
    count: u64,
    lsn: u64,
}

/// One turn's requests, made before the clock runs: decoding is another room's cost.
struct Turn {
    requests: Vec<Request>,
    answers: Vec<Answer>,
}

impl Bench {
    fn new(entries: usize) -> Self {
        Self {
            engine: Engine::new(
                Config { max_live: 65_536, ..Config::default() },
                ShardState::empty(entries, 600_000),
            ),
            snapshot: snapshot(),
            listener: listener(),
            store: Store::new(CARDS as usize + 1),
            frames: Frames::new(),
            effects: Effects::with_capacity(8_192),
            tick: 1,
            count: 0,
            lsn: 4_096,
        }
    }

    fn turn(&mut self) -> Turn {
        let requests: Vec<Request> = (0..TURN).map(|n| request(self.count + n)).collect();
        self.count += TURN;
        Turn { answers: requests.iter().map(answer).collect(), requests }
    }

    /// Requests in, INTENTs durable, forwards out.
    fn admit(&mut self, turn: &Turn) -> Vec<TxnId> {
        self.tick += 1;
        turn.requests.iter().for_each(|request| self.engine.touch(request.slot));
        let mut ids = Vec::with_capacity(turn.requests.len());
        for request in &turn.requests {
            let origin = Origin { connection: 1, generation: 1, worker: 0, listener: ListenerIx(0) };
            let listener = self.listener.clone();
            let event = Event::Request { request, origin, listener: &listener };
            let Disposition::Kept(txn) = self.handle(event) else { unreachable!("every request is new") };
            self.store.reserve(self.engine.demands(txn)).expect("ceilings are high");
            let permit =
                Permit { link: LinkIx(0), stan: request.stan, transmission: TransmissionTime(1_122_120_000) };
            self.handle(Event::Reserved { txn, result: Ok(permit) });
            ids.push(txn);
        }
        self.commit();
        ids
    }

    /// Answers in, OUTCOMEs durable, replies out and delivered.
    fn settle(&mut self, turn: &Turn, ids: &[TxnId]) {
        self.tick += 1;
        for (txn, answer) in ids.iter().zip(&turn.answers) {
            self.handle(Event::Answer { txn: *txn, answer, verdict: Verdict::Approves });
        }
        self.commit();
        for txn in ids {
            self.handle(Event::Delivered { txn: *txn });
        }
        self.effects.clear();
        assert_eq!(self.engine.live(), 0);
    }

    fn commit(&mut self) {
        let tokens = |frame: &journal::Frame| frame.tokens().map(|(token, _)| token).collect::<Vec<_>>();
        let tokens = [tokens(&self.frames.normal), tokens(&self.frames.owed)].concat();
        self.frames.clear();
        for token in tokens {
            self.lsn += 192;
            self.handle(Event::Durable { token, lsn: Lsn(self.lsn) });
        }
        let forwards = self.effects.iter().filter(|effect| matches!(effect, Effect::Forward { .. })).count();
        assert!(forwards == 0 || forwards == TURN as usize);
        self.effects.clear();
    }

    fn handle(&mut self, event: Event) -> Disposition {
        let Self { engine, snapshot, frames, effects, tick, .. } = self;
        let now = Now { tick: Tick(*tick * 1_000), wall_ms: 1_800_000_000_000, ..Now::default() };
        engine.handle(&Context { now, snapshot, days: &DAYS }, event, frames, effects)
    }
}

fn measure(criterion: &mut Criterion) {
    for (name, entries) in [("1 M", 1 << 20), ("16 M", 1 << 24)] {
        let mut bench = Bench::new(entries);
        // The index is filled as it is in a running switch.
        for _ in 0..entries as u64 / 2 / TURN {
            let turn = bench.turn();
            let ids = bench.admit(&turn);
            bench.settle(&turn, &ids);
        }
        let mut group = criterion.benchmark_group(format!("engine, index of {name} entries"));
        group.throughput(Throughput::Elements(TURN));
        group.bench_function("admit 512: check, find, route, reserve, INTENT, forward", |bencher| {
            bencher.iter_custom(|turns| {
                timed(
                    turns,
                    &mut bench,
                    |bench, turn| bench.admit(turn),
                    |bench, turn, ids| bench.settle(turn, &ids),
                )
            });
        });
        group.bench_function("settle 512: answer, OUTCOME, reply, delivered", |bencher| {
            bencher.iter_custom(|turns| {
                let mut spent = Duration::ZERO;
                for _ in 0..turns {
                    let turn = bench.turn();
                    let ids = bench.admit(&turn);
                    let start = Instant::now();
                    bench.settle(&turn, &ids);
                    spent += start.elapsed();
                }
                spent
            });
        });
        group.finish();
        println!("{} transactions in all, filling included", bench.count);
    }
    println!("one open transaction takes {} bytes", size_of::<engine::Transaction>());
}

fn timed<T>(
    turns: u64,
    bench: &mut Bench,
    work: impl Fn(&mut Bench, &Turn) -> T,
    after: impl Fn(&mut Bench, &Turn, T),
) -> Duration {
    let mut spent = Duration::ZERO;
    for _ in 0..turns {
        let turn = bench.turn();
        let start = Instant::now();
        let result = work(bench, &turn);
        spent += start.elapsed();
        after(bench, &turn, result);
    }
    spent
}

fn request(number: u64) -> Request {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let card = mixed % CARDS;
    let mut request =
        Request::new(Mti::of(0x0200), Kind::Purchase, Stan::new((number % 999_999) as u32 + 1).unwrap());
    request.pan = Pan::from_parts(4_000_000_000_000_000 + card, 16);
    request.token =
        CardToken((u128::from(card).wrapping_mul(0x243F_6A88_85A3_08D3_1319_8A2E_0370_7345)).to_le_bytes());
    (request.amount, request.currency) = (12_34, Currency::CNY);
    request.flags = Flags::AMOUNT;
    (request.acquirer, request.terminal) = (Text::cut("00010000"), Text::cut("T0000001"));
    request.merchant = Text::cut("M00000000000001");
    (request.slot, request.repeat) = (SlotKey(mixed), Check((mixed >> 32) as u32 | 1));
    request
}

fn answer(request: &Request) -> Answer {
    let mut answer = Answer::new(Mti::of(0x0210), request.stan, ResponseCode::of("00"));
    (answer.amount, answer.pan) = (Some(request.amount), request.pan);
    (answer.terminal, answer.merchant) = (Some(request.terminal), Some(request.merchant));
    answer.approval_code = Some(ApprovalCode(*b"123456"));
    answer
}

fn snapshot() -> Snapshot {
    let ceilings = Ceilings { currency: Currency::CNY, single: None, daily: Some(1 << 46), count: None };
    let mut range = Range::of(IssuerIx(0), Scheme::UnionPay);
    range.limits = Some(0);
    let issuer = IssuerTerms {
        id: terms::stable_id("a"),
        timeout_ms: 10_000,
        reversal_timeout_ms: 10_000,
        retry_first_ms: 1_000,
        retry_max_ms: 60_000,
        quarantine_after: 5,
        saf_window: 256,
        completion_percent: 100,
        stand_in: None,
        grace_ms: 5_000,
        require_approval_code: false,
        calendar: CalendarIx(0),
        ceilings: None,
        links: vec![LinkIx(0)],
    };
    Snapshot {
        version: 1,
        routes: Table::build(vec![RangeRow { span: Span::parse("4").unwrap(), line: 1, range }]).unwrap(),
        issuers: vec![issuer],
        links: vec![LinkTerms { id: terms::stable_id("a/1"), issuer: IssuerIx(0), pin_passthrough: false }],
        card_ceilings: vec![Rule::new(ceilings, OtherCurrency::Refuse).unwrap()],
        merchants: HashMap::default(),
        terminals: HashMap::default(),
        calendars: vec![terms::stable_id("day")],
    }
}

fn listener() -> ListenerTerms {
    ListenerTerms {
        acquirer: Text::cut("00010000"),
        calendar: CalendarIx(0),
        answer_within_ms: 30_000,
        pin_passthrough: false,
        partial_approvals: false,
        registered_only: false,
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).measurement_time(Duration::from_secs(3));
    targets = measure
}
criterion_main!(benches);
