//! A simulated issuer: `issuer-sim` behind simulated connections.
//! Never answers by itself: what the issuer says is carried by the world. Guards: a request of the switch's reaches the issuer
//! once; what comes twice is counted by the issuer itself.

use super::dose::IssuerDose;
use framing::Next;
use iso8583::Index;
use issuer_sim::{Act, Issuer, IssuerConfig, Later, Mood, Replies, Session};
use std::collections::BTreeMap;
use std::time::Duration;
use terms::{Kind, Now, ResponseCode};

/// One issuer with the connections it has accepted.
pub struct Bank {
    /// The issuer itself, with its ledger.
    pub issuer: Issuer,
    lines: BTreeMap<u32, Line>,
    replies: Replies,
    /// Answers that went out beside the one that was due.
    pub doubled: u64,
    /// Requests of its own.
    pub own_requests: u64,
    index: Index,
}

#[derive(Default)]
struct Line {
    session: Session,
    input: Vec<u8>,
}

impl Bank {
    /// An issuer with the moods of a dose.
    ///
    /// # Panics
    /// If the dialect is none.
    pub fn new(name: &str, dialect: &str, dose: &IssuerDose, seed: u64) -> Self {
        let config = IssuerConfig::new(name, dialect).seed(seed).moods(moods(dose));
        Self {
            issuer: Issuer::new(config).unwrap(),
            lines: BTreeMap::new(),
            replies: Replies::default(),
            doubled: 0,
            own_requests: 0,
            index: Index::new(),
        }
    }

    /// Keeps to the rules and answers at once from now on.
    pub fn calm_down(&mut self) {
        self.issuer.set_moods(Vec::new());
    }

    /// A connection is there.
    pub fn accept(&mut self, line: u32) {
        self.lines.insert(line, Line::default());
    }

    /// A connection is gone.
    pub fn cut(&mut self, line: u32) {
        self.lines.remove(&line);
    }

    /// Whether it has this connection.
    pub fn has(&self, line: u32) -> bool {
        self.lines.contains_key(&line)
    }

    /// Bytes of the switch: what is answered at once, and what later.
    ///
    /// # Panics
    /// If the switch sends what is no frame.
    pub fn hear(&mut self, line: u32, bytes: &[u8], now: &Now) -> (Vec<u8>, Vec<Later>) {
        let Some(at) = self.lines.get_mut(&line) else { return (Vec::new(), Vec::new()) };
        at.input.extend_from_slice(bytes);
        let framing = *self.issuer.framing();
        let (mut taken, mut heard) = (0, 0);
        loop {
            match framing.next(&at.input[taken..]).expect("the switch sends frames") {
                Next::Frame { consumed, envelope, body } => {
                    let body = taken + body.start..taken + body.end;
                    let (session, replies) = (&mut at.session, &mut self.replies);
                    self.issuer.on_frame(session, &at.input[body], &envelope, now, replies);
                    taken += consumed;
                    heard += 1;
                }
                Next::KeepAlive { consumed } => taken += consumed,
                Next::Incomplete { .. } => break,
            }
        }
        at.input.drain(..taken);
        let said = self.replies.now.split().to_vec();
        self.count(heard, &said);
        (said, std::mem::take(&mut self.replies.later))
    }

    /// What is said beside one answer for each message.
    fn count(&mut self, heard: u64, said: &[u8]) {
        let (framing, dialect) = (*self.issuer.framing(), self.issuer.dialect());
        let (mut at, mut answers) = (0, 0);
        while let Ok(Next::Frame { consumed, body, .. }) = framing.next(&said[at..]) {
            let asks = iso8583::decode(dialect, &said[at + body.start..at + body.end], &mut self.index)
                .is_ok()
                && self.index.mti().is_request();
            self.own_requests += u64::from(asks);
            answers += u64::from(!asks);
            at += consumed;
        }
        self.doubled += u64::saturating_sub(answers, heard);
    }
}

/// The moods of a dose, reversals first: their rates are of reversals only.
fn moods(dose: &IssuerDose) -> Vec<Mood> {
    let late = Duration::from_millis(5_000);
    let payments = [
        (Mood::new(Act::Delay(late)), dose.late),
        (Mood::new(Act::Delay(Duration::from_millis(400))), dose.out_of_order),
        (Mood::new(Act::Drop), dose.silent),
        (Mood::new(Act::Lose), dose.lost),
        (Mood::new(Act::Twice), dose.twice),
        (Mood::new(Act::Garbage), dose.garbage),
        (Mood::new(Act::WrongAmount), dose.wrong_amount),
        (Mood::new(Act::WrongStan), dose.wrong_stan),
        (Mood::new(Act::WrongCard), dose.wrong_card),
        (Mood::new(Act::WrongCurrency), dose.wrong_currency),
        (Mood::new(Act::WrongRrn), dose.wrong_rrn),
        (Mood::new(Act::NoTerminal), dose.no_terminal),
        (Mood::new(Act::Say(ResponseCode::of("ZZ"))), dose.unknown_code),
        (Mood::new(Act::Say(ResponseCode::of("68"))), dose.doubtful_code),
        (Mood::new(Act::SignOff), dose.sign_off),
        (Mood::new(Act::TakeBack), dose.take_back),
        (Mood::new(Act::Part), dose.part),
    ];
    let reversals = [
        (Mood::new(Act::Lose), dose.reversal_lost),
        (Mood::new(Act::Drop), dose.reversal_unanswered),
        (Mood::decline("96"), dose.reversal_refused_for_now),
        (Mood::decline("25"), dose.reversal_denied),
    ];
    let reversals = reversals.into_iter().map(|(mood, rate)| (mood.kind(Kind::Reversal), rate));
    // Whoever keeps the rules takes an advice.
    let declines = [Kind::Purchase, Kind::PreAuth, Kind::Completion, Kind::Refund, Kind::Balance]
        .into_iter()
        .flat_map(|kind| {
            [("51", dose.declines), ("91", dose.declines / 4)]
                .map(|(code, rate)| (Mood::decline(code).kind(kind), rate))
        });
    let refusals = (Mood::decline("51").kind(Kind::OfflineSale), dose.advice_refused);
    let crossed =
        [Kind::Purchase, Kind::PreAuth].map(|kind| (Mood::new(Act::Crossed).kind(kind), dose.crossed));
    let payments = payments.into_iter().chain(declines).chain([refusals]).chain(crossed);
    let all = reversals.chain(payments).filter(|(_, rate)| *rate > 0);
    all.map(|(mood, rate)| mood.per_million(rate)).collect()
}
