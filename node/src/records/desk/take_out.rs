//! Sheets and calendars, made from what a desk sees.

use node_domain::{KINDS, Kind, May};

use super::{Desk, Known};
use crate::audit::TakenOut;
use crate::records::export::sheet_of;
use crate::records::find::Find;
use crate::records::{RecordsError, record_kind};

impl Desk {
    /// A list as a sheet, made from what the role sees: as
    /// [`Node::export_list`](crate::Node::export_list).
    ///
    /// # Errors
    /// As for [`Desk::find`] and [`Node::export_list`](crate::Node::export_list).
    pub fn export_list(
        &self,
        find: &Find,
        list: &str,
        format: &str,
    ) -> Result<Vec<u8>, RecordsError> {
        let kind = record_kind(&find.kind)?;
        let rows = self.read(find)?;
        let taken = TakenOut::of("list", rows.len()).kind(kind.name);
        let sheet = sheet_of(kind, list, format, rows)?;
        self.note_taken_out(&taken)?;
        Ok(sheet)
    }

    /// Sessions and meetings of the records that the role sees, as
    /// [`Node::export_calendar`](crate::Node::export_calendar).
    ///
    /// # Errors
    /// [`RecordsError::Role`] if the role does not see the record, or when it meets.
    pub fn export_calendar(&self, id: &str) -> Result<Vec<u8>, RecordsError> {
        if !id.is_empty() {
            let reached = self.reached(id, &Known::default())?;
            if reached.kind.dated.is_some() && !shows_dates(reached.may, reached.kind) {
                return Err(self.does_not_see("when this record meets"));
            }
            let found = reached.found;
            let calendar = self.node.calendar_of(vec![(found.space, found.id)])?;
            self.note_taken_out(&TakenOut::of("calendar", 1))?;
            return Ok(calendar);
        }
        let known = Known::default();
        let mut found = Vec::new();
        for kind in KINDS.iter().filter(|kind| kind.dated.is_some()) {
            if self.role.with_kind(kind.name).next().is_none() || !known.is_held(self)? {
                continue;
            }
            let among = self.candidates(kind.name, &known)?;
            for record in self.node.list_records(kind.name, "")? {
                let id = record.id.to_string();
                if among.as_ref().is_some_and(|among| !among.contains(&id)) {
                    continue;
                }
                let (kind, fields) = self.node.record_fields_in(record.space, record.id)?;
                if let Some(may) = self.may(&id, kind, &fields, &known)?
                    && shows_dates(may, kind)
                {
                    found.push((record.space, record.id));
                }
            }
        }
        let taken = TakenOut::of("calendar", found.len());
        let calendar = self.node.calendar_of(found)?;
        self.note_taken_out(&taken)?;
        Ok(calendar)
    }

    /// Notes durably, before anybody has it, that something was taken out.
    pub(super) fn note_taken_out(&self, taken: &TakenOut) -> Result<(), RecordsError> {
        let role = Some(self.role.name);
        Ok(self.node.inner.note_taken_out(taken, role)?)
    }
}

fn shows_dates(may: &May, kind: &Kind) -> bool {
    kind.dated.is_some_and(|dated| {
        let names = [dated.date, dated.start, dated.venue, dated.state];
        let mut paths = names.iter().map(|name| format!("{}/{name}", dated.list));
        node_domain::reads(may, kind, kind.title_field)
            && paths.all(|path| node_domain::reads(may, kind, &path))
    })
}
