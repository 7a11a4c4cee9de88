//! How an original is named towards its issuer: DE 90, or batch and STAN in DE 61, whichever the dialect has.
//! Never the terminal's own numbers. Guards: the issuer finds what it was sent before.

use crate::dialect::Dialect;
use crate::number::write_ascii;
use crate::patch::Patch;
use terms::{Mti, Stan, Text, TransmissionTime};

/// An original as it went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its message type.
    pub mti: Mti,
    /// DE 11 it went out with: ours.
    pub stan: Stan,
    /// DE 7 it went out with: ours.
    pub transmission: TransmissionTime,
    /// DE 32.
    pub acquirer: Text<11>,
    /// UnionPay 60.2, 0 if none.
    pub batch: u32,
    /// DE 13 as MMDD, 0 if absent.
    pub local_date: u16,
}

impl Named {
    /// Length of DE 90.
    pub(crate) const DIGITS: usize = 42;

    /// DE 90: MTI, STAN, DE 7, acquirer and forwarder, in digits. `out` is all zeros before.
    pub(crate) fn original_data(&self, out: &mut [u8; Self::DIGITS]) {
        out[..4].copy_from_slice(&self.mti.ascii());
        write_ascii(u64::from(self.stan.get()), &mut out[4..10]);
        write_ascii(u64::from(self.transmission.0), &mut out[10..20]);
        let acquirer = self.acquirer.trimmed();
        if acquirer.iter().all(u8::is_ascii_digit) {
            out[31 - acquirer.len()..31].copy_from_slice(acquirer);
        }
    }

    /// Into the field where `to` names originals. `data` is all zeros, and lives as long as the patch.
    pub(crate) fn put<'a>(&self, to: &Dialect, data: &'a mut [u8; Self::DIGITS], patch: &mut Patch<'a>) {
        let (field, len) = self.digits(to, data);
        if field != 0 {
            patch.set_text(field, &data[..len]);
        }
    }

    /// The field where `to` names originals, and how many of the digits in `data` (all zeros before) it holds; 0: nowhere.
    pub(crate) fn digits(&self, to: &Dialect, data: &mut [u8; Self::DIGITS]) -> (u8, usize) {
        let roles = &to.roles;
        if roles.original_data != 0 {
            self.original_data(data);
            return (roles.original_data, Self::DIGITS);
        }
        if let (Some(batch), Some(stan)) = (roles.original_batch, roles.original_stan)
            && batch.field == stan.field
        {
            let end = usize::from(stan.from + stan.len);
            write_ascii(
                u64::from(self.batch),
                &mut data[usize::from(batch.from)..][..usize::from(batch.len)],
            );
            write_ascii(u64::from(self.stan.get()), &mut data[usize::from(stan.from)..end]);
            write_ascii(u64::from(self.local_date), &mut data[end..end + 4]);
            return (batch.field, end + 4);
        }
        (0, 0)
    }
}
