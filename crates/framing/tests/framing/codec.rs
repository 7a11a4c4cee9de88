//! The codec: the same frames, as a stream with an end.

use bytes::{Bytes, BytesMut};
use framing::{CodecError, Envelope, Frame, FrameCodec, Framing, Violation};
use tokio_util::codec::{Decoder, Encoder};

use crate::ledger::framing;

#[test]
fn a_stream_of_frames_comes_back_as_it_went() {
    let mut codec = FrameCodec::new(framing("unionpay"));
    let envelope = Envelope::request([0x00, 0x49], [0x00, 0x00]);
    let sent = [message(envelope, b"0800"), Frame::KeepAlive, message(envelope.reply(), b"0810")];
    let mut wire = BytesMut::new();
    sent.iter().for_each(|frame| codec.encode(frame.clone(), &mut wire).expect("fits"));
    for frame in sent {
        assert_eq!(codec.decode(&mut wire).expect("whole"), Some(frame));
    }
    assert_eq!(codec.decode(&mut wire).expect("empty"), None);
    assert_eq!(codec.decode_eof(&mut wire).expect("closed between frames"), None);
}

#[test]
fn a_message_is_a_slice_of_what_was_read() {
    let mut wire = BytesMut::from(&b"\0\x04abcd\0\x02"[..]);
    let start = wire.as_ptr();
    let Some(Frame::Message { body, .. }) = decode("binary2", &mut wire).expect("whole") else {
        panic!("no frame")
    };
    assert_eq!(body.as_ptr(), start.wrapping_add(2), "the message was copied");
    assert_eq!(&wire[..], b"\0\x02");
}

#[test]
fn a_length_over_the_bound_reserves_nothing() {
    let mut wire = BytesMut::from(&b"\x7f\xff\xff\xff"[..]);
    let held = wire.capacity();
    let refused = decode("binary4", &mut wire);
    let expected = Violation::TooLong { most: 4096, found: 0x7FFF_FFFF };
    assert!(matches!(refused, Err(CodecError::Violation(found)) if found == expected), "{refused:?}");
    assert_eq!(wire.capacity(), held);
}

#[test]
fn an_unfinished_frame_reserves_its_own_length_only() {
    let mut wire = BytesMut::from(&b"\x00\x00\x0f\x00"[..]);
    assert_eq!(decode("binary4", &mut wire).expect("within the bound"), None);
    assert!((0x0F04..0x4000).contains(&wire.capacity()), "{} bytes held", wire.capacity());
}

#[test]
fn a_stream_closed_inside_a_frame_was_cut() {
    for (came, expected) in [(&b"\0"[..], 2), (b"\0\x04", 6), (b"\0\x04abc", 6)] {
        let mut wire = BytesMut::from(came);
        let cut = FrameCodec::new(framing("binary2")).decode_eof(&mut wire);
        let found = came.len();
        let violation = Violation::CutShort { expected, found };
        assert!(matches!(cut, Err(CodecError::Violation(cut)) if cut == violation), "{cut:?}");
    }
}

#[test]
fn a_stream_closed_behind_frames_hands_them_over_first() {
    let mut wire = BytesMut::from(&b"\0\0\0\x01a"[..]);
    let mut codec = FrameCodec::default();
    assert_eq!(codec.decode_eof(&mut wire).expect("whole"), Some(Frame::KeepAlive));
    assert_eq!(codec.decode_eof(&mut wire).expect("whole"), Some(message(Envelope::default(), b"a")));
    assert_eq!(codec.decode_eof(&mut wire).expect("closed"), None);
}

#[test]
fn a_message_that_does_not_fit_is_not_encoded() {
    let mut wire = BytesMut::from(&b"before"[..]);
    let mut codec = FrameCodec::new(Framing { max_frame: 3, ..Framing::default() });
    assert!(codec.encode(message(Envelope::default(), b"four"), &mut wire).is_err());
    assert_eq!(&wire[..], b"before");
    assert_eq!(codec.framing().max_frame, 3);
}

fn message(envelope: Envelope, body: &'static [u8]) -> Frame {
    Frame::Message { envelope, body: Bytes::from_static(body) }
}

fn decode(name: &str, wire: &mut BytesMut) -> Result<Option<Frame>, CodecError> {
    FrameCodec::new(framing(name)).decode(wire)
}
