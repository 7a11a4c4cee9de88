//! Card tokens: what stands for a card number in limits, look-ups and records.
//!
//! Never allocates, never keeps a card number. Guards: two numbers have two blocks, so that two cards share a token only
//! if AES-CMAC collides.
//!
//! The number fills exactly one block, so AES-CMAC (RFC 4493, complete last block) is one AES call:
//! ```text
//! byte  0        count of digits, 8..=19, binary
//! bytes 1..=5    zero
//! bytes 6..=15   the digits as BCD, right-justified in 20 places, filled with zeros on the left
//! token = AES(key, block XOR K1),  K1 = double(AES(key, 0))
//! ```

use crate::TokenKey;
use aes::{
    Aes128, Aes256, Block,
    cipher::{BlockCipherEncrypt, KeyInit},
};
use core::fmt;
use terms::{CardToken, Pan};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Makes card tokens under one key. One per worker or shared; `&self` only.
pub struct Tokenizer {
    cipher: Cipher,
    k1: u128,
}

/// The key says which: 16 or 32 bytes.
#[derive(ZeroizeOnDrop)]
enum Cipher {
    Aes128(Aes128),
    Aes256(Aes256),
}

impl Tokenizer {
    /// Expands the key once; about 100 ns.
    pub fn new(key: &TokenKey) -> Self {
        let cipher = match <&[u8; 16]>::try_from(key.0.as_slice()) {
            Ok(short) => Cipher::Aes128(Aes128::new(short.into())),
            Err(_) => Cipher::Aes256(Aes256::new_from_slice(&key.0).expect("a token key has 16 or 32 bytes")),
        };
        let mut zero = Block::default();
        cipher.encrypt_one(&mut zero);
        let k1 = doubled(u128::from_be_bytes(zero.into()));
        zero.as_mut_slice().zeroize();
        Self { cipher, k1 }
    }

    /// The card's token. For a turn's worth of cards take [`Tokenizer::tokens`]: on processors with wide AES the cipher
    /// sets up its whole pipeline in every call, which costs several times the block itself.
    pub fn token(&self, pan: Pan) -> CardToken {
        let mut block = self.masked(pan);
        self.cipher.encrypt_one(&mut block);
        CardToken(block.into())
    }

    /// The tokens of a turn's cards, several blocks in the processor's AES pipeline at once.
    ///
    /// # Panics
    /// If `out` is shorter than `pans`: a mistake of the caller.
    pub fn tokens(&self, pans: &[Pan], out: &mut [CardToken]) {
        assert!(out.len() >= pans.len(), "{} cards, room for {} tokens", pans.len(), out.len());
        let mut blocks = [Block::default(); AT_ONCE];
        for (pans, out) in pans.chunks(AT_ONCE).zip(out.chunks_mut(AT_ONCE)) {
            for (block, pan) in blocks.iter_mut().zip(pans) {
                *block = self.masked(*pan);
            }
            self.cipher.encrypt(&mut blocks[..pans.len()]);
            for (token, block) in out.iter_mut().zip(&blocks[..pans.len()]) {
                *token = CardToken((*block).into());
            }
        }
    }

    fn masked(&self, pan: Pan) -> Block {
        (u128::from_be_bytes(block_of(pan)) ^ self.k1).to_be_bytes().into()
    }
}

impl Cipher {
    fn encrypt_one(&self, block: &mut Block) {
        match self {
            Self::Aes128(cipher) => cipher.encrypt_block(block),
            Self::Aes256(cipher) => cipher.encrypt_block(block),
        }
    }

    fn encrypt(&self, blocks: &mut [Block]) {
        match self {
            Self::Aes128(cipher) => cipher.encrypt_blocks(blocks),
            Self::Aes256(cipher) => cipher.encrypt_blocks(blocks),
        }
    }
}

impl Drop for Tokenizer {
    fn drop(&mut self) {
        self.k1.zeroize();
    }
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokenizer(..)")
    }
}

/// The block described on top of this file.
fn block_of(pan: Pan) -> [u8; 16] {
    let (value, len) = pan.parts();
    let mut block = [0; 16];
    block[0] = len;
    // 19 digits as 4 + 8 + 8: the first part is below 1,000.
    block[6..8].copy_from_slice(&bcd8((value / E16) as u32)[2..]);
    block[8..12].copy_from_slice(&bcd8((value / E8 % E8) as u32));
    block[12..].copy_from_slice(&bcd8((value % E8) as u32));
    block
}

/// Eight decimal digits as BCD. `number` is below 10^8. All digits at once in the lanes of one word, since a loop of
/// divisions by ten costs more than the AES call it prepares.
fn bcd8(number: u32) -> [u8; 4] {
    let fours = u64::from(number / 10_000) | u64::from(number % 10_000) << 32;
    // x / 100 = x * 10486 >> 20 for every x below 10,000; x / 10 = x * 103 >> 10 for every x below 100.
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007F_0000_007F;
    let twos = hundreds | (fours - 100 * hundreds) << 16;
    let tens = ((twos * 103) >> 10) & 0x000F_000F_000F_000F;
    let bcd = (tens << 4) + (twos - 10 * tens);
    let lanes = bcd.to_le_bytes();
    [lanes[0], lanes[2], lanes[4], lanes[6]]
}

/// Multiplication by x in GF(2^128), the sub-key rule of RFC 4493 section 2.3. Once per key.
fn doubled(block: u128) -> u128 {
    block << 1 ^ if block >> 127 == 1 { 0x87 } else { 0 }
}

const E8: u64 = 100_000_000;
const E16: u64 = E8 * E8;

/// Cards encrypted in one call: fills the widest AES pipeline, and 1 KiB of stack is nothing.
const AT_ONCE: usize = 64;

#[cfg(test)]
mod tests;
