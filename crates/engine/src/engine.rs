//! The corridor of one transaction, in the order of the design's stations, and what may happen on the way.
//!
//! Never computes here what a leaf can compute: this file says who comes next. Guards: every event ends in a step of
//! [`crate::table`]; a stale id is ignored, never taken for another transaction.

use crate::check::{self, Checked, Demands, Routed};
use crate::debts::Debts;
use crate::effect::{Code, Disposition, Effect, Effects, Note, Reply, Timer};
use crate::event::{Context, Event, Origin, Permit, TxnId};
use crate::flow::{Batches, Ties};
use crate::frames::Frames;
use crate::index::{Entry, Index};
use crate::ledger::ShardState;
use crate::owed::Owed;
use crate::past::Past;
use crate::recant::Sought;
use crate::record::Serial;
use crate::slab::Slab;
use crate::snapshot::ListenerTerms;
use crate::state::State;
use crate::table::Stimulus;
use crate::tombs::Tombs;
use crate::transaction::{Role, Transaction};
use crate::turn::Turn;
use terms::{Flags, InternalCause, Kind, Now, Request, ResponseCode, Rrn, Tick};

/// Bounds of one shard, and who it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// Number of this shard, below `shards`.
    pub shard: u8,
    /// How many there are, at most 64.
    pub shards: u8,
    /// The journal's epoch.
    pub epoch: u32,
    /// Slab positions: transactions in flight, owed or awaiting delivery. Beyond it: 96.
    pub max_live: u32,
    /// Tombstones one terminal may have; beyond it its oldest goes.
    pub tombstones_per_terminal: u16,
    /// Settled transactions whose late answers are still recognised.
    pub past: usize,
}

impl Default for Config {
    /// One shard of about 30 MiB.
    fn default() -> Self {
        Self { shard: 0, shards: 1, epoch: 1, max_live: 32_768, tombstones_per_terminal: 64, past: 16_384 }
    }
}

/// One shard: every transaction of its terminals.
pub struct Engine {
    pub(crate) config: Config,
    pub(crate) slab: Slab,
    pub(crate) demands: Vec<Demands>,
    pub(crate) index: Index,
    pub(crate) tombs: Tombs,
    pub(crate) past: Past,
    pub(crate) owed: Owed,
    pub(crate) ties: Ties,
    pub(crate) batches: Batches,
    pub(crate) debts: Debts,
    pub(crate) sought: crate::ledger::Map<u32, Sought>,
    /// By slab position.
    pub(crate) contents: crate::ledger::Map<u32, Box<[u8]>>,
    pub(crate) serials: u64,
    pub(crate) rrns: u64,
    pub(crate) draining: bool,
    /// To other shards, in the order of their effects.
    pub(crate) letters: std::collections::VecDeque<crate::Letter>,
    /// When the first event came, and what time that was to the index.
    began: Option<(Tick, i64)>,
    /// What [`Engine::recover`] takes up again.
    pub(crate) unfinished: ShardState,
}

impl Engine {
    /// A shard with the memory that the ledger handed over (or [`ShardState::empty`]); `config` bounds the rest, and gives
    /// way where more is owed than it has room for. Call [`Engine::recover`] before the first event.
    /// # Panics
    /// If the bounds are impossible: configuration was checked before.
    pub fn new(config: Config, mut recovered: ShardState) -> Self {
        assert!(
            config.shard < config.shards && config.shards <= 64,
            "shard {} of {}",
            config.shard,
            config.shards
        );
        let again = recovered.open.len() + recovered.parts.len() + recovered.resolving.len();
        let max_live = config.max_live.max(again as u32 + again as u32 / 4);
        let config = Config { max_live, ..config };
        Self {
            slab: Slab::new(max_live),
            demands: Vec::with_capacity(max_live as usize),
            index: core::mem::replace(&mut recovered.index, Index::new(1, 1)),
            tombs: Tombs::new(config.tombstones_per_terminal),
            past: Past::new(config.past),
            owed: Owed::new(),
            ties: Ties::default(),
            batches: core::mem::take(&mut recovered.batches),
            debts: Debts::new(),
            sought: Default::default(),
            contents: Default::default(),
            serials: 1,
            rrns: recovered.rrn_counter / u64::from(config.shards) + 1,
            draining: false,
            letters: Default::default(),
            began: None,
            unfinished: recovered,
            config,
        }
    }

    /// The index's own time, carried on by the monotonic clock from the first event on. A wall clock that steps ahead by days
    /// must not make a terminal's repeat of seconds ago a new transaction.
    fn steady_ms(&mut self, now: Now) -> i64 {
        let index = &mut self.index;
        let (tick, from) = *self.began.get_or_insert_with(|| (now.tick, index.resume(now.wall_ms)));
        from.saturating_add((now.tick.since(tick) / 1_000) as i64)
    }

