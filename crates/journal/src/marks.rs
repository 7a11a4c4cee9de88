//! Two small files beside the segments: the epoch, raised at every open, and the mark of a clean close.
//! Never believed without checksum. Guards: no epoch, hence no nonce, is used twice; a clean mark is only
//! as good as its epoch, so it goes stale by itself when the next process raises it.

use crate::disk::{read_all, replace};
use crate::format::{Chain, u16_at, u32_at, u64_at};
use crate::place::{CLEAN_FILE, EPOCH_FILE, Place};
use crate::{Fault, Lsn};

const EPOCH_MAGIC: [u8; 8] = *b"PMEPOCH\x01";
const CLEAN_MAGIC: [u8; 8] = *b"PMCLEAN\x01";
const EPOCH_BYTES: usize = 24;
const CLEAN_BYTES: usize = 80;

/// The epoch last raised; `None` if the file does not exist, which only a new journal may have.
pub(crate) fn read_epoch(place: &Place, names: &[String]) -> Result<Option<u32>, Fault> {
    let Some(bytes) = read_named(place, names, EPOCH_FILE)? else { return Ok(None) };
    let path = place.path(EPOCH_FILE);
    if bytes.len() != EPOCH_BYTES || bytes[..8] != EPOCH_MAGIC || !checksum_holds(&bytes) {
        return Err(Fault::bad_file(
            &path,
            "expected an epoch with its checksum; the journal cannot be opened without",
        ));
    }
    let node = u16_at(&bytes, 8);
    if node != place.node {
        let (expected, found) = (u64::from(place.node), u64::from(node));
        return Err(Fault::Mismatch { what: "node", path, expected, found });
    }
    Ok(Some(u32_at(&bytes, 12)))
}

/// Makes `epoch` durable.
pub(crate) fn write_epoch(place: &Place, epoch: u32) -> Result<(), Fault> {
    let mut bytes = EPOCH_MAGIC.to_vec();
    bytes.extend_from_slice(&place.node.to_le_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes.extend_from_slice(&epoch.to_le_bytes());
    bytes.extend_from_slice(&[0; 4]);
    write_named(place, EPOCH_FILE, bytes)
}

/// Where a cleanly closed journal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CleanMark {
    pub(crate) tail: Lsn,
    pub(crate) chain: Chain,
}

/// The mark of the process that had `epoch`, if it closed cleanly.
pub(crate) fn read_clean(place: &Place, names: &[String], epoch: u32) -> Result<Option<CleanMark>, Fault> {
    let Some(bytes) = read_named(place, names, CLEAN_FILE)? else { return Ok(None) };
    if bytes.len() != CLEAN_BYTES || bytes[..8] != CLEAN_MAGIC || !checksum_holds(&bytes) {
        return Ok(None);
    }
    let hash = bytes[40..72].try_into().expect("thirty-two bytes");
    let chain =
        Chain { epoch: u32_at(&bytes, 12), batch: u64_at(&bytes, 24), record: u64_at(&bytes, 32), hash };
    Ok((chain.epoch == epoch).then_some(CleanMark { tail: Lsn(u64_at(&bytes, 16)), chain }))
}

/// Says durably that everything up to `tail` was synced; `chain.epoch` must be the current epoch.
pub(crate) fn write_clean(place: &Place, mark: CleanMark) -> Result<(), Fault> {
    let mut bytes = CLEAN_MAGIC.to_vec();
    bytes.extend_from_slice(&place.node.to_le_bytes());
    bytes.extend_from_slice(&[0; 2]);
    bytes.extend_from_slice(&mark.chain.epoch.to_le_bytes());
    bytes.extend_from_slice(&mark.tail.0.to_le_bytes());
    bytes.extend_from_slice(&mark.chain.batch.to_le_bytes());
    bytes.extend_from_slice(&mark.chain.record.to_le_bytes());
    bytes.extend_from_slice(&mark.chain.hash);
    bytes.extend_from_slice(&[0; 4]);
    write_named(place, CLEAN_FILE, bytes)
}

/// The epoch in an epoch file or a clean mark that is sound.
pub(crate) fn epoch_of(bytes: &[u8]) -> Option<u32> {
    let is_epoch = bytes.len() == EPOCH_BYTES && bytes[..8] == EPOCH_MAGIC;
    let is_clean = bytes.len() == CLEAN_BYTES && bytes[..8] == CLEAN_MAGIC;
    ((is_epoch || is_clean) && checksum_holds(bytes)).then(|| u32_at(bytes, 12))
}

fn read_named(place: &Place, names: &[String], name: &str) -> Result<Option<Vec<u8>>, Fault> {
    if !names.iter().any(|found| found == name) {
        return Ok(None);
    }
    let path = place.path(name);
    let file = place.open(&path)?;
    read_all(&*file).map(Some).map_err(|error| Fault::io("read", &path, error))
}

fn write_named(place: &Place, name: &str, mut bytes: Vec<u8>) -> Result<(), Fault> {
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    replace(&*place.disk, &place.dir, name, &bytes)
        .map_err(|error| Fault::io("replace", &place.path(name), error))
}

fn checksum_holds(bytes: &[u8]) -> bool {
    let end = bytes.len() - 4;
    crc32c::crc32c(&bytes[..end]) == u32_at(bytes, end)
}
