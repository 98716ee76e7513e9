//! The engines of a whole nation of hubs, run in virtual time.

mod rows;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use serde_json::{Map, Value};
use tests::nation::{Plan, Report, simulate};

use self::rows::ROWS;

const BEGIN: &str = "<!-- simulate:begin -->";
const END: &str = "<!-- simulate:end -->";

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many hubs; several sizes, with commas between, show how each cost grows.
    #[arg(long, value_delimiter = ',', default_value = "40")]
    hubs: Vec<usize>,
    /// Decides everything that is left to chance.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Megabits a second of a hub's line, each way.
    #[arg(long, default_value_t = 20)]
    mbit: u64,
    /// Megabits a second of the coordinator's line, each way.
    #[arg(long, default_value_t = 1_000)]
    coordinator_mbit: u64,
    /// Milliseconds that a message is under way.
    #[arg(long, default_value_t = 20)]
    latency_ms: u64,
    /// One hub in so many writes; unless given, as many as time and memory allow.
    #[arg(long)]
    one_in: Option<usize>,
    /// How many entries of an ordinary day are simulated.
    #[arg(long)]
    day_entries: Option<u64>,
    /// Whether nodes sign receipts; unless given, up to 1,000 hubs.
    #[arg(long)]
    receipts: Option<bool>,
    /// Write the table into docs/performance.md, in the current folder.
    #[arg(long)]
    write: bool,
}

pub(crate) fn measure(options: &Options, json: bool) -> anyhow::Result<()> {
    let mut reports = Vec::new();
    for hubs in &options.hubs {
        ensure!(*hubs > 0, "at least one hub is needed");
        let report = simulate(&options.plan(*hubs)?);
        if json {
            print(&Value::Object(object(&report)).to_string());
        }
        for broken in &report.broken {
            eprint(broken);
        }
        reports.push(report);
    }
    if !json {
        print(&text(&reports));
    }
    if options.write {
        write(Path::new("docs/performance.md"), &markdown(&reports))?;
    }
    let broken = reports
        .iter()
        .map(|report| report.broken.len())
        .sum::<usize>();
    ensure!(broken == 0, "{broken} promises did not hold");
    Ok(())
}

impl Options {
    fn plan(&self, hubs: usize) -> anyhow::Result<Plan> {
        let plan = Plan::of(hubs);
        let bits = |megabits: u64| megabits.checked_mul(1_000_000).filter(|bits| *bits > 0);
        let plan = Plan {
            seed: self.seed,
            one_in: self.one_in.unwrap_or(plan.one_in),
            day_entries: self.day_entries.unwrap_or(plan.day_entries),
            receipts: self.receipts.unwrap_or(plan.receipts),
            hub_bits: bits(self.mbit).context("a line of this speed carries nothing")?,
            coordinator_bits: bits(self.coordinator_mbit)
                .context("a line of this speed carries nothing")?,
            latency: Duration::from_millis(self.latency_ms),
            ..plan
        };
        ensure!(plan.one_in > 0, "one hub in 0 is not a number of hubs");
        Ok(plan)
    }
}

fn object(report: &Report) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("scenario".to_owned(), "simulate".into());
    object.insert("seed".to_owned(), report.plan.seed.into());
    object.insert("receipts".to_owned(), report.plan.receipts.into());
    for row in ROWS {
        if let Some(value) = (row.value)(report) {
            object.insert(row.name.to_owned(), rounded(value));
        }
    }
    object.insert("breaks_first".to_owned(), rows::breaks_first(report).into());
    object.insert("all_equal".to_owned(), report.broken.is_empty().into());
    object
}

/// To four places that say something.
fn rounded(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        return Value::from(value as i64);
    }
    let scale = 10_f64.powf(3.0 - value.abs().log10().floor());
    Value::from((value * scale).round() / scale)
}

fn markdown(reports: &[Report]) -> String {
    let mut lines = Vec::new();
    let heads = reports
        .iter()
        .map(|report| format!("{} hubs", thousands(report.plan.hubs as f64)));
    let growth = reports.windows(2).map(|pair| {
        let [from, to] = [pair[0].plan.hubs, pair[1].plan.hubs];
        format!("{} to {}", thousands(from as f64), thousands(to as f64))
    });
    let heads = heads.chain(growth).collect::<Vec<_>>();
    lines.push(format!("| what | {} |", heads.join(" | ")));
    lines.push(format!("| --- |{}", " ---: |".repeat(heads.len())));
    for row in ROWS {
        lines.push(format!(
            "| {} | {} |",
            row.label,
            cells(row, reports).join(" | ")
        ));
    }
    let first = reports.iter().map(rows::breaks_first);
    let blanks = " |".repeat(reports.len().saturating_sub(1));
    let first = first.collect::<Vec<_>>().join(" | ");
    lines.push(format!("| what breaks first | {first} |{blanks}"));
    lines.join("\n")
}

fn text(reports: &[Report]) -> String {
    let mut lines = Vec::new();
    for row in ROWS {
        let cells = cells(row, reports)
            .into_iter()
            .map(|cell| format!("{cell:>14}"));
        lines.push(format!("{:58}{}", row.label, cells.collect::<String>()));
    }
    for report in reports {
        let hubs = report.plan.hubs;
        lines.push(format!(
            "breaks first at {hubs}: {}",
            rows::breaks_first(report)
        ));
    }
    lines.join("\n")
}

/// A value for each size, and between each two the power of the number of hubs that it grows with.
fn cells(row: &rows::Row, reports: &[Report]) -> Vec<String> {
    let values = reports
        .iter()
        .map(|report| (row.value)(report))
        .collect::<Vec<_>>();
    let cells = values
        .iter()
        .map(|value| value.map_or_else(|| "-".to_owned(), thousands));
    let growth = values
        .windows(2)
        .zip(reports.windows(2))
        .map(|(values, reports)| {
            let hubs = reports[1].plan.hubs as f64 / reports[0].plan.hubs as f64;
            match (values[0], values[1]) {
                (Some(from), Some(to)) if row.grows && from > 0.0 && to > 0.0 => {
                    format!("{:.1}", (to / from).ln() / hubs.ln())
                }
                _ => String::new(),
            }
        });
    cells.chain(growth).collect()
}

/// Whole from a hundred on, with commas; two or three places that say something below.
fn thousands(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if value.fract() == 0.0 || value >= 100.0 {
        let digits = format!("{value:.0}");
        let mut grouped = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        return grouped;
    }
    let places = (2.0 - value.abs().log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{value:.places$}")
}

/// Puts the table between the markers.
fn write(path: &Path, table: &str) -> anyhow::Result<()> {
    let page = std::fs::read_to_string(path).with_context(|| {
        format!(
            "cannot read {}; run this in the project's folder",
            path.display()
        )
    })?;
    let (before, rest) = page
        .split_once(BEGIN)
        .context("the page has no beginning marker")?;
    let (_, after) = rest.split_once(END).context("the page has no end marker")?;
    std::fs::write(path, format!("{before}{BEGIN}\n{table}\n{END}{after}"))?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is the program's result")]
fn print(line: &str) {
    println!("{line}");
}

#[expect(
    clippy::print_stderr,
    reason = "a promise that did not hold is to be seen beside the result"
)]
fn eprint(line: &str) {
    eprintln!("{line}");
}
