//! The national picture: where are we, and who is missing?

use std::collections::{BTreeMap, BTreeSet};

use axum::Router;
use axum::extract::Query;
use axum::response::IntoResponse;
use axum::response::{Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use node::clock::now_ms;
use node::records::{Desk, Find, RecordsError};
use node::web::chart::{Chart, Series, Tile, bars, dots, lines, tile_map};
use node::web::{PageError, Visit, Web, parts, words};
use node_domain::{Duty, HUB, MEASURES, Object, RETURN};
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route("/", get(first))
        .route("/picture", get(show))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct Asked {
    /// A period and a measure, as `period|measure`.
    of: String,
    from: String,
    to: String,
    per_cent: String,
}

/// What the page knows.
struct National {
    choices: Vec<(String, String)>,
    chosen: String,
    told: Value,
    hubs: Vec<Hub>,
    /// What each hub returned: its total, if it is told, and its version of the measure.
    totals: BTreeMap<String, (Total, i64)>,
    over_time: Vec<(String, BTreeMap<i64, u64>)>,
    mapped: bool,
}

/// What a return says of everything together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Total {
    /// A number.
    Told(u64),
    /// Too few to tell, or a number that depends on one that is.
    Suppressed,
    /// Its measure has no count of everything, as a rate has none.
    None,
}

impl Total {
    const fn told(self) -> Option<u64> {
        match self {
            Self::Told(number) => Some(number),
            Self::Suppressed | Self::None => None,
        }
    }
}

/// A hub of the national list.
struct Hub {
    code: String,
    name: String,
    vacant: Option<String>,
}

/// Where somebody begins who is signed in: guests with their questions, operators with the
/// connections if something is wrong there, everybody else with the picture.
async fn first(visit: Visit) -> Response {
    let desk = visit.desk();
    if desk.has(Duty::Reports) {
        return Redirect::to("/picture").into_response();
    }
    if desk.has(Duty::Connections) {
        return Redirect::to("/connections").into_response();
    }
    Redirect::to("/questions").into_response()
}

async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Response, PageError> {
    let wanted = asked.clone();
    let national = visit.work(move |desk| National::of(desk, &wanted)).await?;
    Ok(visit.page("The national picture", &national.body(&asked)))
}

