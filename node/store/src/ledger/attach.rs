//! Putting new rows where they belong, and forking a feed for them.

use node_feed::{FeedName, Graft, Height, Opening, TreeFeed};

use super::hash_at;
use crate::StoreError;
use crate::shelf::{Row, Shelf};
use crate::writer_feeds::{Feed, WriterFeeds};

/// Stores `rows`, which are in order and start at the graft's `from`.
pub(super) fn attach(
    shelf: &mut impl Shelf,
    feeds: &mut WriterFeeds,
    graft: &Graft,
    rows: Vec<Row>,
    opening: Opening,
) -> Result<(), StoreError> {
    let name = match graft {
        Graft::Held => return Ok(()),
        Graft::Extend { feed, from } => {
            if !feeds.feeds.contains_key(feed) {
                create(shelf, feeds, *feed, None, *from, Some(opening))?;
            }
            *feed
        }
        Graft::Fork {
            trunk,
            moved,
            branch,
            from,
        } => {
            if let Some(moved) = moved {
                split(shelf, feeds, *trunk, *moved, *from)?;
            }
            create(shelf, feeds, *branch, Some(*trunk), *from, Some(opening))?;
            *branch
        }
    };
    let Some(feed) = feeds.feeds.get(&name).copied() else {
        return Ok(());
    };
    let left = shelf.has_evidence(feeds)?;
    for row in rows {
        let tip = row.height;
        // It may have been here before and left under another state of the authority log.
        if left {
            shelf.delete_evidence(feeds, tip.hash)?;
        }
        let is_behind = tip.number < feed.place.next();
        if is_behind && shelf.hash(feed.key, tip.number)?.is_some() {
            // What a checkpoint keeps came without one; runs end where they were signed to end.
            if row.proof.is_some() {
                shelf.set_proof(feed.key, tip.number, row.proof)?;
            }
            continue;
        }
        shelf.insert(feeds.space, feed.key, row)?;
        if !is_behind {
            feeds.set_tip(name, Some(tip));
        }
    }
    Ok(())
}

/// Ends `trunk` before `from`; what it holds from there on becomes the feed `moved`.
fn split(
    shelf: &mut impl Shelf,
    feeds: &mut WriterFeeds,
    trunk: FeedName,
    moved: FeedName,
    from: u64,
) -> Result<(), StoreError> {
    let Some(whole) = feeds.feeds.get(&trunk).copied() else {
        return Ok(());
    };
    let tip = match from.checked_sub(1) {
        Some(number) if number >= whole.place.start => {
            hash_at(shelf, feeds, trunk, number)?.map(|hash| Height { number, hash })
        }
        Some(_) | None => None,
    };
    create(shelf, feeds, moved, Some(trunk), from, whole.opening)?;
    feeds.set_tip(moved, whole.place.tip);
    feeds.hand_branches(trunk, moved);
    if let Some(feed) = feeds.feeds.get(&moved) {
        shelf.move_rows(whole.key, from, feed.key)?;
    }
    feeds.set_tip(trunk, tip);
    if tip.is_none()
        && let Some(trunk) = feeds.feeds.get_mut(&trunk)
    {
        trunk.opening = None;
    }
    Ok(())
}

fn create(
    shelf: &mut impl Shelf,
    feeds: &mut WriterFeeds,
    name: FeedName,
    parent: Option<FeedName>,
    start: u64,
    opening: Option<Opening>,
) -> Result<(), StoreError> {
    let key = shelf.create_feed(feeds, name, start)?;
    let place = TreeFeed {
        parent,
        start,
        tip: None,
        base: 0,
    };
    feeds.feeds.insert(
        name,
        Feed {
            key,
            place,
            opening,
        },
    );
    Ok(())
}
