//! A school as the register knows it.

use serde_json::Value as Json;

use super::columns::{Record, shortened};
use super::meaning;
use crate::Object;
use crate::schools::KnownSchool;

const NAME_CHARS_MAX: usize = 200;

/// A school of the national register. Texts that the register leaves empty are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct School {
    /// The number that is the school's as long as it exists.
    pub urn: String,
    /// Its name.
    pub name: String,
    /// `school`, `college`, `university` or `other`, as an organisation's kind.
    pub kind: &'static str,
    /// `early years`, `primary`, `secondary`, `post-16` or `all`; empty when neither the
    /// register's phase nor the pupils' ages tell.
    pub phase: &'static str,
    /// The type in the register's words.
    pub type_name: String,
    /// `open`, `proposed to open`, `proposed to close` or `closed`; empty when not said.
    pub status: &'static str,
    /// The ISO date.
    pub opened: String,
    /// The ISO date.
    pub closed: String,
    /// The council area's name.
    pub local_authority: String,
    /// The council area's number.
    pub local_authority_code: String,
    /// The town.
    pub place: String,
    /// The postcode.
    pub postcode: String,
    /// The region.
    pub region: String,
    /// The trust that runs it.
    pub trust: String,
    /// Metres east on the national grid.
    pub easting: Option<u32>,
    /// Metres north on the national grid.
    pub northing: Option<u32>,
    /// Numbers of the schools that came after it.
    pub successors: Vec<String>,
    /// Numbers of the schools that it came after.
    pub predecessors: Vec<String>,
}

impl School {
    /// The fields of an organisation's record, without those that are empty.
    pub fn fields(&self) -> Object {
        let successors = self.successors.join(" ");
        let predecessors = self.predecessors.join(" ");
        let fields = [
            ("name", self.name.as_str()),
            ("urn", &self.urn),
            ("kind", self.kind),
            ("phase", self.phase),
            ("type", &self.type_name),
            ("status", self.status),
            ("opened", &self.opened),
            ("closed", &self.closed),
            ("local_authority", &self.local_authority),
            ("place", &self.place),
            ("postcode", &self.postcode),
            ("successor", &successors),
            ("predecessor", &predecessors),
            ("trust", &self.trust),
            ("region", &self.region),
        ];
        let filled = fields.into_iter().filter(|(_, text)| !text.is_empty());
        filled
            .map(|(name, text)| (name.to_owned(), Json::from(text)))
            .collect()
    }

    /// Reads a row: the school, and what of it could not be read; or why there is none.
    pub(super) fn from_record(record: &Record<'_>) -> Result<(Self, Vec<String>), String> {
        let urn = record.urn("URN")?;
        let mut notes = Vec::new();
        let name = record.text("EstablishmentName");
        if name.is_empty() {
            return Err(format!("URN {urn} has no name"));
        }
        if name.chars().count() > NAME_CHARS_MAX {
            return Err(format!("URN {urn} has a name of more than 200 characters"));
        }
        let status = record.text("EstablishmentStatus (name)");
        let status = meaning::status(&status)
            .ok_or_else(|| format!("URN {urn} has the status '{}'", shortened(&status)))?;
        let mut read = Reading {
            record,
            urn: &urn,
            notes: &mut notes,
        };
        let type_name = read.text("TypeOfEstablishment (name)", 100);
        let group = read.text("EstablishmentTypeGroup (name)", 100);
        let phase = read.text("PhaseOfEducation (name)", 100);
        let ages = (
            read.number("StatutoryLowAge"),
            read.number("StatutoryHighAge"),
        );
        let school = Self {
            name,
            kind: meaning::kind(&group, &type_name),
            phase: meaning::phase(&phase, ages, &type_name),
            status,
            opened: read.date("OpenDate"),
            closed: read.date("CloseDate"),
            local_authority: read.text("LA (name)", 100),
            local_authority_code: read.text("LA (code)", 10),
            place: read.text("Town", 100),
            postcode: read.text("Postcode", 10),
            region: meaning::filled(read.text("GOR (name)", 60)),
            trust: meaning::filled(read.text("Trusts (name)", 200)),
            easting: read.number("Easting"),
            northing: read.number("Northing"),
            type_name,
            urn: urn.clone(),
            ..Self::default()
        };
        Ok((school, notes))
    }
}

impl From<&School> for KnownSchool {
    /// The school to be matched, with its number for an id.
    fn from(school: &School) -> Self {
        Self {
            id: school.urn.clone(),
            urn: school.urn.clone(),
            name: school.name.clone(),
            place: school.place.clone(),
            postcode: school.postcode.clone(),
            local_authority: school.local_authority.clone(),
            open: school.status != "closed",
            successor: school.successors.first().cloned(),
        }
    }
}

/// Reads cells that a school can be without: what is wrong with one is noted, and it is left out.
struct Reading<'a> {
    record: &'a Record<'a>,
    urn: &'a str,
    notes: &'a mut Vec<String>,
}

impl Reading<'_> {
    fn text(&mut self, column: &str, chars_max: usize) -> String {
        let text = self.record.text(column);
        if text.chars().count() > chars_max {
            return self.leave_out(column, &text);
        }
        text
    }

    fn date(&mut self, column: &str) -> String {
        let text = self.record.text(column);
        match meaning::iso_date(&text) {
            Some(date) => date,
            None => self.leave_out(column, &text),
        }
    }

    fn number(&mut self, column: &str) -> Option<u32> {
        let text = self.record.text(column);
        if text.is_empty() {
            return None;
        }
        let number = text.parse().ok();
        if number.is_none() {
            self.leave_out(column, &text);
        }
        number
    }

    fn leave_out(&mut self, column: &str, text: &str) -> String {
        self.notes.push(format!(
            "URN {} has '{}' as its {column}, which is left out",
            self.urn,
            shortened(text)
        ));
        String::new()
    }
}
