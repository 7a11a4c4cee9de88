//! From a directory to a log that can be appended to: find the end, tell a torn tail from damage, replay.
//! Never changes a byte before it is sure that nothing acknowledged is lost.
//! Guards: interrupted at any step, the next open finds the same records (`tests/crash.rs`).

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::checkpoint::{self, Stand};
use crate::disk::DiskFile;
use crate::format::{Chain, SEGMENT_HEADER_BYTES, SegmentHeader};
use crate::index::KeyIndex;
use crate::keeper::apply;
use crate::marks::{self, CleanMark};
use crate::mend;
use crate::place::{Place, is_left_over, parse_segment};
use crate::prepare::{make_first, zero};
use crate::repair::Repaired;
use crate::walk::{Stop, Survey, Window, survey, walk};
use crate::writer::Tail;
use crate::{Fault, Lsn, Projection};

/// What an open found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The epoch of this process.
    pub epoch: u32,
    /// Whether the process before closed cleanly.
    pub was_clean: bool,
    /// Position of the checkpoint the replay started from, if one was usable.
    pub checkpoint: Option<Lsn>,
    /// Batches replayed behind it.
    pub batches: u64,
    /// Records replayed behind it.
    pub records: u64,
    /// Sequence that the next record gets; all lower ones are durable.
    pub next_record: u64,
    /// Where the log ends.
    pub tail: Lsn,
    /// Unacknowledged bytes behind it that were cut: position and span.
    pub cut: Option<Cut>,
    /// Places that were repaired from the other copy of a mirrored journal.
    pub mended: u64,
}

/// A torn tail that was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Where the first batch stood that was not whole.
    pub at: Lsn,
    /// Bytes from there to the last one that was not zero.
    pub bytes: u64,
}

/// The log, ready for a writer.
pub(crate) struct Recovered {
    pub(crate) report: Recovery,
    pub(crate) tail: Tail,
    /// A segment behind the tail that a former process prepared.
    pub(crate) spare: Option<Arc<dyn DiskFile>>,
    pub(crate) first_segment: u32,
    pub(crate) stand: Option<Stand>,
}

/// Reads everything, then raises the epoch, then cuts.
pub(crate) fn recover(
    place: &Place,
    projection: &mut dyn Projection,
    index: impl FnOnce(u32) -> Arc<KeyIndex>,
) -> Result<Recovered, Fault> {
    let names = place.list()?;
    let segments: Vec<u32> = sorted(names.iter().filter_map(|name| parse_segment(name)));
    let old_epoch = match marks::read_epoch(place, &names)? {
        Some(epoch) => epoch,
        None if segments.is_empty() => 0,
        None => {
            return Err(Fault::bad_file(
                &place.path(crate::place::EPOCH_FILE),
                "expected an epoch, found no file",
            ));
        }
    };
    let clean = marks::read_clean(place, &names, old_epoch)?;
    let stand = checkpoint::load_newest(place, &names, projection)?;
    if stand.is_none() && segments.first().is_some_and(|first| *first > 0) {
        return Err(damage(0, 0, &Chain::GENESIS, "the first segments are gone and no checkpoint is usable"));
    }
    let mut replay = Replay::new(place, &segments, stand, index)?;
    replay.run(projection)?;
    if replay.chain.epoch > old_epoch {
        let reason = format!("epoch {old_epoch} is older than the log, which has {}", replay.chain.epoch);
        return Err(Fault::bad_file(&place.path(crate::place::EPOCH_FILE), reason));
    }
    let cuts = replay.survey(clean)?;
    replay.mend_twins()?;
    let epoch = old_epoch.checked_add(1).expect("four thousand million opens");
    #[cfg(pointsman_zoo)]
    let epoch = if zoo::has(zoo::Bug::EpochNotRaised) { old_epoch.max(1) } else { epoch };
    // Before the epoch: its own file passes through a name that may be left over.
    remove_left_overs(place, &names)?;
    marks::write_epoch(place, epoch)?;
    replay.finish(epoch, clean.is_some(), &cuts)
}

/// Reads the whole log as [`recover`] reads its end, repairs both copies, and leaves it closed.
pub(crate) fn mend(place: &Place) -> Result<Repaired, Fault> {
    let names = place.list()?;
    let segments: Vec<u32> = sorted(names.iter().filter_map(|name| parse_segment(name)));
    let epoch = marks::read_epoch(place, &names)?.unwrap_or(0);
    let clean = marks::read_clean(place, &names, epoch)?;
    let index = |first| Arc::new(KeyIndex::new(None, None, first));
    let mut replay = Replay::new(place, &segments, None, index)?;
    replay.run(&mut Nothing)?;
    replay.survey(clean)?;
    replay.mend_twins()?;
    Ok(Repaired {
        segments: replay.files.len() as u32,
        batches: replay.batches,
        mended: replay.mended,
        tail: place.lsn(replay.segment, replay.offset),
    })
}

