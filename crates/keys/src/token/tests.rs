//! Card tokens against the `cmac` crate, and the block against digits written by hand.

use super::*;
use cmac::{Cmac, Mac};
use zeroize::Zeroizing;

fn key(len: usize) -> TokenKey {
    TokenKey(Zeroizing::new((0..len).map(|i| (i * 7 + 3) as u8).collect()))
}

fn pan(digits: &str) -> Pan {
    Pan::new(digits.as_bytes()).unwrap()
}

const CARDS: [&str; 10] = [
    "00000000",
    "12345678",
    "012345678",
    "123456789012",
    "378282246310005",
    "4242424242424242",
    "6224242900000113",
    "06224242900000113",
    "6217001234567890123",
    "9999999999999999999",
];

#[test]
fn the_block_is_what_the_page_says() {
    let block = block_of(pan("6217001234567890123"));
    assert_eq!(block, [19, 0, 0, 0, 0, 0, 0x06, 0x21, 0x70, 0x01, 0x23, 0x45, 0x67, 0x89, 0x01, 0x23]);
    let block = block_of(pan("12345678"));
    assert_eq!(block, [8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34, 0x56, 0x78]);
}

#[test]
fn bcd_of_every_lane_boundary() {
    for number in (0..100_000_000_u32).step_by(9_973).chain([9, 10, 99, 100, 9_999, 10_000, 99_999_999]) {
        let text: String = bcd8(number).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, format!("{number:08}"));
    }
}

#[test]
fn a_token_is_aes_cmac_of_the_block() {
    for card in CARDS {
        let mut short = Cmac::<Aes128>::new_from_slice(&key(16).0).unwrap();
        short.update(&block_of(pan(card)));
        assert_eq!(
            Tokenizer::new(&key(16)).token(pan(card)).0,
            <[u8; 16]>::from(short.finalize().into_bytes())
        );
        let mut long = Cmac::<Aes256>::new_from_slice(&key(32).0).unwrap();
        long.update(&block_of(pan(card)));
        assert_eq!(
            Tokenizer::new(&key(32)).token(pan(card)).0,
            <[u8; 16]>::from(long.finalize().into_bytes())
        );
    }
}

#[test]
fn doubling_is_the_published_sub_key() {
    // RFC 4493 section 4: AES-128(key, 0) and K1, K2.
    let zero = 0x7df76b0c1ab899b33e42f047b91b546f_u128;
    let k1 = 0xfbeed618357133667c85e08f7236a8de_u128;
    assert_eq!((doubled(zero), doubled(k1)), (k1, 0xf7ddac306ae266ccf90bc11ee46d513b));
}

#[test]
fn cards_that_differ_only_in_length_have_two_tokens() {
    let tokenizer = Tokenizer::new(&key(32));
    let tokens: std::collections::HashSet<_> = CARDS.iter().map(|card| tokenizer.token(pan(card))).collect();
    assert_eq!(tokens.len(), CARDS.len());
    assert_ne!(tokenizer.token(pan("6224242900000113")), tokenizer.token(pan("06224242900000113")));
}

#[test]
fn many_at_once_are_the_same_as_one_by_one() {
    let tokenizer = Tokenizer::new(&key(16));
    for count in [0, 1, 7, 8, 63, 64, 65, 200] {
        let pans: Vec<_> =
            (0..count).map(|i| Pan::from_parts(6_224_242_900_000_000 + i * 977, 16).unwrap()).collect();
        let mut tokens = vec![CardToken::NONE; pans.len()];
        tokenizer.tokens(&pans, &mut tokens);
        let singly: Vec<_> = pans.iter().map(|pan| tokenizer.token(*pan)).collect();
        assert_eq!(tokens, singly, "{count} cards");
    }
}

#[test]
fn nothing_of_a_key_is_printed() {
    let text = format!("{:?} {:?}", key(16), Tokenizer::new(&key(16)));
    assert_eq!(text, "TokenKey(..) Tokenizer(..)");
}
