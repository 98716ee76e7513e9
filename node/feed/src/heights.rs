//! Heights: the whole state of delivery of a space.

use std::collections::BTreeMap;

use crate::{DecodeError, Decoder, FeedName, Hash, SpaceId, Tag};

/// Feed name ‖ number ‖ hash.
const HEIGHT_BYTES: usize = 32 + 8 + 32;

/// The last entry held of one feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Height {
    /// Its number.
    pub number: u64,
    /// Its hash, which proves all entries before it.
    pub hash: Hash,
}

impl Height {
    pub(crate) fn decode(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let number = input.u64("a height's number")?;
        let hash = Hash::from_bytes(input.array("a height's hash")?);
        Ok(Self { number, hash })
    }
}

/// Of one space: each feed's height. Feeds with nothing admitted are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heights(BTreeMap<FeedName, Height>);

impl Heights {
    /// No feed at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets or moves one feed's height.
    pub fn set(&mut self, feed: FeedName, height: Height) {
        self.0.insert(feed, height);
    }

    /// Forgets a feed.
    pub fn remove(&mut self, feed: &FeedName) {
        self.0.remove(feed);
    }

    /// One feed's height.
    pub fn get(&self, feed: &FeedName) -> Option<Height> {
        self.0.get(feed).copied()
    }

    /// All feeds, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (FeedName, Height)> + '_ {
        self.0.iter().map(|(feed, height)| (*feed, *height))
    }

    /// How many feeds have a height.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no feed has one.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The feeds whose height differs from `baseline`, with the height here. Feeds of `baseline` that
    /// are gone do not show; that the digests still differ says so.
    pub fn since(&self, baseline: &Self) -> Vec<(FeedName, Height)> {
        self.iter()
            .filter(|(feed, height)| baseline.get(feed) != Some(*height))
            .collect()
    }

    /// The digest of `space` at these heights.
    pub fn digest(&self, space: SpaceId) -> Hash {
        Hash::of(Tag::Space, &[space.as_bytes(), &self.encode()])
    }

    /// Feed name ‖ number ‖ hash of every feed, in the order of the names.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * HEIGHT_BYTES);
        for (feed, height) in &self.0 {
            bytes.extend_from_slice(feed.as_bytes());
            bytes.extend_from_slice(&height.number.to_le_bytes());
            bytes.extend_from_slice(height.hash.as_bytes());
        }
        bytes
    }

    /// Reads what [`Heights::encode`] wrote.
    ///
    /// # Errors
    /// [`DecodeError`] if the bytes are cut off or the names do not rise: one set of heights has
    /// one encoding, or one digest could stand for two.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut heights = Self::new();
        for chunk in bytes.chunks(HEIGHT_BYTES) {
            let mut input = Decoder::new(chunk);
            let feed = FeedName::from_bytes(input.array("a feed's name")?);
            let last = heights.0.last_key_value();
            if last.is_some_and(|(last, _)| *last >= feed) {
                return Err(DecodeError::Value("the order of feeds"));
            }
            heights.set(feed, Height::decode(&mut input)?);
        }
        Ok(heights)
    }
}

impl FromIterator<(FeedName, Height)> for Heights {
    fn from_iter<I: IntoIterator<Item = (FeedName, Height)>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

/// One digest over several spaces' digests, in the order of the spaces' ids.
///
/// Spaces without any entry must be left out, so that merely being granted a space changes
/// nothing.
pub fn root_digest(spaces: &BTreeMap<SpaceId, Hash>) -> Hash {
    let mut bytes = Vec::with_capacity(spaces.len() * 48);
    for (space, digest) in spaces {
        bytes.extend_from_slice(space.as_bytes());
        bytes.extend_from_slice(digest.as_bytes());
    }
    Hash::of(Tag::Root, &[&bytes])
}
