//! What can happen to a transaction. Every event carries what it needs; nothing is looked up behind the engine's back.

use crate::recant::IssuerAsk;
use crate::record::Advised;
use crate::snapshot::{ListenerTerms, Snapshot};
use journal::Lsn;
use terms::batch::BatchSays;
use terms::{
    Answer, BusinessDay, InternalCause, LinkIx, ListenerIx, Now, Request, SlotKey, Stan, TransmissionTime,
};

/// A transaction in this shard's slab. Stale ids (another generation) are ignored by the engine, never confused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct TxnId {
    /// Slab position, below 2^28; the shell keeps its wire bytes under the same number.
    pub index: u32,
    /// Which use of that position, 24 bits.
    pub generation: u32,
}

impl TxnId {
    /// As a ticket for pending tables and timers: generation ‖ index, 52 bits; the upper 12 bits are zero.
    pub const fn ticket(self) -> u64 {
        (self.generation as u64 & 0xFF_FFFF) << 28 | self.index as u64
    }

    /// The id inside a ticket; upper 12 bits are ignored.
    pub const fn from_ticket(ticket: u64) -> Self {
        Self { index: (ticket & 0xFFF_FFFF) as u32, generation: (ticket >> 28 & 0xFF_FFFF) as u32 }
    }
}

/// Where an answer must go: a connection of the shell. Opaque to the engine but for the listener.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Origin {
    /// Connection slot of the worker that reads it.
    pub connection: u32,
    /// Which use of that slot.
    pub generation: u32,
    /// Worker that owns the connection.
    pub worker: u16,
    /// Its listener.
    pub listener: ListenerIx,
}

/// What the shell took for an admitted transaction: a place in a link's window with its STAN, and one store-and-forward slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Permit {
    /// The link that will carry it.
    pub link: LinkIx,
    /// Our STAN on that link.
    pub stan: Stan,
    /// Our DE 7 on that link.
    pub transmission: TransmissionTime,
}

/// What a response code means in the issuer's dialect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// In the approving list.
    Approves,
    /// In the declining list.
    Declines,
    /// 09, 68: the issuer does not know yet, or was too slow. Owes a reversal, the hold is kept.
    InDoubt,
    /// In neither list: a decline that also owes a reversal.
    Neither,
}

/// Everything the engine may look at besides its own state.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Both clocks, read once per turn.
    pub now: Now,
    /// The configuration this turn runs under.
    pub snapshot: &'a Snapshot,
    /// Current business day per calendar.
    pub days: &'a [BusinessDay],
}

/// Records fetched for [`crate::Effect::Fetch`]: the latest record of a transaction and its INTENT, as payload bytes.
#[derive(Clone, Copy, Debug)]
pub struct Fetched<'a> {
    /// Kind of the record the index pointed to.
    pub kind: journal::Kind,
    /// Its payload.
    pub payload: &'a [u8],
    /// The INTENT's own position and payload (the same record where `kind` is INTENT).
    pub intent_lsn: Lsn,
    /// INTENT payload.
    pub intent: &'a [u8],
    /// The INTENT's sealed part, opened.
    pub secret: &'a [u8],
}

