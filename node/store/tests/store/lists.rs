//! Lists: searched, filtered, sorted, counted and cut into pages.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use node_feed::{HubId, SpaceId, Subject};
use node_store::{
    Cell, CellValue, Filter, ListQuery, Listing, ProjectionReaders, Projections, RecordRow, Sort,
};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

const HERE: SpaceId = SpaceId::from_bytes([1; 16]);
const THERE: SpaceId = SpaceId::from_bytes([2; 16]);
const OWN: HubId = HubId::from_bytes([7; 8]);

struct Lists {
    projections: Projections,
    folder: tempfile::TempDir,
}

impl Lists {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let projections = Projections::open(folder.path().join("projections.db")).unwrap();
        Self {
            projections,
            folder,
        }
    }

    fn with(rows: &[RecordRow]) -> Self {
        let mut lists = Self::new();
        lists.projections.put_records(rows).unwrap();
        lists
    }

    fn titles(&self, query: &ListQuery) -> Vec<String> {
        titles(self.projections.list(query).unwrap())
    }

    fn found(&self, words: &str) -> Vec<String> {
        self.titles(&ListQuery {
            words: words.to_owned(),
            ..all()
        })
    }

    fn filtered(&self, filter: Filter) -> Vec<String> {
        self.titles(&ListQuery {
            filters: vec![filter],
            ..all()
        })
    }
}

fn titles(listing: Listing) -> Vec<String> {
    listing.rows.into_iter().map(|row| row.title).collect()
}

fn all() -> ListQuery {
    ListQuery {
        limit: u64::MAX,
        ..ListQuery::default()
    }
}

fn subject(owner: HubId, number: u16) -> Subject {
    let mut bytes = [0; 24];
    bytes[..8].copy_from_slice(owner.as_bytes());
    bytes[22..].copy_from_slice(&number.to_be_bytes());
    Subject::from_bytes(bytes)
}

