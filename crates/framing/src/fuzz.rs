//! The body of the fuzz target for this room; unit tests run it over a corpus and random bytes too.
//! Never needed by a running switch. Guards what `Framing::next` promises for any bytes at all.

use bytes::BytesMut;
use tokio_util::codec::Decoder;

use crate::{Envelope, Frame, FrameCodec, Framing, Header, LengthForm, Next, detect};

/// Reads `data` as settings (three bytes) and a stream, and holds the framing to its promises.
///
/// # Panics
/// When a promise is broken: that is the finding.
pub fn fuzz_framing(data: &[u8]) {
    let Some((&[form, flags, bound], stream)) = data.split_first_chunk::<3>() else { return };
    let framing = settings(form, flags, bound);
    let whole = walk(&framing, stream);
    assert_eq!(whole, walk_in_pieces(&framing, stream), "{framing} reads pieces otherwise than the whole");
    for candidate in detect(stream) {
        let (frames, rest) = walk(&candidate.framing, stream);
        assert!(rest.is_none(), "{} was offered but leaves a rest", candidate.framing);
        assert!(frames.len() >= candidate.frames, "{} was offered with too many frames", candidate.framing);
    }
}

type Walk = (Vec<Frame>, Option<String>);

fn settings(form: u8, flags: u8, bound: u8) -> Framing {
    let bit = |n: u8| flags >> n & 1 == 1;
    Framing {
        length: LengthForm::ALL[usize::from(form) % LengthForm::ALL.len()],
        inclusive: bit(0),
        tpdu: bit(1),
        header: if bit(2) { Header::UnionPay6 } else { Header::None },
        trailer: bit(3).then_some(crate::ETX),
        trailer_counted: bit(4),
        max_frame: if bit(5) { u32::MAX - u32::from(bound) } else { u32::from(bound) * 32 },
        keepalive: bit(6),
    }
}

/// All frames of `stream`, and why it ended before its last byte if it did.
fn walk(framing: &Framing, stream: &[u8]) -> Walk {
    let (mut at, mut frames) = (0, Vec::new());
    while at < stream.len() {
        let rest = &stream[at..];
        match framing.next(rest) {
            Err(violation) => return (frames, Some(violation.to_string())),
            Ok(Next::Incomplete { need }) => {
                assert!(need > rest.len(), "{framing} asks for no more than it has");
                return (frames, Some("incomplete".into()));
            }
            Ok(Next::KeepAlive { consumed }) => {
                at += consumed;
                frames.push(Frame::KeepAlive);
            }
            Ok(Next::Frame { consumed, envelope, body }) => {
                let message = &rest[..consumed][body];
                assert!(
                    !message.is_empty() && consumed <= framing.max_frame as usize + framing.length.size()
                );
                write_again(framing, &envelope, message);
                at += consumed;
                frames.push(Frame::Message { envelope, body: message.to_vec().into() });
            }
        }
    }
    (frames, None)
}

/// What was read can be written and is read the same.
fn write_again(framing: &Framing, envelope: &Envelope, message: &[u8]) {
    let mut out = Vec::new();
    let written = framing.write(&mut out, envelope, |out| out.extend_from_slice(message));
    assert_eq!(written, Ok(()), "{framing} cannot write what it read");
    let Ok(Next::Frame { consumed, envelope: again, body }) = framing.next(&out) else {
        panic!("{framing} cannot read what it wrote")
    };
    assert_eq!((consumed, again, &out[body]), (out.len(), *envelope, message), "{framing}");
}

/// The codec, fed by growing pieces.
fn walk_in_pieces(framing: &Framing, stream: &[u8]) -> Walk {
    let (mut codec, mut buffer, mut frames) = (FrameCodec::new(*framing), BytesMut::new(), Vec::new());
    let mut rest = stream;
    for size in (1..8).cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, later) = rest.split_at(rest.len().min(size));
        rest = later;
        buffer.extend_from_slice(piece);
        loop {
            // Only a reserve that the bound allows may follow, and this buffer is not asked to grow:
            // the pure function is looked at first.
            match framing.next(&buffer) {
                Err(violation) => return (frames, Some(violation.to_string())),
                Ok(Next::Incomplete { .. }) => break,
                Ok(_) => frames.extend(codec.decode(&mut buffer).expect("looked at before")),
            }
        }
    }
    let rest = (!buffer.is_empty()).then(|| "incomplete".into());
    (frames, rest)
}
