//! A believable world that is made up: a hub's year and a nation, alike for a seed everywhere.
//!
//! Real are the names of hubs, council areas and projects, from the public pages that
//! `deploy/data/README.md` names. Everything else is invented and sounds like it: people are
//! called Testa Sampleton, schools have numbers from 900001 on and postcodes that no place has,
//! e-mail leads to `example.org` and `.invalid`. It is as untidy as real work: names misspelt,
//! people and organisations entered twice, schools that closed, invoices entered twice, leaders who
//! disagree, returns that are late or never come, an area without a hub.
//!
//! The facts are plain structs. Records follow from them, and [`Totals`] counts them by plain
//! loops, so that what the program computes from the records can be checked.

mod board;
mod catalogue;
mod chance;
mod commission;
mod forum;
mod group;
mod group_record;
mod group_year;
mod hub_profile;
mod hub_year;
mod names;
mod nation;
mod options;
mod partner;
mod person;
mod plan;
mod practice;
mod programme;
mod record;
mod returns;
mod school;
mod school_year;
mod sheet;
mod template;
mod totals;
mod untidy;

pub use board::{Meeting, StrategicGroup};
pub use commission::{Commission, MoneyLine};
pub use group::{Group, Mark, Member, Rating, Session, Status};
pub use hub_profile::HubProfile;
pub use hub_year::HubYear;
pub use nation::{HubInNation, Nation, Reports, VACANT_AREA};
pub use options::{SampleOptions, Scale};
pub use partner::Partner;
pub use person::{Leader, Person};
pub use plan::{Need, Plan, PlanItem, Severity};
pub use practice::Practice;
pub use record::SampleRecord;
pub use returns::ReturnWanted;
pub use school::School;
pub use school_year::SchoolYear;
pub use totals::{GroupTotals, ProjectTotals, RatingTotal, Totals};
