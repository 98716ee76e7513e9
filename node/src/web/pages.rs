//! The pages, a file for each or for a family.

mod access;
mod account;
mod board;
mod bring_in;
mod commission;
mod copying;
mod directory;
mod duplicates;
mod edit;
mod entry;
mod erase;
mod export;
mod forum;
mod held;
mod history;
mod home;
mod items;
mod lists;
mod new;
mod pick;
mod plan;
mod practices;
mod project;
mod reach;
mod record;
mod register;
mod returns;
mod search;
mod set_up;
mod settings;
mod share;
mod sign_in;
mod start;
mod take_out;
mod undo;
mod versions;
mod work_groups;

use axum::Router;
use node_domain::Duty;

use super::{NavItem, Web};

pub(super) use start::comes_first;

/// All pages of a hub's node.
pub(super) fn routes() -> Router<Web> {
    common()
        .merge(home::routes())
        .merge(reach::routes())
        .merge(plan::routes())
        .merge(commission::routes())
        .merge(board::routes())
        .merge(duplicates::routes())
        .merge(directory::routes())
        .merge(forum::routes())
        .merge(work_groups::routes())
        .merge(register::routes())
        .merge(start::routes())
        .merge(bring_in::routes())
}

/// What hubs and the coordinator have in common.
pub(super) fn common() -> Router<Web> {
    Router::new()
        .merge(sign_in::routes())
        .merge(set_up::routes())
        .merge(account::routes())
        .merge(access::routes())
        .merge(lists::routes())
        .merge(export::routes())
        .merge(new::routes())
        .merge(record::routes())
        .merge(edit::routes())
        .merge(items::routes())
        .merge(erase::routes())
        .merge(history::routes())
        .merge(versions::routes())
        .merge(search::routes())
        .merge(pick::routes())
        .merge(undo::routes())
        .merge(share::routes())
        .merge(practices::routes())
        .merge(project::routes())
        .merge(returns::routes())
        .merge(take_out::routes())
        .merge(settings::routes())
        .merge(held::routes())
        .merge(copying::routes())
        .merge(super::jobs::routes())
}

/// The navigation of a hub's pages.
pub(super) const HUB_NAV: &[NavItem] = &[
    NavItem::always("Home", "/"),
    NavItem::seeing("Work groups", "/work-groups", |desk| {
        desk.sees("work-group", "title")
    }),
    NavItem::seeing("Plan", "/plans", |desk| desk.sees("plan", "title")),
    NavItem::seeing("Projects", "/project-records", |desk| {
        desk.sees("project-work", "title")
    }),
    NavItem::seeing("Practices", "/practices", |desk| {
        desk.sees("practice", "title")
    }),
    NavItem::seeing("Schools", "/reach", |desk| desk.has(Duty::Reports)),
    NavItem::seeing("Forum", "/forum-threads", |desk| {
        desk.sees("forum-thread", "posts")
    }),
    NavItem::seeing("People", "/people", |desk| {
        desk.sees("person", "name") && desk.has(Duty::People)
    }),
    NavItem::always("Everything", "/all"),
];
