//! A record as a page has it: what it says, what the role may do, and what all in it is called.

use maud::{Markup, html};
use node_domain::{Field, Kind, Merge, Object, Section};
use node_feed::SpaceKind;
use serde_json::Value;

use super::{Names, record_path};
use crate::records::{Access, Concerning, Desk, RecordsError, ShownRecord, SpaceChoice};
use crate::web::{parts, words};

/// A record with all that its pages need.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: &'static Kind,
    /// Its fields, as far as the role sees them.
    pub fields: Object,
    /// What it was read at: forms carry it.
    pub heads: String,
    /// Marks, problems, copies.
    pub shown: ShownRecord,
    /// What the role may do.
    pub access: Access,
    /// What all in it is called.
    pub names: Names,
    /// Where it stands, if it is known here.
    pub space: Option<SpaceChoice>,
    /// The names of those with whom it is shared, this hub left out.
    pub shared_with: Vec<String>,
    /// How many of its fields stand in two versions.
    pub open_versions: usize,
}

impl Opened {
    /// Opens a record.
    ///
    /// # Errors
    /// [`RecordsError::Role`] if the role does not see it.
    pub fn open(desk: &Desk, id: &str) -> Result<Self, RecordsError> {
        let access = desk.access(id)?;
        let mut shown = desk.show(id, "")?;
        let fields = match std::mem::take(&mut shown.fields) {
            Value::Object(fields) => fields,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Object::new(),
        };
        let names = Names::of(desk, access.kind, &fields)?;
        let space = desk.space(&shown.space.to_string()).ok();
        let own = desk.own_hub();
        let members = space.iter().flat_map(|space| &space.members);
        let others = members.filter(|code| **code != own);
        let shared_with = others.map(|code| desk.hub_name(code)).collect();
        let open = desk.versions(id, &Concerning::default())?;
        Ok(Self {
            id: id.to_owned(),
            kind: access.kind,
            heads: shown.heads.clone(),
            fields,
            shown,
            access,
            names,
            space,
            shared_with,
            open_versions: open.versions.len(),
        })
    }

    /// What people call it.
    pub fn title(&self) -> String {
        let title = node_domain::title(self.kind, &self.fields);
        if title.is_empty() {
            return format!("{} without a name", self.kind.title);
        }
        title
    }

    /// Its address.
    pub fn path(&self) -> String {
        record_path(self.kind, &self.id)
    }

    /// A field's value; null if there is none.
    pub fn value(&self, name: &str) -> &Value {
        self.fields.get(name).unwrap_or(&Value::Null)
    }

    /// A field's value in words.
    pub fn words(&self, name: &str) -> String {
        let field = self.kind.field(name);
        field.map_or_else(String::new, |field| {
            super::words_of(field, self.value(name), &self.names)
        })
    }

    /// The items of a list or log, in its order.
    pub fn items(&self, list: &str) -> Vec<&Object> {
        let items = self.value(list).as_array();
        let items = items.into_iter().flatten();
        items.filter_map(Value::as_object).collect()
    }

    /// The item with this id.
    pub fn item(&self, list: &str, id: &str) -> Option<&Object> {
        let mut items = self.items(list).into_iter();
        items.find(|item| item.get("id").and_then(Value::as_str) == Some(id))
    }

    /// Whether the role fills a plain field in, here.
    pub fn writes(&self, field: &Field) -> bool {
        let by_person = field.filled == node_domain::Filled::ByPerson;
        let mine = !field.owner_only || self.access.own;
        by_person && mine && self.may_write_here() && self.access.writes(field.name)
    }

    /// Whether the role adds items to a list or log, here.
    pub fn writes_items(&self, list: &Field) -> bool {
        self.writes(list)
    }

    /// Whether the role changes any plain field of a section.
    pub fn writes_section(&self, section: &Section) -> bool {
        let mut fields = section
            .fields
            .iter()
            .filter_map(|name| self.kind.field(name));
        fields.any(|field| self.writes(field))
    }

    fn may_write_here(&self) -> bool {
        let space = self.space.as_ref().is_some_and(|space| space.may_write);
        space && (self.access.own || self.kind.writers == node_feed::Writers::Members)
    }
}

/// What stands below a record's heading: its marks, who sees it, what is wrong, and whether anything
/// stands in two versions. The part with the marks is renewed live from `live`.
pub fn about(record: &Opened, live: &str) -> Markup {
    let path = record.path();
    html! {
        div data-live=(live) {
            (marks_of(record))
        }
        @if record.open_versions > 0 {
            div.note.note-warning {
                p.note-title {
                    (words::counted(record.open_versions as u64, "thing here stands", "things here stand"))
                    " in two versions"
                }
                p {
                    "Somebody has to choose. Until then the page shows one of them, and nothing is lost. "
                    a href={ "/versions/" (record.id) } { "Look at both and choose" }
                }
            }
        }
        @if !record.shown.problems.is_empty() {
            div.note.note-warning {
                p.note-title { "Something here is not as it should be" }
                ul {
                    @for problem in &record.shown.problems { li { (problem.message) } }
                }
            }
        }
        p.soft {
            (shared(record)) " "
            a href={ (path) "/history" } { "History" }
            @if record.access.publishes && !record.kind.publishing.is_empty() {
                " · " a href={ (path) "/share" } { "Share" }
            }
        }
    }
}

/// The state in which the record stands, as a tag beside its title; nothing if its kind has none.
pub fn title_tag(record: &Opened) -> Markup {
    let states = record.kind.fields.iter();
    let mut states = states.filter(|field| matches!(field.merge, Merge::State(_)));
    let state = states.next().filter(|field| record.access.sees(field.name));
    let state = state.and_then(|field| record.value(field.name).as_str());
    html! {
        @if let Some(state) = state { " " (super::state_tag(state)) }
    }
}

/// The marks alone, as they are asked for live.
pub fn marks_of(record: &Opened) -> Markup {
    html! { p { (parts::marks(&record.shown.marks)) } }
}

fn shared(record: &Opened) -> String {
    let Some(space) = &record.space else {
        return "Who sees this is not known here.".to_owned();
    };
    match (space.kind, record.shared_with.as_slice()) {
        (SpaceKind::Network, _) => "Shared with every hub and NCETM.".to_owned(),
        (_, []) => "Shared with nobody: it stays in this hub.".to_owned(),
        (_, hubs) if hubs.len() <= 4 => format!("Shared with {}.", words::listed(hubs)),
        (_, hubs) => format!("Shared with {} hubs: {}.", hubs.len(), space.title),
    }
}
