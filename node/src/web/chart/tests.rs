//! Charts as they are drawn, read as XML.

use maud::Markup;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::*;

fn chart() -> Chart {
    Chart {
        finding: "Most <groups> & schools".to_owned(),
        definition: "Groups that were held.".to_owned(),
        as_at: "26 November 2026".to_owned(),
    }
}

/// What stands in a chart.
#[derive(Default)]
struct Read {
    /// Each piece of text in the picture.
    picture: Vec<String>,
    /// What marks say when they are pointed at.
    titles: Vec<String>,
    /// Each cell of the table's body, row by row.
    table: Vec<Vec<String>>,
    /// Each mark's name, class and width.
    marks: Vec<(String, String, String)>,
}

/// Reads a chart as XML, and checks what holds for every chart.
fn read(markup: &Markup) -> Read {
    let text = markup.clone().into_string();
    for never in [
        "style=", "<style", "<script", "NaN", "inf%", "id=", "<groups>",
    ] {
        assert!(!text.contains(never), "{never} in {text}");
    }
    assert!(text.contains("Most &lt;groups&gt; &amp; schools"));
    assert!(text.contains("As at 26 November 2026."));
    let mut reader = Reader::from_str(&text);
    reader.config_mut().check_end_names = true;
    let (mut read, mut open) = (Read::default(), Vec::<String>::new());
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(tag) => {
                let name = tag.name().as_ref().to_owned();
                let attribute = |key: &str| {
                    let attributes = tag.attributes().map(|it| it.expect("an attribute"));
                    let mut found = attributes.filter(|it| it.key.as_ref() == key);
                    found
                        .next()
                        .map_or_else(String::new, |it| it.value.to_string())
                };
                match name.as_str() {
                    "tr" => read.table.push(Vec::new()),
                    "text" if open.iter().any(|it| it == "svg") => read.picture.push(String::new()),
                    "title" => read.titles.push(String::new()),
                    "th" | "td" => {
                        if let Some(row) = read.table.last_mut() {
                            row.push(String::new());
                        }
                    }
                    _ => {}
                }
                read.marks
                    .push((name.clone(), attribute("class"), attribute("width")));
                open.push(name);
            }
            Event::End(_) => drop(open.pop()),
            Event::Text(words) => {
                let text: &str = &words;
                add(&mut read, &open, text);
            }
            Event::GeneralRef(name) => {
                let text: &str = &name;
                add(&mut read, &open, &format!("&{text};"));
            }
            Event::Eof => return read,
            Event::Empty(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_) => {}
        }
    }
}

fn add(read: &mut Read, open: &[String], words: &str) {
    let inside = |name: &str| open.iter().any(|it| it == name);
    let into = if inside("title") {
        read.titles.last_mut()
    } else if inside("svg") && inside("text") {
        read.picture.last_mut()
    } else if inside("table") {
        read.table.last_mut().and_then(|row| row.last_mut())
    } else {
        None
    };
    if let Some(into) = into {
        into.push_str(words);
    }
}

impl Read {
    fn row(&self, first: &str) -> Vec<&str> {
        let row = self
            .table
            .iter()
            .find(|row| row.first().is_some_and(|it| it == first));
        let row = row.unwrap_or_else(|| panic!("{first} in {:?}", self.table));
        row.iter().map(String::as_str).collect()
    }

    fn shows(&self, text: &str) -> bool {
        self.picture.iter().any(|it| it == text)
    }

    fn widths(&self, class: &str) -> Vec<&str> {
        let marks = self
            .marks
            .iter()
            .filter(|it| it.0 == "rect" && it.1 == class);
        marks.map(|it| it.2.as_str()).collect()
    }
}

fn named<T>(items: &[(&str, T)]) -> Vec<(String, T)>
where
    T: Copy,
{
    items
        .iter()
        .map(|(name, value)| ((*name).to_owned(), *value))
        .collect()
}

