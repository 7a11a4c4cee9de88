//! Frames to messages and back; a dialect is data.
//!
//! [`decode`] fills an [`Index`] of offsets, [`request`] and [`answer`] make of it what the engine knows, [`Writer`]
//! writes messages field by field, [`Patch`] forwards one by changing only what differs.
//! Never knows a clock, a socket, a policy; never allocates per message; never puts a card number into an error.
//! Guards: bytes that are no message of the dialect are refused with the field and the place.

mod advice;
mod canon;
mod chip;
mod decode;
mod describe;
mod detect;
mod dialect;
mod digits;
mod ebcdic;
mod error;
mod fill;
mod forward;
mod fuzz;
mod index;
mod keys;
mod layout;
mod mask;
mod named;
mod number;
mod patch;
mod refuse;
mod reply;
mod reversal;
mod say;
mod settlement;
mod spec;
mod text_place;
pub mod tlv;
mod view;
mod write;

pub use advice::write_advice;
pub use canon::{
    CanonDefaults, Trusted, answer, issuers_request, named_number, request, slot_named, trusted,
};
pub use chip::keep_chip;
pub use decode::{decode, locate};
pub use describe::{Description, Row, describe};
pub use detect::detect;
pub use dialect::{
    CodeVerdict, Dialect, DialectErrors, DialectProblem, Part, Reference, ReversalForm, ReversalStan,
};
pub use error::{DecodeError, EncodeError, EncodeWhy, Expected, Found, Sample};
pub use fill::Value;
pub use forward::{Forward, forward};
pub use fuzz::{fuzz_decode, fuzz_dialect_toml, fuzz_tlv, fuzz_ways};
pub use index::Index;
pub use named::Named;
pub use patch::{Patch, transcode};
pub use reply::{Reply, reply_from_answer, write_refusal, write_reply};
pub use reversal::{NetworkOf, ReversalOf, write_network, write_reversal};
pub use say::{Words, say};
pub use settlement::batch_says;
pub use spec::FIELD_MAX;
pub use text_place::TextPlace;
pub use view::{CONTENT_MAX, View};
pub use write::Writer;

pub(crate) use dialect::Coding;

#[cfg(test)]
mod smoke {
    #[test]
    fn every_builtin_dialect_compiles() {
        for name in crate::Dialect::builtin_names() {
            assert_eq!(crate::Dialect::builtin(name).unwrap().name(), name);
        }
    }
}
