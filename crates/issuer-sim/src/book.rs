//! The ledger as the third book: what `books` compares with the journal and the terminals.
//! Never shows a clear card number; guards: bookings come in the order in which they were made.

use crate::issuer::Issuer;
use crate::ledger::{Entry, GivenBack, State};
use books::shapes::{IssuerBook, IssuerEntry, IssuerKind};
use std::io::{self, Write};
use terms::Minor;

impl Issuer {
    /// The whole book in memory: about 200 bytes a booking. For big ones see [`Issuer::write_book`].
    pub fn book(&self) -> IssuerBook {
        let mut entries = Vec::new();
        self.bookings(|entry| {
            entries.push(entry);
            Ok(())
        })
        .unwrap_or_else(|_| unreachable!("a vector takes every entry"));
        IssuerBook { entries }
    }

    /// Writes the book as JSON, one booking a line, without holding it in memory.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write_book(&self, out: &mut impl Write) -> io::Result<()> {
        write_books(&[self], out)
    }

    fn bookings(&self, mut take: impl FnMut(IssuerEntry) -> io::Result<()>) -> io::Result<()> {
        let ledger = self.ledger();
        let mut returns = ledger.returns().iter().peekable();
        for (written, (_, entry)) in (0..).zip(ledger.entries()) {
            while let Some(back) = returns.next_if(|back| back.after <= written) {
                take(self.returned(back))?;
            }
            match entry.state {
                State::Debited | State::Reversed | State::PartlyReversed => {
                    take(self.booking(&entry, IssuerKind::Debit, entry.amount, entry.at))?;
                }
                State::Credited => take(self.booking(&entry, IssuerKind::Reversal, entry.amount, entry.at))?,
                State::Declined | State::Tombstone => {}
            }
        }
        returns.try_for_each(|back| take(self.returned(back)))
    }

    fn returned(&self, back: &GivenBack) -> IssuerEntry {
        let of = self.ledger().entry(back.of);
        self.booking(&of, IssuerKind::Reversal, back.amount, back.at)
    }

    fn booking(&self, entry: &Entry, kind: IssuerKind, amount: Minor, at: i64) -> IssuerEntry {
        IssuerEntry {
            issuer: self.name().to_owned(),
            kind,
            stan: entry.stan,
            transmission: entry.transmission,
            rrn: entry.rrn.map(|rrn| rrn.to_string()),
            amount,
            currency: entry.currency.numeric(),
            card: entry.card.to_string(),
            at,
        }
    }
}

/// Several issuers' books as one file.
pub(crate) fn write_books(issuers: &[&Issuer], out: &mut impl Write) -> io::Result<()> {
    let mut before: &[u8] = b"\n";
    out.write_all(b"{\"entries\":[")?;
    for issuer in issuers {
        issuer.bookings(|entry| {
            out.write_all(std::mem::replace(&mut before, b",\n"))?;
            serde_json::to_writer(&mut *out, &entry).map_err(io::Error::from)
        })?;
    }
    out.write_all(b"\n]}\n")
}
