//! Snapshots of the projection between two batches, so that recovery replays a tail and not a history.
//! Never needed for correctness: an unusable one is passed over, for an older one or for the whole log.
//! Guards: a checkpoint counts only under its checksum; the two newest are kept (`tests/checkpoint.rs`).

use std::io::{self, IoSlice, Read, Write};
use std::sync::Arc;

use crate::disk::{DiskFile, read_exact_at};
use crate::format::{BATCH_ALIGN, Chain, FORMAT_VERSION, SEGMENT_HEADER_BYTES, u16_at, u32_at, u64_at};
use crate::place::{Place, checkpoint_name, parse_checkpoint};
use crate::{Fault, Lsn, Projection};

const MAGIC: [u8; 8] = *b"PMCHECK\x01";
const HEADER_BYTES: usize = 128;
pub(crate) const KEPT: usize = 2;
const BUFFER: usize = 256 << 10;

/// Where a checkpoint stands: everything before `position` is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stand {
    pub(crate) position: Lsn,
    pub(crate) chain: Chain,
    /// Bytes of the snapshot.
    pub(crate) length: u64,
    /// What the projection still needed then.
    pub(crate) oldest_needed: Lsn,
}

/// Restores the newest usable checkpoint into `projection`.
pub(crate) fn load_newest(
    place: &Place,
    names: &[String],
    projection: &mut dyn Projection,
) -> Result<Option<Stand>, Fault> {
    let mut positions: Vec<Lsn> = names.iter().filter_map(|name| parse_checkpoint(name)).collect();
    positions.sort_unstable();
    for position in positions.into_iter().rev() {
        let path = place.path(&checkpoint_name(position));
        let file = place.open(&path)?;
        let stand =
            load(&file, place, position, projection).map_err(|error| Fault::io("read", &path, error))?;
        if stand.is_some() {
            return Ok(stand);
        }
    }
    Ok(None)
}

/// The checkpoints that stand on the disk and whose headers are sound, oldest first; their snapshots are not read.
pub(crate) fn stands(place: &Place, names: &[String]) -> Result<Vec<Stand>, Fault> {
    let mut positions: Vec<Lsn> = names.iter().filter_map(|name| parse_checkpoint(name)).collect();
    positions.sort_unstable();
    let mut stands = Vec::new();
    for position in positions {
        let path = place.path(&checkpoint_name(position));
        let mut header = [0; HEADER_BYTES];
        let file = place.open(&path)?;
        if file.len().map_err(|error| Fault::io("read", &path, error))? >= HEADER_BYTES as u64 {
            read_exact_at(&*file, &mut header, 0).map_err(|error| Fault::io("read", &path, error))?;
        }
        stands.extend(parse(&header, place, position));
    }
    Ok(stands)
}

fn load(
    file: &Arc<dyn DiskFile>,
    place: &Place,
    position: Lsn,
    projection: &mut dyn Projection,
) -> io::Result<Option<Stand>> {
    let mut header = [0; HEADER_BYTES];
    let mut source = Source { file: file.clone(), at: 0, end: file.len()? };
    if source.read_exact(&mut header).is_err() {
        return Ok(None);
    }
    let Some(stand) = parse(&header, place, position) else { return Ok(None) };
    if source.end != HEADER_BYTES as u64 + stand.length || checksum(&mut source)? != u32_at(&header, 96) {
        return Ok(None);
    }
    source.at = HEADER_BYTES as u64;
    // A refusal is the projection's way to say "another version": then an older one or the log itself serves.
    let restored = projection.restore(&mut io::BufReader::with_capacity(BUFFER, source));
    Ok(restored.is_ok().then_some(stand))
}

fn parse(header: &[u8; HEADER_BYTES], place: &Place, position: Lsn) -> Option<Stand> {
    let whole = header[..8] == MAGIC
        && crc32c::crc32c(&header[..HEADER_BYTES - 4]) == u32_at(header, HEADER_BYTES - 4)
        && u16_at(header, 8) == FORMAT_VERSION
        && u16_at(header, 10) == place.node
        && u64_at(header, 16) == place.segment_bytes
        && u64_at(header, 24) == position.0
        && is_border(place, position);
    let hash = header[48..80].try_into().expect("thirty-two bytes");
    let chain =
        Chain { epoch: u32_at(header, 12), batch: u64_at(header, 32), record: u64_at(header, 40), hash };
    let (length, oldest_needed) = (u64_at(header, 88), Lsn(u64_at(header, 80)));
    whole.then_some(Stand { position, chain, length, oldest_needed })
}

