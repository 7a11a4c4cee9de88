//! The same request again, and what the journal is asked for because of it.
//!
//! Never sends anything to an issuer; never replays an approval that is no longer true. Guards: a repeat joins what is in
//! flight, hears again what was answered, or is refused.

use crate::advice::standing;
use crate::check::Checked;
use crate::effect::{Code, Disposition, Effect, Note, Reply, ReversalReason};
use crate::engine::{Engine, NOBODY_ASKED, plain, sameness};
use crate::event::{Fetched, Origin, Permit, TxnId};
use crate::index::Entry;
use crate::record::{
    ACK, Ack, Advised, Charges, Drawn, Intent, LINKED, Linked, OBLIGATION, OUTCOME, Obligation, Outcome,
    PARKED, Parked, Part, Record, TOMBSTONE, Told, Tombstone, Unsettled,
};
use crate::reverse::{open_tombstone, repeats_part, stimulus_of};
use crate::settle::oblige;
use crate::snapshot::Patience;
use crate::stand_in::approved_here;
use crate::state::State;
use crate::table::{Step, Stimulus, step};
use crate::transaction::{Role, Transaction};
use crate::turn::Turn;
use crate::words::{reply_approval, said};
use crate::write::reverses;
use journal::Lsn;
use terms::{ApprovalCode, Arpc, InternalCause, IssuerIx, LinkIx, Minor, Request, ResponseCode, Tick};

impl Engine {
    /// Station 4, second half: the request is known.
    pub(crate) fn again(
        &mut self,
        turn: &mut Turn,
        checked: &Checked,
        origin: Origin,
        entry: Entry,
    ) -> Disposition {
        let request = checked.request;
        let position = entry.slab().filter(|_| entry.state != State::Tombstone);
        let state = position.map_or(entry.state, |position| self.slab.at(position).state);
        if state == State::Approved && self.is_voided(&entry) && sameness(request, &entry) == Stimulus::Same {
            turn.note(Note::Duplicate);
            let reply = plain(Code::Internal(InternalCause::Reversed));
            turn.ask(Effect::Reply { txn: None, origin, reply });
            return Disposition::Done;
        }
        match step(Some(state), sameness(request, &entry)) {
            Step::RefuseReversed => self.refuse(turn, request, origin, InternalCause::Reversed),
            Step::Contradict => {
                turn.note(Note::Contradiction);
                self.refuse(turn, request, origin, InternalCause::ContradictoryRepeat)
            }
            known @ (Step::Join | Step::Replay | Step::ToldFirst) => {
                turn.note(Note::Duplicate);
                match position {
                    Some(position) => self.join(turn, origin, position),
                    None => self.fetch_answer(turn, request, origin, entry, known),
                }
            }
            other => unreachable!("a repeat cannot lead to {other:?}"),
        }
    }

    /// The one it repeats is in the slab: its answer goes to the newest connection, once if it is still to come.
    fn join(&mut self, turn: &mut Turn, origin: Origin, position: u32) -> Disposition {
        self.heard_from(turn, origin, position);
        let (id, transaction) = (self.slab.id(position), self.slab.at(position));
        let waits = transaction.reply_due || transaction.state == State::Approved || transaction.replied;
        if waits {
            transaction.origin = origin;
        }
        match transaction.state {
            // Less is approved than was told: whoever asks again must not hear the first amount.
            State::Approved if transaction.partly_reversed => {
                let reply = plain(Code::Internal(InternalCause::Reversed));
                turn.ask(Effect::Reply { txn: None, origin, reply });
                Disposition::Done
            }
            State::Approved if transaction.replied && !transaction.unsaid => {
                // Whoever asks again is there: the grace is over, and this answer's delivery counts.
                (transaction.in_grace, transaction.reply_due) = (false, true);
                reply_approval(turn, id, transaction);
                Disposition::Joined(id)
            }
            State::StipApproved if transaction.replied && !transaction.unsaid => {
                (transaction.in_grace, transaction.reply_due) = (false, true);
                self.stood(turn, id);
                Disposition::Joined(id)
            }
            State::Approved | State::StipApproved if !transaction.reply_due && !transaction.unsaid => {
                self.tell_again(turn, origin, position)
            }
            _ if transaction.reply_due => Disposition::Joined(id),
            // Reversed in flight or after the approval: what was promised to the reversal holds, whatever is durable yet.
            _ => {
                let code = transaction.cancelled.map_or_else(|| said(&transaction.told), Code::Internal);
                turn.ask(Effect::Reply { txn: None, origin, reply: plain(code) });
                Disposition::Done
            }
        }
    }