fn row(number: u16, kind: &str, title: &str, cells: &[(&str, &str)]) -> RecordRow {
    RecordRow {
        space: HERE,
        subject: subject(HubId::from_bytes([9; 8]), number),
        kind: kind.to_owned(),
        title: title.to_owned(),
        json: format!(r#"{{"number":{number}}}"#),
        searched: String::new(),
        cells: cells
            .iter()
            .map(|(field, text)| Cell::text(*field, *text))
            .collect(),
    }
}

fn is(field: &str, values: &[&str]) -> Filter {
    Filter::Is {
        field: field.to_owned(),
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    }
}

fn sort(field: &str, descending: bool) -> Sort {
    let field = field.to_owned();
    Sort { field, descending }
}

#[test]
fn every_word_must_be_there_and_the_last_may_be_begun() {
    let text = |row: RecordRow, searched: &str| RecordRow {
        searched: searched.to_owned(),
        ..row
    };
    let lists = Lists::with(&[
        text(
            row(1, "practice", "Number talks", &[]),
            "Ten minutes at the start of a lesson",
        ),
        text(
            row(2, "practice", "Deep understanding", &[]),
            "Why a rule holds; with number lines",
        ),
        text(
            row(3, "project", "NCP24-11 Mastery", &[]),
            "School 142857, Café Ångström",
        ),
    ]);
    assert_eq!(
        lists.found("number"),
        ["Number talks", "Deep understanding"]
    );
    assert_eq!(lists.found("NUMBER lin"), ["Deep understanding"]);
    assert!(
        lists.found("numb lines").is_empty(),
        "only the last may be begun"
    );
    assert!(lists.found("number mastery").is_empty());
    for part in [
        "ncp24", "NCP24-1", "ncp24-11", "NCP2", "1428", "142857", "cafe", "angstrom",
    ] {
        assert_eq!(lists.found(part), ["NCP24-11 Mastery"], "{part}");
    }
    assert!(lists.found("NCP24-12").is_empty());
    assert!(lists.found("2857").is_empty(), "it does not begin so");
    assert_eq!(lists.found("  ").len(), 3, "nothing was asked");
}

#[test]
fn whatever_is_typed_is_words_and_never_an_instruction() {
    let lists = Lists::with(&[
        row(1, "practice", "Ask OR answer", &[]),
        row(2, "practice", "It's \"quoted\" (twice)", &[]),
    ]);
    assert_eq!(lists.found("ask OR nothing"), Vec::<String>::new());
    assert_eq!(lists.found("OR"), ["Ask OR answer"]);
    assert_eq!(lists.found("it's"), ["It's \"quoted\" (twice)"]);
    assert_eq!(lists.found("\"quoted\""), ["It's \"quoted\" (twice)"]);
    for typed in [
        "\"",
        "\"\"\"",
        "*",
        "ask*",
        "title:ask",
        "-ask",
        "^ask",
        "(",
        "ask AND",
        "NEAR(ask)",
        "{title}: ask",
        "ask\0OR",
        "a\u{1f600}b",
        "'; DROP TABLE records; --",
        "+",
        "ask + answer",
    ] {
        let _found = lists.found(typed);
    }
    assert_eq!(
        lists.found("&"),
        Vec::<String>::new(),
        "nothing has no letter"
    );
    assert_eq!(lists.found("").len(), 2);
}

#[test]
fn what_is_in_the_title_is_found_first_unless_another_order_is_wanted() {
    let mut rows = Vec::new();
    for number in 1..20 {
        let mut row = row(number, "practice", &format!("Number {number:02}"), &[]);
        row.searched = "fractions and more fractions".to_owned();
        rows.push(row);
    }
    rows.push(row(20, "practice", "Zero to fractions", &[]));
    let lists = Lists::with(&rows);
    assert_eq!(lists.found("fractions")[0], "Zero to fractions");
    let by_title = ListQuery {
        words: "fractions".to_owned(),
        sort: vec![sort("title", false)],
        ..all()
    };
    assert_eq!(lists.titles(&by_title)[0], "Number 01");
}

#[test]
fn an_edited_line_is_found_by_its_new_words_and_cells_alone() {
    let mut lists = Lists::with(&[row(1, "practice", "Old name", &[("state", "idea")])]);
    let new = row(1, "practice", "New name", &[("state", "trial")]);
    lists.projections.put_record(&new).unwrap();
    assert!(lists.found("old").is_empty() && lists.filtered(is("state", &["idea"])).is_empty());
    assert_eq!(lists.found("new name"), ["New name"]);
    assert_eq!(lists.filtered(is("state", &["trial"])), ["New name"]);
    // Of one that comes twice at once, the last counts.
    let twice = [
        row(1, "practice", "First", &[]),
        row(1, "practice", "Second", &[]),
    ];
    lists.projections.put_records(&twice).unwrap();
    assert!(lists.found("first").is_empty());
    assert_eq!(lists.found("second"), ["Second"]);
}

#[test]
fn a_list_is_filtered_by_what_its_records_say() {
    let mut late = row(
        3,
        "project",
        "C",
        &[("state", "retired"), ("partners", "org2")],
    );
    late.cells.push(Cell::number("places", 40));
    let mut early = row(
        2,
        "project",
        "B",
        &[("state", "idea"), ("start", "2025-09-01")],
    );
    early.cells.push(Cell::number("places", 8));
    let lists = Lists::with(&[
        row(
            1,
            "project",
            "A",
            &[
                ("state", "idea"),
                ("start", "2026-01-31"),
                ("partners", "org1"),
                ("partners", "org2"),
                ("lead", ""),
            ],
        ),
        early,
        late,
    ]);
    let field = |field: &str| field.to_owned();
    let text = |text: &str| CellValue::Text(text.to_owned());
    for (filter, titles) in [
        (is("state", &["idea"]), vec!["A", "B"]),
        (is("state", &["idea", "retired"]), vec!["A", "B", "C"]),
        (is("partners", &["org2"]), vec!["A", "C"]),
        (is("places", &["40"]), vec!["C"]),
        (is("state", &[]), vec![]),
        (is("unheard", &["of"]), vec![]),
        (
            Filter::Not {
                field: field("partners"),
                values: vec![field("org1")],
            },
            vec!["B", "C"],
        ),
        (
            Filter::AtLeast {
                field: field("start"),
                value: text("2026-01-01"),
            },
            vec!["A"],
        ),
        (
            Filter::AtMost {
                field: field("start"),
                value: text("2026-01-01"),
            },
            vec!["B"],
        ),
        (
            Filter::AtLeast {
                field: field("places"),
                value: CellValue::Number(8),
            },
            vec!["B", "C"],
        ),
        (
            Filter::AtMost {
                field: field("places"),
                value: CellValue::Number(39),
            },
            vec!["B"],
        ),
        (
            Filter::AtLeast {
                field: field("start"),
                value: CellValue::Number(0),
            },
            vec![],
        ),
        (
            Filter::AtMost {
                field: field("places"),
                value: text("z"),
            },
            vec![],
        ),
        (
            Filter::Missing {
                field: field("start"),
            },
            vec!["C"],
        ),
        (
            Filter::Missing {
                field: field("lead"),
            },
            vec!["A", "B", "C"],
        ),
        (
            Filter::RefersTo {
                value: field("org2"),
            },
            vec!["A", "C"],
        ),
    ] {
        assert_eq!(lists.filtered(filter.clone()), titles, "{filter:?}");
    }
    let referring = lists.projections.referring("org1").unwrap();
    assert_eq!(referring.len(), 1);
    assert_eq!(referring[0].json, r#"{"number":1}"#);
}

#[test]
fn a_list_is_sorted_by_several_fields_and_what_lacks_them_comes_last() {
    let lists = Lists::with(&[
        row(
            1,
            "project",
            "beta",
            &[("start", "2025"), ("state", "idea")],
        ),
        row(
            2,
            "project",
            "Alpha",
            &[("start", "2025"), ("state", "trial")],
        ),
        row(3, "project", "delta", &[]),
        row(
            4,
            "project",
            "Gamma",
            &[("start", "2024"), ("start", "2026")],
        ),
    ]);
    let sorted = |sort: &[Sort]| {
        lists.titles(&ListQuery {
            sort: sort.to_vec(),
            ..all()
        })
    };
    assert_eq!(sorted(&[]), ["Alpha", "beta", "delta", "Gamma"]);
    assert_eq!(
        sorted(&[sort("title", true)]),
        ["Gamma", "delta", "beta", "Alpha"]
    );
    assert_eq!(
        sorted(&[sort("start", false)]),
        ["Gamma", "Alpha", "beta", "delta"]
    );
    assert_eq!(
        sorted(&[sort("start", true)]),
        ["Gamma", "Alpha", "beta", "delta"]
    );
    let both = [sort("start", true), sort("state", false)];
    assert_eq!(sorted(&both), ["Gamma", "beta", "Alpha", "delta"]);
    assert_eq!(sorted(&[sort("unheard", true)]), sorted(&[]));
}

#[test]
fn what_may_not_be_shown_is_neither_listed_nor_counted_but_ones_own_is() {
    let mut hidden = row(2, "practice", "Hidden", &[("state", "idea")]);
    hidden.space = THERE;
    let mut own = row(3, "practice", "Own", &[("state", "idea")]);
    (own.space, own.subject) = (THERE, subject(OWN, 3));
    let lists = Lists::with(&[
        row(1, "practice", "Shown", &[("state", "idea")]),
        hidden,
        own,
    ]);
    let query = |space| ListQuery {
        spaces: Some(vec![HERE]),
        owner: Some(OWN),
        space,
        ..all()
    };
    assert_eq!(lists.titles(&query(None)), ["Own", "Shown"]);
    assert_eq!(lists.titles(&query(Some(THERE))), ["Own"]);
    assert_eq!(lists.titles(&query(Some(HERE))), ["Shown"]);
    assert!(
        lists
            .titles(&query(Some(SpaceId::from_bytes([3; 16]))))
            .is_empty()
    );
    let counted = lists.projections.count_by(&query(None), "state").unwrap();
    assert_eq!(counted, [(CellValue::Text("idea".to_owned()), 2)]);
    let searched = ListQuery {
        words: "hidden".to_owned(),
        ..query(None)
    };
    assert!(lists.titles(&searched).is_empty());
    let nothing = ListQuery {
        owner: None,
        spaces: Some(Vec::new()),
        ..all()
    };
    assert!(lists.titles(&nothing).is_empty());
}

#[test]
fn each_record_is_counted_once_for_each_of_its_values() {
    let mut row = row(
        1,
        "project",
        "A",
        &[("urn", "101"), ("urn", "102"), ("urn", "101")],
    );
    row.cells.push(Cell::number("urn", 7));
    let other = RecordRow {
        space: THERE,
        cells: vec![Cell::text("urn", "102"), Cell::text("urn", "")],
        ..row.clone()
    };
    let lists = Lists::with(&[row, other]);
    let text = |text: &str| CellValue::Text(text.to_owned());
    let counted = lists
        .projections
        .count_by(&ListQuery::default(), "urn")
        .unwrap();
    let expected = [
        (CellValue::Number(7), 1),
        (text("101"), 1),
        (text("102"), 2),
    ];
    assert_eq!(counted, expected);
    assert!(
        lists
            .projections
            .count_by(&all(), "unheard")
            .unwrap()
            .is_empty()
    );
}

#[test]
fn lists_are_read_while_lines_are_written_and_each_is_of_one_moment() {
    let mut lists = Lists::with(&[row(1, "practice", "One", &[])]);
    let path = lists.folder.path().join("projections.db");
    let readers = ProjectionReaders::open(&path).unwrap();
    let writing = rusqlite::Connection::open(&path).unwrap();
    writing.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_eq!(titles(readers.list(&all()).unwrap()), ["One"]);
    writing.execute_batch("ROLLBACK").unwrap();
    let reading = std::thread::spawn(move || {
        for _ in 0..200 {
            let listing = readers.list(&all()).unwrap();
            assert_eq!(listing.total, listing.rows.len() as u64);
            assert!(listing.total % 5 == 1, "all of five lines, or none");
        }
    });
    for batch in 0..20 {
        let rows = (0..5).map(|number| row(2 + batch * 5 + number, "practice", "More", &[]));
        lists
            .projections
            .put_records(&rows.collect::<Vec<_>>())
            .unwrap();
    }
    reading.join().unwrap();
}

/// What a list should be, worked out from all rows the plain way.
struct Plain<'a> {
    rows: Vec<&'a RecordRow>,
}

impl<'a> Plain<'a> {
    fn of(rows: &'a BTreeMap<(SpaceId, Subject), RecordRow>, query: &ListQuery) -> Self {
        let mut rows = rows
            .values()
            .filter(|row| fits(row, query))
            .collect::<Vec<_>>();
        rows.sort_by(|one, other| {
            let mut orders = query.sort.iter().map(|sort| in_order(one, other, sort));
            let title = || one.title.to_lowercase().cmp(&other.title.to_lowercase());
            orders.find(|order| order.is_ne()).unwrap_or_else(title)
        });
        Self { rows }
    }

    fn counts(&self, field: &str) -> Vec<(CellValue, u64)> {
        let mut counts = BTreeMap::new();
        for row in &self.rows {
            for value in values(row, field) {
                *counts.entry(value.clone()).or_insert(0) += 1;
            }
        }
        counts.into_iter().collect()
    }
}

fn values<'a>(row: &'a RecordRow, field: &str) -> BTreeSet<&'a CellValue> {
    let cells = row.cells.iter().filter(|cell| cell.field == field);
    cells.map(|cell| &cell.value).collect()
}

