//! The backups of one node in a folder, and which of them are kept.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::BackupConfig;
use crate::folder::with_suffix;

/// How the moment of a backup stands in its name.
const MOMENT: &str = "%Y%m%dT%H%M%SZ";
const SEALED: &str = ".db.age";

/// A backup in the folder of backups.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kept {
    /// When it was made, in ms since 1970, to the second.
    pub time_ms: u64,
    /// The file.
    pub file: PathBuf,
}

/// The backups of one node in a folder.
#[derive(Debug)]
pub(super) struct Shelf<'a> {
    folder: &'a Path,
    prefix: String,
}

impl<'a> Shelf<'a> {
    /// `hub` and `node` tell this node's backups from others' in the same folder.
    pub(super) fn new(folder: &'a Path, hub: &str, node: &str) -> Self {
        let prefix = format!("causeway-{hub}-{node}-");
        Self { folder, prefix }
    }

    /// The file of a backup that is made at this moment.
    pub(super) fn file_at(&self, time_ms: u64) -> PathBuf {
        let moment = moment(time_ms).strftime(MOMENT);
        self.folder.join(format!("{}{moment}{SEALED}", self.prefix))
    }

    /// All of them, the newest first.
    ///
    /// # Errors
    /// What the system says if the folder cannot be read.
    pub(super) fn all(&self) -> io::Result<Vec<Kept>> {
        let mut all = Vec::new();
        for file in fs::read_dir(self.folder)? {
            let file = file?;
            let name = file.file_name();
            let time_ms = name.to_str().and_then(|name| self.time_of(name));
            all.extend(time_ms.map(|time_ms| Kept {
                time_ms,
                file: file.path(),
            }));
        }
        all.sort_by(|one, other| other.cmp(one));
        Ok(all)
    }

    /// Deletes those until `until_ms` that are not kept, but never `made`, and says how many. Whatever
    /// says that it is of later is left alone, and takes no other's place.
    ///
    /// # Errors
    /// What the system says if one cannot be deleted.
    pub(super) fn prune(
        &self,
        config: &BackupConfig,
        until_ms: u64,
        made: &Path,
    ) -> io::Result<usize> {
        let mut all = self.all()?;
        all.retain(|one| one.time_ms <= until_ms);
        let kept = kept(&all, config);
        let gone = all.iter();
        let gone = gone.filter(|one| !kept.contains(one) && one.file != made);
        let mut count = 0;
        for one in gone {
            fs::remove_file(&one.file)?;
            count += 1;
        }
        Ok(count)
    }

    /// Deletes what a backup that was broken off has left.
    pub(super) fn sweep(&self, but: &Path) {
        let but = with_suffix(but, ".unfinished");
        let files = fs::read_dir(self.folder).into_iter().flatten().flatten();
        for file in files.filter(|file| file.path() != but) {
            let name = file.file_name();
            let made = name
                .to_str()
                .and_then(|name| name.strip_suffix(".unfinished"));
            if made.is_some_and(|name| self.time_of(name).is_some()) {
                let _gone = fs::remove_file(file.path());
            }
        }
    }

    fn time_of(&self, name: &str) -> Option<u64> {
        let moment = name.strip_prefix(&self.prefix)?.strip_suffix(SEALED)?;
        let moment = DateTime::strptime(MOMENT, moment).ok()?;
        let moment = TimeZone::UTC.to_timestamp(moment).ok()?;
        u64::try_from(moment.as_millisecond()).ok()
    }
}

/// Those of `all`, which come the newest first, that are kept: the last of each of the last days,
/// weeks and months that have any.
fn kept<'a>(all: &'a [Kept], config: &BackupConfig) -> BTreeSet<&'a Kept> {
    let day = |at: DateTime| (at.year(), at.day_of_year());
    let week = |at: DateTime| {
        let week = at.date().iso_week_date();
        (week.year(), i16::from(week.week()))
    };
    let month = |at: DateTime| (at.year(), i16::from(at.month()));
    let mut kept = BTreeSet::new();
    kept.extend(last_of_each(all, config.keep_days, day));
    kept.extend(last_of_each(all, config.keep_weeks, week));
    kept.extend(last_of_each(all, config.keep_months, month));
    kept
}

fn last_of_each(
    all: &[Kept],
    most: u64,
    span: impl Fn(DateTime) -> (i16, i16),
) -> impl Iterator<Item = &Kept> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut spans = BTreeSet::new();
    let is_last = move |one: &&Kept| {
        let at = TimeZone::UTC.to_datetime(moment(one.time_ms));
        spans.insert(span(at))
    };
    all.iter().filter(is_last).take(most)
}

fn moment(time_ms: u64) -> Timestamp {
    let time_ms = i64::try_from(time_ms).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(time_ms).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: u64 = 86_400_000;
    /// 2026-11-27, a Friday.
    const NOW_MS: u64 = 1_795_737_600_000;

    #[test]
    fn the_last_of_each_day_week_and_month_is_kept_and_others_files_stay() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let shelf = Shelf::new(folder.path(), "south-yorkshire", "3f2a");
        for days in 0..400 {
            for hour in [1, 13] {
                let at = NOW_MS - days * DAY_MS + hour * 3_600_000;
                fs::write(shelf.file_at(at), "").expect("a file");
            }
        }
        let others = [
            "causeway-south-yorkshire-77aa-20260101T010000Z.db.age",
            "causeway-south-yorkshire-3f2a-today.db.age",
            "notes.txt",
        ];
        for other in others {
            fs::write(folder.path().join(other), "").expect("a file");
        }
        let config = BackupConfig::default();
        let newest = shelf.all().expect("a look")[0].clone();
        let made = newest.file.clone();
        let prune = || {
            shelf
                .prune(&config, NOW_MS + DAY_MS, &made)
                .expect("pruned")
        };
        prune();
        let left = shelf.all().expect("a look");
        // Seven days, in two weeks of which, and one month of which, are those already.
        let days = left
            .iter()
            .map(|it| (NOW_MS + DAY_MS - it.time_ms) / DAY_MS);
        let days = days.collect::<Vec<_>>();
        assert_eq!(days[..7], [0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(left.len(), 7 + 3 + 11, "{days:?}");
        assert_eq!(left[0], newest);
        for other in others {
            assert!(folder.path().join(other).exists(), "{other}");
        }
        // Once more changes nothing.
        assert_eq!(prune(), 0);
        // The clock was ahead for a while: what was made then takes no place from others.
        for days in 10..30 {
            fs::write(shelf.file_at(NOW_MS + days * DAY_MS), "").expect("a file");
        }
        assert_eq!(prune(), 0);
        let one = BackupConfig {
            keep_days: 1,
            keep_weeks: 0,
            keep_months: 0,
            ..config
        };
        shelf.prune(&one, NOW_MS, &made).expect("pruned");
        assert!(made.exists(), "what was just made stays");
    }
}
