//! Notices of script results: what the chip said reaches the issuer, at once or long after.

use crate::builders::{answer, request};
use crate::script::render;
use crate::world::World;
use engine::{Event, Verdict};
use terms::{Kind, LinkIx, Mti, Request};

/// Card sequence number 1; tag DF31.
const CHIP: &[u8] = b"\x01\x00\xDF\x31\x01\x20";

fn notice() -> Request {
    request(Mti::of(0x0620), Kind::ScriptResult, 1, 1, 0, 1)
}

fn world() -> World {
    let mut world = World::new(10_000);
    world.chip = CHIP.to_vec();
    world
}

fn link_up(world: &mut World) {
    world.links[0] = true;
    world.event(Event::LinkChanged { link: LinkIx(0), up: true });
}

#[test]
fn its_repeats_say_what_the_first_said() {
    let mut world = world();
    world.ask(&notice());
    world.commit();
    assert_eq!(render(world.said[0].reply.code), "00");
    assert_eq!((world.carried.len(), world.engine.live()), (1, 1));
    world.advance(10_000);
    assert!(
        world.carried.len() > 2 && world.carried.iter().all(|content| content == CHIP),
        "a repeat differs"
    );
    let sent = *world.sent.last().unwrap();
    assert!(sent.advice && sent.repeat && sent.mti == Mti::of(0x0620));
    world.issuer_says(&sent, &answer(&sent.request, "00"), Verdict::Approves);
    world.commit();
    assert_eq!(world.spent(1), (0, 0));
    world.assert_journaled();
    world.assert_quiet();
}

#[test]
fn a_restart_finds_it_in_the_journal() {
    let mut world = world();
    world.links.fill(false);
    world.ask(&notice());
    world.commit();
    assert!(world.carried.is_empty());
    let mut world = world.restart(10_000);
    link_up(&mut world);
    assert_eq!(world.carried, [CHIP]);
}

#[test]
fn a_restart_finds_it_where_nobody_was_told_yet() {
    let mut world = world();
    world.ask(&notice());
    world.commit_once();
    assert!(world.said.is_empty(), "only its INTENT is durable");
    let mut world = world.restart(10_000);
    link_up(&mut world);
    assert_eq!(world.carried, [CHIP]);
    world.ask(&notice());
    assert_eq!(render(world.said[0].reply.code), "00");
}

#[test]
fn without_a_chip_it_goes_without() {
    let mut world = World::new(10_000);
    world.ask(&notice());
    world.commit();
    assert_eq!(world.carried, [b""]);
    assert_eq!(world.engine.live(), 1, "it did not have to be read back");
}