fn in_order(one: &RecordRow, other: &RecordRow, sort: &Sort) -> Ordering {
    let (one, other) = (values(one, &sort.field), values(other, &sort.field));
    let edge = |values: &BTreeSet<&CellValue>| {
        let edge = if sort.descending {
            values.last()
        } else {
            values.first()
        };
        edge.map(|value| (*value).clone())
    };
    match (edge(&one), edge(&other)) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(one), Some(other)) if sort.descending => other.cmp(&one),
        (Some(one), Some(other)) => one.cmp(&other),
    }
}

fn fits(row: &RecordRow, query: &ListQuery) -> bool {
    let shown = query.spaces.as_ref().is_none_or(|spaces| {
        spaces.contains(&row.space) || query.owner == Some(row.subject.owner())
    });
    let text = format!("{} {}", row.title, row.searched).to_lowercase();
    let words = query.words.split_whitespace().collect::<Vec<_>>();
    let last = words.len().saturating_sub(1);
    let found = words.iter().enumerate().all(|(index, word)| {
        let mut text = text.split_whitespace();
        text.any(|other| other == *word || (index == last && other.starts_with(word)))
    });
    shown
        && found
        && (query.kinds.is_empty() || query.kinds.contains(&row.kind))
        && query.space.is_none_or(|space| space == row.space)
        && query.filters.iter().all(|filter| passes(row, filter))
}

