CREATE TABLE reflects (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    arrival INTEGER NOT NULL
) STRICT;

-- Numbers that stand for long names in the tables below. They hold nothing that was written.
CREATE TABLE spaces (id INTEGER PRIMARY KEY, space BLOB NOT NULL UNIQUE) STRICT;
CREATE TABLE kinds (id INTEGER PRIMARY KEY, kind TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE fields (id INTEGER PRIMARY KEY, field TEXT NOT NULL UNIQUE) STRICT;

CREATE TABLE snapshots (
    space BLOB NOT NULL,
    subject BLOB NOT NULL,
    arrival INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (space, subject)
) STRICT;
CREATE INDEX snapshots_by_subject ON snapshots (subject);

CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    space INTEGER NOT NULL,
    subject BLOB NOT NULL,
    kind INTEGER NOT NULL,
    -- The hub that owns it, its eight bytes as a number.
    owner INTEGER NOT NULL,
    title TEXT NOT NULL,
    -- The title as it is sorted by.
    sorted TEXT NOT NULL,
    json TEXT NOT NULL,
    searched TEXT NOT NULL,
    UNIQUE (space, subject)
) STRICT;
CREATE INDEX records_by_subject ON records (subject);
CREATE INDEX records_by_kind ON records (kind, space, owner);
CREATE INDEX records_by_title ON records (sorted);
CREATE INDEX records_by_kind_and_title ON records (kind, sorted);

-- What records are filtered, sorted and counted by. `edge` is 1 for the least value of a field in
-- its record, 2 for the greatest, and 3 for the only one.
CREATE TABLE cells (
    record INTEGER NOT NULL,
    field INTEGER NOT NULL,
    value ANY NOT NULL,
    edge INTEGER NOT NULL,
    PRIMARY KEY (record, field, value)
) STRICT, WITHOUT ROWID;
CREATE INDEX cells_by_value ON cells (field, value, edge);

-- Without `secure-delete`, words that were taken out would stay in the index for a while.
CREATE VIRTUAL TABLE words USING fts5 (
    title, searched,
    content = 'records', content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2',
    -- What is typed first may begin a word in every record.
    prefix = '1 2'
);
INSERT INTO words (words, rank) VALUES ('secure-delete', 1);
-- A word in the title weighs as much as ten elsewhere.
INSERT INTO words (words, rank) VALUES ('rank', 'bm25(10.0, 1.0)');

CREATE TABLE set_aside (
    space BLOB NOT NULL,
    subject BLOB NOT NULL,
    feed BLOB NOT NULL,
    number INTEGER NOT NULL,
    hash BLOB NOT NULL,
    reason TEXT NOT NULL,
    -- 1 if it was judged by itself, 0 if with the document that it is about.
    alone INTEGER NOT NULL,
    PRIMARY KEY (space, subject, feed, number)
) STRICT;
CREATE INDEX set_aside_by_subject ON set_aside (subject);

-- What no longer counted in a space when its lines were last made.
CREATE TABLE settled (
    space BLOB PRIMARY KEY,
    evidence BLOB NOT NULL
) STRICT;

-- The program that judged what is set aside, and by whose declarations lines were made.
CREATE TABLE judged (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    program TEXT NOT NULL,
    declarations TEXT NOT NULL
) STRICT;

-- There is a row here while rows were taken out that may have left copies where they once stood.
CREATE TABLE taken_out (id INTEGER PRIMARY KEY CHECK (id = 1)) STRICT;
