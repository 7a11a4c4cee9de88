//! The state table of the design, as data: what each state makes of each stimulus.
//!
//! Never executes anything; guards: every cell is filled, and `tests/machine/cells.rs` drives a real engine through each.
//! Which of a transaction's two lives it is in (in the slab, or only in index and journal) changes how a step is carried
//! out, never which step it is.

use crate::State;
use crate::record::{ACK, BATCH, INTENT, LATE, OBLIGATION, OUTCOME, PARKED, REFUSED, TOMBSTONE, UNMATCHED};
use journal::Kind;

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
    /// The issuer approves a part of what was asked, and the terminal can take that.
    ApprovesPart,
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
    /// The reversal timed out, or found no link.
    Unacknowledged,
    /// The issuer answered the reversal with a code that ends nothing.
    Rebuffed,
    /// It has done so as often as it is put up with.
    Exhausted,
    /// A restart finds it so.
    Restart,
    /// The issuer reverses the whole by itself.
    Recanted,
    /// As [`Stimulus::Silence`], and stand-in may be asked.
    CoveredSilence,
    /// The issuer says that it cannot decide (91, 96), and stand-in may be asked.
    CoveredDecline,
    /// As [`Stimulus::NotSent`], and stand-in may be asked.
    CoveredUnsent,
    /// A reversal of the whole before anything about it was for the issuer to know.
    Forestalled,
    /// The issuer takes the advice.
    Accepted,
    /// The issuer refuses the advice.
    Refused,
}

impl Stimulus {
    /// Every stimulus, in the order of the table's columns.
    pub const ALL: [Self; 25] = [
        Self::Same,
        Self::Other,
        Self::Reversal,
        Self::Partial,
        Self::Misstated,
        Self::Approves,
        Self::ApprovesPart,
        Self::Mismatches,
        Self::Declines,
        Self::Doubtful,
        Self::Silence,
        Self::NotSent,
        Self::Undelivered,
        Self::Acknowledged,
        Self::Unacknowledged,
        Self::Rebuffed,
        Self::Exhausted,
        Self::Restart,
        Self::Recanted,
        Self::CoveredSilence,
        Self::CoveredDecline,
        Self::CoveredUnsent,
        Self::Forestalled,
        Self::Accepted,
        Self::Refused,
    ];
}

