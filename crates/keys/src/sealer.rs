//! Sealing of the card numbers of a journal batch: AES-256-GCM, one call per batch, one key per node and business day.
//!
//! Never draws a nonce: it is the journal's epoch and batch sequence, which no two batches share, across days and restarts.
//! Never blocks a reader or the committer: keys are a snapshot that day roll and purge swap.
//! Guards: a batch says by which day's key it is sealed (two bytes in front), so it opens after any number of day rolls.
//!
//! ```text
//! sealed part = key id (business day, u16 little-endian) + ciphertext (as long as the clear text) + tag (16)
//! ```

use crate::{DataKeys, Fault, data_keys::DataKey};
use aes_gcm::{Aes256Gcm, KeyInit, aead::AeadInOut};
use arc_swap::ArcSwap;
use core::fmt;
use journal::{Seal, SealNonce};
use std::sync::{Arc, Mutex, PoisonError};
use terms::BusinessDay;

/// Bytes that sealing adds: key id in front, tag behind.
pub const OVERHEAD: usize = KEY_ID + TAG;

/// Seals and opens for one node. Shared by committer and readers.
pub struct Sealer {
    ring: ArcSwap<Ring>,
    /// Taken at day roll and purge only.
    store: Mutex<DataKeys>,
}

/// The open data keys, sorted by day.
struct Ring {
    /// Seals; [`BusinessDay::NEVER`] before the first day is opened.
    current: BusinessDay,
    keys: Vec<(BusinessDay, Arc<Aes256Gcm>)>,
}

impl Sealer {
    /// Opens every key of the store, so that a wrong key file shows at start and not in the middle of a recovery.
    /// Nothing can be sealed before [`Sealer::roll`].
    ///
    /// # Errors
    /// [`Fault::Unwrap`].
    pub fn new(store: DataKeys) -> Result<Self, Fault> {
        let nothing = Ring { current: BusinessDay::NEVER, keys: Vec::new() };
        let ring = nothing.following(&store, BusinessDay::NEVER)?;
        Ok(Self { ring: ArcSwap::from_pointee(ring), store: Mutex::new(store) })
    }

