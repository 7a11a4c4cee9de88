//! One transaction while something about it is still open, and the other things that take a slab position.
//!
//! Never holds wire bytes (the shell keeps those under the same number) nor secrets beyond the card number.
//! Guards: a reservation is given back once (`holds`), a store-and-forward slot likewise (`slot_held`).

use crate::effect::ReversalReason;
use crate::event::{Origin, Permit};
use crate::flow::NamedOriginal;
use crate::owe::Paid;
use crate::recant::IssuerAsk;
use crate::record::{Advised, Charged, Charges, Compared, Drawn, Part, Serial, Told};
use crate::snapshot::Patience;
use crate::state::State;
use crate::table::Step;
use journal::Lsn;
use limits::Charge;
use terms::{
    ApprovalCode, Arpc, BusinessDay, InternalCause, IssuerIx, LinkIx, Minor, Mti, Request, ResponseCode, Rrn,
    Tick,
};

/// Scopes a transaction can be charged under.
pub(crate) const CHARGES_MAX: usize = limits::Scope::ALL.len();

/// No slab position.
pub(crate) const NIL: u32 = u32::MAX;

/// What a slab position is used for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// Money at an issuer, or a question to it.
    Payment,
    /// A repeat of a settled transaction: waits for the journal to say what was answered.
    Replay(Step),
    /// A reversal that waits for a record: of its original, or its own TOMBSTONE.
    Reversal,
    /// A reversal whose original nobody could rule out; owed until it is found or ruled out.
    Resolve,
    /// A settled transaction that an issuer's late word calls back: waits for the journal.
    Recall,
    /// A settlement or an upload: waits for its record.
    Batch,
    /// What is owed comes back from the shelf: waits for the journal.
    Debt,
    /// An issuer's own reversal that looks for its original.
    Recant,
    /// Another shard asks for an original of ours: waits for the journal.
    Lend,
}

