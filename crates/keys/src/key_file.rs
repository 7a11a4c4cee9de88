//! The key file: the token key and the key-encryption key, in a file of their owner outside the journal directory.
//!
//! Never has a default, never prints a key, never reads a file that others can read.
//! Guards: both keys are wiped from memory when they go (`zeroize`).

use crate::{Fault, durable, hex, lines};
use aes_gcm::aead::Generate;
use core::fmt;
use std::{
    fs::File,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// Key of the card tokens: AES-128 or AES-256.
pub struct TokenKey(pub(crate) Zeroizing<Vec<u8>>);

/// Key-encryption key, AES-256: wraps the data keys of the days.
pub struct Kek(pub(crate) Zeroizing<[u8; 32]>);

/// Both keys of an installation. Every node of one installation shares them, so that a card has one token everywhere.
pub struct KeyFile {
    token_key: TokenKey,
    kek: Kek,
}

impl KeyFile {
    /// Reads `token_key` (16 or 32 bytes) and `kek` (32 bytes), both in hex, from `path`.
    ///
    /// # Errors
    /// [`Fault::InsideJournal`] if the file lies under `journal_dir` (links resolved); [`Fault::Mode`] unless its mode is
    /// 0600 or 0400; [`Fault::Line`], [`Fault::Missing`], [`Fault::Weak`] for what it says; [`Fault::Disk`].
    pub fn load(path: &Path, journal_dir: &Path) -> Result<Self, Fault> {
        outside(path, journal_dir)?;
        Self::parse(&owner_only_bytes(path)?, path)
    }

    pub(crate) fn parse(text: &[u8], path: &Path) -> Result<Self, Fault> {
        let mut token_key = None;
        let mut kek = None;
        for line in lines::lines(text, path)? {
            let slot = match line.name {
                "token_key" => &mut token_key,
                "kek" => &mut kek,
                _ => return Err(expected(path, line.number, "`token_key` or `kek`")),
            };
            if slot.is_some() {
                return Err(expected(path, line.number, "each key once"));
            }
            let bytes = hex::decode(line.value.as_bytes());
            *slot = Some(bytes.ok_or_else(|| expected(path, line.number, "a key in hex digits"))?);
        }
        Self::checked(token_key, kek, path)
    }

    /// Draws two keys and writes them to `path`, owner-only and durably. For `pointsman keys init` and the demo.
    ///
    /// # Errors
    /// [`Fault::Disk`] if the file exists (keys are never overwritten) or cannot be written; [`Fault::Random`].
    pub fn generate(path: &Path) -> Result<Self, Fault> {
        let token_key: Zeroizing<[u8; 32]> = random()?;
        let kek: Zeroizing<[u8; 32]> = random()?;
        let keys = Self { token_key: TokenKey(Zeroizing::new(token_key.to_vec())), kek: Kek(kek) };
        durable::create(path, keys.render().as_bytes())?;
        Ok(keys)
    }

    pub(crate) fn render(&self) -> Zeroizing<String> {
        Zeroizing::new(format!(
            "# Keys of this installation. Keep a copy in a safe: without `kek` no card number in the journal can be read,\n\
             # and with another `token_key` no card is recognised. Owner-readable only (0600), outside the journal.\n\
             token_key = \"{}\"\nkek = \"{}\"\n",
            *hex::encode(&self.token_key.0),
            *hex::encode(&*self.kek.0),
        ))
    }

    /// The key of the card tokens.
    pub fn token_key(&self) -> &TokenKey {
        &self.token_key
    }

    /// The key that wraps data keys.
    pub fn kek(&self) -> &Kek {
        &self.kek
    }

    fn checked(token_key: Option<Bytes>, kek: Option<Bytes>, path: &Path) -> Result<Self, Fault> {
        let missing = |name, expected| Fault::Missing { path: path.into(), name, expected };
        let token_key = token_key
            .filter(|key| matches!(key.len(), 16 | 32))
            .ok_or_else(|| missing("token_key", "16 or 32 bytes in hex"))?;
        let kek = kek.filter(|key| key.len() == 32).ok_or_else(|| missing("kek", "32 bytes in hex"))?;
        let weak = |reason| Fault::Weak { path: path.into(), reason };
        if [&token_key, &kek].iter().any(|key| key.iter().all(|byte| *byte == key[0])) {
            return Err(weak("a key repeats one byte, expected one drawn at random (`pointsman keys init`)"));
        }
        if kek.starts_with(&token_key) {
            return Err(weak("`token_key` and `kek` are the same, expected two keys"));
        }
        let mut wide = Zeroizing::new([0; 32]);
        wide.copy_from_slice(&kek);
        Ok(Self { token_key: TokenKey(token_key), kek: Kek(wide) })
    }
}

type Bytes = Zeroizing<Vec<u8>>;

/// Fresh random bytes from the system.
pub(crate) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Fault> {
    <[u8; N]>::try_generate().map(Zeroizing::new).map_err(|_| Fault::Random)
}

fn outside(path: &Path, journal_dir: &Path) -> Result<(), Fault> {
    let file = resolved(path)?;
    // A journal directory that does not exist yet holds no file.
    let Ok(journal) = journal_dir.canonicalize() else { return Ok(()) };
    // Both where the name stands and where a link leads to.
    let named = resolved(path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    if file.starts_with(&journal) || named.starts_with(&journal) {
        return Err(Fault::InsideJournal { path: path.into(), journal });
    }
    Ok(())
}

fn resolved(path: &Path) -> Result<PathBuf, Fault> {
    path.canonicalize().map_err(Fault::disk("find", path))
}

fn owner_only_bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let mut file = File::open(path).map_err(Fault::disk("open", path))?;
    // Asked of the open file, not of the name: nobody can swap it in between.
    let about = file.metadata().map_err(Fault::disk("inspect", path))?;
    let mode = about.permissions().mode() & 0o7777;
    if !matches!(mode, 0o600 | 0o400) {
        return Err(Fault::Mode { path: path.into(), mode });
    }
    let mut bytes = Zeroizing::new(vec![0; KEY_FILE_MAX + 1]);
    let mut len = 0;
    loop {
        match file.read(&mut bytes[len..]).map_err(Fault::disk("read", path))? {
            0 => break,
            n => len += n,
        }
        if len > KEY_FILE_MAX {
            return Err(expected(path, 1, "a key file of at most 4096 bytes"));
        }
    }
    bytes.truncate(len);
    Ok(bytes)
}

fn expected(path: &Path, line: usize, expected: &'static str) -> Fault {
    Fault::Line { path: path.into(), line, expected }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyFile(..)")
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenKey(..)")
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kek(..)")
    }
}

/// Two keys and their comments need a tenth of it.
const KEY_FILE_MAX: usize = 4096;