/// What is done about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Cannot happen to a transaction in this state, or says nothing new: nothing is done.
    Nothing,
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
    /// Reversed in part: it stays approved with the lower amount, a reversal of the difference is owed.
    ReversePart,
    /// 0410 00, no traffic: nothing is owed that is not owed already.
    Confirm,
    /// 13: a part cannot be reversed here.
    RefusePartial,
    /// Approved.
    Approve,
    /// Approved in part: the rest of what was reserved goes back.
    ApprovePart,
    /// Declined by the issuer.
    Decline,
    /// An answer that is none. Declined to the terminal, reversal owed to the issuer, the hold is kept; types that owe
    /// nothing are declined.
    Doubt,
    /// No answer in time: as [`Step::Doubt`], and nobody waits under the permit any more.
    GiveUp,
    /// No outcome before the restart: as [`Step::Doubt`], with nobody to tell.
    TakeUp,
    /// Declined because nothing was sent.
    DeclineUnsent,
    /// An answer that belongs to nothing.
    Unmatched,
    /// Recorded; an approval is remembered, so that "no such original" stops being final.
    Late,
    /// Recorded and alarmed: an open item.
    Alarm,
    /// Recorded and alarmed, and a reversal is owed (again); no second release. Types that owe nothing: as [`Step::Late`].
    Contradiction,
    /// The approval never reached the terminal: reversal owed.
    TakeBack,
    /// The reversal is acknowledged: release.
    Acknowledge,
    /// The reversal goes out again after a back-off.
    Retry,
    /// The reversal waits for the next sign-on, or for people; others go on.
    Park,
    /// The issuer reverses what it was never asked for: 0430 25.
    Disown,
    /// The issuer reverses in flight: declined, and reversed by us as well; 0430 00.
    Comply,
    /// The issuer takes its approval back: reversed, acknowledged by its own word; an open item, alarmed; 0430 00.
    Yield,
    /// The issuer reverses what is reversed, or nothing: 0430 00.
    Agree,
    /// No answer in time: approved here. The request is reversed before the advice goes.
    CoverSilence,
    /// The issuer cannot decide: approved here; only the advice is owed.
    CoverDecline,
    /// Nothing was sent: likewise.
    CoverUnsent,
    /// Approved here and reversed: what may be with the issuer is acknowledged, then reversed.
    Unsay,
    /// Approved here and reversed before the issuer could know: nothing is owed any more.
    Forestall,
    /// The reversal of the request is acknowledged: the advice goes.
    Undone,
    /// The issuer took the advice.
    AdviceTaken,
    /// The issuer refused the advice: what was approved stays so, a loss.
    AdviceLost,
    /// As [`Step::Park`], but what was approved stays so.
    ParkAdvice,
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
        Acknowledge as Acked, Admit, Agree, AdviceLost as Lost, AdviceTaken as Taken, Alarm, Approve, ApprovePart as Part, Cancel, Comply, Confirm,
        Contradict as Same94, Contradiction as Again, CoverDecline as CovDecl, CoverSilence as CovSil, CoverUnsent as CovUns,
        Decline, DeclineUnsent as Unsent, Disown, Doubt, Forestall as Forest, GiveUp, Join, Late, Nothing as No, Park, ParkAdvice as ParkAdv,
        RefusePartial as No13, RefuseReversed as No94, Replay, Retry, Reverse, ReversePart as RevPart, Seek, TakeBack,
        TakeUp, ToldFirst as Told, Undone, Unmatched as Lone, Unsay, Yield,
    };
    [
    //            Same   Other   Rever.   Partial  Misst.   Approves Part   Mismat. Declin. Doubtf. Silence NotSent Undel.    Acked  Unackn. Rebuf. Exhau. Restart  Recanted CovSil. CovDecl. CovUns. Forest.  Accept. Refused
    /* none */   [Admit, Admit,  Seek,    No13,    Seek,    Lone,    Lone,  Lone,   Lone,   Lone,   No,     No,     No,       No,    No,     No,    No,    No, Disown,      No,     No,      No,     Seek,    No,     No],
    /* INTENT */ [Join,  Same94, Cancel,  Cancel,  No13,    Approve, Part,  Doubt,  Decline,Doubt,  GiveUp, Unsent, No,       No,    No,     No,    No,    TakeUp, Comply,  CovSil, CovDecl, CovUns, Cancel,  No,     No],
    /* APPROV. */[Replay,Same94, Reverse, RevPart, No13,    No,      Alarm, Alarm,  Alarm,  Alarm,  No,     No,     TakeBack, No,    No,     No,    No,    No, Yield,      No,     No,      No,     Reverse, No,     No],
    /* DECLIN. */[Replay,Same94, Confirm, No13,    Confirm, Again,   Again, Again,  No,     No,     No,     No,     No,       No,    No,     No,    No,    No, Agree,      No,     No,      No,     Confirm, No,     No],
    /* REVG. */  [Told,  Same94, Confirm, No13,    Confirm, Late,    Late,  Late,   Late,   Late,   No,     No,     No,       Acked, Retry,  Retry, Park,  Retry, Agree,   No,     No,      No,     Confirm, No,     No],
    /* REVD. */  [Told,  Same94, Confirm, No13,    Confirm, Again,   Again, Again,  No,     No,     No,     No,     No,       No,    No,     No,    No,    No, Agree,      No,     No,      No,     Confirm, No,     No],
    /* TOMB. */  [No94,  No94,   Confirm, No13,    Confirm, Lone,    Lone,  Lone,   Lone,   Lone,   No,     No,     No,       No,    No,     No,    No,    No, Disown,      No,     No,      No,     Confirm, No,     No],
    /* STIP */   [Replay,Same94, Unsay,   No13,    No13,    Late,    Late,  Late,   Late,   Late,   No,     No,     TakeBack, Undone,Retry,  Retry, ParkAdv,Retry, Agree,   No,     No,      No,     Forest,  Taken,  Lost],
    /* QUAR. */  [Told,  Same94, Confirm, No13,    Confirm, Late,    Late,  Late,   Late,   Late,   No,     No,     No,       Acked, No,     No,    No,    No, Agree,      No,     No,      No,     Confirm, No,     No],
    ]
};

/// Where a step leads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// The state does not change.
    Stays,
    /// This state, once what was written is durable.
    Is(State),
}

/// Effects as the table names them. What only serves the way there (`Fetch`, `Find`, `Forget`) is not named.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum Asks {
    /// Of the shell: permit, slot, charges.
    Reserve,
    /// Of the link.
    Forward,
    /// Of the link: permit and slot go back unused.
    Return,
    /// Of the link: nobody waits for the answer any more.
    Retire,
    /// Of the link: the slot is free.
    Settle,
    /// Of the limits.
    Release,
    /// Of the limits: a part of the charges goes back.
    Reduce,
    /// Of the link: 0420 or 0421, 0220 or 0221.
    Advise,
    /// Of the limits: what stand-in may approve.
    StandIn,
    /// Of the terminal's connection.
    Reply,
    /// Of the issuer's link: 0430.
    Answer,
    /// Of the timers.
    Arm,
    /// Of the counters.
    Count,
    /// Of those who watch.
    Note,
}

/// What a step does to a transaction of a type that owes reversals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Consequence {
    /// State afterwards.
    pub next: Next,
    /// Records written, in order.
    pub records: &'static [Kind],
    /// Asked at once, in order.
    pub at_once: &'static [Asks],
    /// Asked when the records are durable, in order.
    pub when_durable: &'static [Asks],
}

