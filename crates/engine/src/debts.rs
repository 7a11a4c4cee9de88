//! What is owed to each issuer: one small entry per transaction, its content stays in the journal.
//!
//! A debt is *under way* while its transaction is in the slab and a message about it is out; else it is on the shelf, and
//! only this entry remembers it. Debts of one card are a chain: the next may go when the one before is paid or parked.
//! Never decides what is sent, never reads a record. Guards: so many under way per issuer and no more, one entry per
//! transaction, order kept per card, about [`DEBT_BYTES`] a debt.

use crate::record::Serial;
use crate::snapshot::Identity;
use core::cmp::Reverse;
use journal::Lsn;
use std::collections::{BinaryHeap, HashMap, VecDeque};
use std::hash::BuildHasherDefault;
use terms::{CardToken, IssuerIx, Tick};

type Map<V> = HashMap<u64, V, BuildHasherDefault<Identity>>;

/// No debt.
pub(crate) const NONE: u32 = u32::MAX;

/// Memory of one debt at most: its entry, its card, the ticket of its request, its place in a queue.
pub const DEBT_BYTES: usize = size_of::<Debt>() + 2 * 36 + 2 * size_of::<Waiting>();

type Waiting = Reverse<(Tick, Queued)>;

/// A place in a queue: which debt, and its stamp of that moment. A debt that went on meanwhile has another.
type Queued = (u32, u32);

/// One transaction that something is owed for.
#[derive(Clone, Copy)]
pub(crate) struct Debt {
    pub(crate) serial: Serial,
    /// The record that says what is owed.
    pub(crate) owing: Lsn,
    /// Under which its issuer's late word about the request comes; 0 if none can.
    ticket: u64,
    /// And about what was sent last.
    sent: u64,
    card: u64,
    next: u32,
    /// Its place in the slab while it is there, else [`NONE`].
    pub(crate) slab: u32,
    /// Changes with everything that happens to it, so that its places in queues go stale.
    stamp: u32,
    issuer: IssuerIx,
    pub(crate) attempts: u16,
    pub(crate) bad_answers: u8,
    flags: u8,
}

/// A store-and-forward slot is held for it.
const SLOT: u8 = 1;
/// The issuer was seen to approve it.
const SEEN: u8 = 2;
/// The issuer refused it too often; it is in no chain.
const PARKED: u8 = 4;
/// A message about it is out, or it is being read for one.
const UNDER_WAY: u8 = 8;

/// One issuer's.
#[derive(Default)]
struct Line {
    count: u32,
    parked: Vec<Queued>,
    parked_count: u32,
    under_way: u32,
    /// May go at once; none of them is behind another of its card.
    ready: VecDeque<Queued>,
    /// May go when their time has come, likewise.
    waiting: BinaryHeap<Waiting>,
    /// The newest debt of each card.
    cards: Map<u32>,
    /// Nothing goes before: there is no link.
    blocked: Tick,
    /// When the timer that was set last fires.
    alarm: Option<Tick>,
}

/// All debts of one shard. The first line is for issuers that the configuration no longer has.
pub(crate) struct Debts {
    items: Vec<Debt>,
    free: u32,
    lines: Vec<Line>,
    tickets: Map<u32>,
    /// Of what stands approved here while the issuer is still to hear of it: which debt, by serial.
    standing: Map<u32>,
}

impl Debts {
    pub(crate) fn new() -> Self {
        Self {
            items: Vec::new(),
            free: NONE,
            lines: vec![Line::default()],
            tickets: Map::default(),
            standing: Map::default(),
        }
    }

    /// One more, behind the others of its card.
    pub(crate) fn add(&mut self, issuer: IssuerIx, serial: Serial, owing: Lsn, token: &CardToken) -> u32 {
        let at = self.enter(issuer, serial, owing, token);
        let Debt { card, .. } = self.items[at as usize];
        self.join_chain(at, issuer, card);
        at
    }

