//! Receipts and their frames.

use std::collections::BTreeMap;

use node_feed::{Height, HeightsDifference, NodeId, Signature, SpaceId};
use node_sync::{SaidHeights, SaidReceipt};
use proto::sync::v1 as wire;

use super::{FrameError, array, copy, hash, heights, space, to_heights};

pub(super) fn from_receipts(receipts: &[SaidReceipt]) -> wire::Receipts {
    let mut before = None;
    let said = receipts.iter().map(|receipt| {
        let is_same = before.replace(receipt.space) == Some(receipt.space);
        let space = Some(receipt.space).filter(|_| !is_same);
        let space = space.map(|space| copy(space.as_bytes()));
        let (whole, since) = match &receipt.heights {
            SaidHeights::Whole(whole) => (heights(whole.iter()), None),
            SaidHeights::Since { base, difference } => {
                (Vec::new(), Some(from_difference(*base, difference)))
            }
        };
        wire::Receipt {
            space: space.unwrap_or_default(),
            node: copy(receipt.node.as_bytes()),
            time_ms: receipt.time_ms,
            heights: whole,
            signature: copy(&receipt.signature.0),
            since,
        }
    });
    wire::Receipts {
        receipts: said.collect(),
    }
}

/// # Errors
/// [`FrameError`] for a field of the wrong width, a first receipt without its space, or one that
/// says heights both whole and as a difference.
pub(super) fn to_receipts(said: &wire::Receipts) -> Result<Vec<SaidReceipt>, FrameError> {
    let mut before = None;
    let receipts = said.receipts.iter().map(|receipt| {
        let of = match before.filter(|_| receipt.space.is_empty()) {
            Some(same) => same,
            None => space(&receipt.space)?,
        };
        before = Some(of);
        Ok(SaidReceipt {
            space: of,
            node: NodeId::from_bytes(array(&receipt.node, "a node")?),
            time_ms: receipt.time_ms,
            heights: to_said_heights(receipt)?,
            signature: Signature(array(&receipt.signature, "a signature")?),
        })
    });
    receipts.collect()
}

fn to_said_heights(receipt: &wire::Receipt) -> Result<SaidHeights, FrameError> {
    let whole = to_heights(&receipt.heights)?;
    match &receipt.since {
        None => Ok(SaidHeights::Whole(whole.into_iter().collect())),
        Some(_) if !whole.is_empty() => Err(FrameError(
            "a receipt says its heights whole and as a difference".to_owned(),
        )),
        Some(since) => Ok(SaidHeights::Since {
            base: Some(since.base).filter(|mark| *mark != 0),
            difference: to_difference(since)?,
        }),
    }
}

fn from_difference(base: Option<u64>, difference: &HeightsDifference) -> wire::HeightsSince {
    let changed = difference.changed.iter();
    wire::HeightsSince {
        base: base.unwrap_or_default(),
        gone: difference.gone.clone(),
        changed: changed
            .map(|(place, height)| wire::ChangedHeight {
                place: *place,
                number: height.number,
                hash: copy(height.hash.as_bytes()),
            })
            .collect(),
        added: heights(difference.added.iter().copied()),
    }
}

fn to_difference(since: &wire::HeightsSince) -> Result<HeightsDifference, FrameError> {
    let changed = since.changed.iter().map(|said| {
        let (number, hash) = (said.number, hash(&said.hash)?);
        Ok((said.place, Height { number, hash }))
    });
    Ok(HeightsDifference {
        gone: since.gone.clone(),
        changed: changed.collect::<Result<_, FrameError>>()?,
        added: to_heights(&since.added)?,
    })
}

pub(super) fn from_held(held: &BTreeMap<SpaceId, BTreeMap<NodeId, u64>>) -> wire::ReceiptsHeld {
    let receipt = |(node, time_ms): (&NodeId, &u64)| wire::HeldReceipt {
        node: copy(node.as_bytes()),
        time_ms: *time_ms,
    };
    let spaces = held.iter().map(|(space, held)| wire::SpaceReceipts {
        space: copy(space.as_bytes()),
        receipts: held.iter().map(receipt).collect(),
    });
    wire::ReceiptsHeld {
        spaces: spaces.collect(),
    }
}

pub(super) fn to_held(
    said: &wire::ReceiptsHeld,
) -> Result<BTreeMap<SpaceId, BTreeMap<NodeId, u64>>, FrameError> {
    let receipt = |held: &wire::HeldReceipt| {
        let node = NodeId::from_bytes(array(&held.node, "a node")?);
        Ok::<_, FrameError>((node, held.time_ms))
    };
    let spaces = said.spaces.iter().map(|said| {
        let held = said.receipts.iter().map(receipt);
        Ok((space(&said.space)?, held.collect::<Result<_, _>>()?))
    });
    spaces.collect()
}

#[cfg(test)]
mod tests {
    use node_feed::{FeedName, Hash, Heights, NetworkId, Receipt, SecretKey};
    use node_sync::Message;
    use prost::Message as _;

