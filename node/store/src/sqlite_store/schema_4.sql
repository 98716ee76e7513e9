-- The checkpoint that a feed was copied from; 0 if all its entries are here.
ALTER TABLE feeds ADD COLUMN base INTEGER NOT NULL DEFAULT 0;

-- Documents that came by a first copy and stand for the entries before the bases of their feeds.
-- State 0: arriving, as long as the copy is not complete; 1: here, but not checked; 2: checked.
CREATE TABLE bases (
    id INTEGER PRIMARY KEY,
    space BLOB NOT NULL,
    subject BLOB NOT NULL,
    state INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (space, subject, state)
) STRICT;
CREATE INDEX bases_of_subjects ON bases (subject);
CREATE INDEX bases_unchecked ON bases (space, subject) WHERE state = 1;

-- The hash before entries whose predecessor is not here: at and before the base of a feed.
CREATE TABLE links (
    feed INTEGER NOT NULL REFERENCES feeds (id),
    number INTEGER NOT NULL,
    previous BLOB NOT NULL,
    PRIMARY KEY (feed, number)
) STRICT, WITHOUT ROWID;

-- First copies under way: from whom, up to which checkpoints, and how many of how many pieces are
-- here.
CREATE TABLE copies (
    space BLOB PRIMARY KEY,
    peer BLOB NOT NULL,
    bases BLOB NOT NULL,
    pieces INTEGER NOT NULL,
    of INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What has come of them beside documents, in order.
CREATE TABLE copy_pieces (
    space BLOB NOT NULL REFERENCES copies (space) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (space, number)
) STRICT;