    /// One more that its issuer refused too often before a restart.
    pub(crate) fn add_parked(
        &mut self,
        issuer: IssuerIx,
        serial: Serial,
        owing: Lsn,
        token: &CardToken,
    ) -> u32 {
        let at = self.enter(issuer, serial, owing, token);
        self.items[at as usize].flags |= PARKED;
        self.line(issuer).parked_count += 1;
        at
    }

    fn enter(&mut self, issuer: IssuerIx, serial: Serial, owing: Lsn, token: &CardToken) -> u32 {
        let card = card_of(token, serial);
        let (next, slab) = (NONE, NONE);
        let debt = Debt {
            serial,
            owing,
            ticket: 0,
            sent: 0,
            card,
            next,
            slab,
            stamp: 0,
            issuer,
            attempts: 0,
            bad_answers: 0,
            flags: 0,
        };
        let at = self.store(debt);
        self.line(issuer).count += 1;
        at
    }

    fn store(&mut self, debt: Debt) -> u32 {
        if self.free == NONE {
            self.items.push(debt);
            return self.items.len() as u32 - 1;
        }
        let at = self.free;
        // Places in queues that speak of the one before stay stale.
        let stamp = self.items[at as usize].stamp;
        self.free = core::mem::replace(&mut self.items[at as usize], Debt { stamp, ..debt }).next;
        at
    }

    /// Its transaction stands approved here: a reversal of it must find the debt.
    pub(crate) fn stand(&mut self, at: u32) {
        self.standing.insert(self.items[at as usize].serial.0, at);
    }

    /// The debt of a transaction that stands approved here, or did when it was last sent.
    pub(crate) fn standing(&self, serial: Serial) -> Option<u32> {
        self.standing.get(&serial.0).copied()
    }

    /// Paid, or cancelled before its turn: forgotten. The next of its card may go.
    pub(crate) fn remove(&mut self, at: u32) {
        self.rest(at);
        let Debt { issuer, ticket, sent, flags, serial, .. } = self.items[at as usize];
        if !self.standing.is_empty() {
            self.standing.remove(&serial.0);
        }
        self.drop_ticket(ticket, at);
        self.drop_ticket(sent, at);
        let line = self.line(issuer);
        line.count -= 1;
        line.parked_count -= u32::from(flags & PARKED != 0);
        let debt = &mut self.items[at as usize];
        (debt.stamp, debt.slab) = (debt.stamp.wrapping_add(1), NONE);
        if flags & BEHIND != 0 {
            // Who is before it says so when it goes: then this place is free.
            debt.flags |= GONE;
            return;
        }
        self.leave_chain(at);
        self.give_up(at);
    }

    fn give_up(&mut self, at: u32) {
        self.items[at as usize].next = core::mem::replace(&mut self.free, at);
    }

    /// Refused too often: still owed, in nobody's way, tried again at the next sign-on.
    pub(crate) fn park(&mut self, at: u32) {
        if self.items[at as usize].flags & PARKED == 0 {
            self.leave_chain(at);
            self.items[at as usize].flags |= PARKED;
            let issuer = self.items[at as usize].issuer;
            self.line(issuer).parked_count += 1;
        }
        self.rest(at);
    }

    /// What is owed now is another message: back in the line of its card, as the newest.
    pub(crate) fn unpark(&mut self, at: u32) {
        let Debt { issuer, card, flags, .. } = self.items[at as usize];
        if flags & PARKED != 0 {
            self.items[at as usize].flags &= !PARKED;
            self.line(issuer).parked_count -= 1;
            self.join_chain(at, issuer, card);
        }
    }

    fn join_chain(&mut self, at: u32, issuer: IssuerIx, card: u64) {
        if let Some(before) = self.line(issuer).cards.insert(card, at) {
            self.items[before as usize].next = at;
            self.items[at as usize].flags |= BEHIND;
        }
    }

    fn drop_ticket(&mut self, ticket: u64, at: u32) {
        if self.tickets.get(&ticket) == Some(&at) {
            self.tickets.remove(&ticket);
        }
    }

