//! Operations on earlier transactions, over TLS, against an issuer that keeps a ledger: the three books agree afterwards.
//! Never asserts more than a terminal, a scrape or a book can see. Guards: what an operation does at the issuer is what it
//! does here.

use crate::stories::HARBOUR_CARD;
use books::shapes::{TerminalBook, TerminalEntry, TerminalState};
use books::{SwitchBook, compare};
use issuer_sim::{IssuerConfig, Listen, Simulator};
use switch::serve::{Running, start};
use testkit::{metric, wait_for};
use tests::message::{Ask, MARKET, Speech};
use tests::shop::Shop;
use tests::terminal::Terminal;

pub(crate) const BALANCE: i64 = 100_000;

/// A till of the market, the switch, and an issuer with one account.
pub(crate) struct Market {
    pub(crate) issuer: Simulator,
    pub(crate) shop: Shop,
    pub(crate) switch: Running,
    pub(crate) till: Terminal,
    pub(crate) entries: Vec<TerminalEntry>,
}

impl Market {
    pub(crate) fn open() -> Self {
        Self::open_with(|_| {})
    }

    /// With something changed.
    pub(crate) fn open_with(change: impl FnOnce(&mut Shop)) -> Self {
        let config = IssuerConfig::new("harbour", "iso87-binary").account(HARBOUR_CARD, BALANCE);
        let issuer = Simulator::start(vec![(config, Listen::loopback())]).unwrap();
        let mut shop = Shop::new(issuer.address("harbour").unwrap());
        shop.daily = "300.00";
        change(&mut shop);
        let switch = start(shop.config()).unwrap();
        wait_for("ready", || switch.unready().is_empty());
        let client = shop.certificates.stranger();
        let address = switch.listeners().iter().find(|(name, _)| name == "pos").unwrap().1;
        let till = Terminal::tls(address, &Speech::unionpay(), &client).unwrap();
        Self { issuer, shop, switch, till, entries: Vec::new() }
    }

    /// Asks, and writes the answer into the terminal's book: `state` if it is approved.
    #[track_caller]
    pub(crate) fn ask(&mut self, ask: &Ask, state: TerminalState, code: &str) {
        let answer = self.till.ask(ask).unwrap();
        assert_eq!(answer.code.as_str(), code, "{ask:?}");
        let state = if code == "00" { state } else { TerminalState::Declined };
        self.entries.push(TerminalEntry {
            acquirer: "00010000".into(),
            terminal: ask.terminal.clone(),
            merchant: MARKET.into(),
            batch: 1,
            stan: ask.stan,
            local_date: 0,
            local_time: None,
            rrn: answer.rrn.map(|rrn| rrn.to_string()),
            amount: ask.amount as i64,
            currency: 156,
            state,
            code: Some(code.into()),
            money: true,
        });
    }

    #[track_caller]
    fn reverse(&mut self, ask: &Ask) {
        assert_eq!(self.till.ask(&ask.reversed()).unwrap().code.as_str(), "00", "{ask:?}");
        self.entries.iter_mut().find(|entry| entry.stan == ask.stan).unwrap().state = TerminalState::Reversed;
    }

    /// How the terminal sees an earlier transaction from now on.
    pub(crate) fn becomes(&mut self, ask: &Ask, state: TerminalState) {
        self.entries.iter_mut().find(|entry| entry.stan == ask.stan).unwrap().state = state;
    }

    fn balance(&self) -> i64 {
        let book = self.issuer.control("harbour").unwrap().book();
        let signed = |entry: &books::shapes::IssuerEntry| match entry.kind {
            books::shapes::IssuerKind::Debit => -entry.amount,
            books::shapes::IssuerKind::Reversal => entry.amount,
        };
        BALANCE + book.entries.iter().map(signed).sum::<i64>()
    }

    /// Everything settled: the books of terminals, switch and issuer agree.
    #[track_caller]
    pub(crate) fn close(self, balance: i64) -> SwitchBook {
        wait_for("what the issuer's ledger shall say", || self.balance() == balance);
        let depth = || metric(&self.switch.metrics(), "pointsman_saf_depth", &[]);
        wait_for("nothing owed", || depth() == 0.0);
        self.switch.stop().unwrap();
        let journal = SwitchBook::of_journal(&self.shop.journal()).unwrap();
        let terminals = TerminalBook { entries: self.entries };
        let verdict = compare(&terminals, &journal, &self.issuer.control("harbour").unwrap().book());
        assert!(verdict.agree && verdict.items.is_empty(), "{verdict:?}");
        journal
    }
}

