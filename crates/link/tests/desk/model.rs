//! The desk against a searched list of pending messages, under random acts; and what must hold after each.

use crate::chance::Chance;
use link::{Desk, DeskConfig, Match};
use std::collections::HashMap;
use terms::{Now, Stan, Tick, TransmissionTime};

/// What the list knows of a message under way.
#[derive(Clone, Copy, Debug)]
struct Pending {
    stan: Stan,
    transmission: TransmissionTime,
    class: u8,
    ticket: u64,
    due: u64,
    sent: bool,
}

struct World {
    desk: Desk,
    now: Now,
    pending: Vec<Pending>,
    /// How often each ticket ended; must come to one.
    ended: HashMap<u64, u32>,
    tickets: u64,
    chance: Chance,
}

const MS: u64 = 1_000;

impl World {
    fn seeded(seed: u64) -> Self {
        let mut chance = Chance::seeded(seed);
        let workers = 1 + chance.below(5) as u16;
        let config = DeskConfig {
            worker: chance.below(u64::from(workers)) as u16,
            workers,
            window: 1 + chance.below(200) as u32,
            has_transmission: chance.below(3) > 0,
            rest_ms: 2_000,
            late_ms: chance.below(5_000),
        };
        let now = Now::at(Tick(chance.spread(40)), 1_795_000_000_000);
        Self { desk: Desk::new(config), now, pending: Vec::new(), ended: HashMap::new(), tickets: 0, chance }
    }

    fn step(&mut self) {
        match self.chance.below(12) {
            0..=3 => self.permit(),
            4..=5 => self.send(),
            6 => self.reverse(),
            7..=8 => self.answer(),
            9 => self.withdraw(),
            10 => self.advance(),
            _ if self.chance.below(40) == 0 => self.lose(),
            _ => self.garbage(),
        }
        let purchases = self.pending.iter().filter(|pending| pending.class != 4).count();
        assert_eq!(self.desk.in_flight() as usize, purchases);
        assert_eq!(self.desk.reversals_in_flight() as usize, self.pending.len() - purchases);
        let due = self
            .pending
            .iter()
            .filter(|pending| pending.sent)
            .map(|pending| pending.due.div_ceil(MS) * MS)
            .min();
        if let Some(due) = due {
            let next = self.desk.next_deadline().expect("something is due");
            assert!(next.0 <= due.max(self.now.tick.0), "looks at {next:?}, due at {due}");
        }
    }

    fn permit(&mut self) {
        let full =
            self.pending.iter().filter(|pending| pending.class != 4).count() == self.desk.window() as usize;
        let Some((stan, transmission)) = self.desk.permit(&self.now) else {
            assert!(full, "refused with room in the window");
            return;
        };
        assert!(!full && self.desk.owns(stan));
        assert!(
            self.pending.iter().all(|other| other.class == 4 || other.stan != stan),
            "{stan} is under way"
        );
        self.pending.push(Pending { stan, transmission, class: 0, ticket: 0, due: 0, sent: false });
    }

    fn send(&mut self) {
        let Some(at) = self.pending.iter().position(|pending| !pending.sent) else { return };
        let (ticket, due) = (self.ticket(), self.deadline());
        let class = 1 + self.chance.below(2) as u8;
        let pending = &mut self.pending[at];
        (pending.sent, pending.ticket, pending.due, pending.class) = (true, ticket, due.0, class);
        self.desk.sent_as(class, pending.stan, ticket, due);
    }

    fn reverse(&mut self) {
        let (ticket, due) = (self.ticket(), self.deadline());
        let Some(stan) = self.desk.open_reversal(None, self.now.transmission, ticket, due, &self.now) else {
            return;
        };
        assert!(
            self.pending.iter().all(|other| other.class != 4 || other.stan != stan),
            "{stan} is under way"
        );
        let transmission = self.now.transmission;
        self.pending.push(Pending { stan, transmission, class: 4, ticket, due: due.0, sent: true });
    }

    fn answer(&mut self) {
        let Some(at) = self.any() else { return };
        let Pending { stan, transmission, class, ticket, sent, .. } = self.pending[at];
        if !sent {
            return;
        }
        assert_eq!(self.desk.matches(class, stan, transmission), Match::InTime { ticket });
        self.pending.swap_remove(at);
        self.end(ticket);
        // Until its deadline and some, a second one is told as such; never a second time in time.
        let again = self.desk.matches(class, stan, transmission);
        assert!(!matches!(again, Match::InTime { .. }), "{again:?}");
    }

    fn withdraw(&mut self) {
        let Some(at) = self.any() else { return };
        let Pending { stan, class, ticket, sent, .. } = self.pending[at];
        if class == 4 {
            return;
        }
        self.pending.swap_remove(at);
        if self.chance.below(2) == 0 {
            self.desk.give_back(stan)
        } else {
            self.desk.retire(stan)
        }
        if sent {
            self.end(ticket);
        }
    }

