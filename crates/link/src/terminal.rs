//! One connection of a terminal or acquirer: frames in order, deadlines, keep-alives, a cap on what is unanswered, and
//! which replies the kernel has begun to take.
//! Never decides about money, never writes a reply of its own but keep-alives. Guards: a silent, slow, flooding or broken
//! peer costs a bounded time and a bounded memory.

use crate::delivery::Delivery;
use crate::inbox::{Flow, Found, Inbox};
use crate::violation::{Unframed, Violation};
use bytes::BytesMut;
use framing::{Envelope, FrameClock, FrameLimits, Framing, Overdue};
use iso8583::{CanonDefaults, DecodeError, Dialect, Index, Trusted, decode, request, trusted};
use std::sync::Arc;
use terms::{Request, Tick};

/// What a listener holds its connections to.
#[derive(Clone, Debug)]
pub struct TerminalConfig {
    /// What its peers speak.
    pub dialect: Arc<Dialect>,
    /// How their frames look, bound included.
    pub framing: Framing,
    /// What their messages may leave out.
    pub defaults: CanonDefaults,
    /// Patience with handshake, frames, silence and output, and how much output may wait.
    pub limits: FrameLimits,
    /// Requests that may be unanswered; beyond it nothing more is read, so that TCP holds the peer back.
    pub in_flight_max: u32,
    /// Bad messages that were answered before the connection goes.
    pub bad_max: u32,
}

/// A request that was read.
#[derive(Debug)]
pub struct Decoded<'a> {
    /// TPDU and header as they came: the reply goes under [`Envelope::reply`] of it.
    pub envelope: Envelope,
    /// The message.
    pub body: &'a [u8],
    /// Where its fields are.
    pub index: &'a Index,
    /// Canonical form; the token is for the holder of the key to fill in.
    pub request: Request,
}

/// A bad message of which enough can be trusted to answer it with the dialect's format error.
#[derive(Debug)]
pub struct Refused<'a> {
    /// TPDU and header as they came.
    pub envelope: Envelope,
    /// The message.
    pub body: &'a [u8],
    /// What can be trusted of it.
    pub trusted: Trusted,
    /// What is wrong with it.
    pub error: DecodeError,
}