fn passes(row: &RecordRow, filter: &Filter) -> bool {
    let has = |field: &str, wanted: &[String]| {
        values(row, field).into_iter().any(|value| match value {
            CellValue::Text(text) => wanted.contains(text),
            CellValue::Number(number) => wanted.contains(&number.to_string()),
        })
    };
    let of_a_sort = |field: &str, wanted: &CellValue, order: Ordering| {
        let same = std::mem::discriminant(wanted);
        let mut fitting = values(row, field).into_iter();
        fitting.any(|value| {
            std::mem::discriminant(value) == same && value.cmp(wanted) != order.reverse()
        })
    };
    match filter {
        Filter::Is { field, values } => has(field, values),
        Filter::Not { field, values } => !has(field, values),
        Filter::AtLeast { field, value } => of_a_sort(field, value, Ordering::Greater),
        Filter::AtMost { field, value } => of_a_sort(field, value, Ordering::Less),
        Filter::Missing { field } => values(row, field).is_empty(),
        Filter::RefersTo { value } => {
            let value = CellValue::Text(value.clone());
            row.cells.iter().any(|cell| cell.value == value)
        }
    }
}

const WORDS: [&str; 8] = [
    "ash", "ashen", "beech", "cedar", "elder", "elm", "fir", "firth",
];
const KINDS: [&str; 3] = ["practice", "project", "leader"];

