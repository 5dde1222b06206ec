-- The synced tables of domain/tables.py as this device remembers them (a test compares them).
CREATE TABLE locations (
    id TEXT PRIMARY KEY,
    location_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT,
    zone TEXT,
    lat REAL,
    lon REAL,
    _ver INTEGER NOT NULL DEFAULT 0,
    extra TEXT NOT NULL DEFAULT '{}'
) STRICT, WITHOUT ROWID;

CREATE TABLE people (
    id TEXT PRIMARY KEY,
    location_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    _ver INTEGER NOT NULL DEFAULT 0,
    extra TEXT NOT NULL DEFAULT '{}'
) STRICT, WITHOUT ROWID;

CREATE TABLE leads (
    id TEXT PRIMARY KEY,
    location_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    agent_id TEXT,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    phone TEXT,
    email TEXT,
    address TEXT,
    city TEXT,
    state TEXT,
    zip TEXT,
    lat REAL,
    lon REAL,
    stage TEXT NOT NULL,
    stage_reason TEXT,
    source TEXT,
    motivation TEXT,
    timeline_days INTEGER,
    condition TEXT,
    financing TEXT,
    area TEXT,
    price_cents INTEGER,
    price_on TEXT,
    answers TEXT,
    answer_quality REAL,
    frs REAL,
    pcs REAL,
    score REAL,
    temperature TEXT,
    tags TEXT,
    opted_out INTEGER,
    opted_out_at TEXT,
    opted_out_words TEXT,
    consent_text INTEGER,
    consent_call INTEGER,
    consent_words TEXT,
    consent_at TEXT,
    last_inbound_at TEXT,
    last_touch_at TEXT,
    answer_due_at TEXT,
    external_id TEXT,
    _ver INTEGER NOT NULL DEFAULT 0,
    extra TEXT NOT NULL DEFAULT '{}'
) STRICT, WITHOUT ROWID;

CREATE TABLE tasks (
    id TEXT PRIMARY KEY,
    location_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    lead_id TEXT,
    agent_id TEXT,
    title TEXT NOT NULL,
    kind TEXT NOT NULL,
    due_at TEXT,
    done_at TEXT,
    text TEXT,
    _ver INTEGER NOT NULL DEFAULT 0,
    extra TEXT NOT NULL DEFAULT '{}'
) STRICT, WITHOUT ROWID;

CREATE TABLE notes (
    id TEXT PRIMARY KEY,
    location_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    agent_id TEXT NOT NULL,
    audio_sha256 TEXT,
    audio_bytes INTEGER,
    audio_seconds REAL,
    audio_type TEXT,
    lead_id TEXT,
    state TEXT NOT NULL,
    engine TEXT,
    proposals TEXT,
    error TEXT,
    text TEXT,
    transcript TEXT,
    _ver INTEGER NOT NULL DEFAULT 0,
    extra TEXT NOT NULL DEFAULT '{}'
) STRICT, WITHOUT ROWID;

CREATE TABLE conflicts (
    id TEXT PRIMARY KEY,
    location_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    tbl TEXT NOT NULL,
    row_id TEXT NOT NULL,
    lead_id TEXT,
    unit TEXT NOT NULL,
    policy TEXT NOT NULL,
    base TEXT,
    winner TEXT,
    loser TEXT,
    winner_by TEXT,
    winner_at TEXT,
    loser_by TEXT,
    loser_at TEXT,
    status TEXT NOT NULL,
    resolution TEXT,
    resolved_by TEXT,
    resolved_at TEXT,
    _ver INTEGER NOT NULL DEFAULT 0,
    extra TEXT NOT NULL DEFAULT '{}'
) STRICT, WITHOUT ROWID;

CREATE TABLE deals (
    id TEXT PRIMARY KEY,
    location_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    lead_id TEXT,
    agent_id TEXT,
    property_id TEXT,
    source TEXT,
    stage TEXT NOT NULL,
    stage_reason TEXT,
    side_held TEXT NOT NULL,
    who_pays TEXT,
    price_cents INTEGER,
    listing_rate_bp INTEGER,
    buyer_rate_bp INTEGER,
    gross_cents INTEGER,
    net_cents INTEGER,
    expected_close_on TEXT,
    closed_on TEXT,
    _ver INTEGER NOT NULL DEFAULT 0,
    extra TEXT NOT NULL DEFAULT '{}'
) STRICT, WITHOUT ROWID;

CREATE TABLE interactions (
    id TEXT PRIMARY KEY,
    location_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    lead_id TEXT NOT NULL,
    agent_id TEXT,
    bot_id TEXT,
    kind TEXT NOT NULL,
    direction TEXT,
    channel TEXT,
    occurred_at TEXT NOT NULL,
    body TEXT,
    outcome TEXT,
    seconds INTEGER,
    _ver INTEGER NOT NULL DEFAULT 0,
    extra TEXT NOT NULL DEFAULT '{}'
) STRICT, WITHOUT ROWID;

