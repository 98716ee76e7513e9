//! Taking records out: sheets, calendars, and everything of a hub in open formats.

use std::collections::BTreeMap;
use std::path::Path;

use node_document::Document;
use node_domain::{
    Calendar, CalendarEvent, Complete, CompleteRecord, KINDS, Kind as RecordKind, Object, Sheet,
};
use node_feed::{Hash, SpaceId, SpaceKind, Subject};
use node_store::{Disclosure, DisclosureAction};
use serde_json::{Value, json};
use time::format_description::well_known::Iso8601;
use time::{Date, OffsetDateTime, Time};

use super::change::new_id;
use super::day::today;
use super::find::Find;
use super::import::named;
use super::{Headway, RecordId, RecordsError, record_id, record_kind};
use crate::Node;
use crate::audit::TakenOut;
use crate::author::WriteError;
use crate::clock::now_ms;
use crate::folder::{FolderError, create_private, write_private};

impl Node {
    /// A list as a sheet: the records that `find` asks for, or the items of one of their lists.
    /// `format` is `csv` or `xlsx`.
    ///
    /// # Errors
    /// [`RecordsError`] if the kind, the list or the format does not exist.
    pub fn export_list(
        &self,
        find: &Find,
        list: &str,
        format: &str,
    ) -> Result<Vec<u8>, RecordsError> {
        let kind = record_kind(&find.kind)?;
        let mut rows = Vec::new();
        for record in self.find_records(find)?.records {
            let (_, fields) = self.record_fields_in(record.space, record.id)?;
            rows.push((record.id.to_string(), fields));
        }
        let count = rows.len();
        let sheet = sheet_of(kind, list, format, rows)?;
        let taken = TakenOut::of("list", count).kind(kind.name);
        self.inner.note_taken_out(&taken, None)?;
        Ok(sheet)
    }

    /// Sessions and meetings as an iCalendar file: of one record, or of all of this hub's.
    ///
    /// # Errors
    /// [`RecordsError::Missing`] if there is no such record.
    pub fn export_calendar(&self, id: &str) -> Result<Vec<u8>, RecordsError> {
        let mut found = Vec::new();
        if id.is_empty() {
            for kind in KINDS.iter().filter(|kind| kind.dated.is_some()) {
                found.extend(
                    self.list_records(kind.name, "")?
                        .into_iter()
                        .map(|it| (it.space, it.id)),
                );
            }
        } else {
            let one = self.find_record(id)?;
            found.push((one.space, one.id));
        }
        let taken = TakenOut::of("calendar", found.len());
        let calendar = self.calendar_of(found)?;
        self.inner.note_taken_out(&taken, None)?;
        Ok(calendar)
    }

    /// The calendar of records that were found.
    pub(crate) fn calendar_of(
        &self,
        found: Vec<(SpaceId, RecordId)>,
    ) -> Result<Vec<u8>, RecordsError> {
        let mut calendar = Calendar::new("Causeway");
        for (space, id) in found {
            let RecordId::Document(document) = id else {
                continue;
            };
            let work = |document: &mut Document| {
                let view = document.view();
                let kind = node_domain::kind_of(&view).ok()?;
                Some(node_domain::dated_items(&view, kind))
            };
            let (library, storage) = (&self.inner.library, &self.inner.storage);
            let Some(items) = library.with(storage, space, document, work)? else {
                continue;
            };
            for item in items {
                let Ok(date) = Date::parse(&item.date, &Iso8601::DATE) else {
                    continue;
                };
                let undecided = item.versions > 1;
                calendar.add(CalendarEvent {
                    uid: format!("{}-{document}@causeway", item.item),
                    title: item.title,
                    date,
                    start: item.start.as_deref().and_then(time_of),
                    minutes: item.minutes.and_then(|minutes| u32::try_from(minutes).ok()),
                    venue: item.venue,
                    description: if undecided {
                        "Two dates stand for this; it is not decided yet.".to_owned()
                    } else {
                        String::new()
                    },
                    tentative: undecided,
                    cancelled: item.cancelled,
                    sequence: u32::try_from(item.changes).unwrap_or(u32::MAX),
                });
            }
        }
        Ok(calendar.write(now()))
    }

    /// Writes everything that this hub owns, current fields of every record, into a new folder: one
    /// JSON Lines file a kind, the same as CSV to read along, and a manifest with counts and
    /// hashes.
    ///
    /// # Errors
    /// [`RecordsError::Refused`] if the folder exists or cannot be written.
    pub fn export_hub(&self, path: &Path) -> Result<Value, RecordsError> {
        self.export_hub_with(path, &Headway::default())
    }

