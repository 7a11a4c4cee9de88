//! A simulated connection: the switch's end is a [`Transport`], the other end is held by the world.
//!
//! Never moves a byte by itself: the world carries them, late, in pieces or not at all. Guards: bytes of one direction stay
//! in order, as TCP keeps them.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};
use switch::serve::stepped::Transport;
use tokio::io::ReadBuf;

/// Connections whose switch end did something, by number.
pub type Noticed = Rc<RefCell<Vec<u32>>>;

/// Both ends of one connection. Clones are the same connection.
#[derive(Clone)]
pub struct Pipe(Rc<RefCell<Ends>>);

struct Ends {
    number: u32,
    noticed: Noticed,
    /// Arrived at the switch, not yet read.
    inbox: Vec<u8>,
    eof: bool,
    reset: bool,
    /// Taken from the switch, not yet carried.
    outbox: Vec<u8>,
    room: usize,
    closed: bool,
}

/// Bytes a simulated kernel takes before the world carries them on.
const ROOM: usize = 64 * 1024;

impl Pipe {
    /// Open, empty.
    pub fn new(number: u32, noticed: &Noticed) -> Self {
        Self(Rc::new(RefCell::new(Ends {
            number,
            noticed: Rc::clone(noticed),
            inbox: Vec::new(),
            eof: false,
            reset: false,
            outbox: Vec::new(),
            room: ROOM,
            closed: false,
        })))
    }

    /// The switch's end; to be handed over once.
    pub fn end(&self) -> SwitchEnd {
        SwitchEnd(self.clone())
    }

    /// Bytes arrive at the switch.
    pub fn arrive(&self, bytes: &[u8]) {
        self.0.borrow_mut().inbox.extend_from_slice(bytes);
    }

    /// The peer has closed.
    pub fn end_of_input(&self) {
        self.0.borrow_mut().eof = true;
    }

    /// The connection breaks: reads and writes fail.
    pub fn reset(&self) {
        self.0.borrow_mut().reset = true;
    }

    /// Takes what the switch has written.
    pub fn collect(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.borrow_mut().outbox)
    }

    /// How much more the kernel takes from the switch; 0 is a peer that does not read.
    pub fn set_room(&self, room: Option<usize>) {
        self.0.borrow_mut().room = room.unwrap_or(ROOM);
    }

    /// The switch has closed its end.
    pub fn is_closed(&self) -> bool {
        self.0.borrow().closed
    }
}

/// What the switch reads from and writes to.
pub struct SwitchEnd(Pipe);

impl Transport for SwitchEnd {
    fn poll_read(&mut self, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut ends = self.0.0.borrow_mut();
        if ends.reset {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if ends.inbox.is_empty() {
            return if ends.eof { Poll::Ready(Ok(())) } else { Poll::Pending };
        }
        let len = ends.inbox.len().min(buffer.remaining());
        buffer.put_slice(&ends.inbox[..len]);
        ends.inbox.drain(..len);
        Poll::Ready(Ok(()))
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut ends = self.0.0.borrow_mut();
        if ends.reset {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let len = bytes.len().min(ends.room.saturating_sub(ends.outbox.len()));
        if len == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        if ends.outbox.is_empty() {
            ends.notice();
        }
        ends.outbox.extend_from_slice(&bytes[..len]);
        Ok(len)
    }

    fn poll_write_ready(&self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ends = self.0.0.borrow();
        if ends.reset || ends.outbox.len() < ends.room { Poll::Ready(Ok(())) } else { Poll::Pending }
    }
}

impl Ends {
    fn notice(&self) {
        self.noticed.borrow_mut().push(self.number);
    }
}

impl Drop for SwitchEnd {
    fn drop(&mut self) {
        let mut ends = self.0.0.borrow_mut();
        ends.closed = true;
        ends.notice();
    }
}