CREATE TABLE properties (
    id TEXT PRIMARY KEY,
    location_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    lead_id TEXT,
    status TEXT NOT NULL,
    source TEXT,
    address TEXT,
    city TEXT,
    state TEXT,
    zip TEXT,
    lat REAL,
    lon REAL,
    price_cents INTEGER,
    price_on TEXT,
    beds REAL,
    baths REAL,
    sqft INTEGER,
    lot_sqft INTEGER,
    floors REAL,
    year_built INTEGER,
    year_renovated INTEGER,
    condition INTEGER,
    grade INTEGER,
    waterfront INTEGER,
    view INTEGER,
    external_id TEXT,
    _ver INTEGER NOT NULL DEFAULT 0,
    extra TEXT NOT NULL DEFAULT '{}'
) STRICT, WITHOUT ROWID;
-- The server's version of a row, only while the row has changes of ours that the server has not confirmed.
CREATE TABLE shadow (
    tbl TEXT NOT NULL,
    id TEXT NOT NULL,
    ver INTEGER NOT NULL,
    base TEXT NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tbl, id)
) STRICT, WITHOUT ROWID;

-- Changes on their way to the server, in the order they were made. Confirmed ones stay 14 days (the journal).
CREATE TABLE outbox (
    mid INTEGER PRIMARY KEY AUTOINCREMENT,
    grp TEXT NOT NULL,
    tbl TEXT NOT NULL,
    row_id TEXT NOT NULL,
    op TEXT NOT NULL,
    patch TEXT NOT NULL,
    base_ver INTEGER NOT NULL,
    base TEXT NOT NULL,
    edit_ms INTEGER NOT NULL,
    seen_server_ms INTEGER NOT NULL,
    schema INTEGER NOT NULL,
    urgent INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'inflight', 'acked', 'parked')),
    attempts INTEGER NOT NULL DEFAULT 0,
    code TEXT NOT NULL DEFAULT '',
    message TEXT NOT NULL DEFAULT '',
    acked_ms INTEGER
) STRICT;
CREATE INDEX outbox_waiting ON outbox (mid) WHERE state IN ('pending', 'inflight');
CREATE INDEX outbox_by_row ON outbox (tbl, row_id) WHERE state <> 'acked';

CREATE TABLE sync_state (
    k TEXT PRIMARY KEY,
    v TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Voice files on their way up.
CREATE TABLE blobs (
    id TEXT PRIMARY KEY,
    note_id TEXT NOT NULL,
    location_id TEXT NOT NULL,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0,
    url TEXT NOT NULL DEFAULT '',
    media_type TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending', 'sent', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- A diary of sync for the sync centre and for support; the oldest lines go.
CREATE TABLE sync_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    level TEXT NOT NULL,
    event TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '{}'
) STRICT;

-- The last figures that the server sent, so that an executive sees them, stamped, with no network.
CREATE TABLE kpi_tiles (
    location_id TEXT NOT NULL,
    timeframe TEXT NOT NULL,
    name TEXT NOT NULL,
    tile TEXT NOT NULL,
    as_of TEXT NOT NULL,
    PRIMARY KEY (location_id, timeframe, name)
) STRICT, WITHOUT ROWID;

-- Settings and half-typed work of this person on this device (theme, text size, last place).
CREATE TABLE local_settings (
    k TEXT PRIMARY KEY,
    v TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX leads_by_place ON leads (lat, lon);
CREATE INDEX leads_by_phone ON leads (phone);
CREATE INDEX leads_by_email ON leads (email COLLATE NOCASE);
CREATE INDEX leads_by_agent ON leads (agent_id);
CREATE INDEX leads_by_due ON leads (answer_due_at) WHERE answer_due_at IS NOT NULL;
CREATE INDEX interactions_by_lead ON interactions (lead_id, occurred_at);
CREATE INDEX tasks_by_due ON tasks (due_at) WHERE done_at IS NULL;
CREATE INDEX tasks_by_lead ON tasks (lead_id);
CREATE INDEX notes_by_lead ON notes (lead_id);
CREATE INDEX properties_by_place ON properties (lat, lon);
CREATE INDEX properties_by_lead ON properties (lead_id);
CREATE INDEX deals_by_lead ON deals (lead_id);
CREATE INDEX conflicts_by_row ON conflicts (tbl, row_id);
CREATE INDEX conflicts_open ON conflicts (created_at) WHERE status = 'open';
CREATE INDEX blobs_by_note ON blobs (note_id);

-- Full text over leads, notes, tasks and interactions. Rows are rebuilt by the write that changes them;
-- `search_rows` finds a row's line in the index without a scan.
CREATE TABLE search_rows (
    rid INTEGER PRIMARY KEY,
    tbl TEXT NOT NULL,
    id TEXT NOT NULL,
    lead_id TEXT,
    UNIQUE (tbl, id)
) STRICT;

CREATE VIRTUAL TABLE search USING fts5 (title, body, tokenize = "unicode61 remove_diacritics 2");