#[test]
fn a_void_gives_the_money_and_the_ceiling_back_and_its_reversal_takes_both_again() {
    use TerminalState::{Approved, Credited};
    let mut market = Market::open();
    let sale = Ask::purchase(HARBOUR_CARD, 1, 20_000);
    market.ask(&sale, Approved, "00");
    market.ask(&Ask::purchase(HARBOUR_CARD, 2, 20_000), Approved, "61");
    market.ask(&sale.voided(3), Credited, "00");
    assert_eq!(market.till.ask(&sale).unwrap().code.as_str(), "94", "no longer true");
    market.ask(&sale.voided(4), Credited, "12");
    let second = Ask::purchase(HARBOUR_CARD, 5, 20_000);
    market.ask(&second, Approved, "00");
    let void = second.voided(6);
    market.ask(&void, Credited, "00");
    market.reverse(&void);
    market.ask(&Ask::purchase(HARBOUR_CARD, 7, 20_000), Approved, "61");
    market.ask(&Ask::purchase(HARBOUR_CARD, 9, 100).voided(8), Credited, "25");
    let forced = metric(&market.switch.metrics(), "pointsman_limit_forced_total", &[]);
    assert_eq!(forced, 1.0, "the reversal of a void is a forced post");
    market.close(BALANCE - 20_000);
}

#[test]
fn refunds_together_never_exceed_their_sale() {
    use TerminalState::{Approved, Credited};
    let mut market = Market::open();
    let sale = Ask::purchase(HARBOUR_CARD, 1, 20_000);
    market.ask(&sale, Approved, "00");
    market.ask(&sale.refunded(2, 20_001), Credited, "64");
    market.ask(&sale.refunded(3, 15_000), Credited, "00");
    market.ask(&sale.refunded(4, 5_001), Credited, "64");
    market.ask(&sale.refunded(5, 5_000), Credited, "00");
    market.ask(&sale.voided(6), Credited, "12");
    assert_eq!(market.till.ask(&sale).unwrap().code.as_str(), "00", "it is still a sale");
    market.close(BALANCE);
}

#[test]
fn ceilings_and_ledgers_follow_the_completion() {
    use TerminalState::{Approved, Completed, Credited};
    let mut market = Market::open();
    let hold = Ask::pre_authorization(HARBOUR_CARD, 1, 20_000);
    market.ask(&hold, Approved, "00");
    market.ask(&hold.completed(2, 23_001), Approved, "64");
    let completion = hold.completed(3, 5_000);
    market.ask(&completion, Approved, "00");
    market.becomes(&hold, Completed);
    market.ask(&hold.completed(4, 5_000), Approved, "12");
    market.ask(&Ask::purchase(HARBOUR_CARD, 5, 25_000), Approved, "00");
    market.ask(&completion.undone(6), Credited, "00");
    let other = Ask::pre_authorization(HARBOUR_CARD, 7, 5_000);
    market.ask(&other, Approved, "00");
    market.ask(&other.voided(8), Credited, "00");
    market.close(BALANCE - 25_000);
}

#[test]
fn a_batch_is_settled_and_an_upload_explains_what_differs() {
    use TerminalState::{Approved, Credited};
    let mut market = Market::open();
    let sale = Ask::purchase(HARBOUR_CARD, 1, 6_000);
    market.ask(&sale, Approved, "00");
    market.ask(&Ask::purchase(HARBOUR_CARD, 2, 500), Approved, "00");
    market.ask(&sale.refunded(3, 1_000), Credited, "00");
    let mut settle = |stan, debits, credits| {
        let totals = market.till.ask_field(&Ask::settlement(stan, debits, credits), 48).unwrap().unwrap();
        (totals.as_bytes()[30], totals.as_bytes()[61])
    };
    assert_eq!(settle(4, (6_500, 2), (1_000, 1)), (b'1', b'1'), "equal");
    assert_eq!(settle(5, (7_200, 3), (1_000, 1)), (b'2', b'1'), "different");
    let lines = [(1, 6_000), (2, 600), (3, 1_000), (9, 700)];
    assert_eq!(market.till.ask(&Ask::upload(6, &lines)).unwrap().code.as_str(), "00");
    assert_eq!(market.till.ask(&Ask::upload_end(7, 4)).unwrap().code.as_str(), "00");

    let journal = market.close(BALANCE - 5_500);
    let key = ("00010000".to_owned(), "T0000001".to_owned(), MARKET.to_owned(), 1);
    let batch = &journal.batches[&key];
    assert_eq!((batch.results, batch.ended), (Some([2, 1]), Some(4)));
    let differences: Vec<_> =
        journal.batch_differences(&key).iter().map(|one| (one.stan, one.terminal, one.journal)).collect();
    assert_eq!(differences, [(2, Some(600), Some(500)), (9, Some(700), None)]);
}
