//! The index against a plain map, through every rotation.

use super::*;
use crate::State;
use journal::Lsn;
use proptest::prelude::*;
use std::collections::HashMap;
use terms::{Kind, Mti, Stan};

fn request(slot: u64, repeat: u32) -> Request {
    let mut request = Request::new(Mti::of(0x0200), Kind::Purchase, Stan::MIN);
    (request.slot, request.repeat) = (SlotKey(slot), Check(repeat));
    request
}

/// Uniform keys, as hashes are.
fn mixed(number: u64) -> u64 {
    let mut word = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ word >> 31
}

fn settled(slot: u64, repeat: u32, lsn: u64) -> Entry {
    Entry::settled(&request(slot, repeat), State::Approved, Lsn(lsn))
}

#[test]
fn an_entry_keeps_every_field_in_its_32_bytes() {
    let entry = Entry {
        slot: SlotKey(u64::MAX - 1),
        lsn: 0x1234_5678_9ABC,
        repeat: Check(1),
        alias: Check(u32::MAX),
        content: Check(77),
        state: State::Quarantined,
        class: 9,
        flags: 0xFFF1,
    };
    assert_eq!(Entry::of_words(entry.words()), entry);
    assert_eq!(Entry::from_bytes(&entry.to_bytes()), Some(entry));
    assert_eq!(Entry::from_bytes(&[0; 32]), None);
    assert_eq!((entry.slab(), entry.owner()), (Some(0x5678_9ABC), 0xFFF));
}

#[test]
fn a_start_after_a_step_of_the_wall_clock_forgets_nothing() {
    const HOUR: i64 = 3_600_000;
    let mut index = Index::new(2000, 600_000);
    index.advance(5 * HOUR);
    index.insert(settled(mixed(7), 1, 7)).unwrap();
    // What a replay tells of a first step, then a start after a second one.
    index.advance(28 * HOUR);
    index.insert(settled(mixed(8), 1, 8)).unwrap();
    let from = index.resume(51 * HOUR);
    let knows = |index: &Index| index.find_repeat(&request(mixed(7), 1)).is_some();
    assert!(knows(&index) && from == 28 * HOUR + 75_000, "{from}");
    index.advance(from + 600_000);
    assert!(!knows(&index), "the window is over");
    assert_eq!(Index::new(2, 600_000).resume(3), 3, "nothing was ever told");
}

#[test]
fn a_full_generation_gives_way_to_the_next_and_says_so() {
    let mut index = Index::new(2000, 600_000);
    index.advance(1_000);
    for number in 0..1000 {
        index.insert(settled(mixed(number), 1, number)).unwrap();
    }
    index.advance(2_000);
    for number in 1000..2000 {
        index.insert(settled(mixed(number), 1, number)).unwrap();
    }
    assert_eq!((index.len(), index.is_complete()), (2000, true));
    assert!((0..2000).all(|number| index.find_repeat(&request(mixed(number), 1)).is_some()));
    assert!((2000..9000).all(|number| index.find_repeat(&request(mixed(number), 1)).is_none()));
    index.insert(settled(mixed(2000), 1, 2000)).unwrap();
    assert_eq!(
        (index.len(), index.complete_since()),
        (1001, 2_001),
        "the oldest thousand is gone as a whole"
    );
    assert!(index.find_repeat(&request(mixed(0), 1)).is_none());
    assert!((1000..=2000).all(|number| index.find_repeat(&request(mixed(number), 1)).is_some()));
}

#[test]
fn age_alone_drops_what_is_settled() {
    let mut index = Index::new(1000, 600_000);
    for minute in 0..=25 {
        index.advance(minute * 60_000);
        index.insert(settled(mixed(minute as u64), 1, 1)).unwrap();
    }
    let known = |minute: u64| index.find_repeat(&request(mixed(minute), 1)).is_some();
    assert!((15..=25).all(known), "ten minutes are remembered at least");
    assert!((0..10).all(|minute| !known(minute)), "and twenty at most");
}