impl National {
    fn of(desk: &Desk, asked: &Asked) -> Result<Self, RecordsError> {
        let returns = desk.find(&Find {
            kind: RETURN.name.to_owned(),
            ..Find::default()
        })?;
        let mut pairs = BTreeSet::new();
        for record in &returns.records {
            let columns = serde_json::from_str::<Object>(&record.json).unwrap_or_default();
            let text = |name: &str| {
                columns
                    .get(name)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            if !text("period").is_empty() && !text("measure").is_empty() {
                pairs.insert((text("period").to_owned(), text("measure").to_owned()));
            }
        }
        let choices = pairs.iter().rev().map(|(period, measure)| {
            let title = format!("{}, {period}", title_of(measure));
            (format!("{period}|{measure}"), title)
        });
        let choices = choices.collect::<Vec<_>>();
        let known = choices.iter().any(|(value, _)| *value == asked.of);
        let chosen = if known {
            asked.of.clone()
        } else {
            choices
                .first()
                .map(|(value, _)| value.clone())
                .unwrap_or_default()
        };
        let (period, measure) = chosen.split_once('|').unwrap_or_default();
        let mapping = [&asked.from, &asked.to, &asked.per_cent];
        let mapped = mapping.iter().all(|part| !part.is_empty());
        let mut options = json!({ "period": period, "measure": measure });
        if mapped {
            options["mapping"] = json!(format!("{}:{}:{}", asked.from, asked.to, asked.per_cent));
        }
        let told = desk.report("picture", "", &options.to_string())?;
        let mut totals = BTreeMap::new();
        for basis in told["based_on"].as_array().into_iter().flatten() {
            let text = |name: &str| basis[name].as_str().unwrap_or_default();
            let shown = desk.show(text("id"), "")?;
            let version = basis["version"].as_i64().unwrap_or_default();
            totals.insert(text("hub").to_owned(), (total(&shown.fields), version));
        }
        let mut over_time = Vec::new();
        for (earlier, _) in pairs.iter().filter(|(_, it)| it == measure) {
            let options = json!({ "period": earlier, "measure": measure }).to_string();
            let told = desk.report("picture", "", &options)?;
            let versions = told["by_version"].as_object().into_iter().flatten();
            let sums = versions.filter_map(|(version, sums)| {
                let sum = u64::try_from(sums["total"].as_i64()?).ok()?;
                // Where all that was told is nothing and something was suppressed, nothing is known.
                let unknown = sum == 0 && sums["suppressed_cells"].as_u64() != Some(0);
                (!unknown).then_some((version.parse().ok()?, sum))
            });
            over_time.push((earlier.clone(), sums.collect()));
        }
        let mut hubs = hubs(desk)?;
        // Who returned or is expected is shown whether or not the national list knows it.
        let missing = told["missing"].as_array().into_iter().flatten();
        let missing = missing.filter_map(Value::as_str).map(str::to_owned);
        for code in totals.keys().cloned().chain(missing) {
            if !hubs.iter().any(|hub| hub.code == code) {
                hubs.push(Hub {
                    name: desk.hub_name(&code),
                    code,
                    vacant: None,
                });
            }
        }
        Ok(Self {
            choices,
            told,
            hubs,
            totals,
            over_time,
            mapped,
            chosen,
        })
    }

    fn body(&self, asked: &Asked) -> Markup {
        html! {
            h1 { "The national picture" }
            @if self.choices.is_empty() {
                p.lead { "No hub has submitted a return yet." }
                p { "Hubs count their own work and submit the counts as returns; what they submitted stands \
                     here, hub by hub, with those that are missing." }
            } @else {
                p.lead #in-short { (self.in_short()) }
                form.filters method="get" action="/picture" {
                    div.inline-fields {
                        (parts::select("of", "What, and when", "", &self.choices, &self.chosen, None))
                        div.field { (parts::button("Show")) }
                    }
                }
                (self.missing())
                (self.outdated())
                (self.versions(asked))
                (self.charts())
                (self.behind())
            }
        }
    }

    fn in_short(&self) -> String {
        let missing = self.names("missing");
        let (here, expected) = (self.totals.len(), self.totals.len() + missing.len());
        let sums = self.sums();
        let total = match sums.as_slice() {
            _ if !self.has_total() => String::new(),
            [(_, total, suppressed)] => format!(
                " Together they come to {}{}.",
                if *suppressed > 0 { "at least " } else { "" },
                words::number(*total)
            ),
            [] => String::new(),
            several => format!(
                " They used {} versions of the measure, which are not added up.",
                words::number(several.len() as u64)
            ),
        };
        format!(
            "{} of {} {} in.{total}",
            words::number(here as u64),
            words::counted(expected as u64, "hub's return", "hubs' returns"),
            if here == 1 { "is" } else { "are" }
        )
    }

    fn missing(&self) -> Markup {
        let missing = self.names("missing");
        html! {
            @if missing.is_empty() {
                p #missing { "No hub is missing." }
            } @else {
                div.note.note-warning #missing {
                    p.note-title { (words::counted(missing.len() as u64, "hub is", "hubs are")) " missing: "
                        (words::listed(&missing)) "." }
                    p { "They are not counted as zero." }
                }
            }
        }
    }