#[test]
fn bars_stand_by_size_with_the_numbers_of_the_table() {
    let items = named(&[("Secondary", 0), ("Primary", 1_234), ("16 & over <b>", 617)]);
    let read = read(&bars(&chart(), "Phase", "Groups", &items));
    assert_eq!(read.row("Primary"), ["Primary", "1,234"]);
    assert_eq!(read.row("Secondary"), ["Secondary", "0"]);
    assert_eq!(
        read.picture,
        [
            "Primary",
            "1,234",
            "16 &amp; over &lt;b&gt;",
            "617",
            "Secondary",
            "0"
        ]
    );
    let widths = read.widths("chart-1").into_iter().map(|width| {
        let width = width.trim_end_matches('%').parse::<f64>();
        width.expect("a share")
    });
    let widths = widths.collect::<Vec<_>>();
    assert!((widths[0] / widths[1] - 2.0).abs() < 0.01, "{widths:?}");
    assert_eq!(widths[2], 0.0);
}

#[test]
fn planned_and_done_stand_in_the_order_given() {
    let pair = |label: &str, planned, done| Pair {
        label: label.to_owned(),
        href: Some("/plans/1".to_owned()),
        planned,
        done,
    };
    let pairs = pairs(&chart(), "Item", &[pair("B", 20, 18), pair("A", 0, 3)]);
    let read = read(&pairs);
    assert_eq!(read.row("B"), ["B", "20", "18"]);
    assert_eq!(read.row("A"), ["A", "0", "3"]);
    assert_eq!(
        read.picture,
        ["Planned", "Done", "B", "18 of 20", "A", "3 of 0"]
    );
}

#[test]
fn the_median_is_named_and_who_is_missing_is_never_zero() {
    let items = named(&[
        ("Solent Maths Hub", Some(7)),
        ("Sussex Maths Hub", None),
        ("Enigma Maths Hub", Some(1_010)),
    ]);
    let markup = dots(&chart(), "Hub", "Schools", &items);
    let told = read(&markup);
    assert_eq!(told.row("Solent Maths Hub"), ["Solent Maths Hub", "7"]);
    assert_eq!(
        told.row("Sussex Maths Hub"),
        ["Sussex Maths Hub", "No return"]
    );
    assert_eq!(told.row("Median"), ["Median", "508.5"]);
    assert!(told.shows("Median 508.5") && told.shows("Solent") && told.shows("7"));
    assert!(!told.shows("Sussex"), "{:?}", told.picture);
    assert!(markup.into_string().contains("1 is missing: "));
    let none = read(&dots(
        &chart(),
        "Hub",
        "Schools",
        &named(&[("Solent", None)]),
    ));
    assert_eq!(none.row("Solent"), ["Solent", "No return"]);
    assert!(none.picture.is_empty());
}

#[test]
fn every_point_of_a_line_stands_in_the_table() {
    let series = |name: &str, values: &[Option<u64>]| Series {
        name: name.to_owned(),
        values: values.to_vec(),
    };
    let periods = ["Autumn", "Spring", "Summer"].map(str::to_owned);
    let five = ["One", "Two", "Three", "Four", "Five"];
    let mut all = five.map(|name| series(name, &[Some(3), None, Some(1_500)]));
    all[1].values = vec![None];
    let markup = lines(&chart(), "Term", &periods, &all);
    let told = read(&markup);
    assert_eq!(told.row("Autumn")[1..3], ["3", "No figure"]);
    assert_eq!(told.row("Spring")[1..], ["No figure"; 5]);
    assert_eq!(told.row("Summer").last().copied(), Some("1,500"));
    assert!(told.titles.contains(&"One, Summer: 1,500".to_owned()));
    assert!(told.shows("Four") && !told.shows("Two") && !told.shows("Five"));
    let text = markup.into_string();
    assert!(text.contains("The first four of 5 are drawn"), "{text}");
    assert!(text.contains("No figures yet: Two."), "{text}");
    // Over a gap no line is drawn.
    assert!(!text.contains("chart-line-1"), "{text}");
}

fn tile(code: &str, value: Option<u64>, vacant: Option<&str>) -> Tile {
    Tile {
        code: code.to_owned(),
        name: format!("{code} Maths Hub"),
        value,
        vacant: vacant.map(str::to_owned),
    }
}