/// Whether a batch, or the header of a segment, can begin there.
fn is_border(place: &Place, position: Lsn) -> bool {
    let offset = position.offset(place.segment_bytes);
    offset.is_multiple_of(BATCH_ALIGN) && (offset == 0 || offset >= SEGMENT_HEADER_BYTES)
}

fn render(place: &Place, stand: &Stand, crc: u32) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..10].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes[10..12].copy_from_slice(&place.node.to_le_bytes());
    bytes[12..16].copy_from_slice(&stand.chain.epoch.to_le_bytes());
    bytes[16..24].copy_from_slice(&place.segment_bytes.to_le_bytes());
    bytes[24..32].copy_from_slice(&stand.position.0.to_le_bytes());
    bytes[32..40].copy_from_slice(&stand.chain.batch.to_le_bytes());
    bytes[40..48].copy_from_slice(&stand.chain.record.to_le_bytes());
    bytes[48..80].copy_from_slice(&stand.chain.hash);
    bytes[80..88].copy_from_slice(&stand.oldest_needed.0.to_le_bytes());
    bytes[88..96].copy_from_slice(&stand.length.to_le_bytes());
    bytes[96..100].copy_from_slice(&crc.to_le_bytes());
    let header = crc32c::crc32c(&bytes[..HEADER_BYTES - 4]);
    bytes[HEADER_BYTES - 4..].copy_from_slice(&header.to_le_bytes());
    bytes
}

/// Writes the state of `projection` at `position`, durably, and removes all but the two newest.
pub(crate) fn write(
    place: &Place,
    position: Lsn,
    chain: Chain,
    projection: &dyn Projection,
) -> Result<Stand, Fault> {
    let mut stand = Stand { position, chain, length: 0, oldest_needed: projection.oldest_needed() };
    let name = checkpoint_name(position);
    let path = place.path(&name);
    write_file(place, &name, &mut stand, projection).map_err(|error| Fault::io("write", &path, error))?;
    let mut positions: Vec<Lsn> = place.list()?.iter().filter_map(|name| parse_checkpoint(name)).collect();
    positions.sort_unstable();
    positions.truncate(positions.len().saturating_sub(KEPT));
    for old in positions {
        let path = place.path(&checkpoint_name(old));
        place.disk.remove(&path).map_err(|error| Fault::io("remove", &path, error))?;
    }
    Ok(stand)
}

fn write_file(place: &Place, name: &str, stand: &mut Stand, projection: &dyn Projection) -> io::Result<()> {
    let aside = place.path(&format!("{name}.new"));
    let file = place.disk.create(&aside)?;
    let mut sink = Sink { file: file.clone(), at: HEADER_BYTES as u64, crc: 0 };
    let mut buffered = io::BufWriter::with_capacity(BUFFER, &mut sink);
    projection.snapshot(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    stand.length = sink.at - HEADER_BYTES as u64;
    let header = render(place, stand, sink.crc);
    file.write_at(&mut [IoSlice::new(&header)], 0)?;
    file.sync_data()?;
    place.disk.rename(&aside, &place.path(name))?;
    place.disk.sync_dir(&place.dir)
}

fn checksum(source: &mut Source) -> io::Result<u32> {
    let mut buf = vec![0; BUFFER];
    let mut crc = 0;
    loop {
        match source.read(&mut buf)? {
            0 => return Ok(crc),
            count => crc = crc32c::crc32c_append(crc, &buf[..count]),
        }
    }
}

struct Source {
    file: Arc<dyn DiskFile>,
    at: u64,
    end: u64,
}

impl Read for Source {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let len = buf.len().min(left);
        let count = self.file.read_at(&mut buf[..len], self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

struct Sink {
    file: Arc<dyn DiskFile>,
    at: u64,
    crc: u32,
}

impl Write for Sink {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.file.write_at(&mut [IoSlice::new(buf)], self.at)?;
        self.at += buf.len() as u64;
        self.crc = crc32c::crc32c_append(self.crc, buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