    /// A repeat or a reversal of what is in the slab came from there.
    pub(crate) fn heard_from(&mut self, turn: &mut Turn, origin: Origin, position: u32) {
        let before = self.slab.at(position).origin;
        if before != NOBODY_ASKED && before != origin {
            turn.note(Note::Reconnected);
        }
    }

    fn fetch_answer(
        &mut self,
        turn: &mut Turn,
        request: &Request,
        origin: Origin,
        entry: Entry,
        known: Step,
    ) -> Disposition {
        let lsn = entry.record().expect("what has left the slab has a record");
        let replay =
            Transaction::new(request, Role::Replay(known), State::Tombstone, origin, turn.now().tick);
        match self.slab.open(replay, self.spare()) {
            Some(id) => {
                turn.ask(Effect::Fetch { txn: id, lsn });
                Disposition::Kept(id)
            }
            None => self.refuse(turn, request, origin, InternalCause::Overloaded),
        }
    }

    /// An issuer contradicts what was settled: the transaction is called back from the journal.
    pub(crate) fn recall(&mut self, turn: &mut Turn, entry: &Entry) {
        let lsn = entry.record().expect("what has left the slab has a record");
        let mut request = Request::new(terms::Mti::of(0x0200), terms::Kind::Unknown, terms::Stan::MIN);
        (request.slot, request.repeat) = (entry.slot, entry.repeat);
        let recall =
            Transaction::new(&request, Role::Recall, State::Tombstone, NOBODY_ASKED, turn.now().tick);
        // Without room the UNMATCHED book has it: the item stays open for people.
        if let Some(id) = self.slab.open(recall, 0) {
            turn.ask(Effect::Fetch { txn: id, lsn });
        }
    }

    /// The journal answered.
    pub(crate) fn fetched(&mut self, turn: &mut Turn, id: TxnId, records: Option<&Fetched>) {
        let Some(asking) = self.slab.get(id) else { return };
        let past = records.and_then(|records| past(turn, records, asking.received));
        match asking.role {
            Role::Replay(known) => self.replay(turn, id, known, past),
            Role::Reversal | Role::Resolve if records.is_some_and(|records| records.kind == TOMBSTONE) => {
                self.tombstone_fetched(turn, id, records.map_or(&[], |records| records.payload));
            }
            Role::Reversal | Role::Resolve => self.reverse_fetched(turn, id, past),
            Role::Recall => self.recalled(turn, id, past),
            Role::Debt => {
                let content = records.map_or(&[][..], |records| Intent::content(records.secret));
                self.debt_fetched(turn, id, past, content);
            }
            Role::Recant => self.recant_fetched(turn, id, records.is_some(), past),
            Role::Payment => self.original_fetched(turn, id, past),
            Role::Lend => self.lend_fetched(turn, id, past),
            Role::Batch => {}
        }
    }