    /// Handles one event. An `effects` that is empty tells the engine that all earlier effects are done.
    pub fn handle(
        &mut self,
        cx: &Context,
        event: Event,
        frames: &mut Frames,
        effects: &mut Effects,
    ) -> Disposition {
        if effects.is_empty() {
            self.slab.cooled();
        }
        let steady = self.steady_ms(cx.now);
        self.index.advance(steady);
        let turn = &mut Turn { cx, frames, effects };
        match event {
            Event::Request { request, origin, listener } => {
                return self.request(turn, request, origin, listener);
            }
            Event::Batch { request, says, origin, listener } => {
                return self.batch_message(turn, request, says, origin, listener);
            }
            Event::Malformed { request } => self.malformed(turn, request),
            Event::Reserved { txn, result } => self.reserved(turn, txn, result),
            Event::Durable { token, lsn } => self.durable(turn, token, lsn),
            Event::NotWritten { token } => self.not_written(turn, token),
            Event::NotSent { txn } => self.not_sent(turn, txn),
            Event::Answer { txn, answer, verdict } => self.answer(turn, txn, answer, verdict),
            Event::ReversalAnswer { txn, answer } => self.reversal_answer(turn, txn, answer),
            Event::IssuerReversal { asked, reversal, slots } => self.recant(turn, asked, reversal, slots),
            Event::AdviceAnswer { txn, answer, verdict } => self.advice_answer(turn, txn, answer, verdict),
            Event::Carried { txn, content } => self.carry(txn, content),
            Event::StoodIn { txn, result } => self.stood_in(turn, txn, result),
            Event::Unmatched { link, answer, verdict, reason } => {
                turn.write_unmatched(Some(link), answer, verdict, reason);
                turn.note(Note::Unmatched(link));
            }
            Event::Expired { txn, timer } => self.expired(turn, txn, timer),
            Event::LinkLost { txn, reversal: false } => {
                self.silence(turn, txn, InternalCause::LinkLost);
            }
            Event::LinkLost { txn, reversal: true } => self.unacknowledged(turn, txn, true),
            Event::Delivered { txn } => self.delivered(turn, txn),
            Event::Undelivered { txn } => self.undelivered(turn, txn),
            Event::Fetched { txn, records } => self.fetched(turn, txn, records.as_ref()),
            Event::Found { txn, result } => self.found(turn, txn, result),
            Event::Named { txn, result } => self.original_named(turn, txn, result),
            Event::Letter { letter } => self.take_letter(turn, letter),
            Event::LinkChanged { link, up: true } => self.link_up(turn, link),
            Event::LinkChanged { up: false, .. } => {}
            Event::Drain => self.draining = true,
            Event::DrainOver => self.drain_over(turn),
        }
        Disposition::Done
    }

    /// Stations 3 to 6 of one request; the rest follows in [`Engine::reserved`], `forward`, `answer` and `durable`.
    fn request(
        &mut self,
        turn: &mut Turn,
        request: &Request,
        origin: Origin,
        listener: &ListenerTerms,
    ) -> Disposition {
        if request.kind.is_network() {
            return self.network(turn, request, origin, listener);
        }
        if request.kind == Kind::Reversal {
            return self.reversal(turn, request, origin);
        }
        let checked = match check::check(turn.cx, request, listener) {
            Ok(checked) => checked,
            Err(cause) => return self.refuse(turn, request, origin, cause),
        };
        let fresh = match self.find(turn, &checked) {
            Found::Fresh => checked,
            Found::Known(entry) => return self.again(turn, &checked, origin, entry),
        };
        let routed = match check::route(turn.cx, &fresh) {
            Ok(routed) => routed,
            Err(cause) => return self.refuse(turn, request, origin, cause),
        };
        match self.admit(turn, &routed, origin, listener) {
            Ok(id) => Disposition::Kept(id),
            Err(cause) => self.refuse(turn, request, origin, cause),
        }
    }

    /// Station 4.
    fn find(&mut self, turn: &Turn, checked: &Checked) -> Found {
        match self.index.find_repeat(checked.request) {
            None => Found::Fresh,
            Some(entry) if expired_tombstone(&entry, turn) => {
                self.index.remove(entry.slot, entry.repeat);
                Found::Fresh
            }
            #[cfg(pointsman_zoo)]
            Some(entry) if zoo::has(zoo::Bug::RepeatIsNew) && entry.slab().is_none() => {
                self.index.remove(entry.slot, entry.repeat);
                Found::Fresh
            }
            #[cfg(pointsman_zoo)]
            Some(entry)
                if zoo::has(zoo::Bug::ContradictionIsNew)
                    && entry.slab().is_none()
                    && sameness(checked.request, &entry) == crate::table::Stimulus::Other =>
            {
                self.index.remove(entry.slot, entry.repeat);
                Found::Fresh
            }
            Some(entry) => Found::Known(entry),
        }
    }

