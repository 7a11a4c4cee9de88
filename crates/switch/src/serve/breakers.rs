//! Circuit breakers of issuers, among workers: one worker has an issuer's breaker, all of them obey it.
//!
//! Workers report time-outs once a turn; the worker that has the breaker tells the others when requests may go and when
//! not, and has the issuer's links probed meanwhile. Never decides when to open or close: `routing::Breaker` does.
//! Guards: whether an issuer is asked at all is answered here and nowhere else ([`Worker::asks`]).

use super::worker::Worker;
use crate::config::Config;
use routing::{Breaker, Opened};
use std::sync::Arc;
use terms::{InternalCause, IssuerIx, LinkIx, WorkerIx};

/// What one worker knows of all issuers' breakers.
pub struct Breakers {
    /// By `IssuerIx`: it is not asked.
    open: Vec<bool>,
    /// By `IssuerIx`: it has answered a request since it was last silent.
    answered: Vec<bool>,
    /// Time-outs of this turn.
    silent: Vec<Silence>,
    /// By `IssuerIx`: those that this worker has.
    own: Vec<Option<Breaker>>,
}

/// Requests of one worker and turn that an issuer did not answer in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Silence {
    /// Who was silent.
    issuer: IssuerIx,
    /// How often.
    times: u32,
    /// Another request was answered since the silence before.
    answered: bool,
}

/// What workers tell each other about breakers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// To the one who has the breaker.
    Silent(Silence),
    /// To the one who has the breaker: a probe was answered.
    Echoed(IssuerIx),
    /// To the one who has the socket: probe this link.
    Probe(LinkIx),
    /// To all: whether the issuer is asked from now on.
    Asked(IssuerIx, bool),
}

impl Breakers {
    /// Closed, all of them.
    pub fn new(config: &Config, ix: WorkerIx) -> Self {
        let issuers = config.issuers.len();
        let own = config
            .issuers
            .iter()
            .enumerate()
            .map(|(at, issuer)| (at % config.workers == ix.at()).then(|| Breaker::new(issuer.breaker)));
        Self {
            open: vec![false; issuers],
            answered: vec![false; issuers],
            silent: Vec::new(),
            own: own.collect(),
        }
    }

    /// A request was answered in time.
    pub fn answered(&mut self, issuer: IssuerIx) {
        self.answered[issuer.at()] = true;
    }

    /// A request was not answered in time.
    pub fn timed_out(&mut self, issuer: IssuerIx) {
        let Some(answered) = self.answered.get_mut(issuer.at()).map(std::mem::take) else { return };
        match self.silent.iter_mut().find(|silence| silence.issuer == issuer) {
            Some(silence) => silence.times += 1,
            None => self.silent.push(Silence { issuer, times: 1, answered }),
        }
    }
}

impl Worker {
    /// Whether `issuer` is asked at all, or why not: the one place that knows. Whoever may answer in its stead comes in here.
    pub(super) fn asks(&self, issuer: IssuerIx) -> Result<(), InternalCause> {
        if !self.breakers.open[issuer.at()] {
            return Ok(());
        }
        let links = &self.shared.config.issuers[issuer.at()].links;
        let any = links.iter().any(|link| self.up[link.at()]);
        Err(if any { InternalCause::BreakerOpen } else { InternalCause::IssuerDown })
    }

    /// Time-outs of this turn, told to who has the breakers.
    pub(super) fn report_silence(&mut self) {
        let mut silent = std::mem::take(&mut self.breakers.silent);
        for silence in silent.drain(..) {
            self.pass_on(self.keeper(silence.issuer), Word::Silent(silence));
        }
        self.breakers.silent = silent;
    }

    /// A link of `issuer` came up or went down, as this worker was told.
    pub(super) fn count_links(&mut self, issuer: IssuerIx) {
        let (up, now) = (&self.up, self.now.tick);
        let any = self.shared.config.issuers[issuer.at()].links.iter().any(|link| up[link.at()]);
        let Some(breaker) = &mut self.breakers.own[issuer.at()] else { return };
        let opened = breaker.links(any, now);
        self.follow(issuer, opened);
    }

    /// Issuers that are given up are probed when it is time.
    pub(super) fn probe_issuers(&mut self) {
        for at in 0..self.breakers.own.len() {
            let due = self.breakers.own[at].as_mut().is_some_and(|breaker| breaker.probe(self.now.tick));
            if !due {
                continue;
            }
            let shared = Arc::clone(&self.shared);
            for link in &shared.config.issuers[at].links {
                // One that is down takes no probe.
                self.pass_on(WorkerIx((link.at() % self.outbox.len()) as u16), Word::Probe(*link));
            }
            self.follow(IssuerIx(at as u16), None);
        }
    }

    /// A probe over `link` was answered.
    pub(super) fn echoed(&mut self, link: LinkIx) {
        let issuer = self.shared.config.links[link.at()].issuer;
        self.pass_on(self.keeper(issuer), Word::Echoed(issuer));
    }

    /// What another worker, or this one, says about a breaker.
    pub(super) fn hear(&mut self, word: Word) {
        match word {
            Word::Asked(issuer, asked) => self.breakers.open[issuer.at()] = !asked,
            Word::Probe(link) => self.probe_port(link),
            Word::Silent(Silence { issuer, times, answered }) => {
                let Some(breaker) = &mut self.breakers.own[issuer.at()] else { return };
                let opened = breaker.timed_out(times, answered, self.now.tick);
                self.follow(issuer, opened);
            }
            Word::Echoed(issuer) => {
                let Some(breaker) = &mut self.breakers.own[issuer.at()] else { return };
                if breaker.probe_answered() {
                    tracing::info!(issuer = self.name_of(issuer), "an issuer answers again: it is asked");
                }
                self.follow(issuer, None);
            }
        }
    }

    /// All workers go by where the breaker stands now; so does the metric.
    fn follow(&mut self, issuer: IssuerIx, opened: Option<Opened>) {
        let Some(breaker) = &self.breakers.own[issuer.at()] else { return };
        let (position, asked) = (breaker.position(), breaker.is_closed());
        self.meter.breaker(issuer, position, opened.is_some());
        if let Some(reason) = opened {
            tracing::warn!(
                issuer = self.name_of(issuer),
                ?reason,
                "an issuer is not asked until it answers probes"
            );
        }
        if self.breakers.open[issuer.at()] == asked {
            (0..self.outbox.len() as u16)
                .for_each(|worker| self.pass_on(WorkerIx(worker), Word::Asked(issuer, asked)));
        }
    }

    fn name_of(&self, issuer: IssuerIx) -> &str {
        &self.shared.config.issuers[issuer.at()].name
    }

    /// Who has the issuer's breaker.
    fn keeper(&self, issuer: IssuerIx) -> WorkerIx {
        WorkerIx((issuer.at() % self.outbox.len()) as u16)
    }

    fn pass_on(&mut self, worker: WorkerIx, word: Word) {
        if worker == self.ix {
            self.hear(word);
        } else {
            self.outbox[worker.at()].words.push(word);
        }
    }
}
