//! A record as hops, in words.
//!
//! Never a clear card number: none is in a payload. Never hides a record: one that cannot be read is told as its bytes.
//! An INTENT tells the request and the forward, too, an OUTCOME the answer and the reply: the journal has one record for
//! what happens in one turn.

use crate::search::{Found, hex, plain};
use crate::timeline::{Field, Hop, Stored};
use crate::view::Names;
use engine::State;
use engine::effect::ReversalReason;
use engine::event::Verdict;
use engine::record::{
    self, Ack, Batch, BatchWhat, Intent, Late, Linked, Obligation, Outcome, Parked, Record, Refused, Told,
    Tombstone, Unmatched, Unsettled, kind_name,
};
use limits::Scope;
use terms::{Currency, Flags, InternalCause, Minor, Money};

/// The hops that one record tells.
pub(crate) fn hops(names: &Names, found: &Found, stored: &Stored) -> Vec<Hop> {
    let teller = Teller { names, found, stored };
    teller.known().unwrap_or_else(|| vec![teller.unknown()])
}

struct Teller<'a> {
    names: &'a Names,
    found: &'a Found,
    stored: &'a Stored,
}

impl Teller<'_> {
    fn known(&self) -> Option<Vec<Hop>> {
        let bytes = &self.stored.payload[..];
        let hop = |text: String| vec![self.record(text, Vec::new())];
        Some(match self.stored.kind {
            record::INTENT => self.intent(&Intent::read(bytes, &[]).ok()?),
            record::OUTCOME => self.outcome(&Outcome::read(bytes).ok()?),
            record::REFUSED => self.refused(&Refused::read(bytes).ok()?),
            record::OBLIGATION => hop(self.obligation(&Obligation::read(bytes).ok()?)),
            record::ACK => hop(self.ack(&Ack::read(bytes).ok()?)),
            record::TOMBSTONE => hop(self.tombstone(&Tombstone::read(bytes).ok()?)),
            record::LATE => hop(self.late(&Late::read(bytes).ok()?)),
            record::UNMATCHED => hop(self.unmatched(&Unmatched::read(bytes).ok()?)),
            record::UNDELIVERED => {
                hop("the connection died before the first byte of the reply; the grace begins".into())
            }
            record::PARKED => hop(parked(&Parked::read(bytes).ok()?)),
            record::LINKED => hop(self.linked(&Linked::read(bytes).ok()?)),
            record::BATCH => hop(self.batch(&Batch::read(bytes).ok()?)),
            _ => return None,
        })
    }

    fn intent(&self, intent: &Intent) -> Vec<Hop> {
        let request = &intent.request;
        let money = Money { minor: request.amount, currency: request.currency };
        let batch = if request.batch == 0 { String::new() } else { format!(", batch {}", request.batch) };
        let asked = format!(
            "{} {} of {money} from terminal {}, STAN {}{batch}",
            request.mti,
            request.kind,
            request.terminal.as_str().trim_end(),
            request.stan
        );
        let charged: Vec<&str> = Scope::ALL
            .iter()
            .filter(|scope| intent.charged.of(**scope).is_some())
            .map(|scope| scope_name(*scope))
            .collect();
        let charged = if charged.is_empty() {
            "no ceiling is charged".into()
        } else {
            format!("charged: {}", charged.join(", "))
        };
        let mut hops = vec![
            self.hop("request", Some(self.stored.at), asked),
            self.record(format!("durable; {charged}"), intent_fields(intent)),
        ];
        if self.found.internal_cause() != Some(InternalCause::NotSent) {
            let link = self.names.of("link", intent.link);
            let sent =
                format!("to {link} under our STAN {} and RRN {}, once durable", intent.stan, intent.rrn);
            hops.push(self.hop("forward", None, sent));
        }
        hops
    }

    fn outcome(&self, outcome: &Outcome) -> Vec<Hop> {
        let mut hops = Vec::new();
        if let Some(answer) = answer(outcome) {
            hops.push(self.hop("answer", Some(self.stored.at), answer));
        }
        let mut fields = Vec::new();
        let mut push = |name, value: Option<String>| fields.extend(value.map(|value| Field { name, value }));
        push(
            "approval code",
            outcome.approval_code.map(|code| String::from_utf8_lossy(&code.0).trim_end().to_owned()),
        );
        push("approved amount", outcome.approved_amount.map(|minor| self.money(minor)));
        push("the issuer approved it", outcome.approval_seen.then(|| "yes".into()));
        push("terminal's reason (DE 39)", outcome.terminal_reason.map(|code| code.to_string()));
        let because = outcome.reason.map_or(String::new(), |reason| format!(": {}", reason_text(reason)));
        let text = format!("{}{because}{}", outcome.state.name(), told_text(outcome.told, "; "));
        hops.push(self.record(text, fields));
        hops.extend(reply(outcome).map(|text| self.hop("reply", None, text)));
        hops
    }

    fn refused(&self, refused: &Refused) -> Vec<Hop> {
        let money = Money { minor: refused.amount, currency: refused.currency };
        let terminal = refused.terminal.as_str().trim_end();
        let asked = format!(
            "{} {} of {money} from terminal {terminal}, STAN {}",
            refused.mti, refused.kind, refused.stan
        );
        let mut fields = Vec::new();
        if refused.remaining > 0 {
            let left = Money { minor: refused.remaining, currency: refused.currency };
            fields.push(Field { name: "left of the original", value: left.to_string() });
        }
        vec![
            self.hop("request", Some(self.stored.at), asked),
            self.record(format!("before anything was sent{}", told_text(refused.told, ", ")), fields),
            self.hop("reply", None, "declined".into()),
        ]
    }

    fn obligation(&self, obligation: &Obligation) -> String {
        match &obligation.owed {
            Unsettled::Resolve(resolve) => {
                let money = Money { minor: resolve.amount, currency: resolve.currency };
                format!("reversal of {money} answered 00; its original is looked for behind the answer")
            }
            Unsettled::Reverse { part: Some(part), .. } => {
                format!(
                    "a part is to be reversed: {} of {} stays",
                    self.money(part.stays),
                    self.money(part.before)
                )
            }
            Unsettled::Reverse { request_only: true, .. } => {
                "the issuer approved the request after all: it is reversed before the advice goes".into()
            }
            Unsettled::Reverse { reason, approval_seen, .. } => {
                let seen = if *approval_seen { "; the issuer had approved it" } else { "" };
                format!("a reversal is owed to the issuer: {}{seen}", reason_text(*reason))
            }
        }
    }

    fn ack(&self, ack: &Ack) -> String {
        let code = ack.code.map_or(String::new(), |code| format!(" with {code}"));
        let stays = ack.amount.map_or(String::new(), |minor| format!(", {} stays", self.money(minor)));
        format!("the issuer acknowledged{code}: {}{stays}; nothing is owed any more", ack.state.name())
    }

    fn tombstone(&self, tombstone: &Tombstone) -> String {
        let batch = if tombstone.batch == 0 { String::new() } else { format!(", batch {}", tombstone.batch) };
        format!("a reversal of what was never seen{batch}: should it come, it is not sent")
    }

    fn late(&self, late: &Late) -> String {
        let code = late.code.map_or(String::new(), |code| format!(" ({code})"));
        let amount = late.amount.map_or(String::new(), |minor| format!(", {}", self.money(minor)));
        format!("an answer that nobody waited for: {}{code}{amount}", verdict_text(late.verdict))
    }

    fn unmatched(&self, unmatched: &Unmatched) -> String {
        let link = self.names.of("link", unmatched.link);
        let code = unmatched.code.map_or(String::new(), |code| format!(", code {code}"));
        format!("an answer {} over {link}, STAN {}{code}, matches no request", unmatched.mti, unmatched.stan)
    }

    fn linked(&self, linked: &Linked) -> String {
        let operation = linked.operation;
        let is_original = linked.intent_lsn.0 == self.found.position;
        let what = match (is_original, linked.taken_back) {
            (true, false) => format!("{operation} took effect on it"),
            (true, true) => format!("{operation} was taken back"),
            (false, false) => format!("took effect on {}", linked.serial),
            (false, true) => format!("its effect on {} was taken back", linked.serial),
        };
        let drawn = linked.drawn;
        let stands = match (drawn.voided, drawn.completed, drawn.taken) {
            (true, ..) => "voided".to_owned(),
            (_, true, taken) => format!("completed with {}", self.money(taken)),
            (.., 0) => "whole".to_owned(),
            (.., taken) => format!("{} of it taken", self.money(taken)),
        };
        format!("{what}: the original is {stands}")
    }

    fn batch(&self, batch: &Batch) -> String {
        let number = batch.batch;
        match &batch.what {
            BatchWhat::Settled { results, day, .. } => format!(
                "batch {number} settled for {day}: domestic totals {}, others {}",
                compared(results[0]),
                compared(results[1])
            ),
            BatchWhat::Lines { count, .. } => format!("batch {number}: {count} lines uploaded"),
            BatchWhat::End { count, .. } => format!("batch {number}: upload ended, {count} lines in all"),
            BatchWhat::Withdrawn { amount, .. } => {
                format!("{} no longer counts in batch {number}", self.money(*amount))
            }
        }
    }

    fn unknown(&self) -> Hop {
        let bytes = Field { name: "bytes", value: hex(&self.stored.payload) };
        self.record("a record that this version cannot read".into(), vec![bytes])
    }

    fn record(&self, text: String, fields: Vec<Field>) -> Hop {
        let text = plain(&text);
        let what = match kind_name(self.stored.kind) {
            "unknown kind" => format!("KIND {}", self.stored.kind),
            name => name.to_owned(),
        };
        Hop { at: Some(self.stored.at), position: Some(self.stored.lsn.0), what, text, fields }
    }

    fn hop(&self, what: &str, at: Option<i64>, text: String) -> Hop {
        Hop { at, position: None, what: what.to_owned(), text: plain(&text), fields: Vec::new() }
    }

    fn money(&self, minor: Minor) -> String {
        let currency = self.found.currency.parse().ok().and_then(Currency::new).unwrap_or(Currency::NONE);
        Money { minor, currency }.to_string()
    }
}