struct Dice(ChaCha8Rng);

impl Dice {
    fn below(&mut self, bound: u32) -> u32 {
        self.0.next_u32() % bound
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u32) as usize]
    }

    fn row(&mut self, number: u16) -> RecordRow {
        let space = SpaceId::from_bytes([self.below(4) as u8; 16]);
        let owner = HubId::from_bytes([200 + self.below(4) as u8; 8]);
        let mut cells = Vec::new();
        for _ in 0..self.below(3) {
            cells.push(Cell::text("tree", self.one(&WORDS)));
            cells.push(Cell::number("tree", self.below(4).into()));
        }
        for _ in 0..self.below(2) {
            cells.push(Cell::text(
                "date",
                format!("2026-{:02}", 1 + self.below(12)),
            ));
        }
        if self.below(10) > 0 {
            cells.push(Cell::text(
                "state",
                ["idea", "trial"][self.below(2) as usize],
            ));
        }
        let words = (0..self.below(6))
            .map(|_| self.one(&WORDS))
            .collect::<Vec<_>>();
        RecordRow {
            space,
            subject: subject(owner, number),
            kind: self.one(&KINDS).to_owned(),
            title: format!("{} {}", self.one(&WORDS), self.below(3_000)),
            json: "{}".to_owned(),
            searched: words.join(" "),
            cells,
        }
    }

    fn query(&mut self) -> ListQuery {
        let mut query = all();
        for kind in KINDS {
            query
                .kinds
                .extend((self.below(3) == 0).then(|| kind.to_owned()));
        }
        if self.below(2) == 0 {
            let spaces = (0..4).filter(|_| self.below(2) == 0);
            let spaces = spaces.map(|number| SpaceId::from_bytes([number; 16]));
            query.spaces = Some(spaces.collect());
            query.owner = (self.below(2) == 0).then(|| HubId::from_bytes([200; 8]));
        }
        query.space = (self.below(5) == 0).then(|| SpaceId::from_bytes([1; 16]));
        if self.below(3) == 0 {
            let words = (0..=self.below(2))
                .map(|_| self.one(&WORDS))
                .collect::<Vec<_>>();
            query.words = words.join(" ");
        }
        for _ in 0..self.below(3) {
            let filter = self.filter();
            query.filters.push(filter);
        }
        for _ in 0..self.below(3) {
            let field = self.one(&["tree", "date", "state", "none"]);
            query.sort.push(sort(field, self.below(2) == 0));
        }
        if query.sort.is_empty() && !query.words.is_empty() {
            query.sort.push(sort("none", false));
        }
        if self.below(3) > 0 {
            query.offset = self.below(3_000).into();
            query.limit = self.below(60).into();
        }
        query
    }

    fn filter(&mut self) -> Filter {
        let field = self.one(&["tree", "date", "state"]).to_owned();
        let value = match self.below(3) {
            0 => CellValue::Number(self.below(4).into()),
            1 => CellValue::Text(self.one(&WORDS).to_owned()),
            _ => CellValue::Text("2026-06".to_owned()),
        };
        let values = vec![
            self.one(&WORDS).to_owned(),
            "idea".to_owned(),
            "2".to_owned(),
        ];
        match self.below(6) {
            0 => Filter::Is { field, values },
            1 => Filter::Not { field, values },
            2 => Filter::AtLeast { field, value },
            3 => Filter::AtMost { field, value },
            4 => Filter::Missing { field },
            _ => Filter::RefersTo {
                value: self.one(&WORDS).to_owned(),
            },
        }
    }
}

