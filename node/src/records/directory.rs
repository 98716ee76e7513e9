//! The directory of leaders: published cards with days that can be asked for.

use node_domain::{LEADER, LEADER_DAYS};
use node_feed::SpaceKind;
use serde_json::{Value, json};

use super::{Find, RecordsError};
use crate::Node;

impl Node {
    /// The leaders whose published cards hold these words and who have at least so many days free
    /// in one offer that stands, each with those offers. A request is added to an offer.
    ///
    /// # Errors
    /// [`RecordsError::Store`].
    pub fn directory(&self, words: &str, days: u64) -> Result<Vec<Value>, RecordsError> {
        let cards = self.find_records(&Find {
            kind: LEADER.name.to_owned(),
            words: words.to_owned(),
            ..Find::default()
        })?;
        let authority = self.authority();
        let mut leaders = Vec::new();
        for card in cards.records {
            let space = authority.spaces().get(&card.space);
            if space.is_none_or(|space| space.kind != SpaceKind::Network) {
                continue;
            }
            let offers = self.find_records(&Find {
                kind: LEADER_DAYS.name.to_owned(),
                filters: vec![
                    format!("leader is {}", card.id),
                    "offer is open".to_owned(),
                    format!("days at least {}", days.max(1)),
                ],
                ..Find::default()
            })?;
            let mut offered = Vec::new();
            for offer in offers.records {
                // Nobody else offers a leader's days than the leader's own hub.
                if offer.id.subject().owner() != card.id.subject().owner() {
                    continue;
                }
                let fields = self.readable(offer.space, offer.id)?.unwrap_or_default();
                offered.push(json!({
                    "record": offer.id.to_string(), "title": offer.title,
                    "term": fields.get("term"), "days": fields.get("days"),
                }));
            }
            if !offered.is_empty() {
                let fields = self.readable(card.space, card.id)?.unwrap_or_default();
                leaders.push(json!({
                    "leader": card.id.to_string(), "name": card.title,
                    "hub": self.hub_code(card.id.subject().owner()), "card": fields,
                    "offers": offered,
                }));
            }
        }
        Ok(leaders)
    }
}
