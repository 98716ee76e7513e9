//! What is said once, on the next page.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use maud::{Markup, html};

/// The most sessions for which something waits to be said; beyond these the oldest is forgotten.
const SESSIONS_MAX: usize = 1_000;
/// The most that waits to be said to one of them.
const EACH_MAX: usize = 8;

/// A sentence for the next page that somebody sees.
#[derive(Debug, Clone, Default)]
pub struct Flash {
    /// What happened.
    pub sentence: String,
    /// More about it, a line each.
    pub more: Vec<String>,
    /// What can be done about it: the words on a button, and the fields that it sends to `action`.
    pub action: Option<FlashAction>,
    /// Whether it is a warning rather than good news.
    pub warning: bool,
    /// The draft that is saved now, so that the browser forgets it.
    pub saved_draft: Option<String>,
}

/// A button below what is said.
#[derive(Debug, Clone)]
pub struct FlashAction {
    /// The words on it.
    pub label: String,
    /// Where it is sent.
    pub action: String,
    /// What it sends.
    pub fields: Vec<(String, String)>,
}

impl Flash {
    /// Good news.
    pub fn done(sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            ..Self::default()
        }
    }

    /// News that somebody should look at.
    pub fn warning(sentence: impl Into<String>) -> Self {
        Self {
            warning: true,
            ..Self::done(sentence)
        }
    }

    /// With a line of its own for each of `lines`.
    #[must_use]
    pub fn more(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.more.extend(lines);
        self
    }

    /// With a button.
    #[must_use]
    pub fn action(
        mut self,
        label: impl Into<String>,
        action: impl Into<String>,
        fields: Vec<(String, String)>,
    ) -> Self {
        self.action = Some(FlashAction {
            label: label.into(),
            action: action.into(),
            fields,
        });
        self
    }

    /// The draft of this form is saved.
    #[must_use]
    pub fn saved_draft(mut self, draft: impl Into<String>) -> Self {
        self.saved_draft = Some(draft.into());
        self
    }

    pub(super) fn render(&self, csrf: &str) -> Markup {
        let class = if self.warning {
            "note note-warning"
        } else {
            "note note-done"
        };
        html! {
            div class=(class) role="status" data-saved-draft=[self.saved_draft.as_deref()] {
                p.note-title { (self.sentence) }
                @for line in &self.more { p { (line) } }
                @if let Some(action) = &self.action {
                    form method="post" action=(action.action) {
                        input type="hidden" name="csrf" value=(csrf);
                        @for (name, value) in &action.fields {
                            input type="hidden" name=(name) value=(value);
                        }
                        button.button-link type="submit" { (action.label) }
                    }
                }
            }
        }
    }
}

/// What waits to be said, by session. In memory alone: after a restart nothing is missing but the
/// sentence.
#[derive(Debug, Default)]
pub(super) struct Flashes(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// What waits for a session, and when the first of it was put, counted.
    of: BTreeMap<String, (u64, Vec<Flash>)>,
    put: u64,
}

impl Flashes {
    pub(super) fn put(&self, session: &str, flash: Flash) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.of.len() >= SESSIONS_MAX && !waiting.of.contains_key(session) {
            let oldest = waiting.of.iter().min_by_key(|(_, (put, _))| *put);
            if let Some(oldest) = oldest.map(|(session, _)| session.clone()) {
                waiting.of.remove(&oldest);
            }
        }
        waiting.put += 1;
        let put = waiting.put;
        let of_session = waiting.of.entry(session.to_owned());
        let (_, flashes) = of_session.or_insert_with(|| (put, Vec::new()));
        if flashes.len() < EACH_MAX {
            flashes.push(flash);
        }
    }

    pub(super) fn take(&self, session: &str) -> Vec<Flash> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, flashes) = waiting.of.remove(session).unwrap_or_default();
        flashes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_so_many_sessions_the_oldest_is_forgotten() {
        let flashes = Flashes::default();
        flashes.put("z", Flash::done("the oldest"));
        flashes.put("a", Flash::done("later, and first by name"));
        for number in 2..=SESSIONS_MAX {
            flashes.put(&format!("m{number}"), Flash::done("later"));
        }
        assert!(flashes.take("z").is_empty());
        assert_eq!(flashes.take("a").len(), 1);
    }
}
