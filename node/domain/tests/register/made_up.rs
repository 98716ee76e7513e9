//! A made-up register of the real shape: all columns, the Windows code page, closures and
//! successors. Every name, number and place in it is invented by its seed.

use std::collections::BTreeMap;

use csv::{QuoteStyle, WriterBuilder};
use encoding_rs::WINDOWS_1252;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// The real download's heading row.
const HEADER: &str = include_str!("../data/gias_header.csv");

const PLACES: [&str; 24] = [
    "Thornbury",
    "Aldermoor",
    "Wickersley",
    "Kingsholm",
    "Brackenfield",
    "Ashdown",
    "Elmstead",
    "Marlowe",
    "Netherfield",
    "Oakhampton",
    "Penrose",
    "Quarrydale",
    "Ravensworth",
    "Stanmere",
    "Tilbrook",
    "Upperton",
    "Westholme",
    "Yarrow",
    "Fairburn",
    "Glenfield",
    "Hartcliffe",
    "Ingleby",
    "Langdale",
    "Medbourne",
];
const PARTS: [&str; 20] = [
    "Brook", "Hill", "Park", "Lane", "Green", "Wood", "Road", "Moor", "Dale", "Field", "Cross",
    "Bridge", "Meadow", "Croft", "Gate", "Heath", "Mount", "Vale", "Common", "Spring",
];
const SAINTS: [&str; 14] = [
    "Mary’s",
    "John’s",
    "Peter’s",
    "Joseph’s",
    "Anne’s",
    "Paul’s",
    "Michael’s",
    "Thomas’",
    "Andrew’s",
    "George’s",
    "Élise’s",
    "Wilfrid’s",
    "Oswald’s",
    "Hilda’s",
];
const SORTS: [(&str, &str); 9] = [
    ("Primary School", "Primary"),
    ("Church of England Primary School", "Primary"),
    ("Catholic Primary School", "Primary"),
    ("Junior School", "Primary"),
    ("Infant School", "Primary"),
    ("Primary Academy – a Trust School", "Primary"),
    ("High School", "Secondary"),
    ("Academy", "Secondary"),
    ("Nursery School", "Nursery"),
];

/// The two files, and what went into them.
pub(crate) struct MadeUp {
    /// The schools' file.
    pub(crate) schools: Vec<u8>,
    /// The links' file.
    pub(crate) links: Vec<u8>,
    /// Each school's cells by their headings.
    pub(crate) rows: Vec<BTreeMap<&'static str, String>>,
    /// Which school came after which.
    pub(crate) successions: Vec<(String, String)>,
}

/// The headings of the real file, in their order.
pub(crate) fn headings() -> Vec<&'static str> {
    let columns = HEADER.trim().split(',');
    columns.map(|column| column.trim_matches('"')).collect()
}

/// Makes a register of so many schools.
pub(crate) fn register(seed: u64, count: usize) -> MadeUp {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut rows = Vec::new();
    let mut successions = Vec::new();
    for at in 0..count {
        let urn = 100_000 + at;
        let mut row = school(&mut random, urn);
        // One in ten is closed, and half of those became the next school.
        if at % 10 == 9 {
            row.insert("EstablishmentStatus (name)", "Closed".to_owned());
            row.insert("CloseDate", "31-08-2019".to_owned());
            if at % 20 == 9 && at + 1 < count {
                successions.push((urn.to_string(), (urn + 1).to_string()));
            }
        }
        if at % 20 == 10 {
            row.insert("OpenDate", "01-09-2019".to_owned());
        }
        rows.push(row);
    }
    let headings = headings();
    let lines = rows.iter().map(|row| {
        let cells = headings
            .iter()
            .map(|heading| row.get(heading).map_or("", String::as_str));
        cells.map(str::to_owned).collect()
    });
    let schools = write(&headings, lines);
    let links = successions.iter().enumerate().map(|(index, (from, to))| {
        let (urn, other, what) = if index % 3 == 0 {
            (to, from, "Predecessor")
        } else {
            (from, to, "Successor")
        };
        let cells = [urn, other, "A School – renamed", what, "01-09-2019"];
        cells.map(|cell| cell.to_owned()).to_vec()
    });
    let links = write(
        &[
            "URN",
            "LinkURN",
            "LinkName",
            "LinkType",
            "LinkEstablishedDate",
        ],
        links,
    );
    MadeUp {
        schools,
        links,
        rows,
        successions,
    }
}

