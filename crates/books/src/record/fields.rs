//! The fields of one payload, read from its beginning.
//! Never reads past the end. Guards: what is missing or makes no sense is told with its place.

use super::{Advised, PayloadFault, state};

pub(crate) struct Fields<'a> {
    pub(crate) kind: u8,
    pub(crate) left: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn fault(&self, what: &'static str) -> PayloadFault {
        PayloadFault { kind: self.kind, what }
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], PayloadFault> {
        let fault = self.fault("too short");
        let (taken, left) = self.left.split_at_checked(count).ok_or(fault)?;
        self.left = left;
        Ok(taken)
    }

    pub(crate) fn skip(&mut self, count: usize) -> Result<(), PayloadFault> {
        self.take(count).map(drop)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, PayloadFault> {
        Ok(self.take(1)?[0])
    }

    /// 255 is "none".
    pub(crate) fn optional_byte(&mut self) -> Result<Option<u8>, PayloadFault> {
        Ok(Some(self.byte()?).filter(|byte| *byte != 255))
    }

    pub(crate) fn state(&mut self) -> Result<u8, PayloadFault> {
        let state = self.byte()?;
        if (state::INTENT..=state::QUARANTINED).contains(&state) {
            Ok(state)
        } else {
            Err(self.fault("no such state"))
        }
    }

    /// The number of an advice, at the end of a record that has one.
    pub(crate) fn advised(&mut self, present: bool) -> Result<Option<Advised>, PayloadFault> {
        if !present {
            return Ok(None);
        }
        Ok(Some(Advised { stan: self.number(3)? as u32, transmission: self.number(4)? as u32 }))
    }

    /// Little-endian, one to eight bytes.
    pub(crate) fn number(&mut self, count: usize) -> Result<u64, PayloadFault> {
        Ok(self.take(count)?.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// Padding does not tell identities apart.
    pub(crate) fn ascii(&mut self, count: usize) -> Result<String, PayloadFault> {
        Ok(String::from_utf8_lossy(self.take(count)?.trim_ascii_end()).into_owned())
    }

    pub(crate) fn text(&mut self) -> Result<String, PayloadFault> {
        let count = self.byte()?;
        self.ascii(usize::from(count))
    }

    pub(crate) fn code(&mut self) -> Result<Option<String>, PayloadFault> {
        let length = usize::from(self.byte()?);
        let code = self.take(4)?;
        let code = code.get(..length).ok_or_else(|| self.fault("a code over four bytes"))?;
        Ok((length > 0).then(|| String::from_utf8_lossy(code).into_owned()))
    }

    pub(crate) fn rest(&mut self) -> Result<String, PayloadFault> {
        let fault = self.fault("text is not UTF-8");
        let text = std::str::from_utf8(core::mem::take(&mut self.left)).map_err(|_| fault)?;
        Ok(text.to_owned())
    }
}
