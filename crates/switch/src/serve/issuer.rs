//! Links to issuers: the sockets this worker owns, and what comes back on them.
//!
//! One task per link connects, signs on (the session says how), watches, and connects again. Never decides what an answer
//! means for money. Guards: every answer reaches the worker that gave out its STAN; a link that goes down is told to all.

mod lines;

use super::complaints::Pace;
use super::mail::{Answered, Outgoing};
use super::recants::{Asked, Number};
use super::socket::{Filled, Socket};
use super::worker::Worker;
use bytes::BytesMut;
use engine::record::UnmatchedReason;
use engine::{Event, TxnId, Verdict};
use framing::Envelope;
use iso8583::{CodeVerdict, DecodeError, Dialect, Index};
use link::{IssuerSession, IssuerSink, Match, Reason};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use telemetry::{Chain, Handshake, Side};
use terms::{Answer, LinkIx, Request, ResponseCode, Tick};
use tls::Channel;
use tokio::net::TcpStream;

/// One link whose socket this worker owns.
pub struct Port {
    pub(super) session: IssuerSession,
    /// The issuer's own messages that are not answered yet.
    pub(super) asked: Asked,
    socket: Option<Socket>,
    greeted: bool,
    dirty: bool,
    closing: bool,
    waker: Option<Waker>,
}

/// How a link's TLS is made.
pub type Tls = Option<(Arc<ClientConfig>, ServerName<'static>)>;

/// Third digit of 0130, 0230, 0630.
const ADVICE_ANSWER: u16 = 0x30;

/// A connection attempt is given up after this.
const CONNECT: Duration = Duration::from_secs(5);

impl Port {
    /// Not connected yet.
    pub fn new(session: IssuerSession) -> Self {
        let asked = Asked::default();
        Self { session, asked, socket: None, greeted: false, dirty: false, closing: false, waker: None }
    }

    /// Whether the sign-off is done, or there is nothing to sign off from.
    pub fn is_quiet(&self) -> bool {
        self.socket.is_none() || self.session.is_signed_off()
    }
}

/// What one read brought, collected while the session parses.
struct Reading<'a> {
    link: LinkIx,
    /// Its name, and when messages of it may be complained of.
    name: &'a str,
    pace: &'a mut Pace,
    now: Tick,
    dialect: &'a Dialect,
    answered: &'a mut Vec<Answered>,
    arena: &'a mut Vec<u8>,
    odd: Vec<(Answer, Verdict, UnmatchedReason)>,
    requests: Vec<(Request, Envelope, Vec<u8>, Number)>,
    news: Option<bool>,
    echoed: bool,
    unreadable: u32,
}

impl IssuerSink for Reading<'_> {
    fn answer(&mut self, answer: &Answer, raw: &[u8], _: &Index) {
        let start = self.arena.len();
        self.arena.extend_from_slice(raw);
        let body = start..self.arena.len();
        let verdict = verdict(self.dialect, answer.code);
        self.answered.push(Answered { link: self.link, answer: *answer, verdict, body, hops: 0 });
    }

    fn unmatched(&mut self, reason: Reason, answer: Option<&Answer>, _: &[u8], _: &Index) {
        match answer {
            Some(answer) => self.odd.push((*answer, verdict(self.dialect, answer.code), reason_of(reason))),
            None => {
                if let Some(before) = self.pace.tell(self.now) {
                    tracing::warn!(link = self.name, %reason, before, "an answer is nobody's");
                }
            }
        }
    }

    fn request(&mut self, request: &Request, envelope: Envelope, raw: &[u8], index: &Index) {
        let number = iso8583::named_number(self.dialect, raw, index);
        self.requests.push((*request, envelope, raw.to_vec(), number));
    }

    fn unreadable(&mut self, error: &DecodeError) {
        self.unreadable += 1;
        if let Some(before) = self.pace.tell(self.now) {
            tracing::warn!(link = self.name, %error, before, "an issuer sent what is no message");
        }
    }

    fn echoed(&mut self) {
        self.echoed = true;
    }

    fn up(&mut self) {
        self.news = Some(true);
    }

    fn down(&mut self) {
        self.news = Some(false);
    }
}

