//! The text beside the code of a decline: looked up per reply in what was encoded when the configuration was read.
//! Never allocates, never adds to an approval. Guards: a repeat hears what was told first, since only code and listener decide.

use crate::config::ListenerConfig;
use engine::Code;
use iso8583::CodeVerdict;

/// Code and text as the listener's terminals have them.
pub(super) fn explained(listener: &ListenerConfig, code: Code) -> iso8583::Reply<'_> {
    let wire = match code {
        Code::Wire(code) => code,
        Code::Internal(cause) => listener.dialect.code_for(cause),
    };
    let mut reply = iso8583::Reply::new(wire);
    let Some(explaining) = &listener.explaining else { return reply };
    let text = match code {
        Code::Internal(cause) => explaining.slips.of_cause(cause),
        Code::Wire(code) if listener.dialect.verdict(&code) == CodeVerdict::Approves => return reply,
        Code::Wire(code) => explaining.slips.of_code(code),
    };
    if !text.is_empty() {
        (reply.text, reply.place) = (Some(text), Some(explaining.place));
    }
    reply
}
