-- The checkpoint that a feed was copied from; 0 if all its entries are here.
ALTER TABLE feeds ADD COLUMN base INTEGER NOT NULL DEFAULT 0;

-- The hash before entries whose predecessor is not here: at and before the base of a feed.
CREATE TABLE links (
    feed INTEGER NOT NULL REFERENCES feeds (id),
    number INTEGER NOT NULL,
    previous BLOB NOT NULL,
    PRIMARY KEY (feed, number)
) STRICT, WITHOUT ROWID;

-- First copies under way, one a space: who offered it, on which checkpoints it stands, and how many
-- of how many documents are here; none before the checkpoints are whole. The list is of documents'
-- ids, 24 bytes each.
CREATE TABLE copies (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    space BLOB NOT NULL UNIQUE,
    peer BLOB NOT NULL,
    bases BLOB NOT NULL,
    documents INTEGER,
    of INTEGER NOT NULL,
    list BLOB NOT NULL DEFAULT x''
) STRICT;

-- What has come of them beside documents, in order.
CREATE TABLE copy_pieces (
    copy INTEGER NOT NULL REFERENCES copies (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (copy, number)
) STRICT;

-- Documents that came by first copies and stand for the entries before the bases of feeds. Those of
-- a copy that is still under way are not placed yet. Arrivals are of one order with those of entries.
CREATE TABLE bases (
    id INTEGER PRIMARY KEY,
    copy INTEGER NOT NULL,
    space BLOB NOT NULL,
    subject BLOB NOT NULL,
    arrival INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (copy, subject)
) STRICT;
CREATE INDEX bases_of_subjects ON bases (subject, space);
CREATE INDEX bases_of_spaces ON bases (space, subject);

-- Those of a copy under way that were checked.
CREATE TABLE checked_bases (
    base INTEGER PRIMARY KEY REFERENCES bases (id) ON DELETE CASCADE
) STRICT;
