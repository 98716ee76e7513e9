//! What the nodes of every released version said to each other is understood by this one.
//!
//! A session cannot be played to a live peer again: both ends sign the connection that it went over. So
//! what was recorded is held against what a session is made of. Every frame is read without a loss, and
//! written again as the same bytes, or, where entries are packed, as the same messages; every Hello proves
//! the node that says it, over the connection of then; all runs pass carriage and are stored, and the
//! heights that come of it are those that the coordinator of then held; every receipt is its node's word.
//! It does not show in which order this version would say the same: that is what beside each other
//! (`behind`) and the stores that go on (`stores`) show.

use std::collections::BTreeMap;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use node::grpc::{read_frame, write_frame};
use node_feed::{Heights, NetworkId, NodeId, PublicKey, Receipt, Run, SpaceId, Tag};
use node_store::{Appended, EntryStore, MemoryStore, ReadStore, settle_authority};
use node_sync::{Message, SaidHeights, SaidReceipt};
use prost::Message as _;
use proto::sync::v1::Frame;
use proto::sync::v1::frame::Message as Wire;
use tests::release::{RecordedSession, Release, Sessions};

fn recorded() -> Vec<(String, Sessions)> {
    let all = Release::all().expect("releases").into_iter();
    let all = all.map(|release| {
        let sessions = Sessions::read(&release.sessions()).expect("its sessions");
        assert!(sessions.sessions.len() > 5, "{}", release.version());
        (release.version(), sessions)
    });
    let all = all.collect::<Vec<_>>();
    assert!(!all.is_empty(), "no release is kept");
    all
}

fn bytes(hex: &str) -> Bytes {
    HEXLOWER.decode(hex.as_bytes()).expect("hex").into()
}

fn frames(session: &RecordedSession) -> impl Iterator<Item = (bool, Bytes)> {
    let frames = session.frames.iter();
    frames.map(|it| (it.said, bytes(&it.frame)))
}

#[test]
fn every_frame_is_read_without_a_loss_and_written_again_as_it_was() {
    for (version, sessions) in recorded() {
        let mut read = 0;
        for (_, frame) in sessions.sessions.iter().flat_map(frames) {
            read_and_written(&frame).unwrap_or_else(|why| panic!("{version}: {why}"));
            read += 1;
        }
        assert!(read > 100, "{version}: {read} frames");
    }
}

fn read_and_written(bytes: &Bytes) -> Result<(), String> {
    let frame = Frame::decode(bytes.clone()).map_err(|error| error.to_string())?;
    if frame.encode_to_vec() != *bytes {
        return Err(format!(
            "a part of a frame is not known any more: {frame:?}"
        ));
    }
    // What cannot be read was recorded with the answer that it got.
    let messages = match read_frame(bytes) {
        Ok(messages) => messages,
        Err(_) if is_malformed(&frame) => return Ok(()),
        Err(error) => return Err(format!("{error}: {frame:?}")),
    };
    let is_packed = matches!(frame.message, Some(Wire::Entries(_) | Wire::Copy(_)));
    let mut again = Vec::new();
    for message in &messages {
        let written = write_frame(message);
        if !is_packed && plain(&written) != plain(bytes) {
            return Err(format!("it is written otherwise: {message:?}"));
        }
        again.extend(read_frame(&written).map_err(|error| error.to_string())?);
    }
    if again != messages {
        return Err(format!("it is not the same once written: {messages:?}"));
    }
    Ok(())
}

/// The recorder sends one frame whose space is too short to be one.
fn is_malformed(frame: &Frame) -> bool {
    matches!(&frame.message, Some(Wire::Entries(entries)) if entries.space.len() != 16)
}

/// A frame without the sender's clock, which a Hello says anew each time, and without the first version of
/// the protocol, which may be left out.
fn plain(bytes: &Bytes) -> Frame {
    let mut frame = Frame::decode(bytes.clone()).expect("a frame");
    if let Some(Wire::Hello(hello)) = &mut frame.message {
        hello.clock_ms = 0;
        hello.versions.retain(|version| *version != 1);
    }
    frame
}

#[test]
fn every_hello_proves_its_node_over_the_connection_of_then() {
    for (version, sessions) in recorded() {
        let network = sessions.network.parse::<NetworkId>().expect("a network");
        let coordinator = sessions.coordinator.parse::<NodeId>().expect("a node");
        let mut proven = 0;
        for session in &sessions.sessions {
            let exporter = bytes(&session.exporter);
            for (said, frame) in frames(session) {
                let Ok(messages) = read_frame(&frame) else {
                    continue;
                };
                for message in messages {
                    let Message::Hello(hello) = message else {
                        continue;
                    };
                    let node = if said { Some(coordinator) } else { hello.node };
                    let node = node.expect("whoever dials says who it is");
                    let key = PublicKey::from_bytes(node.as_bytes()).expect("a key");
                    let parts: [&[u8]; 3] = [&exporter, &[u8::from(said)], network.as_bytes()];
                    let holds = key.verify(Tag::Session, &parts, &hello.signature);
                    assert!(holds.is_ok(), "{version}: a Hello of {node}");
                    let other = key.verify(
                        Tag::Session,
                        &[&[0; 32], parts[1], parts[2]],
                        &hello.signature,
                    );
                    assert!(other.is_err(), "it proves nothing over another connection");
                    proven += 1;
                }
            }
        }
        assert!(proven > 10, "{version}: {proven}");
    }
}

