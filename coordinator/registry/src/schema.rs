//! The tables, and how older ones become them.

use rusqlite_migration::{M, Migrations};

/// Forward only: a step that was released is never changed.
pub(crate) fn migrations() -> Migrations<'static> {
    Migrations::new(vec![M::up(V1), M::up(V2), M::up(V3), M::up(V4)])
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

/// Requests to connect that wait for an operator. Invitations made before it admit at once, as
/// they did when they were made.
const V2: &str = "
    ALTER TABLE invitations ADD COLUMN waits INTEGER NOT NULL DEFAULT 0 CHECK (waits IN (0, 1));

    CREATE TABLE requests (
        id           INTEGER PRIMARY KEY,
        invitation   INTEGER NOT NULL UNIQUE REFERENCES invitations (id),
        hub          BLOB    NOT NULL CHECK (length(hub) = 8),
        node         BLOB    NOT NULL CHECK (length(node) = 32),
        since_ms     INTEGER NOT NULL,
        lapses_ms    INTEGER NOT NULL,
        address      TEXT    NOT NULL,
        state        TEXT    NOT NULL CHECK (state IN ('waiting', 'admitted', 'refused', 'lapsed')),
        decided_ms   INTEGER,
        decided_by   TEXT    NOT NULL DEFAULT '',
        reason       TEXT    NOT NULL DEFAULT '',
        CHECK ((state = 'waiting') = (decided_ms IS NULL))
    ) STRICT;
    CREATE INDEX requests_by_state ON requests (state, since_ms);
    CREATE INDEX audit_by_event ON audit (event, id);
";

/// The parts that a check number is made of: this end's, and the node's once it was told. Requests that
/// waited before it have none until their node asks again.
const V3: &str = "
    ALTER TABLE requests ADD COLUMN check_nonce BLOB CHECK (length(check_nonce) = 32);
    ALTER TABLE requests ADD COLUMN node_nonce  BLOB CHECK (length(node_nonce) = 32);
";

/// The check number with which a request was admitted, and whose place which node took.
const V4: &str = "
    ALTER TABLE requests ADD COLUMN check_number TEXT NOT NULL DEFAULT '';

    CREATE TABLE successions (
        former    BLOB    PRIMARY KEY CHECK (length(former) = 32),
        successor BLOB    NOT NULL UNIQUE CHECK (length(successor) = 32),
        hub       BLOB    NOT NULL CHECK (length(hub) = 8),
        time_ms   INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX successions_by_hub ON successions (hub, time_ms);
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_sound() {
        migrations().validate().expect("a sound schema");
    }

    #[test]
    fn invitations_of_the_first_version_still_admit_at_once() {
        let mut connection = rusqlite::Connection::open_in_memory().expect("a register");
        let first = Migrations::new(vec![M::up(V1)]);
        first.to_latest(&mut connection).expect("the first version");
        connection
            .execute(
                "INSERT INTO invitations (hub, salt, hash, created_ms, expires_ms)
                 VALUES (zeroblob(8), zeroblob(16), zeroblob(32), 1, 2)",
                [],
            )
            .expect("an invitation");
        let now = migrations().to_latest(&mut connection);
        now.expect("brought up to date");
        let waits = "SELECT waits FROM invitations";
        let waits = connection.query_row(waits, [], |row| row.get::<_, bool>(0));
        assert_eq!(waits, Ok(false));
    }
}
