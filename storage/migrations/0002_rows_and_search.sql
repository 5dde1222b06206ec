-- Room and speed: the synced tables are looked up by SQLite's own row number (an index entry costs 3 bytes instead of 40),
-- and the search index keeps no copy of the text. `_rid` is a row's line in it; NULL = to be indexed (storage/search.py).
DROP TABLE search;

DROP TABLE search_rows;

DROP INDEX outbox_waiting;

ALTER TABLE locations RENAME TO old_locations;

CREATE TABLE locations (
    id TEXT NOT NULL PRIMARY KEY,
    location_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT,
    zone TEXT,
    lat REAL,
    lon REAL,
    _ver INTEGER NOT NULL DEFAULT 0,
    extra TEXT NOT NULL DEFAULT '{}'
) STRICT;

INSERT INTO locations (
    id, location_id, created_at, name, state, zone, lat, lon, _ver, extra
) SELECT
    id, location_id, created_at, name, state, zone, lat, lon, _ver, extra
FROM old_locations ORDER BY id;

DROP TABLE old_locations;

ALTER TABLE people RENAME TO old_people;

CREATE TABLE people (
    id TEXT NOT NULL PRIMARY KEY,
    location_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    _ver INTEGER NOT NULL DEFAULT 0,
    extra TEXT NOT NULL DEFAULT '{}'
) STRICT;

INSERT INTO people (
    id, location_id, created_at, user_id, name, role, _ver, extra
) SELECT
    id, location_id, created_at, user_id, name, role, _ver, extra
FROM old_people ORDER BY id;

DROP TABLE old_people;

ALTER TABLE leads RENAME TO old_leads;

CREATE TABLE leads (
    id TEXT NOT NULL PRIMARY KEY,
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
    extra TEXT NOT NULL DEFAULT '{}',
    _rid INTEGER
) STRICT;

INSERT INTO leads (
    id, location_id, created_at, agent_id, kind, name, phone, email, address, city, state, zip, lat, lon, stage,
    stage_reason, source, motivation, timeline_days, condition, financing, area, price_cents, price_on, answers,
    answer_quality, frs, pcs, score, temperature, tags, opted_out, opted_out_at, opted_out_words, consent_text,
    consent_call, consent_words, consent_at, last_inbound_at, last_touch_at, answer_due_at, external_id, _ver,
    extra
) SELECT
    id, location_id, created_at, agent_id, kind, name, phone, email, address, city, state, zip, lat, lon, stage,
    stage_reason, source, motivation, timeline_days, condition, financing, area, price_cents, price_on, answers,
    answer_quality, frs, pcs, score, temperature, tags, opted_out, opted_out_at, opted_out_words, consent_text,
    consent_call, consent_words, consent_at, last_inbound_at, last_touch_at, answer_due_at, external_id, _ver,
    extra
FROM old_leads ORDER BY id;

DROP TABLE old_leads;

ALTER TABLE tasks RENAME TO old_tasks;

CREATE TABLE tasks (
    id TEXT NOT NULL PRIMARY KEY,
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
    extra TEXT NOT NULL DEFAULT '{}',
    _rid INTEGER
) STRICT;

INSERT INTO tasks (
    id, location_id, created_at, lead_id, agent_id, title, kind, due_at, done_at, text, _ver, extra
) SELECT
    id, location_id, created_at, lead_id, agent_id, title, kind, due_at, done_at, text, _ver, extra
FROM old_tasks ORDER BY id;

DROP TABLE old_tasks;

ALTER TABLE notes RENAME TO old_notes;

CREATE TABLE notes (
    id TEXT NOT NULL PRIMARY KEY,
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
    extra TEXT NOT NULL DEFAULT '{}',
    _rid INTEGER
) STRICT;

INSERT INTO notes (
    id, location_id, created_at, agent_id, audio_sha256, audio_bytes, audio_seconds, audio_type, lead_id, state,
    engine, proposals, error, text, transcript, _ver, extra
) SELECT
    id, location_id, created_at, agent_id, audio_sha256, audio_bytes, audio_seconds, audio_type, lead_id, state,
    engine, proposals, error, text, transcript, _ver, extra