#[test]
fn what_was_sent_then_is_stored_now_and_ends_at_the_same_heights() {
    for (version, sessions) in recorded() {
        let network = sessions.network.parse::<NetworkId>().expect("a network");
        let mut carried = Carried::new(network);
        for session in &sessions.sessions {
            for (_, frame) in frames(session) {
                for message in read_frame(&frame).unwrap_or_default() {
                    carried.take(message);
                }
            }
        }
        let mut compared = 0;
        for (space, heights) in &sessions.heights {
            let space = space.parse::<SpaceId>().expect("a space");
            let then = Heights::decode(&bytes(heights)).expect("heights");
            let now = carried.heights(space);
            // Of a space that nobody was in, nobody was sent anything.
            if now.is_empty() {
                continue;
            }
            assert_eq!(now, then, "{version}: {space}");
            compared += now.len();
        }
        assert!(compared > 5, "{version}: {compared} feeds");
        assert!(carried.receipts > 5, "{version}: {}", carried.receipts);
        assert_eq!(
            carried.refused, 1,
            "{version}: the one that was refused then"
        );
    }
}

/// A store that takes what was sent.
struct Carried {
    network: NetworkId,
    store: MemoryStore,
    /// The heights of all receipts, by their space and mark.
    said: BTreeMap<(SpaceId, u64), Heights>,
    receipts: usize,
    refused: usize,
    /// Runs that came before what they follow, as from two sessions at once.
    waiting: Vec<(SpaceId, Run)>,
}

impl Carried {
    fn new(network: NetworkId) -> Self {
        Self {
            network,
            store: MemoryStore::new(),
            said: BTreeMap::new(),
            receipts: 0,
            refused: 0,
            waiting: Vec::new(),
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Entries { space, runs } => {
                let runs = runs.iter().map(|run| (space, run.clone()));
                let runs = std::mem::take(&mut self.waiting).into_iter().chain(runs);
                for (space, run) in runs.collect::<Vec<_>>() {
                    self.append(space, run);
                }
            }
            Message::Receipts(receipts) => {
                let mut before = None;
                for receipt in receipts {
                    before = Some(self.verify(receipt, before));
                }
            }
            Message::Refused(_) => self.refused += 1,
            Message::Hello(_)
            | Message::Spaces { .. }
            | Message::Heights(_)
            | Message::Acknowledged { .. }
            | Message::ReceiptsHeld(_)
            | Message::CopyOffer(_)
            | Message::Copy(_)
            | Message::Probe { .. }
            | Message::Common { .. }
            | Message::Goodbye(_) => {}
        }
    }

    /// Rebuilds a receipt, of which a message may say how it differs from another, and checks its
    /// signature. Returns its heights.
    fn verify(&mut self, said: SaidReceipt, before: Option<Heights>) -> Heights {
        let space = said.space;
        let heights = match said.heights {
            SaidHeights::Whole(heights) => heights,
            SaidHeights::Since { base, difference } => {
                let base = match base {
                    Some(mark) => self.said.get(&(space, mark)),
                    None => before.as_ref(),
                };
                let base = base.expect("the receipt that it differs from was said before");
                difference.rebuild(base).expect("it is a difference to it")
            }
        };
        let receipt = Receipt {
            space,
            node: said.node,
            time_ms: said.time_ms,
            heights: heights.clone(),
            signature: said.signature,
        };
        receipt
            .verify(self.network)
            .expect("its node has signed it");
        self.said.insert((space, receipt.mark()), heights.clone());
        self.receipts += 1;
        heights
    }

    fn append(&mut self, space: SpaceId, run: Run) {
        let (authority, _) = settle_authority(&mut self.store, self.network).expect("a log");
        let key = PublicKey::from_bytes(&run.writer).expect("a writer's key");
        let cuts = authority.cuts_of(space, &run.writer);
        let verified = run.clone().verify(self.network, space, &key, &cuts);
        let verified = verified.unwrap_or_else(|error| panic!("{error}"));
        let appended = self.store.append(&authority, vec![verified]);
        for appended in appended.expect("memory holds it") {
            if let Appended::Refused(_) = appended {
                self.waiting.push((space, run.clone()));
            }
        }
    }

    fn heights(&self, space: SpaceId) -> Heights {
        let trees = self.store.trees(space).expect("feeds");
        let feeds = trees.values().flat_map(node_feed::FeedTree::feeds);
        let tips = feeds.filter_map(|(name, feed)| Some((*name, feed.tip?)));
        tips.collect()
    }
}

/// The test of these tests: a changed bit in any part of a frame is seen.
#[test]
fn a_changed_bit_in_a_recorded_session_is_found() {
    let (_, sessions) = recorded().pop().expect("a release");
    let network = sessions.network.parse::<NetworkId>().expect("a network");
    let entries = sessions
        .sessions
        .iter()
        .flat_map(frames)
        .find_map(|(_, frame)| {
            let messages = read_frame(&frame).ok()?;
            let mut runs = messages.into_iter().filter_map(|message| {
                if let Message::Entries { space, runs } = message {
                    Some((space, runs[0].clone()))
                } else {
                    None
                }
            });
            runs.next()
        });
    let (space, run) = entries.expect("entries were sent");
    let key = PublicKey::from_bytes(&run.writer).expect("a key");
    let verified = |run: Run| run.verify(network, space, &key, &[]).is_ok();
    assert!(verified(run.clone()));
    let mut changed = run.clone();
    changed.entries[0].time_ms ^= 1;
    assert!(!verified(changed));
    let counted = sessions.sessions.iter().flat_map(frames);
    let found = counted.take(40).filter(|(_, frame)| {
        let mut bytes = frame.to_vec();
        // The frame's first key: another kind of message, or none.
        bytes[0] ^= 0x20;
        read_and_written(&bytes.into()).is_err()
    });
    assert!(
        found.count() > 30,
        "most of them are seen by their form alone"
    );
}
