//! Texts in the bytes that terminals print. Never half a character: what does not fit is cut before it.

use encoding_rs::GBK;

/// What a terminal's printer and display can show.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Charset {
    /// GBK: UnionPay terminals.
    Gbk,
    /// UTF-8.
    Utf8,
    /// Seven bits: English only.
    Ascii,
}

impl Charset {
    /// Its name in configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gbk => "gbk",
            Self::Utf8 => "utf-8",
            Self::Ascii => "ascii",
        }
    }

    /// The whole text, or `None` where it has a character that the set has not.
    pub fn encoded(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Ascii => text.is_ascii().then(|| text.as_bytes().to_vec()),
            Self::Gbk => {
                let (bytes, _, has_unmappable) = GBK.encode(text);
                (!has_unmappable).then(|| bytes.into_owned())
            }
        }
    }

    /// As much of it as fits into `room` bytes, in whole characters; one that the set has not becomes `?`.
    pub fn cut(self, text: &str, room: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(room.min(text.len()));
        let mut buffer = [0; 4];
        for one in text.chars() {
            let encoded = self.encoded(one.encode_utf8(&mut buffer)).unwrap_or_else(|| b"?".to_vec());
            if bytes.len() + encoded.len() > room {
                break;
            }
            bytes.extend(encoded);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        for (charset, room, expected) in [
            (Charset::Gbk, 5, &b"\xd3\xe0\xb6\xee"[..]),
            (Charset::Gbk, 4, b"\xd3\xe0\xb6\xee"),
            (Charset::Gbk, 1, b""),
            (Charset::Utf8, 5, "余".as_bytes()),
            (Charset::Utf8, 6, "余额".as_bytes()),
            (Charset::Ascii, 2, b"??"),
            (Charset::Ascii, 0, b""),
        ] {
            assert_eq!(charset.cut("余额不足", room), expected, "{charset:?} {room}");
        }
        assert_eq!(Charset::Gbk.cut("a余b", 3), b"a\xd3\xe0");
    }

    #[test]
    fn what_a_set_has_not_is_seen() {
        assert_eq!(Charset::Ascii.encoded("余"), None);
        assert_eq!(Charset::Gbk.encoded("😀"), None);
        assert_eq!(Charset::Gbk.cut("😀!", 9), b"?!");
        assert_eq!(Charset::Utf8.encoded("😀").unwrap().len(), 4);
    }
}
