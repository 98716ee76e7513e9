-- How far the heads of copies under way prove their feeds, and who opened these.
CREATE TABLE copy_ends (
    copy INTEGER NOT NULL REFERENCES copies (id) ON DELETE CASCADE,
    feed BLOB NOT NULL,
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    opening BLOB NOT NULL,
    PRIMARY KEY (copy, feed)
) STRICT, WITHOUT ROWID;

-- Live entries: what came of these feeds after that, which counts once the copy is placed. Arrivals are
-- of one order with those of entries.
CREATE TABLE live_entries (
    arrival INTEGER PRIMARY KEY,
    copy INTEGER NOT NULL REFERENCES copies (id) ON DELETE CASCADE,
    feed BLOB NOT NULL,
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    time_ms INTEGER NOT NULL,
    subject INTEGER NOT NULL REFERENCES subjects (id),
    dropped_hash BLOB,
    dropped_length INTEGER,
    proof BLOB,
    payload BLOB
) STRICT;
CREATE UNIQUE INDEX live_entries_in_feeds ON live_entries (copy, feed, number);
CREATE INDEX live_entries_of_subjects ON live_entries (subject);

-- How many bytes those of one copy have.
ALTER TABLE copies ADD COLUMN live_bytes INTEGER NOT NULL DEFAULT 0;
