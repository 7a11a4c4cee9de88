//! A seal that anybody can open and a projection that forgets nothing.
//! Never used where a secret is real. Guards: nonce and additional data must match, as with the real module.

use std::io;

use crate::format::{u32_at, u64_at};
use crate::{Fault, Kind, Lsn, Projection, Seal, SealNonce};

/// Mixes nonce and additional data into the bytes and appends a checksum; secret to nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct ToySeal;

impl ToySeal {
    fn mix(nonce: SealNonce, aad: &[u8], buf: &mut [u8]) {
        let key = crc32c::crc32c_append(crc32c::crc32c(&nonce.to_bytes()), aad).to_le_bytes();
        buf.iter_mut().zip(key.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
    }
}

impl Seal for ToySeal {
    fn seal(&self, nonce: SealNonce, aad: &[u8], buf: &mut Vec<u8>) -> Result<(), Fault> {
        let tag = crc32c::crc32c_append(crc32c::crc32c(aad), buf);
        buf.extend_from_slice(&tag.to_le_bytes());
        Self::mix(nonce, aad, buf);
        Ok(())
    }

    fn open(&self, nonce: SealNonce, aad: &[u8], buf: &mut Vec<u8>) -> Result<(), Fault> {
        Self::mix(nonce, aad, buf);
        let end = buf.len().saturating_sub(4);
        let holds =
            buf.len() >= 4 && crc32c::crc32c_append(crc32c::crc32c(aad), &buf[..end]) == u32_at(buf, end);
        if !holds {
            let source = "the tag does not match".into();
            return Err(Fault::Seal { epoch: nonce.epoch, batch: nonce.batch, source });
        }
        buf.truncate(end);
        Ok(())
    }

    fn overhead(&self) -> usize {
        4
    }
}

/// A projection that keeps every record in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Kind, payload and position of each record.
    pub lines: Vec<(Kind, Vec<u8>, Lsn)>,
}

impl Projection for Ledger {
    fn apply(&mut self, kind: Kind, payload: &[u8], lsn: Lsn) {
        self.lines.push((kind, payload.to_vec(), lsn));
    }

    fn snapshot(&self, out: &mut dyn io::Write) -> io::Result<()> {
        for (kind, payload, lsn) in &self.lines {
            out.write_all(&lsn.0.to_le_bytes())?;
            out.write_all(&(payload.len() as u32).to_le_bytes())?;
            out.write_all(&[*kind])?;
            out.write_all(payload)?;
        }
        Ok(())
    }

    fn restore(&mut self, input: &mut dyn io::Read) -> io::Result<()> {
        self.lines.clear();
        let mut bytes = Vec::new();
        input.read_to_end(&mut bytes)?;
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let len = rest.get(..13).map(|head| u32_at(head, 8) as usize);
            let Some(payload) = len.and_then(|len| rest.get(13..13 + len)) else {
                self.lines.clear();
                return Err(io::ErrorKind::InvalidData.into());
            };
            self.lines.push((rest[12], payload.to_vec(), Lsn(u64_at(rest, 0))));
            rest = &rest[13 + payload.len()..];
        }
        Ok(())
    }

    fn oldest_needed(&self) -> Lsn {
        Lsn::NONE
    }
}
