//! One closed segment's keys in a file: sorted pairs in pages that check themselves, first keys of the pages in memory.
//! Never read as a whole after it is opened. Guards: a page that was damaged is a fault, never "missing".

use std::io::{self, IoSlice};
use std::sync::Arc;

use super::Pair;
use crate::Fault;
use crate::disk::{DiskFile, read_exact_at};
use crate::format::{u16_at, u32_at, u64_at};
use crate::place::{Place, index_name};

/// Version 1 had one key a record: it is made again.
const MAGIC: [u8; 8] = *b"PMINDEX\x02";
const HEADER_BYTES: usize = 64;
const PAGE_BYTES: usize = 4096;
/// 255 pairs and 16 bytes of trailer fill a page.
const PAGE_PAIRS: usize = 255;
const PAGE_CRC_AT: usize = PAGE_BYTES - 4;
const PAGE_COUNT_AT: usize = PAGE_BYTES - 8;

const _: () = assert!(PAGE_PAIRS * 16 + 16 == PAGE_BYTES, "a page is full");

/// The file of one segment's keys, open for look-ups.
pub(crate) struct Sidecar {
    place: Place,
    segment: u32,
    file: Arc<dyn DiskFile>,
    first_keys: Vec<u64>,
}

impl Sidecar {
    /// Writes `pairs` (sorted) durably and opens the file.
    pub(crate) fn write(place: &Place, segment: u32, pairs: &[Pair]) -> Result<Self, Fault> {
        let path = place.path(&index_name(segment));
        write(place, segment, pairs).map_err(|error| Fault::io("write", &path, error))?;
        Self::open(place, segment)
    }

    /// Opens the file and reads its first keys.
    /// # Errors
    /// If there is none or it is not whole.
    pub(crate) fn open(place: &Place, segment: u32) -> Result<Self, Fault> {
        let path = place.path(&index_name(segment));
        let file = place.open(&path)?;
        let first_keys = read_first_keys(&*file, place, segment)
            .map_err(|error| Fault::io("read", &path, error))?
            .ok_or_else(|| Fault::bad_file(&path, "expected a key index with its checksum"))?;
        Ok(Self { place: place.clone(), segment, file, first_keys })
    }

    /// Pushes the positions of `key`.
    pub(crate) fn find(&self, key: u64, found: &mut Vec<u64>) -> Result<(), Fault> {
        // The key may begin on the page before the first one that starts with it.
        let start = self.first_keys.partition_point(|first| *first < key).saturating_sub(1);
        let end = self.first_keys.partition_point(|first| *first <= key);
        let mut page = [0; PAGE_BYTES];
        for number in start..end {
            self.read_page(number, &mut page)?;
            let count = usize::from(u16_at(&page, PAGE_COUNT_AT)).min(PAGE_PAIRS);
            let pairs = page[..16 * count].chunks_exact(16);
            found.extend(pairs.filter(|pair| u64_at(pair, 0) == key).map(|pair| u64_at(pair, 8)));
        }
        Ok(())
    }

    fn read_page(&self, number: usize, page: &mut [u8; PAGE_BYTES]) -> Result<(), Fault> {
        let path = self.place.path(&index_name(self.segment));
        let offset = pages_at(self.first_keys.len()) + (number * PAGE_BYTES) as u64;
        read_exact_at(&*self.file, page, offset).map_err(|error| Fault::io("read", &path, error))?;
        if crc32c::crc32c(&page[..PAGE_CRC_AT]) != u32_at(page, PAGE_CRC_AT) {
            return Err(Fault::bad_file(&path, format!("checksum of page {number}")));
        }
        Ok(())
    }
}

fn pages_at(pages: usize) -> u64 {
    (HEADER_BYTES + 8 * pages).next_multiple_of(PAGE_BYTES) as u64
}

fn write(place: &Place, segment: u32, pairs: &[Pair]) -> io::Result<()> {
    let name = index_name(segment);
    let aside = place.path(&format!("{name}.new"));
    let file = place.disk.create(&aside)?;
    let pages = pairs.chunks(PAGE_PAIRS);
    file.write_at(&mut [IoSlice::new(&head(place, segment, pairs))], 0)?;
    let mut offset = pages_at(pages.len());
    // A megabyte per write: a sidecar of a full segment has tens of them.
    for group in pairs.chunks(PAGE_PAIRS * 256) {
        let bytes: Vec<u8> = group.chunks(PAGE_PAIRS).flat_map(render_page).collect();
        file.write_at(&mut [IoSlice::new(&bytes)], offset)?;
        offset += bytes.len() as u64;
    }
    file.sync_data()?;
    place.disk.rename(&aside, &place.path(&name))?;
    place.disk.sync_dir(&place.dir)
}

fn head(place: &Place, segment: u32, pairs: &[Pair]) -> Vec<u8> {
    let mut bytes = vec![0; HEADER_BYTES];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..10].copy_from_slice(&place.node.to_le_bytes());
    bytes[12..16].copy_from_slice(&segment.to_le_bytes());
    bytes[16..24].copy_from_slice(&place.segment_bytes.to_le_bytes());
    bytes[24..32].copy_from_slice(&(pairs.len() as u64).to_le_bytes());
    bytes.extend(pairs.chunks(PAGE_PAIRS).flat_map(|page| page[0].0.to_le_bytes()));
    let first_keys = crc32c::crc32c(&bytes[HEADER_BYTES..]);
    bytes[32..36].copy_from_slice(&first_keys.to_le_bytes());
    let header = crc32c::crc32c(&bytes[..HEADER_BYTES - 4]);
    bytes[HEADER_BYTES - 4..HEADER_BYTES].copy_from_slice(&header.to_le_bytes());
    bytes
}

fn render_page(pairs: &[Pair]) -> [u8; PAGE_BYTES] {
    let mut page = [0; PAGE_BYTES];
    for (slot, (key, lsn)) in page.chunks_exact_mut(16).zip(pairs) {
        slot[..8].copy_from_slice(&key.to_le_bytes());
        slot[8..].copy_from_slice(&lsn.to_le_bytes());
    }
    page[PAGE_COUNT_AT..PAGE_COUNT_AT + 2].copy_from_slice(&(pairs.len() as u16).to_le_bytes());
    let crc = crc32c::crc32c(&page[..PAGE_CRC_AT]);
    page[PAGE_CRC_AT..].copy_from_slice(&crc.to_le_bytes());
    page
}

fn read_first_keys(file: &dyn DiskFile, place: &Place, segment: u32) -> io::Result<Option<Vec<u64>>> {
    let mut header = [0; HEADER_BYTES];
    read_exact_at(file, &mut header, 0)?;
    let whole = header[..8] == MAGIC
        && crc32c::crc32c(&header[..HEADER_BYTES - 4]) == u32_at(&header, HEADER_BYTES - 4)
        && u16_at(&header, 8) == place.node
        && u32_at(&header, 12) == segment
        && u64_at(&header, 16) == place.segment_bytes;
    if !whole {
        return Ok(None);
    }
    let pages = (u64_at(&header, 24) as usize).div_ceil(PAGE_PAIRS);
    if pages as u64 > file.len()? / PAGE_BYTES as u64 {
        return Ok(None);
    }
    let mut bytes = vec![0; 8 * pages];
    read_exact_at(file, &mut bytes, HEADER_BYTES as u64)?;
    let holds = crc32c::crc32c(&bytes) == u32_at(&header, 32);
    Ok(holds.then(|| bytes.chunks_exact(8).map(|key| u64_at(key, 0)).collect()))
}
