//! Identity keys and their successors: nodes' of hubs, and the coordinator's own.

use std::sync::PoisonError;

use coordinator_registry::{Event, Succeeded};
use node::clock::now_ms;
use node_feed::{CutTarget, Fact, FeedCut, Hash, HubId, NodeId, SecretKey, SpaceId, Succession};

use super::{OperationError, Operations};
use crate::authority_writer::AuthorityError;
use crate::successions::Successions;

/// How many keys a hub's nodes may take within [`WINDOW_MS`]: the record of access is for ever.
const SUCCESSORS_MAX: u64 = 4;
const WINDOW_MS: u64 = 24 * 60 * 60 * 1000;

/// What a node is told that is unknown, or whose access has ended.
pub(crate) const NO_ACCESS: &str = "this node has no access; ask NCETM for an invitation";

/// What a node is told whose place another took.
const ANOTHER: &str = "another key took the place of this node's already. If nobody of this hub did that, \
    the key was stolen: telephone NCETM at once";

impl Operations {
    /// Admits the key that takes the place of a hub's node's, on that one's word. Both have access then.
    /// Asked again it changes nothing.
    ///
    /// # Errors
    /// [`OperationError::Succession`]; nothing was changed then.
    pub fn succeed(&self, succession: &Succession) -> Result<(), OperationError> {
        let no = |sentence: &str| Err(OperationError::Succession(sentence.to_owned()));
        let (former, successor) = (succession.former, succession.successor);
        let registry = &self.parts.registry;
        let authority = self.parts.node.authority();
        let stands = |node: &NodeId| authority.hub_of(node);
        if let Some(known) = authority.nodes().get(&successor) {
            // A register that was made anew knows nothing of it.
            let kept = registry.successor_of(former)?;
            let is_done = known.ended.is_none()
                && authority.nodes().get(&former).map(|it| it.hub) == Some(known.hub)
                && kept.is_none_or(|kept| kept == successor);
            return match is_done {
                true => Ok(()),
                false => no("the new key was used before; take another"),
            };
        }
        let Some(hub) = stands(&former) else {
            return no(NO_ACCESS);
        };
        if Some(hub) == self.own_hub() {
            return no("the coordinator's key is replaced at the coordinator");
        }
        if registry
            .former_of(former)?
            .is_some_and(|before| stands(&before).is_some())
        {
            return no(
                "the key before this one still has access; replace this one after that has ended",
            );
        }
        let bounds = (SUCCESSORS_MAX, now_ms().saturating_sub(WINDOW_MS));
        let keep = || registry.succeed(hub, (former, successor), bounds, now_ms());
        let mut kept = keep()?;
        if let Succeeded::Other(other) = kept
            // It came to nothing, or is over.
            && stands(&other).is_none()
        {
            registry.forget_successor(former)?;
            kept = keep()?;
        }
        match kept {
            Succeeded::Kept => {}
            Succeeded::Other(_) => {
                let told =
                    format!("node {successor} wished to take the place of node {former} too");
                self.note(Event::SuccessionRefused, Some(hub), told)?;
                return no(ANOTHER);
            }
            Succeeded::TooMany => {
                return no("the nodes of this hub took four other keys today; try again tomorrow");
            }
        }
        // First, so that what was done is never without its line.
        let told = format!("node {successor} takes the place of node {former}");
        self.note(Event::AccessChanged, Some(hub), told)?;
        let node = Fact::Node {
            hub,
            node: successor,
        };
        self.parts.authority.write(&[node])?;
        Ok(())
    }

