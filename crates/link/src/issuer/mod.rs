//! One connection to an issuer: sign-on before traffic, echo, deadlines, reconnect with jittered back-off, sign-off.
//! Never decides about money, never reads a clock, never matches an answer (the desk of its STAN's worker does).
//! Guards: no request goes out before the sign-on was approved, and a link that fell silent is found out.

mod config;
mod network;
mod reading;

pub use config::{IssuerLinkConfig, LinkKey};

use crate::backoff::Backoff;
use crate::inbox::{Flow, Inbox};
use crate::reason::Reason;
use crate::violation::{Unframed, Violation};
use bytes::BytesMut;
use framing::{Envelope, FrameClock};
use iso8583::{DecodeError, Index};
use network::Ask;
use std::sync::Arc;
use terms::{Answer, Now, Request, Stan, Tick};

/// Who takes what an issuer sends.
pub trait IssuerSink {
    /// An answer with its whole link key: for the desk of `link::worker_of(answer.stan, ..)`.
    fn answer(&mut self, answer: &Answer, raw: &[u8], index: &Index);
    /// An answer that lacks a part of the link key; `None` where not even DE 11 is there.
    fn unmatched(&mut self, reason: Reason, answer: Option<&Answer>, raw: &[u8], index: &Index);
    /// The issuer's own request (its 0420, its cutover); the rest of network management is answered here.
    fn request(&mut self, request: &Request, envelope: Envelope, raw: &[u8], index: &Index);
    /// A frame that holds no message of the dialect; it was dropped.
    fn unreadable(&mut self, error: &DecodeError);
    /// The probe that was asked for ([`IssuerSession::probe`]) was answered, and well.
    fn echoed(&mut self);
    /// Traffic may flow.
    fn up(&mut self);
    /// The issuer signed off: no new traffic; what is in flight is still answered, and the connection lives.
    fn down(&mut self);
}

/// One connection, and the wait for the next.
pub struct IssuerSession {
    config: Arc<IssuerLinkConfig>,
    state: State,
    clock: FrameClock,
    inbox: Inbox,
    output: BytesMut,
    /// Bytes the shell holds that the kernel has not taken.
    backlog: usize,
    /// When the last whole frame came, or the connection was made.
    heard: Tick,
    /// The echo that was asked for: due then.
    echo_due: Option<Tick>,
    /// Of our network management.
    stan: Stan,
    /// STAN of the sign-on, sign-off or proving echo under way.
    asked: Option<Stan>,
    /// STAN of the probe under way.
    probing: Option<Stan>,
    /// A connection that carried traffic was lost: the next one has to prove itself.
    shaken: bool,
    up_since: Option<Tick>,
    bad_in_a_row: u32,
    backoff: Backoff,
}

/// Where a link stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// No connection; the next try is due then.
    Waiting(Tick),
    /// Connecting, handshake included; [`FrameClock`] holds the deadline.
    Connecting,
    /// Our sign-on is due to be answered then.
    SigningOn(Tick),
    /// It flapped: so many echoes more must be answered, the one under way by then.
    Proving {
        /// When the link is given up.
        due: Tick,
        /// Echoes to come, the one under way included.
        left: u32,
    },
    /// Traffic flows.
    Up,
    /// The issuer signed off; our next sign-on goes out then.
    Resting(Tick),
    /// Our sign-off is due to be answered then.
    SigningOff(Tick),
    /// Signed off: the connection may be closed.
    Done,
}

impl IssuerSession {
    /// A link that has not been connected yet and may be at once. `seed`: another for every link.
    pub fn new(config: Arc<IssuerLinkConfig>, seed: u64) -> Self {
        Self {
            clock: FrameClock::new(config.frame_limits(), 0),
            backoff: Backoff::new(config.backoff_first_ms, config.backoff_max_ms, seed),
            state: State::Waiting(Tick(0)),
            inbox: Inbox::default(),
            output: BytesMut::new(),
            backlog: 0,
            heard: Tick(0),
            echo_due: None,
            stan: Stan::MIN,
            asked: None,
            probing: None,
            shaken: false,
            up_since: None,
            bad_in_a_row: 0,
            config,
        }
    }

    /// The connection is being made: connect and handshake are due within the handshake's patience.
    pub fn on_connecting(&mut self, now: &Now) {
        self.forget_connection();
        self.clock = FrameClock::new(self.config.frame_limits(), now.tick.0);
        self.state = State::Connecting;
    }

