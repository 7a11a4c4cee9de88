//! The ledger as bytes, for checkpoints. Reuses the layouts of the records; a checksum ends it.
//! Never reads another version's; guards: restore of a snapshot is the same ledger, half a snapshot is none.

use super::*;
use std::io::{Error, ErrorKind, Read, Write};
use terms::batch::{Side, Totals};

const MAGIC: [u8; 8] = *b"PMLEDGER";
const VERSION: u16 = 2;

/// Entries per read: 32 bytes each.
const CHUNK: usize = 2048;

pub(super) fn write(ledger: &Ledger, out: &mut dyn Write) -> io::Result<()> {
    let mut out = Summed { inner: out, crc: 0 };
    out.write_all(&MAGIC)?;
    out.write_all(&VERSION.to_le_bytes())?;
    out.write_all(&ledger.applied.0.to_le_bytes())?;
    out.write_all(&ledger.wall_ms.to_le_bytes())?;
    for counter in ledger.rrn_counters {
        out.write_all(&counter.to_le_bytes())?;
    }
    write_index(&ledger.index, &mut out)?;
    write_cells(&ledger.cells, &mut out)?;
    write_batches(&ledger.batches, &mut out)?;
    write_records(ledger, &mut out)?;
    let crc = out.crc;
    out.inner.write_all(&crc.to_le_bytes())
}

pub(super) fn read(options: LedgerOptions, input: &mut dyn Read) -> io::Result<Ledger> {
    let mut input = Summing { inner: input, crc: 0 };
    let mut ledger = Ledger::new(options);
    if input.array::<8>()? != MAGIC || input.array()? != VERSION.to_le_bytes() {
        return Err(damaged("not a ledger of version 2"));
    }
    ledger.applied = Lsn(input.number()?);
    ledger.wall_ms = input.number()? as i64;
    for counter in &mut ledger.rrn_counters {
        *counter = input.number()?;
    }
    read_index(&mut ledger.index, &mut input)?;
    read_cells(&mut ledger.cells, &mut input)?;
    read_batches(&mut ledger.batches, &mut input)?;
    read_records(&mut ledger, &mut input)?;
    let crc = input.crc;
    let mut stored = [0; 4];
    input.inner.read_exact(&mut stored)?;
    if stored == crc.to_le_bytes() { Ok(ledger) } else { Err(damaged("ledger checksum differs")) }
}

fn write_index(index: &Index, out: &mut Summed<'_>) -> io::Result<()> {
    let (now_ms, complete_since) = index.times();
    out.write_all(&now_ms.to_le_bytes())?;
    out.write_all(&complete_since.to_le_bytes())?;
    for (started_ms, entries, len) in index.generations() {
        out.write_all(&started_ms.to_le_bytes())?;
        out.write_all(&(len as u64).to_le_bytes())?;
        entries.map(Entry::to_bytes).try_for_each(|bytes| out.write_all(&bytes))?;
    }
    Ok(())
}

fn read_index(index: &mut Index, input: &mut Summing<'_>) -> io::Result<()> {
    index.set_times(input.number()? as i64, input.number()? as i64);
    for newer in [false, true] {
        index.set_started(newer, input.number()? as i64);
        let mut left = input.number()?;
        let mut chunk = vec![0; CHUNK * 32];
        while left > 0 {
            let now = left.min(CHUNK as u64) as usize;
            input.read_exact(&mut chunk[..now * 32])?;
            for bytes in chunk[..now * 32].as_chunks::<32>().0 {
                let entry =
                    Entry::from_bytes(bytes).ok_or_else(|| damaged("an index entry without a state"))?;
                index.put_back(newer, entry);
            }
            left -= now as u64;
        }
    }
    Ok(())
}

fn write_cells(cells: &Cells, out: &mut Summed<'_>) -> io::Result<()> {
    out.write_all(&(cells.len() as u64).to_le_bytes())?;
    for Spent { key, day, amount, count } in cells.iter() {
        let mut bytes = [0; 30];
        bytes[..16].copy_from_slice(&key.0.to_le_bytes());
        bytes[16..18].copy_from_slice(&day.0.to_le_bytes());
        bytes[18..26].copy_from_slice(&amount.to_le_bytes());
        bytes[26..].copy_from_slice(&count.to_le_bytes());
        out.write_all(&bytes)?;
    }
    Ok(())
}

fn read_cells(cells: &mut Cells, input: &mut Summing<'_>) -> io::Result<()> {
    for _ in 0..input.number()? {
        cells.set(Spent {
            key: limits::LimitKey(u128::from_le_bytes(input.array()?)),
            day: BusinessDay(u16::from_le_bytes(input.array()?)),
            amount: i64::from_le_bytes(input.array()?),
            count: u32::from_le_bytes(input.array()?),
        });
    }
    Ok(())
}

/// Whether one was let go, how many there are, then key and totals of each, oldest first.
fn write_batches(batches: &Batches, out: &mut Summed<'_>) -> io::Result<()> {
    out.write_all(&[u8::from(batches.forgot())])?;
    out.write_all(&(batches.iter().len() as u64).to_le_bytes())?;
    for ((owner, batch), totals) in batches.iter() {
        out.write_all(&owner.to_le_bytes())?;
        out.write_all(&batch.to_le_bytes())?;
        for side in totals.iter().flat_map(|totals| [totals.debits, totals.credits]) {
            out.write_all(&side.amount.to_le_bytes())?;
            out.write_all(&side.count.to_le_bytes())?;
        }
    }
    Ok(())
}

