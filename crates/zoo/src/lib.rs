//! Planted bugs: mistakes that somebody could make, each at the place where it would be made, chosen at run time.
//!
//! Never part of a build without `--cfg pointsman_zoo`: no crate depends on this one then, and every place is compiled away.
//! Guards: a simulation that does not find each of them within a thousand seeds proves too little.
//!
//! A place looks like this:
//! ```text
//! #[cfg(pointsman_zoo)]
//! if zoo::has(zoo::Bug::AckBeforeSync) {
//!     return Ok(());
//! }
//! ```

use std::cell::Cell;

macro_rules! bugs {
    ($($(#[doc = $what:literal])+ $bug:ident = $name:literal,)+) => {
        /// One mistake.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Bug {
            $($(#[doc = $what])+ $bug,)+
        }

        impl Bug {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$bug),+];

            /// As people call it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$bug => $name,)+
                }
            }

            /// What goes wrong.
            pub const fn what(self) -> &'static str {
                match self {
                    $(Self::$bug => concat!($($what),+),)+
                }
            }
        }
    };
}

bugs! {
    /// A commit is told before it is synced.
    AckBeforeSync = "ack-before-sync",
    /// A prepared segment's name is not made durable.
    SkipDirectorySync = "skip-directory-sync",
    /// A failed sync is tried again, and then believed.
    RetryFailedSync = "retry-failed-sync",
    /// The lock that another process holds is ignored.
    IgnoreLock = "ignore-lock",
    /// The epoch is not raised at a start.
    EpochNotRaised = "epoch-not-raised",
    /// A replay forgets what was owed.
    ForgetOwed = "forget-owed-at-restart",
    /// A replay takes an open INTENT for settled.
    ForgetOpenIntent = "forget-open-intent-at-restart",
    /// A replay forgets tombstones.
    ForgetTombstones = "forget-tombstones-at-restart",
    /// A start does not restore the counters of limits.
    ForgetLimits = "forget-limits-at-restart",
    /// The index of duplicates is not rebuilt.
    ForgetIndex = "forget-index-at-restart",
    /// A checkpoint leaves out what is owed.
    CheckpointForgetsOwed = "checkpoint-forgets-owed",
    /// A restart declines what was in doubt and owes nothing.
    RestartNotReversed = "restart-not-reversed",
    /// A shutdown declines what is in flight and owes nothing.
    DrainNotReversed = "drain-not-reversed",
    /// What was reversed is told as approved when it is asked again.
    ReplayReversed = "replay-a-reversed-approval",
    /// A time-out is a decline without a reversal.
    TimeoutNotReversed = "timeout-not-reversed",
    /// A lost link is a decline without a reversal.
    LinkLossNotReversed = "link-loss-not-reversed",
    /// An approval after the time-out ends its reversal.
    BelieveLateApproval = "believe-a-late-approval",
    /// An approval that comes too late leaves no trace.
    DropLateApproval = "drop-a-late-approval",
    /// An approval of another amount is taken.
    AcceptOtherAmount = "accept-another-amount",
    /// A code that nobody knows approves.
    UnknownCodeApproves = "unknown-code-approves",
    /// An answer in doubt is a decline.
    DoubtDeclines = "doubt-declines",
    /// What stand-in approves for a silent issuer goes as an advice, its request is not reversed before.
    StandInNotReversed = "stand-in-not-reversed",
    /// What was approved before the issuer refused its advice is reversed.
    RefusedAdviceReversed = "refused-advice-reversed",
    /// What stand-in's own counter was charged stays charged where it approved nothing. (Found by a simulation.)
    CoverKept = "cover-kept",
    /// The advice goes though the request before it was not acknowledged as reversed.
    AdviceOvertakes = "advice-overtakes-its-reversal",
    /// What is taken back is not told to the issuer that has its advice.
    TakeBackUntold = "take-back-untold",
    /// The reversal of what stands goes before its advice was answered.
    TakeBackOvertakes = "take-back-overtakes-its-advice",
    /// A repeat is a new transaction.
    RepeatIsNew = "repeat-is-new",
    /// A request with another amount under a known key is admitted.
    ContradictionIsNew = "contradiction-is-new",
    /// A reversal of what is unknown leaves no mark.
    NoTombstone = "no-tombstone",
    /// A reversal in flight is confirmed and forgotten.
    CancelForgotten = "cancel-forgotten",
    /// A reversal of an approval is confirmed and forgotten.
    ReverseForgotten = "reverse-forgotten",
    /// Any answer to a reversal ends it.
    AnyAnswerAcknowledges = "any-answer-acknowledges",
    /// A reversal that is not answered is given up.
    ReversalGivenUp = "reversal-given-up",
    /// The answer goes out before its record is durable.
    ReplyBeforeDurable = "reply-before-durable",
    /// The request goes out before its INTENT is durable.
    ForwardBeforeDurable = "forward-before-durable",
    /// A limit is released twice.
    ReleaseTwice = "release-twice",
    /// A declined request keeps its share of the limit.
    ReleaseNever = "release-never",
    /// A reversal's hold goes when it is sent, and again when it is acknowledged.
    ReleaseEarly = "release-early",
    /// The request is sent again when its link comes back.
    ResendAfterFlap = "resend-after-a-flap",
    /// Every request is sent twice.
    ForwardTwice = "forward-twice",
    /// A STAN is given out again at once.
    ReuseStan = "reuse-a-stan",
    /// Nothing that an answer echoes is compared, but for the amount.
    AcceptAnyEcho = "accept-any-echo",
    /// A reversal names the STAN after its original's.
    ReverseTheNext = "reverse-the-next",
    /// An OUTCOME is written twice.
    OutcomeTwice = "outcome-twice",
    /// A decline is told as an approval when it is asked again.
    ReplayDeclineAsApproval = "replay-a-decline-as-approval",
    /// An obligation lists a hold that a record on its way releases: a replay releases it twice. (Found by a simulation.)
    HoldReleasedTwice = "hold-released-twice-in-replay",
    /// An answer about what is owed under a number of another process's is dropped by the worker that the number leads to. (Found by
    /// a restart with another number of workers.)
    OwedAnswerDropped = "owed-answer-dropped",
    /// An undelivered approval's OBLIGATION is acted upon but not written.
    ObligationNotWritten = "obligation-not-written",
    /// What an operation had given back is forgotten when it leaves the slab in the turn in which it is reversed. (Found by a
    /// simulation.)
    GivenBackForgotten = "given-back-forgotten",
    /// A part that is owed over a restart names the request and not the advice. (Found by a simulation.)
    PartForgetsAdvice = "part-forgets-advice",
    /// That a reversed transaction has left its batch is not written again after a full disk. (Found by a simulation.)
    WithdrawnOnce = "withdrawn-once",
}

