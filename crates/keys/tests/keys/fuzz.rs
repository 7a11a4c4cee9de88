//! The body of the fuzz target over a corpus, its damages and random bytes.

use keys::fuzz_key_files;

const CORPUS: [&str; 6] = [
    "token_key = \"000102030405060708090a0b0c0d0e0f\"\nkek = \"101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f\"\n",
    "# keys\nkek = 101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f # no token key\n",
    "token_key = \"00112233445566778899aabbccddeeff0\"\nkek = \"00\"",
    "format = 1\nnode = 7\npurged_through = 20000\n\n[keys]\n20001 = \"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b\" # a day\n",
    "format = 1\nnode = 8\n",
    "purged_through = 65536\n65535 = \"\"",
];

#[test]
fn a_corpus_with_every_byte_damaged() {
    for text in CORPUS {
        fuzz_key_files(text.as_bytes());
        for at in 0..text.len() {
            fuzz_key_files(&text.as_bytes()[..at]);
            for flip in [1, 0x20, 0x80] {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] ^= flip;
                fuzz_key_files(&bytes);
            }
        }
    }
}

#[test]
fn random_bytes() {
    let seed = 77_123_u64;
    println!("seed {seed}");
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u8
    };
    for len in 0..2_000 {
        let bytes: Vec<u8> = (0..len % 200).map(|_| next()).collect();
        fuzz_key_files(&bytes);
    }
}
