//! Everything has a bound, and somebody at the door.

use crate::builders::{RETRY, answer, network, purchase, reversal};
use crate::script::render;
use crate::world::World;
use engine::{
    Disposition, Effect, Event, MerchantTerms, RefundTerms, Standing, TerminalTerms, Timer, Verdict,
};
use terms::{InternalCause, IssuerIx, Kind, LinkIx, Request};

#[track_caller]
fn told(world: &mut World, request: &Request) -> String {
    world.said.clear();
    world.ask(request);
    world.said.iter().map(|said| render(said.reply.code)).collect()
}

#[test]
fn who_may_trade() {
    let mut world = World::new(10_000);
    let request = purchase(1, 1, 100, 1);
    let merchant = engine::snapshot::merchant_key(&request.acquirer, &request.merchant);
    let terminal = request.owner();
    world.listener.registered_only = true;
    assert_eq!(
        (told(&mut world, &request), told(&mut world, &network(Kind::SignOn, 1))),
        ("58".into(), "58".into())
    );
    let active = TerminalTerms { standing: Standing::Active, ceilings: None };
    world.snapshot.terminals.insert(terminal, active);
    assert_eq!(told(&mut world, &request), "03");
    let suspended =
        MerchantTerms { standing: Standing::Suspended, ceilings: None, refund: RefundTerms::default() };
    world.snapshot.merchants.insert(merchant, suspended);
    assert_eq!(told(&mut world, &request), "03");
    world.snapshot.merchants.get_mut(&merchant).unwrap().standing = Standing::Active;
    world.snapshot.terminals.get_mut(&terminal).unwrap().standing = Standing::Suspended;
    assert_eq!(told(&mut world, &request), "58");
    // Money that was taken can always be given back.
    assert_eq!(told(&mut world, &reversal(&request)), "");
    world.commit();
    assert_eq!(render(world.said[0].reply.code), "00");
    world.snapshot.terminals.get_mut(&terminal).unwrap().standing = Standing::Active;
    assert_eq!(told(&mut world, &purchase(1, 2, 100, 1)), "");
}

#[test]
fn a_full_slab_refuses_purchases_and_has_room_for_reversals() {
    let mut world = World::new(1_000_000);
    let mut stan = 0;
    let refused = loop {
        stan += 1;
        let request = purchase(1, stan, 1, 1);
        if !matches!(world.ask(&request), Disposition::Kept(_)) {
            break request;
        }
        if stan % 500 == 0 {
            world.commit();
        }
    };
    world.commit();
    assert_eq!(render(world.said.last().unwrap().reply.code), "96");
    assert_eq!(world.engine.live(), 4_096 - 512);
    assert_eq!(told(&mut world, &reversal(&refused)), "");
    world.commit();
    assert_eq!(render(world.said[0].reply.code), "00");
}

#[test]
fn while_the_disk_stalls_admission_ends_at_its_bound_and_nothing_is_sent() {
    let mut world = World::new(1_000_000);
    let admitted = (1..5_000).take_while(|stan| {
        let kept = world.ask(&purchase(1, *stan, 1, 1));
        matches!(kept, Disposition::Kept(_))
    });
    let admitted = admitted.count();
    assert_eq!((admitted, world.engine.live()), (4_096 - 512, 4_096 - 512));
    for stan in 5_000..5_100 {
        assert_eq!(told(&mut world, &purchase(1, stan, 1, 1)), "96", "and it stays at its bound");
    }
    assert!(world.sent.is_empty(), "no INTENT is durable yet");
    assert_eq!(world.engine.live(), admitted);
    world.said.clear();
    world.commit();
    assert!(!world.sent.is_empty() && world.said.is_empty(), "they go out when the disk is back");
}

