//! The growing buffer a frame is written into: one trait over `BytesMut` and `Vec<u8>`.
//! Never copies: a frame is built in place and its length patched afterwards.

use std::ops::DerefMut;

use bytes::{BufMut, BytesMut};

/// A buffer that grows at its end, can be patched in place and cut back when a frame fails.
pub trait Output: BufMut + DerefMut<Target = [u8]> {
    /// Forgets everything from `len` on; no effect when the buffer is not longer.
    fn cut_back(&mut self, len: usize);
}

impl Output for BytesMut {
    fn cut_back(&mut self, len: usize) {
        self.truncate(len);
    }
}

impl Output for Vec<u8> {
    fn cut_back(&mut self, len: usize) {
        self.truncate(len);
    }
}
