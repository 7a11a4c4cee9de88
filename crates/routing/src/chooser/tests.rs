//! Turns, written as strings: a letter per choice, capital letters are backups.

use super::*;

const NAMES: [char; 6] = ['a', 'b', 'c', 'd', 'E', 'F'];

/// Links `a`.. with these weights; `E` and `F` are backups where weights are given for them.
fn chooser(weights: &[u16], backups: &[u16], policy: Policy) -> Chooser {
    let choice = |from: u16, backup| {
        move |(at, weight): (u16, &u16)| LinkChoice { link: LinkIx(from + at), weight: *weight, backup }
    };
    let links: Vec<_> =
        (0..).zip(backups).map(choice(4, true)).chain((0..).zip(weights).map(choice(0, false))).collect();
    Chooser::new(&links, policy).unwrap()
}

fn turns(chooser: &mut Chooser, count: usize, up: &str) -> String {
    let up = |link: LinkIx| up.contains(NAMES[link.at()]);
    (0..count).map(|_| chooser.pick(up).map_or('-', |link| NAMES[link.at()])).collect()
}

#[test]
fn turns_go_round() {
    let mut even = chooser(&[9, 1, 5], &[], Policy::RoundRobin);
    assert_eq!(turns(&mut even, 9, "abc"), "abcabcabc");
    let mut weighted = chooser(&[5, 1, 1], &[], Policy::Weighted);
    assert_eq!(turns(&mut weighted, 14, "abc"), "aabacaaaabacaa");
    let mut alone = chooser(&[7], &[], Policy::Weighted);
    assert_eq!(turns(&mut alone, 3, "a"), "aaa");
}

#[test]
fn a_dead_links_turns_are_shared_by_all_that_live() {
    for policy in [Policy::RoundRobin, Policy::Weighted] {
        let mut four = chooser(&[2, 2, 2, 2], &[], policy);
        turns(&mut four, 5, "abcd");
        let shares = turns(&mut four, 300, "acd");
        for name in ['a', 'c', 'd'] {
            let share = shares.matches(name).count();
            assert!((99..=101).contains(&share), "{name} got {share} of 300 ({policy:?})");
        }
        // Back again: no burst to catch up on what it missed.
        let after = turns(&mut four, 40, "abcd");
        assert!((10..=11).contains(&after.matches('b').count()) && !after.contains("bb"), "{after}");
    }
}

#[test]
fn weights_hold_among_those_that_live() {
    let mut three = chooser(&[6, 3, 1], &[], Policy::Weighted);
    let shares = turns(&mut three, 700, "ac");
    assert_eq!((shares.matches('a').count(), shares.matches('c').count()), (600, 100));
    let shares = turns(&mut three, 1000, "abc");
    assert_eq!(['a', 'b', 'c'].map(|name| shares.matches(name).count()), [600, 300, 100]);
}

#[test]
fn backups_come_only_when_no_primary_can() {
    let mut links = chooser(&[1, 1], &[3, 1], Policy::Weighted);
    assert_eq!(turns(&mut links, 4, "abEF"), "abab");
    assert_eq!(turns(&mut links, 4, "bEF"), "bbbb");
    assert_eq!(turns(&mut links, 8, "EF"), "EEFEEEFE");
    assert_eq!(turns(&mut links, 2, "F"), "FF");
    assert_eq!(turns(&mut links, 2, ""), "--");
    assert_eq!(turns(&mut links, 2, "abEF"), "ab");
    let order: String = links.links().map(|link| NAMES[link.at()]).collect();
    assert_eq!(order, "abEF");
}

#[test]
fn a_full_window_passes_the_request_on_and_costs_no_turn() {
    let mut links = chooser(&[1, 1], &[1], Policy::RoundRobin);
    let choose = |links: &mut Chooser, up: &str, full: &str| {
        let chosen =
            links.choose(|link| up.contains(NAMES[link.at()]), |link| !full.contains(NAMES[link.at()]));
        chosen.map(|link| NAMES[link.at()])
    };
    assert_eq!(choose(&mut links, "abE", "a"), Ok('b'));
    assert_eq!(choose(&mut links, "abE", ""), Ok('a'));
    assert_eq!(choose(&mut links, "abE", "ab"), Ok('E'));
    assert_eq!(choose(&mut links, "ab", "ab"), Err(NoLink::Full));
    assert_eq!(choose(&mut links, "aE", "aE"), Err(NoLink::Full));
    assert_eq!(choose(&mut links, "", "abE"), Err(NoLink::Down));
    assert_eq!(choose(&mut links, "abE", ""), Ok('b'));
    assert_eq!((NoLink::Down.cause().iso_code(), NoLink::Full.cause().iso_code()), ("91", "91"));
}

#[test]
fn the_next_after_those_tried() {
    let mut links = chooser(&[1, 1, 1], &[1], Policy::RoundRobin);
    let first = links.pick(|_| true).unwrap();
    let second = links.next_after(&[first], |_| true).unwrap();
    let third = links.next_after(&[first, second], |_| true).unwrap();
    let backup = links.next_after(&[first, second, third], |_| true).unwrap();
    assert_eq!([first, second, third, backup], [LinkIx(0), LinkIx(1), LinkIx(2), LinkIx(4)]);
    assert_eq!(links.next_after(&[first, second, third, backup], |_| true), None);
}

#[test]
fn credit_stays_bounded_when_links_come_and_go() {
    let mut links = chooser(&[50, 30, 9, 1], &[], Policy::Weighted);
    for round in 0_u32..100_000 {
        // A pattern of outages without a period that fits the weights.
        let up = round.wrapping_mul(2_654_435_761) >> 28;
        links.pick(|link| up >> link.0 & 1 != 0);
        assert_eq!(links.turns.iter().map(|turn| turn.credit).sum::<i64>(), 0);
        assert!(
            links.turns.iter().all(|turn| turn.credit.abs() <= 4 * 90),
            "round {round}: {:?}",
            links.turns
        );
    }
}

#[test]
fn links_that_are_no_choice_are_refused() {
    let link = |number, weight| LinkChoice { link: LinkIx(number), weight, backup: false };
    let new = |links: &[LinkChoice]| Chooser::new(links, Policy::Weighted).map(|_| ());
    assert_eq!(new(&[]), Err(ChooserFault::None));
    assert_eq!(new(&[link(1, 1), link(2, 0)]), Err(ChooserFault::Weight(LinkIx(2))));
    assert_eq!(new(&[link(1, 1), link(1, 2)]), Err(ChooserFault::Twice(LinkIx(1))));
    let many: Vec<_> = (0..65).map(|number| link(number, 1)).collect();
    assert_eq!((new(&many[..64]), new(&many)), (Ok(()), Err(ChooserFault::TooMany(65))));
    let mut sixty_four = Chooser::new(&many[..64], Policy::Weighted).unwrap();
    assert_eq!(sixty_four.pick(|link| link.0 == 63), Some(LinkIx(63)));
}
