//! How a program of a later version would encode a frame: as this one does, and with fields that nobody
//! knows yet in every part.

use bytes::Bytes;
use prost::Message as _;
use prost::encoding::{WireType, decode_key, decode_varint, encode_key, encode_varint};
use proto::sync::v1::Frame;
use proto::sync::v1::frame::Message;

/// Fields that no message of this version has.
const LATER_NUMBER: u32 = 900;
const LATER_TEXT: u32 = 901;
/// A kind of frame that this version does not have.
const LATER_FRAME: u32 = 99;

/// The frame, with later fields around its message and in it.
pub(super) fn frame(message: &Message) -> Bytes {
    let frame = Frame {
        message: Some(message.clone()),
    };
    let plain = frame.encode_to_vec();
    // A frame is one field: its key, the length, and the message.
    let mut rest = plain.as_slice();
    let read = decode_key(&mut rest).and_then(|key| Ok((key, decode_varint(&mut rest)?)));
    let Ok(((number, WireType::LengthDelimited), _)) = read else {
        return plain.into();
    };
    let mut inner = rest.to_vec();
    add_later(&mut inner);
    let mut out = Vec::with_capacity(inner.len() + 64);
    add_later(&mut out);
    encode_key(number, WireType::LengthDelimited, &mut out);
    encode_varint(inner.len() as u64, &mut out);
    out.extend_from_slice(&inner);
    add_later(&mut out);
    out.into()
}

/// A frame with nothing in it but what is not known yet.
pub(super) fn unknown_frame() -> Bytes {
    let mut inner = Vec::new();
    add_later(&mut inner);
    let mut out = Vec::new();
    encode_key(LATER_FRAME, WireType::LengthDelimited, &mut out);
    encode_varint(inner.len() as u64, &mut out);
    out.extend_from_slice(&inner);
    out.into()
}

fn add_later(out: &mut Vec<u8>) {
    encode_key(LATER_NUMBER, WireType::Varint, out);
    encode_varint(u64::MAX, out);
    let text = b"said by a later version";
    encode_key(LATER_TEXT, WireType::LengthDelimited, out);
    encode_varint(text.len() as u64, out);
    out.extend_from_slice(text);
}
