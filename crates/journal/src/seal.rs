//! The door to the sealing module: one call per batch, for all secrets of that batch together.
//! Never sees a key; never seals two different texts under one nonce.
//! Guards: nonce = epoch ‖ batch sequence; the epoch is raised durably at every open, the sequence only grows.

use crate::Fault;

/// Longest secret that one record can carry, bytes: its length is a byte of the table.
pub const SECRET_MAX: usize = 255;

/// The nonce of one batch: never random, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SealNonce {
    /// Epoch of the process that wrote the batch.
    pub epoch: u32,
    /// Sequence of the batch.
    pub batch: u64,
}

impl SealNonce {
    /// The 12 bytes AES-GCM wants: epoch, then batch sequence, both little-endian.
    pub fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[4..].copy_from_slice(&self.batch.to_le_bytes());
        bytes
    }
}

/// The additional data of a batch: node, epoch, batch sequence, little-endian, 14 bytes.
pub fn seal_aad(node: u16, nonce: SealNonce) -> [u8; 14] {
    let mut bytes = [0; 14];
    bytes[..2].copy_from_slice(&node.to_le_bytes());
    bytes[2..].copy_from_slice(&nonce.to_bytes());
    bytes
}

/// Authenticated encryption of a batch's secrets, in place.
pub trait Seal: Send + Sync {
    /// Replaces the clear text in `buf` by its sealed form, exactly [`Seal::overhead`] bytes longer.
    /// # Errors
    /// [`Fault::Seal`] if the module or its key is not available; `buf` is then unspecified.
    fn seal(&self, nonce: SealNonce, aad: &[u8], buf: &mut Vec<u8>) -> Result<(), Fault>;

    /// Replaces the sealed form in `buf` by its clear text.
    /// # Errors
    /// [`Fault::Seal`] if the bytes, the nonce or the additional data are not what was sealed.
    fn open(&self, nonce: SealNonce, aad: &[u8], buf: &mut Vec<u8>) -> Result<(), Fault>;

    /// Bytes that sealing adds (tag, key id), the same for every call.
    fn overhead(&self) -> usize;
}
