//! The last line: what was found, for programs.

use serde::Serialize;
use serde_json::Value;

use crate::sheet::SheetOutcome;

/// What the demo measured. Every value comes from the members' stores and services; what was not
/// reached stays as it is here by default, which is never what is wanted.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Outcome {
    /// From which the hubs' years were made up.
    pub(crate) seed: u64,
    /// Hubs connected.
    pub(crate) hubs: usize,
    /// Different spaces over all members.
    pub(crate) spaces: usize,
    /// Different documents over all members.
    pub(crate) documents: usize,
    /// Different entries over all members.
    pub(crate) entries: usize,
    /// Whether all that share a space hold the same of it.
    pub(crate) converged: bool,
    /// Fields shown in two versions with author and time, at every member that shares them.
    pub(crate) versions_shown: usize,
    /// Those of them that a person settled, settled at every member.
    pub(crate) versions_settled: usize,
    /// Whether a coordinator set up from the saved keys holds what the lost one held.
    pub(crate) coordinator_rebuilt: bool,
    /// Groups, sessions held and schools by project and hub, at the coordinator that was lost.
    pub(crate) figures_before: Value,
    /// The same at the new one.
    pub(crate) figures_after: Value,
    /// Whether both are what the sample's plain facts and the imported records come to.
    pub(crate) figures_as_counted: bool,
    /// Records that the sample made, over all hubs.
    pub(crate) sampled: usize,
    /// Summaries that hubs published.
    pub(crate) published: usize,
    /// Lines of all hubs' disclosure logs.
    pub(crate) disclosures: usize,
    /// Whether exactly what was shown before publishing arrived at the coordinator.
    pub(crate) previewed_is_published: bool,
    /// What came of the sheet that was brought; nothing without one.
    pub(crate) sheet: Option<SheetOutcome>,
    /// Whether the hub whose folder was set back has all again that it had sent, and goes on.
    pub(crate) restored_hub_rejoined: bool,
    /// Edits saved on nodes never rolled back, and edits sent before a rollback.
    pub(crate) acknowledged: usize,
    /// Those of them that are not to be found.
    pub(crate) acknowledged_lost: usize,
    /// Private values looked for in the coordinators' files: those planted, and the names and
    /// addresses of everybody whom the sample and the sheet name.
    pub(crate) private_values: usize,
    /// Those of them found there.
    pub(crate) private_values_at_coordinator: usize,
    /// Planted shared values found there.
    pub(crate) control_values_at_coordinator: usize,
    /// Members whose sign-in page answered.
    pub(crate) pages: usize,
    /// How long all took.
    pub(crate) seconds: f64,
}