    /// Station 6: a slab position, and what the shell is to take for it. Nothing is written yet.
    fn admit(
        &mut self,
        turn: &mut Turn,
        routed: &Routed,
        origin: Origin,
        listener: &ListenerTerms,
    ) -> Result<TxnId, InternalCause> {
        if self.draining {
            return Err(InternalCause::Draining);
        }
        if self.index.is_full() {
            return Err(InternalCause::Overloaded);
        }
        let issuer = routed.range.issuer;
        let transaction =
            Transaction::new(routed.request, Role::Payment, State::Intent, origin, turn.now().tick);
        let id = self.slab.open(transaction, self.spare()).ok_or(InternalCause::Overloaded)?;
        let (position, transaction) = (id.index as usize, self.slab.at(id.index));
        if position >= self.demands.len() {
            self.demands.resize_with(position + 1, || Demands::NONE);
        }
        (transaction.issuer, transaction.owner) = (issuer, routed.known.owner);
        let terms = &turn.snapshot().issuers[issuer.at()];
        transaction.foreign = routed.range.scheme != routing::Scheme::UnionPay;
        (transaction.issuer_id, transaction.patience) = (terms.id, terms.patience());
        if listener.partial_approvals {
            transaction.request.flags = transaction.request.flags.with(Flags::PARTIAL_CAPABLE);
        }
        let demands = &mut self.demands[position];
        if let Err(cause) = check::demand(turn.cx, routed, listener, transaction, demands) {
            self.slab.close(id);
            return Err(cause);
        }
        match routed.request.original {
            Some(_) => self.seek_original(turn, id),
            None => self.ask_admission(turn, id),
        }
        Ok(id)
    }

    /// Station 7: with permit and charges in hand the INTENT is written; without, the request is refused.
    fn reserved(&mut self, turn: &mut Turn, id: TxnId, result: Result<Permit, InternalCause>) {
        let Some(transaction) = self.slab.get_mut(id).filter(|txn| txn.is_payment()) else { return };
        assert!(transaction.permit.is_none() && transaction.pending == 0, "reserved twice");
        let issuer = transaction.issuer;
        let permit = match result {
            Ok(permit) => permit,
            Err(InternalCause::IssuerDown | InternalCause::BreakerOpen) if self.is_covered(turn, id) => {
                self.slab.at(id.index).covered = true;
                return turn.ask(Effect::Enlist { txn: id, issuer });
            }
            Err(cause) => return self.refuse_kept(turn, id, cause),
        };
        transaction.permit = Some(permit);
        transaction.link_id = turn.snapshot().links[permit.link.at()].id;
        transaction.slot_held = true;
        match transaction.covered {
            true => turn.ask(Effect::StandIn { txn: id, issuer }),
            false => self.begin(turn, id),
        }
    }

