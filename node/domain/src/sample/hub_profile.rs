//! What a hub says of itself.

use serde_json::json;

use crate::sample::chance::Chance;
use crate::sample::nation::listing;
use crate::sample::options::SampleOptions;
use crate::sample::record::SampleRecord;

/// A hub's own account of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubProfile {
    /// The hub's code.
    pub code: String,
    /// Its name.
    pub name: String,
    /// The lead schools; none where none was found.
    pub leads: Vec<(String, Option<String>)>,
    /// Who is controller.
    pub controller: &'static str,
    /// Whether personal data may stand on portable devices.
    pub offline_personal_data: bool,
    /// The smallest count that is shown.
    pub smallest_cell: usize,
}

impl HubProfile {
    pub(crate) fn generate(options: &SampleOptions) -> Self {
        let mut chance = Chance::new(options.seed, &format!("profile of {}", options.hub_code));
        let listed = listing()
            .into_iter()
            .find(|hub| hub.code == options.hub_code);
        Self {
            code: options.hub_code.clone(),
            name: options.hub_name.clone(),
            leads: listed.map(|hub| hub.leads).unwrap_or_default(),
            controller: chance.pick(&["DfE", "DfE", "DfE", "lead school"]),
            offline_personal_data: chance.falls(50),
            smallest_cell: 5,
        }
    }

    pub(crate) fn record(&self) -> SampleRecord {
        let leads = self.leads.iter().map(|(name, urn)| match urn {
            Some(urn) => json!({"organisation": name, "urn": urn}),
            None => json!({"organisation": name}),
        });
        SampleRecord::new(
            "hub-profile",
            "hub-profile",
            json!({
                "code": self.code, "title": self.name,
                "about": "A sample: everything here but the hub's name is made up.",
                "office_email": format!("office@{}.example.org", self.code),
                "office_phone": "01632 960000", "website": format!("https://{}.example.org", self.code),
                "leads": leads.collect::<Vec<_>>(), "controller": self.controller,
                "offline_personal_data": self.offline_personal_data,
                "smallest_cell": self.smallest_cell,
            }),
        )
    }
}