thread_local! {
    static CHOSEN: Cell<Option<Bug>> = const { Cell::new(None) };
}

/// Stands in every program that asks for a planted bug: what is built for service is looked through for it.
#[used]
static MARK: [u8; 39] = *b"pointsman: planted bugs are compiled in";

/// Whether this thread runs with the bug.
pub fn has(bug: Bug) -> bool {
    std::hint::black_box(&MARK);
    CHOSEN.get() == Some(bug)
}

/// Lets this thread run with a bug, or without any.
pub fn choose(bug: Option<Bug>) {
    CHOSEN.set(bug);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The control of the test that finds none in the switch as it is built.
    #[test]
    fn a_program_that_asks_for_a_bug_carries_the_mark() {
        assert!(!has(Bug::AckBeforeSync));
        let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        // Put together here, so that the test itself does not hold what it looks for.
        let mark = ["pointsman: planted", "bugs are compiled in"].join(" ");
        assert!(program.windows(mark.len()).any(|window| window == mark.as_bytes()));
        assert_eq!(MARK.as_slice(), mark.as_bytes());
    }

    #[test]
    fn bugs_have_names_of_their_own() {
        let mut names: Vec<_> = Bug::ALL.iter().map(|bug| bug.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Bug::ALL.len());
        assert!(Bug::ALL.len() >= 30, "{} bugs", Bug::ALL.len());
    }
}