FROM old_notes ORDER BY id;

DROP TABLE old_notes;

ALTER TABLE conflicts RENAME TO old_conflicts;

CREATE TABLE conflicts (
    id TEXT NOT NULL PRIMARY KEY,
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
) STRICT;

INSERT INTO conflicts (
    id, location_id, created_at, tbl, row_id, lead_id, unit, policy, base, winner, loser, winner_by, winner_at,
    loser_by, loser_at, status, resolution, resolved_by, resolved_at, _ver, extra
) SELECT
    id, location_id, created_at, tbl, row_id, lead_id, unit, policy, base, winner, loser, winner_by, winner_at,
    loser_by, loser_at, status, resolution, resolved_by, resolved_at, _ver, extra
FROM old_conflicts ORDER BY id;

DROP TABLE old_conflicts;

ALTER TABLE deals RENAME TO old_deals;

CREATE TABLE deals (
    id TEXT NOT NULL PRIMARY KEY,
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
) STRICT;

INSERT INTO deals (
    id, location_id, created_at, lead_id, agent_id, property_id, source, stage, stage_reason, side_held, who_pays,
    price_cents, listing_rate_bp, buyer_rate_bp, gross_cents, net_cents, expected_close_on, closed_on, _ver, extra
) SELECT
    id, location_id, created_at, lead_id, agent_id, property_id, source, stage, stage_reason, side_held, who_pays,
    price_cents, listing_rate_bp, buyer_rate_bp, gross_cents, net_cents, expected_close_on, closed_on, _ver, extra
FROM old_deals ORDER BY id;

DROP TABLE old_deals;

ALTER TABLE interactions RENAME TO old_interactions;

CREATE TABLE interactions (
    id TEXT NOT NULL PRIMARY KEY,
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
    extra TEXT NOT NULL DEFAULT '{}',
    _rid INTEGER
) STRICT;

INSERT INTO interactions (
    id, location_id, created_at, lead_id, agent_id, bot_id, kind, direction, channel, occurred_at, body, outcome,
    seconds, _ver, extra
) SELECT
    id, location_id, created_at, lead_id, agent_id, bot_id, kind, direction, channel, occurred_at, body, outcome,
    seconds, _ver, extra
FROM old_interactions ORDER BY id;

DROP TABLE old_interactions;

ALTER TABLE properties RENAME TO old_properties;

CREATE TABLE properties (
    id TEXT NOT NULL PRIMARY KEY,
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
) STRICT;

INSERT INTO properties (
    id, location_id, created_at, lead_id, status, source, address, city, state, zip, lat, lon, price_cents,
    price_on, beds, baths, sqft, lot_sqft, floors, year_built, year_renovated, condition, grade, waterfront, view,
    external_id, _ver, extra
) SELECT
    id, location_id, created_at, lead_id, status, source, address, city, state, zip, lat, lon, price_cents,
    price_on, beds, baths, sqft, lot_sqft, floors, year_built, year_renovated, condition, grade, waterfront, view,
    external_id, _ver, extra
FROM old_properties ORDER BY id;

DROP TABLE old_properties;

CREATE INDEX leads_by_place ON leads (lat, lon);
CREATE INDEX leads_by_phone ON leads (phone);
CREATE INDEX leads_by_email ON leads (email COLLATE NOCASE);
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
CREATE INDEX interactions_by_rid ON interactions (_rid);
CREATE INDEX leads_by_rid ON leads (_rid);
CREATE INDEX notes_by_rid ON notes (_rid);
CREATE INDEX tasks_by_rid ON tasks (_rid);

CREATE VIRTUAL TABLE search USING fts5 (title, body, content = '', tokenize = "unicode61 remove_diacritics 2");

-- By which clock a change was timed: a wall clock that is put right before the change is sent puts its time right, too.
ALTER TABLE outbox ADD COLUMN boot_id TEXT NOT NULL DEFAULT '';

ALTER TABLE outbox ADD COLUMN boot_ms INTEGER NOT NULL DEFAULT 0;
