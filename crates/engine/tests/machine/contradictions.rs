//! An issuer that approves what it has reversed, or could not decide, while the transaction stands approved here.

use crate::builders::answer;
use crate::script::{check, render};
use crate::world::{Sent, World};
use engine::effect::Note;
use engine::record::LATE;
use engine::{Event, Verdict};
use terms::{LinkIx, Mti};

/// Timed out and covered; its reversal is out, and then there is no link.
fn covered() -> (World, Sent) {
    let mut world = check(
        "ceiling 100.00
         stand-in 80.00 100.00
         issuer silent
         issuer rejects reversals with nothing
         0200 stan=1 amount=60.00            -> nothing
         wait 1500                           -> 00
         sent 0200 0420
         links down",
    )
    .world;
    let [request, reversal] = world.sent[..] else { panic!("a request and its reversal") };
    says(&mut world, &reversal);
    assert_eq!(world.sent.len(), 2, "its advice waits for a link");
    (world, request)
}

fn says(world: &mut World, sent: &Sent) {
    world.issuer_says(sent, &answer(&sent.request, "00"), Verdict::Approves);
    world.commit();
}

fn contradictions(world: &World) -> usize {
    world.notes.iter().filter(|note| matches!(note, Note::IssuerContradiction(_))).count()
}

/// A reversal of the request, then the advice; then nothing.
fn drains(world: &mut World, request: &Sent) {
    world.links.fill(true);
    world.event(Event::LinkChanged { link: LinkIx(0), up: true });
    let reversal = *world.sent.last().unwrap();
    assert!(reversal.reversal && !reversal.advice, "its reversal goes before the advice");
    assert_eq!((reversal.number, reversal.mti), (request.number, Mti::of(0x0200)));
    says(world, &reversal);
    let advice = *world.sent.last().unwrap();
    assert!(advice.advice && advice.number != request.number);
    says(world, &advice);
    assert_eq!(world.spent(1), (6_000, 1));
    world.assert_journaled();
    world.assert_quiet();
}

#[test]
fn what_it_has_reversed_is_reversed_again_before_the_advice_goes() {
    let (mut world, request) = covered();
    says(&mut world, &request);
    assert_eq!((contradictions(&world), world.sent.len()), (1, 2));
    world.assert_journaled();
    drains(&mut world, &request);
}

#[test]
fn a_restart_remembers_it() {
    let (mut world, request) = covered();
    world.ask(&request.request);
    let told = world.said.last().unwrap().reply;
    says(&mut world, &request);
    let mut world = world.restart(10_000);
    world.ask(&request.request);
    let again = world.said.last().unwrap().reply;
    assert!(again.stand_in && again.approval_code.is_some());
    assert_eq!(again, told, "it stands as it was told");
    drains(&mut world, &request);
}

#[test]
fn without_such_an_approval_only_the_advice_goes() {
    let (mut world, _) = covered();
    world.links.fill(true);
    world.event(Event::LinkChanged { link: LinkIx(0), up: true });
    let advice = *world.sent.last().unwrap();
    assert!(advice.advice && world.sent.len() == 3);
}

#[test]
fn a_terminal_that_takes_it_back_has_only_the_request_reversed() {
    let (mut world, request) = covered();
    says(&mut world, &request);
    world.ask(&crate::builders::reversal(&request.request));
    world.commit();
    assert_eq!(render(world.said.last().unwrap().reply.code), "00");
    world.links.fill(true);
    world.event(Event::LinkChanged { link: LinkIx(0), up: true });
    let reversal = *world.sent.last().unwrap();
    assert_eq!((world.sent.len(), reversal.number, reversal.advice), (3, request.number, false));
    says(&mut world, &reversal);
    assert_eq!((world.sent.len(), world.spent(1)), (3, (0, 0)), "no advice of what does not stand");
    world.assert_journaled();
    world.assert_quiet();
}

#[test]
fn after_the_advice_was_taken_people_must_look() {
    let mut world = check(
        "ceiling 100.00
         stand-in 80.00 100.00
         issuer silent
         0200 stan=1 amount=60.00            -> nothing
         wait 1500                           -> 00
         sent 0200 0420 0220
         owed 0",
    )
    .world;
    let request = world.sent[0];
    world.look();
    says(&mut world, &request);
    assert_eq!((contradictions(&world), world.look().1), (1, vec![LATE]));
    assert_eq!((world.sent.len(), world.spent(1)), (3, (6_000, 1)));
    world.assert_journaled();
    world.assert_quiet();
}
