//! What a payment's day looks like when all goes well, over TLS.
//! Never skips the wire. Guards: the answer that a terminal sees is the one that the trade expects.

use issuer_sim::{IssuerConfig, Listen, Simulator, server_config};
use std::collections::BTreeMap;
use switch::serve::{Running, start};
use terms::{Arpc, Kind, Mti};
use testkit::{metric, wait_for};
use tests::issuer::Scripted;
use tests::message::{Ask, Speech};
use tests::shop::Shop;
use tests::terminal::Terminal;

/// A card of the issuer "harbour".
pub const HARBOUR_CARD: &str = "6224245739172641";
/// A card of the issuer "meadow".
pub const MEADOW_CARD: &str = "5413330000000019";

/// A scripted issuer, a shop around it, and the switch.
pub struct Stage {
    /// The issuer of cards 6224.
    pub issuer: Scripted,
    /// Its surroundings.
    pub shop: Shop,
    /// The switch in this process.
    pub switch: Running,
}

impl Stage {
    /// As usual.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// With something changed.
    pub fn with(change: impl FnOnce(&mut Shop)) -> Self {
        let issuer = Scripted::start();
        let mut shop = Shop::new(issuer.address);
        change(&mut shop);
        Self::of(shop, issuer)
    }

    /// With the journal of a former one.
    pub fn of(shop: Shop, issuer: Scripted) -> Self {
        let switch = start(shop.config()).unwrap();
        wait_for("ready", || switch.unready().is_empty());
        Self { issuer, shop, switch }
    }

    /// Address of a listener.
    pub fn listener(&self, name: &str) -> std::net::SocketAddr {
        self.switch.listeners().iter().find(|(known, _)| known == name).unwrap().1
    }

    /// A UnionPay terminal over TLS.
    pub fn till(&self) -> Terminal {
        let client = self.shop.certificates.stranger();
        Terminal::tls(self.listener("pos"), &Speech::unionpay(), &client).unwrap()
    }

    /// An acquirer's connection over TLS, with a certificate.
    pub fn acquirer(&self) -> Terminal {
        let client = self.shop.certificates.client();
        Terminal::tls(self.listener("acquirer"), &Speech::acquirer(), &client).unwrap()
    }

    /// The sum of a family's series with these labels.
    pub fn metric(&self, family: &str, labels: &[&str]) -> f64 {
        metric(&self.switch.metrics(), family, labels)
    }

    /// Waits until a family's series reach `value`.
    #[track_caller]
    pub fn reaches(&self, family: &str, labels: &[&str], value: f64) {
        wait_for(family, || self.metric(family, labels) >= value);
    }

    /// Stops the switch; the rest stands.
    pub fn stop(self) -> (Shop, Scripted) {
        self.switch.stop().unwrap();
        (self.shop, self.issuer)
    }

    /// Waits until nothing is in flight or owed, then stops the switch and reads its book.
    pub fn book(self) -> books::SwitchBook {
        wait_for("nothing owed", || self.metric("pointsman_saf_depth", &[]) == 0.0);
        wait_for("nothing in flight", || self.metric("pointsman_in_flight", &[]) == 0.0);
        self.switch.stop().unwrap();
        books::SwitchBook::of_journal(&self.shop.journal()).unwrap()
    }
}

#[test]
fn a_unionpay_terminal_signs_in_buys_and_asks_for_a_balance() {
    let stage = Stage::new();
    let mut till = stage.till();

    let signed_in = till.ask(&Ask::sign_in(1)).unwrap();
    assert_eq!((signed_in.mti, signed_in.code.as_str()), (Mti::of(0x0810), "00"));
    assert!(signed_in.batch.is_some_and(|batch| batch > 0), "a batch number: {signed_in:?}");

    till.send(&Ask::purchase(HARBOUR_CARD, 2, 1_250)).unwrap();
    let asked = stage.issuer.asked();
    assert_eq!((asked.request.mti, asked.request.amount), (Mti::of(0x0200), 1_250));
    asked.answer("00");
    let bought = till.hear().unwrap();
    assert_eq!((bought.mti, bought.code.as_str(), bought.amount), (Mti::of(0x0210), "00", Some(1_250)));
    assert!(bought.approval_code.is_some() && bought.rrn.is_some());

    till.send(&Ask::balance(HARBOUR_CARD, 3)).unwrap();
    let asked = stage.issuer.asked();
    assert_eq!((asked.request.kind, asked.request.amount), (terms::Kind::Balance, 0));
    asked.answer("00");
    let balance = till.hear().unwrap();
    assert_eq!((balance.mti, balance.code.as_str()), (Mti::of(0x0210), "00"));

    let book = stage.book();
    let approved: Vec<_> =
        book.transactions.values().filter(|entry| entry.debits && entry.stands()).collect();
    assert_eq!(approved.iter().map(|entry| entry.final_amount()).collect::<Vec<_>>(), [1_250]);
}

