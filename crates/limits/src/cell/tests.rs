//! The cell, line by line: what it is asked, what it says, what it has spent after that.

use super::*;

enum Step {
    Hold(u16, Minor),
    Release(u16, Minor),
    Force(u16, Minor),
}
use Step::{Force, Hold, Release};

/// A step, what the cell says to it, and the day, spent and count after it.
type Line = (Step, Result<(), Over>, (u16, Minor, u32));

/// Runs steps on a cell with a daily amount of 100 and a count of 3.
fn check(steps: &[Line]) {
    let cell = Cell::new();
    for (line, (step, says, after)) in steps.iter().enumerate() {
        let said = match *step {
            Hold(day, amount) => cell.hold(BusinessDay(day), amount, Some(100), Some(3)).map(|_| ()),
            Release(day, amount) => {
                cell.release(BusinessDay(day), amount);
                Ok(())
            }
            Force(day, amount) => {
                cell.force(BusinessDay(day), amount, 1);
                Ok(())
            }
        };
        let (day, spent, count) = cell.read();
        assert_eq!((said, (day.0, spent, count)), (*says, *after), "line {line}");
    }
}

#[test]
fn a_day_fills_and_empties() {
    check(&[
        (Hold(7, 60), Ok(()), (7, 60, 1)),
        (Hold(7, 41), Err(Over::Amount), (7, 60, 1)),
        (Hold(7, 40), Ok(()), (7, 100, 2)),
        (Hold(7, 0), Ok(()), (7, 100, 3)),
        (Hold(7, 0), Err(Over::Count), (7, 100, 3)),
        (Release(7, 40), Ok(()), (7, 60, 2)),
        (Release(7, 60), Ok(()), (7, 0, 1)),
        (Release(7, 0), Ok(()), (7, 0, 0)),
    ]);
}

#[test]
fn a_later_day_opens_and_an_earlier_one_is_charged_to_it() {
    check(&[
        (Hold(7, 100), Ok(()), (7, 100, 1)),
        (Hold(8, 30), Ok(()), (8, 30, 1)),
        (Hold(7, 70), Ok(()), (8, 100, 2)),
        (Hold(7, 1), Err(Over::Amount), (8, 100, 2)),
        // Both reservations of day 7: one is over with its day, the other stays charged to day 8.
        (Release(7, 100), Ok(()), (8, 100, 2)),
        (Release(7, 70), Ok(()), (8, 100, 2)),
        (Release(8, 30), Ok(()), (8, 70, 1)),
    ]);
}

#[test]
fn a_straggler_refused_for_the_count_gives_its_amount_back_to_the_later_day() {
    check(&[
        (Hold(8, 10), Ok(()), (8, 10, 1)),
        (Hold(8, 10), Ok(()), (8, 20, 2)),
        (Hold(8, 10), Ok(()), (8, 30, 3)),
        (Hold(7, 50), Err(Over::Count), (8, 30, 3)),
    ]);
}

#[test]
fn a_refused_transaction_opens_no_day() {
    let cell = Cell::new();
    let held = cell.reserve(BusinessDay(7), 60, 100).unwrap();
    assert_eq!(cell.hold(BusinessDay(8), 10, None, Some(0)), Err(Over::Count));
    assert_eq!(cell.read(), (BusinessDay(7), 60, 1));
    let tomorrow = cell.reserve(BusinessDay(8), 10, 100).unwrap();
    cell.undo(tomorrow, 10);
    assert_eq!(cell.read(), (BusinessDay(7), 60, 1));
    cell.undo(held, 60);
    assert_eq!(cell.read(), (BusinessDay::NEVER, 0, 0));
}

#[test]
fn a_forced_post_passes_the_ceiling_and_is_counted() {
    check(&[
        (Force(7, 150), Ok(()), (7, 150, 1)),
        (Hold(7, 0), Err(Over::Amount), (7, 150, 1)),
        (Force(6, 10), Ok(()), (7, 160, 2)),
        (Release(7, 150), Ok(()), (7, 10, 1)),
        (Hold(7, 90), Ok(()), (7, 100, 2)),
    ]);
}

#[test]
fn a_straggler_is_undone_from_the_day_it_was_charged_to() {
    let cell = Cell::new();
    cell.reserve(BusinessDay(9), 5, 100).unwrap();
    let held = cell.reserve(BusinessDay(8), 7, 100).unwrap();
    assert_eq!(cell.read(), (BusinessDay(9), 12, 2));
    cell.undo(held, 7);
    assert_eq!(cell.read(), (BusinessDay(9), 5, 1));
}

#[test]
fn an_undo_after_the_day_has_changed_takes_nothing() {
    let cell = Cell::new();
    let held = cell.reserve(BusinessDay(8), 7, 100).unwrap();
    cell.reserve(BusinessDay(9), 5, 100).unwrap();
    cell.undo(held, 7);
    assert_eq!(cell.read(), (BusinessDay(9), 5, 1));
}

#[test]
fn forty_eight_bits_are_the_end() {
    let (cell, day) = (Cell::new(), BusinessDay(u16::MAX));
    cell.hold(day, VALUE_MAX as Minor, None, None).unwrap();
    assert_eq!(cell.hold(day, 1, None, None), Err(Over::Amount));
    assert_eq!(cell.hold(day, Minor::MAX, None, None), Err(Over::Amount));
    assert_eq!(cell.hold(day, -1, None, None), Err(Over::Amount));
    assert_eq!(cell.force(day, Minor::MAX, u32::MAX), (VALUE_MAX as Minor, u32::MAX));
    assert_eq!(cell.read().0, day);
}

#[test]
fn a_negative_ceiling_admits_only_nothing() {
    let cell = Cell::new();
    assert_eq!(cell.reserve(BusinessDay(1), 1, -5), Err(Over::Amount));
    assert!(cell.reserve(BusinessDay(1), 0, -5).is_ok());
}

#[test]
fn a_cell_is_sixteen_bytes() {
    assert_eq!(size_of::<Cell>(), 16);
}
