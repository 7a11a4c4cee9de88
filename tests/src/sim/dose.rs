//! What a seed may do to a run: drawn once, swarm style, so that many seeds have most doses at nothing.
//!
//! Never changes while a run goes on. Guards: a seed whose peers all keep the rules is known as such: its books must have no
//! open item.

use super::disk::{PageCache, Survives};
use testkit::Chance;

/// Workers that a switch has at most.
pub const WORKERS_MAX: u16 = 3;

/// Doses of one seed. Rates are per mille of messages unless they say otherwise.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Dose {
    pub workers: u16,
    pub tills: u16,
    pub sales_per_till: u32,
    /// Business days; the hours in which nothing happens are skipped.
    pub days: u32,
    pub twin_links: bool,
    pub sync_us: (u64, u64),
    pub net_us: (u64, u64),
    pub slow_net: u64,
    pub drip: u64,
    pub till_cut: u64,
    pub link_cut: u64,
    pub blackhole: u64,
    pub unread: u64,
    pub impatient: bool,
    pub repeats: u64,
    pub reconnects: u64,
    pub voluntary: u64,
    pub rechecks: u64,
    pub contradicts: u64,
    pub reverse_first: u64,
    pub stray_reversals: u64,
    pub junk: u64,
    pub follows: u64,
    pub rude: u64,
    pub miscounts: u64,
    pub breaks_rules: bool,
    pub issuer: IssuerDose,
    pub process_kills: u64,
    pub machine_crashes: u64,
    pub crash_in_recovery: u64,
    pub failed_syncs: u64,
    pub disk_full: u64,
    pub disk_stall: u64,
    pub wall_steps: u64,
    pub freezes: u64,
    pub second_starts: u64,
    pub drains: u64,
    pub page_cache: PageCache,
    pub survives: Survives,
    pub hot_card: bool,
    pub tight_limits: bool,
    pub stan_near_wrap: bool,
    pub stand_in: bool,
    /// Every start has another number of workers than the one before.
    pub changes_workers: bool,
    pub takes_parts: bool,
    /// Steps of faults and sales after which the run is cut short: for shrinking.
    pub faults_max: u64,
}

/// What the issuers do, in millionths of requests.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs, reason = "the names say it")]
pub struct IssuerDose {
    pub late: u32,
    pub silent: u32,
    pub lost: u32,
    pub twice: u32,
    pub garbage: u32,
    pub wrong_amount: u32,
    pub wrong_stan: u32,
    pub wrong_card: u32,
    pub wrong_currency: u32,
    pub wrong_rrn: u32,
    pub no_terminal: u32,
    /// Approvals of somebody else's, of purchases and pre-authorizations.
    pub crossed: u32,
    pub unknown_code: u32,
    pub doubtful_code: u32,
    pub out_of_order: u32,
    pub declines: u32,
    pub sign_off: u32,
    pub reversal_lost: u32,
    pub reversal_unanswered: u32,
    pub reversal_refused_for_now: u32,
    /// Breaks the rules: "no such original" for what it debited.
    pub reversal_denied: u32,
    /// Takes back by itself what it approved: an open item each time.
    pub take_back: u32,
    /// Breaks the rules: does not take what was approved for it, or by the terminal.
    pub advice_refused: u32,
    /// A part of what was asked for.
    pub part: u32,
}

