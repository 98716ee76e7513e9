//! The acceptance scenarios, each named by its letter and number, on real nodes.

mod acting;
mod acting_in_a_role;
mod administrator;
mod analyst;
mod check_number;
mod coordinator;
mod desk;
mod forum;
mod guarded;
mod hub_lead;
mod in_and_out;
mod log;
mod newer;
mod partner;
mod private_year;
mod properties;
mod raised;
mod records;
mod release;
mod totals;
mod waiting_room;
mod work_group;
mod writing;
