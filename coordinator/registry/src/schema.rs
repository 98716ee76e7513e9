//! The tables, and how older ones become them.

use rusqlite_migration::{M, Migrations};

/// Forward only: a step that was released is never changed.
pub(crate) fn migrations() -> Migrations<'static> {
    Migrations::new(vec![M::up(V1)])
}

const V1: &str = "
    CREATE TABLE invitations (
        id           INTEGER PRIMARY KEY,
        hub          BLOB    NOT NULL CHECK (length(hub) = 8),
        salt         BLOB    NOT NULL CHECK (length(salt) = 16),
        hash         BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
        created_ms   INTEGER NOT NULL,
        expires_ms   INTEGER NOT NULL,
        used_by      BLOB    CHECK (length(used_by) = 32),
        used_ms      INTEGER,
        withdrawn_ms INTEGER,
        CHECK ((used_by IS NULL) = (used_ms IS NULL))
    ) STRICT;

    CREATE TABLE certificates (
        serial       BLOB    PRIMARY KEY CHECK (length(serial) = 16),
        node         BLOB    NOT NULL CHECK (length(node) = 32),
        hub          BLOB    NOT NULL CHECK (length(hub) = 8),
        issued_ms    INTEGER NOT NULL,
        not_after_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX certificates_by_hub ON certificates (hub, issued_ms);

    CREATE TABLE seen (
        node         BLOB    PRIMARY KEY CHECK (length(node) = 32),
        hub          BLOB    NOT NULL CHECK (length(hub) = 8),
        seen_ms      INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE audit (
        id           INTEGER PRIMARY KEY AUTOINCREMENT,
        time_ms      INTEGER NOT NULL,
        event        TEXT    NOT NULL,
        hub          BLOB    CHECK (length(hub) = 8),
        reason       TEXT    NOT NULL
    ) STRICT;
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_sound() {
        migrations().validate().expect("a sound schema");
    }
}