/// A projection of a log that is only looked at.
struct Nothing;

impl Projection for Nothing {
    fn apply(&mut self, _: crate::Kind, _: &[u8], _: Lsn) {}

    fn snapshot(&self, _: &mut dyn std::io::Write) -> std::io::Result<()> {
        Ok(())
    }

    fn restore(&mut self, _: &mut dyn std::io::Read) -> std::io::Result<()> {
        Ok(())
    }

    fn oldest_needed(&self) -> Lsn {
        Lsn::NONE
    }
}

struct Replay<'a> {
    place: &'a Place,
    files: BTreeMap<u32, Arc<dyn DiskFile>>,
    first: u32,
    stand: Option<Stand>,
    chain: Chain,
    segment: u32,
    offset: u64,
    flaw: Option<&'static str>,
    batches: u64,
    mended: u64,
    index: Arc<KeyIndex>,
}

impl<'a> Replay<'a> {
    fn new(
        place: &'a Place,
        segments: &[u32],
        stand: Option<Stand>,
        index: impl FnOnce(u32) -> Arc<KeyIndex>,
    ) -> Result<Self, Fault> {
        let first = segments.first().copied().unwrap_or(0);
        let chain = stand.map_or(Chain::GENESIS, |stand| stand.chain);
        // Without a checkpoint the log is read from its first segment: a start may do so only if that is segment 0.
        let position = stand.map_or(place.lsn(first, 0), |stand| stand.position);
        let (segment, offset) = (position.segment(place.segment_bytes), position.offset(place.segment_bytes));
        let mut files = BTreeMap::new();
        for number in segments.iter().copied().filter(|number| *number >= segment) {
            files.insert(number, place.open_segment(number)?);
        }
        // After a failed sync the cache may show what the disk never got; only the last two can be concerned.
        files.values().rev().take(2).for_each(|file| file.forget_cached());
        let is_new = segments.is_empty() && stand.is_none();
        let last = segments.last().map_or(segment, |last| segment.max(*last));
        if let Some(missing) = (segment..=last).find(|number| !is_new && !files.contains_key(number)) {
            return Err(damage(missing, 0, &chain, "the segment's file is missing"));
        }
        let index = index(first);
        Ok(Self {
            place,
            files,
            first,
            stand,
            chain,
            segment,
            offset,
            flaw: None,
            batches: 0,
            mended: 0,
            index,
        })
    }

    /// Replays whole segments until the log ends.
    fn run(&mut self, projection: &mut dyn Projection) -> Result<(), Fault> {
        if self.segment > self.first {
            self.index.reach(self.segment - 1);
        }
        loop {
            let Some(file) = self.files.get(&self.segment).cloned() else { return Ok(()) };
            let Some((mut window, header)) = self.opened(self.segment, &file)? else {
                return self.without_header();
            };
            if self.is_cut_off() {
                self.chain = header.chain;
            }
            self.check_header(&header)?;
            self.offset = self.offset.max(SEGMENT_HEADER_BYTES);
            while self.walk(&mut window, projection)? {
                // A batch was put in its place: what was read ahead is old.
                window = self.window(&file)?;
            }
            if self.flaw.is_some() || !self.continues_in_next(&file, &mut window)? {
                return Ok(());
            }
            (self.segment, self.offset) = (self.segment + 1, 0);
        }
    }

    /// A checkpoint is written only in a segment that was opened durably; without one the log is empty or torn.
    fn without_header(&self) -> Result<(), Fault> {
        match self.stand {
            Some(_) => Err(self.damage(0, "the segment of the checkpoint has no header")),
            None => Ok(()),
        }
    }

    fn check_header(&self, header: &SegmentHeader) -> Result<(), Fault> {
        let path = || self.place.segment_path(self.segment);
        let numbers = [
            ("node", u64::from(self.place.node), u64::from(header.node)),
            ("segment_bytes", self.place.segment_bytes, header.segment_bytes),
        ];
        for (what, expected, found) in numbers {
            if expected != found {
                return Err(Fault::Mismatch { what, path: path(), expected, found });
            }
        }
        // Behind a checkpoint within the segment, the first batch read continues the chain and not the header.
        let continues = self.offset > 0
            || (header.chain.batch, header.chain.record, header.chain.hash)
                == (self.chain.batch, self.chain.record, self.chain.hash);
        if header.segment == self.segment && continues {
            Ok(())
        } else {
            Err(self.damage(0, "the segment does not continue the one before"))
        }
    }

