//! Connections of terminals and acquirers: read, hand over to the turn, write once per turn, notice who is gone.
//!
//! Never holds a task per transaction: one task per connection sleeps until its socket is ready. Guards: a connection that
//! is slow, silent inside a frame, or does not read is dropped; delivery is only claimed or denied on evidence.

use super::complaints::Peer;
use super::mail::Inbound;
use super::malformed::Malformed;
use super::shared::Phase;
use super::socket::{Filled, Socket};
use super::worker::Worker;
use bytes::BytesMut;
use engine::Origin;
use framing::{Envelope, Overdue};
use link::{Decoded, Refused, TerminalSession, TerminalSink, Violation};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use telemetry::{Chain, Handshake, Side, TerminalFailure};
use terms::{ListenerIx, Tick};

/// One connection.
pub struct Terminal {
    socket: Socket,
    session: TerminalSession,
    listener: ListenerIx,
    generation: u32,
    /// Whose replies they are.
    tickets: Vec<u64>,
    dirty: bool,
    /// Its task stopped reading: too much is unanswered, or unread by the peer.
    paused: bool,
    greeted: bool,
    closing: bool,
    waker: Option<Waker>,
}

/// All connections of one worker.
#[derive(Default)]
pub struct Terminals {
    slots: Vec<Option<Terminal>>,
    generations: Vec<u32>,
    free: Vec<u32>,
    dirty: Vec<u32>,
    /// Per listener, for its bound on connections.
    open: Vec<u32>,
}

/// Reads of one connection before others get their turn.
pub(super) const READS_AT_ONCE: usize = 4;

impl Terminals {
    fn get(&mut self, origin: Origin) -> Option<&mut Terminal> {
        let terminal = self.slots.get_mut(origin.connection as usize)?.as_mut()?;
        (terminal.generation == origin.generation).then_some(terminal)
    }

    /// Connections open on a listener.
    pub fn open_on(&self, listener: ListenerIx) -> u32 {
        self.open.get(listener.at()).copied().unwrap_or(0)
    }
}

/// Where the requests of a read go: into the worker's inbound list, as they are parsed.
struct Reading<'a> {
    inbound: &'a mut VecDeque<Inbound>,
    arena: &'a mut Vec<u8>,
    malformed: &'a mut Vec<Malformed>,
    origin: Origin,
    /// Name and complaints of the listener.
    listener: &'a str,
    peer: &'a mut Peer,
    now: Tick,
}

impl TerminalSink for Reading<'_> {
    fn request(&mut self, message: Decoded<'_>) {
        let start = self.arena.len();
        self.arena.extend_from_slice(message.body);
        let body = start..self.arena.len();
        let (request, envelope) = (message.request, message.envelope);
        self.inbound.push_back(Inbound { request, origin: self.origin, envelope, body });
    }

    fn refused(&mut self, message: Refused<'_>) {
        let Refused { envelope, trusted, error, .. } = message;
        self.malformed.push(Malformed { trusted, origin: self.origin, envelope });
        if let Some(before) = self.peer.messages.tell(self.now) {
            tracing::warn!(listener = self.listener, %error, before, "a message was refused");
        }
    }
}

impl Worker {
    /// Whether one more connection may come in through a listener that has room for `max` here.
    pub fn takes(&self, listener: ListenerIx, max: u32) -> bool {
        self.terminals.open_on(listener) < max && self.shared.phase() == Phase::Running
    }