/// Everything a forward, a reversal and a record need to know.
pub struct Transaction {
    /// As it came; of a recovered one, as its INTENT kept it.
    pub request: Request,
    /// Its number for ever.
    pub serial: Serial,
    /// Where it stands.
    pub state: State,
    /// Who decides.
    pub issuer: IssuerIx,
    /// The link's place and our STAN, once taken.
    pub permit: Option<Permit>,
    /// Our DE 37.
    pub rrn: Rrn,
    /// Newest connection that asked.
    pub origin: Origin,
    /// When the request came in.
    pub received: Tick,
    /// When the issuer's answer is due; zero before the forward.
    pub deadline: Tick,
    /// The issuer's DE 39, once it answered in time.
    pub issuer_code: Option<ResponseCode>,
    /// The issuer's DE 38.
    pub approval_code: Option<ApprovalCode>,
    /// The issuer's cryptogram for the chip.
    pub arpc: Option<Arpc>,
    /// What the issuer approved, or what a partial reversal left of it, where that is not the amount asked for.
    pub approved_amount: Option<Minor>,
    /// A reversal of a part is owed: the amounts before and after. The transaction stays approved.
    pub part: Option<Part>,
    /// Our own reason for a decline.
    pub cause: Option<InternalCause>,
    /// Why a reversal is owed.
    pub reason: ReversalReason,
    /// DE 39 of the terminal's reversal (98, 96, A0, 06 ...).
    pub terminal_reason: Option<ResponseCode>,
    /// Why its reversal was said to be when it first went out, where that was for another reason: its repeats say the same.
    pub(crate) first_reason: Option<ReversalReason>,
    /// How often the reversal was handed to a link.
    pub attempts: u16,
    pub(crate) role: Role,
    /// As its issuer was configured when it began.
    pub(crate) patience: Patience,
    /// `Request::owner`; 0 where nobody asks for it.
    pub(crate) owner: u64,
    /// `stable_id` of the issuer: what records carry.
    pub(crate) issuer_id: u32,
    /// `stable_id` of the link.
    pub(crate) link_id: u32,
    pub(crate) charged: Charged,
    pub(crate) issuer_calendar: u32,
    pub(crate) acquirer_calendar: u32,
    pub(crate) issuer_day: BusinessDay,
    pub(crate) acquirer_day: BusinessDay,
    pub(crate) charges: [Charge; CHARGES_MAX],
    pub(crate) charge_count: u8,
    /// What the terminal was first told, for repeats after a reversal.
    pub(crate) told: Told,
    pub(crate) intent_lsn: Lsn,
    /// Latest durable record.
    pub(crate) lsn: Lsn,
    /// Records that are not durable yet, one bit per [`Written`].
    pub(crate) pending: u8,
    /// Records that a full disk refused, likewise: appended again later.
    pub(crate) unwritten: u8,
    /// Will be declined with this cause as soon as its INTENT is durable; nothing is sent.
    pub(crate) cancelled: Option<InternalCause>,
    /// Handed to the link.
    pub(crate) forwarded: bool,
    /// The terminal waits for an answer.
    pub(crate) reply_due: bool,
    /// The approval was given to the shell, which has not said what became of it.
    pub(crate) replied: bool,
    /// Charges are held.
    pub(crate) holds: bool,
    /// The records (bits of [`Written`]) whose durability gives the charges back.
    pub(crate) release_on: u8,
    /// The records whose durability gives a share of the charges back, and which share.
    pub(crate) reduce_on: u8,
    pub(crate) share: Part,
    /// A part of it was reversed: its repeats are not told the approval any more.
    pub(crate) partly_reversed: bool,
    /// Nothing more is owed: it leaves when what was written is durable.
    pub(crate) leaves: bool,
    /// What is under way to the issuer is not what is owed now: its answer only makes room.
    pub(crate) stale: bool,
    /// The advice by which the issuer knows it, or will: approved here before the issuer said so.
    pub(crate) advice: Option<Advised>,
    /// The request went to the issuer, who may have taken it: it is reversed before the advice goes.
    pub(crate) undo: bool,
    /// Reversed after the advice may have gone out: that is acknowledged first.
    pub(crate) advice_first: bool,
    /// Reversed while a record was under way: that is durable first.
    pub(crate) unsaid: bool,
    /// Declined or reversed, and the issuer approved before that was durable: a reversal will be owed.
    pub(crate) contradicted: bool,
    /// The issuer refused the advice.
    pub(crate) refused: bool,
    /// Of what is called from the shelf: what its issuer said meanwhile.
    pub(crate) paid: Option<Paid>,
    /// Stand-in has been asked for.
    pub(crate) covered: bool,
    /// Stand-in's own counter was charged for it, and it does not stand yet.
    pub(crate) cover_charged: bool,
    /// How the issuer knows the original of an advice.
    pub(crate) named: Option<NamedOriginal>,
    /// Of a reversal that looks for its original: the record that was not it.
    pub(crate) looked: Lsn,
    /// A store-and-forward slot is held.
    pub(crate) slot_held: bool,
    /// The issuer was seen to approve.
    pub(crate) approval_seen: bool,
    /// A reversal is under way: its acknowledgement is awaited.
    pub(crate) advised: bool,
    /// Explicit bad answers to the reversal.
    pub(crate) bad_answers: u8,
    /// Earliest next try of an owed reversal, of a refused record, or end of the grace; earlier timers are stale.
    pub(crate) wake: Tick,
    /// Undelivered, and the terminal still has time to come back.
    pub(crate) in_grace: bool,
    /// First reversal that waits for this one's record; of a waiting one the next.
    pub(crate) waiters: u32,
    pub(crate) owed_next: u32,
    pub(crate) owed_prev: u32,
    /// In the list of owed reversals.
    pub(crate) listed: bool,
    /// What approved operations have done to it.
    pub(crate) drawn: Drawn,
    /// Not a domestic card.
    pub(crate) foreign: bool,
    /// What a settlement is told.
    pub(crate) compared: Option<[Compared; 2]>,
    /// Refused for asking more of its original than this.
    pub(crate) remaining: Minor,
    /// Its entry among what is owed.
    pub(crate) debt: u32,
    /// In the index before its INTENT: its original is asked for in another shard.
    pub(crate) entered: bool,
    /// The journal was asked which original its RRN names.
    pub(crate) sought: bool,
    /// The issuer's own message that waits for what is being written.
    pub(crate) asked: Option<IssuerAsk>,
    /// The issuer takes its approval back: an OBLIGATION is about to be written that is met already.
    pub(crate) yields: bool,
}

/// Records whose durability the engine waits for: bits of `pending`, and the upper part of a frame's token.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Written {
    Intent = 1,
    Outcome = 2,
    Obligation = 4,
    Ack = 8,
    Tombstone = 16,
    Linked = 64,
    Batch = 128,
    Parked = 32,
}

impl Written {
    pub(crate) const ALL: [Self; 8] = [
        Self::Intent,
        Self::Outcome,
        Self::Obligation,
        Self::Ack,
        Self::Tombstone,
        Self::Linked,
        Self::Batch,
        Self::Parked,
    ];

    pub(crate) const fn bit(self) -> u8 {
        self as u8
    }

    pub(crate) fn from_bit(bit: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|written| written.bit() == bit)
    }
}

