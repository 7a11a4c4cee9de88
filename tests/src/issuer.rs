//! An issuer that does nothing by itself but sign on: every other message is put before the test, which answers it, keeps
//! it waiting, or cuts the line. For issuers that think there is `issuer-sim`.
//! Never answers twice unless told to. Guards: the test knows what was asked before it decides.

use crate::message::Speech;
use bytes::BytesMut;
use framing::Envelope;
use iso8583::{Index, Reply, decode, request, write_reply};
use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use terms::{ApprovalCode, Arpc, Request, ResponseCode};
use testkit::PATIENCE;

/// Plain TCP on a free port of this machine, `iso87-binary` behind a two byte length.
pub struct Scripted {
    /// Where it listens.
    pub address: SocketAddr,
    told: Receiver<Asked>,
    sockets: Arc<Mutex<Vec<TcpStream>>>,
}

/// A message that waits for what the test makes of it.
pub struct Asked {
    /// What is asked, in canonical form.
    pub request: Request,
    body: Vec<u8>,
    index: Index,
    envelope: Envelope,
    speech: Speech,
    socket: TcpStream,
}

impl Scripted {
    /// Listens until the process ends.
    ///
    /// # Panics
    /// If there is no port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, told) = channel();
        let sockets = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&sockets);
        std::thread::spawn(move || {
            while let Ok((socket, _)) = listener.accept() {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(socket.try_clone().unwrap());
                let tell = tell.clone();
                std::thread::spawn(move || serve(socket, &tell));
            }
        });
        Self { address, told, sockets }
    }

    /// The next message that is no network management.
    ///
    /// # Panics
    /// If none comes.
    #[track_caller]
    pub fn asked(&self) -> Asked {
        self.told.recv_timeout(PATIENCE).expect("the issuer is asked")
    }

    /// What has come and was not taken yet.
    pub fn backlog(&self) -> Vec<Asked> {
        self.told.try_iter().collect()
    }

    /// Says bytes as they are on every connection.
    ///
    /// # Panics
    /// If a line is cut.
    pub fn say(&self, bytes: &[u8]) {
        for socket in self.sockets.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            socket.write_all(bytes).unwrap();
        }
    }

    /// Cuts every connection; new ones are welcome.
    pub fn cut(&self) {
        for socket in self.sockets.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // One that is closed already is cut as well.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Asked {
    /// Answers with this code; an approval gets an approval code. A line that is cut meanwhile is no matter.
    pub fn answer(&self, code: &str) {
        let approval = code == "00" && self.request.kind.moves_money();
        self.reply(code, approval.then_some(ApprovalCode(*b"A12345")));
    }

    /// Approves with a cryptogram for the chip.
    pub fn approve_chip(&self, arpc: Arpc) {
        let reply = Reply { arpc: Some(arpc), ..Reply::new(ResponseCode::approved()) };
        self.send(&Reply { approval_code: Some(ApprovalCode(*b"A12345")), ..reply });
    }

    /// Answers with this code and no approval code.
    pub fn answer_uncoded(&self, code: &str) {
        self.reply(code, None);
    }

    fn reply(&self, code: &str, approval_code: Option<ApprovalCode>) {
        self.send(&Reply { approval_code, ..Reply::new(ResponseCode::of(code)) });
    }

    fn send(&self, reply: &Reply<'_>) {
        let mut out = BytesMut::new();
        let write = |out: &mut BytesMut| {
            write_reply(&self.speech.dialect, &self.body, &self.index, reply, out).unwrap();
        };
        self.speech.framing.write(&mut out, &self.envelope.reply(), write).unwrap();
        let _ = (&self.socket).write_all(&out);
    }

    /// A field as it came.
    pub fn raw(&self, field: u8) -> Option<&[u8]> {
        self.index.raw(field, &self.body)
    }

    /// Whether it is a reversal.
    pub fn is_reversal(&self) -> bool {
        self.request.mti.class_digit() == 4
    }
}

fn serve(mut socket: TcpStream, tell: &Sender<Asked>) {
    let speech = Speech::new("iso87-binary", "binary2");
    let mut rest = Vec::new();
    while let Ok(Some((envelope, body))) = speech.read(&mut socket, &mut rest) {
        let mut index = Index::new();
        decode(&speech.dialect, &body, &mut index).expect("the switch speaks the dialect");
        let request = request(&speech.dialect, &Default::default(), &body, &index).expect("it makes sense");
        let Ok(socket) = socket.try_clone() else { return };
        let asked = Asked { request, body, index, envelope, speech: speech.clone(), socket };
        if asked.request.kind.is_network() {
            asked.answer("00");
        } else if tell.send(asked).is_err() {
            return;
        }
    }
}
