//! One connection: everything that has arrived is one batch, answered with one write.
//! Never keeps a batch waiting for a delayed answer; guards: bytes that cannot be a frame end the connection.

use super::PATIENCE;
use crate::control::{Control, Orders};
use crate::issuer::{Issuer, Later, Replies, Session};
use bytes::{Buf, Bytes, BytesMut};
use framing::{Framing, Next, Violation};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};
use terms::{Now, Tick};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};

/// Serves until the peer goes, breaks the framing or does not read, or until orders say so. `born` are the orders under
/// which it was accepted.
pub(super) async fn run<S: AsyncRead + AsyncWrite + Unpin>(stream: S, control: &Control, born: Orders) {
    let mut orders = control.shared().orders.subscribe();
    control.shared().connections.fetch_add(1, Ordering::Relaxed);
    let mut line = Line::new(stream, control);
    let mut known = born;
    loop {
        let now = *orders.borrow_and_update();
        if now.cuts != born.cuts || now.stop {
            break;
        }
        let signs_off = now.sign_offs != known.sign_offs;
        known = now;
        if signs_off && !line.sign_off().await {
            break;
        }
        let due = line.waiting.peek().map(|Reverse(waiting)| waiting.at);
        let goes_on = tokio::select! {
            biased;
            changed = orders.changed() => changed.is_ok(),
            () = until(due) => line.write_due().await,
            read = line.stream.read_buf(&mut line.input) => match read {
                Ok(1..) => line.answer().await,
                Ok(0) | Err(_) => false,
            },
        };
        if !goes_on {
            break;
        }
    }
    if known.cuts == born.cuts && control.shared().orders.borrow().cuts == born.cuts {
        let _ = timeout(PATIENCE, line.stream.shutdown()).await;
    }
    control.shared().connections.fetch_sub(1, Ordering::Relaxed);
}

async fn until(due: Option<Instant>) {
    match due {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

struct Line<'a, S> {
    stream: S,
    control: &'a Control,
    framing: Framing,
    session: Session,
    input: BytesMut,
    replies: Replies,
    waiting: BinaryHeap<Reverse<Waiting>>,
    /// Keeps frames of the same instant in order.
    count: u64,
    since: Instant,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Line<'a, S> {
    fn new(stream: S, control: &'a Control) -> Self {
        let framing = *control.issuer().framing();
        Self {
            stream,
            control,
            framing,
            session: Session::default(),
            input: BytesMut::with_capacity(READ),
            replies: Replies::default(),
            waiting: BinaryHeap::new(),
            count: 0,
            since: Instant::now(),
        }
    }

    /// Answers all whole frames that are there; false when the connection must end.
    async fn answer(&mut self) -> bool {
        let now = self.now();
        let broken = {
            let mut issuer = self.control.issuer();
            let (session, input) = (&mut self.session, &mut self.input);
            batch(&mut issuer, &self.framing, session, input, &now, &mut self.replies).is_err()
        };
        self.input.reserve(READ);
        self.keep_later();
        self.write().await && !broken
    }

    async fn sign_off(&mut self) -> bool {
        let now = self.now();
        self.control.issuer().sign_off(&mut self.session, &now, &mut self.replies);
        self.write().await
    }

    async fn write_due(&mut self) -> bool {
        let now = Instant::now();
        while self.waiting.peek().is_some_and(|Reverse(first)| first.at <= now) {
            if let Some(Reverse(first)) = self.waiting.pop() {
                self.replies.now.extend_from_slice(&first.frame);
            }
        }
        self.write().await
    }

    fn keep_later(&mut self) {
        let now = Instant::now();
        for Later { after, frame } in self.replies.later.drain(..) {
            self.count += 1;
            // Frames that no buffer should hold are frames that never come.
            if self.waiting.len() < WAITING_MAX
                && let Some(at) = now.checked_add(after)
            {
                self.waiting.push(Reverse(Waiting { at, order: self.count, frame }));
            }
        }
    }

    /// Writes what is to be written now; false if the peer is gone or does not read.
    async fn write(&mut self) -> bool {
        if self.replies.now.is_empty() {
            return true;
        }
        let (stream, out) = (&mut self.stream, &self.replies.now);
        let written = timeout(PATIENCE, async {
            stream.write_all(out).await?;
            stream.flush().await
        });
        let good = matches!(written.await, Ok(Ok(())));
        self.replies.now.clear();
        good
    }

    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let tick = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        Now::at(Tick(tick), i64::try_from(wall.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Hands every whole frame of `input` to the issuer and takes them out of it.
fn batch(
    issuer: &mut Issuer,
    framing: &Framing,
    session: &mut Session,
    input: &mut BytesMut,
    now: &Now,
    replies: &mut Replies,
) -> Result<(), Violation> {
    let mut at = 0;
    let ended = loop {
        match framing.next(&input[at..]) {
            Ok(Next::Frame { consumed, envelope, body }) => {
                let body = &input[at + body.start..at + body.end];
                issuer.on_frame(session, body, &envelope, now, replies);
                at += consumed;
            }
            Ok(Next::KeepAlive { consumed }) => {
                framing.keepalive(&mut replies.now);
                at += consumed;
            }
            Ok(Next::Incomplete { .. }) => break Ok(()),
            Err(violation) => break Err(violation),
        }
    };
    input.advance(at);
    ended
}

struct Waiting {
    at: Instant,
    order: u64,
    frame: Bytes,
}

impl Waiting {
    const fn key(&self) -> (Instant, u64) {
        (self.at, self.order)
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

/// Free room before a read: some hundred messages.
const READ: usize = 64 * 1024;
/// Delayed answers of one connection.
const WAITING_MAX: usize = 1_000_000;
