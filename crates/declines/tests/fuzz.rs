//! The body of the fuzz target over the shipped catalogue, whole and changed.

use declines::fuzz_catalogue;
use proptest::prelude::*;

/// What a code's line may say.
const LINE: &str = "{ en = \"a\", zh = \"a\", means = \"card-expired\" }";
const SHIPPED: &str = include_str!("../data/codes.toml");

#[test]
fn the_shipped_catalogue_s_look_ups_agree() {
    fuzz_catalogue(SHIPPED.as_bytes());
}

proptest! {
    #[test]
    fn any_change_of_the_shipped_catalogue_is_a_mistake_or_a_catalogue(
        at in any::<prop::sample::Index>(), with in "[ -~\n]{0,8}", cut in 0..40_usize,
    ) {
        let mut start = at.index(SHIPPED.len());
        while !SHIPPED.is_char_boundary(start) { start -= 1; }
        let mut end = (start + cut).min(SHIPPED.len());
        while !SHIPPED.is_char_boundary(end) { end += 1; }
        fuzz_catalogue(format!("{}{with}{}", &SHIPPED[..start], &SHIPPED[end..]).as_bytes());
    }

    #[test]
    fn a_small_catalogue_with_any_codes(codes in prop::collection::vec("[0-9A-Z]{1,4}", 1..6)) {
        let lines: String = codes.iter().map(|code| format!("{code} = {LINE}\n")).collect();
        let file = SHIPPED.replacen("[scheme.iso87]\n", &format!("[scheme.small]\n{lines}\n[scheme.iso87]\n"), 1);
        fuzz_catalogue(file.as_bytes());
    }

    #[test]
    fn any_bytes_are_no_catalogue(data in prop::collection::vec(any::<u8>(), 0..200)) {
        fuzz_catalogue(&data);
    }
}
