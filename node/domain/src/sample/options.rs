//! What is to be made up.

use crate::sample::nation::listing;

/// What sample a hub's year is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleOptions {
    /// The seed: the same one gives the same year on every machine.
    pub seed: u64,
    /// The hub's code.
    pub hub_code: String,
    /// The hub's name.
    pub hub_name: String,
    /// Its region.
    pub region: String,
    /// Its council areas.
    pub area: Vec<String>,
    /// The council areas of a vacant area that it covers for the time being.
    pub covers: Vec<String>,
    /// The academic year, as in 2026-27.
    pub year: &'static str,
    /// How much of it.
    pub scale: Scale,
}

/// How much is made up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// About 90 groups, 450 sessions and 1,400 participants: a hub's real year.
    #[default]
    Full,
    /// About a tenth of it.
    Small,
}

impl SampleOptions {
    /// The year of a hub of the national list; a hub that is not in it gets an area that is made
    /// up.
    pub fn new(seed: u64, hub_code: &str, scale: Scale) -> Self {
        let listed = listing();
        let covers = listed
            .iter()
            .filter(|hub| hub.vacant && hub.covered_by.iter().any(|code| code == hub_code))
            .flat_map(|hub| hub.area.clone())
            .collect();
        let hub = listed.into_iter().find(|hub| hub.code == hub_code);
        let (hub_name, region, area) = hub.map_or_else(
            || {
                let area = vec![format!("Made-up area of {hub_code}")];
                (format!("{hub_code} Hub"), "Nowhere".to_owned(), area)
            },
            |hub| (hub.name, hub.region, hub.area),
        );
        Self {
            seed,
            hub_code: hub_code.to_owned(),
            hub_name,
            region,
            area,
            covers,
            year: "2026-27",
            scale,
        }
    }

    /// The calendar year in which it begins.
    pub(crate) fn first_year(&self) -> i32 {
        let digits = self.year.get(..4).and_then(|digits| digits.parse().ok());
        digits.unwrap_or(2026)
    }

    /// As many as `full` at full scale, and a tenth of it, though no fewer than `least`, at the
    /// small one.
    pub(crate) fn scaled(&self, full: usize, least: usize) -> usize {
        match self.scale {
            Scale::Full => full,
            Scale::Small => (full / 10).max(least),
        }
    }
}