    /// Takes an accepted socket in; the caller runs [`watch`] for it.
    pub fn open_terminal(&mut self, socket: Socket, listener: ListenerIx) -> u32 {
        let now = self.clock.tick();
        let config = Arc::clone(&self.terminal_configs[listener.at()]);
        let terminals = &mut self.terminals;
        let slot = terminals.free.pop().unwrap_or_else(|| {
            terminals.slots.push(None);
            terminals.generations.push(0);
            (terminals.slots.len() - 1) as u32
        });
        let greeted = socket.established();
        let mut session = TerminalSession::new(config, now);
        if greeted {
            session.on_established(now);
        }
        terminals.slots[slot as usize] = Some(Terminal {
            socket,
            session,
            listener,
            generation: terminals.generations[slot as usize],
            tickets: Vec::new(),
            dirty: false,
            paused: false,
            greeted,
            closing: false,
            waker: None,
        });
        if terminals.open.len() <= listener.at() {
            terminals.open.resize(listener.at() + 1, 0);
        }
        terminals.open[listener.at()] += 1;
        self.meter.connections(Side::Terminal, 1);
        slot
    }

    /// One readiness of one connection. Ready: it is over.
    pub fn poll_terminal(&mut self, slot: u32, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..READS_AT_ONCE {
            let Some(terminal) = self.terminals.slots[slot as usize].as_mut() else { return Poll::Ready(()) };
            if !terminal.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                terminal.waker = Some(cx.waker().clone());
            }
            if terminal.closing || !self.drain_terminal(slot, cx) {
                return Poll::Ready(());
            }
            let Some(terminal) = self.terminals.slots[slot as usize].as_mut() else { return Poll::Ready(()) };
            // Enough unanswered requests: stop reading, the peer's own buffers fill (back-pressure, not a queue).
            terminal.paused = !terminal.session.wants_input();
            if terminal.paused {
                return Poll::Pending;
            }
            self.scratch.plain.clear();
            let filled = match terminal.socket.poll_fill(cx, &mut self.scratch) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(filled) => filled,
            };
            if !self.read_terminal(slot, filled) {
                return Poll::Ready(());
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// What the kernel takes of the backlog; `false`: the connection is over.
    fn drain_terminal(&mut self, slot: u32, cx: &mut Context<'_>) -> bool {
        let Some(terminal) = self.terminals.slots[slot as usize].as_mut() else { return false };
        if terminal.socket.backlog() == 0 {
            return true;
        }
        if matches!(terminal.socket.poll_drain(cx), Poll::Ready(Err(_))) {
            return false;
        }
        terminal.session.on_output(terminal.socket.backlog(), self.clock.tick());
        self.note_taken(slot);
        self.resume_terminal(slot)
    }

    /// Frames that came before a pause wait inside the session; `false`: the connection is over.
    fn resume_terminal(&mut self, slot: u32) -> bool {
        let Some(terminal) = self.terminals.slots[slot as usize].as_mut() else { return false };
        if !terminal.paused || !terminal.session.wants_input() {
            return true;
        }
        terminal.paused = false;
        if let Some(waker) = &terminal.waker {
            waker.wake_by_ref();
        }
        self.parse_terminal(slot, &[])
    }

    /// What a read brought; `false`: the connection is over.
    fn read_terminal(&mut self, slot: u32, filled: std::io::Result<Filled>) -> bool {
        let Some(terminal) = self.terminals.slots[slot as usize].as_mut() else { return false };
        let progress = match filled {
            Ok(Filled::Bytes(progress)) => progress,
            Ok(Filled::End) | Err(_) => {
                if !terminal.greeted {
                    self.meter.handshake(Handshake::Failed, false);
                } else if terminal.session.inside_frame() {
                    self.meter.terminal_failure(TerminalFailure::CutFrame);
                }
                return false;
            }
        };
        if progress.established && !terminal.greeted {
            terminal.greeted = true;
            terminal.session.on_established(self.clock.tick());
            self.meter.handshake(Handshake::Ok, terminal.socket.resumed());
        }
        let plain = std::mem::take(&mut self.scratch.plain);
        let parsed = self.parse_terminal(slot, &plain);
        self.scratch.plain = plain;
        parsed && !progress.closed
    }

    /// Takes every whole frame; `false`: the peer broke the protocol.
    fn parse_terminal(&mut self, slot: u32, plain: &[u8]) -> bool {
        let now = self.clock.tick();
        let Some(terminal) = self.terminals.slots[slot as usize].as_mut() else { return false };
        let (generation, listener) = (terminal.generation, terminal.listener);
        let mut reading = Reading {
            inbound: &mut self.inbound,
            arena: &mut self.arena,
            malformed: &mut self.malformed,
            origin: Origin { connection: slot, generation, worker: self.ix.0, listener },
            listener: &self.shared.config.listeners[listener.at()].name,
            peer: &mut self.complaints.listeners[listener.at()],
            now,
        };
        let parsed = terminal.session.on_bytes(plain, now, &mut self.index, &mut reading);
        // What stopped here goes on with the flush that makes room, whoever comes first: that flush or the reader's task.
        terminal.paused = !terminal.session.wants_input();
        if !(self.inbound.is_empty() && self.malformed.is_empty()) {
            self.letters.bell().notify_one();
        }
        if !terminal.session.output().is_empty() {
            self.mark_terminal(slot);
        }
        if let Err(violation) = parsed {
            self.give_up_terminal(slot, &violation);
            return false;
        }
        true
    }

    /// A peer broke the protocol: counted, and told with where and why.
    fn give_up_terminal(&mut self, slot: u32, violation: &Violation) {
        self.meter.violation(Side::Terminal);
        let Some(terminal) = self.terminals.slots[slot as usize].as_ref() else { return };
        let at = terminal.listener.at();
        if let Some(before) = self.complaints.listeners[at].drops.tell(self.clock.tick()) {
            let listener = &self.shared.config.listeners[at].name;
            let error = Chain(violation);
            tracing::warn!(%listener, %error, before, "a peer broke the protocol: its connection is dropped");
        }
    }

    fn mark_terminal(&mut self, slot: u32) {
        if let Some(terminal) = self.terminals.slots[slot as usize].as_mut()
            && !terminal.dirty
        {
            terminal.dirty = true;
            self.terminals.dirty.push(slot);
            self.letters.bell().notify_one();
        }
    }

    /// Puts a reply on its way: into the connection's buffer if it is ours, else into its owner's letter. `ticket` bears the
    /// worker whose transaction it is ([`Worker::tagged`]): that is who must learn what became of it.
    pub(super) fn deliver(&mut self, origin: Origin, envelope: Envelope, ticket: Option<u64>, body: &[u8]) {
        if origin.worker != self.ix.0 {
            let mail = &mut self.outbox[usize::from(origin.worker)];
            let body = mail.enclose(body);
            return mail.replies.push(super::mail::Replied { origin, envelope, ticket, body });
        }
        let written =
            self.terminals.get(origin).filter(|terminal| !terminal.closing).is_some_and(|terminal| {
                let copied = |out: &mut BytesMut| {
                    out.extend_from_slice(body);
                    Ok::<(), std::convert::Infallible>(())
                };
                terminal.session.reply(&envelope, copied).is_ok()
            });
        match (written, ticket) {
            (true, ticket) => {
                if let (Some(terminal), Some(ticket)) = (self.terminals.get(origin), ticket) {
                    terminal.tickets.push(ticket);
                }
                self.mark_terminal(origin.connection);
            }
            (false, ticket) => {
                // A reply that no frame can hold leaves its place to the next request.
                self.forgo_here(origin);
                if let Some(ticket) = ticket {
                    self.tell(ticket, false);
                }
            }
        }
    }

    /// Tells the owner of a reply what became of it.
    fn tell(&mut self, ticket: u64, delivered: bool) {
        let owner = (ticket >> 52) as usize;
        let ticket = ticket & ((1 << 52) - 1);
        if owner == self.ix.at() {
            self.told_later.push((ticket, delivered));
        } else {
            self.outbox[owner].delivered.push((ticket, delivered));
        }
    }

    /// One write per connection that has something to say; then the engine learns what was taken.
    pub(super) fn flush_terminals(&mut self) {
        let mut dirty = std::mem::take(&mut self.terminals.dirty);
        for slot in dirty.drain(..) {
            self.flush_terminal(slot);
        }
        // Marked while flushing: for the next turn.
        dirty.append(&mut self.terminals.dirty);
        self.terminals.dirty = dirty;
    }

    /// One request fewer to answer on this connection.
    pub(super) fn forgo_here(&mut self, origin: Origin) {
        if let Some(terminal) = self.terminals.get(origin) {
            terminal.session.forgo();
            self.mark_terminal(origin.connection);
        }
    }

    fn flush_terminal(&mut self, slot: u32) {
        let Some(terminal) = self.terminals.slots[slot as usize].as_mut() else { return };
        terminal.dirty = false;
        let start = terminal.socket.made();
        let sent = if terminal.session.output().is_empty() {
            terminal.socket.flush()
        } else {
            terminal.socket.send(terminal.session.output(), &mut self.scratch)
        };
        terminal.session.output().clear();
        for ticket in terminal.tickets.drain(..) {
            terminal.session.queued(ticket, start);
        }
        terminal.session.on_output(terminal.socket.backlog(), self.now.tick);
        terminal.closing |= sent.is_err();
        // The task registers for writability, or ends.
        if (terminal.closing || terminal.socket.backlog() > 0)
            && let Some(waker) = &terminal.waker
        {
            waker.wake_by_ref();
        }
        self.note_taken(slot);
        if !self.resume_terminal(slot)
            && let Some(terminal) = self.terminals.slots[slot as usize].as_mut()
        {
            terminal.closing = true;
            if let Some(waker) = &terminal.waker {
                waker.wake_by_ref();
            }
        }
    }

    /// Replies whose first byte the kernel has taken by now are delivered.
    fn note_taken(&mut self, slot: u32) {
        let Some(terminal) = self.terminals.slots[slot as usize].as_mut() else { return };
        let mut taken = std::mem::take(&mut self.taken);
        terminal.session.taken(terminal.socket.taken(), &mut taken);
        for ticket in taken.drain(..) {
            self.tell(ticket, true);
        }
        self.taken = taken;
    }

    /// The connection is over: what the kernel never took the first byte of was not delivered.
    pub fn close_terminal(&mut self, slot: u32) {
        self.note_taken(slot);
        let Some(mut terminal) = self.terminals.slots[slot as usize].take() else { return };
        let mut gone = std::mem::take(&mut terminal.tickets);
        terminal.session.died(&mut gone);
        for ticket in gone {
            self.tell(ticket, false);
        }
        terminal.socket.goodbye();
        let terminals = &mut self.terminals;
        terminals.generations[slot as usize] = terminal.generation.wrapping_add(1);
        terminals.free.push(slot);
        terminals.open[terminal.listener.at()] -= 1;
        self.meter.connections(Side::Terminal, -1);
        self.letters.bell().notify_one();
    }

    /// Drops connections whose clock ran out: inside a frame, in the handshake, not reading, or idle for too long.
    pub(super) fn sweep_terminals(&mut self) {
        for slot in 0..self.terminals.slots.len() {
            let Some(terminal) = self.terminals.slots[slot].as_mut() else { continue };
            let Err(violation) = terminal.session.on_time(self.now.tick) else { continue };
            terminal.closing = true;
            if let Some(waker) = &terminal.waker {
                waker.wake_by_ref();
            }
            match violation {
                Violation::Overdue(Overdue::Idle) => {}
                Violation::Overdue(Overdue::Handshake) => self.meter.handshake(Handshake::Failed, false),
                _ => self.give_up_terminal(slot as u32, &violation),
            }
        }
    }

    /// Closes every connection, as the last act of a shutdown.
    pub fn close_terminals(&mut self) {
        for slot in 0..self.terminals.slots.len() {
            self.close_terminal(slot as u32);
        }
    }
}

/// Watches one connection until it is over.
pub async fn watch(worker: Rc<RefCell<Worker>>, slot: u32) {
    std::future::poll_fn(|cx| worker.borrow_mut().poll_terminal(slot, cx)).await;
    worker.borrow_mut().close_terminal(slot);
}