#[test]
fn a_tile_says_its_number_or_why_it_has_none() {
    let tiles = [
        tile("solent", Some(1_234), None),
        tile("sussex", None, None),
        tile("glow", None, Some("Boolean Maths Hub")),
        tile("quite-new", Some(2_500_000), None),
    ];
    let markup = tile_map(&chart(), "Schools", &tiles);
    let told = read(&markup);
    assert_eq!(told.row("solent Maths Hub")[2], "1,234");
    assert_eq!(told.row("sussex Maths Hub")[2], "No return");
    assert_eq!(
        told.row("glow Maths Hub")[2],
        "Vacant, covered by Boolean Maths Hub"
    );
    assert_eq!(told.row("quite-new Maths Hub")[2], "2,500,000");
    for text in ["1,234", "vacant", "\u{2013}", "2m", "SOL", "Solent"] {
        assert!(told.shows(text), "{text} in {:?}", told.picture);
    }
    for title in &told.titles[1..] {
        let (name, said) = title.split_once(": ").expect("name and value");
        assert_eq!(told.row(name)[2], said);
    }
    let text = markup.into_string();
    assert!(text.contains("glow Maths Hub (covered by Boolean Maths Hub)"));
    assert_eq!(text.matches("chart-hatch").count(), 1);
    assert_eq!(
        text.matches("chart-ghost").count(),
        places::PLACES.len() - 3
    );
}

#[test]
fn nothing_and_far_too_much_can_be_drawn() {
    let charts = |names: &[String], value: u64| {
        let counts = names
            .iter()
            .map(|name| (name.clone(), value))
            .collect::<Vec<_>>();
        let told = names
            .iter()
            .map(|name| (name.clone(), Some(value)))
            .collect::<Vec<_>>();
        let both = names.iter().map(|name| Pair {
            label: name.clone(),
            href: None,
            planned: value,
            done: value,
        });
        let series = names.iter().map(|name| Series {
            name: name.clone(),
            values: vec![Some(value); names.len()],
        });
        let tiles = names.iter().map(|name| tile(name, Some(value), Some("")));
        [
            bars(&chart(), "Phase", "Groups", &counts),
            dots(&chart(), "Hub", "Groups", &told),
            pairs(&chart(), "Item", &both.collect::<Vec<_>>()),
            lines(&chart(), "Term", names, &series.collect::<Vec<_>>()),
            tile_map(&chart(), "Groups", &tiles.collect::<Vec<_>>()),
        ]
    };
    for markup in charts(&[], 0) {
        assert!(read(&markup).table.is_empty());
        assert!(
            markup
                .into_string()
                .contains("There are no numbers to show yet.")
        );
    }
    let forty = (0..40)
        .map(|index| format!("Hub {index}"))
        .collect::<Vec<_>>();
    let long = [String::new(), "x".repeat(300), "long words ".repeat(40)];
    for names in [&forty[..1], &forty, &long] {
        for value in [0, 1, 1_000_000, u64::MAX] {
            for markup in charts(names, value) {
                assert!(read(&markup).table.len() > names.len());
            }
        }
    }
    // Periods without any line, and lines without any period.
    assert!(read(&lines(&chart(), "Term", &forty, &[])).table.len() > forty.len());
    let series = Series {
        name: "Schools".to_owned(),
        values: vec![Some(3)],
    };
    read(&lines(&chart(), "Term", &[], &[series]));
}