    /// What was answered is answered again: 37, 38, 39 and amount; nothing of it if the record is gone.
    fn replay(&mut self, turn: &mut Turn, id: TxnId, known: Step, past: Option<Past>) {
        let origin = self.slab.at(id.index).origin;
        let reply = match past {
            #[cfg(pointsman_zoo)]
            Some(past)
                if zoo::has(match past.transaction.state {
                    State::Declined => zoo::Bug::ReplayDeclineAsApproval,
                    _ => zoo::Bug::ReplayReversed,
                }) =>
            {
                Reply { rrn: Some(past.transaction.rrn), ..plain(Code::Wire(ResponseCode::approved())) }
            }
            Some(past) if past.drawn.voided => {
                Reply { rrn: Some(past.transaction.rrn), ..plain(Code::Internal(InternalCause::Reversed)) }
            }
            Some(past) if past.transaction.state == State::StipApproved => standing(&past.transaction),
            Some(past) if known == Step::Replay && stands(&past.transaction) => Reply {
                rrn: Some(past.transaction.rrn),
                approval_code: past.transaction.approval_code,
                arpc: past.transaction.arpc,
                amount: past.transaction.approved_amount,
                ..plain(Code::Wire(past.code.unwrap_or_else(ResponseCode::approved)))
            },
            Some(past) => {
                let rrn = Some(past.transaction.rrn);
                Reply { rrn, ..plain(said(&past.transaction.told)) }
            }
            None => plain(Code::Internal(InternalCause::JournalFailed)),
        };
        turn.ask(Effect::Reply { txn: Some(id), origin, reply });
        self.forget(turn, id);
    }

    /// A reversal's original was read: reverse it, or say that there is nothing to reverse.
    fn reverse_fetched(&mut self, turn: &mut Turn, id: TxnId, past: Option<Past>) {
        let reversal = self.slab.at(id.index);
        let reference = reversal.request.original.expect("checked when it came");
        let read = past.is_some();
        let meant = past.filter(|past| {
            Entry::settled(&past.transaction.request, past.transaction.state, past.lsn)
                .is_meant_by(&reference)
        });
        let Some(past) = meant else {
            return self.not_meant(turn, id, read, reference);
        };
        if self.reversal_of_drawn(turn, id, &past) {
            return;
        }
        let reversal = self.slab.at(id.index);
        let stimulus = match stimulus_of(&reversal.request, &past.transaction) {
            Stimulus::Forestalled | Stimulus::Reversal if past.transaction.state == State::StipApproved => {
                self.shelved_stimulus(&past.transaction)
            }
            stimulus => stimulus,
        };
        let reversal = self.slab.at(id.index);
        let rrn = Some(past.transaction.rrn);
        let step = step(Some(past.transaction.state), stimulus);
        if matches!(step, Step::Reverse | Step::Unsay | Step::Forestall)
            && reversal.role == Role::Reversal
            && reverses(&past.transaction)
        {
            turn.note(Note::TerminalReversal(reversal.terminal_reason));
        }
        match step {
            Step::ReversePart
                if repeats_part(&reversal.request, &past.transaction) && reversal.role == Role::Reversal =>
            {
                self.confirm_kept(turn, id, rrn);
            }
            Step::Unsay | Step::Forestall if reverses(&past.transaction) => {
                self.unsay_fetched(turn, id, past);
            }
            Step::Reverse if past.transaction.request.kind.is_linked() => {
                self.call_back_operation(turn, id, past);
            }
            Step::ReversePart
                if past.transaction.request.kind.is_linked() && reversal.role == Role::Reversal =>
            {
                self.refuse_kept(turn, id, InternalCause::PartialNotAllowed);
            }
            Step::Reverse | Step::ReversePart if reverses(&past.transaction) => {
                self.call_back(turn, id, past);
            }
            Step::RefusePartial if reversal.role == Role::Reversal => {
                self.refuse_kept(turn, id, InternalCause::PartialNotAllowed);
            }
            _ if reversal.role == Role::Resolve => self.close_resolve(turn, id),
            _ => self.confirm_kept(turn, id, rrn),
        }
    }