fn intent_fields(intent: &Intent) -> Vec<Field> {
    let request = &intent.request;
    let mut fields = Vec::new();
    let mut push = |name, value: String| fields.push(Field { name, value });
    push("processing code (DE 3)", format!("{:06}", request.processing_code.0));
    if request.billing_amount != 0 {
        let billing = Money { minor: request.billing_amount, currency: request.billing_currency };
        push("billing amount (DE 6)", format!("{billing} {}", request.billing_currency));
    }
    if request.transmission.0 != 0 {
        push("DE 7", format!("{:010}", request.transmission.0));
    }
    if request.local_time != u32::MAX {
        push("local time (DE 12)", format!("{:06}", request.local_time));
    }
    if request.local_date != 0 {
        push("local date (DE 13)", format!("{:04}", request.local_date));
    }
    push("entry mode (DE 22)", format!("{:03}", request.entry_mode.0));
    if request.condition != u8::MAX {
        push("condition (DE 25)", format!("{:02}", request.condition));
    }
    let carried = [
        (Flags::PIN, "PIN"),
        (Flags::TRACK, "track"),
        (Flags::CHIP, "chip data"),
        (Flags::MAC, "MAC"),
        (Flags::PARTIAL_CAPABLE, "takes partial approvals"),
    ];
    let carried: Vec<&str> =
        carried.into_iter().filter(|(flag, _)| request.flags.has(*flag)).map(|(_, name)| name).collect();
    if !carried.is_empty() {
        push("carried", carried.join(", "));
    }
    if intent.transmission.0 != 0 {
        push("our DE 7", format!("{:010}", intent.transmission.0));
    }
    push("issuer's day", intent.issuer_day.to_string());
    push("acquirer's day", intent.acquirer_day.to_string());
    push("card", if intent.foreign { "not domestic" } else { "domestic" }.into());
    fields
}