    /// Figures that stand on a return which was corrected since.
    fn outdated(&self) -> Markup {
        let corrected = self.told["corrected"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let rows = corrected.iter().map(|it| {
            let number = |name: &str| match it[name].as_i64() {
                Some(total) => total.to_string(),
                None => "not told".to_owned(),
            };
            vec![
                html! { (self.name(it["hub"].as_str().unwrap_or_default())) },
                html! { (number("old_total")) },
                html! { (number("new_total")) },
                html! { (it["reason"].as_str().filter(|it| !it.is_empty()).unwrap_or("No reason was given")) },
            ]
        });
        let rows = rows.collect::<Vec<_>>();
        html! {
            @if !rows.is_empty() {
                h2 { "Corrected since" }
                p { "Figures that were published before a correction stand on the earlier return." }
                (parts::table("Old and new", &[("Hub", false), ("Was", true), ("Is", true), ("Why", false)], &rows))
            }
        }
    }

    /// Whether the measure has a count of everything together.
    fn has_total(&self) -> bool {
        self.totals.values().any(|(total, _)| *total != Total::None)
    }

    fn sums(&self) -> Vec<(i64, u64, u64)> {
        let versions = self.told["by_version"].as_object().into_iter().flatten();
        let sums = versions.filter_map(|(version, sums)| {
            Some((
                version.parse().ok()?,
                u64::try_from(sums["total"].as_i64()?).unwrap_or(0),
                sums["suppressed_cells"].as_u64().unwrap_or(0),
            ))
        });
        sums.collect()
    }

    fn versions(&self, asked: &Asked) -> Markup {
        let sums = self.sums();
        if sums.len() < 2 {
            return html! {};
        }
        let measure = self.measure();
        let rows = sums.iter().map(|(version, total, _)| {
            let hubs = self.totals.values().filter(|(_, of)| of == version).count();
            vec![
                html! { "Version " (version) },
                html! { (words::number(hubs as u64)) },
                html! { (words::number(*total)) },
                html! { (node_domain::measure(measure, *version).map_or("", |it| it.question)) },
            ]
        });
        let rows = rows.collect::<Vec<_>>();
        let mapped = &self.told["mapped"];
        html! {
            h2 { "Versions of the measure" }
            (parts::table("Not added up", &[("Version", false), ("Hubs", true), ("Total", true),
                ("What it counts", false)], &rows))
            @if self.mapped && !mapped.is_null() {
                div.inset #mapped {
                    p { strong { (self.mapped_total(mapped)) } " together. "
                        (mapped["note"].as_str().unwrap_or_default()) }
                }
            }
            details open[self.mapped] {
                summary { "Add them up by a mapping of your own" }
                form method="get" action="/picture" {
                    input type="hidden" name="of" value=(self.chosen);
                    div.inline-fields {
                        (parts::typed_input("number", "from", "Of version", "", &asked.from, None))
                        (parts::typed_input("number", "to", "counted as version", "", &asked.to, None))
                        (parts::typed_input("number", "per_cent", "per cent", "", &asked.per_cent, None))
                    }
                    (parts::button("Add up"))
                }
            }
        }
    }

    /// A mapped sum in words: a measure without a total has none.
    fn mapped_total(&self, mapped: &Value) -> String {
        match mapped["sums"]["total"].as_u64() {
            Some(total) if self.has_total() => words::number(total),
            Some(_) | None => "No total".to_owned(),
        }
    }

    /// The charts of each version of the measure by itself: no two are ever in one picture.
    fn charts(&self) -> Markup {
        let sums = self.sums();
        html! {
            @if !self.has_total() && !self.totals.is_empty() {
                p { "This measure has no count of everything together; the returns below tell its parts." }
            } @else {
                @for (at, (version, ..)) in sums.iter().enumerate() {
                    (self.by_hub(*version, at == 0, sums.len() > 1))
                }
                (self.time())
            }
        }
    }

    fn chart(&self, finding: String, version: i64) -> Chart {
        let as_at = self.told["as_at"].as_array().into_iter().flatten();
        let as_at = as_at
            .filter_map(Value::as_str)
            .map(words::day)
            .collect::<Vec<_>>();
        let definition = node_domain::measure(self.measure(), version).map_or("", |it| it.question);
        Chart {
            finding,
            definition: definition.to_owned(),
            as_at: words::listed(&as_at),
        }
    }