    /// Whether the first of the segments is read, of a log whose former ones are gone.
    fn is_cut_off(&self) -> bool {
        self.stand.is_none() && self.segment == self.first && self.first > 0
    }

    fn window(&self, file: &Arc<dyn DiskFile>) -> Result<Window, Fault> {
        Window::new(mend::main_of(file), self.place.segment_bytes).map_err(|error| self.io(error))
    }

    /// A segment that has a header, in one of its copies at least.
    fn opened(
        &mut self,
        segment: u32,
        file: &Arc<dyn DiskFile>,
    ) -> Result<Option<(Window, SegmentHeader)>, Fault> {
        let mut window = self.window(file)?;
        let header = mend::header(self.place, segment, file, &mut window).map_err(|error| self.io(error))?;
        let (Some(header), mended) = header else { return Ok(None) };
        if mended {
            self.mended += 1;
            window = self.window(file)?;
        }
        Ok(Some((window, header)))
    }

    /// Replays up to the end or a flaw; true if the flaw was mended from the mirror and the walk must go on.
    fn walk(&mut self, window: &mut Window, projection: &mut dyn Projection) -> Result<bool, Fault> {
        let (index, segment, batches) = (&self.index, self.segment, &mut self.batches);
        index.begin(segment, self.offset <= SEGMENT_HEADER_BYTES);
        let span = self.offset..self.place.segment_bytes;
        let stop = walk(self.place, segment, window, span, &mut self.chain, &mut |header, body| {
            apply(projection, header.lsn, body);
            if index.add(segment, header.lsn, body) {
                index.tidy(segment);
            }
            *batches += 1;
        });
        match stop.map_err(|error| self.io(error))? {
            Stop::End(offset) => self.offset = offset,
            Stop::Flaw(offset, reason) => (self.offset, self.flaw) = (offset, Some(reason)),
        }
        let file = &self.files[&self.segment];
        let mended = mend::batch(self.place, self.segment, file, self.offset, &self.chain);
        if !mended.map_err(|error| self.io(error))? {
            return Ok(false);
        }
        self.mended += 1;
        self.flaw = None;
        Ok(true)
    }

    /// Whether the next segment was opened; what it continues is checked when it is walked.
    fn continues_in_next(&mut self, file: &Arc<dyn DiskFile>, closed: &mut Window) -> Result<bool, Fault> {
        let Some(next) = self.files.get(&(self.segment + 1)).cloned() else { return Ok(false) };
        let Some((_, header)) = self.opened(self.segment + 1, &next)? else { return Ok(false) };
        if header.chain.batch != self.chain.batch {
            return Err(self
                .damage(self.offset, &format!("segment {} was opened by a later batch", self.segment + 1)));
        }
        let rest = survey(self.place, self.segment, closed, self.offset, self.chain.batch);
        match rest.map_err(|error| self.io(error))?.dirty {
            // The header behind it says that nothing more was written here.
            Some(dirty) if file.copies().is_some() => {
                let main = mend::main_of(file);
                zero(&*main, dirty.start, dirty.end).map_err(|error| self.io(error))?;
                self.mended += 1;
                Ok(true)
            }
            Some(dirty) => Err(self.damage(dirty.start, "bytes behind the last batch of a closed segment")),
            None => Ok(true),
        }
    }

    /// Looks behind the tail. Damage is refused, what is torn is returned to be cut.
    fn survey(&self, clean: Option<CleanMark>) -> Result<Vec<(u32, Range<u64>)>, Fault> {
        let tail = self.place.lsn(self.segment, self.offset);
        if let Some(mark) = clean
            && (mark.chain.batch, mark.chain.hash) != (self.chain.batch, self.chain.hash)
        {
            let reason = format!("the journal was closed cleanly before batch {}", mark.chain.batch);
            return Err(self.damage(tail.offset(self.place.segment_bytes), &reason));
        }
        let mut cuts = Vec::new();
        for (segment, file) in self.files.range(self.segment..) {
            let from = if *segment == self.segment { self.offset } else { 0 };
            let mut found = vec![self.behind(*segment, mend::main_of(file), from)?];
            if let Some(twin) = mend::twin_of(file) {
                found.push(self.behind(*segment, twin, from)?);
            }
            let all_rot = found.iter().all(|one| one.is_rot);
            for one in found {
                if let Some(evidence) = one.evidence.filter(|_| all_rot || !one.is_rot) {
                    let flaw = self.flaw.unwrap_or("no batch");
                    return Err(self.damage(self.offset, &format!("{flaw}, but {evidence}")));
                }
                cuts.extend(one.dirty.map(|dirty| (*segment, dirty)));
            }
        }
        Ok(cuts)
    }

