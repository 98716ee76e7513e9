//! A hub's records complete: a file of JSON lines for each kind, and a manifest.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use super::manifest::{Manifest, ManifestFile};
use crate::Object;
use crate::schema::schema_version;

/// A record of a complete export.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompleteRecord {
    /// Its id.
    pub id: String,
    /// The name of its kind.
    pub kind: String,
    /// The kind of space in which it stands.
    pub space_kind: String,
    /// Its fields, as [`read`](crate::read) gives them, or as its card holds them.
    pub fields: Object,
    /// The state of its document that was exported; empty for a card.
    #[serde(default)]
    pub heads: String,
    /// How many of its fields have versions that a person has not settled.
    #[serde(default)]
    pub versions: usize,
}

/// A complete export of a hub.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Complete {
    /// Its files by name, the manifest among them.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What it holds.
    pub manifest: Manifest,
}

/// What could be read of a complete export.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompleteRead {
    /// What it says of itself; empty if the manifest cannot be read.
    pub manifest: Manifest,
    /// The records that are whole.
    pub records: Vec<CompleteRecord>,
    /// What is damaged or missing, by name.
    pub damaged: Vec<CompleteDamage>,
    /// Whether it was written by other declarations than these.
    pub other_schema: bool,
}

/// Something of a complete export that is damaged or missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{file}{}: {reason}", .line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct CompleteDamage {
    /// The file.
    pub file: String,
    /// The line, counted from 1, if it is one line that is damaged.
    pub line: Option<usize>,
    /// What is wrong with it.
    pub reason: String,
}

impl Complete {
    /// An export of these records of a hub.
    pub fn new(records: &[CompleteRecord], hub: &str, made: &str) -> Self {
        let mut by_file = BTreeMap::<String, Vec<&CompleteRecord>>::new();
        for record in records {
            by_file
                .entry(file_name(&record.kind))
                .or_default()
                .push(record);
        }
        let mut complete = Self {
            files: BTreeMap::new(),
            manifest: Manifest {
                format: Manifest::FORMAT.to_owned(),
                schema: schema_version(),
                made: made.to_owned(),
                hub: hub.to_owned(),
                files: Vec::new(),
            },
        };
        for (name, records) in by_file {
            let bytes = write_jsonl(records.iter().copied());
            complete.manifest.files.push(ManifestFile {
                name: name.clone(),
                kind: records
                    .first()
                    .map(|record| record.kind.clone())
                    .unwrap_or_default(),
                records: records.len(),
                bytes: bytes.len(),
                blake3: blake3::hash(&bytes).to_hex().to_string(),
            });
            complete.files.insert(name, bytes);
        }
        let manifest = serde_json::to_vec_pretty(&complete.manifest).unwrap_or_default();
        complete.files.insert(Manifest::NAME.to_owned(), manifest);
        complete
    }

    /// Reads an export from its files by name. Whatever is damaged is told by name, and everything
    /// that is whole is there.
    pub fn read(files: &BTreeMap<String, Vec<u8>>) -> CompleteRead {
        let mut found = CompleteRead::default();
        let manifest = files.get(Manifest::NAME).ok_or("it is missing".to_owned());
        let manifest = manifest.and_then(|bytes| {
            serde_json::from_slice::<Manifest>(bytes)
                .map_err(|error| format!("it cannot be read ({error})"))
        });
        match manifest {
            Ok(manifest) if manifest.format == Manifest::FORMAT => found.manifest = manifest,
            Ok(manifest) => {
                let reason = format!(
                    "its format is '{}', and this version reads '{}' alone",
                    manifest.format,
                    Manifest::FORMAT
                );
                found.note(Manifest::NAME, reason);
                return found;
            }
            Err(reason) => found.note(Manifest::NAME, reason),
        }
        found.other_schema = found.manifest.schema != schema_version();
        found.read_files(files);
        found
    }
}

