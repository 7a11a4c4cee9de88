//! What crosses between workers: one vector per owner and turn, never a message each.
//!
//! Guards: a transaction's events are only ever handled by its owner; letters of one sender arrive in order.

use super::breakers::Word;
use crossbeam_queue::SegQueue;
use engine::{Code, IssuerAsk, Letter, Origin, Verdict};
use framing::Envelope;
use std::ops::Range;
use std::sync::Arc;
use terms::{Answer, BusinessDay, IssuerIx, LinkIx, Request, SlotKey};
use tokio::sync::Notify;

/// Everything one worker has for another after a turn.
#[derive(Default)]
pub struct Mail {
    /// Message bodies that the ranges below point into.
    pub arena: Vec<u8>,
    /// Requests whose transaction the receiver owns.
    pub requests: Vec<Inbound>,
    /// Issuers' answers whose STAN the receiver gave out.
    pub answers: Vec<Answered>,
    /// Messages for links whose socket the receiver owns.
    pub forwards: Vec<Outgoing>,
    /// Replies for connections that the receiver owns.
    pub replies: Vec<Replied>,
    /// Forwards of the receiver's that found the link gone: ticket, and whether it was a reversal.
    pub unsent: Vec<(u64, bool)>,
    /// Replies of the receiver's: ticket, and whether the kernel took the first byte.
    pub delivered: Vec<(u64, bool)>,
    /// Requests on connections of the receiver's that get no answer there.
    pub forgone: Vec<Origin>,
    /// Links of the sender's that came up or went down.
    pub links: Vec<(LinkIx, bool)>,
    /// About breakers.
    pub words: Vec<Word>,
    /// Issuers' own reversals of what the receiver knows, and where it lives.
    pub recants: Vec<(IssuerAsk, Request, Option<SlotKey>)>,
    /// What their issuers are told, on links of the receiver's.
    pub recanted: Vec<(LinkIx, u32, Code)>,
    /// About originals that one of us has and the other needs.
    pub letters: Vec<Letter>,
    /// Issuers whose business day the receiver keeps tell of their cutover.
    pub cutovers: Vec<IssuerAsk>,
    /// Business days that issuers have begun.
    pub days: Vec<(IssuerIx, BusinessDay)>,
}

/// A request on its way to its owner.
#[derive(Clone)]
pub struct Inbound {
    /// Canonical form.
    pub request: Request,
    /// Where the answer goes.
    pub origin: Origin,
    /// Its envelope, for the answer's.
    pub envelope: Envelope,
    /// Its body in the arena.
    pub body: Range<usize>,
}

/// An issuer's answer on its way to the owner of its STAN.
#[derive(Clone)]
pub struct Answered {
    /// The link it came on.
    pub link: LinkIx,
    /// Canonical form.
    pub answer: Answer,
    /// What its code means in that link's dialect.
    pub verdict: Verdict,
    /// Its body in the arena.
    pub body: Range<usize>,
    /// Workers that did not know it.
    pub hops: u8,
}

/// A message on its way to a link's socket.
#[derive(Clone)]
pub struct Outgoing {
    /// Which link.
    pub link: LinkIx,
    /// Whose it is: worker ‖ ticket.
    pub ticket: u64,
    /// A reversal rather than a request.
    pub reversal: bool,
    /// Its body in the arena.
    pub body: Range<usize>,
}

/// A reply on its way to a terminal's connection.
#[derive(Clone)]
pub struct Replied {
    /// The connection.
    pub origin: Origin,
    /// The reply's envelope.
    pub envelope: Envelope,
    /// Whose it is, if delivery matters.
    pub ticket: Option<u64>,
    /// Its body in the arena.
    pub body: Range<usize>,
}

impl Mail {
    /// Nothing to carry.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
            && self.answers.is_empty()
            && self.forwards.is_empty()
            && self.replies.is_empty()
            && self.unsent.is_empty()
            && self.delivered.is_empty()
            && self.forgone.is_empty()
            && self.links.is_empty()
            && self.words.is_empty()
            && self.recants.is_empty()
            && self.recanted.is_empty()
            && self.letters.is_empty()
            && self.cutovers.is_empty()
            && self.days.is_empty()
    }

    /// Empty again, its room kept.
    pub fn clear(&mut self) {
        let Self {
            arena,
            requests,
            answers,
            forwards,
            replies,
            unsent,
            delivered,
            forgone,
            links,
            words,
            recants,
            recanted,
            letters,
            cutovers,
            days,
        } = self;
        arena.clear();
        requests.clear();
        answers.clear();
        forwards.clear();
        replies.clear();
        unsent.clear();
        delivered.clear();
        forgone.clear();
        links.clear();
        words.clear();
        recants.clear();
        recanted.clear();
        letters.clear();
        cutovers.clear();
        days.clear();
    }

    /// Copies `body` into the arena and says where.
    pub fn enclose(&mut self, body: &[u8]) -> Range<usize> {
        let start = self.arena.len();
        self.arena.extend_from_slice(body);
        start..self.arena.len()
    }
}

/// One worker's letter box and bell.
#[derive(Clone)]
pub struct LetterBox {
    letters: Arc<SegQueue<Mail>>,
    bell: Arc<Notify>,
}

impl LetterBox {
    /// Empty.
    pub fn new() -> Self {
        Self { letters: Arc::default(), bell: Arc::default() }
    }

    /// Puts a letter in and rings once.
    pub fn post(&self, mail: Mail) {
        self.letters.push(mail);
        self.bell.notify_one();
    }

    /// The next letter.
    pub fn take(&self) -> Option<Mail> {
        self.letters.pop()
    }

    /// The bell: rung for letters, for committed frames and for what the worker's own tasks brought.
    pub fn bell(&self) -> &Arc<Notify> {
        &self.bell
    }
}

impl Default for LetterBox {
    fn default() -> Self {
        Self::new()
    }
}
