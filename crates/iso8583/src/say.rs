//! A type of transaction as another dialect says it: DE 3, DE 25, the message type's third digit, UnionPay's 60.1.
//!
//! The same digits mean different things: 20 in DE 3 is a void at a UnionPay terminal and a refund in ISO 8583:1987. What the
//! other dialect would take for the same type goes as it came; else the dialect's own table (`says`) has the words.
//! Never changes the class of a message (who answers it and what reverses it), nor account types. Guards: what is written is
//! read as what it was meant as, or not written at all.

use crate::dialect::Dialect;
use crate::error::{EncodeError, EncodeWhy};
use crate::patch::Patch;
use terms::{Kind, Mti, ProcessingCode, Request};

/// One line of a dialect's table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SayRule {
    pub kind: Kind,
    /// Third digit of the message type (0220 rather than 0200); `None`: as it came.
    pub function_digit: Option<u8>,
    /// First two digits of DE 3.
    pub code: Option<u8>,
    /// DE 25.
    pub condition: Option<u8>,
    /// DE 60.1.
    pub function: Option<u8>,
}

/// What differs from the request as it came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Words {
    /// Message type.
    pub mti: Mti,
    /// DE 3.
    pub processing_code: ProcessingCode,
    /// DE 25; 255 leaves it as it was.
    pub condition: u8,
    /// DE 60.1; `None` leaves DE 60 as it was.
    pub function: Option<u8>,
}

/// How `to` says what `request` asks for in another dialect; `None`: as it came.
///
/// # Errors
/// [`EncodeWhy::Unsayable`] for DE 3: whatever is written, it would be taken for something else.
pub fn say(to: &Dialect, request: &Request) -> Result<Option<Words>, EncodeError> {
    let as_it_came = Words {
        mti: request.mti,
        processing_code: request.processing_code,
        condition: request.condition,
        function: None,
    };
    if read(to, &as_it_came) == request.kind {
        return Ok(None);
    }
    let rule = to.says.iter().find(|rule| rule.kind == request.kind);
    let words = rule.map(|rule| rule.words(&as_it_came)).filter(|words| read(to, words) == request.kind);
    words.map(Some).ok_or(EncodeError { field: 3, why: EncodeWhy::Unsayable })
}

/// What `dialect` takes a message with these words for.
pub(crate) fn read(dialect: &Dialect, words: &Words) -> Kind {
    let function = words.function.unwrap_or(0);
    dialect.kind(words.mti, words.processing_code.kind(), words.condition, function, 0)
}

impl SayRule {
    pub(crate) fn words(&self, from: &Words) -> Words {
        let digit = u16::from(self.function_digit.unwrap_or(from.mti.bcd() as u8 >> 4));
        let accounts = from.processing_code.0 % 10_000;
        let code = self.code.map_or(from.processing_code.0, |code| u32::from(code) * 10_000 + accounts);
        Words {
            mti: Mti::of(from.mti.bcd() & 0xFF0F | digit << 4),
            processing_code: ProcessingCode(code),
            condition: self.condition.unwrap_or(from.condition),
            function: self.function,
        }
    }
}

impl Words {
    /// Into a message of `to`. `function`: room for DE 60 as the dialect has it, all zeros.
    pub(crate) fn put<'a>(&self, to: &Dialect, batch: u32, function: &'a mut [u8; 8], patch: &mut Patch<'a>) {
        patch.mti(self.mti).set_number(3, u64::from(self.processing_code.0));
        if self.condition != u8::MAX && to.has_field(25) {
            patch.set_number(25, u64::from(self.condition));
        }
        if let (Some(said), Some(part)) = (self.function, to.roles.function) {
            crate::number::write_ascii(u64::from(said), &mut function[..2]);
            crate::number::write_ascii(u64::from(batch), &mut function[2..]);
            patch.set_text(part.field, function);
        }
    }
}
