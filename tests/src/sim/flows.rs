//! The kinds of transaction that simulated terminals begin, as a table: one line per kind.
//! Never decides what a terminal does next. Guards: every kind that the switch serves is played, and what may follow what is
//! written once.

use books::shapes::TerminalState;

/// One kind of transaction.
#[derive(Debug)]
pub struct Flow {
    /// For people.
    pub name: &'static str,
    /// Message type.
    pub mti: u16,
    /// DE 3 and DE 25 as an acquirer says them.
    pub acquirer: (u64, u64),
    /// DE 3 and DE 60.1 as a UnionPay terminal says them.
    pub pos: (u64, &'static str),
    /// Which way money goes.
    pub money: Money,
    /// It tells what has happened: no answer but a yes ends it.
    pub advice: bool,
    /// How often, among what begins by itself.
    pub weight: u64,
    /// What it does to an earlier transaction, if it needs one.
    pub does: Option<Does>,
    /// What may follow its approval.
    pub followed_by: &'static [usize],
}

/// Which way a cardholder's money goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Money {
    /// To the merchant.
    Debit,
    /// Held, until something follows.
    Hold,
    /// Back to the cardholder.
    Credit,
    /// Nowhere.
    None,
}

/// What an operation does to its original.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Does {
    /// Gives the whole back.
    Voids,
    /// Takes the place of a hold.
    Completes,
    /// Gives a part back, or all.
    Refunds,
    /// Nothing: it only names it.
    Mentions,
}

impl Flow {
    /// Whether a cardholder pays or is paid.
    pub fn moves_money(&self) -> bool {
        self.money != Money::None
    }

    /// How a terminal sees it once it is approved.
    pub fn approved(&self) -> TerminalState {
        if self.money == Money::Credit { TerminalState::Credited } else { TerminalState::Approved }
    }
}

// Places in the table.
const VOID: usize = 4;
const CANCELLATION: usize = 5;
const COMPLETION: usize = 6;
const COMPLETION_NOTICE: usize = 7;
const REFUND: usize = 8;
const ADJUSTMENT: usize = 9;
const SCRIPT_RESULT: usize = 10;
const COMPLETION_VOID: usize = 11;

/// Every kind that the switch serves.
pub const FLOWS: &[Flow] = &[
    Flow {
        followed_by: &[VOID, REFUND, REFUND, ADJUSTMENT, SCRIPT_RESULT],
        ..begins("purchase", 0x0200, (0, 0), (0, "22"), 70)
    },
    Flow {
        money: Money::Hold,
        followed_by: &[CANCELLATION, COMPLETION, COMPLETION, COMPLETION_NOTICE],
        ..begins("pre-authorization", 0x0100, (30_000, 0), (30_000, "10"), 18)
    },
    Flow { advice: true, followed_by: &[REFUND], ..begins("offline sale", 0x0220, (0, 0), (0, "30"), 8) },
    Flow { money: Money::None, ..begins("balance", 0x0200, (310_000, 0), (310_000, "01"), 4) },
    follows("void", 0x0200, (20_000, 0), (200_000, "23"), Does::Voids),
    follows("cancellation", 0x0100, (20_000, 0), (200_000, "11"), Does::Voids),
    Flow {
        money: Money::Debit,
        followed_by: &[REFUND, COMPLETION_VOID],
        ..follows("completion", 0x0200, (0, 6), (0, "20"), Does::Completes)
    },
    Flow {
        money: Money::Debit,
        advice: true,
        followed_by: &[REFUND, COMPLETION_VOID],
        ..follows("completion notice", 0x0220, (0, 6), (0, "24"), Does::Completes)
    },
    follows("refund", 0x0220, (200_000, 0), (200_000, "25"), Does::Refunds),
    Flow {
        money: Money::None,
        advice: true,
        ..follows("adjustment", 0x0220, (20_000, 0), (0, "32"), Does::Mentions)
    },
    Flow {
        money: Money::None,
        advice: true,
        ..follows("script result", 0x0620, (0, 0), (0, "00"), Does::Mentions)
    },
    follows("completion void", 0x0200, (20_000, 6), (200_000, "21"), Does::Voids),
];

const fn begins(
    name: &'static str,
    mti: u16,
    acquirer: (u64, u64),
    pos: (u64, &'static str),
    weight: u64,
) -> Flow {
    let money = Money::Debit;
    Flow { name, mti, acquirer, pos, money, advice: false, weight, does: None, followed_by: &[] }
}

const fn follows(
    name: &'static str,
    mti: u16,
    acquirer: (u64, u64),
    pos: (u64, &'static str),
    does: Does,
) -> Flow {
    Flow { money: Money::Credit, does: Some(does), ..begins(name, mti, acquirer, pos, 0) }
}