impl CompleteRead {
    fn read_files(&mut self, files: &BTreeMap<String, Vec<u8>>) {
        let listed = self.manifest.files.clone();
        for file in &listed {
            let Some(bytes) = files.get(&file.name) else {
                let reason = format!("it is missing, and {} records with it", file.records);
                self.note(&file.name, reason);
                continue;
            };
            let (records, damaged) = read_jsonl(&file.name, bytes);
            if blake3::hash(bytes).to_hex().as_str() != file.blake3 {
                let reason = format!(
                    "it is not as it was written: {} of {} records in it are whole",
                    records.len(),
                    file.records
                );
                self.note(&file.name, reason);
            }
            self.damaged.extend(damaged);
            self.records.extend(records);
        }
        let known = listed.iter().map(|file| file.name.as_str());
        let known = known.chain([Manifest::NAME]).collect::<BTreeSet<_>>();
        for (name, bytes) in files
            .iter()
            .filter(|(name, _)| !known.contains(name.as_str()))
        {
            // Without a manifest the lines must speak for themselves.
            if listed.is_empty() && name.ends_with(".jsonl") {
                let (records, damaged) = read_jsonl(name, bytes);
                self.damaged.extend(damaged);
                self.records.extend(records);
            } else {
                self.note(
                    name,
                    "it does not belong to the export, and was left out".to_owned(),
                );
            }
        }
        let mut seen = BTreeSet::new();
        let mut twice = Vec::new();
        self.records.retain(|record| {
            let first = seen.insert(record.id.clone());
            if !first {
                twice.push((file_name(&record.kind), record.id.clone()));
            }
            first
        });
        for (file, id) in twice {
            self.note(
                &file,
                format!("record {id} stands in it twice, and was read once"),
            );
        }
    }

    fn note(&mut self, file: &str, reason: String) {
        self.damaged.push(CompleteDamage {
            file: file.to_owned(),
            line: None,
            reason,
        });
    }
}

/// Records as lines, each with its own hash.
pub fn write_jsonl<'a>(records: impl IntoIterator<Item = &'a CompleteRecord>) -> Vec<u8> {
    let mut lines = Vec::new();
    for record in records {
        let record = serde_json::to_value(record).unwrap_or_default();
        let hash = hash(&record);
        lines.extend(
            json!({ "blake3": hash, "record": record })
                .to_string()
                .into_bytes(),
        );
        lines.push(b'\n');
    }
    lines
}

/// Reads lines of records; a line that is damaged hinders no other.
pub fn read_jsonl(file: &str, bytes: &[u8]) -> (Vec<CompleteRecord>, Vec<CompleteDamage>) {
    let mut records = Vec::new();
    let mut damaged = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match read_line(line) {
            Ok(record) => records.push(record),
            Err(reason) => damaged.push(CompleteDamage {
                file: file.to_owned(),
                line: Some(index + 1),
                reason,
            }),
        }
    }
    (records, damaged)
}

fn read_line(line: &[u8]) -> Result<CompleteRecord, String> {
    let not = |error: serde_json::Error| format!("the record cannot be read ({error})");
    let mut line = serde_json::from_slice::<Object>(line).map_err(not)?;
    let record = line.shift_remove("record").unwrap_or_default();
    let said = line.get("blake3").and_then(Json::as_str);
    if said != Some(&hash(&record)) {
        let id = record
            .get("id")
            .and_then(Json::as_str)
            .unwrap_or("without an id");
        let id = id.chars().take(64).collect::<String>();
        return Err(format!("record {id} is not as it was written"));
    }
    serde_json::from_value(record).map_err(not)
}

fn hash(record: &Json) -> String {
    blake3::hash(record.to_string().as_bytes())
        .to_hex()
        .to_string()
}

/// A file's name for a kind, whatever a newer version calls it.
fn file_name(kind: &str) -> String {
    let fit = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit();
    let name = kind.chars().take(60);
    let name = name.map(|char| if fit(char) { char } else { '-' });
    format!("{}.jsonl", name.collect::<String>())
}