fn answer(outcome: &Outcome) -> Option<String> {
    if let Some(code) = outcome.told.code {
        return Some(format!("the issuer said {code}"));
    }
    match outcome.told.cause? {
        InternalCause::IssuerTimeout => Some("none within the issuer's deadline".into()),
        InternalCause::LinkLost => Some("none: the link was lost".into()),
        InternalCause::UnknownAnswerCode => Some("a code in neither list of the dialect".into()),
        InternalCause::AnswerMismatch => Some("does not match what was asked".into()),
        InternalCause::AnswerInDoubt => Some("the issuer does not know yet".into()),
        _ => None,
    }
}

fn reply(outcome: &Outcome) -> Option<String> {
    match (outcome.state, outcome.reason) {
        (State::Approved | State::StipApproved, _) => Some("approved".into()),
        (State::Declined, _) => Some("declined".into()),
        (State::Reversing, Some(ReversalReason::Terminal)) => {
            Some("00 to the terminal's reversal; the request it reverses gets none".into())
        }
        (State::Reversing, Some(ReversalReason::Restart)) => None,
        (State::Reversing, _) => Some("declined".into()),
        _ => None,
    }
}

fn parked(parked: &Parked) -> String {
    let code = parked.code.map_or(String::new(), |code| format!(", last with {code}"));
    let what =
        if parked.advice { "would not take what was owed of the approval" } else { "refused the reversal" };
    format!("the issuer {what} {} times{code}: parked, still owed", parked.answers)
}

fn told_text(told: Told, before: &str) -> String {
    match (told.cause, told.code) {
        (Some(cause), _) => format!("{before}cause {cause}"),
        (None, Some(code)) => format!("{before}code {code}"),
        (None, None) => String::new(),
    }
}

fn reason_text(reason: ReversalReason) -> &'static str {
    match reason {
        ReversalReason::Terminal => "the terminal reversed it",
        ReversalReason::Timeout => "the issuer did not answer in time",
        ReversalReason::LinkLost => "the link was lost",
        ReversalReason::Undelivered => "the approval could not be delivered",
        ReversalReason::BadAnswer => "the answer did not match, or its code is unknown",
        ReversalReason::Restart => "a restart found it in doubt",
        ReversalReason::Contradiction => "the issuer approved what was declined or reversed",
        ReversalReason::Issuer => "the issuer reversed it by itself",
    }
}

fn verdict_text(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approves => "approves",
        Verdict::Declines => "declines",
        Verdict::InDoubt => "in doubt",
        Verdict::Neither => "a code in neither list",
    }
}

fn compared(result: record::Compared) -> &'static str {
    match result {
        record::Compared::Equal => "equal",
        record::Compared::Different => "different",
        record::Compared::Failed => "not compared",
    }
}

fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Card => "card",
        Scope::Merchant => "merchant",
        Scope::Terminal => "terminal",
        Scope::Issuer => "issuer",
    }
}
