//! A line that misbehaves: a TCP proxy that cuts, delays, repeats, drips and swallows what passes, either way.
//! Never invents a byte. Guards: every kind of trouble is counted, and ends when the line is told to be calm.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use testkit::Chance;

/// What happens to bytes that came in one read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// Both directions end, with the bytes.
    Cut,
    /// A part goes on, then both directions end.
    CutInside,
    /// They go on later.
    Delay,
    /// They go on byte by byte.
    Drip,
    /// They go on twice.
    Twice,
    /// They and everything behind them are lost for a while, then both directions end.
    Swallow,
}

impl Trouble {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Cut, Self::CutInside, Self::Delay, Self::Drip, Self::Twice, Self::Swallow];
}

/// How often of a thousand reads each kind strikes, in the order of [`Trouble::ALL`].
pub type Dose = [u64; 6];

/// The proxy.
pub struct Chaos {
    address: SocketAddr,
    shared: Arc<Shared>,
    door: Option<JoinHandle<()>>,
}

struct Shared {
    target: SocketAddr,
    dose: Dose,
    chance: Mutex<Chance>,
    struck: [AtomicU64; 6],
    calm: AtomicBool,
    over: AtomicBool,
}

impl Chaos {
    /// In front of `target`, on a free port.
    ///
    /// # Panics
    /// If there is no port.
    pub fn before(target: SocketAddr, dose: Dose, chance: Chance) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            target,
            dose,
            chance: Mutex::new(chance),
            struck: Default::default(),
            calm: AtomicBool::new(false),
            over: AtomicBool::new(false),
        });
        let door = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                for socket in listener.incoming().map_while(Result::ok) {
                    if shared.over.load(Ordering::Acquire) {
                        break;
                    }
                    shared.join(socket);
                }
            }
        });
        Self { address, shared, door: Some(door) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From here on everything passes as it is.
    pub fn calm(&self) {
        self.shared.calm.store(true, Ordering::Release);
    }

    /// How often a kind struck.
    pub fn struck(&self, trouble: Trouble) -> u64 {
        self.shared.struck[trouble as usize].load(Ordering::Acquire)
    }
}

impl Drop for Chaos {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Release);
        // Wakes the listener; pairs end with their sockets.
        let _ = TcpStream::connect(self.address);
        if let Some(door) = self.door.take() {
            let _ = door.join();
        }
    }
}

impl Shared {
    /// One connection: two directions, each on a thread that ends with its sockets.
    fn join(self: &Arc<Self>, near: TcpStream) {
        let Ok(far) = TcpStream::connect(self.target) else { return };
        for (from, to) in [(&near, &far), (&far, &near)] {
            let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else { return };
            let _ = to.set_nodelay(true);
            let shared = Arc::clone(self);
            thread::spawn(move || shared.carry(from, to));
        }
    }

    fn carry(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut chunk = [0; 4096];
        loop {
            let count = match from.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => count,
                Err(fault) if fault.kind() == ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            let trouble = self.draw();
            if let Some(trouble) = trouble {
                self.struck[trouble as usize].fetch_add(1, Ordering::AcqRel);
            }
            if !self.pass(trouble, &chunk[..count], &mut to) {
                break;
            }
        }
        for socket in [&from, &to] {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    fn draw(&self) -> Option<Trouble> {
        if self.calm.load(Ordering::Acquire) {
            return None;
        }
        let mut drawn = self.chance.lock().unwrap_or_else(PoisonError::into_inner).below(1000);
        for (trouble, often) in Trouble::ALL.into_iter().zip(self.dose) {
            if drawn < often {
                return Some(trouble);
            }
            drawn -= often;
        }
        None
    }

    /// Whether the line goes on.
    fn pass(&self, trouble: Option<Trouble>, bytes: &[u8], to: &mut TcpStream) -> bool {
        match trouble {
            None => to.write_all(bytes).is_ok(),
            Some(Trouble::Cut) => false,
            Some(Trouble::CutInside) => {
                let _ = to.write_all(&bytes[..bytes.len() / 2]);
                false
            }
            Some(Trouble::Delay) => {
                thread::park_timeout(Duration::from_millis(self.between(1, 400)));
                to.write_all(bytes).is_ok()
            }
            Some(Trouble::Drip) => bytes.chunks(1).all(|byte| {
                thread::park_timeout(Duration::from_micros(200));
                to.write_all(byte).is_ok()
            }),
            Some(Trouble::Twice) => to.write_all(bytes).and_then(|()| to.write_all(bytes)).is_ok(),
            Some(Trouble::Swallow) => {
                thread::park_timeout(Duration::from_millis(self.between(50, 900)));
                false
            }
        }
    }

    fn between(&self, from: u64, to: u64) -> u64 {
        self.chance.lock().unwrap_or_else(PoisonError::into_inner).between(from, to)
    }
}
