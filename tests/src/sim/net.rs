//! The network between terminals, switch and issuers: connections that delay, drip, swallow and break.
//!
//! Never reorders within a connection; connections overtake each other as they like. Guards: a byte that was taken from the
//! switch arrives once or never.

use super::pipe::{Noticed, Pipe};
use super::world::{Event, World};
use std::collections::VecDeque;
use switch::serve::stepped::Line;
use terms::{LinkIx, ListenerIx};

/// An answer that is kept back so long comes after every deadline.
const LATE_US: u64 = 5_000_000;

/// Who is at the other end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Peer {
    /// A terminal.
    Till(u16),
    /// An issuer, over a link.
    Bank(usize, LinkIx),
}

/// What travels.
enum Parcel {
    Bytes(Vec<u8>),
    End,
    Reset,
}

/// One connection.
pub struct Wire {
    pipe: Pipe,
    line: Option<Line>,
    peer: Peer,
    to_switch: VecDeque<Parcel>,
    to_peer: VecDeque<Parcel>,
    last_in_us: u64,
    last_out_us: u64,
    /// Slower than the others, by this much a parcel.
    lag_us: u64,
    /// Swallows everything, both ways, and tells nobody.
    blackhole: bool,
    open: bool,
}

/// All connections there ever were, by number.
#[derive(Default)]
pub struct Wires {
    all: Vec<Wire>,
    noticed: Noticed,
    /// Which connection a line of the switch is.
    terminals: Vec<Vec<u32>>,
    links: Vec<Option<u32>>,
}

impl Wires {
    fn number_of(&self, line: Line) -> Option<u32> {
        match line {
            Line::Terminal(worker, slot) => {
                self.terminals.get(usize::from(worker))?.get(slot as usize).copied()
            }
            Line::Link(link) => self.links.get(link.at()).copied().flatten(),
        }
    }

    /// Connections that are open, of one kind.
    pub(super) fn open(&self, which: impl Fn(&Peer) -> bool) -> Vec<u32> {
        let open = self.all.iter().zip(0..).filter(|(wire, _)| wire.open && which(&wire.peer));
        open.map(|(_, number)| number).collect()
    }

    /// All links are down: the switch is gone.
    pub(super) fn forget_lines(&mut self) {
        self.terminals.clear();
        self.links.clear();
        self.noticed.borrow_mut().clear();
    }
}

impl World {
    fn wire(&mut self, peer: Peer) -> u32 {
        let number = self.wires.all.len() as u32;
        let pipe = Pipe::new(number, &self.wires.noticed);
        let slow = !self.calm && self.chance.per_mille(self.dose.slow_net);
        let lag_us = if slow { self.chance.between(100_000, 8_000_000) } else { 0 };
        if slow {
            self.tally.fault("slow connection");
        }
        self.wires.all.push(Wire {
            pipe,
            line: None,
            peer,
            to_switch: VecDeque::new(),
            to_peer: VecDeque::new(),
            last_in_us: 0,
            last_out_us: 0,
            lag_us,
            blackhole: false,
            open: true,
        });
        number
    }

    fn at(&mut self, number: u32) -> &mut Wire {
        &mut self.wires.all[number as usize]
    }

    fn delay(&mut self, number: u32) -> u64 {
        let (from, to) = self.dose.net_us;
        let lag = if self.calm { 0 } else { self.at(number).lag_us };
        self.chance.between(from, to) + lag
    }

    /// A parcel on its way to the switch, whole or dripping.
    fn send_in(&mut self, number: u32, parcel: Parcel) {
        if self.at(number).blackhole {
            return;
        }
        if let Parcel::Bytes(bytes) = &parcel
            && bytes.len() > 1
            && !self.calm
            && self.chance.per_mille(self.dose.drip)
            && self.may_go_wrong("dripping bytes")
        {
            let cut = self.chance.between(1, bytes.len() as u64 - 1) as usize;
            let (head, tail) = bytes.split_at(cut);
            let (head, tail) = (head.to_vec(), tail.to_vec());
            self.put_in(number, Parcel::Bytes(head), 0);
            let pause = self.chance.between(1_000, 3_000_000);
            return self.put_in(number, Parcel::Bytes(tail), pause);
        }
        self.put_in(number, parcel, 0);
    }

    fn put_in(&mut self, number: u32, parcel: Parcel, pause_us: u64) {
        let delay = self.delay(number) + pause_us;
        let now = self.now_us;
        let wire = self.at(number);
        let at = wire.last_in_us.max(now + delay);
        wire.last_in_us = at;
        wire.to_switch.push_back(parcel);
        self.plan_at(at, Event::AtSwitch(number));
    }

