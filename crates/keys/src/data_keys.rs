//! The wrapped data keys of one node, one per business day, in `keys-<node>.toml` of the journal directory.
//!
//! Never writes a data key in clear; never makes the key of a day twice. Guards: a key that sealed something is on disk
//! before it seals, and a destroyed key is gone from the file, so that its day cannot be read again.
//!
//! A wrapped key is nonce (12) + AES-256-GCM under the key-encryption key (32 + 16), in hex. The nonce is random: a key
//! is wrapped once a day and node, far below the bound for random nonces. Associated data: "pointsman data key", node, day.

use crate::{Fault, Kek, durable, hex, key_file::random, lines};
use aes_gcm::{Aes256Gcm, KeyInit, Nonce, aead::AeadInOut};
use std::{
    collections::BTreeMap,
    fmt::Write,
    path::{Path, PathBuf},
};
use terms::BusinessDay;
use zeroize::Zeroizing;

/// A node's store of wrapped data keys.
pub struct DataKeys {
    path: PathBuf,
    node: u16,
    kek: Aes256Gcm,
    wrapped: BTreeMap<u16, [u8; WRAPPED]>,
    purged_through: BusinessDay,
}

/// A data key in clear, wiped when it goes.
pub(crate) type DataKey = Zeroizing<[u8; 32]>;

impl DataKeys {
    /// Reads the store of `node` in `dir`, or starts an empty one (nothing is written yet).
    ///
    /// # Errors
    /// [`Fault::Disk`], [`Fault::Line`], [`Fault::Node`].
    pub fn open(dir: &Path, node: u16, kek: &Kek) -> Result<Self, Fault> {
        let mut store = Self::empty(dir, node, kek);
        store.reread()?;
        Ok(store)
    }

    /// Without looking at the file.
    pub(crate) fn empty(dir: &Path, node: u16, kek: &Kek) -> Self {
        Self {
            path: dir.join(format!("keys-{node}.toml")),
            node,
            kek: Aes256Gcm::new((&*kek.0).into()),
            wrapped: BTreeMap::new(),
            purged_through: BusinessDay::NEVER,
        }
    }

    /// Takes what the file says now.
    pub(crate) fn reread(&mut self) -> Result<(), Fault> {
        self.wrapped.clear();
        self.purged_through = BusinessDay::NEVER;
        match std::fs::read(&self.path) {
            Ok(text) => self.read(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Fault::disk("read", &self.path)(error)),
        }
    }

