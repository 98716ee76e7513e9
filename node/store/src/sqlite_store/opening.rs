//! How a feed's opening stands in its row.

use node_feed::{
    DecodeError, Decoder, Encoder, FeedName, GrantId, Hash, Height, HubId, NodeId, Opening,
};

const NODE: u8 = 1;
const TERM: u8 = 2;

pub(super) fn encode(opening: &Opening) -> Vec<u8> {
    let mut out = Encoder::new();
    match opening {
        Opening::Node { hub, node, grant } => out
            .u8(NODE)
            .bytes(hub.as_bytes())
            .bytes(node.as_bytes())
            .bytes(grant.as_bytes()),
        Opening::Authority { term, continues } => {
            out.u8(TERM).u64(*term);
            if let Some((feed, height)) = continues {
                out.bytes(feed.as_bytes())
                    .u64(height.number)
                    .bytes(height.hash.as_bytes());
            }
            &mut out
        }
    };
    out.finish().to_vec()
}

pub(super) fn decode(bytes: &[u8]) -> Result<Opening, DecodeError> {
    let mut input = Decoder::new(bytes);
    match input.u8("the form of the opening")? {
        NODE => Ok(Opening::Node {
            hub: HubId::from_bytes(input.array("the hub")?),
            node: NodeId::from_bytes(input.array("the node")?),
            grant: GrantId::from_bytes(input.array("the grant")?),
        }),
        TERM => {
            let term = input.u64("the term")?;
            let rest = input.rest();
            if rest.is_empty() {
                return Ok(Opening::Authority {
                    term,
                    continues: None,
                });
            }
            let mut input = Decoder::new(rest);
            let feed = FeedName::from_bytes(input.array("the earlier term's feed")?);
            let number = input.u64("the earlier term's end")?;
            let hash = Hash::from_bytes(input.array("the earlier term's end")?);
            Ok(Opening::Authority {
                term,
                continues: Some((feed, Height { number, hash })),
            })
        }
        _ => Err(DecodeError::Value("the form of the opening")),
    }
}