/// The consequence of each step.
#[rustfmt::skip]
pub const fn consequence(step: Step) -> Consequence {
    use Asks::{Advise, Answer, Arm, Count, Forward, Note, Reduce, Release, Reply, Reserve, Retire, Return, Settle, StandIn};
    use Next::{Is, Stays};
    use State::{Approved, Declined, Intent, Quarantined, Reversed, Reversing, StipApproved, Tombstone};
    match step {
        Step::Nothing         => row(Stays,         &[],                 &[],                          &[]),
        Step::Admit           => row(Is(Intent),    &[INTENT],           &[Reserve],                   &[Forward]),
        Step::Join            => row(Stays,         &[],                 &[Note],                      &[]),
        Step::Replay          => row(Stays,         &[],                 &[Note, Reply],               &[]),
        Step::ToldFirst       => row(Stays,         &[],                 &[Note, Reply],               &[]),
        Step::RefuseReversed  => row(Stays,         &[REFUSED],          &[Count, Reply],              &[]),
        Step::Contradict      => row(Stays,         &[REFUSED],          &[Note, Count, Reply],        &[]),
        Step::Seek            => row(Is(Tombstone), &[TOMBSTONE],        &[Note],                      &[Reply]),
        Step::Cancel          => row(Is(Reversing), &[OUTCOME],          &[Note, Retire, Count, Note], &[Reply, Advise]),
        Step::Reverse         => row(Is(Reversing), &[BATCH, OBLIGATION], &[Note, Note],               &[Reply, Advise]),
        Step::Confirm         => row(Stays,         &[],                 &[Reply],                     &[]),
        Step::RefusePartial   => row(Stays,         &[REFUSED],          &[Count, Reply],              &[]),
        Step::Approve         => row(Is(Approved),  &[OUTCOME],          &[Count],                     &[Reply]),
        Step::ApprovePart     => row(Is(Approved),  &[OUTCOME],          &[Count],                     &[Reduce, Reply]),
        Step::ReversePart     => row(Stays,         &[OBLIGATION],       &[Note],                      &[Reply, Advise]),
        Step::Decline         => row(Is(Declined),  &[OUTCOME],          &[Count],                     &[Release, Reply, Settle]),
        Step::Doubt           => row(Is(Reversing), &[OUTCOME],          &[Count, Note],               &[Reply, Advise]),
        Step::GiveUp          => row(Is(Reversing), &[OUTCOME],          &[Note, Retire, Count, Note], &[Reply, Advise]),
        Step::TakeUp          => row(Is(Reversing), &[OUTCOME],          &[Count, Note],               &[Advise]),
        Step::DeclineUnsent   => row(Is(Declined),  &[OUTCOME],          &[Return, Count],             &[Release, Reply]),
        Step::Unmatched       => row(Stays,         &[UNMATCHED],        &[Note],                      &[]),
        Step::Late            => row(Stays,         &[LATE],             &[Note],                      &[]),
        Step::Alarm           => row(Stays,         &[LATE],             &[Note],                      &[]),
        Step::Contradiction   => row(Is(Reversing), &[LATE, OBLIGATION], &[Note, Note],                &[Advise]),
        Step::TakeBack        => row(Is(Reversing), &[BATCH, OBLIGATION], &[Note],                     &[Advise]),
        Step::Acknowledge     => row(Is(Reversed),  &[ACK],              &[],                          &[Release, Settle]),
        Step::Retry           => row(Stays,         &[],                 &[Arm],                       &[]),
        Step::Disown          => row(Stays,         &[],                 &[Answer],                    &[]),
        Step::Comply          => row(Is(Reversing), &[OUTCOME],          &[Retire, Count, Note],       &[Answer, Reply, Advise]),
        Step::Yield           => row(Is(Reversed),  &[BATCH, OBLIGATION], &[Note, Note],               &[Release, Answer, Settle]),
        Step::Agree           => row(Stays,         &[],                 &[Answer],                    &[]),
        Step::Park            => row(Is(Quarantined), &[PARKED],         &[Note],                      &[]),
        Step::CoverSilence    => row(Is(StipApproved), &[OUTCOME],       &[Note, Retire, StandIn, Count, Note], &[Reply]),
        Step::CoverDecline    => row(Is(StipApproved), &[OUTCOME],       &[StandIn, Count, Note],      &[Reply]),
        Step::CoverUnsent     => row(Is(StipApproved), &[OUTCOME],       &[Retire, StandIn, Count, Note], &[Reply]),
        Step::Unsay          => row(Is(Reversing), &[BATCH, OBLIGATION], &[Note, Note],               &[Reply, Advise]),
        Step::Forestall       => row(Is(Reversed),  &[BATCH, ACK],       &[Note],                      &[Release, Settle, Reply]),
        Step::Undone          => row(Stays,         &[ACK],              &[],                          &[Advise]),
        Step::AdviceTaken     => row(Is(Approved),  &[ACK],              &[],                          &[Settle]),
        Step::AdviceLost      => row(Is(Approved),  &[ACK],              &[Note],                      &[Settle]),
        Step::ParkAdvice      => row(Stays,         &[PARKED],           &[Note],                      &[]),
    }
}

const fn row(
    next: Next,
    records: &'static [Kind],
    at_once: &'static [Asks],
    when_durable: &'static [Asks],
) -> Consequence {
    Consequence { next, records, at_once, when_durable }
}