fn verdict(dialect: &Dialect, code: ResponseCode) -> Verdict {
    match (code.as_bytes(), dialect.verdict(&code)) {
        // "In progress" and "too late" leave the money in doubt, whatever list they are in.
        (b"09" | b"68", _) => Verdict::InDoubt,
        (_, CodeVerdict::Approves) => Verdict::Approves,
        (_, CodeVerdict::Declines) => Verdict::Declines,
        #[cfg(pointsman_zoo)]
        (_, CodeVerdict::Neither) if zoo::has(zoo::Bug::UnknownCodeApproves) => Verdict::Approves,
        (_, CodeVerdict::Neither) => Verdict::Neither,
    }
}

fn is_to_advice(answer: &Answer) -> bool {
    matches!(answer.mti.class_digit(), 1 | 2 | 6) && answer.mti.bcd() & 0xF0 == ADVICE_ANSWER
}

fn reason_of(reason: Reason) -> UnmatchedReason {
    match reason {
        Reason::NoStan => UnmatchedReason::NoStan,
        Reason::NoTransmission => UnmatchedReason::NoTransmission,
        Reason::NoTerminal => UnmatchedReason::NoTerminal,
        Reason::UnknownStan | Reason::OtherTransmission => UnmatchedReason::NoSuchRequest,
        Reason::OtherClass => UnmatchedReason::WrongClass,
    }
}

impl Worker {
    /// Passes an answer on to whoever waits for it.
    pub(super) fn settle(&mut self, one: &Answered, body: &[u8]) {
        let answer = &one.answer;
        let class = answer.mti.class_digit();
        let desk = &mut self.desks[one.link.at()];
        let found = match is_to_advice(answer) {
            true => desk.matches_advice(class, answer.stan, answer.transmission),
            false => desk.matches(class, answer.stan, answer.transmission),
        };
        let (ticket, in_time) = match found {
            Match::InTime { ticket } => (ticket, true),
            Match::Late { ticket } => (ticket, false),
            Match::Advised { ticket } => {
                let event =
                    Event::AdviceAnswer { txn: TxnId::from_ticket(ticket), answer, verdict: one.verdict };
                self.handle(event, None);
                return;
            }
            Match::Unmatched(_) if self.pass_round(one, body) => return,
            Match::Unmatched(reason) => {
                return self.unmatched(one.link, answer, one.verdict, reason_of(reason));
            }
        };
        let txn = TxnId::from_ticket(ticket);
        if class == 4 {
            self.handle(Event::ReversalAnswer { txn, answer }, None);
            return;
        }
        if in_time
            && self.engine.transaction(txn).is_some()
            && let Some(wire) = self.wires.get_mut(txn)
        {
            wire.answer.clear();
            wire.answer.extend_from_slice(body);
            self.breakers.answered(self.shared.config.links[one.link.at()].issuer);
            let took = self.now.tick.since(wire.forwarded);
            self.meter.latency(telemetry::Stage::Issuer, took);
        }
        let answer = &self.as_asked(txn, one);
        self.handle(Event::Answer { txn, answer, verdict: one.verdict }, None);
    }

    /// What answers something owed goes once round all workers: its number may be older than this process, and of one that shared
    /// numbers out among fewer or more. Tells whether there is another worker to ask.
    fn pass_round(&mut self, one: &Answered, body: &[u8]) -> bool {
        let Answered { link, answer, verdict, hops, .. } = *one;
        let (workers, hops) = (self.outbox.len(), hops + 1);
        let about_owed = answer.mti.class_digit() == 4 || is_to_advice(&answer);
        #[cfg(pointsman_zoo)]
        let about_owed = about_owed && !zoo::has(zoo::Bug::OwedAnswerDropped);
        if !about_owed || usize::from(hops) >= workers {
            return false;
        }
        let mail = &mut self.outbox[(self.ix.at() + 1) % workers];
        let body = mail.enclose(body);
        mail.answers.push(Answered { link, answer, verdict, body, hops });
        true
    }

