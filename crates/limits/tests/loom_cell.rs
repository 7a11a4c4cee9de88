//! The interleavings of two and three threads on one cell, and on the free list below the store: of two threads all of
//! them, of three those with at most four forced switches (all of three would take hours).
//!
//! Run with `RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target-loom cargo test -p limits --test loom_cell --release`.
//! Guards: never over the ceiling, nothing lost, nothing given back twice, whatever the order.
#![cfg(loom)]

use limits::Cell;
use limits::walked::Slab;
use loom::sync::Arc;
use loom::thread;
use terms::{BusinessDay, Minor};

const TODAY: BusinessDay = BusinessDay(100);
const TOMORROW: BusinessDay = BusinessDay(101);
const SWITCHES: usize = 4;

/// Runs `threads` on one cell that has spent `spent` today, in every order, then `after`.
fn walk(
    spent: Minor,
    threads: &'static [fn(&Cell) -> bool],
    after: impl Fn(&Cell, &[bool]) + Send + Sync + 'static,
) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = (threads.len() > 2).then_some(SWITCHES);
    builder.check(move || {
        let cell = Arc::new(Cell::new());
        if spent > 0 {
            cell.force(TODAY, spent, 1);
        }
        let others: Vec<_> = threads[1..]
            .iter()
            .map(|run| {
                let cell = Arc::clone(&cell);
                thread::spawn(move || run(&cell))
            })
            .collect();
        let mut said = vec![threads[0](&cell)];
        said.extend(others.into_iter().map(|other| other.join().unwrap()));
        after(&cell, &said);
    });
}

fn hold(cell: &Cell, day: BusinessDay, amount: Minor) -> bool {
    cell.hold(day, amount, Some(100), Some(2)).is_ok()
}

#[test]
fn of_two_that_do_not_both_fit_one_is_held() {
    walk(0, &[|cell| hold(cell, TODAY, 60), |cell| hold(cell, TODAY, 60)], |cell, said| {
        assert!(said[0] ^ said[1]);
        assert_eq!(cell.read(), (TODAY, 60, 1));
    });
}

#[test]
fn of_three_that_the_count_does_not_admit_two_are_held() {
    walk(
        0,
        &[|cell| hold(cell, TODAY, 1), |cell| hold(cell, TODAY, 1), |cell| hold(cell, TODAY, 1)],
        |cell, said| {
            assert_eq!(said.iter().filter(|held| **held).count(), 2);
            assert_eq!(cell.read(), (TODAY, 2, 2));
        },
    );
}

#[test]
fn held_and_released_leaves_nothing() {
    let pass: fn(&Cell) -> bool = |cell| {
        let held = hold(cell, TODAY, 50);
        if held {
            cell.release(TODAY, 50);
        }
        held
    };
    walk(0, Box::leak(Box::new([pass, pass])), |cell, said| {
        assert!(said.iter().all(|held| *held));
        assert_eq!(cell.read(), (TODAY, 0, 0));
    });
}

#[test]
fn reserve_today_reserve_tomorrow_release_today() {
    // Today's first purchase (40) is released while one of today and the first of tomorrow come in.
    walk(
        40,
        &[
            |cell| hold(cell, TODAY, 70),
            |cell| hold(cell, TOMORROW, 60),
            |cell| {
                cell.release(TODAY, 40);
                true
            },
        ],
        |cell, said| {
            let (day, spent, count) = cell.read();
            assert_eq!(day, if said[1] { TOMORROW } else { TODAY });
            assert!(said[0] || said[1], "one of them fits in every order");
            // Today's is either over with its day, or, coming after it, charged to tomorrow; then 60 + 70 does not fit.
            assert!(spent <= 100, "over the ceiling: {spent}");
            let expected: &[Minor] = if said[1] { &[60] } else { &[70] };
            assert!(expected.contains(&spent), "{said:?} {spent}");
            // A straggler between tomorrow's two steps may be counted with tomorrow: never under, at most the ceiling.
            assert!((1..=2).contains(&count), "{said:?} {count}");
        },
    );
}

