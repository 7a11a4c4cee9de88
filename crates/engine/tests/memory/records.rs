//! Records: write then read is the identity, any bytes never panic, the sizes hold.

use crate::strategies as any_of;
use engine::record::{
    self, Audit, Charged, ChargedIn, Config, INTENT_BYTES_MAX, Intent, OUTCOME_BYTES, Record, Serial,
    names_of, number_key, rrn_key, slot_of,
};
use limits::{Ceilings, LimitKey, OtherCurrency, Rule, Scope};
use proptest::prelude::*;
use terms::{BusinessDay, Currency, Kind, Money, Mti, Pan, Request, Rrn, Stan, Text, TransmissionTime};

fn payload<R: Record>(record: &R) -> Vec<u8> {
    let mut out = Vec::new();
    record.write(&mut out);
    out
}

fn there_and_back<R: Record + PartialEq + core::fmt::Debug>(record: R) -> Result<(), TestCaseError> {
    let bytes = payload(&record);
    prop_assert_eq!(R::read(&bytes), Ok(record));
    for cut in 0..bytes.len() {
        prop_assert!(R::read(&bytes[..cut]).is_err(), "{} of {} bytes are not a record", cut, bytes.len());
    }
    let longer = [&bytes[..], &[0]].concat();
    prop_assert!(R::read(&longer).is_err(), "a byte too many is damage");
    Ok(())
}

proptest! {
    #[test]
    fn an_intent_comes_back_with_its_secret(intent in any_of::intent()) {
        let bytes = payload(&intent);
        let secret = intent.secret().map_or(Vec::new(), |secret| secret.to_vec());
        prop_assert_eq!(Intent::read(&bytes, &secret), Ok(intent));
        let mut masked = intent;
        masked.request.pan = None;
        there_and_back(masked)?;
        prop_assert_eq!(Intent::read(&bytes, &[]), Ok(masked));
        prop_assert_eq!(slot_of(record::INTENT, &bytes), None);
        let number = number_key(intent.issuer, intent.stan, intent.transmission);
        prop_assert_eq!(names_of(record::INTENT, &bytes), [Some(rrn_key(intent.rrn)), Some(number)]);
        if intent.request.original.is_none() && intent.request.rrn.is_none() && intent.named.is_none() {
            prop_assert!(bytes.len() <= INTENT_BYTES_MAX);
        }
    }

    #[test]
    fn a_secret_is_never_in_the_payload(intent in any_of::intent()) {
        let bytes = payload(&intent);
        if let Some(pan) = intent.request.pan {
            let mut digits = [0; 19];
            let len = pan.digits(&mut digits);
            prop_assert!(!bytes.windows(len).any(|window| window == &digits[..len]));
            prop_assert!(!bytes.windows(8).any(|window| window == pan.parts().0.to_le_bytes()));
        }
    }

    #[test]
    fn an_outcome_comes_back(outcome in any_of::outcome()) {
        let cryptogram = outcome.arpc.map_or(0, |arpc| 1 + arpc.as_bytes().len());
        let number = if outcome.advised.is_some() { 7 } else { 0 };
        prop_assert_eq!(payload(&outcome).len(), OUTCOME_BYTES + cryptogram + number);
        there_and_back(outcome)?;
    }

    #[test]
    fn an_obligation_comes_back(obligation in any_of::obligation()) { there_and_back(obligation)?; }

    #[test]
    fn an_ack_comes_back(ack in any_of::ack()) { there_and_back(ack)?; }

    #[test]
    fn a_tombstone_comes_back(tombstone in any_of::tombstone()) { there_and_back(tombstone)?; }

    #[test]
    fn a_refusal_comes_back(refused in any_of::refused()) { there_and_back(refused)?; }

    #[test]
    fn a_late_answer_comes_back(late in any_of::late()) { there_and_back(late)?; }

    #[test]
    fn a_link_to_an_original_comes_back(linked in any_of::linked()) { there_and_back(linked)?; }

    #[test]
    fn the_end_of_a_batch_comes_back(batch in any_of::batch()) { there_and_back(batch)?; }

    #[test]
    fn an_unmatched_answer_comes_back(unmatched in any_of::unmatched()) { there_and_back(unmatched)?; }

    #[test]
    fn an_undelivered_reply_comes_back(undelivered in any_of::undelivered()) { there_and_back(undelivered)?; }

    #[test]
    fn a_parked_reversal_comes_back(parked in any_of::parked()) { there_and_back(parked)?; }

    #[test]
    fn a_day_comes_back(day in any_of::day()) { there_and_back(day)?; }

    #[test]
    fn texts_come_back(text in ".{0,200}", version in any::<u32>(), hash in any::<u64>(), wall_ms in 0..(1_i64 << 48)) {
        let config = Config { wall_ms, version, hash, names: &text };
        let audit = Audit { wall_ms, text: &text };
        let (mut out, mut other) = (Vec::new(), Vec::new());
        config.write(&mut out);
        audit.write(&mut other);
        prop_assert_eq!(Config::read(&out), Ok(config));
        prop_assert_eq!(Audit::read(&other), Ok(audit));
    }

    #[test]
    fn any_bytes_never_panic(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        record::fuzz_records(&data);
    }

    #[test]
    fn damaged_records_never_panic(
        intent in any_of::intent(), obligation in any_of::obligation(), at in any::<prop::sample::Index>(), to in any::<u8>(),
    ) {
        for (kind, mut bytes) in [(record::INTENT, payload(&intent)), (record::OBLIGATION, payload(&obligation))] {
            let at = at.index(bytes.len());
            bytes[at] = to;
            record::fuzz_records(&bytes);
            bytes.insert(0, kind);
            record::fuzz_records(&bytes);
        }
    }
}