    pub(super) fn unmatched(
        &mut self,
        link: LinkIx,
        answer: &Answer,
        verdict: Verdict,
        reason: UnmatchedReason,
    ) {
        if let Some(before) = self.complaints.links[link.at()].messages.tell(self.now.tick) {
            let link = &self.shared.config.links[link.at()].full_name;
            tracing::warn!(%link, reason = reason.text(), before, "an answer matches nothing");
        }
        self.handle(Event::Unmatched { link, answer, verdict, reason }, None);
    }

    /// A message another worker has for a link of ours.
    pub(super) fn carry(&mut self, one: &Outgoing, body: &[u8]) {
        if !self.write_port(one.link, body) {
            let owner = (one.ticket >> 52) as usize;
            self.outbox[owner].unsent.push((one.ticket & ((1 << 52) - 1), one.reversal));
        }
    }

    /// Frames `body` into the link's output; `false` if the link is not up or its output is full.
    pub(super) fn write_port(&mut self, link: LinkIx, body: &[u8]) -> bool {
        let Some(port) = self.ports[link.at()].as_mut() else { return false };
        let copied = |out: &mut BytesMut| {
            out.extend_from_slice(body);
            Ok::<(), std::convert::Infallible>(())
        };
        let framed = port.session.frame(copied).is_ok();
        if framed {
            self.mark_port(link);
        }
        framed
    }

    pub(super) fn mark_port(&mut self, link: LinkIx) {
        if let Some(port) = self.ports[link.at()].as_mut()
            && !port.dirty
        {
            port.dirty = true;
            self.dirty_ports.push(link);
        }
    }

    /// One write per link that has something to say.
    pub(super) fn flush_ports(&mut self) {
        let mut dirty = std::mem::take(&mut self.dirty_ports);
        for link in dirty.drain(..) {
            self.flush_port(link);
        }
        self.dirty_ports = dirty;
    }

    fn flush_port(&mut self, link: LinkIx) {
        let now = self.clock.now();
        let Some(port) = self.ports[link.at()].as_mut() else { return };
        port.dirty = false;
        let Some(socket) = port.socket.as_mut() else { return };
        if !socket.established() {
            return;
        }
        let sent = if port.session.output().is_empty() {
            socket.flush()
        } else {
            socket.send(port.session.output(), &mut self.scratch)
        };
        port.session.output().clear();
        port.session.on_output(socket.backlog(), &now);
        port.closing |= sent.is_err();
        if (port.closing || socket.backlog() > 0)
            && let Some(waker) = &port.waker
        {
            waker.wake_by_ref();
        }
    }