    use super::super::{to_frame, to_messages};
    use super::*;
    use crate::grpc::packer::Packer;

    const SPACE: SpaceId = SpaceId::from_bytes([1; 16]);
    /// Today's, as a clock says it.
    const TIME_MS: u64 = 1_796_000_000_000;

    /// The heights of forty feeds, the first of them at this number.
    fn forty(number: u64) -> Heights {
        let feeds = (0..40u8).map(|feed| {
            let number = if feed == 0 { number } else { 7_000 };
            let hash = Hash::from_bytes([feed; 32]);
            (FeedName::from_bytes([feed; 32]), Height { number, hash })
        });
        feeds.collect()
    }

    fn receipt(signer: u8, heights: Heights) -> Receipt {
        let (network, identity) = (
            NetworkId::from_bytes([2; 16]),
            SecretKey::from_seed(&[signer; 32]),
        );
        Receipt::sign(network, SPACE, &identity, TIME_MS, heights)
    }

    fn said(receipt: &Receipt, heights: SaidHeights) -> SaidReceipt {
        SaidReceipt {
            space: receipt.space,
            node: receipt.node,
            time_ms: receipt.time_ms,
            heights,
            signature: receipt.signature,
        }
    }

    fn since(base: Option<u64>, from: &Heights, receipt: &Receipt) -> SaidReceipt {
        let difference = HeightsDifference::between(from, &receipt.heights);
        said(receipt, SaidHeights::Since { base, difference })
    }

    fn frame(receipts: Vec<SaidReceipt>) -> wire::Frame {
        to_frame(&Message::Receipts(receipts), &Packer::default())
    }

    #[test]
    fn receipts_survive_the_wire_whole_and_as_differences() {
        let earlier = receipt(1, forty(1));
        let whole = said(&earlier, SaidHeights::Whole(forty(1)));
        let gone_and_new = [(FeedName::from_bytes([99; 32]), forty(1).iter().next())];
        let gone_and_new = gone_and_new.into_iter();
        let other = gone_and_new.filter_map(|(feed, first)| Some((feed, first?.1)));
        let message = Message::Receipts(vec![
            whole,
            since(None, &forty(1), &receipt(2, forty(2))),
            since(Some(u64::MAX), &forty(1), &receipt(3, other.collect())),
            said(
                &receipt(4, Heights::new()),
                SaidHeights::Whole(Heights::new()),
            ),
            SaidReceipt {
                space: SpaceId::from_bytes([3; 16]),
                ..since(Some(1), &forty(1), &receipt(5, forty(1)))
            },
        ]);
        let bytes = to_frame(&message, &Packer::default()).encode_to_vec();
        let back = wire::Frame::decode(bytes.as_slice()).expect("a frame");
        assert_eq!(to_messages(back).expect("receipts"), [message]);
    }

    #[test]
    fn which_receipts_are_held_survives_the_wire() {
        let nodes = [1, 2].map(|signer| (receipt(signer, Heights::new()).node, TIME_MS));
        let message = Message::ReceiptsHeld(BTreeMap::from([
            (SPACE, nodes.into_iter().collect()),
            (SpaceId::from_bytes([3; 16]), BTreeMap::new()),
        ]));
        let frame = to_frame(&message, &Packer::default());
        assert_eq!(to_messages(frame).expect("receipts held"), [message]);
    }

    #[test]
    fn a_difference_takes_the_bytes_of_a_signature_and_not_those_of_all_heights() {
        let bytes = |receipts: Vec<SaidReceipt>| frame(receipts).encoded_len();
        let now = receipt(1, forty(2));
        let whole = bytes(vec![said(&now, SaidHeights::Whole(forty(2)))]);
        let one = since(Some(u64::MAX), &forty(1), &now);
        let alone = bytes(vec![one.clone()]);
        let more = bytes(vec![one, since(None, &forty(2), &receipt(2, forty(2)))]) - alone;
        assert_eq!((whole, alone, more), (3_050, 180, 111));
    }

    #[test]
    fn frames_of_receipts_that_the_protocol_does_not_allow_are_refused() {
        let now = receipt(1, forty(2));
        let good = frame(vec![since(Some(1), &forty(1), &now)]);
        assert!(to_messages(good.clone()).is_ok());
        let altered = |alter: fn(&mut wire::Receipt)| {
            let mut frame = good.clone();
            if let Some(wire::frame::Message::Receipts(said)) = &mut frame.message {
                said.receipts.iter_mut().for_each(alter);
            }
            to_messages(frame).expect_err("it is refused").to_string()
        };
        let wrong = [
            altered(|said| said.space.clear()),
            altered(|said| said.node.truncate(31)),
            altered(|said| said.signature.clear()),
            altered(|said| {
                let since = said.since.as_mut().expect("a difference");
                since.changed[0].hash.clear();
            }),
            altered(|said| said.heights = heights(forty(1).iter())),
        ];
        for (error, part) in wrong
            .iter()
            .zip(["space", "node", "signature", "hash", "whole"])
        {
            assert!(error.contains(part), "{error}");
        }
    }
}
