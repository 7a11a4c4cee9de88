//! Scripts for the desk, one line an act: `permit -> 000001`, `answer 2 1 -> in time 7`. One interpreter knows the API.

use link::{Desk, DeskConfig, Match};
use std::collections::HashMap;
use terms::{Now, Stan, Tick, TransmissionTime};

/// A desk and what the script says about the world: the time, and the DE 7 under which each STAN went out.
pub struct Ledger {
    desk: Desk,
    now: Now,
    transmissions: HashMap<(bool, u32), TransmissionTime>,
    lost_up_to: u32,
}

/// Plays a script; every line with `->` must come out as it says.
pub fn check(script: &str) {
    let mut lines = script.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut ledger = Ledger::open(lines.next().expect("a script begins with its desk"));
    for line in lines {
        let (act, expected) = line.split_once("->").unwrap_or((line, ""));
        let outcome = ledger.act(act.trim());
        let outcome = if expected.is_empty() { "" } else { &outcome };
        assert_eq!(outcome, expected.trim(), "{line}");
        assert!(ledger.desk.in_flight() <= ledger.desk.window());
    }
}

impl Ledger {
    fn open(line: &str) -> Self {
        let config = DeskConfig {
            worker: value(line, "worker").unwrap_or(0) as u16,
            workers: value(line, "workers").unwrap_or(1) as u16,
            window: value(line, "window").unwrap_or(100) as u32,
            has_transmission: !line.contains("no-de7"),
            rest_ms: value(line, "rest").unwrap_or(56_000),
            late_ms: value(line, "late").unwrap_or(1_000),
        };
        let mut ledger = Self {
            desk: Desk::new(config),
            now: Now::default(),
            transmissions: HashMap::new(),
            lost_up_to: 0,
        };
        ledger.set_time(0);
        ledger
    }

    fn act(&mut self, act: &str) -> String {
        let words: Vec<_> = act.split_whitespace().collect();
        let stan = || Stan::new(words[1].parse().expect("a STAN")).expect("a STAN");
        match words[0] {
            "at" => self.set_time(words[1].parse().expect("milliseconds")),
            "permit" => return self.permit(),
            "permits" => return self.permits(words[1].parse().expect("a number")),
            "pass" => return self.pass(words[1].parse().expect("a number")),
            "sent" => self.sent(stan(), act),
            "give_back" => self.desk.give_back(stan()),
            "retire" => self.desk.retire(stan()),
            "answer" => return self.answer(act, &words),
            "reversal" => return self.reversal(act),
            "expire" => return self.tickets(|desk, now, out| desk.expire(now, out)),
            "lost" => return self.tickets(|desk, _, out| desk.lost(out)),
            "lose_all" => self.lose_all(),
            "in_flight" => return self.desk.in_flight().to_string(),
            "reversals" => return self.desk.reversals_in_flight().to_string(),
            "next" => {
                return self.desk.next_deadline().map_or("never".into(), |at| (at.0 / 1000).to_string());
            }
            other => panic!("no such act: {other}"),
        }
        String::new()
    }

    fn set_time(&mut self, ms: u64) {
        self.now = Now::at(Tick(ms * 1000), 1_795_000_000_000 + ms as i64);
    }

    fn permit(&mut self) -> String {
        let Some((stan, transmission)) = self.desk.permit(&self.now) else { return "full".into() };
        self.transmissions.insert((false, stan.get()), transmission);
        stan.to_string()
    }

    /// So many permits that stay; the last STAN.
    fn permits(&mut self, count: u32) -> String {
        (0..count).map(|_| self.permit()).last().unwrap_or_default()
    }

    /// So many permits given back at once, a second passing every 900,000; the last STAN.
    fn pass(&mut self, count: u32) -> String {
        let mut last = String::new();
        for done in 0..count {
            let (stan, _) =
                self.desk.permit(&self.now).unwrap_or_else(|| panic!("full after {done}, {last}"));
            self.desk.give_back(stan);
            last = stan.to_string();
        }
        last
    }

    /// Sends every permit that is held, and loses the link.
    fn lose_all(&mut self) {
        let held: Vec<_> =
            self.transmissions.drain().map(|((_, stan), transmission)| (stan, transmission)).collect();
        for (stan, _) in held.iter().filter(|(stan, _)| *stan > self.lost_up_to) {
            self.desk.sent(Stan::new(*stan).expect("a STAN"), u64::from(*stan), Tick(28_000_000));
        }
        self.lost_up_to = held.iter().map(|(stan, _)| *stan).max().unwrap_or(0);
        self.transmissions.extend(held.into_iter().map(|(stan, transmission)| ((false, stan), transmission)));
        self.desk.lost(&mut Vec::new());
    }

    fn sent(&mut self, stan: Stan, act: &str) {
        let class = value(act, "class").unwrap_or(2) as u8;
        let deadline = Tick(value(act, "due").unwrap_or(28_000) * 1000);
        self.desk.sent_as(class, stan, value(act, "ticket").unwrap_or(u64::from(stan.get())), deadline);
    }

    fn answer(&mut self, act: &str, words: &[&str]) -> String {
        let class: u8 = words[1].parse().expect("a class");
        let stan = Stan::new(words[2].parse().expect("a STAN")).expect("a STAN");
        let known = self.transmissions.get(&(class == 4, stan.get()));
        let transmission = match act {
            act if act.contains("without-de7") => TransmissionTime::NONE,
            act if act.contains("other-de7") => TransmissionTime(1_231_235_959),
            _ => known.copied().unwrap_or(self.now.transmission),
        };
        match self.desk.matches(class, stan, transmission) {
            Match::InTime { ticket } => format!("in time {ticket}"),
            Match::Late { ticket } => format!("late {ticket}"),
            Match::Advised { ticket } => format!("advised {ticket}"),
            Match::Unmatched(reason) => reason.to_string(),
        }
    }

    fn reversal(&mut self, act: &str) -> String {
        let stan = value(act, "stan").map(|stan| Stan::new(stan as u32).expect("a STAN"));
        let again = stan.and_then(|stan| self.transmissions.get(&(true, stan.get()))).copied();
        let transmission = again.filter(|_| act.contains("again")).unwrap_or(self.now.transmission);
        let ticket = value(act, "ticket").unwrap_or(0);
        let deadline = Tick(value(act, "due").unwrap_or(28_000) * 1000);
        let Some(stan) = self.desk.open_reversal(stan, transmission, ticket, deadline, &self.now) else {
            return "full".into();
        };
        self.transmissions.insert((true, stan.get()), transmission);
        stan.to_string()
    }

    fn tickets(&mut self, act: impl FnOnce(&mut Desk, Tick, &mut Vec<(u64, bool)>)) -> String {
        let mut out = Vec::new();
        act(&mut self.desk, self.now.tick, &mut out);
        out.sort_unstable();
        let shown =
            out.iter().map(|(ticket, reversal)| format!("{ticket}{}", if *reversal { "r" } else { "" }));
        let shown: Vec<_> = shown.collect();
        if shown.is_empty() { "nothing".into() } else { shown.join(" ") }
    }
}

fn value(line: &str, name: &str) -> Option<u64> {
    let word = line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
    Some(word.parse().unwrap_or_else(|_| panic!("{name} in: {line}")))
}
