//! A desk: what one person in one role sees and writes.

mod agreement;
mod around;
mod bring_in;
mod change;
mod duties;
mod earlier;
mod find;
mod needs;
mod policy;
mod report;
mod share;
mod take_out;
mod titles;
mod told;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use node_document::Document;
use node_domain::{COMMISSION, Check, Held, Kind, May, Object, Own, ROLES, Records, Role, Seen};
use serde_json::Value;
use time::Date;
use time::format_description::well_known::Iso8601;

pub use self::around::{DeskStatus, SetAsideTold, SpaceChoice};
pub use self::needs::{Need, NeedKind};
use super::day::today;
use super::{Found, RecordId, RecordsError, ShownRecord};
use crate::Node;

/// What a role may do at this node, for one person or body, on one day.
///
/// That somebody holds a role follows from the records where they can say so: a work group names
/// its leaders and those who take part, a strategic leadership group its members and chair with
/// their first and last day, and a commission the partner and what it delegates. Who holds no such
/// role by them reaches nothing. For every other role (see [`Held::Vouched`]) no record says who
/// holds it: whoever opens this node to somebody, who is the owner of its socket, vouches for role
/// and holder, and must have made sure of both before. Such a role needs no holder.
///
/// It is the one way to the records for whoever is not the owner of the socket: what is outside of
/// the role is refused here, with [`RecordsError::Role`].
#[derive(Debug, Clone)]
pub struct Desk {
    node: Node,
    role: &'static Role,
    holder: String,
    day: Date,
}

impl Node {
    /// The desk of whoever holds a role: the person's card, or the partner's record, by its id. It
    /// is judged by this node's own clock, so that a role that ends on a day ends without a network
    /// too.
    ///
    /// # Errors
    /// [`RecordsError::Refused`] if there is no such role, [`RecordsError::Missing`] if nobody has
    /// this id; without a holder, if records say who holds the role.
    pub fn desk(&self, role: &str, holder: &str) -> Result<Desk, RecordsError> {
        self.desk_on(role, holder, &today())
    }

    /// The same as it is on another day, such as `2027-08-31`.
    ///
    /// # Errors
    /// As for [`Node::desk`].
    pub fn desk_on(&self, role: &str, holder: &str, day: &str) -> Result<Desk, RecordsError> {
        let found = node_domain::role(role).ok_or_else(|| {
            let names = ROLES.iter().map(|role| role.name);
            let names = names.collect::<Vec<_>>().join(", ");
            RecordsError::Refused(if role.is_empty() {
                format!("a holder is named and no role; name one of the roles: {names}")
            } else {
                format!("there is no role \"{role}\"; the roles are {names}")
            })
        })?;
        if holder.is_empty() && found.held != Held::Vouched {
            return Err(RecordsError::Refused(format!(
                "whoever acts as \"{}\" is named by records, so the holder's card is needed",
                found.name
            )));
        }
        if !holder.is_empty() && !is_a_bodys(found) {
            self.find_record(holder)?;
        }
        let day = Date::parse(day, &Iso8601::DATE).map_err(|_| {
            RecordsError::Refused(format!("\"{day}\" is not a day such as 2026-11-24"))
        })?;
        Ok(Desk {
            node: self.clone(),
            role: found,
            holder: holder.to_owned(),
            day,
        })
    }
}

