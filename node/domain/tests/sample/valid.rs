//! Every record of the sample is as the declarations want it.

use std::collections::{BTreeMap, BTreeSet};

use node_domain::Object;
use node_domain::sample::{HubYear, Nation, SampleOptions, SampleRecord, Scale, Totals};
use serde_json::Value as Json;

use crate::files::file;

/// Files all records, each of which may refer to those before it.
fn file_all(records: &[SampleRecord]) -> BTreeMap<String, Object> {
    file_beside(BTreeSet::new(), records)
}

/// Files all records, each of which may refer to those before it and to those that are known.
fn file_beside(mut known: BTreeSet<String>, records: &[SampleRecord]) -> BTreeMap<String, Object> {
    let mut filed = BTreeMap::new();
    for record in records {
        filed.insert(record.key.clone(), file(record, &known));
        assert!(known.insert(record.key.clone()), "{} twice", record.key);
    }
    filed
}

fn items<'a>(record: &'a Object, list: &str) -> &'a [Json] {
    record
        .get(list)
        .and_then(Json::as_array)
        .map_or(&[], Vec::as_slice)
}

#[test]
fn every_record_of_a_hubs_year_is_valid_and_reads_back_as_the_facts_say() {
    let options = SampleOptions::new(1, "south-yorkshire", Scale::Small);
    let year = HubYear::generate(&options);
    let filed = file_all(&year.records());
    let totals = Totals::of(&year);
    let mut marks = 0;
    for group in &year.groups {
        let record = &filed[&group.key];
        assert_eq!(record["state"], group.state);
        assert_eq!(items(record, "statuses").len(), group.statuses.len());
        for (session, read) in group.sessions.iter().zip(items(record, "sessions")) {
            assert_eq!(read["state"], session.state, "{}", group.key);
            assert_eq!(read["date"], session.date.to_string());
        }
        marks += items(record, "attendance").len();
    }
    assert_eq!(marks, totals.marks);
    let commissions = year.commissions.iter().map(|it| &filed[&it.key]);
    let pence = commissions
        .flat_map(|record| items(record, "money"))
        .filter_map(|line| line["pence"].as_i64());
    assert_eq!(
        pence.sum::<i64>(),
        totals.pence_by_kind.values().sum::<i64>()
    );
    for commission in &year.commissions {
        assert_eq!(filed[&commission.key]["state"], commission.state);
    }
    assert_eq!(filed["plan"]["state"], year.plan.state);
}

#[test]
fn the_records_of_a_full_year_are_valid() {
    let year = HubYear::generate(&SampleOptions::new(7, "west-yorkshire", Scale::Full));
    let mut records = year.records();
    // Every tenth group stands for the others, which differ from it in their numbers alone.
    let mut known = BTreeSet::new();
    records.retain(|record| {
        let left_out = record.kind == "work-group" && !record.key.ends_with('5');
        if left_out {
            known.insert(record.key.clone());
        }
        !left_out
    });
    file_beside(known, &records);
}

#[test]
fn every_record_of_the_nation_is_valid() {
    let nation = Nation::generate(3, Scale::Small);
    let filed = file_all(&nation.records());
    assert_eq!(filed["hub-vacant-area"]["vacant"], true);
    assert_eq!(filed["hub-south-yorkshire"]["status"], "active");
}

#[test]
fn places_are_never_overspent_on_any_day_of_the_log() {
    for seed in 0..4 {
        let year = HubYear::generate(&SampleOptions::new(seed, "central", Scale::Full));
        let mut bounded = 0;
        for group in &year.groups {
            let Some(places) = group.places else {
                continue;
            };
            bounded += 1;
            let mut standing = BTreeMap::new();
            for status in &group.statuses {
                standing.insert(&status.member, status.status);
                let taken = standing
                    .values()
                    .filter(|status| matches!(**status, "accepted" | "started" | "completed"));
                assert!(taken.count() <= places, "seed {seed}, {}", group.key);
            }
        }
        assert!(bounded > 5, "seed {seed}: {bounded} groups with places");
    }
}