    /// One readiness of one link. Ready: the connection is over.
    pub fn poll_port(&mut self, link: LinkIx, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..super::terminal::READS_AT_ONCE {
            let Some(port) = self.ports[link.at()].as_mut() else { return Poll::Ready(()) };
            let Some(socket) = port.socket.as_mut() else { return Poll::Ready(()) };
            if !port.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                port.waker = Some(cx.waker().clone());
            }
            if port.closing || matches!(socket.poll_drain(cx), Poll::Ready(Err(_))) {
                return Poll::Ready(());
            }
            self.scratch.plain.clear();
            let filled = match socket.poll_fill(cx, &mut self.scratch) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(filled) => filled,
            };
            if !self.read_port(link, filled) {
                return Poll::Ready(());
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// What a read brought; `false`: the connection is over.
    fn read_port(&mut self, link: LinkIx, filled: std::io::Result<Filled>) -> bool {
        let progress = match filled {
            Ok(Filled::Bytes(progress)) => progress,
            Ok(Filled::End) => return false,
            Err(error) => {
                tracing::warn!(link = %self.shared.config.links[link.at()].full_name, %error, "a link broke");
                return false;
            }
        };
        let plain = std::mem::take(&mut self.scratch.plain);
        let going = self.parse_port(link, &plain, progress.established);
        self.scratch.plain = plain;
        going && !progress.closed
    }

    fn parse_port(&mut self, link: LinkIx, plain: &[u8], established: bool) -> bool {
        let now = self.clock.now();
        let shared = Arc::clone(&self.shared);
        let config = &shared.config.links[link.at()];
        let dialect = &shared.config.issuers[config.issuer.at()].dialect;
        let Some(port) = self.ports[link.at()].as_mut() else { return false };
        let mut reading = Reading {
            link,
            name: &config.full_name,
            pace: &mut self.complaints.links[link.at()].messages,
            now: now.tick,
            dialect,
            answered: &mut self.answered,
            arena: &mut self.answer_arena,
            odd: Vec::new(),
            requests: Vec::new(),
            news: None,
            echoed: false,
            unreadable: 0,
        };
        if established && !port.greeted {
            port.greeted = true;
            port.session.on_connected(&now, &mut reading);
            if let Some(socket) = port.socket.as_ref().filter(|socket| !socket.is_plain()) {
                self.meter.handshake(Handshake::Ok, socket.resumed());
            }
        }
        let parsed = port.session.on_bytes(plain, &now, &mut self.index, &mut reading);
        let Reading { odd, requests, news, echoed, unreadable, .. } = reading;
        (0..unreadable).for_each(|_| self.meter.violation(Side::Issuer));
        self.take_port_news(link, news);
        if echoed {
            self.echoed(link);
        }
        self.odd.extend(odd.into_iter().map(|(answer, verdict, reason)| (link, answer, verdict, reason)));
        for (request, envelope, body, number) in requests {
            self.issuer_asks(link, &request, number, envelope, body);
        }
        self.mark_port(link);
        self.letters.bell().notify_one();
        if let Err(violation) = &parsed {
            self.meter.violation(Side::Issuer);
            if let Some(before) = self.complaints.links[link.at()].drops.tell(now.tick) {
                let error = Chain(violation);
                tracing::warn!(link = %config.full_name, %error, before, "an issuer broke the protocol: its link is dropped");
            }
        }
        parsed.is_ok()
    }

    /// Up or down: told to every worker, ourselves included, at the start of the next turn.
    fn take_port_news(&mut self, link: LinkIx, news: Option<bool>) {
        let Some(up) = news else { return };
        self.shared.links_up[link.at()].store(up, Ordering::Release);
        self.meter.link_up(link, up);
        let name = &self.shared.config.links[link.at()].full_name;
        if up {
            tracing::info!(link = %name, "link up");
        } else {
            tracing::warn!(link = %name, "link down");
        }
        for worker in 0..self.outbox.len() {
            if worker != self.ix.at() {
                self.outbox[worker].links.push((link, up));
            }
        }
        self.link_news.push((link, up));
        self.letters.bell().notify_one();
    }
}

/// Keeps one link connected until the process stops.
pub async fn keep(worker: Rc<RefCell<Worker>>, link: LinkIx, tls: Tls) {
    let clock = worker.borrow().clock.clone();
    loop {
        let again = match connect(&worker, link, &tls).await {
            Ok(()) => {
                std::future::poll_fn(|cx| worker.borrow_mut().poll_port(link, cx)).await;
                worker.borrow_mut().close_port(link)
            }
            Err(error) => {
                let name = worker.borrow().shared.config.links[link.at()].full_name.clone();
                tracing::debug!(link = %name, %error, "a link cannot be connected");
                worker.borrow_mut().close_port(link)
            }
        };
        tokio::time::sleep_until(clock.instant(again)).await;
    }
}

async fn connect(worker: &Rc<RefCell<Worker>>, link: LinkIx, tls: &Tls) -> std::io::Result<()> {
    worker.borrow_mut().connecting(link);
    let address = worker.borrow().shared.config.links[link.at()].address.clone();
    let connecting = TcpStream::connect((address.host.as_str(), address.port));
    let stream = tokio::time::timeout(CONNECT, connecting).await.map_err(std::io::Error::from)??;
    super::tune(&stream)?;
    let invalid = |error| std::io::Error::new(std::io::ErrorKind::InvalidInput, error);
    let channel = match tls {
        None => Channel::Plain,
        Some((config, name)) => Channel::client(Arc::clone(config), name.clone()).map_err(invalid)?,
    };
    let mut socket = Socket::new(stream, channel).map_err(invalid)?;
    socket.flush()?;
    worker.borrow_mut().connected(link, socket);
    Ok(())
}
