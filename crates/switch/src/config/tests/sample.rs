//! The sample in `deploy/` and what becomes of it.

use super::*;
use crate::config::types::Address;
use engine::Standing;
use routing::{Excluded, Policy, RouteQuery};
use terms::{Currency, EntryMode, IssuerIx, Kind, LinkIx, Pan, ProcessingCode, Text};

const SAMPLE: &str = include_str!("../../../../../deploy/pointsman.toml");

fn sample() -> Config {
    let place = place();
    Config::parse(&place.path().join("pointsman.toml"), SAMPLE).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn the_sample_is_clean_and_means_what_it_says() {
    let config = sample();
    assert_eq!(config.warnings, [""; 0]);
    assert_eq!((config.node, config.admin.to_string().as_str()), (1, "127.0.0.1:9464"));
    let [pos, acquirer] = &config.listeners[..] else { panic!("two listeners") };
    assert_eq!((pos.dialect.name(), pos.framing.to_string().as_str()), ("unionpay-pos", "unionpay"));
    assert!(pos.terms.registered_only && !acquirer.terms.registered_only && !pos.terms.pin_passthrough);
    assert!(
        pos.tls.as_ref().unwrap().client_ca.is_none() && acquirer.tls.as_ref().unwrap().client_ca.is_some()
    );
    let [harbour, meadow] = &config.issuers[..] else { panic!("two issuers") };
    assert_eq!(
        (harbour.links.as_slice(), meadow.links.as_slice()),
        (&[LinkIx(0), LinkIx(1), LinkIx(2)][..], &[LinkIx(3)][..])
    );
    assert_eq!((harbour.balance, meadow.balance), (Policy::Weighted, Policy::RoundRobin));
    assert_eq!(config.links[3].full_name, "meadow/a");
    assert_eq!(config.links[3].issuer, IssuerIx(1));
    assert_eq!(config.links[0].address, Address { host: "127.0.0.1".into(), port: 8001 });
    assert_eq!(config.merchants[0].terminals.len(), 1 + 1000 + 1);
}

#[test]
fn the_engine_finds_cards_merchants_and_terminals_in_the_snapshot() {
    let snapshot = sample().snapshot(3);
    assert_eq!((snapshot.version, snapshot.links.len(), snapshot.card_ceilings.len()), (3, 4, 1));
    let range = |pan: &str| snapshot.routes.find(Pan::new(pan.as_bytes()).unwrap());
    let harbour = range("6224242900000113").unwrap();
    assert_eq!((harbour.issuer, harbour.limits, harbour.expiry), (IssuerIx(0), Some(0), false));
    let meadow = range("5413330089010012").unwrap();
    assert_eq!((meadow.issuer, meadow.check_digit), (IssuerIx(1), true));
    assert!(range("4000000000000002").is_none());
    let purchase = |currency, amount, entry_mode| RouteQuery {
        kind: Kind::Purchase,
        processing_code: ProcessingCode(0),
        currency,
        amount,
        entry_mode: EntryMode(entry_mode),
    };
    assert_eq!(meadow.permits(&purchase(Currency::EUR, 1_000_000, 51)), Ok(()));
    assert_eq!(meadow.permits(&purchase(Currency::EUR, 1_000_001, 51)), Err(Excluded::Card));
    assert_eq!(meadow.permits(&purchase(Currency::EUR, 1, 12)), Err(Excluded::Terminal));
    let terminal = |terminal: &str| {
        let key = crate::config::terminal_key(
            &Text::cut("00010000"),
            &Text::cut("850100082410002"),
            &Text::cut(terminal),
        );
        snapshot.terminals.get(&key).map(|terms| (terms.standing, terms.ceilings.is_some()))
    };
    assert_eq!(terminal("T0000500"), Some((Standing::Active, true)));
    // The wire pads DE 41 with spaces; a key does not count them.
    assert_eq!(terminal("10000019   "), Some((Standing::Active, true)));
    assert_eq!(terminal("T0001001"), Some((Standing::Suspended, true)));
    assert_eq!(terminal("T0001002"), None);
}

#[test]
fn bounds_multiply_to_a_figure() {
    let bound = sample().memory_bound();
    assert_eq!(bound.total(), bound.bounds.iter().map(|bound| bound.count * bound.each).sum::<u64>());
    assert!(bound.bounds.iter().all(|bound| bound.count > 0 && bound.each > 0));
    let shown = bound.to_string();
    assert!(shown.starts_with("memory bound ") && shown.lines().count() == bound.bounds.len() + 1, "{shown}");
}
