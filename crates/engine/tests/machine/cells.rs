//! Every cell of the state table, driven through a real engine: state afterwards, records written, effects asked for.

use crate::builders::{GRACE, QUARANTINE_AFTER, answer, purchase, reversal, stand_in};
use crate::world::World;
use engine::effect::Note;
use engine::record::UnmatchedReason;
use engine::table::{Asks, Consequence, Next, Step, Stimulus, consequence, step};
use engine::{Effect, Event, State, Timer, TxnId, Verdict};
use std::collections::HashSet;
use terms::{Flags, LinkIx, Request};

const CEILING: i64 = 10_000;

#[test]
fn every_cell_does_what_it_says() {
    let mut walked = HashSet::new();
    for stimulus in Stimulus::ALL {
        for state in [None].into_iter().chain(State::ALL.map(Some)) {
            let step = step(state, stimulus);
            for settled in [false, true] {
                if walk(state, stimulus, step, settled) {
                    walked.insert((state, stimulus as u8));
                }
            }
        }
    }
    // "None" and the eight states, each in at least one life.
    assert_eq!(walked.len(), 9 * Stimulus::ALL.len());
}

/// `settled`: the transaction has left the slab. Tells whether there is such a life.
fn walk(state: Option<State>, stimulus: Stimulus, step: Step, settled: bool) -> bool {
    let driven = match state {
        Some(State::StipApproved) => stood_in(stimulus, settled),
        state => drive(state, settled),
    };
    let Some((mut world, txn)) = driven else { return false };
    if stimulus == Stimulus::Restart {
        return restart(world, state, step);
    }
    let told = matches!(state, Some(State::Approved | State::StipApproved));
    if stimulus == Stimulus::Undelivered && told {
        if settled {
            return false;
        }
        world.event(Event::Undelivered { txn: txn.unwrap() });
        world.commit();
    }
    if stimulus == Stimulus::Exhausted && matches!(state, Some(State::Reversing | State::StipApproved)) {
        (1..QUARANTINE_AFTER).for_each(|_| rebuff(&mut world));
    }
    let answers = [
        Stimulus::Acknowledged,
        Stimulus::Unacknowledged,
        Stimulus::Rebuffed,
        Stimulus::Exhausted,
        Stimulus::Accepted,
        Stimulus::Refused,
    ];
    let owed = matches!(state, Some(State::Reversing | State::Quarantined | State::StipApproved));
    let txn = match txn {
        Some(_) if owed && answers.contains(&stimulus) => Some(under_way(&mut world)),
        txn => txn,
    };
    world.look();
    let Some(at_once) = apply(&mut world, stimulus, txn) else { return false };
    let records = world.look().1;
    world.commit();
    let when_durable = named(&world.look().0);
    let expected = consequence(step);
    let cell = format!("{state:?} x {stimulus:?} -> {step:?}, settled: {settled}");
    assert_eq!(records, expected.records, "records of {cell}");
    assert_eq!(at_once, expected.at_once, "at once, {cell}");
    assert_eq!(when_durable, expected.when_durable, "when durable, {cell}");
    assert_eq!(journaled(&world), after(state, &expected), "state after {cell}");
    true
}

fn after(state: Option<State>, expected: &Consequence) -> Option<State> {
    match expected.next {
        Next::Stays => state,
        Next::Is(next) => Some(next),
    }
}

fn restart(mut world: World, state: Option<State>, step: Step) -> bool {
    world.report_delivery = true;
    let mut world = world.restart(CEILING);
    let expected = consequence(step);
    let (effects, records) = world.look();
    let cell = format!("{state:?} x Restart -> {step:?}");
    assert_eq!(records, expected.records, "records of {cell}");
    // Links are down at first: what goes out comes back, and waits.
    let mut all: Vec<Asks> = named(&effects);
    all.retain(|asks| *asks != Asks::Arm || step == Step::Retry);
    assert_eq!(all, [expected.at_once, expected.when_durable].concat(), "{cell}");
    assert_eq!(journaled(&world), after(state, &expected), "state after {cell}");
    true
}

/// The reversal as it is under way now: what is on the shelf is called for.
fn under_way(world: &mut World) -> TxnId {
    if world.engine.live() == 0 {
        world.event(Event::LinkChanged { link: LinkIx(0), up: true });
    }
    world.sent.last().expect("it was sent").txn
}

/// The issuer refuses the reversal, which goes out again.
fn rebuff(world: &mut World) {
    let (txn, refused) = (under_way(world), answer(&original(), "30"));
    world.event(Event::ReversalAnswer { txn, answer: &refused });
    world.commit();
}

fn original() -> Request {
    purchase(1, 1, 6_000, 1)
}

