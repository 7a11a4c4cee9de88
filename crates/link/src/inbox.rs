//! Bytes in, whole frames out: what is left of a read is kept until the rest comes.
//! Never copies a frame that came whole, never keeps a buffer for a quiet peer. Guards: no frame is taken twice or after
//! a stop.

use framing::{Envelope, Framing, Next, Violation};

/// The beginning of a frame, or frames that may not be taken yet.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    rest: Vec<u8>,
    partial: bool,
}

/// What stands at the front.
pub(crate) enum Found<'a> {
    KeepAlive,
    Message { envelope: Envelope, body: &'a [u8] },
}

/// Whether the next frame may be taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Go,
    Stop,
}

/// What one read came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Summary {
    /// At least one frame was whole.
    pub(crate) completed: bool,
    /// The peer owes the rest of a frame (not told while stopped: then we owe the reading).
    pub(crate) partial: bool,
}

/// A buffer that one long frame has grown beyond this is given back once it is empty.
const KEEP: usize = 4_096;

impl Inbox {
    /// Hands every whole frame of what was kept and `input` to `take`, in order, until it says stop.
    pub(crate) fn feed<E: From<Violation>>(
        &mut self,
        framing: &Framing,
        input: &[u8],
        flow: Flow,
        take: impl FnMut(Found<'_>) -> Result<Flow, E>,
    ) -> Result<Summary, E> {
        if self.rest.is_empty() {
            let (taken, summary) = drain(framing, input, flow, take)?;
            self.rest.extend_from_slice(&input[taken..]);
            self.partial = summary.partial;
            return Ok(summary);
        }
        self.rest.extend_from_slice(input);
        let (taken, summary) = drain(framing, &self.rest, flow, take)?;
        self.rest.drain(..taken);
        self.partial = summary.partial;
        if self.rest.is_empty() && self.rest.capacity() > KEEP {
            self.rest = Vec::new();
        }
        Ok(summary)
    }

    /// The peer owes the rest of a frame.
    pub(crate) const fn inside_frame(&self) -> bool {
        self.partial
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn drain<E: From<Violation>>(
    framing: &Framing,
    bytes: &[u8],
    mut flow: Flow,
    mut take: impl FnMut(Found<'_>) -> Result<Flow, E>,
) -> Result<(usize, Summary), E> {
    let (mut at, mut completed) = (0, false);
    while flow == Flow::Go {
        let front = &bytes[at..];
        let (consumed, found) = match framing.next(front)? {
            Next::Incomplete { .. } => break,
            Next::KeepAlive { consumed } => (consumed, Found::KeepAlive),
            Next::Frame { consumed, envelope, body } => {
                (consumed, Found::Message { envelope, body: &front[body] })
            }
        };
        completed = true;
        at += consumed;
        flow = take(found)?;
    }
    let partial = flow == Flow::Go && at < bytes.len();
    Ok((at, Summary { completed, partial }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn feed(inbox: &mut Inbox, input: &[u8]) -> Result<Summary, Violation> {
        let framing = Framing::by_name("binary4").expect("built in");
        inbox.feed(&framing, input, Flow::Go, |_| Ok(Flow::Go))
    }

    #[test]
    fn a_length_over_the_bound_keeps_nothing() {
        let mut inbox = Inbox::default();
        let refused = feed(&mut inbox, b"\x7f\xff\xff\xff and more");
        assert!(matches!(refused, Err(Violation::TooLong { most: 4096, found: 0x7FFF_FFFF })), "{refused:?}");
        assert_eq!(inbox.rest.capacity(), 0);
    }

    #[test]
    fn an_unfinished_frame_keeps_what_came_not_what_it_claims() {
        let mut inbox = Inbox::default();
        let summary = feed(&mut inbox, b"\x00\x00\x0f\x00four").unwrap();
        assert_eq!(summary, Summary { completed: false, partial: true });
        assert!((8..64).contains(&inbox.rest.capacity()), "{} bytes held", inbox.rest.capacity());
    }

    #[test]
    fn what_a_long_frame_took_is_given_back() {
        let mut inbox = Inbox::default();
        let frame = [&4_096_u32.to_be_bytes()[..], &[7; 4_096]].concat();
        feed(&mut inbox, &frame[..2_000]).unwrap();
        assert!(inbox.rest.capacity() >= 2_000);
        feed(&mut inbox, &frame[2_000..]).unwrap();
        assert_eq!((inbox.rest.len(), inbox.rest.capacity()), (0, 0));
    }
}
