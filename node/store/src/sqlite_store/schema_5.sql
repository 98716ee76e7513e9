-- What the checkpoints of copies under way list, as documents' ids of 24 bytes, and how far their feeds
-- were held before.
CREATE TABLE copy_lists (
    copy INTEGER PRIMARY KEY REFERENCES copies (id) ON DELETE CASCADE,
    list BLOB NOT NULL,
    tips BLOB
) STRICT;
INSERT INTO copy_lists (copy, list) SELECT id, list FROM copies WHERE documents IS NOT NULL;
ALTER TABLE copies DROP COLUMN list;
CREATE INDEX bases_of_copies ON bases (copy, arrival);

-- Changes of documents that were taken out of their entries, whose payload is empty then: a saved
-- document that gives them back byte for byte.
CREATE TABLE archives (
    subject BLOB NOT NULL,
    space BLOB NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (subject, space)
) STRICT;

-- Four bytes do as well as eight: the whole hash is compared where they are the same.
DROP INDEX entries_by_hash;
CREATE INDEX entries_by_hash ON entries (substr(hash, 1, 4));
