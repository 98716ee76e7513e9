//! The nation: hubs, an area without one, projects, the forum and the register of schools.

use serde_json::{Value as Json, json};
use time::Date;

use crate::change::FieldChange;
use crate::sample::catalogue;
use crate::sample::chance::Chance;
use crate::sample::forum::threads;
use crate::sample::options::{SampleOptions, Scale};
use crate::sample::programme::programme;
use crate::sample::record::{SampleRecord, day};
use crate::sample::school::{School, schools};
use crate::sample::school_year::SchoolYear;

/// The code of the area that has no hub. It is made up, as everything about it is.
pub const VACANT_AREA: &str = "vacant-area";

const STAGES: [&str; 6] = [
    "idea",
    "development",
    "effectiveness",
    "scaling",
    "embedded",
    "retired",
];

/// A nation in one academic year.
#[derive(Debug, Clone, PartialEq)]
pub struct Nation {
    /// The seed from which it was made.
    pub seed: u64,
    /// The academic year, as in 2026-27.
    pub year: &'static str,
    /// The hubs of the national list, and the area without one at the end.
    pub hubs: Vec<HubInNation>,
    /// The programme.
    pub programme: SampleRecord,
    /// The hubs' records, as the coordinator keeps them.
    pub hub_records: Vec<SampleRecord>,
    /// The catalogue: real titles, codes and years.
    pub projects: Vec<SampleRecord>,
    /// Threads of the forum.
    pub threads: Vec<SampleRecord>,
    /// The register of schools, all of them made up.
    pub register: Vec<School>,
}

/// A hub of the national list, or an area without one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubInNation {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its region.
    pub region: String,
    /// Its council areas; where none were found, one that is made up.
    pub area: Vec<String>,
    /// Whether the area is made up.
    pub area_is_made_up: bool,
    /// The lead schools with their numbers, as far as either was found.
    pub leads: Vec<(String, Option<String>)>,
    /// Whether there is no hub at present.
    pub vacant: bool,
    /// The codes of the hubs that cover it for the time being.
    pub covered_by: Vec<String>,
    /// What it does when a return is due.
    pub reports: Reports,
}

/// What a hub does when a return is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reports {
    /// It reports in time.
    #[default]
    InTime,
    /// It reports some weeks late.
    Late,
    /// It does not report.
    Never,
}

impl Nation {
    /// Makes a nation up. The same seed gives the same nation everywhere, and its register holds
    /// the schools of every [`HubYear`](crate::sample::HubYear) of that seed and scale.
    pub fn generate(seed: u64, scale: Scale) -> Self {
        let year = "2026-27";
        let mut chance = Chance::new(seed, "the nation");
        let mut hubs = listing();
        // Three hubs never report and four report late, so that pictures have gaps.
        let order = chance.order(hubs.len().saturating_sub(1));
        for (number, at) in order.into_iter().enumerate().take(7) {
            hubs[at].reports = if number < 3 {
                Reports::Never
            } else {
                Reports::Late
            };
        }
        let transfer = hubs
            .iter()
            .position(|hub| hub.leads.is_empty() && !hub.vacant);
        let register = hubs
            .iter()
            .enumerate()
            .flat_map(|(number, hub)| schools_of(seed, number, hub, scale))
            .collect();
        let decided = SchoolYear::new(year).day(0, 0);
        let records = hubs.iter().enumerate();
        Self {
            seed,
            year,
            programme: programme(year),
            hub_records: records
                .map(|(at, hub)| hub.record(&mut chance, Some(at) == transfer, decided))
                .collect(),
            projects: projects(),
            threads: threads(year),
            register,
            hubs,
        }
    }

    /// The register as records.
    pub fn register_records(&self) -> Vec<SampleRecord> {
        self.register.iter().map(School::record).collect()
    }

    /// Every record of the network and the forum, each after those to which it refers.
    pub fn records(&self) -> Vec<SampleRecord> {
        let mut records = vec![self.programme.clone()];
        records.extend(self.hub_records.iter().cloned());
        records.extend(self.projects.iter().cloned());
        records.extend(self.threads.iter().cloned());
        records.extend(self.register_records());
        records
    }
}

impl HubInNation {
    /// Its key among the sample's records.
    pub fn key(&self) -> String {
        format!("hub-{}", self.code)
    }