/// A file in the register's encoding.
pub(crate) fn write(headings: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut writer = WriterBuilder::new()
        .quote_style(QuoteStyle::Necessary)
        .from_writer(Vec::new());
    writer
        .write_record(headings)
        .expect("the headings are written");
    for row in rows {
        writer.write_record(row).expect("a row is written");
    }
    let text = String::from_utf8(writer.into_inner().expect("written")).expect("UTF-8");
    let (bytes, _, lost) = WINDOWS_1252.encode(&text);
    assert!(!lost, "everything has a place in the Windows code page");
    bytes.into_owned()
}

fn school(random: &mut ChaCha8Rng, urn: usize) -> BTreeMap<&'static str, String> {
    let (place, part) = (pick(random, &PLACES), pick(random, &PARTS));
    let (sort, phase) = pick(random, &SORTS);
    let name = match pick(random, &[0, 1, 2, 3]) {
        0 => format!("St {} {sort}", pick(random, &SAINTS)),
        1 => format!("{place} {sort}"),
        2 => format!("{place} {part} {sort}"),
        _ => format!("{part}side {sort}"),
    };
    let letters = place.get(..2).unwrap_or_default().to_ascii_uppercase();
    let postcode = format!("{letters}{} {}AB", 1 + urn % 40, urn % 10);
    let (low, high) = match phase {
        "Nursery" => ("3", "5"),
        "Primary" => ("4", "11"),
        _ => ("11", "18"),
    };
    let cells = [
        ("URN", urn.to_string()),
        ("LA (code)", (800 + urn % 100).to_string()),
        ("LA (name)", format!("{place}shire")),
        ("EstablishmentName", name),
        ("TypeOfEstablishment (name)", "Community school".to_owned()),
        (
            "EstablishmentTypeGroup (name)",
            "Local authority maintained schools".to_owned(),
        ),
        ("EstablishmentStatus (name)", "Open".to_owned()),
        ("OpenDate", "01-01-1970".to_owned()),
        ("PhaseOfEducation (name)", phase.to_owned()),
        ("StatutoryLowAge", low.to_owned()),
        ("StatutoryHighAge", high.to_owned()),
        ("Street", format!("{part} Street, off the {place} road")),
        ("Town", place.to_owned()),
        ("Postcode", postcode),
        ("Trusts (name)", String::new()),
        ("HeadTitle (name)", "Mx".to_owned()),
        ("HeadFirstName", "Inventedfirst".to_owned()),
        ("HeadLastName", format!("Inventedlast{urn}")),
        ("HeadPreferredJobTitle", "Inventedtitle".to_owned()),
        ("GOR (name)", "Yorkshire and the Humber".to_owned()),
        ("Easting", (400_000 + urn % 90_000).to_string()),
        ("Northing", (300_000 + urn % 80_000).to_string()),
        ("NumberOfPupils", (urn % 500).to_string()),
        ("MSOA (code)", format!("E0200{urn}")),
    ];
    BTreeMap::from(cells)
}

/// One of several.
pub(crate) fn pick<T: Copy>(random: &mut ChaCha8Rng, from: &[T]) -> T {
    from[below(random, from.len())]
}

/// A number below another.
pub(crate) fn below(random: &mut ChaCha8Rng, bound: usize) -> usize {
    usize::try_from(random.next_u64() % bound as u64).expect("small")
}
