//! The world is as untidy as a real one, and nobody in it is anybody.

use std::collections::BTreeSet;

use node_domain::sample::{HubYear, Nation, Reports, SampleOptions, Scale, Totals};

fn year() -> HubYear {
    HubYear::generate(&SampleOptions::new(4, "south-yorkshire", Scale::Full))
}

#[test]
fn names_of_schools_are_misspelt_and_numbers_are_missing_or_old() {
    let (year, totals) = (year(), Totals::of(&year()));
    let members = || year.groups.iter().flat_map(|group| &group.members);
    let school = |at: Option<usize>| at.map(|at| &year.schools[at]);
    let misspelt =
        members().filter(|it| school(it.school).is_some_and(|s| s.name != it.organisation));
    assert!(misspelt.count() > 200);
    assert!(totals.members_without_urn > 100);
    let closed = members().filter(|it| school(it.school).is_some_and(|s| s.status == "closed"));
    assert!(closed.count() > 30);
    let followed = year
        .schools
        .iter()
        .filter(|it| !it.successors.is_empty())
        .count();
    let for_good = year
        .schools
        .iter()
        .filter(|it| it.status == "closed" && it.successors.is_empty());
    assert!(followed > 20 && for_good.count() > 5);
    // By what they truly are, there are fewer schools than numbers that were typed and names.
    let reached = totals
        .schools
        .keys()
        .filter(|urn| totals.schools_of_area.contains(*urn));
    assert!(reached.count() < totals.schools_of_area.len() - 100);
    let outside = year.schools[year.own_schools..].iter();
    assert!(
        outside
            .clone()
            .any(|school| totals.schools.contains_key(&school.urn))
    );
}

#[test]
fn people_are_there_twice_and_in_two_groups() {
    let year = year();
    let again = year
        .people
        .iter()
        .filter(|person| person.same_as.is_some())
        .count();
    assert!((5..120).contains(&again), "{again}");
    let mut seen = BTreeSet::new();
    let members = year.groups.iter().flat_map(|group| &group.members);
    let twice = members
        .filter_map(|it| it.person)
        .filter(|at| !seen.insert(*at));
    assert!(twice.count() > 5);
}

#[test]
fn people_cannot_be_mistaken_for_real_ones() {
    let year = year();
    let firsts = year.people.iter().filter(|person| person.same_as.is_none());
    let names = firsts
        .clone()
        .map(|person| person.name.as_str())
        .collect::<BTreeSet<_>>();
    assert_eq!(names.len(), firsts.count(), "every name is another");
    for person in &year.people {
        let email = person.email.as_deref().unwrap_or("x@example.org");
        assert!(
            email.ends_with("@example.org") || email.ends_with(".invalid"),
            "{email}"
        );
        let phone = person.phone.as_deref().unwrap_or("01632 960");
        assert!(phone.starts_with("01632 960"), "{phone}");
    }
    for school in &year.schools {
        assert!(school.urn.as_str() > "900000" && school.postcode.starts_with("ZZ"));
    }
}

#[test]
fn leaders_disagree_and_two_marks_and_one_invoice_stand_twice() {
    let (year, totals) = (year(), Totals::of(&year()));
    assert!((5..40).contains(&totals.groups_that_disagree.len()));
    assert!(totals.disputed_marks > 0);
    let doubled = year.commissions.iter().filter(|commission| {
        let mut seen = BTreeSet::new();
        let lines = commission.lines.iter();
        lines
            .map(|it| (it.kind, &it.reference, it.pence))
            .any(|line| !seen.insert(line))
    });
    assert_eq!(doubled.count(), 1);
    let corrections = year.commissions.iter().flat_map(|it| &it.lines);
    assert!(corrections.filter(|line| line.corrects.is_some()).count() > 0);
    let opted = year
        .leaders
        .iter()
        .map(|leader| leader.opted_in)
        .collect::<BTreeSet<_>>();
    assert_eq!(opted.len(), 3, "yes, no, and not asked");
    assert!(year.groups.iter().any(|group| group.project.is_none()));
    let sessions = || year.groups.iter().flat_map(|group| &group.sessions);
    assert!(
        sessions().any(|it| it.moved.is_some()) && sessions().any(|it| it.state == "cancelled")
    );
    let waiting = year.groups.iter().flat_map(|group| &group.statuses);
    assert!(waiting.filter(|status| status.status == "waiting").count() > 5);
}

#[test]
fn returns_are_late_and_missing_and_hubs_have_no_lead_school() {
    let year = year();
    let reports = year.returns.iter().map(|wanted| wanted.reports);
    assert_eq!(reports.clone().filter(|it| *it == Reports::Late).count(), 1);
    assert_eq!(reports.filter(|it| *it == Reports::Never).count(), 1);
    let nation = Nation::generate(4, Scale::Small);
    let never = nation
        .hubs
        .iter()
        .filter(|it| !it.vacant && it.reports == Reports::Never);
    assert_eq!(never.count(), 3);
    assert!(
        nation
            .hubs
            .iter()
            .filter(|hub| hub.leads.is_empty())
            .count()
            > 5
    );
}

#[test]
fn a_hub_leads_sheet_is_in_her_own_words() {
    let year = year();
    let (headers, rows) = year.groups_sheet();
    assert_eq!(headers[0], "Work group");
    assert_eq!(rows.len(), year.groups.len() + 2);
    assert!(rows.iter().all(|row| row.len() == headers.len()));
    let dates = rows
        .iter()
        .map(|row| row[4].as_str())
        .collect::<BTreeSet<_>>();
    assert!(dates.contains("tbc") && dates.iter().any(|date| date.contains('/')));
}