    fn advance(&mut self) {
        let by = self.chance.spread(26);
        self.now = Now::at(Tick(self.now.tick.0 + by), self.now.wall_ms + (by / MS) as i64);
        let mut out = Vec::new();
        self.desk.expire(self.now.tick, &mut out);
        let now = self.now.tick.0 / MS;
        self.compare(out, |pending| pending.sent && pending.due.div_ceil(MS) <= now);
    }

    fn lose(&mut self) {
        let mut out = Vec::new();
        self.desk.lost(&mut out);
        self.compare(out, |pending| pending.sent);
    }

    /// Anything may come from a link; what is under way is only ended by its own key.
    fn garbage(&mut self) {
        let stan = Stan::new(1 + self.chance.below(999_999) as u32).expect("in range");
        let class = self.chance.below(10) as u8;
        let transmission = TransmissionTime(self.chance.spread(31) as u32);
        if self.pending.iter().any(|pending| pending.stan == stan) {
            return;
        }
        let found = self.desk.matches(class, stan, transmission);
        assert!(!matches!(found, Match::InTime { .. }), "{found:?}");
    }

    fn compare(&mut self, mut out: Vec<(u64, bool)>, ends: impl Fn(&Pending) -> bool) {
        let ended = self.pending.iter().filter(|pending| ends(pending));
        let mut expected: Vec<_> = ended.map(|pending| (pending.ticket, pending.class == 4)).collect();
        self.pending.retain(|pending| !ends(pending));
        out.sort_unstable();
        expected.sort_unstable();
        assert_eq!(out, expected);
        out.iter().for_each(|(ticket, _)| self.end(*ticket));
    }

    fn end(&mut self, ticket: u64) {
        *self.ended.entry(ticket).or_default() += 1;
    }

    fn any(&mut self) -> Option<usize> {
        let count = self.pending.len() as u64;
        (count > 0).then(|| self.chance.below(count) as usize)
    }

    fn ticket(&mut self) -> u64 {
        self.tickets += 1;
        self.tickets
    }

    fn deadline(&mut self) -> Tick {
        Tick(self.now.tick.0 + self.chance.spread(25))
    }
}

#[test]
fn does_what_a_searched_list_does_and_ends_everything_once() {
    for seed in 0..200 {
        println!("seed {seed}");
        let mut world = World::seeded(seed);
        (0..1_500).for_each(|_| world.step());
        world.lose();
        assert!(world.ended.values().all(|times| *times == 1), "a message ended twice");
        assert!(world.pending.iter().all(|pending| !pending.sent), "a message never ended");
    }
}

#[test]
fn a_lost_link_ends_a_thousand_in_flight_once_each() {
    let config = DeskConfig {
        worker: 0,
        workers: 2,
        window: 1_000,
        has_transmission: true,
        rest_ms: 0,
        late_ms: 60_000,
    };
    let (mut desk, now) = (Desk::new(config), Now::at(Tick(5), 1_795_000_000_000));
    let permits: Vec<_> = (0..1_000).map(|_| desk.permit(&now).expect("room")).collect();
    for (ticket, (stan, _)) in (0..).zip(&permits) {
        desk.sent_as(2, *stan, ticket, now.tick.plus_ms(28_000));
    }
    let mut out = Vec::new();
    desk.lost(&mut out);
    desk.lost(&mut out);
    desk.expire(now.tick.plus_ms(28_000), &mut out);
    out.sort_unstable();
    assert_eq!(out, (0..1_000).map(|ticket| (ticket, false)).collect::<Vec<_>>());
    // What the issuer had approved before the link died may come over the next connection.
    for (ticket, (stan, transmission)) in (0..).zip(permits) {
        assert_eq!(desk.matches(2, stan, transmission), Match::Late { ticket });
    }
    assert_eq!(desk.in_flight(), 0);
}

#[test]
fn two_workers_on_one_link_never_use_one_number() {
    let now = Now::at(Tick(0), 1_795_000_000_000);
    let mut seen = vec![false; 1_000_000];
    for worker in 0..3 {
        let config =
            DeskConfig { worker, workers: 3, window: 9, has_transmission: true, rest_ms: 0, late_ms: 0 };
        let mut desk = Desk::new(config);
        while let Some((stan, _)) = desk.permit(&now) {
            assert!(link::worker_of(stan, 3) == worker && desk.owns(stan));
            assert!(!std::mem::replace(&mut seen[stan.get() as usize], true), "{stan} twice");
            desk.give_back(stan);
        }
    }
    assert_eq!(seen.iter().filter(|seen| **seen).count(), 999_999, "all of them, in one lap");
}