    fn behind(&self, segment: u32, copy: Arc<dyn DiskFile>, from: u64) -> Result<Survey, Fault> {
        let mut window = Window::new(copy, self.place.segment_bytes).map_err(|error| self.io(error))?;
        survey(self.place, segment, &mut window, from, self.chain.batch).map_err(|error| self.io(error))
    }

    /// Makes the second copies equal to the first, which were found sound from the checkpoint to the end of the log.
    fn mend_twins(&mut self) -> Result<(), Fault> {
        let from = self.stand.map_or(self.place.lsn(self.first, 0), |stand| stand.position);
        for segment in from.segment(self.place.segment_bytes)..=self.segment {
            let Some(file) = self.files.get(&segment) else { continue };
            let is_first = segment == from.segment(self.place.segment_bytes);
            let start = if is_first { from.offset(self.place.segment_bytes) } else { 0 };
            let end = if segment == self.segment { self.offset } else { self.place.segment_bytes };
            self.mended += mend::twin(file, start..end).map_err(|error| self.io(error))?;
        }
        Ok(())
    }

    /// Makes the tail what it was found to be, and durable.
    fn finish(self, epoch: u32, was_clean: bool, cuts: &[(u32, Range<u64>)]) -> Result<Recovered, Fault> {
        for (segment, dirty) in cuts {
            zero(&*self.files[segment], dirty.start, dirty.end).map_err(|error| self.io(error))?;
        }
        let file = match self.files.get(&self.segment) {
            Some(file) => file.clone(),
            None => make_first(self.place, self.segment).map_err(|error| self.io(error))?,
        };
        let spare = self.files.get(&(self.segment + 1)).cloned();
        if let Some(spare) = &spare {
            make_whole(&**spare, self.place.segment_bytes).map_err(|error| self.io(error))?;
        }
        // What was replayed counts as durable from here on, also if it came from the cache of a killed process.
        file.sync_data().map_err(|error| self.io(error))?;
        let ground = file.len().map_err(|error| self.io(error))?.min(self.place.segment_bytes);
        self.index.begin(self.segment, true);
        let mut chain = self.chain;
        chain.epoch = epoch;
        let first_cut = cuts.first().map(|(segment, dirty)| Cut {
            at: self.place.lsn(*segment, dirty.start),
            bytes: cuts.iter().map(|(_, dirty)| dirty.end - dirty.start).sum(),
        });
        let report = Recovery {
            epoch,
            was_clean,
            checkpoint: self.stand.map(|stand| stand.position),
            batches: self.batches,
            records: self.chain.record - self.stand.map_or(1, |stand| stand.chain.record),
            next_record: self.chain.record,
            tail: self.place.lsn(self.segment, self.offset),
            cut: first_cut,
            mended: self.mended,
        };
        let tail = Tail { segment: self.segment, offset: self.offset, ground, file, chain };
        Ok(Recovered { report, tail, spare, first_segment: self.first, stand: self.stand })
    }

    fn damage(&self, offset: u64, reason: &str) -> Fault {
        damage(self.segment, offset, &self.chain, reason)
    }

    fn io(&self, error: std::io::Error) -> Fault {
        Fault::io("recover", &self.place.segment_path(self.segment), error)
    }
}

/// Gives a prepared segment that lost its end its full length, durably.
fn make_whole(file: &dyn DiskFile, segment_bytes: u64) -> std::io::Result<()> {
    let len = file.len()?;
    if len < segment_bytes {
        zero(file, len, segment_bytes)?;
    }
    file.sync_data()
}

fn remove_left_overs(place: &Place, names: &[String]) -> Result<(), Fault> {
    for name in names.iter().filter(|name| is_left_over(name)) {
        let path = place.path(name);
        place.disk.remove(&path).map_err(|error| Fault::io("remove", &path, error))?;
    }
    Ok(())
}

fn damage(segment: u32, offset: u64, chain: &Chain, reason: &str) -> Fault {
    Fault::Damaged { segment, offset, batch: chain.batch, record: chain.record, reason: reason.to_owned() }
}

fn sorted(numbers: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut numbers: Vec<u32> = numbers.collect();
    numbers.sort_unstable();
    numbers
}
