-- People's accounts at this node. What an account says is its owner's JSON text.
CREATE TABLE accounts (
    id BLOB PRIMARY KEY,
    -- By which it is found, as its owner compares it; none while it is not known yet.
    name TEXT UNIQUE,
    json TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Sessions of accounts, by the hash of what their holders show.
CREATE TABLE account_sessions (
    hash BLOB PRIMARY KEY,
    account BLOB NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    begun_ms INTEGER NOT NULL,
    seen_ms INTEGER NOT NULL,
    json TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_accounts ON account_sessions (account);

-- Tries to sign in that have not succeeded, by the hash of the name that was given. Those of names
-- that nobody has are kept like the others, so that nothing tells them apart.
CREATE TABLE account_tries (
    name BLOB PRIMARY KEY,
    failed INTEGER NOT NULL,
    wait_until_ms INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    known INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tries_by_time ON account_tries (known, last_ms);

-- What was done or refused: never a name and never what a record says.
CREATE TABLE audit_lines (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ms INTEGER NOT NULL,
    -- The account; none for the command line, or where nobody was signed in.
    who BLOB,
    event TEXT NOT NULL,
    about TEXT NOT NULL,
    allowed INTEGER NOT NULL
) STRICT;