    fn send_out(&mut self, number: u32, parcel: Parcel) {
        if self.at(number).blackhole {
            return;
        }
        let delay = self.delay(number);
        let now = self.now_us;
        let wire = self.at(number);
        let at = wire.last_out_us.max(now + delay);
        wire.last_out_us = at;
        wire.to_peer.push_back(parcel);
        self.plan_at(at, Event::AtPeer(number));
    }

    /// Bytes arrive at the switch.
    pub(super) fn at_switch(&mut self, number: u32) {
        let wire = self.at(number);
        let Some(parcel) = wire.to_switch.pop_front() else { return };
        match parcel {
            Parcel::Bytes(bytes) => wire.pipe.arrive(&bytes),
            Parcel::End => wire.pipe.end_of_input(),
            Parcel::Reset => wire.pipe.reset(),
        }
        self.tally.messages += 1;
        if let Some(line) = self.at(number).line {
            self.poll(line);
        }
    }

    /// Lets the switch look at a connection.
    pub(super) fn poll(&mut self, line: Line) {
        let Some(host) = &mut self.host else { return };
        // Slots are used again: only connections that are there are asked.
        let Some(number) = self.wires.number_of(line) else { return };
        if self.wires.all[number as usize].line != Some(line) || !host.poll(line) {
            return;
        }
        self.wires.all[number as usize].line = None;
        match line {
            Line::Terminal(worker, slot) => host.hang_up(worker, slot),
            Line::Link(link) => {
                let again = host.disconnected(link);
                self.wires.links[link.at()] = None;
                self.tally.row(6);
                self.plan_at(again.0, Event::Dial(link.0));
            }
        }
    }

    /// Takes what the switch wrote and carries it on.
    pub(super) fn collect(&mut self) {
        let noticed = std::mem::take(&mut *self.wires.noticed.borrow_mut());
        for number in noticed {
            let bytes = self.at(number).pipe.collect();
            if !bytes.is_empty() {
                self.send_out(number, Parcel::Bytes(bytes));
            }
            if self.at(number).pipe.is_closed() && self.at(number).open {
                self.send_out(number, Parcel::End);
            }
        }
    }

    /// Bytes of the switch arrive.
    pub(super) fn at_peer(&mut self, number: u32) {
        let wire = self.at(number);
        let peer = wire.peer;
        match wire.to_peer.pop_front() {
            None => {}
            Some(Parcel::Bytes(bytes)) => match peer {
                Peer::Till(till) => {
                    // An old connection still talks to its terminal.
                    self.with_till(till, |till, view| till.hear(&bytes, view));
                }
                Peer::Bank(bank, _) => self.bank_hears(bank, number, &bytes),
            },
            Some(Parcel::End | Parcel::Reset) => self.peer_loses(number),
        }
    }

    fn peer_loses(&mut self, number: u32) {
        if !std::mem::replace(&mut self.at(number).open, false) {
            return;
        }
        let peer = self.at(number).peer;
        match peer {
            Peer::Till(till) if self.tills[usize::from(till)].line == Some(number) => {
                self.tills[usize::from(till)].cut();
            }
            Peer::Till(_) => {}
            Peer::Bank(bank, _) => self.banks[bank].cut(number),
        }
    }

    fn bank_hears(&mut self, bank: usize, number: u32, bytes: &[u8]) {
        let now = self.now();
        let (answers, later) = self.banks[bank].hear(number, bytes, &now);
        if !answers.is_empty() {
            self.bank_answers(number, answers);
        }
        for one in later {
            let after = one.after.as_micros() as u64;
            self.kept.push(Some((number, one.frame.to_vec(), after >= LATE_US)));
            self.tally.row(8);
            self.plan(after, Event::Says(self.kept.len() as u32 - 1));
        }
    }

    fn bank_answers(&mut self, number: u32, answers: Vec<u8>) {
        self.send_in(number, Parcel::Bytes(answers));
        if !self.calm && self.chance.per_mille(self.dose.link_cut) && self.may_go_wrong("link cut") {
            self.break_wire(number);
        }
    }

    /// An issuer says what it kept back, if the connection is still there.
    pub(super) fn says(&mut self, number: u32) {
        let Some((line, frame, late)) = self.kept[number as usize].take() else { return };
        if self.banks.iter().any(|bank| bank.has(line)) {
            self.tally.late_answers += u64::from(late);
            self.send_in(line, Parcel::Bytes(frame));
        }
    }

