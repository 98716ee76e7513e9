//! What was found, as a section of docs/performance.md with its pictures.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use node::clock::now_ms;
use node::web::words;

use crate::versus::driver::Built;
use crate::versus::figure::{Figure, times};
use crate::versus::picture::{Bar, Group, picture};
use crate::versus::task::{Outcome, System, Task};

const BEGIN: &str = "<!-- versus:begin -->";
const END: &str = "<!-- versus:end -->";
const MISSING: &str = "–";

/// Which tasks a picture shows, and what of them.
struct Picture {
    file: &'static str,
    title: &'static str,
    figure: Figure,
    shows: fn(Task) -> bool,
}

const PICTURES: [Picture; 6] = [
    Picture {
        file: "versus-first-copy.svg",
        title: "First copy: time until both are equal",
        figure: Figure::Wall,
        shows: |task| matches!(task, Task::FirstCopy { .. }),
    },
    Picture {
        file: "versus-reconnect.svg",
        title: "Connecting again: time until both are equal",
        figure: Figure::Wall,
        shows: |task| matches!(task, Task::Reconnect { .. }),
    },
    Picture {
        file: "versus-reconnect-bytes.svg",
        title: "Connecting again: bytes both ways",
        figure: Figure::Bytes,
        shows: |task| matches!(task, Task::Reconnect { .. }),
    },
    Picture {
        file: "versus-memory.svg",
        title: "Most memory of the server's process",
        figure: Figure::Memory,
        shows: |task| matches!(task, Task::FirstCopy { .. } | Task::FanOut { rate: 0, .. }),
    },
    Picture {
        file: "versus-fan-out.svg",
        title: "Paced edits: 99 in a hundred are with all readers after",
        figure: Figure::P99,
        shows: |task| matches!(task, Task::FanOut { rate, .. } if rate > 0),
    },
    Picture {
        file: "versus-flood.svg",
        title: "Edits as fast as it goes: how many all readers get a second",
        figure: Figure::PerSecond,
        shows: |task| matches!(task, Task::FanOut { rate: 0, .. }),
    },
];

/// Writes the section between its marks in docs/performance.md, and the pictures beside it.
pub(crate) fn write(outcomes: &[Outcome], built: &Built) -> anyhow::Result<()> {
    let docs = docs();
    let path = docs.join("performance.md");
    let text = fs::read_to_string(&path)?;
    let (before, rest) = text
        .split_once(BEGIN)
        .context("docs/performance.md has no mark where the comparison begins")?;
    let (_, after) = rest
        .split_once(END)
        .context("docs/performance.md has no mark where the comparison ends")?;
    let mut section = String::new();
    conditions(&mut section, built)?;
    table(&mut section, outcomes)?;
    for shown in &PICTURES {
        let drawn = picture(shown.title, &groups(shown, outcomes));
        fs::write(docs.join(shown.file), drawn)?;
        writeln!(section, "\n![{}]({})", shown.title, shown.file)?;
    }
    Ok(fs::write(
        &path,
        format!("{before}{BEGIN}\n{section}{END}{after}"),
    )?)
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// When, on what, and with which versions.
fn conditions(section: &mut String, built: &Built) -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism()?;
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown", |line| line.trim_start_matches([' ', '\t', ':']));
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').nth(2).unwrap_or("unknown").to_owned();
    let versions = built
        .iter()
        .filter_map(|(_, driver)| Some(driver.as_ref().ok()?.version.clone()));
    let versions = versions.collect::<Vec<_>>();
    writeln!(
        section,
        "Measured on {}: {cores} cores ({model}), mean load of the last quarter of an hour {load}; \
         Causeway {}, {}.\n",
        words::moment(now_ms()),
        env!("CARGO_PKG_VERSION"),
        words::listed(&versions),
    )?;
    Ok(())
}

fn table(section: &mut String, outcomes: &[Outcome]) -> anyhow::Result<()> {
    let names = System::ALL.map(System::name);
    writeln!(
        section,
        "| | {} |\n| --- | --- | --- | --- |",
        names.join(" | ")
    )?;
    for task in tasks(outcomes) {
        let of = |system| find(outcomes, task, system);
        for (place, (what, figure)) in rows(task).into_iter().enumerate() {
            let cells = System::ALL.map(|system| match of(system) {
                Some(outcome) => cell(outcome, of(System::Causeway), figure, place == 0),
                None => MISSING.to_owned(),
            });
            writeln!(
                section,
                "| {}: {what} | {} |",
                title(task),
                cells.join(" | ")
            )?;
        }
    }
    Ok(())
}