/// One thing that happened.
#[derive(Clone, Copy)]
pub enum Event<'a> {
    /// A request came in. Answered by [`crate::Disposition`] and effects.
    Request {
        /// Canonical form, token filled in.
        request: &'a Request,
        /// Where the answer goes.
        origin: Origin,
        /// Rules of the listener it came through.
        listener: &'a ListenerTerms,
    },
    /// A settlement or an upload (0500, 0320) came in.
    Batch {
        /// Canonical form.
        request: &'a Request,
        /// What its DE 48 says.
        says: &'a BatchSays,
        /// Where the answer goes.
        origin: Origin,
        /// Rules of the listener it came through.
        listener: &'a ListenerTerms,
    },
    /// A message came in that is wrong, but for who sent it: recorded and counted; the shell answers it.
    Malformed {
        /// What can be believed of it: MTI, STAN, terminal and the listener's acquirer.
        request: &'a Request,
    },
    /// The shell's answer to [`crate::Effect::Reserve`].
    Reserved {
        /// Which.
        txn: TxnId,
        /// A permit with all ceilings charged, or why not (then nothing is held).
        result: Result<Permit, InternalCause>,
    },
    /// A record written for this token is durable at `lsn`.
    Durable {
        /// As given to [`journal::Frame::append`].
        token: u64,
        /// Its position.
        lsn: Lsn,
    },
    /// A record written for this token was not written: the disk is full. Nothing was sent.
    NotWritten {
        /// As given to [`journal::Frame::append`].
        token: u64,
    },
    /// The request, or an advice, was never handed to a link: it died before its first byte.
    NotSent {
        /// Which.
        txn: TxnId,
    },
    /// The issuer answered the request (class 1, 2) of this transaction, in time or late.
    Answer {
        /// Which.
        txn: TxnId,
        /// What it said.
        answer: &'a Answer,
        /// What its code means.
        verdict: Verdict,
    },
    /// Before the answer to [`crate::Effect::Enlist`] of a notice of script results: what it carries for its issuer.
    Carried {
        /// Which.
        txn: TxnId,
        /// At most [`crate::CONTENT_MAX`] bytes, none of them a card's secret.
        content: &'a [u8],
    },
    /// The shell's answer to [`crate::Effect::StandIn`].
    StoodIn {
        /// Which.
        txn: TxnId,
        /// The number of the advice, with the ceilings of stand-in charged; or why not (then nothing is held).
        result: Result<Advised, InternalCause>,
    },
    /// The issuer answered our advice (0130, 0230, 0630).
    AdviceAnswer {
        /// Which.
        txn: TxnId,
        /// What it said.
        answer: &'a Answer,
        /// What its code means.
        verdict: Verdict,
    },
    /// The issuer answered our reversal (0430, 0410).
    ReversalAnswer {
        /// Which.
        txn: TxnId,
        /// What it said.
        answer: &'a Answer,
    },
    /// The issuer reverses by itself (its own 0420 or 0421). Answered by [`crate::Effect::Answer`], perhaps later.
    IssuerReversal {
        /// Where the answer goes.
        asked: IssuerAsk,
        /// What it says; DE 37 names the original.
        reversal: &'a Request,
        /// Where such an original can live.
        slots: &'a [SlotKey],
    },
    /// An answer that no pending entry of the link matches.
    Unmatched {
        /// The link it came on.
        link: LinkIx,
        /// What it said.
        answer: &'a Answer,
        /// What its code means.
        verdict: Verdict,
        /// Why it matches nothing.
        reason: crate::record::UnmatchedReason,
    },
    /// A timer armed by [`crate::Effect::Arm`] or the link's own deadline fired.
    Expired {
        /// Which.
        txn: TxnId,
        /// Which timer.
        timer: crate::Timer,
    },
    /// The link that carried it was lost after its first byte was handed over.
    LinkLost {
        /// Which.
        txn: TxnId,
        /// True if it was the reversal that was under way, not the request.
        reversal: bool,
    },
    /// The reply's first byte was taken by the kernel, or nobody can say that it was not.
    Delivered {
        /// Which.
        txn: TxnId,
    },
    /// The connection died before the kernel took the reply's first byte.
    Undelivered {
        /// Which.
        txn: TxnId,
    },
    /// Records asked for by [`crate::Effect::Fetch`]; `None` if they are gone past retention.
    Fetched {
        /// The request that waits for them.
        txn: TxnId,
        /// What was read.
        records: Option<Fetched<'a>>,
    },
    /// Answer to [`crate::Effect::Find`]: `Ok(lsn)` of an older original's latest record, `Err(true)` if it definitely does
    /// not exist, `Err(false)` if nobody can say yet.
    Found {
        /// The request that waits for it.
        txn: TxnId,
        /// What the journal's index says.
        result: Result<Lsn, bool>,
    },
    /// Answer to [`crate::Effect::Name`]: the INTENT that has this RRN; `Err(true)` if none has, `Err(false)` if nobody can say.
    Named {
        /// The operation that waits for it.
        txn: TxnId,
        /// What the journal says.
        result: Result<&'a crate::record::Intent, bool>,
    },
    /// Another shard's word about an original.
    Letter {
        /// Of whom is in it.
        letter: &'a crate::Letter,
    },
    /// A link came up (signed on) or went down.
    LinkChanged {
        /// Which.
        link: LinkIx,
        /// Up and signed on.
        up: bool,
    },
    /// The switch has begun to shut down: refuse new requests, keep taking reversals and answers.
    Drain,
    /// The drain's time is up: what is in flight is in doubt now.
    DrainOver,
}
