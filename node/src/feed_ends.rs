//! Where feeds end, for whoever ends access.

use node_feed::{FeedName, Hash, Height, HubId, NodeId, Opening, SpaceId, Tag};
use node_store::{ReadStore, StoreError};

use crate::Node;

/// A writer key, and the last entry of one of its feeds.
type End = ([u8; 32], Height);

impl Node {
    /// Where every feed of `hub` in `space` ends, branches included.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn tips_of_hub(&self, space: SpaceId, hub: HubId) -> Result<Vec<End>, StoreError> {
        self.tips(space, |of, _| of == hub)
    }

    /// Where every feed of `node` in `space` ends, branches included.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn tips_of_node(&self, space: SpaceId, node: NodeId) -> Result<Vec<End>, StoreError> {
        self.tips(space, |_, of| of == node)
    }

    /// Marks where the feeds of `node` end in all spaces that both its hub and `reader` may read: two nodes
    /// with the same mark hold the same of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn ends_mark(&self, node: NodeId, reader: HubId) -> Result<Hash, StoreError> {
        let authority = self.authority();
        let hub = authority.nodes().get(&node).map(|record| record.hub);
        let mut all = Vec::new();
        for space in authority.spaces().keys().copied() {
            let reads = |hub: HubId| authority.access(hub, space).is_some();
            if !reads(reader) || !hub.is_some_and(reads) {
                continue;
            }
            let mut ends = self.tips_of_node(space, node)?;
            ends.sort_by_key(|(writer, last)| (*writer, last.number, last.hash));
            for (writer, last) in ends {
                all.extend_from_slice(space.as_bytes());
                all.extend_from_slice(&writer);
                all.extend_from_slice(&last.number.to_le_bytes());
                all.extend_from_slice(last.hash.as_bytes());
            }
        }
        let network = authority.network();
        Ok(Hash::of(
            Tag::Ends,
            &[network.as_bytes(), node.as_bytes(), &all],
        ))
    }

    /// The node that wrote a feed, if its opening is held.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn author_of(&self, space: SpaceId, feed: FeedName) -> Result<Option<NodeId>, StoreError> {
        let openings = self.inner.storage.read(|store| store.openings(space))?;
        Ok(match openings.get(&feed) {
            Some(Opening::Node { node, .. }) => Some(*node),
            Some(Opening::Authority { .. }) | None => None,
        })
    }

    /// Entry `number` of `writer` in `space`: one, or several where its feed has forked.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn heights_at(
        &self,
        space: SpaceId,
        writer: [u8; 32],
        number: u64,
    ) -> Result<Vec<Height>, StoreError> {
        self.inner.storage.read(|store| {
            let trees = store.trees(space)?;
            let names = trees
                .get(&writer)
                .into_iter()
                .flat_map(|tree| tree.feeds().keys());
            let mut heights = Vec::new();
            for name in names {
                let hash = store.hash_at(space, *name, number)?;
                heights.extend(hash.map(|hash| Height { number, hash }));
            }
            Ok(heights)
        })
    }

    fn tips(
        &self,
        space: SpaceId,
        wanted: impl Fn(HubId, NodeId) -> bool,
    ) -> Result<Vec<End>, StoreError> {
        let storage = &self.inner.storage;
        let (trees, openings) =
            storage.read(|store| Ok((store.trees(space)?, store.openings(space)?)))?;
        let mut tips = Vec::new();
        for (writer, tree) in &trees {
            for (name, feed) in tree.feeds() {
                let is_wanted = matches!(
                    openings.get(name),
                    Some(Opening::Node { hub, node, .. }) if wanted(*hub, *node)
                );
                if let (true, Some(tip)) = (is_wanted, feed.tip) {
                    tips.push((*writer, tip));
                }
            }
        }
        Ok(tips)
    }
}
