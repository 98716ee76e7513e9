-- A writer of a space. Stays when only evidence is left of it.
CREATE TABLE writers (
    id INTEGER PRIMARY KEY,
    space BLOB NOT NULL,
    writer BLOB NOT NULL,
    -- What the authority log said of it when that was last applied.
    applied BLOB NOT NULL,
    UNIQUE (space, writer)
) STRICT;

-- Feeds with their last entries, so that opening a store reads no entry.
CREATE TABLE feeds (
    id INTEGER PRIMARY KEY,
    writer INTEGER NOT NULL REFERENCES writers (id),
    name BLOB NOT NULL,
    parent BLOB,
    start INTEGER NOT NULL,
    tip INTEGER,
    tip_hash BLOB,
    opening BLOB,
    UNIQUE (writer, name)
) STRICT;

-- What entries are about, once per space and kind.
CREATE TABLE subjects (
    id INTEGER PRIMARY KEY,
    subject BLOB NOT NULL,
    space BLOB NOT NULL,
    kind INTEGER NOT NULL,
    UNIQUE (subject, space, kind)
) STRICT;
CREATE INDEX subjects_of_spaces ON subjects (space, kind, subject);

-- Entries that count. A dropped payload leaves its hash and length. The proof stands at the end
-- of a run only: a signature, or nothing at all (an empty value) where a cut is the proof.
CREATE TABLE entries (
    arrival INTEGER PRIMARY KEY AUTOINCREMENT,
    feed INTEGER NOT NULL REFERENCES feeds (id),
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    time_ms INTEGER NOT NULL,
    subject INTEGER NOT NULL REFERENCES subjects (id),
    dropped_hash BLOB,
    dropped_length INTEGER,
    proof BLOB,
    payload BLOB
) STRICT;
CREATE UNIQUE INDEX entries_in_feeds ON entries (feed, number);
CREATE INDEX entries_of_subjects ON entries (subject);
-- Eight bytes tell hashes apart well enough to find one, at a fifth of the size.
CREATE INDEX entries_by_hash ON entries (substr(hash, 1, 8));
CREATE INDEX entries_dropped ON entries (feed, number) WHERE payload IS NULL;
CREATE INDEX entries_at_cuts ON entries (feed, number) WHERE length(proof) = 0;

-- Entries that do not count any more.
CREATE TABLE evidence (
    id INTEGER PRIMARY KEY,
    writer INTEGER NOT NULL REFERENCES writers (id),
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    previous BLOB NOT NULL,
    reason INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    subject INTEGER NOT NULL REFERENCES subjects (id),
    dropped_hash BLOB,
    dropped_length INTEGER,
    proof BLOB,
    payload BLOB,
    UNIQUE (writer, number, hash)
) STRICT;
CREATE INDEX evidence_of_subjects ON evidence (subject);

-- Ids whose payloads are never kept again.
CREATE TABLE erased (subject BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;

CREATE TABLE settings (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE peers (peer BLOB PRIMARY KEY, root BLOB) STRICT, WITHOUT ROWID;
CREATE TABLE peer_heights (
    peer BLOB NOT NULL REFERENCES peers (peer) ON DELETE CASCADE,
    space BLOB NOT NULL,
    heights BLOB NOT NULL,
    PRIMARY KEY (peer, space)
) STRICT, WITHOUT ROWID;

CREATE TABLE refusals (
    peer BLOB NOT NULL,
    space BLOB NOT NULL,
    feed BLOB NOT NULL,
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    reason INTEGER NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (peer, space, feed)
) STRICT, WITHOUT ROWID;

CREATE TABLE receipts (
    space BLOB NOT NULL,
    node BLOB NOT NULL,
    time_ms INTEGER NOT NULL,
    heights BLOB NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (space, node)
) STRICT, WITHOUT ROWID;