#[test]
fn a_straggler_and_tomorrow_never_pass_the_ceiling_and_release_exactly() {
    walk(
        0,
        &[
            |cell| hold(cell, TODAY, 30),
            |cell| {
                let held = hold(cell, TOMORROW, 60);
                if held {
                    cell.release(TOMORROW, 60);
                }
                held
            },
        ],
        |cell, said| {
            assert!(said[0] && said[1], "both fit in every order");
            let (day, spent, count) = cell.read();
            // Before tomorrow: gone with its day. After it: charged to tomorrow, and kept there.
            assert!(day == TOMORROW && (spent == 0 || spent == 30), "{day} {spent}");
            assert!(count <= 1 && (spent == 0 || count == 1), "{spent} {count}");
        },
    );
}

#[test]
fn an_undo_across_the_day_change_is_exact() {
    // The count is full today, so the reservation of today is undone, while tomorrow opens.
    loom::model(|| {
        let cell = Arc::new(Cell::new());
        cell.force(TODAY, 10, 2);
        let other = Arc::clone(&cell);
        let tomorrow = thread::spawn(move || hold(&other, TOMORROW, 60));
        let today = hold(&cell, TODAY, 30);
        assert!(tomorrow.join().unwrap());
        let (day, spent, count) = cell.read();
        let straggled = if today { [60, 90] } else { [60, 60] };
        assert!(day == TOMORROW && straggled.contains(&spent), "{today} {spent}");
        assert!(count == 1 || (today && count == 2), "{today} {count}");
    });
}

#[test]
fn a_refusal_while_its_day_is_opened_by_another_loses_nothing() {
    // One opens tomorrow and takes it back (another scope refused), one is admitted tomorrow.
    loom::model(|| {
        let cell = Arc::new(Cell::new());
        cell.force(TODAY, 10, 1);
        let other = Arc::clone(&cell);
        let admitted = thread::spawn(move || hold(&other, TOMORROW, 60));
        if let Ok(held) = cell.reserve(TOMORROW, 40, 100) {
            cell.undo(held, 40);
        }
        assert!(admitted.join().unwrap());
        assert_eq!(cell.read(), (TOMORROW, 60, 1));
    });
}

#[test]
fn a_straggler_beside_a_refused_opening_is_counted_once() {
    loom::model(|| {
        let cell = Arc::new(Cell::new());
        cell.force(TODAY, 10, 1);
        let other = Arc::clone(&cell);
        let straggler = thread::spawn(move || hold(&other, TODAY, 60));
        if let Ok(held) = cell.reserve(TOMORROW, 40, 100) {
            cell.undo(held, 40);
        }
        assert!(straggler.join().unwrap(), "70 fits today, 100 fits tomorrow");
        let (day, spent, count) = cell.read();
        let counted = if day == TODAY { spent == 70 && count == 2 } else { [0, 60].contains(&spent) };
        assert!(counted, "{day} {spent} {count}");
    });
}

#[test]
fn two_undos_in_reverse_order_of_their_holds() {
    loom::model(|| {
        let cell = Arc::new(Cell::new());
        let run = |cell: &Cell| {
            let held = cell.reserve(TODAY, 40, 100).unwrap();
            cell.undo(held, 40);
        };
        let other = Arc::clone(&cell);
        let second = thread::spawn(move || run(&other));
        run(&cell);
        second.join().unwrap();
        let (day, spent, count) = cell.read();
        assert!(
            (spent, count) == (0, 0) && (day == TODAY || day == BusinessDay::NEVER),
            "{day} {spent} {count}"
        );
    });
}

#[test]
fn forced_posts_are_never_lost() {
    walk(
        0,
        &[
            |cell| cell.force(TODAY, 80, 1).0 > 0,
            |cell| cell.force(TODAY, 90, 1).0 > 0,
            |cell| hold(cell, TODAY, 20),
        ],
        |cell, said| {
            let held = Minor::from(said[2]);
            assert_eq!(cell.read(), (TODAY, 170 + 20 * held, 2 + held as u32));
        },
    );
}

#[test]
fn a_number_is_never_handed_out_twice() {
    loom::model(|| {
        let slab = Arc::new(Slab::new(2));
        let first = slab.take().unwrap();
        let second = slab.take().unwrap();
        slab.give(first);
        let other = Arc::clone(&slab);
        let run = thread::spawn(move || {
            other.give(second);
            other.take()
        });
        let mine = slab.take();
        let theirs = run.join().unwrap();
        assert!(mine.is_some() && theirs.is_some() && mine != theirs, "{mine:?} {theirs:?}");
        assert_eq!(slab.take(), None);
    });
}
