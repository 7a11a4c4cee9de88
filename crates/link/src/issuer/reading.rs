//! What an issuer's frame is: an answer for a desk, network management for the session, a request, or nothing.
//! Never guesses whose an answer is. Guards: a bad message costs that message only, until there are too many in a row.

use super::{IssuerSession, IssuerSink, State, network};
use crate::inbox::Found;
use crate::reason::Reason;
use crate::violation::{Unframed, Violation};
use framing::Envelope;
use iso8583::{CodeVerdict, DecodeError, Index, answer, decode, issuers_request};
use std::sync::Arc;
use terms::{Answer, Kind, Now, Request, TransmissionTime};

/// Second digit of the MTI of network management.
const NETWORK_CLASS: u8 = 8;
/// DE 11.
const STAN_FIELD: u8 = 11;

impl IssuerSession {
    pub(super) fn take(
        &mut self,
        found: Found<'_>,
        index: &mut Index,
        now: &Now,
        sink: &mut impl IssuerSink,
    ) -> Result<(), Violation> {
        // A keep-alive is a sign of life and no more: we called, so answering could go on for ever.
        let Found::Message { envelope, body } = found else { return Ok(()) };
        let read = decode(&self.config.dialect, body, index).and_then(|()| {
            if index.mti().is_request() {
                self.take_request(envelope, body, index, now, sink)
            } else {
                self.take_answer(body, index, now, sink)
            }
        });
        match read {
            Ok(taken) => {
                self.bad_in_a_row = 0;
                taken
            }
            Err(error) => self.count_bad(&error, sink),
        }
    }

    fn count_bad(&mut self, error: &DecodeError, sink: &mut impl IssuerSink) -> Result<(), Violation> {
        sink.unreadable(error);
        if self.bad_in_a_row >= self.config.bad_max {
            return Err(Violation::TooManyBad { most: self.config.bad_max, last: *error });
        }
        self.bad_in_a_row += 1;
        Ok(())
    }

    fn take_answer(
        &mut self,
        body: &[u8],
        index: &Index,
        now: &Now,
        sink: &mut impl IssuerSink,
    ) -> Result<Result<(), Violation>, DecodeError> {
        let answer = match answer(&self.config.dialect, body, index) {
            Ok(answer) => answer,
            Err(error) if error.field == STAN_FIELD && !index.has(STAN_FIELD) => {
                sink.unmatched(Reason::NoStan, None, body, index);
                return Ok(Ok(()));
            }
            Err(error) => return Err(error),
        };
        if answer.mti.class_digit() == NETWORK_CLASS {
            return Ok(self.take_network_answer(&answer, now, sink));
        }
        match self.missing(&answer) {
            Some(reason) => sink.unmatched(reason, Some(&answer), body, index),
            None => sink.answer(&answer, body, index),
        }
        Ok(Ok(()))
    }

    /// The first part of the link key that is not there.
    fn missing(&self, answer: &Answer) -> Option<Reason> {
        let key = self.config.link_key;
        if key.transmission && answer.transmission == TransmissionTime::NONE {
            return Some(Reason::NoTransmission);
        }
        let nameless = answer.terminal.is_none_or(|terminal| terminal.trimmed().is_empty());
        (key.terminal && nameless).then_some(Reason::NoTerminal)
    }

    /// An echo's answer has done its work by being heard; all others, a probe's too, are told by their STAN.
    fn take_network_answer(
        &mut self,
        answer: &Answer,
        now: &Now,
        sink: &mut impl IssuerSink,
    ) -> Result<(), Violation> {
        let good = self.config.dialect.verdict(&answer.code) == CodeVerdict::Approves;
        if good && self.probing == Some(answer.stan) {
            self.probing = None;
            sink.echoed();
        }
        if self.asked != Some(answer.stan) {
            return Ok(());
        }
        match self.state {
            State::SigningOn(_) => {
                self.asked = None;
                if !good {
                    return Err(Violation::SignOnRefused { code: answer.code });
                }
                self.signed_on(now, sink);
            }
            // A bad answer is none: the link goes when the good one is overdue.
            State::Proving { left, .. } if good => match left {
                0 | 1 => self.go_up(now, sink),
                _ => self.prove(left - 1, now),
            },
            // Whatever it says to our going: we go.
            State::SigningOff(_) => self.state = State::Done,
            _ => {}
        }
        Ok(())
    }

    fn take_request(
        &mut self,
        envelope: Envelope,
        body: &[u8],
        index: &Index,
        now: &Now,
        sink: &mut impl IssuerSink,
    ) -> Result<Result<(), Violation>, DecodeError> {
        let request = issuers_request(&self.config.dialect, body, index)?;
        if request.mti.class_digit() == NETWORK_CLASS && request.kind != Kind::Cutover {
            self.answer_network(&request, envelope, body, index);
            self.follow(&request, now, sink);
        } else {
            sink.request(&request, envelope, body, index);
        }
        Ok(Ok(()))
    }

    /// Answers 00. With a full output the issuer gets none: it does not read what we write.
    fn answer_network(&mut self, request: &Request, envelope: Envelope, body: &[u8], index: &Index) {
        let config = Arc::clone(&self.config);
        let written = self.put(&envelope.reply(), |out| network::answer(&config, body, index, out));
        debug_assert!(
            !matches!(written, Err(Unframed::Body(_))),
            "an answer to {} cannot be written: {written:?}",
            request.mti
        );
    }

    /// An issuer that signs off gets no new traffic until it signs on, or takes our next sign-on.
    fn follow(&mut self, request: &Request, now: &Now, sink: &mut impl IssuerSink) {
        match (request.kind, self.state) {
            (Kind::SignOff, State::Up) => {
                let again = now.tick.plus_ms(self.backoff.next_ms());
                self.state = State::Resting(again);
                self.echo_due = None;
                sink.down();
            }
            (Kind::SignOn, State::Resting(_)) => self.go_up(now, sink),
            _ => {}
        }
    }
}
