//! Two directories made one again before a mirrored journal is read: what one lacks, the other gives.
//! Never judges a batch: recovery does, with both copies before it. Guards: a file is complete and durable before it has
//! its name.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};

use crate::Fault;
use crate::disk::{Disk, read_all, read_exact_at, replace};
use crate::marks;
use crate::place::{CLEAN_FILE, EPOCH_FILE, parse_segment, preparing_name, segment_name};

const PIECE: u64 = 1 << 20;

/// Brings segments and marks of `dirs` to the same state; gives the names of the segments that had to be copied.
pub(crate) fn align(disk: &dyn Disk, dirs: [&Path; 2]) -> Result<Vec<PathBuf>, Fault> {
    let mut made = Vec::new();
    for name in [EPOCH_FILE, CLEAN_FILE] {
        align_mark(disk, dirs, name)?;
    }
    for (from, to) in [(dirs[0], dirs[1]), (dirs[1], dirs[0])] {
        let there = list(disk, to)?;
        for name in list(disk, from)? {
            if let Some(segment) = parse_segment(&name).filter(|_| !there.contains(&name)) {
                let path = to.join(&name);
                copy(disk, from, to, segment).map_err(|error| Fault::io("mirror", &path, error))?;
                made.push(path);
            }
        }
    }
    Ok(made)
}

fn list(disk: &dyn Disk, dir: &Path) -> Result<Vec<String>, Fault> {
    disk.list(dir).map_err(|error| Fault::io("list", dir, error))
}

/// Of two marks the sound one counts, of two sound ones that of the later epoch: a crash came between the two writes.
fn align_mark(disk: &dyn Disk, dirs: [&Path; 2], name: &str) -> Result<(), Fault> {
    let fault = |dir: &Path| {
        let path = dir.join(name);
        move |error| Fault::io("mirror", &path, error)
    };
    let mut found = Vec::new();
    for dir in dirs {
        found.push(read(disk, &dir.join(name)).map_err(fault(dir))?);
    }
    let sound = found.iter().flatten().filter_map(|bytes| Some((marks::epoch_of(bytes)?, bytes)));
    let Some((_, best)) = sound.max_by_key(|(epoch, _)| *epoch) else { return Ok(()) };
    for (dir, bytes) in dirs.into_iter().zip(&found) {
        if bytes.as_ref() != Some(best) {
            replace(disk, dir, name, best).map_err(fault(dir))?;
        }
    }
    Ok(())
}

fn read(disk: &dyn Disk, path: &Path) -> io::Result<Option<Vec<u8>>> {
    match disk.open(path) {
        Ok(file) => read_all(&*file).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn copy(disk: &dyn Disk, from: &Path, to: &Path, segment: u32) -> io::Result<()> {
    let source = disk.open(&from.join(segment_name(segment)))?;
    let aside = to.join(preparing_name(segment));
    let target = disk.create(&aside)?;
    let len = source.len()?;
    let mut piece = vec![0; PIECE.min(len) as usize];
    for at in (0..len).step_by(PIECE as usize) {
        let piece = &mut piece[..PIECE.min(len - at) as usize];
        read_exact_at(&*source, piece, at)?;
        target.write_at(&mut [IoSlice::new(piece)], at)?;
    }
    target.sync_data()?;
    disk.rename(&aside, &to.join(segment_name(segment)))?;
    disk.sync_dir(to)
}
