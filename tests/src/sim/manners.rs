//! How terminals behave: how long they wait, how often they repeat, reverse, reconnect, and whether they keep the rules.
//! Never changes while a run goes on. Guards: a terminal without faults in its manners ends every transaction knowing its end.

use super::dose::Dose;
use testkit::Chance;

/// How a terminal behaves. Rates per mille of transactions.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Manners {
    pub patience_us: (u64, u64),
    pub think_us: (u64, u64),
    pub repeats: u64,
    pub reconnects: u64,
    pub voluntary: u64,
    pub rechecks: u64,
    pub contradicts: u64,
    pub reverse_first: u64,
    pub stray_reversals: u64,
    pub junk: u64,
    /// Something is done to an earlier transaction.
    pub follows: u64,
    /// And then now and then what must be declined, per mille of those.
    pub rude: u64,
    /// Transactions of a day.
    pub sales: u32,
    /// Transactions of a batch.
    pub batch_sales: u64,
    /// Totals that are not true, per mille of batches.
    pub miscounts: u64,
    /// Breaks the rules: gives up without a reversal, keeps what it reversed, or takes an approval for a decline.
    pub breaks_rules: bool,
    /// Issuers take back by themselves what they approved.
    pub issuers_take_back: bool,
    pub clock_days: i64,
}

impl Manners {
    /// As the doses say.
    pub fn draw(dose: &Dose, chance: &mut Chance) -> Self {
        let impatient = dose.impatient && chance.percent(50);
        Self {
            patience_us: if impatient { (20_000, 2_000_000) } else { (3_500_000, 9_000_000) },
            think_us: *chance.pick(&[(0, 20_000), (1_000, 200_000), (10_000, 2_000_000)]),
            repeats: dose.repeats,
            reconnects: dose.reconnects,
            voluntary: dose.voluntary,
            rechecks: dose.rechecks,
            contradicts: dose.contradicts,
            reverse_first: dose.reverse_first,
            stray_reversals: dose.stray_reversals,
            junk: dose.junk,
            follows: dose.follows,
            rude: dose.rude,
            sales: dose.sales_per_till,
            batch_sales: chance.between(5, 60),
            miscounts: dose.miscounts,
            breaks_rules: dose.breaks_rules && chance.percent(50),
            issuers_take_back: dose.issuer.take_back > 0,
            clock_days: if chance.percent(20) { chance.below(5) as i64 - 2 } else { 0 },
        }
    }
}
