//! The body of the fuzz target over the base file and the sample, whole and changed.

use super::BASE;
use crate::config::fuzz_config;
use proptest::prelude::*;

const SAMPLE: &str = include_str!("../../../../../deploy/pointsman.toml");

#[test]
fn whole_files_are_told_what_they_lack() {
    fuzz_config(BASE.as_bytes());
    fuzz_config(SAMPLE.as_bytes());
}

proptest! {
    #[test]
    fn any_change_of_a_file_is_a_mistake_in_words_or_none(
        base in any::<bool>(), at in any::<prop::sample::Index>(), with in "[ -~\n]{0,8}", cut in 0..40_usize,
    ) {
        let text = if base { BASE } else { SAMPLE };
        let mut start = at.index(text.len());
        while !text.is_char_boundary(start) { start -= 1; }
        let mut end = (start + cut).min(text.len());
        while !text.is_char_boundary(end) { end += 1; }
        fuzz_config(format!("{}{with}{}", &text[..start], &text[end..]).as_bytes());
    }

    #[test]
    fn any_bytes_are_no_configuration(data in prop::collection::vec(any::<u8>(), 0..200)) {
        fuzz_config(&data);
    }
}
