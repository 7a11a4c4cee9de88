//! What goes wrong as often as messages come: told once a second for each peer, with how often it was not told.
//! Never a field's secret content: errors of the codec name field, byte, expectation and what came. Guards: a peer cannot
//! fill the log, and cannot keep another peer's troubles out of it.

use terms::Tick;

/// Everything that one worker complains about. Bounded by the configuration: a few words per listener and link.
pub struct Complaints {
    /// Requests that an issuer's dialect cannot say.
    pub unsayable: Pace,
    /// By `ListenerIx`.
    pub listeners: Vec<Peer>,
    /// By `LinkIx`.
    pub links: Vec<Peer>,
}

impl Complaints {
    /// None yet.
    pub fn new(listeners: usize, links: usize) -> Self {
        let peers = |count| std::iter::repeat_with(Peer::default).take(count).collect();
        Self { unsayable: Pace::default(), listeners: peers(listeners), links: peers(links) }
    }
}

/// What is told about the connections of one listener, or about one link.
#[derive(Default)]
pub struct Peer {
    /// Messages that are wrong in themselves.
    pub messages: Pace,
    /// Connections given up for what came on them. Apart, so that a flood of the others hides none of these.
    pub drops: Pace,
}

/// One kind of complaint about one peer.
#[derive(Default)]
pub struct Pace {
    again: Tick,
    kept: u64,
}

impl Pace {
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
        let mut pace = Pace::default();
        let told: Vec<_> = [5, 6, 500_000, 1_000_004, 1_000_005, 1_000_006, 9_000_000]
            .map(|tick| pace.tell(Tick(tick)))
            .into();
        assert_eq!(told, [Some(0), None, None, None, Some(3), None, Some(1)]);
    }

    #[test]
    fn one_peer_s_noise_hides_nothing_of_another_nor_its_own_end() {
        let mut complaints = Complaints::new(2, 1);
        let now = Tick(7);
        assert_eq!(complaints.listeners[0].messages.tell(now), Some(0));
        assert_eq!(complaints.listeners[0].messages.tell(now), None);
        assert_eq!(complaints.listeners[0].drops.tell(now), Some(0));
        assert_eq!(complaints.listeners[1].messages.tell(now), Some(0));
        assert_eq!(complaints.links[0].messages.tell(now), Some(0));
        assert_eq!(complaints.unsayable.tell(now), Some(0));
    }
}