    /// It was reversed before, and never seen since.
    fn tombstone_fetched(&mut self, turn: &mut Turn, id: TxnId, payload: &[u8]) {
        let reversal = self.slab.at(id.index);
        let reference = reversal.request.original.expect("checked when it came");
        let tombstone = Tombstone::read(payload).ok();
        let read = tombstone.is_some();
        let meant = tombstone.is_some_and(|tombstone| tombstone.original == reference);
        match (meant, reversal.role) {
            (true, Role::Resolve) => self.close_resolve(turn, id),
            (true, _) => self.confirm_kept(turn, id, None),
            (false, _) => self.not_meant(turn, id, read, reference),
        }
    }

    /// Another's record under the same slot: an older one may be the original's. What the index of memory named, or
    /// cannot be read, nobody can rule out.
    fn not_meant(&mut self, turn: &mut Turn, id: TxnId, read: bool, reference: terms::OriginalRef) {
        let reversal = self.slab.at(id.index);
        match (read, reversal.role) {
            (true, _) if reversal.looked.0 != u64::MAX => {
                turn.ask(Effect::Find { txn: id, slot: reference.slot, before: reversal.looked });
            }
            (_, Role::Resolve) => self.found(turn, id, Err(false)),
            _ => self.owe_resolve(turn, id, reference),
        }
    }

    /// The approved original returns to the slab; the reversal waits for its OBLIGATION, unless it was answered before.
    fn call_back(&mut self, turn: &mut Turn, reversal: TxnId, past: Past) {
        let looked_for = self.slab.at(reversal.index).role == Role::Resolve;
        if looked_for {
            self.drop_tombstone(reversal);
        }
        let request = past.transaction.request;
        let Some(id) = self.revive(turn, past.transaction, reversal) else {
            return match looked_for {
                true => self.found(turn, reversal, Err(false)),
                false => self.refuse_kept(turn, reversal, InternalCause::Overloaded),
            };
        };
        self.enter(&request, id);
        match looked_for {
            true => self.forget(turn, reversal),
            false => self.queue(reversal, id),
        }
    }

    /// The index shows a transaction that came back as being in the slab. Without room for it its repeats go by the
    /// journal's own index, which knows the obligation once that is durable.
    pub(crate) fn enter(&mut self, request: &Request, id: TxnId) {
        let live = Entry::live(request, id.index);
        if !self.index.update(request.slot, request.repeat, |entry| *entry = live) {
            let _ = self.index.insert(live);
        }
    }

    /// The original turned out to need nothing: what was owed is closed by the record that found it so.
    fn close_resolve(&mut self, turn: &mut Turn, id: TxnId) {
        self.found(turn, id, Err(true));
    }

    pub(crate) fn drop_tombstone(&mut self, reversal: TxnId) {
        let original = self.slab.at(reversal.index).request.original.expect("checked when it came");
        self.index.remove_where(original.slot, open_tombstone(reversal));
    }

    /// An approval after a decline or a reversal: owed (again), nothing to release a second time.
    fn recalled(&mut self, turn: &mut Turn, id: TxnId, past: Option<Past>) {
        let Some(past) = past.filter(|past| reverses(&past.transaction)) else {
            return self.forget(turn, id);
        };
        let request = past.transaction.request;
        *self.slab.at(id.index) = Transaction { holds: false, ..past.transaction };
        self.enter(&request, id);
        self.contradiction(turn, id);
    }

    /// The issuer approves what is about to be declined or reversed: owed when that stands.
    pub(crate) fn contradiction_when_durable(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        let waits = transaction.pending | transaction.unwritten != 0;
        #[cfg(pointsman_zoo)]
        let waits = waits && !zoo::has(zoo::Bug::HoldReleasedTwice);
        match waits {
            true => (transaction.contradicted, transaction.approval_seen) = (true, true),
            false => self.contradiction(turn, id),
        }
    }