#[test]
fn what_is_open_is_carried_over_for_ever() {
    let mut index = Index::new(200, 1_000);
    let mut open = Entry::live(&request(mixed(7), 1), 3);
    index.advance(1);
    index.insert(open).unwrap();
    open.settle(State::Reversing, Lsn(9));
    for round in 1..500_u64 {
        index.advance(round as i64 * 400);
        for number in 0..30 {
            index.insert(settled(mixed(1000 * round + number), 1, 1)).unwrap();
        }
        if round == 100 {
            assert!(index.update(open.slot, open.repeat, |entry| entry.settle(State::Reversing, Lsn(9))));
        }
    }
    assert_eq!(index.find_repeat(&request(mixed(7), 1)), Some(open));
    assert!(index.update(open.slot, open.repeat, |entry| entry.settle(State::Reversed, Lsn(10))));
    index.advance(500 * 400);
    index.advance(1_000_000);
    index.insert(settled(mixed(1), 1, 1)).unwrap();
    index.advance(2_000_000);
    index.advance(3_000_000);
    assert_eq!(index.find_repeat(&request(mixed(7), 1)), None);
}

#[test]
fn a_tombstone_stays_a_day() {
    let mut index = Index::new(100, 60_000);
    let original = OriginalRef { slot: SlotKey(mixed(5)), repeat: Check::ANY, alias: Check(9), class: 2 };
    index.insert(Entry::tombstone(&original, 0, Lsn(3), 0)).unwrap();
    let mut late = request(mixed(5), 77);
    late.alias = Check(9);
    for hour in 0..24 {
        index.advance(hour * 3_600_000);
        index.insert(settled(mixed(hour as u64 + 100), 1, 1)).unwrap();
        let found = index.find_repeat(&late).map(|entry| entry.state);
        assert_eq!(found, Some(State::Tombstone), "hour {hour}");
    }
    let other = Request { alias: Check(10), ..late };
    assert_eq!(index.find_repeat(&other), None, "another purchase under the same number is not reversed");
    for hour in 24..27 {
        index.advance(hour * 3_600_000);
        index.insert(settled(mixed(hour as u64 + 100), 1, 1)).unwrap();
    }
    assert_eq!(index.find_repeat(&late), None);
}

#[test]
fn an_index_full_of_open_entries_refuses_and_forgets_nothing() {
    let mut index = Index::new(100, 60_000);
    index.advance(1);
    let live = |number: u64| Entry::live(&request(mixed(number), 1), number as u32);
    let taken = (0..).take_while(|number| index.insert(live(*number)).is_ok()).count();
    assert_eq!((taken, index.is_full()), (100, true));
    assert_eq!(index.insert(live(5000)), Err(IndexFull { entries: 100 }));
    assert!((0..100).all(|number| index.find_repeat(&request(mixed(number), 1)).is_some()));
    for number in 0..20 {
        assert!(
            index.update(SlotKey(mixed(number)), Check(1), |entry| entry.settle(State::Approved, Lsn(1)))
        );
    }
    assert_eq!((index.insert(live(5000)), index.is_full()), (Ok(()), false));
}

#[test]
fn many_neighbours_in_one_slot_are_refused_not_searched_for_ever() {
    let mut index = Index::new(100_000, 60_000);
    index.advance(1);
    let taken = (0..).take_while(|repeat| index.insert(settled(42, *repeat, 1)).is_ok()).count();
    assert_eq!(taken, 1024);
    assert!(index.insert(settled(mixed(1), 1, 1)).is_ok(), "others are not concerned");
}

#[test]
fn the_newest_original_is_meant() {
    let mut index = Index::new(1000, 60_000);
    index.advance(1);
    for (repeat, lsn) in [(1, 50), (2, 70), (3, 60)] {
        index.insert(settled(8, repeat, lsn)).unwrap();
    }
    let any = OriginalRef { slot: SlotKey(8), repeat: Check::ANY, alias: Check::ANY, class: 0 };
    assert_eq!(index.find_original(&any).unwrap().lsn, 70);
    index.insert(Entry::live(&request(8, 4), 5)).unwrap();
    assert_eq!(index.find_original(&any).unwrap().slab(), Some(5), "one under way is newer than any record");
    let named = OriginalRef { repeat: Check(3), ..any };
    assert_eq!(index.find_original(&named).unwrap().lsn, 60);
    assert_eq!(index.find_original(&OriginalRef { class: 1, ..named }), None);
}