#[test]
fn tls_all_the_way_and_another_dialect_at_the_end() {
    let harbour = Scripted::start();
    let mut shop = Shop::new(harbour.address);
    let (cert, key) = (shop.certificates.file("switch.pem"), shop.certificates.file("switch.key"));
    let tls = server_config(&cert, &key, None).unwrap();
    let config = IssuerConfig::new("meadow", "iso87-ascii").require_sign_on().account(MEADOW_CARD, 2_000);
    let issuer = Simulator::start(vec![(config, Listen::loopback_tls(tls))]).unwrap();
    shop.meadow = issuer.address("meadow");
    let switch = start(shop.config()).unwrap();
    wait_for("both links", || metric(&switch.metrics(), "pointsman_link_up", &[]) == 2.0);

    let client = shop.certificates.stranger();
    let mut till = Terminal::tls(switch.listeners()[0].1, &Speech::unionpay(), &client).unwrap();
    let said: Vec<_> = [(1, 1_500), (2, 600), (3, 500)]
        .map(|(stan, amount)| till.ask(&Ask::purchase(MEADOW_CARD, stan, amount)).unwrap().code.to_string())
        .into();
    assert_eq!(said, ["00", "51", "00"], "the account had 20.00");
    assert_eq!(issuer.control("meadow").unwrap().totals().debited, 2_000);
    switch.stop().unwrap();
}

#[test]
fn a_repeat_joins_what_is_in_flight_and_hears_again_what_was_answered() {
    let stage = Stage::new();
    let (mut first, mut second) = (stage.acquirer(), stage.acquirer());
    let ask = Ask::purchase(HARBOUR_CARD, 7, 4_200);
    first.send(&ask).unwrap();
    let asked = stage.issuer.asked();
    second.send(&ask).unwrap();
    stage.reaches("pointsman_duplicates_total", &[], 1.0);
    asked.answer("00");
    let joined = second.hear().unwrap();
    assert_eq!((joined.code.as_str(), joined.amount), ("00", Some(4_200)), "the newest connection hears it");

    let again = second.ask(&ask).unwrap();
    assert_eq!((again.code, again.rrn, again.approval_code), (joined.code, joined.rrn, joined.approval_code));
    let other = Ask { amount: 4_300, ..ask };
    assert_eq!(second.ask(&other).unwrap().code.as_str(), "94", "same key, other content");
    assert!(stage.issuer.backlog().is_empty(), "a repeat is never a second debit");
}

#[test]
fn a_chip_hears_its_issuers_cryptogram_again() {
    let stage = Stage::new();
    let mut till = stage.till();
    let ask = Ask::purchase(HARBOUR_CARD, 5, 900);
    till.send(&ask).unwrap();
    let arpc = Arpc::new(&[0xA1, 0xB2, 0xC3, 0xD4, 0xE5, 0xF6, 0x07, 0x18, 0x30, 0x30]).unwrap();
    stage.issuer.asked().approve_chip(arpc);
    assert_eq!(till.hear().unwrap().arpc, Some(arpc));
    assert_eq!(till.ask(&ask).unwrap().arpc, Some(arpc), "its repeat");
    let (shop, issuer) = stage.stop();
    let again = Stage::of(shop, issuer);
    let answer = again.till().ask(&ask).unwrap();
    assert_eq!((answer.code.as_str(), answer.arpc), ("00", Some(arpc)), "its repeat after a restart");
    assert!(again.issuer.backlog().is_empty());
    assert!(again.book().findings.is_empty(), "the second reader knows the record");
}

#[test]
fn a_terminal_that_names_another_acquirer_is_still_the_same_terminal() {
    let stage = Stage::new();
    let mut till = stage.till();
    let ask = Ask::purchase(HARBOUR_CARD, 5, 900);
    let named = Ask { acquirer: Some("12345678".into()), ..ask.clone() };
    till.send(&ask).unwrap();
    stage.issuer.asked().answer("00");
    assert_eq!(till.hear().unwrap().code.as_str(), "00");
    assert_eq!(till.ask(&named).unwrap().code.as_str(), "00", "a repeat");
    assert!(stage.issuer.backlog().is_empty(), "a repeat is never a second debit");
    assert_eq!(till.ask(&named.reversed()).unwrap().code.as_str(), "00");
    let reversal = stage.issuer.asked();
    assert!(reversal.is_reversal() && reversal.request.amount == 900, "{:?}", reversal.request);
    reversal.answer("00");
    stage.reaches("pointsman_saf_depth", &[], 0.0);
    let book = stage.book();
    assert_eq!((book.transactions.len(), book.tombstones), (1, 0));
}

