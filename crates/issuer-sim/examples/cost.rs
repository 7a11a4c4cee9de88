//! What a message costs the issuer: decode, decide, book, answer. `cargo run --release -p issuer-sim --example cost`.
//! Never asserts a time; prints processor time for each dialect.

use bytes::BytesMut;
use framing::Envelope;
use iso8583::{Dialect, Writer};
use issuer_sim::{Issuer, IssuerConfig, Replies, Session, standard_moods};
use terms::{Mti, Now, Rrn, Tick};

fn main() {
    for name in Dialect::builtin_names() {
        let dialect = Dialect::builtin(name).expect("a dialect of its own list");
        let bodies: Vec<_> = (1..=MESSAGES).map(|at| request(&dialect, at)).collect();
        let mut issuer =
            Issuer::new(IssuerConfig::new("cost", name).moods(standard_moods())).expect("a known dialect");
        let (mut session, mut replies) = (Session::default(), Replies::default());
        let now = Now::at(Tick(0), 1_763_774_115_000);
        let start = on_cpu();
        for (at, body) in bodies.iter().enumerate() {
            issuer.on_frame(&mut session, body, &Envelope::default(), &now, &mut replies);
            if at % BATCH == 0 {
                replies.now.clear();
            }
        }
        let each = (on_cpu() - start) / u64::from(MESSAGES);
        println!("{name:14} {each:5} ns a message, {} booked", issuer.totals().debits);
    }
}

/// Nanoseconds that this process has been on a processor, whatever else the machine does; 0 where nobody counts them.
fn on_cpu() -> u64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(0)
}

/// A purchase of one of 10,000 cards.
fn request(dialect: &Dialect, at: u32) -> BytesMut {
    let mut out = BytesMut::new();
    let mut writer = Writer::new(dialect, Mti::of(0x0200), &mut out);
    let card = format!("622424{:010}", at.wrapping_mul(7_919) % 10_000);
    writer.text(2, card.as_bytes()).number(3, 0).number(4, 100);
    if dialect.has_field(7) {
        writer.number(7, 1_122_013_015);
    }
    writer.number(11, u64::from(at)).number(12, 93_015).number(13, 1122).number(22, 21).number(25, 0);
    writer.text(32, b"12345678").text(37, Rrn::issue(326, u64::from(at), at).as_bytes());
    writer.text(41, b"T0000001").text(42, b"M00000000000001").number(49, 156);
    if !dialect.has_field(70) {
        writer.text(60, b"22000001000");
    }
    writer.finish().expect("a purchase fits every dialect");
    out
}

const MESSAGES: u32 = 500_000;
const BATCH: usize = 256;
