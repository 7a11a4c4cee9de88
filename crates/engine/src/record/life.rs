//! Records about the switch itself: business days, the names behind stable numbers, what people did.
//! Never holds a secret or a path; guards: a reader of the journal alone can name every issuer, link and calendar.

use super::wire::{Pen, Reading};
use super::{AUDIT, CONFIG, DAY, Damaged, Record};
use journal::{Frame, Kind};
use terms::BusinessDay;

/// One DAY: the current business day of a calendar, or of an issuer that has begun it itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Day {
    /// Milliseconds since 1970-01-01 UTC.
    pub wall_ms: i64,
    /// `stable_id` of the calendar's name; of `NAME (told)` where issuer `NAME` has begun it.
    pub calendar: u32,
    /// The day that began.
    pub day: BusinessDay,
}

impl Record for Day {
    const KIND: Kind = DAY;

    fn write(&self, out: &mut Vec<u8>) {
        let mut pen = Pen::<12>::new();
        pen.wall(self.wall_ms);
        pen.u32(self.calendar);
        pen.u16(self.day.0);
        pen.into(out);
    }

    fn read(payload: &[u8]) -> Result<Self, Damaged> {
        let mut reading = Reading::new(DAY, payload);
        let (wall_ms, calendar) = (reading.wall()?, reading.u32()?);
        let day = BusinessDay(reading.u16()?);
        reading.end()?;
        Ok(Self { wall_ms, calendar, day })
    }
}

/// Version of all payload layouts; every CONFIG names it.
pub const FORMAT: u16 = 2;

/// One CONFIG, written at every start and reload before traffic; several where the names need more than one record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config<'a> {
    /// Milliseconds since 1970-01-01 UTC.
    pub wall_ms: i64,
    /// Counts reloads.
    pub version: u32,
    /// First eight bytes of the configuration's SHA-256.
    pub hash: u64,
    /// Lines `issuer 0012abcd NAME`, `link 0012abcd ISSUER/LINK`, `calendar 0012abcd NAME` (number in eight hexadecimal
    /// digits, line ends `\n`). At most [`Config::NAMES_MAX`] bytes.
    pub names: &'a str,
}

impl<'a> Config<'a> {
    /// Most bytes of names in one record.
    pub const NAMES_MAX: usize = 60_000;

    /// Appends it.
    /// # Panics
    /// If the names are longer than [`Config::NAMES_MAX`].
    pub fn append(&self, frame: &mut Frame, token: u64) {
        assert!(self.names.len() <= Self::NAMES_MAX, "the names need another CONFIG record");
        frame.append(CONFIG, token, None, |out| self.write(out));
    }

    /// Pushes the payload.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut pen = Pen::<20>::new();
        pen.wall(self.wall_ms);
        pen.u16(FORMAT);
        pen.u32(self.version);
        pen.u64(self.hash);
        pen.into(out);
        out.extend_from_slice(self.names.as_bytes());
    }

    /// Reads a payload.
    /// # Errors
    /// [`Damaged`], also for another [`FORMAT`].
    pub fn read(payload: &'a [u8]) -> Result<Self, Damaged> {
        let mut reading = Reading::new(CONFIG, payload);
        let wall_ms = reading.wall()?;
        let format = reading.u16()?;
        reading.expect((format == FORMAT).then_some(()), "payload format 2")?;
        let (version, hash) = (reading.u32()?, reading.u64()?);
        Ok(Self { wall_ms, version, hash, names: text(&mut reading)? })
    }
}

/// One AUDIT: what people did, as a line of text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Audit<'a> {
    /// Milliseconds since 1970-01-01 UTC.
    pub wall_ms: i64,
    /// Who and what; never a secret.
    pub text: &'a str,
}

impl<'a> Audit<'a> {
    /// Appends it; the text is cut at 60,000 bytes.
    pub fn append(&self, frame: &mut Frame, token: u64) {
        frame.append(AUDIT, token, None, |out| self.write(out));
    }

    /// Pushes the payload.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut pen = Pen::<6>::new();
        pen.wall(self.wall_ms);
        pen.into(out);
        let most = self.text.len().min(Config::NAMES_MAX);
        let cut = (0..=most).rev().find(|at| self.text.is_char_boundary(*at)).unwrap_or(0);
        out.extend_from_slice(&self.text.as_bytes()[..cut]);
    }

    /// Reads a payload.
    /// # Errors
    /// [`Damaged`].
    pub fn read(payload: &'a [u8]) -> Result<Self, Damaged> {
        let mut reading = Reading::new(AUDIT, payload);
        Ok(Self { wall_ms: reading.wall()?, text: text(&mut reading)? })
    }
}

fn text<'a>(reading: &mut Reading<'a>) -> Result<&'a str, Damaged> {
    let text = core::str::from_utf8(reading.rest()).ok();
    reading.expect(text, "UTF-8 text")
}