#[test]
#[ignore = "writes every chart to a file, to be looked at"]
fn every_chart_on_a_page() {
    let names = include_str!("../../../../deploy/data/hubs.csv");
    let names = names.lines().skip(1).map(|line| {
        let mut cells = line.split(',');
        let code = cells.next().unwrap_or_default();
        let name = line.split('"').nth(1).filter(|it| it.contains("Maths Hub"));
        (
            code,
            name.unwrap_or_else(|| cells.next().unwrap_or_default()),
        )
    });
    let hubs = names.collect::<Vec<_>>();
    let value = |index: usize| match index {
        12 | 30 => None,
        _ => Some((index as u64 * 37 + 11) % 140 * 9),
    };
    let told = |finding: &str| Chart {
        finding: finding.to_owned(),
        definition: "How many schools took part in at least one work group.".to_owned(),
        as_at: "26 November 2026".to_owned(),
    };
    let pair = |label: &str, planned, done| Pair {
        label: label.to_owned(),
        href: None,
        planned,
        done,
    };
    let series = |name: &str, values: &[Option<u64>]| Series {
        name: name.to_owned(),
        values: values.to_vec(),
    };
    let periods = [
        "Autumn 2024",
        "Spring 2025",
        "Summer 2025",
        "Autumn 2025",
        "Spring 2026",
        "Summer 2026",
    ];
    let periods = periods.map(str::to_owned);
    let by_hub = hubs
        .iter()
        .enumerate()
        .map(|(index, (_, name))| ((*name).to_owned(), value(index)));
    let mut tiles = hubs
        .iter()
        .enumerate()
        .map(|(index, (code, name))| Tile {
            code: (*code).to_owned(),
            name: (*name).to_owned(),
            value: value(index).filter(|_| index != 11),
            vacant: (index == 11).then(|| "Boolean Maths Hub".to_owned()),
        })
        .collect::<Vec<_>>();
    let demo = tiles.iter().filter(|it| {
        ["south-yorkshire", "west-yorkshire", "london-thames"].contains(&it.code.as_str())
    });
    let demo = demo.cloned().collect::<Vec<_>>();
    tiles.push(tile("fens", Some(40), None));
    let all = [
        pairs(
            &told("Two items have fewer work groups than planned"),
            "Item",
            &[
                pair("Mastery readiness", 12, 12),
                pair(
                    "Secondary subject knowledge for teachers who came from other subjects, years 7 to 9",
                    8,
                    5,
                ),
                pair("Early years", 3, 4),
                pair("Post-16", 0, 1),
                pair("Core maths", 6, 0),
            ],
        ),
        lines(
            &told("More schools each term, most of them primary"),
            "Term",
            &periods,
            &[
                series(
                    "Primary",
                    &[
                        Some(310),
                        Some(402),
                        Some(455),
                        Some(610),
                        Some(700),
                        Some(1_120),
                    ],
                ),
                series(
                    "Secondary",
                    &[Some(200), Some(220), None, Some(260), Some(300), Some(312)],
                ),
                series(
                    "Further education colleges",
                    &[
                        Some(20),
                        Some(80),
                        Some(120),
                        Some(260),
                        Some(290),
                        Some(300),
                    ],
                ),
                series(
                    "Special schools",
                    &[None, Some(8), Some(10), Some(14), None, None],
                ),
            ],
        ),
        lines(
            &told("Two periods of one line"),
            "Year",
            &periods[..2],
            &[series("Version 1", &[Some(3), Some(2)])],
        ),
        bars(
            &told("Most work groups are for primary schools"),
            "Phase",
            "Work groups",
            &named(&[
                ("Primary", 1_234),
                ("Secondary", 617),
                ("Early years", 80),
                ("Post-16", 12),
                ("All-through", 0),
            ]),
        ),
        dots(
            &told("Half of the hubs reached more than 600 schools"),
            "Hub",
            "Schools",
            &by_hub.collect::<Vec<_>>(),
        ),
        tile_map(&told("36 of 38 hubs told a number"), "Schools", &tiles),
        tile_map(&told("3 of 3 hubs told a number"), "Schools", &demo),
        dots(
            &told("A million"),
            "Hub",
            "Schools",
            &named(&[("A", Some(1_000_000)), ("London South East Plus", Some(3))]),
        ),
        bars(&told("Nothing yet"), "Phase", "Work groups", &[]),
    ];
    let page = html! {
        (maud::DOCTYPE)
        html lang="en-GB" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Charts" }
                style { (maud::PreEscaped(include_str!("../assets/causeway.css")))
                    (maud::PreEscaped(include_str!("../assets/chart.css"))) }
            }
            body { main.width { h1 { "Charts" } @for chart in &all { (chart) } } }
        }
    };
    let path = std::env::temp_dir().join("charts.html");
    std::fs::write(&path, page.into_string()).expect("written");
}