/// Who takes what a terminal sends. Each call is due one [`TerminalSession::reply`] or [`TerminalSession::forgo`].
pub trait TerminalSink {
    /// A request.
    fn request(&mut self, message: Decoded<'_>);
    /// A bad message to answer.
    fn refused(&mut self, message: Refused<'_>);
}

/// One connection. Holds no buffer while its peer is quiet.
pub struct TerminalSession {
    config: Arc<TerminalConfig>,
    clock: FrameClock,
    inbox: Inbox,
    output: BytesMut,
    /// Bytes the shell holds that the kernel has not taken.
    backlog: usize,
    in_flight: u32,
    bad: u32,
    delivery: Delivery,
}

impl TerminalSession {
    /// A connection accepted at `now`; its handshake is due first.
    pub fn new(config: Arc<TerminalConfig>, now: Tick) -> Self {
        let clock = FrameClock::new(config.limits, now.0);
        Self {
            config,
            clock,
            inbox: Inbox::default(),
            output: BytesMut::new(),
            backlog: 0,
            in_flight: 0,
            bad: 0,
            delivery: Delivery::new(),
        }
    }

    /// The handshake is done; call it at once where there is none.
    pub fn on_established(&mut self, now: Tick) {
        self.clock.on_established(now.0);
    }

    /// Takes every whole frame. While [`TerminalSession::wants_input`] is false, frames are kept instead: call again,
    /// with no bytes, when it is true. `index` is scratch: two kilobytes that sessions share, not own.
    ///
    /// # Errors
    /// The peer broke the protocol; drop the connection. What was handed to `sink` before stays handed.
    pub fn on_bytes(
        &mut self,
        input: &[u8],
        now: Tick,
        index: &mut Index,
        sink: &mut impl TerminalSink,
    ) -> Result<(), Violation> {
        let flow = self.flow();
        let Self { config, inbox, output, backlog, in_flight, bad, .. } = self;
        let room = |output: &BytesMut| output.len() + *backlog < config.limits.output_full;
        let summary = inbox.feed(&config.framing, input, flow, |found| {
            match found {
                Found::KeepAlive if room(output) => config.framing.keepalive(output),
                Found::KeepAlive => {}
                Found::Message { envelope, body } => {
                    *in_flight += 1;
                    take(config, envelope, body, index, bad, sink)?;
                }
            }
            Ok::<_, Violation>(if *in_flight < config.in_flight_max && room(output) {
                Flow::Go
            } else {
                Flow::Stop
            })
        })?;
        self.clock.on_read(now.0, summary.completed, summary.partial);
        Ok(())
    }

    /// Whether more may be read: not while too much is unanswered or the peer leaves its answers unread.
    pub fn wants_input(&self) -> bool {
        self.flow() == Flow::Go
    }

    /// Adds a reply to the output. `envelope` is the reply's own.
    ///
    /// # Errors
    /// What `body` said, or that the frame would be too long; nothing is added then, and the request still counts as
    /// unanswered.
    pub fn reply<E>(
        &mut self,
        envelope: &Envelope,
        body: impl FnOnce(&mut BytesMut) -> Result<(), E>,
    ) -> Result<(), Unframed<E>> {
        let framing = self.config.framing;
        framing.try_write(&mut self.output, envelope, |out| body(out).map_err(Unframed::Body))?;
        self.forgo();
        Ok(())
    }

    /// A request gets no answer on this connection: it was reversed, or answered on a newer one.
    pub fn forgo(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Plain bytes to seal and write; the caller takes them away.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.output
    }

    /// So many bytes wait outside of [`TerminalSession::output`] for the kernel.
    pub fn on_output(&mut self, backlog: usize, now: Tick) {
        self.backlog = backlog;
        self.clock.on_output(now.0, backlog + self.output.len());
    }

    /// The reply of `ticket` begins with byte `at_byte` of all this connection writes.
    pub fn queued(&mut self, ticket: u64, at_byte: u64) {
        self.delivery.queued(ticket, at_byte);
    }

    /// The kernel has taken `total` bytes so far: adds the tickets that count as delivered.
    pub fn taken(&mut self, total: u64, out: &mut Vec<u64>) {
        self.delivery.taken(total, out);
    }

    /// The connection died: adds the tickets whose reply's first byte the kernel never took.
    pub fn died(&mut self, out: &mut Vec<u64>) {
        self.delivery.died(out);
    }

    /// Looks at the deadlines.
    ///
    /// # Errors
    /// One has passed; drop the connection.
    pub fn on_time(&self, now: Tick) -> Result<(), Violation> {
        self.overdue(now).map_or(Ok(()), |overdue| Err(Violation::Overdue(overdue)))
    }

    /// When [`TerminalSession::on_time`] is due; [`Tick`] of `u64::MAX` while nothing is.
    pub fn next_timeout(&self) -> Tick {
        let next = Tick(self.clock.next_deadline());
        self.overdue(next).map_or(Tick(u64::MAX), |_| next)
    }

    /// The peer owes the rest of a frame: a connection that ends now was cut.
    pub const fn inside_frame(&self) -> bool {
        self.inbox.inside_frame()
    }

    /// Requests unanswered.
    pub const fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Bad messages so far.
    pub const fn bad(&self) -> u32 {
        self.bad
    }

    /// A peer that waits for its answers is quiet, not idle.
    fn overdue(&self, now: Tick) -> Option<Overdue> {
        let waits = self.in_flight > 0;
        self.clock.expired(now.0).filter(|overdue| *overdue != Overdue::Idle || !waits)
    }

    fn flow(&self) -> Flow {
        let room = self.output.len() + self.backlog < self.config.limits.output_full;
        if self.in_flight < self.config.in_flight_max && room { Flow::Go } else { Flow::Stop }
    }
}

fn take(
    config: &TerminalConfig,
    envelope: Envelope,
    body: &[u8],
    index: &mut Index,
    bad: &mut u32,
    sink: &mut impl TerminalSink,
) -> Result<(), Violation> {
    let dialect = &*config.dialect;
    let read = decode(dialect, body, index).and_then(|()| request(dialect, &config.defaults, body, index));
    match read {
        Ok(request) if request.mti.is_request() => {
            sink.request(Decoded { envelope, body, index, request });
            Ok(())
        }
        Ok(request) => Err(Violation::NotARequest { found: request.mti }),
        Err(error) => refuse(config, envelope, body, error, bad, sink),
    }
}

fn refuse(
    config: &TerminalConfig,
    envelope: Envelope,
    body: &[u8],
    error: DecodeError,
    bad: &mut u32,
    sink: &mut impl TerminalSink,
) -> Result<(), Violation> {
    let Some(trusted) = trusted(&config.dialect, body) else { return Err(Violation::Unreadable(error)) };
    if *bad >= config.bad_max {
        return Err(Violation::TooManyBad { most: config.bad_max, last: error });
    }
    *bad += 1;
    sink.refused(Refused { envelope, body, trusted, error });
    Ok(())
}
