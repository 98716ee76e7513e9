//! Lists of made-up records: pages, filters, counts and searches, over the file of projections alone.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use node_feed::{HubId, SpaceId, Subject};
use node_store::{Cell, Filter, ListQuery, ProjectionReaders, Projections, RecordRow, Sort};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

use crate::figures::{Figures, milliseconds, per_second, percentile};
use crate::stage::temporary;

/// Records that are written together.
const TOGETHER: usize = 512;
/// Lines of one page.
const PAGE: u64 = 50;
/// The page far from the first.
const FAR: u64 = 500;
/// Hubs, each with a space of its own. Of every four, three may be shown.
const HUBS: u8 = 40;
/// Words that titles and texts are made of. The first are in nearly every text, the last in few.
const WORDS: u32 = 4_000;

/// Kinds, and how many of a hundred records are of each.
const KINDS: [(&str, u32); 5] = [
    ("practice", 30),
    ("forum-thread", 30),
    ("organisation", 20),
    ("leader", 10),
    ("project", 10),
];
const STATES: [&str; 5] = ["idea", "trial", "tested", "recommended", "retired"];

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many records are listed.
    #[arg(long, default_value_t = 100_000)]
    records: u32,
    /// How many times each question is asked.
    #[arg(long, default_value_t = 200)]
    runs: usize,
}

pub(crate) fn measure(options: &Options) -> anyhow::Result<Figures> {
    ensure!(options.runs > 0, "at least one run is needed");
    let folder = temporary()?;
    let path = folder.path().join("projections.db");
    let mut projections = Projections::open(&path)?;
    let mut dice = Dice(ChaCha8Rng::from_seed([7; 32]));
    let filled = fill(&mut projections, &mut dice, options.records)?;
    let lists = ProjectionReaders::open(&path)?;
    let mut figures = Figures::of("lists")
        .with("records", options.records)
        .with("runs", options.runs)
        .with_some("records_per_s", per_second(options.records.into(), filled))
        .with("file_bytes", std::fs::metadata(&path)?.len());
    for question in Question::ALL {
        let mut walls = Vec::with_capacity(options.runs);
        for _ in 0..options.runs {
            let query = question.query(&mut dice, options.records);
            let begun = Instant::now();
            if question == Question::Counts {
                lists.count_by(&query, "state")?;
            } else {
                lists.list(&query)?;
            }
            walls.push(begun.elapsed());
        }
        for percent in [50, 99] {
            let wall = percentile(&walls, percent).context("nothing was measured")?;
            let name = format!("{}_p{percent}_ms", question.name());
            figures = figures.with(&name, milliseconds(wall));
        }
    }
    let begun = Instant::now();
    projections.drop_record(space(0), subject(0))?;
    let dropped = begun.elapsed();
    let begun = Instant::now();
    projections.scrub()?;
    Ok(figures
        .with("drop_ms", milliseconds(dropped))
        .with("scrub_ms", milliseconds(begun.elapsed())))
}

fn fill(projections: &mut Projections, dice: &mut Dice, records: u32) -> anyhow::Result<Duration> {
    let mut filled = Duration::ZERO;
    let mut number = 0;
    while number < records {
        let end = records.min(number + u32::try_from(TOGETHER)?);
        let rows = (number..end).map(|number| dice.row(number));
        let rows = rows.collect::<Vec<_>>();
        let begun = Instant::now();
        projections.put_records(&rows)?;
        filled += begun.elapsed();
        number = end;
    }
    Ok(filled)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    FirstPage,
    FarPage,
    FilteredAndSorted,
    Counts,
    OneWord,
    TwoWords,
    Beginning,
}