    /// The issuer approved what had been declined or reversed: alarm, and a reversal is owed.
    pub(crate) fn contradiction(&mut self, turn: &mut Turn, id: TxnId) {
        let transaction = self.slab.at(id.index);
        (transaction.contradicted, transaction.approval_seen) = (false, true);
        turn.note(Note::IssuerContradiction(transaction.issuer));
        oblige(turn, id, transaction, ReversalReason::Contradiction);
    }
}

/// A settled transaction as its records tell it.
pub(crate) struct Past {
    pub(crate) transaction: Transaction,
    code: Option<ResponseCode>,
    pub(crate) lsn: Lsn,
    /// What approved operations have done to it.
    pub(crate) drawn: Drawn,
}

/// What the latest record of a transaction says.
#[derive(Default)]
struct Last {
    told: Told,
    approval_code: Option<ApprovalCode>,
    arpc: Option<Arpc>,
    approved_amount: Option<Minor>,
    approval_seen: bool,
    drawn: Drawn,
    reason: Option<ReversalReason>,
    terminal_reason: Option<ResponseCode>,
    /// What is held, where the record says it better than the INTENT.
    charges: Option<Charges>,
    /// A reversal of a part is owed.
    part: Option<Part>,
    /// One was acknowledged.
    partly_reversed: bool,
    /// The issuer knows it by an advice, or will.
    advised: Option<Advised>,
    /// That is to be acknowledged before it is reversed.
    advice_first: bool,
    /// What its reversal said first.
    first_reason: Option<ReversalReason>,
}

/// `None` where a record is damaged, of a kind that ends nothing, or not there.
fn past(turn: &Turn, records: &Fetched, received: Tick) -> Option<Past> {
    let (state, last) = last(records)?;
    let intent = Intent::read(records.intent, records.secret).ok()?;
    let mut transaction = restored(turn, &intent, records.intent_lsn, received);
    transaction.state = state;
    transaction.approval_code = last.approval_code.or_else(|| approved_here(&transaction));
    transaction.arpc = last.arpc;
    transaction.approval_seen = last.approval_seen;
    transaction.issuer_code = last.told.code;
    transaction.holds = match state {
        State::Approved => !last.drawn.voided && !last.drawn.completed,
        State::StipApproved => true,
        // By an OUTCOME: it was in doubt, and what is posted with an approval never was. What was taken back after it stood
        // has an OBLIGATION, and that lists what is held.
        State::Reversing => !transaction.request.kind.posts_on_approval(),
        _ => false,
    };
    (transaction.reason, transaction.terminal_reason) =
        (last.reason.unwrap_or(transaction.reason), last.terminal_reason);
    if let Some(charges) = last.charges {
        transaction.charge_count = 0;
        charges.iter().for_each(|charge| transaction.charge(charge));
        transaction.holds = !charges.is_empty();
    }
    transaction.partly_reversed = last.partly_reversed || last.part.is_some();
    if let Some(stays) = last.part.map(|part| part.before).or(last.approved_amount) {
        if last.charges.is_none() {
            transaction.share = Part { before: transaction.request.amount, stays };
            transaction.reduce();
        }
        transaction.approved_amount = Some(stays).filter(|stays| *stays != transaction.request.amount);
    }
    transaction.part = last.part;
    (transaction.advice, transaction.advice_first) = (last.advised, last.advice_first);
    transaction.first_reason = last.first_reason;
    transaction.undo = state == State::StipApproved && last.reason.is_some();
    if !transaction.stands() || transaction.partly_reversed {
        transaction.told = last.told;
    }
    Some(Past { transaction, code: last.told.code, lsn: records.intent_lsn, drawn: last.drawn })
}