impl Transaction {
    /// A position for `request`, in no list, holding nothing.
    pub(crate) fn new(request: &Request, role: Role, state: State, origin: Origin, received: Tick) -> Self {
        Self {
            request: *request,
            serial: Serial(0),
            state,
            issuer: IssuerIx(u16::MAX),
            permit: None,
            rrn: Rrn::new(*b"000000000000"),
            origin,
            received,
            deadline: Tick(0),
            issuer_code: None,
            approval_code: None,
            arpc: None,
            approved_amount: None,
            part: None,
            cause: None,
            reason: ReversalReason::Terminal,
            terminal_reason: None,
            first_reason: None,
            attempts: 0,
            role,
            patience: Patience::UNKNOWN,
            owner: 0,
            issuer_id: 0,
            link_id: 0,
            charged: Charged::NONE,
            issuer_calendar: 0,
            acquirer_calendar: 0,
            issuer_day: BusinessDay::NEVER,
            acquirer_day: BusinessDay::NEVER,
            charges: [NO_CHARGE; CHARGES_MAX],
            charge_count: 0,
            told: Told::NOTHING,
            intent_lsn: Lsn::NONE,
            lsn: Lsn::NONE,
            pending: 0,
            unwritten: 0,
            cancelled: None,
            forwarded: false,
            reply_due: false,
            replied: false,
            holds: false,
            release_on: 0,
            reduce_on: 0,
            share: Part::default(),
            partly_reversed: false,
            leaves: false,
            stale: false,
            advice: None,
            undo: false,
            advice_first: false,
            unsaid: false,
            contradicted: false,
            refused: false,
            paid: None,
            covered: false,
            cover_charged: false,
            named: None,
            looked: Lsn(u64::MAX),
            slot_held: false,
            approval_seen: false,
            advised: false,
            bad_answers: 0,
            wake: Tick(0),
            in_grace: false,
            waiters: NIL,
            owed_next: NIL,
            owed_prev: NIL,
            listed: false,
            drawn: Drawn::UNTOUCHED,
            foreign: false,
            compared: None,
            remaining: 0,
            debt: crate::debts::NONE,
            entered: false,
            sought: false,
            asked: None,
            yields: false,
        }
    }

    /// What is charged for it.
    pub fn charges(&self) -> &[Charge] {
        &self.charges[..usize::from(self.charge_count)]
    }

    /// The link that carried it, if it has one in this configuration.
    pub fn link(&self) -> LinkIx {
        self.permit.map_or(LinkIx(u16::MAX), |permit| permit.link)
    }

    /// Our STAN and DE 7 under which the issuer knows it.
    pub fn number(&self) -> Option<Advised> {
        let sent = self.permit.map(|Permit { stan, transmission, .. }| Advised { stan, transmission });
        self.advice.filter(|_| !self.undo).or(sent)
    }

    /// Message type under which the issuer knows it: of an advice, if it is told by one.
    pub fn known_mti(&self) -> Mti {
        let mti = self.request.mti;
        match self.advice.filter(|_| !self.undo) {
            Some(_) => Mti::new(mti.bcd() & 0xFF00 | 0x20).unwrap_or(mti),
            None => mti,
        }
    }

    /// What its reversal gives as its reason: why, and in the terminal's words where those are its own. Repeats say what was said first.
    pub fn says_why(&self) -> (ReversalReason, Option<ResponseCode>) {
        match self.first_reason {
            Some(first) => (first, None),
            None => (self.reason, self.terminal_reason),
        }
    }

    /// What is owed is the advice, not a reversal.
    pub(crate) fn owes_advice(&self) -> bool {
        match self.state {
            State::StipApproved => !self.undo,
            _ => self.advice_first,
        }
    }

    /// Approved here in the issuer's stead: what it was asked for, an advice tells, or told.
    pub(crate) fn stood_in(&self) -> bool {
        self.advice.is_some() && !self.request.kind.is_advice()
    }

    /// Approved, by the issuer or here.
    pub(crate) fn stands(&self) -> bool {
        matches!(self.state, State::Approved | State::StipApproved)
    }

    /// The amount that stands, or stood before it was reversed.
    pub fn amount(&self) -> Minor {
        self.approved_amount.unwrap_or(self.request.amount)
    }

    /// What is held of it is `share.keeps` from now on; returns what goes back.
    pub(crate) fn reduce(&mut self) -> Charges {
        let (share, count) = (self.share, usize::from(self.charge_count));
        let back: Charges = self.charges().iter().map(|charge| share.gives_back(*charge)).collect();
        self.charges[..count].iter_mut().for_each(|charge| *charge = share.keeps(*charge));
        back
    }

    pub(crate) fn charge(&mut self, charge: Charge) {
        self.charges[usize::from(self.charge_count)] = charge;
        self.charge_count += 1;
    }

    pub(crate) fn is_payment(&self) -> bool {
        self.role == Role::Payment
    }
}

const NO_CHARGE: Charge = Charge { key: limits::LimitKey(0), day: BusinessDay::NEVER, amount: 0 };