    /// Connected, handshake included: signs on, or is up at once where no sign-on is asked for.
    pub fn on_connected(&mut self, now: &Now, sink: &mut impl IssuerSink) {
        self.clock.on_established(now.tick.0);
        self.heard = now.tick;
        self.begin(now, sink);
    }

    /// Takes every whole frame of what was kept and `input`. `index` is scratch that sessions share.
    ///
    /// # Errors
    /// The issuer broke the protocol or refused our sign-on; drop the connection.
    pub fn on_bytes(
        &mut self,
        input: &[u8],
        now: &Now,
        index: &mut Index,
        sink: &mut impl IssuerSink,
    ) -> Result<(), Violation> {
        let mut inbox = std::mem::take(&mut self.inbox);
        let framing = self.config.framing;
        let summary = inbox.feed(&framing, input, Flow::Go, |found| {
            self.heard = now.tick;
            self.echo_due = None;
            self.take(found, index, now, sink).map(|()| Flow::Go)
        })?;
        self.inbox = inbox;
        self.clock.on_read(now.tick.0, summary.completed, summary.partial);
        Ok(())
    }

    /// The connection is gone or was given up. Returns when to connect again. What was in flight is for the desks to
    /// lose.
    pub fn on_disconnected(&mut self, now: &Now) -> Tick {
        let held = self.up_since.is_some_and(|since| now.tick >= since.plus_ms(self.config.backoff_max_ms));
        if held {
            self.backoff.reset();
        }
        self.shaken |= self.up_since.is_some();
        self.forget_connection();
        let again = now.tick.plus_ms(self.backoff.next_ms());
        self.state = State::Waiting(again);
        again
    }

    /// Looks at the deadlines and asks for an echo or a sign-on that is due.
    ///
    /// # Errors
    /// The issuer is dead, as far as we can tell; drop the connection.
    pub fn on_time(&mut self, now: &Now, sink: &mut impl IssuerSink) -> Result<(), Violation> {
        if matches!(self.state, State::Waiting(_) | State::Done) {
            return Ok(());
        }
        if let Some(overdue) = self.clock.expired(now.tick.0) {
            return Err(Violation::Overdue(overdue));
        }
        match self.state {
            State::SigningOn(due) if due <= now.tick => return Err(Violation::SignOnUnanswered),
            State::Proving { due, .. } if due <= now.tick => return Err(Violation::EchoUnanswered),
            State::SigningOff(due) if due <= now.tick => self.state = State::Done,
            State::Resting(due) if due <= now.tick => self.begin(now, sink),
            State::Up => return self.watch(now),
            _ => {}
        }
        Ok(())
    }

    /// When [`IssuerSession::on_time`] is due, or the next connection; `None`: only bytes can change anything.
    pub fn next_timeout(&self) -> Option<Tick> {
        let own = match self.state {
            State::Waiting(at) => return Some(at),
            State::Done => return None,
            State::SigningOn(due) | State::Resting(due) | State::SigningOff(due) => due,
            State::Proving { due, .. } => due,
            State::Up => self.next_watch(),
            State::Connecting => NEVER,
        };
        Some(own.min(Tick(self.clock.next_deadline()))).filter(|at| *at != NEVER)
    }

    /// When the next connection may be made, while there is none.
    pub const fn reconnect_at(&self) -> Option<Tick> {
        if let State::Waiting(at) = self.state { Some(at) } else { None }
    }

    /// Signs off, if there is anything to sign off from; nothing new goes out from here on.
    pub fn sign_off(&mut self, now: &Now) {
        match self.state {
            State::Up if self.config.sign_on => {
                let due = now.tick.plus_ms(self.config.sign_on_timeout_ms);
                self.asked = Some(self.ask(Ask::SignOff, now));
                self.state = State::SigningOff(due);
            }
            State::SigningOff(_) => {}
            _ => self.state = State::Done,
        }
    }

