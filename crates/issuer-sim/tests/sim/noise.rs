//! Whatever comes, nothing panics, and the book stays true.

use crate::desk::{Ask, CARD, Desk, ask, write};
use books::shapes::IssuerKind;
use issuer_sim::{IssuerConfig, Mood, standard_moods};
use proptest::prelude::*;
use terms::Pan;

fn dialects() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["iso87-ascii", "iso87-binary", "iso87-ebcdic", "unionpay-pos"])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_bytes_are_survived(dialect in dialects(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut desk = Desk::new(IssuerConfig::new("huaxia", dialect));
        let _ = desk.replies(&bytes);
        prop_assert!(desk.issuer.book().entries.is_empty() || bytes.len() > 20);
    }

    #[test]
    fn a_message_with_one_byte_changed_is_survived(
        dialect in dialects(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>(),
    ) {
        let mut desk = Desk::new(IssuerConfig::new("huaxia", dialect).moods(standard_moods()));
        let mut body = write(&desk.dialect.clone(), &ask(0x0200, 1, 100));
        let at = at.index(body.len());
        body[at] = byte;
        if cut {
            body.truncate(at);
        }
        let _ = desk.replies(&body);
    }

    #[test]
    fn any_run_of_requests_and_reversals_balances(
        dialect in dialects(),
        run in prop::collection::vec((0_u8..4, 1_u32..6, 1_u64..400), 1..60),
    ) {
        let config = IssuerConfig::new("huaxia", dialect).account(CARD, 1_000).mood(Mood::decline("05").amount(13));
        let mut desk = Desk::new(config);
        for (what, stan, amount) in run {
            let own = stan + 100;
            let asked = match (what, dialect) {
                (0, _) => ask(0x0200, stan, amount),
                (1, _) => ask(0x0201, stan, amount),
                (_, "unionpay-pos") => ask(0x0400, stan, amount),
                (2, _) => Ask { original: Some(stan), ..ask(0x0420, own, amount) },
                _ => Ask { original: Some(stan), replacement: Some(amount / 2), ..ask(0x0420, own, amount) },
            };
            let _ = desk.ask(&asked);
        }
        let book = desk.issuer.book();
        let sum = |kind| book.entries.iter().filter(|entry| entry.kind == kind).map(|entry| entry.amount).sum::<i64>();
        let balance = desk.issuer.account(Pan::new(CARD.as_bytes()).unwrap()).unwrap().balance;
        prop_assert_eq!(balance, 1_000 - sum(IssuerKind::Debit) + sum(IssuerKind::Reversal));
        prop_assert!((0..=1_000).contains(&balance));
        for stan in 1..6 {
            let of = |kind| book.entries.iter().filter(move |entry| entry.stan == stan && entry.kind == kind);
            prop_assert!(of(IssuerKind::Debit).count() <= 1);
        }
    }
}
