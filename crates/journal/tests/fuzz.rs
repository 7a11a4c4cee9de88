//! The body of the fuzz target over damages of every kind and random bytes.

use journal::testing::fuzz_journal;

struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u8
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next()).collect()
    }
}

fn dice() -> Dice {
    let seed = 77_123;
    println!("seed {seed}");
    Dice(seed)
}

#[test]
fn a_few_bytes_changed_anywhere() {
    let mut dice = dice();
    for round in 0..600 {
        let changes = dice.bytes(7 * (1 + round % 3));
        fuzz_journal(&[&[0][..], &changes].concat());
    }
}

/// What the fuzzer found: the last group spoiled together with the one it would have been a witness for.
#[test]
fn two_groups_at_the_end_changed_at_once() {
    fuzz_journal(&[0, 0x2b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xd9, 0xdf, 0xff, 0x11, 0x11, 0x11, 0x11, 0x11]);
}

#[test]
fn batches_with_right_checksums_and_any_content() {
    let mut dice = dice();
    for round in 0..2_000 {
        let mut data = dice.bytes(41);
        data[0] = 1;
        // Mostly one field out of its place, sometimes several, sometimes none.
        data[1..9]
            .iter_mut()
            .enumerate()
            .for_each(|(at, byte)| *byte = u8::from(round % 11 == at || *byte < 12));
        for _ in 0..round % 5 {
            let len = dice.next() % 60;
            data.extend([len, 0, dice.next() % 4, 0, 1, 0, 0, 0]);
            data.extend(dice.bytes(usize::from(len).next_multiple_of(8)));
        }
        fuzz_journal(&data);
    }
}

#[test]
fn any_bytes_as_a_segment() {
    let mut dice = dice();
    for len in (0..9000).step_by(37) {
        let mut data = dice.bytes(len);
        data.first_mut().into_iter().for_each(|mode| *mode = 2);
        fuzz_journal(&data);
    }
}