/// The first purchase of a terminal with the usual lengths: DE 32 of 8, DE 41 of 8, DE 42 of 15.
fn usual() -> Intent {
    let mut request = Request::new(Mti::of(0x0200), Kind::Purchase, Stan::new(7).unwrap());
    request.pan = Pan::new(b"6224242900000113");
    request.token.0 = [9; 16];
    (request.amount, request.currency) = (1250, Currency::CNY);
    request.acquirer = Text::cut("12345678");
    request.terminal = Text::cut("T0000001");
    request.merchant = Text::cut("M00000000000001");
    Intent {
        serial: Serial::new(3, 1, 42),
        wall_ms: 1_763_774_115_000,
        issuer: 11,
        link: 12,
        stan: Stan::new(41).unwrap(),
        transmission: TransmissionTime(1_122_013_015),
        rrn: Rrn::issue(326, 1, 7),
        issuer_day: BusinessDay(9458),
        acquirer_day: BusinessDay(9457),
        issuer_calendar: 21,
        acquirer_calendar: 22,
        charged: Charged::NONE,
        foreign: false,
        listener: 0,
        request,
        named: None,
    }
}

#[test]
fn sizes_hold() {
    assert_eq!(
        payload(&usual()).len(),
        159,
        "with the record's header 167 of the 192 bytes that the design allows"
    );
    const { assert!(INTENT_BYTES_MAX <= 184 && OUTCOME_BYTES <= 64) };
}

#[test]
fn serials_keep_their_parts() {
    let serial = Serial::new(70_000, 63, (1 << 42) - 1);
    assert_eq!((serial.epoch(), serial.shard(), serial.counter()), (4464, 63, (1 << 42) - 1));
    assert_eq!(Serial::new(3, 1, 42).to_string(), "3-1-42");
}

#[test]
fn damage_names_kind_place_and_expectation() {
    let mut bytes = payload(&usual());
    bytes[30] = 200;
    let damaged = Intent::read(&bytes, &[]).unwrap_err();
    assert_eq!(damaged.to_string(), "INTENT payload is damaged at byte 31: expected a kind of transaction");
    let damaged = Intent::read(&payload(&usual()), &[1, 2, 3]).unwrap_err();
    assert_eq!(damaged.to_string(), "INTENT payload is damaged at byte 0: expected more bytes");
}

/// What a rule demanded at admission is what the record gives back, whatever the currencies were.
#[test]
fn charges_follow_from_the_record_alone() {
    let (eur, usd) = (Currency::EUR, Currency::USD);
    let ceilings = |currency| Ceilings { currency, single: None, daily: Some(1_000_000), count: None };
    let own_usd = OtherCurrency::Own(Box::new([ceilings(usd)]));
    let rules = [
        (Scope::Card, Rule::new(ceilings(Currency::CNY), OtherCurrency::Refuse).unwrap()),
        (Scope::Merchant, Rule::new(ceilings(usd), OtherCurrency::Ignore).unwrap()),
        (Scope::Terminal, Rule::new(ceilings(eur), own_usd).unwrap()),
        (Scope::Issuer, Rule::new(ceilings(eur), OtherCurrency::Ignore).unwrap()),
    ];
    let mut intent = usual();
    (intent.request.amount, intent.request.currency) = (500, usd);
    (intent.request.billing_amount, intent.request.billing_currency) = (3600, Currency::CNY);
    let request = &intent.request;
    let (acquirer, merchant) = (request.acquirer.as_bytes(), request.merchant.as_bytes());
    let mut demanded = Vec::new();
    let mut charged = Charged::NONE;
    for (scope, rule) in &rules {
        let (key, day) = match scope {
            Scope::Card => (LimitKey::card(&request.token, 21), intent.issuer_day),
            Scope::Merchant => (LimitKey::merchant(acquirer, merchant, 22), intent.acquirer_day),
            Scope::Terminal => {
                (LimitKey::terminal(acquirer, merchant, request.terminal.as_bytes(), 22), intent.acquirer_day)
            }
            Scope::Issuer => (LimitKey::issuer(11, 21), intent.issuer_day),
        };
        let amount = Money { minor: request.amount, currency: request.currency };
        let billing = Money { minor: request.billing_amount, currency: request.billing_currency };
        if let Some(demand) = rule.demand(*scope, key, day, amount, billing).unwrap() {
            demanded.push(demand.charge());
            charged = charged.with(*scope, ChargedIn::under(rule, usd, Currency::CNY));
        }
    }
    intent.charged = charged;
    let again = Intent::read(&payload(&intent), &[]).unwrap();
    assert_eq!(again.charges().collect::<Vec<_>>(), demanded);
    assert_eq!(demanded.iter().map(|charge| charge.amount).collect::<Vec<_>>(), [3600, 500, 500]);
}