    fn record(&self, chance: &mut Chance, in_transfer: bool, decided: Date) -> SampleRecord {
        let leads = self.leads.iter().map(|(name, urn)| {
            let mut lead = json!({"organisation": name});
            if let Some(urn) = urn {
                lead["urn"] = json!(urn);
            }
            lead
        });
        let mut criterion = |name: &str| {
            let rating = chance.between(3, 4);
            json!({"criterion": name, "rating": rating, "evidence": "Made up for this sample."})
        };
        let selection = ["credibility", "capacity", "commitment"].map(&mut criterion);
        let source = match (self.vacant, self.area_is_made_up) {
            (true, _) => "Made up: no such area exists.",
            (false, true) => "deploy/data/hubs.csv; area, status and selection are made up.",
            (false, false) => {
                "deploy/data/hubs.csv and hub_areas.csv; status and selection are made up."
            }
        };
        let mut steps = Vec::new();
        if !self.vacant {
            steps.push(vec![FieldChange::set("status", "active")]);
        }
        if in_transfer {
            steps.push(vec![FieldChange::set("status", "in transfer")]);
        }
        let chosen = (!self.vacant).then_some(decided);
        SampleRecord::new(
            "hub",
            self.key(),
            json!({
                "code": self.code, "title": self.name, "region": self.region, "area": self.area,
                "vacant": self.vacant.then_some("yes"), "covered_by": self.covered_by,
                "leads": leads.collect::<Vec<_>>(),
                "selection": if self.vacant { json!([]) } else { json!(selection) },
                "decision": chosen.map(|_| "Selected. Made up for this sample."),
                "decided_on": chosen.map(day), "source": source,
            }),
        )
        .with_steps(steps)
    }
}

/// The hubs of the national list, and at the end an area that has none.
pub(crate) fn listing() -> Vec<HubInNation> {
    let listed = catalogue::hubs().into_iter().map(|hub| {
        let found = catalogue::areas(&hub.code);
        let area_is_made_up = found.is_empty();
        HubInNation {
            area: if area_is_made_up {
                vec![format!("Made-up area of {}", hub.code)]
            } else {
                found
            },
            area_is_made_up,
            region: if hub.region.is_empty() {
                "not found".to_owned()
            } else {
                hub.region
            },
            code: hub.code,
            name: hub.name,
            leads: hub.leads,
            vacant: false,
            covered_by: Vec::new(),
            reports: Reports::InTime,
        }
    });
    let vacant = HubInNation {
        code: VACANT_AREA.to_owned(),
        name: "Area without a hub (made up)".to_owned(),
        region: "Yorkshire and the Humber".to_owned(),
        area: vec![
            "Greater Sampleton".to_owned(),
            "Placeholder Vale".to_owned(),
        ],
        area_is_made_up: true,
        leads: Vec::new(),
        vacant: true,
        covered_by: vec!["south-yorkshire".to_owned(), "west-yorkshire".to_owned()],
        reports: Reports::Never,
    };
    listed.chain([vacant]).collect()
}

/// The schools of a hub's area and of a vacant area that it covers, and how many are its own.
pub(crate) fn area_schools(options: &SampleOptions) -> (Vec<School>, usize) {
    let listed = listing();
    let of =
        |number: usize, hub: &HubInNation| schools_of(options.seed, number, hub, options.scale);
    let place = listed.iter().position(|hub| hub.code == options.hub_code);
    let mut found = match place {
        Some(number) => of(number, &listed[number]),
        None => {
            let hub = (listed.len(), options.hub_code.as_str());
            let count = count(options.scale, false);
            schools(options.seed, hub, &options.area, &options.region, count)
        }
    };
    let own = found.len();
    for (number, hub) in listed.iter().enumerate().filter(|(_, hub)| hub.vacant) {
        if hub.covered_by.contains(&options.hub_code) {
            found.extend(of(number, hub));
        }
    }
    (found, own)
}

fn schools_of(seed: u64, number: usize, hub: &HubInNation, scale: Scale) -> Vec<School> {
    let count = count(scale, hub.vacant);
    schools(seed, (number, &hub.code), &hub.area, &hub.region, count)
}

const fn count(scale: Scale, vacant: bool) -> usize {
    match (scale, vacant) {
        (Scale::Full, false) => 520,
        (Scale::Full, true) => 60,
        (Scale::Small, false) => 70,
        (Scale::Small, true) => 20,
    }
}

/// The catalogue: what the pages said, and a stage that is made up from how old a project is.
fn projects() -> Vec<SampleRecord> {
    let project = |(number, it): (usize, catalogue::ListedProject)| {
        let stage = match it.year.as_str() {
            "2014-15" | "2015-16" | "2017-18" => 5,
            "2019-20" | "2020-21" | "2021-22" => 4,
            "2022-23" => 3,
            _ => 2,
        };
        let steps = STAGES.iter().take(stage + 1).skip(1);
        let code = Some(&it.code).filter(|code| !code.is_empty());
        let codes = code.map(|code| json!([{"year": it.year, "code": code}]));
        SampleRecord::new(
            "project",
            format!("project-{}", number + 1),
            json!({
                "code": code, "title": it.title, "kind": kind_of_project(&it.title),
                "summary": it.summary, "phases": it.phases(), "codes": codes,
                "source": "deploy/data/projects.csv",
            }),
        )
        .with_steps(
            steps
                .map(|stage| vec![FieldChange::set("stage", *stage)])
                .collect(),
        )
    };
    catalogue::projects()
        .into_iter()
        .enumerate()
        .map(project)
        .collect()
}

fn kind_of_project(title: &str) -> Json {
    if title.contains("research") || title.contains("reasoning") || title.contains("Joined-up") {
        json!("research and innovation")
    } else {
        json!("national")
    }
}