    /// Station 7, second half.
    pub(crate) fn begin(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        transaction.reply_due = transaction.cancelled.is_none();
        transaction.holds = !transaction.request.kind.posts_on_approval();
        transaction.serial = Serial::new(self.config.epoch, self.config.shard, self.serials);
        let rrn = self.rrns * u64::from(self.config.shards) + u64::from(self.config.shard);
        transaction.rrn = Rrn::issue(turn.now().day_of_year, rrn, transaction.request.stan.get());
        (self.serials, self.rrns) = (self.serials + 1, self.rrns + 1);
        let entry = Entry::live_of(&transaction.request, transaction.owner, id.index);
        // What waited for another shard is in the index since then.
        if !core::mem::take(&mut transaction.entered) && self.index.insert(entry).is_err() {
            return self.unadmit(turn, id, InternalCause::Overloaded);
        }
        let transaction = self.slab.at(id.index);
        self.batches.begin(&transaction.request, transaction.owner);
        let content = self.contents.get(&id.index).map_or(&[][..], |content| content);
        turn.write_intent(id, transaction, content);
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::ForwardBeforeDurable) {
            transaction.deadline = turn.now().tick.plus_ms(3_000);
            transaction.forwarded = true;
            turn.ask(Effect::Forward { txn: id, deadline: transaction.deadline });
        }
    }

    /// 0800, 0820: answered here, neither recorded nor counted.
    fn network(
        &mut self,
        turn: &mut Turn,
        request: &Request,
        origin: Origin,
        listener: &ListenerTerms,
    ) -> Disposition {
        let known =
            check::well_formed(request).and_then(|()| check::known(turn.cx, request, listener).map(drop));
        if let Err(cause) = known {
            return self.refuse(turn, request, origin, cause);
        }
        let batch = match request.kind {
            Kind::SignOn => Some(request.batch.max(1)),
            Kind::SignOff | Kind::Echo => None,
            _ => return self.refuse(turn, request, origin, InternalCause::UnsupportedTransaction),
        };
        let reply = Reply { batch, ..plain(Code::Wire(ResponseCode::approved())) };
        turn.ask(Effect::Reply { txn: None, origin, reply });
        Disposition::Done
    }

    /// Refused before a slab position was taken: REFUSED, and the answer at once.
    pub(crate) fn refuse(
        &mut self,
        turn: &mut Turn,
        request: &Request,
        origin: Origin,
        cause: InternalCause,
    ) -> Disposition {
        turn.write_refused(request, 0, cause, 0);
        turn.count(request.kind, Some(cause), None, None);
        turn.ask(Effect::Reply { txn: None, origin, reply: plain(Code::Internal(cause)) });
        Disposition::Done
    }

    /// Refused by the shell, which tells the sender itself: there is no message that a reply could be made from.
    fn malformed(&mut self, turn: &mut Turn, request: &Request) {
        turn.write_refused(request, 0, InternalCause::FormatError, 0);
        turn.count(request.kind, Some(InternalCause::FormatError), None, None);
    }

    /// Refused with a slab position, before an INTENT.
    pub(crate) fn refuse_kept(&mut self, turn: &mut Turn, id: TxnId, cause: InternalCause) {
        let transaction = self.slab.at(id.index);
        let remaining = transaction.remaining;
        turn.write_refused(&transaction.request, transaction.issuer_id, cause, remaining);
        let issuer = Some(transaction.issuer).filter(|issuer| issuer.0 != u16::MAX);
        turn.count(transaction.request.kind, Some(cause), None, issuer);
        let (origin, reply) = (transaction.origin, plain(Code::Internal(cause)));
        if !self.leave_unbegun(turn, id) {
            turn.ask(Effect::Reply { txn: Some(id), origin, reply });
        }
        self.forget(turn, id);
    }

    /// Permit and charges were taken, but there is no INTENT: all of it goes back.
    pub(crate) fn unadmit(&mut self, turn: &mut Turn, id: TxnId, cause: InternalCause) {
        let transaction = self.slab.at(id.index);
        (transaction.holds, transaction.slot_held) = (false, false);
        turn.ask(Effect::Return { txn: id });
        turn.ask(Effect::Release { txn: id });
        self.refuse_kept(turn, id, cause);
    }

    /// The slab position is free; the index is not touched.
    pub(crate) fn forget(&mut self, turn: &mut Turn, id: TxnId) {
        self.untie(turn, id);
        self.uncover(turn, id);
        if !self.contents.is_empty() {
            self.contents.remove(&id.index);
        }
        self.slab.close(id);
        turn.ask(Effect::Forget { txn: id });
    }

    /// Positions that new payments leave free for reversals and for what answers call back.
    pub(crate) fn spare(&self) -> u32 {
        self.config.max_live / 8
    }
}

/// Station 4's answer.
enum Found {
    /// Never seen.
    Fresh,
    /// Seen, or reversed before it came.
    Known(Entry),
}

/// What a request is to an entry.
pub(crate) fn sameness(request: &Request, entry: &Entry) -> Stimulus {
    if entry.content == request.content() { Stimulus::Same } else { Stimulus::Other }
}

/// Where answers of transactions go that nobody asks about any more.
pub(crate) const NOBODY_ASKED: Origin =
    Origin { connection: u32::MAX, generation: 0, worker: 0, listener: terms::ListenerIx(0) };

/// A reply that says nothing but its code.
pub(crate) fn plain(code: Code) -> Reply {
    Reply {
        code,
        rrn: None,
        approval_code: None,
        arpc: None,
        amount: None,
        batch: None,
        compared: None,
        from_issuer: false,
        stand_in: false,
    }
}

pub(crate) fn expired_tombstone(entry: &Entry, turn: &Turn) -> bool {
    entry.state == State::Tombstone
        && !entry.is_live()
        && entry.content.0 <= Entry::minute(turn.now().wall_ms)
}

pub(crate) fn open_payment(transaction: &Transaction) -> bool {
    transaction.is_payment()
        && (transaction.state == State::Intent || transaction.reply_due || transaction.pending != 0)
}

impl Engine {
    fn expired(&mut self, turn: &mut Turn, id: TxnId, timer: Timer) {
        match timer {
            Timer::Issuer => self.silence(turn, id, InternalCause::IssuerTimeout),
            Timer::Reversal => self.unacknowledged(turn, id, false),
            Timer::Line => self.line_due(turn, id),
            Timer::Grace => self.grace_over(turn, id),
            Timer::Retry => self.retry(turn, id),
            Timer::Resolve => self.resolve_again(turn, id),
        }
    }
}