/// A world with one transaction in `state`; `None` if there is no such life.
fn drive(state: Option<State>, settled: bool) -> Option<(World, Option<TxnId>)> {
    let mut world = World::new(CEILING);
    world.report_delivery = settled;
    world.listener.partial_approvals = true;
    let Some(state) = state else { return (!settled).then_some((world, None)) };
    let in_slab = state == State::Intent;
    let left_it = matches!(state, State::Declined | State::Reversed | State::Tombstone | State::Quarantined);
    if (in_slab && settled) || (left_it && !settled) {
        return None;
    }
    if state == State::Tombstone {
        world.ask(&reversal(&original()));
        world.commit();
        return Some((world, None));
    }
    world.ask(&original());
    world.commit();
    let sent = world.sent[0];
    match state {
        State::Approved => world.issuer_says(&sent, &answer(&sent.request, "00"), Verdict::Approves),
        State::Declined => world.issuer_says(&sent, &answer(&sent.request, "51"), Verdict::Declines),
        State::Reversing | State::Reversed | State::Quarantined => {
            world.event(Event::Expired { txn: sent.txn, timer: Timer::Issuer });
        }
        _ => {}
    }
    world.commit();
    if state == State::Quarantined {
        (0..QUARANTINE_AFTER).for_each(|_| rebuff(&mut world));
    }
    if state == State::Reversing && settled {
        let txn = world.sent[1].txn;
        world.event(Event::Expired { txn, timer: Timer::Reversal });
    }
    if state == State::Reversed {
        let reversal = world.sent[1];
        world.issuer_says(&reversal, &answer(&reversal.request, "00"), Verdict::Approves);
        world.commit();
    }
    assert_eq!(journaled(&world), Some(state));
    Some((world, Some(sent.txn)))
}

/// A world with one transaction that was approved in the issuer's stead. Not settled: its terminal has not got the answer
/// yet, so nothing was sent but the request, if that was. Settled: a reversal of it is under way, or after that the advice.
fn stood_in(stimulus: Stimulus, settled: bool) -> Option<(World, Option<TxnId>)> {
    use Stimulus::{Accepted, Acknowledged, Exhausted, Forestalled, Rebuffed, Refused, Undelivered};
    let under_way = matches!(stimulus, Acknowledged | Rebuffed | Exhausted | Stimulus::Unacknowledged);
    let advised = matches!(stimulus, Accepted | Refused);
    let early = matches!(stimulus, Forestalled | Undelivered);
    if settled && early || !settled && (under_way || advised) {
        return None;
    }
    let mut world = World::new(CEILING);
    world.report_delivery = settled;
    world.snapshot.issuers[0].stand_in = Some(stand_in(CEILING, CEILING));
    world.ask(&original());
    world.commit();
    let sent = world.sent[0];
    match stimulus {
        Forestalled => world.issuer_says(&sent, &answer(&sent.request, "91"), Verdict::Declines),
        _ => _ = world.event(Event::Expired { txn: sent.txn, timer: Timer::Issuer }),
    }
    world.commit();
    if settled && !under_way {
        let reversal = *world.sent.last().unwrap();
        world.issuer_says(&reversal, &answer(&reversal.request, "00"), Verdict::Approves);
        world.commit();
        let advice = *world.sent.last().unwrap();
        assert!(advice.advice && advice.number != sent.number, "the advice has a number of its own");
        if !advised {
            world.event(Event::Expired { txn: advice.txn, timer: Timer::Reversal });
        }
    }
    assert_eq!(journaled(&world), Some(State::StipApproved));
    Some((world, Some(sent.txn)))
}

/// An id that means no transaction.
const NOBODY: TxnId = TxnId { index: 77, generation: 5 };

