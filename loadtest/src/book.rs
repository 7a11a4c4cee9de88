//! The terminals' book, 32 bytes per transaction until it is written out.
//! Never holds a card number. Guards: one entry per transaction, whatever was repeated or reversed.

use books::shapes::{TerminalBook, TerminalEntry, TerminalState};
use std::io::{self, Write};
use std::path::Path;
use terms::time::civil;

/// What a terminal knows about one transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub terminal: u32,
    pub stan: u32,
    /// Seconds since 1970, as the request said in DE 12 and 13.
    pub at: u32,
    pub amount: u32,
    /// Zeros while there is none.
    pub rrn: [u8; 12],
    /// Zeros while there is none.
    pub code: [u8; 2],
    pub state: State,
    /// Which batch of [`Book::batches`].
    pub batch: u8,
}

const _: () = assert!(size_of::<Line>() == 32, "the statement about memory is made for 32 bytes");

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum State {
    Unknown,
    Approved,
    Declined,
    Reversed,
    /// A balance: no money.
    Asked,
}

/// The book of one run, compact.
#[derive(Clone, Debug, Default)]
pub struct Book {
    pub(crate) lines: Vec<Line>,
    pub(crate) batches: Vec<u32>,
    pub(crate) acquirer: String,
    pub(crate) merchant: String,
    pub(crate) currency: u16,
    /// Whether the dialect's requests have DE 12 and 13.
    pub(crate) dated: bool,
}

impl Book {
    /// Transactions in it.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// In the shape of `books`: about 200 bytes per transaction.
    pub fn full(&self) -> TerminalBook {
        TerminalBook { entries: self.entries().collect() }
    }

    /// One entry after another.
    pub fn entries(&self) -> impl Iterator<Item = TerminalEntry> + '_ {
        self.lines.iter().map(|line| self.entry(line))
    }

    /// Writes the book as JSON without building it in memory.
    ///
    /// # Errors
    /// What the file says.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut out = io::BufWriter::new(std::fs::File::create(path)?);
        out.write_all(b"{\"entries\":[")?;
        for (at, entry) in self.entries().enumerate() {
            out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
            serde_json::to_writer(&mut out, &entry)?;
        }
        out.write_all(b"]}\n")?;
        out.flush()
    }

    pub(crate) fn batch_place(&mut self, batch: u32) -> u8 {
        let place = self.batches.iter().position(|known| *known == batch).unwrap_or_else(|| {
            self.batches.push(batch);
            self.batches.len() - 1
        });
        // A sign-in gives a batch; 256 different ones in one thread's run are more than a day of them.
        place.min(255) as u8
    }

    /// Adds another thread's lines.
    pub(crate) fn join(&mut self, other: &Self) {
        let places: Vec<u8> = other.batches.iter().map(|batch| self.batch_place(*batch)).collect();
        self.lines.reserve_exact(other.lines.len());
        for line in &other.lines {
            self.lines.push(Line { batch: places[usize::from(line.batch)], ..*line });
        }
    }

    fn entry(&self, line: &Line) -> TerminalEntry {
        let stamp = Stamp::of(u64::from(line.at));
        let text = |bytes: &[u8]| {
            bytes.iter().any(|byte| *byte != 0).then(|| String::from_utf8_lossy(bytes).trim_end().to_owned())
        };
        TerminalEntry {
            acquirer: self.acquirer.clone(),
            terminal: format!("T{:07}", line.terminal),
            merchant: self.merchant.clone(),
            // Only messages without a date carry a batch (UnionPay POS, DE 60.2).
            batch: if self.dated { 0 } else { self.batches[usize::from(line.batch)] },
            stan: line.stan,
            local_date: if self.dated { (stamp.transmission / 1_000_000) as u16 } else { 0 },
            local_time: self.dated.then_some(stamp.transmission % 1_000_000),
            rrn: text(&line.rrn),
            amount: i64::from(line.amount),
            currency: self.currency,
            state: match line.state {
                State::Unknown => TerminalState::Unknown,
                State::Approved => TerminalState::Approved,
                State::Declined | State::Asked => TerminalState::Declined,
                State::Reversed => TerminalState::Reversed,
            },
            code: text(&line.code),
            money: line.state != State::Asked,
        }
    }
}

/// A second as messages say it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stamp {
    /// MMDDhhmmss, UTC; its halves are DE 13 and DE 12 too.
    pub transmission: u32,
    /// The second itself, since 1970.
    pub second: u64,
}

impl Stamp {
    pub(crate) fn of(second: u64) -> Self {
        let (_, month, day) = civil((second / 86_400) as i64);
        let rest = (second % 86_400) as u32;
        let time = rest / 3_600 * 10_000 + rest / 60 % 60 * 100 + rest % 60;
        Self { transmission: (month * 100 + day) * 1_000_000 + time, second }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_as_messages_say_it() {
        assert_eq!(Stamp::of(1_763_774_115).transmission, 1_122_011_515);
        assert_eq!(Stamp::of(0).transmission, 101_000_000);
    }

    #[test]
    fn a_line_becomes_an_entry() {
        let mut book = Book {
            acquirer: "1".into(),
            merchant: "M".into(),
            currency: 156,
            dated: true,
            ..Book::default()
        };
        let batch = book.batch_place(7);
        let line = Line {
            terminal: 12,
            stan: 3,
            at: 1_763_774_115,
            amount: 1_250,
            rrn: [0; 12],
            code: *b"51",
            state: State::Declined,
            batch,
        };
        book.lines.push(line);
        let mut all = Book { batches: vec![1], ..book.clone() };
        all.lines.clear();
        all.join(&book);
        // Dated messages have no batch, those with a batch no date.
        for (dated, batch, date, time) in [(true, 0, 1_122, Some(11_515)), (false, 7, 0, None)] {
            let entry = &Book { dated, ..all.clone() }.full().entries[0];
            assert_eq!((entry.terminal.as_str(), entry.batch, entry.stan), ("T0000012", batch, 3));
            assert_eq!((entry.local_date, entry.local_time), (date, time));
        }
        let entry = &all.full().entries[0];
        assert_eq!((entry.rrn.as_deref(), entry.code.as_deref()), (None, Some("51")));
    }
}
