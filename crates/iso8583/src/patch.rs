//! Forwarding by changing only what differs: within one dialect runs of the original are copied as they are, between two
//! every field goes through its canonical content. Both take the same edits.
//! Never decodes what it only copies; never allocates but for the output. Guards: what was not edited arrives as it came.

use crate::decode::SIZE_MAX;
use crate::dialect::Dialect;
use crate::error::{EncodeError, EncodeWhy};
use crate::fill::Value;
use crate::index::{Bits, Index, place};
use crate::spec::{Field, Shape};
use crate::view::{CONTENT_MAX, View, canonical};
use crate::write::Writer;
use bytes::BytesMut;
use terms::Mti;

/// Changes to a message: at most [`Patch::EDITS`] fields set, any number removed.
#[derive(Clone, Copy)]
pub struct Patch<'a> {
    mti: Option<Mti>,
    removed: [u64; 3],
    set: [u64; 3],
    /// In ascending order of fields.
    edits: [(u8, Value<'a>); EDITS],
    len: u8,
    overflow: bool,
}

impl<'a> Patch<'a> {
    /// Fields that one patch can set.
    pub const EDITS: usize = EDITS;

    /// No change.
    #[inline]
    pub const fn new() -> Self {
        let edits = [(0, Value::Number(0)); EDITS];
        Self { mti: None, removed: [0; 3], set: [0; 3], edits, len: 0, overflow: false }
    }

    /// Another message type.
    #[inline]
    pub fn mti(&mut self, mti: Mti) -> &mut Self {
        self.mti = Some(mti);
        self
    }

    /// Field `n` becomes a number.
    #[inline]
    pub fn set_number(&mut self, n: u8, value: u64) -> &mut Self {
        self.set(n, Value::Number(value))
    }

    /// Field `n` becomes this text (ASCII).
    #[inline]
    pub fn set_text(&mut self, n: u8, value: &'a [u8]) -> &mut Self {
        self.set(n, Value::Content(value))
    }

    /// Field `n` becomes these bytes.
    #[inline]
    pub fn set_binary(&mut self, n: u8, value: &'a [u8]) -> &mut Self {
        self.set(n, Value::Content(value))
    }

    /// Field `n` goes.
    #[inline]
    pub fn remove(&mut self, n: u8) -> &mut Self {
        let (word, bit) = place(n);
        self.removed[word] |= bit;
        self
    }

    /// Fields that come in ascending order are only added at the end.
    #[inline]
    fn set(&mut self, n: u8, value: Value<'a>) -> &mut Self {
        let len = usize::from(self.len);
        if len == EDITS || len > 0 && self.edits[len - 1].0 >= n {
            return self.insert(n, value);
        }
        self.edits[len] = (n, value);
        self.added(n)
    }

    #[inline(never)]
    fn insert(&mut self, n: u8, value: Value<'a>) -> &mut Self {
        let len = usize::from(self.len);
        let at = self.edits[..len].partition_point(|(edited, _)| *edited < n);
        let (word, bit) = place(n);
        if self.set[word] & bit != 0 {
            self.edits[at].1 = value;
            return self;
        }
        if len == EDITS {
            self.overflow = true;
            return self;
        }
        self.edits.copy_within(at..len, at + 1);
        self.edits[at] = (n, value);
        self.added(n)
    }

    #[inline]
    fn added(&mut self, n: u8) -> &mut Self {
        let (word, bit) = place(n);
        self.set[word] |= bit;
        self.len += 1;
        self
    }

    /// Appends `src` with the changes to `out` and returns the bytes written. Same dialect in and out.
    ///
    /// # Errors
    /// A field that the dialect lacks or that its new content does not fit; `out` is then as it was.
    #[inline]
    pub fn apply(
        &self,
        dialect: &Dialect,
        src: &[u8],
        src_index: &Index,
        out: &mut BytesMut,
    ) -> Result<usize, EncodeError> {
        let source = View::new(dialect, src, src_index);
        compose(dialect, &Plan { source, keep: [u64::MAX; 3], lent: None, patch: self }, out)
    }
}

impl Default for Patch<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// Appends `src` in another dialect, with the changes of `patch`, and returns the bytes written.
///
/// Fields that the other dialect lacks, and fields of private use that mean something else there, stay behind.
///
/// # Errors
/// A field whose content does not fit the other dialect's type or length; `out` is then as it was.
#[inline]
pub fn transcode(
    from: &Dialect,
    src: &[u8],
    src_index: &Index,
    to: &Dialect,
    patch: &Patch<'_>,
    out: &mut BytesMut,
) -> Result<usize, EncodeError> {
    let source = View::new(from, src, src_index);
    compose(to, &Plan { source, keep: [u64::MAX; 3], lent: None, patch }, out)
}

/// A message to be made of another one.
pub(crate) struct Plan<'a> {
    /// What most of it comes from, in any dialect.
    pub source: View<'a>,
    /// Which of its fields.
    pub keep: [u64; 3],
    /// A second message, of the target's dialect, and the fields that it lends.
    pub lent: Option<(View<'a>, [u64; 3])>,
    /// What is set and removed; stronger than both.
    pub patch: &'a Patch<'a>,
}

impl<'a> Plan<'a> {
    /// Fields of the source that stay, and fields that are lent.
    #[inline]
    fn masks(&self) -> ([u64; 3], [u64; 3]) {
        let (mut kept, mut lent) = (self.source.index.present(), [0; 3]);
        for (word, bits) in kept.iter_mut().enumerate() {
            let gone = self.patch.set[word] | self.patch.removed[word];
            if let Some((view, mask)) = &self.lent {
                lent[word] = view.index.present()[word] & mask[word] & !gone;
            }
            *bits &= self.keep[word] & !gone & !lent[word];
        }
        (kept, lent)
    }

    /// What field `n` becomes, if it is set or lent: the next of the `edits` if it is set.
    #[inline(always)]
    fn value(&self, n: u8, lent: &[u64; 3], edits: &mut Edits<'a>) -> Option<Value<'a>> {
        let (word, bit) = place(n);
        if self.patch.set[word] & bit != 0 {
            return edits.next().map(|(_, value)| *value);
        }
        let (view, _) = self.lent.as_ref().filter(|_| lent[word] & bit != 0)?;
        view.index.whole(n, view.bytes).map(Value::Whole)
    }

    /// Fields with a length of their own that are lent and as long as what they replace stay where they are too.
    #[inline]
    fn stay_if_as_long(&self, lent: &[u64; 3], stays: &mut [u64; 3], moves: &mut [u64; 3]) {
        let Some((lender, _)) = &self.lent else { return };
        let both = |word: usize| lent[word] & moves[word] & self.source.index.present()[word];
        for n in Bits::new([both(0), both(1), both(2)]) {
            let len = |index: &Index| index.entry(n).map(|entry| entry.end() - entry.start());
            if len(lender.index) == len(self.source.index) {
                let (word, bit) = place(n);
                stays[word] |= bit;
                moves[word] &= !bit;
            }
        }
    }

    fn edits(&self) -> Edits<'a> {
        self.patch.edits[..usize::from(self.patch.len)].iter()
    }
}

type Edits<'a> = core::slice::Iter<'a, (u8, Value<'a>)>;

/// Makes the message that the plan describes.
#[inline]
pub(crate) fn compose(to: &Dialect, plan: &Plan<'_>, out: &mut BytesMut) -> Result<usize, EncodeError> {
    if plan.patch.overflow {
        return Err(EncodeError {
            field: plan.patch.edits[Patch::EDITS - 1].0,
            why: EncodeWhy::TooManyEdits,
        });
    }
    let mti = plan.patch.mti.unwrap_or(plan.source.mti());
    if plan.source.dialect.same_as(to) { splice(to, mti, plan, out) } else { translate(to, mti, plan, out) }
}

/// Within one dialect: what stays is copied in runs, fixed fields are overwritten where they stand, and only what comes
/// or goes, or has a length of its own, ends a run.
#[inline]
pub(crate) fn splice(
    to: &Dialect,
    mti: Mti,
    plan: &Plan<'_>,
    out: &mut BytesMut,
) -> Result<usize, EncodeError> {
    let (kept, lent) = plan.masks();
    let (src, index) = (plan.source.bytes, plan.source.index);
    let present = index.present();
    let (mut stays, mut moves, mut all) = ([0; 3], [0; 3], [0; 3]);
    for word in 0..3 {
        let new = lent[word] | plan.patch.set[word];
        stays[word] = present[word] & new & to.fixed[word];
        moves[word] = (present[word] & !kept[word] | new) & !stays[word];
        all[word] = kept[word] | new;
    }
    plan.stay_if_as_long(&lent, &mut stays, &mut moves);
    let mut writer = Writer::over(to, mti, out, levels(&all), src);
    let mut edits = plan.edits();
    let (mut stays, mut moves) = (Bits::new(stays), Bits::new(moves));
    let mut stay = stays.next();
    let mut copied = index.head();
    let mut is_copy = writer.len() == copied;
    loop {
        let next = moves.next();
        let (begin, gap) = (writer.len(), next.map_or(index.size(), |n| index.gap(n)));
        if is_copy {
            writer.keep(gap - copied)
        } else {
            writer.run(&src[copied..gap])
        }
        while let Some(n) = stay.filter(|stay| next.is_none_or(|next| *stay < next)) {
            let at = begin + index.start(n) - copied;
            if let Some(value) = plan.value(n, &lent, &mut edits) {
                writer.overwrite(n, at, value);
            }
            stay = stays.next();
        }
        let Some(n) = next else { break };
        copied = index.entry(n).map_or(gap, |entry| entry.end());
        if let Some(value) = plan.value(n, &lent, &mut edits) {
            writer.put(n, value);
        }
        is_copy = false;
    }
    writer.also(all);
    writer.finish()
}

fn levels(present: &[u64; 3]) -> usize {
    match present {
        [_, 0, 0] => 1,
        [_, _, 0] => 2,
        _ => 3,
    }
}

/// Between two dialects: field by field through canonical content.
pub(crate) fn translate(
    to: &Dialect,
    mti: Mti,
    plan: &Plan<'_>,
    out: &mut BytesMut,
) -> Result<usize, EncodeError> {
    let (kept, lent) = plan.masks();
    let mut all = [0; 3];
    for word in 0..3 {
        all[word] = kept[word] | lent[word] | plan.patch.set[word];
    }
    let mut writer = Writer::new(to, mti, out);
    let mut edits = plan.edits();
    let mut scratch = [0; CONTENT_MAX];
    for n in Bits::new(all) {
        match plan.value(n, &lent, &mut edits) {
            Some(value) => _ = writer.put(n, value),
            None => carry(&mut writer, to, n, &plan.source, &mut scratch),
        }
    }
    writer.finish()
}

/// One field from a message of another dialect, if this one has the same.
fn carry(writer: &mut Writer<'_>, to: &Dialect, n: u8, source: &View<'_>, scratch: &mut [u8]) {
    let (old, new) = (source.dialect.field(n), to.field(n));
    if new.shape == Shape::Unknown || old.family != new.family {
        return;
    }
    let (Some(raw), Some(units)) = (source.index.raw(n, source.bytes), source.index.units(n)) else { return };
    if is_plain(old) {
        writer.put(n, Value::Content(raw));
        return;
    }
    match canonical(old, raw, units, scratch) {
        Some(len) => {
            let content = &mut scratch[..len];
            if old.shape == Shape::BcdTrack && new.shape != Shape::BcdTrack {
                // Packed tracks say D where characters say =.
                content.iter_mut().filter(|byte| **byte == b'D').for_each(|byte| *byte = b'=');
            }
            writer.put(n, Value::Content(content));
        }
        None => writer.fail(n, EncodeWhy::TooLong(CONTENT_MAX as u16)),
    }
}

/// Whether the wire bytes are the canonical content already.
fn is_plain(spec: &Field) -> bool {
    matches!(
        spec.shape,
        Shape::AsciiDigits | Shape::AsciiText | Shape::AsciiTrack | Shape::AsciiSigned | Shape::Bytes
    )
}

const EDITS: usize = 12;
const _: () = assert!(CONTENT_MAX < SIZE_MAX);
