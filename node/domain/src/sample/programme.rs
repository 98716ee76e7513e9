//! The programme of the sample's year.

use serde_json::json;

use crate::sample::record::{SampleRecord, day};
use crate::sample::returns::{MEASURES, due};
use crate::sample::school_year::SchoolYear;
use crate::sample::template::PRIORITIES;

/// The programme's record.
pub(crate) fn programme(year: &'static str) -> SampleRecord {
    let school_year = SchoolYear::new(year);
    let terms = school_year.terms();
    let terms = terms
        .iter()
        .map(|(name, from, until)| json!({"name": name, "from": day(*from), "until": day(*until)}));
    let priorities = PRIORITIES
        .map(|(title, why, phase)| json!({"title": title, "rationale": why, "phase": phase}));
    let measures = MEASURES
        .map(|(name, version, asks)| json!({"name": name, "version": version, "question": asks}));
    let due = due(year)
        .into_iter()
        .map(|(period, measure, on)| json!({"period": period, "measure": measure, "on": day(on)}));
    SampleRecord::new(
        "programme",
        "programme",
        json!({
            "title": format!("Maths Hubs Programme {year} (sample)"), "subject": "Mathematics",
            "year": year, "terms": terms.collect::<Vec<_>>(), "priorities": priorities,
            "code_lists": [
                {"list": "phases", "version": 1, "code": "early years", "label": "Early years"},
                {"list": "phases", "version": 1, "code": "primary", "label": "Primary"},
                {"list": "phases", "version": 1, "code": "secondary", "label": "Secondary"},
                {"list": "phases", "version": 1, "code": "post-16", "label": "Post-16"},
                {"list": "phases", "version": 1, "code": "all", "label": "All phases"},
            ],
            "measures": measures, "due": due.collect::<Vec<_>>(),
            "roles": ["hub lead", "assistant hub lead", "senior link", "administrator",
                "work group lead", "strategic group member"],
            "retention": [
                {"kind": "person", "years": 3, "reason": "Evaluation of the programme"},
                {"kind": "work-group", "years": 10, "reason": "What was tried stays known"},
            ],
            "controller": "DfE", "smallest_cell": 5,
        }),
    )
}