/// One figure of one system, and how many times as much as Causeway's it is.
fn cell(outcome: &Outcome, ours: Option<&Outcome>, figure: Figure, first: bool) -> String {
    let value = match (&outcome.measured, outcome.get(figure)) {
        (_, Some(value)) => value,
        // Once is enough.
        (Err(reason), None) if first => return format!("failed: {}", escaped(reason)),
        (Err(_) | Ok(_), None) => return MISSING.to_owned(),
    };
    let mut said = figure.say(value);
    if figure == Figure::Kept {
        let all = outcome.get(Figure::Acknowledged).unwrap_or_default();
        said = format!("{said} of {}", Figure::Acknowledged.say(all));
    } else if outcome.system != System::Causeway {
        let ours = ours.and_then(|ours| ours.get(figure));
        if let Some(times) = ours.and_then(|ours| times(ours, value)) {
            said = format!("{said} ({times})");
        }
    }
    if figure == Figure::Wall {
        let others = [
            (Figure::Durable, "all durable"),
            (Figure::Checked, "all documents built and checked"),
        ];
        for (other, what) in others {
            if let Some(value) = outcome.get(other) {
                said = format!("{said}; {what} {}", other.say(value));
            }
        }
    }
    if figure == Figure::Wall && outcome.get(Figure::Copied).is_some() {
        said.push_str("; its client's folder was copied, as it took no first copy");
    }
    said
}

fn rows(task: Task) -> Vec<(&'static str, Figure)> {
    let memory = ("memory of the server", Figure::Memory);
    match task {
        Task::FirstCopy { .. } | Task::Reconnect { .. } => {
            vec![("time", Figure::Wall), ("bytes", Figure::Bytes), memory]
        }
        Task::FanOut { rate: 0, .. } => vec![("edits a second", Figure::PerSecond), memory],
        Task::FanOut { .. } => vec![
            ("half within", Figure::P50),
            ("99% within", Figure::P99),
            memory,
        ],
        Task::Killed { .. } => vec![("left of it", Figure::Kept)],
    }
}

fn title(task: Task) -> String {
    let number = |count: usize| words::number(count as u64);
    match task {
        Task::FirstCopy { documents } => {
            format!("First copy of {} documents", number(documents))
        }
        Task::Reconnect { documents, changed } => format!(
            "Connecting again, {} of {} documents changed",
            number(changed),
            number(documents)
        ),
        Task::FanOut {
            readers,
            edits,
            rate: 0,
        } => {
            format!(
                "{} edits as fast as it goes to {} readers",
                number(edits),
                number(readers)
            )
        }
        Task::FanOut {
            readers,
            edits,
            rate,
        } => format!(
            "{} edits at {rate} a second to {} readers",
            number(edits),
            number(readers)
        ),
        Task::Killed { documents } => format!(
            "Server killed (`kill -9`) on acknowledging 5 changes in each of {} documents, three times",
            number(documents)
        ),
    }
}

fn groups(shown: &Picture, outcomes: &[Outcome]) -> Vec<Group> {
    let tasks = tasks(outcomes)
        .into_iter()
        .filter(|task| (shown.shows)(*task));
    let groups = tasks.map(|task| {
        let ours = find(outcomes, task, System::Causeway).and_then(|it| it.get(shown.figure));
        let bars = System::ALL.iter().map(|system| {
            let outcome = find(outcomes, task, *system);
            let value = outcome.and_then(|outcome| outcome.get(shown.figure));
            let said = match (value, outcome.map(|outcome| &outcome.measured)) {
                (Some(value), _) => {
                    let times = ours
                        .filter(|_| *system != System::Causeway)
                        .and_then(|ours| times(ours, value));
                    let times = times.map_or_else(String::new, |times| format!(" ({times})"));
                    format!("{}{times}", shown.figure.say(value))
                }
                // What it said stands in the table; here is room for its beginning.
                (None, Some(Err(reason))) => reason
                    .split(": ")
                    .next()
                    .unwrap_or_default()
                    .chars()
                    .take(60)
                    .collect(),
                (None, Some(Ok(_)) | None) => MISSING.to_owned(),
            };
            Bar {
                name: system.name(),
                value,
                said,
            }
        });
        Group {
            heading: title(task),
            bars: bars.collect(),
        }
    });
    groups.collect()
}

/// Each task once, in the order in which they were carried out.
fn tasks(outcomes: &[Outcome]) -> Vec<Task> {
    let mut tasks = Vec::new();
    for outcome in outcomes {
        if !tasks.contains(&outcome.task) {
            tasks.push(outcome.task);
        }
    }
    tasks
}

fn find(outcomes: &[Outcome], task: Task, system: System) -> Option<&Outcome> {
    outcomes
        .iter()
        .find(|it| it.task == task && it.system == system)
}

/// What somebody else said, so that it stays in its cell.
fn escaped(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace('|', "\\|").replace('<', "&lt;")
}