    /// One version by hub and on the map; who is missing stands with the first.
    fn by_hub(&self, version: i64, with_missing: bool, several: bool) -> Markup {
        let missing = self.told["missing"].as_array().into_iter().flatten();
        let missing = missing.filter_map(Value::as_str).collect::<BTreeSet<_>>();
        let total = |hub: &Hub| self.totals.get(&hub.code).filter(|(_, of)| *of == version);
        let shown = self.hubs.iter().filter(|hub| {
            let told = total(hub).is_some_and(|(total, _)| *total != Total::Suppressed);
            told || (with_missing && (missing.contains(hub.code.as_str()) || hub.vacant.is_some()))
        });
        let shown = shown.collect::<Vec<_>>();
        let value = |hub: &Hub| total(hub).and_then(|(total, _)| total.told());
        let by_hub = shown.iter().filter(|hub| hub.vacant.is_none());
        let by_hub = by_hub
            .map(|hub| (hub.name.clone(), value(hub)))
            .collect::<Vec<_>>();
        let tiles = shown.iter().map(|hub| Tile {
            code: hub.code.clone(),
            name: hub.name.clone(),
            value: value(hub),
            vacant: hub.vacant.clone(),
        });
        let tiles = tiles.collect::<Vec<_>>();
        let few = self
            .hubs
            .iter()
            .filter(|hub| total(hub).is_some_and(|(total, _)| *total == Total::Suppressed));
        let few = few.map(|hub| hub.name.clone()).collect::<Vec<_>>();
        let title = title_of(self.measure());
        let most = by_hub
            .iter()
            .filter_map(|(name, value)| Some((name, (*value)?)));
        let finding = match most.max_by_key(|(_, value)| *value) {
            Some((name, value)) => {
                format!("{title}: most at {name}, with {}", words::number(value))
            }
            None => format!("{title}: no hub has told a number"),
        };
        let told = by_hub.iter().filter(|(_, value)| value.is_some()).count();
        let of = if several {
            format!(", version {version}")
        } else {
            String::new()
        };
        let on_map = format!(
            "{} told a number",
            words::counted(told as u64, "hub", "hubs")
        );
        html! {
            h2 { "By hub" (of) }
            (dots(&self.chart(finding, version), "Hub", title, &by_hub))
            @if !few.is_empty() {
                p #too-few { (words::listed(&few)) " submitted a count that is too small to tell." }
            }
            h2 { "On the map" (of) }
            (tile_map(&self.chart(on_map, version), title, &tiles))
            (self.by_category(version, &of))
        }
    }

    fn by_category(&self, version: i64, of: &str) -> Markup {
        let sums = &self.told["by_version"][version.to_string()];
        let cells = sums["cells"].as_object().into_iter().flatten();
        let cells = cells.filter(|(cell, _)| *cell != "total");
        let cells = cells.filter_map(|(cell, value)| {
            let value = u64::try_from(value.as_i64()?).ok()?;
            let name = cell.rsplit([':', '=']).next().unwrap_or(cell).trim();
            Some((words::capital(name), value))
        });
        let cells = cells.collect::<Vec<_>>();
        html! {
            @if let Some((most, value)) = cells.iter().max_by_key(|(_, value)| *value) {
                @let finding = format!("{} is the largest: {}", most, words::number(*value));
                h2 { "By phase" (of) }
                (bars(&self.chart(finding, version), "Phase", title_of(self.measure()), &cells))
            }
        }
    }