    /// From now on batches are sealed under the key of `day`, which is durable when this returns. A day at or before the
    /// current one changes nothing: institutions roll at different hours, the node's day only goes forward.
    ///
    /// Call it while holding the journal's lock, the first time after the journal was opened: two processes that both
    /// wrote the store would each lose the other's key. What a former holder stored since [`Sealer::new`] is read again.
    ///
    /// # Errors
    /// [`Fault::Purged`], [`Fault::Disk`], [`Fault::Random`], [`Fault::Unwrap`]; then the current day stays.
    pub fn roll(&self, day: BusinessDay) -> Result<(), Fault> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let ring = self.ring.load();
        if day <= ring.current {
            return Ok(());
        }
        store.reread()?;
        store.ensure(day)?;
        self.ring.store(Arc::new(ring.following(&store, day)?));
        Ok(())
    }

    /// The day whose key seals, `None` before the first [`Sealer::roll`].
    pub fn day(&self) -> Option<BusinessDay> {
        Some(self.ring.load().current).filter(|day| *day != BusinessDay::NEVER)
    }

    /// Destroys the keys of `day` and every day before it. Card numbers of those days can never be read again. Under the
    /// journal's lock, as [`Sealer::roll`].
    ///
    /// # Errors
    /// [`Fault::InUse`] if that would include the current day; [`Fault::Disk`].
    pub fn destroy_through(&self, day: BusinessDay) -> Result<(), Fault> {
        let mut store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        let ring = self.ring.load();
        if ring.current != BusinessDay::NEVER && day >= ring.current {
            return Err(Fault::InUse { day: ring.current });
        }
        store.reread()?;
        store.destroy_through(day)?;
        self.ring.store(Arc::new(ring.following(&store, ring.current)?));
        Ok(())
    }

    /// Turns `buf` from clear text into a sealed part. `nonce` must never have been used: epoch ‖ batch sequence.
    ///
    /// # Errors
    /// [`Fault::NoDay`] before the first day; then `buf` is as it was.
    pub fn seal_in_place(&self, nonce: &[u8; 12], aad: &[u8], buf: &mut Vec<u8>) -> Result<(), Fault> {
        let ring = self.ring.load();
        let key = ring.key(ring.current).ok_or(Fault::NoDay)?;
        let clear = buf.len();
        buf.resize(clear + OVERHEAD, 0);
        buf.copy_within(..clear, KEY_ID);
        buf[..KEY_ID].copy_from_slice(&ring.current.0.to_le_bytes());
        let (text, tag) = buf[KEY_ID..].split_at_mut(clear);
        let made = key.encrypt_inout_detached(nonce.into(), aad, text.into());
        // The only error is a text over 64 GiB; a batch is bounded far below.
        tag.copy_from_slice(&made.expect("a batch is below the bound of AES-GCM"));
        Ok(())
    }

    /// Turns a sealed part back into clear text, with the nonce and associated data it was sealed with.
    ///
    /// # Errors
    /// [`Fault::Short`], [`Fault::NoKey`] (destroyed), [`Fault::Forged`]; then `buf` is as it was.
    pub fn open_in_place(&self, nonce: &[u8; 12], aad: &[u8], buf: &mut Vec<u8>) -> Result<(), Fault> {
        let len = buf.len();
        if len < OVERHEAD {
            return Err(Fault::Short { len, least: OVERHEAD });
        }
        let day = BusinessDay(u16::from_le_bytes([buf[0], buf[1]]));
        let ring = self.ring.load();
        let key = ring.key(day).ok_or(Fault::NoKey { day })?;
        let (text, tag) = buf[KEY_ID..].split_at_mut(len - OVERHEAD);
        let tag = (&*tag).try_into().expect("split at its length");
        key.decrypt_inout_detached(nonce.into(), aad, text.into(), &tag)
            .map_err(|_| Fault::Forged { day, len })?;
        buf.copy_within(KEY_ID..len - TAG, 0);
        buf.truncate(len - OVERHEAD);
        Ok(())
    }
}

impl Seal for Sealer {
    fn seal(&self, nonce: SealNonce, aad: &[u8], buf: &mut Vec<u8>) -> Result<(), journal::Fault> {
        self.seal_in_place(&nonce.to_bytes(), aad, buf).map_err(in_batch(nonce))
    }

    fn open(&self, nonce: SealNonce, aad: &[u8], buf: &mut Vec<u8>) -> Result<(), journal::Fault> {
        self.open_in_place(&nonce.to_bytes(), aad, buf).map_err(in_batch(nonce))
    }

    fn overhead(&self) -> usize {
        OVERHEAD
    }
}

fn in_batch(nonce: SealNonce) -> impl FnOnce(Fault) -> journal::Fault {
    move |fault| journal::Fault::Seal { epoch: nonce.epoch, batch: nonce.batch, source: Box::new(fault) }
}

impl Ring {
    /// The ring of what the store holds now; keys that are open already are not opened again.
    fn following(&self, store: &DataKeys, current: BusinessDay) -> Result<Self, Fault> {
        let opened = |day| match self.place(day) {
            Ok(at) => Ok(self.keys[at].clone()),
            Err(_) => Ok((day, cipher(&store.unwrap(day)?))),
        };
        Ok(Self { current, keys: store.days().map(opened).collect::<Result<_, Fault>>()? })
    }

    fn place(&self, day: BusinessDay) -> Result<usize, usize> {
        self.keys.binary_search_by_key(&day, |(day, _)| *day)
    }

    fn key(&self, day: BusinessDay) -> Option<&Aes256Gcm> {
        self.place(day).ok().map(|at| &*self.keys[at].1)
    }
}

fn cipher(key: &DataKey) -> Arc<Aes256Gcm> {
    Arc::new(Aes256Gcm::new((&**key).into()))
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer({} days)", self.ring.load().keys.len())
    }
}

const KEY_ID: usize = 2;
const TAG: usize = 16;
