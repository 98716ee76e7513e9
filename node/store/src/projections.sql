CREATE TABLE reflects (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    arrival INTEGER NOT NULL
) STRICT;

CREATE TABLE snapshots (
    space BLOB NOT NULL,
    subject BLOB NOT NULL,
    arrival INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (space, subject)
) STRICT;
CREATE INDEX snapshots_by_subject ON snapshots (subject);

CREATE TABLE records (
    space BLOB NOT NULL,
    subject BLOB NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    json TEXT NOT NULL,
    PRIMARY KEY (space, subject)
) STRICT;
CREATE INDEX records_by_subject ON records (subject);
CREATE INDEX records_by_kind ON records (kind, title);

CREATE TABLE set_aside (
    space BLOB NOT NULL,
    subject BLOB NOT NULL,
    feed BLOB NOT NULL,
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (space, subject, feed, number)
) STRICT;
CREATE INDEX set_aside_by_subject ON set_aside (subject);

-- What no longer counted in a space when its lines were last made.
CREATE TABLE settled (
    space BLOB PRIMARY KEY,
    evidence BLOB NOT NULL
) STRICT;
