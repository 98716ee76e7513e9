//! The same seed gives the same world.

use node_domain::sample::{HubYear, Nation, SampleOptions, Scale, Totals};

#[test]
fn a_seed_gives_the_same_world_again_and_another_seed_another() {
    let options = SampleOptions::new(5, "sussex", Scale::Full);
    let year = HubYear::generate(&options);
    assert_eq!(HubYear::generate(&options), year);
    assert_eq!(HubYear::generate(&options).records(), year.records());
    assert_eq!(
        year.groups_sheet(),
        HubYear::generate(&options).groups_sheet()
    );
    let other = HubYear::generate(&SampleOptions::new(6, "sussex", Scale::Full));
    assert_ne!(other.groups, year.groups);
    assert_eq!(
        Nation::generate(5, Scale::Small),
        Nation::generate(5, Scale::Small)
    );
}

#[test]
fn a_seed_gives_this_very_world_on_every_machine() {
    let year = HubYear::generate(&SampleOptions::new(1, "south-yorkshire", Scale::Full));
    let totals = Totals::of(&year);
    let found = (
        year.people[40].name.as_str(),
        year.schools[0].name.as_str(),
        totals.sessions,
        totals.members,
        totals.marks,
    );
    assert_eq!(
        found,
        (
            "Fictia Testaway",
            "Trialton Road Junior School",
            474,
            1_535,
            6_380
        )
    );
}

#[test]
fn the_nations_register_holds_the_schools_of_every_hubs_year() {
    let nation = Nation::generate(9, Scale::Small);
    for hub in nation.hubs.iter().filter(|hub| !hub.vacant) {
        let year = HubYear::generate(&SampleOptions::new(9, &hub.code, Scale::Small));
        assert!(
            year.schools
                .iter()
                .all(|school| nation.register.contains(school))
        );
        assert_eq!(year.options.area, hub.area);
        assert!(year.groups.iter().all(|group| group.members.len() > 3));
    }
}

#[test]
fn a_hub_that_is_not_in_the_list_has_a_year_too() {
    let year = HubYear::generate(&SampleOptions::new(1, "physics-north", Scale::Small));
    assert_eq!(year.options.area, ["Made-up area of physics-north"]);
    assert_eq!(year.groups.len(), 9);
}
