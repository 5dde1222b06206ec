-- Recordings of others, fetched to be heard here: a cache that may be emptied at any time. `at_ms`: last heard.
CREATE TABLE downloads (
    note_id TEXT PRIMARY KEY,
    location_id TEXT NOT NULL,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    complete INTEGER NOT NULL DEFAULT 0,
    at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
