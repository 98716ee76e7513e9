//! Frames that go out as the bytes that they are, whatever this version knows of them.

use bytes::{BufMut as _, Bytes};
use prost::Message as _;
use proto::sync::v1::Frame;
use tonic::Status;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

/// Sends bytes and receives frames.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Frames;

impl Codec for Frames {
    type Encode = Bytes;
    type Decode = Frame;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Frames {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, frame: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(frame);
        Ok(())
    }
}

impl Decoder for Frames {
    type Item = Frame;
    type Error = Status;

    fn decode(&mut self, bytes: &mut DecodeBuf<'_>) -> Result<Option<Frame>, Status> {
        let frame = Frame::decode(bytes);
        frame
            .map(Some)
            .map_err(|error| Status::internal(error.to_string()))
    }
}
