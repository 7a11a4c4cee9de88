//! One catalogue, many renderings: what dialects send, what is counted, and what is explained are the same.

use declines::{Catalogue, Contacts, Language};
use iso8583::{CodeVerdict, Dialect};
use std::collections::BTreeSet;
use terms::{Cause, InternalCause, ResponseCode};

#[test]
fn every_dialect_sends_the_code_that_the_catalogue_names() {
    let catalogue = Catalogue::builtin();
    for name in Dialect::builtin_names() {
        let dialect = Dialect::builtin(name).unwrap();
        for cause in InternalCause::ALL {
            assert_eq!(dialect.code_for(*cause), catalogue.wire(*cause, name), "{name} {cause}");
        }
    }
}

#[test]
fn a_dialect_approves_nothing_that_its_scheme_declines() {
    let catalogue = Catalogue::builtin();
    for name in Dialect::builtin_names() {
        let dialect = Dialect::builtin(name).unwrap();
        for entry in catalogue.entries(name) {
            let approves = dialect.verdict(&entry.code) == CodeVerdict::Approves;
            assert!(!approves || entry.approves, "{name} {}", entry.code);
            assert!(entry.approves <= approves, "{name} {}: the scheme approves", entry.code);
        }
    }
}

#[test]
fn what_is_counted_is_what_is_explained() {
    let catalogue = Catalogue::builtin();
    let labels: BTreeSet<_> = catalogue.codes().iter().map(ResponseCode::as_str).collect();
    let none = Contacts::new();
    for name in Dialect::builtin_names().chain(["visa", "mastercard"]) {
        let table = catalogue.table(name);
        for code in catalogue.codes() {
            let told = catalogue.explain_code(name, *code, Language::En, &none);
            assert_eq!(told.cause, table.cause(*code).name(), "{name} {code}");
            assert!(labels.contains(told.counted_as.as_str()), "{name} {code}");
        }
    }
    for cause in InternalCause::ALL {
        let told = catalogue.explain_internal(*cause, "iso87", Language::En, &none);
        assert_eq!(
            (told.cause, told.counted_as.as_str()),
            (cause.cause().name(), cause.iso_code()),
            "{cause}"
        );
        assert!(Cause::from_name(told.cause).is_some());
    }
}

#[test]
fn archive_and_catalogue_name_the_same_parties() {
    for cause in InternalCause::ALL.iter().filter(|cause| **cause != InternalCause::IssuerDeclined) {
        let acts = archive::Acts::of(Some(*cause), None, "unionpay-pos").unwrap();
        let told =
            Catalogue::builtin().explain_internal(*cause, "unionpay-pos", Language::En, &Contacts::new());
        assert_eq!(acts.who, told.who_acts.iter().map(|who| who.name()).collect::<Vec<_>>(), "{cause}");
        assert_eq!(
            (acts.cause, acts.means.unwrap()[0].as_str()),
            (told.cause, told.name.as_str()),
            "{cause}"
        );
    }
}