impl Dose {
    /// The doses of a seed.
    pub fn of(seed: u64) -> Self {
        let mut chance = Chance::of(seed ^ 0xD05E);
        let c = &mut chance;
        // Every tenth seed is calm: whatever goes wrong there goes wrong everywhere.
        let wild = !c.percent(10);
        let breaks_rules = wild && c.percent(20);
        Self {
            workers: c.between(1, u64::from(WORKERS_MAX)) as u16,
            tills: c.between(2, 16) as u16,
            sales_per_till: c.between(40, 160) as u32,
            days: 1,
            twin_links: c.percent(50),
            sync_us: *c.pick(&[(50, 300), (50, 300), (500, 5_000), (5_000, 50_000)]),
            net_us: *c.pick(&[(10, 200), (100, 2_000), (1_000, 20_000), (10_000, 400_000)]),
            slow_net: some(c, wild, 20),
            drip: some(c, wild, 20),
            till_cut: some(c, wild, 30),
            link_cut: some(c, wild, 8),
            blackhole: some(c, wild, 3),
            unread: some(c, wild, 5),
            impatient: wild && c.percent(30),
            repeats: some(c, wild, 800),
            reconnects: some(c, wild, 800),
            voluntary: some(c, true, 200),
            rechecks: some(c, true, 200),
            contradicts: some(c, wild, 50),
            reverse_first: some(c, wild, 50),
            stray_reversals: some(c, wild, 50),
            junk: some(c, wild, 10),
            follows: if c.percent(75) { c.between(1, 500) } else { 0 },
            rude: some(c, true, 200),
            miscounts: some(c, true, 300),
            breaks_rules,
            issuer: IssuerDose::draw(c, wild, breaks_rules).crossing(seed, wild),
            process_kills: times(c, wild, 4),
            machine_crashes: times(c, wild, 4),
            crash_in_recovery: if c.percent(40) { c.between(1, 5) } else { 0 },
            failed_syncs: times(c, wild, 2),
            disk_full: times(c, wild, 2),
            disk_stall: times(c, wild, 3),
            wall_steps: times(c, wild, 3),
            freezes: times(c, true, 2),
            second_starts: times(c, wild, 1),
            drains: times(c, wild, 2),
            page_cache: *c.pick(&[PageCache::KeptClean, PageCache::Reverted, PageCache::StillDirty]),
            survives: *c.pick(&[Survives::Nothing, Survives::Some, Survives::Some, Survives::Beginning]),
            hot_card: c.percent(15),
            tight_limits: c.percent(40),
            stan_near_wrap: c.percent(10),
            stand_in: c.percent(40),
            changes_workers: c.percent(40),
            takes_parts: c.percent(50),
            faults_max: u64::MAX,
        }
    }

    /// The doses of a seed of the long form: several business days, and more sales on each.
    pub fn long(seed: u64, days: u32) -> Self {
        let day = Self::of(seed);
        Self { days, sales_per_till: day.sales_per_till * 9 / 5, ..day }
    }

    /// Whether all terminals and issuers keep the rules.
    pub fn keeps_rules(&self) -> bool {
        let broken = self.issuer.reversal_denied + self.issuer.advice_refused + self.issuer.take_back;
        !self.breaks_rules && broken == 0
    }
}

impl IssuerDose {
    fn draw(c: &mut Chance, wild: bool, breaks_rules: bool) -> Self {
        let mut rate = |most: u64| some(c, wild, most) as u32 * 1_000;
        Self {
            late: rate(60),
            silent: rate(40),
            lost: rate(40),
            twice: rate(100),
            garbage: rate(10),
            wrong_amount: rate(20),
            wrong_stan: rate(20),
            wrong_card: rate(20),
            wrong_currency: rate(20),
            wrong_rrn: rate(20),
            no_terminal: rate(10),
            crossed: 0,
            unknown_code: rate(20),
            doubtful_code: rate(20),
            out_of_order: rate(30),
            declines: rate(100),
            sign_off: rate(3),
            reversal_lost: rate(300),
            reversal_unanswered: rate(400),
            reversal_refused_for_now: rate(200),
            reversal_denied: if breaks_rules { rate(100) } else { 0 },
            take_back: if breaks_rules { rate(60) } else { 0 },
            advice_refused: if breaks_rules { rate(100) } else { 0 },
            part: rate(60),
        }
    }

    /// Drawn apart: seeds from before it tell the stories they told.
    fn crossing(self, seed: u64, wild: bool) -> Self {
        Self { crossed: some(&mut Chance::of(seed ^ 0xC205), wild, 20) as u32 * 1_000, ..self }
    }

    /// No mood at all.
    pub fn calm() -> Self {
        Self::default()
    }
}

/// Nothing in most seeds, else up to `most`.
fn some(c: &mut Chance, wild: bool, most: u64) -> u64 {
    if wild && c.percent(45) { c.between(1, most) } else { 0 }
}

fn times(c: &mut Chance, wild: bool, most: u64) -> u64 {
    if wild && c.percent(40) { c.between(1, most) } else { 0 }
}
