//! The same request again, and which original a reversal or void means: keys of messages in every dialect.

mod common;

use common::{ISO, UNIONPAY, message, read};
use terms::{Check, Kind, Rrn};

#[test]
fn dialects_of_one_terminal_agree_on_keys() {
    let keys = |dialect| {
        let request = read(&message(dialect, ISO)).unwrap();
        (request.slot, request.repeat, request.alias)
    };
    assert_eq!(keys("iso87-ascii"), keys("iso87-binary"));
    assert_eq!(keys("iso87-ascii"), keys("iso87-ebcdic"));
}

#[test]
fn a_repeat_has_the_key_of_the_first_and_another_has_not() {
    let key = |text: &str| {
        let request = read(&message("unionpay-pos", text)).unwrap();
        (request.slot, request.repeat)
    };
    let first = key(UNIONPAY);
    assert_eq!(first, key(&UNIONPAY.replacen("0200", "0201", 1)), "marked as a repeat");
    assert_eq!(first, key(&UNIONPAY.replace("4=000000001250", "4=000000009999")), "content is not key");
    for (of, with) in [("11=000403", "11=000404"), ("41=10000019", "41=10000018"), ("000024", "000025")] {
        assert_ne!(first.0, key(&UNIONPAY.replace(of, with)).0, "{with}");
    }
    let other = key(&UNIONPAY.replacen("0200", "0100", 1).replace("3=000000", "3=030000"));
    assert_eq!((first.0, first.1 == other.1), (other.0, false), "the class is in the check");
}

#[test]
fn iso_repeats_differ_by_local_time_only_in_the_check() {
    let first = read(&message("iso87-ascii", ISO)).unwrap();
    let later = read(&message("iso87-ascii", &ISO.replace("13=1122", "13=1123"))).unwrap();
    assert_eq!(first.slot, later.slot);
    assert!(!first.repeat.agrees(later.repeat));
    let zeros = read(&message("iso87-ascii", &ISO.replace("32=4812", "32=0004812"))).unwrap();
    assert_eq!((first.slot, first.repeat), (zeros.slot, zeros.repeat), "a number is a number");
}

#[test]
fn a_unionpay_reversal_means_the_transaction_of_its_own_key() {
    let original = read(&message("unionpay-pos", UNIONPAY)).unwrap();
    let reversal = read(&message("unionpay-pos", &UNIONPAY.replacen("0200", "0400", 1))).unwrap();
    let named = reversal.original.unwrap();
    assert_eq!((reversal.kind, named.slot, named.class), (Kind::Reversal, original.slot, 0));
    assert!(named.repeat == Check::ANY && named.alias == Check::ANY);
}

#[test]
fn a_unionpay_void_means_the_batch_and_stan_of_field_61() {
    let original = read(&message("unionpay-pos", UNIONPAY)).unwrap();
    let void = "0200 3=200000 4=000000001250 11=000404 41=10000019 42=850100082410002 60=23000024 61=0000240004031122";
    let void = read(&message("unionpay-pos", void)).unwrap();
    assert_eq!((void.kind, void.original.unwrap().slot), (Kind::PurchaseVoid, original.slot));
    assert_ne!(void.slot, original.slot);
}

#[test]
fn an_iso_reversal_means_what_field_90_says() {
    let original = read(&message("iso87-ascii", ISO)).unwrap();
    let reversal = |f90: &str| {
        let text = format!("0400 4=000000001250 7=1122101500 11=000410 32=4812 41=10000019 90={f90}");
        read(&message("iso87-binary", &text)).unwrap().original.unwrap()
    };
    let named = reversal("020000040311221011120000000481200000000000");
    assert_eq!((named.slot, named.alias, named.class), (original.slot, original.alias, 2));
    let without_acquirer = reversal("020000040311221011120000000000000000000000");
    assert_eq!(without_acquirer.slot, original.slot);
    let other_day = reversal("020000040311231011120000000481200000000000");
    assert!(other_day.slot == original.slot && !other_day.alias.agrees(original.alias));
    let undated = reversal("020000040300000000000000000481200000000000");
    assert_eq!(undated.alias, Check::ANY);
}

#[test]
fn our_rrn_leads_back_where_field_90_is_missing() {
    let original = read(&message("iso87-ascii", ISO)).unwrap();
    let rrn = Rrn::issue(326, 5, 403);
    let text = format!("0400 4=000000001250 7=1122101500 11=000410 32=4812 37={rrn} 41=10000019");
    assert_eq!(read(&message("iso87-ascii", &text)).unwrap().original.unwrap().slot, original.slot);
}