    /// What its issuer may still say finds it: about the request under `ticket`, about its reversal under `sent`; 0: nothing.
    pub(crate) fn expect(&mut self, at: u32, ticket: u64, sent: u64) {
        let debt = &mut self.items[at as usize];
        let before = core::mem::replace(&mut debt.sent, sent);
        if debt.ticket == 0 {
            debt.ticket = ticket;
        }
        let ticket = debt.ticket;
        if before != ticket {
            self.drop_ticket(before, at);
        }
        for ticket in [ticket, sent].into_iter().filter(|ticket| *ticket != 0) {
            self.tickets.insert(ticket, at);
        }
    }

    /// It has left the slab: goes again at `wake`.
    pub(crate) fn shelve(&mut self, at: u32, wake: Tick) {
        self.rest(at);
        let debt = &mut self.items[at as usize];
        debt.slab = NONE;
        debt.stamp = debt.stamp.wrapping_add(1);
        let Debt { issuer, flags, stamp, .. } = *debt;
        let line = self.line(issuer);
        match flags {
            _ if flags & PARKED != 0 => line.parked.push((at, stamp)),
            _ if flags & BEHIND != 0 => {}
            _ => line.waiting.push(Reverse((wake, (at, stamp)))),
        }
    }

    /// Takes it from the shelf out of its turn: it was paid after all.
    pub(crate) fn withdraw(&mut self, at: u32) {
        let debt = &mut self.items[at as usize];
        debt.stamp = debt.stamp.wrapping_add(1);
        self.start(at);
    }

    /// The next that may go now, if there is room for it; it counts as under way from here on.
    pub(crate) fn next(&mut self, issuer: IssuerIx, window: u32, now: Tick) -> Option<u32> {
        let line = self.line(issuer);
        if line.under_way >= window || line.blocked > now {
            return None;
        }
        loop {
            let (at, stamp) = self.line(issuer).first(now)?;
            if self.items[at as usize].stamp == stamp {
                self.start(at);
                return Some(at);
            }
        }
    }

    /// Takes a place of the window for a debt whose transaction is still in the slab; `false` if it has to wait its turn.
    pub(crate) fn go(&mut self, at: u32, window: u32, now: Tick) -> bool {
        let Debt { issuer, flags, .. } = self.items[at as usize];
        let line = self.line(issuer);
        let busy = line.under_way >= window || line.blocked > now || !line.ready.is_empty();
        if busy || flags & BEHIND != 0 {
            return false;
        }
        self.start(at);
        true
    }

    fn start(&mut self, at: u32) {
        let debt = &mut self.items[at as usize];
        debt.flags |= UNDER_WAY;
        let issuer = debt.issuer;
        self.line(issuer).under_way += 1;
    }

    /// Nothing about it is out any more.
    pub(crate) fn rest(&mut self, at: u32) {
        let debt = &mut self.items[at as usize];
        if debt.flags & UNDER_WAY != 0 {
            debt.flags &= !UNDER_WAY;
            let issuer = debt.issuer;
            self.line(issuer).under_way -= 1;
        }
    }

    fn leave_chain(&mut self, at: u32) {
        let Debt { issuer, card, mut next, flags, .. } = self.items[at as usize];
        if flags & PARKED != 0 {
            return;
        }
        self.items[at as usize].next = NONE;
        while next != NONE && self.items[next as usize].flags & GONE != 0 {
            let after = self.items[next as usize].next;
            self.give_up(next);
            next = after;
        }
        if next == NONE {
            let line = self.line(issuer);
            line.cards.remove(&card);
            return;
        }
        self.items[next as usize].flags &= !BEHIND;
        let Debt { slab, stamp, .. } = self.items[next as usize];
        if slab == NONE {
            self.line(issuer).ready.push_back((next, stamp));
        }
    }

    /// There is no link: nothing goes before `until`.
    pub(crate) fn block(&mut self, issuer: IssuerIx, until: Tick) {
        self.line(issuer).blocked = until;
    }

