//! What the engine wants done. The shell does it, in order, within the same turn.
//! Records are not effects: they are appended straight to the turn's frame, whose commit comes back as `Durable`.

use crate::event::{Origin, TxnId};
use crate::record::Compared;
use journal::Lsn;
use terms::{
    ApprovalCode, Arpc, InternalCause, IssuerIx, Kind, LinkIx, Minor, ResponseCode, Rrn, SlotKey, Tick,
};

/// What became of a request that was handed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disposition {
    /// A slab position is taken: the shell keeps the message's wire bytes under it until [`Effect::Forget`].
    Kept(TxnId),
    /// The same request is in flight: the shell replaces the kept wire bytes with this newer message.
    Joined(TxnId),
    /// Answered (or dropped) at once; nothing to keep.
    Done,
}

/// The code of a reply before the terminal's dialect renders it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Code {
    /// As the issuer gave it, or 00.
    Wire(ResponseCode),
    /// Ours; the dialect has the wire code.
    Internal(InternalCause),
}

/// What a reply says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reply {
    /// DE 39.
    pub code: Code,
    /// DE 37.
    pub rrn: Option<Rrn>,
    /// DE 38.
    pub approval_code: Option<ApprovalCode>,
    /// Tag 91 of DE 55, where the issuer's answer is not at hand any more.
    pub arpc: Option<Arpc>,
    /// DE 4 if it differs from the request's.
    pub amount: Option<Minor>,
    /// DE 60.2 of a sign-in answer.
    pub batch: Option<u32>,
    /// How the totals of a settlement compare: into its DE 48.
    pub compared: Option<[Compared; 2]>,
    /// The issuer's answer is kept under this transaction: pass its other fields on.
    pub from_issuer: bool,
    /// Approved here in the issuer's stead: said where the dialect has room for it.
    pub stand_in: bool,
}

/// Timers that the engine arms.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Timer {
    /// The issuer's deadline: armed by the link when it forwards, not by [`Effect::Arm`].
    Issuer = 0,
    /// The deadline of a reversal under way: likewise the link's.
    Reversal = 1,
    /// Time for a terminal to come back after an undelivered approval.
    Grace = 2,
    /// Next try of an owed reversal.
    Retry = 3,
    /// Next look for an original that nobody could rule out.
    Resolve = 4,
    /// An issuer's line of what is owed: `txn` has the issuer's index and generation 0.
    Line = 5,
}

/// How a transaction ended or moved, for the counters; once per OUTCOME or REFUSED, never on replays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tally {
    /// Type of transaction.
    pub kind: Kind,
    /// `None`: approved.
    pub cause: Option<InternalCause>,
    /// The issuer's code where it was the issuer who declined.
    pub code: Option<ResponseCode>,
    /// Whose it was, if routed.
    pub issuer: Option<IssuerIx>,
}