    /// The same for somebody who looks how far it has come. Stopped, it writes nothing.
    ///
    /// # Errors
    /// As for [`Node::export_hub`]; [`RecordsError::Refused`] if it was stopped.
    pub fn export_hub_with(&self, path: &Path, headway: &Headway) -> Result<Value, RecordsError> {
        self.export_hub_as(path, headway, None)
    }

    /// The same for somebody in a role.
    pub(crate) fn export_hub_as(
        &self,
        path: &Path,
        headway: &Headway,
        role: Option<&str>,
    ) -> Result<Value, RecordsError> {
        let authority = self.authority();
        let mut records = Vec::new();
        let listed = self.list_records("", "")?;
        let total = listed.len();
        for (at, record) in listed.into_iter().enumerate() {
            headway.at("records", at, total);
            if headway.is_stopped() {
                return Err(RecordsError::Refused(
                    "the export was stopped, and nothing of it was kept".to_owned(),
                ));
            }
            if Some(record.id.subject().owner()) != self.hub() {
                continue;
            }
            let space = authority.spaces().get(&record.space);
            let (_, fields) = self.record_fields_in(record.space, record.id)?;
            let (heads, versions) = self.open_at(record.space, record.id)?;
            records.push(CompleteRecord {
                id: record.id.to_string(),
                kind: record.kind,
                space_kind: space.map_or("", |space| space.kind.name()).to_owned(),
                fields,
                heads,
                versions,
            });
        }
        let complete = Complete::new(&records, &self.own_code(), &today());
        let failed = |error: FolderError| RecordsError::Refused(error.to_string());
        self.inner
            .note_taken_out(&TakenOut::of("hub", records.len()), role)?;
        create_private(path).map_err(failed)?;
        for (name, bytes) in &complete.files {
            write_private(&path.join(name), bytes).map_err(failed)?;
        }
        for kind in KINDS {
            let rows = records.iter().filter(|record| record.kind == kind.name);
            let rows = rows.map(|record| (record.id.clone(), record.fields.clone()));
            let rows = rows.collect::<Vec<_>>();
            if !rows.is_empty() {
                let sheet = node_domain::list_sheet(kind, rows);
                let file = path.join(format!("{}.csv", kind.name));
                write_private(&file, &sheet.write_csv()).map_err(failed)?;
            }
        }
        self.inner.storage.add_disclosure(&Disclosure {
            time_ms: now_ms(),
            space: self.own_space().unwrap_or(SpaceId::from_bytes([0; 16])),
            subject: Subject::NONE,
            copy: None,
            action: DisclosureAction::Exported,
            by: "the hub, complete".to_owned(),
            readers: Vec::new(),
            fields: complete.files.keys().cloned().collect(),
            digest: Hash::ZERO,
        })?;
        Ok(json!(complete.manifest))
    }

    /// Where a document stands, and how many of its fields stand in versions.
    fn open_at(&self, space: SpaceId, id: RecordId) -> Result<(String, usize), RecordsError> {
        let RecordId::Document(document) = id else {
            return Ok((String::new(), 0));
        };
        let work = |document: &mut Document| {
            let kind = node_domain::kind_of(&document.view()).ok();
            let open = kind.map_or(0, |kind| node_domain::version_counts(document, kind).open);
            (document.heads().to_string(), open)
        };
        let (library, storage) = (&self.inner.library, &self.inner.storage);
        Ok(library.with(storage, space, document, work)?)
    }

