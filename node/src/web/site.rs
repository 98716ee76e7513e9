//! What a set of pages is called, and its navigation.

use crate::records::Desk;

/// The pages of a hub or of the coordinator.
#[derive(Debug, Clone)]
pub struct Site {
    /// What stands beside the mark; if empty, the hub's name.
    pub owner: String,
    /// The navigation, in order.
    pub nav: &'static [NavItem],
    /// Whether these are the coordinator's pages.
    pub coordinator: bool,
}

/// One place in the navigation.
#[derive(Debug, Clone, Copy)]
pub struct NavItem {
    /// What people read.
    pub label: &'static str,
    /// Where it leads.
    pub href: &'static str,
    /// Whether somebody with this desk is shown it.
    pub shown: fn(&Desk) -> bool,
}

impl NavItem {
    /// A place that every role has.
    pub const fn always(label: &'static str, href: &'static str) -> Self {
        Self {
            label,
            href,
            shown: |_| true,
        }
    }

    /// A place for those with such a desk.
    pub const fn seeing(label: &'static str, href: &'static str, shown: fn(&Desk) -> bool) -> Self {
        Self { label, href, shown }
    }
}