impl Desk {
    /// The role.
    pub const fn role(&self) -> &'static Role {
        self.role
    }

    /// The id of whoever holds it; empty where nobody is named.
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// The day on which the role is judged, such as `2026-11-24`.
    pub fn today(&self) -> String {
        self.day.to_string()
    }

    /// One record, with what the role sees of it.
    ///
    /// # Errors
    /// [`RecordsError::Role`] if the role does not see it.
    pub fn show(&self, id: &str, day: &str) -> Result<ShownRecord, RecordsError> {
        let Reached { kind, may, .. } = self.reached(id, &Known::default())?;
        let mut shown = self.node.show_record_on(id, day)?;
        if let Value::Object(fields) = std::mem::take(&mut shown.fields) {
            shown.fields = Value::Object(node_domain::visible(may, kind, fields));
        }
        if may.read != node_domain::Seen::All {
            shown.more = Value::Null;
            shown.problems.clear();
        }
        Ok(shown)
    }

    /// Whether all records of a kind that the role sees are the holder's own, such as the work
    /// groups of who leads some.
    pub fn sees_own_alone(&self, kind: &str) -> bool {
        let mut of_kind = self.role.with_kind(kind).peekable();
        of_kind.peek().is_some() && of_kind.all(|may| matches!(may.records, Records::Own(_)))
    }

    /// A record that the role reaches.
    fn reached(&self, id: &str, known: &Known) -> Result<Reached, RecordsError> {
        let found = self.node.find_record(id)?;
        let (kind, fields) = self.node.record_fields_in(found.space, found.id)?;
        let id = found.id.to_string();
        match self.may(&id, kind, &fields, known)? {
            Some(may) => Ok(Reached {
                found,
                kind,
                may,
                fields,
            }),
            None => Err(RecordsError::Role(format!(
                "the role \"{}\" does not reach this record on {}",
                self.role.name, self.day
            ))),
        }
    }

    /// What the role may do with a record.
    fn may(
        &self,
        id: &str,
        kind: &'static Kind,
        fields: &Object,
        known: &Known,
    ) -> Result<Option<&'static May>, RecordsError> {
        if !known.is_held(self)? {
            return Ok(None);
        }
        for may in self.role.with_kind(kind.name) {
            match may.records {
                Records::All => return Ok(Some(may)),
                Records::Own(places) => {
                    if self.owns(places, id, fields) {
                        return Ok(Some(may));
                    }
                }
                Records::Delegated => {
                    // Of several roles the widest counts, which stands first.
                    let delegated = known.delegated(self)?.get(id);
                    let roles = ROLES.iter().filter(|role| {
                        delegated.is_some_and(|delegated| delegated.contains(role.name))
                    });
                    let mut as_delegated = roles.flat_map(|role| role.with_kind(kind.name));
                    if let Some(may) = as_delegated.next() {
                        return Ok(Some(may));
                    }
                }
            }
        }
        Ok(None)
    }

    fn owns(&self, places: &[Own], id: &str, fields: &Object) -> bool {
        // A field that names nobody is nobody's.
        let mut places = places.iter().filter(|_| !self.holder.is_empty());
        places.any(|own| own.holds((id, fields), &self.holder, self.day))
    }

    /// Whether the holder has the role, where records of a kind say so.
    fn is_held(&self) -> Result<bool, RecordsError> {
        let kind = match self.role.held {
            Held::Vouched | Held::EachOwn => return Ok(true),
            Held::Named(kind) => kind,
        };
        let day = self.today();
        let held = self.node.remembered_of_kinds(
            &[kind],
            &["held", self.role.name, &self.holder, &day],
            |_| 8,
            || self.is_named_in(kind),
        )?;
        Ok(*held)
    }

    fn is_named_in(&self, kind: &str) -> Result<bool, RecordsError> {
        for may in self.role.with_kind(kind) {
            let Records::Own(places) = may.records else {
                continue;
            };
            for own in places {
                let Some(path) = own.paths().into_iter().next() else {
                    continue;
                };
                for record in self.node.naming(kind, &path, &self.holder)? {
                    let (_, fields) = self.node.record_fields_in(record.space, record.id)?;
                    if self.owns(places, &record.id.to_string(), &fields) {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// The work groups that commissions delegate to the holder today, with the roles in which.
    fn delegated(&self) -> Result<BTreeMap<String, BTreeSet<String>>, RecordsError> {
        let mut groups = BTreeMap::<String, BTreeSet<String>>::new();
        let (library, storage) = (&self.node.inner.library, &self.node.inner.storage);
        if self.holder.is_empty() {
            return Ok(groups);
        }
        let holder = self.node.find_record(&self.holder)?;
        let RecordId::Document(partner) = holder.id else {
            return Ok(groups);
        };
        let holds = |document: &mut Document| node_domain::holds_delegations(&document.view());
        if !library.with(storage, holder.space, partner, holds)? {
            return Ok(groups);
        }
        for record in self.node.naming(COMMISSION.name, "partner", &self.holder)? {
            let RecordId::Document(document) = record.id else {
                continue;
            };
            let (_, fields) = self.node.record_fields_in(record.space, record.id)?;
            if fields.get("partner").and_then(Value::as_str) != Some(self.holder.as_str()) {
                continue;
            }
            let work = |document: &mut Document| node_domain::delegations(&document.view());
            let delegations = library.with(storage, record.space, document, work)?;
            for it in delegations.into_iter().filter(|it| it.holds_on(self.day)) {
                groups.entry(it.group).or_default().insert(it.role);
            }
        }
        Ok(groups)
    }
}

/// What is looked up once for one answer, and only where it matters.
#[derive(Debug, Default)]
struct Known {
    held: OnceCell<bool>,
    delegated: OnceCell<BTreeMap<String, BTreeSet<String>>>,
}

impl Known {
    fn is_held(&self, desk: &Desk) -> Result<bool, RecordsError> {
        if let Some(held) = self.held.get() {
            return Ok(*held);
        }
        let held = desk.is_held()?;
        Ok(*self.held.get_or_init(|| held))
    }

    fn delegated(&self, desk: &Desk) -> Result<&BTreeMap<String, BTreeSet<String>>, RecordsError> {
        if let Some(delegated) = self.delegated.get() {
            return Ok(delegated);
        }
        let delegated = desk.delegated()?;
        Ok(self.delegated.get_or_init(|| delegated))
    }
}

/// A record that a role reaches, with all of its fields.
struct Reached {
    found: Found,
    kind: &'static Kind,
    may: &'static May,
    fields: Object,
}

impl Reached {
    /// Whether the role sees what stands at a path.
    fn reads(&self, path: &str) -> bool {
        node_domain::reads(self.may, self.kind, path)
    }
}

/// What a role may do with one record.
#[derive(Debug, Clone, Copy)]
pub struct Access {
    /// Its kind.
    pub kind: &'static Kind,
    /// What the role may do with it.
    pub may: &'static May,
    /// Whether it is this hub's own.
    pub own: bool,
    /// Whether the role publishes it.
    pub publishes: bool,
    /// Whether the role erases it.
    pub erases: bool,
}

impl Access {
    /// Whether the role sees a field: a field, `list/field`, or `list/item/field`.
    pub fn sees(&self, path: &str) -> bool {
        node_domain::reads(self.may, self.kind, path)
    }

    /// Whether the role writes a field: a field, `list/field`, or `list/item/field`; of a list,
    /// whether it adds items to it.
    pub fn writes(&self, path: &str) -> bool {
        node_domain::writes(self.may, self.kind, path)
    }

    /// Whether the role settles versions of a field. What is raised about several fields or
    /// records, such as `!two-marks`, is settled by those who write all of the record.
    pub fn settles(&self, path: &str) -> bool {
        settles(self.may, self.kind, path)
    }
}

fn settles(may: &May, kind: &Kind, path: &str) -> bool {
    if path.starts_with('!') {
        may.write == Seen::All
    } else {
        node_domain::writes(may, kind, path)
    }
}

/// Whether a role is held by a body, which records call by its name, and not by a record.
fn is_a_bodys(role: &Role) -> bool {
    let mut places = Vec::new();
    for may in role.may {
        if let Records::Own(own) = may.records {
            places.extend(own.iter().map(|own| (may.kind, *own)));
        }
    }
    let by_name = |(kind, own): &(&str, Own)| match own {
        Own::Field(name) => {
            let field = node_domain::kind(kind).and_then(|kind| kind.field(name));
            field.is_some_and(|field| !matches!(field.check, Check::Reference(_)))
        }
        Own::Itself | Own::Item { .. } => false,
    };
    !places.is_empty() && places.iter().all(by_name)
}