#[test]
fn a_terminal_takes_its_purchase_back() {
    let stage = Stage::new();
    let mut till = stage.till();
    let ask = Ask::purchase(HARBOUR_CARD, 5, 900);
    till.send(&ask).unwrap();
    stage.issuer.asked().answer("00");
    assert_eq!(till.hear().unwrap().code.as_str(), "00");
    let reversed = till.ask(&ask.reversed()).unwrap();
    assert_eq!(
        (reversed.mti, reversed.code.as_str()),
        (Mti::of(0x0410), "00"),
        "answered before the issuer is"
    );
    let told = stage.issuer.asked();
    assert!(told.is_reversal());
    told.answer("00");
    assert_eq!(till.ask(&ask.reversed()).unwrap().code.as_str(), "00");
    let counted = |reason| stage.metric("pointsman_terminal_failures_total", &[reason]);
    assert_eq!(counted("reason=\"no_answer\""), 1.0, "reason 98, once however often it comes");
    let book = stage.book();
    assert!(book.transactions.values().all(|entry| !entry.stands()) && book.findings.is_empty());
}

#[test]
fn every_reason_of_a_terminal_s_reversal_has_a_count_of_its_own() {
    let stage = Stage::new();
    let mut till = stage.till();
    let reasons = [("98", "no_answer"), ("96", "terminal_failed"), ("A0", "mac_wrong"), ("06", "other")];
    let all = reasons.into_iter().chain([("77", "unstated")]);
    for (stan, (reason, _)) in (1..).zip(all.clone()) {
        let sale = Ask { reason, ..Ask::purchase(HARBOUR_CARD, stan, 900) };
        till.send(&sale).unwrap();
        stage.issuer.asked().answer("00");
        assert_eq!(till.hear().unwrap().code.as_str(), "00");
        assert_eq!(till.ask(&sale.reversed()).unwrap().code.as_str(), "00");
        stage.issuer.asked().answer("00");
    }
    for (_, label) in all {
        let counted = || stage.metric("pointsman_terminal_failures_total", &[&format!("reason=\"{label}\"")]);
        wait_for(label, || counted() == 1.0);
    }
    let book = stage.book();
    assert!(book.transactions.values().all(|entry| !entry.stands()) && book.findings.is_empty());
}

#[test]
fn a_void_reaches_an_issuer_of_another_dialect_as_a_void() {
    let stage = Stage::new();
    let mut till = stage.till();
    let sale = Ask::purchase(HARBOUR_CARD, 5, 900);
    till.send(&sale).unwrap();
    stage.issuer.asked().answer("00");
    assert_eq!(till.hear().unwrap().code.as_str(), "00");

    let void = sale.voided(6);
    till.send(&void).unwrap();
    let asked = stage.issuer.asked();
    let said = (asked.request.mti, asked.request.kind, asked.request.processing_code.0);
    assert_eq!(said, (Mti::of(0x0200), Kind::PurchaseVoid, 20_000), "20 would be a refund there");
    asked.answer("00");
    let voided = till.hear().unwrap();
    assert_eq!((voided.code.as_str(), voided.processing_code.map(|code| code.0)), ("00", Some(200_000)));

    assert_eq!(till.ask(&void.reversed()).unwrap().code.as_str(), "00");
    let told = stage.issuer.asked();
    assert!(told.is_reversal() && told.request.processing_code.0 == 20_000, "taken back as it was said");
    told.answer("00");
    let book = stage.book();
    let standing: Vec<_> = book.transactions.values().filter(|entry| entry.stands()).collect();
    assert_eq!(standing.iter().map(|entry| entry.net()).collect::<Vec<_>>(), [900], "the sale stands again");
}

#[test]
fn two_links_of_one_issuer_never_share_a_key() {
    let harbour =
        Simulator::start(vec![(IssuerConfig::new("harbour", "iso87-binary"), Listen::loopback())]).unwrap();
    let mut shop = Shop::new(harbour.address("harbour").unwrap());
    (shop.twin_links, shop.plain) = (true, true);
    let switch = start(shop.config()).unwrap();
    wait_for("both links", || metric(&switch.metrics(), "pointsman_link_up", &[]) == 2.0);
    let mut line = Terminal::plain(switch.listeners()[1].1, &Speech::acquirer()).unwrap();
    let asks: Vec<Ask> = (1..=200).map(|stan| Ask::purchase(HARBOUR_CARD, stan, 100)).collect();
    line.send_all(&asks).unwrap();
    let approved = asks.iter().filter(|_| line.hear().unwrap().code.as_str() == "00").count();
    assert_eq!(approved, 200);
    switch.stop().unwrap();
    no_key_was_used_twice(&books::SwitchBook::of_journal(&shop.journal()).unwrap());
}

/// STAN and DE 7, under one terminal, are what DE 90 of a reversal names its original by, whichever link it comes on: where
/// two transactions share them, the issuer may give the wrong one back.
pub fn no_key_was_used_twice(journal: &books::SwitchBook) {
    let mut keys: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for entry in journal.transactions.values() {
        let key = (&entry.issuer, entry.link_stan, entry.link_transmission, &entry.terminal);
        keys.entry(key).or_default().push(&entry.serial);
    }
    keys.retain(|_, serials| serials.len() > 1);
    let first = keys.first_key_value();
    assert_eq!(keys.len(), 0, "keys towards an issuer that name several transactions, such as {first:?}");
}
