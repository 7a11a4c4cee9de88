//! What an issuer link is held to.

use super::network::{self, Ask};
use bytes::BytesMut;
use framing::{Envelope, FrameLimits, Framing};
use iso8583::{Dialect, EncodeError};
use std::sync::Arc;
use terms::{Stan, Text, TransmissionTime};

/// Fields that an answer must carry to be anybody's, beside MTI and DE 11.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LinkKey {
    /// DE 7.
    pub transmission: bool,
    /// DE 41.
    pub terminal: bool,
}

/// One link to an issuer.
#[derive(Clone, Debug)]
pub struct IssuerLinkConfig {
    /// What the issuer speaks.
    pub dialect: Arc<Dialect>,
    /// How its frames look, bound included.
    pub framing: Framing,
    /// TPDU and header of our requests, where the framing has them.
    pub envelope: Envelope,
    /// What its answers must carry.
    pub link_key: LinkKey,
    /// Traffic only after an approved sign-on.
    pub sign_on: bool,
    /// A sign-on or sign-off is answered within this.
    pub sign_on_timeout_ms: u64,
    /// Silence after which an echo is asked for; 0: never.
    pub echo_every_ms: u64,
    /// Something must be heard within this once an echo was asked for.
    pub echo_timeout_ms: u64,
    /// After a connection that carried traffic was lost: so many echoes answered before traffic flows on the next.
    pub steady_echoes: u32,
    /// First wait before the link is connected again.
    pub backoff_first_ms: u64,
    /// Longest such wait. A link that was up for this long starts again from the first.
    pub backoff_max_ms: u64,
    /// Bytes that may wait for the issuer; beyond it requests are refused.
    pub output_max: usize,
    /// Unreadable messages in a row before the connection goes.
    pub bad_max: u32,
    /// Patience with handshake, frames and a full output; the echo takes the place of the idle limit.
    pub limits: FrameLimits,
    /// DE 32 of our network management; empty: not sent. So are the following.
    pub acquirer: Text<11>,
    /// DE 33.
    pub forwarder: Text<11>,
    /// DE 41.
    pub terminal: Text<16>,
    /// DE 42.
    pub merchant: Text<15>,
}

impl LinkKey {
    /// As the dialect's own link key has it: with DE 7 and DE 41 where they are part of it.
    pub fn of(dialect: &Dialect) -> Self {
        Self { transmission: dialect.links_by_transmission_time(), terminal: dialect.links_by_terminal() }
    }
}

impl IssuerLinkConfig {
    /// Sign-on within 5 s, an echo after a minute of silence due within 5 s, two after a flap, back-off from 0.5 s to 30 s,
    /// 1 MiB of output.
    pub fn new(dialect: Arc<Dialect>, framing: Framing) -> Self {
        Self {
            link_key: LinkKey::of(&dialect),
            dialect,
            framing,
            envelope: Envelope::request([0, 0], [0, 0]),
            sign_on: true,
            sign_on_timeout_ms: 5_000,
            echo_every_ms: 60_000,
            echo_timeout_ms: 5_000,
            steady_echoes: 2,
            backoff_first_ms: 500,
            backoff_max_ms: 30_000,
            output_max: 1 << 20,
            bad_max: 64,
            limits: FrameLimits::default(),
            acquirer: Text::EMPTY,
            forwarder: Text::EMPTY,
            terminal: Text::EMPTY,
            merchant: Text::EMPTY,
        }
    }

    /// Whether our network management can be written in this dialect under this configuration.
    ///
    /// # Errors
    /// The field that cannot.
    pub fn check(&self) -> Result<(), EncodeError> {
        let mut scratch = BytesMut::new();
        let mut asks = [Ask::SignOn, Ask::SignOff, Ask::Echo].into_iter();
        let now = TransmissionTime(101_000_000);
        asks.try_for_each(|ask| network::ask(self, ask, Stan::MIN, now, &mut scratch))
    }

    /// The frame clock's patience: no idle limit, and the output is full where requests are refused.
    pub(super) fn frame_limits(&self) -> FrameLimits {
        FrameLimits { idle_us: u64::MAX, output_full: self.output_max, ..self.limits }
    }
}
