//! A hand on a running issuer: cut its links, change its moods, read its book.
//! Never blocks for longer than one batch takes; guards: what is read is one moment of the ledger.

use crate::account::Account;
use crate::issuer::Issuer;
use crate::ledger::Totals;
use crate::mood::Mood;
use books::shapes::IssuerBook;
use core::time::Duration;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use terms::Pan;
use tokio::sync::watch;
use tokio::time::Instant;

/// Cheap to clone; all clones mean the same issuer.
#[derive(Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    issuer: Mutex<Issuer>,
    pub orders: watch::Sender<Orders>,
    pub connections: AtomicUsize,
}

/// What connections and listener are told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Orders {
    /// Goes up with every cut: a connection that is older goes.
    pub cuts: u64,
    /// New connections are closed at once until then.
    pub refuse_until: Option<Instant>,
    /// Goes up with every sign-off that is to be said.
    pub sign_offs: u64,
    /// The end.
    pub stop: bool,
}

impl Control {
    pub(crate) fn new(issuer: Issuer) -> Self {
        let shared = Shared {
            issuer: Mutex::new(issuer),
            orders: watch::Sender::default(),
            connections: AtomicUsize::new(0),
        };
        Self { shared: Arc::new(shared) }
    }

    /// Its name.
    pub fn name(&self) -> String {
        self.issuer().name().to_owned()
    }

    /// Closes every connection, answers under way included, and closes new ones at once for `refuse_for`.
    pub fn cut_link(&self, refuse_for: Duration) {
        let until = Instant::now().checked_add(refuse_for);
        self.shared.orders.send_modify(|orders| {
            orders.cuts += 1;
            orders.refuse_until = until;
        });
    }

    /// New connections are welcome again.
    pub fn heal(&self) {
        self.shared.orders.send_modify(|orders| orders.refuse_until = None);
    }

    /// Signs off on every connection.
    pub fn sign_off(&self) {
        self.shared.orders.send_modify(|orders| orders.sign_offs += 1);
    }

    /// Ends listener and connections. What has been read is answered; delayed answers are not.
    pub fn stop(&self) {
        self.shared.orders.send_modify(|orders| orders.stop = true);
    }

    /// Other moods from the next batch on.
    pub fn set_moods(&self, moods: Vec<Mood>) {
        self.issuer().set_moods(moods);
    }

    /// Sums and counts.
    pub fn totals(&self) -> Totals {
        self.issuer().totals()
    }

    /// Approvals that it takes back by itself and the other side has not taken back yet.
    pub fn recanting(&self) -> usize {
        self.issuer().recanting()
    }

    /// The whole book. The issuer waits meanwhile.
    pub fn book(&self) -> IssuerBook {
        self.issuer().book()
    }

    /// Writes the book as JSON. The issuer waits meanwhile.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write_book(&self, out: &mut impl Write) -> io::Result<()> {
        self.issuer().write_book(out)
    }

    /// Writes the books of several issuers as one.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write_books<'a>(
        controls: impl IntoIterator<Item = &'a Self>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let locked: Vec<_> = controls.into_iter().map(Self::issuer).collect();
        crate::book::write_books(&locked.iter().map(|issuer| &**issuer).collect::<Vec<_>>(), out)
    }

    /// The account of a card.
    pub fn account(&self, pan: Pan) -> Option<Account> {
        self.issuer().account(pan).copied()
    }

    /// Opens or replaces an account.
    pub fn set_account(&self, pan: Pan, account: Account) {
        self.issuer().set_account(pan, account);
    }

    /// Connections now open (handshake finished).
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// The issuer itself, for the length of one batch.
    pub(crate) fn issuer(&self) -> MutexGuard<'_, Issuer> {
        // A batch that panicked has left a ledger that is whole between messages: go on with it.
        self.shared.issuer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }
}
