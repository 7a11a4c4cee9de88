//! The same twenty fields by `i8583`, the fastest published codec found (`RESULTS.md` names the others): it cuts the message
//! into slices and looks at no content but lengths.

use benches::codec::PLAIN;
use i8583::data::Spec;
use i8583::{Packer, Unpacker};
use std::hint::black_box;

static SPEC: [Option<Spec>; 129] = i8583::v1987::SPEC;

/// The message from its fields.
pub fn pack() -> Vec<u8> {
    let mut packer = Packer::new(&SPEC);
    packer.set_field(0, b"0200"[..].into()).expect("a message type");
    for (n, content) in PLAIN {
        packer.set_field(n.into(), black_box(content).as_bytes().into()).expect("a field that fits");
    }
    packer.pack(Vec::with_capacity(1024)).expect("a message")
}

/// Its fields from the message.
pub fn unpack(bytes: &[u8]) -> bool {
    let mut unpacker = Unpacker::new(black_box(bytes));
    black_box(unpacker.unpack(&SPEC)).is_ok()
}
