-- Files that nobody may keep: named in the transaction that let go of them, deleted after it, or at the next start.
CREATE TABLE doomed_files (
    path TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
