-- What left this hub: which fields of which record, where to, and never their content. There are
-- few enough to look at all of them.
CREATE TABLE disclosures (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ms INTEGER NOT NULL,
    space BLOB NOT NULL,
    subject BLOB NOT NULL,
    copy BLOB,
    action TEXT NOT NULL,
    by TEXT NOT NULL,
    -- Who could read it, and the fields' names: texts in a JSON array.
    readers TEXT NOT NULL,
    fields TEXT NOT NULL,
    digest BLOB NOT NULL
) STRICT;

-- Spaces that a hub left, of which others' payloads were dropped. They are fetched again as a
-- whole if it may read the space once more.
CREATE TABLE left_spaces (
    space BLOB NOT NULL,
    hub BLOB NOT NULL,
    PRIMARY KEY (space, hub)
) STRICT, WITHOUT ROWID;