    /// Nothing more is to be waited for: the connection may be closed once its output is written.
    pub const fn is_signed_off(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Whether traffic may flow.
    pub const fn is_up(&self) -> bool {
        matches!(self.state, State::Up)
    }

    /// Asks for an echo out of turn, to learn whether the issuer is there; a good answer is told as
    /// [`IssuerSink::echoed`]. Without any sign of life the link goes, as with every echo. Nothing happens while it is not up.
    pub fn probe(&mut self, now: &Now) {
        if self.is_up() {
            self.probing = Some(self.ask(Ask::Echo, now));
            self.echo_due.get_or_insert(now.tick.plus_ms(self.config.echo_timeout_ms));
        }
    }

    /// Adds a message to the output, under our envelope.
    ///
    /// # Errors
    /// The link is not up, its output is full, `body` failed or the frame would be too long; nothing is added then.
    pub fn frame<E>(&mut self, body: impl FnOnce(&mut BytesMut) -> Result<(), E>) -> Result<(), Unframed<E>> {
        if !self.is_up() {
            return Err(Unframed::Down);
        }
        let envelope = self.config.envelope;
        self.put(&envelope, body)
    }

    /// As [`IssuerSession::frame`], an answer to the issuer's own request: `envelope` is the reply's own.
    ///
    /// # Errors
    /// As [`IssuerSession::frame`], but for the link not being up.
    pub fn reply<E>(
        &mut self,
        envelope: &Envelope,
        body: impl FnOnce(&mut BytesMut) -> Result<(), E>,
    ) -> Result<(), Unframed<E>> {
        self.put(envelope, body)
    }

    /// Plain bytes to seal and write; the caller takes them away.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// So many bytes wait outside of [`IssuerSession::output`] for the kernel.
    pub fn on_output(&mut self, backlog: usize, now: &Now) {
        self.backlog = backlog;
        self.clock.on_output(now.tick.0, backlog + self.output.len());
    }

    fn put<E>(
        &mut self,
        envelope: &Envelope,
        body: impl FnOnce(&mut BytesMut) -> Result<(), E>,
    ) -> Result<(), Unframed<E>> {
        if self.output.len() + self.backlog >= self.config.output_max {
            return Err(Unframed::Full);
        }
        let framing = self.config.framing;
        framing.try_write(&mut self.output, envelope, |out| body(out).map_err(Unframed::Body))
    }

    /// Signs on, or goes on where no sign-on is asked for.
    fn begin(&mut self, now: &Now, sink: &mut impl IssuerSink) {
        if self.config.sign_on {
            self.asked = Some(self.ask(Ask::SignOn, now));
            self.state = State::SigningOn(now.tick.plus_ms(self.config.sign_on_timeout_ms));
        } else {
            self.signed_on(now, sink);
        }
    }

    /// Goes up, unless the connection before was lost: then several echoes must be answered first.
    fn signed_on(&mut self, now: &Now, sink: &mut impl IssuerSink) {
        match self.config.steady_echoes {
            echoes if self.shaken && echoes > 0 => self.prove(echoes, now),
            _ => self.go_up(now, sink),
        }
    }

    fn prove(&mut self, left: u32, now: &Now) {
        self.asked = Some(self.ask(Ask::Echo, now));
        self.state = State::Proving { due: now.tick.plus_ms(self.config.echo_timeout_ms), left };
    }

    fn go_up(&mut self, now: &Now, sink: &mut impl IssuerSink) {
        (self.state, self.shaken) = (State::Up, false);
        self.up_since = self.up_since.or(Some(now.tick));
        sink.up();
    }

    /// Puts one of our network messages into the output and returns its STAN. It goes out even when the output is full:
    /// there are never more than a few.
    fn ask(&mut self, ask: Ask, now: &Now) -> Stan {
        let (config, stan) = (Arc::clone(&self.config), self.stan);
        self.stan = stan.next();
        let written = config.framing.try_write(&mut self.output, &config.envelope, |out| {
            network::ask(&config, ask, stan, now.transmission, out).map_err(Unframed::Body)
        });
        debug_assert!(
            written.is_ok(),
            "network management cannot be written in {:?}: {written:?}",
            config.dialect
        );
        stan
    }

    /// Silence: ask once, then give the issuer up.
    fn watch(&mut self, now: &Now) -> Result<(), Violation> {
        match self.echo_due {
            Some(due) if due <= now.tick => Err(Violation::EchoUnanswered),
            None if self.config.echo_every_ms > 0 && self.next_watch() <= now.tick => {
                self.ask(Ask::Echo, now);
                self.echo_due = Some(now.tick.plus_ms(self.config.echo_timeout_ms));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn next_watch(&self) -> Tick {
        let silence = self.config.echo_every_ms;
        let quiet_until = if silence == 0 { NEVER } else { self.heard.plus_ms(silence) };
        self.echo_due.unwrap_or(quiet_until)
    }

    fn forget_connection(&mut self) {
        self.inbox.clear();
        self.output.clear();
        (self.backlog, self.bad_in_a_row) = (0, 0);
        (self.echo_due, self.asked, self.probing, self.up_since) = (None, None, None, None);
    }
}

const NEVER: Tick = Tick(u64::MAX);