#[test]
fn a_link_that_comes_up_is_offered_thousands_a_window_at_a_time() {
    let mut world = World::new(1_000_000);
    world.snapshot.issuers[0].saf_window = 256;
    for stan in 1..=600 {
        world.ask(&purchase(1, stan, 1, stan as u16));
    }
    world.commit();
    world.links.fill(false);
    for sent in std::mem::take(&mut world.sent) {
        world.event(Event::LinkLost { txn: sent.txn, reversal: false });
    }
    world.commit();
    assert_eq!((world.engine.owed(IssuerIx(0)), world.sent.len()), (600, 0));
    world.links.fill(true);
    world.event(Event::LinkChanged { link: LinkIx(0), up: true });
    let mut sent = 0;
    while !world.sent.is_empty() {
        let out = std::mem::take(&mut world.sent);
        assert!(out.len() <= 256, "no more than the window has room for");
        sent += out.len();
        for sent in &out {
            world.issuer_says(sent, &answer(&sent.request, "00"), Verdict::Approves);
        }
        world.commit();
    }
    assert_eq!(sent, 600);
    world.assert_quiet();
    assert_eq!(world.spent(1), (0, 0));
}

#[test]
fn the_back_off_doubles_up_to_its_bound() {
    let mut world = World::new(10_000);
    world.ask(&purchase(1, 1, 100, 1));
    world.commit();
    let sent = world.sent[0];
    world.event(Event::Expired { txn: sent.txn, timer: Timer::Issuer });
    world.commit();
    let mut waits = Vec::new();
    for _ in 0..8 {
        let now = world.now.tick;
        world.look();
        let txn = world.sent.last().unwrap().txn;
        world.event(Event::Expired { txn, timer: Timer::Reversal });
        let line = world.look().0.iter().find_map(|effect| match effect {
            Effect::Arm { txn, timer: Timer::Line, at } => Some((*txn, *at)),
            _ => None,
        });
        let (line, at) = line.expect("the line's timer is armed");
        waits.push(at.since(now) / 1_000);
        world.now.tick = at;
        world.event(Event::Expired { txn: line, timer: Timer::Line });
    }
    for (attempt, wait) in waits.iter().enumerate() {
        let least = (u64::from(RETRY.0) << attempt).min(u64::from(RETRY.1));
        assert!((least..=least + least / 8).contains(wait), "wait {attempt} is {wait} ms, at least {least}");
    }
    assert_eq!(world.sent.len(), 1 + 1 + 8);
    assert!(!world.sent[1].repeat && world.sent[2..].iter().all(|sent| sent.repeat), "0420, then 0421");
}

#[test]
fn ids_of_another_life_are_ignored() {
    let mut world = World::new(10_000);
    world.ask(&purchase(1, 1, 100, 1));
    world.commit();
    let old = world.sent[0];
    world.issuer_says(&old, &answer(&old.request, "51"), Verdict::Declines);
    world.commit();
    world.ask(&purchase(1, 2, 100, 1));
    world.commit();
    let new = world.sent[1];
    assert_eq!((old.txn.index, old.txn.generation + 1), (new.txn.index, new.txn.generation));
    let txn = old.txn;
    world.look();
    for event in [
        Event::Expired { txn, timer: Timer::Issuer },
        Event::LinkLost { txn, reversal: false },
        Event::NotSent { txn },
        Event::Delivered { txn },
        Event::Undelivered { txn },
        Event::ReversalAnswer { txn, answer: &answer(&old.request, "00") },
        Event::Fetched { txn, records: None },
        Event::Found { txn, result: Err(true) },
    ] {
        world.event(event);
    }
    assert_eq!(world.look(), (Vec::new(), Vec::new()));
}

#[test]
fn a_malformed_message_is_recorded_and_counted_and_nothing_else() {
    let mut world = World::new(10_000);
    let request = Request { terminal: purchase(1, 9, 100, 1).terminal, ..malformed(9) };
    world.event(Event::Malformed { request: &request });
    let tally = world.tallies.last().copied().unwrap();
    assert_eq!((tally.cause, tally.issuer), (Some(InternalCause::FormatError), None));
    assert_eq!((world.said.len(), world.engine.live()), (0, 0), "the shell answers it");
    world.commit();
    assert_eq!(world.records, [engine::record::REFUSED]);
    // The same STAN in a message that can be read is nobody's repeat.
    assert!(matches!(world.ask(&purchase(1, 9, 100, 1)), Disposition::Kept(_)));
}

fn malformed(stan: u32) -> Request {
    Request::new(purchase(1, stan, 100, 1).mti, Kind::Unknown, purchase(1, stan, 100, 1).stan)
}