/// What was asked for at once; `None` where the stimulus makes no sense without a transaction.
fn apply(world: &mut World, stimulus: Stimulus, txn: Option<TxnId>) -> Option<Vec<Asks>> {
    let request = original();
    let reversed = reversal(&request);
    match stimulus {
        Stimulus::Same => _ = world.ask(&request),
        Stimulus::Other => _ = world.ask(&Request { amount: 100, ..request }),
        Stimulus::Reversal => _ = world.ask(&reversed),
        Stimulus::Misstated => {
            // Only who knows the amount can tell that another was named: what has left the slab is read for it.
            world.ask(&Request { amount: 5_900, ..reversed });
        }
        Stimulus::Partial => {
            let flags = reversed.flags.with(Flags::REPLACEMENT);
            world.ask(&Request { replacement_amount: 2_000, flags, ..reversed });
        }
        Stimulus::Approves => says(world, txn, "00", Verdict::Approves, false)?,
        Stimulus::ApprovesPart => says(world, txn, "10", Verdict::Approves, true)?,
        Stimulus::Mismatches => says(world, txn, "00", Verdict::Approves, true)?,
        Stimulus::Declines => says(world, txn, "51", Verdict::Declines, false)?,
        Stimulus::Doubtful => says(world, txn, "68", Verdict::InDoubt, false)?,
        Stimulus::Silence => {
            _ = world.event(Event::Expired { txn: txn.unwrap_or(NOBODY), timer: Timer::Issuer })
        }
        Stimulus::NotSent => _ = world.event(Event::NotSent { txn: txn.unwrap_or(NOBODY) }),
        Stimulus::Undelivered => {
            world.now.tick = world.now.tick.plus_ms(GRACE);
            world.event(Event::Expired { txn: txn.unwrap_or(NOBODY), timer: Timer::Grace });
        }
        Stimulus::Acknowledged => {
            let answer = answer(&request, "00");
            world.event(Event::ReversalAnswer { txn: txn.unwrap_or(NOBODY), answer: &answer });
        }
        Stimulus::Unacknowledged => {
            world.event(Event::LinkLost { txn: txn.unwrap_or(NOBODY), reversal: true });
        }
        Stimulus::Rebuffed | Stimulus::Exhausted => {
            let answer = answer(&request, "30");
            world.event(Event::ReversalAnswer { txn: txn.unwrap_or(NOBODY), answer: &answer });
        }
        Stimulus::Recanted => {
            let rrn = world.sent.first().map(|sent| sent.rrn);
            let recanted = Request { rrn, ..reversed };
            world.issuer_reverses(0, &recanted, &[request.slot]);
        }
        Stimulus::CoveredSilence => {
            world.snapshot.issuers[0].stand_in = Some(stand_in(CEILING, CEILING));
            world.event(Event::Expired { txn: txn.unwrap_or(NOBODY), timer: Timer::Issuer });
        }
        Stimulus::CoveredUnsent => {
            world.snapshot.issuers[0].stand_in = Some(stand_in(CEILING, CEILING));
            world.event(Event::NotSent { txn: txn.unwrap_or(NOBODY) });
        }
        Stimulus::CoveredDecline => {
            world.snapshot.issuers[0].stand_in = Some(stand_in(CEILING, CEILING));
            let unable = answer(&request, "91");
            // Where nobody waits for it, it is a decline like any other.
            let txn = txn.filter(|_| journaled(world) == Some(State::Intent)).unwrap_or(NOBODY);
            if txn != NOBODY {
                world.event(Event::Answer { txn, answer: &unable, verdict: Verdict::Declines });
            }
        }
        Stimulus::Forestalled => _ = world.ask(&reversed),
        Stimulus::Accepted | Stimulus::Refused => {
            let (code, verdict) = match stimulus {
                Stimulus::Accepted => ("00", Verdict::Approves),
                _ => ("51", Verdict::Declines),
            };
            let answer = answer(&request, code);
            world.event(Event::AdviceAnswer { txn: txn.unwrap_or(NOBODY), answer: &answer, verdict });
        }
        Stimulus::Restart => unreachable!("done by the caller"),
    }
    Some(named(&std::mem::take(&mut world.effects)))
}

/// The issuer's word about the original. A mismatch is only seen where something is left to compare with.
fn says(world: &mut World, txn: Option<TxnId>, code: &str, verdict: Verdict, other: bool) -> Option<()> {
    let mut answer = answer(&original(), code);
    if other {
        answer.amount = Some(100);
    }
    let settled_approval = world.engine.live() == 0 && journaled(world) == Some(State::Approved);
    match txn {
        // An approval that was delivered is forgotten by links: a second answer finds nothing.
        Some(_) if settled_approval => return None,
        Some(txn) => world.event(Event::Answer { txn, answer: &answer, verdict }),
        None => {
            let reason = UnmatchedReason::NoSuchRequest;
            world.event(Event::Unmatched { link: LinkIx(0), answer: &answer, verdict, reason })
        }
    };
    Some(())
}

/// What the journal says about the original.
fn journaled(world: &World) -> Option<State> {
    let ledger = world.ledger();
    let slot = original().slot;
    ledger.index().find(slot, |_| true).map(|entry| entry.state)
}

fn named(effects: &[Effect]) -> Vec<Asks> {
    let name = |effect: &Effect| match effect {
        Effect::Reserve { .. } => Some(Asks::Reserve),
        Effect::Forward { .. } => Some(Asks::Forward),
        Effect::Return { .. } => Some(Asks::Return),
        Effect::Retire { .. } => Some(Asks::Retire),
        Effect::Settle { .. } => Some(Asks::Settle),
        Effect::Release { .. } => Some(Asks::Release),
        Effect::Reduce { .. } => Some(Asks::Reduce),
        Effect::Advise { .. } => Some(Asks::Advise),
        Effect::Reply { .. } => Some(Asks::Reply),
        Effect::Answer { .. } => Some(Asks::Answer),
        Effect::Arm { .. } => Some(Asks::Arm),
        Effect::Count(_) => Some(Asks::Count),
        // Here each request has a connection of its own: that says nothing of the cell.
        Effect::Note(Note::Reconnected) => None,
        Effect::Note(_) => Some(Asks::Note),
        Effect::StandIn { .. } => Some(Asks::StandIn),
        Effect::Enlist { .. } | Effect::Post { .. } | Effect::Uncover { .. } => None,
        Effect::Force { .. } | Effect::GiveBack { .. } | Effect::Restore { .. } => None,
        Effect::Fetch { .. } | Effect::Find { .. } | Effect::Name { .. } | Effect::Letter { .. } => None,
        Effect::Occupy { .. } | Effect::Forget { .. } => None,
    };
    effects.iter().filter_map(name).collect()
}
