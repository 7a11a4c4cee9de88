//! What goes wrong as often as messages come: told once a second, with how often it was not told.
//! Never a field's content: errors of the codec name field and expectation. Guards: a peer cannot fill the log.

use terms::Tick;

/// One kind of complaint of one worker.
#[derive(Default)]
pub struct Complaints {
    again: Tick,
    kept: u64,
}

impl Complaints {
    /// Whether to tell this one: how many were kept back since the last, or `None`.
    pub fn tell(&mut self, now: Tick) -> Option<u64> {
        if now < self.again {
            self.kept += 1;
            return None;
        }
        self.again = now.plus_ms(1_000);
        Some(std::mem::take(&mut self.kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_a_second_is_told_with_the_count_of_the_others() {
        let mut complaints = Complaints::default();
        let told: Vec<_> = [5, 6, 500_000, 1_000_004, 1_000_005, 1_000_006, 9_000_000]
            .map(|tick| complaints.tell(Tick(tick)))
            .into();
        assert_eq!(told, [Some(0), None, None, None, Some(3), None, Some(1)]);
    }
}