impl Question {
    const ALL: [Self; 7] = [
        Self::FirstPage,
        Self::FarPage,
        Self::FilteredAndSorted,
        Self::Counts,
        Self::OneWord,
        Self::TwoWords,
        Self::Beginning,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::FirstPage => "first_page",
            Self::FarPage => "far_page",
            Self::FilteredAndSorted => "filter_sort",
            Self::Counts => "count_by",
            Self::OneWord => "one_word",
            Self::TwoWords => "two_words",
            Self::Beginning => "beginning",
        }
    }

    fn query(self, dice: &mut Dice, records: u32) -> ListQuery {
        let shown = (0..HUBS).filter(|hub| hub % 4 != 0).map(space);
        let query = ListQuery {
            spaces: Some(shown.collect()),
            owner: Some(hub(0)),
            limit: PAGE,
            ..ListQuery::default()
        };
        let of = |kind: &str| ListQuery {
            kinds: vec![kind.to_owned()],
            ..query.clone()
        };
        let kind = KINDS[dice.below(5) as usize].0;
        match self {
            Self::FirstPage => of(kind),
            // About a fifth of all are practices that may be shown.
            Self::FarPage => ListQuery {
                offset: (PAGE * (FAR - 1)).min(u64::from(records) / 5),
                ..of("practice")
            },
            Self::FilteredAndSorted => ListQuery {
                filters: vec![
                    Filter::Is {
                        field: "state".to_owned(),
                        values: vec![dice.state().to_owned()],
                    },
                    Filter::AtLeast {
                        field: "date".to_owned(),
                        value: Cell::text("", dice.date()).value,
                    },
                ],
                sort: vec![Sort {
                    field: "date".to_owned(),
                    descending: true,
                }],
                offset: u64::from(dice.below(10)) * PAGE,
                ..of(kind)
            },
            Self::Counts => of(kind),
            Self::OneWord => ListQuery {
                words: dice.word(),
                ..query
            },
            Self::TwoWords => ListQuery {
                words: format!("{} {}", dice.word(), dice.word()),
                ..query
            },
            Self::Beginning => {
                let word = dice.word();
                let letters = 1 + dice.below(4) as usize;
                ListQuery {
                    words: word.chars().take(letters).collect(),
                    ..query
                }
            }
        }
    }
}

/// Every choice, the same in each invocation.
struct Dice(ChaCha8Rng);

impl Dice {
    fn below(&mut self, bound: u32) -> u32 {
        self.0.next_u32() % bound
    }

    /// Few words are common and many are rare, as in any language.
    fn word(&mut self) -> String {
        let share = f64::from(self.0.next_u32()) / f64::from(u32::MAX);
        let rank = f64::from(WORDS).powf(share) - 1.0;
        let letters = ["ba", "de", "fi", "go", "lu", "ma", "ne", "po", "ri", "su"];
        let mut left = rank as u32 + 10;
        let mut word = String::new();
        while left > 0 {
            word.push_str(letters[left as usize % letters.len()]);
            left /= 10;
        }
        word
    }

    fn words(&mut self, count: u32) -> String {
        let words = (0..count).map(|_| self.word()).collect::<Vec<_>>();
        words.join(" ")
    }

    fn state(&mut self) -> &'static str {
        STATES[self.below(5) as usize]
    }

    fn date(&mut self) -> String {
        let (month, day) = (1 + self.below(12), 1 + self.below(28));
        format!("{}-{month:02}-{day:02}", 2024 + self.below(3))
    }

    fn row(&mut self, number: u32) -> RecordRow {
        let mut share = self.below(100);
        let kind = KINDS.iter().find(|(_, of)| {
            let found = share < *of;
            share = share.saturating_sub(*of);
            found
        });
        let kind = kind.map_or("project", |(kind, _)| kind);
        let mut cells = vec![
            Cell::text("state", self.state()),
            Cell::text("date", self.date()),
            Cell::number("places", self.below(60).into()),
            Cell::text("hub", format!("H{}", number % u32::from(HUBS))),
        ];
        for _ in 0..self.below(6) {
            let urn = 100_000 + self.below(50_000);
            cells.push(Cell::text("schools/urn", urn.to_string()));
        }
        let title = self.words(4);
        RecordRow {
            space: space((number % u32::from(HUBS)) as u8),
            subject: subject(number),
            kind: kind.to_owned(),
            json: format!(r#"{{"title":"{title}","state":"trial","date":"2026-09-01"}}"#),
            searched: format!(
                "NCP{}-{:02} {}",
                20 + number % 7,
                number % 90,
                self.words(30)
            ),
            title,
            cells,
        }
    }
}

fn hub(number: u8) -> HubId {
    HubId::from_bytes([number; 8])
}

fn space(number: u8) -> SpaceId {
    SpaceId::from_bytes([number; 16])
}

fn subject(number: u32) -> Subject {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(hub((number % u32::from(HUBS)) as u8).as_bytes());
    bytes[20..].copy_from_slice(&number.to_be_bytes());
    Subject::from_bytes(bytes)
}