    /// The days that have a key, in order.
    pub fn days(&self) -> impl Iterator<Item = BusinessDay> + '_ {
        self.wrapped.keys().map(|day| BusinessDay(*day))
    }

    /// The last day whose key was destroyed, [`BusinessDay::NEVER`] if none was.
    pub fn purged_through(&self) -> BusinessDay {
        self.purged_through
    }

    /// Makes the key of `day` and stores it durably, if there is none.
    ///
    /// # Errors
    /// [`Fault::Purged`] for a day at or before the last one destroyed; [`Fault::Disk`]; [`Fault::Random`].
    pub(crate) fn ensure(&mut self, day: BusinessDay) -> Result<(), Fault> {
        if day <= self.purged_through {
            return Err(Fault::Purged { day, through: self.purged_through });
        }
        if self.wrapped.contains_key(&day.0) {
            return Ok(());
        }
        let key: DataKey = random()?;
        let wrapped = self.wrap(day, &key)?;
        self.wrapped.insert(day.0, wrapped);
        self.write().inspect_err(|_| {
            self.wrapped.remove(&day.0);
        })
    }

    /// The key of a day that has one.
    pub(crate) fn unwrap(&self, day: BusinessDay) -> Result<DataKey, Fault> {
        let wrapped = self.wrapped.get(&day.0).ok_or(Fault::NoKey { day })?;
        let (nonce, rest) = wrapped.split_at(NONCE);
        let (sealed, tag) = rest.split_at(32);
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(sealed);
        let nonce = Nonce::try_from(nonce).expect("split at its length");
        let tag = tag.try_into().expect("split at its length");
        self.kek
            .decrypt_inout_detached(&nonce, &self.bound_to(day), key.as_mut_slice().into(), &tag)
            .map_err(|_| Fault::Unwrap { path: self.path.clone(), day })?;
        Ok(key)
    }

    /// Destroys the keys of `day` and of every day before it, durably. What they sealed can never be read again.
    ///
    /// # Errors
    /// [`Fault::Disk`]; then nothing was destroyed, or it was and only the wiping of the former file failed.
    pub(crate) fn destroy_through(&mut self, day: BusinessDay) -> Result<(), Fault> {
        if day <= self.purged_through {
            return Ok(());
        }
        let kept = self.wrapped.split_off(&day.0.saturating_add(1));
        let destroyed = std::mem::replace(&mut self.wrapped, kept);
        let before = std::mem::replace(&mut self.purged_through, day);
        self.write().inspect_err(|_| {
            self.wrapped.extend(destroyed);
            self.purged_through = before;
        })
    }

    fn wrap(&self, day: BusinessDay, key: &DataKey) -> Result<[u8; WRAPPED], Fault> {
        let nonce = random::<NONCE>()?;
        let mut wrapped = [0; WRAPPED];
        wrapped[..NONCE].copy_from_slice(&*nonce);
        let (sealed, tag) = wrapped[NONCE..].split_at_mut(32);
        sealed.copy_from_slice(&**key);
        let made = self.kek.encrypt_inout_detached((&*nonce).into(), &self.bound_to(day), sealed.into());
        tag.copy_from_slice(&made.expect("32 bytes are below the bound of AES-GCM"));
        Ok(wrapped)
    }

    /// Ties a wrapped key to its node and day, so that no entry can be moved to another.
    fn bound_to(&self, day: BusinessDay) -> [u8; 22] {
        let mut aad = *b"pointsman data key....";
        aad[18..20].copy_from_slice(&self.node.to_be_bytes());
        aad[20..].copy_from_slice(&day.0.to_be_bytes());
        aad
    }

    pub(crate) fn read(&mut self, text: &[u8]) -> Result<(), Fault> {
        for line in lines::lines(text, &self.path)? {
            let bad = |expected| Fault::Line { path: self.path.clone(), line: line.number, expected };
            let number = || line.value.parse::<u16>().map_err(|_| bad("a number below 65536"));
            match line.name {
                "format" if line.value == "1" => {}
                "format" => return Err(bad("format = 1")),
                "node" if number()? == self.node => {}
                "node" => {
                    let (expected, found) = (self.node, number()?);
                    return Err(Fault::Node { path: self.path.clone(), expected, found });
                }
                "purged_through" => self.purged_through = BusinessDay(number()?),
                day => {
                    let day = day.parse::<u16>().map_err(|_| bad("the number of a business day"))?;
                    let wrapped = hex::decode(line.value.as_bytes())
                        .and_then(|bytes| <[u8; WRAPPED]>::try_from(bytes.as_slice()).ok())
                        .ok_or_else(|| bad("a wrapped key of 60 bytes in hex"))?;
                    if self.wrapped.insert(day, wrapped).is_some() {
                        return Err(bad("each business day once"));
                    }
                }
            }
        }
        Ok(())
    }

    pub(crate) fn render(&self) -> String {
        let mut text = format!(
            "# Data keys of node {0}, wrapped under the kek of the key file. Written by the switch; removing a line makes\n\
             # every card number of that day unreadable for ever.\n\
             format = 1\nnode = {0}\npurged_through = {1}\n\n[keys]\n",
            self.node, self.purged_through.0,
        );
        for (day, wrapped) in &self.wrapped {
            let _ = writeln!(text, "{day} = \"{}\" # {}", *hex::encode(wrapped), BusinessDay(*day));
        }
        text
    }

    fn write(&self) -> Result<(), Fault> {
        if let Some(dir) = self.path.parent() {
            std::fs::create_dir_all(dir).map_err(Fault::disk("create", dir))?;
        }
        durable::replace(&self.path, self.render().as_bytes())
    }
}

impl std::fmt::Debug for DataKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DataKeys({}, {} days)", self.path.display(), self.wrapped.len())
    }
}

const NONCE: usize = 12;
const WRAPPED: usize = NONCE + 32 + 16;
