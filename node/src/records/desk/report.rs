//! Reports over many records, as far as a role sees what they are made of.

use node_domain::{
    Duty, GROUP_SUMMARY, Kind, LEADER, LEADER_DAYS, PROJECT_WORK, RETURN, Records, WORK_GROUP,
};
use serde_json::{Value, json};

use super::{Desk, Known};
use crate::records::RecordsError;

impl Desk {
    /// A report by its name: as [`Node::report`](crate::Node::report), if the role sees all that
    /// it is made of. Reach tells a role that sees no members schools, and not the names that
    /// belong to none.
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn report(&self, what: &str, id: &str, options: &str) -> Result<Value, RecordsError> {
        self.check(Duty::Reports)?;
        match what {
            "picture" => self.check_sees(&RETURN, &["hub", "period", "measure", "cells"])?,
            "comparison" | "synthesis" => {
                self.reached(id, &Known::default())?;
                let named = ["findings", "positions", "participation"];
                self.check_sees(&PROJECT_WORK, &named)?;
                if what == "comparison" {
                    self.check_sees(&GROUP_SUMMARY, &["schools", "outcomes", "adaptations"])?;
                }
            }
            "reach" => self.check_sees(&GROUP_SUMMARY, &["title", "schools"])?,
            "evaluation" => {
                let named = ["title", "state", "year", "ratings/rating", "narrative"];
                self.check_sees(&WORK_GROUP, &named)?;
                if !id.is_empty() {
                    let outcomes =
                        node_domain::FieldChange::add("outcomes", node_domain::Object::new());
                    self.check_writes(id, &[outcomes])?;
                }
            }
            "leaders" => {
                self.check_sees(&LEADER, &["name"])?;
                self.check_sees(&LEADER_DAYS, &["leader", "days"])?;
            }
            // It is refused by its name.
            _ => {}
        }
        if what == "evaluation" && !id.is_empty() {
            return self.node.report(what, id, options);
        }
        let report = self.node.remembered(
            &["report", what, id, options, &self.today()],
            |report: &Value| report.to_string().len(),
            || self.node.report(what, id, options),
        )?;
        let mut report = report.as_ref().clone();
        if what == "reach" && !self.sees(WORK_GROUP.name, "members/organisation") {
            for names in ["unmatched", "elsewhere"] {
                let count = report[names].as_array().map_or(0, Vec::len);
                report[names] = json!([]);
                report[format!("{names}_count")] = json!(count);
            }
        }
        Ok(report)
    }

    /// Checks that the role sees these fields of all records of a kind.
    fn check_sees(&self, kind: &'static Kind, paths: &[&str]) -> Result<(), RecordsError> {
        let mut may = self.role.with_kind(kind.name);
        let sees = may.any(|may| {
            may.records == Records::All
                && paths.iter().all(|path| node_domain::reads(may, kind, path))
        });
        if sees {
            return Ok(());
        }
        Err(self.does_not_see(&format!(
            "all {} that this report is made of",
            kind.titles.to_lowercase()
        )))
    }
}