    /// Ends the node whose place another one took, which asks for it and says by `ends` where its feeds
    /// end (see [`node::Node::ends_mark`]). What is held of it counts. Asked again it changes nothing.
    ///
    /// # Errors
    /// [`OperationError::Succession`], or [`OperationError::NotYet`] if it may be asked again; nothing was
    /// changed then.
    pub fn end_former(&self, succession: &Succession, ends: Hash) -> Result<(), OperationError> {
        let no = || OperationError::Succession(NO_ACCESS.to_owned());
        let (node, former) = (&self.parts.node, succession.former);
        let authority = node.authority();
        let hub = authority.hub_of(&succession.successor).ok_or_else(no)?;
        let known = authority.nodes().get(&former);
        let known = known.filter(|former| former.hub == hub).ok_or_else(no)?;
        if known.ended.is_some() {
            return Ok(());
        }
        let kept = self.parts.registry.successor_of(former)?;
        if kept.is_some_and(|kept| kept != succession.successor) {
            return Err(OperationError::Succession(ANOTHER.to_owned()));
        }
        // Its own computer has no session under it any more: whoever has one still uses it.
        if node.peers_connected().contains(&former) {
            self.note_once_an_hour(former, hub)?;
            return Err(OperationError::NotYet(
                "the former key still has a session; if that lasts, somebody else has that key: telephone \
                 NCETM, which ends it with `node revoke`"
                    .to_owned(),
            ));
        }
        let own = self.own_hub().unwrap_or(hub);
        if node.ends_mark(former, own)? != ends {
            let sentence = "not all that the former node wrote has arrived";
            return Err(OperationError::NotYet(sentence.to_owned()));
        }
        self.end_succeeded(former, hub)
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
        match node.succession()? {
            Some(pending) if pending.successor == node.id() => {
                return no(
                    "the key before the present one still has access; try again once it has ended",
                );
            }
            Some(pending) if pending.successor != successor => {
                return no(
                    "another key is to be taken into use already: start the coordinator, and bring the \
                     newest copy of its saved keys",
                );
            }
            Some(_) | None => {}
        }
        node.keep_next_identity(next)?;
        let known = node.authority().nodes().contains_key(&successor);
        if let (false, Some(hub)) = (known, self.own_hub()) {
            let node = Fact::Node {
                hub,
                node: successor,
            };
            self.parts.authority.write(&[node])?;
        }
        Successions::read(node.folder())?.add(succession)?;
        node.take_up(succession)?;
        Ok(true)
    }

    /// Ends the key before this coordinator's present one, if that is not done, once nobody is known to
    /// hold more of it than is held here.
    ///
    /// # Errors
    /// [`OperationError`]; it is tried again.
    pub(crate) fn end_own_former(&self) -> Result<(), OperationError> {
        let (node, hub) = (&self.parts.node, self.own_hub());
        let succession = node.succession()?.filter(|it| it.successor == node.id());
        let (Some(_), Some(hub)) = (succession, hub) else {
            return Ok(());
        };
        // Others that were named and never taken into use end with it.
        let authority = node.authority();
        let nodes = authority.nodes().iter();
        let former = nodes
            .filter(|(id, it)| it.hub == hub && it.ended.is_none() && **id != node.id())
            .map(|(id, _)| *id);
        let former = former.collect::<Vec<_>>();
        if let Some(lacks) = self.gaps_of(&former)? {
            tracing::info!(%lacks, "the former key of the coordinator ends once what it wrote there is here");
            return Ok(());
        }
        for former in former {
            self.end_succeeded(former, hub)?;
        }
        Ok(node.former_ended()?)
    }

    /// A space where somebody is known to hold more than is held here of what these nodes wrote, or of
    /// what nobody here knows the author.
    fn gaps_of(&self, nodes: &[NodeId]) -> Result<Option<SpaceId>, OperationError> {
        if nodes.is_empty() {
            return Ok(None);
        }
        for peer in self.parts.node.peer_health()? {
            for gap in &peer.gaps {
                let author = self.parts.node.author_of(gap.space, gap.feed)?;
                if author.is_none_or(|author| nodes.contains(&author)) {
                    return Ok(Some(gap.space));
                }
            }
        }
        Ok(None)
    }

    /// Notes that a node, whose place another took, still has a session: once an hour is enough.
    fn note_once_an_hour(&self, former: NodeId, hub: HubId) -> Result<(), OperationError> {
        const HOUR_MS: u64 = 60 * 60 * 1000;
        let mut told = self
            .parts
            .told
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now_ms = now_ms();
        told.retain(|_, time_ms| time_ms.saturating_add(HOUR_MS) > now_ms);
        if told.insert(former, now_ms).is_some() {
            return Ok(());
        }
        let line = format!("node {former}, whose place another took, still has a session");
        self.note(Event::SuccessionRefused, Some(hub), line)
    }

    fn end_succeeded(&self, former: NodeId, hub: HubId) -> Result<(), OperationError> {
        let why = "another key took its place";
        let feeds = self.tips_of(former)?;
        let told = format!("the access of node {former} ended: {why}");
        self.note(Event::AccessChanged, Some(hub), told)?;
        self.cut(CutTarget::Node(former), why, feeds)
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
}
