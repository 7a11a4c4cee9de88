//! Many at one card: the ceiling holds exactly, and what is reversed ten times is given back once.

use crate::builders::{answer, purchase, reversal};
use crate::world::World;
use engine::{Code, Verdict};
use terms::ResponseCode;

/// Room for exactly 100 of these.
const AMOUNT: i64 = 100;

#[test]
fn of_ten_thousand_exactly_a_hundred_are_approved_and_ten_reversals_each_give_back_once() {
    let mut world = World::new(100 * AMOUNT);
    let (before, mut seen) = (world.spent(1), 0);
    let purchases: Vec<_> = (0..10_000).map(|n| purchase((n % 50) as u16, n / 50 + 1, AMOUNT, 1)).collect();
    for turn in purchases.chunks(500) {
        turn.iter().for_each(|request| _ = world.ask(request));
        world.commit();
        answer_all(&mut world, &mut seen);
    }
    let approved = Code::Wire(ResponseCode::approved());
    assert_eq!(world.said.iter().filter(|said| said.reply.code == approved).count(), 100);
    assert_eq!((world.said.len(), world.spent(1)), (10_000, (100 * AMOUNT, 100)));
    world.assert_quiet();

    let sold: Vec<_> = world.sent.drain(..).map(|sent| sent.request).collect();
    assert_eq!(sold.len(), 100);
    (world.said, seen) = (Vec::new(), 0);
    for turn in 0..10 {
        // Twice in one turn as well as in turns of their own.
        for request in sold.iter().chain(sold.iter().filter(|_| turn % 3 == 0)) {
            world.ask(&reversal(request));
        }
        world.commit();
        answer_all(&mut world, &mut seen);
    }
    assert!(world.said.iter().all(|said| said.reply.code == approved), "every reversal is answered 00");
    assert_eq!(world.said.len(), 14 * 100);
    assert_eq!(world.sent.len(), 100, "the issuer saw one reversal each");
    assert_eq!(world.spent(1), before);
    world.assert_quiet();
}

/// The issuer answers what came since it had seen `seen` messages.
fn answer_all(world: &mut World, seen: &mut usize) {
    while let Some(sent) = world.sent.get(*seen).copied() {
        *seen += 1;
        world.issuer_says(&sent, &answer(&sent.request, "00"), Verdict::Approves);
        if world.sent.len() == *seen {
            // What waits for its turn goes out when what is before it is settled.
            world.commit();
        }
    }
    world.commit();
}