fn read_batches(batches: &mut Batches, input: &mut Summing<'_>) -> io::Result<()> {
    batches.set_forgot(input.array::<1>()? != [0]);
    for _ in 0..input.number()? {
        let key = (input.number()?, u32::from_le_bytes(input.array()?));
        batches.put(key, [read_totals(input)?, read_totals(input)?]);
    }
    Ok(())
}

fn read_totals(input: &mut Summing<'_>) -> io::Result<Totals> {
    Ok(Totals { debits: read_side(input)?, credits: read_side(input)? })
}

fn read_side(input: &mut Summing<'_>) -> io::Result<Side> {
    let amount = i64::from_le_bytes(input.array()?);
    Ok(Side { amount, count: u32::from_le_bytes(input.array()?) })
}

/// Sections of framed payloads: each a position, a flag and a record's payload; a zero length ends the section.
fn write_records(ledger: &Ledger, out: &mut Summed<'_>) -> io::Result<()> {
    for open in ledger.open.values() {
        framed(out, open.lsn, 0, &open.intent)?;
    }
    end(out)?;
    for owed in ledger.owed.values() {
        #[cfg(pointsman_zoo)]
        if zoo::has(zoo::Bug::CheckpointForgetsOwed) {
            continue;
        }
        framed(out, owed.lsn, owed_flags(owed), &owed.obligation())?;
    }
    end(out)?;
    for resolving in ledger.resolving.values() {
        framed(out, resolving.lsn, 0, &resolving.obligation())?;
    }
    end(out)?;
    for standing in &ledger.tombstones {
        framed(out, standing.lsn, 0, &standing.tombstone)?;
    }
    end(out)?;
    for (calendar, day) in &ledger.days {
        framed(out, Lsn::NONE, 0, &Day { wall_ms: 0, calendar: *calendar, day: *day })?;
    }
    end(out)
}

fn read_records(ledger: &mut Ledger, input: &mut Summing<'_>) -> io::Result<()> {
    let mut payload = Vec::new();
    while let Some((lsn, _)) = unframed(input, &mut payload)? {
        let intent = <Intent as Record>::read(&payload).map_err(damaged)?;
        ledger.open.insert(intent.serial, OpenIntent { lsn, intent });
    }
    while let Some((lsn, flags)) = unframed(input, &mut payload)? {
        let obligation = Obligation::read(&payload).map_err(damaged)?;
        let owed = Owed::by_obligation(&obligation, None, lsn).ok_or_else(|| damaged("not a reversal"))?;
        let [quarantined, stands, undo] = [1, 2, 4].map(|flag| flags & flag != 0);
        ledger.owed.insert(owed.serial, Box::new(Owed { quarantined, stands, undo, ..owed }));
    }
    while let Some((lsn, _)) = unframed(input, &mut payload)? {
        let obligation = Obligation::read(&payload).map_err(damaged)?;
        let resolving = Resolving::of(&obligation, lsn).ok_or_else(|| damaged("not a look-up"))?;
        ledger.resolving.insert(resolving.serial, resolving);
    }
    while let Some((lsn, _)) = unframed(input, &mut payload)? {
        let tombstone = Tombstone::read(&payload).map_err(damaged)?;
        ledger.tombstones.push_back(StandingTombstone { lsn, tombstone });
    }
    while unframed(input, &mut payload)?.is_some() {
        let day = Day::read(&payload).map_err(damaged)?;
        ledger.days.insert(day.calendar, day.day);
    }
    Ok(())
}

/// What an OBLIGATION does not say.
fn owed_flags(owed: &Owed) -> u8 {
    u8::from(owed.quarantined) | u8::from(owed.stands) << 1 | u8::from(owed.undo) << 2
}

fn framed(out: &mut Summed<'_>, lsn: Lsn, flag: u8, record: &impl Record) -> io::Result<()> {
    let mut payload = Vec::with_capacity(256);
    record.write(&mut payload);
    out.write_all(&(payload.len() as u16).to_le_bytes())?;
    out.write_all(&lsn.0.to_le_bytes())?;
    out.write_all(&[flag])?;
    out.write_all(&payload)
}

fn end(out: &mut Summed<'_>) -> io::Result<()> {
    out.write_all(&[0; 2])
}

fn unframed(input: &mut Summing<'_>, payload: &mut Vec<u8>) -> io::Result<Option<(Lsn, u8)>> {
    let len = u16::from_le_bytes(input.array()?);
    if len == 0 {
        return Ok(None);
    }
    let lsn = Lsn(input.number()?);
    let [flag] = input.array()?;
    payload.resize(usize::from(len), 0);
    input.read_exact(payload)?;
    Ok(Some((lsn, flag)))
}

fn damaged(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::InvalidData, why)
}

struct Summed<'a> {
    inner: &'a mut dyn Write,
    crc: u32,
}

impl Summed<'_> {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.crc = crc32c::crc32c_append(self.crc, bytes);
        self.inner.write_all(bytes)
    }
}

struct Summing<'a> {
    inner: &'a mut dyn Read,
    crc: u32,
}

impl Summing<'_> {
    fn read_exact(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.inner.read_exact(bytes)?;
        self.crc = crc32c::crc32c_append(self.crc, bytes);
        Ok(())
    }

    fn array<const L: usize>(&mut self) -> io::Result<[u8; L]> {
        let mut array = [0; L];
        self.read_exact(&mut array)?;
        Ok(array)
    }

    fn number(&mut self) -> io::Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }
}
