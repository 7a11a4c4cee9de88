//! The state table of the design, as data: what each state makes of each stimulus.
//!
//! Never executes anything; guards: every cell is filled, and `tests/table.rs` drives a real engine through each of them.
//! Which of a transaction's two lives it is in (in the slab, or only in index and journal) changes how a step is carried
//! out, never which step it is.

use crate::State;

/// What can happen to a transaction, with everything decided that decides the cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Stimulus {
    /// The same request again.
    Same,
    /// The same key with other content.
    Other,
    /// A reversal of the whole.
    Reversal,
    /// A reversal of a part (DE 95).
    Partial,
    /// A reversal of the whole that names another amount than the original's.
    Misstated,
    /// The issuer approves and the answer matches what was asked.
    Approves,
    /// The issuer approves something else than was asked.
    Mismatches,
    /// The issuer declines.
    Declines,
    /// The issuer's code is in neither list, or says "in doubt" (09, 68).
    Doubtful,
    /// The deadline passed or the link was lost after the first byte.
    Silence,
    /// The link was lost before the first byte.
    NotSent,
    /// The approval could not be delivered and its grace is over.
    Undelivered,
    /// The issuer takes the reversal: 00, 94, or 25 and 12 while no approval was seen.
    Acknowledged,
    /// The reversal was answered otherwise, timed out, or found no link.
    Unacknowledged,
    /// A restart finds it so.
    Restart,
}

impl Stimulus {
    /// Every stimulus, in the order of the table's columns.
    pub const ALL: [Self; 15] = [
        Self::Same,
        Self::Other,
        Self::Reversal,
        Self::Partial,
        Self::Misstated,
        Self::Approves,
        Self::Mismatches,
        Self::Declines,
        Self::Doubtful,
        Self::Silence,
        Self::NotSent,
        Self::Undelivered,
        Self::Acknowledged,
        Self::Unacknowledged,
        Self::Restart,
    ];
}

/// What is done about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Cannot happen to a transaction in this state, or says nothing new: nothing is done.
    Nothing,
    /// Belongs to a state that no transaction can reach yet.
    NotYet,
    /// A new transaction: route, reserve, INTENT.
    Admit,
    /// Shares the one in flight: one answer, to the newest connection.
    Join,
    /// What was answered is answered again; ends a grace.
    Replay,
    /// The code that was first told, else 94; never an approval.
    ToldFirst,
    /// 94: it was reversed before it arrived.
    RefuseReversed,
    /// 94: same key, other content. Nothing changes.
    Contradict,
    /// Look further for the original: TOMBSTONE after a definitive miss, else OBLIGATION(resolve).
    Seek,
    /// Reversed in flight: the waiting request gets no answer, the reversal goes behind it.
    Cancel,
    /// Reversed after the approval.
    Reverse,
    /// 0410 00, no traffic: nothing is owed that is not owed already.
    Confirm,
    /// 13: a part cannot be reversed here.
    RefusePartial,
    /// Approved.
    Approve,
    /// Declined by the issuer.
    Decline,
    /// Declined to the terminal, reversal owed to the issuer, the hold is kept. Types that owe nothing are declined.
    Doubt,
    /// Declined because nothing was sent.
    DeclineUnsent,
    /// An answer that belongs to nothing.
    Unmatched,
    /// Recorded; an approval is remembered, so that "no such original" stops being final.
    Late,
    /// Recorded and alarmed: an open item.
    Alarm,
    /// Alarmed, and a reversal is owed (again); no second release.
    Contradiction,
    /// The approval never reached the terminal: reversal owed.
    TakeBack,
    /// The reversal is acknowledged: release.
    Acknowledge,
    /// The reversal goes out again after a back-off.
    Retry,
}

/// The step for a transaction in `state` (`None`: there is none, nowhere).
pub const fn step(state: Option<State>, stimulus: Stimulus) -> Step {
    let row = match state {
        None => 0,
        Some(state) => state.number() as usize,
    };
    TABLE[row][stimulus as usize]
}

const STIMULI: usize = Stimulus::ALL.len();

/// Rows in the order of the states' numbers, after "none"; columns in the order of [`Stimulus::ALL`].
#[rustfmt::skip]
const TABLE: [[Step; STIMULI]; State::ALL.len() + 1] = {
    use Step::{
        Acknowledge as Acked, Admit, Alarm, Approve, Cancel, Confirm, Contradict as Same94, Contradiction as Again,
        Decline, DeclineUnsent as Unsent, Doubt, Join, Late, Nothing as No, RefusePartial as No13, RefuseReversed as No94, Replay,
        Retry, Reverse, Seek, TakeBack, ToldFirst as Told, Unmatched as Lone, NotYet as Next,
    };
    [
    //            Same   Other   Rever.   Partial Misst.  Approves Mismat. Declin. Doubtf. Silence NotSent Undel.    Acked  Unackn. Restart
    /* none */   [Admit, Admit,  Seek,    No13,   Seek,   Lone,    Lone,   Lone,   Lone,   No,     No,     No,       No,    No,     No],
    /* INTENT */ [Join,  Same94, Cancel,  Cancel, No13,   Approve, Doubt,  Decline,Doubt,  Doubt,  Unsent, No,       No,    No,     Doubt],
    /* APPROV. */[Replay,Same94, Reverse, No13,   No13,   No,      Alarm,  Alarm,  Alarm,  No,     No,     TakeBack, No,    No,     No],
    /* DECLIN. */[Replay,Same94, Confirm, No13,   Confirm,Again,   Again,  No,     No,     No,     No,     No,       No,    No,     No],
    /* REVG. */  [Told,  Same94, Confirm, No13,   Confirm,Late,    Late,   Late,   Late,   No,     No,     No,       Acked, Retry,  Retry],
    /* REVD. */  [Told,  Same94, Confirm, No13,   Confirm,Again,   Again,  No,     No,     No,     No,     No,       No,    No,     No],
    /* TOMB. */  [No94,  No94,   Confirm, No13,   Confirm,Lone,    Lone,   Lone,   Lone,   No,     No,     No,       No,    No,     No],
    /* STIP */   [Next; STIMULI],
    /* QUAR. */  [Next; STIMULI],
    ]
};