    fn time(&self) -> Markup {
        if self.over_time.len() < 2 {
            return html! {};
        }
        let versions = self.over_time.iter().flat_map(|(_, sums)| sums.keys());
        let versions = versions.copied().collect::<BTreeSet<_>>();
        let definitions = versions.iter().map(|version| {
            let measure = node_domain::measure(self.measure(), *version);
            format!(
                "Version {version}: {}",
                measure.map_or("", |it| it.question)
            )
        });
        let chart = Chart {
            finding: format!(
                "{}, period by period, of the hubs that submitted",
                title_of(self.measure())
            ),
            definition: definitions.collect::<Vec<_>>().join(" "),
            as_at: words::moment(now_ms()),
        };
        let series = versions.iter().map(|version| Series {
            name: format!("Version {version}"),
            values: self
                .over_time
                .iter()
                .map(|(_, sums)| sums.get(version).copied())
                .collect(),
        });
        let series = series.collect::<Vec<_>>();
        let periods = self.over_time.iter().map(|(period, _)| period.clone());
        html! {
            h2 { "Over time" }
            (lines(&chart, "Period", &periods.collect::<Vec<_>>(), &series))
        }
    }

    /// The returns behind the figures, so that each can be told how it came about.
    fn behind(&self) -> Markup {
        let basis = self.told["based_on"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let rows = basis.iter().map(|it| {
            let text = |name: &str| it[name].as_str().unwrap_or_default();
            vec![
                html! { a href={ "/returns/" (text("id")) } { (self.name(text("hub"))) } },
                html! { "Version " (it["version"].as_i64().unwrap_or_default()) },
                html! { (words::day(text("as_at"))) },
                html! { (words::day(text("computed_at").split('T').next().unwrap_or_default())) },
            ]
        });
        html! {
            h2 { "How these figures came about" }
            (parts::table("The returns behind them", &[("Hub", false), ("Measure", false), ("As at", false),
                ("Counted on", false)], &rows.collect::<Vec<_>>()))
        }
    }

    fn measure(&self) -> &str {
        self.chosen
            .split_once('|')
            .map_or("", |(_, measure)| measure)
    }

    fn names(&self, list: &str) -> Vec<String> {
        let codes = self.told[list].as_array().into_iter().flatten();
        codes
            .filter_map(Value::as_str)
            .map(|code| self.name(code))
            .collect()
    }

    fn name(&self, code: &str) -> String {
        let hub = self.hubs.iter().find(|hub| hub.code == code);
        hub.map_or_else(|| code.to_owned(), |hub| hub.name.clone())
    }
}

/// What a return says of everything together.
fn total(fields: &Value) -> Total {
    let cells = fields["cells"].as_array().into_iter().flatten();
    let mut cells = cells.filter(|cell| cell["cell"] == "total");
    let Some(total) = cells.next() else {
        return Total::None;
    };
    if total["suppressed"].as_bool() == Some(true) {
        return Total::Suppressed;
    }
    total["value"]
        .as_u64()
        .map_or(Total::Suppressed, Total::Told)
}

/// The hubs of the national list, by name.
fn hubs(desk: &Desk) -> Result<Vec<Hub>, RecordsError> {
    let listed = desk.find(&Find {
        kind: HUB.name.to_owned(),
        sort: vec!["title".to_owned()],
        ..Find::default()
    })?;
    let mut hubs = Vec::new();
    for record in listed.records {
        let fields = desk.show(&record.id.to_string(), "")?.fields;
        let covered = fields["covered_by"].as_array().into_iter().flatten();
        let covered = covered
            .filter_map(Value::as_str)
            .map(|code| desk.hub_name(code));
        let covered = words::listed(&covered.collect::<Vec<_>>());
        hubs.push(Hub {
            code: fields["code"].as_str().unwrap_or_default().to_owned(),
            name: record.title,
            vacant: (fields["vacant"].as_bool() == Some(true)).then_some(covered),
        });
    }
    Ok(hubs)
}

/// What people call a measure.
fn title_of(name: &str) -> &str {
    let newest = MEASURES.iter().rev().find(|measure| measure.name == name);
    newest.map_or(name, |measure| measure.title)
}