/// Enough lines for the ways of both few and many.
#[test]
fn any_list_is_what_is_worked_out_the_plain_way() {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&u64::from(std::process::id()).to_le_bytes());
    println!("seed {seed:?}");
    let mut dice = Dice(ChaCha8Rng::from_seed(seed));
    let mut lists = Lists::new();
    let mut rows = BTreeMap::new();
    for _ in 0..6 {
        let batch = (0..800).map(|_| {
            let number = dice.below(5_000) as u16;
            dice.row(number)
        });
        let batch = batch.collect::<Vec<_>>();
        lists.projections.put_records(&batch).unwrap();
        rows.extend(batch.into_iter().map(|row| ((row.space, row.subject), row)));
    }
    for _ in 0..200 {
        let query = dice.query();
        let plain = Plain::of(&rows, &query);
        let listing = lists.projections.list(&query).unwrap();
        assert_eq!(listing.total, plain.rows.len() as u64, "{query:?}");
        let part = plain.rows.iter().skip(query.offset as usize);
        let part = part.take(usize::try_from(query.limit).unwrap_or(usize::MAX));
        let expected = part.map(|row| row.title.to_lowercase()).collect::<Vec<_>>();
        let listed = titles(listing)
            .into_iter()
            .map(|title| title.to_lowercase());
        assert_eq!(listed.collect::<Vec<_>>(), expected, "{query:?}");
        for field in ["tree", "state"] {
            let counted = lists.projections.count_by(&query, field).unwrap();
            assert_eq!(counted, plain.counts(field), "{query:?}");
        }
    }
}
