//! Lines that stand elsewhere first, durable with the act that they tell of.

use node_store::{NewLine, StoreError};

use super::event::REFUSED_WINDOW_MS;
use super::lock;
use crate::Node;
use crate::node::Inner;

/// Where the lines of accounts stand.
pub(crate) const ACCOUNTS: &str = "accounts";
/// How many are taken in together.
const TOGETHER: u32 = 500;

/// A line that stands elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When, in ms since 1970.
    pub time_ms: u64,
    /// What happened, in a few words.
    pub kind: String,
    /// To what, by names: ids, codes of hubs, roles and counts. No name of a person, and nothing that
    /// somebody typed.
    pub fields: Vec<(&'static str, String)>,
    /// Whether it is a refusal, of which the same is written once a minute.
    pub refused: bool,
}

impl Node {
    /// Takes in the lines of another place, each once. `read` returns some that come after a number,
    /// oldest first, each with its number; none of it for what does not belong here. It returns no
    /// more when all were returned.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be written, or as `read` says it.
    pub fn take_in_audit<E: From<StoreError>>(
        &self,
        source: &str,
        read: impl FnMut(u64) -> Result<Vec<(u64, Option<Line>)>, E>,
    ) -> Result<(), E> {
        self.inner.take_in(source, read)
    }
}

impl Inner {
    /// Takes in what accounts did and were refused.
    pub(crate) fn take_in_accounts(&self) {
        let taken = self.take_in(ACCOUNTS, |after| {
            let lines = self
                .storage
                .accounts(|tables| tables.audit_lines_after(after, TOGETHER))?;
            let lines = lines.into_iter();
            Ok::<_, StoreError>(
                lines
                    .map(|(id, line)| (id, Some(of_account(line))))
                    .collect(),
            )
        });
        if let Err(error) = taken {
            // They stand durably where they are, and are taken in at the next occasion.
            tracing::error!(%error, "the audit log lacks lines of accounts until it can be written");
        }
    }

    fn take_in<E: From<StoreError>>(
        &self,
        source: &str,
        mut read: impl FnMut(u64) -> Result<Vec<(u64, Option<Line>)>, E>,
    ) -> Result<(), E> {
        // Held all the while, so that nobody takes the same lines in beside this.
        let mut log = self.audit.log();
        let mut head = None;
        loop {
            let lines = read(log.taken(source)?)?;
            let Some((last, _)) = lines.last() else {
                break;
            };
            let last = *last;
            let lines = lines.into_iter().filter_map(|(_, line)| line);
            let lines = lines.filter_map(|line| {
                let refused = line.refused;
                let line = new_line(line);
                if refused {
                    lock(&self.audit.counted).count(line, REFUSED_WINDOW_MS)
                } else {
                    Some(line)
                }
            });
            let lines = lines.collect::<Vec<_>>();
            let ends = log.append(&lines, Some((source, last)));
            if ends.is_err() {
                self.metrics.audit_failures.increment(lines.len() as u64);
            }
            head = Some(ends?);
        }
        if let Some(head) = head {
            self.storage.remember_audit_head(head);
        }
        Ok(())
    }
}

fn new_line(line: Line) -> NewLine {
    let fields = line.fields.into_iter();
    NewLine {
        time_ms: line.time_ms,
        kind: line.kind,
        fields: fields.map(|(name, text)| (name.to_owned(), text)).collect(),
    }
}

fn of_account(line: node_store::AuditLine) -> Line {
    let mut fields = Vec::new();
    if let Some(who) = line.who {
        fields.push(("account", hex::encode(who)));
    }
    if !line.about.is_empty() {
        fields.push(("about", plain(&line.about)));
    }
    Line {
        time_ms: line.time_ms,
        kind: line.event,
        fields,
        refused: !line.allowed,
    }
}

/// What a line is about, without what a visitor may have chosen: of a page its first part alone, else
/// roles, ids and codes.
fn plain(about: &str) -> String {
    let word = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    if let Some(path) = about.strip_prefix('/') {
        let first = path.split('/').next().unwrap_or_default();
        let first = if word(first) && first.len() <= 24 {
            first
        } else {
            "…"
        };
        return format!("/{first}");
    }
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-, '".contains(c);
    if about.chars().all(fits) {
        about.to_owned()
    } else {
        "…".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_visitor_chose_is_not_noted() {
        for (about, noted) in [
            ("/access", "/access"),
            ("/people/0123abcd/edit", "/people"),
            ("/Jane%20Doe", "/…"),
            ("/", "/"),
            ("partner's staff, 0a1b2c3d", "partner's staff, 0a1b2c3d"),
            ("west-yorkshire", "west-yorkshire"),
            ("Jane Doe", "…"),
        ] {
            assert_eq!(plain(about), noted, "{about}");
        }
    }
}
