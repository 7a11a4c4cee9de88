//! How long a peer may take: a state of four deadlines and no clock inside.
//! Never reads time: `now` is microseconds of one monotonic clock, brought by the caller.
//! Guards: a peer that is silent inside a frame, trickles one, never reads, or never finishes its handshake
//! holds a connection for a bounded time only, while one that is quiet between frames keeps it.

/// The four patiences, in microseconds, and what counts as a full output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameLimits {
    /// From accept or connect to the end of the handshake.
    pub handshake_us: u64,
    /// From the first byte of a frame to its last.
    pub frame_us: u64,
    /// Of silence between frames.
    pub idle_us: u64,
    /// Of an output that stays full.
    pub output_us: u64,
    /// Bytes waiting for the peer from which on its output is full.
    pub output_full: usize,
}

/// Which patience has run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Overdue {
    /// The handshake was not finished in time.
    Handshake,
    /// A frame was begun and not finished in time.
    Frame,
    /// The peer does not read.
    Output,
    /// Nothing came or went between frames.
    Idle,
}

/// The deadlines of one connection.
#[derive(Clone, Copy, Debug)]
pub struct FrameClock {
    limits: FrameLimits,
    handshake_since: Option<u64>,
    frame_since: Option<u64>,
    full_since: Option<u64>,
    active_at: u64,
}

impl Default for FrameLimits {
    /// 5 s for a handshake, a frame and a full output of 64 KiB; ten minutes of silence.
    fn default() -> Self {
        Self {
            handshake_us: 5_000_000,
            frame_us: 5_000_000,
            idle_us: 600_000_000,
            output_us: 5_000_000,
            output_full: 64 * 1024,
        }
    }
}

impl FrameClock {
    /// A connection accepted or connected at `now`; its handshake is due first.
    pub const fn new(limits: FrameLimits, now: u64) -> Self {
        Self { limits, handshake_since: Some(now), frame_since: None, full_since: None, active_at: now }
    }

    /// The handshake is done; call it at once where there is none.
    pub fn on_established(&mut self, now: u64) {
        self.handshake_since = None;
        self.active_at = now;
    }

    /// Tells what one look at the input found, once per outcome of [`crate::Framing::next`]: `partial = false`
    /// for a whole frame or keep-alive, `partial = true` for an unfinished frame with at least one byte.
    /// Only the first byte of a frame starts its deadline, so a trickle does not stretch it. A read that
    /// finished frames and began another must say both, or the new frame inherits the old one's deadline;
    /// [`FrameClock::on_read`] does that in one call.
    pub fn on_bytes(&mut self, now: u64, partial: bool) {
        self.handshake_since = None;
        self.active_at = now;
        self.frame_since = if partial { self.frame_since.or(Some(now)) } else { None };
    }

    /// Sums up one whole read: whether it `completed` at least one frame and whether it left a `partial` one.
    pub fn on_read(&mut self, now: u64, completed: bool, partial: bool) {
        if completed || !partial {
            self.on_bytes(now, false);
        }
        if partial {
            self.on_bytes(now, true);
        }
    }

    /// Tells how many bytes wait for the peer after a write or an addition to the output.
    /// An output that was drained counts as traffic; one that only grows does not.
    pub fn on_output(&mut self, now: u64, backlog: usize) {
        if backlog == 0 {
            self.active_at = now;
        }
        let full = backlog >= self.limits.output_full;
        self.full_since = if full { self.full_since.or(Some(now)) } else { None };
    }

    /// When to look again. Never earlier than the last thing told, unless that deadline has passed.
    pub fn next_deadline(&self) -> u64 {
        self.earliest().0
    }

    /// What is overdue at `now`; of several, what was due first.
    pub fn expired(&self, now: u64) -> Option<Overdue> {
        let (due, overdue) = self.earliest();
        (due <= now).then_some(overdue)
    }

    /// Where two are due together the more telling one comes first: the idle limit is the last to speak.
    fn earliest(&self) -> (u64, Overdue) {
        let limits = &self.limits;
        let begun = |since: Option<u64>, patience: u64| since.map(|since| since.saturating_add(patience));
        let quiet = self.handshake_since.is_none() && self.frame_since.is_none();
        let candidates = [
            (begun(self.handshake_since, limits.handshake_us), Overdue::Handshake),
            (begun(self.frame_since, limits.frame_us), Overdue::Frame),
            (begun(self.full_since, limits.output_us), Overdue::Output),
            (begun(quiet.then_some(self.active_at), limits.idle_us), Overdue::Idle),
        ];
        let due = candidates.into_iter().filter_map(|(due, overdue)| due.map(|due| (due, overdue)));
        due.min_by_key(|(due, _)| *due).unwrap_or((u64::MAX, Overdue::Idle))
    }
}