/// One thing to do.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Effect {
    /// Take a link permit and a store-and-forward slot of `issuer`, then charge `Engine::demands(txn)`; answer at once with
    /// [`crate::Event::Reserved`].
    Reserve {
        /// Which.
        txn: TxnId,
        /// Whose links.
        issuer: IssuerIx,
    },
    /// Take a STAN and DE 7 without a place in a link's window, whether a link of `issuer` is up or not, and a
    /// store-and-forward slot, then charge `Engine::demands(txn)`: nothing is sent before its turn. Answer at once with
    /// [`crate::Event::Reserved`]; before that, of a script result, with [`crate::Event::Carried`].
    Enlist {
        /// Which.
        txn: TxnId,
        /// Whose links.
        issuer: IssuerIx,
    },
    /// Take a number as for [`Effect::Enlist`], and charge `Engine::stand_in_demand(txn)`; answer at once with
    /// [`crate::Event::StoodIn`].
    StandIn {
        /// Which.
        txn: TxnId,
        /// In whose stead.
        issuer: IssuerIx,
    },
    /// Give back what stand-in's own counter was charged (`Engine::stand_in_demand(txn)`): it does not stand.
    Uncover {
        /// Which.
        txn: TxnId,
    },
    /// The INTENT is durable: send the request under its permit (`Engine::permit(txn)`).
    Forward {
        /// Which.
        txn: TxnId,
        /// When the issuer's answer is due.
        deadline: Tick,
    },
    /// Give the permit back: nothing will be sent under it. Also frees the store-and-forward slot.
    Return {
        /// Whose.
        txn: TxnId,
    },
    /// No answer is awaited any more under the permit; keep matching late ones.
    Retire {
        /// Whose.
        txn: TxnId,
    },
    /// So much is owed that held no store-and-forward slot: takes slots, whether there are any left or not.
    Occupy {
        /// Of which issuer.
        issuer: IssuerIx,
        /// How many.
        count: u32,
    },
    /// Nothing more is owed for this transaction: free its store-and-forward slot.
    Settle {
        /// Whose.
        txn: TxnId,
        /// Of which issuer.
        issuer: IssuerIx,
    },
    /// Give back `Engine::charges(txn)`. Comes exactly once per reservation.
    Release {
        /// Which.
        txn: TxnId,
    },
    /// Give back `Engine::reduce(txn)`, a share of the charges; the transaction stays counted.
    Reduce {
        /// Which.
        txn: TxnId,
    },
    /// Add `Engine::posts(txn)` unconditionally.
    Force {
        /// Which.
        txn: TxnId,
    },
    /// Add `Engine::charges(txn)` unconditionally: an advice that replaces nothing.
    Post {
        /// Which.
        txn: TxnId,
    },
    /// Give back `Engine::given_back(txn)`: what the original of an approved operation was charged.
    GiveBack {
        /// The operation.
        txn: TxnId,
    },
    /// Charge `Engine::given_back(txn)` again, unconditionally: the operation was taken back.
    Restore {
        /// The operation.
        txn: TxnId,
    },
    /// Send a reversal, or an advice, built from `Engine::transaction(txn)` (and `Engine::content(txn)`); if no link is up the engine tries again on `LinkChanged` or its
    /// timer: answer with [`crate::Event::LinkLost`] `reversal: true`, of an advice with [`crate::Event::NotSent`], if it could not
    /// be handed to a link.
    Advise {
        /// Which.
        txn: TxnId,
        /// The link that carried the request, while it lives; else any of the issuer.
        prefer: LinkIx,
        /// Whose links.
        issuer: IssuerIx,
        /// The advice (0220) that tells of it, not its reversal (0420).
        advice: bool,
        /// A repeat (0421, 0221) rather than the first.
        repeat: bool,
        /// When its acknowledgement is due.
        deadline: Tick,
    },
    /// Answer the terminal. `txn`: use the kept wire bytes and report `Delivered` or `Undelivered`; `None`: the message at hand.
    Reply {
        /// Which.
        txn: Option<TxnId>,
        /// Where to.
        origin: Origin,
        /// What.
        reply: Reply,
    },
    /// Answer the issuer's own reversal (0430).
    Answer {
        /// The link it came on.
        link: LinkIx,
        /// As [`crate::IssuerAsk::ask`].
        ask: u32,
        /// DE 39.
        code: Code,
    },
    /// Start a timer; it fires as [`crate::Event::Expired`]. Never cancelled: stale ones are ignored.
    Arm {
        /// Which.
        txn: TxnId,
        /// Which timer.
        timer: Timer,
        /// When.
        at: Tick,
    },
    /// Read the record at `lsn` and its INTENT (a TOMBSTONE has none: give the record in its place); answer at once with
    /// [`crate::Event::Fetched`].
    Fetch {
        /// The request that waits.
        txn: TxnId,
        /// Latest record of the transaction sought.
        lsn: Lsn,
    },
    /// Look an old original up in the journal's index; answer at once with [`crate::Event::Found`].
    Find {
        /// The request that waits.
        txn: TxnId,
        /// Where the original lived.
        slot: SlotKey,
        /// Only records before this position: the later ones were another's.
        before: Lsn,
    },
    /// Look the RRN of `Engine::transaction(txn).request` up among INTENTs; answer at once with [`crate::Event::Named`].
    Name {
        /// The operation that waits.
        txn: TxnId,
    },
    /// Carry the next of `Engine::letter` to another shard, as [`crate::Event::Letter`]. Letters of one shard stay in order.
    Letter {
        /// Whose.
        to: u8,
    },
    /// Count it.
    Count(Tally),
    /// Something odd for people and metrics.
    Note(Note),
    /// The slab position is free again: drop the wire bytes.
    Forget {
        /// Which.
        txn: TxnId,
    },
}

/// Oddities: each has a counter; `Alarm` ones are logged as well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Note {
    /// The same request again (replayed or joined).
    Duplicate,
    /// A terminal whose request is still in hand is heard again over another connection.
    Reconnected,
    /// The same key with other content.
    Contradiction,
    /// An answer after its deadline.
    Late(IssuerIx),
    /// An answer that matches nothing.
    Unmatched(LinkIx),
    /// The issuer contradicts its own earlier answer.
    IssuerContradiction(IssuerIx),
    /// The issuer did not answer in time.
    Timeout(IssuerIx),
    /// A reversal is owed now; the reason as in DE 39 of a 0400 where the terminal gave one.
    ReversalOwed(IssuerIx, ReversalReason),
    /// A reply could not be delivered.
    Undelivered,
    /// A terminal takes back what it has not taken back before; its reason, DE 39 of the 0400, if it gave one.
    TerminalReversal(Option<ResponseCode>),
    /// The issuer refused a reversal, or an advice, so often that it waits for people.
    Parked(IssuerIx),
    /// A record of what is owed to the issuer cannot be read; it is tried again.
    Unreadable(IssuerIx),
    /// Stand-in was asked for.
    StandIn(IssuerIx, StandIn),
}

/// What came of stand-in: the `outcome` label of `pointsman_stand_in_total`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum StandIn {
    /// Approved in the issuer's stead.
    Approved = 0,
    /// Its ceilings, or what it may never approve, forbade it.
    Forbidden = 1,
    /// The issuer refused an advice: what was approved here, or by the terminal, is a loss.
    Refused = 2,
}

/// Why a reversal is owed: the `reason` label of `pointsman_reversals_total`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum ReversalReason {
    /// The terminal asked for it.
    Terminal = 0,
    /// The issuer did not answer in time.
    Timeout = 1,
    /// The link was lost.
    LinkLost = 2,
    /// The approval could not be delivered.
    Undelivered = 3,
    /// The answer did not match, or its code was unknown.
    BadAnswer = 4,
    /// A restart found it in doubt.
    Restart = 5,
    /// The issuer approved what had been declined or reversed.
    Contradiction = 6,
    /// The issuer reversed it by itself.
    Issuer = 7,
}

/// Effects of one turn, in order; owned by the shell and reused.
pub type Effects = Vec<Effect>;