    /// A link is dialled.
    pub(super) fn dial(&mut self, link: LinkIx) {
        let Some(host) = &mut self.host else { return };
        if self.wires.links.get(link.at()).copied().flatten().is_some() {
            return;
        }
        host.connecting(link);
        let refused = !self.calm && self.chance.percent(5) && self.may_go_wrong("link refused");
        let Some(host) = &mut self.host else { return };
        if refused {
            let again = host.disconnected(link);
            return self.plan_at(again.0, Event::Dial(link.0));
        }
        let bank = self.config.links[link.at()].issuer.at();
        let number = self.wire(Peer::Bank(bank, link));
        self.banks[bank].accept(number);
        self.at(number).line = Some(Line::Link(link));
        if self.wires.links.len() <= link.at() {
            self.wires.links.resize(link.at() + 1, None);
        }
        self.wires.links[link.at()] = Some(number);
        let end = self.at(number).pipe.end();
        if let Some(host) = &mut self.host {
            host.connected(link, end);
        }
    }

    /// A terminal connects; its old connection is left as it is.
    pub(super) fn till_connects(&mut self, till: u16) {
        self.tills[usize::from(till)].cut();
        let worker = self.chance.below(u64::from(self.dose.workers)) as u16;
        let listener = ListenerIx(self.tills[usize::from(till)].listener);
        if self.host.is_none() {
            return;
        }
        let number = self.wire(Peer::Till(till));
        let end = self.at(number).pipe.end();
        let Some(host) = &mut self.host else { return };
        let Some(line) = host.accept(worker, listener, end) else {
            self.at(number).open = false;
            return;
        };
        let Line::Terminal(worker, slot) = line else { return };
        let (worker, slot) = (usize::from(worker), slot as usize);
        let terminals = &mut self.wires.terminals;
        if terminals.len() <= worker {
            terminals.resize(worker + 1, Vec::new());
        }
        if terminals[worker].len() <= slot {
            terminals[worker].resize(slot + 1, u32::MAX);
        }
        terminals[worker][slot] = number;
        self.at(number).line = Some(line);
        self.tills[usize::from(till)].line = Some(number);
        if !self.calm
            && self.chance.per_mille(self.dose.unread)
            && self.may_go_wrong("terminal does not read")
        {
            self.at(number).pipe.set_room(Some(0));
        }
    }

    /// A terminal's bytes on their way; now and then the connection breaks with them.
    pub(super) fn till_says(&mut self, till: u16, bytes: Vec<u8>) {
        let Some(number) = self.tills[usize::from(till)].line else { return };
        if !self.calm && self.chance.per_mille(self.dose.till_cut) && self.may_go_wrong("terminal cut") {
            self.tally.row(19);
            self.tally.row(20);
            let part = self.chance.below(bytes.len() as u64 + 1) as usize;
            self.send_in(number, Parcel::Bytes(bytes[..part].to_vec()));
            return self.break_wire(number);
        }
        self.send_in(number, Parcel::Bytes(bytes));
        if !self.calm && self.chance.per_mille(self.dose.blackhole) && self.may_go_wrong("terminal half-open")
        {
            self.tally.row(36);
            self.at(number).blackhole = true;
        }
    }

    /// A terminal closes its end.
    pub(super) fn till_hangs_up(&mut self, till: u16) {
        let Some(number) = self.tills[usize::from(till)].line else { return };
        self.send_in(number, Parcel::End);
        self.at(number).open = false;
        self.tills[usize::from(till)].cut();
    }

    /// A connection breaks: what is under way to the peer is lost, the switch learns of it after what has been sent.
    pub(super) fn break_wire(&mut self, number: u32) {
        let parcel = if self.chance.percent(50) { Parcel::Reset } else { Parcel::End };
        self.at(number).to_peer.clear();
        self.put_in(number, parcel, 0);
        self.peer_loses(number);
    }

    /// Connections that would never recover by themselves: half-open, or not read.
    pub(super) fn sick_wires(&mut self) -> Vec<u32> {
        let open = self.wires.open(|_| true);
        open.into_iter()
            .filter(|number| {
                let wire = &mut self.wires.all[*number as usize];
                wire.pipe.set_room(None);
                std::mem::take(&mut wire.blackhole)
            })
            .collect()
    }

    /// Links to issuers.
    pub(super) fn link_wires(&self) -> Vec<u32> {
        self.wires.open(|peer| matches!(peer, Peer::Bank(..)))
    }

    /// A connection swallows everything from now on.
    pub(super) fn swallow(&mut self, number: u32) {
        self.at(number).blackhole = true;
    }

    /// The switch is gone: peers see their connections closed.
    pub(super) fn cut_all(&mut self) {
        for number in self.wires.open(|_| true) {
            let wire = self.at(number);
            wire.line = None;
            if wire.blackhole {
                // It would never be told: half-open connections end when their peer asks again.
                self.peer_loses(number);
            } else {
                self.send_out(number, Parcel::End);
            }
        }
        self.wires.forget_lines();
    }
}