    /// A link signed on: everything may go at once, what was parked too.
    pub(crate) fn unblock(&mut self, issuer: IssuerIx) {
        let line = self.line(issuer);
        (line.blocked, line.alarm) = (Tick(0), None);
        let waiting = core::mem::take(&mut line.waiting);
        line.ready.extend(waiting.into_iter().map(|Reverse((_, at))| at));
        line.ready.extend(core::mem::take(&mut line.parked));
    }

    /// When the line's timer must be set for, `now` at the earliest, if it is not set for an earlier moment already.
    pub(crate) fn alarm(&mut self, issuer: IssuerIx, window: u32, now: Tick) -> Option<Tick> {
        let line = self.line(issuer);
        if line.under_way >= window {
            return None;
        }
        let due = match (line.ready.is_empty(), line.waiting.peek()) {
            (false, _) => now,
            (true, Some(Reverse((wake, _)))) => *wake,
            (true, None) => return None,
        };
        let at = due.max(line.blocked).max(now);
        let earlier = line.alarm.is_none_or(|set| set <= now || at < set);
        earlier.then(|| {
            line.alarm = Some(at);
            at
        })
    }

    /// The line's timer fired.
    pub(crate) fn alarm_over(&mut self, issuer: IssuerIx) {
        self.line(issuer).alarm = None;
    }

    pub(crate) fn get(&self, at: u32) -> &Debt {
        &self.items[at as usize]
    }

    pub(crate) fn get_mut(&mut self, at: u32) -> &mut Debt {
        &mut self.items[at as usize]
    }

    /// The debt about which the issuer speaks under `ticket`.
    pub(crate) fn of_ticket(&self, ticket: u64) -> Option<u32> {
        self.tickets.get(&ticket).copied()
    }

    pub(crate) fn count(&self, issuer: IssuerIx) -> usize {
        self.lines.get(position(issuer)).map_or(0, |line| line.count as usize)
    }

    pub(crate) fn parked(&self, issuer: IssuerIx) -> usize {
        self.lines.get(position(issuer)).map_or(0, |line| line.parked_count as usize)
    }

    fn line(&mut self, issuer: IssuerIx) -> &mut Line {
        let at = position(issuer);
        if at >= self.lines.len() {
            self.lines.resize_with(at + 1, Line::default);
        }
        &mut self.lines[at]
    }
}

impl Line {
    fn first(&mut self, now: Tick) -> Option<Queued> {
        if let Some(queued) = self.ready.pop_front() {
            return Some(queued);
        }
        let Reverse((wake, queued)) = *self.waiting.peek()?;
        (wake <= now).then(|| self.waiting.pop())?;
        Some(queued)
    }
}

impl Debt {
    pub(crate) const fn issuer(&self) -> IssuerIx {
        self.issuer
    }

    pub(crate) const fn is_parked(&self) -> bool {
        self.flags & PARKED != 0
    }

    pub(crate) const fn approval_seen(&self) -> bool {
        self.flags & SEEN != 0
    }

    pub(crate) fn saw_approval(&mut self, seen: bool) {
        self.flags |= if seen { SEEN } else { 0 };
    }

    pub(crate) const fn slot_held(&self) -> bool {
        self.flags & SLOT != 0
    }

    pub(crate) fn hold_slot(&mut self) {
        self.flags |= SLOT;
    }
}

/// Another debt of its card goes first.
const BEHIND: u8 = 16;
/// Cancelled while another of its card was first.
const GONE: u8 = 32;

/// A transaction without a card has a chain of its own.
fn card_of(token: &CardToken, serial: Serial) -> u64 {
    match *token {
        CardToken::NONE => serial.0,
        // A token is uniform already.
        CardToken(bytes) => u64::from_le_bytes(bytes[..8].try_into().expect("eight of sixteen bytes")),
    }
}

fn position(issuer: IssuerIx) -> usize {
    if issuer.0 == u16::MAX { 0 } else { issuer.at() + 1 }
}