fn last(records: &Fetched) -> Option<(State, Last)> {
    Some(match records.kind {
        OUTCOME => {
            let outcome = Outcome::read(records.payload).ok()?;
            let Outcome { state, told, approval_code, approved_amount, reason, terminal_reason, .. } =
                outcome;
            let approval_seen = outcome.approval_seen || state == State::Approved;
            let last = Last { told, approval_code, approved_amount, approval_seen, ..Last::default() };
            let (arpc, advised) = (outcome.arpc, outcome.advised);
            (state, Last { reason, terminal_reason, arpc, advised, ..last })
        }
        OBLIGATION => match Obligation::read(records.payload).ok()?.owed {
            Unsettled::Reverse {
                told,
                approval_seen,
                part,
                charges,
                reason,
                terminal_reason,
                advised,
                advice_first,
                first_reason,
                request_only,
                ..
            } => {
                let state = match part {
                    Some(_) => State::Approved,
                    None if request_only => State::StipApproved,
                    None => State::Reversing,
                };
                let last = Last { told, approval_seen, part, charges: Some(charges), ..Last::default() };
                let reason = Some(reason);
                (state, Last { reason, terminal_reason, advised, advice_first, first_reason, ..last })
            }
            Unsettled::Resolve(_) => return None,
        },
        ACK => {
            let Ack { state, told, approval_code, amount, advised, .. } = Ack::read(records.payload).ok()?;
            let (approval_seen, partly_reversed) = (state == State::Approved, amount.is_some());
            let approved_amount = amount;
            let last = Last { told, approval_code, approved_amount, approval_seen, ..Last::default() };
            (state, Last { partly_reversed, advised, ..last })
        }
        LINKED => {
            let linked = Linked::read(records.payload).ok()?;
            let Linked { told, approval_code, approved_amount, drawn, advised, .. } = linked;
            let partly_reversed = told.cause == Some(InternalCause::Reversed);
            let last = Last { told, approval_code, approved_amount, approval_seen: true, ..Last::default() };
            (State::Approved, Last { drawn, partly_reversed, advised, ..last })
        }
        PARKED => {
            let Parked { told, .. } = Parked::read(records.payload).ok().filter(|parked| !parked.advice)?;
            (State::Quarantined, Last { told, ..Last::default() })
        }
        _ => return None,
    })
}

/// Whether the approval may be told again.
fn stands(transaction: &Transaction) -> bool {
    transaction.state == State::Approved && !transaction.partly_reversed
}

/// The transaction of an INTENT, with its issuer and link as the present configuration numbers them.
pub(crate) fn restored(turn: &Turn, intent: &Intent, intent_lsn: Lsn, received: Tick) -> Transaction {
    let nobody = Origin { listener: terms::ListenerIx(intent.listener), ..NOBODY_ASKED };
    let request = intent.request();
    let mut transaction = Transaction::new(&request, Role::Payment, State::Intent, nobody, received);
    let snapshot = turn.snapshot();
    let issuer = snapshot.issuers.iter().position(|terms| terms.id == intent.issuer);
    let link = snapshot.links.iter().position(|terms| terms.id == intent.link);
    let number = |position: Option<usize>| position.map_or(u16::MAX, |position| position as u16);
    transaction.issuer = IssuerIx(number(issuer));
    // The configuration it began under may be gone with its process.
    transaction.patience = issuer.map_or(Patience::UNKNOWN, |at| snapshot.issuers[at].patience());
    let link = LinkIx(number(link));
    transaction.permit = Some(Permit { link, stan: intent.stan, transmission: intent.transmission });
    (transaction.issuer_id, transaction.link_id) = (intent.issuer, intent.link);
    (transaction.serial, transaction.rrn) = (intent.serial, intent.rrn);
    (transaction.issuer_calendar, transaction.issuer_day) = (intent.issuer_calendar, intent.issuer_day);
    (transaction.acquirer_calendar, transaction.acquirer_day) =
        (intent.acquirer_calendar, intent.acquirer_day);
    (transaction.charged, transaction.intent_lsn) = (intent.charged, intent_lsn);
    (transaction.foreign, transaction.named) = (intent.foreign, intent.named);
    // Nobody knows whether it was sent: its issuer may speak of it.
    transaction.forwarded = true;
    intent.charges().for_each(|charge| transaction.charge(charge));
    transaction
}
