-- The synced tables of domain/tables.py (a test compares them), with versions per row and per field,
-- and the log of every change that the feed is made from. The triggers keep versions and log whoever writes.
-- migrate:up

ALTER TABLE locations
    ADD COLUMN IF NOT EXISTS location_id uuid GENERATED ALWAYS AS (id) STORED,
    ADD COLUMN IF NOT EXISTS created_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN IF NOT EXISTS lat double precision,
    ADD COLUMN IF NOT EXISTS lon double precision,
    ADD COLUMN IF NOT EXISTS _ver bigint NOT NULL DEFAULT 1,
    ADD COLUMN IF NOT EXISTS _fver jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN IF NOT EXISTS _deleted_at timestamptz;

CREATE TABLE people (
    id uuid PRIMARY KEY,
    location_id uuid NOT NULL REFERENCES locations (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    user_id uuid NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    _ver bigint NOT NULL DEFAULT 1,
    _fver jsonb NOT NULL DEFAULT '{}',
    _deleted_at timestamptz
);

CREATE TABLE leads (
    id uuid PRIMARY KEY,
    location_id uuid NOT NULL REFERENCES locations (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    agent_id uuid,
    kind text NOT NULL,
    name text NOT NULL,
    phone text,
    email text,
    address text,
    city text,
    state text,
    zip text,
    lat double precision,
    lon double precision,
    stage text NOT NULL,
    stage_reason text,
    source text,
    motivation text,
    timeline_days bigint,
    condition text,
    financing text,
    area text,
    price_cents bigint,
    price_on date,
    answers jsonb,
    answer_quality double precision,
    frs double precision,
    pcs double precision,
    score double precision,
    temperature text,
    tags jsonb,
    opted_out boolean,
    opted_out_at timestamptz,
    opted_out_words text,
    consent_text boolean,
    consent_call boolean,
    consent_words text,
    consent_at timestamptz,
    last_inbound_at timestamptz,
    last_touch_at timestamptz,
    answer_due_at timestamptz,
    external_id text,
    _ver bigint NOT NULL DEFAULT 1,
    _fver jsonb NOT NULL DEFAULT '{}',
    _deleted_at timestamptz
);

CREATE TABLE tasks (
    id uuid PRIMARY KEY,
    location_id uuid NOT NULL REFERENCES locations (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    lead_id uuid,
    agent_id uuid,
    title text NOT NULL,
    kind text NOT NULL,
    due_at timestamptz,
    done_at timestamptz,
    text text,
    _ver bigint NOT NULL DEFAULT 1,
    _fver jsonb NOT NULL DEFAULT '{}',
    _deleted_at timestamptz
);

CREATE TABLE notes (
    id uuid PRIMARY KEY,
    location_id uuid NOT NULL REFERENCES locations (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    agent_id uuid NOT NULL,
    audio_sha256 text,
    audio_bytes bigint,
    audio_seconds double precision,
    audio_type text,
    lead_id uuid,
    state text NOT NULL,
    engine text,
    proposals jsonb,
    error text,
    text text,
    transcript text,
    _ver bigint NOT NULL DEFAULT 1,
    _fver jsonb NOT NULL DEFAULT '{}',
    _deleted_at timestamptz
);

CREATE TABLE conflicts (
    id uuid PRIMARY KEY,
    location_id uuid NOT NULL REFERENCES locations (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    tbl text NOT NULL,
    row_id uuid NOT NULL,
    lead_id uuid,
    unit text NOT NULL,
    policy text NOT NULL,
    base jsonb,
    winner jsonb,
    loser jsonb,
    winner_by uuid,
    winner_at timestamptz,
    loser_by uuid,
    loser_at timestamptz,
    status text NOT NULL,
    resolution text,
    resolved_by uuid,
    resolved_at timestamptz,
    _ver bigint NOT NULL DEFAULT 1,
    _fver jsonb NOT NULL DEFAULT '{}',
    _deleted_at timestamptz
);

CREATE TABLE deals (
    id uuid PRIMARY KEY,
    location_id uuid NOT NULL REFERENCES locations (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    lead_id uuid,
    agent_id uuid,
    property_id uuid,
    source text,
    stage text NOT NULL,
    stage_reason text,
    side_held text NOT NULL,
    who_pays text,
    price_cents bigint,
    listing_rate_bp bigint,
    buyer_rate_bp bigint,
    gross_cents bigint,
    net_cents bigint,
    expected_close_on date,
    closed_on date,
    _ver bigint NOT NULL DEFAULT 1,
    _fver jsonb NOT NULL DEFAULT '{}',
    _deleted_at timestamptz
);

CREATE TABLE interactions (
    id uuid PRIMARY KEY,
    location_id uuid NOT NULL REFERENCES locations (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    lead_id uuid NOT NULL,
    agent_id uuid,
    bot_id text,
    kind text NOT NULL,
    direction text,
    channel text,
    occurred_at timestamptz NOT NULL,
    body text,
    outcome text,
    seconds bigint,
    _ver bigint NOT NULL DEFAULT 1,
    _fver jsonb NOT NULL DEFAULT '{}',
    _deleted_at timestamptz
);

CREATE TABLE properties (
    id uuid PRIMARY KEY,
    location_id uuid NOT NULL REFERENCES locations (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    lead_id uuid,
    status text NOT NULL,
    source text,
    address text,
    city text,
    state text,
    zip text,
    lat double precision,
    lon double precision,
    price_cents bigint,
    price_on date,
    beds double precision,
    baths double precision,
    sqft bigint,
    lot_sqft bigint,
    floors double precision,
    year_built bigint,
    year_renovated bigint,
    condition bigint,
    grade bigint,
    waterfront boolean,
    view bigint,
    external_id text,
    _ver bigint NOT NULL DEFAULT 1,
    _fver jsonb NOT NULL DEFAULT '{}',
    _deleted_at timestamptz
);

CREATE INDEX leads_by_scope ON leads (location_id, id);
CREATE INDEX leads_by_phone ON leads (location_id, phone);
CREATE INDEX leads_by_email ON leads (location_id, lower(email));
CREATE UNIQUE INDEX leads_by_external_id ON leads (location_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX interactions_by_scope ON interactions (location_id, id);
CREATE INDEX interactions_by_lead ON interactions (lead_id, occurred_at);
CREATE INDEX tasks_by_scope ON tasks (location_id, id);
CREATE INDEX notes_by_scope ON notes (location_id, id);
CREATE INDEX properties_by_scope ON properties (location_id, id);
CREATE UNIQUE INDEX properties_by_external_id ON properties (location_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX deals_by_scope ON deals (location_id, id);
CREATE INDEX people_by_scope ON people (location_id, id);
CREATE UNIQUE INDEX people_by_user ON people (user_id, location_id);
CREATE INDEX conflicts_by_scope ON conflicts (location_id, id);

-- The feed. `seq` is stamped after commit by the sequencer (backend/stream/sequencer.py): a number handed out
-- before the commit would let a reader pass over a row that becomes visible later.
CREATE TABLE change_log (
    log_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    seq bigint UNIQUE,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    tbl text NOT NULL,
    row_id uuid NOT NULL,
    ver bigint NOT NULL,
    scope_from uuid,
    scope_to uuid,
    origin text,  -- which device of which person wrote it (feed.origin); NULL: the server itself
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX change_log_unstamped ON change_log (log_id) WHERE seq IS NULL;

CREATE TABLE feed_state (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    head bigint NOT NULL DEFAULT 0,
    floor bigint NOT NULL DEFAULT 0,  -- changes up to here are forgotten: an older cursor starts over
    incarnation uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO feed_state DEFAULT VALUES;

CREATE TABLE applied_mutations (
    device_id text NOT NULL,
    epoch text NOT NULL,
    mid bigint NOT NULL,
    content_hash text NOT NULL,
    result jsonb NOT NULL,
    user_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (device_id, epoch, mid)
);

CREATE TABLE parked_mutations (
    device_id text NOT NULL,
    epoch text NOT NULL,
    mid bigint NOT NULL,
    user_id uuid NOT NULL,
    mutation text NOT NULL,  -- JSON as it came: jsonb does not take everything that may have been wrong with it
    code text NOT NULL,
    message text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (device_id, epoch, mid)
);

-- Voice files: bytes lie in files, this row says how far they came.
CREATE TABLE uploads (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    location_id uuid NOT NULL REFERENCES locations (id),
    note_id uuid NOT NULL,
    sha256 text NOT NULL,
    size bigint NOT NULL CHECK (size >= 0),
    received bigint NOT NULL DEFAULT 0,
    media_type text NOT NULL DEFAULT '',
    done_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX uploads_by_note ON uploads (note_id);
CREATE INDEX uploads_by_content ON uploads (location_id, sha256);

-- Work to be done after a commit; Valkey only wakes the workers.
CREATE TABLE jobs (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind text NOT NULL,
    key text NOT NULL,
    payload jsonb NOT NULL DEFAULT '{}',
    run_at timestamptz NOT NULL DEFAULT now(),
    attempts int NOT NULL DEFAULT 0,
    error text,
    done_at timestamptz,
    UNIQUE (kind, key)
);

-- What bots report of themselves; the warehouse of a later issue grows from here.
CREATE TABLE bot_events (
    id uuid PRIMARY KEY,
    location_id uuid NOT NULL REFERENCES locations (id),
    bot_id text NOT NULL,
    lead_id uuid,
    conversation_id uuid,
    event_type text NOT NULL,
    occurred_at timestamptz NOT NULL,
    processing_ms double precision,
    confidence double precision,
    success boolean,
    replied boolean
);
CREATE INDEX bot_events_by_time ON bot_events (location_id, occurred_at);

CREATE FUNCTION sync_before_update() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed jsonb;
    at_ms bigint := coalesce(
        nullif(current_setting('app.edit_ms', true), '')::bigint,
        (extract(epoch FROM clock_timestamp()) * 1000)::bigint
    );
    unsynced text[] := '{_ver,_fver,_deleted_at}';
BEGIN
    IF TG_TABLE_NAME = 'locations' THEN
        unsynced := unsynced || 'location_id'::text;  -- generated: not known yet before the update
    END IF;
    -- A field's entry: row version, edit time, who, from which origin (a device of theirs; feed.origin).
    SELECT jsonb_object_agg(n.key, jsonb_build_array(
               OLD._ver + 1, at_ms, nullif(current_setting('app.actor', true), ''),
               nullif(current_setting('app.device', true), '')))
      INTO changed
      FROM jsonb_each(to_jsonb(NEW) - unsynced) n
      JOIN jsonb_each(to_jsonb(OLD)) o USING (key)
     WHERE n.value IS DISTINCT FROM o.value;
    IF changed IS NULL AND NEW._deleted_at IS NOT DISTINCT FROM OLD._deleted_at THEN
        RETURN NULL;  -- nothing changed: no new version, no line in the feed
    END IF;
    NEW._ver := OLD._ver + 1;
    NEW._fver := OLD._fver || coalesce(changed, '{}');
    RETURN NEW;
END $$;

CREATE FUNCTION sync_log_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO change_log (tbl, row_id, ver, scope_to, origin)
    SELECT TG_TABLE_NAME, id, _ver, location_id, nullif(current_setting('app.device', true), '')
      FROM new_rows ORDER BY id;
    RETURN NULL;
END $$;

CREATE FUNCTION sync_log_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO change_log (tbl, row_id, ver, scope_from, scope_to, origin)
    SELECT TG_TABLE_NAME, n.id, n._ver,
           CASE WHEN o._deleted_at IS NULL THEN o.location_id END,
           CASE WHEN n._deleted_at IS NULL THEN n.location_id END,
           nullif(current_setting('app.device', true), '')
      FROM new_rows n JOIN old_rows o USING (id) ORDER BY n.id;
    RETURN NULL;
END $$;

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['locations', 'people', 'leads', 'tasks', 'notes', 'conflicts', 'deals',
                             'interactions', 'properties'] LOOP
        EXECUTE format('CREATE TRIGGER sync_before_update BEFORE UPDATE ON %I FOR EACH ROW
                        EXECUTE FUNCTION sync_before_update()', t);
        EXECUTE format('CREATE TRIGGER sync_log_insert AFTER INSERT ON %I REFERENCING NEW TABLE AS new_rows
                        FOR EACH STATEMENT EXECUTE FUNCTION sync_log_insert()', t);
        EXECUTE format('CREATE TRIGGER sync_log_update AFTER UPDATE ON %I
                        REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
                        FOR EACH STATEMENT EXECUTE FUNCTION sync_log_update()', t);
    END LOOP;
END $$;

-- One `people` row per user and location, so that a name can be shown beside a change with no network.
CREATE FUNCTION people_follow_grants() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        UPDATE people SET _deleted_at = now() WHERE user_id = OLD.user_id AND location_id = OLD.location_id;
        RETURN OLD;
    END IF;
    INSERT INTO people (id, user_id, location_id, name, role)
    SELECT gen_random_uuid(), u.id, NEW.location_id, u.name, u.role FROM users u WHERE u.id = NEW.user_id
    ON CONFLICT (user_id, location_id)
    DO UPDATE SET name = excluded.name, role = excluded.role, _deleted_at = NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER people_follow_grants AFTER INSERT OR DELETE ON user_locations
    FOR EACH ROW EXECUTE FUNCTION people_follow_grants();

CREATE FUNCTION people_follow_users() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE people SET name = NEW.name, role = NEW.role WHERE user_id = NEW.id;
    RETURN NEW;
END $$;
CREATE TRIGGER people_follow_users AFTER UPDATE OF name, role ON users
    FOR EACH ROW EXECUTE FUNCTION people_follow_users();

-- migrate:down