#[test]
fn owners_are_dealt_out_evenly_to_any_number_of_shards() {
    for shards in [1, 2, 3, 7, 64] {
        let mut dealt = vec![0_u32; shards];
        (0..64_000).for_each(|owner| dealt[shard_of(mixed(owner), shards)] += 1);
        let share = 64_000 / shards as u32;
        assert!(dealt.iter().all(|count| count.abs_diff(share) < share / 4 + 64), "{shards}: {dealt:?}");
    }
    let entry = settled(mixed(3), 1, 1);
    assert_eq!(shard_of_tag(entry.owner(), 7), shard_of(request(0, 0).owner(), 7));
}

#[derive(Clone, Debug)]
enum Step {
    Insert { slot: u64, live: bool },
    Settle { which: prop::sample::Index, state: State },
    Remove { which: prop::sample::Index },
    Wait { ms: i64 },
}

fn steps() -> impl Strategy<Value = Step> {
    let which = any::<prop::sample::Index>;
    prop_oneof![
        10 => (0..40_u64, any::<bool>()).prop_map(|(slot, live)| Step::Insert { slot, live }),
        6 => (which(), prop::sample::select(&State::ALL[..5]))
            .prop_map(|(which, state)| Step::Settle { which, state }),
        1 => which().prop_map(|which| Step::Remove { which }),
        2 => (0..400_i64).prop_map(|ms| Step::Wait { ms }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is found is what was put in; what is open, or younger than the claim of completeness, is found.
    #[test]
    fn the_index_is_a_map_that_may_forget(entries in 40..120_usize, steps in prop::collection::vec(steps(), 1..400)) {
        let mut index = Index::new(entries, 1_000);
        let mut model: HashMap<(u64, u32), (Entry, i64)> = HashMap::new();
        let mut now = 1;
        index.advance(now);
        for (number, step) in (1_u32..).zip(steps) {
            let pick = |which: prop::sample::Index, model: &HashMap<(u64, u32), _>| {
                let mut keys: Vec<_> = model.keys().copied().collect();
                keys.sort_unstable();
                (!keys.is_empty()).then(|| keys[which.index(keys.len())])
            };
            match step {
                Step::Insert { slot, live } => {
                    let entry = match live {
                        true => Entry::live(&request(mixed(slot), number), number),
                        false => settled(mixed(slot), number, u64::from(number)),
                    };
                    let full = index.is_full();
                    let inserted = index.insert(entry);
                    prop_assert!(inserted.is_ok() != full);
                    if inserted.is_ok() {
                        model.insert((mixed(slot), number), (entry, now));
                    }
                }
                Step::Settle { which, state } => if let Some(key) = pick(which, &model) {
                    let change = |entry: &mut Entry| entry.settle(state, Lsn(u64::from(number)));
                    if index.update(SlotKey(key.0), Check(key.1), change) {
                        change(&mut model.get_mut(&key).unwrap().0);
                    } else {
                        model.remove(&key);
                    }
                },
                Step::Remove { which } => if let Some(key) = pick(which, &model) {
                    index.remove(SlotKey(key.0), Check(key.1));
                    model.remove(&key);
                },
                Step::Wait { ms } => {
                    now += ms;
                    index.advance(now);
                }
            }
            for ((slot, repeat), (entry, since)) in &model {
                match index.find_repeat(&request(*slot, *repeat)) {
                    Some(found) => prop_assert_eq!(found, *entry),
                    None => prop_assert!(!entry.is_open() && *since < index.complete_since()),
                }
            }
            prop_assert!(index.len() <= model.len() && index.len() <= index.capacity());
            prop_assert_eq!(index.iter().count(), index.len());
            for entry in index.iter() {
                prop_assert!(model.contains_key(&(entry.slot.0, entry.repeat.0)), "{:?} was never put in", entry);
            }
        }
    }
}
