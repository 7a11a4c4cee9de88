//! The body of the fuzz target over a file with a word of everything, whole and changed.

use issuer_sim::fuzz_config;
use proptest::prelude::*;

const FILE: &str = r#"
[[issuers]]
name = "huaxia"
dialect = "unionpay-pos"
listen = "127.0.0.1:0"
require_sign_on = true
bins = ["622424"]
unknown_cards = { balance = 5000 }
standard_moods = true

[[issuers.accounts]]
card = "6224242900000113"
balance = 100000
credit_line = 5000
expiry = 2812

[[issuers.moods]]
card_ends = "0999"
answer = "decline"
code = "41"

[[issuers.moods]]
amount_ends = "77"
rate = 0.5
answer = "late"

[[issuers]]
name = "second"
dialect = "iso87-ascii"
framing = "ascii4"
listen = "127.0.0.1:0"
unknown_cards = "decline"
keep = "totals"
"#;

#[test]
fn the_whole_file_makes_issuers() {
    fuzz_config(FILE.as_bytes());
}

proptest! {
    #[test]
    fn any_change_of_a_file_is_a_mistake_or_makes_issuers(
        at in any::<prop::sample::Index>(), with in "[ -~\n]{0,8}", cut in 0..40_usize,
    ) {
        let start = at.index(FILE.len());
        let end = (start + cut).min(FILE.len());
        fuzz_config(format!("{}{with}{}", &FILE[..start], &FILE[end..]).as_bytes());
    }

    #[test]
    fn any_bytes_are_no_file(data in prop::collection::vec(any::<u8>(), 0..200)) {
        fuzz_config(&data);
    }
}