    /// Brings a hub's complete export into this node, which holds no records of its own yet. What
    /// stood in shared spaces is not made again, and told: those who share it hold it.
    ///
    /// # Errors
    /// [`RecordsError::Refused`] if the export is damaged or this node holds records; nothing was
    /// imported then.
    pub fn import_hub(&self, path: &Path) -> Result<Value, RecordsError> {
        let own = self.own_space()?;
        if !self.list_records("", &own.to_string())?.is_empty() {
            return Err(RecordsError::Refused(
                "this node holds records already; a complete export goes into a new node"
                    .to_owned(),
            ));
        }
        let complete = Complete::read(&files_of(path)?);
        if !complete.damaged.is_empty() {
            let damaged = complete.damaged.iter().map(ToString::to_string);
            return Err(RecordsError::Refused(format!(
                "the export is damaged, and nothing was imported: {}",
                damaged.collect::<Vec<_>>().join("; ")
            )));
        }
        let hub = self.hub().ok_or(WriteError::NoAccess)?;
        let (records, left) = complete
            .records
            .iter()
            .partition::<Vec<_>, _>(|record| record.space_kind == SpaceKind::Hub.name());
        let known = records
            .iter()
            .filter_map(|record| Some((*record, record_kind(&record.kind).ok()?)));
        let known = known.collect::<Vec<_>>();
        let newer = records
            .iter()
            .filter(|record| record_kind(&record.kind).is_err());
        let newer = newer.map(|record| {
            json!({
                "record": record.id, "kind": record.kind,
                "told": "is of a kind that this version does not know; import it with a newer one",
            })
        });
        let newer = newer.collect::<Vec<_>>();
        // Every record has its id before the first is made, so that references may go round. A
        // hub's own records keep theirs, by which their published copies know them.
        let ids = known.iter().map(|(record, kind)| {
            let subject = record.id.parse::<Subject>().ok();
            let own = subject.filter(|subject| subject.owner() == hub);
            own.and_then(|subject| record_id(kind.name, subject).ok())
                .unwrap_or_else(|| new_id(hub, kind))
        });
        let ids = ids.collect::<Vec<_>>();
        let records = known;
        let names = records.iter().zip(&ids);
        let names = names.map(|((record, _), id)| (record.id.clone(), id.to_string()));
        let names = names.collect::<BTreeMap<_, _>>();
        let mut made = Vec::new();
        for ((record, kind), id) in records.iter().zip(&ids) {
            let Value::Object(fields) = named(&Value::Object(record.fields.clone()), &names) else {
                continue;
            };
            if let Err(error) = self.recreate(own, *id, kind, &fields) {
                // Half an import would stand in the way of the next.
                for made in made.chunks(node_feed::ERASE_IDS_MAX) {
                    self.erase(&made.iter().map(String::as_str).collect::<Vec<_>>())?;
                }
                return Err(error);
            }
            made.push(id.to_string());
        }
        let left = left.iter().map(|record| {
            json!({
                "record": record.id, "kind": record.kind,
                "told": "stood in a shared space: those who share it hold it, and in another \
                         network it has to be published anew",
            })
        });
        let left = left.chain(newer).collect::<Vec<_>>();
        Ok(json!({
            "made": records.len(), "left": left, "other_declarations": complete.other_schema,
        }))
    }

    fn recreate(
        &self,
        space: SpaceId,
        id: RecordId,
        kind: &'static RecordKind,
        fields: &Object,
    ) -> Result<(), RecordsError> {
        match id {
            RecordId::Document(document) => {
                self.change_document(space, document, true, |document, by| {
                    node_domain::recreate(document, kind, fields, by)
                })?;
            }
            RecordId::Card(_) => {
                self.create_as(kind, space, id, fields, true)?;
            }
        }
        Ok(())
    }
}

fn write(sheet: &Sheet, title: &str, format: &str) -> Result<Vec<u8>, RecordsError> {
    match format {
        "csv" | "" => Ok(sheet.write_csv()),
        "xlsx" => sheet
            .write_xlsx(title)
            .map_err(|error| RecordsError::Refused(error.to_string())),
        other => Err(RecordsError::Refused(format!(
            "\"{other}\" is no format of sheets: name the file .csv or .xlsx"
        ))),
    }
}

/// Records, or the items of one of their lists, as a sheet.
pub(crate) fn sheet_of(
    kind: &RecordKind,
    list: &str,
    format: &str,
    rows: Vec<(String, Object)>,
) -> Result<Vec<u8>, RecordsError> {
    let sheet = if list.is_empty() {
        node_domain::list_sheet(kind, rows)
    } else {
        let field = kind.field(list).filter(|field| field.items().is_some());
        let field = field.ok_or_else(|| {
            let kind = kind.title.to_lowercase();
            RecordsError::Refused(format!("a {kind} has no list \"{list}\""))
        })?;
        node_domain::items_sheet(kind, field, rows)
    };
    write(&sheet, kind.titles, format)
}

fn now() -> OffsetDateTime {
    let seconds = i64::try_from(now_ms() / 1_000).unwrap_or_default();
    OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

fn time_of(text: &str) -> Option<Time> {
    let (hours, minutes) = text.split_once(':')?;
    Time::from_hms(hours.parse().ok()?, minutes.parse().ok()?, 0).ok()
}

/// The files of a complete export by name; sheets that stand there to be read along are none.
fn files_of(path: &Path) -> Result<BTreeMap<String, Vec<u8>>, RecordsError> {
    let read = || {
        let mut files = BTreeMap::new();
        for entry in std::fs::read_dir(path)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.ends_with(".csv") {
                    continue;
                }
                files.insert(name, std::fs::read(entry.path())?);
            }
        }
        Ok::<_, std::io::Error>(files)
    };
    read().map_err(|error| {
        RecordsError::Refused(format!("{} cannot be read: {error}", path.display()))
    })
}
