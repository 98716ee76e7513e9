//! Identity keys and their successors: nodes' of hubs, and the coordinator's own.

use std::collections::{BTreeMap, VecDeque};

use coordinator_registry::Event;
use node::clock::now_ms;
use node_feed::{CutTarget, Fact, FeedCut, HubId, NodeId, SecretKey, Succession};

use super::{OperationError, Operations};
use crate::authority_writer::AuthorityError;
use crate::successions::Successions;

/// How many keys a hub's nodes may take within [`WINDOW_MS`]: the record of access is for ever.
const SUCCESSORS_MAX: usize = 4;
const WINDOW_MS: u64 = 24 * 60 * 60 * 1000;

/// What a node is told that is unknown, or whose access has ended.
pub(crate) const NO_ACCESS: &str = "this node has no access; ask NCETM for an invitation";

/// When nodes of each hub took other keys lately, in ms since 1970.
#[derive(Debug, Default)]
pub(crate) struct Taken(BTreeMap<HubId, VecDeque<u64>>);

impl Taken {
    fn take(&mut self, hub: HubId, now_ms: u64) -> bool {
        let times = self.0.entry(hub).or_default();
        while times
            .front()
            .is_some_and(|time| time.saturating_add(WINDOW_MS) <= now_ms)
        {
            times.pop_front();
        }
        let room = times.len() < SUCCESSORS_MAX;
        if room {
            times.push_back(now_ms);
        }
        room
    }
}

impl Operations {
    /// Admits the key that takes the place of a hub's node's, on that one's word. Both have access then.
    /// Asked again it changes nothing.
    ///
    /// # Errors
    /// [`OperationError::Succession`]; nothing was changed then.
    pub fn succeed(&self, succession: &Succession) -> Result<(), OperationError> {
        let no = |sentence: &str| Err(OperationError::Succession(sentence.to_owned()));
        let node = &self.parts.node;
        let authority = node.authority();
        let Some(hub) = authority.hub_of(&succession.former) else {
            return no(NO_ACCESS);
        };
        if Some(hub) == self.own_hub() {
            return no("the coordinator's key is replaced at the coordinator");
        }
        match authority.nodes().get(&succession.successor) {
            Some(known) if known.hub == hub && known.ended.is_none() => return Ok(()),
            Some(_) => return no("the new key was used before; take another"),
            None => {}
        }
        if !self.lock_taken().take(hub, now_ms()) {
            return no("the nodes of this hub took four other keys today; try again tomorrow");
        }
        let (former, successor) = (succession.former, succession.successor);
        let node = Fact::Node {
            hub,
            node: successor,
        };
        self.parts.authority.write(&[node])?;
        let told = format!("node {successor} takes the place of node {former}");
        self.note(Event::AccessChanged, Some(hub), told)
    }

    /// Ends the node whose place another one took, which asks for it. What is held of it counts.
    /// Asked again it changes nothing.
    ///
    /// # Errors
    /// [`OperationError::Succession`]; nothing was changed then.
    pub fn end_former(&self, succession: &Succession) -> Result<(), OperationError> {
        let no = || OperationError::Succession(NO_ACCESS.to_owned());
        let authority = self.parts.node.authority();
        let hub = authority.hub_of(&succession.successor).ok_or_else(no)?;
        let former = authority.nodes().get(&succession.former);
        let former = former.filter(|former| former.hub == hub).ok_or_else(no)?;
        if former.ended.is_some() {
            return Ok(());
        }
        self.end_succeeded(succession, hub)
    }

    /// Takes another identity key for this coordinator, on the word of the present one: it is in use
    /// once the coordinator is opened anew, and nodes that pinned an earlier one follow. Returns false
    /// if it is in use already.
    ///
    /// # Errors
    /// [`OperationError`]; asked again with the same key, what was begun is gone on with.
    pub fn replace_identity(
        &self,
        next: &SecretKey,
        succession: &Succession,
    ) -> Result<bool, OperationError> {
        let no = |sentence: &str| Err(OperationError::Succession(sentence.to_owned()));
        let (node, network) = (&self.parts.node, self.parts.root.network());
        let successor = next.public().node();
        if succession.successor != successor || succession.verify(network).is_err() {
            return no("the word on the new key is not of this network, or of another key");
        }
        if node.id() == successor {
            return Ok(false);
        }
        if node.id() != succession.former {
            return no(
                "the identity key in this folder is not the one that the coordinator has: bring the \
                 newest copy of its saved keys",
            );
        }
        if !self.parts.authority.may_write()? {
            return Err(AuthorityError::ReadOnly.into());
        }
        if !self.waiting()?.is_empty() {
            return no(
                "hubs wait to be admitted, and their check numbers would change under them: admit or \
                 refuse them first, see `waiting`",
            );
        }
        if node
            .succession()?
            .is_some_and(|it| it.successor == node.id())
        {
            return no(
                "the key before the present one has yet to end: start the coordinator once more",
            );
        }
        let known = node.authority().nodes().contains_key(&successor);
        if let (false, Some(hub)) = (known, self.own_hub()) {
            let node = Fact::Node {
                hub,
                node: successor,
            };
            self.parts.authority.write(&[node])?;
        }
        Successions::read(node.folder())?.add(succession)?;
        node.succeed_with(next, succession)?;
        Ok(true)
    }

    /// Ends the key before this coordinator's present one, if that is not done.
    ///
    /// # Errors
    /// [`OperationError`]; it is tried again at the next start.
    pub(crate) fn end_own_former(&self) -> Result<(), OperationError> {
        let (node, hub) = (&self.parts.node, self.own_hub());
        let succession = node.succession()?.filter(|it| it.successor == node.id());
        let (Some(succession), Some(hub)) = (succession, hub) else {
            return Ok(());
        };
        let authority = node.authority();
        let former = authority.nodes().get(&succession.former);
        if former.is_some_and(|former| former.hub == hub && former.ended.is_none()) {
            self.end_succeeded(&succession, hub)?;
        }
        Ok(node.former_ended()?)
    }

    fn end_succeeded(&self, succession: &Succession, hub: HubId) -> Result<(), OperationError> {
        let former = succession.former;
        let why = "another key took its place";
        self.cut(CutTarget::Node(former), why, self.tips_of(former)?)?;
        let told = format!("the access of node {former} ended: {why}");
        self.note(Event::AccessChanged, Some(hub), told)
    }

    /// Where the feeds of a node end, as they are held here.
    fn tips_of(&self, node: NodeId) -> Result<Vec<FeedCut>, OperationError> {
        let authority = self.parts.node.authority();
        let mut feeds = Vec::new();
        for space in authority.spaces().keys().copied() {
            let tips = self.parts.node.tips_of_node(space, node)?;
            feeds.extend(tips.into_iter().map(|(writer, last)| FeedCut {
                space,
                writer,
                last,
            }));
        }
        Ok(feeds)
    }

    fn lock_taken(&self) -> std::sync::MutexGuard<'_, Taken> {
        let taken = self.parts.taken.lock();
        taken.unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_takes_four_keys_a_day_and_no_more() {
        let mut taken = Taken::default();
        let [one, other] = [1, 2].map(|number| HubId::from_bytes([number; 8]));
        for time in 0..4 {
            assert!(taken.take(one, time));
        }
        assert!(!taken.take(one, 4));
        assert!(taken.take(other, 4));
        assert!(!taken.take(one, WINDOW_MS - 1));
        assert!(taken.take(one, WINDOW_MS));
        assert!(!taken.take(one, WINDOW_MS));
    }
}
